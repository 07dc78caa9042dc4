#!/usr/bin/env python3
"""Messages count "1 row" and not "1 rows".

  plurals.py ROOT

Reads the texts in the C sources of lib/ and cli/.  A noun behind a whole number of printf is written "%d row(s)" in the
library's messages (nnb__vformat, lib/base/text.h), elsewhere "%d row%s".  A limit need not be ("at most %d rows"), nor
what is too much.  Exit status 1, and a line for each offence, if there is one.
"""
import pathlib
import re
import sys

LITERAL = re.compile(r'"(?:[^"\\\n]|\\.)*"(?:\s+(?:"(?:[^"\\\n]|\\.)*"|PRI[diu]\w+))*')
NUMBER = re.compile(r"%[-+ #0]*[0-9*]*(?:hh|h|ll|l|z|j|t)?[diu]((?: [a-z-]+){1,4})")
NO_NOUN = {"has", "is", "as", "was", "its", "this", "plus", "does", "times"}
ENDS_IT = {"of", "and", "or", "in", "are", "have", "for", "with", "from", "on", "to", "that", "not", "do"} | NO_NOUN
LIMIT = re.compile(r"((more than|longer than|at most|at least|[01] to|the limit for a file of) |×)$")  # or a shape
TOO_MUCH = re.compile(r"(is|are) (too (many|large|much)|more than an int)|which is too much|needs %zu bytes; an ONNX")
NEVER_ONE = ("%d columns are named", "%d different values", "%d target columns; ", "libnnblas %s, %zu bytes")


def noun(words):
    for word in words.split():
        if word in ENDS_IT:
            return None
        if re.search(r"[^s]s$|sses$", word):
            return word
    return None


def offences(name, text):
    for found in LITERAL.finditer(text):
        literal = re.sub(r'"\s+PRI[diu]\w+\s+"', "d", found[0])
        literal = re.sub(r'"\s+"', "", literal)
        for number in NUMBER.finditer(literal):
            word = noun(number[1])
            if any(phrase in literal for phrase in NEVER_ONE):
                continue
            if word and not LIMIT.search(literal[:number.start()]) and not TOO_MUCH.search(literal):
                line = text.count("\n", 0, found.start()) + 1
                yield f'{name}:{line}: "{number[0]}" has no singular; write {word[:-1]}(s) or {word[:-1]}%s'


def main(root):
    paths = sorted(p for folder in ("lib", "cli") for p in (pathlib.Path(root) / folder).rglob("*.[ch]"))
    wrong = [line for path in paths for line in offences(path.relative_to(root), path.read_text(encoding="utf-8"))]
    print("\n".join(wrong) or ("counted" if paths else f"{root} has no sources"))
    return 1 if wrong or not paths else 0


sys.exit(main(*sys.argv[1:]))
