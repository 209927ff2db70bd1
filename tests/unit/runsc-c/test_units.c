/* SPDX-License-Identifier: Apache-2.0 */
/* Amounts as people type them. */
#include "runsc-c/units.h"

#include <check.h>
#include <stdlib.h>

struct sample {
	const char *text;
	uint64_t value; /* 0: it is none */
};

#define KIB    1024ul
#define SECOND 1000000000ul

static const struct sample sizes[] = {{"1", 1}, {"4096", 4096}, {"512K", 512 * KIB},
	{"512k", 512 * KIB}, {"512KiB", 512 * KIB}, {"512kb", 512 * KIB}, {"64M", 64 * KIB *KIB},
	{"1.5G", 3 * KIB *KIB *KIB / 2}, {".5K", 512}, {"0.1K", 102},
	{"2T", 2 * KIB *KIB *KIB *KIB}, {"100b", 100}, {"0", 0}, {"0K", 0}, {"", 0}, {"K", 0},
	{".", 0}, {"1.", 0}, {"1..5", 0}, {"-1", 0}, {"+1", 0}, {" 1", 0}, {"1 ", 0}, {"1 K", 0},
	{"1e3", 0}, {"0x10", 0}, {"1KK", 0}, {"1K1", 0}, {"1s", 0}, {"nan", 0}, {"inf", 0},
	{"4194304T", 0}, {"99999999999999999999", 0},
	{"1234567890123456789012345678901234567890", 0}, {"0.0000001", 0}, {"1,5G", 0},
	{"\xff", 0}};

static const struct sample durations[] = {{"90", 90 * SECOND}, {"90s", 90 * SECOND},
	{"5m", 300 * SECOND}, {"5min", 300 * SECOND}, {"1.5h", 5400 * SECOND},
	{"1d", 86400 * SECOND}, {"250ms", SECOND / 4}, {"10us", 10000}, {"7ns", 7},
	{"1m30s", 90 * SECOND}, {"1h2m3.5s", 3723 * SECOND + SECOND / 2}, {"0.5", SECOND / 2},
	{"1M", 60 * SECOND}, {"0", 0}, {"", 0}, {"1m30", 90 * SECOND}, {"5 m", 0}, {"m5", 0},
	{"5parsecs", 0}, {"-5s", 0}, {"1e9", 0}, {"200000d", 0}};

static const struct sample thousandths[] = {{"1", 1000}, {"0.5", 500}, {"2.25", 2250}, {"0.001", 1},
	{"0.0001", 0}, {"0", 0}, {"x", 0}, {"1x", 0}, {"", 0}, {"-1", 0}};

static const struct sample counts[] = {{"1", 1}, {"64", 64}, {"1000000", 1000000}, {"0", 0},
	{"1.5", 0}, {"-1", 0}, {"1K", 0}, {"", 0}, {"ten", 0}, {"99999999999999999999999", 0}};

static void check(bool (*parse)(const char *text, uint64_t *value), const struct sample *samples,
	size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t value = 0;
		bool good = parse(samples[i].text, &value);

		ck_assert_msg(good == (samples[i].value != 0), "\"%s\": %d", samples[i].text, good);
		if (good)
			ck_assert_msg(
				value == samples[i].value, "\"%s\": %lu", samples[i].text, value);
	}
}

START_TEST(test_sizes)
{
	check(units_parse_size, sizes, array_count(sizes));
}
END_TEST

START_TEST(test_durations)
{
	check(units_parse_duration, durations, array_count(durations));
}
END_TEST

START_TEST(test_thousandths)
{
	check(units_parse_thousandths, thousandths, array_count(thousandths));
}
END_TEST

START_TEST(test_counts)
{
	check(units_parse_count, counts, array_count(counts));
}
END_TEST

/* What is shown can be typed, and is the same. */
START_TEST(test_round_trips)
{
	static const uint64_t values[] = {
		1, 1000, 1024, 1536, 4096, 1ul << 20, 3ul << 29, 5ul << 40};
	static const uint64_t times[] = {
		SECOND, SECOND / 4, 90 * SECOND, 5400 * SECOND, 86400 * SECOND};
	char text[64];
	uint64_t value;

	for (size_t i = 0; i < array_count(values); i++) {
		units_format_size(values[i], text, sizeof(text));
		ck_assert_msg(units_parse_size(text, &value) && value == values[i], "%s", text);
	}
	for (size_t i = 0; i < array_count(times); i++) {
		units_format_duration(times[i], text, sizeof(text));
		ck_assert_msg(units_parse_duration(text, &value) && value == times[i], "%s", text);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("runsc-c/units");
	TCase *tcase = tcase_create("units");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, test_sizes);
	tcase_add_test(tcase, test_durations);
	tcase_add_test(tcase, test_thousandths);
	tcase_add_test(tcase, test_counts);
	tcase_add_test(tcase, test_round_trips);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
