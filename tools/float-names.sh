#!/bin/sh
# Regenerates the lists of single-precision names from the public headers and the double archives of a build folder:
#   sh tools/float-names.sh BUILDDIR
# After a new private symbol: ninja -k0 (the link may fail), this script, ninja.
set -eu
cd "$(dirname "$0")/.."
build=${1:?usage: sh tools/float-names.sh BUILDDIR}
h=include/nnblas
python3 tools/float_names.py public $h/typed.h $h/extend.h $h/core.h $h/float_on.h $h/float_off.h
archives=$(for m in num num_v2 num_v3 num_v4 num_v3_exact num_v4_exact opt nn data io train; do a=$build/lib/libnnb_$m.a; if [ -f "$a" ]; then echo "$a"; fi; done)
# shellcheck disable=SC2086
python3 tools/float_names.py private lib/num/float_names.h $archives
