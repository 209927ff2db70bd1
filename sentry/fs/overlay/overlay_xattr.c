/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes: the lower inode's until the first is changed, from then on the upper's. */
#include "sentry/fs/overlay/overlay_node.h"

#include <errno.h>

/* Which inode has them now, or NULL. */
static struct inode *keeper(const struct inode *inode)
{
	struct overlay_node *node = overlay_node_of(inode);
	struct inode *upper = atomic_load(&node->upper);

	return upper ? upper : node->lower;
}

int64_t overlay_getxattr(struct inode *inode, const char *name, void *value, size_t size)
{
	struct inode *kept = keeper(inode);

	return kept->ops->getxattr ? kept->ops->getxattr(kept, name, value, size) : -EOPNOTSUPP;
}

int64_t overlay_listxattr(struct inode *inode, char *list, size_t size)
{
	struct inode *kept = keeper(inode);

	return kept->ops->listxattr ? kept->ops->listxattr(kept, list, size) : 0;
}

static int begin_change(struct inode *inode)
{
	mutex_guard(&inode->lock);
	return overlay_make_upper(inode);
}

static int end_change(struct inode *inode, int error)
{
	if (error)
		return error;
	mutex_guard(&inode->lock);
	overlay_mark_changed(inode);
	inode_touch_ctime_locked(inode);
	return 0;
}

int overlay_setxattr(
	struct inode *inode, const char *name, const void *value, size_t size, int flags)
{
	int error = begin_change(inode);
	struct inode *upper = keeper(inode);

	if (error)
		return error;
	return end_change(inode, upper->ops->setxattr(upper, name, value, size, flags));
}

int overlay_removexattr(struct inode *inode, const char *name)
{
	int error = begin_change(inode);
	struct inode *upper = keeper(inode);

	if (error)
		return error;
	return end_change(inode, upper->ops->removexattr(upper, name));
}
