#!/usr/bin/env python3
"""Makes the module nnblas_single in nnblas.f90 from nnblas_double: other names in C, another kind of real.

  single.py           writes it
  single.py check     exit status 1 if it is not as it would be written
"""
import pathlib
import re
import sys

FILE = pathlib.Path(__file__).with_name("nnblas.f90")
MODULE = r"^module nnblas_{0}\n.*?^end module nnblas_{0}\n"


def module(name, text):
    return re.search(MODULE.format(name), text, flags=re.M | re.S)


def main(argv):
    text = FILE.read_text(encoding="utf-8")
    made = module("double", text)[0].replace("nnblas_double", "nnblas_single").replace("name='nnb_", "name='nnbf_")
    made = made.replace("real_kind = c_double", "real_kind = c_float")
    old = module("single", text)
    new = text[: old.start()] + made + text[old.end() :]
    if argv == ["check"]:
        print("the same" if new == text else "nnblas_single is not nnblas_double in single precision: run single.py")
        return int(new != text)
    FILE.write_text(new, encoding="utf-8")
    return 0


sys.exit(main(sys.argv[1:]))
