package io.unroll.spark;

import com.sun.security.auth.module.UnixSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.security.UserGroupInformation;

/** The user as Hadoop knows it. Containers often have a user id without a name, with which Hadoop does not start. */
final class User {
    private User() {}

    /** Names the user by its id if it has no name, so that file systems can be used. */
    static void ensure() {
        try {
            UserGroupInformation.getCurrentUser();
        } catch (IOException | RuntimeException e) {
            UnixSystem system = new UnixSystem();
            if (system.getUsername() != null) {
                throw new IllegalStateException("Hadoop cannot log " + system.getUsername() + " in", e);
            }
            UserGroupInformation.setLoginUser(UserGroupInformation.createRemoteUser("uid-" + id()));
        }
    }

    /** Not UnixSystem's, which is 0 for a user without a name. */
    private static Object id() {
        try {
            return Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        } catch (IOException e) {
            return "unknown";
        }
    }
}
