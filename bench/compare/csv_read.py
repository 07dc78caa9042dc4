#!/usr/bin/env python3
"""Reading a numeric CSV file of 100 MB: nnb_data_read_csv beside pandas' C reader.

    python3 bench/compare/csv_read.py build/lib/libnnblas.so [MB]

pandas reads with float_precision='round_trip', which rounds correctly as libnnblas does, and with its default, which does
not.  Two files: 17 digits a number, and 6.  Each reading is a process of its own; the programs run in turn, three times.
Shown are the least seconds of the call, the most memory of the process above that before the call, as a multiple of the
file's bytes and of the table's, and whether the numbers are the same bits.  Needs pandas (python3-pandas in Debian)."""
import ctypes
import os
import random
import resource
import subprocess
import sys
import tempfile
import time

COLUMNS, ROUNDS = 20, 3


class View(ctypes.Structure):
    _fields_ = [("p", ctypes.c_void_p), ("rows", ctypes.c_int), ("cols", ctypes.c_int), ("ld", ctypes.c_int)]


class Batch(ctypes.Structure):
    _fields_ = [("x", View), ("t", View), ("more", ctypes.c_char * 512)]


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def read_nnblas(library, path):
    nnblas = ctypes.CDLL(library)
    nnblas.nnb_errmsg.restype = ctypes.c_char_p
    data, batch = ctypes.c_void_p(), Batch()
    if nnblas.nnb_data_read_csv(path.encode(), None, ctypes.byref(data)):
        sys.exit(nnblas.nnb_errmsg().decode())
    rows = nnblas.nnb_data_rows(data)
    nnblas.nnb_data_batch(data, 0, rows, ctypes.byref(batch))
    return batch


def bits_nnblas(batch):
    """Inputs and targets as bytes; the target is the last column."""
    size = batch.x.rows * 8
    x = ctypes.string_at(batch.x.p, size * batch.x.cols)
    return x, ctypes.string_at(batch.t.p, size * batch.t.cols)


def bits_pandas(frame):
    values = frame.to_numpy()
    return values[:, :-1].copy().tobytes(), values[:, -1].copy().tobytes()


def child(how, library, path):
    if how == "libnnblas":
        ctypes.CDLL(library)
    else:
        import pandas
    before, start = peak_bytes(), time.perf_counter()
    if how == "libnnblas":
        table = read_nnblas(library, path)
    else:
        table = pandas.read_csv(path, header=None, float_precision="round_trip" if how == "round_trip" else None)
    seconds, peak = time.perf_counter() - start, peak_bytes() - before
    import hashlib
    digest = hashlib.sha256(b"".join(bits_nnblas(table) if how == "libnnblas" else bits_pandas(table))).hexdigest()
    print(seconds, peak, digest)


def write_file(path, size, digits):
    generator, lines = random.Random(1), []
    for _ in range(1000):
        lines.append(",".join(f"{generator.gauss(0, 1):.{digits}g}" for _ in range(COLUMNS)) + "\n")
    text, rows = "".join(lines).encode(), 0
    with open(path, "wb") as f:
        while f.tell() < size:
            f.write(text)
            rows += len(lines)
    return rows


def main():
    if sys.argv[1] == "--child":
        return child(*sys.argv[2:])
    library, size = os.path.abspath(sys.argv[1]), int(float(sys.argv[2]) * 1e6) if len(sys.argv) > 2 else 100_000_000
    print("| digits | reader | seconds | memory/file | memory/table | bits |\n|---|---|---|---|---|---|")
    for digits in (17, 6):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "numbers.csv")
            table = write_file(path, size, digits) * COLUMNS * 8
            results = {}
            for how in ("libnnblas", "round_trip", "default") * ROUNDS:
                out = subprocess.run([sys.executable, __file__, "--child", how, library, path], check=True,
                                     capture_output=True, text=True).stdout.split()
                results.setdefault(how, []).append((float(out[0]), int(out[1]), out[2]))
            file = os.path.getsize(path)
        wanted = results["round_trip"][0][2]
        for how, runs in results.items():
            peak = max(run[1] for run in runs)
            name = how if how == "libnnblas" else f"pandas, {how}"
            print(f"| {digits} | {name} | {min(run[0] for run in runs):.2f} | {peak / file:.2f} | {peak / table:.2f} | "
                  f"{'the same' if runs[0][2] == wanted else 'other'} |")


main()
