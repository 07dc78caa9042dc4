#!/usr/bin/env python3
"""The manual pages beside the headers and the library.

  test_reference.py SOURCE LIBRARY CC...     LIBRARY: the shared library, or "" for none

Compares the names that tools/reference.py reads with what the preprocessor and the linker see: none missing, none extra.
Every one of them has a page in section 3, every description a first sentence, and groff formats all pages without a
warning.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(sys.argv[1])
sys.path[:0] = [str(SOURCE / "tools"), str(SOURCE / "tests/house")]
import man_pages  # noqa: E402
import public_names  # noqa: E402
import reference  # noqa: E402

failures = []


def expect_none(what, found):
    failures.extend(f"{what}: {name}" for name in sorted(found))


def declared(include, cc):
    """What the preprocessor sees: all names at file scope, and the macros that have a value of use to programs."""
    text = re.sub(r"=[^,;]*", "", public_names.without_nesting(public_names.own_text(cc, include)))
    named = set(re.findall(r"\b(?:nnbf?_[a-z]|NNB_[A-Z])\w*", text))
    lines = public_names.preprocess(cc, include, "#include <nnblas.h>\n", "-dM")
    macros = set(re.findall(r"^#define (NNB_\w+(?:_LIST\(X\)|(?= )))", lines, flags=re.M))
    return named | {m.removesuffix("(X)") for m in macros} - {"NNB_API"}


def exported(library):
    out = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
    return {line.split()[-1] for line in out.splitlines() if line}


def check_names(sections, include, library, cc):
    read = reference.names(sections)
    expect_none("read twice", {name for name in read if read.count(name) > 1})
    wanted = declared(include, cc)
    expect_none("declared, but not in the reference", wanted - set(read))
    expect_none("in the reference, but not declared", set(read) - wanted)
    if library:
        functions = [i for i in reference.items(sections) if i.kind == "function" and "nnb_view" not in i.name + i.twin]
        named = {name for i in functions for name in i.names()} - {"nnb_cview", "nnbf_cview"}
        expect_none("exported, but not in the reference", exported(library) - named)
        expect_none("in the reference, but not exported", named - exported(library))
    if len(read) < 500 or "nnbf_fit" not in read or "NNB_ADAM" not in read:
        failures.append(f"only {len(read)} names were read: this test does not see the headers")


def check_text(sections):
    expect_none("without a description", {g.name() for g in reference.groups(sections) if not reference.summary(g)})
    options = [i for i in reference.items(sections) if i.name.endswith("_opts") and i.kind == "type"]
    expect_none("without fields", {i.name for i in options if not i.fields()})


def check_pages(sections, folder):
    pages = {p.stem: p.read_text(encoding="utf-8") for p in folder.glob("*.3")}
    expect_none("without a page", set(reference.names(sections)) - set(pages))
    expect_none("a page without a name", {p for p in pages if "." not in p} - set(reference.names(sections)) - {"nnblas"})
    for name, text in pages.items():
        target = re.match(r"\.so man3/(.*)\.3\n", text)
        if target and pages.get(target[1], ".so").startswith(".so"):
            failures.append(f"{name}.3 refers to {target[1]}.3, which is no page")
        if target and f"{name.split('.')[-1]}" not in pages.get(target[1], "").replace("\\", ""):
            failures.append(f"{name} is not on the page {target[1]}.3")
    for link in sorted({n for text in pages.values() for n in re.findall(r"\\fB(\w+)\\fR\(3\)", text)} - set(pages)):
        failures.append(f"{link}(3) is referred to and does not exist")
    return [str(folder / f"{name}.3") for name, text in pages.items() if not text.startswith(".so")]


def check_groff(pages):
    done = subprocess.run(["groff", "-man", "-Tutf8", "-Kutf8", "-P-cbou", "-ww", *pages], capture_output=True, text=True, check=False)
    if done.returncode or done.stderr:
        failures.append("groff: " + done.stderr)
    if done.stdout.count("DESCRIPTION") < len(pages) // 2:
        failures.append("groff formatted hardly a page")


def main(source, library, *cc):
    include = str(pathlib.Path(source) / "include")
    sections = reference.read(include)
    check_names(sections, include, library, cc)
    check_text(sections)
    with tempfile.TemporaryDirectory() as folder:
        man_pages.main([include, folder + "/man3"])
        pages = check_pages(sections, pathlib.Path(folder) / "man3")
        if shutil.which("groff"):
            check_groff(pages)
        else:
            print("skipped: the form of the pages (no groff)")
    print("\n".join(failures) or f"{len(reference.names(sections))} names, {len(pages)} pages")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
