#!/usr/bin/env python3
"""Refuses circles of files within a module of lib/, and names of source files that are there twice.

  file_circles.py LIB BUILD/lib

A file is a source with the header of the same name.  Two rules: no circle of files that use each other's symbols (as the
objects in the archives say), and none of files that include each other's headers.  Exit status 1, and a line for each
offence.
"""
import collections
import pathlib
import re
import subprocess
import sys

from module_order import SEES, archives


def plain(symbol):
    """The same for both precisions."""
    return re.sub(r"^nnbf_", "nnb_", symbol)


def included(folder):
    """file -> {file it includes: header}."""
    needs = collections.defaultdict(dict)
    paths = {path.name: path for path in folder.rglob("*.[ch]")}
    for path in paths.values():
        for header in re.findall(r'^\s*#\s*include\s*"([^"]+)"', path.read_text(encoding="utf-8"), flags=re.M):
            name = pathlib.PurePosixPath(header).name
            if name in paths and paths[name].stem != path.stem:
                needs[path.stem][paths[name].stem] = name
    return needs


def used(lib, build, module):
    """file -> {file that defines a symbol it uses: the symbol}."""
    # An object is named by the path of its source: num/blas/blas.c is in num_blas_blas.c.o.
    sources = {"_".join(path.relative_to(lib).with_suffix("").parts): path.stem for path in (lib / module).rglob("*.c")}
    defined, wanted = collections.defaultdict(set), collections.defaultdict(set)
    for archive in archives(build, module):
        out = subprocess.run(["nm", "-A", "-g", str(archive)], check=True, capture_output=True, text=True).stdout
        for file, kind, symbol in re.findall(r"([\w.]+)\.c\.o:\S* +([A-Za-z]) _?(nnbf?_\w+)$", out, flags=re.M):
            file = next((stem for name, stem in sources.items() if f"_{file}".endswith(f"_{name}")), file)
            if kind in "Uwv":
                wanted[file].add(plain(symbol))
            else:
                defined[plain(symbol)].add(file)
    needs = collections.defaultdict(dict)
    for file, symbols in wanted.items():
        for symbol in symbols:
            for owner in defined.get(symbol, set()) - {file}:
                needs[file].setdefault(owner, symbol)
    return needs


def circles(needs):
    """The strongly connected parts of more than one file (Tarjan 1972)."""
    index, low, stack, found = {}, {}, [], []

    def visit(file):
        index[file] = low[file] = len(index)
        stack.append(file)
        for other in needs.get(file, {}):
            if other not in index:
                visit(other)
                low[file] = min(low[file], low[other])
            elif other in stack:
                low[file] = min(low[file], index[other])
        if low[file] == index[file]:
            part = stack[stack.index(file):]
            del stack[stack.index(file):]
            if len(part) > 1:
                found.append(sorted(part))

    for file in list(needs):
        if file not in index:
            visit(file)
    return sorted(found)


def check_module(lib, build, module):
    offences = []
    for needs, way in ((used(lib, build, module), "use"), (included(lib / module), "include")):
        for part in circles(needs):
            ways = [f"{a} {b} ({needs[a][b]})" for a in part for b in part if b in needs[a]]
            offences.append(f"{module}: {', '.join(part)} {way} each other: {'; '.join(ways)}")
    return offences


def check_names(lib):
    """A name stands for one source in the whole library, so that a message, a profile and a talk can use it."""
    places = collections.defaultdict(list)
    for path in sorted(lib.rglob("*.[ch]")):
        places[path.name].append(path.relative_to(lib).as_posix())
    return [f"{name} is there twice: {', '.join(where)}" for name, where in places.items() if len(where) > 1]


def main(argv):
    if len(argv) != 2:
        sys.exit(__doc__)
    lib, build = map(pathlib.Path, argv)
    if not any(archives(build, module) for module in SEES):
        sys.exit(f"no archive of a module in {build}")
    offences = check_names(lib)
    for module in SEES:
        offences += check_module(lib, build, module)
    print("\n".join(offences) or "no circles")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
