#!/usr/bin/env python3
"""Compares nnb_activation and nnb_loss in core.h with activations.def and losses.def.

  core_lists.py SOURCE

The enumerators are the same, in the same order; each has a comment; the name in strings is the enumerator's in lower
case, without NNB_; the comment of an activation names its initial weights.  Exit status 1, and a line for each offence,
if not.
"""
import pathlib
import re
import sys


def enumerators(header, enum):
    """The enumerators of an enumeration and their comments, without those that only count or begin a range."""
    body = re.search(rf"typedef enum {enum} \{{(.*?)\}} {enum};", header, flags=re.S)[1]
    found = re.findall(r"(NNB_\w+)\s*(?:=[^,/]*)?,?\s*(?:/\*\*<(.*?)\*/)?", body, flags=re.S)
    return {name: comment for name, comment in found if not re.match(r"NNB_(N|OWN)_", name)}


def entries(text, macro):
    """The columns of each entry of a list; comments are left out."""
    text = re.sub(r"/\*.*?\*/|^#.*?(?<!\\)$", "", text, flags=re.S | re.M)
    return [[c.strip() for c in m.split(",")] for m in re.findall(rf"^{macro}\((.*?)\)$", text, flags=re.S | re.M)]


def offences(header, activations, losses):
    for enum, macro, listed, first in [
        ("nnb_activation", "ACTIVATION", activations, []),
        ("nnb_loss", "LOSS", losses, ["NNB_LOSS_AUTO"]),
    ]:
        public, private = enumerators(header, enum), entries(listed, macro)
        names = first + [e[0] for e in private]
        if list(public) != names:
            yield f"{enum} in core.h has {', '.join(public)}; the list has {', '.join(names)}"
            continue
        yield from (f"{name} has no comment in core.h" for name, comment in public.items() if not comment)
        for name, in_strings, *rest in private:
            if in_strings != name[len("NNB_") :].lower():
                yield f"{name} is called {in_strings}"
            init = rest[1][len("NNB_INIT_") :].lower()
            if macro == "ACTIVATION" and not re.search(rf"\b{init}\b", public[name]):
                yield f"the comment of {name} in core.h does not name its initial weights, {init}"


def main(argv):
    root = pathlib.Path(argv[0])
    names = ["include/nnblas/core.h", "lib/base/activations.def", "lib/base/losses.def"]
    found = list(offences(*((root / n).read_text(encoding="utf-8") for n in names)))
    print("\n".join(found) or "the same")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
