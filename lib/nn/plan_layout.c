/* nn/plan_layout.c: lays out the memory of a plan. */
#include "plan_layout.h"

#include "alloc.h"
#include "chain_blocks_kernel.h"
#include "run.h"
#include "view.h"

static nnb_mat take_mat(nnb__arena *arena, int rows, int cols) {
  size_t n;
  if (!nnb__mul((size_t)rows, (size_t)cols, &n)) arena->overflow = true;
  return (nnb_mat){nnb__arena_take(arena, n, sizeof(real)), rows, cols, cols};
}

/* Whether node k or one before it has parameters. */
static bool has_params_before(const nnb_net *net, const nnb__state *state, int k) {
  const nnb__node *node = &net->nodes[k];
  if (node->needs.w_cols > 0) return true;
  for (int i = 0; i < node->n_from; i++)
    if (state[node->from[i] - 1].needs_d) return true;
  return false;
}

static void lay_out_backward(nnb_plan *p, nnb__arena *arena, const nnb__node *node, nnb__state *s) {
  int rows = p->max_rows, cols = node->needs.cols;
  s->d = take_mat(arena, rows, cols);
  if (node->out_col >= 0 && node->n_consumers > 0) s->tap = take_mat(arena, rows, cols);
  if (p->want & NNB_KEEP) s->da = take_mat(arena, rows, cols);
}

/* Whether every node reads the one before it, and only the last is an output. */
static bool is_chain(const nnb_net *net) {
  for (int k = 1; k < net->n_nodes; k++) {
    const nnb__node *node = &net->nodes[k];
    if (node->n_from != 1 || node->from[0] != k || (node->out_col >= 0) != (k == net->n_nodes - 1)) return false;
  }
  return net->nodes[0].out_col < 0;
}

/* A chain that only predicts needs two matrices: the one being read and the one being written.  Layers that share a
 * matrix share its leading dimension, so threads stay within their rows.  The last layer has a matrix without gaps,
 * because it is copied to the caller. */
static void lay_out_pair(nnb_plan *p, nnb__arena *arena) {
  int widest[2] = {0};
  for (int k = 1; k < p->net->n_nodes - 1; k++) {
    int cols = p->net->nodes[k].needs.cols;
    if (cols > widest[k % 2]) widest[k % 2] = cols;
  }
  for (int i = 0; i < 2; i++) p->pair[i] = take_mat(arena, p->max_rows, widest[i]);
}

static void lay_out_node(nnb_plan *p, nnb__arena *arena, int k) {
  const nnb__node *node = &p->net->nodes[k];
  nnb__state s = {.first_node = -1};
  int rows = p->max_rows, cols = node->needs.cols;
  bool back = p->want & (NNB_GRAD | NNB_DX | NNB_ROWS), keep = p->want & NNB_KEEP;
  if (node->activation != NNB_LINEAR) s.act = nnb__net_act(p->net, node->activation);
  if (node->out_col >= 0) {
    s.loss = nnb__net_loss_ops(p->net, node);
    s.fused = s.loss->fused && (int)s.loss->fuses == node->activation;
  }
  if (!nnb__node_is_input(node)) {
    size_t n_scratch;
    bool apart = keep || ((back || p->want & NNB_DT) && s.act && (s.act->traits & NNB_ACT_NEEDS_Z));
    s.z = p->alternates && node->out_col < 0 ? nnb__cols(p->pair[k % 2], 0, cols) : take_mat(arena, rows, cols);
    s.a = apart ? take_mat(arena, rows, cols) : s.z;
    s.out = nnb__read(s.a);
    if (!nnb__mul((size_t)rows, node->needs.scratch, &n_scratch)) arena->overflow = true;
    s.scratch = nnb__arena_take(arena, n_scratch, sizeof(real));
    s.work = nnb__arena_take(arena, node->needs.work, sizeof(real));
    if (keep) s.slope = take_mat(arena, rows, cols);
  }
  s.needs_d = back && ((p->want & NNB_DX) || (p->state && has_params_before(p->net, p->state, k)));
  if (back && (!nnb__node_is_input(node) || (p->want & NNB_DX))) lay_out_backward(p, arena, node, &s);
  if (p->state) p->state[k] = s;
}

static void lay_out_rows(nnb_plan *p, nnb__arena *arena) {
  const nnb_net *net = p->net;
  size_t rows = (size_t)p->max_rows;
  bool gathers = p->want & NNB_GRAD;
  if (gathers || net->in.shift || p->want & NNB_KEEP) p->x = take_mat(arena, p->max_rows, net->n_x);
  if (gathers || net->out.shift) p->t = take_mat(arena, p->max_rows, net->n_y);
  if (!gathers) return;
  p->label = nnb__arena_take(arena, rows, sizeof *p->label);
  p->weight = nnb__arena_take(arena, rows, sizeof *p->weight);
}

/* The most rows of derivatives at a time: the copy of W that the BLAS makes for each product then costs little. */
enum { MOST_TILE_ROWS = 512 };

static void lay_out_tiles(nnb_plan *p, nnb__arena *arena) {
  const nnb_net *net = p->net;
  const size_t threads = (size_t)p->threads, n = (size_t)net->n_nodes;
  const int directions = net->n_x < net->n_y ? net->n_x : net->n_y;
  int widest = 1;
  p->tile_rows = directions <= MOST_TILE_ROWS / p->max_rows ? directions * p->max_rows : MOST_TILE_ROWS;
  p->tiles = nnb__arena_take(arena, threads * n, sizeof *p->tiles);
  p->slopes = nnb__arena_take(arena, threads, sizeof *p->slopes);
  for (size_t i = 0; i < threads * n; i++) {
    const nnb_mat rows = take_mat(arena, p->tile_rows, net->nodes[i % n].needs.cols);
    if (p->tiles) p->tiles[i] = rows;
    if (rows.cols > widest) widest = rows.cols;
  }
  for (size_t i = 0; i < threads; i++) {
    const nnb_mat rows = take_mat(arena, p->max_rows < p->tile_rows ? p->max_rows : p->tile_rows, widest);
    if (p->slopes) p->slopes[i] = rows;
  }
}

/* With NNB_DT, as many directions as inputs; with NNB_SECOND second derivatives along one direction. */
static void lay_out_jets(nnb_plan *p, nnb__arena *arena) {
  const bool all = p->want & NNB_DT, second = p->want & NNB_SECOND;
  int rows = p->max_rows;
  if (all && __builtin_mul_overflow(rows, p->net->n_x, &rows)) arena->overflow = true;
  p->jets = nnb__arena_take(arena, (size_t)p->net->n_nodes, sizeof *p->jets);
  if (all) p->dt = take_mat(arena, rows, p->net->n_y);
  for (int k = 0; k < p->net->n_nodes; k++) {
    const nnb__node *node = &p->net->nodes[k];
    const bool layer = !nnb__node_is_input(node);
    const int cols = node->needs.cols;
    nnb__jet jet = {.a1 = take_mat(arena, rows, cols), .d1 = take_mat(arena, rows, cols)};
    if (layer) jet.z1 = take_mat(arena, rows, cols), jet.f1 = take_mat(arena, p->max_rows, cols);
    if (layer) jet.f2 = take_mat(arena, p->max_rows, cols);
    if (all && node->out_col >= 0 && node->n_consumers > 0) jet.tap = take_mat(arena, rows, cols);
    if (second) jet.a2 = take_mat(arena, p->max_rows, cols), jet.d2 = take_mat(arena, p->max_rows, cols);
    if (second && layer) jet.z2 = take_mat(arena, p->max_rows, cols), jet.f3 = take_mat(arena, p->max_rows, cols);
    if (p->jets) p->jets[k] = jet;
  }
}

/* In the backward pass the last consumer is the first to write d. */
static void find_first_writers(nnb_plan *p) {
  for (int i = 0; i < p->net->n_nodes; i++) {
    const nnb__node *node = &p->net->nodes[i];
    for (int k = node->n_from - 1; k >= 0; k--) {
      nnb__state *source = &p->state[node->from[k] - 1];
      source->first_node = i, source->first_k = k;
    }
  }
}

void nnb__plan_count_outputs(nnb_plan *p) {
  p->n_outputs = 0, p->longest = 1, p->flops = 0;
  for (int i = 0; i < p->net->n_nodes; i++) {
    const nnb__node *node = &p->net->nodes[i];
    if (node->out_col >= 0) p->n_outputs++;
    if (node->n_from > p->longest) p->longest = node->n_from;
    p->flops += 2.0 * node->needs.w_rows * node->needs.cols + 8.0 * node->needs.cols;
  }
}

/* Lays out everything after the plan itself; called once to measure and once to hand out. */
void nnb__plan_lay_out(nnb_plan *p, nnb__arena *arena) {
  size_t n_nodes = (size_t)p->net->n_nodes, threads = (size_t)p->threads, longest = (size_t)p->longest;
  p->state = nnb__arena_take(arena, n_nodes, sizeof *p->state);
  p->outputs = nnb__arena_take(arena, (size_t)p->n_outputs, sizeof *p->outputs);
  p->partial = nnb__arena_take(arena, threads * (size_t)p->n_outputs, sizeof *p->partial);
  if (p->exact) {
    const size_t n = (size_t)p->max_rows * (size_t)p->n_outputs; /* and up to whole vectors, for chain_blocks */
    p->rows_loss = nnb__arena_take(arena, n + (size_t)NNB__CHAIN_BLOCKS_LANES, sizeof *p->rows_loss);
  }
  p->from = nnb__arena_take(arena, threads * longest, sizeof *p->from);
  p->from_d = nnb__arena_take(arena, threads * longest, sizeof *p->from_d);
  p->from_t = nnb__arena_take(arena, threads * longest, sizeof *p->from_t);
  p->runs = nnb__arena_take(arena, threads, sizeof *p->runs);
  if (p->want & NNB_KEEP) p->g = nnb__arena_take(arena, p->net->n_params, sizeof *p->g);
  if (p->group > 1 && p->want & NNB_GRAD)
    p->group_sums = nnb__arena_take(arena, NNB__GROUP_SUMS * p->net->n_params, sizeof *p->group_sums);
  lay_out_rows(p, arena);
  p->alternates = p->want == 0 && is_chain(p->net);
  if (p->alternates) lay_out_pair(p, arena);
  for (int k = 0; k < p->net->n_nodes; k++) lay_out_node(p, arena, k);
  if (p->want & NNB_DX) lay_out_tiles(p, arena);
  if (p->want & (NNB_SECOND | NNB_DT)) lay_out_jets(p, arena);
  nnb__plan_lay_out_execs(p, arena);
  if (!arena->base) return;
  find_first_writers(p);
  for (int k = 0, o = 0; k < p->net->n_nodes; k++)
    if (p->net->nodes[k].out_col >= 0) p->state[k].output = o, p->outputs[o++] = k;
}
