#!/usr/bin/env python3
"""Compares the list of results with the structs of core.h: every field but pointers and the reserve has a line.

  results.py RESULTS_DEF CORE_H

Exit status 1, and a line for each offence, if not.
"""
import pathlib
import re
import sys

from headers import structs


def wanted(declared, name):
    """The paths of the numbers in a struct, in order."""
    for kind, field, _ in declared[name]:
        if kind.startswith("nnb_") and kind in declared:
            yield from (f"{field}.{inner}" for inner in wanted(declared, kind))
        elif "*" not in kind and field != "reserved":
            yield field


def offences(list_text, header_text):
    declared, listed = structs(header_text), {}
    for struct, field in re.findall(r"^RESULT\((\w+), ([\w.]+), \w+\)$", list_text, flags=re.M):
        listed.setdefault(struct, []).append(field)
    if len(listed) < 6:
        yield "too few structs were found: this test does not see the list"
    for struct, fields in listed.items():
        if struct not in declared:
            yield f"core.h has no {struct}"
            continue
        fields_there = list(wanted(declared, struct))
        yield from (f"{struct}.{field} is not in results.def" for field in fields_there if field not in fields)
        yield from (f"{struct} has no number {field}, which is in results.def" for field in fields if field not in fields_there)


def main(argv):
    if len(argv) != 2:
        sys.exit(__doc__)
    found = list(offences(*(pathlib.Path(path).read_text(encoding="utf-8") for path in argv)))
    print("\n".join(found) or "the list and core.h agree")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
