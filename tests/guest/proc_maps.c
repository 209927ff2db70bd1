/* SPDX-License-Identifier: Apache-2.0 */
/* What /proc/self/maps, smaps and statm tell of mappings. */
#include "tests/guest/proc_read.h"
#include "tests/guest/temporary.h"

#include <dirent.h>
#include <limits.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA	     0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

#define PAGE 4096ul

/* The line of the area that an address is in; NULL for none. */
static char *area_line(char *text, const void *address)
{
	for (char *line = text; line && *line;
		line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		unsigned long start, end;

		if (sscanf(line, "%lx-%lx ", &start, &end) == 2 &&
			(unsigned long)address >= start && (unsigned long)address < end)
			return line;
	}
	return NULL;
}

static void check_line(const char *line, const char *expected)
{
	size_t length = strcspn(line, "\n");

	if (length != strlen(expected) || memcmp(line, expected, length))
		FAIL("'%.*s' is not '%s'", (int)length, line, expected);
}

TEST(anonymous_areas_show_exactly)
{
	char *memory = mmap(NULL, 5 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	     expected[256];

	CHECK(memory != MAP_FAILED);
	CHECK(mprotect(memory + PAGE, PAGE, PROT_READ | PROT_WRITE) == 0);
	CHECK(mprotect(memory + 2 * PAGE, PAGE, PROT_READ | PROT_EXEC) == 0);
	snprintf(expected, sizeof(expected), "%08lx-%08lx rw-p 00000000 00:00 0 ",
		(long)memory + PAGE, (long)memory + 2 * PAGE);
	check_line(area_line(proc_text("/proc/self/maps"), memory + PAGE), expected);
	snprintf(expected, sizeof(expected), "%08lx-%08lx r-xp 00000000 00:00 0 ",
		(long)memory + 2 * PAGE, (long)memory + 3 * PAGE);
	check_line(area_line(proc_text("/proc/self/maps"), memory + 2 * PAGE), expected);
	CHECK(munmap(memory + PAGE, PAGE) == 0);
	CHECK(!area_line(proc_text("/proc/self/maps"), memory + PAGE));
}

static void expect_file(const char *memory, size_t size, const char *rights, unsigned long offset,
	const struct stat *stat, const char *name)
{
	char expected[512];
	int used = snprintf(expected, sizeof(expected), "%08lx-%08lx %s %08lx %02x:%02x %lu ",
		(long)memory, (long)memory + size, rights, offset, major(stat->st_dev),
		minor(stat->st_dev), stat->st_ino);

	snprintf(expected + used, sizeof(expected) - (size_t)used, "%*s%s",
		used < 73 ? 73 - used : 0, "", name);
	check_line(area_line(proc_text("/proc/self/maps"), memory), expected);
}

TEST(files_show_exactly)
{
	char name[256], *shared, *private;
	struct stat status;
	int fd;

	temporary_enter();
	fd = open("a file", O_RDWR | O_CREAT, 0600);
	CHECK(ftruncate(fd, 4 * PAGE) == 0);
	CHECK(fstat(fd, &status) == 0);
	shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
	private = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(shared != MAP_FAILED && private != MAP_FAILED);
	snprintf(name, sizeof(name), "%s/a file", temporary_path);
	expect_file(shared, 2 * PAGE, "rw-s", PAGE, &status, name);
	expect_file(private, PAGE, "r--p", 0, &status, name);
	CHECK(rename("a file", "b\nfile") == 0);
	snprintf(name, sizeof(name), "%s/b\\012file", temporary_path);
	expect_file(shared, 2 * PAGE, "rw-s", PAGE, &status, name);
	CHECK(unlink("b\nfile") == 0);
	snprintf(name, sizeof(name), "%s/b\\012file (deleted)", temporary_path);
	expect_file(shared, 2 * PAGE, "rw-s", PAGE, &status, name);
}

TEST(kinds_of_memory_have_their_names)
{
	char *text, *heap = sbrk(0), on_stack;

	CHECK(sbrk(4096) != (void *)-1);
	text = proc_text("/proc/self/maps");
	CHECK(strstr(area_line(text, heap), "                  [heap]\n"));
	CHECK(strncmp(strchr(area_line(text, &on_stack), ' '), " rw-p ", 6) == 0);
	CHECK(strstr(area_line(text, &on_stack), "[stack]\n"));
	CHECK(strstr(text, "r-xp 00000000 00:00 0                          [vdso]\n"));
}

TEST(memfd_shows_its_name)
{
	int fd = memfd_create("some memory", 0);
	char *memory;

	CHECK(ftruncate(fd, PAGE) == 0);
	memory = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(memory != MAP_FAILED);
	CHECK(strstr(area_line(proc_text("/proc/self/maps"), memory),
		" /memfd:some memory (deleted)\n"));
}

TEST(shared_anonymous_memory_is_dev_zero)
{
	char *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(strstr(area_line(proc_text("/proc/self/maps"), memory), "/dev/zero (deleted)\n"));
}

TEST(areas_are_in_order_and_apart)
{
	char *text = proc_text("/proc/self/maps");
	unsigned long last = 0;
	int lines = 0;

	for (char *line = text; line && *line;
		line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		unsigned long start, end;

		CHECK_EQ(sscanf(line, "%lx-%lx ", &start, &end), 2);
		CHECK(start >= last && end > start && start % PAGE == 0 && end % PAGE == 0);
		last = end;
		lines++;
	}
	CHECK(lines > 5);
}

TEST(many_areas_come_whole_in_small_reads)
{
	static char whole[PROC_TEXT_MAX];
	char *memory = mmap(NULL, 2000 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	     *line;
	size_t size = 0, found = 0;
	ssize_t got;
	int fd;

	for (int i = 0; i < 2000; i += 2)
		CHECK(mprotect(memory + i * PAGE, PAGE, PROT_READ | PROT_WRITE) == 0);
	fd = open("/proc/self/maps", O_RDONLY);
	while ((got = read(fd, whole + size, 777)) > 0)
		size += (size_t)got;
	CHECK_EQ(got, 0);
	for (int i = 0; i < 2000; i++) {
		line = area_line(whole, memory + i * PAGE);
		found += line && line[strcspn(line, " ") + 2] == (i % 2 ? '-' : 'w');
	}
	CHECK_EQ(found, 2000);
}

TEST(smaps_counts_what_was_touched)
{
	char *memory = mmap(
		     NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	     *area;

	/* A neighbour could be merged with it. */
	CHECK(mprotect(memory, PAGE, PROT_NONE) == 0 &&
		mprotect(memory + 63 * PAGE, PAGE, PROT_NONE) == 0);
	memset(memory + PAGE, 1, 10 * PAGE);
	area = area_line(proc_text("/proc/self/smaps"), memory + PAGE);
	CHECK_EQ(proc_number(area, "Size:"), 62 * 4);
	CHECK(proc_number(area, "Rss:") >= 10 * 4);
	CHECK_EQ(proc_number(area, "KernelPageSize:"), 4);
	CHECK(proc_number(area, "Private_Dirty:") >= 10 * 4);
	CHECK(proc_number(area, "Anonymous:") >= 10 * 4);
	CHECK_EQ(proc_number(area, "Swap:"), 0);
	CHECK(strncmp(proc_field(area, "VmFlags:"), "rd wr mr mw me ", 15) == 0);
}

TEST(smaps_tells_of_the_vsyscall_page_too)
{
	char *page = (char *)0xffffffffff600000ul, *area;

	if (!area_line(proc_text("/proc/self/maps"), page))
		SKIP("no vsyscall page");
	area = area_line(proc_text("/proc/self/smaps"), page);
	CHECK(area && strstr(area, "[vsyscall]"));
	CHECK_EQ(proc_number(area, "Size:"), 4);
	CHECK_EQ(proc_number(area, "Rss:"), 0);
}

TEST(smaps_rollup_is_the_sum)
{
	long long sum = 0, rollup = proc_number(proc_text("/proc/self/smaps_rollup"), "Rss:");
	char *text = proc_text("/proc/self/smaps");

	for (char *at = proc_field(text, "Rss:"); at; at = proc_field(at, "Rss:"))
		sum += strtoll(at, NULL, 10);
	CHECK(sum >= rollup && sum < rollup + rollup / 2 + 2048);
}

TEST(statm_and_status_agree)
{
	unsigned long size, resident, shared, text, library, data, dirty;
	char *status = proc_text("/proc/self/status");
	long long kib = proc_number(status, "VmSize:"), data_kib = proc_number(status, "VmData:");
	char *statm = proc_text("/proc/self/statm");

	CHECK_EQ(sscanf(statm, "%lu %lu %lu %lu %lu %lu %lu", &size, &resident, &shared, &text,
			 &library, &data, &dirty),
		7);
	CHECK_EQ(size * 4, kib);
	CHECK(resident > 0 && resident <= size && shared <= resident && text > 0);
	CHECK(data * 4 >= (unsigned long)data_kib);
	CHECK_EQ(library, 0);
	CHECK_EQ(dirty, 0);
}

TEST(pagemap_has_a_word_a_page)
{
	char *memory =
		mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t words[4];

	CHECK(fd >= 0);
	CHECK_EQ(pread(fd, words, sizeof(words), (off_t)((uintptr_t)memory / PAGE * 8)),
		sizeof(words));
	CHECK_ERRNO(pread(fd, words, 7, 0), EINVAL);
}

/* --- map_files, numa_maps --- */

static char *map_file(const char *format, unsigned long start, unsigned long end)
{
	static char name[128];

	snprintf(name, sizeof(name), format, start, end);
	return name;
}

/* A mapping of a file of the test's own. */
static unsigned long map_own(char path[PATH_MAX])
{
	void *memory;
	int fd;

	temporary_enter();
	temporary_text("mapped", "contents");
	CHECK(realpath("mapped", path));
	fd = open("mapped", O_RDONLY);
	memory = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(memory != MAP_FAILED && close(fd) == 0);
	return (unsigned long)memory;
}

static bool is_listed(const char *wanted)
{
	DIR *directory = opendir("/proc/self/map_files");
	struct dirent *entry;
	bool found = false;

	CHECK(directory);
	while ((entry = readdir(directory)))
		found |= !strcmp(entry->d_name, wanted);
	closedir(directory);
	return found;
}

TEST(map_files)
{
	char path[PATH_MAX], target[PATH_MAX] = "", *name;
	unsigned long start;
	struct stat status;

	if (access("/proc/self/map_files", F_OK))
		SKIP("no map_files");
	start = map_own(path);
	CHECK(is_listed(map_file("%lx-%lx", start, start + PAGE)));
	name = map_file("/proc/self/map_files/%lx-%lx", start, start + PAGE);
	CHECK(lstat(name, &status) == 0);
	CHECK_EQ(status.st_mode, S_IFLNK | 0400);
	CHECK(readlink(name, target, sizeof(target)) > 0 && !strcmp(target, path));
	if (getuid() == 0) {
		CHECK(stat(name, &status) == 0 && S_ISREG(status.st_mode));
		CHECK_EQ(status.st_size, 8);
		CHECK_EQ(proc_text("%s", name)[0], 'c');
	}
	CHECK_ERRNO(lstat(map_file("/proc/self/map_files/%lx-%lx", start, start + 2 * PAGE),
			    &status),
		ENOENT);
	CHECK_ERRNO(lstat(map_file("/proc/self/map_files/0%lx-%lx", start, start + PAGE), &status),
		ENOENT);
	CHECK_ERRNO(lstat("/proc/self/map_files/nothing", &status), ENOENT);
	CHECK_ERRNO(lstat("/proc/self/task/self/map_files", &status), ENOENT);
	CHECK(munmap((void *)start, PAGE) == 0);
	CHECK(!is_listed(map_file("%lx-%lx", start, start + PAGE)));
	name = map_file("/proc/self/map_files/%lx-%lx", start, start + PAGE);
	CHECK_ERRNO(readlink(name, target, sizeof(target)), ENOENT);
}

TEST(map_files_follow_by_privilege)
{
	char path[PATH_MAX], target[PATH_MAX] = "", *name;
	unsigned long start;

	if (getuid())
		SKIP("needs root");
	if (access("/proc/self/map_files", F_OK))
		SKIP("no map_files");
	start = map_own(path);
	name = map_file("/proc/self/map_files/%lx-%lx", start, start + PAGE);
	CHECK(setresuid(1000, 1000, 1000) == 0 && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
	CHECK(readlink(name, target, sizeof(target)) > 0 && !strcmp(target, path));
	CHECK_ERRNO(open(name, O_RDONLY), EPERM);
	name = map_file("/proc/1/map_files/%lx-%lx", start, start + PAGE);
	CHECK_ERRNO(readlink(name, target, sizeof(target)), EACCES);
}

TEST(numa_maps)
{
	char path[PATH_MAX], expected[PATH_MAX + 64];
	unsigned long start;

	if (access("/proc/self/numa_maps", F_OK))
		SKIP("no numa_maps");
	start = map_own(path);
	snprintf(expected, sizeof(expected), "%08lx default file=%s", start, path);
	CHECK(strstr(proc_text("/proc/self/numa_maps"), expected));
	CHECK_EQ(*(volatile const char *)start, 'c');
	CHECK(strstr(strstr(proc_text("/proc/self/numa_maps"), expected), "kernelpagesize_kB=4"));
	CHECK(strstr(proc_text("/proc/self/numa_maps"), " default stack anon="));
}

GUEST_TEST_MAIN()
