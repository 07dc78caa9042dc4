/* num/simd/cpu.h: what this processor and its operating system can run.  Not typed: compiled once. */
#ifndef NNB__CPU_H
#define NNB__CPU_H

/* On x86-64: the number of levels v2, v3, v4 of the psABI that the processor supports, 0 … 3.  Elsewhere 0.  Any thread
 * may call it at any time. */
int nnb__cpu_level(void);

#endif
