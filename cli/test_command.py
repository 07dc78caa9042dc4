#!/usr/bin/env python3
"""Runs the command nnblas as a user would:  test_command.py NNBLAS"""
import csv
import io
import json
import math
import os
import pathlib
import pty
import random
import re
import resource
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

NNBLAS = ""
IRIS = pathlib.Path(__file__).parent.parent / "examples" / "data" / "iris.csv"
ONLY_SUMMARY = r"^(.*: \d+ rows of .*\ntarget: .*\n(note: .*\n)*)?\Z"  # of the table, or nothing
USAGE, DATA, NO_INPUT, UNAVAILABLE, CANT_CREATE, IO_ERROR = 64, 65, 66, 69, 73, 74


def nnblas(*words, stdin=None, **more):
    done = subprocess.run([NNBLAS, *map(str, words)], input=stdin, capture_output=True, text=True, timeout=100, **more)
    return done.returncode, done.stdout, done.stderr


def regression(rows=60):
    """y = 3a - b, with the target first."""
    draw = random.Random(1)
    lines = ["y,a,b"]
    for _ in range(rows):
        a, b = draw.uniform(-1, 1), draw.uniform(-1, 1)
        lines.append(f"{3 * a - b},{a},{b}")
    return "\n".join(lines) + "\n"


class InFolder(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = pathlib.Path(place.name)

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def good(self, *words, **more):
        code, out, err = nnblas(*words, **more)
        self.assertEqual((code, err), (0, ""), out)
        return out

    def refused(self, code, text, *words, **more):
        """Nothing is printed but what was found out about the table."""
        got, out, err = nnblas(*words, **more)
        self.assertEqual(got, code, err)
        self.assertRegex(out, ONLY_SUMMARY)
        self.assertIn(text, err)

    def trained(self, table=IRIS, *words):
        model = self.folder / "model.safetensors"
        self.good("train", table, "-o", model, "--hold-out=0", *words)
        return model


class Outputs(InFolder):
    """What cannot be written is known before any work, and no file that is read or written is overwritten."""

    def test_files_that_cannot_be_made(self):
        model = self.trained()
        folder = self.folder / "folder"
        folder.mkdir()
        for flag in ("--output", "--checkpoint", "--log", "--plot"):
            if flag == "--plot" and not shutil.which("gnuplot"):
                continue
            self.refused(CANT_CREATE, "", "train", IRIS, f"{flag}=/nonexistent/x.png")
        for flag in ("--output", "--checkpoint", "--log"):
            self.refused(CANT_CREATE, "no regular file", "train", IRIS, f"{flag}={folder}")
            self.refused(USAGE, "wants the name of a file", "train", IRIS, f"{flag}=-")
        self.refused(USAGE, "wants the name of a file", "search", IRIS, "-o", "-")
        for name in ("x.c", "x.onnx", "x.safetensors"):
            self.refused(CANT_CREATE, "/nonexistent", "convert", model, f"/nonexistent/{name}")
        self.refused(CANT_CREATE, "/nonexistent", "convert", self.file("n.csv", "1,2\n3,4\n"), "/nonexistent/x.npy")

    def test_a_log_may_be_a_device(self):
        self.good("train", IRIS, "--algo=lbfgs", "--l2=1", "--log=/dev/null")
        log = self.file("log.csv", "")
        if os.geteuid() != 0:  # root may write anywhere
            log.chmod(0o444)
            self.refused(CANT_CREATE, "", "train", IRIS, f"--log={log}")

    def test_two_files(self):
        model, flags = self.trained(), ("--output", "--checkpoint", "--log")
        before = model.read_bytes()
        for first in flags:
            for second in flags:
                if first != second:
                    self.refused(USAGE, "two files", "train", IRIS, f"{first}=same", f"{second}=same", cwd=self.folder)
        self.refused(USAGE, "overwrite", "convert", model, model, "--numbers=f32")
        self.refused(USAGE, "overwrite", "convert", "--from=torch", f"--like={model}", "w.safetensors", model)
        self.assertEqual(model.read_bytes(), before)

    def test_two_spellings_of_a_file(self):
        (self.folder / "link").symlink_to("target")
        for first, second in (("same", "./same"), ("link", "target"), (self.folder / "same", "same")):
            self.refused(USAGE, "want two files", "train", IRIS, "-o", first, f"--log={second}", cwd=self.folder)
        self.assertFalse((self.folder / "same").exists())
        self.refused(USAGE, 'not ""', "train", IRIS, "-o", "")
        self.refused(CANT_CREATE, "", "train", IRIS, "-o", self.link("/nonexistent/target"))
        self.refused(USAGE, "convert wants the name of a file", "convert", "--to=csv", IRIS, "-")
        self.refused(USAGE, "standard input cannot be that", "convert", "--from=csv", "-", "x.npy")

    def link(self, target):
        link = self.folder / "dangling"
        link.symlink_to(target)
        return link

    def test_results_are_not_lost_with_a_file(self):
        quick = ("--algo=lbfgs", "--l2=1")
        if os.path.exists("/dev/full"):
            code, out, err = nnblas("train", IRIS, *quick, "--log=/dev/full")
            self.assertEqual(code, IO_ERROR, out + err)
            self.assertIn("held out: accuracy", out)
            self.assertIn("--log /dev/full: not all of it is written", err)
            code, out, err = nnblas("train", IRIS, *quick, "--log=/dev/full", "--json")
            self.assertEqual((code, json.loads(out)["rows"]), (IO_ERROR, 150))
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)) # a model is longer
        code, out, err = nnblas("train", IRIS, *quick, "-o", self.folder / "m", preexec_fn=limit)
        self.assertEqual(code, CANT_CREATE, out + err)
        self.assertIn("held out: accuracy", out)
        self.assertTrue(out.endswith("saved: nothing\n"), out)
        model, kept = self.trained(), self.file("kept", "before")
        self.assertEqual(nnblas("predict", model, IRIS, "-o", kept, preexec_fn=limit)[0], IO_ERROR)
        self.assertEqual(kept.read_text(), "before")
        self.good("predict", model, IRIS, "-o", kept)
        with open(self.folder / "out", "w+", encoding="utf-8") as out:
            out.write("head\n"), out.flush()
            done = subprocess.run([NNBLAS, "predict", model, IRIS, "-o", "/dev/fd/1"], stdout=out, timeout=100)
            self.assertEqual((done.returncode, os.fstat(out.fileno()).st_size > 1000), (0, True))
        (self.folder / "linked").hardlink_to(kept)
        self.good("predict", model, IRIS, "-o", self.folder / "linked", "-p")
        self.assertEqual(kept.read_text(), (self.folder / "linked").read_text())
        (self.folder / "loop").symlink_to("loop")
        for path in (self.folder / "loop", "x" * 300, "/nonexistent/x"):
            self.refused(CANT_CREATE, "", "predict", model, "nowhere.csv", "-o", path)
            self.refused(CANT_CREATE, "", "train", IRIS, f"--log={path}")
        self.assertEqual(len(kept.read_text().splitlines()), 151)
        self.assertEqual([p.name for p in self.folder.iterdir() if "nnblas" in p.name], [])

    def test_without_gnuplot(self):
        model, nothing = self.trained(), {**os.environ, "PATH": "/nonexistent"}
        boundary = ("plot", "boundary", model, IRIS, "--x=1", "--y=2", "-o", "b.png")
        for words in (boundary, ("train", IRIS, "--plot=-"), ("score", model, IRIS, "--plot=-")):
            self.refused(UNAVAILABLE, "not installed", *words, env=nothing, cwd=self.folder)


class Words(InFolder):
    """The command speaks of flags, not of fields and enumerators of C."""

    def test_help(self):
        for command in ("train", "cv", "search"):
            text = self.good(command, "--help")
            self.assertEqual(re.findall(r"NNB_\w*|nnb_\w*|\w+_(?:epochs|seconds)\b", text), [])
            headings = re.findall(r"^ [A-Z].*:$", text, re.M)
            self.assertEqual(len(headings), len(set(headings)))
            for name in ("--resume", "--history", "--train-metrics", "--checkpoint-epochs"):
                self.assertEqual(name in text, command == "train", f"{name} in {command}")
        self.assertRegex(self.good("train", "--help"), r"(?s)the method: auto sgd .*lm.*varpro.*\(default: auto\)")

    def test_messages(self):
        for code, text, *words in (
            (USAGE, "--batch is 8; wanted 0 or full", "train", IRIS, "--algo=lbfgs", "--batch=8"),
            (USAGE, "--checkpoint-epochs is set, but --checkpoint names no file", "train", IRIS,
             "--checkpoint-epochs=3"),
            (USAGE, "nnblas: --folds is 4000; wanted 2 to 150", "cv", IRIS, "--folds=4000"),
            (USAGE, "--hold-out 0.999 of 150 rows", "train", IRIS, "--hold-out=0.999"),
            (USAGE, "--target is set; this needs --targets 1, not 3", "train", IRIS, "--targets=3", "--target=species"),
            (USAGE, "a sum of squares", "train", IRIS, "--bayes"),
            (USAGE, "varpro needs", "train", IRIS, "--algo=varpro"),
        ):
            self.refused(code, text, *words)

    def test_names_of_files_and_columns_stay(self):
        text = "fraction,target_loss,max_epochs\n" + "".join(f"{i},{i % 7},{3 * i}\n" for i in range(30))
        for name in ("fraction.csv", "train_metrics.csv", "my fraction.csv"):
            out = self.good("train", self.file(name, text), "--algo=lbfgs", "--l2=1", "--target=target_loss")
            self.assertIn(f"{name}: 30 rows", out)
            self.assertIn("target: target_loss", out)
        for name in ("n_targets.csv", "NNB_x.csv"):
            self.assertIn(f"{name}: 30 rows", self.good("train", self.file(name, text), "--algo=lbfgs", "--l2=1"))
            self.refused(NO_INPUT, f"no/{name}: opening failed", "train", f"no/{name}")
        self.refused(NO_INPUT, "nnblas: fraction 1.csv: opening", "train", "fraction 1.csv")
        self.refused(DATA, "t.csv:3:3: the target is missing", "train", self.file("t.csv", "1,2\n2,3\n3,\n"),
                     "--no-header")

    def test_flags_without_effect(self):
        model = self.trained()
        for text, *words in (("--x and --y are for boundary, not for confusion", "plot", "confusion", model, IRIS, "--x=1"),
                             ("--error-bars is for predicted", "plot", "residuals", model, IRIS, f"--error-bars={IRIS}"),
                             ("are for --error-bars", "plot", "predicted", model, IRIS, "--alpha=1"),
                             ("flags of separators and columns", "train", IRIS, "--fann", "--target=1"),
                             ("standard input cannot be that", "train", "-", "--fann"),
                             ("predict reads no targets", "predict", model, IRIS, "--target=species"),
                             ("needs all rows in memory", "train", IRIS, "--stream", "--class-weight=balanced"),
                             ("--seconds is 1e-09: too short", "search", IRIS, "--seconds=1e-9"),
                             ("--lr wants one value", "train", IRIS, "--algo=sgd", "--lr=0.1,max_epochs=1"),
                             ("--threads: threads is 2000; wanted 0 to 1024", "train", IRIS, "--threads=2000"),
                             ("not nonsense", "manual", "nonsense"), ("one shell", "completion", "bash", "zsh")):
            self.refused(USAGE, text, *words)

    def test_flags_of_other_formats(self):
        model, table = self.trained(), self.file("n.csv", "1,2\n3,4\n")
        for text, *words in (("--name is for C", table, "x.npy", "--name=foo"),
                             ("--targets is for", model, "x.onnx", "--targets=3"),
                             ("--key is for npz", model, "x.c", "--key=k"),
                             ("--like is for", table, "x.npy", f"--like={model}")):
            self.refused(USAGE, text, "convert", *words, cwd=self.folder)

    def test_json_of_a_path_that_is_not_utf_8(self):
        path = os.fsencode(self.folder) + b"/ir\xfcs.csv"
        with open(path, "wb") as f:
            f.write(IRIS.read_bytes())
        words = [os.fsencode(NNBLAS), b"train", path, b"--json", b"--algo=lbfgs", b"--l2=0.01"]
        done = subprocess.run(words, capture_output=True, timeout=100)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertTrue(json.loads(done.stdout)["table"].endswith("/ir\ufffds.csv"))


class Train(InFolder):
    def test_reports_and_saves(self):
        model = self.folder / "iris.safetensors"
        out = self.good("train", IRIS, "--target=species", "-o", model, "--algo=lbfgs", "--l2=0.01")
        self.assertIn("150 rows of 5 columns", out)
        self.assertIn("target: species (last column, 3 classes)", out)
        self.assertRegex(out, "trained on 120 rows\\nchosen: .*\\nmethod: lbfgs")
        self.assertIn("held out: accuracy", out)
        self.assertIn("virginica", out)
        self.assertRegex(out, "\\n +setosa +versicolor +virginica\\n")  # the head of the confusion matrix, with whole names
        self.assertTrue(model.exists())

    def test_json(self):
        out = json.loads(self.good("train", IRIS, "--json", "--algo=lbfgs", "--l2=0.01"))
        self.assertEqual((out["rows"], out["inputs"], out["algorithm"]), (150, 4, "lbfgs"))
        self.assertEqual((out["trained_on"]["rows"], out["held_out"]["rows"]), (120, 30))
        self.assertGreaterEqual(out["held_out"]["accuracy"], 0.9)
        self.assertEqual([c["class"] for c in out["held_out"]["classes"]], ["setosa", "versicolor", "virginica"])
        for c in out["held_out"]["classes"]:
            self.assertEqual(sum(c["predicted"]), c["rows"])
            self.assertTrue(0.5 < c["auc"] <= 1)
        self.assertLess(out["held_out"]["log_loss"], 0.5)

    def test_the_defaults_learn(self):
        out = json.loads(self.good("train", "-", "--target=y", "--json", stdin=regression()))
        self.assertLess(out["held_out"]["rmse"], 0.25 * out["held_out"]["rmse_of_mean"])

    def test_every_option_of_fit_is_a_flag(self):
        out = json.loads(self.good("train", IRIS, "--json", "--algo", "adam", "--max-epochs", "3", "--in-order"))
        self.assertEqual((out["algorithm"], out["epochs"], out["stop"]), ("adam", 3, "epoch limit reached"))

    def test_log_and_metrics(self):
        log = self.folder / "log.csv"
        self.good("train", IRIS, "--algo=adam", "--max-epochs=7", "--metrics=f1+accuracy", "--log", log)
        rows = log.read_text().splitlines()
        self.assertEqual(rows[0], "epoch,updates,samples,loss,val_loss,seconds,total_seconds,lr,accuracy,f1")
        self.assertEqual([row.split(",")[0] for row in rows[1:]], [str(i) for i in range(1, 8)])
        self.assertTrue(0 < float(rows[-1].split(",")[-1]) <= 1)
        self.assertEqual(nnblas("train", IRIS, "--metrics=acuracy")[0], USAGE)

    def test_several_targets(self):
        table = self.file("two.csv", "".join(f"{i / 50},{i / 25},{1 - i / 50}\n" for i in range(50)))
        out = json.loads(self.good("train", table, "--targets=2", "--layers=none", "--algo=lbfgs", "--json"))["trained_on"]
        self.assertLess(out["targets"][1]["rmse"], 1e-3)
        self.assertEqual(len(out["targets"]), 2)

    def test_few_rows_are_not_held_out(self):
        xor = "a,b,c\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n"
        self.assertIn("held out: nothing", self.good("train", "-", "--algo=lm", stdin=xor))

    def test_the_seed_decides(self):
        words = ("train", IRIS, "--json", "--algo=lbfgs", "--max-epochs=5")
        a, b, c = (json.loads(self.good(*words, f"--seed={s}")) for s in (1, 1, 2))
        for o in (a, b, c):
            o.pop("seconds")
        self.assertEqual(a, b)
        self.assertNotEqual(a, c)


class Predict(InFolder):
    def test_columns_are_found_by_name(self):
        model = self.trained()
        rows = list(csv.DictReader(IRIS.read_text().splitlines()))
        plain = self.good("predict", model, IRIS)
        shuffled = io.StringIO()
        names = ["petal_width", "garden", "sepal_length", "petal_length", "sepal_width"]
        writer = csv.DictWriter(shuffled, names)
        writer.writeheader()
        for row in rows:
            writer.writerow({n: "north" if n == "garden" else row[n] for n in names})
        self.assertEqual(self.good("predict", model, "-", stdin=shuffled.getvalue()), plain)
        lines = plain.splitlines()
        self.assertEqual((len(lines), lines[0]), (151, "species"))
        right = sum(line == row["species"] for line, row in zip(lines[1:], rows))
        self.assertGreater(right, 120)

    def test_probabilities(self):
        out = self.good("predict", self.trained(), IRIS, "--probabilities")
        rows = list(csv.DictReader(io.StringIO(out)))
        for row in rows:
            p = {c: float(row[c]) for c in ("setosa", "versicolor", "virginica")}
            self.assertAlmostEqual(sum(p.values()), 1)
            self.assertEqual(max(p, key=p.get), row["species"])

    def test_probabilities_of_a_single_output(self):
        """One sigmoid: the file of a net with two classes, written again with one unit."""
        text = "a,kind\n" + "".join(f"{i},{'high' if i > 19 else 'low'}\n" for i in range(40))
        model, single = self.trained(self.file("t.csv", text), "--layers=none"), self.folder / "single.safetensors"
        raw = model.read_bytes()
        size = int.from_bytes(raw[:8], "little")
        head = json.loads(raw[8:8 + size])
        meta = {**head.pop("__metadata__"), "node.2.units": "1", "node.2.act": "sigmoid"}
        tensors = {"dense1.bias": ([1], [0.0]), "dense1.weight": ([1, 1], [9.0])}
        for name in ("scaler.input.factor", "scaler.input.shift"):
            first, last = head[name]["data_offsets"]
            tensors[name] = ([1], struct.unpack("<1d", raw[8 + size + first:8 + size + last]))
        new, data = {"__metadata__": meta}, b""
        for name, (shape, numbers) in tensors.items():
            new[name] = {"dtype": "F64", "shape": shape, "data_offsets": [len(data), len(data) + 8]}
            data += struct.pack("<1d", *numbers)
        text_of_head = json.dumps(new).encode()
        single.write_bytes(len(text_of_head).to_bytes(8, "little") + text_of_head + data)
        out = list(csv.DictReader(io.StringIO(self.good("predict", single, "-", "-p", stdin=text))))
        self.assertEqual([row["kind"] for row in out], ["low"] * 20 + ["high"] * 20)
        for row in out:
            self.assertAlmostEqual(float(row["low"]) + float(row["high"]), 1)
            self.assertEqual(float(row[row["kind"]]) > 0.5, True)

    def test_physical_units(self):
        table = self.file("t.csv", regression())
        model = self.trained(table, "--target=y", "--algo=lm")
        rows = list(csv.DictReader(table.read_text().splitlines()))
        for line, row in zip(self.good("predict", model, table).splitlines()[1:], rows):
            self.assertAlmostEqual(float(line), float(row["y"]), delta=0.05)

    def test_output_file(self):
        path = self.folder / "out.csv"
        model = self.trained()
        self.assertEqual(self.good("predict", model, IRIS, "-o", path), "")
        self.assertEqual(path.read_text(), self.good("predict", model, IRIS))

    def test_a_missing_column_is_named(self):
        code, out, err = nnblas("predict", self.trained(), "-", stdin="sepal_length,sepal_width\n1,2\n")
        self.assertEqual((code != 0, out), (True, ""))
        self.assertIn("petal_length", err)


class ScoreCvInfo(InFolder):
    def test_score_is_that_of_training(self):
        model = self.folder / "m"
        trained = json.loads(self.good("train", IRIS, "-o", model, "--hold-out=0", "--json"))
        self.assertEqual(json.loads(self.good("score", model, IRIS, "--json")), trained["trained_on"])
        self.assertIn("accuracy", self.good("score", model, IRIS))

    def test_cv(self):
        out = json.loads(self.good("cv", IRIS, "-k", 3, "--json", "--algo=lbfgs", "--l2=0.01"))
        self.assertEqual(list(out["metrics"]), ["accuracy"])
        out = out["metrics"]["accuracy"]
        self.assertEqual(len(out["folds"]), 3)
        self.assertAlmostEqual(out["mean"], sum(out["folds"]) / 3)
        self.assertGreater(out["mean"], 0.9)
        variance = sum((x - out["mean"]) ** 2 for x in out["folds"]) / 2
        self.assertAlmostEqual(out["plain_standard_error"], (variance / 3) ** 0.5)
        self.assertAlmostEqual(out["standard_error"], (variance * (1 / 3 + 1 / 2)) ** 0.5)
        self.assertAlmostEqual(out["baseline"], 1 / 3)
        self.assertIn("standard error", self.good("cv", IRIS, "-k", 2, "--max-epochs=2"))

    def test_cv_by_metrics(self):
        out = json.loads(self.good("cv", IRIS, "-k", 3, "--json", "--max-epochs=5", "--metrics=auc+log_loss+recall"))
        self.assertEqual(list(out["metrics"]), ["recall", "auc", "log_loss"])
        base = [out["metrics"][name]["baseline"] for name in out["metrics"]]
        for got, wanted in zip(base, (1 / 3, 1 / 2, math.log(3))):
            self.assertAlmostEqual(got, wanted)
        text = self.good("cv", IRIS, "-k", 3, "--max-epochs=5", "--metrics=auc+log_loss")
        self.assertRegex(text, r"fold 1: auc 0\.\d+, log_loss \d\.\d+, 50 rows\n")
        self.assertAlmostEqual(float(re.search(r"mean: auc ([\d.]+) ", text)[1]), out["metrics"]["auc"]["mean"], 3)
        out = json.loads(self.good("cv", "-", "--json", "--max-epochs=5", "--metrics=r2+mae", "-t", "y",
                                   stdin=regression()))["metrics"]
        rows = [float(line.split(",")[0]) for line in regression().splitlines()[1:]]
        mean = sum(rows) / len(rows)
        self.assertAlmostEqual(out["mae"]["baseline"], sum(abs(y - mean) for y in rows) / len(rows))
        self.assertAlmostEqual(out["r2"]["baseline"], 0)

    def test_cv_with_repeats_by_any_number_of_threads(self):
        words = ("cv", IRIS, "-k", 2, "--repeats=3", "--algo=lbfgs", "--l2=0.01", "--seed=4")
        out = self.good(*words)
        self.assertEqual(re.findall(r"repeat (\d), fold (\d): accuracy", out),
                         [(r, f) for r in "123" for f in "12"])
        self.assertEqual(self.good(*words, "--threads=1"), out)
        self.assertEqual(self.good(*words, "--threads=4"), out)
        self.assertNotEqual(self.good(*words[:-1], "--seed=5"), out)

    def test_info(self):
        model = self.trained()
        self.assertIn("petal_width", self.good("info", model))
        out = json.loads(self.good("info", model, "--json"))
        self.assertEqual(out["classes"], ["setosa", "versicolor", "virginica"])
        self.assertEqual(out["inputs"][0]["name"], "sepal_length")
        self.assertEqual(out["targets"][0]["name"], "species")

    def test_info_says_what_a_net_was_trained_by(self):
        model, state = self.folder / "m.safetensors", self.folder / "state.safetensors"
        words = ("train", IRIS, "-o", model, "--algo=adam", "--max-epochs=9", "--seed=7", "--checkpoint", state)
        result = json.loads(self.good(*words, "--json"))
        got = json.loads(self.good("info", model, "--json"))["training"]
        self.assertEqual({k: got[k] for k in ("algorithm", "epochs", "rows", "seed", "validation_rows")},
                         {"algorithm": "adam", "epochs": 9, "rows": 120, "seed": 7, "validation_rows": 0})
        self.assertEqual(got["score"], {"metric": "accuracy", "value": result["held_out"]["accuracy"], "rows": 30})
        self.assertIn(f"libnnblas {got['version']}", self.good("--version").replace("nnblas", "libnnblas"))
        out = self.good("info", model)
        self.assertRegex(out, r"(?m)^trained by adam on 120 rows: 9 epochs, 36 updates, seed 7; libnnblas \S+$")
        self.assertRegex(out, r"(?m)^loss \S+ after the last epoch; lowest \S+, epoch \d")
        self.assertRegex(out, r"(?m)^accuracy \S+ on 30 rows that it was not trained on$")
        file = model.read_bytes()
        self.good(*words)
        self.assertEqual(model.read_bytes(), file)
        self.assertEqual(json.loads(self.good("info", state, "--json"))["training"]["epochs"], 9)
        self.good("train", IRIS, "-o", model, "--max-epochs=3", "--hold-out=0")
        self.assertIsNone(json.loads(self.good("info", model, "--json"))["training"]["score"])


class Losses(InFolder):
    def test_class_weights(self):
        words = (IRIS, "--class-weight=setosa=0", "--class-weight=virginica=2", "--algo=lbfgs", "--max-epochs=20")
        out = json.loads(self.good("train", *words, "--json"))
        for part in (out["trained_on"], out["held_out"]):  # their rows count as they are
            self.assertEqual(part["classes"][0]["recall"], 0)
            self.assertAlmostEqual(part["accuracy"], 2 / 3, delta=0.05)
        self.assertEqual(out["trained_on"]["classes"][0]["rows"], 40)
        out = json.loads(self.good("cv", *words, "--json"))
        self.assertAlmostEqual(out["metrics"]["accuracy"]["mean"], 2 / 3, delta=0.05)
        model = self.folder / "m.safetensors"
        out = json.loads(self.good("search", *words, "--space=layers=none,4", "-o", model, "--json"))
        self.assertAlmostEqual(out["candidates"][0]["mean"], 2 / 3, delta=0.05)
        self.assertNotIn("setosa", self.good("predict", model, IRIS))

    def test_balanced(self):
        draw = random.Random(3)
        lines = [f"{draw.gauss(1.2 if rare else 0, 1)},{'rare' if rare else 'common'}"
                 for rare in [True] * 30 + [False] * 570]
        words = ("cv", "-", "--layers=none", "--metrics=balanced_accuracy", "--json")
        plain, balanced = (json.loads(self.good(*words, *more, stdin="x,y\n" + "\n".join(lines)))["metrics"]
                           for more in ((), ("--class-weight=balanced",)))
        plain, balanced = (m["balanced_accuracy"]["mean"] for m in (plain, balanced))
        self.assertLess(plain, 0.6)
        self.assertGreater(balanced, 0.65)

    def test_label_smoothing(self):
        for smoothing, low, high in ((0, 0.97, 1), (0.3, 0.75, 0.87)):  # the smooth targets are 0.8, 0.1, 0.1
            model = self.trained(IRIS, f"--label-smoothing={smoothing}", "--algo=lbfgs", "--max-epochs=100")
            rows = list(csv.reader(io.StringIO(self.good("predict", model, IRIS, "-p"))))[1:51]
            mean = sum(float(row[-3]) for row in rows) / 50
            self.assertTrue(low < mean <= high, mean)

    def test_huber(self):
        lines = regression(61).splitlines()
        lines[7] = "1000," + lines[7].split(",", 1)[1]
        table = self.file("t.csv", "\n".join(lines))
        words = ("-t", "y", "--layers=none", "--algo=lbfgs", "--max-epochs=200")
        errors = []
        for more in ((), ("--loss=huber", "--delta=0.001")):
            model = self.trained(table, *words, *more)
            said = self.good("predict", model, table).splitlines()[1:]
            errors.append(sum(abs(float(a) - float(b.split(",")[0])) for a, b in zip(said, lines[1:]) if b[:4] != "1000"))
        self.assertLess(errors[1], errors[0] / 10)
        self.refused(USAGE, "is for classes, and the target has numbers", "cv", table, "-t", "y", "--class-weight=balanced")
        self.refused(USAGE, "is for classes, and the target has numbers", "search", table, "-t", "y",
                     "--label-smoothing=0.1")


class Search(InFolder):
    WORDS = ("--algo=lbfgs", "--max-epochs=15", "-k", 3)

    def test_table_and_winner(self):
        model = self.folder / "best.safetensors"
        words = ("search", IRIS, "--space=layers=none,8:tanh", "--space", "l2=1e-4,1", "--method=grid", *self.WORDS)
        out = self.good(*words, "-o", model)
        self.assertIn("4 candidates, 4 measured", out)
        scores = [float(s) for s in re.findall(r"^ +(0\.\d+|1) .*layers=", out, flags=re.M)]
        self.assertEqual((len(scores), scores), (4, sorted(scores, reverse=True)))
        best = re.search(r"^best: (.*)$", out, flags=re.M)[1].split()
        self.assertRegex(best[0], "^--layers=(none|8:tanh)$")
        other = self.folder / "other.safetensors"
        self.good("train", IRIS, *best, "--algo=lbfgs", "--max-epochs=15", "--hold-out=0", "--threads=1", "-o", other)
        self.assertEqual(self.good("predict", model, IRIS, "-p"), self.good("predict", other, IRIS, "-p"))
        cv = json.loads(self.good("cv", IRIS, *best, *self.WORDS, "--json"))
        found = json.loads(self.good(*words, "--json"))["candidates"]
        cv = cv["metrics"]["accuracy"]
        self.assertAlmostEqual(found[0]["mean"], cv["mean"])
        self.assertAlmostEqual(found[0]["standard_error"], cv["standard_error"])
        self.assertEqual((len(found), found[0]["behind"]), (4, 0))

    def test_any_metric_decides(self):
        words = ("search", IRIS, "--space=layers=none,8:tanh,2:relu", *self.WORDS, "--metrics=log_loss", "--json")
        out = json.loads(self.good(*words))
        scores = [c["mean"] for c in out["candidates"]]
        self.assertEqual((out["score"], scores), ("log_loss", sorted(scores)))
        self.assertAlmostEqual(out["baseline"], math.log(3))
        best = "--layers=" + out["candidates"][0]["candidate"].split("=")[1]
        cv = json.loads(self.good("cv", IRIS, best, *self.WORDS, "--metrics=log_loss", "--json"))
        self.assertAlmostEqual(scores[0], cv["metrics"]["log_loss"]["mean"])
        self.refused(USAGE, "by one metric", "search", IRIS, "--metrics=auc+f1")
        self.refused(USAGE, "metric r2 is for targets", "search", IRIS, "--metrics=r2")

    def test_activations_of_the_default_layers(self):
        out = self.good("search", IRIS, "--space=activation=tanh,relu", "-k2", "--algo=lbfgs", "--l2=1", "--max-epochs=5")
        self.assertIn("2 candidates, 2 measured", out)

    def test_the_same_for_any_number_of_threads(self):
        words = ("search", "-", "--space=l2=1e-4..1 log", "--candidates=5", "--layers=4:tanh", *self.WORDS, "--json")
        outs = [json.loads(self.good(*words, f"--threads={n}", stdin=regression())) for n in (1, 3)]
        for out in outs:
            out.pop("seconds")
            self.assertEqual((out["score"], len(out["candidates"])), ("rmse", 5))
        self.assertEqual(*outs)

    def test_halving_and_failures(self):
        out = self.good("search", IRIS, "--method=halving", "--candidates=4", "--factor=2", "--layers=none", "-k", 2,
                        "--space=lr=1e-3..0.1 log", "--algo=adam", "--max-epochs=4")
        self.assertEqual(re.findall(r" (\d+)  lr=", out), ["4", "4", "2", "2"])
        out = self.good("search", IRIS, "--space=algo=lm,scg", "--layers=none", "--max-epochs=4", "-k", 2)
        self.assertRegex(out, r"failed +algo=lm\n +\S.*\n\na constant prediction")


def passengers(rows=80):
    """Mixed columns, invented: age is missing in some rows, one port has a comma and a blank."""
    draw = random.Random(3)
    lines = ["id,sex,age,port,fare,deck,survived"]
    for i in range(rows):
        sex, port = draw.choice(("male", "female")), draw.choice(("S", "C", '"Havre, Le"'))
        age = draw.choice(("", "NA", "?")) if i % 7 == 0 else draw.randint(1, 70)
        fare, deck = draw.uniform(5, 80), draw.randint(1, 3)
        lived = "yes" if (sex == "female") != (draw.random() < 0.1) else "no"
        lines.append(f"p{i},{sex},{age},{port if i else ''},{fare:.2f},{deck},{lived}")
    return "\n".join(lines) + "\n"


class MixedTables(InFolder):
    WORDS = ("--leave=id", "--category=deck", "--algo=lbfgs", "--l2=0.01")

    def test_train_and_predict(self):
        table, model = self.file("p.csv", passengers()), self.folder / "m.safetensors"
        out = self.good("train", table, "-o", model, *self.WORDS)
        self.assertIn("target: survived (last column, 2 classes); 2 numeric, 3 categorical; 1 left out; "
                      '12 missing in "age", 1 in "port"\n', out)
        plain = self.good("predict", model, table)
        rows = list(csv.DictReader(io.StringIO(passengers())))
        right = sum(a == b["survived"] for a, b in zip(plain.splitlines()[1:], rows))
        self.assertGreater(right, 60)
        other = io.StringIO()
        writer = csv.DictWriter(other, ["garden", "fare", "deck", "port", "age", "sex"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows([{**row, "garden": "north"} for row in rows])
        self.assertEqual(self.good("predict", model, "-", stdin=other.getvalue()), plain)
        self.assertEqual(json.loads(self.good("score", model, table, "--json"))["accuracy"], right / 80)

    def test_info(self):
        model = self.trained(self.file("p.csv", passengers()), *self.WORDS)
        out = self.good("info", model)
        self.assertRegex(out, r"column +1  sex +female, male\n")
        self.assertRegex(out, r"column +2  age +a number; a missing one is \d+")
        self.assertRegex(out, r"column +3  port +C, Havre, Le, S; may be missing\n")
        self.assertRegex(out, r"input +4  age missing")
        columns = json.loads(self.good("info", model, "--json"))["columns"]
        self.assertEqual([c["name"] for c in columns], ["sex", "age", "port", "fare", "deck"])
        self.assertEqual([c["levels"] for c in columns],
                         [["female", "male"], None, ["C", "Havre, Le", "S"], None, ["1", "2", "3"]])
        self.assertEqual([c["missing"] for c in columns], [False, True, True, False, False])
        ages = [float(r["age"]) for r in csv.DictReader(io.StringIO(passengers())) if r["age"] not in ("", "NA", "?")]
        self.assertAlmostEqual(columns[1]["mean"], sum(ages) / len(ages))

    def test_the_mean_is_that_of_the_rows_trained_on(self):
        """One age is far from the others, which are all 30; in some divisions of the rows it is held out."""
        lines = ["age,size,kind", ",2,a", "1000000,1,b", *[f"30,{i},{'ab'[i % 2]}" for i in range(40)]]
        model, means = self.folder / "m.safetensors", set()
        for seed in range(12):
            self.good("train", "-", "-o", model, "--max-epochs=1", f"--seed={seed}", stdin="\n".join(lines) + "\n")
            means.add(json.loads(self.good("info", model, "--json"))["columns"][0]["mean"])
        self.assertEqual((min(means), len(means) > 1), (30, True))

    def test_cv(self):
        out = self.good("cv", "-", "-k", 2, *self.WORDS, stdin=passengers())
        self.assertIn("3 categorical", out)

    def test_columns_of_no_use_are_left_out(self):
        """Names and tickets: the summary says so, and predictions ignore the column."""
        lines = passengers().splitlines()
        lines = [f"{line},{t}" for line, t in zip(lines, ["empty", *[""] * 80])]
        table, model = self.file("p.csv", "\n".join(lines) + "\n"), self.folder / "m.safetensors"
        out = self.good("train", table, "--target=survived", "-o", model, *self.WORDS[1:])
        self.assertIn('note: "id" is left out: it has more than 32 different texts\n', out)
        self.assertIn('note: "empty" is left out: it has no value in any row\n', out)
        self.assertIn("2 numeric, 3 categorical; 2 left out;", out)
        out = json.loads(self.good("train", table, "--target=survived", "--json", *self.WORDS[1:]))
        self.assertEqual(out["left_out"], [{"column": "id", "why": "it has more than 32 different texts"},
                                           {"column": "empty", "why": "it has no value in any row"}])
        names = [c["name"] for c in json.loads(self.good("info", model, "--json"))["columns"]]
        self.assertEqual(names, ["sex", "age", "port", "fare", "deck"])
        self.good("predict", model, "-", stdin=passengers())
        code, out, err = nnblas("train", "-", stdin="name,y\n" + "".join(f"n{i},{i}\n" for i in range(40)))
        self.assertEqual((code, out), (DATA, ""))
        self.assertIn("no input column can be used", err)

    def test_what_training_did_not_have(self):
        model = self.trained(self.file("p.csv", passengers()), *self.WORDS)
        head = "sex,age,port,fare,deck\n"
        for row, text in (("mal,1,S,1,1", '2:1: "mal" is not a level of "sex"; the nearest is "male"'),
                          ("male,1,S,NA,1", '2:10: the value of "fare" is missing'),
                          ("male,old,S,1,1", '2:6: "old" is not a number')):
            code, out, err = nnblas("predict", model, "-", stdin=head + row + "\n")
            self.assertEqual((code, out), (DATA, ""))
            self.assertIn(text, err)
        self.good("predict", model, "-", "--unseen-levels", stdin=head + "mal,1,S,1,1\n")

    def test_refusals(self):
        for words, code, text in ((("--missing=error", "--leave=id"), DATA, 'the value of "age" is missing'),
                                  (("--missing=median",), USAGE, "--missing wants mean or error"),
                                  (("--categories=0", "--leave=id"), DATA, '"male" is not a number'),
                                  (("--categories=x",), USAGE, "--categories")):
            got, out, err = nnblas("train", "-", *words, stdin=passengers())
            self.assertEqual((got, out), (code, ""), err)
            self.assertIn(text, err)


class Tables(InFolder):
    """The ways in which a table is read."""

    def read(self, text, *words):
        out = json.loads(self.good("train", "-", "--json", "--max-epochs=1", "--hold-out=0", *words, stdin=text))
        return out["rows"], out["inputs"], "accuracy" in out["trained_on"]

    def test_flags(self):
        semicolons = "a;b;c\n" + "1,5;2;3\n" * 5
        self.assertEqual(self.read(semicolons, "--decimal-comma"), (5, 2, False))
        noisy = "noise\na,b,c\n# x\n" + "1,2,3\n" * 5
        self.assertEqual(self.read(noisy, "--skip-lines=1", "--comment=#", "--leave=b"), (5, 1, False))
        blanks = "u v w\n" + "red 1 2\nblue 2 1\n" * 4
        self.assertEqual(self.read(blanks, "--target=1", "--separator=blank"), (8, 2, True))
        self.assertEqual(self.read("1,2\n0,3\n1,4\n", "--classes", "--target=1", "--no-header"), (3, 1, True))


class OtherPeoplesTables(InFolder):
    """Tables that nobody wrote for this command."""
    WORDS = ("--algo=lbfgs", "--max-epochs=20")

    def test_semicolons_quotes_crlf_and_a_byte_order_mark(self):
        draw = random.Random(5)
        rows = [(draw.uniform(0, 9), draw.choice(('"a; b"', '"c ""d"""')), draw.uniform(0, 9)) for _ in range(60)]
        text = "\ufeff" + '"gr\u00f6\u00dfe; cm";art;"\u4ef7\u683c"\r\n'
        text += "".join(f"{a:.3f};{b};{a + 5 * ('d' in b) + 0 * c:.3f}\r\n" for a, b, c in rows)
        table, model = self.folder / "t.csv", self.folder / "m.safetensors"
        table.write_bytes(text.encode("utf-8"))
        out = self.good("train", table, "-o", model, *self.WORDS)
        self.assertIn("separated by ';', names in the first row", out)
        self.assertIn("target: \u4ef7\u683c (last column, numbers); 1 numeric, 1 categorical", out)
        self.assertLess(json.loads(self.good("score", model, table, "--json"))["rmse"], 0.5)
        columns = json.loads(self.good("info", model, "--json"))["columns"]
        self.assertEqual([c["name"] for c in columns], ["gr\u00f6\u00dfe; cm", "art"])
        self.assertEqual(columns[1]["levels"], ["a; b", 'c "d"'])
        self.assertEqual(self.good("predict", model, table).splitlines()[0], "\u4ef7\u683c")

    def test_a_target_of_one_class(self):
        text = "a,kind\n" + "1,good\n2,good\n" * 15
        for words in (("train",), ("cv",), ("search", "--candidates=2")):
            code, out, err = nnblas(*words, "-", stdin=text)
            self.assertEqual((code, out), (DATA, ""))
            self.assertIn('-: all rows have the class "good"; there is nothing to learn', err)

    def test_constant_columns(self):
        lines = regression().splitlines()
        text = "\n".join([lines[0] + ",c,d", *[line + ",7,x" for line in lines[1:]]]) + "\n"
        out = json.loads(self.good("train", "-", "--target=y", "--json", *self.WORDS, stdin=text))
        self.assertEqual(out["inputs"], 4)
        self.assertLess(out["held_out"]["rmse"], 0.2)
        text = "a,y\n" + "".join(f"{i},5\n" for i in range(30))
        out = json.loads(self.good("train", "-", "--json", *self.WORDS, stdin=text))
        self.assertLess(out["held_out"]["rmse"], 1e-3)

    def test_a_million_rows(self):
        draw = random.Random(6)
        block = [(draw.random(), draw.random()) for _ in range(1000)]
        text = "a,b,y\n" + "".join(f"{a:.3f},{b:.3f},{a - b:.3f}\n" for a, b in block) * 1000
        out = json.loads(self.good("train", "-", "--json", "--layers=none", "--algo=adam", "--max-epochs=1",
                                   "--batch=1000", "--lr=0.05", stdin=text))
        self.assertEqual((out["rows"], out["held_out"]["rows"]), (1000000, 200000))
        self.assertLess(out["held_out"]["rmse"], 0.01)


@unittest.skipUnless(shutil.which("gnuplot"), "gnuplot is not installed")
class Plots(InFolder):
    PNG = b"\x89PNG\r\n\x1a\n"

    def drawn(self, name, *words):
        """The script of a picture, which is one."""
        path = self.folder / name
        self.good(*words, path)
        if name.endswith(".png"):
            self.assertEqual(path.read_bytes()[:8], self.PNG)
        else:
            self.assertIn("</svg>", path.read_text())
        return (self.folder / (name + ".gp")).read_text()

    @staticmethod
    def block(script, name):
        """The numbers of a block of data."""
        text = re.search(rf"^\${name} << END\n(.*?)^END$", script, flags=re.M | re.S)[1]
        return [[float(x) for x in line.split()] for line in text.splitlines()]

    def test_learning_curve_of_a_training(self):
        script = self.drawn("curve.png", "train", IRIS, "--max-epochs=7", "--plot")
        rows = self.block(script, "run0")
        self.assertEqual([row[0] for row in rows], list(range(1, 8)))
        self.assertTrue(all(row[2] > 0 for row in rows), rows)

    def test_learning_curves_of_several_trainings(self):
        a = self.file("a.csv", "epoch,updates,loss,val_loss,total_seconds\n1,10,0.5,0.6,0.1\n2,20,0.25,,0.3\n")
        b = self.file("it's b.log", "epoch,seconds,loss\r\n1,0.5,4\r\n")
        script = self.drawn("curves.svg", "plot", "curve", a, b, "-o")
        rows = self.block(script, "run0")
        self.assertEqual(rows[0], [1, 0.1, 0.5, 0.6])
        self.assertEqual(rows[1][:3], [2, 0.3, 0.25])
        self.assertEqual(self.block(script, "run1")[0][:3], [1, 0.5, 4])
        self.assertIn("title 'it''s b'", script)
        out = self.good("plot", "curve", a, b)
        self.assertIn("a, validation", out)
        self.assertTrue(out.endswith("\n"))

    def test_learning_curve_of_a_log(self):
        log = self.folder / "run.csv"
        self.good("train", IRIS, "--algo=adam", "--max-epochs=5", "--metrics=accuracy", "--log", log)
        rows = self.block(self.drawn("log.svg", "plot", "curve", log, "-o"), "run0")
        losses = [float(row["loss"]) for row in csv.DictReader(io.StringIO(log.read_text()))]
        self.assertEqual([(row[0], row[2]) for row in rows], list(zip(range(1, 6), losses)))

    def test_confusion_matrix(self):
        model = self.trained()
        script = self.drawn("it's.svg", "score", model, IRIS, "--plot")
        self.assertIn("virginica", (self.folder / "it's.svg").read_text())
        cells = {(x, y): rows for x, y, rows, _ in self.block(script, "m")}
        self.assertEqual([sum(cells[j, i] for j in range(3)) for i in range(3)], [50, 50, 50])
        accuracy = json.loads(self.good("score", model, IRIS, "--json"))["accuracy"]
        self.assertAlmostEqual(sum(cells[i, i] for i in range(3)) / 150, accuracy)
        self.assertIn("versicolor", self.good("plot", "confusion", model, IRIS))

    def test_column_without_name(self):
        table = self.file("p.csv", ",a,y\n" + "".join(f"{i},{i % 3},{i + 1}\n" for i in range(30)))
        model = self.trained(table)
        plain = self.good("predict", model, self.file("x.csv", "".join(f"{i},{i % 3}\n" for i in range(30))))
        self.assertEqual(self.good("predict", model, table, "-x", "y"), plain)

    def test_predicted_against_true(self):
        table = self.file("t.csv", regression())
        model = self.trained(table, "--target=y")
        out = self.good("score", model, table, "--plot=-")
        self.assertIn("true", out)
        self.assertGreater(out.count("\n"), 20)
        pairs = self.block(self.drawn("p.png", "plot", "predicted", model, table, "-o"), "target0")
        predicted = self.good("predict", model, table).split()[1:]
        self.assertEqual([row[1] for row in pairs], [float(p) for p in predicted])
        self.assertEqual(pairs[0][0], float(regression().split()[1].split(",")[0]))

    def test_error_bars(self):
        draw = random.Random(3)
        points = [draw.uniform(-1, 1) for _ in range(200)]
        table = self.file("t.csv", "y,a\n" + "".join(f"{2 * a + draw.gauss(0, 0.25)},{a}\n" for a in points))
        model = self.trained(table, "--target=y", "--layers=none", "--algo=lm")
        script = self.drawn("p.svg", "plot", "predicted", model, table, "--error-bars", table, "-o")
        deviations = [row[2] for row in self.block(script, "target0")]
        self.assertGreater(min(deviations), 0.2)
        self.assertLess(max(deviations), 0.31)

    def test_residuals(self):
        table = self.file("t.csv", regression())
        model = self.trained(table, "--target=y")
        script = self.drawn("r.png", "plot", "residuals", model, table, "-o")
        self.assertEqual(sum(rows for _, rows in self.block(script, "often")), 60)
        self.assertIn("true - predicted", self.good("plot", "residuals", model, table))

    def test_several_targets_have_a_panel_each(self):
        draw = random.Random(2)
        rows = [(draw.random(), draw.random()) for _ in range(40)]
        table = self.file("t.csv", "a,b,sum,difference\n" + "".join(f"{a},{b},{a + b},{a - b}\n" for a, b in rows))
        model = self.trained(table, "--targets=2", "--max-epochs=20")
        for kind in ("predicted", "residuals"):
            script = self.drawn(kind + ".png", "plot", kind, model, table, "-o")
            self.assertIn("layout 1,2", script)
            self.assertEqual([row[0] for row in self.block(script, "target1")], [a - b for a, b in rows])

    def test_decision_boundary(self):
        draw = random.Random(4)
        rows = [(draw.random(), draw.random(), draw.random()) for _ in range(200)]
        table = self.file("t.csv", "a,b,c,side\n" +
                          "".join(f"{a},{b},{c},{'right' if a > 0.5 else 'left'}\n" for a, b, c in rows))
        model = self.trained(table, "--layers=none")
        names = json.loads(self.good("info", model, "--json"))["classes"]
        script = self.drawn("b.png", "plot", "boundary", model, table, "--x=a", "--y", "3", "-o")
        grid = self.block(script, "grid")
        wrong = [x for x, _, c in grid if abs(x - 0.5) > 0.05 and names[int(c)] != ("right" if x > 0.5 else "left")]
        self.assertEqual((len(grid) > 1000, wrong), (True, []))
        self.assertEqual([row[:2] for row in self.block(script, "rows")], [[a, c] for a, _, c in rows])
        out = self.good("plot", "boundary", model, table, "--x=a", "--y=b")
        self.assertIn("left", out)


class SeveralTargets(InFolder):
    def test_train_score_predict(self):
        draw = random.Random(2)
        rows = [(draw.random(), draw.random()) for _ in range(40)]
        table = self.file("t.csv", "a,b,sum,difference\n" + "".join(f"{a},{b},{a + b},{a - b}\n" for a, b in rows))
        model = self.trained(table, "--targets=2", "--algo=lm")
        self.assertLess(json.loads(self.good("score", model, table, "--json"))["rmse"], 1e-3)
        out = list(csv.DictReader(io.StringIO(self.good("predict", model, table))))
        for (a, b), row in zip(rows, out):
            self.assertAlmostEqual(float(row["sum"]), a + b, delta=0.01)
            self.assertAlmostEqual(float(row["difference"]), a - b, delta=0.01)


class Convert(InFolder):
    def predictions(self, model):
        rows = self.good("predict", model, IRIS, "--probabilities").splitlines()[1:]
        return [float(x) for row in rows for x in row.split(",")[1:]]

    def test_precision(self):
        model, single = self.trained(), self.folder / "single.safetensors"
        self.good("convert", model, single, "--numbers=f32")
        back = self.folder / "back.safetensors"
        self.good("convert", single, back)
        self.assertLess(single.stat().st_size, back.stat().st_size)
        self.assertEqual(self.good("info", back), self.good("info", single))
        for a, b in zip(self.predictions(model), self.predictions(back), strict=True):
            self.assertAlmostEqual(a, b, places=4)

    def test_weights_of_pytorch(self):
        model, weights = self.trained(), self.folder / "weights.safetensors"
        self.good("convert", model, weights, "--to=torch")
        self.assertIn(b'"0.weight"', weights.read_bytes())
        other = self.folder / "other.safetensors"
        self.good("train", IRIS, "-o", other, "--hold-out=0", "--algo=lbfgs", "--max-epochs=1")
        self.assertNotEqual(self.predictions(other), self.predictions(model))
        self.good("convert", weights, other, "--from=torch", "--like", model)
        self.assertEqual(self.predictions(other), self.predictions(model))

    def test_onnx(self):
        model, onnx, back = self.trained(), self.folder / "iris.onnx", self.folder / "back.safetensors"
        code, _, err = nnblas("convert", model, onnx)
        if code and "protobuf-c" in err:
            self.skipTest("the library was built without protobuf-c")
        self.good("convert", onnx, back)
        self.assertEqual(self.predictions(back), self.predictions(model))
        self.assertEqual(self.predictions(onnx), self.predictions(model))
        self.assertEqual(self.good("score", onnx, IRIS), self.good("score", model, IRIS))
        self.assertIn("class     3  virginica", self.good("info", onnx))
        weights = self.folder / "weights.safetensors"
        self.good("convert", model, weights, "--to=torch")
        self.good("convert", weights, back, "--from=torch", "--like", onnx)
        self.assertEqual(self.predictions(back), self.predictions(model))

    def test_an_onnx_file_without_names(self):
        table = self.file("pairs.csv", "1,2\n2,1\n3,5\n4,4\n5,7\n")
        model, onnx = self.folder / "m.safetensors", self.folder / "m.onnx"
        self.good("train", table, "-o", model, "--max-epochs=3", "--hold-out=0")
        code, _, err = nnblas("convert", model, onnx)
        if code and "protobuf-c" in err:
            self.skipTest("the library was built without protobuf-c")
        inputs = self.file("x.csv", "a\n1\n2\n")
        self.assertEqual(self.good("predict", onnx, inputs), self.good("predict", model, inputs))
        self.assertEqual(self.good("score", onnx, table), self.good("score", model, table))

    def test_what_is_no_model_is_told_what_becomes_one(self):
        model, weights = self.trained(), self.folder / "weights.safetensors"
        self.good("convert", model, weights, "--to=torch")
        zipped = self.file("a.pt", "PK\x03\x04 and what torch.save writes behind it")
        for path in (weights, zipped):
            for words in (("predict", path, IRIS), ("score", path, IRIS), ("info", path),
                          ("convert", path, self.folder / "b.onnx", "--from=model"),
                          ("convert", weights, model, "--from=torch", "--like", path)):
                code, out, err = nnblas(*words)
                self.assertEqual((code, out), (DATA, ""), err)
                self.assertIn("weights of PyTorch become one by `nnblas convert --from=torch --like MODEL`", err)
        code, out, err = nnblas("convert", zipped, self.folder / "b.safetensors", "--from=torch", "--like", model)
        self.assertEqual((code, out), (DATA, ""), err)
        self.assertIn("safetensors.torch.save_file(model.state_dict(), FILE)", err)
        broken = self.file("broken.onnx", "no protobuf")
        code, out, err = nnblas("info", broken)
        self.assertEqual((out, err.count("\n")), ("", 1))
        self.assertIn("not an ONNX model", err)

    def test_c_source(self):
        source = self.folder / "iris.c"
        self.good("convert", self.trained(), source, "--name=iris", "--numbers=i16")
        self.assertIn("iris_predict", source.read_text(encoding="utf-8"))

    def test_tables(self):
        table = self.file("a.csv", "u,v\n0.1,-2e-300\n3,4\n")
        array, arrays, back = (self.folder / name for name in ("a.npy", "a.npz", "b.csv"))
        self.good("convert", table, array)
        self.good("convert", array, arrays, "--key=pairs")
        self.good("convert", arrays, back)
        self.assertEqual(back.read_text(encoding="utf-8"), "x1,x2\n0.1,-2e-300\n3,4\n")
        self.good("convert", self.file("c.csv", "1,2\n3,4\n"), array, "--numbers=u8")
        self.assertEqual(array.read_bytes()[-4:], bytes([1, 2, 3, 4]))

    def test_refusals(self):
        table, model = self.file("a.csv", "1,2\n"), self.folder / "m.safetensors"
        for wanted, *words in (
            ("two files are wanted", table),
            ("the ending is of no known format; --from", "a.xyz", "b.csv"),
            ("the ending is of no known format; --to", table, "b.xyz"),
            ("csv is a table and c is a net", table, "b.c"),
            ("c can be written, but not read", "a.c", model),
            ("wanted model, torch, onnx, c, csv", table, "b", "--to=onyx"),
            ("wanted f64, f32", table, "b.npy", "--numbers=f8"),
            ("an array has f64", table, "b.npy", "--numbers=i8"),
            ("--like MODEL", "a.safetensors", model, "--from=torch"),
        ):
            code, out, err = nnblas("convert", *words)
            self.assertEqual((code, out), (USAGE, ""), err)
            self.assertIn(wanted, err)
        self.assertEqual(nnblas("convert", "nowhere.csv", "b.npy")[0], NO_INPUT)
        self.assertEqual(nnblas("convert", self.file("t.csv", "a,b\n1,x\n2,y\n"), "b.npy")[0], DATA)


class Bench(InFolder):
    def test_runs_nnblas_bench(self):
        program = self.file("nnblas-bench", "#!/bin/sh\necho bench \"$@\"\n")
        program.chmod(0o755)
        path = f"{self.folder}:{os.environ['PATH']}"
        self.assertEqual(self.good("bench", "--quick", "x y", env={**os.environ, "PATH": path}), "bench --quick x y\n")


class Words(InFolder):
    """The library speaks of fields of its structs, the command of its flags."""

    def test_flags_for_fields(self):
        lines = ["age;income;y", *[f"{i};{i},5;{i % 7}" for i in range(70)]]
        out = self.good("train", "-", "--max-epochs=2", stdin="\n".join(lines))
        self.assertIn("note: \"income\" is left out: it has more than 32 different texts\n", out)
        self.assertIn("the texts of \"income\" are numbers with a decimal comma; --decimal-comma reads them so\n", out)
        self.assertIn("note: the target has only 7 different values, all whole; --classes makes them classes\n", out)
        self.assertNotRegex(self.good("cv", "-", "--max-epochs=2", "-k2", "--decimal-comma", stdin="\n".join(lines)), r" \.\w")
        model = self.trained(self.file("k.csv", "a,k,y\n" + "".join(f"{i},{'uv'[i % 2]},{i}.5\n" for i in range(30))))
        self.refused(DATA, 'there are "u", "v" (or set --unseen-levels)', "predict", model, "-",
                     stdin="a,k\n1,w\n")
        self.refused(DATA, "(where numbers have a decimal comma, set --decimal-comma)", "predict", model, "-",
                     stdin="a;k\n1,5;u\n")


class ColumnsWithoutNames(InFolder):
    """Columns without names are taken in their order."""

    ROWS = [[i, (i * 7 % 11) / 11, (i * 5 % 13) / 13] for i in range(40)]

    def trained_on(self, text, *words):
        model = self.folder / "unnamed.st"
        self.good("train", self.file("t.csv", text), "--algo=lbfgs", "--l2=1", "-o", model, *words)
        return model

    def test_a_target_with_a_name_is_left_out(self):
        for head, order in ((",a,b,y", (0, 1, 2, 3)), ("y,,a,b", (3, 0, 1, 2))):
            lines = [[i, a, b, a - b] for i, a, b in self.ROWS]
            whole = "".join(",".join(map(str, line)) + "\n" for line in [[row[k] for k in order] for row in lines])
            model = self.trained_on(f"{head}\n{whole}", "--target=y")
            inputs = ",a,b\n" + "".join(f"{i},{a},{b}\n" for i, a, b in self.ROWS)
            first, second, third = (self.good("predict", model, "-", stdin=text)
                                    for text in (f"{head}\n{whole}", inputs, f"{head}\n" + re.sub("[^,\n]+$", "?", whole, flags=re.M)
                                                 if order[3] == 3 else inputs))
            self.assertEqual(first, second)
            self.assertEqual(first, third)
            self.assertEqual(len(first.splitlines()), 41)

    def test_without_any_names(self):
        model = self.trained_on("".join(f"{a - b},{i},{a},{b}\n" for i, a, b in self.ROWS), "--target=1")
        self.assertEqual(len(self.good("predict", model, "-", stdin="1,2,3\n4,5,6\n").splitlines()), 3)
        self.refused(DATA, " 4 ", "predict", model, "-", stdin="0,1,2,3\n0,4,5,6\n")
        self.refused(DATA, " 2 ", "predict", model, "-", stdin="1,2\n3,4\n")

    def test_names_are_needed_where_there_were_names(self):
        numbers = "".join(line.rsplit(",", 1)[0] + "\n" for line in IRIS.read_text().splitlines()[1:])
        self.refused(DATA, 'no column is named "sepal_length"', "predict", self.trained(), "-", stdin=numbers)
        self.refused(USAGE, "leave out --no-header", "predict", self.trained(), "-", "--no-header", stdin=numbers)


class Refusals(InFolder):
    def test_usage(self):
        self.refused(USAGE, "which command", )
        self.refused(USAGE, 'no command "trian"; `nnblas --help` lists them; did you mean train?', "trian")
        self.refused(USAGE, 'no command "xyzzy"; `nnblas --help` lists them\n', "xyzzy")
        self.refused(USAGE, "which table", "train")
        self.refused(USAGE, "one table at a time", "train", IRIS, IRIS)
        self.refused(USAGE, "--hold-out", "train", IRIS, "--hold-out=1")
        self.refused(USAGE, "--plot", "train", IRIS, "--plot=curve.jpg")
        self.refused(USAGE, "wanted curve, confusion", "plot", "pie", IRIS)
        self.refused(USAGE, "what? curve", "plot")
        self.refused(USAGE, "which files", "plot", "curve")
        self.refused(USAGE, "a model and a table", "plot", "residuals", IRIS)
        self.refused(USAGE, "--output", "plot", "curve", IRIS, "-o", "x.jpg")
        self.refused(DATA, "wanted columns epoch and loss", "plot", "curve", IRIS)
        log = self.file("log.csv", "epoch,loss\n1,0.5\n2\n")
        self.refused(DATA, "log.csv:3: wanted 2 numbers", "plot", "curve", log)
        self.refused(NO_INPUT, "nowhere.csv", "plot", "curve", "nowhere.csv")
        self.refused(USAGE, "history", "train", IRIS, "--plot=-", "--history=none")
        self.refused(USAGE, "--folds", "cv", IRIS, "--folds=1")
        self.refused(USAGE, "--repeats", "cv", IRIS, "--repeats=0")
        self.refused(USAGE, "wanted one of random, grid, halving; did you mean random?", "search", IRIS,
                     "--method=rnadom")
        self.refused(USAGE, "--candidates", "search", IRIS, "--candidates=0")
        self.refused(USAGE, "did you mean lr?", "search", IRIS, "--space=l3=1")
        self.refused(USAGE, "no candidate could be measured", "search", IRIS, "--space=algo=lm,varpro", "--lr=1")
        self.refused(USAGE, "folds is 200; wanted 2 to 150", "cv", IRIS, "--folds=200")
        self.refused(USAGE, "--algo: algo=admw; wanted the name of a method; did you mean adamw?", "train", IRIS,
                     "--algo=admw")
        self.refused(USAGE, "--resume needs --checkpoint", "train", IRIS, "--resume")
        self.refused(USAGE, "want two files", "train", IRIS, "-o", "same", "--checkpoint=same")
        self.refused(USAGE, "train: --max-epochs: max_epochs=few; wanted a whole", "train", IRIS, "--max-epochs=few")
        self.refused(USAGE, "train: --l2: l2 is -3; wanted", "train", IRIS, "--l2=-3")
        self.refused(USAGE, "did you mean accuracy?", "cv", IRIS, "--metrics=acuracy")
        self.refused(USAGE, '--loss: "hubr" is not a loss; wanted one of', "train", IRIS, "--loss=hubr")
        self.refused(USAGE, "did you mean huber?", "train", IRIS, "--loss=hubr")
        self.refused(USAGE, "did you mean tanh?", "train", IRIS, "--layers=20:tahn")
        self.refused(USAGE, "did you mean conv?", "train", IRIS, "--layers=cnov4@2")
        self.refused(USAGE, '"tahn" is not an activation; wanted one of linear', "search", IRIS, "--space=activation=tahn")
        self.refused(USAGE, "--loss: ", "cv", IRIS, "--loss=binary_cross_entropy")
        self.refused(USAGE, "--delta is for --loss=huber", "search", IRIS, "--delta=2")
        self.refused(USAGE, "--delta wants", "train", IRIS, "--delta=0")
        self.refused(USAGE, "--label-smoothing wants", "train", IRIS, "--label-smoothing=1")
        self.refused(USAGE, "--class-weight wants balanced, or CLASS=", "train", IRIS, "--class-weight=setosa")
        self.refused(USAGE, "--class-weight wants balanced, or CLASS=", "train", IRIS, "--class-weight=setosa=-1")
        self.refused(USAGE, "either balanced", "train", IRIS, "--class-weight=setosa=2", "--class-weight=balanced")
        for command in ("train", "cv", "search"):
            self.refused(USAGE, 'no such class; the first of 3 is "setosa"', command, IRIS, "--class-weight=rose=2")
            self.refused(USAGE, "did you mean setosa?", command, IRIS, "--class-weight=setsoa=2")
        for flag in ("--max-epohcs=3", "--max-epohcs"):
            self.refused(USAGE, "there is no --max-epohcs; `nnblas train --help` lists the options; did you mean max-epochs?",
                         "train", IRIS, flag)
        self.refused(USAGE, "there is no --xyzzy; `nnblas info --help` lists the options\n", "info", "--xyzzy", "m")
        self.refused(USAGE, "ambiguous", "train", IRIS, "--max=3")
        self.refused(NO_INPUT, "--xyzzy", "info", "--", "--xyzzy")
        self.refused(USAGE, 'no column is named "--xyzzy"', "train", IRIS, "--target", "--xyzzy") # the value of a flag
        self.good("train", IRIS, "--max-ep=3") # cut short
        self.refused(USAGE, "--layers", "train", IRIS, "--layers=" + "9-" * 600)

    def test_pictures_of_another_kind(self):
        classes, numbers = self.trained(), self.folder / "numbers.safetensors"
        table = self.file("t.csv", regression())
        self.good("train", table, "--target=y", "-o", numbers, "--max-epochs=5", "--hold-out=0")
        for kind in ("predicted", "residuals"):
            self.refused(DATA, "see confusion", "plot", kind, classes, IRIS)
        for kind in ("confusion", "boundary"):
            self.refused(DATA, "see predicted", "plot", kind, numbers, table)
        self.refused(USAGE, "--x and --y", "plot", "boundary", classes, IRIS)
        self.refused(USAGE, 'no input "width"', "plot", "boundary", classes, IRIS, "--x=width", "--y=1")
        self.refused(USAGE, "did you mean sepal_length?", "plot", "boundary", classes, IRIS, "--x=sepal_lenght", "--y=1")
        self.refused(USAGE, "the same input", "plot", "boundary", classes, IRIS, "--x=1", "--y=sepal_length")

    def test_files(self):
        self.refused(NO_INPUT, "nowhere.csv", "train", "nowhere.csv")
        self.refused(NO_INPUT, "nowhere.st", "info", "nowhere.st")
        self.refused(DATA, "bad.csv:3:", "train", self.file("bad.csv", "a,b\n1,2\nx,2\n"))
        self.refused(DATA, "", "info", self.file("bad.safetensors", "nonsense"))
        self.refused(CANT_CREATE, "no/folder", "train", IRIS, "-o", "no/folder/m", "--max-epochs=1000000000")
        self.refused(CANT_CREATE, "no/folder", "search", IRIS, "-o", "no/folder/m", "--seconds=1000")
        self.refused(USAGE, "is not a classifier", "predict", self.trained(self.file("t.csv", regression())), "-", "-p",
                     stdin=regression())

    def test_what_is_read_is_not_overwritten(self):
        model, table, link = self.trained(), self.folder / "iris.csv", self.folder / "link.csv"
        shutil.copy(IRIS, table)
        link.symlink_to(table)
        for words in (("train", table, "-o", table), ("train", table, "-o", link), ("train", link, "--log", table),
                      ("train", table, "--checkpoint", table), ("search", table, "-o", link),
                      ("predict", model, table, "-o", link), ("predict", model, table, "-o", model)):
            self.refused(USAGE, "would overwrite a file that is read", *words)
        self.assertEqual(table.read_bytes(), IRIS.read_bytes())

    @unittest.skipUnless(os.path.exists("/dev/full"), "there is no /dev/full")
    def test_a_full_disk_is_an_error(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([NNBLAS, "info", self.trained()], stdout=full, stderr=subprocess.PIPE, timeout=100)
        self.assertEqual(done.returncode, IO_ERROR)


class Terminal(InFolder):
    """The line of progress and Ctrl-C."""

    LONG = ("train", IRIS, "--algo=sgd", "--max-epochs=none", "--max-seconds=60", "--layers=400")

    def start(self, *words):
        try:
            leader, follower = pty.openpty()
        except OSError as error:
            self.skipTest(f"no pseudo-terminal: {error}")
        self.addCleanup(os.close, leader)
        running = subprocess.Popen([NNBLAS, *map(str, words)], stdout=subprocess.PIPE, stderr=follower,
                                   env={**os.environ, "TERM": "xterm"})
        os.close(follower)
        return running, leader

    def test_a_line_is_redrawn_and_ctrl_c_saves(self):
        model = self.folder / "m.safetensors"
        running, leader = self.start(*self.LONG, "-o", model)
        seen = b""
        while seen.count(b"\r") < 3:
            seen += os.read(leader, 4096)
        running.send_signal(signal.SIGINT)
        out, _ = running.communicate(timeout=50)
        self.assertEqual(running.returncode, 0)
        self.assertIn(b"training: epoch", seen)
        self.assertNotIn(b"\n", seen)
        self.assertIn(b"stopped by a signal", out)
        self.assertIn("accuracy", self.good("score", model, IRIS))

    def goes_on_after_ctrl_c(self, algo, refused, message):
        draw = random.Random(2)
        noise = self.file("noise.csv", "".join(f"{draw.random()},{draw.random()},{draw.random()}\n" for _ in range(200)))
        state = self.folder / f"the state of {algo}.safetensors"
        words = ["train", noise, f"--algo={algo}", "--max-epochs=1000", "--layers=100", "--hold-out=0", "--checkpoint", state]
        whole = json.loads(self.good(*words[:-2], "--json"))
        running, leader = self.start(*words)
        seen = b""
        while b"\r" not in seen:
            seen += os.read(leader, 4096)
        running.send_signal(signal.SIGINT)
        out, _ = running.communicate(timeout=50)
        self.assertEqual(running.returncode, 0)
        line = out.decode().splitlines()[-1]
        self.assertRegex(line, "^to go on: nnblas train --resume .*'.*the state of .*.safetensors'.*")
        command = shlex.split(line.removeprefix("to go on: "))[1:]
        resumed = json.loads(self.good(*command, "--json"))
        self.assertEqual(resumed["epochs"], whole["epochs"])
        self.assertEqual(resumed["trained_on"], whole["trained_on"])
        again = self.good(*command)
        self.assertIn("resumed: after epoch 1000", again)
        self.assertNotIn("to go on", again)
        code, out, err = nnblas(*command, refused)
        self.assertEqual(code, USAGE)
        self.assertRegex(out, ONLY_SUMMARY)
        self.assertIn(message, err)
        self.assertIn("--resume goes on with the same table and options", err)

    def test_fann(self):
        table = self.file("xor.data", "4 2 1\n-1 -1\n-1\n-1 1\n1\n1 -1\n1\n1 1\n-1\n")
        out = json.loads(self.good("train", table, "--fann", "--algo=lm", "--json"))
        self.assertEqual((out["rows"], out["inputs"]), (4, 2))
        csv, back, npy = self.folder / "xor.csv", self.folder / "back.data", self.folder / "xor.npy"
        self.good("convert", table, csv, "--from=fann")
        self.assertEqual(csv.read_text(), "x1,x2,t1\n-1,-1,-1\n-1,1,1\n1,-1,1\n1,1,-1\n")
        self.good("convert", csv, back, "--to=fann")
        self.assertEqual(back.read_text(), table.read_text())
        self.good("convert", table, npy, "--from=fann")
        self.good("convert", npy, back, "--to=fann", "--targets=2")
        self.assertTrue(back.read_text().startswith("4 1 2\n-1\n-1 -1\n"))
        for words, part in ((("convert", npy, back, "--to=fann", "--targets=3"), "no input"),
                            (("train", table, "--fann", "--stream"), "--stream"),
                            (("train", self.file("bad", "1 1 1\n1\nx\n"), "--fann"), "bad:3:")):
            code, out, err = nnblas(*words)
            self.assertEqual((code != 0, out), (True, ""), words)
            self.assertIn(part, err)

    def test_stream(self):
        for text, words in ((passengers(), ("--target=survived",)), (regression(), ("--target=y",))):
            table = self.file("table.csv", text)
            words = ("train", table, "--algo=adam", "--max-epochs=3", "--block=64", "--json", *words)
            outs = [json.loads(self.good(*words, *more)) for more in ((), ("--stream",))]
            for part in ("trained_on", "held_out"):
                for a, b in zip(outs[0][part].items(), outs[1][part].items()):
                    if isinstance(a[1], float):
                        self.assertAlmostEqual(a[1], b[1], 12)
                    else:
                        self.assertEqual(a, b)
            self.good("train", table, "--stream", "--max-epochs=2", words[-1])
        code, out, err = nnblas("train", "-", "--stream", stdin=regression())
        self.assertEqual((code, out), (64, ""))
        self.assertIn("standard input", err)

    def test_ctrl_c_prints_the_command_that_resumes(self):
        self.goes_on_after_ctrl_c("adam", "--lr=0.5", "lr is 0.5; the training in the file has lr=0")

    def test_and_so_for_a_full_batch_method(self):
        self.goes_on_after_ctrl_c("rprop", "--l2=0.5", "l2 is 0.5; the training in the file has l2=0")

    def test_nothing_is_drawn_into_a_pipe(self):
        self.assertEqual(nnblas(*self.LONG[:3], "--max-epochs=50")[2], "")

    def test_a_signal_ends_cross_validation_without_a_result(self):
        running, leader = self.start("cv", *self.LONG[1:])
        os.read(leader, 10)
        time.sleep(0.2)
        running.send_signal(signal.SIGTERM)
        out, _ = running.communicate(timeout=50)
        self.assertEqual(running.returncode, 75)
        self.assertRegex(out.decode(), ONLY_SUMMARY)


class Lists(InFolder):
    """Completion and the manual page, which are made from the options."""

    def complete(self, *words):
        """What bash offers after these words, the last of them being typed; bash splits at "="."""
        script = self.good("completion", "bash") + f"""
COMP_WORDS=({' '.join(f"'{w}'" for w in words)}); COMP_CWORD={len(words) - 1}; _nnblas
printf '%s\n' "${{COMPREPLY[@]}}" """
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=True)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    @unittest.skipUnless(shutil.which("bash"), "bash is not installed")
    def test_bash(self):
        self.assertEqual(self.complete("nnblas", "tr"), ["train"])
        self.assertEqual(self.complete("nnblas", "train", "--max-e"), ["--max-epochs="])
        self.assertEqual(self.complete("nnblas", "train", "--algo", "=", "lb"), ["lbfgs"])
        self.assertIn("lm", self.complete("nnblas", "cv", "--algo", "="))
        self.assertEqual(self.complete("nnblas", "info", "--algo"), [])
        self.assertEqual(self.complete("nnblas", "train", "--metrics", "=", "bal"), ["balanced_accuracy"])

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh(self):
        path = self.file("_nnblas", self.good("completion", "zsh"))
        subprocess.run(["zsh", "-n", path], check=True, timeout=60)

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_fish(self):
        path = self.file("nnblas.fish", self.good("completion", "fish"))
        done = subprocess.run(["fish", "-N", "-c", f"source {path}; complete -C 'nnblas train --algo=lb'"],
                              capture_output=True, text=True, timeout=60, check=True)
        self.assertIn("--algo=lbfgs", done.stdout)

    @unittest.skipUnless(shutil.which("groff"), "groff is not installed")
    def test_the_manual_page_has_every_option(self):
        page = self.good("manual")
        done = subprocess.run(["groff", "-man", "-ww", "-Kutf8", "-Tutf8"], input=page, capture_output=True, text=True,
                              timeout=60, check=True)
        self.assertEqual(done.stderr, "")
        for name in ("--max-epochs", "--hold-out", "--folds", "--repeats", "--space", "--probabilities", "--algo"):
            self.assertIn(name, re.sub(".\x08", "", done.stdout))  # without overstriking


if __name__ == "__main__":
    NNBLAS = os.path.abspath(sys.argv.pop(1))
    unittest.main()
