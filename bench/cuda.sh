#!/usr/bin/env bash
# Everything that wants a GPU, in under six minutes: the tests marked `device` on it, and bench/gpu.py.
#
#     bash bench/cuda.sh [--quick]        PYTHON=path/to/python, where it is not .venv/bin/python
#
# Prints the machine and everything else; ends with the status of what failed, 2 where there is no CUDA device.
set -u
cd "$(dirname "$0")/.." || exit 1
PYTHON=${PYTHON:-.venv/bin/python}
command -v "$PYTHON" > /dev/null || PYTHON=python3
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}" OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1

"$PYTHON" - <<'END' || exit 2
import os, sys, torch
print(f"torch {torch.__version__}, CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}, {os.cpu_count()} processors")
if not torch.cuda.is_available():
    sys.exit("no CUDA device: torch.cuda.is_available() is False")
for number in range(torch.cuda.device_count()):
    print(f"cuda:{number}: {torch.cuda.get_device_properties(number)}")
END
command -v nvidia-smi > /dev/null && nvidia-smi --query-gpu=name,driver_version,memory.total,memory.used --format=csv

# The options of pyproject.toml that need plugins are given here only where those are.
options=(-o addopts= -q --strict-markers --import-mode=importlib -m "device and not slow" --device cuda --durations 10)
"$PYTHON" -c "import xdist" 2> /dev/null && options+=(-n 4 --dist loadfile)
"$PYTHON" -c "import pytest_timeout" 2> /dev/null || options+=(-o timeout=)

status=0
echo "== tests"
timeout --kill-after=10s 170s "$PYTHON" -m pytest "${options[@]}" tests/placement tests/features tests/training \
    tests/test_every_method.py || status=1
echo "== bench/gpu.py"
timeout --kill-after=10s 180s "$PYTHON" bench/gpu.py "$@" || status=1
[ "$status" = 0 ] && echo "all passed" || echo "something failed: see above"
exit "$status"
