/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of calls that wait: until somebody does wait, however busy the machine is. */
#pragma once

#include "tests/guest/guest_test.h"

#include <fcntl.h>

/* Until a thread sleeps, as /proc says, or has ended. The caller sees to it that there is one call
 * only in which it can sleep. */
__attribute__((unused)) static void wait_asleep(pid_t thread)
{
	int64_t end = now_ns() + GUEST_TEST_SECONDS / 2 * 1000000000ll;
	char path[64], text[512];

	snprintf(path, sizeof(path), "/proc/%d/stat", thread);
	while (now_ns() < end) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t got = read(fd, text, sizeof(text) - 1);
		char *state;

		close(fd);
		CHECK(got > 0);
		text[got] = 0;
		state = strrchr(text, ')');
		if (state && (state[2] == 'S' || state[2] == 'Z'))
			return;
		sleep_ms(1);
	}
	FAIL("%d does not sleep", thread);
}
