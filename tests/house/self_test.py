#!/usr/bin/env python3
"""Tests of the tests: each offence that the house checks are there for is made on purpose and must be found.

  self_test.py TOOLS_FOLDER CC...
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TOOLS, CC = pathlib.Path(sys.argv[1]), sys.argv[2:]


def archive(folder, name, source):
    """A thin archive, as the build makes them."""
    c, o, a = folder / f"{name}.c", folder / f"{name}.o", folder / f"libnnb_{name}.a"
    c.write_text(source)
    subprocess.run([*CC, "-c", str(c), "-o", str(o)], check=True)
    subprocess.run(["ar", "csrT", str(a), str(o)], check=True)
    return a


def run(script, *args):
    done = subprocess.run([sys.executable, str(script), *map(str, args)], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


class InTemporaryFolder(unittest.TestCase):
    def setUp(self):
        self.holder = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.holder.name)

    def tearDown(self):
        self.holder.cleanup()


class ModuleOrder(InTemporaryFolder):
    def symbols(self):
        return run(HERE / "module_order.py", "symbols", self.folder)

    def test_a_call_of_a_module_below_passes(self):
        archive(self.folder, "base", "int nnb__alloc(void); int nnb__alloc(void) { return 0; }")
        archive(self.folder, "nn", "int nnb__alloc(void); int nnb_f(void); int nnb_f(void) { return nnb__alloc(); }")
        self.assertEqual(self.symbols(), (0, "in order\n"))

    def test_a_call_of_a_module_beside_fails(self):
        archive(self.folder, "opt", "int nnb_step(void); int nnb_step(void) { return 0; }")
        archive(self.folder, "nn", "int nnb_step(void); int nnb_f(void); int nnb_f(void) { return nnb_step(); }")
        status, text = self.symbols()
        self.assertEqual(status, 1)
        self.assertIn("nn needs nnb_step, which is defined in opt", text)

    def test_the_single_precision_archive_counts_too(self):
        archive(self.folder, "io", "int nnbf__save(void); int nnbf__save(void) { return 0; }")
        archive(self.folder, "data_f", "int nnbf__save(void); int nnbf_f(void); int nnbf_f(void) { return nnbf__save(); }")
        status, text = self.symbols()
        self.assertEqual(status, 1)
        self.assertIn("data needs nnbf__save, which is defined in io", text)

    def test_a_folder_without_archives_fails(self):
        self.assertEqual(self.symbols()[0], 1)

    def test_cblas_in_another_file_fails(self):
        (self.folder / "num" / "blas").mkdir(parents=True)
        (self.folder / "num" / "blas" / "blas.c").write_text("#include <cblas.h>\n")
        self.assertEqual(run(HERE / "module_order.py", "includes", self.folder)[0], 0)
        (self.folder / "num" / "view.c").write_text("# include <openblas/cblas.h>\n")
        status, text = run(HERE / "module_order.py", "includes", self.folder)
        self.assertEqual(status, 1)
        self.assertIn("num/view.c includes openblas/cblas.h", text)


class FileCircles(InTemporaryFolder):
    """A library of two files in nn/, a.c and b.c."""

    def run_circles(self, a, b, a_h="", b_h="", more=()):
        lib, build = self.folder / "lib", self.folder / "build"
        (lib / "nn").mkdir(parents=True)
        build.mkdir()
        for name, text in {"a.c": a, "b.c": b, "a.h": a_h, "b.h": b_h, **dict(more)}.items():
            (lib / "nn" / name).parent.mkdir(exist_ok=True)
            (lib / "nn" / name).write_text(text)
        objects = []
        for name in ("a", "b"):
            objects.append(build / f"nn_{name}.c.o")
            subprocess.run([*CC, "-c", str(lib / "nn" / f"{name}.c"), "-o", str(objects[-1])], check=True)
        subprocess.run(["ar", "csrT", str(build / "libnnb_nn.a"), *map(str, objects)], check=True)
        return run(HERE / "file_circles.py", lib, build)

    F = "int nnb__f(void);\nint nnb__g(void);\n"

    def test_one_way_passes(self):
        self.assertEqual(self.run_circles(self.F + "int nnb__f(void) { return nnb__g(); }",
                                          self.F + "int nnb__g(void) { return 0; }"), (0, "no circles\n"))

    def test_files_that_call_each_other_are_noticed(self):
        status, text = self.run_circles(self.F + "int nnb__f(void) { return nnb__g(); }",
                                        self.F + "int nnb__g(void) { return nnb__f(); }")
        self.assertEqual(status, 1)
        self.assertIn("nn: a, b use each other: a b (nnb__g); b a (nnb__f)", text)

    def test_files_that_include_each_other_are_noticed(self):
        status, text = self.run_circles('#include "b.h"\n', "", b_h='#ifndef X\n#define X\n#include "a.h"\n#endif\n')
        self.assertEqual(status, 1)
        self.assertIn("nn: a, b include each other: a b (b.h); b a (a.h)", text)

    def test_a_name_that_is_there_twice_is_noticed(self):
        status, text = self.run_circles("", "", more=[("../io/a.c", "")])
        self.assertEqual(status, 1)
        self.assertIn("a.c is there twice: io/a.c, nn/a.c", text)


class PlainText(InTemporaryFolder):
    def check(self, text):
        (self.folder / "lib").mkdir(exist_ok=True)
        for i in range(100):
            (self.folder / "lib" / f"f{i}.c").write_text("/* A file. */\n")
        (self.folder / "lib" / "f0.c").write_text(text)
        return run(HERE / "plain_text.py", self.folder)

    def test_plain_text_passes(self):
        self.assertEqual(self.check("/* Adds two numbers. */\n"), (0, "plain\n"))

    def test_a_long_line_is_noticed(self):
        self.assertEqual(self.check("/* " + "x" * 118 + "\n */\n"),
                         (1, "lib/f0.c:1: 121 columns; wanted at most 120\n"))

    def test_a_phrase_is_noticed_also_over_two_lines(self):
        status, text = self.check("/* Refused with a\n * sentence. */\n")
        self.assertEqual((status, text), (1, 'lib/f0.c: "with a sentence"; write: with a message\n'))

    def test_a_tree_without_files_fails(self):
        self.assertEqual(run(HERE / "plain_text.py", self.folder)[0], 1)


class Plurals(InTemporaryFolder):
    def check(self, text):
        (self.folder / "lib").mkdir(exist_ok=True)
        (self.folder / "lib" / "a.c").write_text(text)
        return run(HERE / "plurals.py", self.folder)

    def test_texts_that_count_are_found(self):
        for text, noun in (
            ('f("x has %d rows", n);', "rows"), ('f("%zu target columns")', "columns"), ('f("a "\n  "%d classes")', "classes"),
            ('f("%" PRId64 " updates", n)', "updates"),
        ):
            status, out = self.check("\n" + text)
            self.assertEqual(status, 1)
            self.assertRegex(out, rf'^lib/a.c:2: ".* ?{noun}" has no singular')

    def test_others_are_not(self):
        for text in ("%d row(s)", "%d row%s", "at most %d rows", "%d rows are too many", "%d×%d weights", "row %d has one",
                     "%d of the rows", "%s rows", "%d class"):
            self.assertEqual(self.check(f'f("{text}", n);'), (0, "counted\n"), text)

    def test_a_tree_without_files_fails(self):
        self.assertEqual(run(HERE / "plurals.py", self.folder)[0], 1)


class FloatNames(InTemporaryFolder):
    """A small library: one public name, one private one."""

    def setUp(self):
        super().setUp()
        for name, text in {
            "typed.h": "int nnb_fit(nnb_status); /* nnb_comment */ static inline int nnb_view(void) { return 0; }",
            "extend.h": "typedef struct nnb_sink nnb_sink;",
            "core.h": "typedef int nnb_status;",
        }.items():
            (self.folder / name).write_text(text)
        self.build("int nnb_fit(int s); int nnb__plan(void); int nnb_fit(int s) { return s; } int nnb__plan(void) { return 0; }")
        self.headers = [self.folder / n for n in ("typed.h", "extend.h", "core.h")]
        self.lists = [self.folder / n for n in ("on.h", "off.h", "private.h")]
        run(TOOLS / "float_names.py", "public", *self.headers, *self.lists[:2])
        run(TOOLS / "float_names.py", "private", self.lists[2], self.archive)

    def build(self, source):
        self.archive = archive(self.folder, "nn", source)

    def check(self, *flags):
        return run(TOOLS / "float_names.py", "check", *flags, *self.headers, *self.lists, self.archive)

    def test_generated_lists_are_fresh(self):
        self.assertEqual(self.check(), (0, "fresh\n"))
        names = [line.split()[1] for line in self.lists[0].read_text().splitlines()[1:]]
        self.assertEqual(names, ["nnb_fit", "nnb_sink", "nnb_view"])
        self.assertIn("#define nnb__plan nnbf__plan\n", self.lists[2].read_text())

    def test_a_forgotten_entry_of_each_list_is_noticed(self):
        for path, name in zip(self.lists, ("nnb_view", "nnb_sink", "nnb__plan")):
            whole = path.read_text()
            path.write_text("".join(l for l in whole.splitlines(True) if f" {name}" not in l))
            status, text = self.check()
            path.write_text(whole)
            self.assertEqual(status, 1, path)
            self.assertIn(f"lacks {name}", text)

    def test_an_entry_without_a_symbol_is_noticed(self):
        self.lists[2].write_text(self.lists[2].read_text() + "#define nnb__zzz nnbf__zzz\n")
        self.assertIn("has nnb__zzz, which is gone", self.check()[1])
        self.assertEqual(self.check("--subset"), (0, "fresh\n"))

    def test_a_public_symbol_without_a_declaration_is_noticed(self):
        self.build("int nnb_fit(int s); int nnb_fit(int s) { return s; } int nnb__plan(void) { return 0; } int nnb_extra;")
        self.assertIn("nnb_extra is defined in a typed module but declared in neither", self.check()[1])

    def test_a_symbol_without_the_prefix_is_noticed(self):
        self.build("int nnb_fit(int s) { return s; } int nnb__plan(void) { return 0; } int helper(void) { return 0; }")
        self.assertIn("helper is defined in a typed module and not called nnb_", self.check()[1])


class CoreLists(InTemporaryFolder):
    HEADER = """typedef enum nnb_activation {
  NNB_LINEAR, /**< z   glorot_uniform */
  NNB_RELU,   /**< max(z, 0)
                   he_normal */
  NNB_N_ACTIVATIONS,
  NNB_OWN_ACTIVATION = 1000 /**< own */
} nnb_activation;
typedef enum nnb_loss {
  NNB_LOSS_AUTO, /**< auto */
  NNB_MSE, /**< squares */
  NNB_N_LOSSES
} nnb_loss;
"""
    ACTIVATIONS = """/* ACTIVATION(no entry) */
ACTIVATION(NNB_LINEAR, linear, FROM_A, NNB_INIT_GLOROT_UNIFORM, NNB_MSE)
ACTIVATION(NNB_RELU, relu, FROM_A, NNB_INIT_HE_NORMAL, NNB_MSE)
"""
    LOSSES = "LOSS(NNB_MSE, mse, TERMS, square,\n     0, 2, NULL, UNFUSED)\n"

    def check(self, header=HEADER, activations=ACTIVATIONS):
        for name, text in {
            "include/nnblas/core.h": header,
            "lib/base/activations.def": activations,
            "lib/base/losses.def": self.LOSSES,
        }.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(text)
        return run(HERE / "core_lists.py", self.folder)

    def test_lists_that_agree_pass(self):
        self.assertEqual(self.check(), (0, "the same\n"))

    def test_what_differs_is_found(self):
        for change, found in {
            ("NNB_RELU,", "NNB_RELUS,"): "nnb_activation in core.h has NNB_LINEAR, NNB_RELUS",
            ("he_normal", "lecun"): "does not name its initial weights, he_normal",
            ("/**< squares */", ""): "NNB_MSE has no comment",
        }.items():
            status, text = self.check(header=self.HEADER.replace(*change))
            self.assertEqual(status, 1, change)
            self.assertIn(found, text)
        self.assertIn("NNB_RELU is called rely", self.check(activations=self.ACTIVATIONS.replace("relu", "rely"))[1])


class PublicNames(InTemporaryFolder):
    def ours(self, text):
        (self.folder / "nnblas.h").write_text("#include <stdio.h>\ntypedef struct nnb_net nnb_net;\n" + text)
        return run(HERE / "public_names.py", "ours", self.folder, *CC)

    def test_what_is_ours_passes(self):
        self.assertEqual(self.ours("enum nnb_e { NNB_A = 1, NNB_B };\nint nnb_f(int argument);\n")[0], 0)

    def test_what_is_not_ours_fails(self):
        for text, found in {
            "#define MAX 3\n": "macro MAX",
            "int helper(void);\n": "name helper",
            "enum { RED, NNB_GREEN };\n": "name RED",
            "typedef double real;\n": "name real",
            "#define nnb_left nnbf_left\n": "macro nnb_left",
        }.items():
            status, out = self.ours(text)
            self.assertEqual(status, 1, text)
            self.assertIn(found, out)


class Symbols(InTemporaryFolder):
    def setUp(self):
        super().setUp()
        self.list, self.changelog = self.folder / "symbols", self.folder / "changelog"
        self.changelog.write_text("libnnblas (0.2.0~dev) unstable; urgency=medium\n")

    def library(self, *names, major=0):
        source, library = self.folder / "a.c", self.folder / "libnnblas.so"
        source.write_text("".join(f"int {name}(void) {{ return 0; }}\n" for name in ("nnb_fit", *names)))
        soname = f"-Wl,-soname,libnnblas.so.{major}"
        subprocess.run([*CC, "-shared", "-fPIC", soname, "-o", str(library), str(source)], check=True)
        return library

    def write(self, library):
        return run(HERE / "symbols.py", "write", self.list, library, self.changelog)

    def check(self, library, version="0.1.0"):
        return run(HERE / "symbols.py", "check", self.list, library, self.changelog, version)

    def test_what_is_written_passes_and_keeps_versions(self):
        self.write(self.library("nnb_a"))
        self.assertIn(" nnb_a@Base 0.2.0~\n", self.list.read_text())
        self.changelog.write_text("libnnblas (0.3.0) unstable; urgency=medium\n")
        library = self.library("nnb_a", "nnb_b")
        self.write(library)
        self.assertIn(" nnb_a@Base 0.2.0~\n nnb_b@Base 0.3.0~\n", self.list.read_text())
        self.assertEqual(self.check(library, "0.3.0")[0], 0)
        for version in ("0.2.0", "0.3.1"):
            self.assertEqual(self.check(library, version)[0], 1, version)

    def test_each_difference_is_noticed(self):
        self.write(self.library("nnb_a"))
        self.assertEqual(self.check(self.library("nnb_a"), "0.2.0")[0], 1, "0.2.0~dev of 0.2.0")
        for names, major, said in ((("nnb_a", "nnb_b"), 0, "nnb_b is exported, but not in the list"),
                                   ((), 0, "nnb_a is in the list, but not exported"),
                                   (("nnb_a",), 1, "its first line is not: libnnblas.so.1 libnnblas1")):
            status, text = self.check(self.library(*names, major=major))
            self.assertEqual((status, said in text), (1, True), text)


class Options(InTemporaryFolder):
    """The real list and header, with one thing changed in each test."""

    def check(self, old, new, name="core.h"):
        for path in (ROOT / "lib/base/options.def", ROOT / "include/nnblas/core.h"):
            text = path.read_text(encoding="utf-8")
            if path.name == name:
                self.assertIn(old, text)
                text = text.replace(old, new, 1)
            (self.folder / path.name).write_text(text, encoding="utf-8")
        return run(HERE / "options.py", self.folder / "options.def", self.folder / "core.h")

    def test_they_agree(self):
        self.assertEqual(self.check("", ""), (0, "the list and core.h agree\n"))

    def test_each_difference_is_noticed(self):
        for old, new, found in (
            ("  int max_epochs;    /**< stop", "  int64_t max_epochs;    /**< stop", "nnb_fit_opts.max_epochs: the list has int, core.h int64_t"),
            ("default 100, with", "default 10, with", 'the comment does not say "default 100, with .bayes 1000"'),
            ("NNB_NONE: μ = 0", "NNB_NONE: 0", 'the comment does not say "NNB_NONE: μ = 0"'),
            ("momentum μ, below 1", "momentum μ", 'nnb_fit_opts.momentum: the comment does not say "below 1"'),
            ("kfac: λ of", "λ of", "nnb_fit_opts.damping: the comment begins"),
            ("  double l1; ", "  double more, l1; ", "nnb_fit_opts.more is not in options.def"),
            ("0: no clipping", "0: never", 'the comment does not say "0: no clipping"'),
        ):
            status, text = self.check(old, new)
            self.assertEqual(status, 1, found)
            self.assertIn(found, text)
        self.assertIn("has no depth", self.check("OPTION(F__, chunk", "OPTION(F__, depth", "options.def")[1])


class Results(InTemporaryFolder):
    def check(self, old, new):
        core = self.folder / "core.h"
        core.write_text((ROOT / "include/nnblas/core.h").read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
        return run(HERE / "results.py", ROOT / "lib/base/results.def", core)

    def test_they_agree(self):
        self.assertEqual(self.check("", ""), (0, "the list and core.h agree\n"))

    def test_each_difference_is_noticed(self):
        for old, new, found in (
            ("  int trials; ", "  int more, trials; ", "nnb_report.more is not in results.def"),
            ("  double gamma; ", "  double gamma, delta; ", "nnb_min_report.evidence.delta is not in results.def"),
            ("  double rmse; ", "", "nnb_metrics has no number rmse, which is in results.def"),
        ):
            status, text = self.check(old, new)
            self.assertEqual(status, 1, found)
            self.assertIn(found, text)


class AnOption(InTemporaryFolder):
    """The example of CONTRIBUTING.md in a copy: the two lines, and nothing else, make the option known."""

    PROGRAM = r"""
#include <nnblas/core.h>
int main(void) {
  nnb_fit_opts o = {0};
  char *text = NULL;
  if (nnb_fit_opts_parse("min_second=0.1", &o)) puts(nnb_errmsg());
  if (nnb_fit_opts_parse("min_seconds=-1", &o)) puts(nnb_errmsg());
  if (!nnb_fit_opts_parse("min_seconds=0.001", &o) && o.min_seconds == 0.001 && !nnb_fit_opts_print(&o, &text)) puts(text);
  nnb_free(text);
  return 0;
}
"""
    SOURCES = ("options", "options_text", "nearest", "names", "status", "alloc", "text", "decimal")

    def test_two_lines_are_enough(self):
        words = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
        row, field = re.findall(r"^    ((?:OPTION|double).*)$", words.partition("### Example: an option")[2], flags=re.M)[:2]
        include, base = self.folder / "include", self.folder / "base"
        shutil.copytree(ROOT / "include", include)
        shutil.copytree(ROOT / "lib/base", base)
        listed, core = base / "options.def", include / "nnblas/core.h"
        listed.write_text(listed.read_text(encoding="utf-8").replace("/* ---- the step", row + "\n/* ---- the step"), encoding="utf-8")
        head, _, rest = core.read_text(encoding="utf-8").partition("typedef struct nnb_fit_opts {")
        rest = re.sub(r"  void \*reserved\[(\d+)\];", lambda m: f"  {field}\n  void *reserved[{int(m[1]) - 1}];", rest, count=1)
        core.write_text(head + "typedef struct nnb_fit_opts {" + rest, encoding="utf-8")
        self.assertEqual(run(HERE / "options.py", listed, core), (0, "the list and core.h agree\n"))
        (self.folder / "main.c").write_text(self.PROGRAM)
        sources = [self.folder / "main.c", *(base / f"{name}.c" for name in self.SOURCES)]
        flags = ["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-I", include, "-I", base, "-o", self.folder / "main"]
        subprocess.run([*CC, *flags, *sources, "-lm"], check=True)
        done = subprocess.run([self.folder / "main"], capture_output=True, text=True)
        self.assertEqual(
            done.stdout.splitlines(),
            [
                "nnb_fit_opts, character 1: min_second is not an option; did you mean min_seconds?",
                "nnb_fit_opts, character 13: min_seconds is -1; wanted 0 or more, finite",
                "min_seconds=0.001",
            ],
        )


class Abi(InTemporaryFolder):
    """The real headers, with one thing changed in each test."""

    def run_abi(self, mode, old, new):
        include = self.folder / "include"
        shutil.rmtree(include, ignore_errors=True)
        shutil.copytree(ROOT / "include", include)
        core = include / "nnblas/core.h"
        text = core.read_text(encoding="utf-8")
        self.assertIn(old, text)
        core.write_text(text.replace(old, new, 1), encoding="utf-8")
        docs = self.folder / "abi.md"
        shutil.copy(ROOT / "docs/abi.md", docs)
        return run(HERE / "abi.py", mode, docs, include, *CC)

    def test_they_agree(self):
        self.assertIn(self.run_abi("check", "", "")[0], (0, 77))

    def test_what_breaks_is_noticed_and_not_written(self):
        if sys.maxsize < 2**32:
            self.skipTest("pointers do not have 64 bits here")
        for old, new, found in (
            ("  bool in_order; ", "  double in_order; ", "nnb_fit_opts.in_order: the table has"),
            ("  double gamma; ", "  double more, gamma; ", "nnb_evidence: the table has 32, the headers 40"),
            ("  void *reserved[26];", "  void *reserved[27];", "nnb_fit_opts: the table has 512, the headers 520"),
            ("  int epochs;\n", "", "nnb_report.epochs: the table has"),
        ):
            status, text = self.run_abi("write", old, new)
            self.assertEqual(status, 1, found)
            self.assertIn(found, text)

    def test_a_field_from_the_reserve_is_written(self):
        if sys.maxsize < 2**32:
            self.skipTest("pointers do not have 64 bits here")
        change = ("  void *reserved[26];", "  double more;\n  void *reserved[25];")
        self.assertIn("nnb_fit_opts.more: not in the table", self.run_abi("check", *change)[1])
        status, text = self.run_abi("write", *change)
        self.assertEqual(text, "nnb_fit_opts: the text counts 26 reserved words, the headers have 25\n")
        self.assertIn("`more` 304 8, `reserved` 312 200", (self.folder / "abi.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
