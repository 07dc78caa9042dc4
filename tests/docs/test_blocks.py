#!/usr/bin/env python3
"""Compiles and runs every block of code in the documentation, those of a text in one folder, one after the other.

  test_blocks.py SOURCE BUILD CC...

A block of C is a program whose first line is a comment with its name.  It is compiled, with the library if it includes
<nnblas.h>, and run; if a block of text follows, the program has to print that.  One that includes <nnblas/mpi.h> is run
by two ranks, where MPI is installed.  An indented block or one of sh has
commands: nnblas and cc are run, files of the source tree and of the build are looked for.  Python is compiled, CMake and
Meson are compared with tests/install, which uses them.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE, BUILD = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
CC = sys.argv[3:]
TEXTS = ("README.md", "docs/*.md", "examples/README.md", "bench/README.md")
WARNINGS = ["-Wall", "-Wextra", "-pedantic", "-Wconversion", "-Werror", "-O2"]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$|(?<=\n\n)((?:^ {4}[^\n]*\n|^\n(?= {4}))+)", re.M | re.S)
sys.path.insert(0, str(SOURCE / "tests/mpi"))
from run import SETTINGS as MPI_SETTINGS  # noqa: E402

failures, skipped = [], []


def blocks(text):
    """(language, code, what has to be printed or None), in order.  Between a program and its text there may be a line."""
    found = [(m[1] if m[2] is not None else "sh", m[2] if m[2] is not None else m[3], m) for m in BLOCK.finditer(text)]
    for (language, code, match), after in zip(found, [*found[1:], None]):
        near = after and after[0] == "text" and text[match.end():after[2].start()].count("\n") <= 4
        yield language, code, after[1] if near else None


def check(good, what, wanted, came):
    if not good:
        failures.append(f"{what}: wanted {wanted}, came {came}")


def run(command, folder, what, **options):
    """What the command printed; None if it needs a library that this build was made without."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, **options)
    missing = re.search(r"this library was built without [\w-]+", done.stdout + done.stderr)
    if done.returncode != 0 and missing:
        skipped.append(f"{what} ({missing[0]})")
        return None
    check(done.returncode == 0, what, "status 0", f"{done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def flags():
    kind = [] if (BUILD / "lib/libnnblas.so").exists() else ["--static"]
    out = subprocess.run(["pkg-config", "--cflags", "--libs", *kind, "nnblas"], check=True, stdout=subprocess.PIPE, text=True)
    return out.stdout.split()


def program(code, folder, wanted):
    name = re.match(r"/\* (\w+\.c) \*/\n", code)
    if not name:
        failures.append(f"a block of C without its name in the first line:\n{code}")
        return
    (folder / name[1]).write_text(code, encoding="utf-8")
    library = flags() if "<nnblas.h>" in code else []
    std = "-std=c11" if library else "-std=c99"
    compiler, start = CC, []
    if "<nnblas/mpi.h>" in code:
        mpi = [os.environ.get(name) or name.lower() for name in ("MPICC", "MPIRUN")]
        if not [*BUILD.glob("lib/libnnblas-mpi.*")] or not all(map(shutil.which, mpi)):
            skipped.append(f"{name[1]} (no MPI in this build)")
            return
        if any(word.startswith("-fsanitize") for word in CC):
            skipped.append(f"{name[1]} (programs of MPI under a sanitizer)")
            return
        compiler, start, library = mpi[:1], [mpi[1], "-n", "2"], ["-lnnblas-mpi", *library]
        os.environ.update(MPI_SETTINGS)
    run([*compiler, std, *WARNINGS, name[1], "-o", name[1][:-2], *library, "-lm"], folder, f"compiling {name[1]}")
    if (folder / name[1][:-2]).exists():
        out = run([*start, f"./{name[1][:-2]}"], folder, name[1])
        check(None in (wanted, out) or out == wanted, f"{name[1]} prints", wanted, out)


def tables(line, folder):
    """Makes the tables that a command reads and that are not there: iris.csv by another name."""
    for name in re.findall(r"(?<=\s)[\w.-]+\.csv\b", re.sub(r"(-o|--output|>)[ =]?\S+", "", line)):
        if not (folder / name).exists():
            shutil.copy(folder / "iris.csv", folder / name)


def command(line, folder):
    """One line of a block of commands."""
    word, *rest = line.split()
    named = [w for w in (word, *rest) if re.match(r"(build/)?\w+/[\w/.-]+$", w)]
    if word == "nnblas" and not shutil.which("nnblas", path=os.environ["PATH"]):
        skipped.append(f"{line} (no command in this build)")
    elif word in ("nnblas", "cc"):
        tables(line, folder)
        run(["sh", "-c", line.replace("cc ", " ".join(CC) + " ", 1) if word == "cc" else line], folder, line)
    elif word in ("sh", "python3") or named:
        for path in named[:1]:
            place = BUILD / path[6:] if path.startswith("build/") else SOURCE / path
            built = f"build {path[6:]}:" in (BUILD / "build.ninja").read_text(encoding="utf-8")
            if path.startswith("build/") and not built and not place.exists():
                skipped.append(f"{line} (not a part of this build)")
            else:
                check(built or place.exists(), line, "a file of the source or the build", path)
    else:
        check(word in ("meson", "ninja", "man", "apt-get", "pip", "gfortran", "mpicc", "mpirun", "srun"), line, "a command that this test knows", word)


def commands(code, folder):
    for line in re.sub(r"\\\n", " ", code).splitlines():
        line = re.sub(r"(^|\s)# .*", "", line).strip().removeprefix("$ ")
        if line:
            command(line, folder)


def covered(code):
    """CMake and Meson: each call is made by a file of tests/install."""
    texts = "".join(p.read_text(encoding="utf-8") for p in (SOURCE / "tests/install").iterdir())
    for call in re.findall(r"^\s*(?:\w+ = )?(\w+\(['\w]+)", code, flags=re.M):
        call = call if "nnblas" in call else call.split("(")[0]
        check(call in texts, "a call that tests/install does not make", "one that it makes", call)


def package(folder):
    """A file for pkg-config that names the headers and the library of the build."""
    private = (BUILD / "meson-uninstalled/nnblas-uninstalled.pc").read_text(encoding="utf-8")
    private = "\n".join(re.findall(r"^Libs\.private:.*", private, flags=re.M))
    text = f"Name: nnblas\nDescription: of the build\nVersion: 0\nCflags: -I{SOURCE}/include\nLibs: -L{BUILD}/lib -lnnblas\n"
    (folder / "nnblas.pc").write_text(text + private + "\n", encoding="utf-8")


def surroundings(folder):
    """The tables that the texts speak of, and where to find the command and the library."""
    package(folder)
    for table in (SOURCE / "examples/data").glob("*.csv"):
        shutil.copy(table, folder)
    rows = (folder / "iris.csv").read_text(encoding="utf-8").splitlines()
    (folder / "new.csv").write_text("\n".join(rows[:1] + rows[1::30]) + "\n", encoding="utf-8")
    os.environ["PATH"] = os.pathsep.join([str(BUILD / "cli"), str(BUILD / "bench"), os.environ["PATH"]])
    os.environ["PKG_CONFIG_PATH"] = os.pathsep.join([str(folder), os.environ.get("PKG_CONFIG_PATH", "")])
    os.environ["LD_LIBRARY_PATH"] = os.pathsep.join([str(BUILD / "lib"), os.environ.get("LD_LIBRARY_PATH", "")])


def try_text(doc):
    """All blocks of a text; their number."""
    number = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        surroundings(folder)
        for language, code, wanted in blocks(doc.read_text(encoding="utf-8")):
            number += 1
            if language == "c":
                program(code, folder, wanted)
            elif language == "sh":
                commands(code, folder)
            elif language == "python":
                compile(code, str(doc), "exec")
            elif language in ("cmake", "meson"):
                covered(code)
            else:
                check(language in ("text", "fortran"), "a block", "a language: c, sh, python, cmake, meson or text", f'"{language}"\n{code}')
    return number


def main():
    environment, number = dict(os.environ), 0
    for doc in sorted(p for pattern in TEXTS for p in SOURCE.glob(pattern)):
        before = len(failures)
        number += try_text(doc)
        failures[before:] = [f"{doc.relative_to(SOURCE)}: {line}" for line in failures[before:]]
        os.environ.update({name: environment.get(name, "") for name in ("PATH", "PKG_CONFIG_PATH", "LD_LIBRARY_PATH")})
    check(number > 20, "the texts", "more than 20 blocks", number)
    for line in dict.fromkeys(skipped):
        print(f"skipped: {line}")
    print("\n".join(failures) or f"{number} blocks")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
