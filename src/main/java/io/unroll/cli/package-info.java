/**
 * The command line: one class per command, and the only package that writes to stdout and stderr or exits the process.
 *
 * <pre>
 *   Main --picocli--> PrepareCommand | TrainCommand | EvaluateCommand | PublishCommand | GenerateCommand | ...
 *       --> SettingsReader, PathChecks    invalid input fails before Spark starts
 *       --> Session                       train, prepare, evaluate and publish use Spark
 *       --> text or JsonLine on stdout; ConsoleProgress and FailureMessage on stderr
 * </pre>
 *
 * Exit status: 0 for success, 1 for a failure, 2 for invalid input
 * ({@link io.unroll.config.ConfigurationException}). Read {@link io.unroll.cli.TrainCommand} first.
 */
package io.unroll.cli;
