#!/usr/bin/env python3
"""Runs the tests of a build folder and says what came of each that did not pass.

    run_suite.py NAME FOLDER [-v] [--totals FILE] [--failures FILE] [ARGUMENT OF meson test]...

A line counts the tests; with -v meson shows everything.  A test that failed is shown with its whole output, one that was
skipped with its reason.  The run fails as well if fewer tests ran than the build defines for these arguments, or if a
name among them fits no test.  Appends "PASSED FAILED SKIPPED" to the file of --totals, what failed to that of --failures.
Ends with 0 if at least one test passed and none failed.  Uses the standard library of Python alone.
"""
import fnmatch
import glob
import json
import os
import re
import subprocess
import sys

from progress import Counter

PASSED, SKIPPED = {"OK", "EXPECTEDFAIL"}, {"SKIP"}
WITH_VALUE = {"--maxfail", "--repeat", "--gdb-path", "--wrapper", "--suite", "--no-suite", "--num-processes", "-t",
              "--timeout-multiplier", "--setup", "--test-args"}
LOGBASE = "run-suite"
# Lines worth repeating at the end: Check's, the sanitizers', Python's
TELLING = re.compile(r":[FE]:|ERROR: |WARNING: ThreadSanitizer|runtime error:|^ *#[0-9] |^==\d+== |FAIL|Error:|expected|wanted")


def meson_test(folder, *arguments):
    return ["meson", "test", "-C", folder, "--no-rebuild", *arguments]


def listed(folder, arguments):
    """The tests that these arguments choose, by name, and what meson said."""
    done = subprocess.run(meson_test(folder, "--list", *arguments), capture_output=True, text=True, check=False)
    names = [line.split(" / ", 1)[1] for line in done.stdout.splitlines() if " / " in line]
    return names, done.stdout + done.stderr


def names_in(arguments):
    """Names of tests among the arguments: words that are neither options nor their values."""
    words, skip = [], False
    for argument in arguments:
        if skip:
            skip = False
        elif argument in WITH_VALUE:
            skip = True
        elif not argument.startswith("-"):
            words.append(argument.rsplit(":", 1)[-1])
    return words


def defined(folder):
    """Every test of the build: name and suites."""
    with open(os.path.join(folder, "meson-info/intro-tests.json"), encoding="utf-8") as f:
        return [(t["name"], [s.split(":")[-1] for s in t["suite"]]) for t in json.load(f)]


def left_out(folder, chosen):
    """A sentence on the tests of the build that are not chosen."""
    rest = [(name, suites) for name, suites in defined(folder) if name not in set(chosen)]
    groups = sorted({suite for _, suites in rest for suite in suites})
    return f" ({len(rest)} more are left out, in {', '.join(groups)})" if rest else ""


class Log:
    """Meson's log of results, one JSON object a line, read while it grows."""

    def __init__(self, folder):
        self.pattern = os.path.join(folder, "meson-logs", LOGBASE + "*.json")
        for old in glob.glob(self.pattern):
            os.remove(old)
        self.file, self.rest = None, ""

    def new(self):
        if not self.file:
            found = glob.glob(self.pattern)
            if not found:
                return []
            self.file = open(found[0], encoding="utf-8", errors="replace")
        *lines, self.rest = (self.rest + self.file.read()).split("\n")
        return [json.loads(line) for line in lines if line]


def output_of(result):
    return "\n".join(text.rstrip() for text in (result.get("stdout", ""), result.get("stderr", "")) if text)


def reason_of(result):
    lines = [line for line in output_of(result).splitlines() if line.strip()]
    told = [line for line in lines if "skip" in line.lower()]
    return (told or lines or ["it gave no reason"])[-1].strip().split("skipped: ")[-1]


class Run:
    def __init__(self, name, total):
        self.name, self.total, self.counter = name, total, Counter(f"{name}: tests")
        self.passed = self.failed = self.skipped = 0
        self.report = []  # lines on what failed

    def take(self, result, verbose):
        kind, test = result["result"], result["name"].split(" / ", 1)[-1]
        if kind in PASSED:
            self.passed += 1
            for line in output_of(result).splitlines():
                if line.startswith("skipped: "):
                    self.counter.line(f"  in {test}, {line}")
        elif kind in SKIPPED:
            self.skipped += 1
            self.counter.line(f"  skipped {test}: {reason_of(result)}")
        else:
            self.failed += 1
            head, text = f"{self.name}: {test}: {kind}, {result.get('duration', 0):.1f} s", output_of(result)
            self.report += [head] + ["  " + line for line in text.splitlines() if TELLING.search(line)][:40]
            if not verbose:
                self.counter.line(f"---- {head} ----\n{text}\n---- end of {test} ----")
        self.counter.show(self.passed + self.failed + self.skipped, self.total,
                          f", {self.failed} failed" if self.failed else "")

    def fail(self, sentence):
        self.failed += 1
        self.counter.line(f"{self.name}: {sentence}")
        self.report.append(f"{self.name}: {sentence}")


def execute(run, folder, arguments, verbose):
    log, said = Log(folder), []
    command = meson_test(folder, "--logbase", LOGBASE, *(["-v"] if verbose else []), *arguments)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          env=dict(os.environ, PYTHONUNBUFFERED="1")) as meson:
        for line in meson.stdout:
            said.append(line)
            if verbose:
                run.counter.line(line)
            for result in log.new():
                run.take(result, verbose)
    for result in log.new():
        run.take(result, verbose)
    ran = run.passed + run.failed + run.skipped
    if ran < run.total:
        run.fail(f"only {ran} of {run.total} tests ran; meson's last words: {''.join(said[-5:]).strip()}")
    elif meson.returncode and not run.failed:
        run.fail(f"meson test ended with {meson.returncode}: {''.join(said[-5:])}")
    run.counter.clear()


def options(words):
    """-v, --totals and --failures; everything else is for meson."""
    verbose, files, rest = False, {"--totals": None, "--failures": None}, []
    words = iter(words)
    for word in words:
        if word in ("-v", "--verbose"):
            verbose = True
        elif word in files:
            files[word] = next(words)
        else:
            rest.append(word)
    return verbose, files, rest


def append(path, text):
    if path:
        with open(path, "a", encoding="utf-8") as f:
            f.write(text + "\n")


def main():
    for stream in sys.stdout, sys.stderr:
        stream.reconfigure(errors="backslashreplace")  # what a test prints may not be in the locale's characters
    name, folder = sys.argv[1:3]
    verbose, files, arguments = options(sys.argv[3:])
    chosen, said = listed(folder, arguments)
    run = Run(name, len(chosen))
    for word in names_in(arguments):
        if not any(fnmatch.fnmatch(test, word) for test in chosen):
            run.fail(f'no test is called "{word}"')
    if not chosen:
        run.fail(f"there is nothing to run: {said.strip()}")
    else:
        print(f"{name}: {run.total} tests{left_out(folder, chosen)}", flush=True)
        execute(run, folder, arguments, verbose)
    print(f"{name}: {run.passed} passed, {run.failed} failed, {run.skipped} skipped", flush=True)
    append(files["--totals"], f"{run.passed} {run.failed} {run.skipped}")
    if run.report:
        append(files["--failures"], "\n".join(run.report))
    return 0 if run.passed and not run.failed else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
