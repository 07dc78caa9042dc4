# Sourced by the tests of this folder: a temporary folder to work in, steps that count, and the end.
# shellcheck shell=sh
top=$(mktemp -d) || exit 1
trap 'rm -rf "$top"' EXIT
cd "$top" || exit 1

failures=0 skips=0
step() { # step WHAT COMMAND...: runs the command, its output only where it fails
  what=$1
  shift
  if "$@" >log 2>&1; then echo "ok: $what"; else cat log; echo "FAILED: $what: $*"; failures=$((failures + 1)); fi
}
fails() { if "$@"; then return 1; fi; }
skip() { echo "skipped: $1"; skips=$((skips + 1)); }

# A test that left something out ends as skipped (77), so that it is seen.
finish() {
  echo "$failures failures, $skips skipped"
  [ "$failures" -eq 0 ] || exit 1
  [ "$skips" -eq 0 ] || exit 77
  exit 0
}

# Options for builds that only have to work, made quickly.
quick="-Dbuildtype=debug -Doptimization=0 -Dlevels=none -Dtests=disabled -Dexamples=false -Dbench=false -Dcommand=false"
