#!/bin/sh
# Installs what is missing, builds, and compares full-batch, mini-batch and stochastic gradient descent on the
# handwritten digits:
#   sh examples/run.sh [ARGUMENT OF batch_vs_stochastic...]     --help lists them
# Curves and pictures go to build/batch_vs_stochastic, or where --out says.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
sh "$root/tools/setup.sh" examples
[ -f "$root/build/build.ninja" ] || meson setup "$root/build" "$root"
ninja -C "$root/build" examples/batch_vs_stochastic
mkdir -p "$root/build/batch_vs_stochastic"
exec "$root/build/examples/batch_vs_stochastic" --out "$root/build/batch_vs_stochastic" "$@"
