#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Keeps the lists of files in the rooms' meson.build in step with the tree.

Without an option it writes them anew, to be run after adding, moving or deleting a file; with --check it says which list
is out of step and fails. A list stands between the lines `# sources: PATTERN...` and `# end of sources`; what stands
outside of them is written by hand.
"""
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^( *)# (sources|names): (.+)\n(?:.*\n)*?\1# end of sources\n", re.MULTILINE)


def block(folder: pathlib.Path, match: re.Match) -> str:
    indent, kind, patterns = match.groups()
    files = sorted({str(path.relative_to(folder)) for pattern in patterns.split() for path in folder.glob(pattern)})
    entries = [name.removesuffix(".c") for name in files] if kind == "names" else files
    lines = "".join(f"{indent}'{entry}',\n" for entry in entries)
    return f"{indent}# {kind}: {patterns}\n{lines}{indent}# end of sources\n"


def main() -> int:
    stale = []
    for path in sorted(TOP.glob("*/meson.build")) + sorted(TOP.glob("tests/*/meson.build")):
        old = path.read_text()
        new = BLOCK.sub(lambda match: block(path.parent, match), old)
        if new == old:
            continue
        stale.append(str(path.relative_to(TOP)))
        if "--check" not in sys.argv[1:]:
            path.write_text(new)
    if "--check" in sys.argv[1:] and stale:
        print("out of step (run scripts/list_sources.py):", *stale)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
