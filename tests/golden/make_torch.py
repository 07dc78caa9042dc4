#!/usr/bin/env python3
"""Makes golden/torch with PyTorch: models as safetensors, one in four types, two rows and what the model predicts.

  make_torch.py FOLDER
"""
import json
import pathlib
import sys

import torch

TYPES = {"f64": (torch.float64, "F64"), "f32": (torch.float32, "F32"), "f16": (torch.float16, "F16"),
         "bf16": (torch.bfloat16, "BF16")}


def tensor_bytes(tensor):
    flat = tensor.contiguous().reshape(-1)
    if tensor.dtype == torch.bfloat16:  # NumPy has no such type
        return (flat.float().view(torch.int32) >> 16).to(torch.int16).numpy().tobytes()
    return flat.numpy().tobytes()


def save(state, path):
    """The safetensors format: 8 bytes of size, a JSON header, the data."""
    header, data = {}, b""
    for name in sorted(k for k in state if state[k].is_floating_point()):
        raw = tensor_bytes(state[name])
        kind = next(text for dtype, text in TYPES.values() if dtype == state[name].dtype)
        header[name] = {"dtype": kind, "shape": list(state[name].shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    pathlib.Path(path).write_bytes(len(text).to_bytes(8, "little") + text + data)


def load(path):
    raw = pathlib.Path(path).read_bytes()
    n = int.from_bytes(raw[:8], "little")
    state = {}
    for name, entry in json.loads(raw[8:8 + n]).items():
        dtype = next((dtype for dtype, text in TYPES.values() if text == entry["dtype"]), torch.int64)
        begin, end = entry["data_offsets"]
        state[name] = torch.frombuffer(bytearray(raw[8 + n + begin:8 + n + end]), dtype=dtype).reshape(entry["shape"])
    return state


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 4), torch.nn.SiLU(),
                                       torch.nn.Linear(4, 2))

    def forward(self, x):
        return self.net(x)


class Embedding(torch.nn.Embedding):
    """Channels before positions."""

    def forward(self, x):
        return super().forward(x.long()).transpose(1, 2)


class Recurrent(torch.nn.GRU):
    """Signals, channels before samples; the state after each sample, or after the last one."""

    def __init__(self, channels, units, sequence):
        super().__init__(channels, units, batch_first=True)
        self.sequence = sequence

    def forward(self, x):
        h, _ = super().forward(x.transpose(1, 2))
        return h.transpose(1, 2) if self.sequence else h[:, -1]


class Words(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Sequential(Embedding(7, 3), Recurrent(3, 4, True), Recurrent(4, 3, False),
                                       torch.nn.Linear(3, 2))

    def forward(self, x):
        return self.net(x)


def put_case(folder, name, model, x):
    save(model.state_dict(), folder / f"{name}.safetensors")
    y = model.double()(x)  # the rounded weights, exact sums
    numbers = [*x.flatten().tolist(), *y.flatten().tolist()]
    (folder / f"{name}.txt").write_text("".join(f"{v:.17g}\n" for v in numbers))


def main(folder):
    torch.manual_seed(3)
    folder = pathlib.Path(folder)
    folder.mkdir(exist_ok=True)
    for name, (dtype, _) in TYPES.items():
        model = Model().to(dtype)
        put_case(folder, name, model, torch.randn(2, 3).float().double())
    put_case(folder, "words", Words().float(), torch.randint(7, (2, 5)).double())


if __name__ == "__main__":
    main(sys.argv[1])
