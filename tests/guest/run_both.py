#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a guest test natively and then in the sandbox: one verdict for both.

run_both.py [--on-host] CSANDBOX PROGRAM [ARGUMENT...]

Each subtest must end in the same way in both; what is skipped natively is skipped. With --on-host
/tmp inside is a directory of the host, and both run as a user without privileges: files there are
given to nobody else."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

NOBODY = 65534

LINE = re.compile(r"^(ok|not ok) \d+ - (\S+)(.*)$")


def run(command, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=1800, **options)
    text = done.stdout.decode(errors="replace")
    verdicts = {m.group(2): m.group(1) + m.group(3)
                for m in map(LINE.match, text.splitlines()) if m}
    return done.returncode, verdicts, text


def compare(csandbox, program, options, **how):
    status, native, text = run(program, **how)
    if status:
        print("natively, where it must pass:\n" + text)
        return 1
    status, inside, text = run([csandbox, "run", *options, "--"] + program, **how)
    if status or native != inside:
        print(f"in the sandbox (status {status}):\n" + text)
        for name in native:
            if native[name] != inside.get(name):
                print(f"{name}: natively {native[name]!r}, inside {inside.get(name, 'missing')!r}")
        return 1
    return 0


def compare_on_host(csandbox, program):
    how = {}
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="csandbox-test-") as top:
        os.chmod(top, 0o755)
        place = os.path.join(top, "tmp")
        os.mkdir(place)
        if os.geteuid() == 0:
            # The build may be where nobody else can go.
            csandbox, program[0] = (shutil.copy(path, top) for path in (csandbox, program[0]))
            os.chown(place, NOBODY, NOBODY)
            how = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        os.chmod(place, 0o1777)
        status = compare(csandbox, program, ["--bind", f"{place}:/tmp:rw"], cwd=top, **how)
        left = os.listdir(place)
        if left:
            print("left behind:", left)
        return status or bool(left)


def main():
    arguments = sys.argv[1:]
    if arguments[0] == "--on-host":
        return compare_on_host(arguments[1], arguments[2:])
    return compare(arguments[0], arguments[1:], [])


if __name__ == "__main__":
    sys.exit(main())
