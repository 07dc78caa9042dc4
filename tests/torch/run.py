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


def main(maker, *programs):
    spec = importlib.util.spec_from_file_location("make_torch", maker)
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    torch.manual_seed(11)
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        source, target = (str(pathlib.Path(folder) / name) for name in ("in.safetensors", "out.safetensors"))
        for program in programs:
            for name, (dtype, _) in make.TYPES.items():
                model = make.Model().to(dtype)
                make.save(model.state_dict(), source)
                x = torch.randn(2, 3).double()
                done = subprocess.run([program, source, target], input="\n".join(map(str, x.flatten().tolist())),
                                      capture_output=True, text=True, check=True)
                got = torch.tensor([float(v) for v in done.stdout.split()], dtype=torch.float64).reshape(2, 2)
                state = make.load(target)
                single = state["net.0.weight"].dtype == torch.float32
                want = model.double()(x)
                error = float(((got - want).abs().max() / want.abs().max()).detach())
                again = make.Model().to(state["net.0.weight"].dtype)
                again.load_state_dict(state)
                same = all(torch.equal(a.double(), b.double().float().double() if single else b.double())
                           for a, b in zip(again.state_dict().values(), model.state_dict().values()))
                print(f"{pathlib.Path(program).name}, {name}: largest difference {error:.2g}, "
                      f"{'the same' if same else 'other'} parameters")
                bad |= not same or not error < (1e-6 if single else 1e-14)
    return int(bad)


sys.exit(main(*sys.argv[1:]))
