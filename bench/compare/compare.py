"""Compares libnnblas with whatever of its peers is installed: same data, in turn in one run.

    python3 bench/compare/compare.py [--build build] [--reps 3] [--only W1,W4] [--peers torch,fann] [--threads 1,2]

Peers: PyTorch, oneDNN 2 or 3, FANN, scikit-learn, NumPy, ONNX Runtime; on Debian python3-torch, libdnnl-dev, libfann-dev,
python3-sklearn, python3-numpy; ONNX Runtime (libonnxruntime-dev, or its header and library of elsewhere by CPATH,
LIBRARY_PATH and LD_LIBRARY_PATH).  What is missing is named and left out.  Peers in C and C++ are built, and the data
(260 MB) written, in BUILD/compare.  Prints Markdown; --json FILE also keeps every line measured, --from FILE only
prints what such a file holds."""
import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
from collections import defaultdict

HERE = os.path.dirname(os.path.abspath(__file__))
TRAIN = ["W1", "W2b32", "W2b128", "W2full", "W10"]
SIGMOID = ["W3i", "W3x", "W3ifull", "W3xfull", "W4"]
PREDICT = ["W5m", "W5md", "W5s", "W5sd", "W5mb1024", "W5mdb1024", "W5sb1024", "W5sdb1024"]
IMAGES = ["W9b32", "W9b128", "W9b512"]
ALL = TRAIN + SIGMOID + PREDICT + ["W7"] + IMAGES
THREADED = TRAIN + ["W7"] + IMAGES + [w for w in PREDICT if "b1024" in w]
# name: what it measures, in which precisions, with more than one thread?
PEERS = {"torch": (ALL, "f32 f64", True), "numpy": (TRAIN + SIGMOID + PREDICT, "f32 f64", True),
         "sklearn": (TRAIN + SIGMOID + PREDICT, "f32 f64", True), "onnx": (PREDICT, "f32 f64", True),
         "fann": (SIGMOID + ["W5m", "W5md", "W5s", "W5sd"], "f32 f64", False), "onednn": (TRAIN, "f32", True)}
IMPORTS = {"torch": "numpy, torch", "numpy": "numpy", "sklearn": "numpy, sklearn"}
MORE_IS_BETTER = ("samples/s",)
# Wanted of libnnblas: its ratio to the best of some peers.  (workload, threads): peers as they call themselves ("torch"
# are its modules), "" for all; f32, f64.
BLAS = "numpy sklearn torch-manual"
BARS = {("W1", 1): [("torch", 1.2, 1.3), ("torch-manual", 1.0, 1.1)], ("W1", 2): [("onednn", 1.1, None), ("", None, 1.3)],
        ("W2b32", 1): [(BLAS, 1.5, 1.4), ("torch", 3.6, 3.6)],
        ("W2b32", 2): [("onednn", 1.0, None), ("torch", 5, 5), ("", None, 1.4)], ("W2b128", 1): [(BLAS, 1.3, 1.15)],
        ("W2full", 1): [("", 1.1, 1.1)], ("W3i", 1): [("fann", 2.0, 1.6)], ("W3x", 1): [("fann", 1.8, 1.5)],
        ("W3ifull", 1): [(BLAS, 3, 3)], ("W3xfull", 1): [(BLAS, 5, 5)], ("W4", 1): [("", 1.8, 2.2)],
        ("W5m", 1): [("onnxruntime", 2, 2)], ("W5md", 1): [("onnxruntime", 2, 2)], ("W5s", 1): [("", 5, 5)],
        ("W5mb1024", 1): [("torch-frozen", None, 1.15), ("onnxruntime", 0.95, None)], ("W5sb1024", 1): [("", 2, 2)],
        ("W7", 1): [("torch", 10, None)], ("W10", 1): [(BLAS, 1.1, 1.1)],
        ("W9b32", 1): [("torch", 4, None)], ("W9b128", 1): [("torch", 4, None)], ("W9b512", 1): [("torch", 4, None)]}
# The most that a time may be: ns a sample, ms an epoch.
MOST = {("W5s", "f32", 1): 60, ("W5s", "f64", 1): 60, ("W7", "f32", 1): 0.60}


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--only", default=",".join(ALL), help="workloads")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--budget", default="0.6", help="seconds of a measurement")
    parser.add_argument("--cpu-time", action="store_true",
                        help="processor time, for a machine that others use too; one thread only")
    parser.add_argument("--json")
    parser.add_argument("--from", dest="source")
    o = parser.parse_args()
    if o.cpu_time:
        o.threads = "1"
    return o


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def python_with(modules):
    """The first Python that can import them, or None."""
    for python in dict.fromkeys((sys.executable, "/usr/bin/python3")):
        if subprocess.run([python, "-c", "import " + modules], capture_output=True).returncode == 0:
            return python
    return None


def package(name, otherwise):
    """The compiler's arguments for a library, from pkg-config where that knows it."""
    try:
        done = subprocess.run(["pkg-config", "--cflags", "--libs", name], capture_output=True, text=True)
    except FileNotFoundError:
        return otherwise
    return done.stdout.split() if done.returncode == 0 else otherwise


def compiled(arguments):
    """None, or the first error of the compiler or the linker."""
    try:
        done = subprocess.run(arguments, capture_output=True, text=True)
    except FileNotFoundError:
        return f"there is no {arguments[0]}"
    if done.returncode == 0:
        return None
    lines = [line for line in done.stderr.splitlines() if "error" in line or "cannot find" in line]
    return (lines or done.stderr.splitlines() or ["the compiler failed"])[0]


def build_fann(work):
    error = None
    for dtype, library, define in (("f32", "floatfann", ["-DNNB_SINGLE"]), ("f64", "doublefann", [])):
        error = error or compiled(["cc", "-O3", "-march=native", "-ffast-math", *define, f"{HERE}/fann_peer.c", "-o",
                                   f"{work}/fann_peer_{dtype}", *package(library, ["-l" + library]), "-lm"])
    return error


def build_onednn(work):
    return compiled(["c++", "-O3", "-march=native", "-ffast-math", f"{HERE}/onednn_peer.cpp", "-o",
                     f"{work}/onednn_peer", *package("dnnl", ["-ldnnl"])])


def build_onnx(work):
    return compiled(["cc", "-std=c11", "-D_GNU_SOURCE", "-O2", f"{HERE}/onnx_peer.c", "-o", f"{work}/onnx_peer",
                     *package("libonnxruntime", ["-lonnxruntime"])])


def commands(names, work):
    """name: the command for a workload, a precision and a count of threads."""
    found = {}
    for name in names:
        if name in IMPORTS:
            python = python_with(IMPORTS[name])
            if python:
                found[name] = lambda w, d, t, p=python, n=name: [p, f"{HERE}/{n}_peer.py", w, d, str(t)]
            else:
                say(f"skipped: {name}: no Python with {IMPORTS[name]}")
            continue
        error = {"fann": build_fann, "onednn": build_onednn, "onnx": build_onnx}[name](work)
        if error:
            say(f"skipped: {name}: {error}")
            continue
        if name == "fann":
            found[name] = lambda w, d, t: [f"{work}/fann_peer_{d}", w]
        elif name == "onnx":
            found[name] = lambda w, d, t: [f"{work}/onnx_peer", w, d, str(t)]
        else:
            found[name] = lambda w, d, t: [f"{work}/onednn_peer", w, str(t)]
    return found


def blas_core(bench):
    """The kernels that libnnblas runs: peers on the same OpenBLAS get the same."""
    line = subprocess.run([bench, "-s", "2-2@2", "-m", "infer", "-p", "f32", "-t", "1", "-r", "1", "-S", "0", "-j"],
                          capture_output=True, text=True, check=True).stdout
    return json.loads(line)["blas_core"]


def run(command, environment, threads):
    if threads == 1 and shutil.which("taskset"):
        command = ["taskset", "-c", str(max(os.sched_getaffinity(0)))] + command
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    if done.returncode:
        say("failed:", *command, done.stderr[-200:])
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def cases(o):
    for workload in o.only.split(","):
        for threads in map(int, o.threads.split(",")):
            if threads == 1 or workload in THREADED:
                yield workload, threads


def measure(o):
    slot, bench, work = (f"{o.build}/{path}" for path in ("bench/nnblas_bench", "bench/nnblas-bench", "compare"))
    os.makedirs(work + "/data", exist_ok=True)
    if not os.path.exists(work + "/data/W9init.f32"):
        subprocess.run([slot, "data", work + "/data"], check=True)
    found, core, lines = commands(o.peers.split(","), work), blas_core(bench), []
    for rep in range(o.reps):
        for workload, threads in cases(o):
            todo = [[slot, workload, dtype, str(threads)] for dtype in ("f32", "f64")]
            todo += [make(workload, dtype, threads) for name, make in found.items() for dtype in PEERS[name][1].split()
                     if workload in PEERS[name][0] and (threads == 1 or PEERS[name][2])]
            random.Random(f"{rep} {workload}").shuffle(todo)
            environment = dict(os.environ, PB_DATA=work + "/data", PB_BUDGET=o.budget, OPENBLAS_CORETYPE=core,
                               OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads),
                               PB_CLOCK="cpu" if o.cpu_time else "wall")
            for command in todo:
                lines += run(command, environment, threads)
            if o.json:
                keep(o.json, lines)
            say(f"round {rep + 1} of {o.reps}: {workload}, {threads} thread(s)")
    return lines


def keep(path, lines):
    with open(path, "w") as f:
        f.writelines(json.dumps(line) + "\n" for line in lines)


def check_losses(group):
    """Peers that trained the same arrive at the same loss."""
    losses = {peer: statistics.median(loss) for peer, (_, loss) in group.items() if loss}
    ours = losses.get("libnnblas")
    for peer, loss in losses.items():
        if ours is not None and abs(loss - ours) > 1e-3 * abs(ours):
            print(f"\nThe loss of {peer} is {loss:.6g}, that of libnnblas {ours:.6g}: not the same work.")


def show(lines):
    groups = defaultdict(lambda: defaultdict(lambda: ([], [])))
    for line in lines:
        if line["metric"] == "GFLOP/s":
            continue
        values, losses = groups[line["workload"], line["dtype"], line["threads"], line["metric"]][line["peer"]]
        values.append(line["value"])
        losses += [line["loss"]] if "loss" in line else []
    order = {workload: i for i, workload in enumerate(ALL)}
    summary = []
    for key in sorted(groups, key=lambda k: (order.get(k[0], 99), k[1], k[2])):
        workload, dtype, threads, metric = key
        sign = 1 if metric in MORE_IS_BETTER else -1
        middle = {peer: statistics.median(values) for peer, (values, _) in groups[key].items()}
        peers = {peer: value for peer, value in middle.items() if not peer.startswith("libnnblas")}
        best = max(peers, key=lambda peer: sign * peers[peer]) if peers else None
        print(f"\n### {workload} {dtype}, {threads} thread(s), {metric}\n\n| | median | smallest – largest | n | "
              "to the best peer |\n|---|---|---|---|---|")
        for peer in sorted(middle, key=lambda peer: -sign * middle[peer]):
            values = groups[key][peer][0]
            ratio = (middle[peer] / peers[best]) ** sign if best else float("nan")
            spread = f"{min(values):.4g} – {max(values):.4g}"
            print(f"| {peer} | {middle[peer]:.4g} | {spread} | {len(values)} | {ratio:.2f} |")
            if peer == "libnnblas" and best:
                summary += rows_of(key, middle[peer], {name: sign * value for name, value in peers.items()})
        check_losses(groups[key])
    show_summary(summary)


def rows_of(key, ours, signed):
    """A row for each bar, with the best of the peers it speaks of; the best of all without a bar."""
    workload, dtype, threads, metric = key
    bars = [(names, f32 if dtype == "f32" else f64) for names, f32, f64 in BARS.get((workload, threads), [])]
    found = []
    for names, bar in [bar for bar in bars if bar[1]] or [("", 1)]:
        among = [peer for peer in signed if not names or peer in names.split()]
        if among:
            peer = max(among, key=signed.get)
            theirs = abs(signed[peer])
            found.append((*key, ours, peer, theirs, (ours / theirs) ** (1 if metric in MORE_IS_BETTER else -1), bar))
    return found


def show_summary(summary):
    print("\n### libnnblas to the best peer\n\n| workload | prec | threads | metric | libnnblas | best peer | ratio | "
          "wanted |\n|---|---|---|---|---|---|---|---|")
    for workload, dtype, threads, metric, ours, best, theirs, ratio, bar in summary:
        print(f"| {workload} | {dtype} | {threads} | {metric} | {ours:.4g} | {best} {theirs:.4g} | {ratio:.2f} | "
              f"{bar}: {'met' if ratio >= bar else 'missed'} |")
    for workload, dtype, threads, metric, ours in dict.fromkeys(row[:5] for row in summary):
        most = MOST.get((workload, dtype, threads))
        if most:
            print(f"\n{workload} {dtype}: {ours:.4g} {metric}, at most {most} wanted: "
                  f"{'met' if ours <= most else 'missed'}.")


def main():
    o = options()
    if o.source:
        with open(o.source) as f:
            return show([json.loads(line) for line in f])
    show(measure(o))


if __name__ == "__main__":
    main()
