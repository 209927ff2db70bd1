/* SPDX-License-Identifier: Apache-2.0 */
/* Structures of system calls. Those that a call fills are shown when it succeeded, and as an
 * address otherwise. */
#include "sentry/trace/decode.h"

#include "abi/epoll.h"
#include "abi/fcntl.h"
#include "abi/file_handle.h"
#include "abi/names.h"
#include "abi/poll.h"
#include "abi/prctl.h"
#include "abi/resource.h"
#include "abi/sched.h"
#include "abi/signal.h"
#include "abi/socket.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "abi/time.h"
#include "abi/uio.h"
#include "abi/utsname.h"
#include "sentry/kernel/task.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define ELEMENTS_SHOWN 16

/* Copies a structure in, or shows its address: false then. */
static bool load(struct sink *sink, const struct decoded_call *call, unsigned int index, void *to,
	size_t size)
{
	gaddr_t address = call->arguments[index];

	if (!address || (call->at_exit && call->failed) ||
		mm_copy_in(call->task->mm, to, address, size)) {
		decode_address(sink, address);
		return false;
	}
	return true;
}

static bool copy_at(const struct decoded_call *call, void *to, gaddr_t address, size_t size)
{
	return address && mm_copy_in(call->task->mm, to, address, size) == 0;
}

static uint64_t argument(const struct decoded_call *call, unsigned int index)
{
	return index < DECODE_ARGUMENTS ? call->arguments[index] : 0;
}

static void flags(struct sink *sink, const char *word, uint64_t value)
{
	decode_value(sink, decode_names_find(word, strlen(word)), value);
}

/* --- time --- */

static void timespec(struct sink *sink, const struct linux_timespec *time)
{
	sink_printf(sink, "{tv_sec=%ld, tv_nsec=%ld}", (long)time->tv_sec, (long)time->tv_nsec);
}

static void timeval(struct sink *sink, const struct linux_timeval *time)
{
	sink_printf(sink, "{tv_sec=%ld, tv_usec=%ld}", (long)time->tv_sec, (long)time->tv_usec);
}

static void show_timespec(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	struct linux_timespec time;

	if (load(sink, call, index, &time, sizeof(time)))
		timespec(sink, &time);
}

static void show_timespec_pair(
	struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	struct linux_timespec times[2];

	if (!load(sink, call, index, times, sizeof(times)))
		return;
	sink_char(sink, '[');
	timespec(sink, &times[0]);
	sink_text(sink, ", ");
	timespec(sink, &times[1]);
	sink_char(sink, ']');
}

static void show_timeval(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	struct linux_timeval time;

	if (load(sink, call, index, &time, sizeof(time)))
		timeval(sink, &time);
}

static void show_itimerval(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	struct linux_timeval times[2];

	if (!load(sink, call, index, times, sizeof(times)))
		return;
	sink_text(sink, "{it_interval=");
	timeval(sink, &times[0]);
	sink_text(sink, ", it_value=");
	timeval(sink, &times[1]);
	sink_char(sink, '}');
}

static void show_itimerspec(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	struct linux_timespec times[2];

	if (!load(sink, call, index, times, sizeof(times)))
		return;
	sink_text(sink, "{it_interval=");
	timespec(sink, &times[0]);
	sink_text(sink, ", it_value=");
	timespec(sink, &times[1]);
	sink_char(sink, '}');
}

/* For commands that requeue it is a number. */
static void show_futex_timeout(
	struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	uint64_t command = call->arguments[1] & 0x7f;

	if (command == 3 || command == 4 || command == 5 || command == 12)
		sink_printf(sink, "%u", (unsigned int)call->arguments[index]);
	else
		show_timespec(sink, call, index);
}

/* --- files --- */

static void show_stat(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	struct linux_stat status;

	if (!load(sink, call, index, &status, sizeof(status)))
		return;
	sink_text(sink, "{st_mode=");
	flags(sink, "s_ifmt", status.st_mode & LINUX_S_IFMT);
	sink_printf(sink, "|%#03o, ", status.st_mode & 07777);
	if ((status.st_mode & LINUX_S_IFMT) == LINUX_S_IFCHR ||
		(status.st_mode & LINUX_S_IFMT) == LINUX_S_IFBLK)
		sink_printf(sink, "st_rdev=makedev(%#lx, %#lx)",
			(unsigned long)(status.st_rdev >> 8 & 0xfff),
			(unsigned long)(status.st_rdev & 0xff));
	else
		sink_printf(sink, "st_size=%ld", (long)status.st_size);
	sink_text(sink, ", ...}");
}

static void show_statx(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	struct linux_statx status;

	if (!load(sink, call, index, &status, sizeof(status)))
		return;
	sink_text(sink, "{stx_mask=");
	flags(sink, "statx_mask", status.stx_mask);
	sink_text(sink, ", stx_mode=");
	flags(sink, "s_ifmt", status.stx_mode & LINUX_S_IFMT);
	sink_printf(sink, "|%#03o, stx_size=%lu, ...}", status.stx_mode & 07777u,
		(unsigned long)status.stx_size);
}

static void show_statfs(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	struct linux_statfs status;

	if (load(sink, call, index, &status, sizeof(status)))
		sink_printf(sink, "{f_type=%#lx, f_bsize=%ld, f_blocks=%lu, f_bfree=%lu, ...}",
			(unsigned long)status.f_type, (long)status.f_bsize,
			(unsigned long)status.f_blocks, (unsigned long)status.f_bfree);
}

static void show_fd_pair(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	int fds[2];

	if (!load(sink, call, index, fds, sizeof(fds)))
		return;
	sink_char(sink, '[');
	decode_fd(sink, call->task, fds[0]);
	sink_text(sink, ", ");
	decode_fd(sink, call->task, fds[1]);
	sink_char(sink, ']');
}

static void show_size_pointer(
	struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	uint32_t size;

	if (load(sink, call, index, &size, sizeof(size)))
		sink_printf(sink, "[%u]", size);
}

static void show_offset_pointer(
	struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	int64_t offset;

	if (load(sink, call, index, &offset, sizeof(offset)))
		sink_printf(sink, "[%ld]", (long)offset);
}

static void show_open_how(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	uint64_t how[3];

	if (!load(sink, call, index, how, sizeof(how)))
		return;
	sink_text(sink, "{flags=");
	flags(sink, "open_flags", how[0]);
	sink_printf(sink, ", mode=%#lo, resolve=%#lx}", how[1], how[2]);
}

static void show_file_handle(
	struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	struct linux_file_handle head;
	uint8_t bytes[LINUX_MAX_HANDLE_SZ];

	if (!load(sink, call, index, &head, sizeof(head)))
		return;
	sink_printf(sink, "{handle_bytes=%u, handle_type=%d", head.handle_bytes, head.handle_type);
	if (head.handle_bytes <= sizeof(bytes) &&
		copy_at(call, bytes, call->arguments[index] + sizeof(head), head.handle_bytes)) {
		sink_text(sink, ", f_handle=\"");
		for (uint32_t i = 0; i < head.handle_bytes; i++)
			sink_printf(sink, "\\x%02x", bytes[i]);
		sink_char(sink, '"');
	}
	sink_char(sink, '}');
}

/* What the third argument of fcntl(2) is, its command says. */
static void show_fcntl_argument(
	struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	switch ((int)call->arguments[1]) {
	case 1: /* F_GETFD and others have none */
	case 3:
	case 9:
	case 11:
	case 1025:
	case 1032:
	case 1034:
		break;
	case 2:
		sink_text(sink, call->arguments[index] & 1 ? "FD_CLOEXEC" : "0");
		break;
	case 4:
		flags(sink, "open_flags", call->arguments[index]);
		break;
	case 5:
	case 6:
	case 7:
	case 36:
	case 37:
	case 38:
		decode_address(sink, call->arguments[index]);
		break;
	default:
		sink_printf(sink, "%d", (int)call->arguments[index]);
		break;
	}
}

static void show_socket_option(
	struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	uint64_t size = (uint32_t)argument(call, index + 1);
	int32_t value;

	if (size == sizeof(value)) {
		if (load(sink, call, index, &value, sizeof(value)))
			sink_printf(sink, "[%d]", value);
	} else {
		decode_bytes(sink, call->task, call->arguments[index], size);
	}
}

/* How many arguments an option of prctl(2) has; most have one. */
static void show_prctl_argument(
	struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	static const struct {
		int option;
		unsigned int count;
	} counts[] = {{LINUX_PR_GET_DUMPABLE, 0}, {LINUX_PR_GET_KEEPCAPS, 0},
		{LINUX_PR_GET_SECCOMP, 0}, {LINUX_PR_GET_SECUREBITS, 0},
		{LINUX_PR_GET_TIMERSLACK, 0}, {LINUX_PR_SET_SECCOMP, 2}, {LINUX_PR_SET_MM, 4},
		{LINUX_PR_SET_VMA, 4}, {LINUX_PR_SET_NO_NEW_PRIVS, 4},
		{LINUX_PR_GET_NO_NEW_PRIVS, 4}, {LINUX_PR_CAP_AMBIENT, 4},
		{LINUX_PR_SET_THP_DISABLE, 4}, {LINUX_PR_GET_THP_DISABLE, 4},
		{LINUX_PR_SET_SYSCALL_USER_DISPATCH, 4}, {LINUX_PR_SCHED_CORE, 4},
		{LINUX_PR_MCE_KILL, 4}};
	unsigned int count = 1;

	for (size_t i = 0; i < array_count(counts); i++) {
		if (counts[i].option == (int)call->arguments[0])
			count = counts[i].count;
	}
	if (index > count)
		return;
	if ((int)call->arguments[0] == LINUX_PR_SET_NAME)
		decode_string(sink, call->task, call->arguments[index]);
	else
		sink_printf(sink, call->arguments[index] ? "%#lx" : "%lx", call->arguments[index]);
}

/* --- vectors and messages --- */

static void iovecs(struct sink *sink, const struct decoded_call *call, gaddr_t address,
	uint64_t count, uint64_t shown)
{
	struct linux_iovec vector;

	sink_char(sink, '[');
	for (uint64_t i = 0; i < count; i++) {
		uint64_t size;

		if (i)
			sink_text(sink, ", ");
		if (i == ELEMENTS_SHOWN ||
			!copy_at(call, &vector, address + i * sizeof(vector), sizeof(vector))) {
			sink_text(sink, "...");
			break;
		}
		size = min_u64(vector.iov_len, shown);
		shown -= size;
		sink_text(sink, "{iov_base=");
		if (size)
			decode_bytes(sink, call->task, vector.iov_base, size);
		else
			decode_address(sink, vector.iov_base);
		sink_printf(sink, ", iov_len=%lu}", (unsigned long)vector.iov_len);
	}
	sink_char(sink, ']');
}

static void show_iovec_in(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	if (call->arguments[index])
		iovecs(sink, call, call->arguments[index], argument(call, index + 1), UINT64_MAX);
	else
		decode_address(sink, 0);
}

static void show_iovec_out(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	if (call->failed || !call->arguments[index])
		decode_address(sink, call->arguments[index]);
	else
		iovecs(sink, call, call->arguments[index], argument(call, index + 1),
			(uint64_t)call->result);
}

static void show_iovec(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	if (call->arguments[index])
		iovecs(sink, call, call->arguments[index], argument(call, index + 1), 0);
	else
		decode_address(sink, 0);
}

static void sockaddr(
	struct sink *sink, const struct decoded_call *call, gaddr_t address, uint64_t size)
{
	unsigned char bytes[128] = {0};
	char text[64];
	uint16_t family, port;

	size = min_u64(size, sizeof(bytes) - 1);
	if (size < sizeof(family) || !copy_at(call, bytes, address, size)) {
		decode_address(sink, address);
		return;
	}
	memcpy(&family, bytes, sizeof(family));
	memcpy(&port, bytes + 2, sizeof(port));
	sink_text(sink, "{sa_family=");
	flags(sink, "socket_family", family);
	if (family == LINUX_AF_UNIX && size > 2) {
		bool abstract = !bytes[2];

		sink_text(sink, abstract ? ", sun_path=@" : ", sun_path=");
		sink_quoted(sink, bytes + 2 + abstract,
			abstract ? size - 3 : strnlen((char *)bytes + 2, size - 2));
	} else if (family == LINUX_AF_INET && size >= 16) {
		sink_printf(sink, ", sin_port=htons(%u), sin_addr=inet_addr(\"%s\")", ntohs(port),
			inet_ntop(AF_INET, bytes + 4, text, sizeof(text)));
	} else if (family == LINUX_AF_INET6 && size >= 24) {
		sink_printf(sink, ", sin6_port=htons(%u), inet_pton(AF_INET6, \"%s\")", ntohs(port),
			inet_ntop(AF_INET6, bytes + 8, text, sizeof(text)));
	}
	sink_char(sink, '}');
}

static void show_sockaddr_in(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	if (call->arguments[index])
		sockaddr(sink, call, call->arguments[index], (uint32_t)argument(call, index + 1));
	else
		decode_address(sink, 0);
}

static void show_sockaddr_out(
	struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	uint32_t size;

	if (call->failed || !call->arguments[index] ||
		!copy_at(call, &size, argument(call, index + 1), sizeof(size)))
		decode_address(sink, call->arguments[index]);
	else
		sockaddr(sink, call, call->arguments[index], size);
}

static void message(
	struct sink *sink, const struct decoded_call *call, gaddr_t address, uint64_t shown)
{
	struct linux_msghdr header;

	if (!copy_at(call, &header, address, sizeof(header))) {
		decode_address(sink, address);
		return;
	}
	sink_text(sink, "{msg_name=");
	sockaddr(sink, call, header.msg_name, (uint32_t)header.msg_namelen);
	sink_printf(sink, ", msg_namelen=%u, msg_iov=", (unsigned int)header.msg_namelen);
	iovecs(sink, call, header.msg_iov, header.msg_iovlen, shown);
	sink_printf(sink, ", msg_iovlen=%lu, msg_controllen=%lu, msg_flags=",
		(unsigned long)header.msg_iovlen, (unsigned long)header.msg_controllen);
	flags(sink, "msg_flags", (uint32_t)header.msg_flags);
	sink_char(sink, '}');
}

static void show_msghdr_in(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	message(sink, call, call->arguments[index], UINT64_MAX);
}

static void show_msghdr_out(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	if (call->failed)
		decode_address(sink, call->arguments[index]);
	else
		message(sink, call, call->arguments[index], (uint64_t)call->result);
}

/* --- waiting --- */

static void show_pollfd(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	uint64_t count = (uint32_t)argument(call, index + 1);
	struct linux_pollfd one;

	if (!call->arguments[index]) {
		decode_address(sink, 0);
		return;
	}
	sink_char(sink, '[');
	for (uint64_t i = 0; i < count; i++) {
		if (i)
			sink_text(sink, ", ");
		if (i == ELEMENTS_SHOWN ||
			!copy_at(call, &one, call->arguments[index] + i * sizeof(one),
				sizeof(one))) {
			sink_text(sink, "...");
			break;
		}
		sink_text(sink, "{fd=");
		decode_fd(sink, call->task, one.fd);
		if (one.fd >= 0) {
			sink_text(sink, ", events=");
			flags(sink, "poll_events", (uint16_t)one.events);
		}
		sink_char(sink, '}');
	}
	sink_char(sink, ']');
}

static void show_fdset(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	uint64_t count = min_u64(call->arguments[0] & UINT32_MAX, 1024), words[16] = {0};
	bool first = true;

	if (!load(sink, call, index, words, (count + 63) / 64 * 8))
		return;
	sink_char(sink, '[');
	for (unsigned int i = 0; i < count; i++) {
		if (!(words[i / 64] >> i % 64 & 1))
			continue;
		sink_printf(sink, first ? "%u" : " %u", i);
		first = false;
	}
	sink_char(sink, ']');
}

static void epoll_event(struct sink *sink, const struct linux_epoll_event *event)
{
	sink_text(sink, "{events=");
	flags(sink, "epoll_events", event->events);
	sink_printf(sink, ", data=%#lx}", (unsigned long)event->data);
}

static void show_epoll_event(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	struct linux_epoll_event event;

	if (load(sink, call, index, &event, sizeof(event)))
		epoll_event(sink, &event);
}

static void show_epoll_events(
	struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	struct linux_epoll_event event;

	if (call->failed) {
		decode_address(sink, call->arguments[index]);
		return;
	}
	sink_char(sink, '[');
	for (int64_t i = 0; i < call->result; i++) {
		if (i)
			sink_text(sink, ", ");
		if (i == ELEMENTS_SHOWN ||
			!copy_at(call, &event, call->arguments[index] + (uint64_t)i * sizeof(event),
				sizeof(event))) {
			sink_text(sink, "...");
			break;
		}
		epoll_event(sink, &event);
	}
	sink_char(sink, ']');
}

static void show_status(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	uint32_t status;

	if (call->result <= 0) {
		decode_address(sink, call->arguments[index]);
		return;
	}
	if (!load(sink, call, index, &status, sizeof(status)))
		return;
	if (status == 0xffff) {
		sink_text(sink, "[{WIFCONTINUED(s)}]");
	} else if ((status & 0xff) == 0x7f) {
		sink_text(sink, "[{WIFSTOPPED(s) && WSTOPSIG(s) == ");
		decode_signal_name(sink, (int)(status >> 8 & 0x7f));
		sink_text(sink, "}]");
	} else if (status & 0x7f) {
		sink_text(sink, "[{WIFSIGNALED(s) && WTERMSIG(s) == ");
		decode_signal_name(sink, (int)(status & 0x7f));
		sink_text(sink, status & 0x80 ? " && WCOREDUMP(s)}]" : "}]");
	} else {
		sink_printf(sink, "[{WIFEXITED(s) && WEXITSTATUS(s) == %u}]", status >> 8 & 0xff);
	}
}

/* --- signals --- */

static void sigset(struct sink *sink, uint64_t set)
{
	bool most = __builtin_popcountl(set) > 32, first = true;
	const char *name;

	if (most) {
		set = ~set;
		sink_char(sink, '~');
	}
	sink_char(sink, '[');
	for (int signal = 1; signal <= 64; signal++) {
		if (!(set >> (signal - 1) & 1))
			continue;
		if (!first)
			sink_char(sink, ' ');
		name = linux_signal_name(signal);
		sink_text(sink, name + (strncmp(name, "SIG", 3) ? 0 : 3));
		first = false;
	}
	sink_char(sink, ']');
}

static void show_sigset(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	uint64_t set;

	if (load(sink, call, index, &set, sizeof(set)))
		sigset(sink, set);
}

static void show_sigaction(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	struct linux_sigaction action;

	if (!load(sink, call, index, &action, sizeof(action)))
		return;
	sink_text(sink, "{sa_handler=");
	if ((uint64_t)action.sa_handler <= 1)
		sink_text(sink, action.sa_handler ? "SIG_IGN" : "SIG_DFL");
	else
		decode_address(sink, (uint64_t)action.sa_handler);
	sink_text(sink, ", sa_mask=");
	sigset(sink, action.sa_mask);
	sink_text(sink, ", sa_flags=");
	flags(sink, "sa_flags", action.sa_flags);
	sink_char(sink, '}');
}

static void show_siginfo(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	struct linux_siginfo info;

	if (!load(sink, call, index, &info, sizeof(info)))
		return;
	sink_text(sink, "{si_signo=");
	decode_signal_name(sink, info.si_signo);
	sink_printf(sink, ", si_code=%d, ...}", info.si_code);
}

static void show_sigaltstack(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	struct linux_stack stack;

	if (!load(sink, call, index, &stack, sizeof(stack)))
		return;
	sink_text(sink, "{ss_sp=");
	decode_address(sink, (uint64_t)stack.ss_sp);
	sink_text(sink, ", ss_flags=");
	flags(sink, "ss_flags", (uint32_t)stack.ss_flags);
	sink_printf(sink, ", ss_size=%lu}", (unsigned long)stack.ss_size);
}

static void show_sigevent(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	struct {
		uint64_t value;
		int32_t signal, notify;
	} event;

	if (!load(sink, call, index, &event, sizeof(event)))
		return;
	sink_printf(sink, "{sigev_value=%#lx, sigev_signo=", event.value);
	decode_signal_name(sink, event.signal);
	sink_printf(sink, ", sigev_notify=%d}", event.notify);
}

/* --- processes --- */

static void limit(struct sink *sink, uint64_t value)
{
	if (value == LINUX_RLIM_INFINITY)
		sink_text(sink, "RLIM64_INFINITY");
	else
		sink_printf(sink, "%lu", value);
}

static void show_rlimit(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	uint64_t limits[2];

	if (!load(sink, call, index, limits, sizeof(limits)))
		return;
	sink_text(sink, "{rlim_cur=");
	limit(sink, limits[0]);
	sink_text(sink, ", rlim_max=");
	limit(sink, limits[1]);
	sink_char(sink, '}');
}

static void show_rusage(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	struct linux_timeval times[2];

	if (!load(sink, call, index, times, sizeof(times)))
		return;
	sink_text(sink, "{ru_utime=");
	timeval(sink, &times[0]);
	sink_text(sink, ", ru_stime=");
	timeval(sink, &times[1]);
	sink_text(sink, ", ...}");
}

static void show_utsname(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	struct linux_new_utsname name;

	if (!load(sink, call, index, &name, sizeof(name)))
		return;
	sink_text(sink, "{sysname=");
	sink_quoted(sink, name.sysname, strnlen(name.sysname, sizeof(name.sysname)));
	sink_text(sink, ", nodename=");
	sink_quoted(sink, name.nodename, strnlen(name.nodename, sizeof(name.nodename)));
	sink_text(sink, ", ...}");
}

static void show_clone_args(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	uint64_t args[8];

	if (!load(sink, call, index, args, sizeof(args)))
		return;
	sink_text(sink, "{flags=");
	flags(sink, "clone_flags", args[0]);
	sink_text(sink, ", exit_signal=");
	decode_signal_name(sink, (int)args[4]);
	sink_text(sink, ", stack=");
	decode_address(sink, args[5]);
	sink_printf(sink, ", stack_size=%#lx}", args[6]);
}

static const struct {
	const char *word;
	decode_function *function;
} structures[] = {
	{"clone_args_in", show_clone_args},
	{"epoll_event_in", show_epoll_event},
	{"epoll_events_out", show_epoll_events},
	{"fcntl_arg", show_fcntl_argument},
	{"fd_pair_out", show_fd_pair},
	{"fdset", show_fdset},
	{"file_handle_in", show_file_handle},
	{"file_handle_out", show_file_handle},
	{"futex_timeout", show_futex_timeout},
	{"iovec", show_iovec},
	{"iovec_in", show_iovec_in},
	{"iovec_out", show_iovec_out},
	{"itimerspec_in", show_itimerspec},
	{"itimerspec_out", show_itimerspec},
	{"itimerval_in", show_itimerval},
	{"itimerval_out", show_itimerval},
	{"mmsghdr_in", show_msghdr_in},
	{"mmsghdr_out", show_msghdr_out},
	{"msghdr_in", show_msghdr_in},
	{"msghdr_out", show_msghdr_out},
	{"off_inout", show_offset_pointer},
	{"open_how_in", show_open_how},
	{"pollfd", show_pollfd},
	{"prctl_arg", show_prctl_argument},
	{"rlimit_in", show_rlimit},
	{"rlimit_out", show_rlimit},
	{"rusage_out", show_rusage},
	{"sigaction_in", show_sigaction},
	{"sigaction_out", show_sigaction},
	{"sigaltstack_in", show_sigaltstack},
	{"sigaltstack_out", show_sigaltstack},
	{"sigevent_in", show_sigevent},
	{"siginfo_in", show_siginfo},
	{"siginfo_out", show_siginfo},
	{"sigset_in", show_sigset},
	{"sigset_out", show_sigset},
	{"size_inout", show_size_pointer},
	{"sockaddr_in", show_sockaddr_in},
	{"sockaddr_out", show_sockaddr_out},
	{"sockopt_in", show_socket_option},
	{"stat_out", show_stat},
	{"statfs_out", show_statfs},
	{"status_out", show_status},
	{"statx_out", show_statx},
	{"timespec_in", show_timespec},
	{"timespec_out", show_timespec},
	{"timespec_pair_in", show_timespec_pair},
	{"timeval_in", show_timeval},
	{"timeval_out", show_timeval},
	{"utsname_out", show_utsname},
};

decode_function *decode_struct_find(const char *word, size_t size)
{
	for (size_t i = 0; i < array_count(structures); i++) {
		if (strlen(structures[i].word) == size && !strncmp(structures[i].word, word, size))
			return structures[i].function;
	}
	return NULL;
}
