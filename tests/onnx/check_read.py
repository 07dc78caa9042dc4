#!/usr/bin/env python3
"""ONNX files of other programs, read by read_cases.

  check_read.py torch READ_CASES...      what PyTorch exports, opsets 9 to 16: outputs, and parameters there and back
  check_read.py models READ_CASES...     the models of libonnx-testdata: those that are read give their stored outputs,
                                         all others are refused with a message
77, skipped, where no Python has what it needs.
"""
import io
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

NEEDS = {"torch": "python3-torch, python3-onnx and NumPy", "models": "python3-onnx, libonnx-testdata and NumPy"}
try:
    import numpy as np
    import onnx
    from onnx import numpy_helper
    if sys.argv[1] == "torch":
        import torch
except ImportError:
    if sys.executable != "/usr/bin/python3" and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])  # the system's packages
    print(f"skipped: {NEEDS[sys.argv[1]]} are not installed")
    sys.exit(77)


def read(program, jobs):
    """The line that the program prints for each (model, rows or None, result)."""
    lines = "".join(f"{model} {rows or '-'} {result}\n" for model, rows, result in jobs)
    done = subprocess.run([program], input=lines, capture_output=True, text=True, check=True)
    said = done.stdout.splitlines()
    assert len(said) == len(jobs), done.stderr
    return said


def relative(got, want):
    return float(np.max(np.abs(np.float64(got) - np.float64(want))) / max(np.max(np.abs(np.float64(want))), 1e-300))


# ---- PyTorch ----


def nets():
    n = torch.nn
    for name in ("Identity", "Sigmoid", "Tanh", "ReLU", "LeakyReLU", "ELU", "SELU", "GELU", "SiLU", "Softplus"):
        yield name, n.Sequential(n.Linear(4, 6), getattr(n, name)(), n.Linear(6, 3)), (4,)
    yield "softmax", n.Sequential(n.Linear(4, 5), n.Tanh(), n.Linear(5, 3), n.Softmax(dim=-1)), (4,)
    yield "norm", n.Sequential(n.BatchNorm1d(4), n.Linear(4, 6), n.BatchNorm1d(6), n.ReLU(), n.Dropout(), n.Linear(6, 5),
                               n.Tanh(), n.BatchNorm1d(5), n.Linear(5, 3, bias=False), n.BatchNorm1d(3)), (4,)
    yield "flatten", n.Sequential(n.Flatten(), n.Linear(8, 3)), (2, 4)

    class Skip(n.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = n.Linear(4, 4), n.Linear(4, 4, bias=False), n.Linear(8, 3)

        def forward(self, x):
            z = torch.tanh(self.a(x))
            return self.c(torch.cat([z + self.b(z), x.view(-1, 4)], dim=1)) * 3 + 100

    yield "skip", Skip(), (4,)
    yield from nets_of_layers(n)


def nets_of_layers(n):
    yield "lenet", n.Sequential(n.Conv2d(1, 3, 3), n.Tanh(), n.AvgPool2d(2), n.Conv2d(3, 4, 2, stride=2, padding=1), n.ReLU(),
                                n.MaxPool2d(2), n.Flatten(), n.Linear(4, 3), n.Softmax(dim=1)), (1, 10, 10)
    yield "signal", n.Sequential(n.Conv1d(2, 4, 3, stride=2, padding=1), n.GELU(), n.MaxPool1d(2), n.Flatten(),
                                 n.Linear(12, 3)), (2, 12)
    yield "images", n.Sequential(n.Conv2d(2, 3, (1, 2), bias=False), n.ELU(), n.BatchNorm2d(3), n.Dropout2d(), n.SiLU(),
                                 n.AvgPool2d((2, 1), stride=1), n.AdaptiveAvgPool2d(1), n.Flatten(), n.Linear(3, 2)), (2, 4, 4)
    yield "norm_of_conv", n.Sequential(n.Conv2d(1, 2, 2), n.BatchNorm2d(2), n.ReLU(), n.Flatten(), n.Linear(18, 2)), (1, 4, 4)
    yield "layer", n.Sequential(n.Linear(4, 6), n.LayerNorm(6), n.GELU(), n.Linear(6, 3),
                                n.LayerNorm(3, elementwise_affine=False)), (4,)
    yield "layer_of_images", n.Sequential(n.Conv2d(1, 2, 2), n.LayerNorm([2, 3, 3]), n.Tanh(), n.Flatten(), n.Linear(18, 2)), \
        (1, 4, 4)

    class Views(n.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.a, self.b = n.Conv2d(1, 2, 2), n.Linear(18, 3), n.Linear(16, 3)

        def forward(self, x):
            images = torch.relu(self.conv(x.view(-1, 1, 4, 4)))
            return torch.sigmoid(self.a(images.view(images.size(0), -1))) * self.b(x)

    yield "views", Views(), (16,)

    class Branches(n.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = n.Conv2d(2, 2, 3, padding=1), n.Conv2d(2, 3, 1), n.Conv2d(5, 2, 2)

        def forward(self, x):
            return self.c(torch.cat([torch.tanh(self.a(x)) + x, self.b(x)], 1)).flatten(1)

    yield "branches", Branches(), (2, 3, 3)


    yield from nets_of_sequences(n)


def nets_of_sequences(n):
    class Embedded(n.Module):
        def __init__(self, after, levels=10):
            super().__init__()
            self.table, self.after = n.Embedding(levels, 4), after

        def forward(self, x):
            return self.after(self.table(x))

    class Turned(n.Module):
        def __init__(self, order, net=None):
            super().__init__()
            self.order, self.net = order, net or n.Identity()

        def forward(self, x):
            return self.net(x.permute(*self.order))

    class Recurrent(n.Module):
        def __init__(self, pick, order=(0, 1, 2), batch_first=True):
            super().__init__()
            self.gru, self.pick, self.order = n.GRU(4, 3, batch_first=batch_first), pick, order

        def forward(self, x):
            return self.pick(*self.gru(x.permute(*self.order)))

    class Last(n.Module):
        def __init__(self, gru, pick):
            super().__init__()
            self.gru, self.pick, self.dense = gru, pick, n.Linear(3, 2)

        def forward(self, x):
            return self.dense(self.pick(*self.gru(x)))

    def words(*shape):
        return torch.randint(0, 10, (5, *shape))

    def words_first(*shape):
        return words(*shape).transpose(0, 1)

    def steps(x):
        return x.transpose(1, 2)

    yield "embedded", Embedded(n.Sequential(Turned((0, 2, 1)), n.Conv1d(4, 3, 2), n.ReLU(), n.Flatten(), n.Linear(15, 2))), (6,), {"make": words}
    yield "embedded_rows", Embedded(n.Sequential(n.Tanh(), n.Flatten(), n.Linear(24, 5), n.Tanh(), n.Linear(5, 2))), (6,), {"make": words}
    yield "embedded_one", Embedded(n.Sequential(n.Tanh(), n.Linear(4, 2))), (), {"make": words}
    yield "embedded_column", Embedded(n.Sequential(n.Flatten(), n.Linear(4, 2))), (1,), {"make": words}
    yield "embedded_gru", Embedded(Last(n.GRU(4, 3, batch_first=True), lambda y, h: h[0])), (6,), {"make": words}
    for name, pick in (("state", lambda y, h: h[0]), ("squeezed", lambda y, h: h.squeeze(0)), ("step", lambda y, h: y[:, -1]),
                       ("step_whole", lambda y, h: y[:, -1, :])):
        yield f"gru_{name}", n.Sequential(Recurrent(pick, (0, 2, 1)), n.Linear(3, 2)), (4, 6)
    yield "gru_rows", n.Sequential(Recurrent(lambda y, h: y.flatten(1), (0, 2, 1)), n.Linear(18, 2)), (4, 6)
    yield "gru_signal", n.Sequential(Recurrent(lambda y, h: y.transpose(1, 2), (0, 2, 1)), n.Conv1d(3, 2, 2)), (4, 6)
    yield "gru_steps", n.Sequential(Recurrent(lambda y, h: torch.tanh(h[-1])), n.Linear(3, 2)), (6, 4), {"rows": steps}
    yield "conv_steps", n.Sequential(Turned((0, 2, 1)), n.Conv1d(4, 2, 3), n.Flatten()), (6, 4), {"rows": steps}
    yield "gru_all", Recurrent(lambda y, h: y.transpose(1, 2)), (6, 4), {"rows": steps}
    yield "gru_steps_first", n.Sequential(Recurrent(lambda y, h: h[0], batch_first=False), n.Linear(3, 2)), (6, 4), \
        {"make": lambda *shape: torch.randn(6, 5, 4), "rows": lambda x: x.permute(1, 2, 0), "axis": 1}
    yield "embedded_steps_first", Embedded(Last(n.GRU(4, 3), lambda y, h: h[0])), (6,), \
        {"make": words_first, "rows": lambda x: x.transpose(0, 1), "axis": 1}
    yield "gru_closed", Last(n.GRU(4, 3, batch_first=True), lambda y, h: h[0]), (6, 4), {"rows": steps, "axis": None}
    yield "gru_turned", Recurrent(lambda y, h: y[-1], (2, 0, 1), False), (4, 6)
    yield "gru_twice", n.Sequential(Recurrent(lambda y, h: y, (2, 0, 1), False), Last(n.GRU(3, 3), lambda y, h: y[-1])), (4, 6)
    yield "gru_layers", Last(n.GRU(4, 3, num_layers=2, batch_first=True), lambda y, h: y[:, -1]), (6, 4), {"rows": steps}


def draw(shape, make=lambda *shape: torch.randn(5, *shape), rows=lambda x: x, axis=0):
    """x, its rows as the net has them, and the open dimension."""
    x = make(*shape)
    return x, rows(x).double().numpy().reshape(5, -1), axis


def check_torch(program, folder):
    torch.manual_seed(7)
    single = program.endswith("_f")
    jobs, wants, worst = [], [], 0
    for name, net, shape, *how in nets():
        net = net.float().eval()
        for module in net.modules():
            if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
                module.running_mean.normal_(), module.running_var.uniform_(0.5, 2)
                module.weight.data.normal_(), module.bias.data.normal_()
            if isinstance(module, torch.nn.LayerNorm) and module.elementwise_affine:
                module.weight.data.normal_(), module.bias.data.normal_()
        for opset in range(9, 17):
            x, rows, axis = draw(shape, **(how[0] if how else {}))
            path = folder / f"{name}_{opset}.onnx"
            file = io.BytesIO()
            torch.onnx.export(net, x, file, opset_version=opset, input_names=["x"],
                              dynamic_axes=None if axis is None else {"x": [axis]})
            path.write_bytes(file.getvalue())
            np.save(path.with_suffix(".x.npy"), rows)
            wants.append(net.double()(x.double() if x.is_floating_point() else x).detach().numpy().reshape(5, -1))
            net.float()
            jobs.append((path, path.with_suffix(".x.npy"), path.with_suffix(".y.npy")))
    for (path, _, result), want, said in zip(jobs, wants, read(program, jobs)):
        assert said == "read", f"{path.name}: {said}"
        error = relative(np.load(result), want)
        worst = max(worst, error)
        limit = 1e-6 if single or "norm_of_conv" in path.name else 1e-12  # PyTorch folds these in single precision
        assert error <= limit, f"{path.name}: outputs differ by {error:.2g}"
        if "norm" not in path.name and single:  # the parameters of batch normalisation become part of others
            theirs, ours = ({t.tobytes() for t in map(weights_of, onnx.load(p).graph.initializer) if t is not None}
                            for p in (path, f"{result}.again"))
            assert theirs <= ours, f"{path.name}: other parameters than in the file"
    print(f"{pathlib.Path(program).name}: {len(jobs)} models of PyTorch {torch.__version__}, largest difference {worst:.2g}")


def weights_of(tensor):
    """A weight, outputs first, or a bias; None for other constants."""
    value = numpy_helper.to_array(tensor)
    return None if value.size == 1 or value.dtype == np.int64 else np.sort(value.flatten())


# ---- models of the test data ----

LIMITS = {"FLOAT16": 1e-3, "BFLOAT16": 1e-2}  # Cast to these rounds, and a net does not


def tensors(folder, what):
    for k in range(100):
        path = folder / f"{what}_{k}.pb"
        if not path.exists():
            return
        tensor = onnx.TensorProto()
        tensor.ParseFromString(path.read_bytes())
        value = numpy_helper.to_array(tensor)
        if tensor.data_type == onnx.TensorProto.UINT16 and "BFLOAT16" in str(path):  # that is how they are stored
            value = (value.astype(np.uint32) << 16).view(np.float32)
        yield np.float64(value)


def rows_of(path):
    """Rows and outputs that are stored beside a model, or None."""
    folder = path.parent / "test_data_set_0"
    try:
        x, y = ([v.reshape(len(v), -1) for v in tensors(folder, what)] for what in ("input", "output"))
        return np.hstack(x), np.hstack(y)
    except Exception:  # texts, sequences, scalars: no rows of numbers
        return None


def same(name, got, want):
    limit = max((v for k, v in LIMITS.items() if name.endswith(f"TO_{k}".lower()) or name.endswith(f"to_{k}")), default=1e-6)
    if "argmax" in name:  # the net gives what the class numbers come from
        last = got.shape[1] - 1 - np.argmax(got[:, ::-1], axis=1)
        return np.array_equal(last if "last_index" in name else np.argmax(got, axis=1), want.flatten())
    finite = np.isfinite(want)
    return got.shape == want.shape and np.array_equal(np.isnan(got), np.isnan(want)) and \
        relative(got[finite], want[finite]) <= limit


def check_models(program, folder):
    root = pathlib.Path(onnx.__file__).parent / "backend/test/data"
    models = sorted(root.glob("*/*/model.onnx"))
    if not models:
        print("skipped: libonnx-testdata is not installed")
        sys.exit(77)
    jobs, stored, count = [], [], 0
    for i, path in enumerate(models):
        data = rows_of(path)
        stored.append(data)
        if data is not None:
            np.save(folder / f"{i}.x.npy", data[0])
        jobs.append((path, folder / f"{i}.x.npy" if data is not None else None, folder / f"{i}.y.npy"))
    for (path, _, result), data, said in zip(jobs, stored, read(program, jobs)):
        name = path.parent.name
        if said == "read":
            assert data is not None, f"{name}: read, but it has no rows of numbers"
            assert same(name, np.load(result), data[1]), f"{name}: other outputs than the stored ones"
            count += 1
        else:
            kind, _, sentence = said.partition(": ")
            too_large = ".x.npy: " in sentence and sentence.endswith("too large for single precision")  # what is stored
            assert kind in ("not supported", "the text or file is malformed") and \
                (too_large or len(sentence) > len(str(path)) + 10), f"{name}: {said}"
    print(f"{pathlib.Path(program).name}: {len(models)} models, {count} read with their stored outputs, the others refused")
    assert count >= 20


def main(what, *programs):
    warnings.simplefilter("ignore")
    for program in programs:
        with tempfile.TemporaryDirectory() as folder:
            (check_torch if what == "torch" else check_models)(program, pathlib.Path(folder))
    return 0


sys.exit(main(*sys.argv[1:]))
