"""nnblas-bench on tiny shapes: every line is JSON with the promised keys, and the figures agree with each other."""
import json
import math
import os
import re
import subprocess
import sys
import tempfile

BENCH = sys.argv[1]
NAMES = {"shape": str, "batch": int, "mode": str, "precision": str, "threads": int, "blas_core": str,
         "blas_slow": bool, "clock": str,
         "nnblas_version": str}
POSITIVE = ["samples_per_s", "samples_per_s_q1", "samples_per_s_q3", "gflops", "cblas_gflops", "gemm_share",
            "gemm_share_min", "gemm_share_q1", "gemm_share_q3", "gemm_share_max", "rounds", "steps"]
failures = 0


def expect(good, what, expected, observed):
    global failures
    if not good:
        failures += 1
        print(f"FAIL {what}: expected {expected}, observed {observed}")


def run(*args, env=None):
    return subprocess.run([BENCH, *args], capture_output=True, text=True, env=env)


def flops(widths, batch, mode):
    """2·m·n·k of each product, spelled out one by one."""
    total = 0
    for layer, (i, o) in enumerate(zip(widths, widths[1:])):
        total += 2 * batch * i * o  # Z = A·W
        if mode != "infer":
            total += 2 * i * batch * o  # dW = Aᵀ·Δ
            if layer > 0:
                total += 2 * batch * o * i  # Δ·Wᵀ
    return total


def check_line(row):
    for key, kind in NAMES.items():
        expect(isinstance(row.get(key), kind), f"type of {key}", kind.__name__, row.get(key))
    for key in POSITIVE:
        value = row.get(key)
        good = isinstance(value, (int, float)) and math.isfinite(value) and value > 0
        expect(good, key, "a positive number", value)
    widths = [int(n) for n in row["shape"].split("-")]
    gflops = 1e-9 * flops(widths, row["batch"], row["mode"]) * row["samples_per_s"] / row["batch"]
    expect(abs(gflops / row["gflops"] - 1) < 1e-4, f"gflops of {row}", gflops, row["gflops"])
    for name in ("samples_per_s", "gemm_share"):
        quartiles = [row[name + "_q1"], row[name], row[name + "_q3"]]
        expect(quartiles == sorted(quartiles), f"quartiles of {name}", "ascending", quartiles)
    expect(row["rounds"] >= 3, "rounds", "at least 3", row["rounds"])


def check_figures():
    shapes = [("5-7-3", 4), ("10-20-20-1", 1), ("30-20", 33)]
    listed = ",".join(f"{shape}@{batch}" for shape, batch in shapes)
    done = run("--shapes", listed, "--mode", "train,infer,fit", "--threads", "1,2", "--rounds", "3", "--seconds", "0",
               "--json")
    expect(done.returncode == 0, "exit status", 0, f"{done.returncode}: {done.stderr}")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    seen = sorted((r["shape"], r["batch"], r["mode"], r["precision"], r["threads"]) for r in rows)
    wanted = sorted((s, b, m, p, t) for s, b in shapes for m in ("train", "infer", "fit") for p in ("f32", "f64")
                    for t in (1, 2))
    expect(seen == wanted, "cases", wanted, seen)
    for row in rows:
        check_line(row)


def check_apart(rows):
    """A trip between two processors takes some ns, and is told with the figure that it explains, and only there."""
    for row in rows:
        told = row.get("ns_apart")
        if row.get("figure") != "threads" or len(os.sched_getaffinity(0)) < 2:
            expect(told is None, f"ns_apart of {row}", None, told)
        else:
            expect(told and 1 < told < 1e6, f"ns_apart of {row}", "1 to 1e6", told)


def check_latency(row):
    times = [row["ns_p50"], row["ns_p99"], row["ns_worst"]]
    expect(times == sorted(times) and times[0] >= row["ns_clock"] >= 0 < times[0], f"times of {row}",
           "ascending, none below the clock's", times)
    expect(row["calls"] >= 1000 and row["threads"] == 1, f"calls and threads of {row}", "1000 or more, 1", row["calls"])


def check_latency_of_shapes():
    done = run("-s", "5-7-3@4,5-7-3@1", "-m", "latency", "-t", "1,2", "-q", "-j")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    seen = [(row["shape"], row["batch"], row["mode"], row["precision"]) for row in rows]
    expect(seen == 2 * [("5-7-3", 1, "latency", "f32"), ("5-7-3", 1, "latency", "f64")], "latencies", "two of each", seen)
    for row in rows:
        check_latency(row)
    text = run("-s", "5-7-3@1", "-m", "latency", "-q", "-p", "f64").stdout
    expect(re.search(r"latency f64 +1 +p50 \S+ ns, p99 \S+ .s, worst \S+ .s of 1000 calls", text), "latency in words",
           "p50, p99, worst", text)


def check_two_runs():
    """--compare: which way is better, that overlapping quartiles are no difference, what is in one file only."""
    def rate(workload, median, spread, **more):
        return {"workload": workload, "precision": "f32", "threads": 1, "figure": "share", "samples_per_s": median,
                "samples_per_s_q1": median - spread, "samples_per_s_q3": median + spread, "blas_core": "C", **more}
    start = {"workload": "W8", "precision": "f32", "threads": 1, "figure": "start", "ms_q1": 9, "ms": 10, "ms_q3": 11}
    wait = {"shape": "5-7-3", "batch": 1, "mode": "latency", "precision": "f64", "threads": 1, "ns_p50": 100}
    runs = ([rate("W1", 100, 1), rate("W2", 100, 20), rate("W3", 100, 1), start, wait, rate("W4", 1, 0)],
            [wait, rate("W1", 150, 1), rate("W2", 110, 2), rate("W3", 90, 1), dict(start, ms_q1=19, ms=20, ms_q3=21),
             rate("W5", 1, 0)])
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("a.json", "b.json", "twice.json", "other.json")]
        for path, lines in zip(paths, (*runs, runs[0] + runs[0][:1], [rate("W9", 1, 0)])):
            with open(path, "w") as f:
                f.writelines(json.dumps(line) + "\n" for line in lines)
        done = run("--compare", *paths[:2])
        expect(done.returncode == 0, "exit status of --compare", 0, f"{done.returncode}: {done.stderr}")
        for words in (r"W1 .* 1\.500 +1\.475-1\.525  B is 50 % faster", r"W2 .* no difference beyond the spread",
                      r"W3 .* B is 10 % slower", r"W8 .* start +ms .* 2\.000 .* B is 50 % slower",
                      r"5-7-3@1 .* 1\.000 +spread not measured", "only in A: W4 f32 1 share", "only in B: W5 f32 1 share",
                      "B against A: 1 better, 2 worse, 2 without"):
            expect(re.search(words, done.stdout), "words of --compare", words, done.stdout)
        lines = [json.loads(line) for line in run("--compare", *paths[:2], "--json").stdout.splitlines()]
        seen = [(line["name"], line["b_over_a"], line["verdict"]) for line in lines]
        wanted = [("W1", 1.5, "faster"), ("W2", 1.1, "same"), ("W3", 0.9, "slower"), ("W8", 2.0, "slower"),
                  ("5-7-3@1", 1.0, "unknown")]
        expect(seen == wanted, "--compare --json", wanted, seen)
        for second, words in ((paths[2], "twice"), (paths[3], "nothing in common"), (__file__, "--json prints"),
                              (os.path.join(folder, "none"), "none")):
            done = run("--compare", paths[0], second)
            expect(done.returncode == 1 and words in done.stderr, f"--compare with {second}", words, done.stderr)


def has_exact(rows):
    """False without fused multiply-adds, or in a build that has no kernels for them."""
    return any(row["figure"] == "exact" for row in rows)


def check_workloads():
    """Small workloads with all their figures, in the same rounds."""
    done = run("--all", "--quick", "-w", "W3xfull,W5s", "-j", "-r", "3")
    expect(done.returncode == 0, "exit status of --all", 0, f"{done.returncode}: {done.stderr}")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    seen = sorted((r["workload"], r["precision"], r["figure"], r["threads"]) for r in rows)
    wanted = sorted((w, p, f, t) for w in ("W3xfull", "W5s") for p in ("f32", "f64")
                    for f, t in [("share", 1), ("share", 2), ("threads", 2), ("fit", 1), ("pair", 1), ("exact", 1), ("latency", 1)]
                    if f not in (("fit", "pair") if w == "W5s" else ("latency",)) and (f != "exact" or has_exact(rows)))
    expect(seen == wanted, "figures", wanted, seen)
    check_apart(rows)
    for row in [row for row in rows if row["figure"] == "latency"]:
        check_latency(row)
    for row in [row for row in rows if row["figure"] != "latency"]:
        quartiles = [row["ratio_q1"], row["ratio"], row["ratio_q3"]]
        expect(quartiles == sorted(quartiles) and quartiles[0] > 0, f"ratio of {row}", "ascending", quartiles)
        expect("bar" not in row and "met" not in row, f"a bar in a quick run, {row}", "none", row.get("bar"))


def check_bars():
    """A run that is not quick judges; a quick one does not, and says in words what it ran."""
    done = run("-w", "W3xfull", "-j", "-r", "3", "-p", "f32")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    expect(len(rows) == 5 + has_exact(rows), "figures of W3xfull", 6, done.stdout)
    for row in rows:
        has_bar = row["figure"] in ("threads", "pair", "exact")
        expect(("bar" in row) == has_bar, f"a bar of {row}", has_bar, "bar" in row)
        if has_bar:
            expect(row["met"] == (row["ratio"] >= row["bar"]), f"met of {row}", row["ratio"] >= row["bar"], row["met"])
    text = run("-w", "W3xfull,W5s", "-q", "-r", "3", "-p", "f32").stdout
    expect("missed" not in text and " met" not in text, "a quick run", "no verdict", text)
    for words in ("W3xfull: training of 2-3:sigmoid-3:sigmoid by sgd, half_sse, all 150 rows an update",
                  "W5s: prediction by 10-20-20-1, one row a call", "no bars", "share    time of"):
        expect(words in text, "the words of a quick run", words, text)
    text = run("--help").stdout
    for words in ("W2b32      training of 784-128-64-10:softmax by sgd, cross_entropy, 32 rows an update", "W8 "):
        expect(words in text, "the words of --help", words, text)


def check_slow_core():
    """A share beside slower kernels than the processor has meets no bar, and says beside which."""
    slow = dict(os.environ, OPENBLAS_CORETYPE="Prescott")
    rows = [json.loads(line) for line in
            run("-w", "W2b32", "-p", "f32", "-t", "1", "-r", "1", "-q", "-j", env=slow).stdout.splitlines()]
    shares = [row for row in rows if row["figure"] == "share"]
    expect(len(shares) == 1, "shares", 1, rows)
    if not shares[0]["blas_slow"]:
        print(f"skipped: a slow core: {shares[0]['blas_core']} is what this processor has")
        return
    expect(not shares[0].get("met"), "met beside a slow core", False, shares[0])
    text = run("-w", "W2b32", "-p", "f32", "-t", "1", "-r", "1", "-q", env=slow).stdout
    expect(shares[0]["blas_core"] + " (slow)" in text, "the core beside a share", shares[0]["blas_core"], text)


def check_record():
    """What record.py makes of such lines."""
    line = {"workload": "W1", "precision": "f32", "figure": "share", "threads": 1, "ratio": 0.97, "ratio_q1": 0.96,
            "ratio_q3": 0.98, "blas": "B", "blas_version": "1", "blas_core": "C", "clock": "wall"}
    lines = [dict(line, bar=0.975, met=False), dict(line, precision="f64", ratio=1.0, bar=0.96, met=True)]
    with tempfile.NamedTemporaryFile("w") as f:
        f.writelines(json.dumps(line) + "\n" for line in lines)
        f.flush()
        record = os.path.join(os.path.dirname(os.path.abspath(__file__)), "record.py")
        text = subprocess.run([sys.executable, record, "--from", f.name], capture_output=True, text=True,
                              env=dict(os.environ, PYTHONIOENCODING="utf-8")).stdout
    wanted = "| W1 | share | 1 | 0.97 (0.96 – 0.98) **missed** | 1.00 (0.96 – 0.98) met | 0.975 / 0.96 |"
    expect(wanted in text, "the table of record.py", wanted, text)


def check_tune():
    """Every threshold is there, and what is printed is what the library reads back from the environment."""
    tune = ["--tune", "-q", "-r", "1", "-t", "1", "-p", "f32"]
    line = run(*tune).stdout.splitlines()[-1]
    name, _, text = line.partition("=")
    expect(name == "NNBLAS_THRESHOLDS" and text.count("=") == text.count(",") + 1 > 5, "the thresholds found",
           "NNBLAS_THRESHOLDS=name=value,…", line)
    given = "private_rows=77," + ",".join(part for part in text.split(",") if not part.startswith("private_rows"))
    for value, shown in ((given, "private_rows=77"), ("nonsense", "private_rows=48")):
        done = run(*tune, env=dict(os.environ, NNBLAS_THRESHOLDS=value))
        now = [line for line in done.stdout.splitlines() if line.startswith("now: ")]
        expect(len(now) == 1 and shown in now[0], f"thresholds in force with {value}", shown, now)


def check_cpu_time():
    done = run("-s", "5-7-3@4", "-c", "-j", "-r", "3", "-S", "0")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    seen = [(row["threads"], row["clock"]) for row in rows]
    expect(seen == [(1, "cpu")] * 4, "threads and clock of --cpu-time", "1 and cpu in 4 rows", seen)
    for row in rows:
        check_line(row)


def check_table():
    done = run("-s", "5-7-3@4", "-m", "infer", "-p", "f64", "-t", "1", "-r", "1", "-S", "0")
    lines = done.stdout.splitlines()
    expect(done.returncode == 0, "exit status of a table", 0, f"{done.returncode}: {done.stderr}")
    expect("core" in lines[0] and "threads 1" in lines[0], "head of the table", "core and threads", lines[:1])
    begins = ["5-7-3", "4", "infer", "f64", "1"]
    expect(lines[-1].split()[:5] == begins, "row of the table", begins, lines[-1])


def check_refusals():
    for args in (["--shapes", "5@4"], ["--shapes", "5-7"], ["--shapes", "5-7@0"], ["--shapes", "5-x@1"],
                 ["--shapes", "5-7@4@4"], ["--shapes", ""], ["--shapes", "5-99999999999999@4"], ["--mode", "learn"],
                 ["--precision", "f16"], ["--threads", "0"], ["--threads", "two"], ["--rounds", "0"],
                 ["--seconds", "-1"], ["--seconds", "nan"], ["--cpu-time", "--threads", "2"], ["--workloads", "W0"],
                 ["--all", "--shapes", "5-7@4"], ["--no-such"], ["word"], ["--compare"], ["--compare", "a"],
                 ["--compare", "a", "b", "c"]):
        done = run(*args)
        expect(done.returncode == 2 and done.stderr, f"exit status of {args}", "2 and a sentence",
               f"{done.returncode} and {done.stderr!r}")
    done = run("--help")
    expect(done.returncode == 0 and "--shapes" in done.stdout, "--help", "0 and a text", done.returncode)


check_figures()
check_latency_of_shapes()
check_two_runs()
check_workloads()
check_bars()
check_slow_core()
check_record()
check_tune()
check_cpu_time()
check_table()
check_refusals()
sys.exit(1 if failures else 0)
