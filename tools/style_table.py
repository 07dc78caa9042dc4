#!/usr/bin/env python3
"""Measures the lengths of functions and files.

    style_table.py [ROOT]           prints the table that stands in CONTRIBUTING.md
    style_table.py --check [ROOT]   ends with 1 if a function has more than 60 lines, a median above 10 or a 90th
                                    percentile above 25, in lib/ and include/; or if a number of files in
                                    CONTRIBUTING.md is wrong by more than a tenth

A function is what clang-format lays out so: a line without indentation that ends with "{" and has a "(", up to the next
line "}"; on one line, "… { … }".  Its length counts all of these lines.  Uses the standard library of Python alone.
"""
import os
import re
import sys

FOLDERS = ["lib", "include", "tests", "examples", "bench", "cli"]
LONGEST, MEDIAN, P90 = 60, 10, 25


def sources(root, folder):
    for path, _, files in os.walk(os.path.join(root, folder)):
        for file in sorted(files):
            if file.endswith((".c", ".h")):
                yield os.path.join(path, file)


def functions(lines):
    """(first line, length) of each function."""
    start = None
    for n, line in enumerate(lines, 1):
        if start is None and re.match(r"[A-Za-z_].*\(.*\{ .*\}$", line) and not line.startswith(("#", "typedef", "enum")):
            yield n, 1
        elif re.match(r"[A-Za-z_]", line) and "(" in line and ";" not in line and "=" not in line.split("(")[0]:
            start = n
        if start is not None and line == "}":
            yield start, n - start + 1
            start = None
        elif start is not None and (line.endswith(";") and not line.startswith(" ")):
            start = None


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def stated_files(root):
    """The number of files of each folder in the table of CONTRIBUTING.md."""
    with open(os.path.join(root, "CONTRIBUTING.md"), encoding="utf-8") as f:
        return {m[1]: int(m[2]) for m in re.finditer(r"^ *\| `(\w+)/` (?:\| \d+ ){4}\| (\d+) \| \d+ \|$", f.read(), re.M)}


def main():
    words = [w for w in sys.argv[1:] if w != "--check"]
    root = words[0] if words else "."
    wrong, stated = [], stated_files(root)
    print("| | functions | median | 90 % | longest | files | lines |\n|---|---|---|---|---|---|---|")
    for folder in FOLDERS:
        lengths, n_files, n_lines = [], 0, 0
        for path in sources(root, folder):
            with open(path, encoding="utf-8") as f:
                lines = f.read().split("\n")
            n_files, n_lines = n_files + 1, n_lines + len(lines) - 1
            name = os.path.relpath(path, root)
            for first, length in functions(lines):
                lengths.append(length)
                if length > LONGEST and folder in ("lib", "include"):
                    wrong.append(f"{name}:{first}: a function of {length} lines")
        median, p90 = percentile(lengths, 0.5), percentile(lengths, 0.9)
        print(f"| `{folder}/` | {len(lengths)} | {median} | {p90} | {max(lengths)} | {n_files} | {n_lines} |")
        if abs(stated.get(folder, 0) - n_files) > n_files / 10:
            wrong.append(f"CONTRIBUTING.md: {stated.get(folder, 0)} files in {folder}/; there are {n_files}")
        if folder == "lib" and (median > MEDIAN or p90 > P90):
            wrong.append(f"lib/: median {median}, 90 % {p90}")
    if "--check" in sys.argv:
        print("\n".join(wrong))
        sys.exit(1 if wrong else 0)


main()
