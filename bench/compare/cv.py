#!/usr/bin/env python3
"""`nnblas cv` with nothing chosen beside scikit-learn's MLP with the same net, on six small tables.

    NNBLAS_DATA=FOLDER python3 bench/compare/cv.py BUILD [TABLE ...]

5 folds, 20 tanh, standardised by the training rows.  Accuracy, or RMSE; ±: the standard error of the mean, corrected for
shared training rows (Nadeau and Bengio 2003).  Seconds are processor time of the process and its children."""
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings

from tables import np, read_table

warnings.filterwarnings("ignore")
from sklearn.compose import TransformedTargetRegressor  # noqa: E402
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score  # noqa: E402
from sklearn.neural_network import MLPClassifier, MLPRegressor  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

TABLES, FOLDS = ("wine", "wdbc", "iris", "digits", "diabetes", "concrete"), 5


def ours(build, x, y, classes):
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as f:
        np.savetxt(f, np.column_stack([x, y]), delimiter=",", fmt="%.17g")
        f.flush()
        words = [f"{build}/cli/nnblas", "cv", f.name, "--no-header", "--json", "--threads=1"]
        words += ["--classes"] * bool(classes)
        before = os.times()
        out = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
        after = os.times()
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    return out["mean"], out["standard_error"], seconds


def sklearn(x, y, classes):
    net = (MLPClassifier if classes else MLPRegressor)((20,), activation="tanh", random_state=0)
    model = make_pipeline(StandardScaler(), net)
    if not classes:
        model = TransformedTargetRegressor(model, transformer=StandardScaler())
    parts = (StratifiedKFold if classes else KFold)(FOLDS, shuffle=True, random_state=0)
    before = time.process_time()
    scores = cross_val_score(model, x, y, cv=parts, scoring="accuracy" if classes else "neg_root_mean_squared_error")
    seconds = time.process_time() - before
    return abs(scores.mean()), scores.std(ddof=1) * (1 / FOLDS + 1 / (FOLDS - 1)) ** 0.5, seconds


def main():
    build, *names = sys.argv[1:]
    print("| table | score | nnblas cv | s | scikit-learn | s |\n|---|---|---|---|---|---|")
    for name in names or TABLES:
        x, y, classes = read_table(name)
        a, b = ours(build, x, y, classes), sklearn(x, y, classes)
        cells = " | ".join(f"{mean:.4g} ± {error:.2g} | {seconds:.3g}" for mean, error, seconds in (a, b))
        print(f"| {name} | {'accuracy' if classes else 'RMSE'} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
