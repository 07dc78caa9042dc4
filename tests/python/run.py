#!/usr/bin/env python3
"""Runs a file of tests of the Python package with a Python that has what it needs.

  run.py LIBRARY PACKAGE_FOLDER TEST_FILE MODULE...     77, skipped, where no Python has one of the modules
"""
import importlib.util
import os
import subprocess
import sys

SYSTEM = "/usr/bin/python3"


def main(library, package, tests, *modules):
    missing = [module for module in modules if not importlib.util.find_spec(module)]
    if missing:
        if sys.executable != SYSTEM and os.path.exists(SYSTEM):
            os.execv(SYSTEM, [SYSTEM, *sys.argv])  # the system's packages
        print(f"skipped: Python has no {' and no '.join(missing)}")
        return 77
    env = {**os.environ, "NNBLAS_LIBRARY": os.path.abspath(library), "PYTHONPATH": package, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, "-W", "error::ResourceWarning", tests, "-v"], env=env).returncode


sys.exit(main(*sys.argv[1:]))
