"""scikit-learn: MLPClassifier and MLPRegressor, plain gradient descent, one pass over the rows a call."""
from peer import *  # noqa: F403

import warnings  # noqa: E402

from sklearn.neural_network import MLPClassifier, MLPRegressor  # noqa: E402

warnings.filterwarnings("ignore")
ACTIVATIONS = {"relu": "relu", "sigmoid": "logistic", "tanh": "tanh"}
OPTIONS = dict(hidden_layer_sizes=WIDTHS[1:-1], activation=ACTIVATIONS[HIDDEN], solver="sgd", momentum=0, alpha=0,
               nesterovs_momentum=False, learning_rate_init=RATE or 0.1, shuffle=False, max_iter=1)
LIMIT = {32: 12800, 128: 12800, 1: 1000}.get(BATCH, ROWS)  # rows in a call: it is slow with one row at a time

X = rows() if PREDICTS else rows()[:LIMIT]
if PREDICTS:
    many = np.tile(X, (64 // len(X) + 1, 1))
    if OUTPUT == "softmax":
        model = MLPClassifier(batch_size=64, **OPTIONS).fit(many, np.arange(len(many)) % 10)
        report("sklearn", rate(lambda: model.predict_proba(X), BATCH))
    else:
        model = MLPRegressor(batch_size=64, **OPTIONS).fit(many, many[:, 0])
        report("sklearn", rate(lambda: model.predict(X), BATCH))
elif SQUARES:
    T = targets()[:LIMIT]
    model = MLPRegressor(batch_size=BATCH, **OPTIONS)
    model.partial_fit(X, T)
    report("sklearn", rate(lambda: model.partial_fit(X, T), len(X)))
else:
    Y = labels()[:LIMIT]
    model = MLPClassifier(batch_size=BATCH, **OPTIONS)
    model.partial_fit(X, Y, np.arange(max(2, WIDTHS[-1])))
    report("sklearn", rate(lambda: model.partial_fit(X, Y), len(X)))
