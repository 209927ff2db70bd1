/* SPDX-License-Identifier: Apache-2.0 */
/* Access control lists: their form, what they grant, how they follow a mode (Linux's
 * fs/posix_acl.c). */
#include "sentry/vfs/posix_acl.h"

#include "abi/stat.h"
#include "sentry/kernel/user_namespace.h"
#include "sentry/mm/memory_file.h"
#include "sentry/mm/memory_held.h"
#include "sentry/vfs/inode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

REFCOUNT_TYPE(acl_refs, "access control list");

static int acl_new(uint32_t count, struct posix_acl **out)
{
	size_t size = sizeof(struct posix_acl) + count * sizeof((*out)->entries[0]);
	struct posix_acl *acl;

	/* It is the sentry's own memory, which stays when the process goes. */
	if (!memory_file_has_room(size))
		return -ENOSPC;
	acl = malloc(size);
	if (!acl)
		return -ENOMEM;
	memory_held_note(size);
	refcount_init(&acl->refs, &acl_refs);
	acl->count = count;
	*out = acl;
	return 0;
}

static int acl_copy(const struct posix_acl *acl, struct posix_acl **out)
{
	int error = acl_new(acl->count, out);

	if (!error)
		memcpy((*out)->entries, acl->entries, acl->count * sizeof(acl->entries[0]));
	return error;
}

struct posix_acl *posix_acl_get(struct posix_acl *acl)
{
	refcount_get(&acl->refs);
	return acl;
}

void posix_acl_put(struct posix_acl *acl)
{
	if (acl && refcount_put(&acl->refs))
		free(acl);
}

/* --- as an extended attribute --- */

/* An entry's id from the namespace to the global one. */
static int import_id(const struct user_namespace *ns, struct linux_posix_acl_xattr_entry *entry)
{
	switch (entry->e_tag) {
	case LINUX_ACL_USER_OBJ:
	case LINUX_ACL_GROUP_OBJ:
	case LINUX_ACL_MASK:
	case LINUX_ACL_OTHER:
		entry->e_id = LINUX_ACL_UNDEFINED_ID;
		return 0;
	case LINUX_ACL_USER:
		entry->e_id = user_namespace_make_uid(ns, entry->e_id);
		break;
	case LINUX_ACL_GROUP:
		entry->e_id = user_namespace_make_gid(ns, entry->e_id);
		break;
	default:
		return -EINVAL;
	}
	return entry->e_id == LINUX_ACL_UNDEFINED_ID ? -EINVAL : 0;
}

int posix_acl_from_xattr(
	const struct user_namespace *ns, const void *value, size_t size, struct posix_acl **out)
{
	struct linux_posix_acl_xattr_header header;
	size_t count;
	int error;

	*out = NULL;
	if (size < sizeof(header))
		return -EINVAL;
	memcpy(&header, value, sizeof(header));
	if (header.a_version != LINUX_POSIX_ACL_XATTR_VERSION)
		return -EOPNOTSUPP;
	size -= sizeof(header);
	count = size / sizeof((*out)->entries[0]);
	if (size % sizeof((*out)->entries[0]))
		return -EINVAL;
	if (!count)
		return 0;
	error = acl_new((uint32_t)count, out);
	if (error)
		return error;
	memcpy((*out)->entries, (const char *)value + sizeof(header), size);
	for (size_t i = 0; i < count && !error; i++)
		error = import_id(ns, &(*out)->entries[i]);
	if (error) {
		posix_acl_put(*out);
		*out = NULL;
	}
	return error;
}

static void export_id(const struct user_namespace *ns, struct linux_posix_acl_xattr_entry *entry)
{
	uint32_t id = LINUX_ACL_UNDEFINED_ID;

	if (entry->e_tag == LINUX_ACL_USER && user_namespace_has_uid(ns, entry->e_id))
		id = user_namespace_show_uid(ns, entry->e_id);
	else if (entry->e_tag == LINUX_ACL_GROUP && user_namespace_has_gid(ns, entry->e_id))
		id = user_namespace_show_gid(ns, entry->e_id);
	entry->e_id = id;
}

int64_t posix_acl_to_xattr(
	const struct posix_acl *acl, const struct user_namespace *ns, void *value, size_t size)
{
	struct linux_posix_acl_xattr_header header = {LINUX_POSIX_ACL_XATTR_VERSION};
	size_t needed = sizeof(header) + acl->count * sizeof(acl->entries[0]);
	char *to = value;

	if (!size)
		return (int64_t)needed;
	if (size < needed)
		return -ERANGE;
	memcpy(to, &header, sizeof(header));
	to += sizeof(header);
	for (uint32_t i = 0; i < acl->count; i++) {
		struct linux_posix_acl_xattr_entry entry = acl->entries[i];

		export_id(ns, &entry);
		memcpy(to, &entry, sizeof(entry));
		to += sizeof(entry);
	}
	return (int64_t)needed;
}

/* --- form --- */

/* The owner, users, the owning group, groups, a mask if there was a user or group, others. */
int posix_acl_valid(const struct posix_acl *acl)
{
	unsigned int awaited = LINUX_ACL_USER_OBJ;
	bool needs_mask = false;

	for (uint32_t i = 0; i < acl->count; i++) {
		const struct linux_posix_acl_xattr_entry *entry = &acl->entries[i];

		if (entry->e_perm & ~7u)
			return -EINVAL;
		if (!(awaited & entry->e_tag))
			return -EINVAL;
		switch (entry->e_tag) {
		case LINUX_ACL_USER_OBJ:
			awaited = LINUX_ACL_USER | LINUX_ACL_GROUP_OBJ;
			break;
		case LINUX_ACL_USER:
			needs_mask = true;
			break;
		case LINUX_ACL_GROUP_OBJ:
			awaited = LINUX_ACL_GROUP | LINUX_ACL_MASK |
				  (needs_mask ? 0 : LINUX_ACL_OTHER);
			break;
		case LINUX_ACL_GROUP:
			awaited = LINUX_ACL_GROUP | LINUX_ACL_MASK;
			break;
		case LINUX_ACL_MASK:
			awaited = LINUX_ACL_OTHER;
			break;
		default:
			awaited = 0;
			break;
		}
	}
	return acl->count && !awaited ? 0 : -EINVAL;
}

/* --- lists and modes --- */

bool posix_acl_equiv_mode(const struct posix_acl *acl, uint32_t *mode)
{
	uint32_t bits = 0;
	bool equivalent = true;

	for (uint32_t i = 0; i < acl->count; i++) {
		const struct linux_posix_acl_xattr_entry *entry = &acl->entries[i];

		switch (entry->e_tag) {
		case LINUX_ACL_USER_OBJ:
			bits |= (entry->e_perm & 7u) << 6;
			break;
		case LINUX_ACL_GROUP_OBJ:
			bits |= (entry->e_perm & 7u) << 3;
			break;
		case LINUX_ACL_OTHER:
			bits |= entry->e_perm & 7u;
			break;
		case LINUX_ACL_MASK:
			bits = (bits & ~070u) | (entry->e_perm & 7u) << 3;
			equivalent = false;
			break;
		default:
			equivalent = false;
			break;
		}
	}
	*mode = (*mode & ~0777u) | bits;
	return equivalent;
}

/* The entry that the group bits of a mode are about: the mask, or without one the owning group. */
static struct linux_posix_acl_xattr_entry *group_class(struct posix_acl *acl)
{
	struct linux_posix_acl_xattr_entry *found = NULL;

	for (uint32_t i = 0; i < acl->count; i++)
		if (acl->entries[i].e_tag == LINUX_ACL_MASK ||
			acl->entries[i].e_tag == LINUX_ACL_GROUP_OBJ)
			found = &acl->entries[i];
	return found;
}

/* Which entry the bits of a mode at shift 6, 3 and 0 are about. */
static struct linux_posix_acl_xattr_entry *class_at(struct posix_acl *acl, unsigned int shift)
{
	if (shift == 3)
		return group_class(acl);
	return &acl->entries[shift ? 0 : acl->count - 1];
}

int posix_acl_chmod(const struct posix_acl *acl, uint32_t mode, struct posix_acl **out)
{
	int error = acl_copy(acl, out);

	for (unsigned int shift = 0; !error && shift <= 6; shift += 3)
		class_at(*out, shift)->e_perm = mode >> shift & 7;
	return error;
}

int posix_acl_create(struct posix_acl *acl, uint32_t *mode, struct posix_acl **out)
{
	uint32_t granted = *mode;
	int error = acl_copy(acl, out);

	if (error)
		return error;
	for (unsigned int shift = 0; shift <= 6; shift += 3) {
		struct linux_posix_acl_xattr_entry *entry = class_at(*out, shift);

		entry->e_perm &= granted >> shift & 7;
		granted &= ~(7u << shift) | (uint32_t)entry->e_perm << shift;
	}
	*mode = granted;
	if (posix_acl_equiv_mode(*out, &granted)) {
		posix_acl_put(*out);
		*out = NULL;
	} else if (!memcmp((*out)->entries, acl->entries, acl->count * sizeof(acl->entries[0]))) {
		/* Many files of one directory share one list. */
		posix_acl_put(*out);
		*out = posix_acl_get(acl);
	}
	return 0;
}

/* --- what it grants --- */

static int through_mask(const struct posix_acl *acl,
	const struct linux_posix_acl_xattr_entry *entry, unsigned int mask)
{
	const struct linux_posix_acl_xattr_entry *end = acl->entries + acl->count;
	unsigned int granted = entry->e_perm;

	for (const struct linux_posix_acl_xattr_entry *at = entry + 1; at < end; at++)
		if (at->e_tag == LINUX_ACL_MASK)
			granted &= at->e_perm;
	return (granted & mask) == mask ? 0 : -EACCES;
}

static bool applies(const struct linux_posix_acl_xattr_entry *entry, const struct inode *inode,
	const struct cred *cred)
{
	switch (entry->e_tag) {
	case LINUX_ACL_USER:
		return cred->fsuid == entry->e_id;
	case LINUX_ACL_GROUP_OBJ:
		return cred_in_group(cred, inode->attributes.gid);
	case LINUX_ACL_GROUP:
		return cred_in_group(cred, entry->e_id);
	default:
		return false;
	}
}

/* The first user that fits decides; of groups, any that grants all; others only if none fits. */
int posix_acl_permission(const struct posix_acl *acl, const struct inode *inode,
	const struct cred *cred, unsigned int mask)
{
	const struct linux_posix_acl_xattr_entry *others = &acl->entries[acl->count - 1];
	bool in_some_group = false;

	for (const struct linux_posix_acl_xattr_entry *entry = acl->entries; entry < others;
		entry++) {
		if (!applies(entry, inode, cred))
			continue;
		if (entry->e_tag == LINUX_ACL_USER || (entry->e_perm & mask) == mask)
			return through_mask(acl, entry, mask);
		in_some_group = true;
	}
	return in_some_group || (mask & ~others->e_perm) ? -EACCES : 0;
}
