/** Settings: records read from HOCON and checked once, before anything runs. */
package io.unroll.config;
