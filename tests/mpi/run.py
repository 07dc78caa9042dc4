#!/usr/bin/env python3
"""Starts ranks.c with 1 to 4 ranks, more than the machine may have cores, and as root.

  run.py MPIRUN PROGRAM     MPIRUN "": prints why it is skipped, and ends with 77

All ranks must end with the same bits, the numbers of ranks with nearly the same loss, and with shards with the same
bits.  What fails on one rank fails on all.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

# Open MPI 4, then 5 (PRRTE): as root; more ranks than cores; waiting ranks leave the cores to others.
SETTINGS = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_mpi_yield_when_idle": "1",
    "OMPI_MCA_hwloc_base_binding_policy": "none",
    "PRTE_ALLOW_RUN_AS_ROOT": "1",
    "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "MPIR_CVAR_POLLS_BEFORE_YIELD": "1",  # MPICH
    # MPI leaves memory behind in plug-ins that are gone at the end; leaks of ranks are looked for in test_ranks.c.
    "ASAN_OPTIONS": ":".join(filter(None, (os.environ.get("ASAN_OPTIONS"), "detect_leaks=0"))),
}
RANKS = (1, 2, 3, 4)
PATIENCE = 120  # seconds for one start
ENDS_WITHIN = 30  # … of all ranks when one is killed
METHODS = 38  # lines of ranks.c
BY_SIGN = ("lion", "muon")  # which enlarge rounding where a sum is nearly 0
# What the last rank has, its status, and words of the message.
FAULTS = (("option", -2, r"lr is 0\.5; rank 0 has lr=0"), ("columns", -3, "5 input columns"), ("diverges", -5, "the loss is inf"),
          ("source", -7, "returned -7"), ("memory", -1, "out of memory"))
failures = []


def check(good, what, wanted, came):
    if not good:
        failures.append(f"{what}: wanted {wanted}, came {came}")


def start(mpirun, n, *command):
    return subprocess.run([mpirun, "-n", str(n), *command], capture_output=True, text=True, timeout=PATIENCE,
                          env={**os.environ, **SETTINGS}, check=False)


def trained(mpirun, program, tol):
    """Every method, with 1,001 rows."""
    alone, bits = {}, {}
    for n in RANKS:
        done = start(mpirun, n, program, "train")
        check(done.returncode == 0, f"{n} ranks", "status 0", f"{done.returncode}: {done.stdout}{done.stderr}")
        lines = [line.split() for line in done.stdout.splitlines() if line.count(" ") == 2]
        names = {name for name, _, _ in lines}
        check(len(lines) >= METHODS and names >= set(alone), f"{n} ranks", "a line for each method", done.stdout)
        for name, digest, loss in lines:
            if "+" in name:
                check(bits.setdefault(name, digest) == digest, f"{name}, {n} ranks", f"the bits {bits[name]}", digest)
            one = alone.setdefault(name, float(loss))
            far = max(tol, 1e-2) if name in BY_SIGN else tol
            check(abs(float(loss) - one) <= far * abs(one), f"{name}, {n} ranks", f"a loss of {one}", loss)


def refused(mpirun, program):
    """A fault of the last of three ranks."""
    for kind, code, words in FAULTS:
        done = start(mpirun, 3, program, "fail", kind)
        texts = re.findall(rf"^{code}: .*rank 2 of 3.*{words}", done.stdout, flags=re.M)
        check(len(texts) == 3 and done.returncode == 0, f"a fault of rank 2: {kind}", f"the same of 3 ranks, {words}",
              done.stdout + done.stderr)
    done = start(mpirun, 2, program, "bad")
    check(done.returncode == 0, "refused calls", "status 0", done.stdout + done.stderr)


def killed(mpirun, program):
    """The last checkpoint ends with the bits of a training that was not killed, on any number of ranks."""
    with tempfile.TemporaryDirectory() as folder:
        path, other = (str(pathlib.Path(folder) / name) for name in ("ranks.safetensors", "other.safetensors"))
        began = time.monotonic()
        done = start(mpirun, 2, program, "kill", path)
        took = time.monotonic() - began
        check(done.returncode != 0, "a killed rank", "a failure", done.stdout)
        check(took < ENDS_WITHIN, "the others", f"an end within {ENDS_WITHIN} s", f"{took:.1f} s")
        done = start(mpirun, 3, program, "resume", path)
        resumed, epochs, digest = (done.stdout.split() + ["", "", ""])[:3]
        check(resumed in ("5", "6") and epochs == "12", "resumed by 3 ranks", "from epoch 5 or 6 to 12", done.stdout + done.stderr)
        whole = start(mpirun, 1, program, "resume", other).stdout.split()
        check(whole == ["0", "12", digest], "resumed by 3 ranks", f"the bits of one rank, {whole}", digest)


def main(mpirun, program):
    if not mpirun:
        print("skipped: no MPI in this build, or no mpirun (on Debian: apt-get install libopenmpi-dev)")
        return 77
    trained(mpirun, program, 1e-6 if not program.endswith("_f") else 2e-2)
    refused(mpirun, program)
    killed(mpirun, program)
    print("\n".join(failures) or f"{', '.join(map(str, RANKS))} ranks")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
