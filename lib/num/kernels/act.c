/* num/kernels/act.c: the activations over views, built once per level (see kernels.h): loops over the functions of
 * act_vec.h and softmax.h, and the table, from activations.def. */
#include "act.h"
#include "act_vec.h"
#include "softmax.h"

/* ---- row-wise activations ---- */

typedef void row_fn(int n, const real *z, real *a);
typedef void row_pull_fn(int n, const real *a, real *d);

INLINE void map_rows(nnb_cmat z, nnb_mat a, row_fn f) {
  for (int i = 0; i < z.rows; i++) f(z.cols, nnb__crow(z, i), nnb__row(a, i));
}
INLINE void pull_rows(nnb_cmat a, nnb_mat d, row_pull_fn f) {
  for (int i = 0; i < a.rows; i++) f(a.cols, nnb__crow(a, i), nnb__row(d, i));
}

/* ---- element by element; linear has nothing to do in place ---- */

INLINE void map_elements(nnb_activation act, nnb_cmat z, nnb_mat a, vec_fn f) {
  if (act != NNB_LINEAR || a.p != z.p) map(z, a, f);
}
INLINE void pull_elements(nnb_activation act, nnb_cmat slope_from, nnb_mat d, vec_fn2 f) {
  if (act != NNB_LINEAR) map2(slope_from, d, f);
}

/* ---- for each activation: name_view and name_view_pull ---- */

#define VALUE(name) static void name##_view(const nnb_act_ops *self, nnb_cmat z, nnb_mat a)
#define PULL(name)  static void name##_view_pull(const nnb_act_ops *self, nnb_cmat z, nnb_cmat a, nnb_mat d)

#define FROM_A(NAME, name)                                            \
  VALUE(name) { (void)self, map_elements(NAME, z, a, name##_value); } \
  PULL(name) { (void)self, (void)z, pull_elements(NAME, a, d, name##_pull); }
#define FROM_Z(NAME, name)                                            \
  VALUE(name) { (void)self, map_elements(NAME, z, a, name##_value); } \
  PULL(name) { (void)self, (void)a, pull_elements(NAME, z, d, name##_pull); }
#define ROWWISE(NAME, name)                               \
  VALUE(name) { (void)self, map_rows(z, a, name##_row); } \
  PULL(name) { (void)self, (void)z, pull_rows(a, d, name##_row_pull); }
#include "activations.def"

/* ---- the table ---- */

#define ROW(NAME, called, its_traits)   \
  [NAME] = {.name = #called,            \
            .traits = its_traits,       \
            .value = called##_view,     \
            .pull = called##_view_pull, \
            .push = called##_view_pull}, /* all of these Jacobians are symmetric */
#define FROM_A(NAME, name)    ROW(NAME, name, 0)
#define FROM_Z(NAME, name)    ROW(NAME, name, NNB_ACT_NEEDS_Z)
#define ROWWISE(NAME, name)   ROW(NAME, name, NNB_ACT_ROWWISE)
#define LAYERWISE(NAME, name) ROW(NAME, name, NNB_ACT_ROWWISE)
const nnb_act_ops NNB__ACTS[NNB_N_ACTIVATIONS] = {
#include "activations.def"
};
