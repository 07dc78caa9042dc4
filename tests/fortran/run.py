#!/usr/bin/env python3
"""Compiles the Fortran module and programs with it in an empty folder, and runs them: test_nnblas.f90, the example
bindings/fortran/closure.f90, and the programs of docs/fortran.md, which print the text below them.

  run.py SOURCE LIBRARY_FOLDER GFORTRAN     a gfortran that is "" is skipped; 77 where no compiler is left

Every flang in PATH is taken, whatever its version is called: flang, flang-new, flang-22, flang-new-19.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

PROGRAM = re.compile(r"^```fortran\n(program (\w+)\n.*?)^```\n\n^```text\n(.*?)^```", re.M | re.S)
FLAGS = {"gfortran": ["-std=f2018", "-Wall", "-Wextra", "-Wno-function-elimination", "-Wno-compare-reals", "-fcheck=all", "-O1"],
         "flang": ["-O1"]}
OLDEST_FLANG = 19  # 16 ends with "not yet implemented" for polymorphic types, which type-bound procedures need


def flang_version(compiler):
    text = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"flang\S* version (\d+)", text)
    return int(version.group(1)) if version else 0


def flangs():
    """One of each version, as (version, path), in their order."""
    found = {}
    for folder in os.get_exec_path():
        for path in sorted(pathlib.Path(folder).glob("flang*")):
            if re.fullmatch(r"flang(-new)?(-\d+)?", path.name) and shutil.which(path):
                found.setdefault(flang_version(path), path)
    return sorted(found.items())


def failures(source, libraries, compiler, flags):
    """How many programs fail that this compiler makes."""
    failed, env = 0, {**os.environ, "LD_LIBRARY_PATH": libraries}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([compiler, *flags, "-c", source / "bindings/fortran/nnblas.f90"], cwd=folder, check=True)

        def run(program):
            out = folder / program.stem
            build = [compiler, *flags, program, "nnblas.o", "-o", out, f"-L{libraries}", "-lnnblas"]
            subprocess.run(build, cwd=folder, check=True)
            done = subprocess.run([out], cwd=folder, env=env, stdout=subprocess.PIPE, text=True, check=False)
            print(f"---- {program.name}: status {done.returncode}\n{done.stdout}")
            return done.returncode, done.stdout

        failed += run(source / "tests/fortran/test_nnblas.f90")[0] != 0
        failed += run(source / "bindings/fortran/closure.f90")[0] != 0
        programs = PROGRAM.findall((source / "docs/fortran.md").read_text(encoding="utf-8"))
        for code, stem, wanted in programs:
            (folder / f"{stem}.f90").write_text(code, encoding="utf-8")
            if run(folder / f"{stem}.f90") != (0, wanted):
                print(f"wanted:\n{wanted}")
                failed += 1
        if not programs:
            print("docs/fortran.md has no program: this test does not see it")
            failed += 1
    return failed


def main(source, libraries, gfortran):
    compilers = [("gfortran", gfortran)] if gfortran else []
    if not gfortran:
        print("skipped: gfortran is not installed")
    for version, path in flangs():
        if version >= OLDEST_FLANG:
            compilers.append(("flang", path))
        else:
            print(f"skipped: {path} is version {version}, and {OLDEST_FLANG} is the oldest that translates the module")
    if not any(kind == "flang" for kind, _ in compilers):
        print(f"skipped: no flang of version {OLDEST_FLANG} or later")
    failed = 0
    for kind, compiler in compilers:
        print(f"==== {compiler}")
        failed += failures(pathlib.Path(source), libraries, compiler, FLAGS[kind])
    return int(failed > 0) if compilers else 77


sys.exit(main(*sys.argv[1:]))
