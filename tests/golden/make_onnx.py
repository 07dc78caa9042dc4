#!/usr/bin/env python3
"""Writes golden/onnx: models as exporters write them, with rows and the outputs that NumPy computes from the formulas.

  make_onnx.py FOLDER       needs NumPy, onnx 1.12 (python3-onnx) and PyTorch 1.13 (python3-torch)

What PyTorch's TorchScript exporter writes comes from it.  What the exporters of PyTorch 2 (dynamo), Keras 3, skl2onnx
and tf2onnx write is put together here, operator by operator, as these programs do.
"""
import io
import math
import pathlib
import sys

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

FLOAT, DOUBLE, INT64 = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64
folder = pathlib.Path(sys.argv[1])
folder.mkdir(exist_ok=True)
rng = np.random.default_rng(5)
refused = []


def draw(*shape):
    return rng.normal(size=shape).astype(np.float32)


W1, B1, W2, B2 = draw(4, 5), draw(5), draw(5, 3), draw(3)
X = draw(3, 4)


def tensor(name, value):
    return numpy_helper.from_array(np.asarray(value), name)


def node(op, inputs, output, domain="", **attributes):
    return helper.make_node(op, inputs.split(), output.split(), domain=domain, name=f"{op}_{output}", **attributes)


def info(name, shape, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def model(nodes, tensors, inputs=None, outputs=None, opset=13, others=(), check=True, **more):
    graph = helper.make_graph(nodes, "g", inputs or [info("x", ["N", 4])], outputs or [info("y", ["N", None])],
                              [t if isinstance(t, TensorProto) else tensor(*t) for t in tensors])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)] +
                             [helper.make_opsetid(d, v) for d, v in others], ir_version=8, **more)
    if check:
        onnx.checker.check_model(made)
    return made


def good(name, made, y, x=X):
    onnx.save(made, folder / f"{name}.onnx") if not isinstance(made, bytes) else (folder / f"{name}.onnx").write_bytes(made)
    np.save(folder / f"{name}.x.npy", np.float64(x))
    np.save(folder / f"{name}.y.npy", np.float64(y))


def bad(name, words, made):
    onnx.save(made, folder / f"bad_{name}.onnx")
    refused.append(f"{name}: {words}")


def relu(z):
    return np.maximum(z, 0)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


erf = np.vectorize(math.erf)


def gelu(z):
    return z * 0.5 * (1 + erf(z / math.sqrt(2)))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def hidden(x=X, w=W1, b=B1):
    return np.float64(x) @ np.float64(w) + b


def last(a):
    return a @ np.float64(W2) + B2


LAYER1 = [("w1", W1), ("b1", B1)]
LAYER2 = [("w2", W2), ("b2", B2)]
FIRST, SECOND = node("Gemm", "x w1 b1", "h"), node("Gemm", "a w2 b2", "y")


def scalar(name, value, kind=np.float32):
    return (name, np.array(value, kind))


def between(name, nodes, f, tensors=(), **more):
    """Two layers with an activation of these nodes, from h to a."""
    good(name, model([FIRST, *nodes, SECOND], LAYER1 + LAYER2 + list(tensors), **more), last(f(hidden())))


# ---- activations as exporters spell them out ----

HALF, ONE, ROOT = scalar("half", 0.5), scalar("one", 1), scalar("root", math.sqrt(2))
between("gelu_torch", [node("Div", "h root", "d"), node("Erf", "d", "e"), node("Add", "e one", "p"),
                       node("Mul", "h p", "m"), node("Mul", "m half", "a")], gelu, [HALF, ONE, ROOT])
between("gelu_dynamo", [node("Mul", "h inverse", "d"), node("Erf", "d", "e"), node("Add", "e one", "p"),
                        node("Mul", "half h", "m"), node("Mul", "m p", "a")], gelu,
        [HALF, ONE, scalar("inverse", 1 / math.sqrt(2))], opset=17)
between("gelu_keras", [node("Div", "h root", "d"), node("Erf", "d", "e"), node("Add", "one e", "p"),
                       node("Mul", "half p", "m"), node("Mul", "h m", "a")], gelu, [HALF, ONE, ROOT])
between("gelu_op", [node("Gelu", "h", "a")], gelu, opset=20, check=False)
between("silu_torch", [node("Sigmoid", "h", "s"), node("Mul", "h s", "a")], lambda z: z * sigmoid(z))
between("silu_swapped", [node("Sigmoid", "h", "s"), node("Mul", "s h", "a")], lambda z: z * sigmoid(z))
between("sigmoid_spelt", [node("Neg", "h", "n"), node("Exp", "n", "e"), node("Add", "e one", "p"),
                          node("Reciprocal", "p", "a")], sigmoid, [ONE])
between("softplus_spelt", [node("Exp", "h", "e"), node("Add", "e one", "p"), node("Log", "p", "a")],
        lambda z: np.log1p(np.exp(z)), [ONE])
between("clip_inputs", [node("Clip", "h zero", "a")], relu, [scalar("zero", 0)])
between("clip_attribute", [helper.make_node("Clip", ["h"], ["a"], min=0.0)], relu, opset=9)
between("elu_attribute", [node("Elu", "h", "a", alpha=1.0)], lambda z: np.where(z > 0, z, np.expm1(z)))
between("max_zero", [node("Max", "zero h", "a")], relu, [scalar("zero", 0)])

# ---- layers ----

good("matmul_add", model([node("MatMul", "x w1", "m"), node("Add", "m b1", "h"), node("Tanh", "h", "a"),
                          node("MatMul", "a w2", "n"), node("Add", "b2 n", "y")], LAYER1 + LAYER2),
     last(np.tanh(hidden())))
good("gemm_factors", model([node("Gemm", "x w1 c", "y", alpha=0.5, beta=2.0)], [("w1", W1), scalar("c", 0.25)]),
     0.5 * (np.float64(X) @ W1) + 0.5)
good("gemm_row", model([node("Gemm", "x w1 c", "y", transB=1)], [("w1", W1.T.copy()), ("c", B1[None])]), hidden())
good("transposed", model([node("Transpose", "w1", "t", perm=[1, 0]), node("MatMul", "x t", "y")], [("w1", W1.T.copy())]),
     np.float64(X) @ W1)
good("constants", model([node("Constant", "", "w1", value=tensor("", W1)), node("Constant", "", "c", value_float=0.5),
                         node("MatMul", "x w1", "m"), node("Add", "m c", "y")], []), np.float64(X) @ W1 + 0.5)
SCALE, SHIFT, MEAN, VAR = draw(5), draw(5), draw(5), np.abs(draw(5)) + np.float32(0.3)
NORM = [("s", SCALE), ("o", SHIFT), ("m", MEAN), ("v", VAR)]


def norm(z):
    return (z - MEAN) * SCALE / np.sqrt(np.float64(VAR) + np.float64(np.float32(1e-3))) + SHIFT


def batch(source, target, **more):
    return node("BatchNormalization", f"{source} s o m v", target, epsilon=1e-3, **more)


between("norm_before_activation", [batch("h", "n"), node("Relu", "n", "a")], lambda z: relu(norm(z)), NORM)
between("norm_after_activation", [node("Relu", "h", "r"), batch("r", "a")], lambda z: norm(relu(z)), NORM)
between("norm_and_gelu", [batch("h", "n"), node("Div", "n root", "d"), node("Erf", "d", "e"), node("Add", "e one", "p"),
                          node("Mul", "n p", "q"), node("Mul", "q half", "a")], lambda z: gelu(norm(z)),
        NORM + [HALF, ONE, ROOT])
good("norm_for_two", model([FIRST, node("Tanh", "h", "t"), batch("t", "a"), SECOND, node("Gemm", "a w2 b2", "z"),
                            ], LAYER1 + LAYER2 + NORM, outputs=[info("y", ["N", 3]), info("z", ["N", 3])]),
     np.hstack([last(norm(np.tanh(hidden())))] * 2))

# ---- scalers ----

LOW, WIDE, TALL = draw(4), np.abs(draw(4)) + np.float32(0.2), draw(3)
good("scalers", model([node("Sub", "x low", "p"), node("Div", "p wide", "q"), node("Gemm", "q w1 b1", "h"),
                       node("Tanh", "h", "a"), node("Gemm", "a w2 b2", "o"), node("Mul", "o k", "r"),
                       node("Add", "r tall", "y")],
                      LAYER1 + LAYER2 + [("low", LOW), ("wide", WIDE), scalar("k", 7), ("tall", TALL)]),
     last(np.tanh(hidden((np.float64(X) - LOW) / WIDE))) * 7 + TALL)
good("mul_add", model([node("Mul", "x wide", "p"), node("Add", "p low", "q"), node("Gemm", "q w1 b1", "h"),
                       node("Sigmoid", "h", "y")], LAYER1 + [("low", LOW), ("wide", WIDE)]),
     sigmoid(hidden(np.float64(X) * WIDE + LOW)))
good("from_constant", model([FIRST, node("Tanh", "h", "t"), node("Sub", "one t", "y")], LAYER1 + [ONE]),
     1 - np.tanh(hidden()))

# ---- structure ----

good("torch_view", model([node("Flatten", "x", "f"), node("Dropout", "f", "d mask"), node("Identity", "d", "i"),
                          node("Gemm", "i w1 b1", "y")], LAYER1, inputs=[info("x", ["N", 1, 2, 2])]), hidden())
good("keras_input", model([node("Reshape", "x shape", "r"), node("MatMul", "r w1", "m"), node("Add", "m b1", "h"),
                           node("Softmax", "h", "y", axis=-1)], LAYER1 + [("shape", np.array([-1, 4], np.int64))],
                          inputs=[info("x", ["N", 2, 2, 1])], opset=15, others=[("ai.onnx.ml", 2)]), softmax(hidden()))
good("two_inputs", model([node("Concat", "x u", "c", axis=-1), node("Gemm", "c w2 b2", "y")], LAYER2,
                         inputs=[info("x", ["N", 4]), info("u", ["N", 1])]),
     last(np.hstack([X, X[:, :1]]).astype(np.float64)), np.hstack([X, X[:, :1]]))
good("sums", model([FIRST, node("Relu", "h", "r"), node("Tanh", "h", "t"), node("Sum", "r t h", "s"),
                    node("Add", "s h", "a"), SECOND], LAYER1 + LAYER2),
     last(relu(hidden()) + np.tanh(hidden()) + 2 * hidden()))
good("default_input", model([FIRST], LAYER1, inputs=[info("x", [1, 4]), info("w1", [4, 5]), info("b1", [5])],
                            outputs=[info("h", [1, 5])]), hidden())
good("double_casts", model([node("Cast", "x", "d", to=DOUBLE), node("Gemm", "d w1 b1", "h"), node("Cast", "h", "y", to=FLOAT)],
                           [("w1", np.float64(W1)), ("b1", np.float64(B1))]), hidden())

# ---- classifiers of scikit-learn, by skl2onnx ----

ML = [("ai.onnx.ml", 1)]
TAIL = [node("ArgMax", "p", "k", axis=1), node("ArrayFeatureExtractor", "classes k", "l", domain="ai.onnx.ml"),
        node("Reshape", "l flat", "label"), node("ZipMap", "p", "map", domain="ai.onnx.ml", classlabels_strings=["a", "b", "c"])]
ENDS = [helper.make_tensor_value_info("label", TensorProto.STRING, ["N"]), info("p", ["N", 3])]
CLASSES = [("classes", np.array(["a", "b", "c"], object)), ("flat", np.array([-1], np.int64))]
good("skl_classifier", model([node("Scaler", "x", "v", domain="ai.onnx.ml", offset=LOW.tolist(), scale=WIDE.tolist()),
                              node("Cast", "v", "u", to=FLOAT), node("MatMul", "u w1", "m"), node("Add", "m b1", "h"),
                              node("Relu", "h", "a"), node("MatMul", "a w2", "n"), node("Add", "n b2", "o"),
                              node("Softmax", "o", "p", axis=1), *TAIL], LAYER1 + LAYER2 + CLASSES, outputs=ENDS, others=ML),
     softmax(last(relu(hidden((np.float64(X) - LOW) * WIDE)))))
good("skl_binary", model([node("Gemm", "x wb bb", "o"), node("Sigmoid", "o", "s"), node("Sub", "one s", "r"),
                          node("Concat", "r s", "p", axis=1), node("ArgMax", "p", "k", axis=1),
                          node("Cast", "k", "label", to=TensorProto.INT32)],
                         [("wb", W1[:, :1]), ("bb", B1[:1]), ONE],
                         outputs=[info("label", ["N", 1], TensorProto.INT32), info("p", ["N", 2])]),
     sigmoid(hidden()[:, :1]))

# ---- types and fields of tensors ----


def fields(name, kind, value):
    return helper.make_tensor(name, kind, value.shape, value.flatten().tolist())


def bits(value):
    return (np.ascontiguousarray(value, np.float32).view(np.uint32) >> 16).astype(np.uint16)


def of_bits(value):
    return (value.astype(np.uint32) << 16).view(np.float32)


HALF_W, UPPER_W = W1.astype(np.float16), bits(W1)
good("float_data", model([FIRST], [fields("w1", FLOAT, W1), fields("b1", FLOAT, B1)], outputs=[info("h", ["N", 5])]), hidden())
good("double_data", model([node("Gemm", "x w1 b1", "h")], [fields("w1", DOUBLE, W1), fields("b1", DOUBLE, B1)],
                          inputs=[info("x", ["N", 4], DOUBLE)], outputs=[info("h", ["N", 5], DOUBLE)]), hidden())
good("half_raw", model([node("MatMul", "x w1", "h")], [("w1", HALF_W)], inputs=[info("x", ["N", 4], TensorProto.FLOAT16)],
                       outputs=[info("h", ["N", 5], TensorProto.FLOAT16)]), np.float64(X) @ np.float64(HALF_W))
raw = TensorProto(name="w1", data_type=TensorProto.FLOAT16, dims=HALF_W.shape)
raw.int32_data.extend(HALF_W.view(np.uint16).flatten().tolist())
good("half_data", model([node("MatMul", "x w1", "h")], [raw], inputs=[info("x", ["N", 4], TensorProto.FLOAT16)],
                        outputs=[info("h", ["N", 5], TensorProto.FLOAT16)]), np.float64(X) @ np.float64(HALF_W))
upper = TensorProto(name="w1", data_type=TensorProto.BFLOAT16, dims=W1.shape, raw_data=UPPER_W.tobytes())
good("bfloat_raw", model([node("MatMul", "x w1", "h")], [upper], inputs=[info("x", ["N", 4], TensorProto.BFLOAT16)],
                         outputs=[info("h", ["N", 5], TensorProto.BFLOAT16)]), np.float64(X) @ np.float64(of_bits(UPPER_W)))


def outside(name, value, location, offset, length):
    t = TensorProto(name=name, data_type=FLOAT, dims=value.shape, data_location=TensorProto.EXTERNAL)
    for key, v in (("location", location), ("offset", offset), ("length", length)):
        t.external_data.add(key=key, value=str(v))
    return t


(folder / "beside.bin").write_bytes(b"12345678" + W1.tobytes() + B1.tobytes())


def external(location="beside.bin", length=W1.nbytes, offset=8):
    return model([FIRST], [outside("w1", W1, location, offset, length), outside("b1", B1, "beside.bin", 8 + W1.nbytes, B1.nbytes)],
                 outputs=[info("h", ["N", 5])], check=False)


good("external", external(), hidden())
bad("external", "external_data of the options", external())
bad("external_path", "not the name of a file", external("../beside.bin"))

# ---- what PyTorch 1.13 writes ----

torch.manual_seed(3)
net = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.BatchNorm1d(6), torch.nn.GELU(), torch.nn.Dropout(), torch.nn.Linear(6, 5, bias=False),
                          torch.nn.SiLU(), torch.nn.Linear(5, 3), torch.nn.Softmax(dim=1)).eval()
net[1].running_mean.normal_(), net[1].running_var.uniform_(0.5, 2)
for opset in (9, 13, 16):
    file = io.BytesIO()
    torch.onnx.export(net, torch.from_numpy(X), file, opset_version=opset, input_names=["x"], dynamic_axes={"x": [0]})
    good(f"torch_{opset}", file.getvalue(), net.double()(torch.from_numpy(np.float64(X))).detach().numpy())
    net.float()

# ---- images, signals, norms, products ----


class Views(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.a, self.b = torch.nn.Conv2d(1, 2, 2), torch.nn.Linear(8, 3), torch.nn.Linear(9, 3)

    def forward(self, x):
        images = torch.relu(self.conv(x.view(-1, 1, 3, 3)))
        return torch.sigmoid(self.a(images.view(images.size(0), -1))) * self.b(x)


n = torch.nn
MODELS = {
    "lenet": (n.Sequential(n.Conv2d(1, 3, 3), n.Tanh(), n.AvgPool2d(2), n.Conv2d(3, 4, 2, stride=2, padding=1), n.ReLU(),
                           n.MaxPool2d(2), n.Flatten(), n.Linear(4, 3), n.Softmax(dim=1)), (1, 10, 10)),
    "signal": (n.Sequential(n.Conv1d(2, 4, 3, stride=2, padding=1), n.GELU(), n.MaxPool1d(2), n.Flatten(), n.Linear(12, 3)), (2, 12)),
    "images": (n.Sequential(n.Conv2d(2, 3, (1, 2), bias=False), n.ReLU(), n.BatchNorm2d(3), n.LayerNorm([3, 4, 3]),
                            n.AdaptiveAvgPool2d(1), n.Flatten(), n.LayerNorm(3)), (2, 4, 4)),
    "views": (Views(), (9,)),
}
for name, (net, shape) in MODELS.items():
    net.eval()
    for module in net.modules():
        if isinstance(module, n.BatchNorm2d):
            module.running_mean.normal_(), module.running_var.uniform_(0.5, 2)
        if isinstance(module, (n.BatchNorm2d, n.LayerNorm)):
            module.weight.data.normal_(), module.bias.data.normal_()
    for opset in (9, 13):
        x = torch.randn(3, *shape)
        file = io.BytesIO()
        torch.onnx.export(net, x, file, opset_version=opset, input_names=["x"], dynamic_axes={"x": [0]})
        good(f"torch_{name}_{opset}", file.getvalue(), net.double()(x.double()).detach().numpy(), x.numpy().reshape(3, -1))
        net.float()

IMAGE, KERNEL, GAIN = info("x", ["N", 2, 3, 4]), draw(3, 2, 2, 3), draw(5)
PIXELS = draw(3, 24)
good("product", model([FIRST, node("Tanh", "h", "t"), node("Mul", "h t", "y")], LAYER1), hidden() * np.tanh(hidden()))


def layer_norm(z, eps=1e-5):
    z = z - z.mean(axis=1, keepdims=True)
    return z / np.sqrt((z * z).mean(axis=1, keepdims=True) + eps)


good("layernorm", model([FIRST, node("LayerNormalization", "h gain", "y", axis=-1)], LAYER1 + [("gain", GAIN)], opset=17),
     layer_norm(hidden()) * GAIN)
good("scaled_images", model([node("Sub", "x low", "c"), node("Div", "c wide", "s"), node("Conv", "s w", "z", kernel_shape=[2, 3]),
                             node("Flatten", "z", "f"), node("Softmax", "f", "y")],
                            [("low", np.float32([[[0.5]], [[-0.25]]])), ("wide", np.float32(2)), ("w", KERNEL)],
                            inputs=[IMAGE]),
     softmax(n.functional.conv2d(torch.from_numpy((np.float64(PIXELS).reshape(3, 2, 3, 4) - [[[0.5]], [[-0.25]]]) / 2),
                                 torch.from_numpy(np.float64(KERNEL))).numpy().reshape(3, -1)), PIXELS)

# ---- embeddings, gated recurrent units ----

TABLE, WORDS, MIX, H, SIGNAL = draw(6, 4), rng.integers(0, 6, size=(3, 5)), draw(20, 2), 3, info("x", ["N", 4, 5])
GRU = [("w", draw(1, 3 * H, 4)), ("u", draw(1, 3 * H, H)), ("b", draw(1, 6 * H)), ("zero", np.array(0, np.int64)),
       ("axis", np.array([1], np.int64)), ("start", np.zeros((1, 3, H), np.float32))]
Z = draw(3, 4, 5)


def states(x, biased=True):
    """x: samples×channels×steps.  The states, samples×units×steps."""
    w, u, b = (np.float64(v[0]) for _, v in GRU[:3])
    (w_z, w_r, w_n), (u_z, u_r, u_n) = np.split(w.T, 3, axis=1), np.split(u.T, 3, axis=1)
    b_z, b_r, b_n, c_z, c_r, c_n = b.reshape(6, H) * biased
    h, every = np.zeros((len(x), H)), []
    for a in np.moveaxis(np.float64(x), 2, 0):
        z, r = sigmoid(a @ w_z + b_z + h @ u_z + c_z), sigmoid(a @ w_r + b_r + h @ u_r + c_r)
        h = (1 - z) * np.tanh(a @ w_n + b_n + r * (h @ u_n + c_n)) + z * h
        every.append(h)
    return np.stack(every, axis=2)


def gru(inputs="t w u b", outputs=("", "h"), **more):
    return helper.make_node("GRU", [name.strip("-") for name in inputs.split()], list(outputs), name="gru", **{"linear_before_reset": 1, **more})


TURN, LAST, ALL = node("Transpose", "x", "t", perm=[2, 0, 1]), node("Gather", "h zero", "y"), ("s", "")
good("embedding", model([node("Cast", "x", "i", to=INT64), node("Gather", "e i", "r"), node("Transpose", "r", "s", perm=[0, 2, 1]),
                         node("Flatten", "s", "y")], [("e", TABLE)], inputs=[info("x", ["N", 5])]),
     TABLE[WORDS].transpose(0, 2, 1).reshape(3, -1), WORDS)
good("embedding_rows", model([node("Gather", "e x", "r"), node("Relu", "r", "a"), node("Reshape", "a shape", "f"), node("MatMul", "f w", "y")],
                             [("e", TABLE), ("w", MIX), ("shape", np.array([0, -1], np.int64))],
                             inputs=[info("x", ["N", 5], TensorProto.INT32)]),
     relu(TABLE[WORDS]).reshape(3, -1).astype(np.float64) @ MIX, WORDS)
good("gru", model([TURN, gru(hidden_size=H, activations=["Sigmoid", "Tanh"], direction="forward"), LAST], GRU, inputs=[SIGNAL]),
     states(Z)[:, :, -1], Z.reshape(3, -1))
good("gru_without_bias", model([gru("x w u - - start"), node("Reshape", "h shape", "y")],
                               GRU + [("shape", np.array([-1, H], np.int64))], inputs=[info("x", [5, "N", 4])]),
     states(Z, False)[:, :, -1], Z.reshape(3, -1))
good("gru_all", model([TURN, gru(outputs=ALL), node("Squeeze", "s axis", "q"), node("Transpose", "q", "y", perm=[1, 2, 0])], GRU,
                      inputs=[SIGNAL]), states(Z).reshape(3, -1), Z.reshape(3, -1))
good("gru_both", model([TURN, gru(outputs=("s", "h")), node("Gather", "h zero", "y"), node("Gather", "s zero", "q", axis=1),
                        node("Transpose", "q", "z", perm=[1, 2, 0])], GRU, inputs=[SIGNAL],
                       outputs=[info("y", ["N", H]), info("z", ["N", H, 5])]),
     np.hstack([states(Z)[:, :, -1], states(Z).reshape(3, -1)]), Z.reshape(3, -1))


class Words(n.Module):
    def __init__(self):
        super().__init__()
        self.table, self.gru, self.dense = n.Embedding(6, 4), n.GRU(4, 3, batch_first=True), n.Linear(3, 2)

    def forward(self, x):
        return self.dense(self.gru(self.table(x))[0][:, -1])


net = Words().eval()
for opset in (9, 13):
    file = io.BytesIO()
    torch.onnx.export(net, torch.from_numpy(WORDS), file, opset_version=opset, input_names=["x"], dynamic_axes={"x": [0]})
    good(f"torch_words_{opset}", file.getvalue(), net.double()(torch.from_numpy(WORDS)).detach().numpy(), WORDS)
    net.float()

# ---- what is refused ----


def bad_gru(name, words, *nodes, first=TURN, inputs=SIGNAL, extra=()):
    bad(f"gru_{name}", words, model([first, *nodes], GRU + list(extra), inputs=[inputs], check=False))


def bad_lookup(name, words, *nodes, inputs=info("x", ["N", 5])):
    bad(f"embedding_{name}", words, model(list(nodes), [("e", TABLE), ("w", MIX)], inputs=[inputs], check=False))


bad_gru("reset", "linear_before_reset is not 1", gru(linear_before_reset=0), LAST)
bad_gru("direction", "direction is not forward", gru(direction="reverse"), LAST)
bad_gru("activations", "are not Sigmoid and Tanh", gru(activations=["Tanh", "Tanh"]), LAST)
bad_gru("clip", "clip is set", gru(clip=3.0), LAST)
bad_gru("layout", "layout is not 0", gru(layout=1), LAST)
bad_gru("lengths", "lengths of their own", gru("t w u b zero"), LAST)
bad_gru("start", "its input 6 is not 0", gru("t w u b - one"), LAST, extra=[("one", np.ones((1, 3, H), np.float32))])
bad_gru("weights", "its weights are 1×9×4 and 1×9×3; wanted 1×9×2 and 1×9×3", gru(), LAST, inputs=info("x", ["N", 2, 5]))
bad_gru("flat", "its input 3 is not a constant of 3 dimensions", gru("t w b b"), LAST)
bad_gru("order", "is samples×channels×steps; wanted steps×samples×channels", gru("t w u b"), LAST, first=node("Relu", "x", "t"))
bad_gru("step", "it picks number 2 of dimension 0", gru(outputs=ALL), node("Gather", "s two", "y"), extra=[("two", np.array(2, np.int64))])
bad_gru("slice", "it ends at 2", gru(outputs=ALL), helper.make_node("Slice", ["s", "zeros", "two"], ["y"], name="Slice_y"),
        extra=[("zeros", np.array([0], np.int64)), ("two", np.array([2], np.int64))])
bad_gru("squeeze", "it leaves out dimension 1", gru(outputs=("", "h")), node("Squeeze", "h axis", "y"))
bad_gru("output", "an output is not samples×channels×steps", gru(outputs=("y", "")))
bad_gru("ones", "its value is not the number 0", node("ConstantOfShape", "axis", "o", value=tensor("", np.float32([1]))), gru(), LAST)
bad_gru("perm", "perm is not an order of 3 dimensions", first=node("Transpose", "x", "y", perm=[0, 1, 1]))
bad_gru("rows", "is not a signal", gru("y w u b"), LAST, first=node("Relu", "x", "y"), inputs=info("x", ["N", 4, 5, 1]))
bad("lstm", "(LSTM): the operator is not one", model([TURN, helper.make_node("LSTM", ["t", "w", "u"], ["y"], name="lstm")], GRU, inputs=[SIGNAL], check=False))
bad_lookup("computed", "numbers that are computed", node("Relu", "x", "r"), node("Cast", "r", "i", to=INT64), node("Gather", "e i", "y"))
bad_lookup("real", "not an input of integers", node("Gather", "e x", "y"))
bad_lookup("axis", "axis is not 0", node("Gather", "e x", "y", axis=1), inputs=info("x", ["N", 5], INT64))
bad_lookup("shape", "integers of 3 dimensions", node("Gather", "e x", "y"), inputs=info("x", ["N", 5, 2], INT64))
bad_lookup("order", "is samples×steps×channels; wanted samples×channels×steps", node("Gather", "e x", "r"), node("MatMul", "r e", "y"),
           inputs=info("x", ["N", 5], INT64))
bad_lookup("rows", "its input 1 is neither rows", node("Gather", "e x", "r"), node("Flatten", "r", "f"), node("Tanh", "f", "y"),
           inputs=info("x", ["N", 5], INT64))
bad_lookup("whole", "integers that were made of real numbers", node("Cast", "x", "i", to=INT64), node("Flatten", "i", "y"))


def bad_image(name, words, op, **attributes):
    weights = [("w", KERNEL)] if op in ("Conv", "ConvTranspose") else []
    bad(name, words, model([node(op, "x w" if weights else "x", "y", **attributes)], weights, inputs=[IMAGE], check=False))


bad_image("deconv", "(ConvTranspose): the operator", "ConvTranspose")
bad_image("conv_group", "group is not 1", "Conv", group=2)
bad_image("conv_pads", "pads are not the same on both sides", "Conv", pads=[0, 0, 1, 0])
bad_image("conv_same", "pads are not the same on both sides", "Conv", auto_pad="SAME_UPPER")
bad_image("conv_strides", "strides or pads are not the same for height and width", "Conv", strides=[1, 2])
bad_image("conv_dilated", "dilations are not 1", "Conv", dilations=[2, 2])
bad_image("conv_kernel", "kernel_shape is not that of its weights", "Conv", kernel_shape=[3, 3])
bad_image("conv_small", "does not fit", "MaxPool", kernel_shape=[4, 1])
bad_image("pool_pads", "pads are not 0", "MaxPool", kernel_shape=[2, 2], strides=[2, 2], pads=[1, 1, 1, 1])
bad_image("pool_ceil", "ceil_mode is 1", "AveragePool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
bad_image("softmax_images", "one row for each sample", "Softmax", axis=1)
bad_image("part_norm", "no part of a known activation or norm", "ReduceMean", axes=[1, 2, 3])
bad_image("mean", "of all numbers of a sample", "ReduceMean", axes=[1])
bad_image("shape", "an output is a constant", "Shape")
bad("part_of_row", "it normalises parts of a sample", model([node("LayerNormalization", "x g", "y")], [("g", GAIN[:4])], inputs=[IMAGE], opset=17))
bad("added_pixels", "it adds pixels", model([node("Pad", "x p", "y")], [("p", np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64))], inputs=[IMAGE]))
bad("conv_of_rows", "has 2 dimensions", model([node("Conv", "x w", "y")], [("w", KERNEL)], check=False))
bad("dense_of_images", "has 4 dimensions", model([node("MatMul", "x w", "y")], [("w", W1)], inputs=[IMAGE]))
bad("domain", "its domain is com.example", model([node("Gemm", "x w1 b1", "y", domain="com.example")], LAYER1, others=[("com.example", 1)], check=False))
function = helper.make_function("local", "Layer", ["x"], ["y"], [node("Relu", "x", "y")], [helper.make_opsetid("", 13)])
bad("function", '(Layer): the operator', model([node("Layer", "x", "y", domain="local")], [], others=[("local", 1)], functions=[function], check=False))
bad("trans_a", "transA", model([node("Gemm", "x w1 b1", "y", transA=1)], LAYER1, check=False))
bad("two_values", "not a constant", model([node("MatMul", "x u", "y")], [], inputs=[info("x", ["N", 4]), info("u", [4, 4])]))
bad("leaky", "alpha is 0.2; the library has 0.01", model([FIRST, node("LeakyRelu", "h", "y", alpha=0.2)], LAYER1))
bad("relu6", "limits to 0", model([FIRST, node("Clip", "h zero six", "y")], LAYER1 + [scalar("zero", 0), scalar("six", 6)]))
bad("middle", "arithmetic with constants", model([FIRST, node("Tanh", "h", "t"), node("Mul", "t half", "m"), node("Add", "m t", "y")], LAYER1 + [HALF]))
bad("part", "no part of a known activation", model([FIRST, node("Exp", "h", "y")], LAYER1))
bad("softmax_axis", "axis is 0", model([FIRST, node("Softmax", "h", "y", axis=0)], LAYER1))
bad("argmax", "axis is 0", model([FIRST, node("ArgMax", "h", "y")], LAYER1, outputs=[info("y", [1, 5], INT64)]))
bad("training", "training mode", model([batch("x", "y", training_mode=1)], [(n, v[:4]) for n, v in NORM], check=False))
bad("sizes", "4×5 for an input of 3 columns", model([FIRST], LAYER1, inputs=[info("x", ["N", 3])], outputs=[info("h", ["N", 5])]))
bad("integers", "not a constant matrix of numbers", model([node("MatMul", "x w", "y")], [("w", np.ones((4, 2), np.int64))], check=False))
bad("old", "version 5 of the operators", model([FIRST], LAYER1, opset=5, check=False))
bad("new", "version 99 of the operators", model([FIRST], LAYER1, opset=99, check=False))
bad("undefined", 'input "nothing" is not defined', model([node("Relu", "nothing", "y")], [], check=False))
bad("twice", '"h" is defined twice', model([FIRST, FIRST], LAYER1, check=False))
bad("columns", "fixed number of columns", model([node("Relu", "x", "y")], [], inputs=[info("x", ["N", "M"])]))
bad("vector", "matrix with one row for each sample", model([node("Relu", "x", "y")], [], inputs=[info("x", [4])], outputs=[info("y", [4])]))
bad("cut", "number of its elements", model([FIRST], [TensorProto(name="w1", data_type=FLOAT, dims=[4, 5], raw_data=b"1234"), ("b1", B1)], check=False))
bad("negative", "negative size", model([FIRST], [TensorProto(name="w1", data_type=FLOAT, dims=[-1, 5], raw_data=b"1234"), ("b1", B1)], check=False))
bad("tanh_gelu", "approximation", model([FIRST, node("Gelu", "h", "y", approximate="tanh")], LAYER1, opset=20, check=False))
bad("zero_scale", "by 0", model([node("Mul", "x zero", "m"), node("Gemm", "m w1 b1", "y")], LAYER1 + [("zero", np.zeros(4, np.float32))]))
bad("unused", "not used by any output", model([FIRST], LAYER1, inputs=[info("x", ["N", 4]), info("u", ["N", 2])], outputs=[info("h", ["N", 5])]))

(folder / "refused.txt").write_text("".join(line + "\n" for line in refused), encoding="utf-8")
