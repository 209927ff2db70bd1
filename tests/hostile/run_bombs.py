#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run_bombs.py CSANDBOX PROGRAM: each bomb meets its limit; the sandbox lives, a neighbour works on, the result is true."""
import json
import os
import subprocess
import sys
import tempfile

CSANDBOX, PROGRAM = (os.path.abspath(name) for name in sys.argv[1:3])
NO_PRIVILEGE = ["--timeout", "300s", "--grace", "1s"]

# Each: the bomb, whether an honest neighbour runs beside it, options, the statuses and reasons that may be, what it says,
# and what of the result must hold.
BOMBS = [
    ("fork", True, ["--pids", "60"], {3}, {"exit"}, "stopped: fork: EAGAIN",
     lambda r: r["limits"]["pids"]["reached"] > 0 and r["limits"]["pids"]["used"] <= 60),
    ("threads", True, ["--pids", "40"], {3}, {"exit"}, "stopped: thread: EAGAIN",
     lambda r: r["limits"]["pids"]["reached"] > 0 and r["limits"]["pids"]["used"] == 40),
    ("malloc", True, ["--memory", "96M"], {137}, {"memory"}, "", lambda r: r["limits"]["memory"]["reached"] == 1),
    ("malloc", False, ["--memory", "96M"], {137}, {"memory"}, "", lambda r: r["signal"] == 9),
    ("shared", True, ["--memory", "96M"], {137}, {"memory"}, "", lambda r: r["limits"]["memory"]["reached"] >= 1),
    ("idle", False, ["--memory", "96M", "--host-cgroups"], {3, 137}, {"exit", "memory"}, "",
     lambda r: r["limits"]["memory"]["reached"] > 0),
    ("tmpfs", True, ["--memory", "96M"], {3}, {"exit"}, "stopped: write: ENOSPC", lambda r: r["limits"]["memory"]["reached"] == 0),
    ("tmpfs", True, ["--disk", "20M"], {3}, {"exit"}, "stopped: write: ENOSPC",
     lambda r: r["limits"]["disk"]["reached"] > 0 and r["limits"]["disk"]["used"] <= 20 << 20),
    ("layer", True, ["--disk", "20M"], {3}, {"exit"}, "stopped: write: ENOSPC", lambda r: r["limits"]["disk"]["reached"] > 0),
    ("layer", True, ["--file-size", "5M"], {153}, {"exit"}, "",
     lambda r: r["limits"]["file-size"]["reached"] == 1 and r["limits"]["file-size"]["used"] == 5 << 20),
    ("memfd", True, ["--memory", "96M"], {3}, {"exit"}, "stopped: write: ENOMEM", lambda r: r["limits"]["memory"]["reached"] == 0),
    ("names", True, ["--memory", "96M"], {3, 137}, {"exit", "memory"}, "", lambda r: True),
    ("xattrs", True, ["--memory", "96M"], {3}, {"exit"}, "stopped: fill: ENOSPC", lambda r: r["limits"]["memory"]["reached"] == 0),
    ("keys", True, ["--memory", "48M"], {3}, {"exit"}, "stopped: add_key: ENOMEM", lambda r: r["limits"]["memory"]["reached"] == 0),
    ("keys", True, [], {3}, {"exit"}, "stopped: add_key: ENOMEM", lambda r: r["memory_peak_bytes"] < 160 << 20),
    ("landlock", True, ["--memory", "48M"], {3}, {"exit"}, "stopped: landlock_add_rule: ENOMEM", lambda r: r["limits"]["memory"]["reached"] == 0),
    ("landlock", True, [], {3}, {"exit"}, "stopped: landlock_add_rule: ENOMEM", lambda r: r["memory_peak_bytes"] < 160 << 20),
    ("revoked", True, [], {0}, {"exit"}, "collected", lambda r: True),
    ("mapped", True, ["--disk", "20M"], {135}, {"exit"}, "", lambda r: r["limits"]["disk"]["reached"] > 0),
    ("mapped", True, ["--memory", "96M"], {135, 137}, {"exit", "memory"}, "", lambda r: True),
    ("sparse", True, ["--disk", "1M"], {3}, {"exit"}, "stopped: pwrite: ENOSPC", lambda r: r["limits"]["disk"]["reached"] > 0),
    ("pipes", True, ["--memory", "96M", "--open-files", "2000"], {3, 137}, {"exit", "memory"}, "", lambda r: True),
    ("sockets", True, ["--memory", "96M", "--open-files", "2000"], {3, 137}, {"exit", "memory"}, "", lambda r: True),
    ("tcp", True, ["--memory", "96M", "--open-files", "2000"], {3, 137}, {"exit", "memory"}, "", lambda r: r["memory_peak_bytes"] > 32 << 20),
    ("descriptors", True, ["--open-files", "100"], {3}, {"exit"}, "stopped: dup: EMFILE",
     lambda r: r["limits"]["open-files"]["reached"] > 0 and r["limits"]["open-files"]["used"] == 100),
    ("output", False, ["--output-limit", "300K"], {137}, {"output"}, None, lambda r: r["limits"]["output-limit"]["used"] == 300 << 10),
    ("spin", False, ["--timeout", "500ms", "--grace", "300ms"], {124}, {"timeout"}, "", lambda r: .7 < r["wall_seconds"] < 100),
    ("spin", False, ["--cpu-time", "300ms"], {137}, {"cpu-time"}, "", lambda r: r["limits"]["cpu-time"]["reached"] == 1),
    ("session", False, ["--timeout", "4s", "--grace", "300ms"], {124}, {"timeout"}, "", lambda r: r["processes_started"] == 3),
    ("session", False, ["--cpu-time", "400ms"], {137}, {"cpu-time"}, "", lambda r: r["processes_started"] == 3),
    ("tree", False, ["--memory", "128M", "--timeout", "1s", "--grace", "200ms"], {124, 137, 3}, {"timeout", "memory", "exit"}, "",
     lambda r: r["limits"]["memory"]["reached"] > 0 or r["limits"]["timeout"]["reached"] > 0),
]


def run(bomb, neighbour, options, result):
    command = [CSANDBOX, "run", *NO_PRIVILEGE, *options, "--result", result, "--", PROGRAM, bomb]
    if neighbour:
        command.append("neighbour")
    return subprocess.run(command, cwd="/var/tmp", stdin=subprocess.DEVNULL, capture_output=True, timeout=400)


def complaints(bomb, directory):
    name, neighbour, options, statuses, reasons, says, holds = bomb
    path = f"{directory}/result"
    try:
        done = run(name, neighbour, options, path)
    except subprocess.TimeoutExpired:
        return ["it does not end"]
    result = json.load(open(path))
    found = []
    text = done.stdout.decode(errors="replace")
    if done.returncode not in statuses or result["status"] != done.returncode:
        found.append(f"status {done.returncode}, in the result {result['status']}, not {statuses}: {done.stderr[:300]}")
    if result["reason"] not in reasons:
        found.append(f"reason {result['reason']}, not {reasons}")
    if says is None:
        if len(done.stdout) + len(done.stderr) != 300 << 10:
            found.append(f"{len(done.stdout) + len(done.stderr)} bytes of output")
    elif says not in text:
        found.append(f"it says {text[:200]!r}")
    if neighbour and "neighbour: done" not in text:
        found.append(f"the neighbour: {text[:200]!r}")
    if not holds(result):
        found.append(json.dumps({key: result[key] for key in ("wall_seconds", "processes_started", "signal", "limits")}))
    if "memory" in " ".join(options) and result["memory_peak_bytes"] > 400 << 20:
        found.append(f"it held {result['memory_peak_bytes']} bytes")
    return found


def main():
    count = failed = 0
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        for bomb in BOMBS:
            if len(sys.argv) > 3 and bomb[0] not in sys.argv[3:]:
                continue
            count += 1
            found = complaints(bomb, directory)
            failed += bool(found)
            print(f"{'not ok' if found else 'ok'} {count} - {bomb[0]} {' '.join(bomb[2])}")
            for line in found:
                print("#  ", line)
            sys.stdout.flush()
    print(f"1..{count}")
    sys.exit(1 if failed or not count else 0)


main()
