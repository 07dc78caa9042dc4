"""Options and results, which go through the library as text: this package knows no names or places of their fields."""
import os
import signal
import threading
from ctypes import byref, c_double, c_void_p
from types import SimpleNamespace

import numpy as np

from . import _library
from ._library import RecordFunction, check, once

# ---- options -----------------------------------------------------------------------------------------------------


def _value_text(value):
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (float, np.floating)):
        return repr(float(value))
    return str(value)


def options_text(options):
    """{"algo": "lm", "max_epochs": 200} as "algo=lm max_epochs=200"; None is the default."""
    for name, value in options.items():
        if isinstance(value, str) and (not value or set(value) & set(" \t\r\n,=")):
            raise ValueError(f"{name}={value!r}: a value has no blank, comma or '='")
    return " ".join(f"{name}={_value_text(value)}" for name, value in options.items() if value is not None)


class Options:
    """An options struct of the library, "fit" or "min", made from text; what it points to lives as long as it."""

    def __init__(self, kind, options):
        self._destroy = getattr(once, kind + "_opts_destroy")
        self._set = getattr(once, kind + "_opts_set_pointer")
        self._kept = []
        self.address = c_void_p()
        pointers = {name: value for name, value in options.items() if isinstance(value, (os.PathLike, np.ndarray))}
        text = options_text({name: value for name, value in options.items() if name not in pointers})
        check(getattr(once, kind + "_opts_create")(_library.as_text(text), byref(self.address)))
        for name, value in pointers.items():
            if isinstance(value, os.PathLike):
                value = np.frombuffer(_library.as_path(value) + b"\0", np.uint8)
            self.point(name, value.ctypes.data, value)

    def point(self, name, address, kept):
        """Sets an option that is a pointer."""
        check(self._set(self.address, _library.as_text(name), address))
        self._kept.append(kept)

    def given(self):
        """The options of a fit that differ from the defaults, as {"metrics": "f1+auc"}; {} if one is out of range."""
        text = c_void_p()
        if once.fit_opts_print(self.address, byref(text)) < 0:
            return {}
        return dict(pair.split("=", 1) for pair in _library.take_text(text).split())

    def __del__(self):
        self._destroy(self.address)


# ---- results -----------------------------------------------------------------------------------------------------


def _value(text):
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def _fields(name, address):
    """The fields of a struct of results; a struct in it becomes a namespace."""
    text = c_void_p()
    check(once.result_print(_library.as_text(name), address, byref(text)))
    fields = {}
    for line in _library.take_text(text).splitlines():
        key, _, value = line.partition("=")
        outer, dot, inner = key.partition(".")
        if dot:
            setattr(fields.setdefault(outer, SimpleNamespace()), inner, _value(value))
        else:
            fields[key] = _value(value)
    return fields


class Record:
    """Numbers of the library with the names that nnblas/core.h gives them: ``record.epoch``, ``record.loss``.

    The record of an epoch has the metrics of the fit, too: ``record.f1``, ``record.train_f1``.
    """

    def __init__(self, name, address):
        self.__dict__.update(_fields(name, address))

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.__dict__.items())})"


class Report(Record):
    """The result of a fit: the fields of nnb_report, and its history.

    Attributes
    ----------
    stop, algo, epochs, loss, val_loss, best_loss, seconds, ...
        As in nnb_report.  ``stop`` and ``algo`` are names: "target", "lm".
    history : dict of arrays
        The fields of nnb_record and the metrics of the fit: ``report.history["loss"]``, ``report.history["f1"]`` and,
        with train_metrics, ``report.history["train_f1"]`` have a number for each epoch that was kept.
    """

    def __init__(self, address, options):
        super().__init__("nnb_report", address)
        self.history = {}
        for field in record_fields() + _metric_names(options.given()):
            numbers = np.empty(self.n_history)
            check(once.report_history(address, _library.as_text(field), numbers.ctypes.data_as(_library.POINTER(c_double))))
            self.history[field] = numbers

    def __repr__(self):
        shown = {k: v for k, v in self.__dict__.items() if k != "history"}
        return f"Report({', '.join(f'{k}={v!r}' for k, v in shown.items())})"


class Result:
    """Memory for a result of the library, for a with statement."""

    def __init__(self, name):
        self.name, self.address = name, c_void_p()

    def __enter__(self):
        check(once.result_create(_library.as_text(self.name), byref(self.address)))
        return self.address

    def __exit__(self, *_):
        once.free(self.address)


_record_fields = []


def record_fields():
    """The names of the numbers in a record of the history."""
    if not _record_fields:
        with Result("nnb_record") as address:
            _record_fields.extend(_fields("nnb_record", address))
    return _record_fields


def _metric_names(options):
    """Those of the metrics in each record, by the text of the options."""
    names = options["metrics"].split("+") if "metrics" in options else []
    return names + [f"train_{name}" for name in names if options.get("train_metrics") == "true"]


# ---- callbacks ---------------------------------------------------------------------------------------------------


class Calls:
    """Python functions that the library calls.  An exception ends the call of the library and is raised after it.

    So does Ctrl-C in the main thread, within a with statement: Python would raise KeyboardInterrupt between the library
    and the function, where it is lost.
    """

    def __init__(self):
        self.raised, self._before = None, None

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
                self._before = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, *_):
        if self._before:
            signal.signal(signal.SIGINT, self._before)

    def _interrupt(self, *_):
        self.raised = self.raised or KeyboardInterrupt()

    def guard(self, function, failed):
        """The function, with failed as its result when it raises."""

        def guarded(*arguments):
            try:
                return failed if self.raised else function(*arguments)
            except BaseException as error:
                self.raised = self.raised or error
                return failed

        return guarded

    def on_record(self, name, user_function):
        """A callback of epochs or iterations.  It is set without a function too: Python then sees Ctrl-C between them."""

        def call(_, address):
            return bool(user_function and user_function(Record(name, address)))

        return RecordFunction(self.guard(call, 1))

    def finish(self, status):
        """Raises what a function raised, or the error of the status."""
        raised, self.raised = self.raised, None
        if raised:
            raise raised
        check(status)
