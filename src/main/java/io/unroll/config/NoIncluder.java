package io.unroll.config;

import com.typesafe.config.ConfigIncludeContext;
import com.typesafe.config.ConfigIncluder;
import com.typesafe.config.ConfigIncluderClasspath;
import com.typesafe.config.ConfigIncluderFile;
import com.typesafe.config.ConfigIncluderURL;
import com.typesafe.config.ConfigObject;
import java.io.File;
import java.net.URL;

/** Rejects every {@code include}. */
record NoIncluder(String origin)
        implements ConfigIncluder, ConfigIncluderFile, ConfigIncluderURL, ConfigIncluderClasspath {
    private ConfigurationException rejected(Object included) {
        return new ConfigurationException(
                origin + " includes " + included + ", but stored settings must not include anything.");
    }

    @Override
    public ConfigIncluder withFallback(ConfigIncluder fallback) {
        return this;
    }

    @Override
    public ConfigObject include(ConfigIncludeContext context, String included) {
        throw rejected(included);
    }

    @Override
    public ConfigObject includeFile(ConfigIncludeContext context, File included) {
        throw rejected(included);
    }

    @Override
    public ConfigObject includeURL(ConfigIncludeContext context, URL included) {
        throw rejected(included);
    }

    @Override
    public ConfigObject includeResources(ConfigIncludeContext context, String included) {
        throw rejected(included);
    }
}
