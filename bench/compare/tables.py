#!/usr/bin/env python3
"""How well nets predict that are fitted with nothing chosen: libnnblas beside scikit-learn and R's nnet, on small tables.

    NNBLAS_DATA=FOLDER python3 bench/compare/tables.py BUILD [--scores FILE] [--seeds 10] [--tables a,b] [--nets a,b]
                                                       [--peers a,b] [--seconds S]

Ten tables, three nets (20 tanh; 100 relu; 64 and 64 relu), five folds, for each seed another partition into folds and
other first weights.  Inputs and targets of regressions are standardised by the training rows.  Regressions are scored by
the RMSE on the test rows, classifications by the share of wrong answers, ties broken by the log loss; seconds are
processor time of one thread.

    BUILD           the build folder, with bench/optimisers/defaults and defaults_f32
    --scores FILE   keeps all scores (JSON); a peer's fits that are there are not run again
    --fresh PEERS   but those of these peers are
    --seconds S     stops after so many seconds; the next call goes on with the same FILE
    --aside         instead of the ten tables generated ones, which no default was chosen by
    --mnist         instead: 784-100-10 relu on MNIST by auto and auto_f32, accuracy on the test images for each seed

Peers: auto and auto_f32 (nnb_fit without options), bayes, sklearn (MLPClassifier and MLPRegressor as they are), sklearn_es
(early_stopping=True), nnet (decay 0.01), none (the mean, the largest class).  A peer that is not installed is skipped by
name.  Each row is compared with the better of scikit-learn's two, chosen on the seeds 1000, 1001, …
The test is one-sided, by the t distribution with the variance corrected for overlapping training sets (Nadeau and Bengio
2003; for repeated folds Bouckaert and Frank 2004), with Holm's correction over the rows."""
import argparse
import gzip
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
try:
    import numpy as np
except ImportError:
    sys.exit(f"{sys.argv[0]}: {sys.executable} has no NumPy, which makes the folds; take a Python that has it")

FOLDS, CHOOSING = 5, 1000
NETS = {"20 tanh": ("tanh", [20]), "100 relu": ("relu", [100]), "2x64 relu": ("relu", [64, 64])}
TABLES = {  # file, its separator, lines at the head, classes
    "iris": ("iris/iris.csv", ",", 1, 3), "wine": ("wine/wine_data.csv", ",", 1, 3),
    "wdbc": ("wdbc/breast_cancer.csv", ",", 1, 2), "digits": ("digits/digits.csv.gz", ",", 0, 10),
    "diabetes": ("diabetes/diabetes_data_raw.csv.gz", None, 0, 0),
    **{name: (f"uci-regression/{name}/data.csv.gz", ",", 0, 0) for name in ("concrete", "yacht", "airfoil", "energy", "housing")}}
HERE = os.path.dirname(os.path.abspath(__file__))
OURS = {"auto": ("defaults", ""), "auto_f32": ("defaults_f32", ""), "bayes": ("defaults", "bayes")}
PEERS = [*OURS, "sklearn", "sklearn_es", "nnet", "none"]
SKLEARN = ("sklearn", "sklearn_es")


# ---- the tables and their folds

def numbers(path, separator=",", skip=0):
    opened = gzip.open(path, "rt") if path.endswith(".gz") else open(path)
    with opened as f:
        return np.array([[float(v) for v in line.split(separator)] for line in list(f)[skip:] if line.strip()])


def read_table(name):
    """Inputs, targets or class numbers, and the number of classes."""
    path, separator, skip, classes = TABLES[name]
    folder = os.environ["NNBLAS_DATA"]
    rows = numbers(os.path.join(folder, path), separator, skip)
    if name == "diabetes":
        rows = np.hstack([rows, numbers(os.path.join(folder, "diabetes/diabetes_target.csv.gz"), None)])
    return rows[:, :-1], rows[:, -1], classes


def generated():
    """Tables that no default was chosen by; Friedman's three (1991) with noise of a quarter of the spread."""
    rng = np.random.default_rng(0)

    def noisy(y, part=0.25):
        return y + part * y.std() * rng.standard_normal(len(y))

    def friedman(n):
        a = rng.uniform([0, 40 * np.pi, 0, 1], [100, 560 * np.pi, 1, 11], (n, 4))
        return a, a[:, 1] * a[:, 2] - 1 / (a[:, 1] * a[:, 3])
    u, near = rng.uniform(size=(400, 10)), rng.uniform(-10, 10, (200, 1))
    (a, inner), (b, inner_b) = friedman(400), friedman(400)
    turn, arm = rng.uniform(0.3, 2, 300) * 2 * np.pi, np.arange(300) % 2
    spiral = (turn * np.array([np.cos(turn + np.pi * arm), np.sin(turn + np.pi * arm)])).T + 0.3 * rng.standard_normal((300, 2))
    corners, wide = rng.uniform(-1, 1, (300, 4)), rng.standard_normal((60, 100))
    flipped = (corners[:, 0] * corners[:, 1] > 0) ^ (rng.uniform(size=300) < 0.1)
    return {
        "friedman1": (u, noisy(10 * np.sin(np.pi * u[:, 0] * u[:, 1]) + 20 * (u[:, 2] - 0.5) ** 2 + 10 * u[:, 3] + 5 * u[:, 4]), 0),
        "friedman2": (a, noisy(np.hypot(a[:, 0], inner)), 0), "friedman3": (b, noisy(np.arctan(inner_b / b[:, 0])), 0),
        "sinc": (near, noisy(np.sinc(near[:, 0] / np.pi)), 0), "noise": (rng.standard_normal((200, 8)), rng.standard_normal(200), 0),
        "wide": (wide, noisy(wide[:, :5].sum(1), 0.5), 0), "spirals": (spiral, arm.astype(float), 2),
        "xor, 10 % flipped": (corners, flipped.astype(float), 2)}


def folds(x, y, classes, seed):
    """(train, test) row numbers of the five folds; stratified where there are classes."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(x))
    if classes:
        order = order[np.argsort(y[order], kind="stable")]
    for k in range(FOLDS):
        test = np.sort(order[k::FOLDS])
        yield np.setdiff1d(np.arange(len(x)), test), test


def write_fold(path, x, y, classes, seed, train, test):
    with open(path, "wb") as f:
        np.array([len(train), len(test), x.shape[1], classes, seed], np.int32).tofile(f)
        for rows in (train, test):
            x[rows].astype(float).tofile(f)
            y[rows].astype(float).tofile(f)


def standardised(x, y, classes, train):
    def scale(v):
        spread = v[train].std(0)
        return v[train].mean(0), np.where(spread > 0, spread, 1)
    mean, spread = scale(x)
    centre, size = scale(y) if not classes else (0, 1)
    return (x - mean) / spread, (y - centre) / size, size


# ---- the peers: [error, log loss, seconds] of each fold

def score(y, answer, probabilities, seconds, size):
    if probabilities is None:
        return [float(np.sqrt(np.mean((y - answer) ** 2)) * size), None, seconds]
    least = np.finfo(float).eps
    p = np.clip(probabilities[np.arange(len(y)), y.astype(int)], least, 1)
    return [float(np.mean(answer != y)), float(-np.log(p).mean()), seconds]


def run_ours(peer, build, net, files, *flags):
    program, options = OURS[peer]
    activation, widths = NETS[net]
    hidden = "-".join(f"{n}:{activation}" for n in widths)
    done = subprocess.run([os.path.join(build, "bench", "optimisers", program), *flags, hidden, options, *files],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        return str(done.stderr).strip()
    lines = [line.split() for line in done.stdout.splitlines()]
    return [[float(w[0]), None if w[1].endswith("nan") else float(w[1]), float(w[2])] for w in lines]


def run_sklearn(peer, net, data, seed):
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    warnings.filterwarnings("ignore")
    activation, widths = NETS[net]
    x0, y0, classes = data
    out = []
    for train, test in folds(x0, y0, classes, seed):
        x, y, size = standardised(x0, y0, classes, train)
        model = (MLPClassifier if classes else MLPRegressor)(widths, activation=activation, random_state=seed,
                                                             early_stopping=peer == "sklearn_es")
        began = time.process_time()
        model.fit(x[train], y[train])
        seconds = time.process_time() - began
        p = model.predict_proba(x[test]) if classes else None
        out.append(score(y[test], model.predict(x[test]), p, seconds, size))
    return out


def run_nnet(net, files, n_in, n_out):
    widths = NETS[net][1]
    if len(widths) > 1:
        return "has one hidden layer"
    if (n_in + n_out) * widths[0] > 5000:
        return "its matrix of parameters times parameters takes too long"
    if not shutil.which("Rscript"):
        return "there is no Rscript"
    done = subprocess.run(["Rscript", os.path.join(HERE, "tables_nnet.R"), str(widths[0]), *files], capture_output=True,
                          text=True, check=False)
    if done.returncode:
        return (str(done.stderr).strip().splitlines() or ["failed"])[-1]
    return [[None if w == "NA" else float(w) for w in line.split()] for line in done.stdout.splitlines()]


def run_none(data, seed):
    x, y, classes = data
    out = []
    for train, test in folds(x, y, classes, seed):
        if classes:
            share = np.bincount(y[train].astype(int), minlength=classes) / len(train)
            out.append(score(y[test], np.full(len(test), share.argmax()), np.tile(share, (len(test), 1)), 0, 1))
        else:
            out.append(score(y[test], y[train].mean(), None, 0, 1))
    return out


def run_peer(peer, build, table, data, net, seed):
    x, y, classes = data
    if peer == "none":
        return run_none(data, seed)
    if peer in SKLEARN:
        try:
            return run_sklearn(peer, net, data, seed)
        except ImportError as error:
            return str(error)
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for k, (train, test) in enumerate(folds(x, y, classes, seed)):
            files.append(os.path.join(folder, f"{table}{k}"))
            write_fold(files[-1], x, y, classes, seed, train, test)
        return run_nnet(net, files, x.shape[1], max(classes, 1)) if peer == "nnet" else run_ours(peer, build, net, files)


# ---- what is compared

def row_key(table, net):
    return f"{table} | {net}"


def errors(scores, peer, row, seeds):
    """seeds×folds errors of a peer, or None."""
    kept = scores.get(peer, {}).get(row, {})
    if not all(str(s) in kept for s in seeds):
        return None
    return np.array([[fold[0] for fold in kept[str(s)]] for s in seeds])


def seconds_of(scores, peer, row, seeds):
    return float(np.mean([sum(fold[2] for fold in scores[peer][row][str(s)]) for s in seeds])) / FOLDS


def log_losses(scores, peer, row, seeds):
    return float(np.mean([[fold[1] for fold in scores[peer][row][str(s)]] for s in seeds]))


def better_sklearn(scores, row, classes, seeds):
    """The better of the two on the seeds set aside for that; None without them."""
    means = {}
    for peer in SKLEARN:
        e = errors(scores, peer, row, [CHOOSING + s for s in range(len(seeds))])
        e = errors(scores, peer, row, [CHOOSING]) if e is None else e
        if e is not None:
            means[peer] = (e.mean(), log_losses(scores, peer, row, [CHOOSING]) if classes else 0)
    return min(means, key=means.get) if len(means) == len(SKLEARN) else None


def corrected_t(difference):
    """t and p of mean > 0, for repeated folds."""
    from scipy import stats
    d = difference.ravel()
    spread = d.std(ddof=1) * math.sqrt(1 / len(d) + 1 / (FOLDS - 1))
    t = d.mean() / spread if spread > 0 else (math.inf * np.sign(d.mean()) if d.mean() else 0.0)
    return t, float(stats.t.sf(t, len(d) - 1))


def holm(p):
    """Which of the rows are significant at 5 % together."""
    order, out = np.argsort(p), [False] * len(p)
    for rank, i in enumerate(order):
        if p[i] > 0.05 / (len(p) - rank):
            break
        out[i] = True
    return out


def text(scores, peer, row, seeds):
    e = errors(scores, peer, row, seeds)
    if e is None:
        return "–"
    means = e.mean(1)
    error = means.std(ddof=1) / math.sqrt(len(means)) if len(means) > 1 else math.nan
    return f"{e.mean():.4g} ± {error:.2g} ({seconds_of(scores, peer, row, seeds):.2g})"


def judge(scores, peer, rows, seeds, tables):
    """The conditions, one by one, and whether they hold."""
    worse, ratios, p, wins, seconds, below = [], {net: [] for net in NETS}, [], 0, {}, []
    names = []
    for table, net in rows:
        row, classes = row_key(table, net), tables[table][2]
        a, rival = errors(scores, peer, row, seeds), better_sklearn(scores, row, classes, seeds)
        b = errors(scores, rival, row, seeds) if rival else None
        if a is None or b is None:
            continue
        names.append(row)
        p.append(corrected_t(a - b)[1])
        slack = b.mean() + 0.01 if classes else b.mean() * (1.1 if len(tables[table][0]) < 300 else 1.05)
        if a.mean() > slack:
            worse.append(f"{row} ({a.mean():.4g} for {b.mean():.4g})")
        tie = a.mean() == b.mean() and classes
        wins += log_losses(scores, peer, row, seeds) < log_losses(scores, rival, row, seeds) if tie else a.mean() < b.mean()
        if b.mean() > 0:
            ratios[net].append(max(a.mean(), 1e-3 if classes else 0) / b.mean())
        times = seconds.setdefault(net, [0, 0])
        times[0] += seconds_of(scores, peer, row, seeds)
        times[1] += seconds_of(scores, rival, row, seeds)
        base = errors(scores, "none", row, seeds)
        if base is not None and (a.mean(1) > base.mean(1)).any():
            below.append(row)
    if not names:
        return
    print(f"\n## {peer}: {len(names)} of {len(rows)} rows, {len(seeds)} seeds\n")
    significant = [name for name, bad in zip(names, holm(p)) if bad]
    print(f"1. significantly worse: {', '.join(significant) or 'none'}; beyond the margin: {', '.join(worse) or 'none'}")
    print(f"2. better in {wins} of {len(names)}; geometric mean of the ratios of errors:",
          ", ".join(f"{net} {np.exp(np.mean(np.log(r))):.3f}" for net, r in ratios.items() if r))
    print(f"3. a seed worse than the mean or majority predictor: {', '.join(below) or 'none'}")
    total = np.sum(list(seconds.values()), 0)
    print("4. processor time as a part of scikit-learn's:", ", ".join(f"{n} {t[0] / t[1]:.3f}" for n, t in seconds.items()),
          f"; overall {total[0] / total[1]:.3f}")


def report(scores, rows, seeds, tables, peers):
    print("| table, net | " + " | ".join(peers) + " | rival |\n|---" * 1 + "|---" * (len(peers) + 1) + "|")
    for table, net in rows:
        row = row_key(table, net)
        rival = better_sklearn(scores, row, tables[table][2], seeds)
        print(f"| {table}, {net} | " + " | ".join(text(scores, peer, row, seeds) for peer in peers) + f" | {rival or '–'} |")
    for peer in OURS:
        judge(scores, peer, rows, seeds, tables)


# ---- MNIST

def images(kind):
    """Pixels in 0 … 1, and digits."""
    def read(what, head):
        with gzip.open(os.path.join(os.environ["NNBLAS_DATA"], "mnist", f"{kind}-{what}-ubyte.gz")) as f:
            return np.frombuffer(f.read(), np.uint8, offset=head)
    digits = read("labels-idx1", 8)
    return read("images-idx3", 16).reshape(len(digits), -1) / 255, digits


def run_mnist(build, seeds):
    parts = [images(kind) for kind in ("train", "t10k")]
    x, y = (np.concatenate(part) for part in zip(*parts))
    n = len(parts[0][1])
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "mnist")
        results = {"auto": [], "auto_f32": []}
        for seed in range(seeds):
            write_fold(path, x, y, 10, seed, np.arange(n), np.arange(n, len(y)))
            for peer, answers in results.items():
                answer = run_ours(peer, build, "100 relu", [path], "--raw")
                if isinstance(answer, str):
                    sys.exit(answer)
                answers += answer
    for peer, answers in results.items():
        wrong, _, seconds = zip(*answers)
        accuracy = 1 - np.array(wrong)
        print(f"{peer}: accuracy", " ".join(f"{a:.4f}" for a in accuracy), f"mean {accuracy.mean():.4f};",
              f"seconds {min(seconds):.1f} to {max(seconds):.1f}")


# ---- the command

def save(path, scores):
    if path:
        with open(path + ".new", "w") as f:
            json.dump(scores, f)
        os.replace(path + ".new", path)


def run_all(options, tables, rows, scores):
    """Seeds outermost: whatever is cut short, all rows have the same seeds."""
    skipped, deadline = set(), time.monotonic() + options.seconds
    seeds = list(range(options.seeds))
    for seed in [CHOOSING, *seeds]:
        for peer in options.peers:
            if seed == CHOOSING and peer not in SKLEARN:
                continue
            for table, net in rows:
                kept = scores.setdefault(peer, {}).setdefault(row_key(table, net), {})
                if str(seed) in kept or (peer, table, net) in skipped:
                    continue
                if time.monotonic() > deadline:
                    return False
                answer = run_peer(peer, options.build, table, tables[table], net, seed)
                if isinstance(answer, str):
                    print(f"{peer} on {table}, {net}: skipped: {answer}", file=sys.stderr)
                    skipped.add((peer, table, net))
                else:
                    kept[str(seed)] = answer
        save(options.scores, scores)
    return True


def main():
    parser = argparse.ArgumentParser(description="nets with nothing chosen, on small tables")
    parser.add_argument("build")
    parser.add_argument("--scores")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=math.inf)
    parser.add_argument("--tables", type=lambda s: s.split(","))
    parser.add_argument("--nets", type=lambda s: s.split(","), default=list(NETS))
    parser.add_argument("--peers", type=lambda s: s.split(","), default=PEERS)
    parser.add_argument("--fresh", type=lambda s: s.split(","), default=[])
    parser.add_argument("--aside", action="store_true")
    parser.add_argument("--mnist", action="store_true")
    options = parser.parse_args()
    if "NNBLAS_DATA" not in os.environ and not options.aside:
        sys.exit("tables.py: NNBLAS_DATA must name the folder of the data")
    if options.mnist:
        return run_mnist(options.build, options.seeds)
    tables = generated() if options.aside else {name: read_table(name) for name in TABLES}
    rows = [(t, n) for n in options.nets for t in options.tables or tables]
    scores = {}
    if options.scores and os.path.exists(options.scores):
        with open(options.scores) as f:
            scores = json.load(f)
    for peer in options.fresh:
        scores.pop(peer, None)
    done = run_all(options, tables, rows, scores)
    save(options.scores, scores)
    report(scores, rows, list(range(options.seeds)), tables, options.peers)
    if not done:
        print("\nNot finished: stopped by --seconds.")


if __name__ == "__main__":
    main()
