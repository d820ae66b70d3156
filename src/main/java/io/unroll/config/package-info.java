/**
 * Settings: read from HOCON once, validated, and passed on as immutable records.
 *
 * <pre>
 *   key=value overrides ---+
 *   ConfigurationFile -----+--> SettingsReader --> SettingValues --> Settings
 *   reference.conf --------+    KnownKeys,         by name,          ranges
 *                               merging            types
 * </pre>
 *
 * Settings that are stored with a model or a checkpoint are untrusted: {@code SettingsReader.parse} allows no includes
 * and no environment variables. Errors are {@link io.unroll.config.UnrollException}s, whose messages are for users.
 * A new key is a component of a record in {@code Settings}, with its check, and a line in {@code conf/reference.conf}.
 * Read {@link io.unroll.config.Settings} first; {@code conf/reference.conf} documents every key.
 */
package io.unroll.config;
