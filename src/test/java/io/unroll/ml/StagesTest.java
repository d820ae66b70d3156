package io.unroll.ml;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.ServiceLoader;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.spark.ml.Estimator;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.Transformer;
import org.apache.spark.ml.evaluation.Evaluator;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.param.Params;
import org.junit.jupiter.api.Test;

/** The stages without a session. */
class StagesTest {
    private static List<Params> stages() {
        return Stream.of(Estimator.class, Transformer.class, Evaluator.class)
                .flatMap(type -> ServiceLoader.load(type).stream())
                // Spark 4 has its own, of which some need a session.
                .filter(provider -> provider.type().getPackage().equals(StagesTest.class.getPackage()))
                .map(provider -> (Params) provider.get())
                .toList();
    }

    @Test
    void sparkConnectFindsThem() {
        TreeSet<String> names = new TreeSet<>();
        stages().forEach(stage -> names.add(stage.getClass().getSimpleName()));
        assertEquals(
                "[BitsPerTokenEvaluator, UnrollLanguageEstimator, UnrollLanguageModel, UnrollSeq2Seq, UnrollSeq2SeqModel,"
                        + " UnrollTextClassificationModel, UnrollTextClassifier]",
                names.toString());
    }

    @Test
    void copiesHaveTheSameUidAndParams() {
        for (Params stage : stages()) {
            Params copy = stage.copy(new ParamMap());
            assertEquals(stage.uid(), copy.uid());
            assertEquals(stage.getClass(), copy.getClass());
            assertEquals(stage.params().length, copy.params().length);
        }
        UnrollSeq2Seq seq2seq = new UnrollSeq2Seq();
        assertEquals(9, seq2seq.copy(new ParamMap().put(seq2seq.beam(), 9)).getBeam());
        assertEquals(1, seq2seq.getBeam());
    }

    /** Spark's tools, and Python, find a Param by its name. */
    @Test
    void everyParamHasASetterAndAGetterOfItsName() throws ReflectiveOperationException {
        for (Params stage : stages()) {
            for (Param<?> param : stage.params()) {
                String name = Character.toUpperCase(param.name().charAt(0))
                        + param.name().substring(1);
                assertEquals(
                        1,
                        Stream.of(stage.getClass().getMethods())
                                .filter(method ->
                                        !method.isBridge() && method.getName().equals("set" + name))
                                .count(),
                        stage + " " + name);
                assertEquals(0, stage.getClass().getMethod("get" + name).getParameterCount());
                assertEquals(param, stage.getClass().getMethod(param.name()).invoke(stage));
            }
        }
    }

    @Test
    void aModelWithoutWeightsSaysSo() {
        PipelineStage model = new UnrollTextClassificationModel("empty");
        String problem = assertThrows(
                        IllegalStateException.class, () -> ((UnrollTextClassificationModel) model).labels())
                .getMessage();
        assertEquals("empty has no weights: fit an estimator, or load a model.", problem);
    }
}
