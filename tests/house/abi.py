#!/usr/bin/env python3
"""The sizes of the public structs, the offsets of their fields and the values of enumerators, against docs/abi.md.

  abi.py check DOCS_ABI INCLUDE CC...    compares, where pointers have 64 bits; exit status 77 elsewhere
  abi.py write DOCS_ABI INCLUDE CC...    adds new fields and structs to the table; refuses any other change
  abi.py anew DOCS_ABI INCLUDE CC...     writes the table anew, for a release that breaks compiled programs

The table is what programs were compiled with: a size, an offset, a field or a value that changes breaks them.  A new field takes
the place of reserved words.  Exit status 1, and a line for each difference, if it is not as the table says.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

from headers import structs

HEADERS = ("core.h", "typed.h", "extend.h")
BEGIN = "<!-- table: tests/house/abi.py write -->\n"


def names(include):
    """struct -> its fields, of all public headers."""
    found = {}
    for header in HEADERS:
        found.update(structs((pathlib.Path(include) / "nnblas" / header).read_text(encoding="utf-8")))
    return {name: [field for _, field, _ in fields] for name, fields in found.items()}


def enumerators(include, cc):
    """enum -> its enumerators but the last, which counts them (NNB_N_...)."""
    source = "#include <nnblas.h>\n"
    done = subprocess.run([*cc, "-std=c11", "-E", "-P", "-I", include, "-x", "c", "-"], input=source, capture_output=True,
                          text=True, check=True)
    found = {}
    for body, name in re.findall(r"typedef enum (?:\w+ )?{([^}]*)} (nnb_\w+);", done.stdout):
        found[name] = [word for word in re.findall(r"(\w+)(?: *= *[^,]+)?(?:,|$)", body.strip()) if "_N_" not in word]
    return found


def program(fields_of, enumerators_of):
    lines = ["#include <nnblas.h>", "int main(void) {", "  if (sizeof(void *) != 8) return 77;"]
    for struct, fields in fields_of.items():
        lines.append(f'  printf("| `{struct}` | | %zu |\\n", sizeof({struct}));')
        for field in fields:
            member = f"(({struct} *)0)->{field}"
            lines.append(f'  printf("| `{struct}` | %zu | %zu | `{field}`\\n", offsetof({struct}, {field}), sizeof({member}));')
    for enum, values in enumerators_of.items():
        lines.append(f'  printf("| `{enum}` | | %zu |\\n", sizeof({enum}));')
        lines += [f'  printf("| `{enum}` | %d | %zu | `{value}`\\n", (int){value}, sizeof({enum}));' for value in values]
    return "\n".join([*lines, "  return 0;", "}", ""])


def measure(include, cc):
    """The lines of the table as the compiler sees the structs, for both precisions where they are the same."""
    fields_of, enumerators_of = names(include), enumerators(include, cc)
    if len(fields_of) < 20 or len(enumerators_of) < 5:
        sys.exit("too few structs or enums were found: this test does not see the headers")
    with tempfile.TemporaryDirectory() as folder:
        source, exe = pathlib.Path(folder) / "abi.c", pathlib.Path(folder) / "abi"
        source.write_text(program(fields_of, enumerators_of), encoding="utf-8")
        subprocess.run([*cc, "-std=c11", "-w", "-I", include, str(source), "-o", str(exe)], check=True)
        done = subprocess.run([str(exe)], capture_output=True, text=True)
    if done.returncode == 77:
        print("skipped: pointers do not have 64 bits here")
        sys.exit(77)
    return done.stdout


def as_table(measured):
    rows = ["| struct or enum | bytes | fields: offset, bytes; enumerators: value, bytes |", "|---|---|---|"]
    for line in measured.splitlines():
        struct, second, third, *field = [part.strip() for part in line.strip("|").split("|")]
        if not second:
            rows.append(f"| {struct} | {third} |")
        else:
            rows[-1] += f"{',' if field and rows[-1][-1] != '|' else ''} {field[0]} {second} {third}"
    return "\n".join([*rows[:2], *(row + " |" for row in rows[2:])]) + "\n"


def parsed(table):
    """{struct: bytes} and {struct.field: (offset, bytes)} of a table."""
    found = {}
    for struct, size, fields in re.findall(r"^\| `(\w+)` \| (\d+) \|(.*)\|$", table, flags=re.M):
        found[struct] = size
        found.update({f"{struct}.{field}": (at, n) for field, at, n in re.findall(r"`(\w+)` (\d+) (\d+)", fields)})
    return found


def differences(before, now, additions):
    """What breaks compiled programs, and with additions what the table lacks."""
    before, now = parsed(before), parsed(now)
    if len(before) < 100:
        yield "docs/abi.md has no table"
    for key in sorted(before):
        reserve = key.endswith(".reserved") and key in now  # it may shrink
        if before[key] != now.get(key) and not (reserve and not additions):
            yield f"{key}: the table has {before[key]}, the headers {now.get(key, 'nothing')}"
    if additions:
        yield from (f"{key}: not in the table; abi.py write adds it" for key in sorted(now.keys() - before.keys()))


def reserves(text, now):
    """Where the count of reserved words in the text is not that of the headers, or does not add up."""
    now, counted = parsed(now), set()
    for struct, words, planned, free in re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \| (-?\d+) \|$", text, flags=re.M):
        counted.add(struct)
        _, size = now.get(f"{struct}.reserved", (0, "0"))
        if int(size) != 8 * int(words):
            yield f"{struct}: the text counts {words} reserved words, the headers have {int(size) // 8}"
        if int(planned) + int(free) != int(words) or int(free) < 0:
            yield f"{struct}: {planned} planned and {free} free are not {words} reserved words"
    has = {key.split(".")[0] for key in now if key.endswith(".reserved")}
    yield from (f"{struct}: its reserve is not counted" for struct in sorted(has - counted))


def main(argv):
    if len(argv) < 4 or argv[0] not in ("check", "write", "anew"):
        sys.exit(__doc__)
    docs = pathlib.Path(argv[1])
    text, table = docs.read_text(encoding="utf-8"), as_table(measure(argv[2], argv[3:]))
    head, _, old = text.partition(BEGIN)
    found = [] if argv[0] == "anew" else list(differences(old, table, argv[0] == "check"))
    if argv[0] != "check" and not found:
        docs.write_text(head + BEGIN + table, encoding="utf-8")
    found += reserves(head, table)
    print("\n".join(found) or "as docs/abi.md says")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
