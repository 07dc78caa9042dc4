#!/bin/sh
# Installs what is missing, builds, runs the tests:
#   sh tests/run.sh [SUITE...] [ARGUMENT OF meson test...]
#     default    all tests, with the default compiler, in build/
#     clang      all tests, with clang, in build-clang/
#     asan       all tests under AddressSanitizer and UndefinedBehaviorSanitizer, in build-asan/
#     tsan       all tests under ThreadSanitizer, in build-tsan/
#     valgrind   all tests under valgrind, in build-valgrind/
#     fuzz       each fuzz target for FUZZ_SECONDS (10) seconds, with clang, in build-fuzz/
#     all        all of these, one after the other
#   sh tests/run.sh asan fit --verbose     one test under AddressSanitizer
# Repeats at its end what failed, then a line "N passed, N failed, N skipped" and a status other than 0 if anything failed.
set -u
cd "$(dirname "$0")/.." || exit 1

passed=0 failed=0 skipped=0
log=$(mktemp) && failures=$(mktemp) || exit 1
trap 'rm -f "$log" "$failures"' EXIT

count() { # count SUITE PASSED FAILED SKIPPED
  echo "$1: $2 passed, $3 failed, $4 skipped"
  passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + $4))
}
broken() { # a build that failed counts as a failed test
  echo "$1: $2" | tee -a "$failures" >&2
  count "$1" 0 1 0
}

configure() { # configure FOLDER COMPILER OPTION...   "": the default compiler
  folder=$1 compiler=$2
  shift 2
  [ -f "$folder/build.ninja" ] || env ${compiler:+"CC=$compiler"} meson setup "$folder" "$@"
}
build() { configure "$@" && ninja -C "$1"; }

total_of() { sed -n "s/^$1: *\([0-9][0-9]*\) *$/\1/p" "$log" | tail -n 1; }

# meson's lines on tests that failed, Check's on checks that did, and the sanitizers'
what_failed() {
  grep -E ' (FAIL|TIMEOUT|ERROR|UNEXPECTEDPASS) |:[FE]:|ERROR: |WARNING: ThreadSanitizer|runtime error:|^ *#[0-9] ' "$log" |
    head -n 200
}

# meson's exit status counts too: a run without totals, or one that was cut off, has failed.
run_tests() { # run_tests SUITE FOLDER ARGUMENT...
  suite=$1 folder=$2
  shift 2
  { meson test -C "$folder" --no-rebuild --print-errorlogs "$@"; echo "status: $?"; } 2>&1 | tee "$log" | grep -v '^status: '
  ok=$(total_of Ok) bad=0
  for kind in Fail 'Unexpected Pass' Timeout; do
    n=$(total_of "$kind")
    bad=$((bad + ${n:-0}))
  done
  skip=$(total_of Skipped)
  [ "$(total_of status)" = 0 ] || [ "$bad" -gt 0 ] || bad=1
  [ "$bad" -eq 0 ] || { echo "$suite:" && what_failed; } >>"$failures"
  count "$suite" "${ok:-0}" "$bad" "${skip:-0}"
}

suite_default() { build build "" && run_tests default build "$@"; }

suite_clang() { build build-clang clang && run_tests clang build-clang "$@"; }

# Vector loops are the same source at each level, so the sanitizers see two widths of it and not three (valgrind knows no
# AVX-512), and the fuzz targets, which parse, the plain one.
# What the tests need under each of these (environment, time, what to leave out) is a test setup in tests/meson.build.
suite_asan() {
  build build-asan "" -Dbuildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false -Dlevels=v3 \
    -Dbench=false &&
    run_tests asan build-asan --setup asan "$@"
}
suite_tsan() {
  build build-tsan "" -Dbuildtype=debugoptimized -Db_sanitize=thread -Db_lundef=false -Dlevels=v3 -Dbench=false &&
    run_tests tsan build-tsan --setup tsan "$@"
}
suite_valgrind() {
  build build-valgrind "" -Dbuildtype=debugoptimized -Dlevels=v3 -Dbench=false && run_tests valgrind build-valgrind --setup valgrind "$@"
}

fuzz_one() { # fuzz_one NAME: new inputs go to the build folder, an input that fails to build-fuzz/failed-NAME-…
  mkdir -p "build-fuzz/found/$1"
  "build-fuzz/tests/fuzz/fuzz_$1" -max_total_time="${FUZZ_SECONDS:-10}" -timeout=20 -rss_limit_mb=4096 \
    -print_final_stats=1 -print_funcs=0 -verbosity=0 -artifact_prefix="build-fuzz/failed-$1-" \
    "build-fuzz/found/$1" "tests/fuzz/corpus/$1" </dev/null
}
suite_fuzz() {
  configure build-fuzz clang -Dfuzz=true -Dbuildtype=debugoptimized -Db_lundef=false -Dlevels=none -Dbench=false \
    -Dexamples=false ||
    return 1
  # shellcheck disable=SC2046
  ninja -C build-fuzz $(ninja -C build-fuzz -t targets all | sed -n 's,^\(tests/fuzz/fuzz_[a-z0-9_]*\): .*,\1,p') || return 1
  good=0 bad=0
  for target in build-fuzz/tests/fuzz/fuzz_*; do
    if [ ! -f "$target" ] || [ ! -x "$target" ]; then continue; fi
    name=${target##*/fuzz_}
    echo "fuzz_$name, ${FUZZ_SECONDS:-10} seconds"
    if fuzz_one "$name"; then good=$((good + 1)); else bad=$((bad + 1)) && echo "fuzz_$name failed" | tee -a "$failures" >&2; fi
  done
  [ $((good + bad)) -gt 0 ] || { echo "fuzz: no target was built" | tee -a "$failures" >&2; return 1; }
  count fuzz "$good" "$bad" 0
}

suites="" parts="tests"
while [ $# -gt 0 ]; do
  case $1 in
    default | asan | tsan) suites="$suites $1" ;;
    clang | valgrind) suites="$suites $1" parts="$parts $1" ;;
    fuzz) suites="$suites $1" parts="$parts clang fuzz" ;;
    all) suites="default clang asan tsan valgrind fuzz" parts="tests clang valgrind fuzz" ;;
    -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' tests/run.sh; exit 0 ;;
    *) break ;;
  esac
  shift
done

# shellcheck disable=SC2086
sh tools/setup.sh $parts || exit 1
for suite in ${suites:-default}; do
  "suite_$suite" "$@" || broken "$suite" "the build failed"
done
echo
[ "$failed" -eq 0 ] || { echo "what failed:" && cat "$failures" && echo; }
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
