package io.unroll.chunk;

import io.unroll.config.Settings;
import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import org.apache.hadoop.conf.Configuration;

/** Creates batches from a prepared corpus. Serializable: it is sent to the executors. */
public interface BatchSource extends Serializable {
    SequenceStore store();

    /** @return a hash of the content of the corpus */
    default String contentHash() {
        return store().index().corpus();
    }

    CorpusSize size(int vocabulary);

    /** @throws io.unroll.config.ConfigurationException if the training or the validation part is too small */
    Plan plan(Settings settings);

    /** @return the shards of the part, one for each Spark task; empty if the part is empty */
    List<Shard> shards(Split.Part part);

    /** @return the batches of a shard, to be evaluated in this order */
    List<Batch> evaluation(Shard shard, Settings.Training settings, Configuration hadoop) throws IOException;

    /** @return the stored tokens of a shard: the targets of its examples, or its piece of a text */
    List<int[]> stored(Shard shard, Configuration hadoop) throws IOException;
}
