/**
 * Settings: read from HOCON once, validated, and passed on as immutable records.
 *
 * <pre>
 *   key=value overrides ---+
 *   ConfigurationFile -----+--> SettingsReader --> SettingValues --> Settings
 *   reference.conf --------+    keys, merging      types, ranges
 * </pre>
 *
 * Settings that are stored with a model or a checkpoint are untrusted: {@code SettingsReader.parse} allows no includes
 * and no environment variables. Errors are {@link io.unroll.config.UnrollException}s, whose messages are for users.
 * Read {@link io.unroll.config.Settings} first; {@code conf/reference.conf} documents every key.
 */
package io.unroll.config;
