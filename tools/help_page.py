#!/usr/bin/env python3
"""Prints the manual page of a program in the form that man reads, from the text of its --help.

  help_page.py NAME VERSION WHAT PROGRAM      WHAT: what it does, in a few words
"""
import subprocess
import sys


def escaped(line):
    line = line.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + line if line.startswith((".", "'")) else line


def main(argv):
    if len(argv) != 4:
        sys.exit(__doc__)
    name, version, what, program = argv
    text = subprocess.run([program, "--help"], check=True, capture_output=True, text=True).stdout
    head = f'.TH {name.upper()} 1 "" "nnblas {version}" "User Commands"'
    print("\n".join([head, ".SH NAME", escaped(f"{name} - {what}"), ".SH DESCRIPTION", ".nf"]))
    print("\n".join(escaped(line) for line in text.splitlines()))
    print(".fi")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
