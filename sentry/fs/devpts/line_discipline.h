/* SPDX-License-Identifier: Apache-2.0 */
/*
 * N_TTY: what a terminal does between its keyboard and read(2), and between write(2) and its
 * screen: line editing, echo, signals, flow control, output processing (termios(3)). Pure: bytes
 * and settings in, bytes and events out; the tty's lock is its caller's.
 */
#pragma once

#include "abi/termios.h"
#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define LINE_INPUT_SIZE	 4096 /* N_TTY_BUF_SIZE */
#define LINE_OUTPUT_SIZE 16384
/* Of the output so much is the other end's already, as in Linux, where a flush cannot take it back.
 */
#define LINE_OUTPUT_PASSED 4095
/* Echo may always use this much, so that a flood of output does not swallow it. */
#define LINE_ECHO_RESERVE 256

struct line_discipline {
	struct linux_termios2 termios;
	/* Input: free-running positions, tail <= canonical <= head. Complete lines end at or before
	 * canonical. */
	uint32_t head, canonical, tail;
	uint8_t input[LINE_INPUT_SIZE];
	uint8_t line_end[LINE_INPUT_SIZE]; /* 1: this byte ends a line; 2: and is an EOF, not to be
					      read */
	/* Output on its way to the screen. */
	uint32_t output_head, output_tail;
	uint32_t echo_mark; /* output_head before what is being typed */
	uint8_t output[LINE_OUTPUT_SIZE];
	unsigned int column;	       /* of the cursor */
	unsigned int canonical_column; /* where the line being typed starts */
	bool literal_next;	       /* VLNEXT was typed */
	bool stopped;		       /* VSTOP was typed, or tcflow() */
};

/* What typed bytes brought about. */
struct line_events {
	unsigned int signals; /* bit n-1 for signal n: to the foreground group */
	bool flushed;	      /* input was thrown away */
	bool restarted;	      /* output may go on */
};

/* The settings of a fresh terminal, as Linux has them. */
void line_discipline_init(struct line_discipline *line);
/* Types bytes; returns how many were taken: fewer when nobody reads. */
size_t line_discipline_type(struct line_discipline *line, const uint8_t *bytes, size_t size,
	struct line_events *events);
/* How many bytes may be typed now without loss. */
size_t line_discipline_room(const struct line_discipline *line);
/* Is there something for read(2)? In canonical mode a line, else at least one byte. */
bool line_discipline_readable(const struct line_discipline *line);
/* Bytes that FIONREAD counts. */
size_t line_discipline_pending(const struct line_discipline *line);
/* Takes at most one line (canonical) or what there is; 0 for an EOF character, -EAGAIN for nothing.
 */
int64_t line_discipline_read(struct line_discipline *line, uint8_t *bytes, size_t size);
/* Processes bytes for the screen; returns how many of them were taken: 0 when stopped or full. */
size_t line_discipline_write(struct line_discipline *line, const uint8_t *bytes, size_t size);
size_t line_discipline_output_size(const struct line_discipline *line);
size_t line_discipline_peek_output(const struct line_discipline *line, uint8_t *bytes, size_t size);
void line_discipline_drop_output(struct line_discipline *line, size_t size);
/* Throws away what the other end does not have yet. */
void line_discipline_flush_output(struct line_discipline *line);
void line_discipline_flush_input(struct line_discipline *line);
/* New settings: what was typed stays, readable by the new rules. */
void line_discipline_set_termios(
	struct line_discipline *line, const struct linux_termios2 *termios);
