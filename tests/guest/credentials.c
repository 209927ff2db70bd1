/* SPDX-License-Identifier: Apache-2.0 */
/* Identities and capabilities: the rules of set*id(2), capset(2), the bounding and ambient sets,
 * securebits, execve. */
#include "tests/guest/bad_address.h"
#include "tests/guest/guest_test.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

struct caps {
	uint64_t effective, permitted, inheritable;
};

static struct caps get_caps(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];

	CHECK(syscall(SYS_capget, &header, data) == 0);
	return (struct caps){data[0].effective | (uint64_t)data[1].effective << 32,
		data[0].permitted | (uint64_t)data[1].permitted << 32,
		data[0].inheritable | (uint64_t)data[1].inheritable << 32};
}

static long set_caps(struct caps caps)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {
		{(uint32_t)caps.effective, (uint32_t)caps.permitted, (uint32_t)caps.inheritable},
		{(uint32_t)(caps.effective >> 32), (uint32_t)(caps.permitted >> 32),
			(uint32_t)(caps.inheritable >> 32)}};

	return syscall(SYS_capset, &header, data);
}

static uint64_t bit(int capability)
{
	return 1ul << capability;
}

static void check_uids(uid_t real, uid_t effective, uid_t saved)
{
	uid_t r, e, s;

	CHECK(getresuid(&r, &e, &s) == 0);
	CHECK_EQ(r, real);
	CHECK_EQ(e, effective);
	CHECK_EQ(s, saved);
}

static void need_root(void)
{
	if (getuid() || !(get_caps().effective & bit(CAP_SETUID)))
		SKIP("needs root");
}

TEST(setuid_of_the_mighty_is_for_ever)
{
	need_root();
	CHECK(setuid(1000) == 0);
	check_uids(1000, 1000, 1000);
	CHECK_ERRNO(setuid(0), EPERM);
	CHECK(setuid(1000) == 0);
	CHECK_ERRNO(setresuid(0, (uid_t)-1, (uid_t)-1), EPERM);
}

TEST(a_saved_id_can_be_taken_back)
{
	need_root();
	CHECK(setresuid(1000, 1001, 1002) == 0);
	check_uids(1000, 1001, 1002);
	CHECK(seteuid(1000) == 0);
	CHECK(seteuid(1002) == 0);
	check_uids(1000, 1002, 1002);
	CHECK_ERRNO(seteuid(1001), EPERM);
	CHECK(setresuid(1002, 1000, 1000) == 0);
	check_uids(1002, 1000, 1000);
}

TEST(setreuid_moves_the_saved_id)
{
	need_root();
	CHECK(setreuid(1000, 1001) == 0);
	check_uids(1000, 1001, 1001);
	CHECK(setreuid(1001, 1000) == 0);
	check_uids(1001, 1000, 1000);
	CHECK_ERRNO(setreuid(5, (uid_t)-1), EPERM);
}

TEST(groups)
{
	gid_t list[] = {5, 6, 7}, got[8], r, e, s;

	need_root();
	CHECK(setgroups(3, list) == 0);
	CHECK_EQ(getgroups(0, NULL), 3);
	CHECK_EQ(getgroups(8, got), 3);
	CHECK_EQ(got[2], 7);
	CHECK_ERRNO(getgroups(2, got), EINVAL);
	CHECK_ERRNO(syscall(SYS_setgroups, 65537, list), EINVAL);
	CHECK_ERRNO(syscall(SYS_setgroups, 3, bad_address), EFAULT);
	CHECK(setresgid(10, 11, 12) == 0);
	CHECK(getresgid(&r, &e, &s) == 0);
	CHECK(r == 10 && e == 11 && s == 12);
	CHECK(setuid(1000) == 0);
	CHECK_ERRNO(setgroups(0, NULL), EPERM);
	CHECK(setgid(12) == 0);
	CHECK_EQ(getegid(), 12);
	CHECK_ERRNO(setgid(99), EPERM);
}

TEST(file_system_ids)
{
	need_root();
	CHECK_EQ(setfsuid(1000), 0);
	CHECK_EQ(setfsuid((uid_t)-1), 1000);
	CHECK_EQ(setfsgid(1000), 0);
	CHECK_EQ(setfsgid((gid_t)-1), 1000);
	CHECK(!(get_caps().effective & bit(CAP_DAC_OVERRIDE)));
	CHECK(get_caps().effective & bit(CAP_SETUID));
	CHECK_EQ(setfsuid(0), 1000);
	CHECK(get_caps().effective & bit(CAP_DAC_OVERRIDE));
	CHECK(seteuid(1000) == 0);
	CHECK_EQ(setfsuid((uid_t)-1), 1000);
}

TEST(capabilities_follow_the_user)
{
	struct caps caps;

	need_root();
	CHECK(seteuid(1000) == 0);
	caps = get_caps();
	CHECK_EQ(caps.effective, 0);
	CHECK(caps.permitted != 0);
	CHECK(seteuid(0) == 0);
	CHECK(get_caps().effective == caps.permitted);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	caps = get_caps();
	CHECK_EQ(caps.effective | caps.permitted, 0);
}

TEST(keepcaps_keeps_the_permitted_set)
{
	uint64_t permitted = get_caps().permitted;

	need_root();
	CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0);
	CHECK_EQ(prctl(PR_GET_KEEPCAPS), 1);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK_EQ(get_caps().permitted, permitted);
	CHECK_EQ(get_caps().effective, 0);
	CHECK_ERRNO(prctl(PR_SET_KEEPCAPS, 2), EINVAL);
}

TEST(capset_only_lowers)
{
	struct caps caps = get_caps();

	need_root();
	caps.permitted &= ~bit(CAP_SYS_TIME);
	caps.effective = caps.permitted & ~bit(CAP_CHOWN);
	CHECK(set_caps(caps) == 0);
	CHECK_EQ(get_caps().effective, caps.effective);
	caps.effective |= bit(CAP_CHOWN);
	CHECK(set_caps(caps) == 0);
	caps.permitted |= bit(CAP_SYS_TIME);
	CHECK_ERRNO(set_caps(caps), EPERM);
	caps.permitted &= ~bit(CAP_SYS_TIME);
	caps.effective |= bit(CAP_SYS_TIME);
	CHECK_ERRNO(set_caps(caps), EPERM);
	caps = (struct caps){0};
	CHECK(set_caps(caps) == 0);
	CHECK_ERRNO(setuid(5), EPERM);
	CHECK_ERRNO(chroot("/"), EPERM);
}

TEST(capability_headers)
{
	struct __user_cap_header_struct header = {0x12345678, 0};
	struct __user_cap_data_struct data[2];

	CHECK_ERRNO(syscall(SYS_capget, &header, data), EINVAL);
	CHECK_EQ(header.version, _LINUX_CAPABILITY_VERSION_3);
	header.version = 0;
	CHECK(syscall(SYS_capget, &header, NULL) == 0);
	header = (struct __user_cap_header_struct){_LINUX_CAPABILITY_VERSION_3, -1};
	CHECK_ERRNO(syscall(SYS_capget, &header, data), EINVAL);
	header.pid = 0x3fffffff;
	CHECK_ERRNO(syscall(SYS_capget, &header, data), ESRCH);
	header.pid = getppid();
	CHECK(syscall(SYS_capget, &header, data) == 0);
	CHECK_ERRNO(syscall(SYS_capset, &header, data), EPERM);
	CHECK_ERRNO(syscall(SYS_capget, bad_address, data), EFAULT);
	header = (struct __user_cap_header_struct){_LINUX_CAPABILITY_VERSION_1, 0};
	CHECK(syscall(SYS_capget, &header, data) == 0);
}

TEST(the_bounding_set)
{
	need_root();
	CHECK_EQ(prctl(PR_CAPBSET_READ, CAP_NET_RAW), 1);
	CHECK(prctl(PR_CAPBSET_DROP, CAP_NET_RAW) == 0);
	CHECK_EQ(prctl(PR_CAPBSET_READ, CAP_NET_RAW), 0);
	CHECK_ERRNO(prctl(PR_CAPBSET_READ, 64), EINVAL);
	CHECK_ERRNO(prctl(PR_CAPBSET_DROP, 64), EINVAL);
	CHECK(setuid(1000) == 0);
	CHECK_ERRNO(prctl(PR_CAPBSET_DROP, CAP_CHOWN), EPERM);
}

TEST(the_ambient_set)
{
	struct caps caps = get_caps();

	need_root();
	CHECK_ERRNO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0), EPERM);
	caps.inheritable = bit(CAP_CHOWN);
	CHECK(set_caps(caps) == 0);
	CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0) == 0);
	CHECK_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0), 1);
	CHECK_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0), 0);
	CHECK_ERRNO(prctl(PR_CAP_AMBIENT, 77, CAP_CHOWN, 0, 0), EINVAL);
	caps.inheritable = 0;
	CHECK(set_caps(caps) == 0);
	CHECK_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0), 0);
}

static char capabilities_text[4096];

/* The line of a program that shows its own. */
static void run_and_read(char *const argv[])
{
	int fds[2], status;
	ssize_t size;
	pid_t child;

	CHECK(pipe(fds) == 0);
	child = fork();
	if (child == 0) {
		dup2(fds[1], 1);
		execv(argv[0], argv);
		_exit(127);
	}
	close(fds[1]);
	size = read(fds[0], capabilities_text, sizeof(capabilities_text) - 1);
	CHECK(size >= 0);
	capabilities_text[size] = 0;
	close(fds[0]);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

TEST(execve_with_ambient_capabilities)
{
	char *argv[] = {"/bin/grep", "CapEff", "/proc/self/status", NULL};
	struct caps caps = get_caps();

	need_root();
	caps.inheritable = bit(CAP_CHOWN);
	CHECK(set_caps(caps) == 0);
	CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS | SECBIT_NO_SETUID_FIXUP) == 0);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	run_and_read(argv);
	CHECK(strstr(capabilities_text, "0000000000000001\n"));
}

TEST(execve_of_an_ordinary_user_loses_them)
{
	char *argv[] = {"/bin/grep", "CapPrm", "/proc/self/status", NULL};

	need_root();
	CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	run_and_read(argv);
	CHECK(strstr(capabilities_text, "0000000000000000\n"));
}

TEST(securebits)
{
	need_root();
	CHECK_EQ(prctl(PR_GET_SECUREBITS), 0);
	CHECK(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED) == 0);
	CHECK_ERRNO(prctl(PR_SET_SECUREBITS, 0), EPERM);
	CHECK_ERRNO(prctl(PR_SET_SECUREBITS, 1 << 20), EPERM);
	CHECK(setuid(1000) == 0);
	CHECK_ERRNO(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED), EPERM);
}

static void copy_file(const char *from, const char *to)
{
	char buffer[65536];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	ssize_t size;

	CHECK(in >= 0 && out >= 0);
	while ((size = read(in, buffer, sizeof(buffer))) > 0)
		CHECK_EQ(write(out, buffer, (size_t)size), size);
	close(in);
	close(out);
}

TEST(a_set_user_id_program)
{
	char path[] = "/tmp/suid-XXXXXX", program[64];
	char *argv[] = {program, "Uid", "/proc/self/status", NULL};

	need_root();
	CHECK(mkdtemp(path));
	chmod(path, 0755);
	snprintf(program, sizeof(program), "%s/grep", path);
	copy_file("/bin/grep", program);
	CHECK(chown(program, 1234, 1234) == 0);
	CHECK(chmod(program, 04755) == 0);
	run_and_read(argv);
	CHECK(strstr(capabilities_text, "Uid:\t0\t1234\t1234\t1234"));
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	run_and_read(argv);
	CHECK(strstr(capabilities_text, "Uid:\t0\t0\t0\t0"));
	unlink(program);
	rmdir(path);
}

TEST(no_new_privs_stays)
{
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	CHECK_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
	CHECK_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
}

TEST(signals_need_the_same_user)
{
	pid_t child;

	need_root();
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK_ERRNO(kill(child, SIGTERM), EPERM);
	CHECK_ERRNO(kill(child, 0), EPERM);
}

TEST(files_need_the_right_user)
{
	char path[] = "/tmp/cred-XXXXXX";
	int fd = mkstemp(path);

	need_root();
	CHECK(fd >= 0 && fchown(fd, 1000, 1001) == 0 && fchmod(fd, 0640) == 0);
	CHECK(setgroups(0, NULL) == 0);
	CHECK(setfsgid(1001) >= 0 && setfsuid(5) >= 0);
	CHECK((fd = open(path, O_RDONLY)) >= 0);
	CHECK_ERRNO(open(path, O_RDWR), EACCES);
	CHECK_EQ(access(path, W_OK), 0);
	CHECK_ERRNO(faccessat(AT_FDCWD, path, W_OK, AT_EACCESS), EACCES);
	CHECK(setfsuid(0) >= 0);
	unlink(path);
}

GUEST_TEST_MAIN()
