/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, strings, buffers and descriptors of system calls, in the notation of strace(1). */
#include "sentry/trace/decode.h"

#include "abi/fcntl.h"
#include "abi/names.h"
#include "abi/stat.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/fd_table.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/path.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define STRING_SHOWN  32 /* of buffers, as strace -s */
#define PATH_SHOWN    1024
#define STRINGS_SHOWN 32

void sink_char(struct sink *sink, char c)
{
	if (sink->size < sink->capacity)
		sink->text[sink->size++] = c;
}

void sink_text(struct sink *sink, const char *text)
{
	size_t size = min_u64(strlen(text), sink->capacity - sink->size);

	memcpy(sink->text + sink->size, text, size);
	sink->size += size;
}

void sink_printf(struct sink *sink, const char *format, ...)
{
	char text[128];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	sink_text(sink, text);
}

static void sink_escaped(struct sink *sink, unsigned char c, unsigned char next)
{
	static const char letters[] = "\"\"\\\\\nn\tt\rr\vv\ff";

	for (size_t i = 0; i + 1 < sizeof(letters); i += 2) {
		if (c == (unsigned char)letters[i]) {
			sink_char(sink, '\\');
			sink_char(sink, letters[i + 1]);
			return;
		}
	}
	if (c >= ' ' && c < 0x7f)
		sink_char(sink, (char)c);
	else
		sink_printf(sink, next >= '0' && next <= '7' ? "\\%03o" : "\\%o", c);
}

void sink_quoted(struct sink *sink, const void *bytes, size_t size)
{
	const unsigned char *at = bytes;

	sink_char(sink, '"');
	for (size_t i = 0; i < size; i++)
		sink_escaped(sink, at[i], i + 1 < size ? at[i + 1] : 0);
	sink_char(sink, '"');
}

void decode_address(struct sink *sink, uint64_t address)
{
	if (address)
		sink_printf(sink, "%#lx", address);
	else
		sink_text(sink, "NULL");
}

void decode_bytes(struct sink *sink, struct task *task, gaddr_t address, uint64_t size)
{
	unsigned char bytes[STRING_SHOWN];
	size_t shown = min_u64(size, sizeof(bytes));

	if (!address || mm_copy_in(task->mm, bytes, address, shown)) {
		decode_address(sink, address);
		return;
	}
	sink_quoted(sink, bytes, shown);
	if (shown < size)
		sink_text(sink, "...");
}

void decode_string(struct sink *sink, struct task *task, gaddr_t address)
{
	char text[PATH_SHOWN];
	int64_t size = address ? mm_copy_in_string(task->mm, text, address, sizeof(text)) : -1;

	if (size >= 0) {
		sink_quoted(sink, text, strnlen(text, sizeof(text)));
	} else if (address && !mm_copy_in(task->mm, text, address, sizeof(text))) {
		/* It goes on. */
		sink_quoted(sink, text, sizeof(text));
		sink_text(sink, "...");
	} else {
		decode_address(sink, address);
	}
}

void decode_signal_name(struct sink *sink, int signal)
{
	const char *name = linux_signal_name(signal);

	if (name)
		sink_text(sink, name);
	else
		sink_printf(sink, "%d", signal);
}

/* A name from the file system is a guest's own bytes. */
static void sink_path(struct sink *sink, const char *name)
{
	sink_char(sink, '<');
	for (; *name; name++) {
		if (*name == '>' || *name == '<')
			sink_printf(sink, "\\%o", *name);
		else
			sink_escaped(sink, (unsigned char)*name, (unsigned char)name[1]);
	}
	sink_char(sink, '>');
}

void decode_fd(struct sink *sink, struct task *task, int fd)
{
	auto_file struct file *file = fd >= 0 && task->files ? fd_get(task->files, fd) : NULL;
	char buffer[PATH_SHOWN];
	const char *name;

	sink_printf(sink, "%d", fd);
	if (!file)
		return;
	name = file_name(file, NULL, buffer, sizeof(buffer));
	if (name)
		sink_path(sink, name);
}

/* --- words --- */

static void show_int(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	sink_printf(sink, "%d", (int)call->arguments[index]);
}

static void show_uint(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	sink_printf(sink, "%u", (unsigned int)call->arguments[index]);
}

static void show_long(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	sink_printf(sink, "%ld", (long)call->arguments[index]);
}

static void show_ulong(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	sink_printf(sink, "%lu", call->arguments[index]);
}

static void show_hex(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	sink_printf(sink, call->arguments[index] ? "%#lx" : "%lx", call->arguments[index]);
}

static void show_octal(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	sink_printf(sink, "0%o", (unsigned int)call->arguments[index]);
}

/* Only calls that can create have a mode to show. */
static void show_mode(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	unsigned int mode = (unsigned int)call->arguments[index];
	static const struct {
		unsigned int type;
		const char *name;
	} types[] = {{LINUX_S_IFREG, "S_IFREG|"}, {LINUX_S_IFDIR, "S_IFDIR|"},
		{LINUX_S_IFCHR, "S_IFCHR|"}, {LINUX_S_IFBLK, "S_IFBLK|"},
		{LINUX_S_IFIFO, "S_IFIFO|"}, {LINUX_S_IFSOCK, "S_IFSOCK|"}};

	for (size_t i = 0; i < array_count(types); i++) {
		if ((mode & LINUX_S_IFMT) == types[i].type) {
			sink_text(sink, types[i].name);
			mode &= ~(unsigned int)LINUX_S_IFMT;
		}
	}
	sink_printf(sink, "%#03o", mode);
}

static void show_id(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	uint32_t id = (uint32_t)call->arguments[index];

	if (id == UINT32_MAX)
		sink_text(sink, "-1");
	else
		sink_printf(sink, "%u", id);
}

static void show_dev(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	uint64_t dev = call->arguments[index];
	unsigned int type =
		index ? (unsigned int)call->arguments[index - 1] & LINUX_S_IFMT : LINUX_S_IFCHR;

	if (type != LINUX_S_IFCHR && type != LINUX_S_IFBLK)
		return;
	sink_printf(sink, "makedev(%#lx, %#lx)", dev >> 8 & 0xfff,
		(dev & 0xff) | (dev >> 12 & 0xfff00));
}

static void show_addr(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	decode_address(sink, call->arguments[index]);
}

static void show_nothing(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	sink_text(sink, "?");
}

static void show_fd(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	decode_fd(sink, call->task, (int)call->arguments[index]);
}

static void show_working_directory(struct sink *sink, struct task *task)
{
	char buffer[PATH_SHOWN];
	struct path root, pwd;
	const char *name;

	sink_text(sink, "AT_FDCWD");
	if (!task->fs)
		return;
	fs_struct_root(task->fs, &root);
	fs_struct_pwd(task->fs, &pwd);
	name = path_name(&pwd, &root, buffer, sizeof(buffer));
	if (name)
		sink_path(sink, name);
	path_put(&root);
	path_put(&pwd);
}

static void show_dirfd(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	int fd = (int)call->arguments[index];

	if (fd == LINUX_AT_FDCWD)
		show_working_directory(sink, call->task);
	else
		decode_fd(sink, call->task, fd);
}

static void show_signal(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	decode_signal_name(sink, (int)call->arguments[index]);
}

static void show_errno(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	const char *name = linux_errno_name((int)call->arguments[index]);

	if (name)
		sink_text(sink, name);
	else
		show_int(sink, call, index);
}

static void show_string(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	decode_string(sink, call->task, call->arguments[index]);
}

static uint64_t next_argument(const struct decoded_call *call, unsigned int index)
{
	return index + 1 < DECODE_ARGUMENTS ? call->arguments[index + 1] : 0;
}

static void show_buffer_in(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	decode_bytes(sink, call->task, call->arguments[index], next_argument(call, index));
}

static void show_buffer_out(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	if (call->failed || call->result < 0)
		decode_address(sink, call->arguments[index]);
	else
		decode_bytes(sink, call->task, call->arguments[index],
			min_u64((uint64_t)call->result, next_argument(call, index)));
}

static void show_string_out(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	if (call->failed)
		decode_address(sink, call->arguments[index]);
	else
		decode_string(sink, call->task, call->arguments[index]);
}

static uint64_t string_at(
	const struct decoded_call *call, gaddr_t vector, unsigned int i, bool *there)
{
	uint64_t string = 0;

	*there = vector && mm_copy_in(call->task->mm, &string, vector + i * sizeof(string),
				   sizeof(string)) == 0;
	return string;
}

static void show_strings(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	gaddr_t vector = call->arguments[index];
	uint64_t string;
	bool there;

	string = string_at(call, vector, 0, &there);
	if (!there) {
		decode_address(sink, vector);
		return;
	}
	sink_char(sink, '[');
	for (unsigned int i = 0; there && string; string = string_at(call, vector, ++i, &there)) {
		if (i)
			sink_text(sink, ", ");
		if (i == STRINGS_SHOWN) {
			sink_text(sink, "...");
			break;
		}
		decode_string(sink, call->task, string);
	}
	sink_char(sink, ']');
}

static void show_strings_count(
	struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	gaddr_t vector = call->arguments[index];
	unsigned int count = 0;
	bool there = true;

	decode_address(sink, vector);
	while (count < 100000 && string_at(call, vector, count, &there) && there)
		count++;
	if (vector)
		sink_printf(sink, " /* %u vars */", count);
}

/* --- which word is what --- */

static const struct {
	const char *word;
	decode_function *function;
	bool at_exit;
} words[] = {
	{"addr", show_addr, false},
	{"buf_in", show_buffer_in, false},
	{"buf_out", show_buffer_out, true},
	{"dev", show_dev, false},
	{"dirfd", show_dirfd, false},
	{"errno", show_errno, false},
	{"fd", show_fd, false},
	{"gid", show_id, false},
	{"hex", show_hex, false},
	{"int", show_int, false},
	{"long", show_long, false},
	{"mode", show_mode, false},
	{"none", show_nothing, false},
	{"octal", show_octal, false},
	{"off", show_long, false},
	{"path", show_string, false},
	{"pid", show_int, false},
	{"signal", show_signal, false},
	{"size", show_ulong, false},
	{"str", show_string, false},
	{"str_out", show_string_out, true},
	{"str_size", show_buffer_in, false},
	{"strings", show_strings, false},
	{"strings_count", show_strings_count, false},
	{"uid", show_id, false},
	{"uint", show_uint, false},
	{"ulong", show_ulong, false},
};

static bool ends_in(const char *word, size_t size, const char *end)
{
	size_t length = strlen(end);

	return size > length && !strncmp(word + size - length, end, length);
}

bool decoder_find(const char *word, size_t size, struct decoder *out)
{
	*out = (struct decoder){
		.at_exit = ends_in(word, size, "_out") || ends_in(word, size, "_inout")};
	for (size_t i = 0; i < array_count(words); i++) {
		if (strlen(words[i].word) == size && !strncmp(words[i].word, word, size)) {
			out->function = words[i].function;
			out->is_mode = words[i].function == show_mode;
			return true;
		}
	}
	out->names = decode_names_find(word, size);
	if (!out->names)
		out->function = decode_struct_find(word, size);
	if (!out->names && !out->function) {
		out->function = decode_key_find(word, size);
		out->is_optional = out->at_exit;
	}
	return out->names || out->function;
}

void decode_argument(struct sink *sink, const struct decoder *decoder,
	const struct decoded_call *call, unsigned int index)
{
	if (decoder->names)
		decode_value(sink, decoder->names, call->arguments[index]);
	else
		decoder->function(sink, call, index);
}
