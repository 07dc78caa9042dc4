#!/usr/bin/env python3
"""Programs that were compiled with the headers of a released version, on the shared library of today.

  abi_program.py freeze ROOT             keeps the headers and tests/abi/program.c under the version in core.h
  abi_program.py run ROOT LIBRARY CC...  for each version kept: no field has moved, and its program runs

A version is a folder tests/abi/X.Y.Z with include/ and program.c.  Its layouts and program must hold for every later
version with the same major number before 1.0 (0.x), or from 1.0 on.  run also makes mutated copies of the headers, and
fails if one of them is not noticed, by the layouts and by the program.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import abi

# What a careless change would do: a field in front, another type, two fields exchanged, an enumerator in between.  The last value: whether the
# program must notice at run time as well.
MUTATIONS = (
    ("core.h", "  int max_epochs;", "  int before_max_epochs;\n  double x_;\n  int max_epochs;", True),
    ("core.h", "  int64_t updates;  /**<", "  int64_t y_[2], updates;  /**<", True),
    ("extend.h", "  nnb_mat z; ", "  nnb_mat z_, z; ", True),
    ("extend.h", "  const nnb_attr *attrs;", "  const nnb_attr *attrs_, *attrs;", True),
    ("typed.h", "  unsigned want; ", "  double w_; unsigned want; ", True),
    ("core.h", '  X(NNB_LION, "lion")', '  X(NNB_BEFORE, "before") X(NNB_LION, "lion")', False),
    ("core.h", "  int64_t rows, updates;", "  int64_t updates, rows;", True),
)


def layouts(include, cc):
    return abi.as_table(abi.measure(str(include), cc))


def moved(before, now, cc):
    """Fields and enumerators of the headers `before` that are elsewhere, of another size or missing in `now`."""
    return list(abi.differences(layouts(before, cc), layouts(now, cc), False))


def run_program(source, include, library, cc, folder, seconds=120):
    """What is wrong with a program of those headers, or None."""
    exe = pathlib.Path(folder) / "program"
    built = subprocess.run([*cc, "-std=c11", "-w", "-I", str(include), str(source), str(library), "-lm", "-o", str(exe)],
                           capture_output=True, text=True)
    if built.returncode:
        return "does not build: " + built.stderr[-800:]
    env = dict(os.environ, LD_LIBRARY_PATH=str(pathlib.Path(library).resolve().parent))
    try:
        done = subprocess.run([str(exe)], capture_output=True, text=True, env=env, timeout=seconds)
    except subprocess.TimeoutExpired:
        return "does not end"
    return None if done.returncode == 0 else f"ended with {done.returncode}: {done.stdout}{done.stderr}"


def mutants_noticed(source, include, library, cc):
    """Lines for each mutation that nothing noticed."""
    for number, (header, old, new, at_run_time) in enumerate(MUTATIONS):
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / "include"
            shutil.copytree(include, copy)
            file = copy / "nnblas" / header
            text = file.read_text(encoding="utf-8")
            if text.count(old) < 1:
                yield f"mutation {number}: {header} has no {old!r}"
                continue
            file.write_text(text.replace(old, new, 1), encoding="utf-8")
            if not moved(copy, include, cc):
                yield f"mutation {number} ({new!r}): the layouts do not show it"
            if at_run_time and run_program(source, copy, library, cc, folder, 10) is None:  # it reads garbage, and may not end
                yield f"mutation {number} ({new!r}): the program ran as if nothing had changed"


def run(root, library, cc):
    include, program = root / "include", root / "tests/abi/program.c"
    versions = sorted(p for p in (root / "tests/abi").iterdir() if p.is_dir())
    with tempfile.TemporaryDirectory() as folder:
        wrong = [f"today: {wrong}" for wrong in [run_program(program, include, library, cc, folder)] if wrong]
        for version in versions:
            wrong += [f"{version.name}: {line}" for line in moved(version / "include", include, cc)]
            bad = run_program(version / "program.c", version / "include", library, cc, folder)
            wrong += [f"{version.name}: its program {bad}"] if bad else []
    wrong += mutants_noticed(program, include, library, cc)
    print("\n".join(wrong) or f"programs of {', '.join(v.name for v in versions) or 'no released version'} and of today run")
    return 1 if wrong else 0


def freeze(root):
    text = (root / "include/nnblas/core.h").read_text(encoding="utf-8")
    version = ".".join(re.search(rf"#define NNB_VERSION_{part} (\d+)", text).group(1) for part in ("MAJOR", "MINOR", "PATCH"))
    to = root / "tests/abi" / version
    if to.exists():
        sys.exit(f"{to} exists: a version that was released stays as it is")
    shutil.copytree(root / "include", to / "include", ignore=shutil.ignore_patterns("meson.build"))
    shutil.copy(root / "tests/abi/program.c", to / "program.c")
    print(f"kept in {to}")
    return 0


def main(argv):
    if len(argv) == 2 and argv[0] == "freeze":
        return freeze(pathlib.Path(argv[1]))
    if len(argv) < 4 or argv[0] != "run":
        sys.exit(__doc__)
    return run(pathlib.Path(argv[1]), argv[2], argv[3:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
