#!/usr/bin/env python3
"""W6: small regressions, the processor time to a mean squared error, libnnblas beside whichever of SciPy, PyTorch and R's
nnet is installed.

    python3 bench/compare/w6_compare.py build/bench/nnblas_bench [WORKLOAD ...]

Every program gets the same data and starts from the same seven sets of weights, uniform in (-0.7, 0.7) (nnet's hidden units
are logistic and not tanh).  A start that has not arrived within PB_LIM (3) seconds counts as infinite.  One thread.
The programs run in turn, PB_ROUNDS (3) times; what is shown are medians.
NNBLAS_DATA: the folder with uci-regression, for the sets of the UCI repository."""
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"
try:
    import numpy as np
except ImportError:
    sys.exit(f"{sys.argv[0]}: {sys.executable} has no NumPy, which makes the data; take a Python that has it")

HERE = os.path.dirname(os.path.abspath(__file__))
STARTS, LIMIT, ROUNDS = 7, float(os.environ.get("PB_LIM", "3")), int(os.environ.get("PB_ROUNDS", "3"))
WORKLOADS = {  # inputs, hidden units, targets
    "W6a": (1, 10, [1e-3, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12]),
    "W6b": (8, 15, [1e-1, 1e-2, 1e-3, 2e-4, 1e-4]),
    "W6concrete": (8, 15, [0.2, 0.1, 0.05, 0.04]),
    "W6yacht": (6, 15, [1e-2, 1e-3, 3e-4, 1e-4]),
}


class Arrived(Exception):
    pass


# ---- data and starts

def standardised(values):
    spread = values.std(0)
    return (values - values.mean(0)) / np.where(spread > 0, spread, 1)


def uci(name):
    path = os.path.join(os.environ.get("NNBLAS_DATA", ""), "uci-regression", name, "data.csv.gz")
    if not os.path.exists(path):
        return None
    with gzip.open(path, "rt") as f:
        table = np.array([[float(v) for v in line.replace(",", " ").split()] for line in f if line[0] in "-.0123456789"])
    table = standardised(table)
    return table[:, :-1], table[:, -1]


def make_data(name):
    if name == "W6a":
        x = np.linspace(-np.pi, np.pi, 100)
        return x[:, None], np.sin(x)
    if name == "W6b":
        x = np.random.default_rng(12345).uniform(0, 1, (1000, 8))
        y = np.sin(np.pi * x[:, 0] * x[:, 1]) + 2 * (x[:, 2] - .5) ** 2 + x[:, 3] + .5 * x[:, 4]
        return x, standardised(y)
    return uci(name[2:])


def write(folder, name, x, y, starts):
    for suffix, values in (("x", x), ("y", y), ("s", starts)):
        np.ascontiguousarray(values).tofile(os.path.join(folder, f"{name}{suffix}.f64"))


# ---- a fit: calls note(mse) as it goes

def parts(p, n_in, n_hidden):
    """W1 I×H, b1, W2, b2: the order of libnnblas."""
    at = n_in * n_hidden
    return p[:at].reshape(n_in, n_hidden), p[at:at + n_hidden], p[at + n_hidden:at + 2 * n_hidden], p[-1]


def scipy_lm(x, y, p, n_hidden, note):
    from scipy.optimize import least_squares
    n_in = x.shape[1]

    def residuals(q):
        W, b, v, c = parts(q, n_in, n_hidden)
        r = np.tanh(x @ W + b) @ v + c - y
        note(r @ r / len(y))
        return r

    def jacobian(q):
        W, b, v, _ = parts(q, n_in, n_hidden)
        a = np.tanh(x @ W + b)
        d = (1 - a * a) * v
        return np.hstack([(x[:, :, None] * d[:, None, :]).reshape(len(y), -1), d, a, np.ones((len(y), 1))])

    least_squares(residuals, p, jacobian, method="lm", ftol=1e-15, xtol=1e-15, gtol=1e-15, max_nfev=100000)


def torch_lbfgs(x, y, p, n_hidden, note):
    import torch
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    X, Y = torch.from_numpy(x), torch.from_numpy(y)
    W, b, v, c = [torch.tensor(np.array(part), requires_grad=True) for part in parts(p, x.shape[1], n_hidden)]
    optim = torch.optim.LBFGS([W, b, v, c], lr=1, max_iter=20000, max_eval=100000, tolerance_grad=0, tolerance_change=0,
                              history_size=20, line_search_fn="strong_wolfe")

    def closure():
        optim.zero_grad()
        loss = ((torch.tanh(X @ W + b) @ v + c - Y) ** 2).mean()
        loss.backward()
        note(loss.item())
        return loss

    for _ in range(3):
        optim.step(closure)


def run_python(name, peer, fit, x, y, starts):
    _, n_hidden, targets = WORKLOADS[name]
    ms = np.full((len(targets), STARTS), np.inf)
    try:
        fit(x, y, starts[0].copy(), n_hidden, stop_after(3))
    except Arrived:
        pass
    for s in range(STARTS):
        began = time.thread_time()

        def note(mse):
            now = time.thread_time() - began
            for k, target in enumerate(targets):
                if mse <= target and np.isinf(ms[k, s]):
                    ms[k, s] = 1e3 * now
            if mse <= targets[-1] or now > LIMIT:
                raise Arrived

        try:
            fit(x, y, starts[s].copy(), n_hidden, note)
        except Arrived:
            pass
    return [{"peer": peer, "workload": f"{name} mse<={t:g}", "value": float(np.median(row)),
             "reached": f"{np.isfinite(row).sum()}/{STARTS}"} for t, row in zip(targets, ms)]


def stop_after(calls):
    """A note that warms up: what is loaded on the first calls does not count."""
    left = [calls]

    def note(_):
        left[0] -= 1
        if left[0] == 0:
            raise Arrived
    return note


# ---- programs

def lines_of(command, folder):
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ, PB_DATA=folder))
    if done.returncode:
        print(f"{command[0]}: {done.stderr.strip()}", file=sys.stderr)
        return []
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def run_nnet(name, folder):
    n_in, n_hidden, targets = WORKLOADS[name]
    return lines_of(["Rscript", os.path.join(HERE, "w6_nnet.R"), name, str(n_in), str(n_hidden),
                     ",".join(f"{t:g}" for t in targets)], folder)


def has(module):
    try:
        __import__(module)
        return True
    except ImportError:
        return False


def run_all(name, slot, folder, x, y, starts):
    rows = lines_of([slot, name, "f64", "1"], folder)
    if has("scipy"):
        rows += run_python(name, "scipy-lm", scipy_lm, x, y, starts)
    if has("torch"):
        rows += run_python(name, "torch-lbfgs", torch_lbfgs, x, y, starts)
    if shutil.which("Rscript"):
        rows += run_nnet(name, folder)
    return rows


def cell(rows):
    """The median of the rounds; how many starts arrived is that of the worst."""
    if not rows:
        return "–"
    values = [np.inf if r["value"] is None else r["value"] for r in rows]
    value, reached = np.median(values), min((r["reached"] for r in rows), key=lambda text: int(text.split("/")[0]))
    return f"{value:.3g} ({reached})" if np.isfinite(value) else f"∞ ({reached})"


def compare(name, slot, folder):
    data = make_data(name)
    if data is None:
        print(f"{name}: no data; set NNBLAS_DATA", file=sys.stderr)
        return
    x, y = data
    n_in, n_hidden, targets = WORKLOADS[name]
    starts = np.random.default_rng(7).uniform(-.7, .7, (STARTS, (n_in + 2) * n_hidden + 1))
    write(folder, name, x, y, starts)
    rows = [row for _ in range(ROUNDS) for row in run_all(name, slot, folder, x, y, starts)]
    peers = list(dict.fromkeys(r["peer"] for r in rows))
    print(f"\n{name}: ms of processor time to a mean squared error, median of {STARTS} starts (starts that arrived), "
          f"of {ROUNDS} rounds\n")
    print("| mse | " + " | ".join(peers) + " |\n|---|" + "---|" * len(peers))
    for t in targets:
        cells = [cell([r for r in rows if r["peer"] == peer and r["workload"] == f"{name} mse<={t:g}"]) for peer in peers]
        print(f"| {t:g} | " + " | ".join(cells) + " |")
    sys.stdout.flush()


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[2:] or WORKLOADS:
            compare(name, os.path.abspath(sys.argv[1]), folder)


main()
