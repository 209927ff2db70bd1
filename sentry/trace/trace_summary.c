/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts and times of system calls.
 *
 * Times are those from entry to return, waiting included (strace -c -w), not of the processor
 * alone.
 */
#include "sentry/trace/trace_summary.h"

#include "sentry/syscalls/syscalls.h"

#include <stdlib.h>

struct count {
	uint64_t number, calls, errors;
	int64_t duration_ns;
};

static struct count counts[SYSCALL_LIMIT];

void trace_summary_add(uint64_t number, int64_t duration_ns, bool failed)
{
	struct count *count;

	if (number >= SYSCALL_LIMIT)
		return;
	count = &counts[number];
	count->number = number;
	count->calls++;
	count->errors += failed;
	count->duration_ns += duration_ns;
}

static int compare(const void *left, const void *right)
{
	const struct count *a = left, *b = right;

	if (a->duration_ns != b->duration_ns)
		return a->duration_ns < b->duration_ns ? 1 : -1;
	return (a->calls < b->calls) - (a->calls > b->calls);
}

static void print_row(
	struct text_writer *out, const struct count *count, int64_t all_ns, const char *name)
{
	text_printf(out, "%6.2f %11.6f %11llu %9llu ",
		all_ns ? 100.0 * (double)count->duration_ns / (double)all_ns : 0.0,
		(double)count->duration_ns / 1e9,
		(unsigned long long)(count->calls
					     ? count->duration_ns / 1000 / (int64_t)count->calls
					     : 0),
		(unsigned long long)count->calls);
	if (count->errors)
		text_printf(out, "%9llu %s\n", (unsigned long long)count->errors, name);
	else
		text_printf(out, "%9s %s\n", "", name);
}

void trace_summary_print(struct text_writer *out)
{
	struct count total = {0};

	qsort(counts, SYSCALL_LIMIT, sizeof(counts[0]), compare);
	for (size_t i = 0; i < SYSCALL_LIMIT; i++) {
		total.calls += counts[i].calls;
		total.errors += counts[i].errors;
		total.duration_ns += counts[i].duration_ns;
	}
	text_printf(out, "%% time     seconds  usecs/call     calls    errors syscall\n"
			 "------ ----------- ----------- --------- --------- ----------------\n");
	for (size_t i = 0; i < SYSCALL_LIMIT; i++) {
		const struct syscall_row *row =
			counts[i].calls ? syscall_lookup(counts[i].number) : NULL;

		if (row)
			print_row(out, &counts[i], total.duration_ns, row->name);
	}
	text_printf(out, "------ ----------- ----------- --------- --------- ----------------\n");
	print_row(out, &total, total.duration_ns, "total");
}
