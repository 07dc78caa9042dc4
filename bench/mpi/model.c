#include "model.h"

#include <math.h>

static double steps_of(int ranks) { return ceil(log2(ranks)); }
static double bytes_moved(const scale_model *m, int ranks) { return 2.0 * (ranks - 1) / ranks * (double)m->bytes; }

double model_sums(const scale_model *m, int ranks) {
  return ranks > 1 ? 3 * steps_of(ranks) * m->latency + bytes_moved(m, ranks) / m->bandwidth : 0;
}

static double alone(const scale_model *m, double rows) { return m->fixed + rows * m->row; }

double model_strong(const scale_model *m, int ranks, int batch) {
  return alone(m, batch) / (ranks * (alone(m, (double)batch / ranks) + model_sums(m, ranks)));
}

double model_weak(const scale_model *m, int ranks, int batch) {
  return alone(m, batch) / (alone(m, batch) + model_sums(m, ranks));
}

double model_rows(const scale_model *m, int ranks, double efficiency) {
  const double rows = (model_sums(m, ranks) * efficiency / (1 - efficiency) - m->fixed) / m->row;
  return rows > 1 ? ceil(rows) : 1;
}
