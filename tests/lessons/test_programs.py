#!/usr/bin/env python3
"""What every example does with its arguments, and what batch_vs_stochastic takes a table's target for.

    test_programs.py BATCH_VS_STOCHASTIC PROGRAM...
"""
import os
import subprocess
import sys
import tempfile

failures = 0


def expect(good, what, expected, observed):
    global failures
    if not good:
        failures += 1
        print(f"FAIL {what}: expected {expected}, observed {observed}")


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def check_arguments(program):
    name = os.path.basename(program)
    done = run(program, "--help")
    expect(done.returncode == 0 and ("usage" in done.stdout or "[options]" in done.stdout) and not done.stderr, f"{name} --help",
           "0 and a text", f"{done.returncode}, {done.stdout!r}, {done.stderr!r}")
    for wrong in ("--nonsense", "nonsense"):
        done = run(program, wrong)
        expect(done.returncode == 2 and done.stderr, f"{name} {wrong}", "2 and a sentence",
               f"{done.returncode}, {done.stderr!r}")


def table(folder, name, targets):
    """A CSV file of two inputs and a target, one row each."""
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(f"{i % 7},{i % 5 - 2.5},{t}\n" for i, t in enumerate(targets))
    return path


def check_targets(batch, folder):
    n = 200
    cases = [("texts", [("no", "yes")[i % 2] for i in range(n)], [], "The target has 2 classes.", "accuracy"),
             ("few whole numbers", [i % 20 for i in range(n)], [], "20 different whole numbers: taken as classes", "accuracy"),
             ("the same as numbers", [i % 20 for i in range(n)], ["--regression"], "20 different numbers: a regression", "RMSE"),
             ("more whole numbers", [i % 21 for i in range(n)], [], "21 different numbers: a regression", "RMSE"),
             ("the same as classes", [i % 21 for i in range(n)], ["--classes"], "The target has 21 classes.", "accuracy"),
             ("fractions", [0.5 + i % 3 for i in range(n)], [], "3 different numbers: a regression", "RMSE")]
    for name, targets, options, sentence, column in cases:
        path = table(folder, "table.csv", targets)
        done = run(batch, "--epochs", "2", "--batches", "32", "--out", folder, *options, path)
        good = done.returncode == 0 and sentence in done.stdout and "test " + column in done.stdout
        expect(good, f"a target of {name}", f"{sentence} and test {column}", done.stdout + done.stderr)
    path = table(folder, "text.csv", ["no", "yes"] * 100)
    done = run(batch, "--regression", "--out", folder, path)
    expect(done.returncode == 2 and "text" in done.stderr, "--regression of texts", "2 and a sentence", done.stderr)


def check_divergence(batch, folder):
    path = table(folder, "table.csv", [i * 1.5 for i in range(200)])
    done = run(batch, "--epochs", "30", "--batches", "8,full", "--lr", "30", "--out", folder, path)
    for row in [line.split() for line in done.stdout.splitlines() if line.split()[:1] in (["8"], ["full"])]:
        expect(row[5:7] == ["diverged", "diverged"], "a run that diverged", "diverged for loss and RMSE", row)
    expect(done.returncode == 0 and done.stdout.count("diverged") == 4, "two diverged runs", 4, done.stdout + done.stderr)


def numbers(path):
    """The blocks of numbers of a data file."""
    with open(path, encoding="utf-8") as f:
        blocks = f.read().split("\n\n\n")
    return [[[float(word) for word in line.split()] for line in block.splitlines() if line and line[0] != "#"]
            for block in blocks]


def check_seeds(batch, folder):
    """Each seed is the run that it is alone; bands are quartiles over the seeds."""
    path = table(folder, "table.csv", [i * 1.5 for i in range(100)])
    options = ["--epochs", "5", "--batches", "8,full", "--threads", "1", "--out", folder, path]
    loss, band, seconds = (os.path.join(folder, f"{name}_batch_8.dat") for name in ("loss", "band", "band_seconds"))
    run(batch, "--seeds", "2", *options)
    alone = numbers(loss)[0]
    done = run(batch, "--seeds", "1,2,5", *options)
    runs = numbers(loss)
    losses = [[point[3] for point in one] for one in runs]
    expect(len(runs) == 3 and losses[1] == [point[3] for point in alone], "the run of seed 2", alone, runs[1:2])
    expect([point[4] for point in runs[0]] == [80 * epoch for epoch in range(6)], "rows processed", "80 an epoch", runs[0])
    for epoch, (number, _, *quartiles) in enumerate(numbers(band)[0]):
        a, b, c = sorted(one[epoch] for one in losses)
        near = all(abs(x - y) < 1e-6 * y for x, y in zip(quartiles, ((a + b) / 2, b, (b + c) / 2)))
        expect(number == epoch and near, f"quartiles after epoch {epoch}", ((a + b) / 2, b, (b + c) / 2), quartiles)
    times = numbers(seconds)[0]
    expect(all(0 < a[0] < b[0] for a, b in zip(times, times[1:])) and len(times) > 50, "times of the band", "rising", times[:3])
    expect(all(a <= b <= c for _, a, b, c in times), "quartiles of the band", "ascending", times[:3])
    medians = sorted(one[-1] for one in losses)[1]
    row = [line.split() for line in done.stdout.splitlines() if line.split()[:1] == ["8"]][0]
    expect("Medians over 3 seeds" in done.stdout and abs(float(row[5]) / medians - 1) < 1e-3, "the median in the table",
           medians, row)
    for wrong in ("", "1,", "x", "1,,2", "-1", ",".join(map(str, range(33)))):
        expect(run(batch, "--seeds", wrong, *options).returncode == 2, f"--seeds {wrong!r}", 2, "another status")


def check_out(batch, lesson, folder):
    for program, options in ((batch, ["--epochs", "1", "--batches", "full"]), (lesson, [])):
        inner = os.path.join(folder, "made", os.path.basename(program), "here")
        done = run(program, "--out", inner, *options)
        expect(done.returncode == 0 and os.path.isdir(inner), f"--out {inner}", "the folder", done.stderr)
        expect("\r" not in done.stdout + done.stderr and "\033" not in done.stdout + done.stderr,
               "output that is no terminal", "no carriage return or escape code", repr(done.stdout + done.stderr))
        done = run(program, "--out", os.path.join(program, "below-a-file"), *options)
        expect(done.returncode and "below-a-file" in done.stderr, "--out below a file", "a sentence", done.stderr)


def main():
    batch, *lessons = sys.argv[1:]
    for program in (batch, *lessons):
        check_arguments(program)
    with tempfile.TemporaryDirectory() as folder:
        check_targets(batch, folder)
        check_divergence(batch, folder)
        check_seeds(batch, folder)
        check_out(batch, lessons[0], folder)
    sys.exit(1 if failures else 0)


main()
