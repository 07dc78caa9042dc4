#!/usr/bin/env python3
"""Arrays from NumPy through the library and back: the same numbers.

  run.py ARRAY_CASE...     77, skipped, where no Python has NumPy
"""
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError:
    if sys.executable != "/usr/bin/python3" and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])  # the system's packages
    print("skipped: python3-numpy is not installed")
    sys.exit(77)

TYPES = ["<f2", "<f4", "<f8", ">f8", "<i2", "<i8", ">i4", "u1", "<u4", "?"]
SHAPES = [(), (1,), (5,), (0, 3), (4, 3), (2, 3, 4), (2, 1, 3, 2)]


def main(*programs):
    random, bad, n = np.random.default_rng(5), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        source, target = (str(pathlib.Path(folder) / name) for name in ("in", "out"))
        for program in programs:
            for kind in TYPES:
                for shape in SHAPES:
                    array = np.asarray(random.integers(0, 2 if kind == "?" else 100, shape)).astype(kind)
                    if kind.endswith(("f4", "f8")):
                        array = (array * random.standard_normal(shape)).astype("f4").astype(kind)
                    for order in "CF":
                        np.save(source + ".npy", np.asarray(array, order=order))
                        subprocess.run([program, "npy", source + ".npy", target + ".npy"], check=True)
                        np.savez_compressed(source + ".npz", data=np.asarray(array, order=order), other=np.arange(3))
                        subprocess.run([program, "npz", source + ".npz", "data", target + ".npz"], check=True)
                        for back in (np.load(target + ".npy"), np.load(target + ".npz")["data"]):
                            n += 1
                            if back.shape != array.shape or not np.array_equal(back, array.astype(back.dtype)):
                                print(f"{program}, {kind}, {shape}, {order}: other numbers")
                                bad = 1
    print(f"{n} arrays")
    return bad


sys.exit(main(*sys.argv[1:]))
