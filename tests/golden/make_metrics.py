#!/usr/bin/env python3
"""Writes metrics.h: make_metrics.py metrics.h

Metrics by scikit-learn (1.2.1 was used) of predictions that are made here as in test_scores.c: logits z, of which the net makes
softmax or sigmoid, or values; labels or targets; weights.  Each case has all metrics of the whole, then of each part; NO where
scikit-learn has none or another convention (nnb_scores_part)."""
import sys
import textwrap

import numpy as np
from sklearn import metrics as m

NAMES = ["accuracy", "balanced_accuracy", "precision", "recall", "f1", "auc", "log_loss", "mse", "rmse", "mae", "r2"]
NAN = float("nan")


def logits(n, cols):
    i, j = np.arange(n)[:, None], np.arange(cols)[None, :]
    return ((i * 37 + j * 53 + i * j * 11) % 43 - 21) / 8


def labels(n, k):
    i = np.arange(n)
    return (i * 7 + i // 5) % k


def weights(n, weighted):
    return ((np.arange(n) * 5) % 4) / 2 if weighted else np.ones(n)


def area(is_it, score, w):
    return m.roc_auc_score(is_it, score, sample_weight=w) if len(set(is_it[w > 0])) == 2 else NAN


def classes(p, y, k, w):
    said, parts = p.argmax(1), {}
    arguments = {"labels": list(range(k)), "average": None, "zero_division": 0, "sample_weight": w}
    parts["accuracy"] = [m.accuracy_score(y == c, said == c, sample_weight=w) for c in range(k)]
    parts["balanced_accuracy"] = [m.balanced_accuracy_score(y == c, said == c, sample_weight=w) for c in range(k)]
    parts["precision"], parts["recall"] = m.precision_score(y, said, **arguments), m.recall_score(y, said, **arguments)
    parts["f1"] = m.f1_score(y, said, **arguments)
    parts["auc"] = [area(y == c, p[:, c], w) for c in range(k)]
    whole = {
        "accuracy": m.accuracy_score(y, said, sample_weight=w),
        "balanced_accuracy": m.balanced_accuracy_score(y, said, sample_weight=w),
        "precision": m.precision_score(y, said, average="macro", zero_division=0, sample_weight=w),
        "recall": m.recall_score(y, said, average="macro", zero_division=0, sample_weight=w),
        "f1": m.f1_score(y, said, average="macro", zero_division=0, sample_weight=w),
        "auc": np.nanmean(parts["auc"]),
        "log_loss": m.log_loss(y, p, labels=list(range(k)), sample_weight=w),
    }
    if not np.isnan(parts["auc"]).any() and k > 2:
        macro = m.roc_auc_score(y, p, multi_class="ovr", average="macro", sample_weight=w)
        assert abs(macro - whole["auc"]) < 1e-12
    return whole, parts


def multi_label(p, t, w):
    said, cols, parts = (p > 0.5).astype(int), range(t.shape[1]), {}
    arguments = {"zero_division": 0, "sample_weight": w}
    for name, call in (("precision", m.precision_score), ("recall", m.recall_score), ("f1", m.f1_score)):
        parts[name] = [call(t[:, c], said[:, c], **arguments) for c in cols]
    for name, call in (("accuracy", m.accuracy_score), ("balanced_accuracy", m.balanced_accuracy_score)):
        parts[name] = [call(t[:, c], said[:, c], sample_weight=w) for c in cols]
    parts["auc"] = [area(t[:, c], p[:, c], w) for c in cols]
    parts["log_loss"] = [m.log_loss(t[:, c], p[:, c], labels=[0, 1], sample_weight=w) for c in cols]
    whole = {name: np.mean(values) for name, values in parts.items()}
    assert abs(whole["f1"] - m.f1_score(t, said, average="macro", **arguments)) < 1e-12
    assert abs(whole["auc"] - m.roc_auc_score(t, p, average="macro", sample_weight=w)) < 1e-12
    assert abs(whole["accuracy"] - 1 + m.hamming_loss(t, said, sample_weight=w)) < 1e-12
    return add(whole, parts, *values(p, t, w))


def values(y, t, w):
    raw = {"sample_weight": w, "multioutput": "raw_values"}
    parts = {"mse": m.mean_squared_error(t, y, **raw), "mae": m.mean_absolute_error(t, y, **raw), "r2": m.r2_score(t, y, **raw)}
    parts["rmse"] = np.sqrt(parts["mse"])
    parts["r2"] = [NAN if t[:, c].std() == 0 else r for c, r in enumerate(parts["r2"])]
    whole = {"mse": np.mean(parts["mse"]), "mae": np.mean(parts["mae"]), "r2": np.nanmean(parts["r2"])}
    whole["rmse"] = np.sqrt(whole["mse"])
    return whole, parts


def add(whole, parts, more, more_parts):
    return {**whole, **more}, {**parts, **more_parts}


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def cases():
    for weighted in (False, True):
        yield (*classes(softmax(logits(40, 4)), labels(40, 4), 4, weights(40, weighted)), 4)
        yield (*classes(softmax(logits(40, 4)), labels(40, 3), 4, weights(40, weighted)), 4)  # class 3 does not occur
        p = sigmoid(logits(60, 1))
        yield (*classes(np.hstack([1 - p, p]), labels(60, 2), 2, weights(60, weighted)), 2)
        t = (logits(60, 4)[:, 1:] > 0).astype(int)
        yield (*multi_label(sigmoid(logits(60, 3)), t, weights(60, weighted)), 3)
        t = logits(50, 4)[:, 1:] * 2 + 100
        t[:, 2] = 100
        yield (*values(t * 0 + 100 + logits(50, 3), t, weights(50, weighted)), 3)


def wrapped(text, indent):
    return "\n".join(textwrap.wrap(text, 118, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2))) + "\n"


def main():
    def row(numbers):
        return "{" + ", ".join("NO" if np.isnan(x) else repr(float(x)) for x in numbers) + "}"

    with open(sys.argv[1], "w", encoding="utf-8") as f:
        f.write("/* Written by make_metrics.py: metrics by scikit-learn, in the order of NNB_METRIC_LIST. */\n")
        f.write(f"/* clang-format off */\n#define NO ((double)NAN)\nenum {{ GOLDEN_METRICS = {len(NAMES)}, GOLDEN_PARTS = 4 }};\n")
        f.write("static const struct golden_metrics {\n  int n_parts;\n")
        f.write("  double whole[GOLDEN_METRICS], part[GOLDEN_PARTS][GOLDEN_METRICS];\n} golden_metrics[] = {\n")
        for whole, parts, n in cases():
            f.write(wrapped(f"{{{n}, {row([whole.get(name, NAN) for name in NAMES])},", 2))
            rows = [row([parts[name][k] if name in parts else NAN for name in NAMES]) for k in range(n)]
            for k, text in enumerate(rows):
                f.write(wrapped(("{" if k == 0 else "") + text + (",", "}},")[k == n - 1], 4))
        f.write("};\n#undef NO\n/* clang-format on */\n")


main()
