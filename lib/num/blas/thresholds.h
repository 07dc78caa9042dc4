/* num/blas/thresholds.h: the sizes at which another way to compute the same becomes faster.  They are data:
 * nnblas-bench --tune finds them for a machine, and nnb_set_thresholds sets them.  Not typed: compiled once. */
#ifndef NNB__THRESHOLDS_H
#define NNB__THRESHOLDS_H

/* Name, default.  Measured on a virtual machine with two cores of an Intel processor with AVX-512 (2 MB of second-level
 * cache each), OpenBLAS 0.3.21 with SkylakeX kernels, one thread unless stated otherwise.  Times are f64 / f32, and
 * "faster" is the factor f32 / f64.
 *
 * outer_from       C ← C + column·row is a ger from this number of elements on: 512×512: gemm 136 / 50 µs, ger 57 /
 *                  24 µs; below it, ger is slower
 * row_until        one row times Bᵀ is a gemv up to this number of columns: 1×30 · (784×30)ᵀ: gemm 10 / 11 µs, gemv
 *                  3.8 / 2.4 µs; from 64 columns on, gemm is faster
 * unpacked_least   A·B and Aᵀ·B with more multiply-adds than this use the kernel that does not pack
 *                  (num/kernels/mm.c), if unpacked_bytes allows it.  Below it OpenBLAS does not pack either, and is a
 *                  tenth faster, unless the last columns of A·B are part of a vector
 * unpacked_bytes   the same condition: B of A·B, which stays in the cache, has at most this number of bytes: 512×512 in
 *                  f64, 2 MB, is the first to lose (0.83).  With larger W, threads divide a product by columns
 *                  (nn/layerwise_wide.c).  It also holds for AᵀA in double: n×n with 1000 rows is, compared with syrk,
 *                  2.0 (n = 61), 1.4 (151), 1.15 (300), 1.0 (443) times as fast
 * unpacked_rows    A·B of at most this number of rows uses that kernel for any B where vectors have 512 bits: B is then
 *                  read once, and packing it would cost as much as the product.  On an Intel processor, times by
 *                  OpenBLAS ÷ by the kernel: 16 rows times 1024×1024 1.59 / 2.08, 32 rows 1.27 / 1.76, 64 rows 1.16 /
 *                  1.37, 128 rows 1.03 / 1.19, 256 rows 0.93 / 1.04; 32 rows times 2048×1024 1.25 / 1.80
 * unpacked_sum_bytes  as unpacked_bytes, for C of Aᵀ·B, which is read and written for each few rows of A: seven
 *                  eighths of the second-level cache, if its size is known.  On the AMD processor with 512 KB, shares
 *                  of cblas's time in training with W in the kernel, or in OpenBLAS: 512-400-10 at batch 128 in f32,
 *                  819 KB, 0.93 / 1.05; 784-256-64-10 at 64, 803 KB, 0.97 / 1.02; 784-128-64-10 at 128 in f64, 0.95 /
 *                  1.00; at 32 in f32, 401 KB, 1.03 / 1.00
 * transposed_rows  A·Bᵀ uses the kernel that transposes small pieces of B, from this number of rows on:
 *                  8×64·(128×64)ᵀ is 0.84 times as fast, 16 rows 1.65; see the next two
 * transposed_numbers  with fewer rows too, if B has at most this number of numbers
 * transposed_most  not with more rows than this, unless B is within unpacked_bytes: 512×512·(512×512)ᵀ in f64 0.83
 * thread_flops     the least work for a thread, in floating-point operations: about 20 µs, several times the cost of
 *                  waking it
 * private_bytes    a net of at most this number of bytes is trained by one thread, subject to private_rows.  It fits
 *                  into one core's cache; with several threads its weights would go from cache to cache in every
 *                  update: 784-128-64-10 at batch 32 took 1.8 times as long with two threads
 * private_rows     such a net gets at most one thread for this number of rows in the batch: 784-128-64-10 at batch 128
 *                  runs 1.29 / 1.11 times as fast as its products in cblas with two threads, 1.03 / 1.0 with one, when
 *                  cblas has two as well.  On an AMD processor two threads are 0.97 / 0.93 times as fast as one at
 *                  batch 32, 1.13 / 1.35 at 96, and 1.1 to 1.4 times in f32 with 28-300-300-300-300-300-1 at 100
 * owned_flops      unless each thread has at least this number of floating-point operations in a forward pass, of
 *                  floats twice as many: then each thread gets columns of W, which stay in its core's cache.
 *                  784-128-64-10 at batch 32, 3.5e6 for each of two threads, compared with one thread: on the AMD
 *                  processor rows 1.08 / 1.00, columns 1.39 / 1.23 times as fast in f64 / f32, on an Intel processor
 *                  whose cores are farther apart columns 1.01 / 0.85; at batch 16 and 8 one thread is the fastest
 * owned_bytes      the least W that is divided in this way; smaller ones are divided by rows of the batch, where
 *                  threads do not wait for each other between layers */
#define NNB__THRESHOLD_LIST(X)   \
  X(outer_from, 1 << 16)         \
  X(row_until, 32)               \
  X(unpacked_least, 1e6)         \
  X(unpacked_bytes, 3 << 19)     \
  X(unpacked_rows, 64)           \
  X(unpacked_sum_bytes, 3 << 19) \
  X(transposed_rows, 12)         \
  X(transposed_numbers, 1024)    \
  X(transposed_most, 128)        \
  X(thread_flops, 1e6)           \
  X(private_bytes, 1 << 21)      \
  X(private_rows, 48)            \
  X(owned_flops, 2.5e6)          \
  X(owned_bytes, 1 << 16)

#define NNB__THRESHOLD_FIELD(name, value) double name;
typedef struct nnb__thresholds {
  NNB__THRESHOLD_LIST(NNB__THRESHOLD_FIELD)
} nnb__thresholds;
#undef NNB__THRESHOLD_FIELD

/* Written only at load time and by nnb_set_thresholds. */
extern nnb__thresholds nnb__threshold;

#endif
