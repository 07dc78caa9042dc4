#!/bin/sh
# The library as a subproject of another Meson project, static and shared: by name, as the wrap's provide would give it.
#   subproject.sh SOURCE MESON VERSION        CC: the C compiler
set -u
here=$(dirname "$0")
. "$here/steps.sh"
source=$1 meson=$2 version=$3

mkdir -p outer/subprojects && cp "$here/outside.c" outer/ && ln -s "$source" outer/subprojects/nnblas
cat >outer/meson.build <<END
project('outer', 'c', version: '7.8.9', meson_version: '>=0.61', default_options: ['c_std=c99', 'warning_level=1'])
add_project_arguments('-DOUTER', language: 'c')
nnblas = dependency('nnblas', version: '>=$version', fallback: 'nnblas')
test('outside', executable('outside', 'outside.c', dependencies: [nnblas, meson.get_compiler('c').find_library('m')]),
  args: nnblas.version())
END

tests_of() { $meson introspect --tests "$1" | tr ',' '\n' | grep -c '"name"'; }
only_outside() { [ "$(tests_of "$1")" -eq 1 ]; }
commands() { grep "\"command\".*$2" "$1/compile_commands.json"; }
ours_alone() { # arguments of one project do not reach the other
  ! commands "$1" 'outside\.c' | grep -qE 'Wconversion|_POSIX_C_SOURCE|NNB_BUILDING|std=c11' &&
    commands "$1" 'base_alloc\.c' | grep -q 'std=c11' && ! commands "$1" 'base_alloc\.c' | grep -q DOUTER
}

for kind in static shared; do
  # shellcheck disable=SC2086
  step "$kind: configure" $meson setup $kind outer -Ddefault_library=$kind -Dnnblas:default_library=$kind \
    -Dnnblas:levels=none -Doptimization=0 -Dbuildtype=debug
  step "$kind: build" $meson compile -C $kind
  step "$kind: the program runs, with the version it asked for" $meson test -C $kind
  step "$kind: no tests, examples or benchmark of the library" only_outside $kind
  step "$kind: arguments stay in their project" ours_alone $kind
done
finish
