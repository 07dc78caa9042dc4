#!/usr/bin/env python3
"""Makes golden/conv.h with PyTorch in double: outputs, loss and gradient of small nets with convolutions and pools.

  make_conv.py FILE

Parameters, inputs and targets are formulas (numbers below), which the test computes itself.
"""
import math
import pathlib
import sys

import torch
from torch.nn import functional

ROWS = 3
ACTS = {"": lambda z: z, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu,
        "silu": functional.silu, "softmax": lambda z: torch.softmax(z, 1)}

# The text of each net, and its layers as PyTorch computes them.
CASES = [
    "2x5x6-conv3@3:tanh-4",
    "2x7x6-conv3@3x2:sigmoid:stride=2:pad=1-4",
    "3x4x4-conv2@1:silu-conv3@4:tanh:pad=3:bias=0-2",
    "1x9x8-conv2@5:tanh:pad=2-maxpool3-3",
    "2x7x7-maxpool3:stride=2-conv2@2:relu-avgpool1x2-3",
    "3x11-conv4@3:tanh:stride=2:pad=1-avgpool2-3",
    "2x12-conv3@4:tanh-maxpool3:stride=1-flatten-2",
    "1x14x14-conv3@3:tanh-maxpool2-conv4@3:tanh-maxpool2-6:tanh-5:tanh-3:softmax",
]


def numbers(n, a, b):
    return torch.tensor([a * math.sin(1 + b * i) for i in range(n)], dtype=torch.float64)


def sides(text):
    parts = [int(part) for part in text.split("x")]
    return parts if len(parts) == 2 else parts * 2


class Params:
    def __init__(self):
        self.blocks, self.count = [], 0

    def take(self, rows, cols, bias):
        """A block [W; b] as a leaf that has a gradient."""
        n = (rows + bias) * cols
        block = torch.tensor([0.4 * math.sin(1 + 1.7 * i) for i in range(self.count, self.count + n)],
                             dtype=torch.float64, requires_grad=True)
        self.blocks.append(block)
        self.count += n
        weight = block[:rows * cols].reshape(rows, cols)
        return weight, block[rows * cols:] if bias else None


def apply(text, x, params):
    """The values after one layer."""
    kind, *fields = text.split(":")
    keys = dict(field.split("=") for field in fields if "=" in field)
    act = next((field for field in fields if "=" not in field), "")
    stride, pad = int(keys.get("stride", 0)), int(keys.get("pad", 0))
    signal = x.dim() == 4 and x.shape[2] == 1
    if kind.startswith("conv"):
        channels, window = kind[4:].split("@")
        height, width = sides(window)
        height = 1 if signal else height
        weight, bias = params.take(x.shape[1] * height * width, int(channels), int(keys.get("bias", 1)))
        weight = weight.T.reshape(int(channels), x.shape[1], height, width)
        steps = (1 if signal else stride or 1, stride or 1)
        return ACTS[act](functional.conv2d(x, weight, bias, steps, (0 if signal else pad, pad)))
    if kind.startswith(("maxpool", "avgpool")):
        height, width = sides(kind[7:])
        window = (1 if signal else height, width)
        pool = functional.max_pool2d if kind.startswith("max") else functional.avg_pool2d
        return pool(x, window, (1 if signal else stride, stride) if stride else window)
    x = x.reshape(x.shape[0], -1)
    if kind == "flatten":
        return x
    weight, bias = params.take(x.shape[1], int(kind), 1)
    return ACTS[act](x @ weight + bias)


def run(text):
    inputs, *layers = text.split("-")
    shape = [int(side) for side in inputs.split("x")]
    shape = shape if len(shape) == 3 else [shape[0], 1, shape[1]]
    x = numbers(ROWS * math.prod(shape), 1, 0.7).reshape(ROWS, *shape).requires_grad_()
    params, y = Params(), x
    for layer in layers:
        y = apply(layer, y, params)
    t = numbers(y.numel(), 1, 2.3).reshape(y.shape)
    if layers[-1].endswith("softmax"):
        t = torch.softmax(t, 1)
        loss = -(t * torch.log(y)).sum() / ROWS
    else:
        loss = ((y - t) ** 2).mean()
    loss.backward()
    grad = torch.cat([block.grad for block in params.blocks])
    return y.detach().flatten(), loss.item(), grad


def c_list(values):
    lines, line = [], "      "
    for value in values:
        word = f" {value:.17g},"
        if len(line) + len(word) > 118:
            lines.append(line)
            line = "      "
        line += word
    return "\n".join(lines + [line])


def main(path):
    out = ["/* Made by make_conv.py with PyTorch %s: outputs, loss and gradient of small nets. */" % torch.__version__,
           "/* clang-format off */"]
    rows = []
    for i, text in enumerate(CASES):
        y, loss, grad = run(text)
        out += [f"static const double conv_y{i}[] = {{", c_list(y.tolist()) + "};",
                f"static const double conv_grad{i}[] = {{", c_list(grad.tolist()) + "};"]
        rows.append(f'    {{"{text}",\n     {loss:.17g}, conv_y{i}, conv_grad{i}, {len(grad)}}},')
    out += ["static const struct {", "  const char *net;", "  double loss;", "  const double *y, *grad;", "  size_t n_params;",
            "} conv_cases[] = {"] + rows + ["};", ""]
    pathlib.Path(path).write_text("\n".join(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
