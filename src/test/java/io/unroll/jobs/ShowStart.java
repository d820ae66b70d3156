package io.unroll.jobs;

import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.security.UserGroupInformation;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import scala.Tuple2;

/**
 * Prints the environment in which {@code jobs/unroll --class} started this class: Spark's settings, Hadoop's
 * configuration, system properties and arguments.
 */
public final class ShowStart {
    private ShowStart() {}

    public static void main(String[] arguments) throws Exception {
        Map<String, String> shown = new TreeMap<>();
        SparkConf conf = new SparkConf();
        for (Tuple2<String, String> setting : conf.getAll()) {
            shown.put(setting._1, setting._2);
        }
        // By reflection: Spark's launcher loads the jar with another class loader than this class.
        Configuration hadoop = (Configuration) Thread.currentThread()
                .getContextClassLoader()
                .loadClass("io.unroll.spark.Session")
                .getMethod("submittedHadoopConfiguration")
                .invoke(null);
        shown.put("hadoop", hadoop.get("x"));
        shown.put("user", UserGroupInformation.getCurrentUser().getShortUserName());
        shown.put("heap", Long.toString(Runtime.getRuntime().maxMemory()));
        shown.put("arguments", Arrays.toString(arguments));
        shown.put("address", System.getenv("SPARK_LOCAL_IP"));
        shown.put("temporary", System.getProperty("java.io.tmpdir"));
        shown.put("property", System.getProperty("a.property"));
        shown.put("log", String.valueOf(ClassLoader.getSystemResource("log4j2.properties")));
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(argument -> argument.startsWith("--add-opens"))
                .forEach(argument -> shown.put(argument, ""));
        if (Arrays.asList(arguments).contains("start")) {
            try (JavaSparkContext context = new JavaSparkContext(conf.setAppName("start"))) {
                shown.put(
                        "sum",
                        context.parallelize(Arrays.asList(1, 2))
                                .reduce(Integer::sum)
                                .toString());
                shown.put("page", context.sc().uiWebUrl().getOrElse(() -> "none"));
            }
        }
        shown.forEach((name, value) -> System.out.println("shown " + name + " = " + value));
    }
}
