"""nnblas_bench, the slot of the comparison: tiny files in the layout it reads, and the lines that it prints."""
import array
import json
import math
import os
import random
import subprocess
import sys
import tempfile

SLOT = sys.argv[1]
failures = 0


def expect(good, what, expected, observed):
    global failures
    if not good:
        failures += 1
        print(f"FAIL {what}: expected {expected}, observed {observed}")


def write(folder, name, kind, values):
    with open(os.path.join(folder, name), "wb") as f:
        array.array(kind, values).tofile(f)


def write_init(folder, name, widths, rng):
    values = []
    for i, o in zip(widths, widths[1:]):
        values += [rng.gauss(0, 1 / math.sqrt(i)) for _ in range(i * o)] + [0.0] * o
    write(folder, name + "init.f32", "f", values)


def make_files(folder):
    rng = random.Random(1)
    for name, n_in, widths in (("W3i", 4, [4, 8, 3]), ("W3x", 2, [2, 3, 3])):
        write(folder, name + "x.f32", "f", [rng.random() for _ in range(150 * n_in)])
        write(folder, name + "y.f32", "f", [float(k == i % 3) for i in range(150) for k in range(3)])
        write_init(folder, name, widths, rng)
    write(folder, "W2x.f32", "f", [rng.random() for _ in range(784 * 64)])
    write(folder, "W2y.i32", "i", [rng.randrange(10) for _ in range(64)])
    write_init(folder, "W2", [784, 128, 64, 10], rng)
    write_init(folder, "W5s", [10, 20, 20, 1], rng)
    write(folder, "W7x.f32", "f", [rng.gauss(0, 0.5) for _ in range(10000 * 4)])
    write(folder, "W7y.f32", "f", [rng.gauss(0, 1) for _ in range(10000 * 4)])
    write_init(folder, "W7", [4, 32, 16, 4], rng)
    write(folder, "W10x.f32", "f", [rng.gauss(0, 1) for _ in range(400 * 28)])
    write(folder, "W10y.f32", "f", [float(i % 2) for i in range(400)])
    write_init(folder, "W10", [28, 300, 300, 300, 300, 300, 1], rng)


def run(folder, *args):
    return subprocess.run([SLOT, *args], capture_output=True, text=True,
                          env=dict(os.environ, PB_DATA=folder, PB_BUDGET="0.02"))


def check_lines(folder, workload, dtype, metric, peers):
    done = run(folder, workload, dtype, "1")
    expect(done.returncode == 0, f"exit status of {workload} {dtype}", 0, f"{done.returncode}: {done.stderr}")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    expect([r["peer"] for r in rows] == peers, f"peers of {workload}", peers, rows)
    for row in rows:
        got = (row["workload"], row["dtype"], row["threads"], row["metric"])
        expect(got == (workload, dtype, 1, metric), "line", (workload, dtype, 1, metric), got)
        expect(math.isfinite(row["value"]) and row["value"] > 0, f"value of {workload}", "positive", row["value"])
    return rows


def check_work(folder):
    for dtype in ("f32", "f64"):
        for workload in ("W3i", "W3x"):
            check_lines(folder, workload, dtype, "samples/s", ["libnnblas", "libnnblas-step"])
        for workload in ("W3ifull", "W3xfull"):
            check_lines(folder, workload, dtype, "samples/s", ["libnnblas"])
        for workload in ("W5m", "W5s", "W5sb1024"):
            check_lines(folder, workload, dtype, "ns/sample", ["libnnblas"])
        check_lines(folder, "W8", dtype, "ms", ["libnnblas"])


def check_loss(folder):
    """The loss after some updates is a number of the data and the weights alone: the same in both precisions."""
    for workload, metric in (("W2b32", "s/epoch"), ("W7", "ms/epoch"), ("W10", "samples/s")):
        losses = [check_lines(folder, workload, dtype, metric, ["libnnblas"])[0]["loss"] for dtype in ("f32", "f64")]
        expect(abs(losses[0] - losses[1]) < 1e-3, f"losses of {workload} in f32 and f64", "equal", losses)


def check_fits(folder):
    """W6: one line per target and way; the least squares of a sine from any start go below 1e-3."""
    x = [-math.pi + 2 * math.pi * i / 99 for i in range(100)]
    write(folder, "W6ax.f64", "d", x)
    write(folder, "W6ay.f64", "d", [math.sin(v) for v in x])
    done = run(folder, "W6a", "f64", "1")
    expect(done.returncode == 0, "exit status of W6a", 0, f"{done.returncode}: {done.stderr}")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    expect(len(rows) == 12, "lines of W6a", 12, len(rows))
    for row in rows[0::6]:
        expect(row["workload"] == "W6a mse<=0.001" and row["reached"] == "7/7" and row["value"] > 0, "line", "reached", row)


def check_iteration(folder):
    """W6biter: one line; the ratio is that of its times."""
    done = run(folder, "W6biter", "f64", "1")
    expect(done.returncode == 0, "exit status of W6biter", 0, f"{done.returncode}: {done.stderr}")
    row = json.loads(done.stdout)
    expect(row["iterations"] >= 100 and abs(row["ratio"] - row["value"] / row["alone"]) < 1e-2 * row["ratio"],
           "line of W6biter", "100 iterations and the ratio of value and alone", row)


def check_epochs(folder):
    """epochs: a line for each source of rows, without and with huge pages."""
    done = run(folder, "epochs", "f32", "1")
    expect(done.returncode == 0, "exit status of epochs", 0, f"{done.returncode}: {done.stderr}")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    seen = [(r["workload"], r["huge_pages"]) for r in rows]
    wanted = [(f"epochs {s}", h) for s in ("wrapped", "copied", "read") for h in (False, True)]
    expect(seen == wanted, "lines of epochs", wanted, seen)
    for row in rows:
        expect(row["first"] > 0 and row["value"] > 0, "epochs", "positive times", row)


def check_refusals(folder):
    for args in (["W9", "f32", "1"], ["W3i", "f16", "1"], ["W3i", "f32", "0"],
                 ["W3i"]):
        done = run(folder, *args)
        expect(done.returncode == 2 and done.stderr, f"exit status of {args}", "2 and a sentence",
               f"{done.returncode} and {done.stderr!r}")
    # no such file; too short a file; no such folder
    for args in (["W1", "f32", "1"], ["W4", "f32", "1"], ["W5mb1024", "f32", "1"], ["W6b", "f64", "1"],
                  ["data", folder + "/none"]):
        done = run(folder, *args)
        expect(done.returncode == 1 and done.stderr, f"exit status of {args}", "1 and a sentence",
               f"{done.returncode} and {done.stderr!r}")


with tempfile.TemporaryDirectory() as work:
    make_files(work)
    check_work(work)
    check_loss(work)
    check_fits(work)
    check_iteration(work)
    check_epochs(work)
    check_refusals(work)
sys.exit(1 if failures else 0)
