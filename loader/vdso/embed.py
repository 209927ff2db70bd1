#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns the vDSO's shared object into the C array loader_vdso_image, filled up to whole pages.

usage: embed.py VDSO.so OUT.c

It refuses an object that could not be mapped as it lies in the file: more than one PT_LOAD, file offsets
that are not addresses, relocations, or a segment that is writable.
"""

import struct
import sys

PAGE_SIZE = 4096
PT_LOAD, PT_DYNAMIC = 1, 2
PF_W = 2
RELOCATION_TAGS = {7: "DT_RELA", 17: "DT_REL", 23: "DT_JMPREL", 36: "DT_RELR"}


def program_headers(image):
    if image[:6] != b"\x7fELF\x02\x01":
        raise ValueError("not an ELF64 file")
    offset, = struct.unpack_from("<Q", image, 32)
    size, count = struct.unpack_from("<HH", image, 54)
    for i in range(count):
        # p_type, p_flags, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align
        yield struct.unpack_from("<IIQQQQQQ", image, offset + i * size)


def check(image):
    """Raises ValueError for an image that cannot be mapped as it is."""
    loads = [header for header in program_headers(image) if header[0] == PT_LOAD]
    if len(loads) != 1:
        raise ValueError("%d PT_LOAD segments instead of one" % len(loads))
    _, flags, offset, address, _, file_size, memory_size, _ = loads[0]
    if offset or address or file_size != memory_size:
        raise ValueError("the segment does not lie in memory as in the file")
    if flags & PF_W:
        raise ValueError("the segment is writable")
    for header in program_headers(image):
        if header[0] != PT_DYNAMIC:
            continue
        for at in range(header[2], header[2] + header[5], 16):
            tag, = struct.unpack_from("<Q", image, at)
            if tag == 0:
                break
            if tag in RELOCATION_TAGS:
                raise ValueError("it has relocations (%s)" % RELOCATION_TAGS[tag])


def emit(image, out):
    out.write("/* SPDX-License-Identifier: Apache-2.0 */\n")
    out.write("/* Made by loader/vdso/embed.py from the vDSO. */\n")
    out.write('#include "loader/vdso/vdso_image.h"\n\n')
    out.write("const size_t loader_vdso_size = %d;\n\n" % len(image))
    out.write("const uint8_t loader_vdso_image[] __attribute__((aligned(%d))) = {\n" % PAGE_SIZE)
    for at in range(0, len(image), 16):
        out.write("\t%s,\n" % ", ".join("0x%02x" % byte for byte in image[at:at + 16]))
    out.write("};\n")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], "rb") as file:
        image = file.read()
    try:
        check(image)
    except (ValueError, struct.error) as error:
        sys.exit("embed.py: %s: %s" % (sys.argv[1], error))
    # The whole file: debuggers find symbols and unwind tables by the section headers behind the segment.
    image += bytes(-len(image) % PAGE_SIZE)
    with open(sys.argv[2], "w", encoding="ascii") as out:
        emit(image, out)


if __name__ == "__main__":
    main()
