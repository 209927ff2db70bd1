#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""embed_text.py FILE NAME: FILE as a C array of characters called NAME, on standard output."""
import sys

data = open(sys.argv[1], "rb").read() + b"\0"
print(f"static const char {sys.argv[2]}[] = {{")
for start in range(0, len(data), 20):
    print("".join(f"{byte}," for byte in data[start:start + 20]))
print("};")
