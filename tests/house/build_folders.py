#!/usr/bin/env python3
"""tools/build.py and tools/run_suite.py on a small project: every state of an old build folder that would give a wrong
result in silence is found, said and mended, and a run that leaves out tests fails.

    build_folders.py TOOLS
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOOLS = os.path.abspath(sys.argv[1])
PROJECT = """project('small', 'c', default_options: ['buildtype=release'])
add_test_setup('default', is_default: true, exclude_suites: ['long'])
exe = executable('exe', 'exe.c')
if get_option('tests').enabled()
  foreach name : ['one', 'two', 'three']
    test(name, exe)
  endforeach
  test('slow', exe, suite: 'long')
  test('skips', exe, args: '77')
endif
if get_option('fails')
  test('fails', exe, args: '3')
endif
"""
OPTIONS = """option('tests', type: 'feature', value: 'auto')
option('fails', type: 'boolean', value: false)
"""
EXE = """#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) { int n = argc > 1 ? atoi(argv[1]) : 0; puts(n == 3 ? "expected 1, got 2" : n ? "skipped: no reason" : "skipped: a part"); return n; }
"""
failures = 0


def expect(good, what, expected, observed):
    global failures
    if not good:
        failures += 1
        print(f"FAIL {what}: expected {expected}, observed {observed}")


def run(tool, *arguments, **env):
    done = subprocess.run([sys.executable, os.path.join(TOOLS, tool), *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, env=dict(ENV, **env))
    return done.returncode, done.stdout


ENV = {k: v for k, v in os.environ.items() if k not in ("CC", "CFLAGS", "CPPFLAGS", "LDFLAGS", "NINJA_STATUS", "MESON_TESTTHREADS")}


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def build(what, said, *arguments, status=0, **env):
    """Builds; the output has `said` (None: it says nothing of configuring)."""
    code, out = run("build.py", "build", *arguments, **env)
    found = said in out if said else "onfiguring" not in out and "anew" not in out
    expect(code == status and found, what, f"{status} and {said!r}", f"{code} and {out!r}")
    expect("\r" not in out and "\033" not in out, f"{what}: output that is no terminal", "plain lines", repr(out))
    return out


def check_options():
    build("no folder", "Configuring build/.")
    build("nothing to do", None)
    build("tests wanted, the folder has auto", "tests was auto, is enabled", "-Dtests=enabled")
    build("they stay", None, "--keep", "tests")
    build("an option of the folder that nobody asked for", "Configuring build/ again")
    subprocess.run(["meson", "configure", "build", "-Db_sanitize=undefined"], check=True, capture_output=True)
    build("a sanitizer that nobody asked for", "b_sanitize was undefined, is none")
    build("another type", "buildtype was release, is debug", "-Dbuildtype=debug")
    write("meson_options.txt", OPTIONS + "option('new', type: 'boolean', value: true)\n")
    build("an option that is new in the source", "new was missing, is true")
    write("meson_options.txt", OPTIONS)
    build("an option that is gone from the source", None)
    write("meson_options.txt", OPTIONS.replace("value: false", "value: true"))
    build("a default that changed", "fails was False, is True".lower())
    write("meson_options.txt", OPTIONS)
    build("and back, with the type", "fails was true, is false")


def check_anew():
    shutil.rmtree("build/meson-info")
    build("a configuration that was cut off", "its configuration was cut off")
    os.remove("build/build.ninja")
    build("a folder without build.ninja", "its configuration was cut off")
    info = "build/meson-info/meson-info.json"
    with open(info, encoding="utf-8") as f:
        text = f.read()
    write(info, re.sub(r'"full": "[^"]*"', '"full": "0.1.2"', text, count=1))
    build("another Meson", "it was made by Meson 0.1.2")
    write("build/meson-private/compiler-version.txt", "old compiler")
    build("another version of the compiler", "its compiler has another version now")
    build("flags", "c_args", CFLAGS="-O1 -DX")
    build("the same flags", None, CFLAGS="-O1 -DX")
    build("no flags", "c_args")
    other = shutil.which("clang") if os.path.realpath(shutil.which("cc")) != os.path.realpath(shutil.which("clang") or "") else None
    if other:
        build("another compiler", "its compiler is", "--compiler", other)
        build("the default compiler again", "its compiler is")
    else:
        print("not tried: another compiler (there is one only)")
    shutil.rmtree("build")
    os.mkdir("build")
    write("build/precious.txt", "mine")
    build("a folder that is no build folder", "is no build folder of Meson", status=1)
    expect(os.path.exists("build/precious.txt"), "a file in a folder of another kind", "kept", "gone")
    shutil.rmtree("build")


def check_moved(top):
    build("before the move", "Configuring build/.")
    there = os.path.join(top, "moved")
    shutil.copytree(".", there, symlinks=True)
    write(os.path.join(there, "exe.c"), "#error the new tree\n")
    os.chdir(there)
    out = build("a tree that was copied with its folder", "it belongs to the source folder", status=1)
    expect("the new tree" in out and "FAILED" in out, "what is compiled in the copy, and the output of a failed step",
           "the copy's source", out)
    os.chdir(os.path.join(top, "project"))


def check_tests():
    build("tests for the run", "again", "-Dtests=enabled")
    code, out = run("run_suite.py", "s", "build")
    expect(code == 0 and out.splitlines()[-1] == "s: 3 passed, 0 failed, 1 skipped", "a whole run", "3 passed", out)
    expect("in one, skipped: a part" in out, "what a test that passes leaves out", "its line", out)
    expect("4 tests (1 more are left out, in long)" in out, "what is left out", "one of long", out)
    expect("skipped skips: no reason" in out, "the reason of a skip", "no reason", out)
    code, out = run("run_suite.py", "s", "build", "--suite", "long")
    expect(code == 0 and "s: 1 passed" in out, "the long suite by name", "1 passed", out)
    code, out = run("run_suite.py", "s", "build", "one", "none")
    expect(code == 1 and 'no test is called "none"' in out, "a name without test", "a failure", out)
    build("tests with one that fails", "again", "-Dtests=enabled", "-Dfails=true")
    code, out = run("run_suite.py", "s", "build", "--totals", "totals", "--failures", "failures")
    with open("totals", encoding="utf-8") as f, open("failures", encoding="utf-8") as g:
        files = f.read() + g.read()
    expect(code == 1 and "---- s: fails: FAIL" in out and "expected 1, got 2" in out, "a test that fails", "its log", out)
    expect("3 1 1" in files and "s: fails: FAIL" in files, "the files", "totals and failures", files)
    shutil.rmtree("build")
    build("a folder without tests", "Configuring")
    code, out = run("run_suite.py", "s", "build")
    expect(code == 1 and "nothing to run" in out, "no tests at all", "a failure", out)


def check_fewer():
    """A meson that stops early, with status 0."""
    build("tests", "again", "-Dtests=enabled")
    os.mkdir("bin")
    write("bin/meson", f"#!/bin/sh\ncase \"$*\" in *--list*) exec {shutil.which('meson')} \"$@\" ;; esac\n"
          f"{shutil.which('meson')} \"$@\" one two\nexit 0\n")
    os.chmod("bin/meson", 0o755)
    code, out = run("run_suite.py", "s", "build", PATH=os.path.abspath("bin") + ":" + ENV["PATH"])
    expect(code == 1 and "only 2 of 4 tests ran" in out, "fewer tests than the build defines", "a failure", out)


with tempfile.TemporaryDirectory() as top:
    os.mkdir(os.path.join(top, "project"))
    os.chdir(os.path.join(top, "project"))
    for file, text in (("meson.build", PROJECT), ("meson_options.txt", OPTIONS), ("exe.c", EXE)):
        write(file, text)
    check_options()
    check_anew()
    check_moved(top)
    check_tests()
    check_fewer()
sys.exit(1 if failures else 0)
