/* num/simd/level.h: names of the code that is built once for each level of vector instructions (kernels.h), for the
 * level of this build. */
#ifndef NNB__LEVEL_H
#define NNB__LEVEL_H

#ifndef NNB__LEVEL
#define NNB__LEVEL plain
#endif
#define NNB__JOIN(name, level)       name##level
#define NNB__LEVEL_NAME(name, level) NNB__JOIN(name, level)
#define NNB__KERNELS                 NNB__LEVEL_NAME(nnb__kernels_, NNB__LEVEL)
#define NNB__ACTS                    NNB__LEVEL_NAME(nnb__acts_, NNB__LEVEL)
#define NNB__LOSSES                  NNB__LEVEL_NAME(nnb__losses_, NNB__LEVEL)
#define NNB__STEPS                   NNB__LEVEL_NAME(nnb__steps_, NNB__LEVEL)
#define NNB__LAYER_ROWS              NNB__LEVEL_NAME(nnb__layer_rows_, NNB__LEVEL)
#define NNB__MM                      NNB__LEVEL_NAME(nnb__mm_, NNB__LEVEL)
#define NNB__CHAIN_ROWS              NNB__LEVEL_NAME(nnb__chain_rows_, NNB__LEVEL)
#define NNB__PREDICT                 NNB__LEVEL_NAME(nnb__predict_, NNB__LEVEL)
#define NNB__CHAIN_BLOCKS            NNB__LEVEL_NAME(nnb__chain_blocks_, NNB__LEVEL)
#define NNB__MM_FROM                 NNB__LEVEL_NAME(nnb__mm_from_, NNB__LEVEL)
#define NNB__MM_TWO                  NNB__LEVEL_NAME(nnb__mm_two_, NNB__LEVEL)
#define NNB__ROW_SUMS                NNB__LEVEL_NAME(nnb__row_sums_, NNB__LEVEL)
#define NNB__MM_COPY                 NNB__LEVEL_NAME(nnb__mm_copy_, NNB__LEVEL)
#define NNB__MM_ROW                  NNB__LEVEL_NAME(nnb__mm_row_, NNB__LEVEL)
#define NNB__QR                      NNB__LEVEL_NAME(nnb__qr_, NNB__LEVEL)
#define NNB__REFLECT                 NNB__LEVEL_NAME(nnb__reflect_, NNB__LEVEL)
#define NNB__CHOLESKY                NNB__LEVEL_NAME(nnb__cholesky_, NNB__LEVEL)

#endif
