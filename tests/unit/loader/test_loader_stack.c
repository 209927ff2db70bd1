/* SPDX-License-Identifier: Apache-2.0 */
/* argv, envp and the stack that a program starts on. */
#include "abi/elf.h"
#include "loader/loader.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STACK_TOP    0x7ffffffde000ull
#define STACK_RLIMIT (8ull << 20)

static struct loader_arguments arguments;

static int add(struct loader_strings *strings, const char *string)
{
	return loader_arguments_add(&arguments, strings, string, strlen(string));
}

static void begin(size_t argc, size_t envc)
{
	loader_arguments_free(&arguments);
	ck_assert_int_eq(
		loader_arguments_init(&arguments, STACK_RLIMIT, argc, envc, "/bin/program"), 0);
}

/* The stack as its program sees it. */
static struct loader_stack stack;

static const void *at(uint64_t address)
{
	ck_assert_uint_ge(address, stack.stack_pointer);
	ck_assert_uint_lt(address, stack.stack_pointer + stack.size);
	return stack.bytes + (address - stack.stack_pointer);
}

static const char *string_at(uint64_t address)
{
	return at(address);
}

static void build(uint64_t random)
{
	const struct loader_stack_request request = {
		.arguments = &arguments,
		.stack_top = STACK_TOP,
		.random = random,
		.random_bytes = "0123456789abcdef",
		.hwcap = 0x1f8bfbff,
		.hwcap2 = 2,
		.phdr_address = 0x400040,
		.phdr_count = 13,
		.interpreter_base = 0x7f0000000000,
		.entry = 0x401000,
		.vdso = 0x7fff00000000,
		.minsigstksz = 3632,
		.uid = 1,
		.euid = 2,
		.gid = 3,
		.egid = 4,
		.secure = true,
	};

	loader_stack_free(&stack);
	ck_assert_int_eq(loader_build_stack(&request, &stack), 0);
	ck_assert_uint_eq(stack.stack_pointer % 16, 0);
	ck_assert_uint_eq(stack.stack_pointer + stack.size, STACK_TOP);
}

static uint64_t auxv_value(uint64_t type)
{
	const struct linux_auxv *auxv = at(stack.auxv);

	for (size_t i = 0; i < stack.auxv_size / sizeof(*auxv); i++)
		if (auxv[i].a_type == type)
			return auxv[i].a_val;
	ck_abort_msg("no entry of type %llu", (unsigned long long)type);
	return 0;
}

START_TEST(test_strings_and_pointers)
{
	const uint64_t *words;

	begin(2, 1);
	ck_assert_int_eq(add(&arguments.argv, "program"), 0);
	ck_assert_int_eq(add(&arguments.argv, "an argument"), 0);
	ck_assert_int_eq(add(&arguments.envp, "HOME=/"), 0);
	build(0);
	words = at(stack.stack_pointer);
	ck_assert_uint_eq(words[0], 2);
	ck_assert_str_eq(string_at(words[1]), "program");
	ck_assert_str_eq(string_at(words[2]), "an argument");
	ck_assert_uint_eq(words[3], 0);
	ck_assert_str_eq(string_at(words[4]), "HOME=/");
	ck_assert_uint_eq(words[5], 0);
	ck_assert_uint_eq(stack.auxv, stack.stack_pointer + 6 * 8);
	ck_assert_uint_eq(stack.arg_start, words[1]);
	ck_assert_uint_eq(
		stack.arg_end - stack.arg_start, sizeof("program") + sizeof("an argument"));
	ck_assert_uint_eq(stack.env_start, stack.arg_end);
	ck_assert_uint_eq(stack.env_end - stack.env_start, sizeof("HOME=/"));
	/* The path, and eight bytes of zero at the very top. */
	ck_assert_uint_eq(stack.env_end + sizeof("/bin/program") + 8, STACK_TOP);
}
END_TEST

START_TEST(test_auxv)
{
	begin(1, 0);
	ck_assert_int_eq(add(&arguments.argv, "program"), 0);
	build(0);
	ck_assert_uint_eq(auxv_value(LINUX_AT_SYSINFO_EHDR), 0x7fff00000000);
	ck_assert_uint_eq(auxv_value(LINUX_AT_PAGESZ), 4096);
	ck_assert_uint_eq(auxv_value(LINUX_AT_CLKTCK), 100);
	ck_assert_uint_eq(auxv_value(LINUX_AT_PHENT), 56);
	ck_assert_uint_eq(auxv_value(LINUX_AT_PHNUM), 13);
	ck_assert_uint_eq(auxv_value(LINUX_AT_PHDR), 0x400040);
	ck_assert_uint_eq(auxv_value(LINUX_AT_BASE), 0x7f0000000000);
	ck_assert_uint_eq(auxv_value(LINUX_AT_ENTRY), 0x401000);
	ck_assert_uint_eq(auxv_value(LINUX_AT_UID), 1);
	ck_assert_uint_eq(auxv_value(LINUX_AT_EGID), 4);
	ck_assert_uint_eq(auxv_value(LINUX_AT_SECURE), 1);
	ck_assert_uint_eq(auxv_value(LINUX_AT_RSEQ_FEATURE_SIZE), 28);
	ck_assert_uint_eq(auxv_value(LINUX_AT_RSEQ_ALIGN), 32);
	ck_assert_str_eq(string_at(auxv_value(LINUX_AT_EXECFN)), "/bin/program");
	ck_assert_str_eq(string_at(auxv_value(LINUX_AT_PLATFORM)), "x86_64");
	ck_assert_mem_eq(at(auxv_value(LINUX_AT_RANDOM)), "0123456789abcdef", 16);
	ck_assert_uint_eq(auxv_value(LINUX_AT_NULL), 0);
}
END_TEST

/* The host's own vector has the same entries in the same order, as far as it has them. */
START_TEST(test_auxv_order)
{
	struct linux_auxv host[64];
	const struct linux_auxv *ours;
	FILE *file = fopen("/proc/self/auxv", "re");
	size_t count, next = 0;

	ck_assert_ptr_nonnull(file);
	count = fread(host, sizeof(host[0]), 64, file);
	(void)fclose(file);
	begin(1, 0);
	ck_assert_int_eq(add(&arguments.argv, "program"), 0);
	build(0);
	ours = at(stack.auxv);
	for (size_t i = 0; i < count; i++) {
		const size_t ours_count = stack.auxv_size / sizeof(*ours);
		size_t j = next;

		while (j < ours_count && ours[j].a_type != host[i].a_type)
			j++;
		ck_assert_msg(j < ours_count, "entry of type %llu is missing or out of order",
			(unsigned long long)host[i].a_type);
		next = j + 1;
	}
}
END_TEST

START_TEST(test_alignment)
{
	char environment[64];

	for (size_t length = 0; length < 40; length++)
		for (uint64_t random = 0; random < 20000; random += 997) {
			memset(environment, 'x', length);
			environment[length] = '\0';
			begin(1, 1);
			ck_assert_int_eq(add(&arguments.argv, "program"), 0);
			ck_assert_int_eq(add(&arguments.envp, environment), 0);
			build(random);
			ck_assert_uint_le(stack.size, 8192 + 1024);
		}
}
END_TEST

START_TEST(test_no_arguments)
{
	const uint64_t *words;

	begin(0, 0);
	build(0);
	words = at(stack.stack_pointer);
	ck_assert_uint_eq(words[0], 1);
	ck_assert_str_eq(string_at(words[1]), "");
	ck_assert_uint_eq(words[2], 0);
	ck_assert_uint_eq(words[3], 0);
}
END_TEST

START_TEST(test_limits)
{
	static char big[LINUX_MAX_ARG_STRLEN + 1];
	struct loader_arguments other;
	int added = 0;

	memset(big, 'x', sizeof(big));
	begin(100, 0);
	ck_assert_int_eq(
		loader_arguments_add(&arguments, &arguments.argv, big, sizeof(big) - 1), -E2BIG);
	while (loader_arguments_add(&arguments, &arguments.argv, big, sizeof(big) - 2) == 0)
		added++;
	/* A quarter of 8 MiB. */
	ck_assert_int_eq(added, 15);
	/* Small stacks still give 128 KiB, endless ones 6 MiB. */
	ck_assert_int_eq(loader_arguments_init(&other, 4096, 1, 0, "/x"), 0);
	ck_assert_uint_eq(other.budget, 131072 - 8 - 3);
	loader_arguments_free(&other);
	ck_assert_int_eq(loader_arguments_init(&other, UINT64_MAX, 1, 0, "/x"), 0);
	ck_assert_uint_eq(other.budget, (6 << 20) - 8 - 3);
	loader_arguments_free(&other);
	/* Pointers alone may be too many. */
	ck_assert_int_eq(loader_arguments_init(&other, STACK_RLIMIT, 262144, 0, "/x"), -E2BIG);
	ck_assert_int_eq(loader_arguments_init(&other, STACK_RLIMIT, 0, SIZE_MAX, "/x"), -E2BIG);
	ck_assert_int_eq(
		loader_arguments_init(&other, STACK_RLIMIT, SIZE_MAX, SIZE_MAX, "/x"), -E2BIG);
	ck_assert_int_eq(loader_arguments_init(&other, STACK_RLIMIT, 200000, 0, "/x"), 0);
	loader_arguments_free(&other);
}
END_TEST

START_TEST(test_room_and_commit)
{
	char *room;

	begin(2, 0);
	ck_assert_int_eq(loader_arguments_room(&arguments, &arguments.argv, 4096, &room), 0);
	strcpy(room, "first");
	ck_assert_int_eq(loader_arguments_commit(&arguments, &arguments.argv, 5), 0);
	ck_assert_int_eq(
		loader_arguments_room(&arguments, &arguments.argv, LINUX_MAX_ARG_STRLEN, &room), 0);
	memset(room, 'y', LINUX_MAX_ARG_STRLEN - 1);
	ck_assert_int_eq(
		loader_arguments_commit(&arguments, &arguments.argv, LINUX_MAX_ARG_STRLEN - 1), 0);
	ck_assert_uint_eq(arguments.argv.count, 2);
	ck_assert_uint_eq(arguments.argv.size, 6 + LINUX_MAX_ARG_STRLEN);
	ck_assert_int_eq(
		loader_arguments_room(&arguments, &arguments.argv, LINUX_MAX_ARG_STRLEN + 1, &room),
		-E2BIG);
}
END_TEST

START_TEST(test_script)
{
	struct loader_script script = {
		.interpreter = "/bin/sh", .argument = "-e", .has_argument = true};
	const uint64_t *words;
	uint64_t budget;

	begin(2, 0);
	ck_assert_int_eq(add(&arguments.argv, "script-as-called"), 0);
	ck_assert_int_eq(add(&arguments.argv, "argument"), 0);
	budget = arguments.budget;
	ck_assert_int_eq(loader_arguments_script(&arguments, &script, "/home/script"), 0);
	ck_assert_uint_eq(arguments.budget, budget + sizeof("script-as-called") -
						    sizeof("/home/script") - sizeof("/bin/sh") -
						    sizeof("-e"));
	/* A script that is run by a script. */
	script = (struct loader_script){.interpreter = "/bin/env"};
	ck_assert_int_eq(loader_arguments_script(&arguments, &script, "/bin/sh"), 0);
	build(0);
	words = at(stack.stack_pointer);
	ck_assert_uint_eq(words[0], 5);
	ck_assert_str_eq(string_at(words[1]), "/bin/env");
	ck_assert_str_eq(string_at(words[2]), "/bin/sh");
	ck_assert_str_eq(string_at(words[3]), "-e");
	ck_assert_str_eq(string_at(words[4]), "/home/script");
	ck_assert_str_eq(string_at(words[5]), "argument");
	ck_assert_uint_eq(words[6], 0);
}
END_TEST

START_TEST(test_many)
{
	begin(100000, 50000);
	for (int i = 0; i < 100000; i++)
		ck_assert_int_eq(add(&arguments.argv, "a"), 0);
	for (int i = 0; i < 50000; i++)
		ck_assert_int_eq(add(&arguments.envp, "b"), 0);
	build(UINT64_MAX);
	ck_assert_uint_eq(*(const uint64_t *)at(stack.stack_pointer), 100000);
	ck_assert_uint_eq(auxv_value(LINUX_AT_PAGESZ), 4096);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("loader stack");
	TCase *tests = tcase_create("stack");
	SRunner *runner;
	int failed;

	tcase_add_test(tests, test_strings_and_pointers);
	tcase_add_test(tests, test_auxv);
	tcase_add_test(tests, test_auxv_order);
	tcase_add_test(tests, test_alignment);
	tcase_add_test(tests, test_no_arguments);
	tcase_add_test(tests, test_limits);
	tcase_add_test(tests, test_room_and_commit);
	tcase_add_test(tests, test_script);
	tcase_add_test(tests, test_many);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
