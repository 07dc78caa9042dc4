#!/usr/bin/env python3
"""Holds the modules of lib/ to their order, base < num < {opt, nn, data} < io < train.

  module_order.py symbols BUILD/lib   every nnb name a module's archives need is defined in that module or one it may see
  module_order.py includes LIB        cblas.h and lapacke.h are included in one file each

Exit status 1, and a line for each offence, if not.
"""
import pathlib
import re
import subprocess
import sys

SEES = {
    "base": [],
    "num": ["base"],
    "opt": ["num", "base"],
    "nn": ["num", "base"],
    "data": ["num", "base"],
    "io": ["nn", "data", "num", "base"],
    "train": ["io", "opt", "nn", "data", "num", "base"],
}
ONLY = {"cblas.h": "num/blas/blas.c", "lapacke.h": "num/factor/lapack.c"}


def archives(folder, module):
    """Double, single (_f), once; levels of vector instructions (_v3, _v3_f)."""
    return sorted([*folder.glob(f"libnnb_{module}.a"), *folder.glob(f"libnnb_{module}_*.a")])


def symbols(archive):
    """The nnb names an archive defines and those it needs, as two sets."""
    out = subprocess.run(["nm", "-g", str(archive)], check=True, capture_output=True, text=True).stdout
    found = re.findall(r"^[0-9a-fA-F]* *([A-Za-z]) _?(nnbf?_\w+)", out, flags=re.M)
    needed = {name for kind, name in found if kind in "Uwv"}
    defined = {name for kind, name in found if kind not in "Uwv"}
    return defined, needed - defined


def check_symbols(folder):
    defined, needed = {}, {}
    for module in SEES:
        pairs = [symbols(a) for a in archives(folder, module)]
        defined[module] = set().union(*(d for d, _ in pairs))
        needed[module] = set().union(*(n for _, n in pairs))
    if not any(defined.values()):
        return [f"no archive of a module in {folder}"]
    offences = []
    for module, below in SEES.items():
        seen = set().union(defined[module], *(defined[b] for b in below))
        for name in sorted(needed[module] - seen):
            where = [m for m in SEES if name in defined[m]] or ["no module"]
            offences.append(f"{module} needs {name}, which is defined in {', '.join(where)}; {module} may see {below}")
    return offences


def check_includes(folder):
    offences = []
    for path in sorted(folder.rglob("*.[ch]")):
        for header in re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', path.read_text(encoding="utf-8"), flags=re.M):
            name = path.relative_to(folder).as_posix()
            if ONLY.get(pathlib.PurePosixPath(header).name, name) != name:
                offences.append(f"{name} includes {header}; only {ONLY[pathlib.PurePosixPath(header).name]} may")
    return offences


def main(argv):
    checks = {"symbols": check_symbols, "includes": check_includes}
    if len(argv) != 2 or argv[0] not in checks:
        sys.exit(__doc__)
    offences = checks[argv[0]](pathlib.Path(argv[1]))
    print("\n".join(offences) or "in order")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
