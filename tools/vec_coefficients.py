#!/usr/bin/env python3
"""Prints the coefficients of lib/num/vecmath.h: polynomials through the Chebyshev points of an interval, which are
minimax to within a small factor.  Needs mpmath.

  python3 tools/vec_coefficients.py"""
import struct

from mpmath import atanh, cos, erfc, exp, fabs, log, matrix, lu_solve, mp, mpf, pi, polyval, sqrt

mp.dps = 60


def fit(f, lo, hi, degree):
    """Coefficients, lowest first, of the polynomial through f at degree+1 Chebyshev points."""
    n = degree + 1
    x = [(lo + hi) / 2 + (hi - lo) / 2 * cos(pi * (2 * k + 1) / (2 * n)) for k in range(n)]
    powers = matrix(n, n)
    for i in range(n):
        for j in range(n):
            powers[i, j] = x[i] ** j
    return list(lu_solve(powers, matrix([f(v) for v in x])))


def worst(c, f, lo, hi, relative_to=lambda x: 1):
    grid = [lo + (hi - lo) * mpf(i) / 400 for i in range(1, 400)]
    return max(fabs((polyval(c[::-1], x) - f(x)) * relative_to(x)) for x in grid)


def show(name, c, error):
    print(f"{name}: error {mp.nstr(error, 3)}")
    print("  " + ", ".join(mp.nstr(v, 21) for v in c))


def exp_tail(r):
    """(e^r - 1 - r)/r^2, the form that keeps e^r - 1 exact to the last digits for small r."""
    return (exp(r) - 1 - r) / r**2 if fabs(r) > mpf(10) ** -12 else mpf(1) / 2 + r / 6


def atanh_tail(w):
    """(2 atanh(s)/s - 2)/w with s = sqrt(w)."""
    s = sqrt(w)
    return (2 * atanh(s) / s - 2) / w


def tail(k):
    """Phi(-u) e^(u^2/2) / v with v = k/(u + k), as a function of t = 1 - 2v."""
    def f(t):
        u = k / ((1 - t) / 2) - k
        return erfc(u / sqrt(mpf(2))) / 2 * exp(u * u / 2) * (u + k) / k
    return f


def main():
    half = log(mpf(2)) / 2 * mpf("1.0001")
    for name, degree in (("exp double", 9), ("exp single", 4)):
        c = fit(exp_tail, -half, half, degree)
        show(name, c, worst(c, exp_tail, -half, half, lambda r: r * r / exp(r)))
    for name, degree in (("atanh double", 10), ("atanh single", 4)):
        c = fit(atanh_tail, mpf(0), mpf(1) / 9, degree)
        show(name, c, worst(c, atanh_tail, mpf(10)**-9, mpf(1) / 9, lambda w: w / 2))
    for name, degree, k, top in (("normal tail double", 22, mpf(5), mpf(39)), ("normal tail single", 9, mpf(4), mpf(15))):
        f, hi = tail(k), 1 - 2 * k / (top + k)
        c = fit(f, mpf(-1), hi, degree)
        show(name, c, worst(c, f, mpf(-1), hi, lambda t: 1 / f(t)))
    ln2 = log(mpf(2))
    for name, bits in (("ln2 double", 41), ("ln2 single", 14)):  # n·hi is exact for every exponent n
        hi = mp.floor(ln2 * 2**bits) / mpf(2) ** bits
        print(f"{name}: {mp.nstr(hi, 21)} + {mp.nstr(ln2 - hi, 21)}")


if __name__ == "__main__":
    main()
