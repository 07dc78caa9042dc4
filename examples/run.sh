#!/bin/sh
# Installs what is missing, builds, and compares full-batch, mini-batch and stochastic gradient descent on the
# handwritten digits:
#   sh examples/run.sh [ARGUMENT OF batch_vs_stochastic...]
set -eu
cd "$(dirname "$0")/.."
sh tools/setup.sh examples
[ -f build/build.ninja ] || meson setup build
ninja -C build examples/batch_vs_stochastic
exec build/examples/batch_vs_stochastic examples/data/digits.csv "$@"
