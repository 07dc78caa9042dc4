#!/usr/bin/env python3
"""Makes golden/numpy with NumPy: arrays of every type, order and version, and archives.

  make_numpy.py FOLDER

All arrays are 2×3×2 with the numbers 0, 1, 2 … in C order; those of bool are the remainders by 2.
"""
import pathlib
import sys

import numpy as np

TYPES = ["<f2", "<f4", "<f8", ">f2", ">f4", ">f8", "<i2", "<i4", "<i8", ">i2", ">i4", ">i8", "|i1", "|u1", "<u2", "<u4", "<u8", ">u8",
         "|b1"]


def main(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(exist_ok=True)
    numbers = np.arange(12).reshape(2, 3, 2)
    for kind in TYPES:
        array = (numbers % 2 if kind == "|b1" else numbers).astype(kind)
        name = {"<": "little", ">": "big", "|": "byte"}[kind[0]] + "_" + kind[1:]
        np.save(folder / f"{name}.npy", array)
    np.save(folder / "fortran.npy", np.asfortranarray(numbers.astype("<f8")))
    for version in ((1, 0), (2, 0), (3, 0)):
        with open(folder / f"version_{version[0]}.npy", "wb") as f:
            np.lib.format.write_array(f, numbers.astype("<f4"), version=version)
    np.savez(folder / "stored.npz", a=numbers.astype("<f8"), b=numbers.astype("<i4"))
    np.savez_compressed(folder / "packed.npz", a=numbers.astype("<f8"), b=numbers.astype("<i4"))
    np.savez(folder / "single.npz", numbers.astype("<f8"))


if __name__ == "__main__":
    main(sys.argv[1])
