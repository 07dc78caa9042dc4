#!/bin/sh
# Builds and tests with other compilers and for other machines, in Debian chroots that it makes with debootstrap:
#   sh tools/portability.sh FOLDER [ROW...]      as root, on x86-64 Debian or Ubuntu; no ROW: all of them
#   sh tools/portability.sh FOLDER --table       writes the results so far into docs/portability.md
#   TESTS="NAME..." sh tools/portability.sh ...  builds all, but runs only these tests
# FOLDER keeps the chroots, a log for each row (ROW.log) and its result (ROW.row).  A row of another machine is compiled
# by a cross compiler; its tests run under qemu's user mode, or directly (i386).  `git archive HEAD` is what is tested.
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:?usage: sh tools/portability.sh FOLDER [ROW...]}
shift
mkdir -p "$folder" && folder=$(cd "$folder" && pwd)

# row | Debian release | C compiler's package and command | machine
rows() {
  cat <<'END'
gcc-11    bookworm gcc-11   x86_64
gcc-12    bookworm gcc-12   x86_64
gcc-13    trixie   gcc-13   x86_64
gcc-14    trixie   gcc-14   x86_64
clang-14  bookworm clang-14 x86_64
clang-15  bookworm clang-15 x86_64
clang-16  bookworm clang-16 x86_64
clang-17  trixie   clang-17 x86_64
clang-18  trixie   clang-18 x86_64
clang-19  trixie   clang-19 x86_64
arm64     bookworm aarch64-linux-gnu-gcc arm64
i386      bookworm i686-linux-gnu-gcc    i386
s390x     bookworm s390x-linux-gnu-gcc   s390x
END
}

libraries="libopenblas-dev liblapacke-dev libjansson-dev zlib1g-dev libprotobuf-c-dev check"
tools="meson ninja-build pkg-config dpkg-dev python3 gcc libc6-dev g++ cmake make protobuf-c-compiler ccache"

inside() { env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 CCACHE_DIR=/ccache chroot "$root" "$@"; }
install() { inside apt-get install -qy --no-install-recommends "$@"; }

make_root() {
  [ -f "$root/etc/debian_version" ] || debootstrap --variant=minbase "$release" "$root" || return 1
  [ -e "$root/proc/self" ] || mount -t proc proc "$root/proc" || return 1
  [ -e "$root/dev/pts/ptmx" ] || mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts" || return 1
  # shellcheck disable=SC2086
  [ -f "$root/.updated" ] || { inside apt-get update -q && install $tools $libraries && touch "$root/.updated"; }
}

make_machine() { # compilers and libraries
  if [ "$machine" = x86_64 ]; then
    inside sh -c "command -v $compiler" >/dev/null || install "$compiler"
    return
  fi
  foreign=""
  for p in $libraries; do foreign="$foreign $p:$machine"; done
  inside dpkg --print-foreign-architectures | grep -qx "$machine" || { inside dpkg --add-architecture "$machine" && inside apt-get update -q; }
  # shellcheck disable=SC2086
  install "crossbuild-essential-$machine" qemu-user-static $foreign
}

# The cross file of a machine.  On i386 doubles must be rounded to doubles, for the tests that compare bits.
cross_file() {
  prefix=${compiler%-gcc} libdir=${compiler%-gcc} args="" endian=little wrapper="'qemu-$1-static'"
  case $machine in
    i386) args="'-msse2', '-mfpmath=sse'" wrapper="" libdir=i386-linux-gnu ;;
    s390x) endian=big ;;
  esac
  cat <<END
[binaries]
c = ['ccache', '$compiler']
cpp = '$prefix-g++'
ar = '$prefix-ar'
strip = '$prefix-strip'
pkgconfig = 'pkg-config'
${wrapper:+exe_wrapper = $wrapper}
[properties]
pkg_config_libdir = '/usr/lib/$libdir/pkgconfig:/usr/share/pkgconfig'
[built-in options]
c_args = [$args]
[host_machine]
system = 'linux'
cpu_family = '$1'
cpu = '$1'
endian = '$endian'
END
}
cpu_family() {
  case $machine in
    arm64) echo aarch64 ;;
    i386) echo x86 ;;
    *) echo "$machine" ;;
  esac
}

configure() {
  rm -rf "$root/source-$row" "$root/build-$row" && mkdir -p "$root/source-$row" "$root/ccache" &&
    git -C "$top" archive HEAD | tar -x -C "$root/source-$row" || return 1
  if [ "$machine" = x86_64 ]; then
    inside env "CC=ccache $compiler" meson setup "/build-$row" "/source-$row" -Dtests=enabled -Dexamples=false -Dbench=false
  else
    cross_file "$(cpu_family)" >"$root/cross-$machine.ini"
    inside meson setup "/build-$row" "/source-$row" --cross-file "/cross-$machine.ini" -Dtests=enabled -Dexamples=false \
      -Dbench=false
  fi
}

slow() { [ "$machine" != x86_64 ] && [ "$machine" != i386 ]; }
# The tests of the tree's order and those that look for compilers themselves depend on no compiler of the library's, and
# those of an installation would have to run on the machine.
run_tests() {
  without="--no-suite house --no-suite compilers"
  times=4
  [ "$machine" = x86_64 ] || without="$without --no-suite install"
  slow && times=40
  # shellcheck disable=SC2086
  inside env CK_TIMEOUT_MULTIPLIER=$times NNB_SLOWNESS=$times meson test -C "/build-$row" --no-rebuild --print-errorlogs -t $times $without ${TESTS:-}
}

total() { sed -n "s/^$1: *\([0-9][0-9]*\) *$/\1/p" "$log" | tail -n 1; }
version() { inside "$compiler" -dumpfullversion 2>/dev/null || inside "$compiler" --version | sed -n '1s/.*version \([0-9.]*\).*/\1/p'; }
names() { sed -n 's/^ *[0-9]*\/[0-9]* [^/]*\/ *\([a-z0-9_ -]*[a-z0-9_]\)  *\(FAIL\|TIMEOUT\|ERROR\) .*/\1/p' "$log" | sort -u | tr '\n' ' '; }

try() {
  row=$1 release=$2 compiler=$3 machine=$4
  root=$folder/$release log=$folder/$row.log
  : >"$log"
  system="Debian $(cut -d. -f1 "$root/etc/debian_version" 2>/dev/null)"
  result="could not be set up"
  if make_root >>"$log" 2>&1 && make_machine >>"$log" 2>&1; then
    system="Debian $(cut -d. -f1 "$root/etc/debian_version"), $machine" result="does not configure"
    if configure >>"$log" 2>&1; then
      result="does not build"
      if inside ninja -C "/build-$row" >>"$log" 2>&1; then
        warnings=$(grep -cE '^[^ ]+:[0-9]+:[0-9]+: warning: ' "$log")
        run_tests >>"$log" 2>&1
        failed=$(names)
        result="$(total Ok) passed, $(total Fail) failed, $(total Timeout) too slow, $(total Skipped) skipped; $warnings warnings${failed:+; failed: $failed}${TESTS:+; only: $TESTS}"
      fi
    fi
  fi
  case $compiler in clang*) name=clang ;; *) name=gcc ;; esac
  how=direct
  slow && how="qemu-user"
  echo "| $system | $name $(version 2>/dev/null) | $how | $result |" | tee "$folder/$row.row"
}

table() {
  page=$top/docs/portability.md
  {
    sed '/^<!-- table -->$/q' "$page"
    echo
    echo "| System | Compiler | Tests | Result |"
    echo "|---|---|---|---|"
    rows | while read -r row _; do [ ! -f "$folder/$row.row" ] || cat "$folder/$row.row"; done
    echo
    sed -n '/^<!-- end of table -->$/,$p' "$page"
  } >"$page.new" && mv "$page.new" "$page"
}

if [ "${1:-}" = --table ]; then
  table
  exit
fi
rows | while read -r row release compiler machine; do
  wanted=no
  [ $# -gt 0 ] || wanted=yes
  for one; do [ "$one" != "$row" ] || wanted=yes; done
  [ $wanted = no ] || try "$row" "$release" "$compiler" "$machine" </dev/null
done
