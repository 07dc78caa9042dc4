#!/usr/bin/env python3
"""`nnblas cv` with nothing chosen beside scikit-learn's MLP with the same net, on six small tables.

    NNBLAS_DATA=FOLDER python3 bench/compare/cv.py BUILD [TABLE ...]

Five folds, five times with other parts; 20 tanh, inputs and numeric targets standardised by the training rows.  The score
is the accuracy, or the RMSE; ±: the standard error of the mean, corrected for shared training rows (Nadeau and Bengio
2003).  "better by": how far the mean of nnblas is on the better side of scikit-learn's, in standard errors of that.
Seconds are processor time, user and system, of all threads and children: of nnblas the whole process on all processors,
of scikit-learn the fits and predictions without its start, one BLAS thread, with which it takes least.
The status is 1 if nnblas is worse by more than one standard error, or takes more time, on any table."""
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import warnings

from tables import np, read_table

warnings.filterwarnings("ignore")
import sklearn  # noqa: E402
from sklearn.compose import TransformedTargetRegressor  # noqa: E402
from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold, cross_val_score  # noqa: E402
from sklearn.neural_network import MLPClassifier, MLPRegressor  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

TABLES, FOLDS, REPEATS = ("wine", "wdbc", "iris", "digits", "diabetes", "concrete"), 5, 5


def ours(build, x, y, classes):
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as f:
        np.savetxt(f, np.column_stack([x, y]), delimiter=",", fmt="%.17g")
        f.flush()
        words = [f"{build}/cli/nnblas", "cv", f.name, "--no-header", "--json", f"--folds={FOLDS}", f"--repeats={REPEATS}"]
        words += ["--classes"] * bool(classes)
        before = os.times()
        done = subprocess.run(words, check=True, capture_output=True, text=True)
        [out] = json.loads(done.stdout)["metrics"].values()
        after = os.times()
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    return out["mean"], out["standard_error"], seconds


def theirs(x, y, classes):
    net = (MLPClassifier if classes else MLPRegressor)((20,), activation="tanh", random_state=0)
    model = make_pipeline(StandardScaler(), net)
    if not classes:
        model = TransformedTargetRegressor(model, transformer=StandardScaler())
    parts = (RepeatedStratifiedKFold if classes else RepeatedKFold)(n_splits=FOLDS, n_repeats=REPEATS, random_state=0)
    before = time.process_time()
    scores = cross_val_score(model, x, y, cv=parts, scoring="accuracy" if classes else "neg_root_mean_squared_error")
    seconds = time.process_time() - before
    return abs(scores.mean()), scores.std(ddof=1) * (1 / len(scores) + 1 / (FOLDS - 1)) ** 0.5, seconds


def machine():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            names = [line.split(":", 1)[1].strip() for line in f if line.startswith("model name")]
    except OSError:
        names = []
    return f"{os.cpu_count()} processors, {names[0] if names else platform.machine()}"


def main():
    build, *names = sys.argv[1:]
    version = subprocess.run([f"{build}/cli/nnblas", "--version"], check=True, capture_output=True, text=True).stdout
    print(f"{version.strip()}, scikit-learn {sklearn.__version__}, NumPy {np.__version__}; {machine()}\n")
    print("| table | score | nnblas cv | scikit-learn | better by | nnblas, s | scikit-learn, s | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    worse, slower = [], []
    for name in names or TABLES:
        x, y, classes = read_table(name)
        (a, a_error, a_seconds), (b, b_error, b_seconds) = ours(build, x, y, classes), theirs(x, y, classes)
        better = (a - b if classes else b - a) / b_error
        worse += [name] * (better < -1)
        slower += [name] * (a_seconds > b_seconds)
        print(f"| {name} | {'accuracy' if classes else 'RMSE'} | {a:.4g} ± {a_error:.2g} | {b:.4g} ± {b_error:.2g} | "
              f"{round(better, 1) + 0.0:+.1f} | {a_seconds:.2g} | {b_seconds:.2g} | {a_seconds / b_seconds:.2f} |", flush=True)
    print(f"\nworse by more than a standard error: {', '.join(worse) or 'none'}; slower: {', '.join(slower) or 'none'}")
    return bool(worse or slower)


if __name__ == "__main__":
    sys.exit(main())
