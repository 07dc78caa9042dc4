"""The shared library: where it is, its types and calls, its errors.

The only structs laid out here are those that describe the caller's own arrays, functions and names; docs/abi.md fixes
them.  Other options and results are text.
"""
import ctypes
import ctypes.util
import operator
import os
import pathlib
import sys
from ctypes import CFUNCTYPE, POINTER, Structure, c_bool, c_char_p, c_double, c_float, c_int, c_int32, c_size_t
from ctypes import c_uint, c_uint64, c_void_p

import numpy as np

# ---- finding it --------------------------------------------------------------------------------------------------


def _names():
    return ["libnnblas.dylib"] if sys.platform == "darwin" else ["libnnblas.so.0", "libnnblas.so"]


def _candidates():
    """What to open, best first: the environment, beside the package, where it was installed, the linker's places."""
    given = os.environ.get("NNBLAS_LIBRARY")
    if given:
        yield given
        return
    here = pathlib.Path(__file__).resolve().parent
    places = [here]
    try:
        from ._installed import LIBRARY_FOLDER  # written by meson install: relative to this folder

        places.append((here / LIBRARY_FOLDER).resolve())
    except ImportError:
        pass
    for place in places:
        yield from (str(place / name) for name in _names() if (place / name).exists())
    yield from _names()
    found = ctypes.util.find_library("nnblas")
    if found:
        yield found


def _load():
    problems = []
    for candidate in _candidates():
        try:
            return ctypes.CDLL(candidate), candidate
        except OSError as error:
            problems.append(f"  {candidate}: {error}")
    raise ImportError(
        "libnnblas was not found. Set NNBLAS_LIBRARY to the path of libnnblas.so, or install the library. Tried:\n"
        + "\n".join(problems)
    )


library, library_path = _load()

# ---- views, batches, functions: fixed layouts --------------------------------------------------------------------

Status = c_int
STATE = -4
Reserve = c_void_p


class Mat(Structure):
    """nnb_mat and nnb_cmat, in both precisions: rows×cols numbers at p, ld from row to row."""

    _fields_ = [("p", c_void_p), ("rows", c_int), ("cols", c_int), ("ld", c_int)]


class Batch(Structure):
    """nnb_batch."""

    _fields_ = [
        ("x", Mat),
        ("t", Mat),
        ("label", c_void_p),
        ("weight", c_void_p),
        ("norm", c_double),
        ("dt", Mat),
        ("reserved", Reserve * 8),
    ]


EvalFunction = CFUNCTYPE(Status, c_void_p, c_void_p, POINTER(c_double), c_void_p)
RowsFunction = CFUNCTYPE(Status, c_void_p, c_void_p, c_size_t, c_int, c_void_p, c_void_p, c_int)
RecordFunction = CFUNCTYPE(c_int, c_void_p, c_void_p)


class Fdf(Structure):
    """nnb_fdf."""

    _fields_ = [("n", c_size_t), ("user", c_void_p), ("eval", EvalFunction), ("reserved", Reserve * 9)]


class Lsq(Structure):
    """nnb_lsq."""

    _fields_ = [
        ("m", c_size_t),
        ("n", c_size_t),
        ("user", c_void_p),
        ("rows", RowsFunction),
        ("ridge", c_void_p),
        ("group", c_int),
        ("m_known", c_size_t),
        ("linear", c_void_p),
        ("linear_ridge", c_double),
        ("linear_rows", RowsFunction),
        ("reserved", Reserve * 10),
    ]


class TorchOptions(Structure):
    """nnb_torch_opts."""

    _fields_ = [
        ("prefix", c_char_p),
        ("names", POINTER(c_char_p)),
        ("n_names", c_int),
        ("ignore_others", c_bool),
        ("reserved", Reserve * 9),
    ]


class OnnxOptions(Structure):
    """nnb_onnx_opts."""

    _fields_ = [
        ("opset", c_int),
        ("external_data", c_bool),
        ("max_bytes", c_size_t),
        ("reserved", Reserve * 10),
    ]


STRUCTS = {
    "nnb_mat": Mat,
    "nnb_cmat": Mat,
    "nnb_batch": Batch,
    "nnb_fdf": Fdf,
    "nnb_lsq": Lsq,
    "nnb_torch_opts": TorchOptions,
    "nnb_onnx_opts": OnnxOptions,
}

# ---- calls -------------------------------------------------------------------------------------------------------

P, PP, Size = c_void_p, POINTER(c_void_p), c_size_t

# name without nnb_: (result, arguments).  Calls of core.h, which do not depend on the precision.
_ONCE = {
    "version": (c_char_p, []),
    "strstatus": (c_char_p, [Status]),
    "errmsg": (c_char_p, []),
    "free": (None, [P]),
    "set_threads": (Status, [c_int]),
    "get_threads": (c_int, []),
    "activation_find": (c_bool, [c_char_p, POINTER(c_int)]),
    "loss_find": (c_bool, [c_char_p, POINTER(c_int)]),
    "fit_opts_create": (Status, [c_char_p, PP]),
    "fit_opts_destroy": (None, [P]),
    "fit_opts_set_pointer": (Status, [P, c_char_p, P]),
    "fit_opts_print": (Status, [P, PP]),
    "min_opts_create": (Status, [c_char_p, PP]),
    "min_opts_destroy": (None, [P]),
    "min_opts_set_pointer": (Status, [P, c_char_p, P]),
    "result_create": (Status, [c_char_p, PP]),
    "result_print": (Status, [c_char_p, P, PP]),
    "report_history": (Status, [P, c_char_p, POINTER(c_double)]),
}

# Calls of typed.h, in both precisions.
_TYPED = {
    "data_wrap": (Status, [POINTER(Batch), c_int, PP]),
    "data_destroy": (None, [P]),
    "net_create": (P, [c_int]),
    "net_parse": (Status, [c_char_p, PP]),
    "net_destroy": (None, [P]),
    "net_copy": (Status, [P, PP]),
    "net_layer": (c_int, [P, c_int, c_char_p]),
    "net_input": (c_int, [P, c_int, c_char_p]),
    "net_shape": (c_int, [P, c_int, c_int, c_int, c_int]),
    "net_activation": (c_int, [P, c_int, c_int]),
    "net_add": (c_int, [P, POINTER(c_int), c_int, c_int]),
    "net_concat": (c_int, [P, POINTER(c_int), c_int]),
    "net_output": (c_int, [P, c_int]),
    "net_loss": (c_int, [P, c_int]),
    "net_output_loss": (c_int, [P, c_int, c_int, c_double]),
    "net_seed": (c_int, [P, c_uint64]),
    "net_status": (Status, [P]),
    "net_init": (Status, [P, c_uint64]),
    "net_exact": (Status, [P, c_bool]),
    "net_scale_inputs": (c_int, [P, P, c_int]),
    "net_scale_targets": (c_int, [P, P, c_int]),
    "net_n_in": (c_int, [P]),
    "net_n_out": (c_int, [P]),
    "net_n_nodes": (c_int, [P]),
    "net_find": (c_int, [P, c_char_p]),
    "net_node_name": (c_char_p, [P, c_int]),
    "net_training": (c_bool, [P, P]),
    "net_n_params": (Size, [P]),
    "net_params": (P, [P]),
    "net_weights": (Status, [P, c_int, POINTER(Mat)]),
    "net_bias": (Status, [P, c_int, POINTER(Mat)]),
    "net_set_weights": (Status, [P, c_int, Mat]),
    "net_set_bias": (Status, [P, c_int, Mat]),
    "net_freeze": (Status, [P, c_int, c_uint]),
    "fit": (Status, [P, P, P, P, P]),
    "solve_output": (Status, [P, P, c_double]),
    "evaluate": (Status, [P, P, P]),
    "net_predict": (Status, [P, Mat, Mat]),
    "net_classify": (Status, [P, Mat, POINTER(c_int32)]),
    "net_jacobian": (Status, [P, Mat, Mat]),
    "net_jvp": (Status, [P, Mat, Mat, Mat]),
    "net_hvp": (Status, [P, Mat, Mat, Mat, Mat]),
    "net_save": (Status, [P, c_char_p]),
    "net_load": (Status, [c_char_p, P, PP]),
    "net_save_mem": (Status, [P, PP, POINTER(Size)]),
    "net_load_mem": (Status, [P, Size, P, PP]),
    "net_load_torch": (Status, [P, c_char_p, POINTER(TorchOptions)]),
    "net_save_torch": (Status, [P, c_char_p, POINTER(TorchOptions)]),
    "net_load_onnx": (Status, [c_char_p, POINTER(OnnxOptions), PP]),
    "net_save_onnx": (Status, [P, c_char_p, POINTER(OnnxOptions)]),
    "net_write_c": (Status, [P, c_char_p, P]),
    "minimize": (Status, [POINTER(Fdf), P, P, P]),
    "least_squares": (Status, [POINTER(Lsq), P, P, P]),
}


def _bind(prefix, table, into):
    for name, (result, arguments) in table.items():
        try:
            function = library[prefix + name]  # an object of its own, not shared with other users of the library
        except AttributeError:
            version = library.nnb_version
            version.restype = c_char_p
            raise ImportError(
                f"{library_path} (version {version().decode()}) has no {prefix}{name}: it is older than this package"
            ) from None
        function.restype, function.argtypes = result, arguments
        setattr(into, name, function)


class _Calls:
    """Calls of one precision as attributes, and its types."""

    def __init__(self, prefix, real, dtype):
        self.real, self.dtype = real, np.dtype(dtype)
        _bind(prefix, _TYPED, self)


class _Once:
    pass


once = _Once()
_bind("nnb_", _ONCE, once)
_PRECISIONS = {"float64": _Calls("nnb_", c_double, np.float64), "float32": _Calls("nnbf_", c_float, np.float32)}


def calls_for(dtype):
    """The calls for a dtype: nnb_ for float64, nnbf_ for float32."""
    name = np.dtype(dtype).name
    if name not in _PRECISIONS:
        raise TypeError(f"dtype is {name}; wanted float64 or float32")
    return _PRECISIONS[name]


def as_text(text):
    """Text for the library, which a NUL would cut off."""
    encoded = text.encode()
    if b"\0" in encoded:
        raise ValueError(f"{text!r} has a NUL character")
    return encoded


def as_path(path):
    """The same of a path."""
    encoded = os.fsencode(path)
    if b"\0" in encoded:
        raise ValueError(f"the path {path!r} has a NUL character")
    return encoded


def as_int(number):
    """A number for an int of C, which would wrap another one around."""
    number = operator.index(number)
    if not -(2**31) <= number < 2**31:
        raise ValueError(f"{number} is no int of C: wanted -2**31 to 2**31 - 1")
    return number


def as_seed(seed):
    """A seed, 0 to 2⁶⁴-1."""
    seed = operator.index(seed)
    if not 0 <= seed < 2**64:
        raise ValueError(f"seed is {seed}; wanted 0 to 2**64 - 1")
    return seed


def library_version():
    """The version of the library, "0.3.0"."""
    return once.version().decode()


# ---- errors ------------------------------------------------------------------------------------------------------


class NNBLASError(Exception):
    """An error of the library; its text is the library's message.

    Attributes
    ----------
    status : int
        The nnb_status, for instance -3 for NNB_E_SHAPE.

    What is raised is a subclass that is also the usual Python exception: ValueError for arguments, shapes and malformed
    text, MemoryError, RuntimeError for a wrong state, ArithmeticError for numbers that are not finite, OSError,
    OverflowError, NotImplementedError.
    """

    status = 0

    def __reduce__(self):
        return (_error, (self.status, str(self)))


def _kind(name, status, base):
    return type(name, (NNBLASError, base), {"status": status, "__module__": __name__, "__doc__": NNBLASError.__doc__})


_ERRORS = {
    -1: _kind("NNBLASMemoryError", -1, MemoryError),
    -2: _kind("NNBLASArgumentError", -2, ValueError),
    -3: _kind("NNBLASShapeError", -3, ValueError),
    -4: _kind("NNBLASStateError", -4, RuntimeError),
    -5: _kind("NNBLASNumericError", -5, ArithmeticError),
    -6: _kind("NNBLASParseError", -6, ValueError),
    -7: _kind("NNBLASIOError", -7, OSError),
    -8: _kind("NNBLASOverflowError", -8, OverflowError),
    -9: _kind("NNBLASUnsupportedError", -9, NotImplementedError),
}


def _error(status, message):
    return _ERRORS.get(status, NNBLASError)(message)


def check(status):
    """Raises the error of a negative status; returns what is not one (0, or the node that a building call added)."""
    if status < 0:
        message = once.errmsg().decode("utf-8", "replace")
        raise _error(status, message or once.strstatus(status).decode())
    return status


# ---- threads -----------------------------------------------------------------------------------------------------


def set_threads(n=0):
    """Sets the number of threads of later calls; 0: the processors of the process."""
    check(once.set_threads(as_int(n)))


def get_threads():
    """The number of threads that calls use."""
    return once.get_threads()


# ---- arrays ------------------------------------------------------------------------------------------------------


def as_rows(array, dtype, name):
    """The array as a C-contiguous matrix of the dtype: itself if it is one.  One dimension is one column."""
    array = np.asarray(array)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} has dtype {array.dtype}; wanted numbers")
    array = np.ascontiguousarray(array, dtype=dtype)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2:
        raise ValueError(f"{name} has {array.ndim} dimensions; wanted rows and columns")
    return array


def mat(array):
    """A view of a matrix from as_rows, which must be kept alive."""
    return Mat(array.ctypes.data, array.shape[0], array.shape[1], array.shape[1])


def out_rows(out, shape, dtype, name):
    """out if it can be written into as it is, or a new array for None."""
    if out is None:
        return np.empty(shape, dtype)
    if not isinstance(out, np.ndarray) or out.dtype != dtype or not out.flags.c_contiguous or not out.flags.writeable:
        raise ValueError(f"{name} must be a writable C-contiguous array of {np.dtype(dtype).name}")
    if out.shape != shape:
        raise ValueError(f"{name} has shape {out.shape}; wanted {shape}")
    return out


def as_view(address, shape, strides, calls, owner, writable):
    """A NumPy array over the library's memory that keeps owner alive."""
    if not all(shape):
        return np.empty(shape, calls.dtype)
    count = 1 + sum((n - 1) * s for n, s in zip(shape, strides))
    memory = (calls.real * count).from_address(address)
    memory._owner = owner  # the array's base is this object
    array = np.ndarray(shape, calls.dtype, memory, 0, [s * calls.dtype.itemsize for s in strides])
    array.flags.writeable = writable
    return array


def take_text(pointer):
    """The text at a pointer that the library allocated, which is released."""
    try:
        return ctypes.string_at(pointer).decode()
    finally:
        once.free(pointer)
