#!/usr/bin/env python3
"""Writes optimisers.h: make_optimisers.py optimisers.h

A hundred steps of each optimiser in double precision by PyTorch (1.13 was used), by NumPy from their papers where it has
none or another (NAdam, Lion, Muon), and learning rates of its schedules.  The parameters are those of a net 3-4-2: W1 (3x4), b1, W2 (4x2),
b2, one after the other; start and gradient are in test_optimisers.c as here."""
import sys

import numpy as np
import torch

SHAPES = [(3, 4), (4,), (4, 2), (2,)]
P, STEPS, UPDATES = 26, 100, 20


def start():
    return np.array([((i * 37) % 23 - 11) / 10 for i in range(P)])


def gradient(w, t):
    i = np.arange(P)
    pull = (0.5 + 0.1 * (i % 5)) * (w - 0.25 * (i % 3))
    return pull + 0.1 * (w * w * w) + (((i * 7 + t * 3) % 11) - 5) * 0.05


def split(v):
    ends = np.cumsum([int(np.prod(s)) for s in SHAPES])
    return [part.reshape(s) for part, s in zip(np.split(v, ends[:-1]), SHAPES)]


def by_torch(make, l2=0.0):
    params = [torch.nn.Parameter(torch.tensor(p)) for p in split(start())]
    groups = [{'params': params[0::2], 'weight_decay': l2}, {'params': params[1::2], 'weight_decay': 0.0}]
    optimiser = make(groups)
    for t in range(STEPS):
        w = np.concatenate([p.detach().numpy().ravel() for p in params])
        for p, g in zip(params, split(gradient(w, t))):
            p.grad = torch.tensor(g)
        optimiser.step()
    return np.concatenate([p.detach().numpy().ravel() for p in params])


def lion(lr, beta1, beta2, l2):
    """Chen et al. 2023, algorithm 2."""
    w, m = start(), np.zeros(P)
    decayed = np.concatenate([np.full(int(np.prod(s)), float(len(s) == 2)) for s in SHAPES])
    for t in range(STEPS):
        g = gradient(w, t)
        w = w - lr * (np.sign(beta1 * m + (1 - beta1) * g) + l2 * decayed * w)
        m = beta2 * m + (1 - beta2) * g
    return w


def nadam(lr, beta1, beta2=0.999, eps=1e-8, decay=0.004):
    """Dozat 2016, algorithm 2 with the paper's schedule of the momentum, as in PyTorch 2.  PyTorch 1.13 has mu_t twice in
    the product up to t + 1, and keeps the product in single precision."""
    w, m, s, product = start(), np.zeros(P), np.zeros(P), 1.0
    for t in range(1, STEPS + 1):
        g = gradient(w, t - 1)
        now, after = (beta1 * (1 - 0.5 * 0.96 ** (decay * k)) for k in (t, t + 1))
        product *= now
        m = beta1 * m + (1 - beta1) * g
        s = beta2 * s + (1 - beta2) * g * g
        ahead = after * m / (1 - product * after) + (1 - now) * g / (1 - product)
        w = w - lr * ahead / (np.sqrt(s / (1 - beta2 ** t)) + eps)
    return w


def orthogonalise(g):
    """Jordan et al. 2024: zeropower_via_newtonschulz5, in double precision."""
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = g.shape[0] > g.shape[1]
    x = g.T if tall else g
    x = x / (np.linalg.norm(x) + 1e-7)
    for _ in range(5):
        s = x @ x.T
        x = a * x + (b * s + c * s @ s) @ x
    return x.T if tall else x


def muon(lr, mu, l2, share=0.05):
    """Jordan et al. 2024 for matrices, which there are outputs x inputs; Adam with share*lr for the rest."""
    ws = split(start())
    state = [[np.zeros(s), np.zeros(s)] for s in SHAPES]
    for t in range(STEPS):
        gs = split(gradient(np.concatenate([w.ravel() for w in ws]), t))
        for w, g, (m, s) in zip(ws, gs, state):
            if w.ndim == 2:
                m[:] = mu * m + g
                q = orthogonalise((g + mu * m).T)
                w[:] = w * (1 - lr * l2) - lr * max(1, q.shape[0] / q.shape[1]) ** 0.5 * q.T
            else:
                m[:] = 0.9 * m + 0.1 * g
                s[:] = 0.999 * s + 0.001 * g * g
                w[:] = w - share * lr * (m / (1 - 0.9 ** (t + 1))) / (np.sqrt(s / (1 - 0.999 ** (t + 1))) + 1e-8)
    return np.concatenate([w.ravel() for w in ws])


o = torch.optim
CASES = [  # options in C, parameters after the steps
    ('.algo = NNB_SGD, .lr = 0.05', by_torch(lambda p: o.SGD(p, lr=0.05))),
    ('.algo = NNB_SGD, .lr = 0.05, .l2 = 0.1', by_torch(lambda p: o.SGD(p, lr=0.05), 0.1)),
    ('.algo = NNB_MOMENTUM, .lr = 0.02', by_torch(lambda p: o.SGD(p, lr=0.02, momentum=0.9))),
    ('.algo = NNB_NESTEROV, .lr = 0.02, .momentum = 0.8',
     by_torch(lambda p: o.SGD(p, lr=0.02, momentum=0.8, nesterov=True))),
    ('.algo = NNB_ADAGRAD, .lr = 0.1', by_torch(lambda p: o.Adagrad(p, lr=0.1))),
    ('.algo = NNB_RMSPROP', by_torch(lambda p: o.RMSprop(p, lr=0.001))),
    ('.algo = NNB_RMSPROP, .lr = 0.01, .beta2 = 0.9, .epsilon = 1e-3',
     by_torch(lambda p: o.RMSprop(p, lr=0.01, alpha=0.9, eps=1e-3))),
    ('.algo = NNB_ADAM', by_torch(lambda p: o.Adam(p))),
    ('.algo = NNB_ADAM, .lr = 0.05, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-4',
     by_torch(lambda p: o.Adam(p, lr=0.05, betas=(0.8, 0.95), eps=1e-4))),
    ('.algo = NNB_ADAM, .lr = 0.02, .l2 = 0.5', by_torch(lambda p: o.AdamW(p, lr=0.02), 0.5)),
    ('.algo = NNB_ADAMW', by_torch(lambda p: o.AdamW(p), 0.01)),
    ('.algo = NNB_ADAMW, .lr = 0.02, .l2 = NNB_NONE', by_torch(lambda p: o.Adam(p, lr=0.02))),
    ('.algo = NNB_AMSGRAD, .lr = 0.05', by_torch(lambda p: o.Adam(p, lr=0.05, amsgrad=True))),
    ('.algo = NNB_NADAM', nadam(0.002, 0.9)),
    ('.algo = NNB_NADAM, .lr = 0.05, .beta1 = 0.95', nadam(0.05, 0.95)),
    ('.algo = NNB_LION, .lr = 0.01', lion(0.01, 0.9, 0.99, 0)),
    ('.algo = NNB_LION, .lr = 0.003, .beta2 = 0.95, .l2 = 0.3', lion(0.003, 0.9, 0.95, 0.3)),
    ('.algo = NNB_MUON', muon(0.02, 0.95, 0)),
    ('.algo = NNB_MUON, .lr = 0.05, .momentum = 0.9, .l2 = 0.1', muon(0.05, 0.9, 0.1)),
]

LOSSES = [5, 4, 4, 4.5, 4, 3, 3, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1]


def rates(make, observe=False):
    optimiser = o.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    schedule, out = make(optimiser), []
    for t in range(UPDATES):
        out.append(optimiser.param_groups[0]['lr'])
        optimiser.step()
        schedule.step(LOSSES[t]) if observe else schedule.step()
    return out


s = o.lr_scheduler
SCHEDULES = [
    ('.schedule = NNB_STEPWISE, .lr_step = 6, .lr_factor = 0.3', rates(lambda p: s.StepLR(p, 6, 0.3))),
    ('.schedule = NNB_EXPONENTIAL, .lr_factor = 0.9', rates(lambda p: s.ExponentialLR(p, 0.9))),
    ('.schedule = NNB_COSINE, .lr_min = 0.01, .epochs = 20', rates(lambda p: s.CosineAnnealingLR(p, 20, 0.01))),
    ('.schedule = NNB_ONE_CYCLE, .epochs = 20',
     rates(lambda p: s.OneCycleLR(p, 0.5, total_steps=UPDATES, cycle_momentum=False))),
    ('.schedule = NNB_PLATEAU, .lr_step = 3, .lr_factor = 0.5',
     rates(lambda p: s.ReduceLROnPlateau(p, factor=0.5, patience=2, threshold=0), True)),
]


def numbers(values):
    return '{' + ', '.join(repr(float(x)) for x in values) + '}'


def main(path):
    with open(path, 'w', encoding='utf-8') as f:
        f.write('/* Generated by make_optimisers.py.  Structs: see test_optimisers.c. */\n\n')
        f.write(f'enum {{ N_PARAMS = {P}, STEPS = {STEPS}, UPDATES = {UPDATES} }};\n\n')
        f.write('static const golden goldens[] = {\n')
        for opts, w in CASES:
            f.write(f'{{"{opts}", {{{opts}}},\n  {numbers(w)}}},\n')
        f.write('};\n\nstatic const double losses[UPDATES] = ' + numbers(LOSSES) + ';\n\n')
        f.write('static const rates schedules[] = {\n')
        for opts, lr in SCHEDULES:
            f.write(f'{{"{opts}", {{.algo = NNB_SGD, .lr = 0.5, {opts}}},\n  {numbers(lr)}}},\n')
        f.write('};\n')


if __name__ == '__main__':
    main(sys.argv[1])
