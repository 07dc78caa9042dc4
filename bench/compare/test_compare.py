"""The tables of compare.py from lines that are given: ratios, the best peer, and a loss that differs."""
import json
import os
import subprocess
import sys
import tempfile

COMPARE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "compare.py")


def line(peer, workload, metric, value, **more):
    return dict(peer=peer, workload=workload, dtype="f32", threads=1, metric=metric, value=value, **more)


LINES = [line("libnnblas", "W2b32", "s/epoch", value, loss=2.0) for value in (0.2, 0.25, 0.9)]
LINES += [line("numpy", "W2b32", "s/epoch", 2.0, loss=2.0), line("torch", "W2b32", "s/epoch", 0.5, loss=2.1)]
LINES += [line("libnnblas", "W4", "samples/s", 100), line("fast", "W4", "samples/s", 400)]
WANTED = ["| libnnblas | 0.25 | 0.2 – 0.9 | 3 | 2.00 |", "| numpy | 2 | 2 – 2 | 1 | 0.25 |",
          "The loss of torch is 2.1, that of libnnblas 2: not the same work.",
          "| W2b32 | f32 | 1 | s/epoch | 0.25 | torch 0.5 | 2.00 | 3.6: missed |",
          "| W2b32 | f32 | 1 | s/epoch | 0.25 | numpy 2 | 8.00 | 1.5: met |",
          "| W4 | f32 | 1 | samples/s | 100 | fast 400 | 0.25 | 1.8: missed |"]

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "lines")
    with open(path, "w") as f:
        f.writelines(json.dumps(item) + "\n" for item in LINES)
    done = subprocess.run([sys.executable, COMPARE, "--from", path], capture_output=True, text=True,
                          env=dict(os.environ, PYTHONIOENCODING="utf-8"))
missing = [text for text in WANTED if text not in done.stdout]
for text in missing:
    print(f"FAIL: expected {text!r}, observed:\n{done.stdout}{done.stderr}")
sys.exit(1 if missing or done.returncode else 0)
