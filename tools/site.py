#!/usr/bin/env python3
"""Makes the site of the documentation: a folder of pages that work without a server, search included.

  site.py SOURCE FOLDER [--version V] [--command NNBLAS] [--examples PROGRAM...]

The pages are the Markdown files of docs/ and the READMEs, the reference from the public headers, and the
lessons with what they print and draw.  docs/index.md is the front page, and its headings and links are the menu.  With
--examples the lessons run; gnuplot draws their pictures, if it is installed.  FOLDER is made again.
"""
import argparse
import html
import itertools
import json
import os
import pathlib
import re
import shutil
import string
import subprocess
import sys
import tempfile

import reference

try:
    import markdown_it
    import pygments
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
except ImportError as missing:
    DEBIAN = "/usr/bin/python3"
    if __name__ == "__main__" and os.path.exists(DEBIAN) and not os.path.samefile(DEBIAN, sys.executable):
        os.execv(DEBIAN, [DEBIAN, *sys.argv])  # where Debian's packages are
    sys.exit(f"The site needs the Python packages markdown-it-py and pygments ({missing}). On Debian: sh tools/setup.sh docs")

TEXTS = ("docs/*.md", "*.md", "*/README.md", "bindings/*/README.md")
NAME = re.compile(r"(?<![\w.])(?:nnbf?|NNB)_\w+(?:\.\w+)?")


def slug(text):
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-")


def highlighted(code, language):
    if language in ("", "text"):
        return html.escape(code)
    return pygments.highlight(code, get_lexer_by_name(language), HtmlFormatter(nowrap=True))


class Page:
    """A page: its text in HTML, its headings, and what search finds on it."""

    def __init__(self, file, title, source):
        self.file, self.title, self.source = file, title, source
        self.html, self.headings, self.entries = [], [], []

    def heading(self, level, title, anchor):
        taken = {known for _, _, known in self.headings}
        repeats = (f"{anchor}-{k}" for k in itertools.count(1))  # as GitHub names headings that come again
        anchor = anchor if anchor not in taken else next(name for name in repeats if name not in taken)
        self.headings.append((level, title, anchor))
        self.entries.append([anchor, title, "", ""])
        link = f'<a class="anchor" href="#{anchor}" aria-label="Link to this heading">#</a>' if level > 1 else ""
        return f'<h{level} id="{anchor}">{html.escape(title)}{link}</h{level}>\n'

    def found(self, text):
        """Text that search finds below the last heading."""
        if not self.entries:
            self.entries.append(["", self.title, "", ""])
        self.entries[-1][2] += " " + text


class Site:
    def __init__(self, root, version):
        self.root, self.version = root, version
        self.sections = reference.read(root / "include")
        self.pages, self.anchors = {}, {}
        texts = sorted({p for pattern in TEXTS for p in root.glob(pattern)})
        self.files = {p: self.file_of(p) for p in texts}
        self.markdown = markdown_it.MarkdownIt("commonmark").enable("table")
        self.markdown.add_render_rule("fence", lambda _, tokens, i, *rest: self.code(tokens[i].content, tokens[i].info))
        self.markdown.add_render_rule("code_block", lambda _, tokens, i, *rest: self.code(tokens[i].content, ""))
        self.markdown.add_render_rule("code_inline", lambda _, tokens, i, *rest: self.inline(tokens[i].content))
        self.markdown.add_render_rule("table_open", lambda *_: '<div class="table"><table>\n')
        self.markdown.add_render_rule("td_open", lambda _, tokens, i, *rest: cell(tokens[i + 1].content))
        self.markdown.add_render_rule("table_close", lambda *_: "</table></div>\n")

    def file_of(self, path):
        """The page of a Markdown file: docs/files.md is files.html, lib/README.md is lib-readme.html."""
        name = path.relative_to(self.root).with_suffix(".html").as_posix().removeprefix("docs/")
        return name.replace("/", "-").lower()

    # ---- links ----

    def target(self, href, source):
        """Where a link of a Markdown file leads on the site; None: nowhere."""
        path, _, anchor = href.partition("#")
        if re.match(r"\w+:", href) or not path:
            return href
        path = (source.parent / path).resolve()
        if path.is_dir() and (path / "README.md").exists():
            path = path / "README.md"
        if path in self.files:
            return self.files[path] + ("#" + anchor if anchor else "")
        if (self.root / "include") in path.parents:
            return "reference.html"
        if path.parent == self.root / "examples" and path.stem in self.lessons:
            return f"lesson-{path.stem}.html"
        return None

    def linked(self, code):
        """Names of the library in HTML become links to the reference."""
        return NAME.sub(lambda m: self.link(m[0]), code)

    def link(self, name):
        field = name.split(".")
        known = name if name in self.anchors else field[0]
        if known not in self.anchors:
            return name
        return f'<a href="{self.anchors[known]}">{known}</a>{name[len(known):]}'

    def inline(self, code):
        if code in self.lessons:
            return f'<a href="lesson-{code}.html"><code>{code}</code></a>'
        kind = ' class="short"' if len(code) <= 24 else ""  # not broken at the hyphens of a flag
        return f"<code{kind}>{self.linked(html.escape(code))}</code>"

    def code(self, text, language):
        return f"<pre><code>{self.linked(highlighted(text, language))}</code></pre>\n"

    # ---- pages from Markdown ----

    def lesson_names(self):
        """The programs that the table of examples/README.md lists."""
        text = (self.root / "examples/README.md").read_text(encoding="utf-8")
        return [n for n in re.findall(r"^\| `(\w+)` \|", text, flags=re.M) if (self.root / f"examples/{n}.c").exists()]

    def from_markdown(self, path):
        tokens = self.markdown.parse(path.read_text(encoding="utf-8"))
        title = next((t.content for t, before in zip(tokens[1:], tokens) if before.type == "heading_open"), path.stem)
        page = Page(self.files[path], title.replace("`", ""), path.relative_to(self.root).as_posix())
        plain = []
        while tokens:
            token = tokens.pop(0)
            if token.type == "heading_open":
                page.html.append(self.rendered(plain, page, path))
                plain = []
                text = tokens.pop(0).content.replace("`", "")
                tokens.pop(0)
                page.html.append(page.heading(int(token.tag[1]), text, slug(text)))
            else:
                plain.append(token)
        page.html.append(self.rendered(plain, page, path))
        self.pages[page.file] = page

    def rendered(self, tokens, page, path):
        for token in tokens:
            if token.content:
                page.found(re.sub(r"\]\([^)]*\)|[`*\[\]|]", "", token.content))
            tag = "a"
            for child in token.children or []:
                if child.type == "link_open":
                    href = self.target(child.attrGet("href"), path)
                    tag = "a" if href else "span"  # a file of the source is named, without a link
                    child.tag, child.attrs = tag, type(child.attrs)()
                    if href:
                        child.attrSet("href", href)
                elif child.type == "link_close":
                    child.tag = tag
        return self.markdown.renderer.render(tokens, self.markdown.options, {})

    # ---- the reference ----

    def reference_file(self, section):
        header, title = section.header.removesuffix(".h"), slug(section.title)
        return f"ref-{header}.html" if section.title.endswith(".h") else f"ref-{header}-{title}.html"

    def name_anchors(self):
        for section in self.sections:
            file = self.reference_file(section)
            for group in section.groups:
                for item in group.items:
                    fields = [f"{item.name}.{f}" for f in item.fields()]
                    self.anchors.update({name: f"{file}#{name}" for name in [*item.names(), *fields]})

    def reference_pages(self):
        front = Page("reference.html", "Reference", "the public headers")
        front.html.append("<h1>Reference</h1>\n<p>Every name of the public headers. All pages are manual pages, too: "
                          "<code>man 3 nnblas</code>, <code>man nnb_fit</code>.</p>\n")
        for section in self.sections:
            page = Page(self.reference_file(section), section.title, f"the public header {section.header}")
            page.html.append(f"<h1>{html.escape(section.title)}</h1>\n" + self.paragraphs(section.intro))
            page.entries.append(["", section.title, " ".join(section.intro), ""])
            rows = [f'<tr><td><a href="{page.file}#{g.name()}"><code>{g.name()}</code></a></td>'
                    f"<td>{html.escape(reference.summary(g))}</td></tr>" for g in section.groups]
            front.html.append(f'<h2 id="{page.file}"><a href="{page.file}">{html.escape(section.title)}</a></h2>\n'
                              f'<div class="table"><table>{"".join(rows)}</table></div>\n')
            page.html += [self.entry(group, page) for group in section.groups]
            self.pages[page.file] = page
        self.pages[front.file] = front

    def paragraphs(self, text):
        return "".join(
            f"<pre>{self.linked(html.escape(p))}</pre>\n" if p.startswith(" ") else f"<p>{self.prose(p)}</p>\n" for p in text)

    def prose(self, text):
        text = re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(text, quote=False))
        text = re.sub(r"\b(docs/(\w+)\.md)\b", lambda m: f'<a href="{m[2]}.html">{m[1]}</a>', text)
        return self.linked(text)

    def entry(self, group, page):
        """One description with its declarations."""
        name = group.name()
        page.headings.append((3, name, name))
        others = [n for item in group.items for n in item.names() if n != name and n not in item.values()]
        spans = "".join(f'<span id="{n}"></span>' for n in others)
        lines = "\n".join(i.code + (" { … };" if i.members else "") for i in group.items if i.kind != "constants")
        page.entries.append([name, name, " ".join(group.text), " ".join(others)])
        place = "" if name in self.values(group) else f' id="{name}"'
        parts = [f'<section class="entry"{place}>',
                 f'<h3>{spans}{name}<a class="anchor" href="#{name}" aria-label="Link to this entry">#</a></h3>']
        if lines:
            parts.append(f'<pre class="declaration"><code>{self.linked(highlighted(lines, "c"))}</code></pre>')
        parts.append(self.paragraphs(group.text))
        twins = [item.twin for item in group.items if item.twin]
        if twins:
            parts.append(f'<p class="note">In single precision: <code>{", ".join(twins)}</code>.</p>')
        parts += [self.members(item, page) for item in group.items if item.members]
        return "\n".join(parts) + "\n</section>\n"

    @staticmethod
    def values(group):
        return [value for item in group.items for value in item.values()]

    def members(self, item, page):
        rows = []
        for m in item.members:
            names = [n if n in item.values() else f"{item.name}.{n}" for n in m.names if n != "reserved"]
            if not m.names:
                rows.append(f'<dt class="heading">{html.escape(m.text[:1].upper() + m.text[1:])}</dt>')
            elif names:
                spans = "".join(f'<span id="{n}"></span>' for n in names[1:])
                rows.append(f'<dt id="{names[0]}">{spans}<code>{self.linked(html.escape(m.code.rstrip(";")))}</code></dt>'
                            f"<dd>{self.prose(m.text)}</dd>")
                page.entries.append([names[0], names[0], m.text, " ".join(names[1:] + m.names)])
        return f'<dl class="members">\n{chr(10).join(rows)}\n</dl>'

    # ---- lessons, and the options of the command ----

    def lesson(self, name, program, folder):
        source = (self.root / f"examples/{name}.c").read_text(encoding="utf-8")
        page = Page(f"lesson-{name}.html", name, f"examples/{name}.c")
        about = reference.paragraphs(re.match(r"/\*.*?\*/", source, flags=re.S)[0])
        page.html.append(page.heading(1, name, name) + self.paragraphs(about))
        page.found(" ".join(about))
        if program:
            out, pictures = run_lesson(program)
            page.html.append(page.heading(2, "What it prints", "output") + f"<pre>{html.escape(out)}</pre>\n")
            for file, data in pictures:
                (folder / file).write_bytes(data)
                page.html.append(f'<figure><img src="{file}" alt="Picture of {name}"></figure>\n')
            if not pictures and "gnuplot" in source:
                page.html.append('<p class="note">Without its picture: gnuplot was not there.</p>\n')
        page.html.append(page.heading(2, "Source", "source") + self.code(source, "c"))
        self.pages[page.file] = page

    def command_options(self, command):
        page = self.pages["command.html"]
        manual = subprocess.run([command, "manual"], check=True, stdout=subprocess.PIPE, text=True).stdout
        page.html.append(page.heading(2, "All options", "all-options"))
        for name in dict.fromkeys(re.findall(r"^\.TP\n\.B nnblas (\w+)$", manual, flags=re.M)):
            done = subprocess.run([command, name, "--help"], check=False, capture_output=True, text=True)
            if done.returncode == 0:  # bench is that of another program, which is not there before it is installed
                page.html.append(page.heading(3, f"nnblas {name}", name) + f"<pre>{html.escape(done.stdout)}</pre>\n")
                page.found(done.stdout)

    # ---- all of it ----

    def make(self, folder, command, programs):
        self.lessons = self.lesson_names()
        self.name_anchors()
        for path in self.files:
            self.from_markdown(path)
        self.reference_pages()
        for name in self.lessons:
            self.lesson(name, programs.get(name), folder)
        if command:
            self.command_options(command)
        menu = self.menu()
        template = string.Template((self.root / "docs/site/page.html").read_text(encoding="utf-8"))
        for page in self.pages.values():
            (folder / page.file).write_text(template.substitute(
                title=html.escape(page.title), version=self.version, nav=self.nav(menu, page), body="".join(page.html),
                toc=self.toc(page), source=html.escape(page.source)), encoding="utf-8")
        for file in ("style.css", "search.js"):
            shutil.copy(self.root / "docs/site" / file, folder)
        self.write_index(folder)

    def menu(self):
        """[(heading, [(file, title)])] from docs/index.md."""
        groups = []
        tokens = self.markdown.parse((self.root / "docs/index.md").read_text(encoding="utf-8"))
        for i, token in enumerate(tokens):
            if token.type == "heading_open" and token.tag == "h2":
                groups.append((tokens[i + 1].content, []))
            for j, child in enumerate(token.children or []):
                file = child.type == "link_open" and self.target(child.attrGet("href"), self.root / "docs/index.md")
                if file and groups and file in self.pages:
                    groups[-1][1].append((file, token.children[j + 1].content))
        return groups

    def nav(self, menu, page):
        below = {"reference.html": [(self.reference_file(s), s.title) for s in self.sections],
                 "examples-readme.html": [(f"lesson-{n}.html", n) for n in self.lessons]}
        parts = []
        for heading, links in menu:
            rows = []
            for file, title in links:
                inner = below.get(file, [])
                if page.file not in [file, *(f for f, _ in inner)]:
                    inner = []
                rows.append("<li>" + anchor(file, title, page) + listed([anchor(f, t, page) for f, t in inner]) + "</li>")
            parts.append(f"<h2>{html.escape(heading)}</h2>\n<ul>{''.join(rows)}</ul>")
        return "\n".join(parts)

    @staticmethod
    def toc(page):
        return listed([f'<a href="#{a}">{html.escape(t)}</a>' for level, t, a in page.headings if level in (2, 3)][:80])

    def write_index(self, folder):
        rows = [[page.file + ("#" + a if a else ""), title, page.title if title != page.title else "",
                 " ".join(text.split())[:4000], names]
                for page in self.pages.values() for a, title, text, names in page.entries]
        text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
        (folder / "search-index.js").write_text(f"const nnblasIndex = {text};\n", encoding="utf-8")


def cell(text):
    """The start of a cell of a table; short ones stay on one line."""
    return '<td class="short">' if len(text) < 16 else "<td>"


def listed(rows):
    return "<ul>" + "".join(f"<li>{row}</li>" for row in rows) + "</ul>" if rows else ""


def anchor(file, title, page):
    current = ' aria-current="page"' if file == page.file else ""
    return f'<a href="{file}"{current}>{html.escape(title)}</a>'


def run_lesson(program):
    """What a lesson prints, and its pictures: [(file, bytes)]."""
    about = subprocess.run([program, "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        out = ["--out", folder] if "--out" in about else []
        done = subprocess.run([program, *out], cwd=folder, check=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
        pictures = sorted(pathlib.Path(folder).glob("*.svg"))
        return done.stdout.replace(folder + "/", ""), [(p.name, p.read_bytes()) for p in pictures]


def main():
    parser = argparse.ArgumentParser(description="Makes the site of the documentation.")
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--command", help="the program nnblas, for its options")
    parser.add_argument("--examples", nargs="*", default=[], help="the lessons to run")
    args = parser.parse_args()
    root = args.source.resolve()
    shutil.rmtree(args.folder, ignore_errors=True)
    args.folder.mkdir(parents=True)
    site = Site(root, reference.version(reference.read(root / "include")))
    site.make(args.folder, args.command, {pathlib.Path(p).name: pathlib.Path(p).resolve() for p in args.examples})
    print(f"{len(site.pages)} pages: {args.folder.resolve() / 'index.html'}")


if __name__ == "__main__":
    main()
