#!/bin/sh
# The Debian packages: built, the same bits when built again in another folder, nothing to complain about for lintian,
# installed into a new system and used there.
#   packages.sh SOURCE MESON VERSION
# NNBLAS_LEVELS=none builds quickly, without vector loops for the levels of x86-64.  PACKAGES_MIRROR: where debootstrap
# finds that system.
set -u
here=$(dirname "$0")
. "$here/steps.sh"
source=$1

has() { command -v "$1" >/dev/null 2>&1; }
{ has dpkg-buildpackage && has dh; } || { skip "Debian's packages (no dpkg-buildpackage or no debhelper)" && finish; }
missing=$(cd "$source" && dpkg-checkbuilddeps -Pnocheck 2>&1) || { skip "Debian's packages ($missing)" && finish; }

# ---- the packages ----

built() ( # built FOLDER: from a copy of the sources in FOLDER/libnnblas; the packages lie in FOLDER
  mkdir -p "$1/libnnblas" && cd "$source" || exit 1
  tar -cf - --exclude=./.git --exclude='./build*' --exclude='./_*' --exclude='*.o' . | tar -xf - -C "$top/$1/libnnblas"
  cd "$top/$1/libnnblas" && unset CC CXX CFLAGS LDFLAGS DESTDIR &&
    DEB_BUILD_OPTIONS="nocheck parallel=${2:-$(nproc)}" dpkg-buildpackage -us -uc -b -Pnocheck
)
built_elsewhere() (
  umask 002 && export TZ=Pacific/Auckland LC_ALL=C.UTF-8 CCACHE_DISABLE=1 && built another/place 1
)
packages="libnnblas0 libnnblas-dev nnblas nnblas-doc"
all_built() { for p in $packages; do ls "$1/$p"_*.deb || return 1; done; }
same_bits() { for deb in "$1"/*.deb; do cmp "$deb" "$2/$(basename "$deb")" || return 1; done; }
step "dpkg-buildpackage" built one
step "$packages" all_built one
[ "$failures" -eq 0 ] || finish
step "built again, in another folder, zone and language" built_elsewhere
step "the same bits" same_bits one another/place
if has lintian; then
  step "lintian" lintian --allow-root --fail-on error,warning one/*.changes
else
  skip "lintian (there is none)"
fi

# ---- a new system with the packages ----

[ "$(id -u)" -eq 0 ] || { skip "a new system with the packages (only root makes one)" && finish; }
has debootstrap || { skip "a new system with the packages (no debootstrap)" && finish; }
suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
inside() { chroot "$top/system" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
  DEBIAN_FRONTEND=noninteractive "$@"; }
new_system() { # a mirror that cannot be reached is no fault of the packages
  debootstrap --variant=minbase "$suite" "$top/system" ${PACKAGES_MIRROR:+"$PACKAGES_MIRROR"} >log 2>&1 &&
    inside apt-get -q update >>log 2>&1
}
new_system || { tail -n 5 log && skip "a new system with the packages (debootstrap could not make one)" && finish; }

mkdir -p system/packages system/source && cp one/*.deb system/packages
cp -r "$source/README.md" "$source/examples" "$source/debian" system/source
installs() { inside sh -c "apt-get -q -y install --no-install-recommends $1"; }
step "nnblas installs" installs "/packages/libnnblas0_*.deb /packages/nnblas_*.deb"
step "the command trains, predicts and scores" inside sh -c "cd /source && sh debian/tests/command"
step "libnnblas-dev and nnblas-doc install" installs \
  "gcc libc6-dev pkgconf /packages/libnnblas-dev_*.deb /packages/nnblas-doc_*.deb"
step "README.md's program is compiled and run" inside sh -c "cd /source && sh debian/tests/program"
step "a lesson of nnblas-doc" inside sh -c "cd /usr/share/doc/nnblas/examples &&
  gcc -std=c11 -D_POSIX_C_SOURCE=200809L 02_chain.c show.c -o /tmp/chain \$(pkg-config --cflags --libs nnblas) -lm && /tmp/chain"
step "all of it is removed" inside apt-get -q -y purge libnnblas0 libnnblas-dev nnblas nnblas-doc
finish
