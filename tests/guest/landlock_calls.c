/* SPDX-License-Identifier: Apache-2.0 */
/* The three calls of Landlock: versions, arguments, permission, limits. */
#include "tests/guest/landlock_test.h"

#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

TEST(version)
{
	need_abi(7);
	CHECK_EQ(create_ruleset(NULL, 0, 1) >= 7, 1);
	CHECK_EQ(create_ruleset(NULL, 0, 2) & 7, 7);
	CHECK_ERRNO(create_ruleset(NULL, 0, 3), EINVAL);
	CHECK_ERRNO(create_ruleset(NULL, 0, 1u << 31), EINVAL);
	CHECK_ERRNO(create_ruleset(NULL, 8, 1), EINVAL);
	CHECK_ERRNO(create_ruleset("", 0, 1), EINVAL);
	CHECK_ERRNO(create_ruleset("", 0, 2), EINVAL);
}

TEST(ruleset_attributes)
{
	struct {
		struct ruleset_attr attr;
		uint64_t more[5];
	} longer = {.attr = {.fs = EXECUTE}};
	static char page[4097];
	struct ruleset_attr *end;
	int fd;

	need_abi(7);
	CHECK_ERRNO(create_ruleset(NULL, sizeof(longer.attr), 0), EFAULT);
	CHECK_ERRNO(create_ruleset(NULL, 0, 0), EFAULT);
	CHECK_ERRNO(create_ruleset((void *)8, sizeof(longer.attr), 0), EFAULT);
	CHECK_ERRNO(create_ruleset(&longer, 0, 0), EINVAL);
	CHECK_ERRNO(create_ruleset(&longer, 7, 0), EINVAL);
	CHECK_ERRNO(create_ruleset(page, 4097, 0), E2BIG);
	CHECK_ERRNO(create_ruleset(page, 4096, 0), ENOMSG);
	page[4095] = 1;
	CHECK_ERRNO(create_ruleset(page, 4096, 0), E2BIG);
	CHECK((fd = create_ruleset(&longer, 8, 0)) >= 0);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR);
	CHECK(create_ruleset(&longer, sizeof(longer), 0) >= 0);
	longer.more[4] = 1;
	CHECK_ERRNO(create_ruleset(&longer, sizeof(longer), 0), E2BIG);
	CHECK(create_ruleset(&longer, sizeof(longer) - 8, 0) >= 0);
	/* What is longer must be readable; what is not said is zero. */
	end = tail_alloc(16);
	memset(end, 0, 16);
	CHECK_ERRNO(create_ruleset(end, 24, 0), EFAULT);
	CHECK_ERRNO(create_ruleset(end, 16, 0), ENOMSG);
	end->net = BIND_TCP;
	CHECK(create_ruleset(end, 16, 0) >= 0);
}

TEST(unknown_rights)
{
	struct ruleset_attr attr = {0};

	need_abi(7);
	CHECK_ERRNO(create_ruleset(&attr, sizeof(attr), 0), ENOMSG);
	attr.fs = 1ull << 63;
	CHECK_ERRNO(create_ruleset(&attr, sizeof(attr), 0), EINVAL);
	attr = (struct ruleset_attr){.fs = EXECUTE, .net = 1ull << 32};
	CHECK_ERRNO(create_ruleset(&attr, sizeof(attr), 0), EINVAL);
	attr = (struct ruleset_attr){.fs = EXECUTE, .scoped = 1ull << 40};
	CHECK_ERRNO(create_ruleset(&attr, sizeof(attr), 0), EINVAL);
	attr = (struct ruleset_attr){ALL_FS, BIND_TCP | CONNECT_TCP, SCOPE_UNIX | SCOPE_SIGNAL};
	CHECK(create_ruleset(&attr, sizeof(attr), 0) >= 0);
}

TEST(ruleset_is_a_file)
{
	char path[64], name[64] = "";
	int fd, copy;

	need_abi(7);
	fd = new_ruleset(READ_FILE, 0, 0);
	CHECK_ERRNO(read(fd, name, 8), EINVAL);
	CHECK_ERRNO(write(fd, name, 8), EINVAL);
	CHECK_ERRNO(lseek(fd, 0, SEEK_SET), ESPIPE);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == ENODEV);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK(readlink(path, name, sizeof(name) - 1) > 0);
	CHECK(!strcmp(name, "anon_inode:[landlock-ruleset]"));
	CHECK_ERRNO(open(path, O_RDONLY), ENXIO);
	/* It is of who has it, whoever made it. */
	copy = dup(fd);
	CHECK(copy >= 0 && close(fd) == 0);
	allow(copy, "/", READ_FILE);
	enforce(copy);
}

TEST(path_rules)
{
	struct path_attr attr = {READ_FILE, -1}, *end = tail_alloc(sizeof(*end));
	int fd, pair[2];

	need_abi(7);
	temporary_enter();
	temporary_text("file", "x");
	fd = new_ruleset(READ_FILE | EXECUTE | READ_DIR | TRUNCATE | IOCTL_DEV, 0, 0);
	CHECK_ERRNO(add_rule(fd, PATH_BENEATH, &attr, 1), EINVAL);
	CHECK_ERRNO(add_rule(-1, PATH_BENEATH, &attr, 1), EINVAL);
	CHECK_ERRNO(add_rule(-1, PATH_BENEATH, &attr, 0), EBADF);
	CHECK_ERRNO(add_rule(open(".", O_PATH), PATH_BENEATH, &attr, 0), EBADF);
	CHECK_ERRNO(add_rule(open(".", O_RDONLY), PATH_BENEATH, &attr, 0), EBADFD);
	CHECK_ERRNO(add_rule(fd, 0, &attr, 0), EINVAL);
	CHECK_ERRNO(add_rule(fd, 3, &attr, 0), EINVAL);
	CHECK_ERRNO(add_rule(fd, PATH_BENEATH, NULL, 0), EFAULT);
	CHECK_ERRNO(add_rule(fd, PATH_BENEATH, (char *)end + 1, 0), EFAULT);
	CHECK_ERRNO(add_rule(fd, PATH_BENEATH, &attr, 0), EBADF);
	attr.allowed = 0;
	CHECK_ERRNO(add_rule(fd, PATH_BENEATH, &attr, 0), ENOMSG);
	attr.allowed = WRITE_FILE;
	CHECK_ERRNO(add_rule(fd, PATH_BENEATH, &attr, 0), EINVAL);
	attr.allowed = READ_FILE | 1ull << 40;
	CHECK_ERRNO(add_rule(fd, PATH_BENEATH, &attr, 0), EINVAL);
	*end = (struct path_attr){READ_FILE, fd};
	CHECK_ERRNO(add_rule(fd, PATH_BENEATH, end, 0), EBADFD);
	CHECK(pipe(pair) == 0);
	end->fd = pair[0];
	CHECK_ERRNO(add_rule(fd, PATH_BENEATH, end, 0), EBADFD);
	end->fd = eventfd(0, 0);
	CHECK_ERRNO(add_rule(fd, PATH_BENEATH, end, 0), EBADFD);
	end->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_ERRNO(add_rule(fd, PATH_BENEATH, end, 0), EBADFD);
	end->fd = memfd_create("m", 0);
	CHECK_ERRNO(add_rule(fd, PATH_BENEATH, end, 0), EBADFD);
	end->fd = open("/proc/self/ns/mnt", O_RDONLY);
	CHECK_ERRNO(add_rule(fd, PATH_BENEATH, end, 0), EBADFD);
	end->fd = open("file", O_RDONLY);
	CHECK(add_rule(fd, PATH_BENEATH, end, 0) == 0);
	CHECK(add_rule(fd, PATH_BENEATH, end, 0) == 0);
	/* A file has no contents that could be listed. */
	CHECK_ERRNO(try_allow(fd, "file", READ_FILE | READ_DIR), EINVAL);
	CHECK(try_allow(fd, "file", READ_FILE | EXECUTE | TRUNCATE | IOCTL_DEV) == 0);
	CHECK(try_allow(fd, ".", READ_FILE | READ_DIR) == 0);
	CHECK(try_allow(fd, "/dev/null", READ_FILE | IOCTL_DEV) == 0);
}

TEST(port_rules)
{
	struct port_attr attr = {BIND_TCP, 80};
	int fd;

	need_abi(7);
	fd = new_ruleset(READ_FILE, BIND_TCP, 0);
	CHECK(add_rule(fd, NET_PORT, &attr, 0) == 0);
	CHECK_ERRNO(add_rule(fd, NET_PORT, NULL, 0), EFAULT);
	attr.port = 0;
	CHECK(add_rule(fd, NET_PORT, &attr, 0) == 0);
	attr.port = 65535;
	CHECK(add_rule(fd, NET_PORT, &attr, 0) == 0);
	attr.port = 65536;
	CHECK_ERRNO(add_rule(fd, NET_PORT, &attr, 0), EINVAL);
	attr.allowed = 0;
	CHECK_ERRNO(add_rule(fd, NET_PORT, &attr, 0), ENOMSG);
	attr = (struct port_attr){CONNECT_TCP, 80};
	CHECK_ERRNO(add_rule(fd, NET_PORT, &attr, 0), EINVAL);
	CHECK_ERRNO(add_rule(new_ruleset(READ_FILE, 0, 0), NET_PORT, &attr, 0), EINVAL);
}

TEST(restrict_self_arguments)
{
	int fd;

	need_abi(7);
	fd = new_ruleset(MAKE_CHAR, 0, 0);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK_ERRNO(restrict_self(fd, 16), EINVAL);
	CHECK_ERRNO(restrict_self(-1, 16), EINVAL);
	CHECK_ERRNO(restrict_self(-1, 0), EBADF);
	CHECK_ERRNO(restrict_self(-1, 1), EBADF);
	CHECK_ERRNO(restrict_self(-2, 4), EBADF);
	CHECK_ERRNO(restrict_self(0, 0), EBADFD);
	CHECK_ERRNO(restrict_self(open("/", O_PATH), 0), EBADF);
	CHECK(restrict_self(-1, 4) == 0);
	CHECK(restrict_self(fd, 7) == 0);
}

static void restrict_without_privilege(void)
{
	int fd = new_ruleset(MAKE_CHAR, 0, 0);

	CHECK(setuid(65534) == 0);
	CHECK_ERRNO(restrict_self(fd, 0), EPERM);
	CHECK_ERRNO(restrict_self(-1, 1u << 20), EPERM);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(restrict_self(fd, 0) == 0);
}

TEST(restrict_self_needs_no_new_privs)
{
	need_abi(7);
	if (geteuid())
		SKIP("needs root");
	CHECK(in_child(restrict_without_privilege) == 0);
	/* CAP_SYS_ADMIN will do as well, in the caller's user namespace. */
	CHECK(restrict_self(new_ruleset(MAKE_CHAR, 0, 0), 0) == 0);
	if (unshare(CLONE_NEWUSER) == 0)
		CHECK(restrict_self(new_ruleset(MAKE_CHAR, 0, 0), 0) == 0);
}

TEST(sixteen_layers)
{
	int fd;

	need_abi(7);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	fd = new_ruleset(MAKE_CHAR, 0, 0);
	for (int i = 0; i < 16; i++)
		CHECK(restrict_self(fd, 0) == 0);
	CHECK_ERRNO(restrict_self(fd, 0), E2BIG);
	CHECK(restrict_self(-1, 4) == 0);
}

/* Each layer takes away one of the ways that are left. */
TEST(every_layer_counts)
{
	char name[16];

	need_abi(7);
	temporary_enter();
	for (int i = 0; i < 17; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		temporary_text(name, "x");
	}
	for (int layer = 0; layer < 16; layer++) {
		int fd = new_ruleset(READ_FILE, 0, 0);

		for (int i = layer + 1; i < 17; i++) {
			snprintf(name, sizeof(name), "f%d", i);
			allow(fd, name, READ_FILE);
		}
		enforce(fd);
		for (int i = 0; i < 17; i++) {
			snprintf(name, sizeof(name), "f%d", i);
			CHECK_EQ(opening(name, O_RDONLY), i <= layer ? EACCES : 0);
		}
	}
}

/* A domain is what the ruleset was when it was enforced. */
TEST(domains_do_not_grow)
{
	int fd;

	need_abi(7);
	temporary_enter();
	temporary_text("file", "x");
	fd = new_ruleset(READ_FILE, 0, 0);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(restrict_self(fd, 0) == 0);
	CHECK_EQ(opening("file", O_RDONLY), EACCES);
	allow(fd, "file", READ_FILE);
	CHECK_EQ(opening("file", O_RDONLY), EACCES);
}

static int thread_result;

static void *open_in_thread(void *barrier)
{
	pthread_barrier_wait(barrier);
	pthread_barrier_wait(barrier);
	thread_result = opening("file", O_RDONLY);
	return NULL;
}

static void *open_again(void *unused)
{
	(void)unused;
	thread_result = opening("file", O_RDONLY);
	return NULL;
}

static void check_child(void)
{
	CHECK_EQ(opening("file", O_RDONLY), EACCES);
}

/* Other threads stay free; what comes of the caller is not. */
TEST(inheritance)
{
	pthread_barrier_t barrier;
	pthread_t thread;

	need_abi(7);
	temporary_enter();
	temporary_text("file", "x");
	CHECK(pthread_barrier_init(&barrier, NULL, 2) == 0);
	CHECK(pthread_create(&thread, NULL, open_in_thread, &barrier) == 0);
	pthread_barrier_wait(&barrier);
	enforce(new_ruleset(READ_FILE, 0, 0));
	pthread_barrier_wait(&barrier);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK_EQ(thread_result, 0);
	CHECK(pthread_create(&thread, NULL, open_again, NULL) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK_EQ(thread_result, EACCES);
	CHECK(in_child(check_child) == 0);
}

/* Changes of credentials and namespaces free nobody. */
TEST(credentials_keep_the_domain)
{
	need_abi(7);
	temporary_enter();
	temporary_text("file", "x");
	enforce(new_ruleset(READ_FILE, 0, 0));
	if (geteuid() == 0) {
		CHECK(chown("file", 65534, 65534) == 0);
		CHECK(setresuid(65534, 65534, 65534) == 0);
		CHECK_EQ(opening("file", O_RDONLY), EACCES);
	}
	if (unshare(CLONE_NEWUSER) == 0)
		CHECK_EQ(opening("file", O_RDONLY), EACCES);
	if (unshare(CLONE_NEWNS) == 0)
		CHECK_EQ(opening("file", O_RDONLY), EACCES);
	CHECK_EQ(opening("file", O_WRONLY), 0);
}

GUEST_TEST_MAIN()
