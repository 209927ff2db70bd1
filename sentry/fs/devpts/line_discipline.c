/* SPDX-License-Identifier: Apache-2.0 */
/*
 * N_TTY. Differs from Linux in what no terminal emulator uses: ECHOPRT erases as ECHOE does, and
 * delays (NLDLY...) are none.
 */
#include "sentry/fs/devpts/line_discipline.h"

#include "abi/signal.h"

#include <errno.h>
#include <string.h>

static bool input_flag(const struct line_discipline *line, uint32_t flag)
{
	return line->termios.c_iflag & flag;
}

static bool output_flag(const struct line_discipline *line, uint32_t flag)
{
	return line->termios.c_oflag & flag;
}

static bool local_flag(const struct line_discipline *line, uint32_t flag)
{
	return line->termios.c_lflag & flag;
}

static bool is_control_character(const struct line_discipline *line, int index, uint8_t c)
{
	return c == line->termios.c_cc[index] && c != LINUX_POSIX_VDISABLE;
}

static uint8_t *input_at(struct line_discipline *line, uint32_t position)
{
	return &line->input[position % LINE_INPUT_SIZE];
}

static uint8_t *line_end_at(struct line_discipline *line, uint32_t position)
{
	return &line->line_end[position % LINE_INPUT_SIZE];
}

void line_discipline_init(struct line_discipline *line)
{
	static const uint8_t control_characters[LINUX_NCCS] = {
		[LINUX_VINTR] = 3,
		[LINUX_VQUIT] = 28,
		[LINUX_VERASE] = 127,
		[LINUX_VKILL] = 21,
		[LINUX_VEOF] = 4,
		[LINUX_VMIN] = 1,
		[LINUX_VSTART] = 17,
		[LINUX_VSTOP] = 19,
		[LINUX_VSUSP] = 26,
		[LINUX_VREPRINT] = 18,
		[LINUX_VDISCARD] = 15,
		[LINUX_VWERASE] = 23,
		[LINUX_VLNEXT] = 22,
	};

	memset(line, 0, sizeof(*line));
	line->termios.c_iflag = LINUX_ICRNL | LINUX_IXON;
	line->termios.c_oflag = LINUX_OPOST | LINUX_ONLCR;
	line->termios.c_cflag = LINUX_B38400 | LINUX_CS8 | LINUX_CREAD;
	line->termios.c_lflag = LINUX_ISIG | LINUX_ICANON | LINUX_ECHO | LINUX_ECHOE | LINUX_ECHOK |
				LINUX_ECHOCTL | LINUX_ECHOKE | LINUX_IEXTEN;
	line->termios.c_ispeed = line->termios.c_ospeed = 38400;
	memcpy(line->termios.c_cc, control_characters, sizeof(control_characters));
}

/* --- output --- */

size_t line_discipline_output_size(const struct line_discipline *line)
{
	return line->output_head - line->output_tail;
}

static size_t output_room(const struct line_discipline *line)
{
	return LINE_OUTPUT_SIZE - line_discipline_output_size(line);
}

static void output_byte(struct line_discipline *line, uint8_t c)
{
	if (output_room(line))
		line->output[line->output_head++ % LINE_OUTPUT_SIZE] = c;
}

/* One byte through OPOST. The caller has seen to eight bytes of room. */
static void output_processed(struct line_discipline *line, uint8_t c)
{
	unsigned int spaces;

	switch (c) {
	case '\n':
		if (output_flag(line, LINUX_ONLRET))
			line->column = 0;
		if (output_flag(line, LINUX_ONLCR)) {
			output_byte(line, '\r');
			line->column = 0;
		}
		break;
	case '\r':
		if (output_flag(line, LINUX_ONOCR) && line->column == 0)
			return;
		if (output_flag(line, LINUX_OCRNL)) {
			c = '\n';
			if (output_flag(line, LINUX_ONLRET))
				line->column = 0;
			break;
		}
		line->column = 0;
		break;
	case '\t':
		spaces = 8 - (line->column & 7);
		line->column += spaces;
		if ((line->termios.c_oflag & LINUX_TABDLY) == LINUX_XTABS) {
			while (spaces--)
				output_byte(line, ' ');
			return;
		}
		break;
	case '\b':
		if (line->column > 0)
			line->column--;
		break;
	default:
		if (c < 0x20 || c == 0x7f)
			break;
		if (output_flag(line, LINUX_OLCUC) && c >= 'a' && c <= 'z')
			c -= 'a' - 'A';
		/* The tail of a UTF-8 character takes no column. */
		if (!(input_flag(line, LINUX_IUTF8) && (c & 0xc0) == 0x80))
			line->column++;
		break;
	}
	output_byte(line, c);
}

static void output_one(struct line_discipline *line, uint8_t c)
{
	if (output_flag(line, LINUX_OPOST))
		output_processed(line, c);
	else
		output_byte(line, c);
}

size_t line_discipline_write(struct line_discipline *line, const uint8_t *bytes, size_t size)
{
	size_t taken = 0;

	while (taken < size && !line->stopped && output_room(line) > LINE_ECHO_RESERVE)
		output_one(line, bytes[taken++]);
	return taken;
}

size_t line_discipline_peek_output(const struct line_discipline *line, uint8_t *bytes, size_t size)
{
	size_t available = line_discipline_output_size(line);

	if (size > available)
		size = available;
	for (size_t i = 0; i < size; i++)
		bytes[i] = line->output[(line->output_tail + i) % LINE_OUTPUT_SIZE];
	return size;
}

void line_discipline_drop_output(struct line_discipline *line, size_t size)
{
	line->output_tail += (uint32_t)size;
}

void line_discipline_flush_output(struct line_discipline *line)
{
	if (line_discipline_output_size(line) > LINE_OUTPUT_PASSED)
		line->output_head = line->output_tail + LINE_OUTPUT_PASSED;
}

/* --- echo --- */

static bool is_shown_as_control(const struct line_discipline *line, uint8_t c)
{
	return local_flag(line, LINUX_ECHOCTL) && (c < 0x20 || c == 0x7f) && c != '\t';
}

static void echo(struct line_discipline *line, uint8_t c)
{
	if (output_room(line) < 8)
		return;
	if (is_shown_as_control(line, c) && c != '\n') {
		output_byte(line, '^');
		output_byte(line, c ^ 0100);
		line->column += 2;
	} else {
		output_one(line, c);
	}
}

static void echo_if_wanted(struct line_discipline *line, uint8_t c)
{
	if (!local_flag(line, LINUX_ECHO))
		return;
	if (line->head == line->canonical)
		line->canonical_column = line->column;
	echo(line, c);
}

static void echo_text(struct line_discipline *line, const char *text)
{
	if (output_room(line) < 8)
		return;
	for (; *text; text++)
		output_byte(line, (uint8_t)*text);
}

/* --- line editing --- */

static bool is_continuation(const struct line_discipline *line, uint8_t c)
{
	return input_flag(line, LINUX_IUTF8) && (c & 0xc0) == 0x80;
}

/* How wide a tab at the end of the typed line was shown: from the columns of what stands before it.
 */
static unsigned int tab_width(struct line_discipline *line)
{
	unsigned int before = line->canonical_column;

	for (uint32_t i = line->canonical; i != line->head; i++) {
		uint8_t c = *input_at(line, i);

		if (c == '\t')
			before |= 7, before++;
		else if (is_shown_as_control(line, c))
			before += 2;
		else if (!is_continuation(line, c))
			before++;
	}
	return 8 - (before & 7);
}

static void erase_shown(struct line_discipline *line, uint8_t c)
{
	unsigned int width = 1;

	if (!local_flag(line, LINUX_ECHO))
		return;
	if (!local_flag(line, LINUX_ECHOE | LINUX_ECHOPRT)) {
		echo(line, line->termios.c_cc[LINUX_VERASE]);
		return;
	}
	if (c == '\t') {
		width = tab_width(line);
		while (width--) {
			echo_text(line, "\b");
			line->column -= line->column > 0;
		}
		return;
	}
	if (is_shown_as_control(line, c))
		width = 2;
	else if (c < 0x20 || c == 0x7f)
		width = 0;
	while (width--) {
		echo_text(line, "\b \b");
		line->column -= line->column > 0;
	}
}

/* Takes the last character of the typed line off, all bytes of it. False when there is none. */
static bool erase_character(struct line_discipline *line)
{
	uint8_t c;

	if (line->head == line->canonical)
		return false;
	do {
		c = *input_at(line, --line->head);
	} while (is_continuation(line, c) && line->head != line->canonical);
	erase_shown(line, c);
	return true;
}

static bool is_word_character(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_' || c >= 0x80;
}

static void erase_word(struct line_discipline *line)
{
	bool seen = false;

	while (line->head != line->canonical) {
		bool word = is_word_character(*input_at(line, line->head - 1));

		if (seen && !word)
			return;
		seen |= word;
		(void)erase_character(line);
	}
}

static void kill_line(struct line_discipline *line)
{
	if (local_flag(line, LINUX_ECHO) &&
		!(local_flag(line, LINUX_ECHOK) && local_flag(line, LINUX_ECHOKE) &&
			local_flag(line, LINUX_ECHOE))) {
		line->head = line->canonical;
		echo(line, line->termios.c_cc[LINUX_VKILL]);
		if (local_flag(line, LINUX_ECHOK))
			output_one(line, '\n');
		return;
	}
	while (erase_character(line))
		;
}

static void reprint_line(struct line_discipline *line)
{
	if (local_flag(line, LINUX_ECHO)) {
		echo(line, line->termios.c_cc[LINUX_VREPRINT]);
		output_one(line, '\n');
	}
	for (uint32_t i = line->canonical; i != line->head; i++)
		echo_if_wanted(line, *input_at(line, i));
}

/* --- input --- */

void line_discipline_flush_input(struct line_discipline *line)
{
	line->head = line->canonical = line->tail = 0;
	line->literal_next = false;
	memset(line->line_end, 0, sizeof(line->line_end));
}

static size_t input_count(const struct line_discipline *line)
{
	return line->head - line->tail;
}

size_t line_discipline_room(const struct line_discipline *line)
{
	size_t count = input_count(line),
	       room = count < LINE_INPUT_SIZE - 1 ? LINE_INPUT_SIZE - 1 - count : 0;

	/* PARMRK may make three bytes of one. */
	if (input_flag(line, LINUX_PARMRK))
		room /= 3;
	/* A line that is too long loses its end, but can be finished; complete lines that nobody
	 * reads hold the sender. */
	if (!room && local_flag(line, LINUX_ICANON) && line->canonical == line->tail)
		return 1;
	return room;
}

static void put_input(struct line_discipline *line, uint8_t c)
{
	if (input_count(line) >= LINE_INPUT_SIZE) {
		if (input_flag(line, LINUX_IMAXBEL))
			echo_text(line, "\a");
		return;
	}
	*line_end_at(line, line->head) = 0;
	*input_at(line, line->head++) = c;
}

static void end_line(struct line_discipline *line, uint8_t c, uint8_t kind)
{
	if (input_count(line) >= LINE_INPUT_SIZE)
		line->head--;
	*line_end_at(line, line->head) = kind;
	*input_at(line, line->head++) = c;
	line->canonical = line->head;
}

static void put_plain(struct line_discipline *line, uint8_t c)
{
	echo_if_wanted(line, c);
	if (c == 0xff && input_flag(line, LINUX_PARMRK))
		put_input(line, c);
	put_input(line, c);
}

/* Control-C and its like. True when the byte was one of them. */
static bool type_signal(struct line_discipline *line, uint8_t c, struct line_events *events)
{
	static const struct {
		int index, signal;
	} keys[] = {{LINUX_VINTR, LINUX_SIGINT}, {LINUX_VQUIT, LINUX_SIGQUIT},
		{LINUX_VSUSP, LINUX_SIGTSTP}};

	if (!local_flag(line, LINUX_ISIG))
		return false;
	for (size_t i = 0; i < array_count(keys); i++) {
		if (!is_control_character(line, keys[i].index, c))
			continue;
		events->signals |= 1u << (keys[i].signal - 1);
		if (!local_flag(line, LINUX_NOFLSH)) {
			line_discipline_flush_input(line);
			/* Echo goes out only at the end of what is typed at once. */
			line->output_head = line->echo_mark;
			line_discipline_flush_output(line);
			events->flushed = true;
		}
		if (line->stopped) {
			line->stopped = false;
			events->restarted = true;
		}
		if (local_flag(line, LINUX_ECHO))
			echo(line, c);
		return true;
	}
	return false;
}

static bool type_flow_control(struct line_discipline *line, uint8_t c, struct line_events *events)
{
	if (!input_flag(line, LINUX_IXON))
		return false;
	if (is_control_character(line, LINUX_VSTART, c)) {
		events->restarted = line->stopped;
		line->stopped = false;
		return true;
	}
	if (is_control_character(line, LINUX_VSTOP, c)) {
		line->stopped = true;
		return true;
	}
	return false;
}

/* Editing and line ends of canonical mode. True when the byte was one of them. */
static bool type_canonical(struct line_discipline *line, uint8_t c)
{
	bool extended = local_flag(line, LINUX_IEXTEN);

	if (is_control_character(line, LINUX_VERASE, c)) {
		(void)erase_character(line);
	} else if (extended && is_control_character(line, LINUX_VWERASE, c)) {
		erase_word(line);
	} else if (is_control_character(line, LINUX_VKILL, c)) {
		kill_line(line);
	} else if (extended && is_control_character(line, LINUX_VLNEXT, c)) {
		line->literal_next = true;
		if (local_flag(line, LINUX_ECHO) && local_flag(line, LINUX_ECHOCTL))
			echo_text(line, "^\b");
	} else if (extended && is_control_character(line, LINUX_VREPRINT, c)) {
		reprint_line(line);
	} else if (c == '\n') {
		if (local_flag(line, LINUX_ECHO) || local_flag(line, LINUX_ECHONL))
			output_one(line, '\n');
		end_line(line, c, 1);
	} else if (is_control_character(line, LINUX_VEOF, c)) {
		end_line(line, 0, 2);
	} else if (is_control_character(line, LINUX_VEOL, c) ||
		   (extended && is_control_character(line, LINUX_VEOL2, c))) {
		echo_if_wanted(line, c);
		end_line(line, c, 1);
	} else {
		return false;
	}
	return true;
}

static void type_one(struct line_discipline *line, uint8_t c, struct line_events *events)
{
	if (input_flag(line, LINUX_ISTRIP))
		c &= 0x7f;
	if (input_flag(line, LINUX_IUCLC) && local_flag(line, LINUX_IEXTEN) && c >= 'A' && c <= 'Z')
		c += 'a' - 'A';
	if (line->literal_next) {
		line->literal_next = false;
		put_plain(line, c);
		return;
	}
	if (local_flag(line, LINUX_EXTPROC)) {
		put_input(line, c);
		return;
	}
	if (type_flow_control(line, c, events) || type_signal(line, c, events))
		return;
	if (line->stopped && input_flag(line, LINUX_IXANY) && input_flag(line, LINUX_IXON)) {
		line->stopped = false;
		events->restarted = true;
	}
	if (c == '\r') {
		if (input_flag(line, LINUX_IGNCR))
			return;
		if (input_flag(line, LINUX_ICRNL))
			c = '\n';
	} else if (c == '\n' && input_flag(line, LINUX_INLCR)) {
		c = '\r';
	}
	if (local_flag(line, LINUX_ICANON) && type_canonical(line, c))
		return;
	put_plain(line, c);
}

size_t line_discipline_type(
	struct line_discipline *line, const uint8_t *bytes, size_t size, struct line_events *events)
{
	size_t taken = 0;

	*events = (struct line_events){0};
	line->echo_mark = line->output_head;
	while (taken < size && line_discipline_room(line)) {
		/* What comes at the end of a line that is too long takes the last place. */
		if (input_count(line) >= LINE_INPUT_SIZE)
			line->head--;
		type_one(line, bytes[taken++], events);
	}
	return taken;
}

bool line_discipline_readable(const struct line_discipline *line)
{
	if (local_flag(line, LINUX_ICANON) && !local_flag(line, LINUX_EXTPROC))
		return line->canonical != line->tail;
	return line->head != line->tail;
}

size_t line_discipline_pending(const struct line_discipline *line)
{
	size_t count = 0;

	if (!local_flag(line, LINUX_ICANON))
		return input_count(line);
	for (uint32_t i = line->tail; i != line->canonical; i++)
		count += line->line_end[i % LINE_INPUT_SIZE] != 2;
	return count;
}

int64_t line_discipline_read(struct line_discipline *line, uint8_t *bytes, size_t size)
{
	bool canonical = local_flag(line, LINUX_ICANON) && !local_flag(line, LINUX_EXTPROC);
	uint32_t end = canonical ? line->canonical : line->head;
	size_t got = 0;

	if (line->tail == end)
		return -EAGAIN;
	while (got < size && line->tail != end) {
		uint8_t kind = *line_end_at(line, line->tail);
		uint8_t c = *input_at(line, line->tail++);

		if (!canonical || kind != 2)
			bytes[got++] = c;
		if (canonical && kind)
			break;
	}
	if (!canonical)
		line->canonical = line->tail;
	/* An EOF right behind what just fitted belongs to it, or the next read would see an end
	 * that nobody typed. */
	if (canonical && got == size && line->tail != end && *line_end_at(line, line->tail) == 2 &&
		got)
		line->tail++;
	return (int64_t)got;
}

void line_discipline_set_termios(struct line_discipline *line, const struct linux_termios2 *termios)
{
	bool was_canonical = local_flag(line, LINUX_ICANON);

	line->termios = *termios;
	if (was_canonical == local_flag(line, LINUX_ICANON))
		return;
	line->literal_next = false;
	/* What was typed raw, or half a line: all of it can be read, as one line. */
	line->canonical = line->head;
	if (!was_canonical && line->head != line->tail)
		*line_end_at(line, line->head - 1) = 1;
}
