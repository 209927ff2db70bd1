/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dynamic section of an ELF file: which shared libraries it needs, and where it says that they
 * are (ld.so(8)).
 */
#include "abi/elf.h"
#include "loader/loader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where in the file an address lies; 0 if nowhere. */
static uint64_t file_offset_of(const struct loader_image *image, uint64_t address)
{
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct loader_segment *segment = &image->segments[i];

		if (address >= segment->address && address - segment->address < segment->file_size)
			return segment->file_offset + (address - segment->address);
	}
	return 0;
}

static struct linux_elf64_dyn entry_at(const void *bytes, size_t i)
{
	struct linux_elf64_dyn entry;

	memcpy(&entry, (const char *)bytes + i * sizeof(entry), sizeof(entry));
	return entry;
}

static size_t count_entries(const void *bytes, size_t size)
{
	size_t count = min_u64(size / sizeof(struct linux_elf64_dyn), LOADER_DYNAMIC_MAX), i = 0;

	while (i < count && entry_at(bytes, i).d_tag != LINUX_DT_NULL)
		i++;
	return i;
}

int loader_parse_dynamic(const struct loader_image *image, const void *bytes, size_t size,
	struct loader_dynamic *dynamic)
{
	size_t count = count_entries(bytes, size);
	uint64_t strings = 0;

	*dynamic = (struct loader_dynamic){0};
	for (size_t i = 0; i < count; i++) {
		struct linux_elf64_dyn entry = entry_at(bytes, i);

		dynamic->needed_count += entry.d_tag == LINUX_DT_NEEDED;
		if (entry.d_tag == LINUX_DT_STRTAB)
			strings = file_offset_of(image, entry.d_val);
	}
	if (dynamic->needed_count && !strings)
		return -ENOEXEC;
	dynamic->needed = calloc(dynamic->needed_count + 1, sizeof(*dynamic->needed));
	if (!dynamic->needed)
		return -ENOMEM;
	dynamic->needed_count = 0;
	/* What wraps around is an offset that no file has. */
	for (size_t i = 0; i < count && strings; i++) {
		struct linux_elf64_dyn entry = entry_at(bytes, i);

		if (entry.d_tag == LINUX_DT_NEEDED)
			dynamic->needed[dynamic->needed_count++] = strings + entry.d_val;
		else if (entry.d_tag == LINUX_DT_RPATH)
			dynamic->rpath = strings + entry.d_val;
		else if (entry.d_tag == LINUX_DT_RUNPATH)
			dynamic->runpath = strings + entry.d_val;
	}
	return 0;
}

void loader_dynamic_free(struct loader_dynamic *dynamic)
{
	free(dynamic->needed);
	*dynamic = (struct loader_dynamic){0};
}
