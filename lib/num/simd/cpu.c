/* num/simd/cpu.c: the level of an x86-64 processor, from cpuid and XCR0.  An instruction set counts only if the
 * operating system saves its registers, which XCR0 shows.  All features are checked here: __builtin_cpu_supports knows
 * the level names in gcc 12 but not in clang 14, and clang 14 does not know all features of a level. */
#include "cpu.h"

#ifdef __x86_64__
#include <cpuid.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { /* leaf 1, ecx */
       SSE3 = 1 << 0,
       SSSE3 = 1 << 9,
       FMA = 1 << 12,
       CX16 = 1 << 13,
       SSE41 = 1 << 19,
       SSE42 = 1 << 20,
       MOVBE = 1 << 22,
       POPCNT = 1 << 23,
       OSXSAVE = 1 << 27,
       AVX = 1 << 28,
       F16C = 1 << 29,
       V2_LEAF1 = SSE3 | SSSE3 | CX16 | SSE41 | SSE42 | POPCNT,
       V3_LEAF1 = FMA | MOVBE | OSXSAVE | AVX | F16C
};
enum { LAHF = 1 << 0, LZCNT = 1 << 5 };               /* leaf 0x80000001, ecx */
enum { BMI1 = 1 << 3, AVX2 = 1 << 5, BMI2 = 1 << 8 }; /* leaf 7, ebx */
#define V3_LEAF7 (BMI1 | AVX2 | BMI2)
#define V4_LEAF7 (1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31) /* AVX-512 F, DQ, CD, BW, VL */
enum { XCR0_AVX = 0x06, XCR0_AVX512 = 0xe6 };                           /* xmm and ymm; and opmask, both parts of zmm */

static bool has(unsigned word, unsigned wanted) { return (word & wanted) == wanted; }

static unsigned xcr0(void) {
  unsigned low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

static int find_level(void) {
  unsigned a, b, c, d, leaf1, leaf7 = 0, extended = 0;
  if (!__get_cpuid(1, &a, &b, &leaf1, &d)) return 0;
  if (__get_cpuid(0x80000001u, &a, &b, &c, &d)) extended = c;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) leaf7 = b;
  if (!has(leaf1, V2_LEAF1) || !has(extended, LAHF)) return 0;
  if (!has(leaf1, V3_LEAF1) || !has(extended, LZCNT) || !has(leaf7, V3_LEAF7) || !has(xcr0(), XCR0_AVX)) return 1;
  return has(leaf7, V4_LEAF7) && has(xcr0(), XCR0_AVX512) ? 3 : 2;
}

/* Computed once, because cpuid takes microseconds in a virtual machine; threads that compute it at the same time get
 * the same result. */
int nnb__cpu_level(void) {
  static atomic_int known = -1;
  int level = atomic_load_explicit(&known, memory_order_relaxed);
  if (level < 0) {
    level = find_level();
    atomic_store_explicit(&known, level, memory_order_relaxed);
  }
  return level;
}
#else
int nnb__cpu_level(void) { return 0; }
#endif
