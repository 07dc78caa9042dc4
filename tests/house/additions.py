#!/usr/bin/env python3
"""Adds an activation and a loss to a copy of the sources, by the words of CONTRIBUTING.md alone, and runs the tests.

  additions.py SOURCE MESON

Each insertion is an indented block behind a paragraph that says "In `file`, above `line`".  The files must be those
that the table of additions names.  Then an activation and a loss of a whole row follow (ROWWISE_PARTS below), which
executors for chains have to decline.  Exit status 1, with what failed, if a test fails.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TESTS = ["act", "loss", "net", "model", "chain_rows", "chain_blocks", "gradient"]

ROWWISE_PARTS = [
    ("include/nnblas/core.h", "NNB_N_ACTIVATIONS,", "NNB_LESS_MEAN, /**< z minus half the mean of its row, glorot_uniform */"),
    ("include/nnblas/core.h", "NNB_N_LOSSES,", "NNB_MOMENT, /**< ½ Σ w_i (Σ_j j (t-a))² */"),
    (
        "lib/base/activations.def",
        "#undef ACTIVATION",
        "ACTIVATION(NNB_LESS_MEAN, less_mean, LAYERWISE, NNB_INIT_GLOROT_UNIFORM, NNB_MSE)",
    ),
    ("lib/base/losses.def", "#undef LOSS", "LOSS(NNB_MOMENT, moment, LAYERWISE, moment, 0, 0, NULL, UNFUSED)"),
    (
        "lib/num/kernels/act.c",
        "/* ---- the table",
        """static void less_mean_row(int n, const real *z, real *a) {
  real mean = 0;
  for (int j = 0; j < n; j++) mean += z[j] / (real)n;
  for (int j = 0; j < n; j++) a[j] = z[j] - mean / 2;
}
static void less_mean_pull_row(int n, const real *a, real *d) { (void)a, less_mean_row(n, d, d); }
static void less_mean_view(const nnb_act_ops *self, nnb_cmat z, nnb_mat a) {
  (void)self, map_rows(z, a, less_mean_row);
}
static void less_mean_view_pull(const nnb_act_ops *self, nnb_cmat z, nnb_cmat a, nnb_mat d) {
  (void)self, (void)z, pull_rows(a, d, less_mean_pull_row);
}
""",
    ),
    (
        "lib/num/kernels/loss.c",
        "/* ---- the table",
        """static double moment(const nnb_loss_ops *self, nnb_cmat a, const nnb_batch *batch, real scale, nnb_mat da) {
  (void)self;
  double loss = 0;
  for (int i = 0; i < a.rows; i++) {
    const real w = batch->weight ? batch->weight[i] : 1;
    double r = 0;
    for (int j = 0; j < a.cols; j++) {
      const int class = batch->label ? batch->label[i] : 0;
      const real t = !batch->label ? nnb__crow(batch->t, i)[j] : (real)(a.cols > 1 ? class == j : class);
      r += (j + 1) * (double)(nnb__crow(a, i)[j] - t);
    }
    if (w != 0) loss += (double)w * r * r / 2;
    for (int j = 0; j < a.cols && da.p; j++) nnb__row(da, i)[j] = w != 0 ? scale * w * (real)((j + 1) * r) : 0;
  }
  return loss;
}
""",
    ),
]


def copy_sources(source, copy):
    """All but what is built and what Git keeps."""
    shutil.copytree(source, copy, ignore=lambda folder, names: [
        name for name in names if pathlib.Path(folder) == source and (name.startswith("build") or name == ".git")])


def insertions(text):
    """(file, line to insert above, what) for each block of the example, in order."""
    example = re.search(r"^### Example: an activation and a loss$(.*?)^## ", text, flags=re.M | re.S)[1]
    file, found = None, []
    for paragraph, block in re.findall(r"((?:^\S.*\n)+)\n((?:^(?:    .*)?\n)+)", example, flags=re.M):
        words = " ".join(paragraph.split())
        named = re.search(r"In `([^`]+)`", words)
        file = named[1] if named else file
        found.append((file, re.search(r"above `([^`]+)`", words)[1], re.sub(r"^    ", "", block, flags=re.M).strip()))
    return found


def files_of(text, addition):
    row = re.search(rf"^\| {addition} \|(.*)\|$", text, flags=re.M)[1]
    return set(re.findall(r"`([\w/]+/[\w.]+)`", row))


def insert(copy, file, line, what):
    path = copy / file
    text = path.read_text(encoding="utf-8")
    places = [m.start() for m in re.finditer(rf"^ *{re.escape(line)}", text, flags=re.M)]
    if not places:
        sys.exit(f"{file} has no line that begins with {line}")
    path.write_text(text[: places[-1]] + what + "\n" + text[places[-1] :], encoding="utf-8")


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout[-6000:]}")
    return done.stdout


def build_and_test(copy, meson):
    build = copy / "build"
    options = ["-Dlevels=none", "-Dbench=false", "-Dexamples=false", "-Dcommand=false", "-Ddefault_library=static", "-Doptimization=1"]
    run(*meson, "setup", build, *options, cwd=copy)
    names = [n + p for n in TESTS for p in ("", "_f")]
    text = run("ninja", "-C", build, *(f"tests/test_{n}" for n in names))
    warnings = re.findall(r"^\S+: warning: .*", text, flags=re.M)
    if warnings:
        sys.exit("\n".join(warnings))
    run(*meson, "test", "-C", build, "--no-rebuild", "--print-errorlogs", *names, "core_lists")


def main(argv):
    source, meson = pathlib.Path(argv[0]), argv[1:]
    text = (source / "CONTRIBUTING.md").read_text(encoding="utf-8")
    example = insertions(text)
    touched, named = {file for file, _, _ in example}, files_of(text, "activation") | files_of(text, "loss")
    if touched != named:
        sys.exit(f"the table names {sorted(named)}, the example touches {sorted(touched)}")
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "copy"
        copy_sources(source, copy)
        for insertion in example + ROWWISE_PARTS:
            insert(copy, *insertion)
        build_and_test(copy, meson)
    print(f"{len(example)} insertions of CONTRIBUTING.md hold")
    return 0


if __name__ == "__main__":
    os.environ.pop("NINJA_STATUS", None)
    sys.exit(main(sys.argv[1:]))
