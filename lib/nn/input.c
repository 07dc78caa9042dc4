/* nn/input.c: columns of x.  The plan provides its A directly; nothing is computed. */
#include "layer.h"

static nnb_status shape(void *self, const int *cols, int n_from, nnb_needs *needs) {
  (void)cols, (void)n_from;
  const nnb__input *in = self;
  if (in->units < 1) return nnb_layer_fail(NNB_E_ARG, "an input has %d column(s); wanted at least 1", in->units);
  needs->cols = in->units;
  return NNB_OK;
}

static void forward(const void *self, const nnb_layer_io *io) { (void)self, (void)io; }

static void backward_data(const void *self, const nnb_layer_io *io, int k) { (void)self, (void)io, (void)k; }

static const nnb_attr attrs[] = {{"units", NNB_ATTR_INT, offsetof(nnb__input, units)}, {0}};

const nnb_layer_ops nnb__layer_input = {
    .name = "input",
    .size = sizeof(nnb__input),
    .attrs = attrs,
    .shape = shape,
    .forward = forward,
    .backward_data = backward_data,
};
