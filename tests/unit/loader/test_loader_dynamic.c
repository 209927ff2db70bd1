/* SPDX-License-Identifier: Apache-2.0 */
/* Dynamic sections and ld.so's cache, good and hostile. */
#include "abi/elf.h"
#include "loader/loader.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Data at 0x1000 in the file and at 0x5000 in memory. */
static struct loader_segment segment = {
	.address = 0x5000, .file_offset = 0x1000, .file_size = 0x800, .memory_size = 0x2000};
static const struct loader_image image = {.segments = &segment, .segment_count = 1};

START_TEST(test_names)
{
	const struct linux_elf64_dyn section[] = {
		{LINUX_DT_NEEDED, 1},
		{LINUX_DT_RUNPATH, 30},
		{LINUX_DT_STRTAB, 0x5100},
		{LINUX_DT_RPATH, 40},
		{LINUX_DT_NEEDED, 11},
		{LINUX_DT_NULL, 0},
		{LINUX_DT_NEEDED, 21},
	};
	struct loader_dynamic dynamic;

	ck_assert_int_eq(loader_parse_dynamic(&image, section, sizeof(section), &dynamic), 0);
	ck_assert_uint_eq(dynamic.needed_count, 2);
	ck_assert_uint_eq(dynamic.needed[0], 0x1101);
	ck_assert_uint_eq(dynamic.needed[1], 0x110b);
	ck_assert_uint_eq(dynamic.runpath, 0x111e);
	ck_assert_uint_eq(dynamic.rpath, 0x1128);
	loader_dynamic_free(&dynamic);
	/* Cut off in the middle of an entry, what is whole counts. */
	ck_assert_int_eq(loader_parse_dynamic(&image, section, 4 * 16 + 9, &dynamic), 0);
	ck_assert_uint_eq(dynamic.needed_count, 1);
	loader_dynamic_free(&dynamic);
}
END_TEST

START_TEST(test_hostile_section)
{
	struct linux_elf64_dyn section[] = {
		{LINUX_DT_NEEDED, UINT64_MAX}, {LINUX_DT_STRTAB, 0x5000}};
	struct linux_elf64_dyn *large;
	struct loader_dynamic dynamic;

	ck_assert_int_eq(loader_parse_dynamic(&image, section, 0, &dynamic), 0);
	ck_assert_uint_eq(dynamic.needed_count, 0);
	loader_dynamic_free(&dynamic);
	ck_assert_int_eq(loader_parse_dynamic(&image, section, sizeof(section), &dynamic), 0);
	ck_assert_uint_eq(dynamic.needed_count, 1);
	loader_dynamic_free(&dynamic);
	/* Strings before, behind and beyond what the file has of the segment. */
	for (size_t i = 0; i < 4; i++) {
		static const uint64_t addresses[] = {0x4fff, 0x5800, UINT64_MAX, 0};

		section[1].d_val = addresses[i];
		ck_assert_int_eq(
			loader_parse_dynamic(&image, section, sizeof(section), &dynamic), -ENOEXEC);
	}
	large = calloc(LOADER_DYNAMIC_MAX + 10, sizeof(*large));
	ck_assert_ptr_nonnull(large);
	for (size_t i = 0; i < LOADER_DYNAMIC_MAX + 10; i++)
		large[i].d_tag = i ? LINUX_DT_NEEDED : LINUX_DT_STRTAB;
	large[0].d_val = 0x5000;
	ck_assert_int_eq(loader_parse_dynamic(&image, large,
				 (LOADER_DYNAMIC_MAX + 10) * sizeof(*large), &dynamic),
		0);
	ck_assert_uint_eq(dynamic.needed_count, LOADER_DYNAMIC_MAX - 1);
	loader_dynamic_free(&dynamic);
	free(large);
}
END_TEST

/* --- /etc/ld.so.cache --- */

#define STRINGS (48 + 4 * 24)

static struct {
	struct {
		char magic[20];
		uint32_t count, string_size, rest[5];
	} header;
	struct {
		int32_t flags;
		uint32_t name, path, os_version, hwcap[2];
	} entries[4];
	char strings[64];
} cache;

static void begin_cache(void)
{
	static const char strings[] = "liba.so\0/lib/liba.so\0/opt/v3/liba.so\0libb.so";

	memset(&cache, 0, sizeof(cache));
	memcpy(cache.header.magic, "glibc-ld.so.cache1.1", 20);
	cache.header.count = 4;
	memcpy(cache.strings, strings, sizeof(strings));
	for (size_t i = 0; i < 4; i++) {
		cache.entries[i].flags = 0x303;
		cache.entries[i].name = STRINGS;
		cache.entries[i].path = STRINGS + 8;
	}
	cache.entries[0].name = STRINGS + 37; /* libb.so */
	cache.entries[1].flags = 0x3;	      /* of 32 bits */
	cache.entries[2].path = STRINGS + 21;
}

START_TEST(test_cache)
{
	size_t position = 0;

	begin_cache();
	ck_assert_str_eq(loader_library_cache_next(&cache, sizeof(cache), "liba.so", &position),
		"/opt/v3/liba.so");
	ck_assert_str_eq(loader_library_cache_next(&cache, sizeof(cache), "liba.so", &position),
		"/lib/liba.so");
	ck_assert_ptr_null(loader_library_cache_next(&cache, sizeof(cache), "liba.so", &position));
	position = 0;
	ck_assert_ptr_nonnull(
		loader_library_cache_next(&cache, sizeof(cache), "libb.so", &position));
	position = 0;
	ck_assert_ptr_null(loader_library_cache_next(&cache, sizeof(cache), "libc.so", &position));
}
END_TEST

START_TEST(test_hostile_cache)
{
	begin_cache();
	cache.header.count = UINT32_MAX;
	memset(cache.strings, 'x', sizeof(cache.strings));
	cache.entries[3].name = UINT32_MAX;
	cache.entries[2].path = sizeof(cache) - 1;
	for (size_t size = 0; size <= sizeof(cache); size++) {
		size_t position = 0;
		char *exact = malloc(size + 1); /* so that a sanitizer sees a byte too many */

		ck_assert_ptr_nonnull(exact);
		memcpy(exact, &cache, size);
		ck_assert_ptr_null(loader_library_cache_next(exact, size, "liba.so", &position));
		free(exact);
	}
	begin_cache();
	cache.header.magic[0] = 'G';
	ck_assert_ptr_null(
		loader_library_cache_next(&cache, sizeof(cache), "liba.so", &(size_t){0}));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("loader dynamic");
	TCase *tcase = tcase_create("loader dynamic");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, test_names);
	tcase_add_test(tcase, test_hostile_section);
	tcase_add_test(tcase, test_cache);
	tcase_add_test(tcase, test_hostile_cache);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
