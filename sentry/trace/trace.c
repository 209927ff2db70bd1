/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The events: hooks, the life of a call from its entry to its return, and the lines of both
 * formats.
 *
 * A call's arguments are decoded on its own thread, those that it reads at the entry and those that
 * it fills at the return. The text is strace(1)'s: a line is begun at the entry, and when another
 * task's event comes between, it is left unfinished and resumed.
 */
#include "sentry/trace/trace.h"

#include "abi/fcntl.h"
#include "abi/names.h"
#include "abi/signal.h"
#include "abi/time.h"
#include "abi/wait.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/task_run.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/time/clock.h"
#include "sentry/trace/decode.h"
#include "sentry/trace/trace_summary.h"
#include "sentry/trace/trace_writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINE_BYTES 4096

/* How a call is shown: made once from its row. */
struct call_format {
	struct decoder arguments[DECODE_ARGUMENTS], result;
	unsigned int count;
	unsigned int at_entry; /* so many are shown before it returns */
	bool has_result;
};

/* What a task's thread keeps between the entry and the return. */
struct trace_task {
	struct decoded_call call;
	int64_t start_ns;
	size_t entry_size; /* of text, which the entry made */
	bool in_call, shown;
	char text[LINE_BYTES];
};

static struct trace_config config;
static struct call_format formats[SYSCALL_LIMIT];
/* The writer's lock: whose line was begun and not ended; how many tasks there ever were. */
static struct task *open_line;
static bool several;

/* --- lines --- */

static void write_time_of_day(void)
{
	int64_t now = clock_now(LINUX_CLOCK_REALTIME);
	time_t seconds = now / NSEC_PER_SEC;
	struct tm parts;
	char text[32];

	gmtime_r(&seconds, &parts);
	snprintf(text, sizeof(text), "%02d:%02d:%02d.%06d ", parts.tm_hour, parts.tm_min,
		parts.tm_sec, (int)(now % NSEC_PER_SEC / 1000));
	trace_write_text(text);
}

/* Begins a line of text for a task, ending another's first. */
static void begin_line(struct task *task)
{
	char text[32];

	if (open_line)
		trace_write_text(" <unfinished ...>\n");
	open_line = NULL;
	if (several) {
		snprintf(text, sizeof(text), "[pid %5d] ", task_tid(task));
		trace_write_text(text);
	}
	if (config.timestamps)
		write_time_of_day();
}

static void write_with_commas(const char *text, size_t size)
{
	while (size) {
		const char *end = memchr(text, DECODE_SEPARATOR, size);
		size_t piece = end ? (size_t)(end - text) : size;

		trace_write(text, piece);
		text += piece;
		size -= piece;
		if (size) {
			trace_write_text(", ");
			text++;
			size--;
		}
	}
}

/* Decoded text has quotes and backslashes, and nothing else that JSON minds. */
static void write_json_string(const char *text, size_t size)
{
	trace_write_text("\"");
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '"' || text[i] == '\\')
			trace_write_text("\\");
		trace_write(text + i, 1);
	}
	trace_write_text("\"");
}

static void write_json_list(const char *text, size_t size)
{
	trace_write_text("[");
	while (size) {
		const char *end = memchr(text, DECODE_SEPARATOR, size);
		size_t piece = end ? (size_t)(end - text) : size;

		write_json_string(text, piece);
		text += piece;
		size -= piece;
		if (size) {
			trace_write_text(", ");
			text++;
			size--;
		}
	}
	trace_write_text("]");
}

static void begin_json(struct task *task, const char *event)
{
	int64_t now = clock_now(LINUX_CLOCK_REALTIME);
	char text[160];

	snprintf(text, sizeof(text),
		"{\"time\": %lld.%09lld, \"pid\": %d, \"tid\": %d, \"event\": \"%s\"",
		(long long)(now / NSEC_PER_SEC), (long long)(now % NSEC_PER_SEC), task_tgid(task),
		task_tid(task), event);
	trace_write_text(text);
}

static void write_json_number(const char *name, long long value)
{
	char text[64];

	snprintf(text, sizeof(text), ", \"%s\": %lld", name, value);
	trace_write_text(text);
}

static void write_json_name(const char *name, const char *value)
{
	trace_write_text(", \"");
	trace_write_text(name);
	trace_write_text("\": ");
	write_json_string(value, strlen(value));
}

/* --- system calls --- */

static const char *call_name(uint64_t number, char *buffer, size_t size)
{
	const struct syscall_row *row = syscall_lookup(number);

	if (row)
		return row->name;
	snprintf(buffer, size, "syscall_%#llx", (unsigned long long)number);
	return buffer;
}

static struct sink sink_of(struct trace_task *trace)
{
	/* Room for an ellipsis is left. */
	return (struct sink){trace->text, trace->entry_size, sizeof(trace->text) - 8};
}

static bool makes_a_file(uint64_t open_flags)
{
	return open_flags & (LINUX_O_CREAT | (LINUX_O_TMPFILE & ~LINUX_O_DIRECTORY));
}

static void decode_some(
	struct sink *sink, const struct decoded_call *call, unsigned int from, unsigned int to)
{
	const struct call_format *format =
		call->number < SYSCALL_LIMIT ? &formats[call->number] : NULL;

	for (unsigned int i = from; format && i < to; i++) {
		size_t before = sink->size, begin;

		if (i && format->arguments[i].is_mode && format->arguments[i - 1].names &&
			!strcmp(format->arguments[i - 1].names->word, "open_flags") &&
			!makes_a_file(call->arguments[i - 1]))
			return;
		if (i)
			sink_char(sink, DECODE_SEPARATOR);
		begin = sink->size;
		decode_argument(sink, &format->arguments[i], call, i);
		if (sink->size == begin)
			sink->size = before;
	}
}

static void end_sink(struct sink *sink)
{
	if (sink->size < sink->capacity)
		return;
	memcpy(sink->text + sink->size, "...", 3);
	sink->size += 3;
}

static struct trace_task *trace_of(struct task *task)
{
	if (!task->trace)
		task->trace = calloc(1, sizeof(*task->trace));
	return task->trace;
}

static bool waits_for_status(void)
{
	return config.filter.only_failed || config.filter.only_successful;
}

/* Is there an argument that is shown when the call returns, behind others? As strace does it, the
 * comma stands on the first part of the line then. */
static bool has_more(const struct trace_task *trace)
{
	uint64_t number = trace->call.number;
	const struct decoder *next;
	char text[64];
	struct sink sink = {.text = text, .capacity = sizeof(text)};

	if (number >= SYSCALL_LIMIT || !trace->entry_size ||
		formats[number].at_entry >= formats[number].count)
		return false;
	next = &formats[number].arguments[formats[number].at_entry];
	if (!next->is_optional)
		return true;
	decode_argument(&sink, next, &trace->call, formats[number].at_entry);
	return sink.size;
}

static void write_entry(struct task *task, const struct trace_task *trace)
{
	char buffer[32];
	const char *name = call_name(trace->call.number, buffer, sizeof(buffer));
	bool more = has_more(trace); /* it may look at the guest's memory: before the lock */

	trace_writer_lock();
	if (config.json) {
		begin_json(task, "enter");
		write_json_name("name", name);
		trace_write_text(", \"args\": ");
		write_json_list(trace->text, trace->entry_size);
		trace_write_text("}\n");
	} else {
		begin_line(task);
		trace_write_text(name);
		trace_write_text("(");
		write_with_commas(trace->text, trace->entry_size);
		if (more)
			trace_write_text(", ");
		open_line = task;
	}
	trace_writer_unlock();
}

static void on_enter(struct task *task)
{
	struct trace_task *trace = trace_of(task);
	uint64_t number = task->syscall_number;
	struct sink sink;

	if (!trace)
		return;
	trace->call = (struct decoded_call){
		.task = task,
		.number = number,
		.arguments = {task->regs.rdi, task->regs.rsi, task->regs.rdx, task->regs.r10,
			task->regs.r8, task->regs.r9},
	};
	trace->in_call = true;
	trace->shown = !config.summary && trace_filter_shows(&config.filter, (unsigned int)number);
	trace->entry_size = 0;
	trace->start_ns = clock_monotonic();
	if (!trace->shown)
		return;
	sink = sink_of(trace);
	decode_some(&sink, &trace->call, 0, number < SYSCALL_LIMIT ? formats[number].at_entry : 0);
	end_sink(&sink);
	trace->entry_size = sink.size;
	if (!waits_for_status())
		write_entry(task, trace);
}

/* A restart code is an error that no program sees. */
static bool is_error(int64_t result)
{
	return result < 0 && result >= -4095;
}

/* As text; without the writer's lock, since names of files are looked up. */
static void decode_result(struct sink *sink, const struct decoded_call *call)
{
	const struct call_format *format =
		call->number < SYSCALL_LIMIT ? &formats[call->number] : NULL;
	const char *name = call->failed ? linux_errno_name((int)-call->result) : NULL;
	struct decoded_call result = *call;

	if (call->failed && call->result <= -ERESTARTSYS) {
		sink_printf(sink, "? %s", name ? name : "ERESTART");
	} else if (call->failed) {
		sink_printf(sink, "-1 %s (%s)", name ? name : "EUNKNOWN",
			strerrordesc_np((int)-call->result) ?: "unknown");
	} else if (format && format->has_result) {
		result.arguments[0] = (uint64_t)call->result;
		if (format->result.names)
			sink_printf(sink, "%ld (", (long)call->result);
		decode_argument(sink, &format->result, &result, 0);
		if (format->result.names)
			sink_char(sink, ')');
	} else {
		sink_printf(sink, "%ld", (long)call->result);
	}
}

static void write_text_result(const struct sink *result, int64_t duration_ns)
{
	char text[48];

	trace_write_text(") = ");
	trace_write(result->text, result->size);
	if (config.timestamps) {
		snprintf(text, sizeof(text), " <%lld.%06lld>",
			(long long)(duration_ns / NSEC_PER_SEC),
			(long long)(duration_ns % NSEC_PER_SEC / 1000));
		trace_write_text(text);
	}
	trace_write_text("\n");
}

static void write_text_exit(struct task *task, const struct trace_task *trace,
	const struct sink *sink, const struct sink *result, int64_t duration_ns)
{
	char buffer[32];

	if (waits_for_status()) {
		begin_line(task);
		trace_write_text(call_name(trace->call.number, buffer, sizeof(buffer)));
		trace_write_text("(");
		write_with_commas(sink->text, sink->size);
	} else {
		size_t written = trace->entry_size;

		if (open_line != task) {
			begin_line(task);
			trace_write_text("<... ");
			trace_write_text(call_name(trace->call.number, buffer, sizeof(buffer)));
			trace_write_text(" resumed>");
		}
		if (written < sink->size && sink->text[written] == DECODE_SEPARATOR)
			written++;
		write_with_commas(sink->text + written, sink->size - written);
	}
	open_line = NULL;
	write_text_result(result, duration_ns);
}

static void write_json_exit(struct task *task, const struct trace_task *trace,
	const struct sink *sink, int64_t duration_ns)
{
	const struct decoded_call *call = &trace->call;
	char buffer[64];
	const char *name;

	begin_json(task, "exit");
	write_json_name("name", call_name(call->number, buffer, sizeof(buffer)));
	trace_write_text(", \"args\": ");
	write_json_list(sink->text, sink->size);
	write_json_number("result", call->failed ? -1 : call->result);
	name = call->failed ? linux_errno_name((int)-call->result) : NULL;
	if (name)
		write_json_name("errno", name);
	snprintf(buffer, sizeof(buffer), ", \"duration\": %lld.%09lld}\n",
		(long long)(duration_ns / NSEC_PER_SEC), (long long)(duration_ns % NSEC_PER_SEC));
	trace_write_text(buffer);
}

static void on_exit_of_call(struct task *task)
{
	struct trace_task *trace = task->trace;
	int64_t duration_ns;
	char text[512];
	struct sink sink, result = {text, 0, sizeof(text)};

	if (!trace || !trace->in_call)
		return;
	trace->in_call = false;
	duration_ns = clock_monotonic() - trace->start_ns;
	trace->call.result = (int64_t)task->regs.rax;
	trace->call.failed = is_error(trace->call.result);
	trace->call.at_exit = true;
	sink = sink_of(trace);
	if (trace->shown) {
		uint64_t number = trace->call.number;

		if (number < SYSCALL_LIMIT)
			decode_some(&sink, &trace->call, formats[number].at_entry,
				formats[number].count);
		end_sink(&sink);
		decode_result(&result, &trace->call);
	}
	trace_writer_lock();
	if (config.summary)
		trace_summary_add(trace->call.number, duration_ns, trace->call.failed);
	else if (trace->shown && !(config.filter.only_failed && !trace->call.failed) &&
		 !(config.filter.only_successful && trace->call.failed)) {
		if (config.json)
			write_json_exit(task, trace, &sink, duration_ns);
		else
			write_text_exit(task, trace, &sink, &result, duration_ns);
	}
	trace_writer_unlock();
}

/* --- other events --- */

static void on_born(struct task *task)
{
	int parent = task->group->parent ? task_tgid(task->group->parent) : 0;
	char text[64];

	if (config.summary)
		return;
	trace_writer_lock();
	several = true;
	if (config.json) {
		begin_json(task, "new child");
		write_json_number("parent", parent);
		trace_write_text("}\n");
	} else {
		begin_line(task);
		snprintf(text, sizeof(text), "+++ new child of %d +++\n", parent);
		trace_write_text(text);
	}
	trace_writer_unlock();
}

static void on_signal(struct task *task, const struct linux_siginfo *info)
{
	const char *name = linux_signal_name(info->si_signo);
	char text[160];

	if (config.summary || !trace_filter_shows_signal(&config.filter, info->si_signo))
		return;
	trace_writer_lock();
	if (config.json) {
		begin_json(task, "signal");
		write_json_name("signal", name ? name : "?");
		write_json_number("code", info->si_code);
		trace_write_text("}\n");
	} else {
		begin_line(task);
		snprintf(text, sizeof(text), "--- %s {si_signo=%s, si_code=%d} ---\n",
			name ? name : "?", name ? name : "?", info->si_code);
		trace_write_text(text);
	}
	trace_writer_unlock();
}

/* A call that the task did not return from. */
static void write_unreturned(struct task *task, const struct trace_task *trace)
{
	char buffer[32];

	if (waits_for_status())
		return;
	if (open_line != task) {
		begin_line(task);
		trace_write_text("<... ");
		trace_write_text(call_name(trace->call.number, buffer, sizeof(buffer)));
		trace_write_text(" resumed>");
	}
	trace_write_text(") = ?\n");
	open_line = NULL;
}

static void write_end(struct task *task)
{
	int status = task->exit_code;
	const char *name = linux_signal_name(status & 0x7f);
	char text[96];

	if (config.json) {
		begin_json(task, status & 0x7f ? "killed" : "end");
		if (status & 0x7f)
			write_json_name("signal", name ? name : "?");
		else
			write_json_number("status", status >> 8 & 0xff);
		trace_write_text("}\n");
		return;
	}
	if ((status & 0x7f) && (status & 0x7f) != LINUX_SIGKILL && task->group->leader == task &&
		trace_filter_shows_signal(&config.filter, status & 0x7f)) {
		begin_line(task);
		snprintf(text, sizeof(text), "--- %s ---\n", name ? name : "?");
		trace_write_text(text);
	}
	begin_line(task);
	if (status & 0x7f)
		snprintf(text, sizeof(text), "+++ killed by %s +++\n", name ? name : "?");
	else
		snprintf(text, sizeof(text), "+++ exited with %d +++\n", status >> 8 & 0xff);
	trace_write_text(text);
}

static void on_exited(struct task *task)
{
	struct trace_task *trace = task->trace;

	trace_writer_lock();
	if (trace && trace->in_call && config.summary)
		trace_summary_add(trace->call.number, clock_monotonic() - trace->start_ns, false);
	if (!config.summary) {
		if (trace && trace->in_call && trace->shown && !config.json)
			write_unreturned(task, trace);
		if (!task->kernel_thread)
			write_end(task);
	}
	trace_writer_unlock();
	free(task->trace);
	task->trace = NULL;
}

/* --- begin and end --- */

static bool format_make(struct call_format *format, const struct syscall_row *row)
{
	const char *at = row->arguments;

	while (*at && format->count < DECODE_ARGUMENTS) {
		size_t size = strcspn(at, ",");

		if (!decoder_find(at, size, &format->arguments[format->count]))
			return false;
		if (format->at_entry == format->count && !format->arguments[format->count].at_exit)
			format->at_entry++;
		format->count++;
		at += size;
		at += strspn(at, ", ");
	}
	format->has_result = *row->result && strcmp(row->result, "int") != 0;
	return !format->has_result ||
	       decoder_find(row->result, strlen(row->result), &format->result);
}

static const struct task_trace_hooks hooks = {
	.syscall_enter = on_enter,
	.syscall_exit = on_exit_of_call,
	.born = on_born,
	.exited = on_exited,
	.signal = on_signal,
};

int trace_start(const struct trace_config *wanted)
{
	config = *wanted;
	for (uint64_t number = 0; number < SYSCALL_LIMIT; number++) {
		const struct syscall_row *row = syscall_lookup(number);

		if (row && !format_make(&formats[number], row))
			return -EINVAL;
	}
	g_trace_hooks = &hooks;
	return trace_writer_start(config.fd);
}

void trace_task_begin(struct task *task)
{
	if (g_trace_hooks)
		task_slow_set(task, TASK_SLOW_TRACE);
}

int trace_finish(void)
{
	struct text_writer table = {0};

	if (!g_trace_hooks)
		return 0;
	if (config.summary) {
		trace_summary_print(&table);
		if (!text_writer_failed(&table)) {
			trace_writer_lock();
			trace_write(table.text, table.size);
			trace_writer_unlock();
		}
		text_writer_free(&table);
	}
	return trace_writer_finish();
}
