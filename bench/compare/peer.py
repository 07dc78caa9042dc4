"""What the peers in Python share: the workloads, the files, the clock and the line that is printed.

    X_peer.py WORKLOAD f32|f64 THREADS

PB_DATA names the folder of the data, PB_BUDGET the seconds to measure, PB_CLOCK=cpu makes that processor time, as for
nnblas_bench (bench/README.md)."""
import json
import os
import statistics
import sys
import time

WORKLOAD, DTYPE = sys.argv[1:3]
THREADS = int(sys.argv[3])
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # before anything that reads them is imported
    os.environ[name] = str(THREADS)

import numpy as np  # noqa: E402

REAL = np.float32 if DTYPE == "f32" else np.float64
DATA = os.environ.get("PB_DATA", "data")
BUDGET = float(os.environ.get("PB_BUDGET", "0.6"))
now = time.process_time if os.environ.get("PB_CLOCK") == "cpu" else time.perf_counter

MNIST, SMALL = [784, 128, 64, 10], [10, 20, 20, 1]
# name: widths, activation of hidden layers, of outputs, files of rows and weights, rows, batch, learning rate, updates
# before the loss is noted
TABLE = {
    "W1": ([1024, 2048, 2048, 1000], "relu", "softmax", "W1", "W1", 1024, 256, 0.01, 4),
    "W2b32": (MNIST, "relu", "softmax", "W2", "W2", 60000, 32, 0.1, 20),
    "W2b128": (MNIST, "relu", "softmax", "W2", "W2", 60000, 128, 0.1, 20),
    "W2full": (MNIST, "relu", "softmax", "W2", "W2", 60000, 60000, 0.1, 2),
    "W3i": ([4, 8, 3], "sigmoid", "sigmoid", "W3i", "W3i", 150, 1, 0.1, 0),
    "W3x": ([2, 3, 3], "sigmoid", "sigmoid", "W3x", "W3x", 150, 1, 0.1, 0),
    "W3ifull": ([4, 8, 3], "sigmoid", "sigmoid", "W3i", "W3i", 150, 150, 0.1 / 150, 0),
    "W3xfull": ([2, 3, 3], "sigmoid", "sigmoid", "W3x", "W3x", 150, 150, 0.1 / 150, 0),
    "W4": ([784, 128, 10], "sigmoid", "sigmoid", "W2", "W4", 6000, 1, 0.1, 0),
    "W5m": (MNIST, "relu", "softmax", "W2", "W2", 1, 1, 0, 0),
    "W5md": (MNIST, "relu", "softmax", "W1", "W2", 1, 1, 0, 0),
    "W5mb1024": (MNIST, "relu", "softmax", "W2", "W2", 1024, 1024, 0, 0),
    "W5mdb1024": (MNIST, "relu", "softmax", "W1", "W2", 1024, 1024, 0, 0),
    "W5s": (SMALL, "relu", "linear", "W2", "W5s", 1, 1, 0, 0),
    "W5sd": (SMALL, "relu", "linear", "W1", "W5s", 1, 1, 0, 0),
    "W5sb1024": (SMALL, "relu", "linear", "W2", "W5s", 1024, 1024, 0, 0),
    "W5sdb1024": (SMALL, "relu", "linear", "W1", "W5s", 1024, 1024, 0, 0),
    "W7": ([4, 32, 16, 4], "tanh", "linear", "W7", "W7", 10000, 10000, 0.001, 100),
    "W9b32": ([784, 120, 84, 10], "tanh", "softmax", "W2", "W9", 60000, 32, 0.1, 20),  # LeNet-5: LENET below
    "W9b128": ([784, 120, 84, 10], "tanh", "softmax", "W2", "W9", 60000, 128, 0.1, 20),
    "W9b512": ([784, 120, 84, 10], "tanh", "softmax", "W2", "W9", 60000, 512, 0.1, 20),
    "W10": ([28, 300, 300, 300, 300, 300, 1], "tanh", "sigmoid", "W10", "W10", 20000, 100, 0.05, 20),
}
LENET = [(25, 6), (150, 16), (256, 120), (120, 84), (84, 10)]  # inputs and units of its layers with weights
WIDTHS, HIDDEN, OUTPUT, FILES, INIT, ROWS, BATCH, RATE, WARM = TABLE[WORKLOAD]
PREDICTS = WORKLOAD.startswith("W5")
SQUARES = WORKLOAD[:2] in ("W3", "W4")  # ½ Σ (t - a)², one row's gradient at a time or of all rows


def rows():
    x = np.fromfile(f"{DATA}/{FILES}x.f32", "f4", ROWS * WIDTHS[0])
    return x.reshape(-1, WIDTHS[0]).astype(REAL)


def labels():
    if OUTPUT == "sigmoid":
        return targets()[:, 0].astype("i8")
    return np.fromfile(f"{DATA}/{FILES}y.i32", "i4", ROWS).astype("i8")


def targets():
    if WORKLOAD == "W4":
        return np.eye(WIDTHS[-1], dtype=REAL)[labels()]
    return np.fromfile(f"{DATA}/{FILES}y.f32", "f4").reshape(-1, WIDTHS[-1]).astype(REAL)


def weights():
    """[(W, b)] with W as outputs×inputs."""
    values, at, layers = np.fromfile(f"{DATA}/{INIT}init.f32", "f4").astype(REAL), 0, []
    for i, o in LENET if WORKLOAD.startswith("W9") else zip(WIDTHS, WIDTHS[1:]):
        layers.append((values[at:at + i * o].reshape(o, i).copy(), values[at + i * o:at + (i + 1) * o].copy()))
        at += (i + 1) * o
    return layers


def rate(call, units):
    """Units a second: all rows once and a quarter of the budget untimed, then the median of five parts of the rest."""
    start, calls = now(), 0
    while True:
        call()
        calls += 1
        used = now() - start
        if used >= BUDGET / 4 and calls * units >= ROWS:
            break
    each, parts = max(1, int(BUDGET / 5 * calls / used)), []
    for _ in range(5):
        start = now()
        for _ in range(each):
            call()
        parts.append(units * each / (now() - start))
    return statistics.median(parts)


def report(peer, rows_per_s, loss=None):
    """Prints the workload's metric."""
    if WORKLOAD.startswith("W2"):
        metric, value = "s/epoch", ROWS / rows_per_s
    elif WORKLOAD == "W7":
        metric, value = "ms/epoch", 1e3 * ROWS / rows_per_s
    elif PREDICTS:
        metric, value = "ns/sample", 1e9 / rows_per_s
    else:
        metric, value = "samples/s", rows_per_s
    line = dict(peer=peer, workload=WORKLOAD, dtype=DTYPE, threads=THREADS, metric=metric, value=value)
    if loss is not None:
        line["loss"] = float(loss)
    print(json.dumps(line), flush=True)


def warmed(step, loss):
    """The loss that the last of the first updates saw, or None where it is not compared."""
    for _ in range(WARM):
        step()
    return loss() if WARM else None
