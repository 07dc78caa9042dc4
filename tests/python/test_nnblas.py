"""The Python package: each call in both precisions, errors, lifetimes, threads, memory."""
import copy
import ctypes
import gc
import math
import os
import pathlib
import pickle
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import unittest.mock
import weakref

import numpy as np

import docs
import nnblas
from nnblas import _library, _options

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DTYPES = ("float64", "float32")


def waves(dtype, n=200):
    x = np.linspace(-3, 3, n, dtype=dtype)[:, None]
    return x, np.sin(x)


def trained(dtype="float64", **options):
    net = nnblas.Net("1-8:tanh-1", dtype=dtype, seed=1)
    x, t = waves(dtype)
    net.fit(x, t, **{"algo": "lbfgs", "max_epochs": 60, **options})
    return net


class Library(unittest.TestCase):
    def test_structs_are_laid_out_as_docs_abi_says(self):
        table = (ROOT / "docs/abi.md").read_text(encoding="utf-8")
        for name, struct in _library.STRUCTS.items():
            row = re.search(rf"^\| `{name}` \| (\d+) \| (`.*) \|$", table, flags=re.M)
            fields = ", ".join(f"`{f}` {getattr(struct, f).offset} {getattr(struct, f).size}" for f, *_ in struct._fields_)
            self.assertEqual((ctypes.sizeof(struct), fields), (int(row[1]), row[2]), name)

    def test_every_call_is_that_of_the_headers(self):
        text = "".join((ROOT / "include/nnblas" / h).read_text(encoding="utf-8") for h in ("core.h", "typed.h"))
        text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
        kinds = {"int": "i", "nnb_status": "i", "bool": "b", "double": "d", "size_t": "n", "uint64_t": "n", "unsigned": "u",
                 "nnb_mat": "m", "nnb_cmat": "m", "void": "v", "nnb_activation": "i", "nnb_loss": "i", "nnb_scaling": "i"}
        ours = {ctypes.c_int: "i", ctypes.c_bool: "b", ctypes.c_double: "d", ctypes.c_size_t: "n", ctypes.c_uint64: "n",
                ctypes.c_uint: "u", _library.Mat: "m", None: "v"}
        for name, (result, arguments) in {**_library._ONCE, **_library._TYPED}.items():
            found = re.search(rf"NNB_API\s+([^;{{(]*?)\bnnb_{name}\s*\(([^;]*?)\)\s*;", text)
            self.assertTrue(found, name)
            parts = [found[1], *(re.sub(r"\w+\s*$", "", a.strip()) for a in found[2].split(",") if a.strip() != "void")]
            wanted = ["p" if "*" in part else kinds[part.replace("const", "").strip()] for part in parts]
            self.assertEqual([ours.get(kind, "p") for kind in (result, *arguments)], wanted, name)

    def test_versions_agree(self):
        core = (ROOT / "include/nnblas/core.h").read_text(encoding="utf-8")
        version = ".".join(re.findall(r"#define NNB_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", core))
        self.assertEqual(nnblas.library_version(), version)
        project = (ROOT / "bindings/python/pyproject.toml").read_text(encoding="utf-8")
        self.assertEqual(re.search(r'^version = "(.*?)"', project, flags=re.M)[1], version)

    def test_a_missing_library_is_an_error_that_names_the_places(self):
        env = {**os.environ, "NNBLAS_LIBRARY": "/nowhere/libnnblas.so"}
        done = subprocess.run([sys.executable, "-c", "import nnblas"], env=env, capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("Set NNBLAS_LIBRARY", done.stderr)
        self.assertIn("/nowhere/libnnblas.so", done.stderr)

    def test_threads(self):
        nnblas.set_threads(1)
        self.assertEqual(nnblas.get_threads(), 1)
        nnblas.set_threads()
        self.assertGreaterEqual(nnblas.get_threads(), 1)
        self.assertRaises(ValueError, nnblas.set_threads, -1)


class Fitting(unittest.TestCase):
    def test_fit_predict_jacobian(self):
        for dtype in DTYPES:
            x, t = waves(dtype)
            net = nnblas.Net("1-12:tanh-1", dtype=dtype)
            report = net.fit(x, t, algo="lm", max_epochs=60)
            self.assertEqual((report.algo, report.batch, net.dtype), ("lm", 200, np.dtype(dtype)))
            self.assertEqual(len(report.history["loss"]), report.n_history)
            self.assertEqual(report.history["loss"][-1], report.loss)
            y = net.predict(x)
            self.assertEqual((y.shape, y.dtype), ((200, 1), np.dtype(dtype)))
            self.assertLess(abs(y - t).max(), 0.02)
            J = net.jacobian(x)
            self.assertEqual(J.shape, (200, 1, 1))
            self.assertLess(abs(J[:, 0, 0] - np.cos(x[:, 0])).max(), 0.2)
            self.assertAlmostEqual(net.evaluate(x, t).rmse, float(np.sqrt(np.mean((y - t) ** 2, dtype=np.float64))), 5)

    def test_derivatives_along_directions(self):
        random = np.random.default_rng(2)
        x, u, v = random.standard_normal((30, 3)), random.standard_normal((30, 3)), random.standard_normal((30, 2))
        for dtype in DTYPES:
            net = nnblas.Net("3-6:tanh-2", dtype=dtype)
            step, close = (1e-5, 1e-8) if dtype == "float64" else (1e-2, 2e-3)
            dy = net.jvp(x, u)
            self.assertEqual((dy.shape, dy.dtype), ((30, 2), np.dtype(dtype)))
            self.assertLess(abs(dy - np.einsum("noi,ni->no", net.jacobian(x), u)).max(), 1e-5)
            slopes = [np.einsum("noi,no->ni", net.jacobian(x + s * u), v) for s in (step, -step)]
            self.assertLess(abs(net.hvp(x, v, u) - (slopes[0] - slopes[1]) / (2 * step)).max(), close)
            self.assertRaises(ValueError, net.jvp, x, u[:, :2])

    def test_derivative_targets(self):
        x = np.linspace(-2, 2, 12)[:, None]
        slopes = 3 * np.cos(3 * x)[:, :, None]
        errors = []
        for derivatives in (None, slopes):
            net = nnblas.Net("1-12:tanh-1")
            net.fit(x, np.sin(3 * x), derivatives=derivatives, algo="lm", max_epochs=300)
            errors.append(abs(net.jacobian(x) - slopes).max())
        self.assertGreater(errors[0], 0.1)
        self.assertLess(errors[1], 0.01)
        self.assertRaises(ValueError, net.fit, x, np.sin(x), derivatives=np.ones((12, 2)), algo="lm")

    def test_shapes_of_derivative_targets(self):
        x = np.random.default_rng(4).standard_normal((5, 3))
        slopes = np.stack([np.cos(x), -np.sin(x)], axis=1)  # (5, 2, 3)
        params = []
        for derivatives in (slopes, slopes.reshape(5, 6), slopes.astype(np.float32), slopes.tolist()):
            net = nnblas.Net("3-4:tanh-2", seed=1)
            net.fit(x, np.ones((5, 2)), derivatives=derivatives, algo="lbfgs", max_epochs=3)
            params.append(net.params)
        np.testing.assert_array_equal(params[0], params[1])
        np.testing.assert_array_equal(params[0], params[3])
        np.testing.assert_allclose(params[0], params[2], rtol=1e-3)
        for other in (slopes.transpose(1, 0, 2), slopes.transpose(0, 2, 1), slopes[:4], slopes.reshape(5, 2, 3, 1),
                      slopes.reshape(6, 5), slopes.ravel()):
            with self.assertRaisesRegex(ValueError, r"derivatives has shape .*; wanted \(5, 2, 3\) or \(5, 6\)"):
                net.fit(x, np.ones((5, 2)), derivatives=other, algo="lbfgs")
        one = nnblas.Net("1-4:tanh-1", seed=1)
        one.fit(x[:, :1], x[:, :1], derivatives=np.ones(5), algo="lbfgs", max_epochs=2)  # one dimension is one column

    def test_metrics_are_in_records_and_history(self):
        random = np.random.default_rng(3)
        labels = random.integers(0, 3, 60)
        x = np.eye(3)[labels] + random.standard_normal((60, 3))
        for dtype in DTYPES:
            net, seen = nnblas.Net("3-5:tanh-3:softmax", dtype=dtype), []

            def on_epoch(record):
                seen.append((record.f1, record.auc, record.train_f1, record.train_auc, record.metrics))

            report = net.fit(x[:40], labels=labels[:40], validation=(x[40:], labels[40:]), algo="rprop", max_epochs=4,
                             metrics="f1+auc", train_metrics=True, on_epoch=on_epoch)
            history = [report.history[name].tolist() for name in ("f1", "auc", "train_f1", "train_auc")]
            self.assertEqual([list(numbers) for numbers in zip(*history)], [list(s[:4]) for s in seen])
            self.assertEqual((seen[0][4], len(seen)), ("f1+auc", 4))
            self.assertTrue(np.all(np.isfinite(history)) and np.min(history) > 0)
            self.assertNotEqual(history[0], history[2])
        both = {"metrics": "recall", "train_metrics": True, "history": "none"}
        for options, names in (({}, set()), ({"metrics": "recall"}, {"recall"}), (both, {"recall", "train_recall"})):
            report = nnblas.Net("3-3:softmax").fit(x, labels=labels, algo="rprop", max_epochs=2, **options)
            self.assertEqual(set(report.history) - set(_options.record_fields()), names)
            self.assertEqual({len(numbers) for numbers in report.history.values()}, {report.n_history})
        with self.assertRaises(nnblas.NNBLASError) as caught:
            trained().fit(*waves("float64"), algo="sgd", lr=1e200, max_epochs=5, metrics="rmse")
        self.assertIn("rmse", caught.exception.report.history)

    def test_jacobian_by_differences(self):
        random = np.random.default_rng(1)
        x, t = random.standard_normal((50, 3)) * 4 + 2, random.standard_normal((50, 2)) * 5
        net = nnblas.Net(3)
        net.standardize(x, t)
        net.layer("6:tanh")
        net.layer("2")
        J = net.jacobian(x)
        for i in range(3):
            step = np.zeros(3)
            step[i] = 1e-5
            difference = (net.predict(x + step) - net.predict(x - step)) / 2e-5
            np.testing.assert_allclose(J[:, :, i], difference, rtol=1e-6, atol=1e-8)

    def test_classes(self):
        random = np.random.default_rng(2)
        labels = random.integers(0, 3, 150)
        x = np.eye(3)[labels] * 3 + random.standard_normal((150, 3))
        for dtype in DTYPES:
            net = nnblas.Net("3-8:tanh-3:softmax", dtype=dtype)
            net.fit(x, labels=labels, algo="lbfgs", max_epochs=30, validation=(x[:30], labels[:30]))
            accuracy = net.evaluate(x, labels=labels).accuracy
            self.assertGreater(accuracy, 0.85)
            self.assertAlmostEqual(float(np.mean(net.classify(x) == labels)), accuracy)
            np.testing.assert_allclose(net.predict(x).sum(axis=1), 1, rtol=1e-5)
        one = nnblas.Net("3-1:sigmoid")
        one.fit(x, labels=np.zeros(150, int), algo="sgd", max_epochs=1)  # no row of class 1: still two classes

    def test_arrays_of_the_dtype_are_not_copied(self):
        for dtype in DTYPES:
            x = np.ones((4, 3), dtype)
            self.assertIs(_library.as_rows(x, np.dtype(dtype), "x"), x)
            y, J = np.empty((4, 1), dtype), np.empty((4, 1, 3), dtype)
            net = nnblas.Net("3-1", dtype=dtype)
            self.assertIs(net.predict(x, out=y), y)
            self.assertIs(net.jacobian(x, out=J), J)
            np.testing.assert_array_equal(net.predict(np.asfortranarray(x)), y)
            np.testing.assert_array_equal(net.predict(x.tolist()), y)
            np.testing.assert_allclose(J[0, 0], net.weights(2)[:, 0], rtol=1e-6)

    def test_weights_of_samples(self):
        x, t = waves("float64")
        weight = (x[:, 0] > 0).astype(float)
        net = nnblas.Net("1-8:tanh-1")
        net.fit(x, t, sample_weight=weight, algo="lm", max_epochs=50)
        error = abs(net.predict(x) - t)[:, 0]
        self.assertLess(error[weight > 0].max(), 0.05)
        self.assertAlmostEqual(net.evaluate(x, t, sample_weight=weight).rmse,
                               math.sqrt(np.mean(error[weight > 0] ** 2)), 12)

    def test_a_graph(self):
        net = nnblas.Net(3)
        h = net.layer("4:tanh:name=h")
        g = net.layer("4:sigmoid", source=1)
        s = net.add([h, g], "relu")
        c = net.concat([s, 1])
        net.output(net.layer("2", source=c), loss="huber", factor=2.0)
        net.output(net.activation("tanh", source=h))
        self.assertEqual((net.n_in, net.n_out, net.n_nodes), (3, 6, 7))
        self.assertEqual(net.node("h"), h)
        self.assertEqual(net.n_params, 16 + 16 + 16)
        self.assertEqual(net.weights("h").shape, (3, 4))
        net.fit(np.ones((5, 3)), np.ones((5, 6)), algo="adam", max_epochs=2)

    def test_options_are_text(self):
        x, t = waves("float64")
        report = trained().fit(x, t, algo="adam", batch=50, lr=0.003, max_epochs=np.int64(3), in_order=True, l2=None,
                               schedule="cosine", history="none")
        self.assertEqual((report.algo, report.batch, report.lr, report.epochs, report.n_history), ("adam", 50, 0.003, 3, 0))
        full = trained().fit(x, t, algo="adam", batch="full", max_epochs=2)
        self.assertEqual(full.batch, 200)

    def test_checkpoint(self):
        x, t = waves("float64")
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "état 1.safetensors"
            nnblas.Net("1-4:tanh-1").fit(x, t, algo="adam", max_epochs=3, checkpoint=path)
            report = nnblas.Net("1-4:tanh-1").fit(x, t, algo="adam", max_epochs=5, checkpoint=path, resume=True)
            self.assertEqual((report.resumed, report.epochs), (3, 5))

    def test_training(self):
        x, t = waves("float64")
        net = nnblas.Net("1-4:tanh-1")
        self.assertIsNone(net.training)
        report = net.fit(x, t, algo="adam", max_epochs=3, seed=2**63)
        for of in (net.training, nnblas.Net.from_bytes(net.to_bytes()).training):
            self.assertEqual((of.algo, of.epochs, of.rows, of.seed), ("adam", 3, len(x), 2**63))
            self.assertEqual((of.loss, of.version), (report.loss, nnblas.library_version()))

    def test_solve_output(self):
        x, t = waves("float64")
        net = nnblas.Net("1-30:tanh:init=normal:init_scale=2-1")
        net.solve_output(x, t)
        self.assertLess(net.evaluate(x, t).rmse, 0.01)

    def test_evidence(self):
        report = trained(algo="lm", bayes=True, max_epochs=20) and nnblas.Net("1-3:tanh-1").fit(
            *waves("float64"), algo="lm", bayes=True, max_epochs=20)
        self.assertGreater(report.evidence.gamma, 0)


class Callbacks(unittest.TestCase):
    def test_records_come_and_stop(self):
        x, t = waves("float64")
        seen = []
        net = nnblas.Net("1-4:tanh-1")

        def on_epoch(record):
            seen.append((record.epoch, record.loss, net.predict(x[:2]).shape))  # the net may be read
            return record.epoch == 3

        report = net.fit(x, t, algo="rprop", validation=(x, t), on_epoch=on_epoch)
        self.assertEqual([s[0] for s in seen], [1, 2, 3])
        self.assertEqual(report.stop, "user")
        self.assertEqual(report.history["loss"].tolist(), [s[1] for s in seen])

    def test_an_exception_comes_through(self):
        x, t = waves("float64")
        net = nnblas.Net("1-4:tanh-1")

        def on_epoch(record):
            raise KeyError("mine")

        self.assertRaisesRegex(KeyError, "mine", net.fit, x, t, algo="rprop", on_epoch=on_epoch)
        net.fit(x, t, algo="rprop", max_epochs=1)

    def test_changes_in_a_callback_are_refused(self):
        x, t = waves("float64")
        net = nnblas.Net("1-4:tanh-1")
        self.assertRaises(RuntimeError, net.fit, x, t, algo="rprop", on_epoch=lambda record: net.init(3))

    def test_ctrl_c_ends_a_fit(self):
        x, t = waves("float64")
        timer = threading.Timer(0.2, signal.raise_signal, [signal.SIGINT])
        timer.start()
        with self.assertRaises(KeyboardInterrupt):
            nnblas.Net("1-4:tanh-1").fit(x, t, algo="sgd", lr=1e-9, max_epochs="none", max_seconds=60)
        timer.join()


class Errors(unittest.TestCase):
    def test_each_kind_has_the_message_of_the_library(self):
        net, x = trained(), np.ones((5, 1))
        x_nan = np.full((5, 1), np.nan)
        for kind, words, call in (
            (ValueError, 'character 3: wanted a layer size', lambda: nnblas.Net("1-x")),
            (ValueError, "did you mean lm", lambda: net.fit(x, x, algo="lmm")),
            (ValueError, "did you mean max_epochs", lambda: net.fit(x, x, max_epoch=3)),
            (ValueError, "lr is -1|lr=-1|wanted 0 or more", lambda: net.fit(x, x, algo="sgd", lr=-1)),
            (ValueError, "x has 2 columns; the net has 1", lambda: net.predict(np.ones((3, 2)))),
            (ValueError, "t has 5 rows; x has 4", lambda: net.fit(x[:4], x)),
            (ValueError, "NaN|nan", lambda: net.fit(x_nan, x)),
            (ArithmeticError, "", lambda: net.fit(x, x, algo="sgd", lr=1e300, batch="full")),
            (RuntimeError, "sealed|state", lambda: net.layer("3")),
            (OSError, "/nowhere", lambda: nnblas.Net.load("/nowhere/net.safetensors")),
            (OSError, "/nowhere", lambda: net.save("/nowhere/net.safetensors")),
            (ValueError, "", lambda: nnblas.Net.from_bytes(b"not a file")),
            (ValueError, '"tan" is not an activation; .*; did you mean tanh', lambda: net.activation("tan")),
            (ValueError, "there is no node 'h'", lambda: net.weights("h")),
            (TypeError, "wanted float64 or float32", lambda: nnblas.Net("1-1", dtype="int32")),
            (TypeError, "labels have dtype", lambda: net.fit(x, labels=np.ones(5))),
            (TypeError, "wanted numbers", lambda: net.predict(np.array([["a"]]))),
            (ValueError, "sample_weight has shape", lambda: net.fit(x, x, sample_weight=np.ones(4))),
            (ValueError, "has 3 dimensions", lambda: net.predict(np.ones((2, 2, 2)))),
            (ValueError, "no blank", lambda: net.fit(x, x, algo="lm l2=3")),
            (ValueError, "out must be", lambda: net.predict(x, out=np.empty((5, 1), np.float32))),
            (ValueError, "out has shape", lambda: net.predict(x, out=np.empty((4, 1)))),
            (ValueError, "NUL", lambda: nnblas.Net("3-4\0x")),
            (ValueError, "NUL", lambda: net.save("/nowhere/x\0y")),
            (TypeError, "float", lambda: nnblas.Net(3.5)),
            (TypeError, "None", lambda: nnblas.Net("1-1", seed=None)),
            (ValueError, "seed is -1", lambda: net.init(-1)),
            (ValueError, "no int of C", lambda: nnblas.Net(2**32 + 3)),
            (ValueError, "no int of C", lambda: nnblas.Net(2).input(2**32 + 3)),
            (TypeError, "complex", lambda: nnblas.minimize(lambda x: (np.complex128(x[0] ** 2), 2 * x), [1.0])),
            (TypeError, "complex", lambda: nnblas.minimize(lambda x: (x[0] ** 2, np.array([2j])), [1.0])),
        ):
            with self.subTest(words):
                self.assertRaisesRegex(kind, words, call)

    def test_an_error_has_its_status_and_pickles(self):
        with self.assertRaises(nnblas.NNBLASError) as caught:
            nnblas.Net("1-x")
        self.assertEqual(caught.exception.status, -6)
        again = pickle.loads(pickle.dumps(caught.exception))
        self.assertEqual((type(again), str(again)), (type(caught.exception), str(caught.exception)))

    def test_a_diverged_fit_has_its_report(self):
        with self.assertRaises(nnblas.NNBLASError) as caught:
            trained().fit(*waves("float64"), algo="sgd", lr=1e200, max_epochs=5)
        self.assertEqual(caught.exception.report.stop, "diverged")


class Lifetimes(unittest.TestCase):
    def test_pickle_copy_save(self):
        for dtype in DTYPES:
            net = trained(dtype)
            x, _ = waves(dtype)
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder) / "net.safetensors"
                net.save(path)
                others = [pickle.loads(pickle.dumps(net)), copy.copy(net), copy.deepcopy(net), nnblas.Net.load(path, dtype)]
            for other in others:
                self.assertEqual(other.dtype, net.dtype)
                np.testing.assert_array_equal(other.predict(x), net.predict(x))
            others[0].init(9)
            self.assertFalse(np.array_equal(others[0].params, net.params))
        single = trained("float64").astype("float32")
        self.assertEqual(single.dtype, np.float32)
        np.testing.assert_allclose(single.params, trained("float64").params.astype("float32"))

    def test_torch_and_c(self):
        net = trained()
        with tempfile.TemporaryDirectory() as folder:
            net.save_torch(folder + "/weights")
            other = nnblas.Net("1-8:tanh-1", seed=5)
            other.load_torch(folder + "/weights")
            np.testing.assert_array_equal(other.params, net.params)
            net.write_c(folder + "/net.c")
            self.assertIn("net_predict", pathlib.Path(folder, "net.c").read_text(encoding="utf-8"))

    def test_onnx(self):
        for dtype in DTYPES:
            net = nnblas.Net("2-4:gelu-3:softmax", dtype=dtype, seed=1)
            x = np.random.default_rng(1).standard_normal((9, 2)).astype(dtype)
            net.standardize(x)
            with tempfile.TemporaryDirectory() as folder:
                path = folder + "/net.onnx"
                try:
                    net.save_onnx(path)
                except nnblas.NNBLASUnsupportedError as error:
                    self.assertIn("protobuf-c", str(error))
                    self.skipTest("built without protobuf-c")
                for other in (nnblas.Net.load_onnx(path, dtype), nnblas.Net.load_onnx(path, dtype, external_data=True)):
                    self.assertEqual(other.dtype, np.dtype(dtype))
                    np.testing.assert_array_equal(other.weights(2), net.weights(2))
                    self.assertLess(abs(other.predict(x) - net.predict(x)).max(), 1e-6)
                with self.assertRaisesRegex(ValueError, "opset"):
                    net.save_onnx(path, opset=3)
                with self.assertRaises(OSError):
                    nnblas.Net.load_onnx(folder + "/none.onnx")

    def test_names_of_torch(self):
        net = nnblas.Net("2-4:tanh:name=first-3:name=last", seed=1)
        x = np.ones((1, 2))
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "weights")

            def loaded(**options):
                other = nnblas.Net("2-4:tanh:name=first-3:name=last", seed=2)
                other.load_torch(path, **options)
                return other.predict(x)

            for names in (["encoder", "head"], {"last": "head", "first": "encoder"}, {3: "head", "first": "encoder"}):
                net.save_torch(path, prefix="model.", names=names)
                self.assertIn(b'"model.encoder.weight"', path.read_bytes())
                np.testing.assert_array_equal(loaded(prefix="model.", names=names), net.predict(x))
            np.testing.assert_array_equal(loaded(prefix="model.", names=("encoder", "head")), net.predict(x))
            for error, wanted, options in (
                (nnblas.NNBLASError, "no module \"tail\"", {"prefix": "model.", "names": ["encoder", "tail"]}),
                (nnblas.NNBLASError, "does not begin with \"net.\"", {"prefix": "net."}),
                (nnblas.NNBLASError, "1 name; the net has 2 layers", {"names": ["encoder"]}),
                (nnblas.NNBLASError, "have 0 names", {"names": []}),
                (nnblas.NNBLASError, "weights", {"names": {1: "encoder", 3: "head"}}),
                (ValueError, "no node 'middle'", {"names": {"middle": "encoder", 3: "head"}}),
                (ValueError, "one node twice", {"names": {"last": "encoder", 3: "head"}}),
            ):
                with self.assertRaisesRegex(error, re.escape(wanted)):
                    loaded(**options)
            part = nnblas.Net("4-3:name=last", seed=3)
            net.save_torch(path, prefix="model.", names=["encoder", "head"])
            part.load_torch(path, prefix="model.", names=["head"], ignore_others=True)
            np.testing.assert_array_equal(part.weights("last"), net.weights("last"))

    def test_views_are_the_nets_memory_and_keep_it(self):
        for dtype in DTYPES:
            net = nnblas.Net("2-3:tanh-1", dtype=dtype)
            params, w, b = net.params, net.weights(2), net.bias("dense1")
            params[:] = np.arange(len(params))
            np.testing.assert_array_equal(w, [[0, 1, 2], [3, 4, 5]])
            np.testing.assert_array_equal(b, [6, 7, 8])
            self.assertFalse(w.flags.writeable)
            net.set_weights(2, -np.ones((2, 3)))
            net.set_bias(2, [1, 2, 3])
            self.assertEqual((params[0], b[2]), (-1, 3))
            self.assertRaises(ValueError, net.set_weights, 2, np.ones((3, 2)))
            handle = weakref.ref(net._handle)
            net.close()
            del net
            gc.collect()
            self.assertIsNotNone(handle())  # the arrays keep it
            self.assertEqual(params[1], -1)
            del params, w, b
            gc.collect()
            self.assertIsNone(handle())

    def test_a_closed_net_raises(self):
        with trained() as net:
            net.predict([[1.0]])
        self.assertIn("closed", repr(net))
        for call in (lambda: net.predict([[1.0]]), lambda: net.n_in, lambda: net.params, net.to_bytes,
                     lambda: net.fit([[1.0]], [[1.0]])):
            self.assertRaisesRegex(RuntimeError, "the net was closed", call)
        net.close()

    def test_many_fits_leave_no_memory(self):
        x, t = waves("float64")

        def fits(n):
            for _ in range(n):
                net = nnblas.Net("1-8:tanh-1")
                net.fit(x, t, algo="lbfgs", max_epochs=5, on_epoch=lambda record: record.loss < 0)
                net.predict(x), net.jacobian(x), net.params, pickle.dumps(net)
                try:
                    net.fit(x[:3], t)
                except ValueError:
                    pass
                nnblas.minimize(lambda v: (v @ v, 2 * v), np.ones(3))

        fits(100)
        gc.collect()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        fits(400)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before  # KiB; a lost report alone would be 2 MiB
        self.assertLess(grown, 1500)


    def test_data_is_released_whatever_is_refused(self):
        net, (x, t) = nnblas.Net("1-4:tanh-1"), waves("float64")
        calls, live = net._calls, []
        wrap, destroy = calls.data_wrap, calls.data_destroy

        def counted_wrap(batch, n_classes, out):
            status = wrap(batch, n_classes, out)
            live.append(out._obj.value)
            return status

        def counted_destroy(address):
            live.remove(address.value)
            destroy(address)

        good, short = (x, t), (x[:3], t)
        with unittest.mock.patch.multiple(calls, data_wrap=counted_wrap, data_destroy=counted_destroy):
            net.fit(*good, validation=good, algo="rprop", max_epochs=1)
            self.assertEqual(live, [])
            for train, validation in ((short, good), (good, short), (short, short)):
                self.assertRaises(ValueError, net.fit, *train, validation=validation, algo="rprop", max_epochs=1)
                self.assertEqual([address for address in live if address], [])
                live.clear()  # refused data has no address

    def test_from_bytes_takes_any_bytes(self):
        net = trained()
        file = net.to_bytes()
        self.assertEqual(len(file) % 8, 0)
        for other in (file, bytearray(file), memoryview(file), np.frombuffer(file, np.uint8),
                      np.frombuffer(file, np.uint64), memoryview(file).cast("Q")):  # of fewer items than bytes
            np.testing.assert_array_equal(nnblas.Net.from_bytes(other).params, net.params)

    def test_copies_keep_what_is_exact_and_frozen(self):
        net = nnblas.Net("2-4:tanh:name=h-1", seed=3)
        net.freeze("h")
        frozen = net.weights("h").copy()
        try:
            net.exact()
        except NotImplementedError as error:
            self.skipTest(str(error))
        copies = {"pickle": pickle.loads(pickle.dumps(net)), "copy": copy.copy(net), "deepcopy": copy.deepcopy(net),
                  "again": pickle.loads(pickle.dumps(copy.copy(net))), "astype": net.astype("float32"),
                  "bytes": nnblas.Net.from_bytes(net.to_bytes(), exact=True)}
        x, t = np.ones((4, 2)), np.zeros((4, 1))
        for name, other in copies.items():
            with self.subTest(name):
                with self.assertRaises(NotImplementedError):  # what is not defined exactly is refused
                    other.fit(x, t, algo="lm", max_epochs=2)
                other.fit(x, t, algo="adam", max_epochs=2)
                np.testing.assert_array_equal(other.weights("h"), frozen.astype(other.dtype))
        net.exact(False)
        without = nnblas.Net.from_bytes(copies["copy"].to_bytes())
        for other in (pickle.loads(pickle.dumps(net)), copy.copy(net), without):
            other.fit(x, t, algo="lm", max_epochs=2)


class Threads(unittest.TestCase):
    def test_the_gil_is_released(self):
        net = nnblas.Net("64-400:tanh-400:tanh-8")
        x, inside, times = np.ones((4000, 64)), threading.Event(), []

        def predict():
            inside.set()
            start = time.monotonic()
            while not times or time.monotonic() - start < 0.2:  # one call of some length
                begin = time.monotonic()
                net.predict(rows[0])
                times[:] = [begin, time.monotonic()]
                if times[1] - begin > 0.5 or len(rows[0]) > 400000:
                    break
                rows[0] = np.repeat(rows[0], 2, axis=0)
                times.clear()

        rows, slots = [x], set()
        thread = threading.Thread(target=predict)
        thread.start()
        inside.wait()
        while thread.is_alive():
            slots.add(int(time.monotonic() * 100))
        thread.join()
        begin, end = (int(t * 100) for t in times)
        # A call that kept the GIL would leave none of the hundredths of a second between its ends.
        self.assertGreater(len([s for s in slots if begin + 2 <= s <= end - 2]), 3)

    def test_many_threads_predict(self):
        net, (x, _) = trained(), waves("float64")
        want, wrong = net.predict(x), []

        def work():
            for _ in range(50):
                if not np.array_equal(net.predict(x), want):
                    wrong.append(1)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_other_threads_are_refused_while_one_trains(self):
        x, t = waves("float64")
        net, running, done, raised = nnblas.Net("1-4:tanh-1"), threading.Event(), threading.Event(), []

        def on_epoch(record):
            running.set()
            done.wait(20)
            return True

        thread = threading.Thread(target=lambda: net.fit(x, t, algo="rprop", on_epoch=on_epoch))
        thread.start()
        running.wait()
        for call in (lambda: net.predict(x), lambda: net.init(1), lambda: net.fit(x, t)):
            self.assertRaisesRegex(RuntimeError, "another thread trains this net", call)
        handle = net._handle
        net.close()  # the fit goes on
        done.set()
        thread.join()
        self.assertEqual(handle._changer, None)

    def test_nets_train_side_by_side(self):
        x, t = waves("float64")
        want, losses = trained().evaluate(x, t).loss, []
        threads = [threading.Thread(target=lambda: losses.append(trained().evaluate(x, t).loss)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        np.testing.assert_allclose(losses, want, rtol=1e-3)


def rosenbrock(x):
    a, b = 1 - x[0], x[1] - x[0] ** 2
    return a * a + 100 * b * b, np.array([-2 * a - 400 * x[0] * b, 200 * b])


class Solving(unittest.TestCase):
    def test_minimize(self):
        for dtype, tol in zip(DTYPES, (1e-6, 2e-2)):
            for algo in ("lbfgs", "bfgs", "cg"):
                s = nnblas.minimize(rosenbrock, [-1.2, 1], dtype=dtype, algo=algo)
                self.assertEqual((s.algo, s.x.dtype), (algo, np.dtype(dtype)))
                np.testing.assert_allclose(s.x, [1, 1], atol=tol)
        apart = nnblas.minimize(lambda x: rosenbrock(x)[0], [-1.2, 1], lambda x: rosenbrock(x)[1])
        np.testing.assert_allclose(apart.x, [1, 1], atol=1e-6)

    def test_bounds(self):
        s = nnblas.minimize(rosenbrock, [-1.2, 1], lower=[-2, -2], upper=[0.5, 2])
        np.testing.assert_allclose(s.x, [0.5, 0.25], atol=1e-6)
        s = nnblas.minimize(lambda x: (x @ x, 2 * x), [3.0, 4.0, 5.0], lower=1)
        np.testing.assert_allclose(s.x, [1, 1, 1])
        self.assertRaisesRegex(ValueError, "lower has shape", nnblas.minimize, rosenbrock, [1, 1], lower=[1, 2, 3])

    def test_least_squares(self):
        u = np.linspace(0, 4, 300)
        data = 3 * np.exp(-0.7 * u) + 0.5

        def residuals(x, rows=slice(None)):
            return x[0] * np.exp(-x[1] * u[rows]) + x[2] - data[rows]

        def jacobian(x, rows=slice(None)):
            e = np.exp(-x[1] * u[rows])
            return np.stack([e, -x[0] * u[rows] * e, np.ones_like(e)], axis=1)

        for dtype, tol in zip(DTYPES, (1e-8, 1e-3)):
            for more in ({}, {"m": 300}, {"linear": [True, False, True]}, {"lower": 0, "upper": 10}):
                s = nnblas.least_squares(residuals, [1, 1, 0], jacobian, dtype=dtype, **more)
                np.testing.assert_allclose(s.x, [3, 0.7, 0.5], atol=tol)
        ridge = nnblas.least_squares(residuals, [1, 1, 0], jacobian, ridge=1e9)
        self.assertLess(abs(ridge.x).max(), 1e-4)

    def test_functions_that_fail(self):
        def bad(x):
            raise LookupError("mine")

        self.assertRaisesRegex(LookupError, "mine", nnblas.minimize, bad, [1.0])
        self.assertRaisesRegex(LookupError, "mine", nnblas.least_squares, lambda x: x, [1.0], bad)
        self.assertRaisesRegex(ValueError, "wanted", nnblas.least_squares, lambda x: x, [1.0], lambda x: np.ones((2, 2)))
        self.assertRaises(ArithmeticError, nnblas.minimize, lambda x: (math.nan, x), [1.0])
        for slope in (1.0, [1.0], np.ones((2, 1)), np.ones((1, 2)), np.ones(3)):
            with self.assertRaisesRegex(ValueError, r"a function returned shape .*; wanted \(2,\)"):
                nnblas.minimize(lambda x: (x @ x, slope), [1.0, 2.0])
        one = nnblas.minimize(lambda x: (float(x[0] ** 2), float(2 * x[0])), [3.0])  # of one variable: a number
        self.assertAlmostEqual(one.x[0], 0, 6)
        for r, J in ((lambda x, rows: 1.0, lambda x, rows: np.ones((2, 2))),
                     (lambda x, rows: np.ones(2), lambda x, rows: np.ones(2))):
            with self.assertRaisesRegex(ValueError, "a function returned shape"):
                nnblas.least_squares(r, [1.0, 2.0], J, m=2)
        half = nnblas.minimize(lambda x: (-math.log(x[0]) + x[0] if x[0] > 0 else math.nan, 1 - 1 / x), [3.0])
        self.assertAlmostEqual(half.x[0], 1, 6)  # not defined left of 0

    def test_iterations_are_seen(self):
        seen = []

        def on_iteration(record):
            seen.append(record.value)
            return record.iteration == 4

        s = nnblas.minimize(rosenbrock, [-1.2, 1], on_iteration=on_iteration)
        self.assertEqual((len(seen), s.iterations, s.stop, s.value), (4, 4, "user", seen[-1]))
        start = np.array([-1.2, 1])
        nnblas.minimize(rosenbrock, start, max_iterations=3)
        self.assertEqual(start.tolist(), [-1.2, 1])  # the start is not changed


class Texts(unittest.TestCase):
    def test_values(self):
        self.assertEqual([_options._value(t) for t in ("true", "false", "12", "0.5", "lm", "9007199254740993")],
                         [True, False, 12, 0.5, "lm", 9007199254740993])
        self.assertTrue(math.isnan(_options._value("nan")))
        self.assertEqual(_options.options_text({"a": True, "b": 1e-7, "c": None, "d": np.float32(0.5), "e": np.int8(3)}),
                         "a=true b=1e-07 d=0.5 e=3")


class Documentation(unittest.TestCase):
    def test_programs(self):
        docs.run_programs(self, False)


if __name__ == "__main__":
    unittest.main()
