#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""options.py CSANDBOX [ROUNDS]: what limits, results and policies add to `csandbox run true`, taken in turn."""
import os
import subprocess
import sys
import tempfile
import time

CSANDBOX = os.path.abspath(sys.argv[1])
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 200
LIMITS = ["--timeout", "60s", "--grace", "1s", "--cpu-time", "30s", "--cpus", "2", "--memory", "512M", "--pids", "100", "--file-size", "50M",
          "--open-files", "200", "--disk", "64M", "--output-limit", "1M"]


def main():
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        result = ["--result", f"{directory}/result"]
        kinds = {"nothing": [], "all limits": LIMITS, "--result": result, "all limits and --result": LIMITS + result,
                 "--keep-changes": ["--keep-changes", f"{directory}/layer"], "--profile=strict": ["--profile=strict"]}
        times = {name: [] for name in kinds}
        for _ in range(ROUNDS):
            for name, options in kinds.items():
                began = time.perf_counter()
                subprocess.run([CSANDBOX, "run", *options, "--", "true"], cwd="/", check=True)
                times[name].append(time.perf_counter() - began)
        plain = sorted(times["nothing"])
        print("| options | lowest ms | median ms | more than without |\n| --- | ---: | ---: | ---: |")
        for name, list_ in times.items():
            list_.sort()
            median = list_[len(list_) // 2]
            print(f"| {name} | {list_[0] * 1e3:.2f} | {median * 1e3:.2f} | {(median - plain[len(plain) // 2]) * 1e3:+.2f} ms |")


main()
