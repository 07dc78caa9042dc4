#!/usr/bin/env python3
"""The form of the texts: at most 120 columns, and none of the phrases below.

  plain_text.py ROOT

Reads the C sources and the Markdown files of a source tree, without generated files.  Tables, links and code in Markdown may
be longer.  Exit status 1, and a line for each offence, if there is one.
"""
import pathlib
import re
import sys

COLUMNS = 120
FOLDERS = "lib include tests examples bench bindings cli docs .github"
GENERATED = ("float_names.h", "float_on.h", "float_off.h", "golden.h", "optimisers.h")

# A phrase, and what to write instead.
PHRASES = {
    r"one's own": "your own, own",
    r"with a sentence": "with a message",
    r"by heart": "overfits, learns the noise",
    r"hand(ed|s)? (in|over)\b": "passed, passes",
    r"\banew\b": "again, new",
    r"\bfor ever\b": "forever",
    r"\btakes? no notice": "ignore",
    r"and its like\b": "and similar ones",
    r"\brungs?\b": "levels",
    r"\bso many (rows|bytes|numbers|columns|times|threads|steps)\b": "this many",
}


def prose(lines):
    """The lines of a Markdown file that can be wrapped, with their numbers."""
    code = False
    for number, line in enumerate(lines, 1):
        if line.startswith("```"):
            code = not code
        elif not code and not line.startswith(("|", "    ")) and "](" not in line and "://" not in line:
            yield number, line


def offences(name, text):
    lines = text.splitlines()
    for number, line in prose(lines) if name.endswith(".md") else enumerate(lines, 1):
        if len(line) > COLUMNS:
            yield f"{name}:{number}: {len(line)} columns; wanted at most {COLUMNS}"
    flat = re.sub(r"\s+(?:/?\*+ +)?", lambda m: "\n" if "\n" in m[0] else " ", text)
    for phrase, instead in PHRASES.items():
        for found in re.finditer(phrase.replace(" ", r"\s"), flat, flags=re.I):
            words = found[0].replace("\n", " ")
            yield f'{name}: "{words}"; write: {instead}'


def files(root):
    found = [*root.glob("*.md"), *(path for folder in FOLDERS.split() for path in (root / folder).rglob("*"))]
    return sorted(p for p in found if p.suffix in (".c", ".h", ".def", ".md") and p.name not in GENERATED)


def main(argv):
    root = pathlib.Path(argv[0])
    texts = files(root)
    found = [line for path in texts for line in offences(str(path.relative_to(root)), path.read_text(encoding="utf-8"))]
    if len(texts) < 100:
        found.append("hardly a file was found: this test does not see the tree")
    print("\n".join(found) or "plain")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
