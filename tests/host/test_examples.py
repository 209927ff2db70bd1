#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The examples do what they say: the contest judge's verdicts, the make include."""
import os
import pathlib

from harness import CSANDBOX, Score, Scratch, run

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"
score = Score()
PROGRAMS = {
    "accepted": "print(sum(map(int, input().split())))",
    "wrong answer": "print(7)",
    "time limit": "while True: pass",
    "memory limit": "b = []\nwhile True: b.append(bytearray(b'x') * (1 << 20))",
    "output limit": "while True: print('x' * 10000)",
    "runtime error": "raise SystemExit(3)",
}

with Scratch() as directory:
    cases = pathlib.Path(directory)
    (cases / "one.in").write_text("2 3\n")
    (cases / "one.out").write_text("5\n")
    for verdict, program in PROGRAMS.items():
        done = run([str(EXAMPLES / "judge.py"), "--csandbox", CSANDBOX, "--time", "0.7", "--memory", "64M", directory, "--", "python3", "-c", program],
                   cwd="/")
        good = done[1].decode().startswith(f"one: {verdict} (") and done[0] == (0 if verdict == "accepted" else 1)
        score.check(good, f"judge.py: {verdict}", *done)
    (cases / "Makefile").write_text(f"include {EXAMPLES}/sandbox.mk\nhello:\n\techo made > made; cat made\n")
    done = run(["make", "-s", f"CSANDBOX={CSANDBOX}", "sandbox-hello"], cwd=directory, env={**os.environ, "MAKEFLAGS": ""})
    score.check(done[0] == 0 and b"made" in done[1] and not (cases / "made").exists() and (cases / "sandbox-hello.json").exists(), "sandbox.mk", *done)
score.finish()
