#!/bin/sh
# The library in a CMake project, through FetchContent from a folder, static and shared, with Make and Ninja.
#   fetch.sh SOURCE MESON VERSION        CC: the C compiler
set -u
here=$(dirname "$0")
. "$here/steps.sh"
source=$1 version=$3
command -v cmake >/dev/null || { skip "CMake (there is none)" && finish; }

mkdir outer && cp "$here/outside.c" outer/
cat >outer/CMakeLists.txt <<END
cmake_minimum_required(VERSION 3.14...3.25)
project(outer C)
include(FetchContent)
FetchContent_Declare(nnblas SOURCE_DIR "$source")
FetchContent_MakeAvailable(nnblas)
add_executable(outside outside.c)
target_link_libraries(outside PRIVATE nnblas::nnblas m)
END

built() { # built NAME GENERATOR BUILD_SHARED_LIBS
  step "$1: configure" cmake -G "$2" -S outer -B "$1" -DBUILD_SHARED_LIBS="$3" -DCMAKE_BUILD_TYPE=Debug \
    "-DNNBLAS_MESON_OPTIONS=-Dlevels=none;-Doptimization=0"
  step "$1: build" cmake --build "$1" --parallel
  step "$1: run" "$1/outside" "$version"
  step "$1: build again" cmake --build "$1"
}
built static Ninja OFF
if command -v make >/dev/null; then built shared "Unix Makefiles" ON; else built shared Ninja ON; fi
no_shared() { ! ldd "$1" | grep -q libnnblas; }
step "static: the program needs no libnnblas.so" no_shared static/outside
step "shared: the program needs it" fails no_shared shared/outside
finish
