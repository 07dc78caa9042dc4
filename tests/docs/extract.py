#!/usr/bin/env python3
"""Programs in the documentation: blocks of C whose first line is a comment with the name of the file.

  extract.py DOC NAME.c OUT     writes one of them
"""
import pathlib
import re
import sys


def program(doc, name):
    text = pathlib.Path(doc).read_text(encoding="utf-8")
    found = re.findall(rf"^```c\n(/\* {re.escape(name)} \*/\n.*?)^```", text, flags=re.M | re.S)
    if len(found) != 1:
        sys.exit(f"{doc} has {len(found)} programs {name}; wanted 1")
    return found[0]


if __name__ == "__main__":
    pathlib.Path(sys.argv[3]).write_text(program(sys.argv[1], sys.argv[2]), encoding="utf-8")
