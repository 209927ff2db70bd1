/* SPDX-License-Identifier: Apache-2.0 */
/* The sysctls that protect sticky directories from planted files and links (Linux's fs/namei.c). */
#include "sentry/vfs/protected.h"

#include "abi/stat.h"
#include "sentry/kernel/credentials.h"
#include "sentry/vfs/permission.h"

#include <errno.h>

#define OTHERS_WRITE 02
#define GROUP_WRITES 020

/* As distributions set them for links; the others are the kernel's own defaults. */
atomic_int g_protected[4] = {[PROTECTED_HARDLINKS] = 1, [PROTECTED_SYMLINKS] = 1};

/* Nothing that runs with somebody's privilege, and nothing that the caller could not copy. */
static bool may_be_linked(struct inode *inode, const struct cred *cred)
{
	uint32_t mode = inode->attributes.mode;

	if (!LINUX_S_ISREG(mode) || (mode & LINUX_S_ISUID))
		return false;
	if ((mode & (LINUX_S_ISGID | LINUX_S_IXGRP)) == (LINUX_S_ISGID | LINUX_S_IXGRP))
		return false;
	return inode_permission(inode, cred, MAY_READ | MAY_WRITE) == 0;
}

int protected_may_link(struct inode *inode, const struct cred *cred)
{
	if (!g_protected[PROTECTED_HARDLINKS] || !cred)
		return 0;
	return may_be_linked(inode, cred) || inode_owner_or_capable(inode, cred) ? 0 : -EPERM;
}

int protected_may_follow(
	const struct inode *directory, const struct inode *link, const struct cred *cred)
{
	const uint32_t both = LINUX_S_ISVTX | OTHERS_WRITE;

	if ((directory->attributes.mode & both) != both || !cred)
		return 0;
	if (!g_protected[PROTECTED_SYMLINKS] || link->attributes.uid == cred->fsuid ||
		link->attributes.uid == directory->attributes.uid)
		return 0;
	return -EACCES;
}

int protected_may_open(
	const struct inode *directory, const struct inode *inode, const struct cred *cred)
{
	uint32_t mode = directory->attributes.mode;
	bool fifo = inode_is_type(inode, LINUX_S_IFIFO);
	bool regular = inode_is_type(inode, LINUX_S_IFREG);
	int level = g_protected[fifo ? PROTECTED_FIFOS : PROTECTED_REGULAR];

	if (!(mode & LINUX_S_ISVTX) || !cred || ((fifo || regular) && !level))
		return 0;
	if (inode->attributes.uid == directory->attributes.uid ||
		inode->attributes.uid == cred->fsuid)
		return 0;
	if (mode & OTHERS_WRITE)
		return -EACCES;
	return (mode & GROUP_WRITES) && (fifo || regular) && level >= 2 ? -EACCES : 0;
}
