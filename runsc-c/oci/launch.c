/* SPDX-License-Identifier: Apache-2.0 */
/* Makes what the kernel starts out of config.json. */
#include "runsc-c/oci/launch.h"

#include "abi/limits.h"
#include "abi/mount.h"
#include "abi/stat.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Besides what the spec names: the root, devices, links, and the root made read-only. */
#define MOUNTS_BESIDES 24

static size_t count_strings(const char *const *strings)
{
	size_t count = 0;

	while (strings && strings[count])
		count++;
	return count;
}

struct build {
	struct oci_launch *launch;
	struct oci_spec *spec;
	struct arena *arena;
	bool failed;
};

static struct sandbox_mount *add(struct build *build, enum sandbox_mount_type type,
	const char *source, const char *destination)
{
	struct container_config *config = &build->launch->config;
	struct sandbox_mount *mount = &build->launch->mounts[config->mount_count++];

	mount->type = type;
	mount->source_fd = -1;
	mount->source = source;
	mount->destination = destination;
	return mount;
}

static struct oci_source *add_source(struct build *build, const char *path,
	struct sandbox_mount *mount, bool writable, bool recursive)
{
	struct oci_source *source = &build->launch->sources[build->launch->source_count++];

	*source = (struct oci_source){.path = path,
		.mount = mount,
		.writable = writable,
		.recursive = recursive,
		.fd = -1,
		.place = "root.path"};
	build->failed |= !path;
	return source;
}

static void add_root(struct build *build, const char *path)
{
	struct sandbox_mount *mount = add(build, SANDBOX_MOUNT_BIND, path, "/");

	mount->gives_owners = true;
	add_source(build, path, mount, true, true)->is_root = true;
}

static void add_bind(struct build *build, const struct oci_mount *from, size_t index)
{
	struct sandbox_mount *mount =
		add(build, SANDBOX_MOUNT_BIND, from->source, from->destination);
	struct oci_source *source;

	mount->flags = from->flags & ~(unsigned long)LINUX_MS_RDONLY;
	mount->read_only = from->flags & LINUX_MS_RDONLY;
	mount->gives_owners = true;
	source = add_source(build, from->source, mount, !mount->read_only, from->recursive);
	source->place = arena_format(build->arena, "mounts[%zu].source", index);
	build->failed |= !source->place;
	if (!from->mapped)
		return;
	source->uids = oci_map_lines(build->arena, from->uid_mappings, from->uid_mapping_count);
	source->gids = oci_map_lines(build->arena, from->gid_mappings, from->gid_mapping_count);
	source->mapped_recursive = from->mapped_recursive;
	build->failed |= !source->uids || !source->gids;
}

/* Of directories of the host: how engines give a container a volume whose changes are thrown away.
 */
static void add_overlay(struct build *build, const struct oci_mount *from, size_t index)
{
	struct sandbox_mount *mount = add(build, SANDBOX_MOUNT_BIND, "overlay", from->destination);
	struct oci_source *source;

	mount->flags = from->flags & ~(unsigned long)LINUX_MS_RDONLY;
	mount->read_only = from->flags & LINUX_MS_RDONLY;
	mount->gives_owners = true;
	source = add_source(build, "overlay", mount, !mount->read_only, false);
	source->overlay = from->data;
	source->place = arena_format(build->arena, "mounts[%zu]", index);
	build->failed |= !source->place;
}

static void add_mount(struct build *build, const struct oci_mount *from, size_t index)
{
	struct sandbox_mount *mount;

	if (from->bind) {
		add_bind(build, from, index);
	} else if (!strcmp(from->type, "overlay") && from->data) {
		add_overlay(build, from, index);
	} else {
		mount = add(build, SANDBOX_MOUNT_FS, from->source ? from->source : from->type,
			from->destination);
		mount->fs_type = from->type;
		mount->options = from->data;
		mount->flags = from->flags;
		mount->copy_up = from->copy_up;
	}
	if (from->recursive_read_only) {
		mount = add(build, SANDBOX_MOUNT_REMOUNT, NULL, from->destination);
		mount->flags = from->flags;
		mount->recursive = true;
	}
	if (from->propagation) {
		mount = add(build, SANDBOX_MOUNT_PROPAGATION, NULL, from->destination);
		mount->flags = from->propagation;
	}
}

/* A /dev that is not the container's own is left as it is. */
static bool owns_dev(const struct oci_spec *spec)
{
	for (size_t i = 0; i < spec->mount_count; i++) {
		if (!strcmp(spec->mounts[i].destination, "/dev"))
			return !spec->mounts[i].bind;
	}
	return true;
}

static void add_node(struct build *build, const char *path, uint32_t mode, uint64_t rdev)
{
	struct sandbox_mount *mount = add(build, SANDBOX_MOUNT_NODE, NULL, path);

	mount->mode = mode;
	mount->rdev = rdev;
}

static void add_default_devices(struct build *build)
{
	static const struct {
		const char *path;
		unsigned int major, minor;
	} nodes[] = {{"/dev/null", 1, 3}, {"/dev/zero", 1, 5}, {"/dev/full", 1, 7},
		{"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0}};
	static const char *const links[][2] = {{"pts/ptmx", "/dev/ptmx"},
		{"/proc/self/fd", "/dev/fd"}, {"/proc/self/fd/0", "/dev/stdin"},
		{"/proc/self/fd/1", "/dev/stdout"}, {"/proc/self/fd/2", "/dev/stderr"}};

	for (size_t i = 0; i < array_count(nodes); i++)
		add_node(build, nodes[i].path, LINUX_S_IFCHR | 0666,
			makedev(nodes[i].major, nodes[i].minor));
	for (size_t i = 0; i < array_count(links); i++)
		add(build, SANDBOX_MOUNT_SYMLINK, links[i][0], links[i][1]);
}

static void add_devices(struct build *build)
{
	const struct oci_spec *spec = build->spec;

	if (owns_dev(spec))
		add_default_devices(build);
	for (size_t i = 0; i < spec->device_count; i++) {
		const struct oci_device *device = &spec->devices[i];
		struct sandbox_mount *mount = add(build, SANDBOX_MOUNT_NODE, NULL, device->path);

		mount->mode = device->mode;
		mount->rdev = device->rdev;
		mount->uid = device->uid;
		mount->gid = device->gid;
	}
}

static void add_protection(struct build *build)
{
	const struct oci_spec *spec = build->spec;

	for (size_t i = 0; spec->read_only_paths && spec->read_only_paths[i]; i++)
		add(build, SANDBOX_MOUNT_READ_ONLY, NULL, spec->read_only_paths[i]);
	for (size_t i = 0; spec->masked_paths && spec->masked_paths[i]; i++)
		add(build, SANDBOX_MOUNT_MASK, NULL, spec->masked_paths[i]);
	if (spec->root_propagation)
		add(build, SANDBOX_MOUNT_PROPAGATION, NULL, "/")->flags = spec->root_propagation;
	if (spec->root_read_only)
		add(build, SANDBOX_MOUNT_REMOUNT, NULL, "/")->flags = LINUX_MS_RDONLY;
}

static int build_mounts(struct build *build, const char *root, struct failure *failure)
{
	const struct oci_spec *spec = build->spec;
	size_t most = spec->mount_count * 3 + spec->device_count +
		      count_strings(spec->masked_paths) + count_strings(spec->read_only_paths) +
		      MOUNTS_BESIDES;

	build->launch->mounts = arena_allocate(build->arena, most, sizeof(*build->launch->mounts));
	build->launch->sources = arena_allocate(
		build->arena, spec->mount_count + 1, sizeof(*build->launch->sources));
	if (!build->launch->mounts || !build->launch->sources)
		return fail_errno(failure, ENOMEM, "config.json");
	add_root(build, arena_string(build->arena, root));
	for (size_t i = 0; i < spec->mount_count; i++)
		add_mount(build, &spec->mounts[i], i);
	add_devices(build);
	add_protection(build);
	build->launch->config.mounts = build->launch->mounts;
	return build->failed ? fail_errno(failure, ENOMEM, "config.json") : 0;
}

/* prlimit64 speaks our layout already. */
static void inherit_limits(struct linux_rlimit64 *limits)
{
	for (int i = 0; i < LINUX_RLIM_NLIMITS; i++) {
		if (syscall(SYS_prlimit64, 0, i, NULL, &limits[i]))
			limits[i] =
				(struct linux_rlimit64){LINUX_RLIM_INFINITY, LINUX_RLIM_INFINITY};
	}
}

int oci_process_build(struct arena *arena, const struct oci_process *from,
	const struct oci_seccomp *seccomp, struct process_config *process)
{
	struct linux_rlimit64 *limits = arena_allocate(arena, LINUX_RLIM_NLIMITS, sizeof(*limits));

	if (!limits)
		return -1;
	inherit_limits(limits);
	for (int i = 0; i < LINUX_RLIM_NLIMITS; i++) {
		if (from->limits_given & 1u << i)
			limits[i] = from->limits[i];
	}
	*process = (struct process_config){.argv = from->args,
		.envp = from->env,
		.working_directory = from->cwd,
		.uid = from->uid,
		.gid = from->gid,
		.umask = from->umask,
		.groups = from->groups,
		.group_count = from->group_count,
		.capabilities = from->capabilities,
		.no_new_privileges = from->no_new_privileges,
		.limits = limits,
		.oom_score_adj = from->oom_score_adj,
		.nice = from->nice,
		.ioprio = from->ioprio,
		.policy = from->policy,
		.priority = from->priority,
		.processors = from->processors,
		.console = {.fd = -1}};
	if (seccomp && seccomp->given) {
		process->seccomp = seccomp->program;
		process->seccomp_count = seccomp->count;
		process->seccomp_log = seccomp->log;
	}
	return 0;
}

static uint64_t amount_of(const struct oci_spec *spec, const char *resource, const char *member)
{
	json_t *section = json_object_get(spec->resources, resource);
	double limit = json_number_value(json_object_get(section, member));

	return limit > 0 && limit < 9e18 ? (uint64_t)limit : 0;
}

int oci_launch_build(struct oci_launch *launch, struct oci_spec *spec, const char *id,
	const char *root, struct failure *failure)
{
	struct build build = {.launch = launch, .spec = spec, .arena = &spec->arena};
	struct container_config *config = &launch->config;

	*launch = (struct oci_launch){0};
	if (!spec->has_process)
		return fail(failure, STATUS_INTERNAL, "config.json: process: missing");
	if (build_mounts(&build, root, failure))
		return -1;
	if (oci_process_build(&spec->arena, &spec->process, &spec->seccomp, &launch->process))
		return fail_errno(failure, ENOMEM, "config.json");
	launch->process.personality = spec->personality;
	config->id = id;
	config->hostname = spec->hostname;
	config->domainname = spec->domainname;
	config->new_pid = spec->namespaces[OCI_NAMESPACE_PID].given;
	config->new_ipc = spec->namespaces[OCI_NAMESPACE_IPC].given;
	config->new_uts = spec->namespaces[OCI_NAMESPACE_UTS].given;
	config->new_time = spec->namespaces[OCI_NAMESPACE_TIME].given;
	config->new_cgroup = spec->namespaces[OCI_NAMESPACE_CGROUP].given;
	config->time_offsets = spec->time_offsets;
	config->limits = (struct container_limits){.memory = amount_of(spec, "memory", "limit"),
		.tasks = amount_of(spec, "pids", "limit"),
		.cpu_quota_us = amount_of(spec, "cpu", "quota"),
		.cpu_period_us = amount_of(spec, "cpu", "period")};
	config->sysctls =
		arena_allocate(&spec->arena, spec->sysctl_count + 1, sizeof(*config->sysctls));
	if (!config->sysctls)
		return fail_errno(failure, ENOMEM, "config.json");
	for (size_t i = 0; i < spec->sysctl_count; i++)
		((struct sysctl_setting *)config->sysctls)[i] = (struct sysctl_setting){
			.name = spec->sysctls[i].name, .value = spec->sysctls[i].value};
	config->sysctl_count = spec->sysctl_count;
	return 0;
}
