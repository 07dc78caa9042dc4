#!/usr/bin/env python3
"""Debian's list of the symbols of the shared library, debian/libnnblas0.symbols.

  symbols.py check FILE LIBRARY CHANGELOG VERSION   the list and the library have the same symbols, and the package has
                                                    the library's version, or a later one with ~dev
  symbols.py write FILE LIBRARY CHANGELOG           enters new symbols, removes those that are gone

A line has the version of the package that brought the symbol: a program that uses it depends on that version or a later
one.  New symbols get the version at the top of CHANGELOG (debian/changelog).  This is the form that dpkg-gensymbols
writes.  Exit status 1, and a line for each offence, if there is one.
"""
import pathlib
import re
import subprocess
import sys

LINE = re.compile(r"^ (\w+)@Base (\S+)$", re.M)


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def exported(library):
    names = {line.split()[-1] for line in output("nm", "-D", "--defined-only", library).splitlines() if line}
    if "nnb_fit" not in names:
        sys.exit(f"{library} has no nnb_fit: is it the shared library?")
    return names


def head(library):
    """The first line of the list: what a program asks for, and the package that has it."""
    soname = re.search(r"SONAME.*\[(lib(\w+)\.so\.(\d+))\]", output("readelf", "-d", library))
    if not soname:
        sys.exit(f"{library} has no SONAME")
    return f"{soname[1]} lib{soname[2]}{soname[3]} #MINVER#"


def package_version(changelog):
    """X.Y.Z, and "~dev" or ""."""
    top = re.match(r"libnnblas \((\d+\.\d+\.\d+)(~dev)?\)", pathlib.Path(changelog).read_text(encoding="utf-8"))
    if not top:
        sys.exit(f"{changelog} does not begin with libnnblas (X.Y.Z) or libnnblas (X.Y.Z~dev)")
    return top[1], top[2] or ""


def wrong_version(changelog, version):
    package, dev = package_version(changelog)
    order = [tuple(map(int, v.split("."))) for v in (version, package)]
    if order[0] < order[1] if dev else order[0] == order[1]:
        return []
    return [f"debian/changelog begins with {package}{dev}, the library is {version}"]


def check(path, library, changelog, version):
    text = pathlib.Path(path).read_text(encoding="utf-8")
    listed, names = [name for name, _ in LINE.findall(text)], exported(library)
    offences = [] if text.startswith(head(library) + "\n") else [f"its first line is not: {head(library)}"]
    offences += [f"{name} is exported, but not in the list" for name in sorted(names - set(listed))]
    offences += [f"{name} is in the list, but not exported" for name in sorted(set(listed) - names)]
    offences += [f"{name} is listed twice" for name in sorted({n for n in listed if listed.count(n) > 1})]
    if offences:
        offences.append(f"`ninja -C BUILD symbols` writes {pathlib.Path(path).name} again")
    return offences + wrong_version(changelog, version)


def write(path, library, changelog):
    old = pathlib.Path(path)
    versions = dict(LINE.findall(old.read_text(encoding="utf-8"))) if old.exists() else {}
    new = package_version(changelog)[0] + "~"  # earlier than X.Y.Z and X.Y.Z~dev
    lines = [head(library), "* Build-Depends-Package: libnnblas-dev"]
    lines += [f" {name}@Base {versions.get(name, new)}" for name in sorted(exported(library))]
    old.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines) - 2} symbols, {len(lines) - 2 - len(versions)} more than before")
    return []


def main(argv):
    if len(argv) == 5 and argv[0] == "check":
        offences = check(*argv[1:])
        print("\n".join(offences) or "the same symbols")
    elif len(argv) == 4 and argv[0] == "write":
        offences = write(*argv[1:])
    else:
        sys.exit(__doc__)
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
