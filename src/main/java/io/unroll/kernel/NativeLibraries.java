package io.unroll.kernel;

import org.apache.commons.lang3.exception.ExceptionUtils;
import org.bytedeco.javacpp.Loader;

/** Explains why the native libraries on the class path do not load. */
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
                : "the jar has none for " + platform
                        + "; docs/guide/compatibility.md lists the platforms and how to build a jar for them";
        return "(" + ExceptionUtils.getRootCauseMessage(failure) + "): " + advice;
    }
}
