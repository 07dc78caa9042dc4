/* num/simd/cpu.h: what this processor and its operating system can run.  Not typed: compiled once. */
#ifndef NNB__CPU_H
#define NNB__CPU_H

/* On x86-64 how many of the levels v2, v3, v4 of the psABI it reaches, 0 … 3; elsewhere 0.  Any thread, any time. */
int nnb__cpu_level(void);

#endif
