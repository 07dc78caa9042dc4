"""Estimators for scikit-learn."""
import numbers

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_array, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from ._net import Net

try:
    from sklearn.utils.validation import validate_data
except ImportError:  # before scikit-learn 1.6

    def validate_data(estimator, *arrays, **options):
        return estimator._validate_data(*arrays, **options)


_PARAMETERS = """
    Parameters
    ----------
    hidden : str
        The hidden layers, "32:tanh-16:tanh"; "" for none.
    algo : str
        The method, "auto", "lbfgs", "lm", "adam", ...  "auto" holds rows out to find decay and iterations.
    max_epochs, batch : int, optional
        The limit of epochs (iterations of full-batch methods); rows per update of the others.
    lr, l2 : float, optional
        Learning rate and L2 decay.
    options : dict, optional
        More options of nnb_fit_opts: {"patience": 10, "schedule": "cosine"}.
    standardize : bool
        Scale inputs (and the targets of a regression) to mean 0 and deviation 1.
    dtype : "float64" or "float32"
        The precision of the net.
    random_state : int, RandomState or None
        Of the initial parameters and the order of the rows.

    Attributes
    ----------
    net_ : nnblas.Net
    report_ : nnblas.Report
    n_iter_ : int
        Epochs of the fit.
    n_features_in_, feature_names_in_
        As in scikit-learn.
"""


_MOST_SORTED = 10000


def _weights(sample_weight, X):
    """A weight for each row of X."""
    if isinstance(sample_weight, numbers.Number):
        sample_weight = np.full(len(X), sample_weight)
    weight = check_array(sample_weight, dtype=X.dtype, ensure_2d=False, input_name="sample_weight")
    if weight.shape != (len(X),):
        raise ValueError(f"sample_weight has shape {weight.shape}; wanted ({len(X)},)")
    if not weight.any():
        raise ValueError("sample_weight is zero for all rows")
    return weight


def _order(X, y, weight):
    """The order of the rows by their bytes."""
    table = np.column_stack([a for a in (X, y, weight) if a is not None])
    rows = table.view(np.dtype((np.void, table.itemsize * table.shape[1])))
    return np.argsort(rows.ravel(), kind="stable")


class _Estimator(BaseEstimator):
    def __init__(self, hidden="16:tanh", algo="auto", max_epochs=None, batch=None, lr=None, l2=None, options=None,
                 standardize=True, dtype="float64", random_state=None):
        self.hidden = hidden
        self.algo = algo
        self.max_epochs = max_epochs
        self.batch = batch
        self.lr = lr
        self.l2 = l2
        self.options = options
        self.standardize = standardize
        self.dtype = dtype
        self.random_state = random_state

    def _train(self, X, t, labels, sample_weight, tail):
        """Makes and trains the net.

        Rows of weight 0 are left out.  Up to 10,000 rows are sorted, so that the result does not depend on their order:
        sums in another order round differently, and hundreds of iterations amplify that.
        """
        weight = None if sample_weight is None else _weights(sample_weight, X)
        rows = None if weight is None or weight.all() else np.flatnonzero(weight)
        if len(X) <= _MOST_SORTED and "in_order" not in (self.options or {}):
            order = _order(X, labels if t is None else t, weight)
            rows = order if rows is None else order[weight[order] != 0]
        if rows is not None:
            X, t, labels, weight = (None if a is None else a[rows] for a in (X, t, labels, weight))
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        chain = "-".join(part for part in (str(X.shape[1]), self.hidden, tail) if part)
        net = Net(chain, dtype=self.dtype, seed=seed)
        if self.standardize:
            net.standardize(X, t)
        options = dict(algo=self.algo, max_epochs=self.max_epochs, batch=self.batch, lr=self.lr, l2=self.l2, seed=seed)
        self.report_ = net.fit(X, t, labels=labels, sample_weight=weight, **{**options, **(self.options or {})})
        self.net_ = net
        self.n_iter_ = max(1, self.report_.epochs)
        return self

    def _inputs(self, X):
        check_is_fitted(self, "net_")
        return validate_data(self, X, dtype=np.dtype(self.dtype), order="C", reset=False)


class NNBLASRegressor(RegressorMixin, _Estimator):
    __doc__ = "A regression by a network with linear outputs and the mean squared error.\n" + _PARAMETERS

    def fit(self, X, y, sample_weight=None):
        """Trains a new net on X (N×n_features) and y (N, or N×n_outputs)."""
        dtype = np.dtype(self.dtype)
        X, y = validate_data(self, X, y, dtype=dtype, order="C", multi_output=True, y_numeric=True)
        self._one_dimension = y.ndim == 1
        t = np.ascontiguousarray(y.reshape(len(y), -1), dtype=dtype)
        return self._train(X, t, None, sample_weight, str(t.shape[1]))

    def predict(self, X):
        """The predictions in float64, N or N×n_outputs as y was."""
        X = self._inputs(X)
        y = self.net_.predict(X).astype(np.float64, copy=False)
        return y.ravel() if self._one_dimension else y

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _more_tags(self):  # before scikit-learn 1.6
        return {"multioutput": True}


class NNBLASClassifier(ClassifierMixin, _Estimator):
    __doc__ = "A classification by a network with softmax outputs and the cross-entropy.\n" + _PARAMETERS + """\
    classes_ : array
        The classes, sorted.
"""

    def fit(self, X, y, sample_weight=None):
        """Trains a new net on X (N×n_features) and y (N classes)."""
        X, y = validate_data(self, X, y, dtype=np.dtype(self.dtype), order="C")
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("y has one class; wanted 2 classes at least")
        return self._train(X, None, labels, sample_weight, f"{len(self.classes_)}:softmax")

    def predict_proba(self, X):
        """The probabilities of the classes, N×n_classes."""
        X = self._inputs(X)
        return self.net_.predict(X)

    def predict(self, X):
        """The most probable class of each row."""
        most = np.argmax(self.predict_proba(X), axis=1)
        return self.classes_[most]
