/* num/blas/thresholds.h: the sizes at which another way to compute the same becomes the faster one.  They are data, so
 * that nnblas-bench --tune can find them for a machine and nnb_set_thresholds can give them to the library.  Not typed:
 * compiled once. */
#ifndef NNB__THRESHOLDS_H
#define NNB__THRESHOLDS_H

/* Name, default.  Found on a virtual machine with two cores of an Intel processor with AVX-512 (2 MB of second-level
 * cache each), OpenBLAS 0.3.21 with SkylakeX kernels, one thread unless said otherwise; times are f64 / f32, and
 * "faster" is the factor f32 / f64.
 *
 * outer_from       C ← C + column·row of so many elements or more is a ger: 512×512: gemm 136 / 50 µs, ger 57 / 24 µs;
 *                  below, ger is the slower one
 * row_until        one row times Bᵀ is a gemv up to so many columns: 1×30 · (784×30)ᵀ: gemm 10 / 11 µs, gemv 3.8 /
 *                  2.4 µs; from 64 columns on gemm is the faster one
 * unpacked_least   A·B and Aᵀ·B of more multiply-adds than this go through the kernel that does not pack
 *                  (num/kernels/mm.c), if: …  Up to there OpenBLAS does not pack either, and wins by a tenth, unless
 *                  the last columns of A·B are a part of a vector
 * unpacked_bytes   … what stays in the cache while the rest passes, B, or C of Aᵀ·B, has at most so many bytes:
 *                  512×512 in f64, 2 MB, is the first to lose (0.83).  With larger W, threads share out columns of a
 *                  product (nn/layerwise_wide.c).  So has AᵀA in double: n×n, 1000 rows: 61 2.0,
 *                  151 1.4, 300 1.15, 443 1.0 times as fast as syrk
 * transposed_rows  A·Bᵀ goes through the kernel that transposes small pieces of B from so many rows on:
 *                  8×64·(128×64)ᵀ is 0.84 times as fast, 16 rows 1.65; …
 * transposed_numbers  … with fewer rows, where B has at most so many numbers
 * transposed_most  … with more, up to so many rows or unpacked_bytes of B: 512×512·(512×512)ᵀ in f64 0.83
 * thread_flops     least work for a thread of its own, in floating-point operations: about 20 µs, some times what
 *                  waking it costs
 * private_bytes    a net of up to so many bytes is trained by one thread … : it fits into one core's cache; shared,
 *                  its weights would go from cache to cache in every update: 784-128-64-10 at batch 32 took 1.8
 *                  times as long with two threads as with one
 * private_rows     … for every so many rows of the batch: 784-128-64-10 at batch 128 runs 1.29 / 1.11 as fast as its
 *                  products through cblas with two threads, 1.03 / 1.0 with one, where those have two as well.  On an
 *                  AMD processor two threads are 0.97 / 0.93 times as fast as one at batch 32, 1.13 / 1.35 at 96, and
 *                  1.1 to 1.4 times in f32 with 28-300-300-300-300-300-1 at 100 */
#define NNB__THRESHOLD_LIST(X) \
  X(outer_from, 1 << 16)       \
  X(row_until, 32)             \
  X(unpacked_least, 1e6)       \
  X(unpacked_bytes, 3 << 19)   \
  X(transposed_rows, 12)       \
  X(transposed_numbers, 1024)  \
  X(transposed_most, 128)      \
  X(thread_flops, 1e6)         \
  X(private_bytes, 1 << 21)    \
  X(private_rows, 48)

#define NNB__THRESHOLD_FIELD(name, value) double name;
typedef struct nnb__thresholds {
  NNB__THRESHOLD_LIST(NNB__THRESHOLD_FIELD)
} nnb__thresholds;
#undef NNB__THRESHOLD_FIELD

/* Written when the library is loaded and by nnb_set_thresholds only. */
extern nnb__thresholds nnb__threshold;

#endif
