package io.unroll.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.bytedeco.javacpp.Loader;
import org.junit.jupiter.api.Test;

class NativeLibrariesTest {
    @Test
    void aJarOfAnotherPlatformIsToldFromAFullDisk() {
        UnsatisfiedLinkError failure = new UnsatisfiedLinkError("no jnidnnl");
        assertTrue(NativeLibraries.loadFailure(failure).contains("noexec"), Loader.getPlatform());
        assertEquals(
                "(UnsatisfiedLinkError: no jnidnnl): the jar has none for linux-ppc64le;"
                        + " docs/guide/compatibility.md lists the platforms and how to build a jar for them",
                NativeLibraries.loadFailure(failure, "linux-ppc64le"));
    }
}
