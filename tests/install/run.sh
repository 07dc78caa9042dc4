#!/bin/sh
# Installs a build into a temporary folder and uses it as a stranger would: headers, pkg-config, CMake, two programs.
#   run.sh BUILD SOURCE MESON VERSION        CC: the C compiler; CXX: the C++ compiler, may be empty
# shellcheck disable=SC2046,SC2086
set -eu
build=$1 source=$2 here=$2/tests/install meson=$3 version=$4
. "$here/steps.sh"

$meson install -C "$build" --no-rebuild --destdir "$top/stage" >install.log || { cat install.log; exit 1; }
pc=$(find "$top/stage" -name nnblas.pc)
[ -n "$pc" ] || { echo "no nnblas.pc was installed"; exit 1; }
# The files are staged below the prefix they were configured for: make the staged place the prefix.
prefix=$top/stage$(sed -n 's/^prefix=//p' "$pc")
sed "s|^prefix=.*|prefix=$prefix|" "$pc" >"$pc.new" && mv "$pc.new" "$pc"
lib=$(dirname "$(dirname "$pc")")
PKG_CONFIG_PATH=$(dirname "$pc")${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
export PKG_CONFIG_PATH
export LD_LIBRARY_PATH="$lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
cflags=$(pkg-config --cflags nnblas)

# ---- the headers, by themselves, in each language ----
strict="-Wall -Wextra -Wconversion -Wshadow -pedantic -Werror -fsyntax-only"
for header in nnblas.h nnblas/core.h; do
  echo "#include <$header>" >header.c && cp header.c header.cpp
  for std in c99 c11 c17; do step "$header as $std" $CC -std=$std $strict $cflags header.c; done
  [ -z "$CXX" ] || step "$header as c++17" $CXX -std=c++17 $strict $cflags header.cpp
done

# ---- the shared library: version, exported names ----
exported() { nm -D --defined-only "$1" | awk '{ print $NF }'; }
only_ours() { ! exported "$1" | grep -Ev '^nnbf?_[a-z0-9]'; }
has_soname() { readelf -d "$1" | grep -q 'SONAME.*\[libnnblas\.so\.[0-9][0-9]*\]'; }
if [ -e "$lib/libnnblas.so" ]; then
  step "the shared library has a versioned name" has_soname "$lib/libnnblas.so"
  step "the shared library is a link to libnnblas.so.$version" test -f "$lib/libnnblas.so.$version"
  step "the shared library exports nnb_ and nnbf_ names only" only_ours "$lib/libnnblas.so"
else
  echo "no shared library in this build"
fi

# ---- the manual of the library ----
manual() { MANPATH="$prefix/share/man" man "$1" >page 2>/dev/null && grep -q nnb_fit page; }
step "nnb_fit has a manual page" test -s "$prefix/share/man/man3/nnb_fit.3"
if command -v man >/dev/null && man --version >/dev/null 2>&1; then
  for name in nnb_fit nnbf_fit nnb_fit_opts.patience; do step "man $name" manual $name; done
fi

# ---- the command ----
if [ -x "$prefix/bin/nnblas" ]; then
  step "nnblas says its version" sh -c '"$1" --version | grep -qx "nnblas $2"' _ "$prefix/bin/nnblas" "$version"
  step "nnblas has a manual page" test -s "$prefix/share/man/man1/nnblas.1"
  step "nnblas is completed by bash" test -s "$prefix/share/bash-completion/completions/nnblas.bash"
else
  echo "no command nnblas in this build"
fi
if [ -x "$prefix/bin/nnblas-bench" ]; then
  step "nnblas-bench has a manual page" grep -q 'workloads LIST' "$prefix/share/man/man1/nnblas-bench.1"
else
  echo "no nnblas-bench in this build"
fi

# ---- the C program, against what pkg-config says ----
outside() { # outside NAME PKG_CONFIG_OPTION...
  name=$1
  shift
  for std in c99 c11; do
    step "outside.c, $std, $name: build" \
      $CC -std=$std -Wall -Wextra -pedantic -Werror "$here/outside.c" -o "outside-$name-$std" $(pkg-config "$@" --cflags --libs nnblas) -lm
    step "outside.c, $std, $name: run" "./outside-$name-$std" "$(pkg-config --modversion nnblas)"
  done
}
# The complete programs of README.md and nnblas.h must be just that.
# shellcheck disable=SC2016
sed -n '/^```c$/,/^```$/{/^```/!p;}' "$source/README.md" >readme.c
sed -n 's/^ \* \{6\}//p' "$source/include/nnblas.h" | sed -n '/^#include/,/^}/p' >header.c
shown() { # shown FILE: builds it, runs it, wants four lines of output
  $CC -std=c11 "$1.c" -o "$1" $(pkg-config --cflags --libs nnblas) && "./$1" >"$1.out" && [ "$(grep -c xor "$1.out")" -eq 4 ]
}
if [ -e "$lib/libnnblas.so" ]; then
  outside shared
  step "the program in README.md" shown readme
  step "the program in nnblas.h" shown header
fi
if [ -e "$lib/libnnblas.a" ]; then
  mkdir away && find "$lib" -name 'libnnblas.so*' -exec mv {} away/ \;
  outside static --static
  find away -name 'libnnblas.so*' -exec mv {} "$lib/" \;
else
  echo "no static library in this build"
fi

# ---- the Python package, which finds the library by itself ----
package=$(find "$top/stage" -type d -path '*-packages/nnblas')
numpy_python() { for p in python3 /usr/bin/python3; do "$p" -c 'import numpy' 2>/dev/null && echo "$p" && return; done; }
outside_python() ( # outside_python FOLDER_OF_THE_PACKAGE
  unset LD_LIBRARY_PATH
  PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$1 $python "$here/outside.py" "$lib" "$version"
)
if [ -z "$package" ]; then
  echo "no Python package in this build"
elif python=$(numpy_python); then
  step "outside.py with the installed package" outside_python "$(dirname "$package")"
else
  skip "the Python package (no Python has NumPy)"
fi

# ---- the Fortran module, and its source ----
if [ -f "$lib/pkgconfig/nnblas-fortran.pc" ] && [ -e "$lib/libnnblas.so" ]; then
  sed "s|^prefix=.*|prefix=$prefix|" "$lib/pkgconfig/nnblas-fortran.pc" >pc && mv pc "$lib/pkgconfig/nnblas-fortran.pc"
  step "outside.f90 with the module: build" \
    gfortran "$here/outside.f90" -o outside-f90 $(pkg-config --cflags --libs nnblas-fortran)
  step "outside.f90 with the module: run" ./outside-f90 "$version"
  step "outside.f90 with the source: build" \
    gfortran "$prefix/share/nnblas/nnblas.f90" "$here/outside.f90" -o outside-f90-source $(pkg-config --libs nnblas)
  step "outside.f90 with the source: run" ./outside-f90-source "$version"
else
  echo "no Fortran module in this build"
fi

# ---- the C++ program, against the CMake package ----
if [ -n "$CXX" ] && command -v cmake >/dev/null; then
  export CMAKE_PREFIX_PATH="$prefix"
  step "CMake finds the package" cmake -G Ninja -S "$here" -B cmake -DCMAKE_BUILD_TYPE=Release
  step "outside.cpp: build" cmake --build cmake
  for program in cmake/outside_nnblas cmake/outside_static; do
    [ ! -x $program ] || step "outside.cpp, $program: run" $program
  done
  [ -x cmake/outside_nnblas ] || step "CMake made a program" false
else
  skip "the CMake package (no cmake or no C++ compiler)"
fi
finish
