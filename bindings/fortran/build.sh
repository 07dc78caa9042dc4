#!/bin/sh
# Compiles the module into a folder: the .mod files and libnnblas-fortran.a.
#   build.sh GFORTRAN SOURCE FOLDER
set -eu
"$1" -std=f2018 -Wall -Wextra -O2 -fPIC -J "$3" -c "$2" -o "$3/nnblas_module.o"
rm -f "$3/libnnblas-fortran.a"
ar cr "$3/libnnblas-fortran.a" "$3/nnblas_module.o"
rm "$3/nnblas_module.o"
