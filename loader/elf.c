/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ELF64: the header and the program headers, with the checks and the errors of Linux
 * (fs/binfmt_elf.c). Like Linux it looks neither at EI_CLASS nor at the section headers.
 * PT_GNU_PROPERTY is not looked at: on x86-64 it only turns on shadow stacks.
 */
#include "loader/loader.h"

#include "abi/elf.h"
#include "abi/mman.h"
#include "base/compiler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int loader_parse_header(
	const void *bytes, size_t size, enum loader_role role, struct loader_header *header)
{
	const int error = role == LOADER_INTERPRETER ? -ELIBBAD : -ENOEXEC;
	struct linux_elf64_ehdr ehdr = {0};

	*header = (struct loader_header){0};
	/*
	 * Linux reads a program's first bytes into a buffer of zeros, but an interpreter's header
	 * whole.
	 */
	if (role == LOADER_INTERPRETER && size < sizeof(ehdr))
		return -EIO;
	memcpy(&ehdr, bytes, min_u64(size, sizeof(ehdr)));
	if (memcmp(ehdr.e_ident, LINUX_ELFMAG, LINUX_SELFMAG) != 0)
		return error;
	if (role == LOADER_PROGRAM && ehdr.e_type != LINUX_ET_EXEC && ehdr.e_type != LINUX_ET_DYN)
		return error;
	if (ehdr.e_machine != LINUX_EM_X86_64)
		return error;
	if (ehdr.e_phentsize != sizeof(struct linux_elf64_phdr) || ehdr.e_phnum == 0 ||
		ehdr.e_phnum * sizeof(struct linux_elf64_phdr) > LOADER_PHDR_MAX)
		return error;
	*header = (struct loader_header){
		.type = ehdr.e_type,
		.entry = ehdr.e_entry,
		.phdr_offset = ehdr.e_phoff,
		.phdr_count = ehdr.e_phnum,
		.phdr_size = ehdr.e_phnum * sizeof(struct linux_elf64_phdr),
	};
	return 0;
}

static int segment_protection(uint32_t flags)
{
	return (flags & LINUX_PF_R ? LINUX_PROT_READ : 0) |
	       (flags & LINUX_PF_W ? LINUX_PROT_WRITE : 0) |
	       (flags & LINUX_PF_X ? LINUX_PROT_EXEC : 0);
}

/* What Linux finds while it maps a segment; the address is without bias. */
static int check_segment(const struct linux_elf64_phdr *phdr, enum loader_role role)
{
	const uint64_t in_page = phdr->p_vaddr & ~PAGE_MASK;

	if (phdr->p_memsz > LINUX_TASK_SIZE || phdr->p_filesz > LINUX_TASK_SIZE)
		return -ENOMEM;
	if (phdr->p_vaddr >= LINUX_TASK_SIZE || phdr->p_filesz > phdr->p_memsz ||
		LINUX_TASK_SIZE - phdr->p_memsz < phdr->p_vaddr)
		return role == LOADER_INTERPRETER ? -ENOMEM : -EINVAL;
	/* Now vaddr + memsz is within the address space. mmap(2) refuses the offset otherwise. */
	if (phdr->p_filesz > 0 &&
		(phdr->p_offset < in_page || (phdr->p_offset - in_page) % PAGE_SIZE != 0 ||
			phdr->p_offset > INT64_MAX - phdr->p_filesz - PAGE_SIZE))
		return -EINVAL;
	return 0;
}

static void image_add_segment(struct loader_image *image, const struct loader_header *header,
	const struct linux_elf64_phdr *phdr)
{
	const uint64_t file_end = phdr->p_vaddr + phdr->p_filesz;
	const uint64_t end = phdr->p_vaddr + phdr->p_memsz;

	image->segments[image->segment_count++] = (struct loader_segment){
		.address = phdr->p_vaddr,
		.file_offset = phdr->p_offset,
		.file_size = phdr->p_filesz,
		.memory_size = phdr->p_memsz,
		.protection = segment_protection(phdr->p_flags),
	};
	/* A power of two that the address space cannot hold is no alignment either. */
	if (phdr->p_align <= LINUX_TASK_SIZE / 2 && (phdr->p_align & (phdr->p_align - 1)) == 0)
		image->alignment = max_u64(image->alignment, phdr->p_align);
	if (phdr->p_offset <= header->phdr_offset &&
		header->phdr_offset - phdr->p_offset < phdr->p_filesz)
		image->phdr_address = header->phdr_offset - phdr->p_offset + phdr->p_vaddr;
	image->min_address = image->segment_count == 1
				     ? page_floor(phdr->p_vaddr)
				     : min_u64(image->min_address, page_floor(phdr->p_vaddr));
	image->brk = max_u64(image->brk, end);
	if (phdr->p_flags & LINUX_PF_X) {
		image->start_code = min_u64(image->start_code, phdr->p_vaddr);
		image->end_code = max_u64(image->end_code, file_end);
	}
	image->start_data = max_u64(image->start_data, phdr->p_vaddr);
	image->end_data = max_u64(image->end_data, file_end);
}

static int image_set_interpreter(struct loader_image *image, const struct linux_elf64_phdr *phdr)
{
	if (phdr->p_filesz > LINUX_PATH_MAX || phdr->p_filesz < 2)
		return -ENOEXEC;
	if (phdr->p_offset > INT64_MAX - LINUX_PATH_MAX)
		return -EIO;
	image->has_interpreter = true;
	image->interpreter_offset = phdr->p_offset;
	image->interpreter_size = phdr->p_filesz;
	return 0;
}

static int image_add_header(struct loader_image *image, const struct loader_header *header,
	const struct linux_elf64_phdr *phdr, enum loader_role role)
{
	switch (phdr->p_type) {
	case LINUX_PT_INTERP:
		if (role == LOADER_PROGRAM && !image->has_interpreter)
			return image_set_interpreter(image, phdr);
		return 0;
	case LINUX_PT_DYNAMIC:
		image->dynamic_offset = phdr->p_offset;
		image->dynamic_size = phdr->p_filesz;
		return 0;
	case LINUX_PT_GNU_STACK:
		image->executable_stack = phdr->p_flags & LINUX_PF_X;
		return 0;
	case LINUX_PT_LOAD:
		if (!image->late_error)
			image->late_error = check_segment(phdr, role);
		if (!image->late_error)
			image_add_segment(image, header, phdr);
		return 0;
	default:
		return 0;
	}
}

/* What can be said of all segments together. */
static void image_finish(
	struct loader_image *image, const struct loader_header *header, enum loader_role role)
{
	if (image->segment_count)
		image->total_size = page_ceil(image->brk) - image->min_address;
	if (image->start_code == UINT64_MAX)
		image->start_code = 0;
	if (image->late_error)
		return;
	if (header->type != LINUX_ET_EXEC && header->type != LINUX_ET_DYN)
		image->late_error = -EPERM; /* only an interpreter gets here; Linux's own slip */
	else if (!image->total_size &&
		 (role == LOADER_INTERPRETER ||
			 (image->segment_count && header->type == LINUX_ET_DYN)))
		image->late_error = -EINVAL;
}

int loader_parse_segments(const struct loader_header *header, const void *phdrs, size_t size,
	enum loader_role role, struct loader_image *image)
{
	struct linux_elf64_phdr phdr;

	*image = (struct loader_image){
		.type = header->type,
		.entry = header->entry,
		.phdr_count = header->phdr_count,
		.alignment = PAGE_SIZE,
		.start_code = UINT64_MAX,
	};
	if (size < header->phdr_size)
		return role == LOADER_INTERPRETER ? -EIO : -ENOEXEC;
	image->segments = calloc(header->phdr_count, sizeof(*image->segments));
	if (!image->segments)
		return -ENOMEM;
	for (uint32_t i = 0; i < header->phdr_count; i++) {
		int error;

		memcpy(&phdr, (const char *)phdrs + i * sizeof(phdr), sizeof(phdr));
		error = image_add_header(image, header, &phdr, role);
		if (error) {
			loader_image_free(image);
			return error;
		}
	}
	image_finish(image, header, role);
	return 0;
}

void loader_image_free(struct loader_image *image)
{
	free(image->segments);
	*image = (struct loader_image){0};
}

int loader_check_interpreter(const struct loader_image *image, const char *bytes, size_t size)
{
	if (size < image->interpreter_size)
		return -EIO;
	return bytes[image->interpreter_size - 1] == '\0' ? 0 : -ENOEXEC;
}
