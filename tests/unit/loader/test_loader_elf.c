/* SPDX-License-Identifier: Apache-2.0 */
/* ELF headers, good and hostile, and where programs are put. */
#include "abi/elf.h"
#include "abi/mman.h"
#include "loader/loader.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADERS_MAX 8

static const struct loader_limits limits = {0x10000, 0x7ffff0000000};

/* An image of an ELF file that the tests spoil. */
static struct {
	struct linux_elf64_ehdr ehdr;
	struct linux_elf64_phdr phdrs[HEADERS_MAX];
} file;

static struct loader_image image;

static void add_header(uint32_t type, uint32_t flags, uint64_t offset, uint64_t address,
	uint64_t file_size, uint64_t memory_size)
{
	file.phdrs[file.ehdr.e_phnum++] = (struct linux_elf64_phdr){
		.p_type = type,
		.p_flags = flags,
		.p_offset = offset,
		.p_vaddr = address,
		.p_filesz = file_size,
		.p_memsz = memory_size,
		.p_align = 0x1000,
	};
}

static void begin_file(uint16_t type)
{
	memset(&file, 0, sizeof(file));
	memcpy(file.ehdr.e_ident, LINUX_ELFMAG, LINUX_SELFMAG);
	file.ehdr.e_type = type;
	file.ehdr.e_machine = LINUX_EM_X86_64;
	file.ehdr.e_phoff = sizeof(file.ehdr);
	file.ehdr.e_phentsize = sizeof(struct linux_elf64_phdr);
}

/* Text and data with .bss, as a linker lays them out. */
static void begin_program(uint16_t type, uint64_t base)
{
	begin_file(type);
	file.ehdr.e_entry = base + 0x1234;
	add_header(LINUX_PT_LOAD, LINUX_PF_R | LINUX_PF_X, 0, base, 0x2345, 0x2345);
	add_header(LINUX_PT_LOAD, LINUX_PF_R | LINUX_PF_W, 0x2e00, base + 0x3e00, 0x300, 0x2300);
}

static int parse_as(enum loader_role role)
{
	struct loader_header header;
	int error = loader_parse_header(&file, sizeof(file), role, &header);

	loader_image_free(&image);
	if (error)
		return error;
	return loader_parse_segments(&header, file.phdrs, sizeof(file.phdrs), role, &image);
}

static int parse(void)
{
	return parse_as(LOADER_PROGRAM);
}

/* The error that comes late, of one segment. */
static int late_error(uint64_t offset, uint64_t address, uint64_t file_size, uint64_t memory_size)
{
	begin_file(LINUX_ET_EXEC);
	add_header(LINUX_PT_LOAD, LINUX_PF_R, offset, address, file_size, memory_size);
	ck_assert_int_eq(parse(), 0);
	return image.late_error;
}

START_TEST(test_program)
{
	begin_program(LINUX_ET_EXEC, 0x400000);
	add_header(LINUX_PT_GNU_STACK, LINUX_PF_R | LINUX_PF_W, 0, 0, 0, 0);
	ck_assert_int_eq(parse(), 0);
	ck_assert_int_eq(image.late_error, 0);
	ck_assert_uint_eq(image.segment_count, 2);
	ck_assert_uint_eq(image.entry, 0x401234);
	ck_assert_uint_eq(image.min_address, 0x400000);
	ck_assert_uint_eq(image.total_size, 0x7000);
	ck_assert_uint_eq(image.alignment, 0x1000);
	ck_assert_uint_eq(image.brk, 0x406100);
	ck_assert_uint_eq(image.start_code, 0x400000);
	ck_assert_uint_eq(image.end_code, 0x402345);
	ck_assert_uint_eq(image.start_data, 0x403e00);
	ck_assert_uint_eq(image.end_data, 0x404100);
	ck_assert_uint_eq(image.phdr_address, 0x400000 + sizeof(file.ehdr));
	ck_assert(!image.executable_stack);
	ck_assert(!image.has_interpreter);
	ck_assert_int_eq(image.segments[0].protection, LINUX_PROT_READ | LINUX_PROT_EXEC);
	ck_assert_int_eq(loader_check_placement(&image, 0, &limits), 0);
}
END_TEST

START_TEST(test_plan)
{
	struct loader_mapping mapping;

	begin_program(LINUX_ET_EXEC, 0x400000);
	ck_assert_int_eq(parse(), 0);
	loader_plan_segment(&image.segments[0], 0, &mapping);
	ck_assert_uint_eq(mapping.address, 0x400000);
	ck_assert_uint_eq(mapping.length, 0x3000);
	ck_assert_uint_eq(mapping.file_offset, 0);
	ck_assert_uint_eq(mapping.zero_length, 0);
	ck_assert_uint_eq(mapping.anonymous_length, 0);
	loader_plan_segment(&image.segments[1], 0x1000000, &mapping);
	ck_assert_uint_eq(mapping.address, 0x1403000);
	ck_assert_uint_eq(mapping.length, 0x2000);
	ck_assert_uint_eq(mapping.file_offset, 0x2000);
	ck_assert_uint_eq(mapping.zero_start, 0x1404100);
	ck_assert_uint_eq(mapping.zero_length, 0xf00);
	ck_assert_uint_eq(mapping.anonymous_address, 0x1405000);
	ck_assert_uint_eq(mapping.anonymous_length, 0x2000);
	ck_assert_int_eq(mapping.protection, LINUX_PROT_READ | LINUX_PROT_WRITE);
}
END_TEST

START_TEST(test_plan_without_file)
{
	const struct loader_segment bss = {
		.address = 0x5123, .memory_size = 0x1000, .file_offset = 7};
	const struct loader_segment empty = {.address = 0x5123};
	struct loader_mapping mapping;

	loader_plan_segment(&bss, 0, &mapping);
	ck_assert_uint_eq(mapping.length, 0);
	ck_assert_uint_eq(mapping.zero_length, 0);
	ck_assert_uint_eq(mapping.anonymous_address, 0x5000);
	ck_assert_uint_eq(mapping.anonymous_length, 0x2000);
	loader_plan_segment(&empty, 0, &mapping);
	ck_assert_uint_eq(mapping.length, 0);
	ck_assert_uint_eq(mapping.anonymous_length, 0);
}
END_TEST

START_TEST(test_header_errors)
{
	struct loader_header header;

	begin_program(LINUX_ET_EXEC, 0x400000);
	file.ehdr.e_type = LINUX_ET_REL;
	ck_assert_int_eq(parse(), -ENOEXEC);
	file.ehdr.e_type = LINUX_ET_CORE;
	ck_assert_int_eq(parse(), -ENOEXEC);
	begin_program(LINUX_ET_EXEC, 0x400000);
	file.ehdr.e_machine = LINUX_EM_386;
	ck_assert_int_eq(parse(), -ENOEXEC);
	begin_program(LINUX_ET_EXEC, 0x400000);
	file.ehdr.e_phentsize = 32;
	ck_assert_int_eq(parse(), -ENOEXEC);
	begin_file(LINUX_ET_EXEC);
	ck_assert_int_eq(parse(), -ENOEXEC);
	file.ehdr.e_phnum = 0xffff;
	ck_assert_int_eq(parse(), -ENOEXEC);
	/* Too short for a header: the rest is zeros. */
	begin_program(LINUX_ET_EXEC, 0x400000);
	ck_assert_int_eq(loader_parse_header(&file, 20, LOADER_PROGRAM, &header), -ENOEXEC);
	ck_assert_int_eq(loader_parse_header(&file, 0, LOADER_PROGRAM, &header), -ENOEXEC);
}
END_TEST

START_TEST(test_interpreter_errors)
{
	struct loader_header header;

	begin_program(LINUX_ET_DYN, 0);
	ck_assert_int_eq(loader_parse_header(&file, 63, LOADER_INTERPRETER, &header), -EIO);
	file.ehdr.e_machine = LINUX_EM_386;
	ck_assert_int_eq(parse_as(LOADER_INTERPRETER), -ELIBBAD);
	file.ehdr.e_ident[0] = '#';
	ck_assert_int_eq(parse_as(LOADER_INTERPRETER), -ELIBBAD);
	/* Without segments there is nothing to run, but the old program is gone by then. */
	begin_file(LINUX_ET_DYN);
	add_header(LINUX_PT_NOTE, 0, 0, 0, 0, 0);
	ck_assert_int_eq(parse_as(LOADER_INTERPRETER), 0);
	ck_assert_int_eq(image.late_error, -EINVAL);
	/* An interpreter's own PT_INTERP means nothing. */
	begin_program(LINUX_ET_DYN, 0);
	add_header(LINUX_PT_INTERP, 0, 0x200, 0, 1, 0);
	ck_assert_int_eq(parse_as(LOADER_INTERPRETER), 0);
	ck_assert(!image.has_interpreter);
}
END_TEST

START_TEST(test_short_headers)
{
	struct loader_header header;

	begin_program(LINUX_ET_EXEC, 0x400000);
	ck_assert_int_eq(loader_parse_header(&file, sizeof(file), LOADER_PROGRAM, &header), 0);
	ck_assert_uint_eq(header.phdr_size, 2 * 56);
	ck_assert_int_eq(loader_parse_segments(
				 &header, file.phdrs, header.phdr_size - 1, LOADER_PROGRAM, &image),
		-ENOEXEC);
	ck_assert_int_eq(
		loader_parse_segments(&header, file.phdrs, 0, LOADER_PROGRAM, &image), -ENOEXEC);
}
END_TEST

START_TEST(test_interpreter_path)
{
	begin_program(LINUX_ET_DYN, 0);
	add_header(LINUX_PT_INTERP, LINUX_PF_R, 0x318, 0x318, 8, 8);
	add_header(LINUX_PT_INTERP, LINUX_PF_R, 0x400, 0x400, 9, 9);
	ck_assert_int_eq(parse(), 0);
	ck_assert(image.has_interpreter);
	ck_assert_uint_eq(image.interpreter_offset, 0x318);
	ck_assert_uint_eq(image.interpreter_size, 8);
	ck_assert_int_eq(loader_check_interpreter(&image, "/lib/ld", 8), 0);
	ck_assert_int_eq(loader_check_interpreter(&image, "/lib/ld", 7), -EIO);
	ck_assert_int_eq(loader_check_interpreter(&image, "/lib/ld0", 8), -ENOEXEC);
	file.phdrs[2].p_filesz = 1;
	ck_assert_int_eq(parse(), -ENOEXEC);
	file.phdrs[2].p_filesz = 0;
	ck_assert_int_eq(parse(), -ENOEXEC);
	file.phdrs[2].p_filesz = 4097;
	ck_assert_int_eq(parse(), -ENOEXEC);
	file.phdrs[2].p_filesz = UINT64_MAX;
	ck_assert_int_eq(parse(), -ENOEXEC);
	file.phdrs[2].p_filesz = 4096;
	file.phdrs[2].p_offset = UINT64_MAX - 10;
	ck_assert_int_eq(parse(), -EIO);
}
END_TEST

START_TEST(test_late_errors)
{
	ck_assert_int_eq(late_error(0, 0x400000, 0x1000, 0x1000), 0);
	/* More in the file than in memory. */
	ck_assert_int_eq(late_error(0, 0x400000, 0x1000, 0xfff), -EINVAL);
	/* Address and offset that no page can have at once. */
	ck_assert_int_eq(late_error(1, 0x400000, 0x1000, 0x1000), -EINVAL);
	ck_assert_int_eq(late_error(0, 0x400010, 0x1000, 0x1000), -EINVAL);
	ck_assert_int_eq(late_error(7, 0x400010, 0, 0x1000), 0);
	/* Outside, around, and over the end. */
	ck_assert_int_eq(late_error(0, LINUX_TASK_SIZE, 0x1000, 0x1000), -EINVAL);
	ck_assert_int_eq(late_error(0, UINT64_MAX - 0xfff, 0x1000, 0x1000), -EINVAL);
	ck_assert_int_eq(late_error(0, 0x400000, 0, UINT64_MAX), -ENOMEM);
	ck_assert_int_eq(late_error(0, 0x400000, UINT64_MAX, UINT64_MAX), -ENOMEM);
	ck_assert_int_eq(late_error(0, 0x400000, 0, LINUX_TASK_SIZE), -EINVAL);
	ck_assert_int_eq(late_error(0, 0x400000, 0, LINUX_TASK_SIZE - 0x400000), 0);
	ck_assert_int_eq(late_error(UINT64_MAX & ~0xfffULL, 0x400000, 0x1000, 0x1000), -EINVAL);
}
END_TEST

START_TEST(test_placement_errors)
{
	/* In front of and behind what guests may have. */
	ck_assert_int_eq(late_error(0, 0x1000, 0x1000, 0x1000), 0);
	ck_assert_int_eq(loader_check_placement(&image, 0, &limits), -EPERM);
	ck_assert_int_eq(late_error(0, limits.max - 0x1000, 0x1000, 0x1000), 0);
	ck_assert_int_eq(loader_check_placement(&image, 0, &limits), 0);
	ck_assert_int_eq(loader_check_placement(&image, 0x1000, &limits), -ENOMEM);
	ck_assert_int_eq(late_error(0, limits.max - 0x1000, 0x1000, 0x1001), 0);
	ck_assert_int_eq(loader_check_placement(&image, 0, &limits), -ENOMEM);
	/*
	 * An entry outside of everything is the guest's own trouble, unless it is no address at
	 * all.
	 */
	begin_program(LINUX_ET_EXEC, 0x400000);
	file.ehdr.e_entry = 0x666000;
	ck_assert_int_eq(parse(), 0);
	ck_assert_int_eq(loader_check_placement(&image, 0, &limits), 0);
	file.ehdr.e_entry = LINUX_TASK_SIZE;
	ck_assert_int_eq(parse(), 0);
	ck_assert_int_eq(loader_check_placement(&image, 0, &limits), -EINVAL);
	/* A late error stays one. */
	(void)late_error(1, 0x400000, 0x1000, 0x1000);
	ck_assert_int_eq(loader_check_placement(&image, 0, &limits), -EINVAL);
}
END_TEST

START_TEST(test_odd_segments)
{
	/* None: Linux starts such a program, and it faults at once. */
	begin_file(LINUX_ET_EXEC);
	add_header(LINUX_PT_NOTE, 0, 0, 0, 0, 0);
	ck_assert_int_eq(parse(), 0);
	ck_assert_uint_eq(image.total_size, 0);
	ck_assert_int_eq(loader_check_placement(&image, 0, &limits), 0);
	/* On top of each other, in falling order. */
	begin_file(LINUX_ET_EXEC);
	add_header(LINUX_PT_LOAD, LINUX_PF_R, 0, 0x500000, 0x1000, 0x2000);
	add_header(LINUX_PT_LOAD, LINUX_PF_R, 0, 0x501000, 0x3000, 0x3000);
	add_header(LINUX_PT_LOAD, LINUX_PF_R, 0, 0x400000, 0x1000, 0x1000);
	ck_assert_int_eq(parse(), 0);
	ck_assert_uint_eq(image.min_address, 0x400000);
	ck_assert_uint_eq(image.total_size, 0x104000);
	/* Empty ones. */
	begin_file(LINUX_ET_DYN);
	add_header(LINUX_PT_LOAD, LINUX_PF_R, 0, 0, 0, 0);
	ck_assert_int_eq(parse(), 0);
	ck_assert_int_eq(image.late_error, -EINVAL);
	/* The program headers lie in no segment. */
	begin_program(LINUX_ET_EXEC, 0x400000);
	file.ehdr.e_phoff = UINT64_MAX;
	ck_assert_int_eq(parse(), 0);
	ck_assert_uint_eq(image.phdr_address, 0);
}
END_TEST

START_TEST(test_stack_flag)
{
	begin_program(LINUX_ET_EXEC, 0x400000);
	ck_assert_int_eq(parse(), 0);
	ck_assert(!image.executable_stack);
	add_header(LINUX_PT_GNU_STACK, LINUX_PF_R | LINUX_PF_X, 0, 0, 0, 0);
	ck_assert_int_eq(parse(), 0);
	ck_assert(image.executable_stack);
}
END_TEST

START_TEST(test_place)
{
	uint64_t bias;

	begin_program(LINUX_ET_EXEC, 0x400000);
	ck_assert_int_eq(parse(), 0);
	ck_assert(loader_place(&image, LOADER_PROGRAM, 12345, &bias));
	ck_assert_uint_eq(bias, 0);
	/* Linux without randomisation: 0x555555554000. */
	begin_program(LINUX_ET_DYN, 0);
	add_header(LINUX_PT_INTERP, LINUX_PF_R, 0x318, 0x318, 8, 8);
	ck_assert_int_eq(parse(), 0);
	ck_assert(loader_place(&image, LOADER_PROGRAM, 0, &bias));
	ck_assert_uint_eq(bias, 0x555555554000);
	ck_assert(loader_place(&image, LOADER_PROGRAM, 0xffffffff00000001, &bias));
	ck_assert_uint_eq(bias, 0x555555555000);
	ck_assert(loader_place(&image, LOADER_PROGRAM, UINT64_MAX, &bias));
	ck_assert_int_eq(loader_check_placement(&image, bias, &limits), 0);
	/* An alignment is kept; nonsense is not one. */
	file.phdrs[0].p_align = 0x200000;
	file.phdrs[1].p_align = 0x3000000;
	ck_assert_int_eq(parse(), 0);
	ck_assert_uint_eq(image.alignment, 0x200000);
	ck_assert(loader_place(&image, LOADER_PROGRAM, 1, &bias));
	ck_assert_uint_eq(bias, 0x555555400000);
}
END_TEST

START_TEST(test_place_anywhere)
{
	uint64_t bias;

	begin_program(LINUX_ET_DYN, 0x10000);
	ck_assert_int_eq(parse(), 0);
	ck_assert(!loader_place(&image, LOADER_PROGRAM, 1, &bias));
	ck_assert(!loader_place(&image, LOADER_INTERPRETER, 1, &bias));
	ck_assert_uint_eq(loader_span(&image), 0x7000);
	ck_assert_uint_eq(loader_bias_at(&image, 0x7f0000001000), 0x7f0000001000 - 0x10000);
	file.phdrs[0].p_align = 0x10000;
	ck_assert_int_eq(parse(), 0);
	ck_assert_uint_eq(loader_span(&image), 0x7000 + 0xf000);
	ck_assert_uint_eq(loader_bias_at(&image, 0x7f0000001000), 0x7f0000010000 - 0x10000);
	ck_assert_uint_eq(loader_bias_at(&image, 0x7f0000010000), 0x7f0000010000 - 0x10000);
	/* An interpreter that was linked to an address. */
	begin_program(LINUX_ET_EXEC, 0x400000);
	ck_assert_int_eq(parse_as(LOADER_INTERPRETER), 0);
	ck_assert(loader_place(&image, LOADER_INTERPRETER, 1, &bias));
	ck_assert_uint_eq(bias, 0);
}
END_TEST

START_TEST(test_layout)
{
	const uint64_t stack = 8 << 20;
	const struct loader_limits linux_limits = {0x10000, LINUX_TASK_SIZE};

	/* As a Linux without randomisation has it: /proc/self/maps under setarch -R. */
	ck_assert_uint_eq(loader_mmap_base(&linux_limits, stack, 0), 0x7ffff7fff000);
	ck_assert_uint_eq(loader_stack_top(&linux_limits, 0), 0x7ffffffff000);
	for (uint64_t random = 1; random; random <<= 1) {
		const uint64_t base = loader_mmap_base(&limits, stack, random);
		const uint64_t top = loader_stack_top(&limits, random);

		ck_assert_uint_eq(base & 0xfff, 0);
		ck_assert_uint_eq(top & 0xfff, 0);
		ck_assert_uint_lt(base + stack, top);
		ck_assert_uint_le(top, limits.max);
		ck_assert_uint_gt(base, limits.max / 2);
	}
	/* Stacks without a limit leave a sixth of the address space to mappings. */
	ck_assert_uint_ge(loader_mmap_base(&limits, UINT64_MAX, 0), limits.max / 6);
	ck_assert_uint_ge(loader_mmap_base(&limits, UINT64_MAX, UINT64_MAX), limits.max / 8);
}
END_TEST

START_TEST(test_heap_and_vdso)
{
	begin_program(LINUX_ET_EXEC, 0x400000);
	ck_assert_int_eq(parse(), 0);
	ck_assert_uint_eq(loader_brk_start(&image, 0, &limits, 0), 0x407000);
	ck_assert_uint_gt(loader_brk_start(&image, 0, &limits, 5), 0x407000);
	/* A loader's heap must not stand in the way of what it loads. */
	begin_program(LINUX_ET_DYN, 0);
	ck_assert_int_eq(parse(), 0);
	ck_assert_uint_eq(loader_brk_start(&image, 0x7f0000000000, &limits, 0), 0x555555555000);
	for (uint64_t random = 0; random < 1000; random++) {
		const uint64_t at =
			loader_vdso_hint(&limits, 0x7ffe00001000, 0x3000, random * 7919);

		ck_assert_uint_eq(at & 0xfff, 0);
		ck_assert_uint_ge(at, 0x7ffe00001000);
		ck_assert_uint_le(at + 0x3000, 0x7ffe00200000 + 0x200000);
	}
	/* No room above: mmap(2) will have to search. */
	ck_assert_uint_eq(loader_vdso_hint(&limits, limits.max, 0x3000, 1), limits.max);
}
END_TEST

/* This very program, as the kernel loaded it. */
START_TEST(test_own_file)
{
	static char bytes[65536];
	struct loader_header header;
	FILE *own = fopen("/proc/self/exe", "re");
	size_t size;

	ck_assert_ptr_nonnull(own);
	size = fread(bytes, 1, sizeof(bytes), own);
	(void)fclose(own);
	ck_assert_int_eq(loader_identify(bytes, size), LOADER_ELF);
	ck_assert_int_eq(loader_parse_header(bytes, size, LOADER_PROGRAM, &header), 0);
	ck_assert_uint_le(header.phdr_offset + header.phdr_size, size);
	ck_assert_int_eq(loader_parse_segments(&header, bytes + header.phdr_offset,
				 size - header.phdr_offset, LOADER_PROGRAM, &image),
		0);
	ck_assert_int_eq(image.late_error, 0);
	ck_assert_uint_ge(image.segment_count, 2);
	ck_assert(image.has_interpreter);
	ck_assert_int_eq(loader_check_interpreter(
				 &image, bytes + image.interpreter_offset, image.interpreter_size),
		0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("loader elf");
	TCase *tests = tcase_create("elf");
	SRunner *runner;
	int failed;

	tcase_add_test(tests, test_program);
	tcase_add_test(tests, test_plan);
	tcase_add_test(tests, test_plan_without_file);
	tcase_add_test(tests, test_header_errors);
	tcase_add_test(tests, test_interpreter_errors);
	tcase_add_test(tests, test_short_headers);
	tcase_add_test(tests, test_interpreter_path);
	tcase_add_test(tests, test_late_errors);
	tcase_add_test(tests, test_placement_errors);
	tcase_add_test(tests, test_odd_segments);
	tcase_add_test(tests, test_stack_flag);
	tcase_add_test(tests, test_place);
	tcase_add_test(tests, test_place_anywhere);
	tcase_add_test(tests, test_layout);
	tcase_add_test(tests, test_heap_and_vdso);
	tcase_add_test(tests, test_own_file);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
