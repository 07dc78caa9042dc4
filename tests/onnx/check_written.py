#!/usr/bin/env python3
"""ONNX files of write_cases: onnx's checker, their operators in NumPy, OpenCV, and ONNX Runtime where it is found.

  check_written.py all|few WRITE_CASES...      77, skipped, where no Python has onnx and NumPy
  check_written.py record WRITE_CASES...       writes what ONNX Runtime computes to golden/onnx/runtime.json

NNB_ONNXRUNTIME names a folder whose node_modules has onnxruntime-node (npm install --ignore-scripts onnxruntime-node).
Without it the outputs are compared with those that were recorded.
"""
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx
except ImportError:
    if sys.executable != "/usr/bin/python3" and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])  # the system's packages
    print("skipped: python3-onnx or python3-numpy is not installed")
    sys.exit(77)
from onnx import numpy_helper

try:
    import cv2
except ImportError:
    cv2 = None
    print("skipped: OpenCV's dnn (python3-opencv is not installed)")

# What OpenCV 4.6 does not know, with its reason.
OPENCV_LACKS = {"Greater": "operator", "Erf": "operator", "LayerNormalization": "operator",
                "Sqrt": "the parts of layer normalisation have one column", "AveragePool of signals": "dimensions",
                "GRU": "linear_before_reset", "Gather": "indices that are not constant"}
# What ONNX Runtime has in single precision only.
RUNTIME_LACKS = {"Conv", "AveragePool", "GRU"}
TYPES = {1: np.float32, 7: np.int64, 11: np.float64}


def relative(got, want):
    return float(np.max(np.abs(np.float64(got) - np.float64(want))) / np.max(np.abs(np.float64(want))))


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def selu(z):
    return z.dtype.type(1.05070102214813232421875) * np.where(
        z > 0, z, z.dtype.type(1.67326319217681884765625) * np.expm1(z))


def each(f):
    return lambda z: np.vectorize(lambda v: f(float(v)), otypes=[z.dtype])(z)


def windows(x, attributes, pads=None):
    """Parts of images under a window, of the shape (samples, channels, places…, window…)."""
    n = x.ndim - 2
    pads, strides = pads or [0] * 2 * n, attributes["strides"]
    x = np.pad(x, [(0, 0), (0, 0), *zip(pads[:n], pads[n:])])
    parts = np.lib.stride_tricks.sliding_window_view(x, attributes["kernel_shape"], axis=tuple(range(2, x.ndim)))
    return parts[(slice(None), slice(None), *(slice(None, None, s) for s in strides))]


def conv(attributes, x, w, b=None):
    parts, n = windows(x, attributes, attributes["pads"]), x.ndim - 2
    z = np.tensordot(parts, w, axes=([1, *range(-n, 0)], list(range(1, w.ndim))))  # samples, places…, outputs
    return np.moveaxis(z if b is None else z + b, -1, 1)


def batch_norm(attributes, x, scale, bias, mean, variance):
    gain, shift, mean, variance = (v.reshape(-1, *[1] * (x.ndim - 2)) for v in (scale, bias, mean, variance))
    return gain * (x - mean) / np.sqrt(variance + x.dtype.type(attributes["epsilon"])) + shift


def layer_norm(attributes, x, scale, bias):
    axes = tuple(range(attributes["axis"], x.ndim))
    x = x - x.mean(axis=axes, keepdims=True)
    return x / np.sqrt((x * x).mean(axis=axes, keepdims=True) + x.dtype.type(attributes["epsilon"])) * scale + bias


def over_window(f):
    return lambda attributes, x: f(windows(x, attributes), axis=tuple(range(2 - x.ndim, 0)))


def gru(attributes, x, w, u, b):
    assert attributes["linear_before_reset"] == 1
    n = attributes["hidden_size"]
    (w_z, w_r, w_h), (u_z, u_r, u_h) = np.split(w[0].T, 3, axis=1), np.split(u[0].T, 3, axis=1)
    b_z, b_r, b_h, c_z, c_r, c_h = b[0].reshape(6, n)
    h, states = np.zeros((x.shape[1], n), x.dtype), []
    for a in x:
        z, r = (1 / (1 + np.exp(-(a @ v + h @ s + p + q))) for v, s, p, q in ((w_z, u_z, b_z, c_z), (w_r, u_r, b_r, c_r)))
        h = (1 - z) * np.tanh(a @ w_h + b_h + r * (h @ u_h + c_h)) + z * h
        states.append(h)
    return np.stack(states)[:, None], h[None]


# Operators of which the attributes matter
WITH_ATTRIBUTES = {
    "Conv": conv, "MaxPool": over_window(np.max), "AveragePool": over_window(np.mean), "BatchNormalization": batch_norm,
    "LayerNormalization": layer_norm, "Flatten": lambda attributes, x: x.reshape(len(x), -1),
    "Reshape": lambda attributes, x, shape: x.reshape(shape),
    "GRU": gru, "Gather": lambda attributes, x, index: np.take(x, index, axis=attributes.get("axis", 0)),
    "Transpose": lambda attributes, x: x.transpose(attributes["perm"]),
    "ReduceMean": lambda attributes, x: x.mean(axis=tuple(attributes["axes"]), keepdims=True),
}
OPERATORS = {
    "Sqrt": np.sqrt,
    "MatMul": np.matmul, "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide,
    "Max": np.maximum, "Min": np.minimum, "Greater": np.greater, "Relu": lambda z: np.maximum(z, 0),
    "Sigmoid": lambda z: 1 / (1 + np.exp(-z)), "Tanh": np.tanh, "Exp": np.exp, "Log": np.log, "Abs": np.abs,
    "Neg": np.negative, "Identity": lambda z: z, "Softmax": softmax, "Elu": lambda z: np.where(z > 0, z, np.expm1(z)),
    "LeakyRelu": lambda z: np.where(z > 0, z, z.dtype.type(0.01) * z), "Selu": selu,
    "Softplus": lambda z: np.logaddexp(z, z.dtype.type(0)), "Erf": each(math.erf),
}


def run(model, inputs):
    """The model by its operators, as ONNX describes them."""
    values = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer} | inputs
    for node in model.graph.node:
        x = [values[name] for name in node.input]
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type == "Gemm":
            assert attributes == {"alpha": 1, "beta": 1, "transB": 1}
            y = x[0] @ x[1].T + x[2]
        elif node.op_type == "Concat":
            y = np.concatenate(x, axis=attributes["axis"])
        elif node.op_type in WITH_ATTRIBUTES:
            y = WITH_ATTRIBUTES[node.op_type](attributes, *x)
        elif node.op_type == "Cast":
            y = x[0].astype(TYPES[attributes["to"]])
        else:
            y = OPERATORS[node.op_type](*x)
        values.update(zip(node.output, y if node.op_type == "GRU" else [y]))
    return values[model.graph.output[0].name]


def kinds(model):
    """The operators of a model."""
    for node in model.graph.node:
        signals = any(a.name == "kernel_shape" and len(a.ints) == 1 for a in node.attribute)
        yield f"{node.op_type} of signals" if signals and node.op_type == "AveragePool" else node.op_type


def opencv(path, model, inputs):
    net = cv2.dnn.readNetFromONNX(str(path))
    rows = []
    for i in range(len(next(iter(inputs.values())))):  # 4.6 keeps the batch of constants; row by row is safe
        for name, x in inputs.items():
            net.setInput(np.ascontiguousarray(x[i:i + 1]), name)
        rows.append(net.forward(model.graph.output[0].name).reshape(1, -1))
    return np.concatenate(rows)


RECORDED = pathlib.Path(__file__).resolve().parent.parent / "golden/onnx/runtime.json"
RUNTIME = """
const ort = require("onnxruntime-node");
(async () => {
  for (const job of JSON.parse(require("fs").readFileSync(0))) {
    for (const level of ["disabled", "all"]) {
      const session = await ort.InferenceSession.create(job.path, {graphOptimizationLevel: level, logSeverityLevel: 3});
      const feeds = {};
      for (const [name, x] of Object.entries(job.inputs))
        feeds[name] = new ort.Tensor(job.type, job.type == "float64" ? Float64Array.from(x.data) : Float32Array.from(x.data), x.dims);
      const result = await session.run(feeds);
      console.log(JSON.stringify(Array.from(result[job.output].data)));
    }
  }
})().catch(e => { console.error(e.message); process.exit(1); });
"""


def onnxruntime(jobs, few=True):
    """For each job names and outputs: those without and with optimisation, or what was recorded of the few cases."""
    folder = os.environ.get("NNB_ONNXRUNTIME")
    if not folder or not shutil.which("node"):
        print("skipped: ONNX Runtime (NNB_ONNXRUNTIME or node is missing); its recorded outputs are compared")
        recorded = json.loads(RECORDED.read_text())
        return [[("recorded", recorded[job["name"]])] if few or job["name"] in recorded else [] for job in jobs]
    done = subprocess.run(["node", "-e", RUNTIME], cwd=folder, input=json.dumps(jobs), capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"onnxruntime-node: {done.stderr}")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [[("plain", plain), ("optimised", optimised)] for plain, optimised in zip(lines[::2], lines[1::2])]


def record(jobs):
    """The outputs without optimisation, which differ from the others by rounding."""
    kept = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    kept.update({job["name"]: results[0][1] for job, results in zip(jobs, onnxruntime(jobs))})
    digits = {name: ".17g" if "double" in name else ".9g" for name in sorted(kept)}
    lines = (f'"{name}": [{", ".join(format(v, digits[name]) for v in kept[name])}]' for name in digits)
    RECORDED.write_text("{" + ",\n".join(lines) + "}\n")


def check(folder, how):
    worst, jobs, wants, skipped, count = {}, [], [], set(), 0
    for path in sorted(folder.glob("*.onnx")):
        model = onnx.load(path)
        count += 1
        onnx.checker.check_model(model, full_check=True)
        x, want = (np.load(path.with_suffix(f".{what}.npy")) for what in "xy")
        single, gelu = x.dtype == np.float32, "gelu" in path.name
        inputs, at = {}, 0
        for value in model.graph.input:
            dims = value.type.tensor_type.shape.dim
            assert dims[0].dim_param == "batch"
            shape = [d.dim_value for d in dims[1:]]
            inputs[value.name] = x[:, at:at + math.prod(shape)].reshape(-1, *shape)
            at += math.prod(shape)
        assert at == x.shape[1]
        limit = 1e-6 if single or gelu else 1e-13
        results = {"NumPy": run(model, inputs)}
        lacks = set(kinds(model)) & set(OPENCV_LACKS)
        if cv2 and single and not lacks:
            results["OpenCV"] = opencv(path, model, inputs)
        skipped |= lacks
        for name, got in results.items():
            got = got.reshape(len(got), -1)
            error = relative(got, want)
            key = (name, "single" if single else "gelu in double" if gelu else "double")
            worst[key] = max(worst.get(key, 0), error)
            assert got.shape == want.shape and error <= limit, f"{path.name}: {name} differs by {error:.2g}"
        if not single and {node.op_type for node in model.graph.node} & RUNTIME_LACKS:
            continue
        jobs.append({"path": str(path), "name": path.stem, "type": "float32" if single else "float64",
                     "output": model.graph.output[0].name,
                     "inputs": {k: {"data": v.flatten().tolist(), "dims": v.shape} for k, v in inputs.items()}})
        wants.append((path.name, want, limit))
    if how == "record":
        record(jobs)
    for (name, want, limit), results in zip(wants, onnxruntime(jobs, how != "all")):
        for what, got in results:
            error = relative(np.reshape(got, want.shape), want)
            key = (f"ONNX Runtime, {what}", "single" if "single" in name else "gelu in double" if "gelu" in name else "double")
            worst[key] = max(worst.get(key, 0), error)
            assert error <= limit, f"{name}: ONNX Runtime ({what}) differs by {error:.2g}"
    for key, error in worst.items():
        print(f"{', '.join(key)}: largest difference {error:.2g}")
    if skipped:
        print(f"OpenCV without nets that have {', '.join(sorted(skipped))}")
    print(f"{count} models")
    return count > 0


def main(how, *programs):
    good = True
    for program in programs:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([program, folder, *([how] if how == "all" else [])], check=True)
            good &= check(pathlib.Path(folder), how)
    return 0 if good else 1


sys.exit(main(*sys.argv[1:]))
