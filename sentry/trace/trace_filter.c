/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of system calls by name and class. Classes of files and descriptors follow from what calls
 * take. */
#include "sentry/trace/trace_filter.h"

#include "abi/names.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct call {
	unsigned int number;
	const char *name, *arguments, *result;
};

static const struct call calls[] = {
#define SYSCALL(nr, call, function, completeness, words, value, note) {nr, #call, words, value},
#include "abi/syscalls.def"
#undef SYSCALL
};

struct class
{
	const char *name;
	const char *words; /* of arguments and results that make a call belong to it */
	const char *calls; /* each between spaces; an ending * stands for any end */
};

static const struct class classes[] = {
	{"file", " path dirfd ", " getcwd fanotify_mark "},
	{"desc", " fd dirfd ", " poll ppoll select pselect6 "},
	{"process", "",
		" fork vfork clone clone3 execve execveat exit exit_group wait4 waitid kill tkill "
		"tgkill rt_sigqueueinfo "
		"rt_tgsigqueueinfo pidfd_open pidfd_send_signal unshare setns "},
	{"network", "",
		" socket socketpair bind listen accept accept4 connect getsockname getpeername "
		"sendto recvfrom sendmsg recvmsg "
		"sendmmsg recvmmsg shutdown setsockopt getsockopt getpmsg putpmsg sendfile "},
	{"signal", "",
		" rt_sig* kill tkill tgkill sigaltstack pause signalfd signalfd4 pidfd_send_signal "
		"rt_tgsigqueueinfo "},
	{"memory", "",
		" mmap munmap mprotect mremap madvise brk mincore msync mlock mlock2 munlock "
		"mlockall munlockall shmat shmdt "
		"remap_file_pages mbind set_mempolicy get_mempolicy migrate_pages move_pages "
		"pkey_mprotect process_madvise memfd_create "
		"mseal "},
	{"ipc", "", " msg* sem* shm* mq_* "},
	{"creds", "",
		" getuid geteuid getgid getegid setuid setgid setreuid setregid setresuid "
		"setresgid getresuid getresgid setfsuid "
		"setfsgid getgroups setgroups capget capset prctl "},
	{"clock", "", " time gettimeofday settimeofday adjtimex clock_* "},
	{"pure", "",
		" getpid getppid gettid getuid geteuid getgid getegid getpgrp getpgid getsid "},
};

/* Is a word in a list of words between spaces? A word of the list may end in a star. */
static bool is_listed(const char *list, const char *word, size_t size)
{
	for (const char *at = list; *at;) {
		size_t length;

		at += strspn(at, " ");
		length = strcspn(at, " ");
		if (length && at[length - 1] == '*' && size >= length - 1 &&
			!strncmp(at, word, length - 1))
			return true;
		if (length == size && !strncmp(at, word, size))
			return true;
		at += length;
	}
	return false;
}

static bool has_word(const char *words, const char *wanted)
{
	while (*words) {
		size_t size = strcspn(words, ",");

		if (is_listed(wanted, words, size))
			return true;
		words += size;
		words += strspn(words, ", ");
	}
	return false;
}

static bool is_in_class(const struct call *call, const struct class *class)
{
	return has_word(call->arguments, class->words) || has_word(call->result, class->words) ||
	       is_listed(class->calls, call->name, strlen(call->name));
}

static void set_bit(uint64_t *bits, unsigned int bit, bool value)
{
	if (value)
		bits[bit / 64] |= UINT64_C(1) << bit % 64;
	else
		bits[bit / 64] &= ~(UINT64_C(1) << bit % 64);
}

static bool hide_class(struct trace_filter *filter, const char *name, size_t size, bool hide)
{
	for (size_t i = 0; i < array_count(classes); i++) {
		if (strlen(classes[i].name) != size || strncmp(classes[i].name, name, size))
			continue;
		for (size_t k = 0; k < array_count(calls); k++) {
			if (is_in_class(&calls[k], &classes[i]))
				set_bit(filter->hidden, calls[k].number, hide);
		}
		return true;
	}
	return false;
}

static bool hide_call(struct trace_filter *filter, const char *name, size_t size, bool hide)
{
	for (size_t k = 0; k < array_count(calls); k++) {
		if (strlen(calls[k].name) == size && !strncmp(calls[k].name, name, size)) {
			set_bit(filter->hidden, calls[k].number, hide);
			return true;
		}
	}
	return false;
}

/* One word of a list of system calls. */
static bool hide_word(struct trace_filter *filter, const char *name, size_t size, bool hide)
{
	if (*name == '%')
		return hide_class(filter, name + 1, size - 1, hide);
	return hide_call(filter, name, size, hide) || hide_class(filter, name, size, hide);
}

static bool hide_signal(struct trace_filter *filter, const char *name, size_t size, bool hide)
{
	char text[32];
	int signal;

	if (size >= sizeof(text))
		return false;
	memcpy(text, name, size);
	text[size] = '\0';
	signal = linux_signal_number(text);
	if (signal < 1)
		return false;
	set_bit(&filter->hidden_signals, (unsigned int)signal - 1, hide);
	return true;
}

typedef bool hide_function(struct trace_filter *filter, const char *name, size_t size, bool hide);

/* all, none, A,B or !A,B: bits of what is not wanted. */
static bool add_list(struct trace_filter *filter, const char *list, uint64_t *bits,
	size_t bits_size, hide_function *hide, char *error, size_t error_size)
{
	bool negated = *list == '!';

	list += negated;
	if (!strcmp(list, "all") || !strcmp(list, "none")) {
		memset(bits, !strcmp(list, "none") != negated ? 0xff : 0, bits_size);
		return true;
	}
	memset(bits, negated ? 0 : 0xff, bits_size);
	while (*list) {
		size_t size = strcspn(list, ",");

		if (!size || !hide(filter, list, size, negated)) {
			snprintf(error, error_size, "there is no %s %.*s%s",
				hide == hide_signal ? "signal"
				: *list == '%'	    ? "class"
						    : "system call",
				(int)size, list,
				*list == '%' ? ": the classes are %file %desc %process %network "
					       "%signal %memory %ipc %creds %clock %pure"
					     : "");
			return false;
		}
		list += size;
		list += *list == ',';
	}
	return true;
}

static bool add_status(
	struct trace_filter *filter, const char *text, char *error, size_t error_size)
{
	filter->only_failed = !strcmp(text, "failed");
	filter->only_successful = !strcmp(text, "successful");
	if (filter->only_failed || filter->only_successful || !strcmp(text, "all"))
		return true;
	snprintf(error, error_size, "status=%s: write failed, successful or all", text);
	return false;
}

bool trace_filter_add(
	struct trace_filter *filter, const char *expression, char *error, size_t error_size)
{
	const char *value = strchr(expression, '=');
	size_t size = value ? (size_t)(value - expression) : 0;

	value = value ? value + 1 : expression;
	if (!*value) {
		snprintf(error, error_size, "an empty list");
		return false;
	}
	if (!size || !strncmp(expression, "trace=", size + 1) ||
		!strncmp(expression, "t=", size + 1))
		return add_list(filter, value, filter->hidden, sizeof(filter->hidden), hide_word,
			error, error_size);
	if (!strncmp(expression, "signal=", size + 1) || !strncmp(expression, "signals=", size + 1))
		return add_list(filter, value, &filter->hidden_signals,
			sizeof(filter->hidden_signals), hide_signal, error, error_size);
	if (!strncmp(expression, "status=", size + 1))
		return add_status(filter, value, error, error_size);
	snprintf(error, error_size,
		"%.*s= is not known: write trace=, signal= or status=, each with an -e of its own",
		(int)size, expression);
	return false;
}
