/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a file is, from its first bytes, and the #! line of a script. The rules are those of Linux
 * since 5.0 (fs/binfmt_script.c): an interpreter's path that may have been cut off is refused, an
 * argument is not.
 */
#include "loader/loader.h"

#include "abi/elf.h"
#include "base/compiler.h"

#include <errno.h>
#include <string.h>

enum loader_format loader_identify(const void *bytes, size_t size)
{
	if (size >= LINUX_SELFMAG && memcmp(bytes, LINUX_ELFMAG, LINUX_SELFMAG) == 0)
		return LOADER_ELF;
	if (size >= 2 && memcmp(bytes, "#!", 2) == 0)
		return LOADER_SCRIPT;
	return LOADER_NEITHER;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The first position of [from, last] that holds no blank; last + 1 if there is none. */
static size_t skip_blanks(const char *line, size_t from, size_t last)
{
	while (from <= last && is_blank(line[from]))
		from++;
	return from;
}

/*
 * The first position of [from, last] that holds a blank or a zero byte; last + 1 if there is none.
 */
static size_t skip_word(const char *line, size_t from, size_t last)
{
	while (from <= last && line[from] && !is_blank(line[from]))
		from++;
	return from;
}

/*
 * Where the line ends: at its newline, or at the last byte of the buffer if nothing vital is cut
 * off there.
 */
static int find_line_end(const char *line, size_t *end)
{
	const size_t last = LOADER_HEAD_SIZE - 1;
	const char *newline = memchr(line, '\n', strnlen(line, LOADER_HEAD_SIZE));
	size_t word;

	if (newline) {
		*end = newline - line;
		return 0;
	}
	word = skip_blanks(line, 2, last);
	if (word > last || skip_word(line, word, last) > last)
		return -ENOEXEC;
	*end = last;
	return 0;
}

int loader_parse_script(const void *bytes, size_t size, struct loader_script *script)
{
	char line[LOADER_HEAD_SIZE] = {0};
	size_t end, name, separator, argument;

	*script = (struct loader_script){0};
	memcpy(line, bytes, min_u64(size, sizeof(line)));
	if (line[0] != '#' || line[1] != '!' || find_line_end(line, &end) < 0)
		return -ENOEXEC;
	while (is_blank(line[end - 1]))
		end--;
	name = skip_blanks(line, 2, end);
	if (name >= end)
		return -ENOEXEC;
	separator = skip_word(line, name, end);
	argument = end + 1;
	if (separator <= end && line[separator])
		argument = skip_blanks(line, separator, end);
	line[end] = '\0';
	if (argument <= end) {
		line[separator] = '\0';
		script->has_argument = true;
		memcpy(script->argument, line + argument, strlen(line + argument));
	}
	memcpy(script->interpreter, line + name, strlen(line + name));
	return 0;
}
