import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.apache.hadoop.yarn.conf.YarnConfiguration;
import org.apache.hadoop.yarn.server.MiniYARNCluster;
import org.apache.hadoop.yarn.server.resourcemanager.scheduler.fifo.FifoScheduler;

/**
 * Runs HDFS and YARN in this process, on loopback: {@code java MiniHadoop.java FOLDER}. Writes the client configuration
 * to {@code FOLDER/conf}, then prints "MiniHadoop is up". Not compiled with the tests, because Hadoop's fat jar
 * conflicts with their class path.
 */
final class MiniHadoop {
    private MiniHadoop() {}

    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        Configuration conf = new YarnConfiguration();
        onLoopback(conf);
        conf.set("hadoop.tmp.dir", folder.resolve("tmp").toString());
        MiniDFSCluster hdfs = new MiniDFSCluster.Builder(conf, folder.resolve("hdfs").toFile()).build();
        conf.set("fs.defaultFS", hdfs.getURI().toString());
        MiniYARNCluster yarn = new MiniYARNCluster("unroll", 1, 1, 1);
        yarn.init(conf);
        yarn.start();
        if (!yarn.waitForNodeManagersToConnect(60_000)) {
            throw new IllegalStateException("the node manager did not start");
        }
        writeClientConfiguration(yarn.getConfig(), Files.createDirectories(folder.resolve("conf")));
        System.out.println("MiniHadoop is up");
        System.in.read(); // Ends with the process of the test.
        System.exit(0);
    }

    private static void writeClientConfiguration(Configuration servers, Path folder) throws Exception {
        Configuration client = new Configuration(false);
        for (Map.Entry<String, String> entry : servers) {
            if (entry.getKey().equals("fs.defaultFS") || entry.getKey().matches("yarn.resourcemanager.*address")) {
                client.set(entry.getKey(), entry.getValue());
            }
        }
        for (String file : new String[] {"core-site.xml", "yarn-site.xml"}) {
            try (OutputStream out = Files.newOutputStream(folder.resolve(file))) {
                client.writeXml(out);
            }
        }
    }

    private static void onLoopback(Configuration conf) {
        conf.setBoolean(YarnConfiguration.YARN_MINICLUSTER_FIXED_PORTS, true);
        for (String address : new String[] {
            YarnConfiguration.RM_ADDRESS,
            YarnConfiguration.RM_ADMIN_ADDRESS,
            YarnConfiguration.RM_SCHEDULER_ADDRESS,
            YarnConfiguration.RM_RESOURCE_TRACKER_ADDRESS,
            YarnConfiguration.RM_WEBAPP_ADDRESS,
            YarnConfiguration.NM_ADDRESS,
            YarnConfiguration.NM_LOCALIZER_ADDRESS,
            YarnConfiguration.NM_COLLECTOR_SERVICE_ADDRESS,
            YarnConfiguration.NM_WEBAPP_ADDRESS
        }) {
            conf.set(address, "127.0.0.1:0");
        }
        conf.set(YarnConfiguration.RM_SCHEDULER, FifoScheduler.class.getName());
        conf.setInt(YarnConfiguration.RM_SCHEDULER_MINIMUM_ALLOCATION_MB, 256);
        conf.setInt(YarnConfiguration.NM_PMEM_MB, 6144);
        conf.setBoolean(YarnConfiguration.NM_VMEM_CHECK_ENABLED, false);
        // YARN refuses to run if the disk is nearly full.
        conf.setBoolean(YarnConfiguration.NM_DISK_HEALTH_CHECK_ENABLE, false);
    }
}
