#!/usr/bin/env python3
"""Runs programs of the documentation in an empty folder, one after the other, and compares what the last one prints with
the block of text that follows it.

  run.py DOC CC PROGRAM...     PROGRAM: an executable, or NAME.c: compiled here without the library
"""
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from extract import program  # noqa: E402


def wanted(doc, name):
    text = pathlib.Path(doc).read_text(encoding="utf-8").split(f"/* {name} */", 1)[1]
    block = re.search(r"^```\n(?:(?!^```c).)*?^```text\n(.*?)^```", text, flags=re.M | re.S)
    return block.group(1) if block else ""


def main(doc, compiler, *programs):
    out = name = ""
    with tempfile.TemporaryDirectory() as folder:
        for entry in programs:
            name = pathlib.Path(entry).name if entry.endswith(".c") else pathlib.Path(entry).name + ".c"
            command = [str(pathlib.Path(entry).resolve())]
            if entry.endswith(".c"):
                (pathlib.Path(folder) / entry).write_text(program(doc, entry), encoding="utf-8")
                command = ["./program"]
                subprocess.run([*compiler.split(), "-std=c99", "-O2", "-Wall", "-Wextra", "-pedantic", "-Wconversion",
                                "-Werror", entry, "-o", "program", "-lm"], cwd=folder, check=True)
            out = subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout
    if out != wanted(doc, name):
        print(f"{name} of {doc} prints\n{out}wanted\n{wanted(doc, name)}")
        return 1
    return 0


sys.exit(main(*sys.argv[1:]))
