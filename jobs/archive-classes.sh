#!/usr/bin/env bash
# Makes target/unroll.jsa, from which Java maps the classes that every start of jobs/unroll loads: a start takes half the
# time. The build calls this last. Everything works without it, and with one that does not fit, which Java ignores.
set -euo pipefail
self=$(readlink -f -- "${BASH_SOURCE[0]}")
cd "${self%/*/*}/target"
rm -rf archive unroll.jsa
mkdir archive
# jobs/unroll must not build: this is the build.
export UNROLL_BUILDING=1
unset SPARK_HOME MASTER HADOOP_CONF_DIR YARN_CONF_DIR SPARK_DIST_CLASSPATH SPARK_DRIVER_MEMORY SPARK_MEM JDK_JAVA_OPTIONS JAVA_TOOL_OPTIONS
# Java archives no class if there is a folder on the class path.
if SPARK_CONF_DIR=no-folder SPARK_SUBMIT_OPTS="-XX:ArchiveClassesAtExit=archive/unroll.jsa -XX:TieredStopAtLevel=1" \
  ../jobs/unroll --master 'local[1]' --class io.unroll.cli.WarmUp archive >archive/log 2>&1 && [ -s archive/unroll.jsa ]; then
  mv archive/unroll.jsa unroll.jsa
  rm -rf archive
else
  echo "unroll: no archive of classes was made, so commands start slower; target/archive/log says why." >&2
fi
