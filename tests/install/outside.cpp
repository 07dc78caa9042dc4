// A program outside of the project, against an installed libnnblas: exclusive or, in both precisions, C++17.
#include <nnblas.h>

#include <cmath>
#include <cstdio>
#include <memory>

int main() {
  double x[] = {0, 0, 0, 1, 1, 0, 1, 1}, t[] = {0, 1, 1, 0}, y[4];
  nnb_batch rows{};
  rows.x = nnb_cview(x, 4, 2);
  rows.t = nnb_cview(t, 4, 1);
  nnb_data *wrapped = nullptr;
  if (nnb_data_wrap(&rows, 0, &wrapped)) return std::fprintf(stderr, "outside.cpp: %s\n", nnb_errmsg()), 1;
  std::unique_ptr<nnb_data, decltype(&nnb_data_destroy)> data(wrapped, nnb_data_destroy);
  std::unique_ptr<nnb_net, decltype(&nnb_net_destroy)> net(nnb_net_create(2), nnb_net_destroy);
  std::unique_ptr<nnbf_net, decltype(&nnbf_net_destroy)> single(nnbf_net_create(2), nnbf_net_destroy);

  nnb_net_dense(net.get(), 4, NNB_TANH);
  nnb_net_dense(net.get(), 1, NNB_SIGMOID);
  nnb_fit_opts opts{};
  opts.lr = 0.3;
  opts.batch = NNB_FULL_BATCH;
  opts.max_epochs = 2000;
  if (nnb_fit(net.get(), data.get(), nullptr, &opts, nullptr) || nnb_net_predict(net.get(), rows.x, nnb_view(y, 4, 1)))
    return std::fprintf(stderr, "outside.cpp: %s\n", nnb_errmsg()), 1;
  for (int i = 0; i < 4; i++)
    if (!(std::fabs(y[i] - t[i]) < 0.2)) return std::fprintf(stderr, "row %d: wanted %g, got %g\n", i, t[i], y[i]), 1;

  if (nnbf_net_dense(single.get(), 1, NNB_SIGMOID) < 0 || nnbf_net_n_params(single.get()) != 3)
    return std::fprintf(stderr, "outside.cpp: single precision: %s\n", nnb_errmsg()), 1;
  return 0;
}
