#!/usr/bin/env python3
"""Runs a program and compares the numbers it prints with expected ones.

    check_output.py EXPECTED PROGRAM [ARGUMENT ...]

@OUT@ in an argument is an empty folder that is removed afterwards.  A program prints a number or a matrix as

    name = number ...
           number ...          (further rows hold numbers only)

EXPECTED holds one expectation a line; # starts a comment:

    tolerance 1e-12            absolute, for the lines that follow
    name = number ...          every number of that name, rows one after another
    name < number              likewise >, <=, >=; for each number of that name
    cell ROW COLUMN >= number  COLUMN-th word (from 1) of the one line whose first word is ROW
    file NAME                  exists in the folder and is not empty
    drawing NAME               the same where gnuplot is installed

A program must end with 0, print nothing to stderr, and print every name once.
"""
import operator
import os
import re
import shutil
import subprocess
import sys
import tempfile

COMPARE = {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}


def floats(words):
    """The numbers at the start of a list of words."""
    numbers = []
    for word in words:
        try:
            numbers.append(float(word))
        except ValueError:
            break
    return numbers


def read_output(text):
    """Names to numbers; a name that stands twice is an error."""
    found, current = {}, None
    for line in text.splitlines():
        words = line.split()
        match = re.match(r"\s+(\S+)\s+=\s(.*)", line)
        if match:
            name, current = match.group(1), floats(match.group(2).split())
            if name in found:
                raise SystemExit(f"the output has {name} twice")
            found[name] = current
        elif current is not None and words and len(floats(words)) == len(words):
            current.extend(floats(words))
        else:
            current = None
    return found


def check_equal(name, want, got, tolerance):
    if len(got) != len(want):
        return f"{name}: expected {len(want)} numbers, the output has {len(got)}"
    for i, (w, g) in enumerate(zip(want, got)):
        if not abs(w - g) <= tolerance:
            return f"{name}, number {i + 1}: expected {w!r}, observed {g!r}, tolerance {tolerance}"
    return None


def check_cell(row, column, relation, want, output):
    rows = [line.split() for line in output.splitlines() if line.split()[:1] == [row]]
    if len(rows) != 1:
        return f"cell {row}: {len(rows)} lines start so"
    got = float(rows[0][column - 1])
    return None if COMPARE[relation](got, want) else f"cell {row} {column}: expected {relation} {want}, observed {got}"


def check_file(name, folder):
    path = os.path.join(folder, name)
    return None if os.path.isfile(path) and os.path.getsize(path) > 0 else f"{name} was not written"


def check_line(words, output, numbers, folder, tolerance):
    """What is wrong, or None."""
    if words[0] == "file":
        return check_file(words[1], folder)
    if words[0] == "drawing":
        return check_file(words[1], folder) if shutil.which("gnuplot") else None
    if words[0] == "cell":
        return check_cell(words[1], int(words[2]), words[3], float(words[4]), output)
    name, relation, want = words[0], words[1], [float(w) for w in words[2:]]
    if name not in numbers:
        return f"the output has no {name}"
    if relation == "=":
        return check_equal(name, want, numbers[name], tolerance)
    if all(COMPARE[relation](g, want[0]) for g in numbers[name]) and numbers[name]:
        return None
    return f"{name}: expected {relation} {want[0]}, observed {numbers[name]}"


def main():
    expected, command = sys.argv[1], sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([a.replace("@OUT@", folder) for a in command], capture_output=True, text=True)
        output = done.stdout
        if done.returncode or done.stderr:
            sys.exit(f"{output}\nended with {done.returncode}; stderr: {done.stderr}")
        numbers, tolerance, wrong, checked = read_output(output), 0.0, [], 0
        for line in open(expected, encoding="utf-8"):
            words = line.split("#")[0].split()
            if not words:
                continue
            if words[0] == "tolerance":
                tolerance = float(words[1])
                continue
            checked += 1
            problem = check_line(words, output, numbers, folder, tolerance)
            if problem:
                wrong.append(problem)
    if wrong or not checked:
        sys.exit("\n".join([output] + wrong + [f"{len(wrong)} of {checked} expectations failed"]))
    print(f"{checked} expectations hold")


main()
