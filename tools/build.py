#!/usr/bin/env python3
"""Configures a build folder so that it is what was asked for, and builds it.

    build.py FOLDER [-v] [--compiler CC] [--keep OPTION]... [-DOPTION=VALUE]... [TARGET...]

Run it in the root of the source tree.  Options that are not named have the values that meson.build and meson_options.txt
give them; --keep leaves one as the folder has it.  What an old folder has otherwise is said and mended: other options by
a new configuration; another source tree, compiler, version of Meson, flags in the environment or a configuration that
was cut off by making the folder anew.  Without TARGET everything is built.

A line counts the steps.  Warnings of the compiler are shown, and the whole output of a step that failed; with -v
everything.  Uses the standard library of Python alone.
"""
import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys

from progress import Counter

COMPARED = {"auto_features", "buildtype", "debug", "default_library", "optimization", "prefer_static", "unity",
            "warning_level", "c_std"}
OF_NO_ACCOUNT = {"b_colorout", "b_lto_threads", "b_pgo", "b_pch", "b_vscrt"}
BY_TYPE = {"plain": ("plain", False), "debug": ("0", True), "debugoptimized": ("2", True), "release": ("3", False),
           "minsize": ("s", True)}  # optimization and debug of each buildtype
STAMP = "meson-private/compiler-version.txt"


def die(text):
    sys.exit(f"build.py: {text}")


def output_of(command):
    """Standard output, or None where the command fails or is missing."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None


def read_json(path):
    try:
        with open(path, encoding="utf-8") as f:
            return json.load(f)
    except (OSError, ValueError):
        return None


# ---- what is wanted ----

def values_of(listed):
    """The options that decide what is built, by name."""
    return {o["name"]: o["value"] for o in listed
            if o["section"] == "user" or o["name"] in COMPARED or
            (o["name"].startswith("b_") and o["name"] not in OF_NO_ACCOUNT)}


def text_of(value):
    if isinstance(value, list):  # as b_sanitize is from Meson 1.8 on
        return ",".join(value) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def wanted_options(asked):
    command = ["meson", "introspect", "meson.build", "--buildoptions"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        die(f"`{' '.join(command)}` failed:\n{run.stdout}{run.stderr}")
    wanted = {name: text_of(value) for name, value in values_of(json.loads(run.stdout)).items()}
    wanted.update(asked)
    optimization, debug = BY_TYPE.get(wanted["buildtype"], (None, None))
    for name, value in (("optimization", optimization), ("debug", debug)):
        if name not in asked:
            wanted.pop(name, None)
            if value is not None:
                wanted[name] = text_of(value)
    return wanted


def without_cache(words):
    return words[1:] if words and os.path.basename(words[0]) in ("ccache", "sccache") else words


def wanted_compiler(asked):
    """Words of the command, without ccache, as Meson would choose it."""
    chosen = asked or os.environ.get("CC")
    if chosen:
        return without_cache(shlex.split(chosen))
    return [next((c for c in ("cc", "gcc", "clang") if shutil.which(c)), "cc")]


def same_program(a, b):
    a, b = shutil.which(a), shutil.which(b)
    return bool(a and b) and os.path.realpath(a) == os.path.realpath(b)


def compiler_version(compiler):
    return (output_of(compiler + ["--version"]) or "").partition("\n")[0]


def flags_now():
    """What Meson takes from the environment when it configures a folder for the first time."""
    env = os.environ
    return {"c_args": shlex.split(env.get("CFLAGS", "")) + shlex.split(env.get("CPPFLAGS", "")),
            "c_link_args": shlex.split(env.get("LDFLAGS", "")),
            "pkg_config_path": [p for p in env.get("PKG_CONFIG_PATH", "").split(":") if p]}


# ---- what the folder is ----

def folder_options(folder):
    return read_json(os.path.join(folder, "meson-info/intro-buildoptions.json"))


def folder_compiler(folder):
    commands = read_json(os.path.join(folder, "compile_commands.json"))
    return without_cache(shlex.split(commands[0]["command"])) if commands else []


def why_anew(folder, compiler):
    """Why the folder cannot be used as it is, or None."""
    info = read_json(os.path.join(folder, "meson-info/meson-info.json"))
    options = folder_options(folder)
    if not info or not options or info.get("error") or not os.path.isfile(os.path.join(folder, "build.ninja")):
        return "its configuration was cut off"
    for what, here in (("source", "."), ("build", folder)):
        there = info["directories"][what]
        if not os.path.exists(there) or not os.path.samefile(there, here):
            return f"it belongs to the {what} folder {there}"
    version = info["meson_version"]["full"]
    now = (output_of(["meson", "--version"]) or "").strip()
    if version != now:
        return f"it was made by Meson {version}, this is {now}"
    found = folder_compiler(folder)
    if not found or not same_program(found[0], compiler[0]) or found[1:len(compiler)] != compiler[1:]:
        return f"its compiler is {found[0] if found else 'unknown'}, not {' '.join(compiler)}"
    stamp = os.path.join(folder, STAMP)
    if os.path.isfile(stamp):
        with open(stamp, encoding="utf-8") as f:
            if f.read() != compiler_version(compiler):
                return "its compiler has another version now"
    values = {o["name"]: o["value"] for o in options}
    flags = flags_now()
    for name, words in flags.items():
        linked = flags["c_args"] + words if name == "c_link_args" else words # Meson may link with all of them
        if values.get(name, []) not in (words, linked):
            return f"its {name} are {values.get(name)}, the environment says {words}"
    return None


def empty(folder):
    """Removes what is in a build folder; the folder may be a link."""
    if not any(os.path.exists(os.path.join(folder, f)) for f in ("meson-private", "meson-info", "build.ninja")):
        die(f"{folder}/ is in the way: it holds files, and is no build folder of Meson")
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


def differences(folder, wanted, keep):
    values = {name: text_of(value) for name, value in values_of(folder_options(folder) or []).items()}
    return {name: (values.get(name), value) for name, value in wanted.items()
            if name not in keep and values.get(name) != value}


def in_words(change):
    return ", ".join(f"{name} was {old or 'missing'}, is {new}" for name, (old, new) in sorted(change.items()))


# ---- configuring ----

def run_meson(arguments, compiler, verbose):
    env = dict(os.environ, **({"CC": compiler} if compiler else {}))
    done = subprocess.run(["meson", "setup", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env=env, check=False)
    lines = done.stdout.splitlines()
    if done.returncode or verbose:
        print(done.stdout)
    else:
        for line in lines:
            if "WARNING:" in line or "Message:" in line:
                print(line)
    if done.returncode:
        die("the configuration failed")


def configure(folder, asked, keep, compiler, verbose):
    wanted = wanted_options(asked)
    command = wanted_compiler(compiler)
    used = os.path.isdir(folder) and bool(os.listdir(folder))
    reason = why_anew(folder, command) if used else None
    if used and not reason:
        change = differences(folder, wanted, keep)
        if not change:
            return
        print(f"Configuring {folder}/ again: {in_words(change)}.", flush=True)
        by_type = {"debug", "optimization"} if "buildtype" in change else set()
        run_meson(["--reconfigure", folder, *[f"-D{name}={new}" for name, (_, new) in change.items() if name not in by_type]],
                  None, verbose)
        left = differences(folder, wanted, keep)
        reason = f"Meson did not change {', '.join(left)}" if left else None
    if reason:
        print(f"{folder}/ is made anew: {reason}.", flush=True)
        empty(folder)
    if reason or not used:
        print(f"Configuring {folder}/.", flush=True)
        run_meson([folder, *[f"-D{name}={value}" for name, value in asked.items()]], compiler, verbose)
        left = differences(folder, wanted, keep)
        if left:
            die(f"{folder}/ could not be configured as asked for: {in_words(left)}")
    with open(os.path.join(folder, STAMP), "w", encoding="utf-8") as f:
        f.write(compiler_version(command))


# ---- building ----

def ninja_program():
    return next((n for n in ("ninja", "ninja-build", "samu") if shutil.which(n)), None) or die("there is no ninja")


def regenerate(folder, verbose):
    """Lets Meson take changed build files into account, before steps are counted."""
    done = subprocess.run([ninja_program(), "-C", folder, "build.ninja"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode or verbose:
        print(done.stdout)
    if done.returncode:
        die("the configuration failed")


def compile_all(folder, targets, verbose):
    counter = Counter(f"Building in {folder}/")
    command = [ninja_program(), "-C", folder] + (["-v"] if verbose else []) + targets
    steps = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          env=dict(os.environ, NINJA_STATUS="[%f/%t] ")) as ninja:
        for line in ninja.stdout:
            step = re.match(r"\[(\d+)/(\d+)\] ", line)
            if step:
                steps = int(step.group(2))
            if step and not verbose:
                counter.show(step.group(1), step.group(2))
            elif not line.startswith("ninja: Entering directory") and not line.startswith("ninja: no work to do"):
                counter.line(line)
    counter.clear()
    if ninja.returncode:
        die(f"the build in {folder}/ failed")
    if steps:
        print(f"Built in {folder}/: {steps} steps in {counter.seconds()}.", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("targets", nargs="*")
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("--compiler")
    parser.add_argument("--keep", action="append", default=[])
    parser.add_argument("-D", dest="options", action="append", default=[], metavar="OPTION=VALUE")
    args = parser.parse_intermixed_args()
    asked = dict(option.split("=", 1) for option in args.options)
    configure(args.folder, asked, set(args.keep), args.compiler, args.verbose)
    regenerate(args.folder, args.verbose)
    compile_all(args.folder, args.targets, args.verbose)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
