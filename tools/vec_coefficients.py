#!/usr/bin/env python3
"""Prints the coefficients of lib/num/simd/vecmath.h and the table of lib/num/simd/tanh_table.h: polynomials through the Chebyshev
points of an interval, which are minimax to within a small factor.  Needs mpmath.

  python3 tools/vec_coefficients.py"""
import struct

from mpmath import atanh, cos, erfc, exp, fabs, log, matrix, lu_solve, mp, mpf, pi, polyval, sqrt, tanh

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


def single(x):
    return mpf(struct.unpack("f", struct.pack("f", float(x)))[0])


def centre(lo, hi):
    """A float near the middle whose tanh is next to a float, so that the constant term has hardly an error."""
    near = [single((lo + hi) / 2 + (hi - lo) * j / 4096) for j in range(-200, 201)]
    return min(near, key=lambda b: fabs(tanh(b) / single(tanh(b)) - 1))


def tanh_row(k, lo, hi):
    """[b, c0 ... c5]: tanh u = c0 + t(c1 + t(c2 + ...)), t = u - b; in the first interval t(1 + t(c2 + ...))."""
    if k == 0:
        return [mpf(0), mpf(0), mpf(1)] + fit(lambda t: (tanh(t) / t - 1) / t, lo, hi, 3)
    b = centre(lo, hi)
    c0 = single(tanh(b))
    return [b, c0] + fit(lambda t: (tanh(b + t) - c0) / t if t else 1 - c0**2, lo - b, hi - b, 4)


def tanh_table(end):
    """v = 1 + step*u from 1 to 16, the intervals a quarter of v's octaves: their number is four bits of v."""
    step, rows, worst_of_all = single(mpf("14.9999") / end), {}, mpf(0)
    for k in range(16):
        lo, hi = (((mpf(2) ** (j // 4)) * (1 + mpf(j % 4) / 4) - 1) / step for j in (k, k + 1))
        row = rows[(k + (127 << 2)) % 16] = tanh_row(k, lo, hi)
        grid = [lo + (hi - lo) * mpf(i) / 200 for i in range(1, 201)]
        worst_of_all = max(worst_of_all, max(fabs(polyval(row[:0:-1], u - row[0]) / tanh(u) - 1) for u in grid))
    print(f"tanh single: step {mp.nstr(step, 9)}, error {mp.nstr(worst_of_all, 3)}")
    for j in range(7):
        print("    {" + ", ".join(mp.nstr(single(rows[i][j]), 9) + "f" for i in range(16)) + "},")


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
    tanh_table(mpf("9.01"))


if __name__ == "__main__":
    main()
