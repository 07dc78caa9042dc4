#!/bin/sh
# Installs what is missing, builds, runs the tests:
#   sh tests/run.sh [SUITE...] [-v] [ARGUMENT OF meson test...]
#     default    all tests but the long ones, with the default compiler, in build/
#     clang      the same with clang, in build-clang/, without the suites house, compilers, bindings,
#                bench, cli, install, system
#     asan       the same under AddressSanitizer and UndefinedBehaviorSanitizer, without the lessons and
#                the suites house, compilers, system, in build-asan/
#     fuzz       each fuzz target for FUZZ_SECONDS (10) seconds, with clang, in build-fuzz/
#     lint       clang-tidy over lib/, shellcheck over the scripts
#     tsan       all tests but the long ones under ThreadSanitizer, in build-tsan/
#     valgrind   the same under valgrind, with plain vector loops, in build-valgrind/; if no test is named, then the
#                tests of the kernels again with the loops for AVX2, in build-valgrind-v3/
#     slow       the tests of meson's suite "long", in build/
#     long       what takes longer: tsan, valgrind, slow, lint, and fuzz for 120 seconds each
#     all        default, clang, asan and long
#   sh tests/run.sh asan fit -v     one test under AddressSanitizer, showing everything
# A build folder that exists is configured again where it differs from what a suite needs, and that is said.
# A line counts up while it works; -v shows every command.  Whatever fails is shown whole.  At the end stand what failed,
# then a line "N passed, N failed, N skipped"; the status is not 0 if anything failed or fewer tests ran than there are.
set -u
cd "$(dirname "$0")/.." || exit 1

totals=$(mktemp) && failures=$(mktemp) && log=$(mktemp) || exit 1
trap 'rm -f "$totals" "$failures" "$log"' EXIT
if python3 --version >/dev/null 2>&1; then python=python3; else python=/usr/bin/python3; fi

count() { echo "$1: $2 passed, $3 failed, $4 skipped" && echo "$2 $3 $4" >>"$totals"; } # count SUITE PASSED FAILED SKIPPED
broken() { # what failed outside of a test counts as a failed test
  echo "$1: $2" | tee -a "$failures" >&2
  count "$1" 0 1 0
}

# build FOLDER COMPILER OPTION...   "": the default compiler
build() {
  folder=$1 compiler=$2
  shift 2
  $python tools/build.py "$folder" $verbose ${compiler:+--compiler "$compiler"} "$@"
}
run_tests() { # run_tests SUITE FOLDER ARGUMENT...; what failed is counted and noted
  before=$(wc -l <"$totals")
  $python tools/run_suite.py "$@" $verbose --totals "$totals" --failures "$failures" || true
  [ "$(wc -l <"$totals")" -gt "$before" ] || broken "$1" "the tests ended without a total"
}

suite_default() { build build "" -Dtests=enabled && run_tests default build "$@"; }
suite_slow() { build build "" -Dtests=enabled && run_tests slow build --suite long "$@"; }
suite_clang() { # without the tests that do not depend on the build, or only on what the library exports
  build build-clang clang -Dtests=enabled &&
    run_tests clang build-clang --no-suite house --no-suite compilers --no-suite bindings --no-suite bench \
      --no-suite cli --no-suite install --no-suite system "$@"
}

# Vector loops are the same source at each level, so the sanitizers see two widths of it and not three, and the fuzz
# targets, which parse, the plain one.  Valgrind knows no AVX-512, and is slow with AVX2.
# What the tests need under each of these (environment, time, what to leave out) is a test setup in tests/meson.build.
# The lessons use what the tests use.
checked="-Dtests=enabled -Dbuildtype=debugoptimized -Dbench=false -Dexamples=false"
# Under the sanitizers less optimisation, lines without variables and the end at the first error halve the time of the
# compiler, and the tests take as long.
sanitized() { # sanitized FOLDER KIND
  (
    export CFLAGS="${CFLAGS:-} -g1 -fno-sanitize-recover=all"
    # shellcheck disable=SC2086
    build "$1" "" $checked -Dlevels=v3 -Doptimization=1 -Db_sanitize="$2" -Db_lundef=false
  )
}
suite_asan() { sanitized build-asan address,undefined && run_tests asan build-asan --setup asan "$@"; }
suite_tsan() { sanitized build-tsan thread && run_tests tsan build-tsan --setup tsan "$@"; }
with_kernels="act act_f chain_blocks chain_blocks_f chain_rows chain_rows_f exact exact_f kernels kernels_f loss loss_f
  mm mm_f steps steps_f"
# shellcheck disable=SC2086
suite_valgrind() { # suite_valgrind ARGUMENT...   with none, the kernels for AVX2, too
  build build-valgrind "" $checked -Dlevels=none && run_tests valgrind build-valgrind --setup valgrind "$@" || return 1
  [ $# -gt 0 ] || [ "$(uname -m)" != x86_64 ] || { build build-valgrind-v3 "" $checked -Dlevels=v3 &&
    run_tests valgrind-v3 build-valgrind-v3 --setup valgrind $with_kernels; }
}

# fuzz_one NAME SECONDS: new inputs go to build-fuzz-inputs/NAME, an input that fails to build-fuzz-inputs/failed-NAME-…
fuzz_one() {
  mkdir -p "build-fuzz-inputs/$1"
  "build-fuzz/tests/fuzz/fuzz_$1" -max_total_time="$2" -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 \
    -print_funcs=0 -verbosity=0 -artifact_prefix="build-fuzz-inputs/failed-$1-" \
    "build-fuzz-inputs/$1" "tests/fuzz/corpus/$1" </dev/null
}
fuzz_names() { # from Meson and not from the files, among which there may be old ones
  $python -c 'import json
for target in json.load(open("build-fuzz/meson-info/intro-targets.json")):
    if target["type"] == "executable" and target["name"].startswith("fuzz_"): print(target["name"][5:])'
}
suite_fuzz() {
  build build-fuzz clang -Dtests=enabled -Dfuzz=true -Dbuildtype=debugoptimized -Db_lundef=false -Dlevels=none \
    -Dbench=false -Dexamples=false fuzz_targets || return 1
  good=0 bad=0 started=0 at_once=$(nproc 2>/dev/null || echo 1)
  logs=$(mktemp -d) || return 1
  for name in $(fuzz_names); do
    echo "fuzz_$name, $fuzz_seconds seconds"
    { fuzz_one "$name" "$fuzz_seconds" >"$logs/$name" 2>&1 && touch "$logs/$name.good"; } &
    started=$((started + 1))
    [ $((started % at_once)) -gt 0 ] || wait
  done
  wait
  for name in $(fuzz_names); do
    if [ -e "$logs/$name.good" ]; then
      good=$((good + 1))
      [ -z "$verbose" ] || cat "$logs/$name"
    else
      bad=$((bad + 1))
      cat "$logs/$name"
      echo "fuzz: fuzz_$name failed" >>"$failures"
    fi
  done
  rm -rf "$logs"
  [ $((good + bad)) -gt 0 ] || { echo "fuzz: no target was built" | tee -a "$failures" >&2; return 1; }
  count fuzz "$good" "$bad" 0
}

suite_lint() {
  build build "" -Dtests=enabled || return 1
  if sh tools/lint.sh build >"$log" 2>&1; then count lint 1 0 0; else cat "$log" && broken lint "see above"; fi
}

suites="" parts="tests" verbose="" fuzz_seconds=${FUZZ_SECONDS:-10}
add() { suites="$suites $1" parts="$parts ${2:-}"; }
add_long() {
  add "tsan" && add "valgrind" "valgrind" && add "slow" && add "lint" "lint" && add "fuzz" "clang fuzz"
  fuzz_seconds=${FUZZ_SECONDS:-120}
}
while [ $# -gt 0 ]; do
  case $1 in
    default | asan | tsan | slow) add "$1" ;;
    clang | valgrind | lint) add "$1" "$1" ;;
    fuzz) add fuzz "clang fuzz" ;;
    long) add_long ;;
    all) add default && add clang clang && add asan && add_long ;;
    -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' tests/run.sh && exit 0 ;;
    *) break ;;
  esac
  shift
done
arguments=$#
while [ "$arguments" -gt 0 ]; do # -v is for the build, too
  case $1 in -v | --verbose) verbose=-v ;; *) set -- "$@" "$1" ;; esac
  shift && arguments=$((arguments - 1))
done

# shellcheck disable=SC2086
sh tools/setup.sh $parts || exit 1
for suite in ${suites:-default}; do
  "suite_$suite" "$@" || broken "$suite" "it could not be built"
done
[ -s "$failures" ] && printf '\nWhat failed:\n' && cat "$failures"
echo
awk '{ p += $1; f += $2; s += $3 }
     END { printf "%d passed, %d failed, %d skipped\n", p, f, s; exit !(p > 0 && f == 0) }' "$totals"
