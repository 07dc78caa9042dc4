"""Everything that docs/performance.md states of this machine, measured anew and printed as Markdown:

    python3 bench/record.py [--build build] [--reps 5] [--cpu-time] [--only bars,peers,profile] >tables.md

the bars (nnblas-bench), the peers that are installed (compare/compare.py), and where the time goes (profile.py).
--cpu-time: processor time, with one thread, for a machine that others use too."""
import argparse
import json
import os
import subprocess
import sys
from collections import defaultdict

HERE = os.path.dirname(os.path.abspath(__file__))


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--reps", default="5")
    parser.add_argument("--cpu-time", action="store_true")
    parser.add_argument("--only", default="bars,peers,profile")
    parser.add_argument("--from", dest="source", help="a file of nnblas-bench --json: its table only")
    return parser.parse_args()


def cell(row):
    if "ns_p50" in row:
        return f"{row['ns_p50']:.0f} / {row['ns_p99']:.0f} / {row['ns_worst']:.0f} ns"
    if "ms" in row:
        value, low, high, digits = row["ms"], row["ms_q1"], row["ms_q3"], 1
    else:
        value, low, high, digits = row["ratio"], row["ratio_q1"], row["ratio_q3"], 2
    verdict = {True: " met", False: " **missed**"}.get(row.get("met"), "")
    if "ns_apart" in row:
        verdict += f", {row['ns_apart']} ns"
    return f"{value:.{digits}f} ({low:.{digits}f} – {high:.{digits}f}){verdict}"


def show_bars(lines):
    rows = defaultdict(dict)
    for line in lines:
        rows[line["workload"], line["figure"], line["threads"]][line["precision"]] = line
    first = lines[0]
    print(f"{first['blas']} {first['blas_version']}, {first['blas_core']} kernels, {first['clock']} time.\n")
    print("| workload | figure | threads | f32 | f64 | wanted, f32 / f64 |\n|---|---|---|---|---|---|")
    for (workload, figure, threads), pair in rows.items():
        bars = [f"{line['bar']:g}" for line in pair.values() if "bar" in line]
        unit = " ms" if figure == "start" else ""
        cells = [cell(pair[p]) if p in pair else "" for p in ("f32", "f64")]
        print(f"| {workload} | {figure} | {threads} | {cells[0]} | {cells[1]} | {' / '.join(dict.fromkeys(bars))}{unit} |")


def main():
    o = options()
    if o.source:
        with open(o.source) as f:
            return show_bars([json.loads(line) for line in f])
    clock = ["--cpu-time"] if o.cpu_time else []
    if "bars" in o.only:
        print("## Bars\n", flush=True)
        done = subprocess.run([o.build + "/bench/nnblas-bench", "--all", "--json", *clock], stdout=subprocess.PIPE,
                              text=True, check=True)
        show_bars([json.loads(line) for line in done.stdout.splitlines()])
    if "peers" in o.only:
        print("\n## Peers", flush=True)
        subprocess.run([sys.executable, HERE + "/compare/compare.py", "--build", o.build, "--reps", o.reps,
                        "--json", o.build + "/peers.jsonl", *clock], check=True)
    if "profile" in o.only:
        print("\n## Profile\n", flush=True)
        subprocess.run([sys.executable, HERE + "/profile.py", "--build", o.build], check=True)


if __name__ == "__main__":
    main()
