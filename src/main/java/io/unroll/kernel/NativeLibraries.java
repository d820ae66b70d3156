package io.unroll.kernel;

import org.apache.commons.lang3.exception.ExceptionUtils;
import org.bytedeco.javacpp.Loader;

/** The native libraries in the jar, which are for one platform or a few. */
public final class NativeLibraries {
    private NativeLibraries() {}

    /** @return why they do not load, and what the user can do */
    public static String loadFailure(Throwable failure) {
        return loadFailure(failure, Loader.getPlatform());
    }

    static String loadFailure(Throwable failure, String platform) {
        boolean inJar = NativeLibraries.class.getResource("/org/bytedeco/dnnl/" + platform + "/") != null;
        String advice = inJar
                ? "they need glibc 2.34 or later on Linux, and 1 GB in ~/.javacpp on a file system without noexec; for another folder, start Java with "
                        + "-Dorg.bytedeco.javacpp.cachedir=FOLDER"
                : "the jar has none for " + platform + "; a jar for this platform comes from a build on it";
        return "(" + ExceptionUtils.getRootCauseMessage(failure) + "): " + advice;
    }
}
