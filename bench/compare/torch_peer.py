"""PyTorch: modules with autograd and torch.optim; the same update by hand with addmm (torch-manual); predictions as
modules and as a frozen graph (torch-frozen)."""
from peer import *  # noqa: F403

import torch  # noqa: E402
from torch import nn  # noqa: E402

torch.set_num_threads(THREADS)
torch.set_default_dtype(torch.float32 if DTYPE == "f32" else torch.float64)
ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "softmax": lambda: nn.Softmax(1)}


def lenet():
    """LeNet-5 with max pools and tanh, up to its logits; weights of convolutions are O×(C·5·5)."""
    modules = [nn.Unflatten(1, (1, 28, 28))]
    for l, (w, b) in enumerate(weights()):
        if l < 2:
            layer = nn.Conv2d(w.shape[1] // 25, w.shape[0], 5)
        else:
            layer = nn.Linear(w.shape[1], w.shape[0])
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(w).reshape(layer.weight.shape))
            layer.bias.copy_(torch.from_numpy(b))
        modules += [layer] + ([nn.Tanh()] if l < 4 else []) + ([nn.MaxPool2d(2)] if l < 2 else [])
        modules += [nn.Flatten()] if l == 1 else []
    return nn.Sequential(*modules)


def net(logits):
    if WORKLOAD.startswith("W9"):
        return lenet()
    modules = []
    for l, (w, b) in enumerate(weights()):
        linear = nn.Linear(w.shape[1], w.shape[0])
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(w))
            linear.bias.copy_(torch.from_numpy(b))
        name = HIDDEN if l + 2 < len(WIDTHS) else OUTPUT
        left_out = name == "linear" or (logits and l + 2 == len(WIDTHS) and not SQUARES)
        modules += [linear] + ([] if left_out else [ACTIVATIONS[name]()])
    return nn.Sequential(*modules)


X = torch.from_numpy(rows())
state = {"row": 0, "loss": None}


def next_rows():
    row = state["row"]
    state["row"] = row + BATCH if row + 2 * BATCH <= ROWS else 0
    return slice(row, row + BATCH)


def train(T, loss_of):
    model = net(logits=True)
    algorithm = torch.optim.Adam if WORKLOAD == "W7" else torch.optim.SGD
    optimiser = algorithm(model.parameters(), lr=RATE, foreach=True)

    def step():
        part = next_rows() if BATCH < ROWS else slice(None)
        optimiser.zero_grad(set_to_none=False)
        loss = loss_of(model(X[part]), T[part])
        loss.backward()
        optimiser.step()
        state["loss"] = loss

    loss = warmed(step, lambda: state["loss"].item())
    report("torch", rate(step, BATCH), loss)


def classes(Y):
    """Δ of softmax with cross-entropy, times the rows."""
    index = torch.arange(BATCH)

    def delta(z, part):
        d = torch.softmax(z, 1)
        d[index, Y[part]] -= 1
        return d

    return delta


@torch.no_grad()
def train_by_hand(delta_of):
    W = [(torch.from_numpy(w), torch.from_numpy(b)) for w, b in weights()]
    A = [None] + [torch.empty(BATCH, o) for o in WIDTHS[1:]]
    D = [torch.empty(BATCH, o) for o in WIDTHS]
    tanh = HIDDEN == "tanh"
    pull = (lambda d, a: torch.ops.aten.tanh_backward(d, a)) if tanh else (
        lambda d, a: torch.ops.aten.threshold_backward(d, a, 0))

    def step():
        part = next_rows()
        A[0] = X[part]
        for l, (w, b) in enumerate(W):
            torch.addmm(b, A[l], w.t(), out=A[l + 1])
            if l + 1 < len(W):
                A[l + 1].tanh_() if tanh else A[l + 1].clamp_(min=0)
        delta = delta_of(A[-1], part).mul_(1 / BATCH)
        for l in range(len(W) - 1, -1, -1):
            w, b = W[l]
            if l:
                torch.mm(delta, w, out=D[l])
            w.addmm_(delta.t(), A[l], alpha=-RATE)
            b.sub_(delta.sum(0), alpha=RATE)
            if l:
                delta = pull(D[l], A[l])

    state["row"] = 0
    report("torch-manual", rate(step, BATCH))


def predict():
    model = net(logits=False).eval()
    with torch.inference_mode():
        report("torch", rate(lambda: model(X), BATCH))
        frozen = torch.jit.freeze(torch.jit.trace(model, X))
        report("torch-frozen", rate(lambda: frozen(X), BATCH))


if PREDICTS:
    predict()
elif SQUARES:
    train(torch.from_numpy(targets()), lambda a, t: 0.5 * ((a - t) ** 2).sum())
elif WORKLOAD == "W7":
    train(torch.from_numpy(targets()), nn.functional.mse_loss)
elif OUTPUT == "sigmoid":
    T = torch.from_numpy(targets())
    train(T, nn.functional.binary_cross_entropy_with_logits)
    train_by_hand(lambda z, part: torch.sigmoid(z) - T[part])
elif WORKLOAD.startswith("W9"):
    train(torch.from_numpy(labels()), nn.functional.cross_entropy)
else:
    train(torch.from_numpy(labels()), nn.functional.cross_entropy)
    train_by_hand(classes(torch.from_numpy(labels())))
