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
    (cases / "cheat.py").write_text("import sys\nprint(open(sys.argv[1]).read())")
    for program in (cases / "cheat.py", pathlib.Path("cheat.py")):
        done = run([str(EXAMPLES / "judge.py"), "--csandbox", CSANDBOX, directory, "--", "python3", str(program), f"{directory}/one.out"], cwd=directory)
        score.check(done[1].startswith(b"one: runtime error"), "judge.py: the answers are not to be read", *done)
    (cases / "cheat.py").write_text("print(sum(map(int, input().split())))")
    done = run([str(EXAMPLES / "judge.py"), "--csandbox", CSANDBOX, directory, "--", "python3", "cheat.py"], cwd=directory)
    score.check(done[1].startswith(b"one: accepted"), "judge.py: a program beside them", *done)
    (cases / "Makefile").write_text(f"include {EXAMPLES}/sandbox.mk\nhello:\n\techo made > made; cat made\n")
    done = run(["make", "-s", f"CSANDBOX={CSANDBOX}", "sandbox-hello"], cwd=directory, env={**os.environ, "MAKEFLAGS": ""})
    score.check(done[0] == 0 and b"made" in done[1] and not (cases / "made").exists() and (cases / "sandbox-hello.json").exists(), "sandbox.mk", *done)


def commands(name):
    """The runs of csandbox in a file for CI: folded scalars, one command each."""
    found, words = [], None
    for line in (EXAMPLES / name).read_text().splitlines():
        text = line.strip()
        if text.startswith("csandbox run"):
            words = []
        if words is not None:
            words += text.split()
            if words[-2] == "make":
                found.append([CSANDBOX, *words[1:]])
                words = None
    return found


def chained():
    """Set-up, test: the files of the first are the start of the second, and the host gets what it asked for."""
    for name in ("github-actions.yml", "gitlab-ci.yml"):
        with Scratch() as place:
            (pathlib.Path(place) / "Makefile").write_text("setup:\n\techo ready > dependency\ncheck:\n\tcat dependency; mkdir coverage; echo all > coverage/report\n")
            runs = [run(command, cwd=place) for command in commands(name)]
            left = set(os.listdir(place))
            score.check(len(runs) == 2 and runs[0][0] == runs[1][0] == 0 and b"ready" in runs[1][1] and "dependency" not in left and "report.html" in left
                        and ("coverage" in left) == name.startswith("github"), name, runs, left)
    with Scratch() as place:
        (pathlib.Path(place) / "Makefile").write_text(f"include {EXAMPLES}/sandbox.mk\nsetup:\n\techo ready > dependency\nuse:\n\tcp dependency out\n\techo > other\n")
        environment = {**os.environ, "MAKEFLAGS": ""}
        first = run(["make", "-s", f"CSANDBOX={CSANDBOX}", "sandbox-setup.layer"], cwd=place, env=environment)
        second = run(["make", "-s", f"CSANDBOX={CSANDBOX}", "SANDBOX_LAYER=sandbox-setup.layer", "SANDBOX_OUTPUT=out", "sandbox-use"], cwd=place, env=environment)
        left = sorted(os.listdir(place))
        score.check(first[0] == second[0] == 0 and left == ["Makefile", "out", "sandbox-setup.layer", "sandbox-use.json"], "sandbox.mk: a layer and an output", first,
                    second, left)


chained()
score.finish()
