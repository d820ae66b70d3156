"""Prints as JSON what a DAG of SparkSubmitOperators submits: submitted.py DAG_FILE LOGICAL_DATE [PARAMS AS JSON]

Airflow is not needed: stand-ins record what the file gives them, and refuse what Airflow 2.7's classes do not take. The
arguments are read out of the syntax tree, too, and must be the same: literal lists, that anybody can read.
"""

import ast
import json
import re
import runpy
import sys
import types

TEMPLATED = {
    "application", "conf", "files", "py_files", "jars", "driver_class_path", "packages", "exclude_packages", "keytab",
    "principal", "proxy_user", "name", "application_args", "env_vars",
}  # fmt: skip
PLAIN = {
    "conn_id", "archives", "java_class", "repositories", "total_executor_cores", "executor_cores", "executor_memory",
    "driver_memory", "num_executors", "status_poll_interval", "verbose", "spark_binary",
}  # fmt: skip
OF_ALL_OPERATORS = {
    "task_id", "owner", "retries", "retry_delay", "retry_exponential_backoff", "max_retry_delay", "depends_on_past",
    "execution_timeout", "doc_md", "pool", "queue", "trigger_rule",
}  # fmt: skip
OF_DAGS = {
    "dag_id", "description", "schedule", "start_date", "end_date", "catchup", "max_active_runs", "params", "tags",
    "default_args", "doc_md", "dagrun_timeout", "render_template_as_native_obj",
}  # fmt: skip


def check(what, given, known):
    if given - known:
        raise TypeError(f"{what} takes no {', '.join(sorted(given - known))}")


class DAG:
    current = None

    def __init__(self, **settings):
        check("DAG", settings.keys(), OF_DAGS)
        self.settings, self.tasks, self.edges = settings, [], []

    def __enter__(self):
        DAG.current = self
        return self

    def __exit__(self, *_):
        pass


class Param:
    def __init__(self, default, **schema):
        kinds = {"string": str, "integer": int, "number": (int, float)}
        if not isinstance(default, kinds[schema["type"]]):
            raise TypeError(f"{default} is no {schema['type']}")
        self.default = default


class SparkSubmitOperator:
    def __init__(self, **arguments):
        arguments = {**DAG.current.settings["default_args"], **arguments}
        check("SparkSubmitOperator", arguments.keys(), TEMPLATED | PLAIN | OF_ALL_OPERATORS)
        self.arguments = arguments
        DAG.current.tasks.append(self)

    def __rshift__(self, other):
        DAG.current.edges.append([self.arguments["task_id"], other.arguments["task_id"]])
        return other


def stand_in(name, **members):
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        sys.modules.setdefault(".".join(parts[:end]), types.ModuleType(parts[end - 1]))
    vars(sys.modules[name]).update(members)


def render(template, values):
    if isinstance(template, dict):
        return {key: render(value, values) for key, value in template.items()}
    if isinstance(template, list):
        return [render(value, values) for value in template]
    return re.sub(r"\{\{ *([\w.]+) *\}\}", lambda match: str(values[match[1]]), template)


def literal_arguments(path):
    """Of each task, from the syntax tree alone."""
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "SparkSubmitOperator":
            words = {word.arg: word.value for word in node.keywords}
            found[ast.literal_eval(words["task_id"])] = ast.literal_eval(words["application_args"])
    return found


def submitted(task, values):
    rendered = {}
    for name in TEMPLATED | PLAIN:
        if name in task.arguments:
            value = task.arguments[name]
            rendered[name] = render(value, values) if name in TEMPLATED else value
            if "{{" in json.dumps(rendered[name]):
                raise ValueError(f"{name} of {task.arguments['task_id']} is not rendered: {rendered[name]}")
    return rendered


def main(path, date, given="{}"):
    stand_in("airflow", DAG=DAG)
    stand_in("airflow.models.param", Param=Param)
    stand_in("airflow.providers.apache.spark.operators.spark_submit", SparkSubmitOperator=SparkSubmitOperator)
    runpy.run_path(path)
    dag = DAG.current
    params = {name: param.default for name, param in dag.settings["params"].items()}
    check("the DAG", json.loads(given).keys(), params.keys())
    params.update(json.loads(given))
    literals = literal_arguments(path)
    for task in dag.tasks:
        if task.arguments["application_args"] != literals.pop(task.arguments["task_id"]):
            raise ValueError(f"{task.arguments['task_id']} is not what the file says")
    if literals:
        raise ValueError(f"no tasks come of {literals}")
    values = {"ds": date, "ts_nodash": date, **{f"params.{name}": value for name, value in params.items()}}
    print(json.dumps({
        "dag": {name: dag.settings[name] for name in ("dag_id", "schedule", "catchup", "max_active_runs")},
        "retries": dag.settings["default_args"]["retries"],
        "backoff": dag.settings["default_args"]["retry_exponential_backoff"],
        "edges": dag.edges,
        "tasks": {task.arguments["task_id"]: submitted(task, values) for task in dag.tasks},
    }))


main(*sys.argv[1:])
