// oneDNN 2 or 3: onednn_peer WORKLOAD THREADS for W1, W2 and W10 (f32): inner products with relu or tanh in the forward
// pass, weights in the layout it prefers, plain gradient descent and the losses by loops.  Weights are a copy in a
// second layout for the pass back where oneDNN wants one.
#include <cmath>
#include <dnnl.hpp>
#include <vector>

#include "peer.h"

#if DNNL_VERSION_MAJOR != 2 && DNNL_VERSION_MAJOR != 3
#error "written for oneDNN 2 and 3"
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
static int *label;     // or
static float *target;  // 0 or 1

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

// Δ ← (σ(Z) - target)/batch for one output; the mean of log(1 + e^-z) where the target is 1, of log(1 + e^z) elsewhere.
static float binary_cross_entropy(layer &last, const float *t) {
  float *z = at(last.a), *d = at(last.da);
  double sum_loss = 0;
  for (int i = 0; i < batch; i++) {
    d[i] = (1 / (1 + expf(-z[i])) - t[i]) / (float)batch;
    sum_loss += (double)((z[i] > 0 ? z[i] : 0) - z[i] * t[i] + log1pf(expf(-fabsf(z[i]))));
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
  const size_t n = (size_t)batch * (size_t)q.inputs;
  if (target)
    for (size_t i = 0; i < n; i++) dx[i] *= 1 - a[i] * a[i];
  else
    for (size_t i = 0; i < n; i++) dx[i] = a[i] > 0 ? dx[i] : 0;
}

static void step() {
  layers[0].x.set_data_handle(x + row * (size_t)layers[0].inputs);
  for (layer &q : layers)
    q.forward.execute(queue, {{DNNL_ARG_SRC, q.x}, {DNNL_ARG_WEIGHTS, q.w}, {DNNL_ARG_BIAS, q.b}, {DNNL_ARG_DST, q.a}});
  queue.wait();
  loss = target ? binary_cross_entropy(layers.back(), target + row) : softmax_cross_entropy(layers.back(), label + row);
  for (size_t l = layers.size(); l-- > 0;) go_back(l);
  row = row + 2 * (size_t)batch <= n_rows ? row + (size_t)batch : 0;
}

struct descriptions {
  inner_product_forward::primitive_desc forward;
  inner_product_backward_data::primitive_desc back;
  inner_product_backward_weights::primitive_desc gradient;
};

// The three products of a layer, with an activation behind the first unless it is the last.
#if DNNL_VERSION_MAJOR == 2
static descriptions describe(memory::desc xs, memory::desc ws, memory::desc bs, memory::desc as, bool last) {
  primitive_attr attributes;
  post_ops act;
  if (!last) act.append_eltwise(1.f, target ? algorithm::eltwise_tanh : algorithm::eltwise_relu, 0, 0);
  attributes.set_post_ops(act);
  descriptions d;
  d.forward = {{prop_kind::forward_training, xs, ws, bs, as}, attributes, cpu};
  d.back = {{xs, ws, as}, cpu, d.forward};
  d.gradient = {{xs, d.forward.weights_desc(), bs, as}, cpu, d.forward};
  return d;
}
#else
static descriptions describe(memory::desc xs, memory::desc ws, memory::desc bs, memory::desc as, bool last) {
  primitive_attr attributes;
  post_ops act;
  if (!last) act.append_eltwise(target ? algorithm::eltwise_tanh : algorithm::eltwise_relu, 0, 0);
  attributes.set_post_ops(act);
  descriptions d;
  d.forward = {cpu, prop_kind::forward_training, xs, ws, bs, as, attributes};
  d.back = {cpu, xs, ws, as, d.forward};
  d.gradient = {cpu, xs, d.forward.weights_desc(), bs, as, d.forward};
  return d;
}
#endif

static layer make(int inputs, int units, bool last, layer *before, const float *&init) {
  layer q;
  q.inputs = inputs, q.units = units;
  auto xs = any({batch, inputs}, tag::nc), as = any({batch, units}, tag::nc), bs = any({units}, tag::x);
  auto ws = any({units, inputs}, tag::any);
  const descriptions d = describe(xs, ws, bs, as, last);
  q.forward = inner_product_forward(d.forward);
  q.back = inner_product_backward_data(d.back);
  q.gradient = inner_product_backward_weights(d.gradient);
  q.x = before ? before->a : memory(xs, cpu, x);
  q.dx = before ? before->da : memory(xs, cpu);
  q.a = memory(as, cpu), q.da = memory(as, cpu);
  q.w = memory(d.forward.weights_desc(), cpu), q.dw = memory(d.forward.weights_desc(), cpu);
  q.w_back = d.back.weights_desc() == d.forward.weights_desc() ? q.w : memory(d.back.weights_desc(), cpu);
  q.b = memory(bs, cpu), q.db = memory(bs, cpu);
  memory plain(any({units, inputs}, tag::ab), cpu, const_cast<float *>(init));
  reorder(plain, q.w).execute(queue, plain, q.w);
  queue.wait();
  init += (size_t)inputs * (size_t)units;
  memcpy(at(q.b), init, (size_t)units * sizeof *init);
  init += units;
  return q;
}

struct work {
  const char *name, *data;
  std::vector<int> width;
  int batch, warm;
  float rate;
};
static const work works[] = {{"W1", "W1", {1024, 2048, 2048, 1000}, 256, 4, 0.01f},
                             {"W2b32", "W2", {784, 128, 64, 10}, 32, 20, 0.1f},
                             {"W2b128", "W2", {784, 128, 64, 10}, 128, 20, 0.1f},
                             {"W2full", "W2", {784, 128, 64, 10}, 60000, 2, 0.1f},
                             {"W10", "W10", {28, 300, 300, 300, 300, 300, 1}, 100, 20, 0.05f}};

static void *load(const work &w, const char *suffix, size_t *n) {
  char name[32];
  snprintf(name, sizeof name, "%s%s", w.data, suffix);
  return peer_load(name, n);
}

int main(int argc, char **argv) {
  const work *found = nullptr;
  for (const work &w : works)
    if (argc == 3 && !strcmp(argv[1], w.name)) found = &w;
  if (!found) return fprintf(stderr, "usage: onednn_peer W1|W2b32|W2b128|W2full|W10 THREADS\n"), 2;
  const work &w = *found;
  size_t n;
  batch = w.batch, rate = w.rate;
  x = static_cast<float *>(load(w, "x.f32", &n));
  n_rows = n / (size_t)w.width[0];
  if (w.width.back() == 1)
    target = static_cast<float *>(load(w, "y.f32", nullptr));
  else
    label = static_cast<int *>(load(w, "y.i32", nullptr));
  const float *init = static_cast<float *>(load(w, "init.f32", nullptr));
  layers.reserve(w.width.size());
  for (size_t l = 0; l + 1 < w.width.size(); l++)
    layers.push_back(make(w.width[l], w.width[l + 1], l + 2 == w.width.size(), l ? &layers[l - 1] : nullptr, init));
  for (int i = 0; i < w.warm; i++) step();
  float seen = loss;
  double rows_per_s = batch * peer_rate(step, (long)(n_rows / (size_t)batch));
  bool epochs = w.name[1] == '2';
  peer_report("onednn", w.name, "f32", atoi(argv[2]), epochs ? "s/epoch" : "samples/s",
              epochs ? (double)n_rows / rows_per_s : rows_per_s, (double)seen);
}
