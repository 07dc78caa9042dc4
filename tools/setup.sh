#!/bin/sh
# Installs what the build needs and the machine lacks, saying so first; does nothing where nothing is missing.
#   sh tools/setup.sh [examples] [tests] [onnx] [docs] [bindings] [clang] [fuzz] [valgrind] [lint]
# with what each part needs beyond the library itself.
# On Debian and Ubuntu through apt-get, as root or with sudo; elsewhere it names the packages and ends with status 1.
set -u
probe=$(mktemp) || exit 1
trap 'rm -f "$probe" "$probe.c"' EXIT

missing=""  # Debian package names
optional="" # the same, for what the build can do without

has() { command -v "$1" >/dev/null 2>&1; }
works() { has "$1" && "$1" --version >/dev/null 2>&1; }
has_lib() { pkg-config --exists "$1" 2>/dev/null; }
first_compiler() { # CC may be several words, as in "ccache gcc"
  for c in "${CC:-cc}" gcc clang; do
    has "${c%% *}" && echo "$c" && return
  done
  return 1
}
compiles() { $(first_compiler) -x c - -o /dev/null 2>/dev/null; } # the program on standard input
# Whether a call links, as meson.build tries it where there is no file for pkg-config.
links_blas() { # links_blas HEADER CALL FLAG...
  printf '#include <%s>\nint main(void) { return (int)%s; }\n' "$1" "$2" >"$probe.c"
  shift 2
  $(first_compiler) "$probe.c" -o "$probe" "$@" 2>/dev/null
}
openblas_flags() { pkg-config --cflags --libs openblas 2>/dev/null || echo -lopenblas; }
need() { missing="$missing $*"; }

# meson asks dpkg-architecture where libraries go on Debian; without it that is lib64, where pkg-config and CMake do not
# look there.
need_place() { [ ! -r /etc/debian_version ] || has dpkg-architecture || need dpkg-dev; }

need_library() {
  echo 'int main(void) { return 0; }' | compiles || need gcc libc6-dev
  works meson || need meson
  need_place
  { works ninja || works ninja-build; } || need ninja-build
  works pkg-config || need pkg-config
  { works python3 || works /usr/bin/python3; } || need python3
  has_lib openblas || links_blas cblas.h 'cblas_ddot(0, 0, 1, 0, 1)' -lopenblas || need libopenblas-dev
  has_lib lapacke || links_blas lapacke.h 'LAPACKE_dpotrf(101, 76, 0, 0, 1)' $(openblas_flags) || # inside OpenBLAS
    links_blas lapacke.h 'LAPACKE_dpotrf(101, 76, 0, 0, 1)' -llapacke || need liblapacke-dev
  has_lib jansson || need libjansson-dev
  has_lib zlib || optional="$optional zlib1g-dev"
  { has_lib libprotobuf-c && works protoc-c; } || optional="$optional libprotobuf-c-dev protobuf-c-compiler"
}

need_tests() {
  has_lib check || need check
  works g++ || need g++
  works cmake || need cmake
  need_docs
  has groff || optional="$optional groff-base"
  { has mpicc && has mpirun; } || optional="$optional libopenmpi-dev openmpi-bin"
  printf '#include <doublefann.h>\nint main(void) { return 0; }\n' | compiles || optional="$optional libfann-dev"
}

# The programs that ONNX files are compared with, in the system's Python.
need_onnx() {
  for pair in onnx:python3-onnx torch:python3-torch cv2:python3-opencv; do
    /usr/bin/python3 -c "import ${pair%:*}" 2>/dev/null || optional="$optional ${pair#*:}"
  done
  [ -d /usr/lib/python3/dist-packages/onnx/backend/test/data ] || optional="$optional libonnx-testdata"
}

# The site of the documentation, in the Python that tools/site.py takes.
need_docs() {
  for python in python3 /usr/bin/python3; do
    $python -c 'import markdown_it, pygments' 2>/dev/null && return
  done
  optional="$optional python3-markdown-it python3-pygments"
}

# The sanitizers' run-time libraries of clang are packages of their own, named after its version.
clang_runtime() {
  version=$(apt-cache depends clang 2>/dev/null | sed -n 's/^ *Depends: clang-\([0-9]*\)$/\1/p')
  apt-cache show "libclang-rt-$version-dev" >/dev/null 2>&1 && echo "libclang-rt-$version-dev"
}
links_with() { has clang && echo 'int main(void) { return 0; }' | clang -x c - -o /dev/null "$1" 2>/dev/null; }

has_module() { for p in python3 /usr/bin/python3; do "$p" -c "import $1" 2>/dev/null && return; done; return 1; }

need_group() {
  case $1 in
    bindings)
      has_module numpy || need python3-numpy
      works gfortran || need gfortran
      has_module sklearn || optional="$optional python3-sklearn" ;;
    examples)
      works gnuplot || optional="$optional gnuplot-nox"
      has_lib hdf5 || optional="$optional libhdf5-dev" ;;
    tests) need_tests ;;
    onnx) need_onnx ;;
    docs) need_docs; works gnuplot || optional="$optional gnuplot-nox" ;;
    clang) works clang || need clang ;;
    fuzz) works clang || need clang; links_with -fsanitize=address || wants_runtime=1 ;;
    valgrind) works valgrind || need valgrind ;;
    lint) works clang-tidy || need clang-tidy; works shellcheck || need shellcheck ;;
    *) echo "setup.sh: unknown part '$1'" >&2; exit 2 ;;
  esac
}

elsewhere() {
  cat >&2 <<END
This machine lacks what Debian calls:$missing$optional
Packages are only installed by themselves on Debian and Ubuntu. Elsewhere, install (names may vary with the release):
  Fedora   gcc gcc-c++ clang cmake meson ninja-build pkgconf-pkg-config python3 openblas-devel lapack-devel check-devel
           jansson-devel zlib-devel protobuf-c-devel gnuplot groff python3-markdown-it-py python3-pygments
  Arch     gcc clang cmake meson ninja pkgconf python openblas lapacke check jansson zlib protobuf-c gnuplot groff
           python-markdown-it-py python-pygments
  macOS    brew install meson ninja pkgconf openblas lapack check jansson zlib protobuf-c argp-standalone cmake gnuplot
           groff
           pip3 install markdown-it-py pygments
           export PKG_CONFIG_PATH="\$(brew --prefix openblas)/lib/pkgconfig:\$(brew --prefix lapack)/lib/pkgconfig"
then run this command again.
END
  [ -n "$missing$wants_runtime" ] && exit 1
  exit 0 # only what the build can do without
}

# How this user becomes root: "", "sudo" or "sudo -n" (no terminal: never ask for a password); status 1: not at all.
become_root() {
  [ "$(id -u)" -eq 0 ] && return 0
  has sudo || return 1
  if [ -t 0 ]; then echo "sudo"; else sudo -n true 2>/dev/null && echo "sudo -n"; fi
}

known() { for p; do apt-cache show "$p" 2>/dev/null | grep -q . || return 1; done; }
apt() { # shellcheck disable=SC2086
  $root env DEBIAN_FRONTEND=noninteractive apt-get -q "$@" </dev/null; }
refresh() { echo "+ ${root:+$root }apt-get update"; apt update; }
install() {
  echo "+ ${root:+$root }apt-get install --no-install-recommends $*"
  apt install -y --no-install-recommends "$@"
}

wants_runtime=""
need_library
for group; do need_group "$group"; done
[ -z "$missing$optional$wants_runtime" ] && exit 0

if [ ! -r /etc/debian_version ] || ! has apt-get; then elsewhere; fi
echo "Missing on this machine:$missing$optional${wants_runtime:+ the sanitizers of clang}"
if ! root=$(become_root); then
  echo "Neither root nor able to use sudo here; as root, run:" >&2
  echo "  apt-get update && apt-get install --no-install-recommends$missing$optional" >&2
  [ -z "$missing$wants_runtime" ] && exit 0
  exit 1
fi
# shellcheck disable=SC2086
known $missing $optional ${wants_runtime:+clang} || refresh || echo "(going on with the package lists that are there)"
[ -z "$wants_runtime" ] || missing="$missing $(clang_runtime)"
# shellcheck disable=SC2086
if [ -n "$missing" ]; then
  install $missing || { refresh && install $missing; } || { echo "setup.sh: could not install:$missing" >&2; exit 1; }
fi
# shellcheck disable=SC2086
[ -z "$optional" ] || install $optional || echo "setup.sh: going on without$optional"
exit 0
