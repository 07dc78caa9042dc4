#!/usr/bin/env python3
"""Makes the manual pages of the library, section 3, from the public headers.

  man_pages.py INCLUDE FOLDER

FOLDER is made again.  It gets a page for each description in the headers and, for every other name that the page describes,
a page that refers to it: functions, types, enumerations and their values, in both precisions, and the fields of options
(nnb_fit_opts.patience).  nnblas.3 is the overview.
"""
import pathlib
import re
import shutil
import sys
import textwrap

import reference

ESCAPES = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "^": r"\(ha", "~": r"\(ti", "`": r"\(ga"}


def escaped(text):
    text = re.sub(r"[\\'^~`-]", lambda c: ESCAPES[c[0]], text)
    return re.sub(r"^\.", r"\\&.", text, flags=re.M)


class Pages:
    def __init__(self, sections):
        self.sections = sections
        self.version = reference.version(sections)
        self.names = set(reference.names(sections))

    def prose(self, text):
        """Text of troff, with public names in bold."""
        parts = re.split(r"(\b(?:nnbf?|NNB)_\w+\b)", text)
        return "".join(rf"\fB{escaped(p)}\fR" if p in self.names else escaped(p) for p in parts)

    def text(self, paragraphs):
        for p in paragraphs:
            if p.startswith(" "):
                yield f".PP\n.RS 4\n.nf\n{escaped(textwrap.dedent(p))}\n.fi\n.RE"
            else:
                yield ".PP\n" + self.prose(re.sub(r"  +", " ", p))

    def declaration(self, item):
        if item.kind == "function":
            lines = textwrap.wrap(item.code, 76, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
        elif item.members and item.kind != "function":
            lines = [item.code + " { … };"]
        else:
            lines = [item.code]
        return ".PP\n.nf\n" + "\n".join(rf"\fB{escaped(line)}\fR" for line in lines) + "\n.fi"

    def members(self, item):
        """The fields or values of an item as a list."""
        for m in item.members:
            if not m.names:
                yield f".SS {escaped(m.text)[:1].upper()}{escaped(m.text)[1:]}"
            elif m.names != ["reserved"]:
                yield f".TP\n\\fB{escaped(m.code.rstrip(';'))}\\fR\n{self.prose(m.text) or '.br'}"

    def page(self, groups):
        items = sorted((item for group in groups for item in group.items), key=lambda item: item.kind == "macro")
        names = [n for i in items for n in ([i.name] if i.kind != "constants" else i.values()) + ([i.twin] if i.twin else [])]
        yield self.head(names[0], f"{', '.join(names)} \\- {escaped(reference.summary(groups[0]))}")
        yield ".SH SYNOPSIS\n.nf\n\\fB#include <nnblas.h>\\fR\n.fi"
        yield from (self.declaration(item) for item in items if item.kind != "constants")
        yield ".SH DESCRIPTION"
        for group in groups:
            yield from self.text(group.text)
        if any(item.twin for item in items):
            yield ".PP\nNames with \\fBnnbf_\\fR are the same in single precision: \\fBnnb_real\\fR is float there."
        for item in items:
            if item.members:
                yield ".SH " + ("FIELDS" if item.kind == "type" else "VALUES")
                yield from self.members(item)
        yield self.see_also(groups, set(names))

    def head(self, name, line):
        return f'.TH "{name}" 3 "" "nnblas {self.version}" "libnnblas"\n.nh\n.ad l\n.SH NAME\n{line}'

    def see_also(self, groups, own):
        words = [w for g in groups for w in re.findall(r"\bnnb_\w+", " ".join([*g.text, *(i.code for i in g.items)]))]
        others = sorted({word for word in words if word in self.names and word not in own})
        return ".SH SEE ALSO\n" + ",\n".join(rf"\fB{name}\fR(3)" for name in [*others, "nnblas"])

    def overview(self):
        *before, last = self.sections
        yield self.head("nnblas", r"nnblas \- " + escaped(last.intro[0].split(": ", 1)[1].rstrip(".")))
        yield ".SH DESCRIPTION"
        yield from self.text(last.intro[1:])
        for section in self.sections:
            yield ".SH " + escaped(section.title.upper())
            yield from self.text(section.intro if section is not last else [])
            for group in section.groups:
                yield f".TP\n\\fB{group.name()}\\fR(3)\n{escaped(reference.summary(group)) or '.br'}"

    def write(self, folder):
        """Writes all pages and those that refer to them."""
        write(folder, "nnblas", self.overview())
        for section in self.sections:
            for groups in reference.pages(section):
                items = [item for group in groups for item in group.items]
                all_names = [n for item in items for n in item.names()]
                options = [f"{i.name}.{f}" for i in items if i.name.endswith("_opts") for f in i.fields()]
                first = groups[0].name()
                for name in [*all_names, *options]:
                    write(folder, name, [f".so man3/{first}.3"])
                write(folder, first, self.page(groups))


def write(folder, name, parts):
    (folder / f"{name}.3").write_text("\n".join(parts) + "\n", encoding="utf-8")


def main(argv):
    if len(argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    Pages(reference.read(argv[0])).write(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
