package io.unroll.ml;

import static org.apache.spark.sql.functions.floor;
import static org.apache.spark.sql.functions.not;

import io.unroll.checkpoint.TrainedModel;
import java.util.Map;
import org.apache.spark.ml.util.Identifiable;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * Trains a classifier of texts. Labels are strings, or whole numbers from 0, as a {@code StringIndexer} writes them. See
 * {@link UnrollTextClassificationModel} for what is predicted.
 */
public final class UnrollTextClassifier extends UnrollEstimator<UnrollTextClassifier, UnrollTextClassificationModel>
        implements ClassificationParams<UnrollTextClassifier> {
    private static final long serialVersionUID = 1;

    public UnrollTextClassifier() {
        this(Identifiable.randomUID("unrollClassifier"));
    }

    public UnrollTextClassifier(String uid) {
        super(uid);
    }

    @Override
    public StructType transformSchema(StructType schema) {
        StructField label = ParamSupport.field(this, labelCol(), schema);
        if (!label.dataType().equals(DataTypes.StringType) && !(label.dataType() instanceof NumericType)) {
            throw ParamSupport.wrongType(label, labelCol(), "of type string or a number");
        }
        return super.transformSchema(schema);
    }

    @Override
    Map<String, String> taskSettings() {
        return Map.of(
                "task", "classification",
                "corpus.columns.text", getInputCol(),
                "corpus.columns.label", getLabelCol());
    }

    @Override
    Dataset<Row> prepared(Dataset<Row> rows) {
        if (rows.schema().apply(getLabelCol()).dataType().equals(DataTypes.StringType)) {
            return rows;
        }
        Column label = ParamSupport.column(getLabelCol());
        int max = UnrollTextClassificationModel.MAX_NUMBER;
        Row[] others = (Row[]) rows.filter(not(label.between(0, max).and(label.equalTo(floor(label)))))
                .select(label)
                .take(1);
        if (others.length > 0) {
            throw new IllegalArgumentException("column " + getLabelCol() + " (labelCol) has the label "
                    + others[0].get(0) + "; numbers must be whole, from 0 to " + max
                    + ": cast the column to string, or use a StringIndexer.");
        }
        return rows.withColumn(getLabelCol(), label.cast(DataTypes.IntegerType).cast(DataTypes.StringType));
    }

    @Override
    UnrollTextClassificationModel model(String modelUid, TrainedModel trained) {
        return new UnrollTextClassificationModel(modelUid, trained);
    }

    public static MLReader<UnrollTextClassifier> read() {
        return reader();
    }

    public static UnrollTextClassifier load(String path) {
        return read().load(path);
    }
}
