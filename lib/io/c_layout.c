/* io/c_layout.c: slots are given out as registers are by linear scan: a node takes a free slot that is large enough, or
 * the largest free one, which grows. */
#include "c_layout.h"

#include "alloc.h"
#include "c_parts.h"

typedef struct slot {
  int width, until; /* the last node that reads its values */
} slot;

static void find_last_reads(const nnb_net *net, int *last) {
  for (int k = 1; k <= net->n_nodes; k++) {
    const nnb__node *node = &net->nodes[k - 1];
    last[k - 1] = node->out_col >= 0 ? net->n_nodes : k;
    for (int i = 0; i < node->n_from; i++)
      if (last[node->from[i] - 1] < k) last[node->from[i] - 1] = k;
  }
}

/* The number of the slot for node k of that width. */
static int take_slot(slot *slots, int *n_slots, int k, int width) {
  int best = -1;
  for (int i = 0; i < *n_slots; i++) {
    if (slots[i].until >= k) continue;
    bool fits = slots[i].width >= width, best_fits = best >= 0 && slots[best].width >= width;
    if (best < 0 || (fits && !best_fits) || (fits == best_fits && (slots[i].width < slots[best].width) == fits))
      best = i;
  }
  if (best < 0) slots[best = (*n_slots)++] = (slot){0};
  if (slots[best].width < width) slots[best].width = width;
  return best;
}

static void place_slots(const nnb_net *net, bool scaled, slot *slots, const int *last, nnb__c_layout *out) {
  int n = 0;
  for (int k = 1; k <= net->n_nodes; k++) {
    const nnb__node *node = &net->nodes[k - 1];
    nnb__c_place *p = &out->place[k - 1];
    p->slot = NNB__C_NOWHERE;
    if (nnb__node_is_input(node) && !scaled) continue;
    p->slot = take_slot(slots, &n, k, node->needs.cols);
    slots[p->slot].until = last[k - 1];
  }
  for (int k = 0; k < net->n_nodes; k++) { /* numbers of slots become offsets */
    int64_t at = 0;
    for (int i = 0; i < out->place[k].slot; i++) at += slots[i].width;
    if (out->place[k].slot >= 0) out->place[k].slot = at;
  }
  for (int i = 0; i < n; i++) out->n_slots += slots[i].width;
}

/* One record behind the slots, as large as the largest. */
static void place_record(const nnb_net *net, nnb__c_layout *out) {
  int64_t most = 0;
  for (int k = 0; k < net->n_nodes; k++)
    if (net->nodes[k].ops == &nnb__layer_gru) {
      const int64_t n = NNB__C_RECORD * (int64_t)((const nnb__gru *)net->nodes[k].self)->units;
      most = n > most ? n : most;
    }
  out->record = out->n_slots;
  out->n_slots += most;
}

static int64_t take(int64_t *n, int64_t count) {
  *n += count;
  return *n - count;
}

/* The records of all steps, and h after the last one. */
static void place_gru(const nnb__gru *d, bool step, nnb__c_place *p, nnb__c_layout *out) {
  const int64_t units = d->units, steps = d->steps;
  p->record = take(&out->n_keep, (NNB__C_RECORD * steps + 1) * units);
  p->delta = take(&out->n_d, (NNB__C_DELTA * (step ? steps : 1) + 1) * units);
}

static void place_kept(const nnb_net *net, bool step, nnb__c_layout *out) {
  out->n_keep = out->n_d = net->n_x;
  for (int k = 0; k < net->n_nodes; k++) {
    const nnb__node *node = &net->nodes[k];
    const nnb__c_act *act = nnb__c_act_find(node->activation);
    nnb__c_place *p = &out->place[k];
    const int64_t rows = node->needs.w_rows, cols = node->needs.w_cols;
    bool input = nnb__node_is_input(node);
    p->keep = input ? node->x_col : take(&out->n_keep, node->needs.cols);
    p->d = input ? node->x_col : take(&out->n_d, node->needs.cols);
    p->z = act && act->from_z ? take(&out->n_keep, node->needs.cols) : NNB__C_NOWHERE;
    if (node->ops == &nnb__layer_gru) place_gru(node->self, step, p, out);
    const bool norm = node->ops == &nnb__layer_layernorm || node->ops == &nnb__layer_batchnorm; /* γ is a factor */
    p->w = take(&out->n_weights, norm ? 0 : rows * cols);
    p->factor = take(&out->n_factors, cols);
    p->bias = take(&out->n_biases, node->needs.bias ? cols : 0);
  }
}

nnb_status nnb__c_layout_init(const nnb_net *net, bool scaled, bool step, nnb__c_layout *out) {
  const size_t n = (size_t)net->n_nodes;
  *out = (nnb__c_layout){.place = nnb__zalloc(n, sizeof *out->place)};
  slot *slots = nnb__zalloc(n, sizeof *slots);
  int *last = nnb__zalloc(n, sizeof *last);
  bool made = out->place && slots && last;
  if (made) {
    find_last_reads(net, last);
    place_slots(net, scaled, slots, last, out);
    place_record(net, out);
    place_kept(net, step, out);
  }
  nnb__release(slots);
  nnb__release(last);
  if (made) return NNB_OK;
  nnb__c_layout_clear(out);
  return nnb__fail_nomem("the layout of the C source");
}

void nnb__c_layout_clear(nnb__c_layout *layout) {
  nnb__release(layout->place);
  *layout = (nnb__c_layout){0};
}
