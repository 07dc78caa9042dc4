#!/usr/bin/env python3
"""Compiles and runs the C sources that nnb_net_write_c writes, and compares their results with the library's.

  run.py [--all] MAKE_CASES...

Every compiler and emulator that is installed is used; the others are named as skipped.  Without --all each compiler has
one of the precisions.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

STRICT = ["-O2", "-Wall", "-Wextra", "-pedantic", "-Wconversion", "-Wshadow", "-Werror"]
# The deviations from MISRA C 2012 that docs/files.md states.
DEVIATIONS = {"2.5", "8.7"}

M7_LINK = """ENTRY(start)
MEMORY { flash : ORIGIN = 0x0, LENGTH = 4M  ram : ORIGIN = 0x20000000, LENGTH = 4M }
SECTIONS {
  .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) *(.ARM.ex*) . = ALIGN(8); } > flash
  from = .;
  .data : AT(from) { data = .; *(.data*) . = ALIGN(8); data_end = .; } > ram
  .bss : { bss = .; *(.bss*) *(COMMON) . = ALIGN(8); bss_end = .; end = .; } > ram
}
"""
M7_START = """#include <stdlib.h>
extern char from, data, data_end, bss, bss_end;
extern void initialise_monitor_handles(void);
int main(void);
void start(void);
void start(void) {
  *(volatile unsigned *)0xE000ED88u |= 0xFu << 20; /* switch the floating-point unit on */
  __asm volatile("dsb\\n isb");
  for (char *to = &data, *p = &from; to < &data_end; to++, p++) *to = *p;
  for (char *to = &bss; to < &bss_end; to++) *to = 0;
  initialise_monitor_handles();
  exit(main());
}
typedef struct vectors { void *stack; void (*reset)(void); } vectors;
__attribute__((section(".vectors"), used)) static const vectors table = {(void *)0x20400000, start};
void _init(void);
void _init(void) {}
void _fini(void);
void _fini(void) {}
"""


def run(command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=250, check=False,
                          stdin=subprocess.DEVNULL, **more)
    return done.returncode, done.stdout


def first_of(*programs):
    """The first one that is installed, or the first."""
    return next((program for program in programs if shutil.which(program)), programs[0])


class Tests:
    def __init__(self):
        self.failed = 0

    def report(self, name, code, text):
        print(f"{name}: {'failed' if code else text.strip().splitlines()[-1] if text.strip() else 'ok'}")
        if code:
            print(text[-3000:])
            self.failed += 1

    def program(self, name, folder, compiler, flags, runner, sources=()):
        """Compiles every case by itself, links them with main.c and runs the program."""
        if not shutil.which(compiler[0]) or (runner and not shutil.which(runner[0])):
            missing = compiler[0] if not shutil.which(compiler[0]) else runner[0]
            print(f"skipped: {name}: {missing} is not installed")
            return
        files = sorted(str(p) for p in folder.glob("*.c")) + [str(s) for s in sources]
        exe = str(folder / re.sub(r"\W", "_", name))
        code, text = run([*compiler, *flags, *files, "-o", exe, "-lm"])
        if not code:
            code, text = run([*runner, exe])
        self.report(name, code, text)


def misra(tests, folder, precision):
    if not shutil.which("cppcheck"):
        print("skipped: MISRA C: cppcheck is not installed")
        return
    found, lines = set(), []
    sources = [str(p) for p in sorted(folder.glob("*.c")) if p.name != "main.c"]
    code, text = run(["cppcheck", "--quiet", "--std=c99", "--addon=misra", "--suppress=missingIncludeSystem",
                      "--suppress=unusedFunction", "--inline-suppr", *sources])
    if code or "misra-c2012" not in text and "error" in text.lower():
        print(f"skipped: MISRA C: cppcheck's add-on does not run: {text.strip()[:200]}")
        return
    for line in text.splitlines():
        rule = re.search(r"\[(misra-c2012-)?([\w.-]+)\]$", line)
        if rule:
            found.add(rule.group(2))
            if rule.group(2) not in DEVIATIONS:
                lines.append(line)
    tests.report(f"MISRA C, {precision}, but for {', '.join(sorted(DEVIATIONS))}", bool(lines), "\n".join(lines))


def precision_of(folder):
    return "double" if "double" in (folder / "sse.c").read_text() else "float"


def test_folder(tests, make, folder, everything):
    code, text = run([make, str(folder)])
    if code:
        tests.report(make, code, text)
        return
    print(text, end="")
    number = precision_of(folder)
    # Each compiler and each language once takes half the time.
    chosen = {"double": ("gcc", "clang++"), "float": ("clang", "g++")}[number]
    for compiler, standard in (("gcc", "c99"), ("clang", "c99"), ("g++", "c++11"), ("clang++", "c++11")):
        if not everything and compiler not in chosen:
            continue
        language = ["-xc++"] if standard == "c++11" else []
        # clang calls every C file that is compiled as C++ deprecated, but not with -x.  C++ shows that it is accepted and
        # means the same; what optimisation does to it is seen in C, and takes most of the time.
        flags = [f"-std={standard}", *STRICT] + (["-O0"] if language else [])
        tests.program(f"{number}, {compiler} -std={standard}", folder, [compiler, *language], flags, [])
    if everything or number == "double":
        misra(tests, folder, number)
    tests.program(f"{number}, arm64 by qemu", folder, ["aarch64-linux-gnu-gcc"], ["-std=c99", "-static", *STRICT],
                  [first_of("qemu-aarch64", "qemu-aarch64-static")])
    (folder / "m7").mkdir()
    link, start = folder / "m7/m7.ld", folder / "m7/start.c"
    link.write_text(M7_LINK)
    start.write_text(M7_START)
    tests.program(f"{number}, Cortex-M7 by qemu", folder, ["arm-none-eabi-gcc"],
                  ["-std=c99", "-mcpu=cortex-m7", "-mthumb", "-mfpu=fpv5-d16", "-mfloat-abi=hard", *STRICT,
                   "-nostartfiles", f"-T{link}", "--specs=rdimon.specs"],
                  ["qemu-system-arm", "-M", "mps2-an500", "-nographic", "-semihosting-config", "enable=on,target=native",
                   "-kernel"], [start])


def main():
    tests = Tests()
    everything = "--all" in sys.argv
    for make in sys.argv[1:]:
        if make != "--all":
            with tempfile.TemporaryDirectory() as folder:
                test_folder(tests, make, pathlib.Path(folder), everything)
    return 1 if tests.failed else 0


sys.exit(main())
