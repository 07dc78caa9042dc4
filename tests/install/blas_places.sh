#!/bin/sh
# OpenBLAS and LAPACKE where other machines have them: LAPACKE inside OpenBLAS without a lapacke.pc, no file for
# pkg-config at all, and no LAPACKE anywhere.
#   blas_places.sh SOURCE MESON VERSION        CC: the C compiler
set -u
here=$(dirname "$0")
. "$here/steps.sh"
source=$1 meson=$2 version=$3

# What pkg-config may see: the modules named, and nothing else.
only() { # only FOLDER MODULE...
  folder=$1
  shift
  mkdir -p "$folder"
  for module; do
    pc=$(pkg-config --variable=pcfiledir "$module")/$module.pc
    [ -f "$pc" ] && cp "$pc" "$folder/"
  done
}
libs_of() { pkg-config --libs "$1" 2>/dev/null || echo "-l$1"; }

# To the linker this is one library with both inside.
mkdir inside
where() { # where MODULE: the file that -lMODULE means
  for word in $(libs_of "$1"); do
    case $word in -L*) [ -f "${word#-L}/lib$1.so" ] && readlink -f "${word#-L}/lib$1.so" && return ;; esac
  done
  readlink -f "$($CC -print-file-name="lib$1.so")"
}
echo "INPUT($(where openblas) $(where lapacke))" >inside/libopenblas.so
cat >inside.pc <<END
Name: openblas
Description: OpenBLAS with LAPACKE inside
Version: 0.3.21
Libs: -L$top/inside -lopenblas
Cflags: $(pkg-config --cflags openblas lapacke 2>/dev/null)
END

configured() { # configured BUILD VARIABLE=VALUE...
  build=$1
  shift
  # shellcheck disable=SC2086
  env "$@" $meson setup "$build" "$source" $quick -Ddefault_library=static --prefix="$top/prefix-$build" -Dlibdir=lib
}
pc_of() { find "$1/meson-private" -name nnblas.pc; }
names_no_lapacke() { ! grep -ri lapacke "$(pc_of "$1")" "$1/include/nnblasConfig.cmake"; }

only pc-inside jansson zlib && cp inside.pc pc-inside/openblas.pc
step "LAPACKE inside OpenBLAS: configure" configured inside-build PKG_CONFIG_LIBDIR="$top/pc-inside"
step "LAPACKE inside OpenBLAS: no file for programs names a liblapacke" names_no_lapacke inside-build
step "LAPACKE inside OpenBLAS: build" $meson compile -C inside-build
step "LAPACKE inside OpenBLAS: install" $meson install -C inside-build --no-rebuild
outside() { # shellcheck disable=SC2046
  PKG_CONFIG_LIBDIR=$top/prefix-inside-build/lib/pkgconfig:$top/pc-inside &&
    export PKG_CONFIG_LIBDIR &&
    $CC -std=c11 "$here/outside.c" -o outside $(pkg-config --cflags --libs nnblas) -lm && ./outside "$version"
}
step "LAPACKE inside OpenBLAS: a program" outside

only pc-none jansson zlib
step "no openblas.pc and no lapacke.pc: configure" configured none-build PKG_CONFIG_LIBDIR="$top/pc-none"

# A compiler that does not know lapacke.h.
cat >cc-without <<END
#!/bin/sh
for word; do
  case \$word in *.c) grep -q lapacke.h "\$word" && echo "no lapacke.h" >&2 && exit 1 ;; esac
done
exec $CC "\$@"
END
chmod +x cc-without
without() { configured without-build PKG_CONFIG_LIBDIR="$top/pc-none" CC="$top/cc-without" >said 2>&1; }
step "no LAPACKE at all: refused" fails without
step "no LAPACKE at all: with a sentence" grep -q 'ERROR: .*LAPACKE was not found: it is not inside OpenBLAS' said
finish
