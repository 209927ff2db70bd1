/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts of config.json: options as flags of a mount, types of propagation, and words for the
 * file system itself. */
#include "abi/mount.h"
#include "runsc-c/oci/spec.h"

#include <string.h>

enum option_kind {
	OPTION_SET,
	OPTION_CLEAR,
	OPTION_BIND,
	OPTION_PROPAGATION,
	OPTION_COPY_UP,
	OPTION_RECURSIVE,
	OPTION_NONE,
	OPTION_MAPPED,
};

struct option {
	const char *name;
	enum option_kind kind;
	unsigned long flags;
};

static const struct option options[] = {
	{"async", OPTION_CLEAR, LINUX_MS_SYNCHRONOUS},
	{"atime", OPTION_CLEAR, LINUX_MS_NOATIME},
	{"bind", OPTION_BIND, 0},
	{"defaults", OPTION_NONE, 0},
	{"dev", OPTION_CLEAR, LINUX_MS_NODEV},
	{"diratime", OPTION_CLEAR, LINUX_MS_NODIRATIME},
	{"dirsync", OPTION_SET, LINUX_MS_DIRSYNC},
	{"exec", OPTION_CLEAR, LINUX_MS_NOEXEC},
	{"iversion", OPTION_NONE, 0},
	{"lazytime", OPTION_NONE, 0},
	{"loud", OPTION_NONE, 0},
	{"mand", OPTION_NONE, 0},
	{"noatime", OPTION_SET, LINUX_MS_NOATIME},
	{"nodev", OPTION_SET, LINUX_MS_NODEV},
	{"nodiratime", OPTION_SET, LINUX_MS_NODIRATIME},
	{"noexec", OPTION_SET, LINUX_MS_NOEXEC},
	{"noiversion", OPTION_NONE, 0},
	{"nolazytime", OPTION_NONE, 0},
	{"nomand", OPTION_NONE, 0},
	{"norelatime", OPTION_CLEAR, LINUX_MS_RELATIME},
	{"nostrictatime", OPTION_CLEAR, LINUX_MS_STRICTATIME},
	{"nosuid", OPTION_SET, LINUX_MS_NOSUID},
	{"nosymfollow", OPTION_SET, LINUX_MS_NOSYMFOLLOW},
	{"private", OPTION_PROPAGATION, LINUX_MS_PRIVATE},
	{"rbind", OPTION_BIND, LINUX_MS_REC},
	{"relatime", OPTION_SET, LINUX_MS_RELATIME},
	{"remount", OPTION_NONE, 0},
	{"ro", OPTION_SET, LINUX_MS_RDONLY},
	{"rprivate", OPTION_PROPAGATION, LINUX_MS_PRIVATE | LINUX_MS_REC},
	{"rshared", OPTION_PROPAGATION, LINUX_MS_SHARED | LINUX_MS_REC},
	{"rslave", OPTION_PROPAGATION, LINUX_MS_SLAVE | LINUX_MS_REC},
	{"runbindable", OPTION_PROPAGATION, LINUX_MS_UNBINDABLE | LINUX_MS_REC},
	{"rw", OPTION_CLEAR, LINUX_MS_RDONLY},
	{"shared", OPTION_PROPAGATION, LINUX_MS_SHARED},
	{"silent", OPTION_NONE, 0},
	{"slave", OPTION_PROPAGATION, LINUX_MS_SLAVE},
	{"strictatime", OPTION_SET, LINUX_MS_STRICTATIME},
	{"suid", OPTION_CLEAR, LINUX_MS_NOSUID},
	{"symfollow", OPTION_CLEAR, LINUX_MS_NOSYMFOLLOW},
	{"sync", OPTION_SET, LINUX_MS_SYNCHRONOUS},
	{"tmpcopyup", OPTION_COPY_UP, 0},
	{"unbindable", OPTION_PROPAGATION, LINUX_MS_UNBINDABLE},
	/* With all that is mounted below. */
	{"rro", OPTION_RECURSIVE, LINUX_MS_RDONLY},
	{"rrw", OPTION_NONE, 0},
	{"rnosuid", OPTION_RECURSIVE, LINUX_MS_NOSUID},
	{"rsuid", OPTION_NONE, 0},
	{"rnodev", OPTION_RECURSIVE, LINUX_MS_NODEV},
	{"rdev", OPTION_NONE, 0},
	{"rnoexec", OPTION_RECURSIVE, LINUX_MS_NOEXEC},
	{"rexec", OPTION_NONE, 0},
	{"rnoatime", OPTION_RECURSIVE, LINUX_MS_NOATIME},
	{"ratime", OPTION_NONE, 0},
	{"rnodiratime", OPTION_RECURSIVE, LINUX_MS_NODIRATIME},
	{"rdiratime", OPTION_NONE, 0},
	{"rrelatime", OPTION_RECURSIVE, LINUX_MS_RELATIME},
	{"rnorelatime", OPTION_NONE, 0},
	{"rstrictatime", OPTION_RECURSIVE, LINUX_MS_STRICTATIME},
	{"rnostrictatime", OPTION_NONE, 0},
	{"rnosymfollow", OPTION_RECURSIVE, LINUX_MS_NOSYMFOLLOW},
	{"rsymfollow", OPTION_NONE, 0},
	/* Relabelling has no meaning here: there is no SELinux inside. */
	{"z", OPTION_NONE, 0},
	{"Z", OPTION_NONE, 0},
	{"idmap", OPTION_MAPPED, 0},
	{"ridmap", OPTION_MAPPED, LINUX_MS_REC},
};

/* For `features`, in the order that it wants: sorted. */
const char *const oci_mount_options[] = {"async", "atime", "bind", "defaults", "dev", "diratime",
	"dirsync", "exec", "idmap", "iversion", "lazytime", "loud", "mand", "noatime", "nodev",
	"nodiratime", "noexec", "noiversion", "nolazytime", "nomand", "norelatime", "nostrictatime",
	"nosuid", "nosymfollow", "private", "ratime", "rbind", "rdev", "rdiratime", "relatime",
	"remount", "rexec", "ridmap", "rnoatime", "rnodev", "rnodiratime", "rnoexec", "rnorelatime",
	"rnostrictatime", "rnosuid", "rnosymfollow", "ro", "rprivate", "rrelatime", "rro", "rrw",
	"rshared", "rslave", "rstrictatime", "rsuid", "rsymfollow", "runbindable", "rw", "shared",
	"silent", "slave", "strictatime", "suid", "symfollow", "sync", "tmpcopyup", "unbindable",
	NULL};

static const struct option *find_option(const char *name)
{
	for (size_t i = 0; i < array_count(options); i++) {
		if (!strcmp(options[i].name, name))
			return &options[i];
	}
	return NULL;
}

static int add_data(struct reader *reader, struct oci_mount *mount, const char *word)
{
	mount->data = mount->data ? arena_format(reader->arena, "%s,%s", mount->data, word)
				  : arena_string(reader->arena, word);
	return mount->data ? 0 : reader_fail(reader, "no memory");
}

static int apply(struct reader *reader, struct oci_mount *mount, const char *word)
{
	const struct option *option = find_option(word);

	if (!option)
		return add_data(reader, mount, word);
	switch (option->kind) {
	case OPTION_SET:
		mount->flags |= option->flags;
		break;
	case OPTION_CLEAR:
		mount->flags &= ~option->flags;
		break;
	case OPTION_BIND:
		mount->bind = true;
		mount->recursive |= option->flags & LINUX_MS_REC;
		break;
	case OPTION_PROPAGATION:
		mount->propagation = option->flags;
		break;
	case OPTION_COPY_UP:
		mount->copy_up = true;
		break;
	case OPTION_RECURSIVE:
		mount->flags |= option->flags;
		mount->recursive_read_only = true;
		break;
	case OPTION_MAPPED:
		mount->mapped = true;
		mount->mapped_recursive |= option->flags & LINUX_MS_REC;
		break;
	default:
		break;
	}
	return 0;
}

int oci_read_mount(struct reader *reader, json_t *object, void *out)
{
	struct oci_mount *mount = out;
	const char *const *words = NULL;
	size_t count;

	if (read_required_string(reader, object, "destination", &mount->destination) ||
		read_string(reader, object, "type", &mount->type) ||
		read_string(reader, object, "source", &mount->source) ||
		read_strings(reader, object, "options", &words, &count) ||
		oci_read_mappings(reader, object, "uidMappings", &mount->uid_mappings,
			&mount->uid_mapping_count) ||
		oci_read_mappings(reader, object, "gidMappings", &mount->gid_mappings,
			&mount->gid_mapping_count))
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (apply(reader, mount, words[i]))
			return -1;
	}
	if (!mount->type)
		mount->type = mount->bind ? "bind" : "none";
	if (!strcmp(mount->type, "bind"))
		mount->bind = true;
	if (mount->bind && !mount->source)
		return reader_fail(reader, "source: missing");
	/* Relative ones are deprecated, and meant from the root. */
	if (mount->destination[0] != '/')
		mount->destination = arena_format(reader->arena, "/%s", mount->destination);
	return mount->destination ? 0 : reader_fail(reader, "no memory");
}

static int settle(struct reader *reader, const struct oci_spec *spec, struct oci_mount *mount)
{
	bool given = mount->uid_mapping_count || mount->gid_mapping_count;

	mount->mapped |= given;
	if (!mount->mapped)
		return 0;
	if (!mount->bind)
		return reader_fail(
			reader, "uidMappings, idmap: only a bind can have ids of its own");
	if (given && (!mount->uid_mapping_count || !mount->gid_mapping_count))
		return reader_fail(reader, "uidMappings and gidMappings belong together");
	if (given)
		return 0;
	if (!spec->uid_mapping_count || !spec->gid_mapping_count)
		return reader_fail(
			reader, "options: idmap without mappings, or a user namespace's");
	mount->uid_mappings = spec->uid_mappings;
	mount->uid_mapping_count = spec->uid_mapping_count;
	mount->gid_mappings = spec->gid_mappings;
	mount->gid_mapping_count = spec->gid_mapping_count;
	return 0;
}

int oci_settle_mounts(struct reader *reader, struct oci_spec *spec)
{
	for (size_t i = 0; i < spec->mount_count; i++) {
		size_t mark = reader_enter(reader, "mounts");

		reader_enter_index(reader, i);
		if (settle(reader, spec, &spec->mounts[i]))
			return -1;
		reader_leave(reader, mark);
	}
	return 0;
}
