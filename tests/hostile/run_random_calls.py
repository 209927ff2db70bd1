#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run_random_calls.py CSANDBOX PROGRAM [SEED...]: random system calls must not end, hang or leave a trace in a sandbox.

Each run prints its seed, so that one that fails can be had again."""
import subprocess
import sys
import tempfile
import time

SECONDS = 5
LIMIT = 300


def run(csandbox, program, seed, subcommand):
    """True if the sandbox survived; says what happened if not."""
    with tempfile.TemporaryFile("w+") as errors, tempfile.NamedTemporaryFile("w+") as log:
        command = [csandbox, *subcommand, "--debug-log", log.name, "--", program, str(SECONDS), str(seed)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            output, _ = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            print(f"seed {seed}: hangs")
            return False
        if process.returncode == 0 and "rounds" in output:
            return True
        errors.seek(0)
        print(f"seed {seed}: status {process.returncode}\n{errors.read()[:8000]}\n{log.read()[-4000:]}")
        return False


def main():
    csandbox, program = sys.argv[1:3]
    seeds = [int(seed) for seed in sys.argv[3:]] or [1, int(time.time())]
    print("seeds", *seeds, flush=True)
    good = [run(csandbox, program, seed, ["run"]) for seed in seeds]
    # What the tracer makes of them is as hostile.
    good.append(run(csandbox, program, seeds[0], ["trace", "-o", "/dev/null"]))
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
