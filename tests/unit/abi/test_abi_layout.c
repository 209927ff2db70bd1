/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our ABI against the host's. The layout_*.c files next to this one compare with the kernel's
 * headers while they are compiled; here is what only libc's headers know, the table of system
 * calls, and the names.
 */
#include "abi/bpf.h"
#include "abi/capability.h"
#include "abi/dirent.h"
#include "abi/eventfd.h"
#include "abi/fcntl.h"
#include "abi/file_handle.h"
#include "abi/inet.h"
#include "abi/limits.h"
#include "abi/mount.h"
#include "abi/names.h"
#include "abi/poll.h"
#include "abi/registers.h"
#include "abi/sched.h"
#include "abi/signal.h"
#include "abi/socket.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "abi/uio.h"
#include "abi/wait.h"
#include "tests/unit/abi/host_layout.h"

#include <asm/unistd.h>
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

SAME(S_IFMT);
SAME(S_IFSOCK);
SAME(S_IFLNK);
SAME(S_IFREG);
SAME(S_IFBLK);
SAME(S_IFDIR);
SAME(S_IFCHR);
SAME(S_IFIFO);
SAME(S_ISUID);
SAME(S_ISGID);
SAME(S_ISVTX);
SAME(S_IRWXU);
SAME(S_IRUSR);
SAME(S_IWUSR);
SAME(S_IXUSR);
SAME(S_IRWXG);
SAME(S_IRGRP);
SAME(S_IWGRP);
SAME(S_IXGRP);
SAME(S_IRWXO);
SAME(S_IROTH);
SAME(S_IWOTH);
SAME(S_IXOTH);
SAME(UTIME_NOW);
SAME(UTIME_OMIT);
SAME(DT_UNKNOWN);
SAME(DT_FIFO);
SAME(DT_CHR);
SAME(DT_DIR);
SAME(DT_BLK);
SAME(DT_REG);
SAME(DT_LNK);
SAME(DT_SOCK);
SAME(DT_WHT);
SAME(ST_RDONLY);
SAME(ST_NOSUID);
SAME(ST_NODEV);
SAME(ST_NOEXEC);
SAME(ST_SYNCHRONOUS);
SAME(ST_MANDLOCK);
SAME(ST_NOATIME);
SAME(ST_NODIRATIME);
SAME(ST_RELATIME);
SAME(F_OK);
SAME(R_OK);
SAME(W_OK);
SAME(X_OK);
SAME(MAX_HANDLE_SZ);
SAME(EFD_SEMAPHORE);
SAME(EFD_CLOEXEC);
SAME(EFD_NONBLOCK);
SAME(FD_SETSIZE);
SAME(CPU_SETSIZE);

SAME(MNT_FORCE);
SAME(MNT_DETACH);
SAME(MNT_EXPIRE);
SAME(UMOUNT_NOFOLLOW);
SAME(SPLICE_F_MOVE);
SAME(SPLICE_F_NONBLOCK);
SAME(SPLICE_F_MORE);
SAME(SPLICE_F_GIFT);
SAME(IOV_MAX);
SAME(WCOREFLAG);
SAME(SOL_IP);
SAME(SOL_ICMPV6);
SAME(SOL_TCP);
SAME(SOL_IPV6);
SAME(SHUT_RD);
SAME(SHUT_WR);
SAME(SHUT_RDWR);
SAME(SOCK_CLOEXEC);
SAME(SOCK_NONBLOCK);
SAME(SCM_RIGHTS);
SAME(SCM_CREDENTIALS);
SAME(TCP_ESTABLISHED);
SAME(TCP_SYN_SENT);
SAME(TCP_SYN_RECV);
SAME(TCP_FIN_WAIT1);
SAME(TCP_FIN_WAIT2);
SAME(TCP_TIME_WAIT);
SAME(TCP_CLOSE);
SAME(TCP_CLOSE_WAIT);
SAME(TCP_LAST_ACK);
SAME(TCP_LISTEN);
SAME(TCP_CLOSING);
SAME(SIG_BLOCK);
SAME(SIG_UNBLOCK);
SAME(SIG_SETMASK);

SAME_SIZE(user_regs, user_regs_struct);
SAME_FIELD(user_regs, user_regs_struct, orig_rax);
SAME_FIELD(user_regs, user_regs_struct, gs);

/* Newer than the oldest headers that this is built with. */
#ifndef __NR_uretprobe
#define __NR_uretprobe 335
#endif
#ifndef __NR_cachestat
#define __NR_cachestat 451
#endif
#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif
#ifndef __NR_map_shadow_stack
#define __NR_map_shadow_stack 453
#endif
#ifndef __NR_futex_wake
#define __NR_futex_wake	   454
#define __NR_futex_wait	   455
#define __NR_futex_requeue 456
#endif
#ifndef __NR_statmount
#define __NR_statmount 457
#define __NR_listmount 458
#endif
#ifndef __NR_lsm_get_self_attr
#define __NR_lsm_get_self_attr 459
#define __NR_lsm_set_self_attr 460
#define __NR_lsm_list_modules  461
#endif
#ifndef __NR_mseal
#define __NR_mseal 462
#endif
#ifndef __NR_setxattrat
#define __NR_setxattrat	   463
#define __NR_getxattrat	   464
#define __NR_listxattrat   465
#define __NR_removexattrat 466
#endif
#ifndef __NR_open_tree_attr
#define __NR_open_tree_attr 467
#endif
#ifndef __NR_file_getattr
#define __NR_file_getattr 468
#define __NR_file_setattr 469
#endif

#define SYSCALL(number, name, handler, state, arguments, result, note)                             \
	_Static_assert((number) == __NR_##name, #name);
#include "abi/syscalls.def"
#undef SYSCALL

enum state { FULL, PARTIAL, MISSING };

static const struct row {
	int number;
	const char *name, *handler, *arguments, *result, *note;
	enum state state;
} rows[] = {
#define SYSCALL(nr, call, function, completeness, words, value, text)                              \
	{nr, #call, #function, words, value, text, completeness},
#include "abi/syscalls.def"
#undef SYSCALL
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

START_TEST(test_syscalls_ascend)
{
	for (size_t i = 1; i < ROWS; i++)
		ck_assert_msg(rows[i].number > rows[i - 1].number, "%s", rows[i].name);
	ck_assert_int_eq(rows[ROWS - 1].number, 469);
	/* 0 to 335 and 424 to 469, without holes. */
	ck_assert_uint_eq(ROWS, 336 + 46);
}
END_TEST

START_TEST(test_syscalls_are_consistent)
{
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *row = &rows[i];
		const bool missing = strcmp(row->handler, "sys_missing") == 0;

		ck_assert_msg(missing == (row->state == MISSING), "%s", row->name);
		if (!missing)
			ck_assert_msg(strncmp(row->handler, "sys_", 4) == 0 &&
					      strcmp(row->handler + 4, row->name) == 0,
				"%s", row->name);
		if (row->state == PARTIAL)
			ck_assert_msg(row->note[0],
				"%s is partial: the note must say what is not there", row->name);
		ck_assert_msg(row->result[0], "%s", row->name);
	}
}
END_TEST

/* At most six words of small letters, with ", " between. */
START_TEST(test_syscall_arguments_parse)
{
	for (size_t i = 0; i < ROWS; i++) {
		const char *word = rows[i].arguments;
		int count = 0;

		while (*word) {
			const size_t length = strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_");

			ck_assert_msg(length > 0, "%s: %s", rows[i].name, rows[i].arguments);
			count++;
			word += length;
			if (!*word)
				break;
			ck_assert_msg(strncmp(word, ", ", 2) == 0 && word[2], "%s: %s",
				rows[i].name, rows[i].arguments);
			word += 2;
		}
		ck_assert_msg(count <= 6, "%s", rows[i].name);
	}
}
END_TEST

START_TEST(test_errno_names)
{
	int named = 0;

	ck_assert_str_eq(linux_errno_name(ENOENT), "ENOENT");
	ck_assert_str_eq(linux_errno_name(EHWPOISON), "EHWPOISON");
	ck_assert_str_eq(linux_errno_name(512), "ERESTARTSYS");
	ck_assert_str_eq(linux_errno_name(516), "ERESTART_RESTARTBLOCK");
	ck_assert_ptr_null(linux_errno_name(0));
	ck_assert_ptr_null(linux_errno_name(-1));
	ck_assert_ptr_null(linux_errno_name(517));
	ck_assert_ptr_null(linux_errno_name(INT_MAX));
	for (int i = 1; i <= EHWPOISON; i++) {
		const char *ours = linux_errno_name(i);

		if (!ours)
			continue;
		ck_assert_str_eq(ours, strerrorname_np(i));
		named++;
	}
	ck_assert_int_eq(named, 131);
}
END_TEST

START_TEST(test_signal_names)
{
	for (int i = 1; i < 32; i++) {
		const char *name = linux_signal_name(i);

		/* libc calls it SIGPOLL. */
		if (i != SIGIO)
			ck_assert_str_eq(name + 3, sigabbrev_np(i));
		ck_assert_int_eq(linux_signal_number(name), i);
		ck_assert_int_eq(linux_signal_number(name + 3), i);
	}
	ck_assert_str_eq(linux_signal_name(64), "SIGRT_32");
	ck_assert_int_eq(linux_signal_number("sigint"), SIGINT);
	ck_assert_int_eq(linux_signal_number("nonsense"), -1);
	ck_assert_int_eq(linux_signal_number(""), -1);
	ck_assert_ptr_null(linux_signal_name(0));
	ck_assert_ptr_null(linux_signal_name(65));
	ck_assert_ptr_null(linux_signal_name(-5));
}
END_TEST

START_TEST(test_device_numbers)
{
	const unsigned int majors[] = {0, 1, 5, 136, 0xfff, 0x12345, 0xffffffff};
	const unsigned int minors[] = {0, 3, 255, 256, 0xfffff};

	for (size_t i = 0; i < sizeof(majors) / sizeof(majors[0]); i++)
		for (size_t j = 0; j < sizeof(minors) / sizeof(minors[0]); j++) {
			const uint64_t dev = LINUX_MAKEDEV(majors[i], minors[j]);

			ck_assert_uint_eq(dev, makedev(majors[i], minors[j]));
			ck_assert_uint_eq(LINUX_MAJOR(dev), majors[i]);
			ck_assert_uint_eq(LINUX_MINOR(dev), minors[j]);
		}
}
END_TEST

START_TEST(test_macros)
{
	ck_assert_int_eq(LINUX_IFTODT(S_IFLNK | 0777), DT_LNK);
	ck_assert_uint_eq(LINUX_CMSG_SPACE(5), CMSG_SPACE(5));
	ck_assert_uint_eq(LINUX_CMSG_LEN(5), CMSG_LEN(5));
	ck_assert_int_eq(WEXITSTATUS(LINUX_W_EXITCODE(7, 0)), 7);
	ck_assert_int_eq(WTERMSIG(LINUX_W_EXITCODE(0, SIGKILL)), SIGKILL);
	ck_assert(WIFSTOPPED(LINUX_W_STOPCODE(SIGSTOP)));
	ck_assert(WIFCONTINUED(LINUX_W_CONTINUED));
	ck_assert_uint_eq(LINUX_CAP_FULL_SET, 0x1ffffffffffULL);
	ck_assert_uint_eq(LINUX_SIGMASK(64), 1ULL << 63);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("abi");
	TCase *tests = tcase_create("abi");
	SRunner *runner;
	int failed;

	tcase_add_test(tests, test_syscalls_ascend);
	tcase_add_test(tests, test_syscalls_are_consistent);
	tcase_add_test(tests, test_syscall_arguments_parse);
	tcase_add_test(tests, test_errno_names);
	tcase_add_test(tests, test_signal_names);
	tcase_add_test(tests, test_device_numbers);
	tcase_add_test(tests, test_macros);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
