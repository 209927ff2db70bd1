#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails on an include that runs from a lower room to a higher one (docs/architecture.md has the table)."""
import pathlib
import re
import sys

# What each room may include besides itself.
ALLOWED = {
    "abi": set(),
    "base": {"abi"},
    "platform": {"abi", "base"},
    "loader": {"abi", "base", "sentry/time/vdso_params.h"},
    "sentry": {"abi", "base", "platform/platform.h", "loader"},
    "runsc-c": {"abi", "base", "platform/platform.h", "sentry"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def main():
    top = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[1])
    bad = 0
    for room, allowed in ALLOWED.items():
        for path in sorted((top / room).rglob("*.[chS]")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = INCLUDE.match(line)
                if not match:
                    continue
                target = match.group(1)
                target_room = target.split("/")[0]
                if "/" not in target or target_room == room or target_room in allowed or target in allowed:
                    continue
                print(f"{path.relative_to(top)}:{number}: {room}/ may not include {target}")
                bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
