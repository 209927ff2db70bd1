/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds the loader hostile files. The input is the beginning of a file, which is read as a program
 * and as an interpreter; what the loader then plans must lie within the address space.
 */
#include "abi/elf.h"
#include "base/compiler.h"
#include "loader/loader.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct loader_limits limits = {0x10000, 0x7ffff0000000};

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void try_script(const uint8_t *data, size_t size)
{
	struct loader_script script;

	if (loader_parse_script(data, size, &script) < 0)
		return;
	require(strlen(script.interpreter) < sizeof(script.interpreter));
	require(strlen(script.argument) < sizeof(script.argument));
	require(script.has_argument || !script.argument[0]);
}

static void require_range(uint64_t address, uint64_t length)
{
	require(address % PAGE_SIZE == 0 && length % PAGE_SIZE == 0);
	if (length)
		require(address >= limits.min && address < limits.max &&
			length <= limits.max - address);
}

static void try_plan(const struct loader_image *image, uint64_t bias)
{
	for (size_t i = 0; i < image->segment_count; i++) {
		struct loader_mapping mapping;

		loader_plan_segment(&image->segments[i], bias, &mapping);
		require_range(mapping.address, mapping.length);
		require_range(mapping.anonymous_address, mapping.anonymous_length);
		require(mapping.file_offset % PAGE_SIZE == 0);
		require(mapping.file_offset + mapping.length >= mapping.file_offset);
		require(mapping.zero_length < PAGE_SIZE);
		if (mapping.zero_length)
			require(mapping.zero_start >= mapping.address &&
				mapping.zero_start + mapping.zero_length ==
					mapping.address + mapping.length);
	}
}

static void try_elf(const uint8_t *data, size_t size, enum loader_role role, uint64_t random)
{
	struct loader_header header;
	struct loader_image image;
	const uint8_t *phdrs = NULL;
	size_t phdrs_size = 0;
	uint64_t bias;

	if (loader_parse_header(data, min_u64(size, PAGE_SIZE), role, &header) < 0)
		return;
	require(header.phdr_size <= LOADER_PHDR_MAX);
	if (header.phdr_offset < size) {
		phdrs = data + header.phdr_offset;
		phdrs_size = size - header.phdr_offset;
	}
	if (loader_parse_segments(&header, phdrs, phdrs_size, role, &image) < 0)
		return;
	if (image.has_interpreter && image.interpreter_offset < size)
		(void)loader_check_interpreter(&image,
			(const char *)data + image.interpreter_offset,
			size - image.interpreter_offset);
	if (!loader_place(&image, role, random, &bias))
		bias = loader_bias_at(&image, loader_mmap_base(&limits, 8 << 20, random) -
						      page_ceil(loader_span(&image)));
	if (loader_check_placement(&image, bias, &limits) == 0)
		try_plan(&image, bias);
	try_libraries(data, size, &image);
	require(loader_brk_start(&image, bias, &limits, random) % PAGE_SIZE == 0);
	loader_image_free(&image);
}

/* Where the libraries are that a file needs. */
static void try_libraries(const uint8_t *data, size_t size, const struct loader_image *image)
{
	struct loader_dynamic dynamic;
	size_t rest = image->dynamic_offset < size ? size - image->dynamic_offset : 0;

	if (loader_parse_dynamic(image, data + (rest ? image->dynamic_offset : 0),
		    min_u64(rest, image->dynamic_size), &dynamic) < 0)
		return;
	require(dynamic.needed_count <= LOADER_DYNAMIC_MAX);
	loader_dynamic_free(&dynamic);
}

static void try_cache(const uint8_t *data, size_t size)
{
	size_t position = 0;
	const char *path;

	while ((path = loader_library_cache_next(data, size, "libc.so.6", &position)))
		require(path >= (const char *)data &&
			path + strlen(path) < (const char *)data + size);
}

/* The input's lines become arguments. */
static void try_stack(const uint8_t *data, size_t size, uint64_t random)
{
	struct loader_arguments arguments;
	struct loader_stack_request request = {.stack_top = 0x7ffffffde000, .random = random};
	const struct loader_script script = {.interpreter = "/bin/sh", .has_argument = random & 1};
	struct loader_stack stack;
	int error = loader_arguments_init(&arguments, random, size, 0, "/program");

	if (error)
		return;
	while (size && !error) {
		const uint8_t *end = memchr(data, '\n', size);
		const size_t length = end ? (size_t)(end - data) : size;

		error = loader_arguments_add(&arguments,
			length % 2 ? &arguments.argv : &arguments.envp, (const char *)data,
			strnlen((const char *)data, length));
		data += length;
		size -= length;
		if (size) {
			data++;
			size--;
		}
	}
	if (!error)
		error = loader_arguments_script(&arguments, &script, "/script");
	request.arguments = &arguments;
	if (!error && loader_build_stack(&request, &stack) == 0) {
		require(stack.stack_pointer % 16 == 0);
		require(stack.stack_pointer + stack.size == request.stack_top);
		require(*(const uint64_t *)stack.bytes == arguments.argv.count);
		loader_stack_free(&stack);
	}
	loader_arguments_free(&arguments);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t random = 0;

	if (size)
		memcpy(&random, data, min_u64(size, sizeof(random)));
	random *= 0x9e3779b97f4a7c15;
	(void)loader_identify(data, size);
	try_script(data, size);
	try_cache(data, size);
	try_elf(data, size, LOADER_PROGRAM, random);
	try_elf(data, size, LOADER_INTERPRETER, random);
	try_stack(data, size, random);
	return 0;
}
