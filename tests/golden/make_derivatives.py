#!/usr/bin/env python3
"""Makes golden/derivatives.h with PyTorch: nets, rows, and derivatives of their outputs by their inputs: Jacobians,
products along a direction, Hessians times a vector, and second derivatives along a direction with their gradients.

  make_derivatives.py > derivatives.h
"""
import torch
from torch.autograd.functional import hvp, jacobian

ROWS = 2
NETS = [
    ("3-5:tanh-4:gelu-2", False, True),
    ("2-6:silu-3:softmax", False, False),
    ("2-4:softplus-3:elu-2:sigmoid", True, True),
    ("4-5:selu-3:sigmoid-3:tanh", True, True),
]
ACTS = {"tanh": torch.tanh, "gelu": torch.nn.functional.gelu, "silu": torch.nn.functional.silu,
        "softplus": torch.nn.functional.softplus, "elu": torch.nn.functional.elu, "selu": torch.nn.functional.selu,
        "sigmoid": torch.sigmoid, "softmax": lambda z: torch.softmax(z, -1), "": lambda z: z}


def layers(text):
    parts = [part.split(":") + [""] for part in text.split("-")]
    return [(int(a[0]), int(b[0]), ACTS[b[1]]) for a, b in zip(parts, parts[1:])]


def net(text, params, scale):
    """A function of one row; params as the library has them: W row by row, then b, layer by layer."""
    def f(x, w=params):
        if scale:
            x = (x - scale[0]) * scale[1]
        at = 0
        for n, m, act in layers(text):
            weight, bias = w[at:at + n * m].reshape(n, m), w[at + n * m:at + (n + 1) * m]
            x, at = act(x @ weight + bias), at + (n + 1) * m
        return x / scale[3] + scale[2] if scale else x
    return f


def minmax(rows):
    low, high = rows.min(0).values, rows.max(0).values
    return low, 1 / (high - low)


def along(f, x, u, order):
    """d^order f(x + s·u)/ds^order at s = 0"""
    g = lambda s: f(x + s * u)
    for _ in range(order):
        g = (lambda inner: lambda s: jacobian(inner, s, create_graph=True))(g)
    return g(torch.zeros((), dtype=torch.float64))


def put(name, values):
    flat = [float(v) for v in values.reshape(-1)]
    print(f"static const double {name}[] = {{")
    for i in range(0, len(flat), 4):
        print("    " + ", ".join(f"{v:.17g}" for v in flat[i:i + 4]) + ",")
    print("};")


def main():
    torch.manual_seed(5)
    torch.set_default_dtype(torch.float64)
    print("/* tests/golden/derivatives.h: made by make_derivatives.py with PyTorch. */\n/* clang-format off */")
    table = []
    for k, (text, scaled, twice) in enumerate(NETS):
        n, m = layers(text)[0][0], layers(text)[-1][1]
        params = torch.randn(sum((a + 1) * b for a, b, _ in layers(text))) * 0.7
        x, t, u, v = torch.randn(ROWS, n), torch.randn(ROWS, m), torch.randn(ROWS, n), torch.randn(ROWS, m)
        f = net(text, params, minmax(x) + minmax(t) if scaled else None)
        put(f"d{k}_params", params), put(f"d{k}_x", x), put(f"d{k}_t", t), put(f"d{k}_u", u), put(f"d{k}_v", v)
        put(f"d{k}_J", torch.stack([jacobian(f, row) for row in x]))
        put(f"d{k}_jvp", torch.stack([jacobian(f, a) @ b for a, b in zip(x, u)]))
        put(f"d{k}_hvp", torch.stack([hvp(lambda r, c=c: f(r) @ c, a, b)[1] for a, b, c in zip(x, u, v)]))
        orders = (0, 1, 2) if twice else (0, 1)
        taylor = [[along(f, a, b, c) if c else f(a) for c in orders] for a, b in zip(x, u)]
        put(f"d{k}_taylor", torch.stack([torch.cat(row) for row in taylor]))
        put(f"d{k}_by_w", torch.stack([torch.cat([jacobian(lambda w, c=c: along(lambda r: f(r, w), a, b, c) if c else
                                                           f(a, w), params) for c in orders]) for a, b in zip(x, u)]))
        names = ", ".join(f"d{k}_{what}" for what in ("params", "x", "t", "u", "v", "J", "jvp", "hvp", "taylor", "by_w"))
        table.append(f'    {{"{text}", {int(scaled)}, {len(orders) - 1}, {names}}},')
    print("static const struct {\n  const char *text;\n  int scaled, order;")
    print("  const double *params, *x, *t, *u, *v, *J, *jvp, *hvp, *taylor, *by_w;\n} golden_derivatives[] = {")
    print("\n".join(table) + "\n};")


main()
