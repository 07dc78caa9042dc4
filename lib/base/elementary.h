/* base/elementary.h: exp, log, cos and powers of doubles by +, -, · and / alone, which every processor rounds alike.
 * The variants that libm has for different processors differ in the last bit. */
#ifndef NNB__ELEMENTARY_H
#define NNB__ELEMENTARY_H

/* Within an ulp.  NaN, infinities, overflow and underflow as libm. */
double nnb__exp(double x);
/* log x within an ulp: -∞ for 0, NaN below. */
double nnb__log(double x);
/* cos x within an ulp for |x| ≤ 10⁵. */
double nnb__cos(double x);
/* x^y for x ≥ 0: within an ulp for integers |y| < 2⁵³; else e^(y·log x), with a relative error of |y·log x|·2⁻⁵². */
double nnb__pow(double x, double y);

#endif
