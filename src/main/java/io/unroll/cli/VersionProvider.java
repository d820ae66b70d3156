package io.unroll.cli;

import io.unroll.checkpoint.Versions;
import picocli.CommandLine.IVersionProvider;

final class VersionProvider implements IVersionProvider {
    @Override
    public String[] getVersion() {
        return Versions.all().entrySet().stream()
                .map(version -> version.getKey() + " " + version.getValue())
                .toArray(String[]::new);
    }
}
