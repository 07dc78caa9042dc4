#!/usr/bin/env python3
"""The site: every link leads somewhere, every name of the reference has its place, nothing is loaded from elsewhere; and
Chromium shows pages, wide and narrow, without an error, and finds nnb_fit from a file:// address.

  test_site.py SOURCE [--all]      --all: Chromium shows every page, otherwise one of each kind

Skipped without the Python packages that the site needs; a part of it without Chromium.
"""
import html.parser
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(sys.argv[1]).resolve()
sys.path.insert(0, str(SOURCE / "tools"))
import reference  # noqa: E402

VOID = {"meta", "link", "br", "img", "input", "hr"}
failures = []


def check(good, what):
    if not good:
        failures.append(what)


class Reader(html.parser.HTMLParser):
    """The links and anchors of a page; checks that its elements are closed."""

    def __init__(self, name):
        super().__init__()
        self.name, self.links, self.loads, self.anchors, self.open = name, [], [], [], []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.anchors += [attrs["id"]] if "id" in attrs else []
        self.links += [attrs["href"]] if tag == "a" else []
        self.loads += [attrs[k] for k in ("src", "href") if k in attrs and tag != "a"]
        check(tag != "img" or attrs.get("alt"), f"{self.name}: a picture without a text")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        check(self.open and self.open[-1] == tag, f"{self.name}: </{tag}> within {self.open[-3:]}")
        if tag in self.open:
            while self.open.pop() != tag:
                pass


def read_pages(site):
    pages = {}
    for path in sorted(site.glob("*.html")):
        pages[path.name] = Reader(path.name)
        pages[path.name].feed(path.read_text(encoding="utf-8"))
        anchors = pages[path.name].anchors
        for twice in sorted({a for a in anchors if anchors.count(a) > 1}):
            failures.append(f"{path.name}: two places #{twice}")
    return pages


def check_link(page, href, pages, site):
    if re.match(r"https?://|mailto:", href):
        return
    path, _, anchor = href.partition("#")
    path = path or page
    check((site / path).exists(), f"{page}: {href} does not exist")
    check(not anchor or path not in pages or anchor in pages[path].anchors, f"{page}: no such place {href}")


def check_links(pages, site):
    for name, page in pages.items():
        for href in page.links:
            check_link(name, href, pages, site)
        for href in page.loads:
            check("//" not in href and (site / href).exists(), f"{name} loads {href}")
    for address, title, *_ in index(site):
        check_link(f"the index ({title})", address, pages, site)
    for text in (site / "style.css", site / "search.js"):
        check("//" not in re.sub(r"/\*.*?\*/", "", text.read_text(encoding="utf-8"), flags=re.S), f"{text.name} has an address")
    reached, new = set(), {"index.html"}
    while new:
        reached |= new
        new = {h.partition("#")[0] for n in new for h in pages[n].links} & set(pages) - reached
    check(not set(pages) - reached, f"not in the menu, nor linked to: {sorted(set(pages) - reached)}")


def index(site):
    text = (site / "search-index.js").read_text(encoding="utf-8")
    return json.loads(text.removeprefix("const nnblasIndex = ").rstrip().removesuffix(";"))


def check_reference(pages):
    sections = reference.read(SOURCE / "include")
    places = {a for name, page in pages.items() if name.startswith("ref-") for a in page.anchors}
    options = {f"{i.name}.{f}" for i in reference.items(sections) if i.name.endswith("_opts") for f in i.fields()}
    missing = (set(reference.names(sections)) | options) - places
    check(not missing, f"without a place in the reference: {sorted(missing)}")


# Loads pages in frames, wide and narrow, and says what is wrong with them.
FRAMES = """<!DOCTYPE html><meta charset="utf-8"><body><script>
const pages = PAGES, say = (line) => { document.body.append(line, document.createElement("br")); };
const look = (page, width) => new Promise((done) => {
  const frame = document.createElement("iframe");
  frame.style.width = width + "px", frame.style.height = "700px";
  frame.onload = () => {
    const seen = frame.contentDocument, root = seen.documentElement, main = seen.querySelector("main");
    const wrong = [];
    if (!main || !seen.querySelector("h1") || main.innerText.length < 100) wrong.push("hardly a text");
    if (root.scrollWidth > width + 1) wrong.push("wider than the window: " + root.scrollWidth);
    if (frame.contentWindow.getComputedStyle(seen.querySelector("header")).position !== "sticky") wrong.push("no style");
    const pages = frame.contentWindow.getComputedStyle(seen.querySelector("#pages"));
    if ((pages.display === "none") !== width < 800) wrong.push("the menu");
    for (const img of seen.images) if (!img.naturalWidth) wrong.push("no picture " + img.src);
    say(`[${page} at ${width}: ${wrong.join(", ") || "good"}]`);
    frame.remove();
    done();
  };
  frame.src = page;
  document.body.append(frame);
});
(async () => {
  for (const page of pages) for (const width of [1280, 400]) await look(page, width);
})();
</script>"""


def browser(chromium, address, *options):
    with tempfile.TemporaryDirectory() as home:
        command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={home}", "--enable-logging=stderr",
                   *options, "--dump-dom", address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    for line in done.stderr.splitlines():
        if "CONSOLE" in line:
            failures.append(f"the browser's console: {line}")
    return done.stdout


def kinds(pages):
    """One page of each kind."""
    found = [next(name for name in pages if name.startswith(kind)) for kind in ("ref-typed", "ref-core", "lesson-03")]
    return [*found, "index.html", "reference.html", "tour.html", "performance.html"]


def check_browser(chromium, site, pages):
    found = browser(chromium, f"{(site / 'index.html').as_uri()}?q=nnb_fit")
    first = re.search(r'<ol id="found">.*?<a href="([^"]*)".*?<b>(.*?)</b>', found, flags=re.S)
    check(first and first[1].endswith("#nnb_fit") and first[2] == "nnb_fit", f"search for nnb_fit finds first: {first and first[0]}")
    found = browser(chromium, f"{(site / 'files.html').as_uri()}?q=zzzz")
    check("Nothing was found." in found, "search for zzzz finds something")
    (site / "frames.html").write_text(FRAMES.replace("PAGES", json.dumps(sorted(pages))), encoding="utf-8")
    seen = browser(chromium, (site / "frames.html").as_uri(), "--allow-file-access-from-files", "--virtual-time-budget=200000")
    said = re.findall(r"\[([\w.-]+ at \d+: [^\]]*)\]", re.sub(r"<script>.*?</script>", "", seen, flags=re.S))
    failures.extend(line for line in said if not line.endswith(": good"))
    check(len(said) == 2 * len(pages), f"the browser showed {len(said)} pages, wanted {2 * len(pages)}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        site = pathlib.Path(folder) / "site"
        done = subprocess.run([sys.executable, SOURCE / "tools/site.py", SOURCE, site], capture_output=True, text=True, check=False)
        if done.returncode and "sh tools/setup.sh docs" in done.stderr:
            print(f"skipped: {done.stderr}")
            return 77
        check(done.returncode == 0, f"site.py: {done.stderr}")
        pages = read_pages(site)
        check(len(pages) > 40, f"only {len(pages)} pages")
        check_links(pages, site)
        check_reference(pages)
        chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if chromium:
            check_browser(chromium, site, list(pages) if "--all" in sys.argv else kinds(pages))
        else:
            print("skipped: the pages in a browser (no Chromium)")
    print("\n".join(failures[:60]) or f"{len(pages)} pages")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
