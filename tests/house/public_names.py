#!/usr/bin/env python3
"""Looks at the names that the public headers give to a program.

  public_names.py ours INCLUDE CC...              every macro begins with NNB_ or NNBLAS_, everything else that is declared
                                                  at file scope with nnb_ or nnbf_ (enumerators: NNB_)
  public_names.py exports INCLUDE LIBRARY CC...   what the headers declare as NNB_API is what the shared library exports

Exit status 1, and a line for each offence, if not.
"""
import re
import subprocess
import sys

SYSTEM = "#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <stdio.h>\n"
WORDS = set(
    """typedef struct enum union static inline extern const unsigned signed int double float char void bool _Bool long
    short size_t uint64_t int64_t uint32_t int32_t FILE""".split()
)


def preprocess(cc, include, text, *flags):
    command = [*cc, "-std=c11", "-I", include, "-E", *flags, "-x", "c", "-"]
    return subprocess.run(command, input=text, check=True, capture_output=True, text=True).stdout


def macros(cc, include, text):
    return set(re.findall(r"^#define (\w+)", preprocess(cc, include, text, "-dM"), flags=re.M))


def own_text(cc, include, *flags):
    """The preprocessed text that comes from the library's own headers."""
    lines, ours = [], False
    for line in preprocess(cc, include, "#include <nnblas.h>\n", *flags).splitlines():
        marker = re.match(r'# \d+ "([^"]*)"', line)
        if marker:
            ours = re.search(r"(^|/)nnblas(\.h|/\w+\.h)$", marker.group(1)) is not None
        elif ours and not line.startswith("#"):
            lines.append(line)
    return "\n".join(lines)


def without_nesting(text):
    """Drops strings, parentheses and braces with what is in them, but keeps the names of enumerators."""
    text = re.sub(r'"(\\.|[^"\\])*"', "", text)
    text = re.sub(r"\benum\s*(\w*)\s*\{([^{}]*)\}", lambda m: f"enum {m[1]} {m[2]}", text)
    before = None
    while before != text:
        before, text = text, re.sub(r"\([^(){}]*\)|\{[^{}]*\}", " ", text)
    return text


def check_ours(include, cc):
    offences = [
        f"macro {name}"
        for name in sorted(macros(cc, include, SYSTEM + "#include <nnblas.h>\n") - macros(cc, include, SYSTEM))
        if not re.match(r"NNB(LAS)?_", name)
    ]
    declared = re.findall(r"\b[A-Za-z_]\w*", re.sub(r"=[^,;]*", "", without_nesting(own_text(cc, include))))
    if "nnb_net" not in declared:
        offences.append("no declaration of nnb_net was found: this test does not see the headers")
    ours = re.compile(r"nnbf?_[a-z]|NNB_[A-Z]|__")
    return offences + [f"name {name}" for name in sorted(set(declared) - WORDS) if not ours.match(name)]


def check_exports(include, library, cc):
    text = own_text(cc, include, "-DNNB_BUILDING")
    api = re.compile(r'__attribute__\(\(visibility\("default"\)\)\)[^;]*?\b(nnbf?_\w+)\s*\(')
    declared = set(api.findall(text))
    out = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
    exported = {line.split()[-1] for line in out.splitlines() if line}
    offences = [f"{name} is declared but not exported" for name in sorted(declared - exported)]
    return offences + [f"{name} is exported but not declared" for name in sorted(exported - declared)]


def main(argv):
    if len(argv) >= 3 and argv[0] == "ours":
        offences = check_ours(argv[1], argv[2:])
    elif len(argv) >= 4 and argv[0] == "exports":
        offences = check_exports(argv[1], argv[2], argv[3:])
    else:
        sys.exit(__doc__)
    print("\n".join(offences) or "as declared")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
