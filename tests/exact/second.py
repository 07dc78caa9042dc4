"""A second implementation of the defined arithmetic, written from docs/arithmetic.md in plain scalar Python.

second.py PROGRAM…    each PROGRAM FILE (test_exact in one precision) writes trainings to a file: the start, the data, and what
                      the library ends with, in hexadecimal.  The same is computed here and must have the same bits.
"""

import math
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
from fractions import Fraction

SIMD = pathlib.Path(__file__).resolve().parents[2] / "lib/num/simd"


# ---- numbers ---------------------------------------------------------------------------------------------------------


class Real:
    """Operations of a precision; its numbers are Python floats.  Of single precision each result of an operation in double
    is rounded again, which gives the number nearest to the exact one for +, -, ·, / and √, but not for fma."""

    def __init__(self, single):
        self.single = single
        self.bits = 24 if single else 53
        self.coefficients()

    def round(self, q):
        """The number nearest to a fraction, ties to even."""
        x = q.numerator / q.denominator
        if not self.single or x == 0 or Fraction(x) == q:
            return self.of(x)
        word = struct.unpack("q", struct.pack("d", x))[0]
        if word % 2 == 0:  # to the odd neighbour on the side of q, so that rounding again cannot meet a tie
            x = math.nextafter(x, math.inf if q > Fraction(x) else -math.inf)
        return self.of(x)

    def of(self, x):
        return struct.unpack("f", struct.pack("f", x))[0] if self.single else x

    def add(self, a, b):
        return self.of(a + b)

    def sub(self, a, b):
        return self.of(a - b)

    def mul(self, a, b):
        return self.of(a * b)

    def div(self, a, b):
        return self.of(a / b)

    def sqrt(self, a):
        return self.of(math.sqrt(a))

    def fma(self, a, b, c):
        return self.round(Fraction(a) * Fraction(b) + Fraction(c))

    # ---- coefficients ----

    def coefficients(self):
        text = (SIMD / "vecmath.h").read_text()
        one, two = text.split("#ifdef NNB_SINGLE", 1)[1].split("#else", 1)
        text = one if self.single else two.split("#endif", 1)[0]
        number = r"-?[0-9.]+(?:[eE][-+]?[0-9]+)?"
        self.c = {name: self.of(float(x)) for name, x in re.findall(r"#define (\w+)\s+\(?(" + number + r")f?\)?\s*\n", text)}
        for name, body in re.findall(r"static const real (\w+)\[\] = \{(.*?)\};", text, re.S):
            self.c[name] = [self.of(float(x)) for x in re.findall(number, body)]
        rows = re.findall(r"\{([^{}]*)\}", (SIMD / "tanh_table.h").read_text().split("tanh_table[7][16]")[1])
        self.table = [[self.of(float(x)) for x in re.findall(number, row)] for row in rows]
        text = (SIMD / "tanh_table.h").read_text()
        for name, x in re.findall(r"#define (TANH_TABLE_(?:END|STEP))\s+(" + number + ")", text):
            self.c[name] = self.of(float(x))
        self.log2_e = self.of(1.44269504088896340736)
        self.rounder = 1.5 * 2.0 ** (self.bits - 1)

    # ---- functions ----

    def horner(self, x, name):
        c = self.c[name]
        y = c[-1]
        for k in reversed(c[:-1]):
            y = self.fma(y, x, k)
        return y

    def reduce(self, x):
        n = self.sub(self.fma(x, self.log2_e, self.rounder), self.rounder)
        return n, self.fma(-n, self.c["LN2_HIGH"], x)

    def expm1_pairs(self, r):
        c, r2 = self.c["exp_tail"], self.mul(r, r)
        pair = [self.fma(r, c[k + 1], c[k]) for k in range(0, len(c) - 1, 2)]
        if self.single:
            q = self.fma(r2, self.fma(r2, c[4], pair[1]), pair[0])
        else:
            r4, high, low = self.mul(r2, r2), self.fma(r2, pair[3], pair[2]), self.fma(r2, pair[1], pair[0])
            q = self.fma(r4, self.fma(r4, pair[4], high), low)
        return self.fma(r2, q, r)

    def scale(self, x, n):
        return self.round(Fraction(x) * Fraction(2) ** int(n))

    def exp(self, x):
        n, r0 = self.reduce(max(x, self.c["EXP_LOW"]))
        return self.scale(self.add(self.expm1_pairs(self.fma(-n, self.c["LN2_LOW"], r0)), 1.0), n)

    def tanh_single(self, x):
        u = min(abs(x), self.c["TANH_TABLE_END"])
        v = self.fma(u, self.c["TANH_TABLE_STEP"], 1.0)
        mantissa, exponent = math.frexp(v)  # v = mantissa·2^exponent, mantissa in [½, 1)
        word = (exponent - 1 + 127) << 23 | int((2 * mantissa - 1) * 2**23)
        k = word >> 21 & 15
        t, y = self.sub(u, self.table[0][k]), self.table[6][k]
        for j in range(5, 0, -1):
            y = self.fma(y, t, self.table[j][k])
        return math.copysign(y, x)

    def tanh_double(self, x):
        u = min(abs(x), self.c["TANH_END"])
        n, r0 = self.reduce(self.add(u, u))
        s, r = 2.0**n, self.fma(-n, self.c["LN2_LOW"], r0)
        t = self.fma(self.mul(r, r), self.horner(r, "exp_tail"), -self.mul(n, self.c["LN2_LOW"]))
        e = self.fma(s, t, self.fma(s, r0, self.sub(s, 1.0)))
        y = self.div(e, self.add(e, 2.0))
        if u < self.of(0.17):
            y = self.fma(0.5, self.fma(-e, y, t), u)
        return math.copysign(y, x)

    def tanh(self, x):
        return self.tanh_single(x) if self.single else self.tanh_double(x)

    def sigmoid(self, x):
        n, r0 = self.reduce(max(min(x, self.c["SIGMOID_END"]), self.c["EXP_LOW"]))
        t = self.scale(1.0, n)
        return self.div(t, self.add(self.add(t, 1.0), self.expm1_pairs(self.fma(n, self.c["LN2_LOW"], -r0))))

    def twice_atanh(self, s):
        w = self.mul(s, s)
        return self.fma(self.mul(s, w), self.horner(w, "atanh_tail"), self.add(s, s))

    def log(self, x):
        m, k = math.frexp(x)
        if m < self.of(0.70710678118654752440):
            m, k = 2 * m, k - 1
        y = self.twice_atanh(self.div(self.sub(m, 1.0), self.add(m, 1.0)))
        return self.fma(float(k), self.c["LN2_HIGH"], self.fma(float(k), self.c["LN2_LOW"], y))


# ---- a net -----------------------------------------------------------------------------------------------------------


WIDEST, GROUP, SUMS = 64, 192, 16  # features of a narrow chain; rows of a group, and the sums of each


class Net:
    """Dense layers of (inputs, outputs, activation); params: [W; b] of each."""

    def __init__(self, real, layers, params):
        self.r, self.layers, self.p = real, layers, params

    def blocks(self):
        at = 0
        for n_in, n_out, act in self.layers:
            yield at, n_in, n_out, act
            at += (n_in + 1) * n_out

    def activate(self, act, z):
        r = self.r
        if act == "softmax":
            m = max(z)
            e = [r.exp(r.sub(v, m)) for v in z]
            s = 0.0
            for v in e:
                s = r.add(s, v)
            return [r.mul(v, r.div(1.0, s)) for v in e]
        return {"tanh": lambda: [r.tanh(v) for v in z], "sigmoid": lambda: [r.sigmoid(v) for v in z],
                "relu": lambda: [v if v > 0 else 0.0 for v in z], "linear": lambda: z}[act]()

    def chain(self, a, w, v):
        for x, y in zip(a, w):
            v = self.r.fma(x, y, v)
        return v

    def product(self, a, w, b, n_out):
        """z of a unit from its column of W."""
        r, n = self.r, len(w)
        if not 8 <= n <= 64:
            return self.chain(a, w, b) + 0.0
        if n_out == 1:
            s = [self.chain(a[k::4], w[k::4], 0.0) for k in range(4)]
            return r.add(b, r.add(r.add(s[0], s[2]), r.add(s[1], s[3]))) + 0.0
        half = (n + 1) // 2
        return r.add(self.chain(a[:half], w[:half], b), self.chain(a[half:], w[half:], 0.0)) + 0.0

    def forward(self, x):
        """A of the input and every layer, and Z of the last."""
        r, a, z = self.r, [x], x
        for at, n_in, n_out, act in self.blocks():
            z = [self.product(a[-1], self.p[at + j : at + n_in * n_out : n_out], self.p[at + n_in * n_out + j], n_out)
                 for j in range(n_out)]
            a.append(self.activate(act, z))
        return a, z

    def pull(self, act, a, d):
        r = self.r
        if act == "tanh":
            return [r.mul(v, r.fma(-y, y, 1.0)) for y, v in zip(a, d)]
        if act == "sigmoid":
            return [r.mul(v, r.mul(y, r.sub(1.0, y))) for y, v in zip(a, d)]
        return [v if act == "linear" or y > 0 else 0.0 for y, v in zip(a, d)]

    def loss(self, a, z, t, label, weight, norm):
        """The loss of a row in double, and δ of the output."""
        r, n = self.r, self.layers[-1][1]
        if label is None:  # mse
            c = r.mul(r.of(1.0 / norm / n), weight)
            total, delta = 0.0, []
            for y, v in zip(a[-1], t):
                d = r.sub(y, v)
                total += r.mul(d, d)
                delta.append(r.mul(c, r.add(d, d)))
            return weight * total * (1.0 / n), delta
        c = r.mul(r.of(1.0 / norm), weight)
        m, s = max(z), 0.0
        e = [r.exp(r.sub(v, m)) for v in z]
        for v in e:
            s = r.add(s, v)
        delta = [r.mul(v, r.div(c, s)) for v in e]
        delta[label] = r.sub(delta[label], c)
        return -(weight * r.sub(z[label], m)) + r.mul(weight, r.log(s)), delta

    def add_gradient(self, g, a, d):
        r = self.r
        for i in range(len(self.layers) - 1, -1, -1):
            at, n_in, n_out, act = list(self.blocks())[i]
            if not (i == len(self.layers) - 1 and act == "softmax"):
                d = self.pull(act, a[i + 1], d)
            for j in range(n_out):
                for k in range(n_in):
                    g[at + k * n_out + j] = r.fma(a[i][k], d[j], g[at + k * n_out + j])
                g[at + n_in * n_out + j] = r.add(g[at + n_in * n_out + j], d[j])
            if i > 0:
                before = []
                for k in range(n_in):
                    v = 0.0
                    for j in range(n_out):
                        v = r.fma(d[j], self.p[at + k * n_out + j], v)
                    before.append(v + 0.0)
                d = before

    def narrow(self):
        return max(self.layers[0][0], *(n_out for _, n_out, _ in self.layers)) <= WIDEST

    def by_rows(self, part, norm):
        """The gradient and the loss of an update: a chain over its rows."""
        g, update = [0.0] * len(self.p), 0.0
        for x, target, label, weight in part:
            a, z = self.forward(x)
            loss, d = self.loss(a, z, target, label, weight, norm)
            update += loss
            self.add_gradient(g, a, d)
        return g, update

    def by_groups(self, part, norm):
        """The same in a narrow chain: sums over groups, each of SUMS sums that are added in pairs."""
        r, n = self.r, len(self.p)
        g, update = [0.0] * n, 0.0
        for first in range(0, len(part), GROUP):
            sums, losses = [[0.0] * n for _ in range(SUMS)], [0.0] * SUMS
            for i, (x, target, label, weight) in enumerate(part[first : first + GROUP]):
                a, z = self.forward(x)
                loss, d = self.loss(a, z, target, label, weight, norm)
                losses[i % SUMS] += loss
                self.add_gradient(sums[i % SUMS], a, d)
            half = SUMS // 2
            while half:
                for s in range(half):
                    sums[s] = [r.add(u, v) for u, v in zip(sums[s], sums[s + half])]
                    losses[s] += losses[s + half]
                half //= 2
            g, update = [r.add(u, v) for u, v in zip(g, sums[0])], update + losses[0]
        return g, update

    def train(self, algo, lr, rows, batch, epochs):
        r, n = self.r, len(self.p)
        m, s, t, mean = [0.0] * n, [0.0] * n, 0, 0.0
        for _ in range(epochs):
            total, weights = 0.0, 0.0
            for first in range(0, len(rows), batch):
                part = rows[first : first + batch]
                norm = 0.0
                for row in part:
                    norm += row[3]
                g, update = (self.by_groups if self.narrow() else self.by_rows)(part, norm)
                total, weights, t = total + update, weights + norm, t + 1
                for i in range(n):
                    self.step(algo, lr, i, g[i], m, s, t)
            mean = total / weights
        return mean

    def step(self, algo, lr, i, g, m, s, t):
        r = self.r
        if algo == "momentum":
            m[i] = r.add(r.mul(r.of(0.9), m[i]), g)
            self.p[i] = r.sub(self.p[i], r.mul(r.of(lr), m[i]))
            return
        b1, b2 = 0.9, 0.999
        m[i] = r.add(r.mul(r.of(b1), m[i]), r.mul(r.of(1 - b1), g))
        s[i] = r.add(r.mul(r.of(b2), s[i]), r.mul(r.mul(r.of(1 - b2), g), g))
        rate = r.of(lr / (1 - float(Fraction(b1) ** t)))
        root = r.of(1 / math.sqrt(1 - float(Fraction(b2) ** t)))
        below = r.add(r.mul(root, r.sqrt(s[i])), r.of(1e-8))
        self.p[i] = r.sub(self.p[i], r.div(r.mul(rate, m[i]), below))


# ---- comparison ------------------------------------------------------------------------------------------------------


def layers_of(text):
    parts = text.split("-")
    out, n_in = [], int(parts[0])
    for part in parts[1:]:
        n_out, _, act = part.partition(":")
        out.append((n_in, int(n_out), act or "linear"))
        n_in = int(n_out)
    return out


def compare(real, training):
    rows = [(row["x"], row.get("t"), int(row["label"][0]) if "label" in row else None, row["weight"][0]) for row in training["rows"]]
    net = Net(real, layers_of(training["net"]), list(training["start"]))
    loss = net.train(training["algo"], training["lr"], rows, training["batch"], training["epochs"])
    outputs = [v for row in rows for v in net.forward(row[0])[0][-1]]
    bad = [name for name, ours, theirs in [("parameters", net.p, training["end"]), ("loss", [loss], training["loss"]),
                                           ("predictions", outputs, training["outputs"])]
           if [v.hex() for v in ours] != [v.hex() for v in theirs]]
    print(f"{'single' if real.single else 'double'}: {training['net']}, {training['algo']}:", "other " + ", ".join(bad) if bad else "the same bits")
    return not bad


def trainings(text):
    """Lines: net TEXT, algo NAME lr batch epochs, start …, then for each row x …, t … or label n, weight w; end …, loss,
    outputs …"""
    out = []
    for line in text.splitlines():
        name, *words = line.split()
        if name == "net":
            out.append({"net": words[0], "rows": []})
        elif name == "algo":
            out[-1].update(algo=words[0], lr=float.fromhex(words[1]), batch=int(words[2]), epochs=int(words[3]))
        elif name in ("start", "end", "loss", "outputs"):
            out[-1][name] = [float.fromhex(w) for w in words]
        elif name == "x":
            out[-1]["rows"].append({"x": [float.fromhex(w) for w in words]})
        else:
            out[-1]["rows"][-1][name] = [float.fromhex(w) for w in words]
    return out


def main():
    good = True
    for program in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "trainings"
            done = subprocess.run([program, path], capture_output=True, text=True)
            if done.returncode == 77:
                print("skipped:", done.stdout.strip())
                sys.exit(77)
            if done.returncode:
                sys.exit(f"{program}: {done.stdout}{done.stderr}")
            head, text = path.read_text().split("\n", 1)
        real = Real(head == "single")
        all_ = trainings(text)
        good = len(all_) > 0 and all([compare(real, t) for t in all_]) and good
    sys.exit(0 if good else 1)


main()
