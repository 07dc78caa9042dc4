#!/usr/bin/env python3
"""Quotations in docs/ are true: a quoted text (> …) and a row of a table of workloads stand in the page that the last link
before them names, word by word.

  test_quotes.py SOURCE
"""
import pathlib
import re
import sys


def words(text):
    return " ".join(text.split())


def quoted(text):
    """(quotation, the page that the last link before it names)"""
    for match in re.finditer(r"(?:^>[^\n]*\n)+|^\| W\d[^\n]*\n", text, flags=re.M):
        links = re.findall(r"\]\(([\w./]+\.md)\)", text[: match.start()])
        yield words(re.sub(r"^> ?", "", match[0], flags=re.M)), links[-1] if links else None


def main(argv):
    docs = pathlib.Path(argv[0]) / "docs"
    wrong, number = [], 0
    for path in sorted(docs.glob("*.md")):
        if path.name == "performance.md":  # it has the tables
            continue
        for text, page in quoted(path.read_text(encoding="utf-8")):
            number += 1
            if not page or text not in words((docs / page).read_text(encoding="utf-8")):
                wrong.append(f"{path.name} quotes what {page} does not say: {text}")
    if number < 5:
        wrong.append("hardly a quotation was found: this test does not see them")
    print("\n".join(wrong) or f"{number} quotations")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
