/* bench/print.h: the table for people and the lines for programs. */
#ifndef BENCH_PRINT_H
#define BENCH_PRINT_H

#include <nnblas.h>

#include "measure.h"
#include "options.h"

/* What the machine and the BLAS are, and the names of the columns. */
void print_head(const options *o, const nnb_blas_facts *blas);
void print_row(const bench_case *job, const char *precision, const measurement *m);
void print_json(const bench_case *job, const char *precision, const measurement *m);

#endif
