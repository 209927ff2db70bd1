/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's terminal, taken and given back. */
#include "runsc-c/console.h"

#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static int g_console = -1;
static bool g_taken;
static struct termios g_original;

bool console_open(int fd, struct sandbox_console *console)
{
	console->fd = -1;
	if (tcgetattr(fd, &g_original) || ioctl(fd, 0x802c542a /* TCGETS2 */, &console->termios))
		return false;
	g_console = fd;
	console->fd = fd;
	if (!console_size(&console->rows, &console->columns))
		console->rows = console->columns = 0;
	return true;
}

bool console_is_ours(void)
{
	return g_console >= 0 && tcgetpgrp(g_console) == getpgrp();
}

bool console_has_shell(void)
{
	return console_is_ours() && getpgrp() != getsid(0);
}

bool console_is_beside(int fd)
{
	struct stat status;

	return !fstat(fd, &status) && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

bool console_take(void)
{
	struct termios raw = g_original;

	if (g_taken)
		return true;
	if (!console_is_ours())
		return false;
	cfmakeraw(&raw);
	/* Who reads our output writes lines there. */
	if (console_is_beside(STDOUT_FILENO) || console_is_beside(STDERR_FILENO))
		raw.c_oflag = g_original.c_oflag;
	g_taken = !tcsetattr(g_console, TCSADRAIN, &raw);
	return g_taken;
}

void console_give_back(void)
{
	if (!g_taken)
		return;
	(void)tcsetattr(g_console, TCSADRAIN, &g_original);
	g_taken = false;
}

bool console_size(uint16_t *rows, uint16_t *columns)
{
	struct winsize size;

	if (g_console < 0 || ioctl(g_console, TIOCGWINSZ, &size))
		return false;
	*rows = size.ws_row;
	*columns = size.ws_col;
	return true;
}
