/* SPDX-License-Identifier: Apache-2.0 */
/* execve and execveat: arguments, scripts, errors, what survives, the auxiliary vector, hostile ELF
 * headers. */
#include "tests/guest/temporary.h"

#include <elf.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static char *const no_strings[] = {NULL};
static char *volatile bad_address = (char *)8;

/* Runs a program; what it wrote into text, its status returned. */
static int run(const char *path, char *const arguments[], char *const environment[], char *text,
	size_t size)
{
	int fds[2], status;
	size_t length = 0;
	ssize_t got;
	pid_t child;

	CHECK(pipe2(fds, O_CLOEXEC) == 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		dup2(fds[1], 1);
		execve(path, arguments, environment);
		_exit(200 + (errno > 50 ? 50 : errno));
	}
	close(fds[1]);
	while (length < size - 1 && (got = read(fds[0], text + length, size - 1 - length)) > 0)
		length += (size_t)got;
	text[length] = 0;
	close(fds[0]);
	CHECK(waitpid(child, &status, 0) == child);
	return status;
}

TEST(arguments_and_environment_arrive)
{
	char text[256];

	CHECK_EQ(run("/bin/sh",
			 (char *[]){"name", "-c", "echo $0 $1 $VAR $#; env | wc -l", "zero", "one",
				 NULL},
			 (char *[]){"VAR=value", "PATH=/bin:/usr/bin", NULL}, text, sizeof(text)),
		0);
	CHECK(!strncmp(text, "zero one value 1\n", 17));
}

TEST(arguments_with_any_bytes)
{
	char text[256];

	CHECK_EQ(run("/bin/echo", (char *[]){"echo", "", "a b", "\xff\x01", NULL}, no_strings, text,
			 sizeof(text)),
		0);
	CHECK(!strcmp(text, " a b \xff\x01\n"));
}

TEST(script_gets_interpreter_argument_and_path)
{
	char text[256];

	temporary_enter();
	temporary_text("script", "#!/bin/echo  -x  two words  \nbody\n");
	chmod("script", 0755);
	CHECK_EQ(run("./script", (char *[]){"ignored", "first", NULL}, no_strings, text,
			 sizeof(text)),
		0);
	CHECK(!strcmp(text, "-x  two words ./script first\n"));
}

TEST(script_without_argument)
{
	char text[256];

	temporary_enter();
	temporary_text("script", "#! \t/bin/echo\n");
	chmod("script", 0755);
	CHECK_EQ(run("./script", (char *[]){"x", "y", NULL}, no_strings, text, sizeof(text)), 0);
	CHECK(!strcmp(text, "./script y\n"));
}

TEST(scripts_nest)
{
	char text[512], path[128], line[256];

	temporary_enter();
	temporary_text("one", "#!/bin/echo 1\n");
	snprintf(path, sizeof(path), "%s/one", temporary_path);
	snprintf(line, sizeof(line), "#!%s 2\n", path);
	temporary_text("two", line);
	snprintf(line, sizeof(line), "#!%s/two 3\n", temporary_path);
	temporary_text("three", line);
	chmod("one", 0755);
	chmod("two", 0755);
	chmod("three", 0755);
	CHECK_EQ(run("./three", (char *[]){"x", "arg", NULL}, no_strings, text, sizeof(text)), 0);
	snprintf(line, sizeof(line), "1 %s/one 2 %s/two 3 ./three arg\n", temporary_path,
		temporary_path);
	CHECK(!strcmp(text, line));
}

TEST(a_script_loop_is_eloop)
{
	char line[256];

	temporary_enter();
	snprintf(line, sizeof(line), "#!%s/loop\n", temporary_path);
	temporary_text("loop", line);
	chmod("loop", 0755);
	CHECK_ERRNO(execve("./loop", no_strings, no_strings), ELOOP);
}

TEST(a_script_whose_interpreter_is_missing_is_enoent)
{
	temporary_enter();
	temporary_text("script", "#!/nonexistent/interpreter\n");
	chmod("script", 0755);
	CHECK_ERRNO(execve("./script", no_strings, no_strings), ENOENT);
	temporary_text("empty", "#!\n");
	chmod("empty", 0755);
	CHECK_ERRNO(execve("./empty", no_strings, no_strings), ENOEXEC);
}

TEST(path_errors)
{
	char name[5000];

	memset(name, 'a', sizeof(name));
	name[4999] = 0;
	temporary_enter();
	temporary_text("plain", "not a program");
	CHECK_ERRNO(execve("missing", no_strings, no_strings), ENOENT);
	CHECK_ERRNO(execve("", no_strings, no_strings), ENOENT);
	CHECK_ERRNO(execve("plain/x", no_strings, no_strings), ENOTDIR);
	CHECK_ERRNO(execve("plain", no_strings, no_strings), EACCES);
	CHECK_ERRNO(execve("/tmp", no_strings, no_strings), EACCES);
	CHECK_ERRNO(execve(name, no_strings, no_strings), ENAMETOOLONG);
	CHECK_ERRNO(execve(bad_address, no_strings, no_strings), EFAULT);
	CHECK_ERRNO(execve("/dev/null", no_strings, no_strings), EACCES);
	CHECK(symlink("self", "self") == 0);
	CHECK_ERRNO(execve("self", no_strings, no_strings), ELOOP);
	chmod("plain", 0755);
	CHECK_ERRNO(execve("plain", no_strings, no_strings), ENOEXEC);
	temporary_text("nothing", "");
	chmod("nothing", 0755);
	CHECK_ERRNO(execve("nothing", no_strings, no_strings), ENOEXEC);
}

TEST(a_file_open_for_writing_is_etxtbsy)
{
	char image[1 << 16];
	int in = open("/bin/true", O_RDONLY), out;
	ssize_t size;

	temporary_enter();
	out = open("program", O_CREAT | O_WRONLY, 0755);
	while ((size = read(in, image, sizeof(image))) > 0)
		CHECK_EQ(write(out, image, (size_t)size), size);
	CHECK_ERRNO(execve("./program", no_strings, no_strings), ETXTBSY);
	close(out);
	CHECK_EQ(run("./program", no_strings, no_strings, image, sizeof(image)), 0);
}

TEST(too_much_is_e2big)
{
	size_t size = 200 << 10;
	char *large = malloc(size + 1), *many[100];

	memset(large, 'x', size);
	large[size] = 0;
	CHECK_ERRNO(execve("/bin/true", (char *[]){"true", large, NULL}, no_strings), E2BIG);
	large[100 << 10] = 0;
	for (int i = 0; i < 99; i++)
		many[i] = large;
	many[99] = NULL;
	CHECK_ERRNO(execve("/bin/true", many, no_strings), E2BIG);
	CHECK_ERRNO(execve("/bin/true", (char **)(void *)bad_address, no_strings), EFAULT);
	CHECK_ERRNO(execve("/bin/true", (char *[]){bad_address, NULL}, no_strings), EFAULT);
}

TEST(a_large_environment_arrives)
{
	char *large = malloc(100001), text[64];

	memset(large, 'e', 100000);
	memcpy(large, "V=", 2);
	large[100000] = 0;
	CHECK_EQ(run("/bin/sh", (char *[]){"sh", "-c", "echo ${#V}", NULL}, (char *[]){large, NULL},
			 text, sizeof(text)),
		0);
	CHECK(!strcmp(text, "99998\n"));
}

TEST(empty_argument_list_gets_an_empty_name)
{
	char text[64];

	temporary_enter();
	temporary_text("count", "#!/bin/sh\necho $#\n");
	chmod("count", 0755);
	CHECK_EQ(run("./count", no_strings, no_strings, text, sizeof(text)), 0);
	CHECK(!strcmp(text, "0\n"));
	CHECK_EQ(run("./count", NULL, NULL, text, sizeof(text)), 0);
}

TEST(close_on_exec_is_honoured)
{
	char text[64], command[128];
	int kept = open("/dev/null", O_RDONLY), closed = open("/dev/null", O_RDONLY | O_CLOEXEC);

	snprintf(command, sizeof(command),
		"test -e /proc/self/fd/%d && ! test -e /proc/self/fd/%d && echo yes", kept, closed);
	CHECK_EQ(run("/bin/sh", (char *[]){"sh", "-c", command, NULL}, no_strings, text,
			 sizeof(text)),
		0);
	CHECK(!strcmp(text, "yes\n"));
}

TEST(ignored_signals_and_mask_survive_handlers_do_not)
{
	char text[8192];
	sigset_t set;

	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, (void (*)(int))_exit);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK_EQ(run("/bin/cat", (char *[]){"cat", "/proc/self/status", NULL}, no_strings, text,
			 sizeof(text)),
		0);
	CHECK(strstr(text, "SigBlk:\t0000000000004000"));
	CHECK(strstr(text, "SigIgn:\t0000000000000200"));
	CHECK(strstr(text, "SigCgt:\t0000000000000000"));
}

TEST(pid_and_alarm_survive)
{
	char text[64] = "";
	pid_t child = -1;
	int fds[2], status;

	/* Where a second is too short for a shell's start, there is another. */
	for (unsigned int seconds = 1; !text[0] && seconds < GUEST_TEST_SECONDS / 4; seconds *= 4) {
		CHECK(pipe(fds) == 0);
		child = fork();
		if (child == 0) {
			dup2(fds[1], 1);
			alarm(seconds);
			execl("/bin/sh", "sh", "-c", "echo $$; exec sleep 1000", NULL);
			_exit(1);
		}
		close(fds[1]);
		CHECK(read(fds[0], text, sizeof(text) - 1) >= 0);
		close(fds[0]);
		CHECK(waitpid(child, &status, 0) == child);
		CHECK_EQ(WTERMSIG(status), SIGALRM);
	}
	CHECK_EQ(atoi(text), child);
}

TEST(execveat_by_descriptor)
{
	char *const arguments[] = {"sh", "-c", "exit 31", NULL};
	int fd, directory, status;
	pid_t child;

	fd = open("/bin/sh", O_PATH | O_CLOEXEC);
	directory = open("/bin", O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < 2; i++) {
		child = fork();
		if (child == 0) {
			if (i == 0)
				syscall(SYS_execveat, fd, "", arguments, no_strings, AT_EMPTY_PATH);
			else
				syscall(SYS_execveat, directory, "sh", arguments, no_strings, 0);
			_exit(errno);
		}
		CHECK(waitpid(child, &status, 0) == child);
		CHECK_EQ(WEXITSTATUS(status), 31);
	}
	CHECK_ERRNO(syscall(SYS_execveat, fd, "", arguments, no_strings, 0), ENOENT);
	CHECK_ERRNO(syscall(SYS_execveat, 9999, "sh", arguments, no_strings, 0), EBADF);
	CHECK_ERRNO(
		syscall(SYS_execveat, directory, "sh", arguments, no_strings, 0x40000000), EINVAL);
	temporary_enter();
	CHECK(symlink("/bin/sh", "link") == 0);
	CHECK_ERRNO(
		syscall(SYS_execveat, AT_FDCWD, "link", arguments, no_strings, AT_SYMLINK_NOFOLLOW),
		ELOOP);
}

TEST(script_by_close_on_exec_descriptor_is_enoent)
{
	int fd;

	temporary_enter();
	temporary_text("script", "#!/bin/sh\nexit 5\n");
	chmod("script", 0755);
	fd = open("script", O_RDONLY | O_CLOEXEC);
	CHECK_ERRNO(syscall(SYS_execveat, fd, "", (char *[]){"x", NULL}, no_strings, AT_EMPTY_PATH),
		ENOENT);
}

TEST(auxiliary_vector)
{
	CHECK_EQ(getauxval(AT_PAGESZ), 4096);
	CHECK_EQ(getauxval(AT_UID), getuid());
	CHECK_EQ(getauxval(AT_EUID), geteuid());
	CHECK_EQ(getauxval(AT_SECURE), 0);
	CHECK_EQ(getauxval(AT_CLKTCK), 100);
	CHECK_EQ(getauxval(AT_PHENT), sizeof(Elf64_Phdr));
	CHECK(getauxval(AT_PHNUM) > 3);
	CHECK(getauxval(AT_ENTRY) && getauxval(AT_PHDR) && getauxval(AT_RANDOM) &&
		getauxval(AT_SYSINFO_EHDR));
	CHECK(!strcmp((char *)getauxval(AT_PLATFORM), "x86_64"));
	CHECK(strstr((char *)getauxval(AT_EXECFN), "process_exec"));
	CHECK(!memcmp((char *)getauxval(AT_SYSINFO_EHDR), "\177ELF", 4));
}

/* A small static program that exits with 42, and what is broken in it. */
struct image {
	Elf64_Ehdr header;
	Elf64_Phdr segments[3];
	unsigned char code[64];
};

static struct image image_good(void)
{
	static const unsigned char code[] = {
		0xb8, 60, 0, 0, 0, 0xbf, 42, 0, 0, 0, 0x0f, 0x05}; /* exit(42) */
	struct image image = {
		.header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_entry = 0x400000 + offsetof(struct image, code),
			.e_phoff = offsetof(struct image, segments),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 1},
		.segments = {{.p_type = PT_LOAD,
			.p_flags = PF_R | PF_X,
			.p_vaddr = 0x400000,
			.p_filesz = sizeof(struct image),
			.p_memsz = sizeof(struct image),
			.p_align = 4096}},
	};

	memcpy(image.code, code, sizeof(code));
	return image;
}

/* Wait status; errors of execve give exit status 200 + errno. */
static int run_image(const struct image *image, size_t size)
{
	char text[16];

	temporary_file("image", image, size);
	chmod("image", 0755);
	return run("./image", (char *[]){"image", NULL}, no_strings, text, sizeof(text));
}

TEST(a_minimal_static_program_runs)
{
	struct image image = image_good();

	temporary_enter();
	CHECK_EQ(WEXITSTATUS(run_image(&image, sizeof(image))), 42);
	image.header.e_type = ET_DYN;
	CHECK_EQ(WEXITSTATUS(run_image(&image, sizeof(image))), 42);
}

#define BROKEN(name_, status_, ...)                                                                \
	TEST(hostile_##name_)                                                                      \
	{                                                                                          \
		struct image image = image_good();                                                 \
		int status;                                                                        \
                                                                                                   \
		temporary_enter();                                                                 \
		__VA_ARGS__;                                                                       \
		status = run_image(&image, sizeof(image));                                         \
		if (status_ > 1000)                                                                \
			CHECK_EQ(                                                                  \
				WIFSIGNALED(status) ? WTERMSIG(status) + 1000 : -status, status_); \
		else                                                                               \
			CHECK_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -status, status_);      \
	}

BROKEN(no_segments, 200 + ENOEXEC, image.header.e_phnum = 0)
BROKEN(header_size, 200 + ENOEXEC, image.header.e_phentsize = 10)
BROKEN(machine, 200 + ENOEXEC, image.header.e_machine = EM_AARCH64)
BROKEN(type, 200 + ENOEXEC, image.header.e_type = ET_REL)
BROKEN(headers_outside, 200 + ENOEXEC, image.header.e_phoff = 1ull << 40)
BROKEN(entry_outside, 1000 + SIGSEGV, image.header.e_entry = 0x7000)
BROKEN(entry_in_kernel, 1000 + SIGSEGV, image.header.e_entry = 0xffffffff80000000)
BROKEN(segment_size_overflow, 1000 + SIGSEGV, image.segments[0].p_memsz = UINT64_MAX - 100)
BROKEN(file_size_above_memory_size, 1000 + SIGSEGV, image.segments[0].p_memsz = 10)
BROKEN(offset_not_like_address, 1000 + SIGSEGV, image.segments[0].p_offset = 3)
BROKEN(empty_interpreter, 200 + ENOEXEC, image.header.e_phnum = 2;
	image.segments[1] = (Elf64_Phdr){
		.p_type = PT_INTERP, .p_offset = offsetof(struct image, code), .p_filesz = 1})
BROKEN(long_interpreter, 200 + ENOEXEC, image.header.e_phnum = 2;
	image.segments[1] = (Elf64_Phdr){.p_type = PT_INTERP, .p_offset = 64, .p_filesz = 5000})
BROKEN(missing_interpreter, 200 + ENOENT, image.header.e_phnum = 2;
	memcpy(image.code + 40, "/nowhere", 9);
	image.segments[1] = (Elf64_Phdr){
		.p_type = PT_INTERP, .p_offset = offsetof(struct image, code) + 40, .p_filesz = 9})
BROKEN(interpreter_without_end, 200 + ENOEXEC, image.header.e_phnum = 2;
	memcpy(image.code + 40, "/nowhere", 9);
	image.segments[1] = (Elf64_Phdr){
		.p_type = PT_INTERP, .p_offset = offsetof(struct image, code) + 40, .p_filesz = 8})
BROKEN(overlapping_segments, 42, image.header.e_phnum = 2; image.segments[1] = image.segments[0])
BROKEN(bss_of_many_pages, 42, image.segments[0].p_flags = PF_R | PF_W | PF_X;
	image.segments[0].p_memsz = 1 << 24)

TEST(hostile_every_truncation)
{
	struct image image = image_good();

	temporary_enter();
	for (size_t size = 0; size < sizeof(image.header) + sizeof(Elf64_Phdr); size += 7) {
		int status = run_image(&image, size);

		if (!WIFEXITED(status) || WEXITSTATUS(status) != 200 + ENOEXEC)
			FAIL("size %zu: status %x", size, status);
	}
}

TEST(thirty_two_bit_program_does_not_run_wild)
{
	struct image image = image_good();
	int status;

	temporary_enter();
	image.header.e_ident[EI_CLASS] = ELFCLASS32;
	status = run_image(&image, sizeof(image));
	CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) == 200 + ENOEXEC ||
		WEXITSTATUS(status) == 42);
}

GUEST_TEST_MAIN()
