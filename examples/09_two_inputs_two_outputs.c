/* Lesson 9: a net that is not a chain.  Two inputs u and v are added into a hidden layer h; two outputs p and q read h,
 * and q reads u as well.  The error reaches h by two paths and u by two, and derivatives over paths are added.
 *
 *     u ──┬── u_in ──┐                 ┌── p     E = E_p + 2·E_q,  each E ½(t - a)²
 *         │          + ── h = tanh(·) ─┤
 *     v ──│── v_in ──┘                 └──┐
 *         └───────────────────────────────┴── q */
#include "show.h"

enum { H = 2 };

typedef struct nodes {
  int u, v, u_in, v_in, h, p, h_and_u, q;
} nodes;

static nnb_net *build(nodes *n) {
  nnb_net *net = must_have(nnb_net_create(1), "net");
  n->u = 1;
  n->v = must(nnb_net_input(net, 1, "v"));
  n->u_in = must(nnb_net_dense_opts(net, &(nnb_dense_opts){.units = H, .from = n->u, .name = "u_in"}));
  n->v_in = must(nnb_net_dense_opts(net, &(nnb_dense_opts){.units = H, .from = n->v, .name = "v_in", .no_bias = true}));
  n->h = must(nnb_net_add(net, (int[]){n->u_in, n->v_in}, 2, NNB_TANH));
  n->p = must(
      nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 1, .from = n->h, .activation = NNB_SIGMOID, .name = "p"}));
  n->h_and_u = must(nnb_net_concat(net, (int[]){n->h, n->u}, 2));
  n->q = must(nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 1, .from = n->h_and_u, .name = "q"}));
  must(nnb_net_output(net, n->p));
  must(nnb_net_output(net, n->q));
  must(nnb_net_output_loss(net, n->p, NNB_HALF_SSE, 1));
  must(nnb_net_output_loss(net, n->q, NNB_HALF_SSE, 2));
  return net;
}

static const nnb_real w_u[] = {0.5, -0.4}, b_u[] = {0.1, 0.2}, w_v[] = {0.3, 0.8}; /* 1×H each */
static const nnb_real w_p[] = {0.7, -0.6}, b_p[] = {0.05};                         /* H×1: from h */
static const nnb_real w_q[] = {-0.9, 0.4, 0.25}, b_q[] = {-0.1};                   /* (H+1)×1: from h, then u */

static void set_parameters(nnb_net *net, const nodes *n) {
  must(nnb_net_set_weights(net, n->u_in, nnb_cview(w_u, 1, H)));
  must(nnb_net_set_bias(net, n->u_in, nnb_cview(b_u, 1, H)));
  must(nnb_net_set_weights(net, n->v_in, nnb_cview(w_v, 1, H)));
  must(nnb_net_set_weights(net, n->p, nnb_cview(w_p, H, 1)));
  must(nnb_net_set_bias(net, n->p, nnb_cview(b_p, 1, 1)));
  must(nnb_net_set_weights(net, n->q, nnb_cview(w_q, H + 1, 1)));
  must(nnb_net_set_bias(net, n->q, nnb_cview(b_q, 1, 1)));
}

static void show_paths(const nnb_plan *plan, const nodes *n) {
  double dp = kept_at(plan, n->p, NNB_DELTA, 0, 0), dq = kept_at(plan, n->q, NNB_DELTA, 0, 0);
  puts("\nBackward.  What reaches h by way of p, by way of q, and together:\n");
  show_number("delta_p", dp, "∂E/∂z_p");
  show_number("delta_q", dq, "∂E/∂z_q, with the factor 2 of its loss");
  show_matrix("h_by_p", nnb_cview((nnb_real[]){dp * w_p[0], dp * w_p[1]}, 1, H), "");
  show_matrix("h_by_q", nnb_cview((nnb_real[]){dq * w_q[0], dq * w_q[1]}, 1, H), "");
  show_matrix("dE_dh", kept(plan, n->h, NNB_DA), "the library's: their sum");
  show_matrix("delta_h", kept(plan, n->h, NNB_DELTA), "times the slope 1 - h²");
  puts("\nAn addition hands the derivative on to both sides as it is:\n");
  show_matrix("delta_u_in", kept(plan, n->u_in, NNB_DELTA), "");
  show_matrix("delta_v_in", kept(plan, n->v_in, NNB_DELTA), "");
  show_matrix("dW_u", kept(plan, n->u_in, NNB_DW), "u·δ");
  show_matrix("dW_v", kept(plan, n->v_in, NNB_DW), "v·δ");
  show_matrix("dW_p", kept(plan, n->p, NNB_DW), "");
  show_matrix("dW_q", kept(plan, n->q, NNB_DW), "");
}

/* Derivatives of the outputs by the inputs: vᵀ·∂(p, q)/∂(u, v). */
static void show_inputs(nnb_net *net, nnb_cmat x) {
  nnb_plan *plan = NULL;
  nnb_real dp[2], dq[2];
  must(nnb_plan_create(net, &(nnb_plan_opts){.want = NNB_DX}, &plan));
  must(nnb_plan_vjp(plan, x, nnb_cview((nnb_real[]){1, 0}, 1, 2), nnb_view(dp, 1, 2)));
  must(nnb_plan_vjp(plan, x, nnb_cview((nnb_real[]){0, 1}, 1, 2), nnb_view(dq, 1, 2)));
  puts("\nHow the outputs follow the inputs.  q follows u through h and directly, and again the two are added:\n");
  show_matrix("dp_duv", nnb_cview(dp, 1, 2), "");
  show_matrix("dq_duv", nnb_cview(dq, 1, 2), "");
  nnb_plan_destroy(plan);
}

int main(int argc, char **argv) {
  show_start(argc, argv, "9. Two inputs, two outputs, and gradients that add over paths", 6);
  const nnb_real x[] = {0.6, -0.3}, t[] = {1, 0.5};
  nodes n;
  nnb_net *net = build(&n);
  set_parameters(net, &n);
  nnb_plan *plan = show_plan(net, 1);
  nnb_batch batch = {.x = nnb_cview(x, 1, 2), .t = nnb_cview(t, 1, 2)};
  nnb_real g[16];
  double e, worst;
  must(nnb_plan_gradient(plan, &batch, 0, &e, g));

  puts(
      "Several inputs are column ranges of one x, several outputs of one t: x = (u, v) = (0.6, -0.3), t = (1, 0.5).\n");
  show_matrix("h", kept(plan, n.h, NNB_A), "");
  show_number("p", kept_at(plan, n.p, NNB_A, 0, 0), "");
  show_number("q", kept_at(plan, n.q, NNB_A, 0, 0), "");
  show_number("loss", e, "E_p + 2·E_q");
  show_paths(plan, &n);
  show_inputs(net, batch.x);
  must(nnb_check_gradient(net, &batch, &worst));
  puts("\nAll of it against central differences:\n");
  show_number("worst_error", worst, "relative");
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}
