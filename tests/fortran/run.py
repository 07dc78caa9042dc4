#!/usr/bin/env python3
"""Compiles the Fortran module and programs with it in an empty folder, and runs them: test_nnblas.f90, the example
bindings/fortran/closure.f90, and the programs of docs/fortran.md, which print the text below them.

  run.py SOURCE LIBRARY_FOLDER GFORTRAN     77, skipped, where GFORTRAN is ""
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

PROGRAM = re.compile(r"^```fortran\n(program (\w+)\n.*?)^```\n\n^```text\n(.*?)^```", re.M | re.S)
FLAGS = ["-std=f2018", "-Wall", "-Wextra", "-Wno-function-elimination", "-Wno-compare-reals", "-fcheck=all", "-O1"]


def main(source, libraries, compiler):
    if not compiler:
        print("skipped: gfortran is not installed")
        return 77
    source, failed = pathlib.Path(source), 0
    env = {**os.environ, "LD_LIBRARY_PATH": libraries}

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([compiler, *FLAGS, "-c", source / "bindings/fortran/nnblas.f90"], cwd=folder, check=True)

        def run(program):
            out = folder / program.stem
            build = [compiler, *FLAGS, program, "nnblas.o", "-o", out, f"-L{libraries}", "-lnnblas"]
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
    return int(failed > 0)


sys.exit(main(*sys.argv[1:]))
