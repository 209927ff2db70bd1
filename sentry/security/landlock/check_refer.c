/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link(2) and rename(2) to another directory: a file must not get rights by its new place that it
 * had not at its old one, layer by layer.
 *
 * As Linux: EACCES if names may not be made or removed there at all; else EXDEV, so that programs
 * copy instead.
 */
#include "sentry/security/landlock/domain.h"

#include "abi/stat.h"
#include "sentry/vfs/dentry.h"

#include <errno.h>

/* Rights to files; all others mean nothing of what is no directory. */
#define FILE_RIGHTS                                                                                \
	(LINUX_LANDLOCK_ACCESS_FS_EXECUTE | LINUX_LANDLOCK_ACCESS_FS_WRITE_FILE |                  \
		LINUX_LANDLOCK_ACCESS_FS_READ_FILE | LINUX_LANDLOCK_ACCESS_FS_TRUNCATE |           \
		LINUX_LANDLOCK_ACCESS_FS_IOCTL_DEV)

/* The directory that a name leaves, or that it comes to. */
struct side {
	struct landlock_masks directory, child;
	bool child_is_directory;
	uint16_t wanted;  /* rights in the directory */
	uint16_t checked; /* of the directory's masks, on the way up */
};

static bool is_directory(const struct dentry *dentry)
{
	return inode_is_type(dentry_inode(dentry), LINUX_S_IFDIR);
}

static uint16_t access_to_make(const struct dentry *dentry)
{
	return landlock_access_to_make(dentry_inode(dentry)->attributes.mode);
}

static uint16_t access_to_remove(const struct dentry *dentry)
{
	if (!dentry || !dentry_inode(dentry))
		return 0;
	return is_directory(dentry) ? LINUX_LANDLOCK_ACCESS_FS_REMOVE_DIR
				    : LINUX_LANDLOCK_ACCESS_FS_REMOVE_FILE;
}

/* What rules say of the file itself. */
static void look_at_child(
	const struct landlock_domain *domain, const struct dentry *dentry, struct side *side)
{
	uint16_t all = landlock_masks_begin(
		domain, LANDLOCK_FS, LINUX_LANDLOCK_ACCESS_FS__MASK, &side->child);

	(void)landlock_masks_allow(&side->child, landlock_find_dentry(domain, dentry), all);
	side->child_is_directory = is_directory(dentry);
}

/* What rules say of a directory, up to the root of the mount. True: everything is allowed. */
static bool look_at_directory(const struct landlock_domain *domain, const struct dentry *root,
	const struct dentry *directory, struct side *side)
{
	uint16_t all = landlock_masks_begin(
		domain, LANDLOCK_FS, LINUX_LANDLOCK_ACCESS_FS__MASK, &side->directory);

	for (;; directory = directory->parent) {
		if (landlock_masks_allow(
			    &side->directory, landlock_find_dentry(domain, directory), all))
			return true;
		if (directory == root || directory->parent == directory)
			return false;
	}
}

/* Is what was refused of from's child refused at the other place too? */
static bool gains_nothing(const struct side *from, const struct side *to)
{
	for (unsigned int right = 0; right < LANDLOCK_RIGHTS; right++) {
		uint16_t before = from->directory.layers[right] & from->child.layers[right];

		if ((from->child_is_directory || (FILE_RIGHTS & (1u << right))) &&
			(before & (uint16_t)~to->directory.layers[right]))
			return false;
	}
	return true;
}

static bool keep_wanted(struct side *side)
{
	side->checked = side->wanted;
	return landlock_masks_keep(&side->directory, side->wanted);
}

static int refusal(const struct side *from, const struct side *to)
{
	const uint16_t others = (uint16_t)~LINUX_LANDLOCK_ACCESS_FS_REFER;

	if (landlock_masks_denied(&from->directory, from->wanted & others) ||
		landlock_masks_denied(&to->directory, to->wanted & others))
		return -EACCES;
	return -EXDEV;
}

/*
 * Both directories' way goes on from the root of their mount. Once nothing would be gained, nothing
 * can be by what is common to both, and only the rights to do it are left to be found.
 */
static int climb(const struct landlock_domain *domain, struct landlock_place place,
	struct side *from, struct side *to, bool exchanges)
{
	bool comparing = true;

	from->checked = to->checked = domain->all.fs;
	for (;;) {
		const struct landlock_rule *rule;
		bool leave, come;

		if (comparing && gains_nothing(from, to) &&
			(!exchanges || gains_nothing(to, from))) {
			leave = keep_wanted(from);
			come = keep_wanted(to);
			if (leave && come)
				return 0;
			comparing = false;
		}
		rule = landlock_find_dentry(domain, place.dentry);
		leave = landlock_masks_allow(&from->directory, rule, from->checked);
		come = landlock_masks_allow(&to->directory, rule, to->checked);
		if (leave && come)
			return 0;
		if (!landlock_step_up(&place))
			return refusal(from, to);
	}
}

static int check_reparenting(const struct landlock_domain *domain,
	const struct landlock_refer *refer, struct side *from, struct side *to)
{
	const struct mount *mount = refer->new_directory->mount;
	const struct dentry *root = mount->root, *old = refer->old;
	bool all_from, all_to;

	from->wanted |= LINUX_LANDLOCK_ACCESS_FS_REFER;
	to->wanted |= LINUX_LANDLOCK_ACCESS_FS_REFER;
	all_from = look_at_directory(domain, root, old == root ? old : old->parent, from);
	all_to = look_at_directory(domain, root, refer->new_directory->dentry, to);
	if (all_from && all_to)
		return 0;
	look_at_child(domain, old, from);
	if (refer->exchanges)
		look_at_child(domain, refer->new, to);
	return climb(domain, (struct landlock_place){mount, root}, from, to, refer->exchanges);
}

int landlock_check_refer_slow(
	const struct landlock_domain *domain, const struct landlock_refer *refer)
{
	struct side from = {0}, to = {.wanted = access_to_make(refer->old)};
	int error;

	if (!domain->all.fs || landlock_is_placeless(refer->new_directory))
		return 0;
	if (refer->exchanges)
		from.wanted = access_to_make(refer->new);
	if (refer->removes) {
		from.wanted |= access_to_remove(refer->old);
		to.wanted |= access_to_remove(refer->new);
	}
	dentry_tree_lock();
	if (refer->old->parent != refer->new_directory->dentry) {
		error = check_reparenting(domain, refer, &from, &to);
		dentry_tree_unlock();
		return error;
	}
	dentry_tree_unlock();
	return landlock_check_path_slow(domain, refer->new_directory, from.wanted | to.wanted);
}
