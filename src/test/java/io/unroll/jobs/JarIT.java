package io.unroll.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import net.fornwall.jelf.ElfFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is in target/unroll.jar, which may be for another platform than this one. */
class JarIT {
    private static final Pattern SYSTEM_LIBRARY =
            Pattern.compile("(ld-linux-.*|lib(c|dl|m|pthread|rt|z|stdc\\+\\+))\\.so\\.\\d+");

    private static final int MACH_O_64 = 0xfeedfacf;
    private static final int MACH_O_UNIVERSAL = 0xcafebabe;
    private static final int MACH_O_ENTRY_BYTES = 20;
    private static final int MACH_O_ARM64 = 0x0100000c;
    private static final int PE_HEADER_ADDRESS = 0x3c;
    private static final int PE_SIGNATURE = 'P' | 'E' << 8;
    private static final short PE_X86_64 = (short) 0x8664;

    private ZipFile jar;
    private Set<String> natives;

    Path file() {
        return Path.of("target/unroll.jar");
    }

    String platform() {
        return System.getProperty("unroll.platform", "linux-x86_64");
    }

    @BeforeEach
    void open() throws IOException {
        jar = new ZipFile(file().toFile());
        natives = jar.stream()
                .map(ZipEntry::getName)
                .filter(name -> name.matches("org/.*\\.(so|dylib|dll)[.\\d]*"))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @AfterEach
    void close() throws IOException {
        jar.close();
    }

    @Test
    void allNativesAreOfOnePlatform() {
        natives.forEach(path -> assertTrue(path.contains("/" + platform() + "/"), path));
    }

    /** The bindings, and the libraries below them that are not linked into them. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "jnijavacpp",
                "jniopenblas_nolapack",
                "openblas",
                "jnind4jcpu",
                "nd4jcpu",
                "jnidnnl",
                "dnnl",
                "jniOpenCL",
                "jnihdf5"
            })
    void theJarHas(String library) {
        assumeFalse(
                library.equals("jnihdf5") && platform().startsWith("macosx"), "HDF5's binding does not exist there");
        Pattern file = Pattern.compile(".*/(lib)?" + library + "(\\.\\d+)*\\.(so|dylib|dll)(\\.\\d+)*");
        assertTrue(natives.stream().anyMatch(path -> file.matcher(path).matches()), natives.toString());
    }

    /** The field of the processor in the header, which Mach-O and PE files have at other places than ELF files. */
    @Test
    void librariesAreForTheProcessor() throws IOException {
        assumeFalse(platform().startsWith("linux"), "ELF files are read below");
        for (String path : natives) {
            ByteBuffer header = ByteBuffer.wrap(
                            jar.getInputStream(jar.getEntry(path)).readAllBytes())
                    .order(ByteOrder.LITTLE_ENDIAN);
            if (platform().startsWith("macosx")) {
                assertTrue(machOProcessors(header).contains(MACH_O_ARM64), path);
            } else {
                int start = header.getInt(PE_HEADER_ADDRESS);
                assertEquals(PE_SIGNATURE, header.getInt(start), path);
                assertEquals(PE_X86_64, header.getShort(start + 4), path);
            }
        }
    }

    /** @return the processors of a Mach-O file; a universal one, whose header is big-endian, has several */
    private static Set<Integer> machOProcessors(ByteBuffer file) {
        if (file.getInt(0) == MACH_O_64) {
            return Set.of(file.getInt(4));
        }
        file.order(ByteOrder.BIG_ENDIAN);
        assertEquals(MACH_O_UNIVERSAL, file.getInt(0));
        return IntStream.range(0, file.getInt(4))
                .mapToObj(i -> file.getInt(8 + MACH_O_ENTRY_BYTES * i))
                .collect(Collectors.toSet());
    }

    /** Each library for Linux is for its processor, and what it is linked to is in the jar or in every Linux. */
    @Test
    void whatALibraryNeedsIsThere() throws IOException {
        assumeTrue(platform().startsWith("linux"), "other formats are not read here");
        Set<String> names = natives.stream()
                .map(path -> path.substring(path.lastIndexOf('/') + 1))
                .collect(Collectors.toSet());
        // JavaCPP gives the one library both names.
        names.add("libopenblas_nolapack.so.0");
        for (String path : natives) {
            ElfFile library =
                    ElfFile.from(jar.getInputStream(jar.getEntry(path)).readAllBytes());
            assertEquals(
                    platform().endsWith("arm64") ? ElfFile.ARCH_AARCH64 : ElfFile.ARCH_X86_64, library.e_machine, path);
            for (String needed : library.getDynamicSection().getNeededLibraries()) {
                assertTrue(
                        names.contains(needed) || SYSTEM_LIBRARY.matcher(needed).matches(), path + " needs " + needed);
            }
        }
    }
}
