/* num/blas/openblas.h: the calls of OpenBLAS beyond the standard, all weak: NULL with another BLAS.  Not typed. */
#ifndef NNB__OPENBLAS_H
#define NNB__OPENBLAS_H

#define NNB__WEAK __attribute__((weak))

/* documented in OpenBLAS's cblas.h */
extern char *openblas_get_config(void) NNB__WEAK;
extern char *openblas_get_corename(void) NNB__WEAK;
extern int openblas_get_parallel(void) NNB__WEAK; /* 0: sequential, 1: its own threads, 2: OpenMP */
extern int openblas_get_num_threads(void) NNB__WEAK;
extern void openblas_set_num_threads(int n) NNB__WEAK;

/* functions of the standard or of other BLAS libraries; their arguments do not matter here */
extern void cblas_dgemm(void) NNB__WEAK;
extern const char *bli_info_get_version_str(void) NNB__WEAK;
extern void MKL_Get_Version_String(char *text, int size) NNB__WEAK;

/* exported by the library, declared in no installed header */
extern void gotoblas_init(void) NNB__WEAK;         /* its constructor; does nothing in a second call             */
extern void gotoblas_dynamic_quit(void) NNB__WEAK; /* forgets the kernels                                        */
extern void gotoblas_dynamic_init(void) NNB__WEAK; /* selects kernels, if there are none, by OPENBLAS_CORETYPE    */
extern void *blas_memory_alloc(int procpos) NNB__WEAK;
extern void blas_memory_free(void *buffer) NNB__WEAK;
extern int blas_cpu_number NNB__WEAK; /* the result of openblas_get_num_threads */

#endif
