"""Networks."""
import contextlib
import threading
from ctypes import POINTER, byref, c_char_p, c_int, c_int32, c_size_t, c_void_p, cast, string_at

import numpy as np

from . import _library
from ._library import Batch, Mat, NNBLASError, as_rows, as_view, calls_for, check, mat, once, out_rows
from ._options import Calls, Options, Record, Report, Result

_SCALINGS = {"standardize": 0, "minmax": 1}


class _Handle:
    """An nnb_net, destroyed when the last of its users is gone: the Net, running calls, arrays over its memory."""

    def __init__(self, calls, address):
        self.calls, self.address = calls, address
        self._lock, self._readers, self._changer = threading.Lock(), 0, None

    def __del__(self):
        self.calls.net_destroy(self.address)

    def _enter(self, change):
        me = threading.get_ident()
        with self._lock:
            if self._changer == me:  # in a callback: the library says what is allowed
                return False
            if self._changer or (change and self._readers):
                _library_state(f"another thread {'trains' if self._changer else 'uses'} this net")
            if change:
                self._changer = me
            else:
                self._readers += 1
            return True

    @contextlib.contextmanager
    def _held(self, change):
        entered = self._enter(change)
        try:
            yield self.address
        finally:
            if entered:
                with self._lock:
                    if change:
                        self._changer = None
                    else:
                        self._readers -= 1

    def reading(self):
        """For calls that leave the net as it is: any number at a time, in any threads."""
        return self._held(False)

    def changing(self):
        """For calls that change the net: one at a time, and no other."""
        return self._held(True)


def _library_state(message):
    raise _library._error(_library.STATE, message)


class _Data:
    """nnb_data over arrays, which it keeps alive, for a with statement."""

    def __init__(self, net, x, t=None, labels=None, sample_weight=None, derivatives=None):
        calls = net._calls
        self._calls, self.address = calls, c_void_p()
        x = as_rows(x, calls.dtype, "x")
        batch, self._kept = Batch(x=mat(x)), [x]
        if t is not None:
            t = as_rows(t, calls.dtype, "t")
            batch.t = mat(t)
            self._kept.append(t)
        if labels is not None:
            labels = np.asarray(labels)
            if labels.dtype.kind not in "iub":
                raise TypeError(f"labels have dtype {labels.dtype}; wanted integers")
            labels = _vector(labels, np.int32, len(x), "labels")
            batch.label = labels.ctypes.data
            self._kept.append(labels)
        if sample_weight is not None:
            weight = _vector(np.asarray(sample_weight), calls.dtype, len(x), "sample_weight")
            batch.weight = weight.ctypes.data
            self._kept.append(weight)
        if derivatives is not None:
            dt = _jacobians(derivatives, (len(x), net.n_out, net.n_in), calls.dtype)
            batch.dt = mat(dt)
            self._kept.append(dt)
        n_classes = max(net.n_out, 2) if labels is not None else 0
        check(calls.data_wrap(byref(batch), n_classes, byref(self.address)))

    def __enter__(self):
        return self.address

    def __exit__(self, *_):
        self._calls.data_destroy(self.address)
        self.address = c_void_p()


def _vector(array, dtype, n, name):
    array = np.ascontiguousarray(array, dtype=dtype)
    if array.shape != (n,):
        raise ValueError(f"{name} has shape {array.shape}; wanted ({n},)")
    return array


def _jacobians(derivatives, shape, dtype):
    """Derivatives of the shape (N, n_out, n_in) as rows of n_out·n_in numbers; they may be such rows already."""
    derivatives, flat = np.asarray(derivatives), (shape[0], shape[1] * shape[2])
    if derivatives.ndim == 1:
        derivatives = derivatives[:, None]
    if derivatives.shape not in (shape, flat):
        raise ValueError(f"derivatives has shape {derivatives.shape}; wanted {shape} or {flat}")
    return as_rows(derivatives.reshape(flat), dtype, "derivatives")


class Net:
    """A feed-forward network.

    Parameters
    ----------
    structure : str or int
        A chain of layers, "4-16:tanh-3:softmax" or "1x28x28-conv6@5:tanh-maxpool2-10:softmax": inputs, then layers
        with their activations and options as in nnb_net_parse.  Or the number of inputs; layers are then added by
        calls, in any acyclic graph.
    dtype : "float64" or "float32"
        The precision of the net.  Arrays of this dtype in C order are used without a copy.
    seed : int
        Of the initial parameters.
    loss : str, optional
        The loss, "mse"; by default it follows from the activation of the outputs.

    Threads: any number may read one net (predict, evaluate, ...) at a time.  A call that changes it (fit, ...) excludes
    all others: they raise an NNBLASError, as does the change if another thread is reading.  Calls release the GIL.
    In ``on_epoch`` the net may be read.
    """

    def __init__(self, structure, dtype="float64", seed=0, loss=None):
        calls = calls_for(dtype)
        address = c_void_p()
        if isinstance(structure, str):
            check(calls.net_parse(_library.as_text(structure), byref(address)))
        else:
            address.value = calls.net_create(_library.as_int(structure))
            if not address.value:
                raise MemoryError("out of memory: a net")
        self._own(calls, address)
        self._change("net_seed", _library.as_seed(seed))
        if loss is not None:
            self.loss(loss)
        check(calls.net_status(address))

    def _own(self, calls, address):
        self._calls, self._handle, self._exact = calls, _Handle(calls, address), False

    @classmethod
    def _made(cls, calls, address):
        net = cls.__new__(cls)
        net._own(calls, address)
        return net

    def _open(self):
        if self._handle is None:
            _library_state("the net was closed")
        return self._handle

    def _read(self, name, *arguments):
        with self._open().reading() as net:
            return check(getattr(self._calls, name)(net, *arguments))

    def _change(self, name, *arguments):
        if name not in ("net_seed", "net_init"):
            arguments = [_library.as_int(a) if isinstance(a, (int, np.integer)) else a for a in arguments]
        with self._open().changing() as net:
            return check(getattr(self._calls, name)(net, *arguments))

    def close(self):
        """Lets go of the net; later calls raise.  Its memory is released when arrays over it are gone, too."""
        self._handle = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __repr__(self):
        if self._handle is None:
            return "<nnblas.Net, closed>"
        return f"<nnblas.Net {self.n_in} -> {self.n_out}, {self.n_nodes} nodes, {self.dtype.name}>"

    # ---- building: each call returns the number of its node ----

    def layer(self, text, source=0):
        """Adds a layer, "16:tanh:name=hidden" or "conv6@5:tanh", after the node source (0: the node added last)."""
        return self._change("net_layer", source, _library.as_text(text))

    def input(self, n, name=None):
        """Adds another input of n columns: the next columns of x."""
        return self._change("net_input", n, None if name is None else _library.as_text(name))

    def shape(self, channels, height, width, node=0):
        """Declares how the columns of a node are read, for convolutions and pools: channels images of height×width."""
        self._change("net_shape", node, channels, height, width)

    def activation(self, name, source=0):
        """Adds f(source)."""
        return self._change("net_activation", source, _find("activation", name))

    def add(self, nodes, activation="linear"):
        """Adds the sum of nodes of equal width."""
        return self._change("net_add", (c_int * len(nodes))(*nodes), len(nodes), _find("activation", activation))

    def concat(self, nodes):
        """Adds the concatenation of the columns of nodes."""
        return self._change("net_concat", (c_int * len(nodes))(*nodes), len(nodes))

    def output(self, node, loss=None, factor=1.0):
        """Declares a node as an output, with a loss of its own if one is given."""
        self._change("net_output", node)
        if loss is not None:
            self._change("net_output_loss", node, _find("loss", loss), factor)
        return node

    def loss(self, name):
        """Sets the loss of all outputs without one of their own."""
        self._change("net_loss", _find("loss", name))

    def standardize(self, x, t=None, scaling="standardize"):
        """Scales the inputs by statistics of x, and the targets by those of t; the net stores both.

        Parameters
        ----------
        scaling : "standardize" or "minmax"
            To mean 0 and deviation 1, or to 0 … 1.
        """
        if scaling not in _SCALINGS:
            raise ValueError(f"scaling is {scaling!r}; wanted {' or '.join(_SCALINGS)}")
        with _Data(self, x, t) as data:
            self._change("net_scale_inputs", data, _SCALINGS[scaling])
            if t is not None:
                self._change("net_scale_targets", data, _SCALINGS[scaling])

    def init(self, seed):
        """Draws all parameters again."""
        self._change("net_init", _library.as_seed(seed))

    def exact(self, on=True):
        """Sets whether predictions and training have the bits that docs/arithmetic.md defines on every machine.

        Copies, pickles and astype keep it; files do not.
        """
        self._change("net_exact", on)
        self._exact = bool(on)

    def freeze(self, node, weights=True, bias=True):
        """Sets which parameters of a layer training does not change."""
        self._change("net_freeze", self.node(node), (1 if weights else 0) | (2 if bias else 0))

    # ---- looking at it ----

    @property
    def dtype(self):
        """float64 or float32."""
        return self._calls.dtype

    @property
    def n_in(self):
        """Columns of x."""
        return self._read("net_n_in")

    @property
    def n_out(self):
        """Columns of y."""
        return self._read("net_n_out")

    @property
    def n_nodes(self):
        """Number of nodes, which are 1 … n."""
        return self._read("net_n_nodes")

    @property
    def n_params(self):
        """Number of parameters; the structure is then fixed."""
        return len(self.params)

    @property
    def training(self):
        """What the net was trained by, also before it was saved: a Record of nnb_training (algo, epochs, rows, seed,
        loss, version, ...), or None."""
        with Result("nnb_training") as address:
            return Record("nnb_training", address) if self._read("net_training", address) else None

    def node(self, node):
        """The number of a node, given by name or number."""
        if not isinstance(node, str):
            return node
        number = self._read("net_find", _library.as_text(node))
        if not number:
            raise ValueError(f"there is no node {node!r}")
        return number

    @property
    def params(self):
        """All parameters: a writable view of the net's memory.  Do not write to it while a call uses the net."""
        handle = self._open()
        with handle.reading() as net:
            n, address = self._calls.net_n_params(net), self._calls.net_params(net)
            if not address:
                check(self._calls.net_status(net))
                _library_state(once.errmsg().decode())
            return as_view(address, (n,), (1,), self._calls, handle, True)

    def _matrix(self, name, node):
        handle, view = self._open(), Mat()
        with handle.reading() as net:
            check(getattr(self._calls, name)(net, self.node(node), byref(view)))
        return as_view(view.p, (view.rows, view.cols), (view.ld, 1), self._calls, handle, False)

    def weights(self, node):
        """The weights of a layer, inputs×units: a read-only view."""
        return self._matrix("net_weights", node)

    def bias(self, node):
        """The bias of a layer: a read-only view of one dimension."""
        return self._matrix("net_bias", node)[0]

    def set_weights(self, node, w):
        """Copies w (inputs×units) into the weights of a layer."""
        w = as_rows(w, self.dtype, "w")
        self._change("net_set_weights", self.node(node), mat(w))

    def set_bias(self, node, b):
        """Copies b (units numbers) into the bias of a layer."""
        b = as_rows(b, self.dtype, "b").reshape(1, -1)
        self._change("net_set_bias", self.node(node), mat(b))

    # ---- training, evaluating, predicting ----

    def fit(self, x, t=None, *, labels=None, sample_weight=None, derivatives=None, validation=None, on_epoch=None,
            **options):
        """Trains the net, from its present parameters.

        Parameters
        ----------
        x : array of N rows and n_in columns
        t : array of N rows and n_out columns, or labels : N class numbers from 0
        sample_weight : N numbers, optional
        derivatives : array (N, n_out, n_in) or (N, n_out·n_in), optional
            Targets for ∂y_o/∂x_i at each row, beside t.
        validation : (x, t), (x, t, weight), optional
            A validation set, of the same kind: the net then gets the parameters of its best epoch.
        on_epoch : function of a Record, optional
            Called after each epoch, with epoch, loss, val_loss, ...; a true result stops the training.  It may read the
            net.  What it raises ends the training and is raised by fit.
        **options
            Those of nnb_fit_opts: algo, batch, max_epochs, lr, l2, patience, threads, seed, schedule, bayes, ...  The
            value -1 is "none", or "full" for batch.  checkpoint: a pathlib.Path.  metrics: "f1+auc", which records and
            the history then have as f1 and auc, and with train_metrics=True as train_f1 and train_auc, too.

        Returns
        -------
        Report

        Raises
        ------
        NNBLASError
            With the message of the library.  If the training diverged, it has the report as .report.
        """
        held, callbacks = self._open(), Calls()
        opts = Options("fit", options)
        on_record = callbacks.on_record("nnb_record", on_epoch)
        opts.point("on_epoch", cast(on_record, c_void_p), on_record)
        with contextlib.ExitStack() as stack:
            train = stack.enter_context(_Data(self, x, t, labels, sample_weight, derivatives))
            val = self._validation(stack, validation, labels is not None)
            address = stack.enter_context(Result("nnb_report"))
            net = stack.enter_context(held.changing())
            stack.enter_context(callbacks)
            status = self._calls.fit(net, train, val, opts.address, address)
            try:
                callbacks.finish(status)
            except NNBLASError as error:
                error.report = Report(address, opts)
                raise
            return Report(address, opts)

    def _validation(self, stack, validation, labelled):
        if validation is None:
            return None
        x, t, weight = (*validation, None)[:3]
        return stack.enter_context(_Data(self, x, None if labelled else t, t if labelled else None, weight))

    def solve_output(self, x, t, sample_weight=None, ridge=0.0):
        """Solves for the parameters of linear output layers that minimise a sum of squares; all others stay."""
        with _Data(self, x, t, None, sample_weight) as data:
            self._change("solve_output", data, ridge)

    def evaluate(self, x, t=None, *, labels=None, sample_weight=None):
        """loss, accuracy, rmse, r2, ... of the net on data: a Record of nnb_metrics."""
        with _Data(self, x, t, labels, sample_weight) as data, Result("nnb_metrics") as address:
            self._read("evaluate", data, address)
            return Record("nnb_metrics", address)

    def predict(self, x, out=None):
        """y = net(x), N×n_out in the data's units.  out: the array for it, or None."""
        x = as_rows(x, self.dtype, "x")
        y = out_rows(out, (len(x), self.n_out), self.dtype, "out")
        self._read("net_predict", mat(x), mat(y))
        return y

    def classify(self, x):
        """The class of each row: the largest output, or for one output 0 or 1 (above ½)."""
        x = as_rows(x, self.dtype, "x")
        label = np.empty(len(x), np.int32)
        self._read("net_classify", mat(x), label.ctypes.data_as(POINTER(c_int32)))
        return label

    def jacobian(self, x, out=None):
        """∂y_o/∂x_i at each row of x: an array of shape (N, n_out, n_in), in the data's units."""
        x = as_rows(x, self.dtype, "x")
        jacobian = out_rows(out, (len(x), self.n_out, self.n_in), self.dtype, "out")
        cols = self.n_out * self.n_in
        self._read("net_jacobian", mat(x), Mat(jacobian.ctypes.data, len(x), cols, cols))
        return jacobian

    def jvp(self, x, u):
        """∂y/∂x·u at each row: the derivatives of the outputs along the rows of u, (N, n_out)."""
        x, u = as_rows(x, self.dtype, "x"), as_rows(u, self.dtype, "u")
        dy = np.empty((len(x), self.n_out), self.dtype)
        self._read("net_jvp", mat(x), mat(u), mat(dy))
        return dy

    def hvp(self, x, v, u):
        """H·u at each row, H the second derivatives of Σ_o v_o·y_o by x: (N, n_in).  v: (N, n_out), u: (N, n_in)."""
        x, v, u = as_rows(x, self.dtype, "x"), as_rows(v, self.dtype, "v"), as_rows(u, self.dtype, "u")
        h = np.empty((len(x), self.n_in), self.dtype)
        self._read("net_hvp", mat(x), mat(v), mat(u), mat(h))
        return h

    # ---- files, copies ----

    def save(self, path):
        """Writes the net as a safetensors file, atomically; every program with the library reads it."""
        self._read("net_save", _library.as_path(path))

    @classmethod
    def load(cls, path, dtype="float64"):
        """Reads a file of save, nnb_net_save or the command nnblas; a file of the other precision is converted."""
        calls, address = calls_for(dtype), c_void_p()
        check(calls.net_load(_library.as_path(path), None, byref(address)))
        return cls._made(calls, address)

    def to_bytes(self):
        """The file of save, as bytes."""
        memory, size = c_void_p(), c_size_t()
        self._read("net_save_mem", byref(memory), byref(size))
        try:
            return string_at(memory, size.value)
        finally:
            once.free(memory)

    @classmethod
    def from_bytes(cls, file, dtype="float64", exact=False):
        """The net of to_bytes, from any object with bytes.  exact: as net.exact(exact), which the bytes do not keep."""
        calls, address, file = calls_for(dtype), c_void_p(), bytes(file)
        check(calls.net_load_mem(file, len(file), None, byref(address)))
        net = cls._made(calls, address)
        if exact:
            net.exact()
        return net

    def astype(self, dtype):
        """A copy in another precision."""
        return self.from_bytes(self.to_bytes(), dtype, self._exact)

    def load_torch(self, path, prefix="", names=None, ignore_others=False):
        """Reads the weights of the modules that PyTorch has saved as safetensors into the layers.

        Parameters
        ----------
        prefix : str
            What all names of tensors begin with, "model.".
        names : list or dict, optional
            The module of each layer with parameters, without the prefix: a list in the order of the layers, or a dict
            from nodes, by name or number, to modules.  By default the modules are taken in the order of the numbers in
            their names.
        ignore_others : bool
            Whether the file may have other tensors.
        """
        self._change("net_load_torch", _library.as_path(path), byref(self._torch_options(prefix, names, ignore_others)))

    def save_torch(self, path, prefix="", names=None):
        """Writes the weights of all layers as a safetensors file for load_state_dict of a PyTorch model.

        prefix and names are those of load_torch.  By default the modules of a chain have the names of
        torch.nn.Sequential, those of other nets the names of their nodes.
        """
        self._read("net_save_torch", _library.as_path(path), byref(self._torch_options(prefix, names)))

    def _torch_options(self, prefix, names, ignore_others=False):
        options = _library.TorchOptions(prefix=_library.as_text(prefix), ignore_others=ignore_others)
        if names is not None:
            listed = [_library.as_text(name) for name in self._in_order(names)]
            options.names, options.n_names = (c_char_p * max(len(listed), 1))(*listed), len(listed)
        return options

    def _in_order(self, names):
        """The names of modules in the order of their layers."""
        if not isinstance(names, dict):
            return list(names)
        for node in names:
            self.weights(node)  # raises for a node without parameters
        by_number = {self.node(node): name for node, name in names.items()}
        if len(by_number) < len(names):
            raise ValueError("names has one node twice")
        return [by_number[number] for number in sorted(by_number)]

    @classmethod
    def load_onnx(cls, path, dtype="float64", external_data=False):
        """Reads a net from a model of ONNX, as PyTorch, Keras and others export it; a file of save_onnx too.

        external_data: whether its numbers may lie in other files of its folder.
        """
        calls, address = calls_for(dtype), c_void_p()
        options = _library.OnnxOptions(external_data=external_data)
        check(calls.net_load_onnx(_library.as_path(path), byref(options), byref(address)))
        return cls._made(calls, address)

    def save_onnx(self, path, opset=13):
        """Writes the net as a model of ONNX, with the scalers inside, for ONNX Runtime and others."""
        self._read("net_save_onnx", _library.as_path(path), byref(_library.OnnxOptions(opset=opset)))

    def write_c(self, path):
        """Writes the net as one C99 file without dependencies: net_predict(x, y), net_jacobian(x, y, J)."""
        self._read("net_write_c", _library.as_path(path), None)

    def __reduce__(self):
        return (type(self).from_bytes, (self.to_bytes(), self.dtype.name, self._exact))

    def copy(self):
        """A copy with the same structure, parameters, scalers and names."""
        address = c_void_p()
        self._read("net_copy", byref(address))
        net = self._made(self._calls, address)
        net._exact = self._exact
        return net

    __copy__ = copy

    def __deepcopy__(self, memo):
        return self.copy()


def _find(what, name):
    """The number of an activation or loss."""
    number = c_int()
    if not getattr(once, what + "_find")(_library.as_text(name), byref(number)):
        raise ValueError(once.errmsg().decode("utf-8", "replace"))
    return number.value
