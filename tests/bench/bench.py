#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints a table of what operations cost natively and in sandboxes, taken in turn, with ratios.

bench.py BUILD_DIRECTORY [--rounds N] [--json FILE]

csandbox is compared with the host, and with runsc and proot where they are installed. The lowest time of all rounds
counts: noise only ever adds."""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

COMPILE = "#include <stdio.h>\nint main(void){puts(\"hello\");return 0;}\n"


def runners(build):
    found = {"native": [], "csandbox": [str(build / "runsc-c/csandbox"), "run", "--"]}
    if shutil.which("runsc"):
        found["runsc"] = ["runsc", "--platform=ptrace", "--network=none", "--ignore-cgroups", "do"]
    if shutil.which("proot"):
        found["proot"] = ["proot"]
    return found


def primitives(prefix, program):
    done = subprocess.run(prefix + [str(program)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=300)
    rows = {}
    for line in done.stdout.splitlines():
        name, _, value = line.partition("\t")
        rows[name] = float(value)
    return rows


def whole(prefix, command, runs=5):
    best = float("inf")
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run(prefix + command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)
        best = min(best, time.perf_counter() - start)
    return best * 1e6


def memory_of_a_sandbox(prefix):
    """PSS in kB of every process of a sandbox that sleeps."""
    process = subprocess.Popen(prefix + ["sleep", "5"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    time.sleep(0.7)
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = pathlib.Path(f"/proc/{entry}/stat").read_text()
                parents[int(entry)] = int(stat.rpartition(")")[2].split()[1])
            except OSError:
                pass
    family, grown = {process.pid}, True
    while grown:
        more = {child for child, parent in parents.items() if parent in family} - family
        family |= more
        grown = bool(more)
    total = 0
    for pid in family:
        try:
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        except OSError:
            pass
    process.terminate()
    process.wait()
    return total


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    build = options.build.resolve()
    table = {name: {} for name in runners(build)}
    with tempfile.TemporaryDirectory(prefix="csandbox-bench-") as directory:
        os.chdir(directory)
        pathlib.Path("hello.c").write_text(COMPILE)
        program = pathlib.Path(directory) / "primitives"
        shutil.copy(build / "tests/primitives", program)
        for _ in range(options.rounds):
            for name, prefix in runners(build).items():
                measured = primitives(prefix, program)
                measured["`true`, whole command"] = whole(prefix, ["true"])
                measured["a small gcc compile, whole command"] = whole(prefix, ["gcc", "-O2", "hello.c", "-o", "hello"], 2)
                for row, value in measured.items():
                    table[name][row] = min(value, table[name].get(row, float("inf")))
    bare = subprocess.run([str(build / "tests/platform_roundtrip")], capture_output=True, text=True, check=False)
    others = [name for name in table if name != "native"]
    print("| operation | native µs | " + " | ".join(f"{name} µs | ratio" for name in others) + " |")
    print("| --- | ---: |" + " ---: | ---: |" * len(others))
    for row, base in table["native"].items():
        cells = []
        for name in others:
            value = table[name].get(row)
            cells.append(f"{value:.2f} | {value / base:.1f}" if value else "- | -")
        print(f"| {row} | {base:.2f} | " + " | ".join(cells) + " |")
    print("\n" + bare.stdout.strip())
    pss = memory_of_a_sandbox(runners(build)["csandbox"])
    print(f"memory of a sandbox that sleeps, PSS of all its processes: {pss / 1024:.1f} MB")
    if options.json:
        options.json.write_text(json.dumps({"microseconds": table, "pss_kb": pss}, indent=1) + "\n")


if __name__ == "__main__":
    main()
