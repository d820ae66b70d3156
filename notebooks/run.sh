#!/usr/bin/env bash
# Executes the notebooks in this folder in place, without a browser, and stores their outputs:
#
#   notebooks/run.sh                                       all seven notebooks
#   notebooks/run.sh notebooks/4-gates.ipynb               one notebook
#
# Each notebook starts from scratch: its folder in runs/notebooks is deleted first. If a command fails, the script stops
# and the notebook is unchanged. Progress (stderr) and times are not stored, so that the same results give the same file.
#
# The notebooks use Debian's Jupyter with its Python kernel. Debian has no Java kernel, and the only one that is still
# developed, jjava, is an alpha version. The notebooks contain commands of jobs/unroll and plots of their JSON output;
# 7-anomalies also compiles a Java program with javac. Unroll itself needs no Python.
set -euo pipefail
self=$(readlink -f -- "${BASH_SOURCE[0]}")
home=${self%/*/*}
python=/usr/bin/python3
"$python" -c 'import nbclient, ipykernel, matplotlib, pandas, PIL' 2> /dev/null || {
  echo "notebooks/run.sh: $python lacks what the notebooks need:" \
    "apt-get install python3-nbclient python3-ipykernel python3-matplotlib python3-pandas python3-pil" >&2
  exit 2
}
[ $# -gt 0 ] || set -- "$home"/notebooks/*.ipynb
for notebook in "$@"; do
  [ -f "$notebook" ] || { echo "notebooks/run.sh: there is no file $notebook." >&2; exit 2; }
done
"$home/jobs/unroll" --version > /dev/null # builds the jar if it is missing
for notebook in "$@"; do
  start=$SECONDS
  rm -rf "$home/runs/notebooks/$(basename "$notebook" .ipynb)"
  PYDEVD_DISABLE_FILE_VALIDATION=1 "$python" - "$notebook" "$home/notebooks" << 'END'
import sys, nbclient, nbformat
from nbclient.exceptions import CellExecutionError
path, folder = sys.argv[1:]
notebook = nbformat.read(path, 4)
try:
    nbclient.NotebookClient(notebook, timeout=1800, kernel_name="python3", record_timing=False).execute(cwd=folder)
except CellExecutionError as error:
    cell = next(c for c in notebook.cells if any(o.output_type == "error" for o in c.get("outputs", [])))
    sys.stderr.writelines(o.text for o in cell.outputs if o.output_type == "stream")
    sys.exit(f"notebooks/run.sh: {path}: {error.ename}: {error.evalue}, in the cell\n{cell.source}")
for cell in notebook.cells:
    if cell.cell_type == "code":
        printed = "".join(o.text for o in cell.outputs if o.get("name") == "stdout")
        cell.outputs = [o for o in cell.outputs if o.output_type != "stream"]
        if printed:
            cell.outputs.insert(0, nbformat.v4.new_output("stream", name="stdout", text=printed))
notebook.metadata["language_info"] = {"name": "python"}
nbformat.write(notebook, path)
END
  echo "$notebook: $((SECONDS - start)) s"
done
