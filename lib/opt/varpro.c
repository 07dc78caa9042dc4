/* opt/varpro.c: steps of lm.c on the problem in a (varpro.h).  They may creep where c follows a through a curved
 * valley; then lm on all variables continues. */
#include <string.h>

#include "alloc.h"
#include "blas_threads.h"
#include "status.h"
#include "varpro.h"

/* a has no effect if moving each of its variables by 1 or its own size changes r by no more than this part. */
static const double least_effect = 1e-3;
static const double slow = 0.7; /* lm takes over if SLOW_OVER iterations leave more than this part of f */
enum { SLOW_OVER = 16 };

/* What is being done. */
typedef enum phase {
  SOLVED,    /* c has been solved for at the start */
  SEARCHING, /* steps of a */
  WHOLE,     /* lm on all variables, from the end of the projection */
  AGAIN,     /* lm on all variables, from the start */
  N_PHASES
} phase;

/* The two methods, which use the same memory one after the other. */
typedef struct run {
  int phase;
  nnb__varpro v;
  nnb__lm whole;
  real *start, *kept;     /* n: where the projection began, and with AGAIN where it ended */
  double value, gradient; /* there */
} run;

/* ---- the algorithm ---------------------------------------------------------------------------------------------- */

/* The first iteration solves for c, which may be enough: derivatives are needed only for the next.  *gained: it lowered
 * f. */
static nnb_status first_iteration(nnb__varpro *v, double before, bool *gained) {
  double f;
  nnb_status status = nnb__varpro_solve(v, v->lm.system.x, &f);
  *gained = !status && f < before;
  if (!*gained) return status;
  v->lm.system.by_qr = v->lm.system.ill;
  nnb__varpro_accept(v);
  nnb__stop_iteration(v->lm.system.stop, f - nnb__varpro_penalty(v, v->all), (nnb__slope){HUGE_VAL, HUGE_VAL},
                      v->lm.other_step, v->all);
  return NNB_OK;
}

/* Solving for c may lead to a saddle: an even target and odd features give c = 0, and then the slope in a is 0 too. */
static bool a_has_no_effect(const nnb__varpro *v) {
  const double least = least_effect * sqrt(2 * v->lm.system.f);
  for (int i = 0; i < v->n_a; i++)
    if (v->lm.system.d[i] * (1 + fabs((double)v->lm.system.x[i])) > least) return false;
  return true;
}

/* Steps of a, until they are slow or end.  If the projection is not finite, lm finds out whether the derivatives are.
 */
static nnb_status search_a(run *u) {
  nnb__varpro *v = &u->v;
  v->solved = true; /* trial is all, and c is solved for */
  /* A small c makes columns of J_a small; without a floor of the scale their variables would take huge steps. */
  if (v->penalty.rho > 0) v->lm.system.floor_part = 0.1;
  nnb_status status = nnb__lm_begin(&v->lm);
  if (status) return status == NNB_E_NUMERIC ? NNB_OK : status;
  v->no_effect = a_has_no_effect(v);
  if (v->no_effect) return NNB_OK;
  u->phase = SEARCHING;
  return nnb__lm_search(&v->lm);
}

static bool ended(const run *u) { return u->v.lm.system.stop->report.stop != NNB_STOP_NONE; }

/* Projects from all, which is the best point so far at any time.  *gained: solving for c lowered f. */
static nnb_status begin(run *u, bool *gained) {
  nnb__varpro *v = &u->v;
  nnb__system *s = &v->lm.system;
  double f;
  const double *given = s->problem->ridge;
  for (int i = 0; i < v->n; i++) v->ridge[i] = given ? given[i] : 0;
  memset(v->penalty.columns, 0, (size_t)v->n_c * sizeof *v->penalty.columns);
  nnb_status status = nnb__system_residuals(s, v->all, v->r, &f);
  if (status) return status;
  if (!isfinite(f)) return nnb__fail(NNB_E_NUMERIC, "a residual is not finite at the start");
  nnb__stop_at_start(s->stop, f, (nnb__slope){HUGE_VAL, HUGE_VAL});
  return ended(u) ? NNB_OK : first_iteration(v, f, gained);
}

static nnb_status project(run *u, bool resumed) {
  nnb__varpro *v = &u->v;
  nnb__stop *stop = v->lm.system.stop;
  bool gained = u->phase == SOLVED && resumed;
  nnb_status status = resumed ? NNB_OK : begin(u, &gained);
  if (!status && u->phase == SEARCHING) status = nnb__lm_search(&v->lm);
  if (!status && gained && nnb__keep_goes_on(stop, false) && v->n_a > 0) status = search_a(u);
  nnb__stop_end(stop, stop->report.value, stop->report.gradient_norm);
  return status;
}

/* Prepares lm on all variables from the end of the projection, or from the start if a has no effect. */
static nnb_status begin_whole(run *u) {
  nnb__lm *lm = &u->whole;
  nnb__system *s = &lm->system;
  const size_t bytes = (size_t)s->n * sizeof *s->x;
  u->phase = u->v.no_effect ? AGAIN : WHOLE;
  u->value = s->stop->report.value, u->gradient = s->stop->report.gradient_norm;
  if (u->phase == AGAIN) memcpy(u->kept, s->x, bytes), memcpy(s->x, u->start, bytes);
  nnb_status status = nnb__lm_begin(lm);
  if (!status && u->phase == AGAIN) nnb__stop_rebase(s->stop, s->f);
  return status;
}

/* Steps of all variables.  If they began at the start, x goes back to the end of the projection if that is better. */
static nnb_status search_whole(run *u, nnb_status status) {
  nnb__lm *lm = &u->whole;
  nnb__system *s = &lm->system;
  if (!status) status = nnb__lm_search(lm);
  if (!status) nnb__lm_end(lm, nnb__lm_gradient_norm(lm));
  if (u->phase != AGAIN || (!status && s->stop->report.value <= u->value)) return status;
  memcpy(s->x, u->kept, (size_t)s->n * sizeof *s->x);
  if (!status) nnb__stop_end(s->stop, u->value, u->gradient);
  return status;
}

/* ---- checkpoints ------------------------------------------------------------------------------------------------- */

static void visit(void *self, nnb__visitor *s) {
  run *u = self;
  const size_t n = (size_t)u->whole.system.n;
  nnb__state_int(s, "phase", 0, N_PHASES - 1, &u->phase);
  nnb__state_reals(s, "start", n, u->start);
  if (u->phase < WHOLE) {
    nnb__varpro_visit(&u->v, s);
    return;
  }
  nnb__lm_visit(&u->whole, s);
}

/* The phase decides what the state has, and where the memory's arrays are. */
static nnb_status resume(run *u, char *memory, bool *resumed) {
  nnb__stop *stop = u->whole.system.stop;
  if (nnb__keep_resumes(stop)) {
    nnb__visitor load = {.way = NNB__STATE_LOAD, .in = stop->keep->from};
    nnb__state_int(&load, "phase", 0, N_PHASES - 1, &u->phase);
    if (load.status) return load.status;
  }
  if (u->phase >= WHOLE) nnb__lm_lay_out(&u->whole, memory);
  u->value = HUGE_VAL; /* a fit keeps its best epoch itself */
  return nnb__keep_begin(stop, visit, u, resumed);
}

/* ---- the call --------------------------------------------------------------------------------------------------- */

static nnb_status minimize(run *u, char *memory) {
  bool resumed;
  nnb_status status = resume(u, memory, &resumed);
  if (status) return status;
  if (u->phase < WHOLE) {
    if (!resumed) nnb__varpro_gather(&u->v);
    status = project(u, resumed);
    if (status || ended(u)) return status;
    nnb__lm_lay_out(&u->whole, memory);
    status = begin_whole(u);
  } else {
    status = nnb__system_restore(&u->whole.system);
  }
  return search_whole(u, status);
}

/* Measures the memory of both phases, which use it one after the other. */
static nnb_status measure(nnb__varpro *v, nnb__lm *whole, size_t *bytes) {
  nnb__arena arena = {0};
  nnb_status status = nnb__system_sizes(&v->lm.system);
  if (status) return status;
  nnb__varpro_count(v);
  nnb__varpro_take(v, &arena);
  status = nnb__system_check_bytes(&v->lm.system, &arena);
  if (!status) status = nnb__lm_measure(whole, bytes);
  if (!status && *bytes < arena.used) *bytes = arena.used;
  return status;
}

static nnb_status least_squares(const nnb_lsq *problem, real *x, nnb__stop *stop) {
  run u = {.v = {.all = x,
                 .lm = {.system = {.model = &nnb__varpro_model, .problem = problem, .stop = stop},
                        .point = x,
                        .slow = slow,
                        .slow_over = SLOW_OVER}},
           .whole = {.system = {.model = &nnb__full_model, .problem = problem, .stop = stop, .x = x},
                     .point = x,
                     .no_region = true}};
  size_t bytes;
  u.whole.accelerates = stop->opts.acceleration != NNB_NONE;
  nnb_status status = measure(&u.v, &u.whole, &bytes);
  if (status) return status;
  const size_t both = 2 * problem->n * sizeof(real); /* the start and a saved point */
  char *memory = bytes <= SIZE_MAX - both - NNB__ALIGN ? nnb__keep_memory(stop, bytes + both + NNB__ALIGN) : NULL;
  if (!memory) return nnb__fail_nomem("the normal equations of varpro");
  char *aligned = nnb__align(memory);
  u.start = (real *)(void *)(aligned + bytes), u.kept = u.start + problem->n;
  memcpy(u.start, x, problem->n * sizeof *x);
  nnb__varpro_take(&u.v, &(nnb__arena){.base = aligned});
  memset(u.v.lm.system.d, 0, (size_t)u.v.n_a * sizeof *u.v.lm.system.d);
  nnb__varpro_order(&u.v);
  if (!(status = nnb__blas_enter())) {
    status = minimize(&u, aligned);
    nnb__blas_leave();
  }
  nnb__release(memory);
  return status;
}

const nnb__optim_ops nnb__algo_varpro = {
    .name = "varpro", .traits = NNB__TRAIT_LINEAR, .descent = 400, .least_squares = least_squares};
