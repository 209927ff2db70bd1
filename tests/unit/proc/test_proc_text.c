/* SPDX-License-Identifier: Apache-2.0 */
/* How proc reads and writes numbers, names and sets of processors. */
#include "sentry/fs/proc/proc_fs.h"
#include "sentry/fs/proc/processor_list.h"
#include "sentry/fs/proc/task_summary.h"
#include "sentry/kernel/scheduling.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct text_writer out;

static void setup(void)
{
	out = (struct text_writer){0};
}

static void teardown(void)
{
	text_writer_free(&out);
	scheduling_set_processors(0);
}

static void set_of(cpu_set_t *set, const int *numbers, size_t count)
{
	CPU_ZERO(set);
	for (size_t i = 0; i < count; i++)
		CPU_SET(numbers[i], set);
}

static const char *list_of(const int *numbers, size_t count)
{
	cpu_set_t set;

	text_writer_free(&out);
	set_of(&set, numbers, count);
	processor_set_show_list(&set, &out);
	return out.text ? out.text : "";
}

START_TEST(test_list)
{
	ck_assert_str_eq(list_of(NULL, 0), "");
	ck_assert_str_eq(list_of((const int[]){0}, 1), "0");
	ck_assert_str_eq(list_of((const int[]){0, 1}, 2), "0-1");
	ck_assert_str_eq(list_of((const int[]){0, 1, 2, 5, 7, 8, 1023}, 7), "0-2,5,7-8,1023");
}
END_TEST

static const char *mask_of(int processors, const int *numbers, size_t count)
{
	cpu_set_t set;

	text_writer_free(&out);
	scheduling_set_processors(processors);
	set_of(&set, numbers, count);
	processor_set_show_mask(&set, &out);
	return out.text;
}

START_TEST(test_mask)
{
	ck_assert_str_eq(mask_of(1, (const int[]){0}, 1), "1");
	ck_assert_str_eq(mask_of(2, (const int[]){0, 1}, 2), "3");
	ck_assert_str_eq(mask_of(5, (const int[]){1}, 1), "02");
	ck_assert_str_eq(mask_of(32, (const int[]){31}, 1), "80000000");
	ck_assert_str_eq(mask_of(33, (const int[]){0, 32}, 2), "1,00000001");
	ck_assert_str_eq(mask_of(64, (const int[]){4}, 1), "00000000,00000010");
}
END_TEST

START_TEST(test_process_numbers)
{
	ck_assert_int_eq(proc_parse_number("0"), 0);
	ck_assert_int_eq(proc_parse_number("1"), 1);
	ck_assert_int_eq(proc_parse_number("32767"), 32767);
	ck_assert_int_eq(proc_parse_number(""), -1);
	ck_assert_int_eq(proc_parse_number("01"), -1);
	ck_assert_int_eq(proc_parse_number("-1"), -1);
	ck_assert_int_eq(proc_parse_number("+1"), -1);
	ck_assert_int_eq(proc_parse_number(" 1"), -1);
	ck_assert_int_eq(proc_parse_number("1x"), -1);
	ck_assert_int_eq(proc_parse_number("2147483647"), -1);
	ck_assert_int_eq(proc_parse_number("99999999999999999999999"), -1);
}
END_TEST

START_TEST(test_integers)
{
	int64_t value;

	ck_assert_int_eq(proc_parse_integer("5\n", 0, 10, &value), 0);
	ck_assert_int_eq(value, 5);
	ck_assert_int_eq(proc_parse_integer(" -5 \n", -10, 10, &value), 0);
	ck_assert_int_eq(value, -5);
	ck_assert_int_eq(proc_parse_integer("0x10", 0, 100, &value), 0);
	ck_assert_int_eq(value, 16);
	ck_assert_int_eq(proc_parse_integer("", 0, 10, &value), -EINVAL);
	ck_assert_int_eq(proc_parse_integer("\n", 0, 10, &value), -EINVAL);
	ck_assert_int_eq(proc_parse_integer("5x", 0, 10, &value), -EINVAL);
	ck_assert_int_eq(proc_parse_integer("5 6", 0, 10, &value), -EINVAL);
	ck_assert_int_eq(proc_parse_integer("11", 0, 10, &value), -EINVAL);
	ck_assert_int_eq(proc_parse_integer("-1", 0, 10, &value), -EINVAL);
	ck_assert_int_eq(
		proc_parse_integer("99999999999999999999", INT64_MIN, INT64_MAX, &value), -EINVAL);
}
END_TEST

START_TEST(test_names)
{
	proc_escape_name(&out, "plain (name)");
	proc_escape_name(&out, "a\nb\\c\td");
	ck_assert_str_eq(out.text, "plain (name)a\\nb\\\\c\td");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("proc text");
	TCase *tests = tcase_create("proc text");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_list);
	tcase_add_test(tests, test_mask);
	tcase_add_test(tests, test_process_numbers);
	tcase_add_test(tests, test_integers);
	tcase_add_test(tests, test_names);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
