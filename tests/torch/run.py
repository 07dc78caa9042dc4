#!/usr/bin/env python3
"""PyTorch models into the library and back: predictions, and load_state_dict with the same bits.

  run.py MAKE_TORCH TORCH_CASE...     77, skipped, where no Python has PyTorch
"""
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import torch
except ImportError:
    if sys.executable != "/usr/bin/python3" and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])  # the system's packages
    print("skipped: python3-torch is not installed")
    sys.exit(77)


def images():
    n = torch.nn
    return n.Sequential(n.Conv2d(2, 3, 3, padding=1), n.Tanh(), n.MaxPool2d(2), n.BatchNorm2d(3), n.ReLU(),
                        n.Conv2d(3, 2, (2, 1), bias=False), n.LayerNorm([2, 2, 2]), n.SiLU(), n.Flatten(),
                        n.Linear(8, 3), n.BatchNorm1d(3), n.Linear(3, 2))


def signals():
    n = torch.nn
    return n.Sequential(n.Conv1d(2, 3, 3, stride=2, padding=1), n.GELU(), n.AvgPool1d(2), n.Flatten(), n.Linear(6, 4),
                        n.LayerNorm(4), n.Linear(4, 2))


def flattened():
    """Images that come to have height 1."""
    n = torch.nn
    return n.Sequential(n.Conv2d(2, 3, 2), n.Tanh(), n.LayerNorm([3, 1, 5]), n.Conv2d(3, 2, (1, 2)), n.Flatten(),
                        n.Linear(8, 2))


def states(make):
    """All states of a recurrent module are read by a dense layer."""
    n = torch.nn
    return n.Sequential(make.Recurrent(2, 5, True), n.Tanh(), n.Flatten(), n.Linear(35, 3), n.Sigmoid(), n.Linear(3, 2))


class Named(torch.nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net
        for module in net.modules():
            if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
                module.running_mean.normal_(), module.running_var.uniform_(0.5, 2)
            if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d, torch.nn.LayerNorm)):
                module.weight.data.normal_(), module.bias.data.normal_()

    def forward(self, x):
        return self.net(x)


def cases(make):
    """How a model is made, the same net as text, and the shape of its input."""
    yield make.Model, "3-5:tanh-4:silu-2", (3,)
    yield (lambda: Named(images())), ("2x6x4-conv3@3:tanh:pad=1-maxpool2-batchnorm:relu-conv2@2x1:linear:bias=0-"
                                      "layernorm:silu-flatten-3:linear-batchnorm-2"), (2, 6, 4)
    yield (lambda: Named(signals())), "2x8-conv3@3:gelu:stride=2:pad=1-avgpool2-4:linear-layernorm-2", (2, 8)
    yield (lambda: Named(flattened())), "2x2x6-conv3@2:tanh-layernorm-conv2@1x2:linear-2", (2, 2, 6)
    yield make.Words, "5-embed7x3-gru4:sequence=1-gru3-2", (5,)
    yield (lambda: Named(states(make))), "2x7-gru5:tanh:sequence=1-3:sigmoid-2", (2, 7)
    yield (lambda: Named(torch.nn.Sequential(make.Embedding(7, 4), torch.nn.ReLU(), torch.nn.Flatten(),
                                             torch.nn.Linear(12, 2)))), "3-embed7x4:relu-2", (3,)


def main(maker, *programs):
    spec = importlib.util.spec_from_file_location("make_torch", maker)
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    torch.manual_seed(11)
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        source, target = (str(pathlib.Path(folder) / name) for name in ("in.safetensors", "out.safetensors"))
        jobs = [(program, kind, case) for program in programs for kind in make.TYPES.items() for case in cases(make)]
        for program, (name, (dtype, _)), (build, net, shape) in jobs:
            model = build().to(dtype).eval()
            make.save(model.state_dict(), source)
            x = torch.randint(7, (2, *shape)).double() if "embed7" in net else torch.randn(2, *shape).double()
            done = subprocess.run([program, source, target, net], input="\n".join(map(str, x.flatten().tolist())),
                                  capture_output=True, text=True, check=True)
            want = model.double()(x)
            got = torch.tensor([float(v) for v in done.stdout.split()], dtype=torch.float64).reshape(want.shape)
            state = make.load(target)
            dtype = next(v.dtype for v in state.values() if v.is_floating_point())
            single = dtype == torch.float32
            error = float(((got - want).abs().max() / want.abs().max()).detach())
            again = build().to(dtype)
            again.load_state_dict(state)
            same = all(torch.equal(a.double(), b.double().float().double() if single else b.double())
                       for a, b in zip(again.state_dict().values(), model.state_dict().values()))
            print(f"{pathlib.Path(program).name}, {name}, {net[:12]}…: largest difference {error:.2g}, "
                  f"{'the same' if same else 'other'} parameters")
            bad |= not same or not error < (1e-6 if single else 1e-14)
    return int(bad)


sys.exit(main(*sys.argv[1:]))
