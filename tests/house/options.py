#!/usr/bin/env python3
"""Compares the list of options with the structs of core.h: fields, types, and what the comments say.

  options.py OPTIONS_DEF CORE_H

Every option is a field of its structs and every field an option.  Behind a field, the comment begins with the line of
help ("kfac: " may stand before it, and a capital or further words behind it), and says what 0 and -1 stand for and the
range, in the words of the list.  Fields of nnb_optim_opts that nnb_fit_opts explains need no comment.
Exit status 1, and a line for each offence, if not.
"""
import pathlib
import re
import sys

from headers import structs

STRUCTS = {"F": "nnb_fit_opts", "O": "nnb_optim_opts", "M": "nnb_min_opts"}
TYPES = {
    "BOOL": "bool",
    "INT": "int",
    "LONG": "int64_t",
    "SEED": "uint64_t",
    "BYTES": "size_t",
    "REAL": "double",
    "ALGO": "nnb_algo",
    "SCHEDULE": "nnb_schedule",
    "METRICS": "unsigned",
}
RANGES = {"ANY": "", "NOT_NEGATIVE": "", "FINITE": "", "NUMBER": "any number", "UP_TO_1": "0 to 1", "TO_1024": "at most 1024", "BELOW_1": "below 1"}
METHODS = {"PAIRS": "kfac: ", "LIMITED": "lbfgs: ", "BAYES": "lm: ", "SQUARES": "lm and varpro: ", "BOUNDS": "lbfgs and lm: "}


def arguments(text):
    """The arguments of a call whose text is between the parentheses: at commas outside of strings and parentheses."""
    parts, depth, quoted, start = [], 0, False, 0
    for i, c in enumerate(text):
        if c == '"':
            quoted = not quoted
        elif not quoted and c in "()":
            depth += 1 if c == "(" else -1
        elif not quoted and c == "," and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    return [part.strip() for part in [*parts, text[start:]]]


def string(text):
    return "".join(re.findall(r'"([^"]*)"', text))


def options(text):
    """The lines of options.def as tuples."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    for call in re.findall(r"^OPTION\((.*?)\)$", text, flags=re.M | re.S):
        where, name, kind, zero, minus, span, takers, line = arguments(call)
        yield where.replace("_", ""), name, kind, zero, minus, span, takers, string(line)


def phrases(kind, zero, minus, span):
    """What a comment must say besides the help."""
    word, _, rest = zero.partition("(")
    rest = rest[:-1]
    empty = "NULL" if kind == "CODE" else "0"
    wanted = {"IS": f"default {rest}", "DEFAULT": f"default {string(rest)}", "MEANS": f"{empty}: {string(rest)}"}
    result = [wanted[word]] if word in wanted else []
    word, _, rest = minus.partition("(")
    names = {"NONE": "NNB_NONE", "FULL": "NNB_FULL_BATCH"}
    return result + ([f"{names[word]}: {string(rest)}"] if word in names else []) + ([RANGES[span]] if RANGES[span] else [])


def check_field(where, field, option):
    _, name, kind, zero, minus, span, takers, line = option
    ctype, _, comment = field
    place = f"{where}.{name}"
    if kind == "CODE":
        if "*" not in ctype:
            yield f"{place}: the list has a pointer, core.h {ctype}"
    elif ctype != TYPES[kind]:
        yield f"{place}: the list has {TYPES[kind]}, core.h {ctype}"
    if where == "nnb_optim_opts" and "F" in option[0]:
        return
    begins = METHODS.get(takers, "") + line
    if not comment.startswith(begins):
        yield f'{place}: the comment begins "{comment[: len(begins)]}", wanted "{begins}"'
    for phrase in phrases(kind, zero, minus, span):
        if not re.search(re.escape(phrase) + r"(?![0-9])", comment):
            yield f'{place}: the comment does not say "{phrase}"'


def offences(list_text, header_text):
    declared = structs(header_text)
    rows = list(options(list_text))
    if len(rows) < 30 or not all(declared.get(s) for s in STRUCTS.values()):
        yield "too few options or structs were found: this test does not see the list or the header"
        return
    for letter, where in STRUCTS.items():
        mine = {row[1]: row for row in rows if letter in row[0]}
        fields = {name: (kind, name, comment) for kind, name, comment in declared[where]}
        yield from (f"{where}.{name} is not in options.def" for name in fields if name not in mine and name != "reserved")
        yield from (f"{where} has no {name}, which is in options.def" for name in mine if name not in fields)
        for name in mine:
            if name in fields:
                yield from check_field(where, fields[name], mine[name])


def main(argv):
    if len(argv) != 2:
        sys.exit(__doc__)
    found = list(offences(*(pathlib.Path(path).read_text(encoding="utf-8") for path in argv)))
    print("\n".join(found) or "the list and core.h agree")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
