#!/usr/bin/env python3
"""Every file that a text of the repository names exists: links, and paths in backquotes.  README.md has each option of
the build.

  doc_paths.py SOURCE
"""
import pathlib
import re
import sys

TOP = "bindings|lib|include|tests|docs|tools|examples|bench|cli|base|num|opt|nn|data|io|train"


def named(text):
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    links = [t for t in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in t]
    return set(links) | set(re.findall(rf"`((?:{TOP})/[\w.-]+(?:/[\w.-]+)*/?)`", text))


def main(argv):
    root = pathlib.Path(argv[0])
    texts = [*root.glob("*.md"), *root.glob("docs/*.md"), *root.glob("*/README.md"), *root.glob("bindings/*/README.md")]
    found = {t: named(t.read_text(encoding="utf-8")) for t in texts}
    gone = [
        f"{text.relative_to(root)} names {path}, which does not exist"
        for text, paths in sorted(found.items())
        for path in sorted(paths)
        if not any((base / path).exists() for base in (text.parent, root, root / "lib"))
    ]
    options = re.findall(r"^option\('([\w.]+)'", (root / "meson_options.txt").read_text(encoding="utf-8"), flags=re.M)
    readme = (root / "README.md").read_text(encoding="utf-8")
    gone += [f"README.md does not have the option -D{name}" for name in options if f"`-D{name}=`" not in readme]
    if sum(map(len, found.values())) < 10 or len(options) < 5:
        gone.append("hardly a path was found in the texts: this test does not see them")
    print("\n".join(gone) or "all there")
    return 1 if gone else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
