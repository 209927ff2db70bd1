#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a guest test natively and then in the sandbox: one verdict for both.

run_both.py CSANDBOX PROGRAM [ARGUMENT...]

Each subtest must end in the same way in both; what is skipped natively is skipped."""
import re
import subprocess
import sys

LINE = re.compile(r"^(ok|not ok) \d+ - (\S+)(.*)$")


def run(command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=600)
    text = done.stdout.decode(errors="replace")
    verdicts = {m.group(2): m.group(1) + m.group(3)
                for m in map(LINE.match, text.splitlines()) if m}
    return done.returncode, verdicts, text


def main():
    csandbox, program = sys.argv[1], sys.argv[2:]
    status, native, text = run(program)
    if status:
        print("natively, where it must pass:\n" + text)
        return 1
    status, inside, text = run([csandbox, "run", "--"] + program)
    if status or native != inside:
        print(f"in the sandbox (status {status}):\n" + text)
        for name in native:
            if native[name] != inside.get(name):
                print(f"{name}: natively {native[name]!r}, inside {inside.get(name, 'missing')!r}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
