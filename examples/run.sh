#!/bin/sh
# Installs what is missing, builds, and compares full-batch, mini-batch and stochastic gradient descent on the
# handwritten digits; then trains on a table with the command nnblas:
#   sh examples/run.sh [-v] [ARGUMENT OF batch_vs_stochastic...]     --help lists them; -v shows every command of the build
# Curves and pictures go to build/batch_vs_stochastic, or where --out says.
set -eu
verbose=""
if [ "${1:-}" = -v ]; then verbose=-v && shift; fi
root=$(cd "$(dirname "$0")/.." && pwd)
sh "$root/tools/setup.sh" examples
if python3 --version >/dev/null 2>&1; then python=python3; else python=/usr/bin/python3; fi
(cd "$root" && $python tools/build.py build $verbose --keep tests examples/batch_vs_stochastic)
"$root/build/examples/batch_vs_stochastic" --out "$root/build/batch_vs_stochastic" "$@"
[ $# -eq 0 ] || exit 0

# Without argp (cli/meson.build) there is no such command.
grep -q '^build cli/nnblas:' "$root/build/build.ninja" || exit 0
(cd "$root" && $python tools/build.py build $verbose --keep tests cli/nnblas)
printf '\n$ nnblas train examples/data/iris.csv --target species -o build/iris.safetensors\n'
cd "$root" && exec build/cli/nnblas train examples/data/iris.csv --target species -o build/iris.safetensors
