"""The tables of compare.py from lines that are given: ratios, the best peer, and a loss that differs."""
import json
import os
import stat
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import compare  # noqa: E402

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
failed = 0


def expect(what, expected, observed):
    global failed
    if expected != observed:
        failed += 1
        print(f"FAIL {what}: expected {expected!r}, observed {observed!r}")


# A peer that does not build: the first error is what is said; a library that pkg-config knows comes with its header.
say = "echo 'In file included' >&2; echo 'p.c:3:10: fatal error: a.h: no' >&2; echo 'p.c:4: error: b' >&2; exit 1"
expect("the first error", "p.c:3:10: fatal error: a.h: no", compare.compiled(["sh", "-c", say]))
expect("no error", None, compare.compiled(["sh", "-c", "exit 0"]))
expect("no compiler", "there is no no-such-compiler", compare.compiled(["no-such-compiler"]))
with tempfile.TemporaryDirectory() as folder:
    with open(os.path.join(folder, "pkg-config"), "w") as f:
        f.write('#!/bin/sh\n[ "$3" = known ] && echo -I/in/a/folder -lknown\n')
    os.chmod(f.name, stat.S_IRWXU)
    os.environ["PATH"] = folder + os.pathsep + os.environ["PATH"]
    expect("a package", ["-I/in/a/folder", "-lknown"], compare.package("known", ["-lother"]))
    expect("no package", ["-lother"], compare.package("unknown", ["-lother"]))
for text in missing:
    print(f"FAIL: expected {text!r}, observed:\n{done.stdout}{done.stderr}")
sys.exit(1 if missing or failed or done.returncode else 0)
