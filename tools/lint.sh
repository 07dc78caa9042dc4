#!/bin/sh
# clang-tidy over the sources of lib/, with the checks of .clang-tidy, and shellcheck over the scripts:
#   lint.sh BUILD        BUILD: a build folder, whose compile_commands.json is read
# A source that is compiled several times (both precisions, each level of vector instructions) is looked at once.
set -u
cd "$(dirname "$0")/.." || exit 1
build=$1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

if python3 --version >/dev/null 2>&1; then python=python3; else python=/usr/bin/python3; fi
$python - "$build/compile_commands.json" "$work/compile_commands.json" <<'END' || exit 1
import json, os, sys
seen, kept = set(), []
for entry in json.load(open(sys.argv[1])):
    path = os.path.relpath(os.path.join(entry["directory"], entry["file"]))
    if path.startswith("lib/") and path not in seen:
        seen.add(path)
        entry["command"] = " ".join(w for w in entry["command"].split(" ") if w != "ccache")
        kept.append(dict(entry, file=os.path.abspath(path)))
json.dump(kept, open(sys.argv[2], "w"))
print(f"{len(kept)} sources")
END
$python -c 'import json, sys; print("\n".join(e["file"] for e in json.load(open(sys.argv[1]))))' "$work/compile_commands.json" |
  xargs -P "$(nproc)" -n 4 clang-tidy -p "$work" --quiet --extra-arg=-Wno-unknown-warning-option
status=$?
shellcheck -x -P SCRIPTDIR examples/run.sh tests/run.sh tests/install/*.sh tools/*.sh debian/tests/command \
  debian/tests/program .ci/run || status=1
exit $status
