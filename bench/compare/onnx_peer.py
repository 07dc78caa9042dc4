"""ONNX Runtime: predictions, as one session with the weights as constants."""
from peer import *  # noqa: F403

import onnx  # noqa: E402
import onnxruntime  # noqa: E402
from onnx import helper, numpy_helper  # noqa: E402

ACTIVATIONS = {"relu": "Relu", "softmax": "Softmax"}
KIND = onnx.TensorProto.FLOAT if DTYPE == "f32" else onnx.TensorProto.DOUBLE


def model():
    nodes, constants, last = [], [], "x"
    for l, (w, b) in enumerate(weights()):
        constants += [numpy_helper.from_array(w.T.copy(), f"w{l}"), numpy_helper.from_array(b, f"b{l}")]
        nodes.append(helper.make_node("Gemm", [last, f"w{l}", f"b{l}"], [f"z{l}"]))
        last = f"z{l}"
        name = HIDDEN if l + 2 < len(WIDTHS) else OUTPUT
        if name != "linear":
            nodes.append(helper.make_node(ACTIVATIONS[name], [last], [f"a{l}"]))
            last = f"a{l}"
    ends = [helper.make_tensor_value_info(name, KIND, [BATCH, width])
            for name, width in (("x", WIDTHS[0]), (last, WIDTHS[-1]))]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    made.ir_version = 8
    return made.SerializeToString(), last


options = onnxruntime.SessionOptions()
options.intra_op_num_threads = THREADS
options.inter_op_num_threads = 1
text, output = model()
session = onnxruntime.InferenceSession(text, options, providers=["CPUExecutionProvider"])
binding = session.io_binding()
X = rows()
binding.bind_cpu_input("x", X)
binding.bind_output(output)
report("onnxruntime", rate(lambda: session.run_with_iobinding(binding), BATCH))
