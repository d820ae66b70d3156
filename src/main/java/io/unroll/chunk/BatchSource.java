package io.unroll.chunk;

import io.unroll.config.Settings;
import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import org.apache.hadoop.conf.Configuration;

/** The files of a prepared corpus, and how batches are made of them; travels to the workers. */
public interface BatchSource extends Serializable {
    /** @return hash of the corpus' content */
    String content();

    CorpusSize size(int vocabulary);

    /** @throws io.unroll.config.ConfigurationException where the training part is too small, or none is held out */
    Plan plan(Settings settings);

    Batches training(Plan plan, int replica, int epoch, Configuration hadoop) throws IOException;

    /** @return what each task evaluates of the part; empty where it is */
    List<Shard> shards(Split.Part part);

    /** @return batches to be evaluated one after the other */
    List<Batch> evaluation(Shard shard, int steps, Configuration hadoop) throws IOException;
}
