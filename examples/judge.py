#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""judge.py [--time S] [--memory SIZE] DIRECTORY -- PROGRAM...: judges a program as in a contest.

For each NAME.in in DIRECTORY the program gets it as its input; what it writes is compared with NAME.out, word by word.
The verdicts: accepted, wrong answer, time limit, memory limit, output limit, runtime error.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile


def verdict(result, written, expected):
    reason = result["reason"]
    if reason in ("timeout", "cpu-time"):
        return "time limit"
    if reason == "memory":
        return "memory limit"
    if reason == "output":
        return "output limit"
    if result["status"]:
        return "runtime error"
    return "accepted" if written.split() == expected.split() else "wrong answer"


def hidden(options):
    """An empty directory in place of that of the answers, but for the program if it is in there."""
    place = options.directory.resolve()
    words = {pathlib.Path(word).resolve() for word in options.program if pathlib.Path(word).is_file()}
    shown = [f"--bind={word}" for word in words if place in word.parents and word.suffix not in (".in", ".out")]
    return [f"--tmpfs={place}", *shown]


def judge(options, case):
    with tempfile.TemporaryDirectory() as directory, open(case, "rb") as given:
        path = f"{directory}/result.json"
        # The clock on the wall is for programs that sleep; the time that counts is what they compute.
        limits = ["--cpu-time", options.time, "--timeout", str(float(options.time) * 3 + 2), "--grace", "0", "--memory", options.memory,
                  "--pids", "16", "--cpus", "1", "--disk", "16M", "--output-limit", "16M", *hidden(options)]
        done = subprocess.run([options.csandbox, "run", *limits, "--result", path, "--", *options.program], stdin=given,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        result = json.loads(pathlib.Path(path).read_text())
    if result["reason"] == "internal":
        sys.exit(f"judge.py: {result['error']}")
    return verdict(result, done.stdout, case.with_suffix(".out").read_bytes()), result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--time", default="1", help="seconds of CPU time (1)")
    parser.add_argument("--memory", default="256M")
    parser.add_argument("--csandbox", default=os.environ.get("CSANDBOX", "csandbox"))
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("program", nargs="+")
    options = parser.parse_args()
    good = True
    for case in sorted(options.directory.glob("*.in")):
        found, result = judge(options, case)
        seconds = sum(result["guests"].values()) if "guests" in result else 0
        print(f"{case.stem}: {found} ({seconds:.2f} s, {result.get('memory_peak_bytes', 0) >> 20} MB)")
        good = good and found == "accepted"
    sys.exit(0 if good else 1)


main()
