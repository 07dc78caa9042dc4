#!/usr/bin/env python3
"""Reads the public headers: every name with its declaration and its description.

  reference.py INCLUDE     prints all public names, one a line

The headers are regular, and this reader relies on it.  A comment /** … */ describes the declarations below it up to a blank
line.  /* ---- title ---- */ begins a section.  In a struct, an enumeration or a list NNB_…_LIST(X), the comment behind a
member describes it and a comment on a line of its own is a heading.  Names of typed.h and extend.h exist twice; the second
name is that of float_on.h.
"""
import dataclasses
import pathlib
import re
import sys

HEADERS = ("core.h", "typed.h", "extend.h", "../nnblas.h")
COMMENT = r"/\*.*?\*/"
TOKEN = re.compile(rf"(?P<comment>{COMMENT})|(?P<macro>#(?:\\\n|[^\n])*)|(?P<space>\s+)|(?P<code>.)", re.S)
SKIPPED = re.compile(r"^#if(?:def __cplusplus| defined\((?:NNB_BUILDING|__GNUC__)).*?^#endif\n?", re.M | re.S)


@dataclasses.dataclass
class Member:
    """A field, an enumerator, or (without names) a heading between them."""

    names: list
    code: str
    text: str


@dataclasses.dataclass
class Item:
    kind: str  # "function", "type", "enum", "constants", "macro"
    name: str  # of "constants": that of the first one
    code: str
    members: list = dataclasses.field(default_factory=list)
    twin: str = ""  # the name in single precision

    def names(self):
        own = [] if self.kind == "constants" else [self.name]
        return own + ([self.twin] if self.twin else []) + self.values()

    def values(self):
        """Enumerators and constants: public names of their own.  Fields are not."""
        enums = self.kind in ("enum", "constants")
        return [name for member in self.members for name in member.names if enums]

    def fields(self):
        return [name for m in self.members for name in m.names if self.kind == "type" and name != "reserved"]


@dataclasses.dataclass
class Group:
    """Declarations with one description: a list of paragraphs.  One that begins with a blank is to be kept as it is."""

    text: list
    items: list

    def name(self):
        """The name that stands for all: not that of a list of enumerators."""
        return next((i.name for i in self.items if i.kind != "macro"), self.items[0].name)


@dataclasses.dataclass
class Section:
    title: str
    header: str
    intro: list
    groups: list


def plain(comment):
    """The lines of a comment without its frame."""
    body = re.sub(r"^/\*\*?<? ?|\s*\*/$", "", comment)
    lines = [re.sub(r"^\s*\* ?|\s+$", "", line) if i else line.rstrip() for i, line in enumerate(body.splitlines())]
    rest = [line for line in lines[1:] if line.strip()]
    margin = min((len(line) - len(line.lstrip()) for line in rest), default=0)
    return [lines[0].strip() if lines else ""] + [line[margin:] for line in lines[1:]]


def paragraphs(comment):
    """Its paragraphs as single lines.  Indented lines keep their form; items of a numbered list are paragraphs."""
    found, fresh, number = [], True, 0
    for line in plain(comment):
        item = re.match(r"^ *(\d)\. ", line)
        if item and int(item[1]) == number + 1 and (number or (found and found[-1].endswith(":"))):
            found, fresh, number = [*found, line.strip()], False, number + 1
        elif not line.strip():
            fresh = True
        elif line.startswith("  ") and (fresh or found[-1].startswith(" ") or not number):
            joined = not fresh and found[-1].startswith(" ")
            found = [*found[:-1], found[-1] + "\n" + line] if joined else [*found, line]
            fresh = False
        elif fresh or found[-1].startswith(" ") or (number and not line.startswith(" ")):
            found, fresh, number = [*found, line.strip()], False, 0
        else:
            found[-1] += " " + line.strip()
    return found


def flat(comment):
    """The comment on one line.  Blanks that align columns, as those before a source, become a semicolon."""
    lines = [re.sub(r"(?<=[^\s.,:;])\s{2,}(?=\S)", "; ", line.strip()) for line in plain(comment)]
    return " ".join(" ".join(lines).split())


def tokens(text):
    for match in TOKEN.finditer(text):
        yield match.lastgroup, match[0]


def declared(code):
    """The names that a declaration of one or more fields declares."""
    pointer = re.match(r"^[^(]*\(\*(\w+)\)", code)
    if pointer:
        return [pointer[1]]
    return [re.search(r"(\w+)\s*(?:\[[^\]]*\])*\s*$", part)[1] for part in code.split(",")]


def behind(member, comment):
    member.text = (member.text + " " + flat(comment)).strip()


def fields(body):
    """The members of a struct."""
    members, code, before, line_start = [], "", "", True
    for kind, text in tokens(body):
        if kind == "comment":
            if text.startswith("/**<") and members:
                behind(members[-1], text)
            elif text.startswith("/**"):
                before = flat(text)
            elif line_start and not code.strip():
                members.append(Member([], "", flat(text)))
            elif members:
                behind(members[-1], text)
        elif kind != "macro":
            code += text
        line_start = "\n" in text if kind == "space" else kind == "comment" and line_start
        if text == ";" and kind == "code":
            line = " ".join(code.split())
            members.append(Member(declared(line[:-1]), line, before))
            code = before = ""
    return members


def enumerators(body, lists):
    """The members of an enumeration, from itself and from the lists that it expands."""
    members, code = [], ""
    for kind, text in [*tokens(body), ("code", ",")]:
        if kind in ("space", "code") and text != ",":
            code += text
            continue
        for call in re.findall(r"(NNB_\w+_LIST)\(\w+\)", code):
            members += lists[call]
        code = " ".join(re.sub(r"NNB_\w+_LIST\(\w+\)", "", code).split())
        if code:
            members.append(Member([code.split()[0]], code, ""))
        if kind == "comment" and members:
            behind(members[-1], text)
        code = ""
    return members


def listed(body):
    """The members of a list NNB_…_LIST(X): names, texts and comments."""
    members = []
    for call, comment in re.findall(rf"\bX\((.*?)\)(?=\s)|({COMMENT})", body.replace("\\\n", "\n") + "\n", flags=re.S):
        if call:
            name, *rest = re.findall(r'"[^"]*"|[\w-]+', call)
            members.append(Member([name], "", rest[-1].strip('"') if rest else ""))
        elif comment.rstrip("*/ ").endswith(":"):
            members.append(Member([], "", flat(comment)))
        elif members:
            member = members[-1]
            member.text += (" " if member.code else ": ") + flat(comment)
            member.code = " "
    for member in members:
        member.code = member.names[0] if member.names else ""
    return members


class Reader:
    """Reads one header after the other into sections."""

    def __init__(self, single):
        self.single, self.lists, self.sections = single, {}, []

    def section(self, title, intro=()):
        self.sections.append(Section(title, self.header, list(intro), []))
        self.group = None

    def comment(self, text):
        title = re.match(r"/\* -{4} (.*?) -{4,} \*/", text)
        if title:
            self.section(title[1][0].upper() + title[1][1:])
        elif text.startswith("/**<"):
            behind(self.group.items[-1].members[-1], text)
        elif text.startswith("/* ="):
            intro = [" ".join(re.sub(r"[=*/]", " ", text).split())]
            self.section(intro[0].split(":")[0].split(",")[0].rstrip("."), intro)
        elif re.match(r"/\*\*? ?(nnblas/\w+\.h|libnnblas):", text):
            self.section(self.header if self.header == "nnblas.h" else "nnblas/" + self.header, paragraphs(text))
        elif text.startswith("/**"):
            self.group = Group(paragraphs(text), [])
            self.sections[-1].groups.append(self.group)
        else:
            self.sections[-1].intro += paragraphs(text)
            self.group = None

    def add(self, item):
        if self.group is None:
            self.group = Group([], [])
            self.sections[-1].groups.append(self.group)
        self.group.items.append(item)

    def macro(self, text):
        match = re.match(r"#define (NNB_\w+)(\(X\))?(.*)", text, flags=re.S)
        if match and match[2]:
            self.lists[match[1]] = listed(match[3])
            self.add(Item("macro", match[1], f"#define {match[1]}(X)"))
        elif match and match[3].strip() and not match[3].startswith("("):
            self.add(Item("macro", match[1], " ".join(text.split())))

    def declaration(self, code):
        bare = " ".join(re.sub(COMMENT, "", code, flags=re.S).split())
        body = re.search(r"\{(.*)\}", code, flags=re.S)
        body = body[1] if body else ""
        type_of = re.match(r"(?:typedef )?(struct|enum) (\w+)?", bare)
        if bare.startswith("static inline") or "NNB_API" in bare:
            bare = re.sub(r"^(NNB_API|static inline) ", "", bare.split("{")[0].strip().rstrip(";")) + ";"
            name = re.search(r"(\w+)\(", bare)[1]
            self.add(Item("function", name, bare, twin=self.twin(name)))
        elif type_of and type_of[1] == "enum":
            members = enumerators(body, self.lists)
            self.enumeration(type_of[2], members)
        elif type_of:
            self.structure(type_of[2], fields(body))
        else:
            name = re.search(r"(\w+);$", bare)[1]
            self.add(Item("type", name, bare, twin=self.twin(name)))

    def enumeration(self, name, members):
        if self.group is None:
            self.rejoin(members)
        kind, code = ("enum", f"enum {name}") if name else ("constants", "enum")
        self.add(Item(kind, name or members[0].names[0], code, members))

    def rejoin(self, members):
        """An enumeration belongs to the list that it expands, which has the description."""
        for group in self.sections[-1].groups:
            if members and any(self.lists.get(i.name, [None])[0] is members[0] for i in group.items):
                self.group = group

    def structure(self, name, members):
        """A struct, or the fields of one that was declared before."""
        for group in self.sections[-1].groups:
            for item in group.items:
                if item.name == name:
                    item.members = item.members or members
                    return
        self.add(Item("type", name, f"struct {name}", members, self.twin(name)))

    def twin(self, name):
        return self.single.get(name, "") if self.header in ("typed.h", "extend.h") else ""

    def read(self, header, text):
        self.header, self.group = header, None
        code, depth = "", 0
        for kind, part in tokens(text):
            if not code.strip():
                if kind == "comment":
                    self.comment(part)
                elif kind == "macro":
                    self.macro(part)
                elif kind == "space" and part.count("\n") > 1:
                    self.group = None
                elif kind == "code":
                    code = part
                continue
            code += part
            depth += (part in "{(") - (part in "})") if kind == "code" else 0
            body_ends = part == "}" and code.startswith("static inline")
            if kind == "code" and depth == 0 and (part == ";" or body_ends):
                self.declaration(code)
                code = ""


def read(include):
    """The sections of the headers, without empty ones."""
    folder = pathlib.Path(include) / "nnblas"
    single = dict(re.findall(r"^#define (nnb_\w+) (nnbf_\w+)", (folder / "float_on.h").read_text(encoding="utf-8"), flags=re.M))
    reader = Reader(single)
    for header in HEADERS:
        text = (folder / header).read_text(encoding="utf-8")
        reader.read(pathlib.Path(header).name, SKIPPED.sub("", text))
    return [s for s in reader.sections if s.groups or s.intro]


def groups(sections):
    return [group for section in sections for group in section.groups]


def items(sections):
    return [item for group in groups(sections) for item in group.items]


def names(sections):
    return [name for item in items(sections) for name in item.names()]


def summary(group):
    """The first sentence of the description."""
    text = group.text[0] if group.text else ""
    first = re.split(r"(?<=[^.])\.(?=\s|$)", text)[0]
    return first if len(first) < 140 else first.split(":")[0].split(";")[0]


def version(sections):
    numbers = [i.code.split()[-1] for i in items(sections) if re.fullmatch(r"NNB_VERSION_[A-Z]+", i.name)]
    return ".".join(numbers)


def pages(section):
    """The groups of a section that are read together: those that begin with "The same" belong to the one before."""
    found = []
    for group in section.groups:
        if found and group.text and group.text[0].startswith("The same"):
            found[-1].append(group)
        else:
            found.append([group])
    return found


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print("\n".join(names(read(sys.argv[1]))))
