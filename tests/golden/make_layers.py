#!/usr/bin/env python3
"""Writes layers.h: nets with dropout, norms, products, embeddings and gated recurrent units as PyTorch computes them, in double precision:
make_layers.py layers.h

For each net: the loss and the gradient at the start, in training; the parameters, the running means and the predictions
after three updates of plain descent.  Masks of dropout are computed here from the description in nnblas/core.h (nnb_run):
Philox4x32-10 with the key seed + node·0x9E3779B97F4A7C15 and the counter (block, update·2³² + row)."""
import sys
import textwrap

import torch

ROWS, IN, OUT, UPDATES, RATE, SEED = 6, 4, 2, 3, 0.1, 9
torch.set_default_dtype(torch.float64)


def philox(key, counter):
    c = [counter >> 32 * i & 0xFFFFFFFF for i in range(4)]
    k = [key & 0xFFFFFFFF, key >> 32 & 0xFFFFFFFF]
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [b >> 32 ^ c[1] ^ k[0], b & 0xFFFFFFFF, a >> 32 ^ c[3] ^ k[1], a & 0xFFFFFFFF]
        k = [k[0] + 0x9E3779B9 & 0xFFFFFFFF, k[1] + 0xBB67AE85 & 0xFFFFFFFF]
    return c


class Dropout(torch.nn.Module):
    seed = update = 0

    def __init__(self, p, node):
        super().__init__()
        self.p, self.node = p, node

    def forward(self, a):
        if not self.training:
            return a
        key = (Dropout.seed + self.node * 0x9E3779B97F4A7C15) % 2**64
        words = [[philox(key, j // 4 | (Dropout.update << 32 | i) << 64)[j % 4] for j in range(a.shape[1])]
                 for i in range(a.shape[0])]
        return a * torch.tensor([[0 if w < int(self.p * 2**32) else 1 / (1 - self.p) for w in row] for row in words])


class Channels(torch.nn.BatchNorm2d):
    """Columns as 2 channels of 1×2."""

    def forward(self, a):
        return super().forward(a.reshape(-1, 2, 1, 2)).reshape(-1, IN)


class Gate(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = torch.nn.Linear(IN, 4), torch.nn.Linear(IN, 4)

    def forward(self, x):
        return torch.tanh(self.a(x)) * torch.sigmoid(self.b(x))


class Embedding(torch.nn.Embedding):
    """Unit j of column c is column j·IN + c."""

    def forward(self, a):
        return super().forward(a.long()).transpose(1, 2).reshape(len(a), -1)


class Recurrent(torch.nn.GRU):
    """Columns as channels of samples; the state after each sample, or after the last one."""

    def __init__(self, channels, units, sequence):
        super().__init__(channels, units, batch_first=True)
        self.sequence = sequence

    def forward(self, a):
        h, _ = super().forward(a.reshape(len(a), self.input_size, -1).transpose(1, 2))
        return h.transpose(1, 2).reshape(len(a), -1) if self.sequence else h[:, -1]


n = torch.nn
NETS = {  # by the text for nnb_net_parse, or the name of a function of the test
    'dropout': ('4-5:tanh-dropout0.3-66:tanh-dropout0.5-2',
                [n.Linear(IN, 5), n.Tanh(), Dropout(0.3, 3), n.Linear(5, 66), n.Tanh(), Dropout(0.5, 5), n.Linear(66, 2)]),
    'layernorm': ('4-layernorm-20:linear-layernorm:epsilon=0.01:tanh-2',
                  [n.LayerNorm(IN), n.Linear(IN, 20), n.LayerNorm(20, eps=0.01), n.Tanh(), n.Linear(20, 2)]),
    'batchnorm': ('4-66:linear-batchnorm:tanh-3:linear-batchnorm:momentum=0.3:epsilon=1e-3-2',
                  [n.Linear(IN, 66), n.BatchNorm1d(66), n.Tanh(), n.Linear(66, 3), n.BatchNorm1d(3, momentum=0.3, eps=1e-3),
                   n.Linear(3, 2)]),
    'channels': ('', [Channels(2), n.Tanh(), n.Linear(IN, 2)]),
    'product': ('', [Gate(), n.Linear(4, 2)]),
    'embedding': ('4-embed5x3:tanh-2', [Embedding(5, 3), n.Tanh(), n.Linear(12, 2)]),
    'gru': ('1x4-gru3:sequence=1-gru5-2', [Recurrent(1, 3, True), Recurrent(3, 5, False), n.Linear(5, 2)]),
}


def flat(tensors):
    return [float(v) for t in tensors for v in t.detach().reshape(-1)]


def parameters(net):
    """Of each layer in the order of the library: of a recurrent one W, U, c, b."""
    for m in net.modules():
        own = list(m.parameters(recurse=False))
        yield from [own[0], own[1], own[3], own[2]] if isinstance(m, Recurrent) else own


def vector(net, what):
    """[W; b] of each layer, W as in×out."""
    tables = [id(m.weight) for m in net.modules() if isinstance(m, Embedding)]
    return flat([what(p).T if p.dim() == 2 and id(p) not in tables else what(p) for p in parameters(net)])


def buffers(net):
    return flat([b for name, b in net.named_buffers() if 'running' in name])


def numbers(v):
    return '{' + textwrap.fill(', '.join(repr(x) for x in v or [0]), 100, subsequent_indent='      ') + '}'


def case(name, text, layers):
    torch.manual_seed(len(name))
    net = n.Sequential(*layers)
    for p in net.parameters():
        torch.nn.init.uniform_(p, -0.9, 0.9)
    x, t = 2 * torch.rand(ROWS, IN) - 1, torch.rand(ROWS, OUT)
    if 'embed' in text:
        x = torch.floor((x + 1) / 2 * 5)
    out = {'name': f'"{name}"', 'text': f'"{text}"', 'x': numbers(flat([x])), 't': numbers(flat([t])),
           'params': numbers(vector(net, lambda p: p))}
    before = {k: v.clone() for k, v in net.state_dict().items()}
    Dropout.seed = Dropout.update = 0
    loss = n.functional.mse_loss(net(x), t)
    loss.backward()
    out |= {'loss': repr(float(loss)), 'grad': numbers(vector(net, lambda p: p.grad))}
    net.load_state_dict(before)
    Dropout.seed = SEED
    optim = torch.optim.SGD(net.parameters(), RATE)
    for Dropout.update in range(1, UPDATES + 1):
        optim.zero_grad()
        n.functional.mse_loss(net(x), t).backward()
        optim.step()
    net.eval()
    out |= {'after': numbers(vector(net, lambda p: p)), 'buffers': numbers(buffers(net)), 'y': numbers(flat([net(x)]))}
    out |= {'n_params': str(len(vector(net, lambda p: p))), 'n_buffers': str(len(buffers(net)))}
    return '    {' + ',\n     '.join(f'.{k} = {v}' for k, v in out.items()) + '},\n'


def main(path):
    cases = ''.join(case(name, *net) for name, net in NETS.items())
    with open(path, 'w', encoding='utf-8') as f:
        f.write('/* Written by make_layers.py. */\n'
                f'enum {{ ROWS = {ROWS}, IN = {IN}, OUT = {OUT}, UPDATES = {UPDATES}, SEED = {SEED} }};\n'
                f'static const double rate = {RATE};\n'
                'static const struct golden {\n  const char *name, *text;\n  int n_params, n_buffers;\n'
                '  double x[ROWS * IN], t[ROWS * OUT], loss, y[ROWS * OUT], buffers[200];\n'
                '  double params[1000], grad[1000], after[1000];\n} goldens[] = {\n' + cases + '};\n')


main(*sys.argv[1:])
