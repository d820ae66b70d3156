package io.unroll.config;

import com.typesafe.config.ConfigIncludeContext;
import com.typesafe.config.ConfigIncluder;
import com.typesafe.config.ConfigIncluderClasspath;
import com.typesafe.config.ConfigIncluderFile;
import com.typesafe.config.ConfigIncluderURL;
import com.typesafe.config.ConfigObject;
import java.io.File;
import java.net.URL;

/** Handles every form of {@code include} in one method. */
interface FileIncluder extends ConfigIncluder, ConfigIncluderFile, ConfigIncluderURL, ConfigIncluderClasspath {
    /**
     * @param included what is included, as it is written
     * @param isFile false for a URL or a class path resource
     */
    ConfigObject include(String included, boolean isFile);

    @Override
    default ConfigIncluder withFallback(ConfigIncluder fallback) {
        return this;
    }

    @Override
    default ConfigObject include(ConfigIncludeContext context, String included) {
        return include(included, true);
    }

    @Override
    default ConfigObject includeFile(ConfigIncludeContext context, File included) {
        return include(included.getPath(), true);
    }

    @Override
    default ConfigObject includeURL(ConfigIncludeContext context, URL included) {
        return include(included.toString(), false);
    }

    @Override
    default ConfigObject includeResources(ConfigIncludeContext context, String included) {
        return include(included, false);
    }
}
