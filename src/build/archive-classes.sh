#!/usr/bin/env bash
# Creates the class data archive (CDS) target/unroll.jsa, which halves the start time of jobs/unroll. This is the last
# step of the build. The archive is optional: without it, or if it does not match the jars, commands start more slowly.
set -euo pipefail
self=$(readlink -f -- "${BASH_SOURCE[0]}")
cd "${self%/*/*/*}/target"
rm -rf archive unroll.jsa
mkdir archive
# Prevents jobs/unroll from starting another build.
export UNROLL_BUILDING=1
unset SPARK_HOME MASTER HADOOP_CONF_DIR YARN_CONF_DIR SPARK_DIST_CLASSPATH SPARK_DRIVER_MEMORY SPARK_MEM JDK_JAVA_OPTIONS JAVA_TOOL_OPTIONS
# Java creates no archive if the class path contains a folder, such as a configuration folder.
if SPARK_CONF_DIR=no-folder SPARK_SUBMIT_OPTS="-XX:ArchiveClassesAtExit=archive/unroll.jsa -XX:TieredStopAtLevel=1" \
  ../jobs/unroll --master 'local[1]' --class io.unroll.cli.ClassArchiveRun archive >archive/log 2>&1 && [ -s archive/unroll.jsa ]; then
  mv archive/unroll.jsa unroll.jsa
  rm -rf archive
else
  echo "unroll: no class data archive was created, so commands start more slowly; target/archive/log has the cause." >&2
fi
