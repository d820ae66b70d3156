package io.unroll.cli;

import io.unroll.config.ConfigurationException;
import io.unroll.config.UserPath;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A path on the command line, on which {@code ~} stands for the user's home folder. */
final class HomePath implements ITypeConverter<String> {
    @Override
    public String convert(String value) {
        try {
            return UserPath.expanded(value);
        } catch (ConfigurationException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }

    /** The same of a file on this machine. */
    static final class Local implements ITypeConverter<Path> {
        @Override
        public Path convert(String value) {
            try {
                return Path.of(new HomePath().convert(value));
            } catch (InvalidPathException e) {
                throw new TypeConversionException("it is no path: " + e.getReason());
            }
        }
    }
}
