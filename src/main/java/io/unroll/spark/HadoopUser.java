package io.unroll.spark;

import com.sun.security.auth.module.UnixSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.security.UserGroupInformation;

/** Sets the user name for Hadoop, which does not start without one: in containers, a user id often has no name. */
final class HadoopUser {
    private HadoopUser() {}

    /** Logs in as {@code uid-ID} if the user has no name. */
    static void ensureName() {
        try {
            UserGroupInformation.getCurrentUser();
        } catch (IOException | RuntimeException e) {
            UnixSystem system = new UnixSystem();
            if (system.getUsername() != null) {
                throw new IllegalStateException("Hadoop cannot log in as " + system.getUsername(), e);
            }
            UserGroupInformation.setLoginUser(UserGroupInformation.createRemoteUser("uid-" + id()));
        }
    }

    /** Does not use UnixSystem, which returns 0 for a user without a name. */
    private static Object id() {
        try {
            return Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        } catch (IOException e) {
            return "unknown";
        }
    }
}
