"""nnblas-bench --mpi with two ranks on a tiny case: the figures are there and agree with each other.

  test_nnblas_bench_mpi.py MPIRUN NNBLAS_BENCH
"""
import json
import math
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/mpi"))
from run import SETTINGS

MPIRUN, BENCH = sys.argv[1:3]
LATENCY, BANDWIDTH = 2e-6, 10e9
failures = []


def expect(good, what, expected, observed):
    if not good:
        failures.append(f"{what}: expected {expected}, observed {observed}")


def close(a, b, tol=1e-3):
    return abs(a - b) <= tol * abs(b)


def run(ranks, *args):
    start = [MPIRUN, "-n", str(ranks)] if ranks else []
    return subprocess.run([*start, BENCH, "--mpi", *args], capture_output=True, text=True, timeout=200, check=False,
                          env={**os.environ, **SETTINGS})


def check_models(lines, size):
    """The sums by the formula, and the same time of an update in each line."""
    models = [line for line in lines if line.get("figure") == "model"]
    ranks = [line["ranks"] for line in models]
    expect(ranks == [2**k for k in range(1, 11)], "ranks of the model", "2 to 1024", ranks)
    update = []
    for line in models:
        n = line["ranks"]
        sums = 3 * math.log2(n) * LATENCY + 2 * (n - 1) / n * size / BANDWIDTH
        expect(close(line["sums_ms"], 1e3 * sums), f"sums of {n} ranks", 1e3 * sums, line["sums_ms"])
        update.append(sums * line["weak"] / (1 - line["weak"]))
        expect(0 < line["strong"] <= 1.001 and line["rows_for_0.5"] <= line["rows_for_0.9"], f"model of {n} ranks",
               "a share, and more rows for more of it", line)
    expect(max(update) < 1.1 * min(update), "an update of the model", "the same for any number of ranks", update)


def check_figures():
    done = run(2, "-q", "-j", "-w", "W7", "-p", "f64", "-m", f"{LATENCY * 1e6},{BANDWIDTH / 1e9}")
    expect(done.returncode == 0, "exit status", 0, f"{done.returncode}: {done.stderr}")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    figures = {line["figure"]: line for line in lines if line.get("ranks") == 2 and "figure" in line}
    expect(lines and lines[0]["workload"] == "communicator" and lines[0]["latency_us"] > 0, "the first line",
           "the communicator", lines[:1])
    for name in ("alone", "small", "independent", "shares", "strong", "weak"):
        rates = [figures[name]["samples_per_s" + part] for part in ("_q1", "", "_q3")]
        expect(rates == sorted(rates) and rates[0] > 0, f"samples per second, {name}", "ascending", rates)
    for name in ("strong", "weak"):
        expect(0 < figures[name]["in_communication"] < 1 and figures[name]["ratio"] > 0, name, "a share", figures[name])
        expect("met" not in figures[name], "a quick run", "no bar", figures[name])
    expect(figures["sum"]["bytes"] % 8 == 0 and figures["sum"]["ms"] > 0, "the sum", "its bytes and time", figures["sum"])
    check_models(lines, figures["sum"]["bytes"])


def check_words():
    help_ = run(0, "--help")
    expect(help_.returncode == 0 and help_.stdout.startswith("usage: mpirun"), "--help", "a text", help_.stdout)
    for args, words in ((["-w", "W3"], "W1 or W7"), (["-m", "3"], "such as"), (["-r", "x"], "rounds"), (["x"], "options only")):
        done = run(0, *args)
        expect(done.returncode == 2 and words in done.stderr, args, words, done.stderr)
    text = run(1, "-q", "-w", "W7", "-p", "f32").stdout
    expect(re.search(r"1 rank of .*\n(.*\n)*W7 +f32 +1 +strong .* %", text), "one rank, in words", "its figures", text)


check_figures()
check_words()
print("\n".join(failures) or "two ranks")
sys.exit(1 if failures else 0)
