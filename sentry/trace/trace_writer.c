/* SPDX-License-Identifier: Apache-2.0 */
/* The buffer of trace lines. */
#include "sentry/trace/trace_writer.h"

#include "base/lock.h"
#include "sentry/lock_order.h"
#include "sentry/time/clock.h"
#include "sentry/time/timer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Lines are seen so soon after they were written, when nothing fills the buffer before. */
#define DELAY_NS 50000000

static struct {
	struct mutex lock; /* RANK_RUN - 1: nothing but the timers' is taken below it */
	int fd;
	int broken; /* the error that ended it: nobody is told any more */
	bool timer_armed;
	struct ktimer timer;
	size_t size;
	char buffer[65536];
} writer;

static void flush_locked(void)
{
	size_t done = 0;

	while (done < writer.size && !writer.broken) {
		ssize_t size = write(writer.fd, writer.buffer + done, writer.size - done);

		if (size > 0)
			done += (size_t)size;
		else if (size < 0 && errno != EINTR)
			writer.broken = errno;
	}
	writer.size = 0;
}

static void on_timer(struct ktimer *timer unused_)
{
	mutex_guard(&writer.lock);
	writer.timer_armed = false;
	flush_locked();
}

int trace_writer_start(int fd)
{
	mutex_init(&writer.lock, RANK_TRACE, "trace");
	ktimer_init(&writer.timer, on_timer);
	writer.fd = fd;
	return 0;
}

int trace_writer_finish(void)
{
	ktimer_cancel(&writer.timer, true);
	mutex_guard(&writer.lock);
	flush_locked();
	return -writer.broken;
}

void trace_writer_lock(void)
{
	mutex_lock(&writer.lock);
}

void trace_writer_unlock(void)
{
	mutex_unlock(&writer.lock);
}

void trace_write(const char *bytes, size_t size)
{
	while (size) {
		size_t piece = min_u64(size, sizeof(writer.buffer) - writer.size);

		memcpy(writer.buffer + writer.size, bytes, piece);
		writer.size += piece;
		bytes += piece;
		size -= piece;
		if (writer.size == sizeof(writer.buffer))
			flush_locked();
	}
	if (writer.size && !writer.timer_armed) {
		writer.timer_armed = true;
		ktimer_arm(&writer.timer, clock_monotonic() + DELAY_NS);
	}
}

void trace_write_text(const char *text)
{
	trace_write(text, strlen(text));
}
