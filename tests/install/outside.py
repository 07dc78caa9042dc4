"""The installed Python package in a program outside of the project: outside.py LIBRARY_FOLDER VERSION"""
import os
import sys

import numpy as np

import nnblas

folder, version = sys.argv[1:]
assert os.path.realpath(os.path.dirname(nnblas.library_path)) == os.path.realpath(folder), nnblas.library_path
assert nnblas.library_version() == version, nnblas.library_version()
x = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
net = nnblas.Net("2-4:tanh-1:sigmoid")
net.fit(x, [0, 1, 1, 0], lr=0.3, batch="full", max_epochs=2000)
assert (net.predict(x).round() == [[0], [1], [1], [0]]).all()
