/* SPDX-License-Identifier: Apache-2.0 */
/* The #! line, as binfmt_script reads it, and telling formats apart. */
#include "loader/loader.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct loader_script script;

static int parse(const char *line)
{
	return loader_parse_script(line, strlen(line), &script);
}

/* A line of exactly size bytes, made of text and then fill. */
static int parse_filled(const char *text, char fill, size_t size)
{
	char line[1024];

	memset(line, fill, sizeof(line));
	memcpy(line, text, strlen(text));
	return loader_parse_script(line, size, &script);
}

START_TEST(test_identify)
{
	ck_assert_int_eq(loader_identify("\177ELF", 4), LOADER_ELF);
	ck_assert_int_eq(loader_identify("\177ELF", 3), LOADER_NEITHER);
	ck_assert_int_eq(loader_identify("#!", 2), LOADER_SCRIPT);
	ck_assert_int_eq(loader_identify("#", 1), LOADER_NEITHER);
	ck_assert_int_eq(loader_identify("", 0), LOADER_NEITHER);
	ck_assert_int_eq(loader_identify("echo", 4), LOADER_NEITHER);
}
END_TEST

START_TEST(test_plain)
{
	ck_assert_int_eq(parse("#!/bin/sh\necho\n"), 0);
	ck_assert_str_eq(script.interpreter, "/bin/sh");
	ck_assert(!script.has_argument);
	ck_assert_int_eq(parse("#!/bin/sh"), 0);
	ck_assert_str_eq(script.interpreter, "/bin/sh");
	ck_assert(!script.has_argument || !script.argument[0]);
	ck_assert_int_eq(parse("#! \t/bin/sh\t \nx"), 0);
	ck_assert_str_eq(script.interpreter, "/bin/sh");
	ck_assert(!script.has_argument);
}
END_TEST

START_TEST(test_argument)
{
	ck_assert_int_eq(parse("#!/usr/bin/env -S python3 -u  \nx"), 0);
	ck_assert_str_eq(script.interpreter, "/usr/bin/env");
	ck_assert(script.has_argument);
	ck_assert_str_eq(script.argument, "-S python3 -u");
	ck_assert_int_eq(parse("#! /bin/sh \t -e\n"), 0);
	ck_assert_str_eq(script.argument, "-e");
	/* Carriage returns are no blanks: the classic mistake stays one. */
	ck_assert_int_eq(parse("#!/bin/sh\r\n"), 0);
	ck_assert_str_eq(script.interpreter, "/bin/sh\r");
}
END_TEST

START_TEST(test_nothing_named)
{
	ck_assert_int_eq(parse("#!\n/bin/sh"), -ENOEXEC);
	ck_assert_int_eq(parse("#!  \t \n/bin/sh"), -ENOEXEC);
	ck_assert_int_eq(parse("#"), -ENOEXEC);
	ck_assert_int_eq(parse(""), -ENOEXEC);
	ck_assert_int_eq(parse("x!/bin/sh\n"), -ENOEXEC);
	ck_assert_int_eq(parse_filled("#!", ' ', 300), -ENOEXEC);
	/* Linux tries to run "" here, which does not exist. */
	ck_assert_int_eq(parse("#!"), 0);
	ck_assert_str_eq(script.interpreter, "");
}
END_TEST

START_TEST(test_cut_off)
{
	/* A path without an end in the first 256 bytes. */
	ck_assert_int_eq(parse_filled("#!/", 'a', 1000), -ENOEXEC);
	ck_assert_int_eq(parse_filled("#!/", 'a', 256), -ENOEXEC);
	/* It ends with the file: a zero byte follows. */
	ck_assert_int_eq(parse_filled("#!/", 'a', 255), 0);
	ck_assert_uint_eq(strlen(script.interpreter), 253);
	/* An argument may be cut off: 255 bytes are left of the line. */
	ck_assert_int_eq(parse_filled("#!/bin/sh ", 'a', 1000), 0);
	ck_assert_str_eq(script.interpreter, "/bin/sh");
	ck_assert_uint_eq(strlen(script.argument), 255 - 10);
	/* The newline in the very last byte counts, one later does not. */
	ck_assert_int_eq(parse_filled("#!/", 'a', 256), -ENOEXEC);
}
END_TEST

START_TEST(test_newline_at_the_edge)
{
	char line[300];

	memset(line, 'a', sizeof(line));
	memcpy(line, "#!/", 3);
	line[255] = '\n';
	ck_assert_int_eq(loader_parse_script(line, sizeof(line), &script), 0);
	ck_assert_uint_eq(strlen(script.interpreter), 253);
	line[255] = 'a';
	line[256] = '\n';
	ck_assert_int_eq(loader_parse_script(line, sizeof(line), &script), -ENOEXEC);
	/* A zero byte ends the search for a newline, and the path. */
	line[100] = '\0';
	line[255] = '\n';
	ck_assert_int_eq(loader_parse_script(line, sizeof(line), &script), 0);
	ck_assert_uint_eq(strlen(script.interpreter), 98);
	ck_assert(!script.has_argument);
}
END_TEST

START_TEST(test_empty_argument)
{
	/* A blank before the end of the file: Linux passes an empty argument on. */
	ck_assert_int_eq(parse("#!/bin/sh "), 0);
	ck_assert_str_eq(script.interpreter, "/bin/sh");
	ck_assert(script.has_argument);
	ck_assert_str_eq(script.argument, "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("loader script");
	TCase *tests = tcase_create("script");
	SRunner *runner;
	int failed;

	tcase_add_test(tests, test_identify);
	tcase_add_test(tests, test_plain);
	tcase_add_test(tests, test_argument);
	tcase_add_test(tests, test_nothing_named);
	tcase_add_test(tests, test_cut_off);
	tcase_add_test(tests, test_newline_at_the_edge);
	tcase_add_test(tests, test_empty_argument);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
