/* SPDX-License-Identifier: Apache-2.0 */
/* What groups with FAN_REPORT_FID and its like are told: handles of files and directories, and
 * names. */
#include "sentry/fs/fanotify/fanotify_group.h"

#include "abi/statfs.h"
#include "sentry/vfs/stat.h"

#include <string.h>

static struct fanotify_handle handle_of(const struct inode *inode)
{
	if (!inode)
		return (struct fanotify_handle){0};
	return (struct fanotify_handle){
		.type = inode_handle_type(inode), .id = inode_file_id(inode)};
}

/* The file itself, beside its directory. */
static bool tells_child(uint32_t flags, uint32_t mask)
{
	if (mask & FANOTIFY_NAME_EVENTS)
		return flags & LINUX_FAN_REPORT_TARGET_FID;
	return (flags & LINUX_FAN_REPORT_FID) && !(mask & LINUX_FAN_ONDIR);
}

/* The old place, the new one, or both: of whichever the group has a mark on. */
static void describe_rename(const struct fanotify_target *target, uint32_t matched,
	const struct inode *child, struct fanotify_fids *out)
{
	bool both = matched & FANOTIFY_MATCHED_SUPER_BLOCK;

	out->child = handle_of(child);
	if (both || (matched & FANOTIFY_MATCHED_INODE)) {
		out->directory = handle_of(target->parent);
		out->name = target->name;
	}
	if (both || (matched & FANOTIFY_MATCHED_NEW_PARENT)) {
		out->new_directory = handle_of(target->new_parent);
		out->new_name = target->new_name;
	}
}

void fanotify_describe(const struct fanotify_group *group, const struct fanotify_target *target,
	uint32_t mask, uint32_t matched, struct fanotify_fids *out)
{
	bool names = mask & FANOTIFY_NAME_EVENTS, has_names = group->flags & LINUX_FAN_REPORT_NAME;
	bool targets = group->flags & LINUX_FAN_REPORT_TARGET_FID;
	const struct inode *id = names && !targets ? target->parent : target->inode;
	const struct inode *directory =
		!names && target->is_directory ? target->inode : target->parent;
	const struct inode *child = NULL;
	const char *name = has_names && (names || !(mask & LINUX_FAN_ONDIR)) ? target->name : NULL;

	*out = (struct fanotify_fids){0};
	super_block_fsid(target->inode->sb, out->fsid);
	if (!(group->flags & LINUX_FAN_REPORT_DIR_FID) || !directory) {
		out->child = handle_of(id);
		return;
	}
	if (tells_child(group->flags, mask) && id != directory)
		child = id;
	if (mask & LINUX_FAN_RENAME) {
		describe_rename(target, matched, child, out);
	} else if (name || child) {
		out->directory = handle_of(directory);
		out->child = handle_of(child);
		out->name = name;
	} else {
		out->child = handle_of(directory);
	}
}

static bool same_handle(const struct fanotify_handle *a, const struct fanotify_handle *b)
{
	return a->type == b->type && !memcmp(&a->id, &b->id, sizeof(a->id));
}

static bool same_name(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

bool fanotify_fids_equal(const struct fanotify_fids *a, const struct fanotify_fids *b)
{
	return same_handle(&a->directory, &b->directory) &&
	       same_handle(&a->new_directory, &b->new_directory) &&
	       same_handle(&a->child, &b->child) && !memcmp(a->fsid, b->fsid, sizeof(a->fsid)) &&
	       same_name(a->name, b->name) && same_name(a->new_name, b->new_name);
}

unsigned int fanotify_fids_hash(const struct fanotify_fids *fids)
{
	unsigned int hash = fids->directory.id.ino_low * 31 + fids->child.id.ino_low * 17 +
			    fids->new_directory.id.ino_low;

	for (const char *c = fids->name; c && *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619u;
	return hash;
}

/* --- as it is read --- */

static const char *own_name(const struct fanotify_group *group, const struct fanotify_event *event)
{
	/* A directory that was told of by itself is "." in itself. */
	return !event->fids.directory.type && !event->fids.new_directory.type &&
			       (group->flags & LINUX_FAN_REPORT_NAME) &&
			       (event->mask & LINUX_FAN_ONDIR)
		       ? "."
		       : NULL;
}

static uint32_t record_size(const struct fanotify_handle *handle, const char *name)
{
	size_t size = sizeof(struct linux_fanotify_event_info_fid) +
		      sizeof(struct linux_file_handle) + sizeof(handle->id);

	if (!handle->type)
		return 0;
	if (name)
		size += strlen(name) + 1;
	return (uint32_t)((size + 3) & ~(size_t)3);
}

uint32_t fanotify_fids_size(const struct fanotify_group *group, const struct fanotify_event *event)
{
	const struct fanotify_fids *fids = &event->fids;

	return record_size(&fids->directory, fids->name) +
	       record_size(&fids->new_directory, fids->new_name) +
	       record_size(&fids->child, own_name(group, event));
}

static size_t copy_record(uint32_t type, const int32_t fsid[2],
	const struct fanotify_handle *handle, const char *name, struct iov_iter *to)
{
	static const char padding[4];
	uint32_t size = record_size(handle, name);
	struct {
		struct linux_fanotify_event_info_fid info;
		struct linux_file_handle head;
		struct file_id id;
	} record = {
		.info = {.info_type = (uint8_t)type,
			.len = (uint16_t)size,
			.fsid = {fsid[0], fsid[1]}},
		.head = {.handle_bytes = sizeof(record.id), .handle_type = handle->type},
		.id = handle->id,
	};
	size_t copied;

	if (!size)
		return 0;
	copied = copy_to_iter(&record, sizeof(record), to);
	if (name)
		copied += copy_to_iter(name, strlen(name) + 1, to);
	return copied +
	       copy_to_iter(padding, size - sizeof(record) - (name ? strlen(name) + 1 : 0), to);
}

static uint32_t child_type(const struct fanotify_group *group, const struct fanotify_event *event)
{
	uint32_t reports = group->flags & FANOTIFY_FID_BITS;

	if (reports == LINUX_FAN_REPORT_FID || event->fids.directory.type ||
		event->fids.new_directory.type)
		return LINUX_FAN_EVENT_INFO_TYPE_FID;
	if (own_name(group, event))
		return LINUX_FAN_EVENT_INFO_TYPE_DFID_NAME;
	return event->mask & (FANOTIFY_NAME_EVENTS | LINUX_FAN_ONDIR)
		       ? LINUX_FAN_EVENT_INFO_TYPE_DFID
		       : LINUX_FAN_EVENT_INFO_TYPE_FID;
}

size_t fanotify_fids_copy(
	const struct fanotify_group *group, const struct fanotify_event *event, struct iov_iter *to)
{
	const struct fanotify_fids *fids = &event->fids;
	uint32_t type =
		fids->name ? LINUX_FAN_EVENT_INFO_TYPE_DFID_NAME : LINUX_FAN_EVENT_INFO_TYPE_DFID;
	size_t copied;

	if (event->mask & LINUX_FAN_RENAME)
		type = LINUX_FAN_EVENT_INFO_TYPE_OLD_DFID_NAME;
	copied = copy_record(type, fids->fsid, &fids->directory, fids->name, to);
	copied += copy_record(LINUX_FAN_EVENT_INFO_TYPE_NEW_DFID_NAME, fids->fsid,
		&fids->new_directory, fids->new_name, to);
	return copied + copy_record(child_type(group, event), fids->fsid, &fids->child,
				own_name(group, event), to);
}
