/* Bad calls with nets, data, options and files (tests/bad.h); bad building calls are in test_bad_nets.c. */
#include <limits.h>
#include <sys/stat.h>

#include "bad.h"

static real dx[N * N_IN], grad[100], jacobian[N * N_OUT * N_IN];
static nnb_cmat view;

/* ---- NULL ----------------------------------------------------------------------------------------------------------
 */

START_TEST(null_for_nets) {
  nnb_net *other = net;
  int from[] = {1};
  nnb_dense_opts dense = {.units = 1};
  bad(NNB_E_ARG, "NULL", nnb_net_parse(NULL, &other));
  bad(NNB_E_ARG, "NULL", nnb_net_parse("2-1", NULL));
  bad(NNB_E_ARG, "NULL", nnb_net_copy(NULL, &other));
  bad(NNB_E_ARG, "NULL", nnb_net_copy(net, NULL));
  bad(NNB_E_ARG, "NULL", nnb_net_dense(NULL, 1, NNB_TANH));
  bad(NNB_E_ARG, "NULL", nnb_net_dense_opts(NULL, &dense));
  bad(NNB_E_ARG, "NULL", nnb_net_input(NULL, 1, "x"));
  bad(NNB_E_ARG, "NULL", nnb_net_activation(NULL, 0, NNB_TANH));
  bad(NNB_E_ARG, "NULL", nnb_net_add(NULL, from, 1, NNB_TANH));
  bad(NNB_E_ARG, "NULL", nnb_net_concat(NULL, from, 1));
  bad(NNB_E_ARG, "NULL", nnb_net_output(NULL, 1));
  bad(NNB_E_ARG, "NULL", nnb_net_loss(NULL, NNB_MSE));
  bad(NNB_E_ARG, "NULL", nnb_net_output_loss(NULL, 1, NNB_MSE, 1));
  bad(NNB_E_ARG, "NULL", nnb_net_seed(NULL, 1));
  bad(NNB_E_ARG, "NULL", nnb_net_status(NULL));
  bad(NNB_E_ARG, "NULL", nnb_net_init(NULL, 1));
  bad(NNB_E_ARG, "NULL", nnb_net_standardize(NULL, data));
  bad(NNB_E_ARG, "NULL", nnb_net_scale_inputs(NULL, data, NNB_MINMAX));
  bad(NNB_E_ARG, "NULL", nnb_net_scale_targets(NULL, data, NNB_MINMAX));
  bad(NNB_E_ARG, "NULL", nnb_net_own_activation(NULL, &toy_bump));
  bad(NNB_E_ARG, "NULL", nnb_net_own_loss(NULL, &toy_quartic));
  bad(NNB_E_ARG, "NULL", nnb_net_own_layer(NULL, &toy_gain, &(toy_gain_fields){1, 1}, NULL, 0, NNB_LINEAR, NULL));
  bad(NNB_E_ARG, "NULL", nnb_net_summary(NULL, stdout));
  bad(NNB_E_ARG, "NULL", nnb_net_summary(net, NULL));
  bad(NNB_E_ARG, "NULL", nnb_net_weights(NULL, 2, &view));
  bad(NNB_E_ARG, "NULL", nnb_net_weights(net, 2, NULL));
  bad(NNB_E_ARG, "NULL", nnb_net_bias(NULL, 2, &view));
  bad(NNB_E_ARG, "NULL", nnb_net_bias(net, 2, NULL));
  bad(NNB_E_ARG, "NULL", nnb_net_set_weights(NULL, 2, nnb_cview(before, 3, 4)));
  bad(NNB_E_SHAPE, "NULL", nnb_net_set_weights(net, 2, nnb_cview(NULL, 3, 4)));
  bad(NNB_E_ARG, "NULL", nnb_net_set_bias(NULL, 2, nnb_cview(before, 1, 4)));
  bad(NNB_E_SHAPE, "NULL", nnb_net_set_bias(net, 2, nnb_cview(NULL, 1, 4)));
  bad(NNB_E_ARG, "NULL", nnb_net_freeze(NULL, 2, NNB_BIAS));
  bad(NNB_E_ARG, "NULL", nnb_net_save(NULL, "x"));
  bad(NNB_E_ARG, "NULL", nnb_net_save(net, NULL));
  bad(NNB_E_ARG, "NULL", nnb_net_load(NULL, NULL, &other));
  bad(NNB_E_ARG, "NULL", nnb_net_load("x", NULL, NULL));
  bad(NNB_E_ARG, "NULL", nnb_net_save_mem(NULL, &file, &bytes));
  bad(NNB_E_ARG, "NULL", nnb_net_save_mem(net, NULL, &bytes));
  bad(NNB_E_ARG, "NULL", nnb_net_save_mem(net, &(void *){NULL}, NULL));
  bad(NNB_E_ARG, "NULL", nnb_net_load_mem(NULL, 1, NULL, &other));
  bad(NNB_E_ARG, "NULL", nnb_net_load_mem(file, bytes, NULL, NULL));
  ck_assert_ptr_null(other);
}
END_TEST

START_TEST(null_for_running) {
  nnb_plan *p = plan;
  nnb_optim *o = optim;
  nnb_metrics m;
  size_t size;
  int32_t label[N];
  nnb_batch without_x = rows;
  without_x.x.p = NULL;
  bad(NNB_E_ARG, "NULL", nnb_fit(NULL, data, NULL, NULL, NULL));
  bad(NNB_E_ARG, "NULL", nnb_fit(net, NULL, NULL, NULL, NULL));
  bad(NNB_E_ARG, "NULL", nnb_evaluate(NULL, data, &m));
  bad(NNB_E_ARG, "NULL", nnb_evaluate(net, NULL, &m));
  bad(NNB_E_ARG, "NULL", nnb_evaluate(net, data, NULL));
  bad(NNB_E_ARG, "NULL", nnb_net_predict(NULL, rows.x, nnb_view(y, 8, N_OUT)));
  bad(NNB_E_ARG, "x is NULL", nnb_net_predict(net, without_x.x, nnb_view(y, 8, N_OUT)));
  bad(NNB_E_ARG, "y is NULL", nnb_net_predict(net, rows.x, nnb_view(NULL, 8, N_OUT)));
  bad(NNB_E_ARG, "NULL", nnb_net_classify(NULL, rows.x, label));
  bad(NNB_E_ARG, "NULL", nnb_net_classify(net, without_x.x, label));
  bad(NNB_E_ARG, "NULL", nnb_net_classify(net, rows.x, NULL));
  bad(NNB_E_ARG, "NULL", nnb_plan_create(NULL, NULL, &p));
  ck_assert_ptr_null(p);
  bad(NNB_E_ARG, "NULL", nnb_plan_create(net, NULL, NULL));
  bad(NNB_E_ARG, "NULL", nnb_plan_bytes(NULL, NULL, &size));
  bad(NNB_E_ARG, "NULL", nnb_plan_bytes(net, NULL, NULL));
  bad(NNB_E_ARG, "NULL", nnb_plan_predict(NULL, rows.x, nnb_view(y, 8, N_OUT)));
  bad(NNB_E_ARG, "NULL", nnb_plan_predict(plan, without_x.x, nnb_view(y, 8, N_OUT)));
  bad(NNB_E_ARG, "NULL", nnb_plan_predict(plan, rows.x, nnb_view(NULL, 8, N_OUT)));
  bad(NNB_E_ARG, "NULL", nnb_plan_loss(NULL, &rows, &loss));
  bad(NNB_E_ARG, "NULL", nnb_plan_loss(plan, NULL, &loss));
  bad(NNB_E_ARG, "NULL", nnb_plan_loss(plan, &rows, NULL));
  bad(NNB_E_ARG, "NULL", nnb_plan_loss(plan, &without_x, &loss));
  bad(NNB_E_ARG, "NULL", nnb_plan_gradient(NULL, &rows, 0, &loss, grad));
  bad(NNB_E_ARG, "NULL", nnb_plan_gradient(plan, NULL, 0, &loss, grad));
  bad(NNB_E_ARG, "NULL", nnb_plan_gradient(plan, &rows, 0, &loss, NULL));
  bad(NNB_E_ARG, "NULL", nnb_plan_view(NULL, 2, NNB_A, &view));
  bad(NNB_E_ARG, "NULL", nnb_plan_view(plan, 2, NNB_A, NULL));
  bad(NNB_E_ARG, "NULL", nnb_optim_create(NULL, NULL, &o));
  ck_assert_ptr_null(o);
  bad(NNB_E_ARG, "NULL", nnb_optim_create(net, NULL, NULL));
  bad(NNB_E_ARG, "NULL", nnb_optim_set_lr(NULL, 1));
  bad(NNB_E_ARG, "NULL", nnb_optim_step(NULL, net, grad));
  bad(NNB_E_ARG, "NULL", nnb_optim_step(optim, NULL, grad));
  bad(NNB_E_ARG, "NULL", nnb_optim_step(optim, net, NULL));
  bad(NNB_E_ARG, "NULL", nnb_train_step(NULL, plan, &rows, optim, &loss));
  bad(NNB_E_ARG, "NULL", nnb_train_step(net, NULL, &rows, optim, &loss));
  bad(NNB_E_ARG, "NULL", nnb_train_step(net, plan, NULL, optim, &loss));
  bad(NNB_E_ARG, "NULL", nnb_train_step(net, plan, &rows, NULL, &loss));
  bad(NNB_E_ARG, "NULL", nnb_train_rows(NULL, plan, &rows, NULL, 0, 1, optim, NULL));
  bad(NNB_E_ARG, "NULL", nnb_train_rows(net, NULL, &rows, NULL, 0, 1, optim, NULL));
  bad(NNB_E_ARG, "NULL", nnb_train_rows(net, plan, NULL, NULL, 0, 1, optim, NULL));
  bad(NNB_E_ARG, "NULL", nnb_train_rows(net, plan, &rows, NULL, 0, 1, NULL, NULL));
  nnb_fdf f = {0};
  nnb_lsq sum = {0};
  nnb_min_report report;
  bad(NNB_E_ARG, "", nnb_minimize(NULL, y, NULL, &report));
  bad(NNB_E_ARG, "", nnb_minimize(&f, y, NULL, &report));
  bad(NNB_E_ARG, "", nnb_least_squares(NULL, y, NULL, &report));
  bad(NNB_E_ARG, "", nnb_least_squares(&sum, y, NULL, &report));
  bad(NNB_E_ARG, "NULL", nnb_plan_rows(NULL, &rows, y, grad, 26));
  bad(NNB_E_ARG, "NULL", nnb_optim_average(NULL, net));
  bad(NNB_E_ARG, "NULL", nnb_optim_average(optim, NULL));
  bad(NNB_E_ARG, "NULL", nnb_optim_epoch(NULL, 1));
  nnb_optim_lr(NULL);
  bad(NNB_E_ARG, "NULL", nnb_check_gradient(NULL, &rows, &loss));
  bad(NNB_E_ARG, "NULL", nnb_check_gradient(net, NULL, &loss));
  bad(NNB_E_ARG, "NULL", nnb_check_gradient(net, &rows, NULL));
}
END_TEST

START_TEST(null_for_derivatives) {
  const nnb_mat J = nnb_view(jacobian, 8, N_OUT * N_IN);
  nnb_batch without_x = rows;
  without_x.x.p = NULL;
  bad(NNB_E_ARG, "NULL", nnb_plan_vjp(NULL, rows.x, nnb_cview(y, 8, N_OUT), nnb_view(dx, 8, N_IN)));
  bad(NNB_E_ARG, "NULL", nnb_plan_vjp(plan, rows.x, nnb_cview(NULL, 8, N_OUT), nnb_view(dx, 8, N_IN)));
  bad(NNB_E_ARG, "NULL", nnb_plan_vjp(plan, rows.x, nnb_cview(y, 8, N_OUT), nnb_view(NULL, 8, N_IN)));
  bad(NNB_E_ARG, "NULL", nnb_plan_jvp(NULL, rows.x, rows.x, nnb_view(y, 8, N_OUT)));
  bad(NNB_E_ARG, "u is NULL", nnb_plan_jvp(plan, rows.x, nnb_cview(NULL, 8, N_IN), nnb_view(y, 8, N_OUT)));
  bad(NNB_E_ARG, "dy is NULL", nnb_plan_jvp(plan, rows.x, rows.x, nnb_view(NULL, 8, N_OUT)));
  bad(NNB_E_ARG, "NULL", nnb_plan_jacobian(NULL, rows.x, nnb_view(y, 8, N_OUT), J));
  bad(NNB_E_ARG, "x is NULL", nnb_plan_jacobian(plan, without_x.x, nnb_view(y, 8, N_OUT), J));
  bad(NNB_E_ARG, "J is NULL", nnb_plan_jacobian(plan, rows.x, nnb_view(y, 8, N_OUT), nnb_view(NULL, 8, 6)));
}
END_TEST

START_TEST(null_for_data) {
  nnb_data *a = data, *b = data;
  nnb_batch out;
  bad(NNB_E_ARG, "rows", nnb_data_wrap(NULL, 0, &a));
  bad(NNB_E_ARG, "x", nnb_data_wrap(&(nnb_batch){.weight = y}, 0, &a));
  bad(NNB_E_ARG, "out", nnb_data_wrap(&rows, 0, NULL));
  bad(NNB_E_ARG, "rows", nnb_data_copy(NULL, 0, &a));
  bad(NNB_E_ARG, "out", nnb_data_copy(&rows, 0, NULL));
  bad(NNB_E_ARG, "NULL", nnb_data_read_csv(NULL, NULL, &a));
  bad(NNB_E_ARG, "NULL", nnb_data_read_csv("x", NULL, NULL));
  bad(NNB_E_ARG, "NULL", nnb_data_parse_csv(NULL, 3, NULL, NULL, &a));
  bad(NNB_E_ARG, "NULL", nnb_data_parse_csv("1,2", 3, NULL, NULL, NULL));
  bad(NNB_E_ARG, "NULL", nnb_data_read_idx(NULL, NULL, &a));
  bad(NNB_E_ARG, "NULL", nnb_data_read_idx("x", NULL, NULL));
  bad(NNB_E_ARG, "NULL", nnb_data_batch(NULL, 0, 1, &out));
  bad(NNB_E_ARG, "NULL", nnb_data_batch(data, 0, 1, NULL));
  bad(NNB_E_ARG, "NULL", nnb_data_split(NULL, 0.5, 0, &a, &b));
  bad(NNB_E_ARG, "NULL", nnb_data_split(data, 0.5, 0, NULL, &b));
  bad(NNB_E_ARG, "NULL", nnb_data_split(data, 0.5, 0, &a, NULL));
  bad(NNB_E_ARG, "NULL", nnb_data_fold(NULL, 2, 0, 0, &a, &b));
  bad(NNB_E_ARG, "NULL", nnb_data_fold(data, 2, 0, 0, NULL, &b));
  bad(NNB_E_ARG, "NULL", nnb_data_fold(data, 2, 0, 0, &a, NULL));
  ck_assert(!a && !b);
}
END_TEST

START_TEST(null_where_it_means_nothing) {
  const real *shift = y, *factor = y;
  nnb_activation act;
  nnb_loss l;
  nnb_init init;
  nnb_algo algo;
  nnb_data_destroy(NULL), nnb_net_destroy(NULL), nnb_plan_destroy(NULL), nnb_optim_destroy(NULL), nnb_free(NULL);
  nnb_net_input_scaler(NULL, &shift, &factor);
  ck_assert(!shift && !factor);
  nnb_net_target_scaler(NULL, &shift, NULL);
  nnb_net_input_scaler(net, NULL, &factor);
  nnb_scale(nnb_view(NULL, 3, 3), NULL, NULL);
  nnb_unscale(nnb_view(NULL, 3, 3), NULL, NULL);
  ck_assert(!nnb_activation_find(NULL, &act) && !nnb_loss_find(NULL, &l) && !nnb_init_find(NULL, &init) &&
            !nnb_algo_find(NULL, &algo));
  ck_assert(nnb_data_rows(NULL) == 0 && nnb_data_n_in(NULL) == 0 && nnb_data_n_out(NULL) == 0 &&
            nnb_data_n_classes(NULL) == 0);
  ck_assert(!nnb_data_column_name(NULL, 0) && !nnb_data_class_name(NULL, 0));
  ck_assert(nnb_net_n_in(NULL) == 0 && nnb_net_n_out(NULL) == 0 && nnb_net_n_nodes(NULL) == 0 &&
            nnb_net_n_params(NULL) == 0);
  ck_assert(!nnb_net_params(NULL) && !nnb_net_params_read(NULL) && !nnb_net_column_name(NULL, 0) &&
            !nnb_net_class_name(NULL, 0));
  ck_assert(!nnb_net_find(NULL, "x") && !nnb_net_find(net, NULL) && !nnb_net_node_name(NULL, 1));
  ck_assert(!nnb_net_node_name(net, 0) && !nnb_net_node_name(net, 99) && !nnb_net_node_name(net, INT_MIN));
  ck_assert_str_eq(nnb_activation_name((nnb_activation)-1), "?");
  ck_assert_str_eq(nnb_loss_name((nnb_loss)999), "?");
  ck_assert_str_eq(nnb_algo_name((nnb_algo)INT_MAX), "?");
  ck_assert_str_eq(nnb_init_name((nnb_init)INT_MIN), "?");
  ck_assert_str_eq(nnb_stop_text((nnb_stop)99), "?");
  ck_assert_str_eq(nnb_strstatus((nnb_status)99), "unknown status");
  bad(NNB_E_ARG, "-1", nnb_set_threads(-1));
  bad(NNB_E_ARG, "1025", nnb_set_threads(1025));
}
END_TEST

/* ---- shapes --------------------------------------------------------------------------------------------------------
 */

START_TEST(shapes_that_do_not_fit) {
  nnb_mat out = nnb_view(y, 8, N_OUT);
  nnb_cmat x = rows.x;
  nnb_batch b = rows;
  int32_t label[N] = {0};
  bad(NNB_E_SHAPE, "columns", nnb_plan_predict(plan, (nnb_cmat){x.p, 8, 2, 3}, out));
  bad(NNB_E_SHAPE, "columns", nnb_plan_predict(plan, (nnb_cmat){x.p, 8, 4, 4}, out));
  bad(NNB_E_SHAPE, "leading dimension", nnb_plan_predict(plan, (nnb_cmat){x.p, 8, 3, 2}, out));
  bad(NNB_E_SHAPE, "leading dimension", nnb_plan_predict(plan, (nnb_cmat){x.p, 8, 3, -3}, out));
  bad(NNB_E_SHAPE, "0 rows", nnb_plan_predict(plan, (nnb_cmat){x.p, 0, 3, 3}, out));
  bad(NNB_E_SHAPE, "-1 rows", nnb_plan_predict(plan, (nnb_cmat){x.p, -1, 3, 3}, out));
  bad(NNB_E_SHAPE, "at most 8", nnb_plan_predict(plan, (nnb_cmat){x.p, 9, 3, 3}, out));
  bad(NNB_E_SHAPE, "at most 1", nnb_plan_predict(plain, x, out));
  bad(NNB_E_SHAPE, "y is 7", nnb_plan_predict(plan, x, nnb_view(y, 7, N_OUT)));
  bad(NNB_E_SHAPE, "y is 8×3", nnb_plan_predict(plan, x, nnb_view(y, 8, 3)));
  bad(NNB_E_SHAPE, "leading dimension 1", nnb_plan_predict(plan, x, (nnb_mat){y, 8, N_OUT, 1}));
  bad(NNB_E_SHAPE, "y has 7", nnb_net_predict(net, x, nnb_view(y, 7, N_OUT)));
  bad(NNB_E_SHAPE, "8×2", nnb_net_predict(net, x, nnb_view(y, 8, 1)));
  bad(NNB_E_SHAPE, "columns", nnb_net_predict(net, (nnb_cmat){x.p, 8, 2, 3}, out));
  bad(NNB_E_SHAPE, "columns", nnb_net_classify(net, (nnb_cmat){x.p, 8, 2, 3}, label));
  b.t = nnb_cview(rows.t.p, 7, N_OUT);
  bad(NNB_E_SHAPE, "t is 7×2", nnb_plan_loss(plan, &b, &loss));
  b.t = nnb_cview(rows.t.p, 8, 1);
  bad(NNB_E_SHAPE, "t is 8×1", nnb_plan_gradient(plan, &b, 0, &loss, grad));
  bad(NNB_E_SHAPE, "t is 8×1", nnb_train_step(net, plan, &b, optim, &loss));
  bad(NNB_E_SHAPE, "t is 8×1", nnb_train_rows(net, plan, &b, NULL, 0, 2, optim, NULL));
  bad(NNB_E_SHAPE, "t is 8×1", nnb_check_gradient(net, &b, &loss));
  b.t = (nnb_cmat){rows.t.p, 8, N_OUT, 1};
  bad(NNB_E_SHAPE, "leading dimension 1", nnb_plan_loss(plan, &b, &loss));
  b.t = (nnb_cmat){0};
  bad(NNB_E_ARG, "t is NULL", nnb_plan_loss(plan, &b, &loss));
  b = rows, b.x.rows = 9;
  bad(NNB_E_SHAPE, "at most 8", nnb_train_step(net, plan, &b, optim, &loss));
  bad(NNB_E_SHAPE, "4×2", nnb_net_set_weights(net, 3, nnb_cview(before, 2, 4)));
  bad(NNB_E_SHAPE, "3×4", nnb_net_set_weights(net, 2, (nnb_cmat){before, 3, 4, 3}));
  bad(NNB_E_SHAPE, "1×2", nnb_net_set_bias(net, 3, nnb_cview(before, 2, 1)));
  bad(NNB_E_ARG, "no weights", nnb_net_weights(net, 1, &view));
  bad(NNB_E_ARG, "no bias", nnb_net_bias(net, 1, &view));
  bad(NNB_E_ARG, "no node 4", nnb_net_weights(net, 4, &view));
  bad(NNB_E_ARG, "no node -1", nnb_net_freeze(net, -1, 0));
  bad(NNB_E_ARG, "no node 0", nnb_net_set_bias(net, 0, nnb_cview(before, 1, 2)));
}
END_TEST

START_TEST(shapes_of_derivatives) {
  const nnb_mat out = nnb_view(y, 8, N_OUT);
  const nnb_cmat x = rows.x, v = nnb_cview(y, 8, N_OUT);
  nnb_plan *row;
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.want = NNB_DX}, &row));
  bad(NNB_E_SHAPE, "v is", nnb_plan_vjp(plan, x, nnb_cview(y, 8, 1), nnb_view(dx, 8, N_IN)));
  bad(NNB_E_SHAPE, "dx is 8×2", nnb_plan_vjp(plan, x, v, nnb_view(dx, 8, 2)));
  bad(NNB_E_SHAPE, "u is 8×2", nnb_plan_jvp(plan, x, nnb_cview(y, 8, 2), out));
  bad(NNB_E_SHAPE, "dy is 7×2", nnb_plan_jvp(plan, x, x, nnb_view(y, 7, N_OUT)));
  bad(NNB_E_SHAPE, "at most 1", nnb_plan_jvp(row, x, x, out));
  bad(NNB_E_SHAPE, "y is 7×2", nnb_plan_jacobian(plan, x, nnb_view(y, 7, N_OUT), nnb_view(jacobian, 8, 6)));
  bad(NNB_E_SHAPE, "wanted 8×6", nnb_plan_jacobian(plan, x, out, nnb_view(jacobian, 8, 5)));
  bad(NNB_E_SHAPE, "(ld 5)", nnb_plan_jacobian(plan, x, out, (nnb_mat){jacobian, 8, 6, 5}));
  nnb_plan_destroy(row);
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = 8, .want = NNB_SECOND}, &row));
  const nnb_mat h = nnb_view(dx, 8, N_IN), both = nnb_view(jacobian, 8, 2 * N_OUT);
  bad(NNB_E_ARG, "u is NULL", nnb_plan_hvp(row, x, v, nnb_cview(NULL, 8, N_IN), h));
  bad(NNB_E_ARG, "h is NULL", nnb_plan_hvp(row, x, v, x, nnb_view(NULL, 8, N_IN)));
  bad(NNB_E_SHAPE, "v is 8×1", nnb_plan_hvp(row, x, nnb_cview(y, 8, 1), x, h));
  bad(NNB_E_SHAPE, "h is 8×2", nnb_plan_hvp(row, x, v, x, nnb_view(dx, 8, 2)));
  bad(NNB_E_SHAPE, "u is 7×3", nnb_plan_taylor(row, x, (nnb_cmat){x.p, 7, 3, 3}, 1, both, NULL, 0));
  bad(NNB_E_SHAPE, "wanted 8×6", nnb_plan_taylor(row, x, x, 2, both, NULL, 0));
  bad(NNB_E_SHAPE, "ldj is 3", nnb_plan_taylor(row, x, x, 1, both, grad, 3));
  bad(NNB_E_ARG, "order is 0", nnb_plan_taylor(row, x, x, 0, both, NULL, 0));
  bad(NNB_E_ARG, "NULL", nnb_plan_taylor(NULL, x, x, 1, both, NULL, 0));
  nnb_plan_destroy(row);
}
END_TEST

START_TEST(data_of_other_widths) {
  nnb_data *wide = toy_regression(N, N_IN + 1, N_OUT), *more = toy_regression(N, N_IN, N_OUT + 1),
           *many = toy_classes(N, N_IN, 3);
  nnb_batch no_t = {.x = rows.x};
  nnb_data *blank;
  nnb_metrics m;
  ck_ok(nnb_data_wrap(&no_t, 0, &blank));
  bad(NNB_E_SHAPE, "training", nnb_fit(net, wide, NULL, NULL, NULL));
  bad(NNB_E_SHAPE, "4 input columns", nnb_fit(net, wide, NULL, NULL, NULL));
  bad(NNB_E_SHAPE, "3 targets", nnb_fit(net, more, NULL, NULL, NULL));
  bad(NNB_E_SHAPE, "3 classes", nnb_fit(net, many, NULL, NULL, NULL));
  bad(NNB_E_ARG, "no targets", nnb_fit(net, blank, NULL, NULL, NULL));
  bad(NNB_E_SHAPE, "validation", nnb_fit(net, data, wide, NULL, NULL));
  bad(NNB_E_SHAPE, "validation", nnb_fit(net, data, more, NULL, NULL));
  bad(NNB_E_ARG, "validation", nnb_fit(net, data, blank, NULL, NULL));
  bad(NNB_E_SHAPE, "columns", nnb_evaluate(net, wide, &m));
  bad(NNB_E_SHAPE, "t is", nnb_evaluate(net, more, &m));
  bad(NNB_E_ARG, "t is NULL", nnb_evaluate(net, blank, &m));
  bad(NNB_E_SHAPE, "label", nnb_evaluate(net, many, &m));
  nnb_net *fresh = nnb_net_create(N_IN);
  bad(NNB_E_SHAPE, "4 input columns", nnb_net_standardize(fresh, wide));
  bad(NNB_E_SHAPE, "4 input columns", nnb_net_dense(fresh, 1, NNB_TANH)); /* the error is sticky */
  nnb_net_destroy(fresh);
  fresh = nnb_net_create(N_IN);
  nnb_net_dense(fresh, N_OUT, NNB_LINEAR);
  ck_assert_int_eq(nnb_net_scale_targets(fresh, more, NNB_MINMAX), NNB_OK); /* the outputs may still change */
  bad(NNB_E_SHAPE, "scaler of the targets", nnb_fit(fresh, data, NULL, NULL, NULL));
  nnb_net_dense(fresh, N_OUT + 1, NNB_LINEAR);
  ck_ok(nnb_fit(fresh, more, NULL, &(nnb_fit_opts){.max_epochs = 1}, NULL));
  nnb_net_destroy(fresh);
  fresh = nnb_net_create(N_IN);
  bad(NNB_E_ARG, "labels", nnb_net_scale_targets(fresh, classes, NNB_MINMAX));
  nnb_net_destroy(fresh);
  fresh = nnb_net_create(N_IN);
  bad(NNB_E_ARG, "no numeric targets", nnb_net_scale_targets(fresh, blank, NNB_MINMAX));
  nnb_net_destroy(fresh);
  fresh = nnb_net_create(N_IN);
  bad(NNB_E_ARG, "scaling", nnb_net_scale_inputs(fresh, data, (nnb_scaling)7));
  nnb_net_destroy(fresh);
  nnb_data_destroy(wide), nnb_data_destroy(more), nnb_data_destroy(many), nnb_data_destroy(blank);
}
END_TEST

START_TEST(sizes_that_overflow) {
  nnb_plan *p;
  size_t size;
  nnb_net *big = nnb_net_create(INT_MAX);
  ck_assert_int_eq(nnb_net_dense(big, INT_MAX, NNB_LINEAR), 2);
  bad(NNB_E_OVERFLOW, "parameters", nnb_plan_create(big, NULL, &p));
  bad(NNB_E_OVERFLOW, "parameters", nnb_net_init(big, 1));
  bad(NNB_E_OVERFLOW, "parameters", nnb_fit(big, data, NULL, NULL, NULL));
  ck_assert(nnb_net_n_params(big) == 0 && !nnb_net_params(big));
  bad(NNB_E_OVERFLOW, "int", nnb_net_input(big, 1, NULL));
  nnb_net_destroy(big);
  big = nnb_net_create(INT_MAX);
  bad(NNB_E_OVERFLOW, "int", nnb_net_concat(big, (int[]){1, 1}, 2));
  nnb_net_destroy(big);
  big = nnb_net_create(INT_MAX);
  int a = nnb_net_activation(big, 1, NNB_TANH), b = nnb_net_activation(big, 1, NNB_TANH);
  nnb_net_output(big, a);
  bad(NNB_E_OVERFLOW, "int", nnb_net_output(big, b));
  nnb_net_destroy(big);
  big = nnb_net_create(INT_MAX); /* no parameters: sealed, but no plan of many rows */
  nnb_net_activation(big, 0, NNB_TANH), nnb_net_activation(big, 0, NNB_RELU);
  bad(NNB_E_OVERFLOW, "2147483647 rows", nnb_plan_create(big, &(nnb_plan_opts){.max_rows = INT_MAX, .want = 7}, &p));
  ck_assert_ptr_null(p);
  bad(NNB_E_OVERFLOW, "2147483647 rows", nnb_plan_bytes(big, &(nnb_plan_opts){.max_rows = INT_MAX, .want = 7}, &size));
#if SIZE_MAX > UINT32_MAX
  ck_ok(nnb_plan_bytes(big, NULL, &size));
  ck_assert_uint_gt(size, INT_MAX);
  ck_ok(nnb_plan_bytes(net, &(nnb_plan_opts){.max_rows = INT_MAX, .threads = 1024}, &size));
  ck_assert_uint_gt(size, INT_MAX);
#else
  bad(NNB_E_OVERFLOW, "rows", nnb_plan_bytes(big, NULL, &size));
#endif
  nnb_net_destroy(big);
}
END_TEST

/* ---- numbers --------------------------------------------------------------------------------------------------------
 */

START_TEST(numbers_that_are_not_finite) {
  real x[N * N_IN], t[N * N_OUT], w[N];
  double value = (double[]){(double)NAN, (double)INFINITY, -(double)INFINITY}[_i];
  int32_t label[N] = {0};
  nnb_data *d;
  toy_fill(x, N * N_IN, 1), toy_fill(t, N * N_OUT, 2);
  for (int i = 0; i < N; i++) w[i] = 1;
  nnb_batch b = {.x = nnb_cview(x, N, N_IN), .t = nnb_cview(t, N, N_OUT), .weight = w};
  nnb_net *line;
  nnb_plan *p;
  nnb_optim *o;
  ck_ok(nnb_net_parse("3-2", &line)); /* its loss accepts all numbers */
  ck_ok(nnb_plan_create(line, &(nnb_plan_opts){.max_rows = N, .want = NNB_GRAD}, &p));
  ck_ok(nnb_optim_create(line, NULL, &o));
  x[4 * N_IN + 1] = (real)value;
  bad(NNB_E_ARG, "row 5, column 2", nnb_data_wrap(&b, 0, &d));
  bad(NNB_E_ARG, "x has", nnb_data_copy(&b, 0, &d));
  bad(NNB_E_NUMERIC, "x is not finite in row 5, column 2", nnb_plan_loss(p, &b, &loss));
  ck_assert(!isfinite(loss));
  bad(NNB_E_NUMERIC, "row 5, column 2", nnb_plan_gradient(p, &b, 0, NULL, grad));
  bad(NNB_E_NUMERIC, "row 5, column 2", nnb_train_step(line, p, &b, o, NULL));
  ck_ok(nnb_net_init(line, 1));
  x[4 * N_IN + 1] = 0, t[11 * N_OUT] = (real)value;
  bad(NNB_E_ARG, "row 12, column 1", nnb_data_wrap(&b, 0, &d));
  bad(NNB_E_NUMERIC, "t is not finite in row 12, column 1", nnb_plan_loss(p, &b, &loss));
  nnb_sums sums;
  nnb_optim_destroy(o); /* its velocity is no longer finite */
  ck_ok(nnb_optim_create(line, NULL, &o));
  bad(NNB_E_NUMERIC, "row 12, column 1", nnb_train_rows(line, p, &b, NULL, 0, 5, o, &sums));
  ck_assert_int_eq(sums.updates, 3);
  ck_ok(nnb_net_init(line, 1));
  t[11 * N_OUT] = 0, w[6] = (real)value;
  bad(NNB_E_ARG, "row 7", nnb_data_wrap(&b, 0, &d));
  bad(NNB_E_ARG, "weight of row 7", nnb_plan_loss(p, &b, &loss));
  bad(NNB_E_ARG, "weight of row 7", nnb_train_step(line, p, &b, o, NULL));
  bad(NNB_E_ARG, "weight of row 7", nnb_train_rows(line, p, &b, NULL, 0, 4, o, NULL));
  w[6] = -1;
  bad(NNB_E_ARG, "-1", nnb_data_wrap(&b, 0, &d));
  bad(NNB_E_ARG, "weight of row 7 is -1", nnb_plan_gradient(p, &b, 0, NULL, grad));
  w[6] = 1, b.norm = value;
  bad(NNB_E_ARG, "norm", nnb_plan_loss(p, &b, &loss));
  b.norm = -1;
  bad(NNB_E_ARG, "norm is -1", nnb_plan_loss(p, &b, &loss));
  b.norm = 0;
  ck_ok(nnb_plan_loss(p, &b, &loss)); /* the failure left nothing behind */
  ck_assert(isfinite(loss));
  nnb_net_params(line)[0] = (real)value;
  bad(NNB_E_NUMERIC, "parameters", nnb_plan_loss(p, &b, &loss));
  ck_ok(nnb_net_init(line, 1));
  b.t = (nnb_cmat){0}, b.label = label, label[3] = 2;
  bad(NNB_E_SHAPE, "label of row 4 is 2", nnb_plan_loss(p, &b, &loss));
  bad(NNB_E_ARG, "label 2 in row 4", nnb_data_wrap(&b, 2, &d));
  label[3] = -1;
  bad(NNB_E_SHAPE, "label of row 4 is -1", nnb_train_rows(line, p, &b, NULL, 0, 4, o, NULL));
  bad(NNB_E_ARG, "label -1 in row 4", nnb_data_wrap(&b, 0, &d));
  label[3] = INT32_MAX;
  bad(NNB_E_ARG, "row 4", nnb_data_wrap(&b, 0, &d));
  nnb_optim_destroy(o), nnb_plan_destroy(p), nnb_net_destroy(line);
}
END_TEST

START_TEST(bad_data) {
  real x[4] = {1, 2, 3, 4};
  int32_t label[2] = {0, 1};
  nnb_data *a = data, *b = data;
  nnb_batch two = {.x = nnb_cview(x, 2, 2), .label = label}, out;
  bad(NNB_E_ARG, "0 rows", nnb_data_wrap(&(nnb_batch){.x = nnb_cview(x, 0, 2)}, 0, &a));
  bad(NNB_E_ARG, "0 columns", nnb_data_wrap(&(nnb_batch){.x = nnb_cview(x, 2, 0)}, 0, &a));
  bad(NNB_E_ARG, "ld 1", nnb_data_wrap(&(nnb_batch){.x = {x, 2, 2, 1}}, 0, &a));
  bad(NNB_E_SHAPE, "t has 1 row;", nnb_data_wrap(&(nnb_batch){.x = two.x, .t = nnb_cview(x, 1, 2)}, 0, &a));
  bad(NNB_E_ARG, "both t and label", nnb_data_wrap(&(nnb_batch){.x = two.x, .t = two.x, .label = label}, 0, &a));
  bad(NNB_E_ARG, "classes", nnb_data_wrap(&two, -1, &a));
  bad(NNB_E_ARG, "no labels", nnb_data_wrap(&(nnb_batch){.x = two.x}, 2, &a));
  ck_assert_ptr_null(a);
  bad(NNB_E_ARG, "1 row from row -1", nnb_data_batch(data, -1, 1, &out));
  bad(NNB_E_ARG, "rows from row 0", nnb_data_batch(data, 0, N + 1, &out));
  bad(NNB_E_ARG, "1 row from row", nnb_data_batch(data, N, 1, &out));
  bad(NNB_E_ARG, "rows", nnb_data_batch(data, 1, INT_MAX, &out));
  bad(NNB_E_ARG, "rows", nnb_data_batch(data, INT_MAX, INT_MAX, &out));
  bad(NNB_E_ARG, "fraction", nnb_data_split(data, 0, 0, &a, &b));
  bad(NNB_E_ARG, "fraction", nnb_data_split(data, 1, 0, &a, &b));
  bad(NNB_E_ARG, "fraction", nnb_data_split(data, (double)NAN, 0, &a, &b));
  bad(NNB_E_ARG, "first part", nnb_data_split(data, 0.99, 0, &a, &b));
  bad(NNB_E_ARG, "parts", nnb_data_fold(data, 1, 0, 0, &a, &b));
  bad(NNB_E_ARG, "parts", nnb_data_fold(data, N + 1, 0, 0, &a, &b));
  bad(NNB_E_ARG, "part 3", nnb_data_fold(data, 3, 3, 0, &a, &b));
  bad(NNB_E_ARG, "part -1", nnb_data_fold(data, 3, -1, 0, &a, &b));
  ck_assert(!a && !b);
}
END_TEST

/* ---- options -------------------------------------------------------------------------------------------------------
 */

static const struct {
  nnb_fit_opts opts;
  const char *words;
} bad_fits[] = {
    {{.algo = (nnb_algo)-1}, "algo is -1; wanted 0 to"},
    {{.algo = NNB_N_ALGOS}, "algo is"},
    {{.batch = -2}, "batch is -2"},
    {{.batch = INT_MIN}, "batch"},
    {{.chunk = -1}, "chunk is -1"},
    {{.max_epochs = -2}, "max_epochs is -2"},
    {{.lr = -0.1}, "lr is -0.1"},
    {{.lr = (double)NAN}, "lr is"},
    {{.lr = (double)INFINITY}, "lr is inf"},
    {{.momentum = 1}, "momentum is 1"},
    {{.momentum = -0.5}, "momentum is -0.5"},
    {{.momentum = (double)NAN}, "momentum"},
    {{.l1 = -1}, "l1 is -1"},
    {{.l1 = (double)NAN}, "l1"},
    {{.l2 = -0.5}, "l2 is -0.5"},
    {{.l2 = (double)INFINITY}, "l2"},
    {{.clip_norm = -1}, "clip_norm is -1"},
    {{.clip_norm = (double)NAN}, "clip_norm"},
    {{.target_loss = -1}, "target_loss is -1"},
    {{.target_loss = (double)NAN}, "target_loss"},
    {{.max_seconds = -1}, "max_seconds is -1"},
    {{.max_seconds = (double)NAN}, "max_seconds"},
    {{.patience = -1}, "patience is -1"},
    {{.threads = -1}, "threads is -1"},
    {{.threads = 1025}, "threads is 1025"},
    {{.history = -2}, "history is -2"},
    {{.beta1 = 1}, "beta1 is 1"},
    {{.beta2 = -0.5}, "beta2 is -0.5"},
    {{.epsilon = -1}, "epsilon is -1"},
    {{.epsilon = (double)NAN}, "epsilon"},
    {{.ema = 1}, "ema is 1"},
    {{.ema = (double)NAN}, "ema"},
    {{.schedule = NNB_N_SCHEDULES}, "schedule"},
    {{.schedule = (nnb_schedule)-1}, "schedule is -1"},
    {{.schedule = NNB_STEPWISE, .lr_step = -1}, "lr_step is -1"},
    {{.schedule = NNB_STEPWISE, .lr_factor = 2}, "lr_factor is 2"},
    {{.schedule = NNB_COSINE, .lr_min = -1}, "lr_min is -1"},
    {{.schedule = NNB_STEPWISE, .lr = 0.1, .lr_min = 0.2}, "lr_min is 0.2; wanted at most 0.1, the learning rate"},
    {{.schedule = NNB_COSINE, .max_epochs = NNB_NONE}, "needs a limit of the epochs"},
    {{.warmup = -1}, "warmup"},
    {{.warmup = (double)INFINITY}, "warmup"},
    {{.algo = NNB_LBFGS, .batch = 4}, "full-batch method"},
    {{.algo = NNB_SCG, .lr = 0.1}, "lr is 0.1"},
    {{.algo = NNB_CG, .momentum = 0.9}, "momentum is 0.9"},
    {{.algo = NNB_RPROP, .clip_norm = 1}, "clip_norm is 1"},
    {{.algo = NNB_BFGS, .l1 = 1}, "l1 is 1"},
    {{.algo = NNB_LM, .ema = 0.9}, "lm"},
    {{.algo = NNB_SCG, .lr_step = 3}, "lr_step is 3; scg does not take this option"},
    {{.algo = NNB_ADAM, .damping = 2}, "damping is 2; adam does not take this option, which is for kfac"},
    {{.reserved = {(void *)EXAMPLE_DATA}}, "a reserved word is not 0"},
};

START_TEST(bad_fit_options) {
  for (size_t i = 0; i < sizeof bad_fits / sizeof *bad_fits; i++) {
    nnb_report report;
    nnb_status status = nnb_fit(net, data, NULL, &bad_fits[i].opts, &report);
    check_bad(status, NNB_E_ARG, bad_fits[i].words, bad_fits[i].words);
    ck_assert(report.stop == NNB_STOP_ERROR && report.epochs == 0 && report.updates == 0 && isnan(report.loss));
  }
}
END_TEST

/* A fit that cannot begin reports only the method that it would have used. */
START_TEST(fits_that_cannot_begin) {
  nnb_net *frozen;
  nnb_report r;
  ck_ok(nnb_net_parse("3-4:tanh:frozen=3-2:frozen=3", &frozen));
  for (int bayes = 0; bayes < 2; bayes++) {
    nnb_fit_opts o = {.algo = bayes ? NNB_AUTO : NNB_LM, .bayes = bayes};
    bad(NNB_E_ARG, "all parameters are frozen", nnb_fit(frozen, data, NULL, &o, &r));
    ck_assert_msg(r.algo == NNB_LM && isnan(r.loss) && isnan(r.best_loss) && r.stop == NNB_STOP_ERROR,
                  "%s, loss %g, best loss %g", nnb_algo_name(r.algo), r.loss, r.best_loss);
  }
  nnb_net_destroy(frozen);
  for (int restarts = 0; restarts <= 3; restarts += 3) { /* before trials and starts */
    nnb_fit_opts o = {.algo = restarts ? NNB_LM : NNB_AUTO, .restarts = restarts, .metrics = NNB_METRIC_ACCURACY};
    bad(NNB_E_ARG, "accuracy", nnb_fit(net, data, NULL, &o, &r));
    ck_assert_msg(r.trials == 0 && r.starts == 0 && r.choice == 0 && r.held_loss == 0, "%d trials, %d starts", r.trials,
                  r.starts);
  }
}
END_TEST

/* The same number of parameters does not mean the same layers: muon's memory depends on their shapes. */
START_TEST(an_optimiser_of_another_net) {
  static real g[24];
  nnb_net *flat = nnb_net_create(12), *square = nnb_net_create(4);
  nnb_optim *muon;
  nnb_net_dense_opts(flat, &(nnb_dense_opts){.units = 2, .no_bias = true});
  nnb_net_dense_opts(square, &(nnb_dense_opts){.units = 6, .no_bias = true});
  ck_assert_uint_eq(nnb_net_n_params(flat), nnb_net_n_params(square));
  ck_ok(nnb_optim_create(flat, &(nnb_optim_opts){.algo = NNB_MUON}, &muon));
  ck_ok(nnb_optim_step(muon, flat, g));
  bad(NNB_E_SHAPE, "other layer shapes", nnb_optim_step(muon, square, g));
  nnb_optim_destroy(muon);
  nnb_net_destroy(flat);
  nnb_net_destroy(square);
}
END_TEST

/* The last layer has no ∂E/∂A if its loss is computed from Z, even if another layer reads it. */
START_TEST(fused_outputs_have_no_da) {
  nnb_net *chain = nnb_net_create(N_IN);
  nnb_plan *keeping = NULL;
  real g[64];
  int p = nnb_net_output(chain, nnb_net_dense(chain, 1, NNB_SIGMOID));
  nnb_net_output(chain, nnb_net_dense(chain, 1, NNB_LINEAR));
  ck_ok(nnb_plan_create(chain, &(nnb_plan_opts){.max_rows = 1, .want = NNB_GRAD | NNB_KEEP}, &keeping));
  real some_x[N_IN] = {0}, some_t[2] = {1, 0};
  nnb_batch one = {.x = nnb_cview(some_x, 1, N_IN), .t = nnb_cview(some_t, 1, 2)};
  ck_assert_uint_le(nnb_net_n_params(chain), 64);
  ck_ok(nnb_plan_gradient(keeping, &one, 0, NULL, g));
  bad(NNB_E_ARG, "together", nnb_plan_view(keeping, p, NNB_DA, &view));
  ck_ok(nnb_plan_view(keeping, p, NNB_DELTA, &view));
  nnb_plan_destroy(keeping);
  nnb_net_destroy(chain);
}
END_TEST

START_TEST(bad_other_options) {
  nnb_plan *p;
  nnb_optim *o;
  static _Alignas(64) char memory[1 << 16];
  int32_t order[] = {0, 7, 8}, negative[] = {-1};
  size_t size;
  bad(NNB_E_ARG, "max_rows is -1", nnb_plan_create(net, &(nnb_plan_opts){.max_rows = -1}, &p));
  bad(NNB_E_ARG, "threads is -1", nnb_plan_create(net, &(nnb_plan_opts){.threads = -1}, &p));
  bad(NNB_E_ARG, "threads is 1025", nnb_plan_bytes(net, &(nnb_plan_opts){.threads = 1025}, &size));
  bad(NNB_E_ARG, "want is 64", nnb_plan_create(net, &(nnb_plan_opts){.want = 64}, &p));
  ck_ok(nnb_plan_bytes(net, &(nnb_plan_opts){.max_rows = 8}, &size));
  ck_assert_uint_lt(size, sizeof memory - 8);
  bad(NNB_E_ARG, "aligned",
      nnb_plan_create(net, &(nnb_plan_opts){.max_rows = 8, .mem = memory + 8, .mem_bytes = size}, &p));
  bad(NNB_E_ARG, "bytes",
      nnb_plan_create(net, &(nnb_plan_opts){.max_rows = 8, .mem = memory, .mem_bytes = size - 1}, &p));
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = 8, .mem = memory, .mem_bytes = size}, &p));
  ck_ok(nnb_plan_predict(p, rows.x, nnb_view(y, 8, N_OUT)));
  bad(NNB_E_STATE, "NNB_GRAD", nnb_plan_gradient(p, &rows, 0, NULL, grad));
  bad(NNB_E_STATE, "NNB_GRAD", nnb_train_step(net, p, &rows, optim, NULL));
  bad(NNB_E_STATE, "NNB_DX", nnb_plan_vjp(p, rows.x, nnb_cview(y, 8, N_OUT), nnb_view(dx, 8, N_IN)));
  bad(NNB_E_STATE, "NNB_DX", nnb_plan_jvp(p, rows.x, rows.x, nnb_view(y, 8, N_OUT)));
  bad(NNB_E_STATE, "NNB_DX", nnb_plan_jacobian(p, rows.x, nnb_view(y, 8, N_OUT), nnb_view(jacobian, 8, N_OUT * N_IN)));
  bad(NNB_E_STATE, "NNB_SECOND", nnb_plan_hvp(p, rows.x, nnb_cview(y, 8, N_OUT), rows.x, nnb_view(dx, 8, N_IN)));
  bad(NNB_E_STATE, "NNB_SECOND", nnb_plan_taylor(p, rows.x, rows.x, 1, nnb_view(jacobian, 8, 4), NULL, 0));
  bad(NNB_E_STATE, "NNB_KEEP", nnb_plan_view(p, 2, NNB_A, &view));
  nnb_plan_destroy(p);
  bad(NNB_E_STATE, "nothing yet", nnb_plan_view(plan, 2, NNB_A, &view));
  ck_ok(nnb_plan_loss(plan, &rows, &loss));
  bad(NNB_E_ARG, "no node 9", nnb_plan_view(plan, 9, NNB_A, &view));
  bad(NNB_E_ARG, "what is ", nnb_plan_view(plan, 2, (nnb_what)99, &view));
  bad(NNB_E_ARG, "what is ", nnb_plan_view(plan, 2, (nnb_what)-1, &view));
  bad(NNB_E_ARG, "input", nnb_plan_view(plan, 1, NNB_Z, &view));
  bad(NNB_E_STATE, "backward", nnb_plan_view(plan, 2, NNB_DELTA, &view));
  bad(NNB_E_STATE, "gradient", nnb_plan_view(plan, 2, NNB_DW, &view));
  bad(NNB_E_ARG, "no weights", nnb_plan_view(plan, 1, NNB_DW, &view));
  bad(NNB_E_ARG, "lr is -1", nnb_optim_create(net, &(nnb_optim_opts){.lr = -1}, &o));
  bad(NNB_E_ARG, "algo is 77", nnb_optim_create(net, &(nnb_optim_opts){.algo = (nnb_algo)77}, &o));
  bad(NNB_E_ARG, "lr is 0", nnb_optim_set_lr(optim, 0));
  bad(NNB_E_ARG, "lr is -1", nnb_optim_set_lr(optim, -1));
  bad(NNB_E_ARG, "lr", nnb_optim_set_lr(optim, (double)NAN));
  bad(NNB_E_ARG, "lr is inf", nnb_optim_set_lr(optim, (double)INFINITY));
  bad(NNB_E_ARG, "order[2] is 8", nnb_train_rows(net, plan, &rows, order, 3, 1, optim, NULL));
  bad(NNB_E_ARG, "order[0] is -1", nnb_train_rows(net, plan, &rows, negative, 1, 1, optim, NULL));
  bad(NNB_E_ARG, "batch is 0", nnb_train_rows(net, plan, &rows, NULL, 0, 0, optim, NULL));
  bad(NNB_E_ARG, "batch is -1", nnb_train_rows(net, plan, &rows, NULL, 0, NNB_FULL_BATCH, optim, NULL));
  bad(NNB_E_ARG, "n is -1", nnb_train_rows(net, plan, &rows, order, -1, 1, optim, NULL));
  bad(NNB_E_ARG, "n is 3", nnb_train_rows(net, plan, &rows, NULL, 3, 1, optim, NULL));
  bad(NNB_E_ARG, "parts is 4", nnb_net_freeze(net, 2, 4));
}
END_TEST

START_TEST(parts_of_another_net) {
  nnb_net *other;
  nnb_optim *o;
  ck_ok(nnb_net_parse("3-5-2", &other));
  ck_ok(nnb_optim_create(other, NULL, &o));
  bad(NNB_E_ARG, "another net", nnb_train_step(other, plan, &rows, o, NULL));
  bad(NNB_E_ARG, "another net", nnb_train_rows(other, plan, &rows, NULL, 0, 1, o, NULL));
  bad(NNB_E_SHAPE, "32 parameters", nnb_train_step(net, plan, &rows, o, NULL));
  bad(NNB_E_SHAPE, "32 parameters", nnb_optim_step(o, net, grad));
  nnb_optim_destroy(o), nnb_net_destroy(other);
}
END_TEST
/* ---- callbacks, files, names, targets -----------------------------------------------------------------------------
 */

static nnb_status fails(void *user, const real *x, double *f, real *g) {
  (void)user, (void)x, (void)f, (void)g;
  return NNB_E_IO;
}
static nnb_status fails_in_rows(void *user, const real *x, size_t row0, int k, real *r, real *J, int ldj) {
  (void)user, (void)x, (void)row0, (void)k, (void)r, (void)J, (void)ldj;
  return NNB_E_IO;
}
static nnb_status fails_in_words(void *user, const real *x, double *f, real *g) {
  (void)user, (void)x, (void)f, (void)g;
  return nnb_layer_fail(NNB_E_IO, "the simulation is gone");
}

static nnb_status positive(void *user, const real *x, double *f, real *g) {
  (void)user, (void)x, (void)f, (void)g;
  return (nnb_status)3;
}
static nnb_status positive_rows(void *user, const real *x, size_t row0, int k, real *r, real *J, int ldj) {
  (void)user, (void)x, (void)row0, (void)k, (void)r, (void)J, (void)ldj;
  return (nnb_status)3;
}
static nnb_status positive_shape(void *self, const int *cols, int n_from, nnb_needs *needs) {
  (void)self, (void)n_from, needs->cols = cols[0];
  return (nnb_status)3;
}
static nnb_status positive_in_words(void *self, const int *cols, int n_from, nnb_needs *needs) {
  (void)self, (void)n_from, needs->cols = cols[0];
  return nnb_layer_fail((nnb_status)3, "a sentence for a status that is none");
}

/* A status is 0 or negative; a positive one would be taken for a node number. */
START_TEST(positive_statuses_are_errors) {
  nnb_min_report r;
  real x[2] = {0};
  const char *words = "returned 3; wanted NNB_OK or a negative status";
  bad(NNB_E_ARG, words, nnb_minimize(&(nnb_fdf){.n = 2, .eval = positive}, x, NULL, &r));
  bad(NNB_E_ARG, words, nnb_least_squares(&(nnb_lsq){.m = 2, .n = 2, .rows = positive_rows}, x, NULL, &r));
  nnb_status (*const shapes[])(void *, const int *, int, nnb_needs *) = {positive_shape, positive_in_words};
  for (int i = 0; i < 2; i++) {
    nnb_layer_ops ops = toy_gain;
    ops.shape = shapes[i];
    nnb_net *n = nnb_net_create(2);
    bad(NNB_E_ARG, words, nnb_net_own_layer(n, &ops, &(toy_gain_fields){1, 1}, NULL, 0, NNB_LINEAR, NULL));
    bad(NNB_E_ARG, words, nnb_net_status(n));
    ck_assert_int_eq(nnb_net_n_nodes(n), 1);
    nnb_net_destroy(n);
  }
}
END_TEST

/* A caller's function that fails without a message gets one, and not that of an earlier failure. */
START_TEST(callbacks_that_fail) {
  nnb_min_report r;
  real x[2] = {0};
  bad(NNB_E_IO, "eval returned -7 (reading or writing failed)",
      nnb_minimize(&(nnb_fdf){.n = 2, .eval = fails}, x, NULL, &r));
  ck_assert(r.algo == NNB_LBFGS && r.stop == NNB_STOP_ERROR && isnan(r.value) && isnan(r.start_value));
  bad(NNB_E_IO, "the simulation is gone", nnb_minimize(&(nnb_fdf){.n = 2, .eval = fails_in_words}, x, NULL, &r));
  bad(NNB_E_IO, "rows returned -7", nnb_least_squares(&(nnb_lsq){.m = 2, .n = 2, .rows = fails_in_rows}, x, NULL, &r));
  ck_assert(r.algo == NNB_LM && r.stop == NNB_STOP_ERROR && isnan(r.value) && isnan(r.gradient_norm) && r.seconds > 0);
  bad(NNB_E_ARG, "", nnb_least_squares(NULL, x, NULL, &r));
  ck_assert(r.algo == NNB_LM && isnan(r.value) && isnan(r.start_value) && isnan(r.gradient_norm));
}
END_TEST

/* However long the path is, the message has the place and the reason. */
START_TEST(messages_of_long_paths) {
  char path[2000] = "/nowhere";
  nnb_net *n;
  nnb_data *d;
  while (strlen(path) < 1900) strcat(path, "/ein Ordner über alles");
  bad(NNB_E_IO, "failed: ", nnb_net_load(path, NULL, &n));
  ck_assert_msg(strstr(nnb_errmsg(), "/nowhere/ein") == nnb_errmsg() && strstr(nnb_errmsg(), "…"), "%s", nnb_errmsg());
  ck_assert_uint_lt(strlen(nnb_errmsg()), 512);
  bad(NNB_E_PARSE, ":2:3: \"x\" is not a number", nnb_data_parse_csv("1,2\n3,x\n", 8, path, NULL, &d));
  bad(NNB_E_ARG, "path is empty", nnb_net_save(net, ""));
}
END_TEST

START_TEST(columns_too_wide_to_be_scaled) {
  real x[] = {0, -(real)TOL(1.5e308, 3e38), 1, (real)TOL(1.5e308, 3e38)};
  nnb_data *d;
  ck_ok(nnb_data_wrap(&(nnb_batch){.x = nnb_cview(x, 2, 2)}, 0, &d));
  nnb_net *n = nnb_net_create(2);
  bad(NNB_E_NUMERIC, "column 2 has values from -", nnb_net_scale_inputs(n, d, (nnb_scaling)_i));
  nnb_net_destroy(n), nnb_data_destroy(d);
}
END_TEST

/* Devices may never end, and pipes may never begin. */
START_TEST(files_that_are_none) {
  char path[TOY_PATH];
  nnb_net *n;
  nnb_data *d;
  bad(NNB_E_IO, "not a regular file", nnb_net_load("/dev/zero", NULL, &n));
  toy_path(path, "pipe");
  ck_assert_int_eq(mkfifo(path, 0600), 0);
  bad(NNB_E_IO, "not a regular file", nnb_data_read_csv(path, NULL, &d));
  unlink(path);
  ck_ok(nnb_net_save(net, path));
  ck_assert_int_eq(chmod(path, 0), 0);
  ck_ok(nnb_net_save(net, path));
  struct stat st;
  ck_assert(stat(path, &st) == 0 && (st.st_mode & 0777) == 0);
  unlink(path);
}
END_TEST

START_TEST(classes_of_several_outputs) {
  int32_t label[8];
  nnb_net *n = nnb_net_create(N_IN);
  int a = nnb_net_dense(n, 2, NNB_TANH);
  nnb_net_output(n, a), nnb_net_output(n, nnb_net_dense(n, 2, NNB_SOFTMAX));
  bad(NNB_E_SHAPE, "one output; this one has 2", nnb_net_classify(n, rows.x, label));
  nnb_net_destroy(n);
}
END_TEST

/* Columns in another order than in the training data. */
START_TEST(columns_of_other_names) {
  static const char *const texts[] = {"a,b,t\n1,2,3\n4,6,5\n", "b,a,t\n2,1,3\n6,4,5\n", "a,b,u\n1,2,3\n4,6,5\n"};
  static const char *const words[] = {"", "input column 1 is \"b\" in the data but \"a\" in the net",
                                      "target column 1 is \"u\" in the data but \"t\" in the net"};
  nnb_data *d[3], *nameless;
  nnb_net *n;
  nnb_metrics m;
  nnb_batch all;
  nnb_error_bars *bars;
  const nnb_fit_opts one = {.max_epochs = 1};
  const nnb_error_bars_opts known = {.evidence = {.alpha = 1, .beta = 1}};
  ck_ok(nnb_net_parse("2-1", &n));
  for (int k = 0; k < 3; k++) ck_ok(nnb_data_parse_csv(texts[k], strlen(texts[k]), "f.csv", NULL, &d[k]));
  ck_ok(nnb_fit(n, d[0], NULL, &one, NULL));
  ck_ok(nnb_fit(n, d[0], d[0], &one, NULL));
  for (int k = 1; k < 3; k++) {
    bad(NNB_E_SHAPE, words[k], nnb_evaluate(n, d[k], &m));
    bad(NNB_E_SHAPE, words[k], nnb_fit(n, d[k], NULL, &one, NULL));
    bad(NNB_E_SHAPE, words[k], nnb_fit(n, d[0], d[k], &one, NULL));
    bad(NNB_E_SHAPE, words[k], nnb_solve_output(n, d[k], 0));
    bad(NNB_E_SHAPE, words[k], nnb_error_bars_create(n, d[k], &known, &bars));
  }
  ck_ok(nnb_data_batch(d[1], 0, 2, &all));
  ck_ok(nnb_data_wrap(&all, 0, &nameless));
  ck_ok(nnb_evaluate(n, nameless, &m));
  nnb_data_destroy(nameless), nnb_net_destroy(n);
  for (int k = 0; k < 3; k++) nnb_data_destroy(d[k]);
}
END_TEST

START_TEST(targets_that_are_no_probabilities) {
  real x[N * N_IN], t[N * N_OUT];
  nnb_data *d;
  nnb_metrics m;
  toy_fill(x, N * N_IN, 1);
  for (int i = 0; i < N * N_OUT; i++) t[i] = (real)(i % 3) / 2;
  ck_ok(nnb_data_wrap(&(nnb_batch){.x = nnb_cview(x, N, N_IN), .t = nnb_cview(t, N, N_OUT)}, 0, &d));
  nnb_net *n;
  ck_ok(nnb_net_parse(_i ? "3-2:softmax" : "3-2:sigmoid", &n));
  const nnb_fit_opts one = {.max_epochs = 1};
  ck_ok(nnb_fit(n, d, d, &one, NULL));
  t[7] = (real)1.5;
  bad(NNB_E_ARG, "t is 1.5 in row 4, column 2", nnb_fit(n, d, NULL, &one, NULL));
  bad(NNB_E_ARG, _i ? " cross_entropy" : "binary_cross_entropy", nnb_evaluate(n, d, &m));
  t[7] = 1, t[0] = -(real)0.25;
  bad(NNB_E_ARG, "t is -0.25 in row 1, column 1", nnb_fit(n, d, NULL, &one, NULL));
  nnb_net_destroy(n);
  ck_ok(nnb_net_parse(_i ? "3-2:softmax:name=o" : "3-2:sigmoid:name=o", &n));
  ck_ok(nnb_net_scale_targets(n, d, NNB_MINMAX));
  bad(NNB_E_ARG, "the output o has scaled targets", nnb_fit(n, d, NULL, &one, NULL));
  ck_ok(nnb_net_loss(n, NNB_MSE));
  ck_ok(nnb_fit(n, d, NULL, &one, NULL));
  nnb_net_destroy(n), nnb_data_destroy(d);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("bad input, " PRECISION);
  TCase *tc = tcase_create("bad input");
  tcase_add_checked_fixture(tc, setup, teardown);
  tcase_add_test(tc, null_for_nets);
  tcase_add_test(tc, null_for_running);
  tcase_add_test(tc, null_for_derivatives);
  tcase_add_test(tc, null_for_data);
  tcase_add_test(tc, null_where_it_means_nothing);
  tcase_add_test(tc, shapes_that_do_not_fit);
  tcase_add_test(tc, shapes_of_derivatives);
  tcase_add_test(tc, data_of_other_widths);
  tcase_add_test(tc, sizes_that_overflow);
  tcase_add_loop_test(tc, numbers_that_are_not_finite, 0, 3);
  tcase_add_test(tc, bad_data);
  tcase_add_test(tc, bad_fit_options);
  tcase_add_test(tc, fused_outputs_have_no_da);
  tcase_add_test(tc, an_optimiser_of_another_net);
  tcase_add_test(tc, bad_other_options);
  tcase_add_test(tc, parts_of_another_net);
  tcase_add_test(tc, callbacks_that_fail);
  tcase_add_test(tc, positive_statuses_are_errors);
  tcase_add_test(tc, messages_of_long_paths);
  tcase_add_loop_test(tc, columns_too_wide_to_be_scaled, 0, 2);
  tcase_add_test(tc, files_that_are_none);
  tcase_add_test(tc, classes_of_several_outputs);
  tcase_add_test(tc, fits_that_cannot_begin);
  tcase_add_test(tc, columns_of_other_names);
  tcase_add_loop_test(tc, targets_that_are_no_probabilities, 0, 2);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
