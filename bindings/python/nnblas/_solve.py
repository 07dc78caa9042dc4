"""The optimisers by themselves: any function, any sum of squares."""
from ctypes import byref, c_void_p, cast

import numpy as np

from ._library import STATE, EvalFunction, Fdf, Lsq, RowsFunction, as_view, calls_for
from ._options import Calls, Options, Record, Result


class Solution(Record):
    """The result of minimize or least_squares: the fields of nnb_min_report, and x.

    Attributes
    ----------
    x : array
        The best point found.
    value, start_value, gradient_norm, iterations, evaluations, seconds
    stop, algo : str
        Why it ended and by which method: "gradient", "lbfgs".
    """

    def __init__(self, address, x):
        super().__init__("nnb_min_report", address)
        self.x = x


def _numbers(array, n, name):
    array = np.array(array, np.float64, ndmin=1)
    if array.shape == (1,):
        array = np.repeat(array, n)
    if array.shape != (n,):
        raise ValueError(f"{name} has shape {array.shape}; wanted ({n},)")
    return array


def _run(call, calls, problem, x, callbacks, bounds, on_iteration, options):
    """The common end of both functions."""
    options = {**options, **{name: _numbers(b, len(x), name) for name, b in bounds.items() if b is not None}}
    opts = Options("min", options)
    on_record = callbacks.on_record("nnb_min_record", on_iteration)
    opts.point("on_iteration", cast(on_record, c_void_p), on_record)
    with Result("nnb_min_report") as address, callbacks:
        callbacks.finish(call(byref(problem), x.ctypes.data, opts.address, address))
        return Solution(address, x)


def _start(x, dtype):
    calls = calls_for(dtype)
    x = np.array(x, calls.dtype, ndmin=1)  # a copy: the library moves it
    if x.ndim != 1 or not len(x):
        raise ValueError(f"x has shape {x.shape}; wanted one dimension, and a number at least")
    return calls, x


def _point(address, calls, n):
    """A copy of the n numbers of x, so that functions may keep it."""
    return as_view(address, (n,), (1,), calls, None, False).copy()


def _fill(view, numbers):
    """Copies what a function returned into the library's memory; one number may stand for an array of one."""
    numbers = np.asarray(numbers)
    if numbers.dtype.kind == "c":
        raise TypeError("a function returned complex numbers; wanted real ones")
    if numbers.shape != view.shape and (numbers.ndim or view.shape != (1,)):
        raise ValueError(f"a function returned shape {numbers.shape}; wanted {view.shape}")
    view[...] = numbers


def minimize(function, x, gradient=None, *, lower=None, upper=None, dtype="float64", on_iteration=None, **options):
    """Minimises a function of n variables.

    Parameters
    ----------
    function : callable
        function(x) returns f(x), or the pair of f(x) and its gradient if gradient is None.  Where f is not defined it
        returns NaN: the search then takes a shorter step.
    x : n numbers
        The start.
    gradient : callable, optional
        gradient(x) returns the n derivatives.
    lower, upper : n numbers or one, optional
        Bounds, -inf and inf where there is none.
    on_iteration : function of a Record, optional
        Called after each iteration; a true result stops.
    **options
        Those of nnb_min_opts: algo ("lbfgs", "bfgs", "cg", "scg", "rprop"), max_iterations, gradient_tol, memory, ...

    Returns
    -------
    Solution

    What a function raises ends the search and is raised here.
    """
    calls, x = _start(x, dtype)
    n, callbacks = len(x), Calls()

    def evaluate(_, at, f, g):
        point = _point(at, calls, n)
        if gradient is None:
            value, slope = function(point)
        else:
            value, slope = function(point), gradient(point) if g else None
        if np.iscomplexobj(value):
            raise TypeError("a function returned a complex number; wanted a real one")
        f[0] = float(value)
        if g:
            _fill(as_view(g, (n,), (1,), calls, None, True), slope)
        return 0

    problem = Fdf(n=n, eval=EvalFunction(callbacks.guard(evaluate, STATE)))
    return _run(calls.minimize, calls, problem, x, callbacks, {"lower": lower, "upper": upper}, on_iteration, options)


class _Whole:
    """Residuals and Jacobian of the last point, of which the library asks for blocks of rows."""

    def __init__(self, function, shape):
        self._function, self._shape, self._at, self._value = function, shape, None, None

    def __call__(self, x, rows):
        if self._at is None or not np.array_equal(self._at, x):
            value = np.asarray(self._function(x))
            if value.shape != self._shape:
                raise ValueError(f"a function returned shape {value.shape}; wanted {self._shape}")
            self._at, self._value = x, value
        return self._value[rows]


def least_squares(residuals, x, jacobian, *, m=None, lower=None, upper=None, ridge=None, linear=None, dtype="float64",
                  on_iteration=None, **options):
    """Minimises ½·Σ r_i(x)², by Levenberg–Marquardt or variable projection.

    Parameters
    ----------
    residuals : callable
        residuals(x) returns the m numbers r.  NaN where they are not defined: the next step is shorter.
    x : n numbers
        The start.
    jacobian : callable
        jacobian(x) returns ∂r_i/∂x_j, m×n.
    m : int, optional
        With m the functions are called for blocks of rows, residuals(x, rows) and jacobian(x, rows) with a slice, so
        that the whole Jacobian is never in memory.
    lower, upper : n numbers or one, optional
        Bounds, -inf and inf where there is none.
    ridge : n numbers or one, optional
        c of the additional term ½·Σ c_j x_j².
    linear : n bools, optional
        The x_j in which r is linear, for variable projection.
    on_iteration : function of a Record, optional
        Called after each iteration; a true result stops.
    **options
        Those of nnb_min_opts: algo ("lm", "varpro"), max_iterations, gradient_tol, acceleration, bayes, ...

    Returns
    -------
    Solution
    """
    calls, x = _start(x, dtype)
    n, callbacks = len(x), Calls()
    if m is None:
        m = len(np.atleast_1d(residuals(x.copy())))
        residuals, jacobian = _Whole(residuals, (m,)), _Whole(jacobian, (m, n))

    def rows(_, at, row0, k, r, J, ldj):
        point, block = _point(at, calls, n), slice(row0, row0 + k)
        _fill(as_view(r, (k,), (1,), calls, None, True), residuals(point, block))
        if J:
            _fill(as_view(J, (k, n), (ldj, 1), calls, None, True), jacobian(point, block))
        return 0

    problem = Lsq(m=m, n=n, rows=RowsFunction(callbacks.guard(rows, STATE)))
    kept = [None if ridge is None else _numbers(ridge, n, "ridge"), None if linear is None else np.array(linear, np.bool_)]
    if kept[0] is not None:
        problem.ridge = kept[0].ctypes.data
    if kept[1] is not None:
        if kept[1].shape != (n,):
            raise ValueError(f"linear has shape {kept[1].shape}; wanted ({n},)")
        problem.linear = kept[1].ctypes.data
    return _run(calls.least_squares, calls, problem, x, callbacks, {"lower": lower, "upper": upper}, on_iteration, options)
