package io.unroll.ml;

import static org.apache.spark.sql.functions.sum;

import org.apache.spark.ml.evaluation.Evaluator;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.ml.util.Identifiable;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** Mean bits per token of the rows that a {@link UnrollLanguageModel} has scored; smaller is better. */
public final class BitsPerTokenEvaluator extends Evaluator implements DefaultParamsWritable {
    private static final long serialVersionUID = 1;

    private final String uid;

    public BitsPerTokenEvaluator() {
        this(Identifiable.randomUID("bitsPerToken"));
    }

    public BitsPerTokenEvaluator(String uid) {
        this.uid = uid;
        setDefault(scoreCol(), "score");
        setDefault(tokensCol(), "tokens");
    }

    @Override
    public String uid() {
        return uid;
    }

    /** Column of bits per token: {@code outputCol} of the model. Default: {@code score}. */
    public Param<String> scoreCol() {
        return new Param<>(this, "scoreCol", "column of bits per token");
    }

    public String getScoreCol() {
        return getOrDefault(scoreCol());
    }

    public BitsPerTokenEvaluator setScoreCol(String value) {
        set(scoreCol(), value);
        return this;
    }

    /** Column of the number of tokens, by which the scores are weighted. Default: {@code tokens}. */
    public Param<String> tokensCol() {
        return new Param<>(this, "tokensCol", "column of the number of tokens, by which the scores are weighted");
    }

    public String getTokensCol() {
        return getOrDefault(tokensCol());
    }

    public BitsPerTokenEvaluator setTokensCol(String value) {
        set(tokensCol(), value);
        return this;
    }

    /** @throws IllegalArgumentException if no row has a score */
    @Override
    public double evaluate(Dataset<?> dataset) {
        Column score = ParamSupport.column(getScoreCol());
        Column tokens = ParamSupport.column(getTokensCol());
        Row sums = dataset.filter(score.isNotNull())
                .agg(sum(score.multiply(tokens)), sum(tokens).cast("double"))
                .head();
        if (sums.isNullAt(0)) {
            throw new IllegalArgumentException("no row has a score in column " + getScoreCol() + ".");
        }
        return sums.getDouble(0) / sums.getDouble(1);
    }

    @Override
    public boolean isLargerBetter() {
        return false;
    }

    @Override
    public BitsPerTokenEvaluator copy(ParamMap extra) {
        return defaultCopy(extra);
    }

    public static MLReader<BitsPerTokenEvaluator> read() {
        return UnrollEstimator.reader();
    }

    public static BitsPerTokenEvaluator load(String path) {
        return read().load(path);
    }
}
