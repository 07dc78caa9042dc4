"""NumPy: backpropagation by hand, results into arrays that are there."""
from peer import *  # noqa: F403

NAMES = {"relu": lambda z: np.maximum(z, 0, out=z), "tanh": lambda z: np.tanh(z, out=z), "linear": lambda z: z}


def sigmoid(z):
    np.negative(z, out=z)
    np.exp(z, out=z)
    z += 1
    return np.reciprocal(z, out=z)


def softmax(z):
    z -= z.max(1, keepdims=True)
    np.exp(z, out=z)
    z /= z.sum(1, keepdims=True)
    return z


NAMES.update(sigmoid=sigmoid, softmax=softmax)
SLOPES = {"relu": lambda a: a > 0, "sigmoid": lambda a: a * (1 - a), "tanh": lambda a: 1 - a * a}

layers = weights()
X = rows()
A = [None] + [np.empty((BATCH, o), REAL) for o in WIDTHS[1:]]
D = [np.empty((BATCH, o), REAL) for o in WIDTHS]
G = [np.empty_like(w) for w, _ in layers]
state = {"row": 0, "loss": 0.0}


def forward(x):
    A[0] = x
    for l, (w, b) in enumerate(layers):
        np.matmul(A[l], w.T, out=A[l + 1])
        A[l + 1] += b
        NAMES[HIDDEN if l + 1 < len(layers) else OUTPUT](A[l + 1])
    return A[-1]


def update(delta):
    for l in range(len(layers) - 1, -1, -1):
        w, b = layers[l]
        np.matmul(delta.T, A[l], out=G[l])
        if l:
            np.matmul(delta, w, out=D[l])
            D[l] *= SLOPES[HIDDEN](A[l])
        G[l] *= REAL(RATE)
        w -= G[l]
        b -= REAL(RATE) * delta.sum(0)
        delta = D[l]


def next_rows():
    row = state["row"]
    state["row"] = row + BATCH if row + 2 * BATCH <= ROWS else 0
    return slice(row, row + BATCH)


if PREDICTS:
    report("numpy", rate(lambda: forward(X), BATCH))
elif SQUARES:
    T = targets()

    def step():
        part = next_rows()
        a = forward(X[part])
        update((a - T[part]) * SLOPES[OUTPUT](a))

    report("numpy", rate(step, BATCH))
elif OUTPUT == "sigmoid":
    T = targets()

    def step():
        part = next_rows()
        a, t = forward(X[part]), T[part]
        state["loss"] = -(t * np.log(a) + (1 - t) * np.log(1 - a)).mean()
        update((a - t) * REAL(1 / BATCH))

    loss = warmed(step, lambda: state["loss"])
    report("numpy", rate(step, BATCH), loss)
elif OUTPUT == "softmax":
    Y, index = labels(), np.arange(BATCH)

    def step():
        part = next_rows()
        a = forward(X[part])
        state["loss"] = -np.log(a[index, Y[part]]).mean()
        a[index, Y[part]] -= 1
        a *= REAL(1 / BATCH)
        update(a)

    loss = warmed(step, lambda: state["loss"])
    report("numpy", rate(step, BATCH), loss)
