/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.json of the OCI runtime specification 1.2, for Linux, as one plain structure. All of it
 * lives in an arena. What cannot be carried out is refused by its name when it is read; properties
 * that the specification does not know are ignored, as it demands.
 */
#pragma once

#include "abi/resource.h"
#include "runsc-c/oci/json_reader.h"
#include "sentry/kernel/container.h"

#define OCI_VERSION "1.2.0"

struct oci_process {
	bool terminal, no_new_privileges, has_oom_score_adj, has_umask;
	uint32_t console_rows, console_columns;
	const char *const *args, *const *env;
	const char *cwd;
	uint32_t uid, gid, umask;
	uint32_t *groups;
	size_t group_count;
	struct process_capabilities capabilities;
	struct linux_rlimit64 limits[LINUX_RLIM_NLIMITS];
	uint32_t limits_given; /* a bit for each */
	int oom_score_adj, nice, ioprio;
	uint32_t policy, priority; /* LINUX_SCHED_* */
	const char *apparmor_profile, *selinux_label;
	cpu_set_t *processors; /* NULL: all */
};

struct oci_id_mapping {
	uint32_t inside, outside, count;
};

struct oci_mount {
	const char *destination, *type, *source;
	const char *data;	   /* options for the file system itself */
	unsigned long flags;	   /* LINUX_MS_* */
	unsigned long propagation; /* LINUX_MS_SHARED..., with LINUX_MS_REC */
	bool bind, recursive, copy_up, recursive_read_only;
	bool mapped,
		mapped_recursive; /* ids are others inside: by these, or by the container's own */
	struct oci_id_mapping *uid_mappings, *gid_mappings;
	size_t uid_mapping_count, gid_mapping_count;
};

enum oci_namespace_type {
	OCI_NAMESPACE_PID,
	OCI_NAMESPACE_NETWORK,
	OCI_NAMESPACE_MOUNT,
	OCI_NAMESPACE_IPC,
	OCI_NAMESPACE_UTS,
	OCI_NAMESPACE_USER,
	OCI_NAMESPACE_CGROUP,
	OCI_NAMESPACE_TIME,
	OCI_NAMESPACE_TYPES,
};

struct oci_namespace {
	bool given;
	const char *path; /* NULL: a new one */
};

enum oci_hook_stage {
	OCI_HOOK_PRESTART,
	OCI_HOOK_CREATE_RUNTIME,
	OCI_HOOK_CREATE_CONTAINER,
	OCI_HOOK_START_CONTAINER,
	OCI_HOOK_POSTSTART,
	OCI_HOOK_POSTSTOP,
	OCI_HOOK_STAGES,
};

struct oci_hook {
	const char *path;
	const char *const *args, *const *env;
	int64_t timeout; /* seconds; 0: none */
};

struct oci_hooks {
	struct oci_hook *hooks;
	size_t count;
};

struct oci_device {
	const char *path;
	uint32_t mode, uid, gid; /* with the type */
	uint64_t rdev;
};

struct oci_seccomp {
	bool given, log;
	struct linux_sock_filter *program; /* compiled, in the arena */
	size_t count;
};

struct oci_spec {
	struct arena arena;
	const char *version, *hostname, *domainname;
	const char *root_path;
	bool root_read_only, has_process;
	struct oci_process process;
	struct oci_mount *mounts;
	size_t mount_count;
	struct oci_hooks hooks[OCI_HOOK_STAGES];
	struct string_pair *annotations;
	size_t annotation_count;
	/* linux */
	struct oci_namespace namespaces[OCI_NAMESPACE_TYPES];
	struct oci_id_mapping *uid_mappings, *gid_mappings;
	size_t uid_mapping_count, gid_mapping_count;
	struct oci_device *devices;
	size_t device_count;
	const char *cgroups_path;
	json_t *resources; /* the object as it is, checked by resources.c; owned. NULL: none */
	struct string_pair *sysctls;
	size_t sysctl_count;
	struct oci_seccomp seccomp;
	const char *const *masked_paths, *const *read_only_paths;
	unsigned long root_propagation; /* LINUX_MS_*, 0: not given */
	uint32_t personality;
	struct time_offsets time_offsets;
	const char *mount_label;
};

/* The words for enum oci_hook_stage, as config.json has them; NULL ends. */
extern const char *const oci_hook_stages[];

/*
 * Reads a document; its file name in errors is shown. from_command: it is one that `create`
 * prepared. The spec must be freed in any case.
 */
must_check int oci_spec_read(struct oci_spec *spec, json_t *root, const char *shown,
	bool from_command, struct failure *failure);
/* For such a document, in place of linux.seccomp. */
json_t *oci_seccomp_compiled(const struct oci_seccomp *seccomp);
void oci_spec_free(struct oci_spec *spec);
const char *oci_annotation(const struct oci_spec *spec, const char *name); /* or NULL */

/* The hooks member of an object: OCI_HOOK_STAGES of them. */
must_check int oci_read_hooks(struct reader *reader, json_t *root, struct oci_hooks *hooks);

/* The parts. */
must_check int oci_read_process(struct reader *reader, json_t *object, struct oci_process *process);
must_check int oci_read_mount(struct reader *reader, json_t *object, void *out);
/* A member that is an array of id mappings; 340 at most. */
must_check int oci_read_mappings(struct reader *reader, json_t *object, const char *name,
	struct oci_id_mapping **out, size_t *count);
/* Mounts with ids of their own, once the container's are known. */
must_check int oci_settle_mounts(struct reader *reader, struct oci_spec *spec);
/* "INSIDE OUTSIDE COUNT" lines, as uid_map takes them; NULL: no memory. */
char *oci_map_lines(struct arena *arena, const struct oci_id_mapping *mappings, size_t count);
must_check int oci_read_linux(struct reader *reader, json_t *object, struct oci_spec *spec);
must_check int oci_read_seccomp(struct reader *reader, json_t *object, struct oci_seccomp *seccomp);
must_check int oci_check_resources(struct reader *reader, json_t *object);
must_check int oci_check_device_limits(struct reader *reader, json_t *resources);
/* The bit of a capability by its name, with or without CAP_; -1: none has it. */
int oci_capability_number(const char *name);
extern const char *const oci_capability_names[];
extern const char *const oci_mount_options[];
