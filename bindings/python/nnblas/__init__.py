"""Neural networks as matrix operations: the Python side of libnnblas.

>>> import numpy as np, nnblas
>>> x = np.linspace(-3, 3, 200)[:, None]
>>> net = nnblas.Net("1-12:tanh-1")
>>> report = net.fit(x, np.sin(x), algo="lm")
>>> float(abs(net.predict(x) - np.sin(x)).max()) < 0.01
True

Classes and functions
---------------------
Net
    A network: built from text or calls, trained, evaluated, differentiated, saved.
minimize, least_squares
    The optimisers by themselves, for any function and any sum of squares.
NNBLASRegressor, NNBLASClassifier
    Estimators for scikit-learn; importing them needs scikit-learn.
NNBLASError
    The base of all errors of the library, with its message.

Options are keyword arguments with the names and values of nnb_fit_opts in nnblas/core.h: ``algo="lm", max_epochs=200``.
Arrays of the net's dtype (float64 or float32) in C order are used where they are; others are converted first.
Calls release the GIL.  Several threads may predict with one net, as long as none trains it.
"""
from ._library import NNBLASError, get_threads, library_path, library_version, set_threads
from ._net import Net
from ._options import Record, Report
from ._solve import Solution, least_squares, minimize

__all__ = [
    "NNBLASClassifier",
    "NNBLASError",
    "NNBLASRegressor",
    "Net",
    "Record",
    "Report",
    "Solution",
    "get_threads",
    "least_squares",
    "library_path",
    "library_version",
    "minimize",
    "set_threads",
]


def __getattr__(name):
    if name in ("NNBLASRegressor", "NNBLASClassifier"):
        from . import _estimators

        return getattr(_estimators, name)
    raise AttributeError(f"module 'nnblas' has no attribute {name!r}")
