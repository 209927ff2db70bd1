#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_debuggers.py CSANDBOX [NAME...]: debuggers and tracers of Debian, natively and in the sandbox: the same output and the
same status. The cases are in debugger_cases.py; with names, only those run."""
import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import sys

from debugger_cases import CASES, FOR_USERS, PREAMBLE
from harness import CSANDBOX, Score, Scratch, run

DEBUGGEES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "debuggees")
USER = 4321

# What differs from run to run, natively too.
PATTERNS = [(re.compile(pattern), text) for pattern, text in [
    (r"csandbox-test-[A-Za-z0-9_]{8}", "SCRATCH"),
    (r"si_[us]time=\d+( /\*[^*]*\*/)?", "si_time=T"),
    (r"(si_pid|si_uid)=\d+", r"\1=N"),
    (r"0x[0-9a-f]{5,}", "0xX"),
    (r"/\* \d+ vars \*/", "/* N vars */"),
    (r"\b(LWP|[Pp]rocess|pid|PID|Thread|port|Id) \d+(\.\d+)?", r"\1 N"),
    (r"(line \d+:) +\d+ ", r"\1 N "),
    (r"(pipe|socket):\[\d+\]", r"\1:[N]"),
    (r"\(core dumped\)", ""),
    (r"[ \t]+", " "),
]]


def normal(output):
    text = output.decode(errors="replace")
    for pattern, replacement in PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def build(directory):
    """All debuggees, compiled; None, or why that cannot be."""
    if not shutil.which("gcc"):
        return "there is no gcc here"
    for source in glob.glob(f"{DEBUGGEES}/*"):
        shutil.copy(source, directory)
        name, suffix = os.path.splitext(os.path.basename(source))
        command = ["gcc", "-g", "-O0", "-w", "-o", name, name + ".c", "-pthread"]
        if suffix == ".java":
            if not shutil.which("javac"):
                continue
            command = ["javac", name + ".java"]
        subprocess.run(command, cwd=directory, check=True)
    return None


def run_script(built, script, before):
    with Scratch() as directory:
        os.chmod(directory, 0o755)
        for file in glob.glob(f"{built}/*"):
            shutil.copy(file, directory)
        with open(f"{directory}/case.sh", "w", encoding="ascii") as file:
            file.write(PREAMBLE + script)
        if before and before[0] == "setpriv":
            for path in [directory, *glob.glob(f"{directory}/*")]:
                os.chown(path, USER, USER)
        status, out, err = run([*before, "bash", "case.sh"], cwd=directory, timeout=120)
        if status is not None and status < 0:
            status = 128 - status
        return status, normal(out), err


def compare(built, script, before):
    native = run_script(built, script, before)
    inside = run_script(built, script, [*before, CSANDBOX, "run", "--"])
    if native[:2] == inside[:2]:
        return True, []
    ours, theirs = inside[1].splitlines(), native[1].splitlines()
    first = next((i for i, lines in enumerate(zip(ours, theirs)) if lines[0] != lines[1]), min(len(ours), len(theirs)))
    return False, [f"status {native[0]} natively, {inside[0]} inside; line {first + 1}", "natively:", *theirs[max(first - 2, 0):first + 6],
                   "inside:", *ours[max(first - 2, 0):first + 6], inside[2][-300:]]


def jobs(names):
    for name, needs, script in CASES:
        if names and name not in names:
            continue
        yield name, needs, script, []
        if os.geteuid() == 0 and name in FOR_USERS and shutil.which("setpriv"):
            yield f"{name}, as an ordinary user", needs, script, ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]


def main():
    score = Score()
    with Scratch() as built, concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        os.chmod(built, 0o755)
        reason = build(built)
        waiting = []
        for name, needs, script, before in jobs(sys.argv[2:]):
            missing = reason or next((f"there is no {program} here" for program in needs if not shutil.which(program)), None)
            if missing:
                score.skip(name, missing)
            else:
                waiting.append((name, pool.submit(compare, built, script, before)))
        for name, result in waiting:
            good, details = result.result()
            score.check(good, name, *details)
    score.finish()


if __name__ == "__main__":
    main()
