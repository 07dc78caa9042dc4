/* num/blas/blas_core.c: makes OpenBLAS use the kernels that this processor can run, and reports what runs.
 *
 * OpenBLAS 0.3.21 (Debian 12) does not know recent Intel processors by their numbers and runs its oldest kernels there,
 * five to six times slower.  If OPENBLAS_CORETYPE has a word that it does not know, it checks the CPU features instead.
 * So the constructor sets such a word, lets OpenBLAS select its kernels again, and restores the environment.
 *
 * Why this is safe, by the sources and the binary of 0.3.21: gotoblas_dynamic_quit only clears the pointer to the table
 * of kernels.  gotoblas_dynamic_init sets it and computes the block sizes in that table from the caches and from the
 * size of the buffers, which is a constant of the build.  The workers keep nothing of the table between two jobs.  One
 * trap remains: a worker that has just been started requests its buffer, and the first such request in the process also
 * calls gotoblas_dynamic_init.  So the constructor requests a buffer itself first. */
#define _GNU_SOURCE /* dladdr */
#include "blas_core.h"

#include <assert.h>
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blas_threads.h"
#include "nnblas/core.h"
#include "openblas.h"

const int nnb__blas_core_linked = 1;

/* The processor features that kernels need.  Within a level, OpenBLAS's own choice is kept. */
enum { LEVEL_UNKNOWN, LEVEL_SSE, LEVEL_AVX, LEVEL_AVX2, LEVEL_AVX512, N_LEVELS };

/* The core to request by name at each level. */
static const char *const level_core[N_LEVELS] = {"", "Nehalem", "Sandybridge", "Haswell", "SkylakeX"};

/* The x86 names of OpenBLAS's driver/others/dynamic.c, 0.3.21 and later. */
static const struct {
  const char *name;
  int level;
} cores[] = {
    {"Katmai", LEVEL_SSE},        {"Coppermine", LEVEL_SSE},
    {"Northwood", LEVEL_SSE},     {"Prescott", LEVEL_SSE},
    {"Banias", LEVEL_SSE},        {"Atom", LEVEL_SSE},
    {"Core2", LEVEL_SSE},         {"Penryn", LEVEL_SSE},
    {"Dunnington", LEVEL_SSE},    {"Nehalem", LEVEL_SSE},
    {"Athlon", LEVEL_SSE},        {"Opteron", LEVEL_SSE},
    {"Opteron_SSE3", LEVEL_SSE},  {"Barcelona", LEVEL_SSE},
    {"Nano", LEVEL_SSE},          {"Bobcat", LEVEL_SSE},
    {"Sandybridge", LEVEL_AVX},   {"Bulldozer", LEVEL_AVX},
    {"Piledriver", LEVEL_AVX},    {"Steamroller", LEVEL_AVX},
    {"Excavator", LEVEL_AVX},     {"Haswell", LEVEL_AVX2},
    {"Zen", LEVEL_AVX2},          {"SkylakeX", LEVEL_AVX512},
    {"Cooperlake", LEVEL_AVX512}, {"SapphireRapids", LEVEL_AVX512},
};

/* The reason for the present kernels. */
typedef enum reason {
  NOT_LOOKED,    /* no OpenBLAS, or unknown names of kernels                    */
  GOOD_ENOUGH,   /* nothing to do                                               */
  PRESET,        /* OPENBLAS_CORETYPE is set                                    */
  FORBIDDEN,     /* NNBLAS_KEEP_BLAS_CORE=1                                     */
  ONE_CORE,      /* an OpenBLAS built for one processor                         */
  OTHER_THREADS, /* another thread might be in the BLAS                         */
  NO_MEMORY,
  NOTHING_BETTER, /* it selected again, but nothing faster                      */
  SWITCHED
} reason;

static struct {
  char found[sizeof((nnb_blas_facts *)0)->found];
  reason why;
} state; /* written by the constructor only */

static int core_level(const char *name) {
  for (size_t i = 0; i < sizeof cores / sizeof *cores; i++)
    if (strcmp(name, cores[i].name) == 0) return cores[i].level;
  return LEVEL_UNKNOWN;
}

/* The level that the processor can run and whose registers the operating system saves (the compilers' builtins also
 * check XCR0). */
static int processor_level(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx")) return LEVEL_SSE;
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return LEVEL_AVX;
  bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
              __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
              __builtin_cpu_supports("avx512vl");
  return wide ? LEVEL_AVX512 : LEVEL_AVX2;
#else
  return LEVEL_UNKNOWN;
#endif
}

static void copy(char *to, size_t size, const char *from) {
  size_t n = strlen(from);
  if (n >= size) n = size - 1;
  memcpy(to, from, n);
  to[n] = '\0';
}

static const char *present_core(void) { return openblas_get_corename ? openblas_get_corename() : ""; }

/* The number of threads of this process; 0 if unknown. */
static int count_threads(void) {
  DIR *dir = opendir("/proc/self/task");
  if (!dir) return 0;
  int n = 0;
  for (const struct dirent *entry; (entry = readdir(dir));) n += entry->d_name[0] != '.';
  closedir(dir);
  return n;
}

/* Whether there are no threads except the caller and OpenBLAS's own workers.  OpenMP's workers cannot be identified. */
static bool alone(void) {
  int n = count_threads();
  return n == 1 || (n > 1 && openblas_get_parallel() == 1 && n == openblas_get_num_threads());
}

static void choose_again(void) {
  gotoblas_dynamic_quit();
  gotoblas_dynamic_init();
}

static reason switch_kernels(int found_level) {
  void *buffer = blas_memory_alloc(0); /* see the comment at the top of this file */
  if (buffer) blas_memory_free(buffer);
  if (!buffer || setenv("OPENBLAS_CORETYPE", "auto", 1) != 0) return NO_MEMORY;
  choose_again();
  unsetenv("OPENBLAS_CORETYPE");
  if (core_level(present_core()) > found_level) return SWITCHED;
  choose_again(); /* early versions use Prescott for an unknown word: undo the change */
  return NOTHING_BETTER;
}

static reason look(void) {
  int found_level = core_level(state.found);
  const char *keep = getenv("NNBLAS_KEEP_BLAS_CORE");
  if (found_level == LEVEL_UNKNOWN) return NOT_LOOKED;
  if (found_level >= processor_level()) return GOOD_ENOUGH;
  if (getenv("OPENBLAS_CORETYPE")) return PRESET;
  if (keep && strcmp(keep, "1") == 0) return FORBIDDEN;
  if (!gotoblas_dynamic_quit || !gotoblas_dynamic_init || !blas_memory_alloc || !blas_memory_free) return ONE_CORE;
  if (!alone()) return OTHER_THREADS;
  return switch_kernels(found_level);
}

/* A shared OpenBLAS is initialised by now; in a static program the order depends on the linker. */
__attribute__((constructor)) static void at_load(void) {
  if (openblas_get_corename && openblas_get_parallel && openblas_get_num_threads) {
    if (gotoblas_init) gotoblas_init();
    copy(state.found, sizeof state.found, present_core());
    state.why = look();
  }
}

/* ---- reporting --------------------------------------------------------------------------------------------------- */

/* Whether the products are OpenBLAS's: another BLAS may have been loaded before it. */
static bool is_openblas(void) {
  Dl_info product = {0}, config = {0};
  if (!openblas_get_config) return false;
  return !dladdr((void *)(uintptr_t)cblas_dgemm, &product) ||
         !dladdr((void *)(uintptr_t)openblas_get_config, &config) || product.dli_fbase == config.dli_fbase;
}

static const char *vendor(void) {
  if (is_openblas()) return "OpenBLAS";
  if (bli_info_get_version_str) return "BLIS";
  return MKL_Get_Version_String ? "MKL" : "unknown";
}

/* "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH …" */
static void vendor_and_version(nnb_blas_facts *facts) {
  copy(facts->vendor, sizeof facts->vendor, vendor());
  copy(facts->version, sizeof facts->version, "unknown");
  const char *config = openblas_get_config ? openblas_get_config() : "";
  if (strncmp(config, "OpenBLAS ", 9) != 0) return;
  char *version = facts->version;
  copy(version, sizeof facts->version, config + 9);
  version[strcspn(version, " ")] = '\0';
}

static const char *threading(void) {
  static const char *const name[] = {"none", "pthreads", "openmp"};
  int parallel = openblas_get_parallel ? openblas_get_parallel() : -1;
  return parallel >= 0 && parallel <= 2 ? name[parallel] : "unknown";
}

/* Advice about slow kernels (with room for the name of a core) and about OpenMP's threads; both fit. */
enum { SLOW_ADVICE = 132, CORE_NAME = 16 };
#define SET_CORE "set OPENBLAS_CORETYPE=%s before the program starts"
static const char slow_advice[][SLOW_ADVICE] = {
    [NOT_LOOKED] = SET_CORE,
    [GOOD_ENOUGH] = SET_CORE,
    [PRESET] = "OPENBLAS_CORETYPE asks for slow kernels: unset it, or " SET_CORE,
    [FORBIDDEN] = SET_CORE,
    [ONE_CORE] = "this OpenBLAS was built for one processor: install one with DYNAMIC_ARCH, or one built for %s",
    [OTHER_THREADS] = SET_CORE,
    [NO_MEMORY] = SET_CORE,
    [NOTHING_BETTER] =
        "this OpenBLAS has no kernels for all of this processor: a newer one, with those for %s, may be "
        "faster",
    [SWITCHED] = SET_CORE,
};
static const char openmp_advice[] = "OpenBLAS threads by OpenMP: set OMP_NUM_THREADS=1 before the program starts";
static_assert(SLOW_ADVICE + CORE_NAME + sizeof "; " + sizeof openmp_advice <= sizeof((nnb_blas_facts *)0)->advice,
              "the longest advice fits");

static void advise(nnb_blas_facts *facts, const char *best_core) {
  char *text = facts->advice;
  size_t size = sizeof facts->advice;
  text[0] = '\0';
  if (facts->slow) snprintf(text, size, slow_advice[state.why], best_core);
  size_t used = strlen(text);
  if (strcmp(facts->threading, "openmp") == 0 && facts->threads > 1)
    snprintf(text + used, size - used, "%s%s", used ? "; " : "", openmp_advice);
}

void nnb_blas_info(nnb_blas_facts *facts) {
  if (!facts) return;
  *facts = (nnb_blas_facts){0};
  vendor_and_version(facts);
  facts->threads = 1;
  if (!is_openblas()) {
    const char *unknown = "unknown";
    copy(facts->version, sizeof facts->version, unknown);
    copy(facts->core, sizeof facts->core, unknown);
    copy(facts->found, sizeof facts->found, unknown);
    copy(facts->threading, sizeof facts->threading, unknown);
    return;
  }
  const char *core = present_core();
  copy(facts->core, sizeof facts->core, *core ? core : "unknown");
  copy(facts->found, sizeof facts->found, *state.found ? state.found : "unknown");
  copy(facts->threading, sizeof facts->threading, threading());
  facts->threads = nnb__blas_outer_threads();
  facts->switched = state.why == SWITCHED;
  int level = core_level(core), best = processor_level();
  facts->slow = level != LEVEL_UNKNOWN && level < best;
  advise(facts, level_core[best]);
}
