"""Where the time of a step goes: nnblas_bench under perf, its samples grouped by what the function does.

    python3 bench/profile.py [--build build] [--data FOLDER] [--only W1,W4] [--functions]

Prints a Markdown table of per cent.  The data are those of compare/compare.py (BUILD/compare/data), or are written
there.  One thread; samples outside of libnnblas and the BLAS, and those of drawing weights,
do not count.  Needs Linux's perf."""
import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict

WORKLOADS = "W1,W2b32,W2b128,W2full,W3i,W3ifull,W4,W5m,W5md,W5mb1024,W5s,W5sb1024,W7"
# what a function does: the first pattern that matches its library and name
GROUPS = [("packing", r"blas.* .*(copy|_beta)"), ("BLAS kernels", r"blas.* .*(kernel|gem[mv]_|ger_|axpy|dot_).*"),
          ("BLAS calls", r"blas"),
          ("one row", r"nnblas.* (nnbf?__(chain_rows|predict)_|learn_|read_|narrow_by|value_of|pulled|output_loss|cross_softmax_row)"),
          ("own products", r"nnblas.* (nnbf?__mm|tile|column|end_|add_gradient|.*(gemv|row_times|pack))"),
          ("activation, loss", r"nnblas.* .*(_value|_pull|_fused|activate|loss|softmax|cross_entropy|sse|mae|huber)"),
          ("bias, sums", r"nnblas.* .*(sums|bias|fill)"),
          ("rows in, out", r"nnblas.* (load_columns|nnbf?__plan_outputs|memcpy)"),
          ("update", r"nnblas.* .*(adam|step|optim|descend|axpy)"), ("the rest", r"nnblas")]


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--data")
    parser.add_argument("--only", default=WORKLOADS)
    parser.add_argument("--functions", action="store_true", help="the ten largest functions as well")
    return parser.parse_args()


def profile(command, data):
    """[(per cent, library, function)]"""
    environment = dict(os.environ, PB_DATA=data, PB_BUDGET="1", PB_CLOCK="cpu", PB_STEPS="0")
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/perf.data"
        subprocess.run(["perf", "record", "-q", "-F", "2000", "-o", path, *command], env=environment, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        text = subprocess.run(["perf", "report", "-i", path, "--stdio", "--no-children", "-F", "overhead,dso,symbol",
                               "--percent-limit", "0.05"], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^ +([0-9.]+)% +(\S+) +\[.\] (.+?) *$", text, re.M)
    return [(float(share), library, name) for share, library, name in found
            if re.match(r"lib(nnblas|.*blas)", library) and not re.match(r"nnbf?_(rng|_init)", name)]


def grouped(samples):
    total, groups = sum(share for share, _, _ in samples), defaultdict(float)
    for share, library, name in samples:
        line = f"{library} {name}"
        groups[next(group for group, pattern in GROUPS if re.match(r"lib(?:open)?" + pattern, line))] += share
    return {group: 100 * share / total for group, share in groups.items()}


def main():
    o = options()
    data = o.data or o.build + "/compare/data"
    slot = o.build + "/bench/nnblas_bench"
    if not os.path.exists(data + "/W7init.f32"):
        os.makedirs(data, exist_ok=True)
        subprocess.run([slot, "data", data], check=True)
    print("| workload | " + " | ".join(group for group, _ in GROUPS) + " |\n|---|" + "---|" * len(GROUPS))
    for workload in o.only.split(","):
        for dtype in ("f32", "f64"):
            samples = profile([slot, workload, dtype, "1"], data)
            shares = grouped(samples)
            cells = [f"{shares[group]:.0f}" if shares.get(group, 0) >= 0.5 else "" for group, _ in GROUPS]
            print(f"| {workload} {dtype} | " + " | ".join(cells) + " |", flush=True)
            for share, _, name in samples[:10] if o.functions else []:
                print(f"    {share:5.1f}  {name}")


if __name__ == "__main__":
    sys.exit(main())
