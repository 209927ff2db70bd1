/* SPDX-License-Identifier: Apache-2.0 */
/* What programs look for in /sys. */
#include "tests/guest/proc_read.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/statfs.h>

TEST(it_is_sysfs)
{
	struct statfs status;

	CHECK(statfs("/sys", &status) == 0);
	CHECK_EQ(status.f_type, 0x62656572);
}

TEST(files_are_a_page_to_stat)
{
	struct stat status, again;

	CHECK(stat("/sys/devices/system/cpu/online", &status) == 0);
	CHECK_EQ(status.st_size, 4096);
	CHECK_EQ(status.st_mode, S_IFREG | 0444);
	CHECK(stat("/sys/devices/system/cpu/online", &again) == 0);
	CHECK_EQ(status.st_ino, again.st_ino);
}

/* Processors in a list such as "0-3,5". */
static int list_count(const char *text)
{
	int count = 0;

	while (*text && *text != '\n') {
		char *end;
		long first = strtol(text, &end, 10), last = first;

		CHECK(end != text);
		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		count += (int)(last - first + 1);
		text = end + (*end == ',');
	}
	return count;
}

TEST(processors_are_counted)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	char name[128];

	CHECK_EQ(list_count(proc_text("/sys/devices/system/cpu/online")), online);
	CHECK(list_count(proc_text("/sys/devices/system/cpu/possible")) >= online);
	CHECK(list_count(proc_text("/sys/devices/system/cpu/present")) >= online);
	CHECK_EQ(sysconf(_SC_NPROCESSORS_CONF) >= online, 1);
	for (long i = 0; i < online; i++) {
		snprintf(name, sizeof(name),
			"/sys/devices/system/cpu/cpu%ld/topology/physical_package_id", i);
		CHECK(access(name, R_OK) == 0);
		CHECK(strtol(proc_text("/sys/devices/system/cpu/cpu%ld/topology/core_id", i), NULL,
			      10) >= 0);
	}
	CHECK_ERRNO(access("/sys/devices/system/cpu/cpu9999", F_OK), ENOENT);
	CHECK_ERRNO(access("/sys/devices/system/cpu/cpu01", F_OK), ENOENT);
}

TEST(processors_are_listed)
{
	DIR *directory = opendir("/sys/devices/system/cpu");
	struct dirent *entry;
	int count = 0, number, used;

	CHECK(directory);
	while ((entry = readdir(directory))) {
		if (sscanf(entry->d_name, "cpu%d%n", &number, &used) == 1 && !entry->d_name[used]) {
			CHECK_EQ(entry->d_type, DT_DIR);
			count++;
		}
	}
	CHECK_EQ(count, sysconf(_SC_NPROCESSORS_CONF));
}

TEST(node_0_has_memory)
{
	CHECK_EQ(list_count(proc_text("/sys/devices/system/node/online")) >= 1, 1);
	CHECK(strstr(proc_text("/sys/devices/system/node/node0/meminfo"), "Node 0 MemTotal: "));
	CHECK(list_count(proc_text("/sys/devices/system/node/node0/cpulist")) >= 1);
	CHECK_EQ(strtol(proc_text("/sys/devices/system/node/node0/distance"), NULL, 10), 10);
	CHECK(access("/sys/devices/system/node/node0/cpu0/topology", F_OK) == 0);
}

TEST(the_loopback_is_there)
{
	char byte;
	int fd;

	CHECK(strcmp(proc_link("/sys/class/net/lo"), "../../devices/virtual/net/lo") == 0);
	CHECK(strcmp(proc_text("/sys/class/net/lo/mtu"), "65536\n") == 0);
	CHECK(strcmp(proc_text("/sys/class/net/lo/address"), "00:00:00:00:00:00\n") == 0);
	CHECK(strcmp(proc_text("/sys/class/net/lo/ifindex"), "1\n") == 0);
	CHECK(strcmp(proc_text("/sys/class/net/lo/type"), "772\n") == 0);
	CHECK(strtoll(proc_text("/sys/class/net/lo/statistics/rx_bytes"), NULL, 10) >= 0);
	fd = open("/sys/class/net/lo/speed", O_RDONLY);
	CHECK(fd >= 0);
	CHECK_ERRNO(read(fd, &byte, 1), EINVAL);
}

TEST(huge_pages_have_their_words)
{
	char *text = proc_text("/sys/kernel/mm/transparent_hugepage/enabled");

	CHECK(strchr(text, '[') && strchr(text, ']') && strstr(text, "always") &&
		strstr(text, "never"));
	CHECK_EQ(strtol(proc_text("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"), NULL, 10),
		2097152);
}

TEST(terminals_have_their_numbers)
{
	CHECK(strcmp(proc_text("/sys/class/tty/tty/dev"), "5:0\n") == 0);
}

TEST(usual_directories_are_there)
{
	static const char *const names[] = {"block", "bus", "class", "dev", "devices", "firmware",
		"fs", "kernel", "module", "class/net", "class/tty", "devices/system",
		"devices/virtual", "fs/cgroup", "kernel/mm"};
	char name[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct stat status;

		snprintf(name, sizeof(name), "/sys/%s", names[i]);
		if (stat(name, &status))
			FAIL("%s: %s", name, strerror(errno));
		CHECK(S_ISDIR(status.st_mode));
	}
}

TEST(nothing_is_made_here)
{
	int fd = open("/sys/new", O_WRONLY | O_CREAT, 0600);

	CHECK(fd < 0 && (errno == EACCES || errno == EROFS || errno == ENOENT));
	CHECK(mkdir("/sys/class/new", 0700) < 0 && errno != EEXIST);
}

GUEST_TEST_MAIN()
