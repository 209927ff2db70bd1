/* SPDX-License-Identifier: Apache-2.0 */
/* memfd_create(2). Huge pages are refused as by a kernel without them. */
#include "abi/fcntl.h"
#include "abi/mman.h"
#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <string.h>

#define NAME_PREFIX "memfd:"

int64_t sys_memfd_create(struct task *task, const uint64_t args[6])
{
	gaddr_t address = args[0];
	unsigned int flags = (unsigned int)args[1], seals = LINUX_F_SEAL_SEAL;
	char name[sizeof(NAME_PREFIX) + LINUX_MFD_NAME_MAX_LEN] = NAME_PREFIX;
	const size_t prefix = strlen(NAME_PREFIX);
	uint32_t mode = 0777;
	struct file *file;
	int64_t result;

	if (flags & ~(unsigned int)(LINUX_MFD_CLOEXEC | LINUX_MFD_ALLOW_SEALING |
				    LINUX_MFD_NOEXEC_SEAL | LINUX_MFD_EXEC))
		return -EINVAL;
	if ((flags & LINUX_MFD_EXEC) && (flags & LINUX_MFD_NOEXEC_SEAL))
		return -EINVAL;
	result = mm_copy_in_string(task->mm, name + prefix, address, LINUX_MFD_NAME_MAX_LEN + 1);
	if (result < 0)
		return result == -ENAMETOOLONG ? -EINVAL : result;
	if (flags & LINUX_MFD_ALLOW_SEALING)
		seals = 0;
	if (flags & LINUX_MFD_NOEXEC_SEAL) {
		mode = 0666;
		seals = LINUX_F_SEAL_EXEC;
	}
	result = tmpfs_file_new(
		name, 0, mode, LINUX_O_RDWR | LINUX_O_LARGEFILE, seals, current_cred(), &file);
	if (result)
		return result;
	result = fd_install(task->files, 0, file, (flags & LINUX_MFD_CLOEXEC) != 0);
	if (result < 0)
		file_put(file);
	return result;
}
