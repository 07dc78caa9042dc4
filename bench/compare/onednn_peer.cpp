// oneDNN 2: onednn_peer WORKLOAD THREADS for W1 and W2 (f32): inner products with relu in the forward pass, weights in
// the layout it prefers, plain gradient descent and softmax with cross-entropy by loops.  Weights are a copy in a
// second layout for the pass back where oneDNN wants one.
#include <cmath>
#include <dnnl.hpp>
#include <vector>

#include "peer.h"

#if DNNL_VERSION_MAJOR != 2
#error "written for oneDNN 2, whose primitives are made from descriptors"
#endif

using namespace dnnl;
using tag = memory::format_tag;

static engine cpu(engine::kind::cpu, 0);
static stream queue(cpu);

struct layer {
  int inputs, units;
  inner_product_forward forward;
  inner_product_backward_data back;
  inner_product_backward_weights gradient;
  memory x, a, w, b;      // rows, results, parameters
  memory w_back, dx, da;  // w as the pass back reads it; ∂E/∂x and ∂E/∂z
  memory dw, db;
};

static std::vector<layer> layers;
static int batch;
static size_t n_rows, row;
static float *x, rate, loss;
static int *label;

static float *at(memory &m) { return static_cast<float *>(m.get_data_handle()); }
static memory::desc any(memory::dims dims, tag order) { return {dims, memory::data_type::f32, order}; }

static void descend(memory &to, memory &gradient) {
  float *p = at(to), *g = at(gradient);
  size_t n = to.get_desc().get_size() / sizeof *p;
  for (size_t i = 0; i < n; i++) p[i] -= rate * g[i];
}

// Δ ← (softmax(Z) - unit vector of the class)/batch; the mean of -log of the class's output.
static float softmax_cross_entropy(layer &last, const int *y) {
  int n = last.units;
  float *z = at(last.a), *d = at(last.da);
  double sum_loss = 0;
  for (int i = 0; i < batch; i++, z += n, d += n) {
    float top = z[0], sum = 0;
    for (int j = 1; j < n; j++) top = z[j] > top ? z[j] : top;
    for (int j = 0; j < n; j++) sum += d[j] = expf(z[j] - top);
    for (int j = 0; j < n; j++) d[j] /= sum * (float)batch;
    d[y[i]] -= 1 / (float)batch;
    sum_loss += (double)(logf(sum) - (z[y[i]] - top));
  }
  return (float)(sum_loss / batch);
}

static void go_back(size_t l) {
  layer &q = layers[l];
  if (l) {
    if (q.w_back.get_desc() != q.w.get_desc()) reorder(q.w, q.w_back).execute(queue, q.w, q.w_back);
    q.back.execute(queue, {{DNNL_ARG_DIFF_DST, q.da}, {DNNL_ARG_WEIGHTS, q.w_back}, {DNNL_ARG_DIFF_SRC, q.dx}});
  }
  q.gradient.execute(
      queue,
      {{DNNL_ARG_SRC, q.x}, {DNNL_ARG_DIFF_DST, q.da}, {DNNL_ARG_DIFF_WEIGHTS, q.dw}, {DNNL_ARG_DIFF_BIAS, q.db}});
  queue.wait();
  descend(q.w, q.dw), descend(q.b, q.db);
  if (!l) return;
  float *dx = at(q.dx), *a = at(q.x);
  for (size_t i = 0; i < (size_t)batch * (size_t)q.inputs; i++) dx[i] = a[i] > 0 ? dx[i] : 0;
}

static void step() {
  layers[0].x.set_data_handle(x + row * (size_t)layers[0].inputs);
  for (layer &q : layers)
    q.forward.execute(queue, {{DNNL_ARG_SRC, q.x}, {DNNL_ARG_WEIGHTS, q.w}, {DNNL_ARG_BIAS, q.b}, {DNNL_ARG_DST, q.a}});
  queue.wait();
  loss = softmax_cross_entropy(layers.back(), label + row);
  for (size_t l = layers.size(); l-- > 0;) go_back(l);
  row = row + 2 * (size_t)batch <= n_rows ? row + (size_t)batch : 0;
}

static layer make(int inputs, int units, bool last, layer *before, const float *&init) {
  layer q;
  q.inputs = inputs, q.units = units;
  auto xs = any({batch, inputs}, tag::nc), as = any({batch, units}, tag::nc), bs = any({units}, tag::x);
  auto ws = any({units, inputs}, tag::any);
  primitive_attr attributes;
  if (!last) {
    post_ops relu;
    relu.append_eltwise(1.f, algorithm::eltwise_relu, 0, 0);
    attributes.set_post_ops(relu);
  }
  inner_product_forward::primitive_desc forward({prop_kind::forward_training, xs, ws, bs, as}, attributes, cpu);
  inner_product_backward_data::primitive_desc back({xs, ws, as}, cpu, forward);
  inner_product_backward_weights::primitive_desc gradient({xs, forward.weights_desc(), bs, as}, cpu, forward);
  q.forward = inner_product_forward(forward);
  q.back = inner_product_backward_data(back);
  q.gradient = inner_product_backward_weights(gradient);
  q.x = before ? before->a : memory(xs, cpu, x);
  q.dx = before ? before->da : memory(xs, cpu);
  q.a = memory(as, cpu), q.da = memory(as, cpu);
  q.w = memory(forward.weights_desc(), cpu), q.dw = memory(forward.weights_desc(), cpu);
  q.w_back = back.weights_desc() == forward.weights_desc() ? q.w : memory(back.weights_desc(), cpu);
  q.b = memory(bs, cpu), q.db = memory(bs, cpu);
  memory plain(any({units, inputs}, tag::ab), cpu, const_cast<float *>(init));
  reorder(plain, q.w).execute(queue, plain, q.w);
  queue.wait();
  init += (size_t)inputs * (size_t)units;
  memcpy(at(q.b), init, (size_t)units * sizeof *init);
  init += units;
  return q;
}

int main(int argc, char **argv) {
  const char *workload = argc > 1 ? argv[1] : "";
  bool w1 = !strcmp(workload, "W1");
  std::vector<int> width = w1 ? std::vector<int>{1024, 2048, 2048, 1000} : std::vector<int>{784, 128, 64, 10};
  batch = w1 ? 256 : !strcmp(workload, "W2b32") ? 32 : !strcmp(workload, "W2b128") ? 128 : 60000;
  int warm = w1 ? 4 : batch < 60000 ? 20 : 2, threads = argc > 2 ? atoi(argv[2]) : 1;
  size_t n;
  rate = w1 ? 0.01f : 0.1f;
  x = static_cast<float *>(peer_load(w1 ? "W1x.f32" : "W2x.f32", &n));
  n_rows = n / (size_t)width[0];
  label = static_cast<int *>(peer_load(w1 ? "W1y.i32" : "W2y.i32", nullptr));
  const float *init = static_cast<float *>(peer_load(w1 ? "W1init.f32" : "W2init.f32", nullptr));
  layers.reserve(width.size());
  for (size_t l = 0; l + 1 < width.size(); l++)
    layers.push_back(make(width[l], width[l + 1], l + 2 == width.size(), l ? &layers[l - 1] : nullptr, init));
  for (int i = 0; i < warm; i++) step();
  float seen = loss;
  double rows_per_s = batch * peer_rate(step);
  peer_report("onednn", workload, "f32", threads, w1 ? "samples/s" : "s/epoch",
              w1 ? rows_per_s : (double)n_rows / rows_per_s, (double)seen);
}
