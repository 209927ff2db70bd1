/* SPDX-License-Identifier: Apache-2.0 */
/* `csandbox features` (features.md of the specification) and `csandbox spec`. */
#include "base/cleanup.h"
#include "runsc-c/oci/runtime.h"
#include "runsc-c/oci/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static json_t *words(const char *const *list)
{
	json_t *array = json_array();

	for (; *list; list++)
		(void)json_array_append_new(array, json_string(*list));
	return array;
}

static json_t *linux_features(void)
{
	static const char *const namespaces[] = {
		"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts", NULL};
	static const char *const actions[] = {"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL",
		"SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG", "SCMP_ACT_TRACE",
		"SCMP_ACT_TRAP", NULL};
	static const char *const operators[] = {"SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT",
		"SCMP_CMP_LE", "SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE", NULL};
	static const char *const flags[] = {"SECCOMP_FILTER_FLAG_LOG",
		"SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC", NULL};
	static const char *const architectures[] = {"SCMP_ARCH_X86_64", NULL};

	return json_pack("{s:o, s:o, s:{s:b, s:b, s:b, s:b, s:b, s:b}, s:{s:b, s:o, s:o, s:o, s:o, "
			 "s:o}, s:{s:b}, s:{s:b}, "
			 "s:{s:b}, s:{s:{s:b}}}",
		"namespaces", words(namespaces), "capabilities", words(oci_capability_names),
		"cgroup", "v1", 1, "v2", 1, "systemd", 1, "systemdUser", 1, "rdma", 1, "unified", 1,
		"seccomp", "enabled", 1, "actions", words(actions), "operators", words(operators),
		"archs", words(architectures), "knownFlags", words(flags), "supportedFlags",
		words(flags), "apparmor", "enabled", 0, "selinux", "enabled", 0, "intelRdt",
		"enabled", 0, "mountExtensions", "idmap", "enabled", 1);
}

int command_features(int argc, char **argv, struct failure *failure)
{
	const struct scmp_version *version = seccomp_version();
	int at = options_take(argc, argv, NULL, 0, "features", failure);
	char library[32];
	json_t *features;

	if (at != argc)
		return at > argc ? 0 : 1;
	snprintf(library, sizeof(library), "%u.%u.%u", version->major, version->minor,
		version->micro);
	features = json_pack("{s:s, s:s, s:o, s:o, s:o, s:{s:s, s:s}}", "ociVersionMin", "1.0.0",
		"ociVersionMax", OCI_VERSION, "hooks", words(oci_hook_stages), "mountOptions",
		words(oci_mount_options), "linux", linux_features(), "annotations",
		"io.github.seccomp.libseccomp.version", library, "org.csandbox.version",
		CSANDBOX_VERSION);
	(void)json_dumpf(features, stdout, JSON_INDENT(4));
	putchar('\n');
	json_decref(features);
	return 0;
}

/* --- spec --- */

static const char template[] =
	"{\"ociVersion\":\"" OCI_VERSION
	"\",\"process\":{\"terminal\":true,\"user\":{\"uid\":0,\"gid\":0},"
	"\"args\":[\"sh\"],\"env\":[\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/"
	"sbin:/bin\","
	"\"TERM=xterm\"],\"cwd\":\"/\",\"capabilities\":{"
	"\"bounding\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"],"
	"\"effective\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"],"
	"\"permitted\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"]},"
	"\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":1024,\"soft\":1024}],"
	"\"noNewPrivileges\":true},"
	"\"root\":{\"path\":\"rootfs\",\"readonly\":true},\"hostname\":\"csandbox\",\"mounts\":["
	"{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
	"{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
	"\"options\":[\"nosuid\",\"strictatime\",\"mode=755\",\"size=65536k\"]},"
	"{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\","
	"\"options\":[\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\",\"gid="
	"5\"]},"
	"{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\","
	"\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\",\"size=65536k\"]},"
	"{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\","
	"\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},"
	"{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\","
	"\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]},"
	"{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\","
	"\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"relatime\",\"ro\"]}],"
	"\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\"},{\"type\":\"ipc\"},{"
	"\"type\":\"uts\"},"
	"{\"type\":\"mount\"}],"
	"\"maskedPaths\":[\"/proc/acpi\",\"/proc/asound\",\"/proc/kcore\",\"/proc/keys\",\"/proc/"
	"latency_stats\","
	"\"/proc/timer_list\",\"/proc/timer_stats\",\"/proc/sched_debug\",\"/sys/firmware\",\"/"
	"proc/scsi\"],"
	"\"readonlyPaths\":[\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/sys\",\"/proc/"
	"sysrq-trigger\"]}}";

/* For who is not root: ids of its own, and no cgroup that it could not make. */
static void make_rootless(json_t *spec)
{
	json_t *section = json_object_get(spec, "linux");

	(void)json_array_append_new(
		json_object_get(section, "namespaces"), json_pack("{s:s}", "type", "user"));
	(void)json_object_set_new(section, "uidMappings",
		json_pack("[{s:i, s:I, s:i}]", "containerID", 0, "hostID", (json_int_t)geteuid(),
			"size", 1));
	(void)json_object_set_new(section, "gidMappings",
		json_pack("[{s:i, s:I, s:i}]", "containerID", 0, "hostID", (json_int_t)getegid(),
			"size", 1));
}

int command_spec(int argc, char **argv, struct failure *failure)
{
	const char *bundle = ".";
	bool rootless = false;
	const struct option_row rows[] = {{"bundle", "b", OPTION_TEXT, &bundle, "DIR",
						  "the bundle (default: the working directory)"},
		{"rootless", NULL, OPTION_FLAG, &rootless, NULL, "for a caller that is not root"}};
	int at = options_take(argc, argv, rows, array_count(rows), "spec [OPTION...]", failure);
	auto_close int directory = -1, fd = -1;
	json_t *spec;

	if (at != argc)
		return at > argc ? 0 : 1;
	directory = open(bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = directory < 0 ? -1
			   : openat(directory, "config.json",
				     O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0) {
		(void)fail_errno(failure, errno, "spec: cannot write %s/config.json", bundle);
		return 1;
	}
	spec = json_loads(template, 0, NULL);
	if (rootless)
		make_rootless(spec);
	if (!spec || json_dumpfd(spec, fd, JSON_INDENT(4)) || write(fd, "\n", 1) != 1)
		(void)fail_errno(failure, errno, "spec: cannot write %s/config.json", bundle);
	json_decref(spec);
	return failure->message[0] ? 1 : 0;
}
