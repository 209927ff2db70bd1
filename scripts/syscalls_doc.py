#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/syscalls.md, the page of every system call, from abi/syscalls.def.

usage: scripts/syscalls_doc.py [--check] [SYSCALLS.def [PAGE.md]]

--check writes nothing and fails if the page is not up to date.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROW = re.compile(
    r'SYSCALL\(\s*(\d+),\s*(\w+),\s*(\w+),\s*(FULL|PARTIAL|MISSING),\s*'
    r'"([^"]*)",\s*"([^"]*)",\s*"([^"]*)"\s*\)')
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
STATES = {"FULL": "yes", "PARTIAL": "in part", "MISSING": "no"}

HEADER = """\
# System calls

Every system call of x86-64 as of Linux 6.16, and how much of it there is. Made by
`scripts/syscalls_doc.py` from `abi/syscalls.def`: change that, not this page.

*yes* does what Linux does; *in part* leaves out what the note says; *no* returns ENOSYS, and says
so in the debug log, once.

"""


def read_rows(path):
    text = COMMENT.sub("", path.read_text(encoding="utf-8"))
    rows = [match.groups() for match in ROW.finditer(text)]
    if len(rows) != text.count("SYSCALL("):
        raise ValueError("%s: %d rows, of which %d can be read"
                         % (path, text.count("SYSCALL("), len(rows)))
    return rows


def make_page(rows):
    count = {state: sum(row[3] == state for row in rows) for state in STATES}
    page = [HEADER]
    page.append("Of %d system calls %d are there, %d in part, %d are not.\n\n"
                % (len(rows), count["FULL"], count["PARTIAL"], count["MISSING"]))
    page.append("| number | name | there | note |\n| ---: | --- | --- | --- |\n")
    for number, name, _, state, _, _, note in rows:
        page.append("| %s | %s | %s | %s |\n"
                    % (number, name, STATES[state], note.replace("|", "\\|")))
    return "".join(page)


def main():
    arguments = sys.argv[1:]
    check = "--check" in arguments
    paths = [argument for argument in arguments if argument != "--check"]
    if len(paths) > 2 or any(path.startswith("-") for path in paths):
        sys.exit(__doc__)
    table = pathlib.Path(paths[0]) if paths else ROOT / "abi" / "syscalls.def"
    page = pathlib.Path(paths[1]) if len(paths) > 1 else ROOT / "docs" / "syscalls.md"
    try:
        text = make_page(read_rows(table))
        if not check:
            page.write_text(text, encoding="utf-8")
        elif not page.exists() or page.read_text(encoding="utf-8") != text:
            sys.exit("%s is not up to date: run scripts/syscalls_doc.py" % page)
    except (OSError, ValueError) as error:
        sys.exit("syscalls_doc.py: %s" % error)


if __name__ == "__main__":
    main()
