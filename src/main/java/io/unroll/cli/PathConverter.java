package io.unroll.cli;

import io.unroll.config.ConfigurationException;
import io.unroll.config.UserPath;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Converts a path on the command line; {@code ~/} is the user's home folder. */
final class PathConverter implements ITypeConverter<String> {
    @Override
    public String convert(String value) {
        try {
            return UserPath.expanded(value);
        } catch (ConfigurationException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }

    /** Converts the path of a local file. */
    static final class Local implements ITypeConverter<Path> {
        @Override
        public Path convert(String value) {
            try {
                return Path.of(new PathConverter().convert(value));
            } catch (InvalidPathException e) {
                throw new TypeConversionException("it is not a valid path: " + e.getReason());
            }
        }
    }
}
