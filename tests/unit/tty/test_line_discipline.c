/* SPDX-License-Identifier: Apache-2.0 */
/* The line discipline, typed at and written to, against what termios(3) promises. */
#include "sentry/fs/devpts/line_discipline.h"

#include "abi/signal.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct line_discipline g_line;
static struct line_events g_events;

static void set_up(void)
{
	line_discipline_init(&g_line);
}

static size_t type(const char *text)
{
	return line_discipline_type(&g_line, (const uint8_t *)text, strlen(text), &g_events);
}

static const char *screen(void)
{
	static char text[LINE_OUTPUT_SIZE + 1];
	size_t size = line_discipline_peek_output(&g_line, (uint8_t *)text, LINE_OUTPUT_SIZE);

	line_discipline_drop_output(&g_line, size);
	text[size] = '\0';
	return text;
}

static const char *read_line(size_t size)
{
	static char text[LINE_INPUT_SIZE + 1];
	int64_t got = line_discipline_read(&g_line, (uint8_t *)text, size);

	if (got == -EAGAIN)
		return "(nothing)";
	text[got] = '\0';
	return text;
}

static void local_flags(uint32_t clear, uint32_t set)
{
	struct linux_termios2 termios = g_line.termios;

	termios.c_lflag = (termios.c_lflag & ~clear) | set;
	line_discipline_set_termios(&g_line, &termios);
}

START_TEST(a_line_is_read_when_it_is_complete)
{
	type("ab");
	ck_assert_str_eq(read_line(100), "(nothing)");
	type("c\r");
	ck_assert_str_eq(read_line(100), "abc\n");
	ck_assert_str_eq(screen(), "abc\r\n");
}
END_TEST

START_TEST(one_read_takes_one_line)
{
	type("a\nb\n");
	ck_assert_uint_eq(line_discipline_pending(&g_line), 4);
	ck_assert_str_eq(read_line(1), "a");
	ck_assert_str_eq(read_line(100), "\n");
	ck_assert_str_eq(read_line(100), "b\n");
}
END_TEST

START_TEST(erase_word_and_kill_edit_the_line)
{
	type("abc\177d one two\027\n");
	ck_assert_str_eq(read_line(100), "abd one \n");
	type("lost\025kept\n");
	ck_assert_str_eq(read_line(100), "kept\n");
	screen();
	type("a\001\177\177");
	ck_assert_str_eq(screen(), "a^A\b \b\b \b\b \b");
}
END_TEST

START_TEST(end_of_file_ends_a_read)
{
	type("\004");
	ck_assert_str_eq(read_line(100), "");
	type("ab\004");
	ck_assert_str_eq(read_line(2), "ab");
	ck_assert_str_eq(read_line(100), "(nothing)");
}
END_TEST

START_TEST(interrupt_sends_a_signal_and_flushes)
{
	type("half\003");
	ck_assert_uint_eq(g_events.signals, 1u << (LINUX_SIGINT - 1));
	ck_assert(g_events.flushed);
	ck_assert_str_eq(screen(), "^C");
	type("x\n");
	ck_assert_str_eq(read_line(100), "x\n");
	local_flags(LINUX_ISIG, 0);
	type("\003\n");
	ck_assert_uint_eq(g_events.signals, 0);
	ck_assert_str_eq(read_line(100), "\003\n");
}
END_TEST

START_TEST(literal_next_takes_anything)
{
	type("\026\003\n");
	ck_assert_uint_eq(g_events.signals, 0);
	ck_assert_str_eq(read_line(100), "\003\n");
}
END_TEST

START_TEST(raw_mode_gives_bytes_at_once)
{
	local_flags(LINUX_ICANON | LINUX_ECHO | LINUX_ISIG, 0);
	type("a\004");
	ck_assert(line_discipline_readable(&g_line));
	ck_assert_str_eq(read_line(100), "a\004");
	ck_assert_str_eq(screen(), "");
	type("b\n");
	local_flags(0, LINUX_ICANON);
	ck_assert_str_eq(read_line(100), "b\n");
	ck_assert_str_eq(read_line(100), "(nothing)");
}
END_TEST

START_TEST(stop_holds_output)
{
	type("\023");
	ck_assert_uint_eq(line_discipline_write(&g_line, (const uint8_t *)"x", 1), 0);
	type("\021");
	ck_assert(g_events.restarted);
	ck_assert_uint_eq(line_discipline_write(&g_line, (const uint8_t *)"x\n", 2), 2);
	ck_assert_str_eq(screen(), "x\r\n");
}
END_TEST

START_TEST(a_line_that_is_too_long_can_be_ended)
{
	char *text = malloc(LINE_INPUT_SIZE + 100);

	memset(text, 'a', LINE_INPUT_SIZE + 99);
	text[LINE_INPUT_SIZE + 99] = '\0';
	ck_assert_uint_eq(type(text), LINE_INPUT_SIZE + 99);
	ck_assert_uint_eq(type("\n"), 1);
	ck_assert_uint_eq(strlen(read_line(LINE_INPUT_SIZE)), LINE_INPUT_SIZE);
	/* Complete lines that nobody reads hold the sender up. */
	text[100] = '\n';
	while (type(text) > 0)
		;
	ck_assert_uint_eq(line_discipline_room(&g_line), 0);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("line discipline");
	TCase *tcase = tcase_create("termios");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_add_test(tcase, a_line_is_read_when_it_is_complete);
	tcase_add_test(tcase, one_read_takes_one_line);
	tcase_add_test(tcase, erase_word_and_kill_edit_the_line);
	tcase_add_test(tcase, end_of_file_ends_a_read);
	tcase_add_test(tcase, interrupt_sends_a_signal_and_flushes);
	tcase_add_test(tcase, literal_next_takes_anything);
	tcase_add_test(tcase, raw_mode_gives_bytes_at_once);
	tcase_add_test(tcase, stop_holds_output);
	tcase_add_test(tcase, a_line_that_is_too_long_can_be_ended);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
