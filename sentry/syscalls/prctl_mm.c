/* SPDX-License-Identifier: Apache-2.0 */
/* prctl(2) on memory: PR_SET_MM, PR_SET_VMA, PR_GET_AUXV. */
#include "sentry/syscalls/prctl.h"

#include "abi/capability.h"
#include "abi/limits.h"
#include "abi/prctl.h"
#include "sentry/vfs/file.h"

#include <errno.h>

#define ANON_NAME_MAX 80
#define AUXV_MAX      (48 * 8)

/* The field of the layout that an option of PR_SET_MM names, or NULL. */
static gaddr_t *layout_field(struct mm_layout *layout, uint64_t option)
{
	switch (option) {
	case LINUX_PR_SET_MM_START_CODE:
		return &layout->start_code;
	case LINUX_PR_SET_MM_END_CODE:
		return &layout->end_code;
	case LINUX_PR_SET_MM_START_DATA:
		return &layout->start_data;
	case LINUX_PR_SET_MM_END_DATA:
		return &layout->end_data;
	case LINUX_PR_SET_MM_START_STACK:
		return &layout->start_stack;
	case LINUX_PR_SET_MM_START_BRK:
		return &layout->start_brk;
	case LINUX_PR_SET_MM_BRK:
		return &layout->brk;
	case LINUX_PR_SET_MM_ARG_START:
		return &layout->arg_start;
	case LINUX_PR_SET_MM_ARG_END:
		return &layout->arg_end;
	case LINUX_PR_SET_MM_ENV_START:
		return &layout->env_start;
	case LINUX_PR_SET_MM_ENV_END:
		return &layout->env_end;
	default:
		return NULL;
	}
}

static bool address_is_valid(gaddr_t address)
{
	return address >= LINUX_MMAP_MIN_ADDR && address < LINUX_TASK_SIZE;
}

static bool layout_is_valid(const struct mm_layout *layout)
{
	return layout->start_code < layout->end_code && layout->start_data <= layout->end_data &&
	       layout->start_brk <= layout->brk && layout->arg_start <= layout->arg_end &&
	       layout->env_start <= layout->env_end;
}

static int64_t set_auxv(struct task *task, gaddr_t address, uint64_t size)
{
	uint64_t auxv[AUXV_MAX / sizeof(uint64_t)] = {0};

	if (!address || size > sizeof(auxv))
		return -EINVAL;
	if (mm_copy_in(task->mm, auxv, address, size))
		return -EFAULT;
	/* The last pair ends it. */
	auxv[sizeof(auxv) / sizeof(auxv[0]) - 2] = 0;
	auxv[sizeof(auxv) / sizeof(auxv[0]) - 1] = 0;
	return mm_set_auxv(task->mm, auxv, sizeof(auxv));
}

static int64_t set_exe_file(struct task *task, int fd)
{
	auto_file struct file *file = fd_get(task->files, fd);

	if (!file)
		return -EBADF;
	return mm_set_exe_file(task->mm, file) ? -EACCES : 0;
}

static int64_t set_map(struct task *task, gaddr_t address, uint64_t size)
{
	struct linux_prctl_mm_map map;
	struct mm_layout layout;

	if (size != sizeof(map))
		return -EINVAL;
	if (mm_copy_in(task->mm, &map, address, sizeof(map)))
		return -EFAULT;
	mm_get_layout(task->mm, &layout);
	layout.start_code = map.start_code;
	layout.end_code = map.end_code;
	layout.start_data = map.start_data;
	layout.end_data = map.end_data;
	layout.start_brk = map.start_brk;
	layout.brk = map.brk;
	layout.start_stack = map.start_stack;
	layout.arg_start = map.arg_start;
	layout.arg_end = map.arg_end;
	layout.env_start = map.env_start;
	layout.env_end = map.env_end;
	for (uint64_t option = LINUX_PR_SET_MM_START_CODE; option <= LINUX_PR_SET_MM_ENV_END;
		option++) {
		if (!address_is_valid(*layout_field(&layout, option)))
			return -EINVAL;
	}
	if (!layout_is_valid(&layout))
		return -EINVAL;
	if (map.exe_fd != UINT32_MAX) {
		int64_t error =
			capable(LINUX_CAP_SYS_ADMIN) ? set_exe_file(task, (int)map.exe_fd) : -EPERM;

		if (error)
			return error;
	}
	mm_set_layout(task->mm, &layout);
	return map.auxv_size ? set_auxv(task, map.auxv, map.auxv_size) : 0;
}

int64_t prctl_set_mm(struct task *task, const uint64_t args[6])
{
	uint64_t option = args[1], address = args[2];
	const uint32_t map_size = sizeof(struct linux_prctl_mm_map);
	struct mm_layout layout;
	gaddr_t *field;

	if (args[4] || (args[3] && option != LINUX_PR_SET_MM_AUXV &&
			       option != LINUX_PR_SET_MM_MAP && option != LINUX_PR_SET_MM_MAP_SIZE))
		return -EINVAL;
	if (option == LINUX_PR_SET_MM_MAP_SIZE)
		return mm_copy_out(task->mm, address, &map_size, sizeof(map_size));
	if (option == LINUX_PR_SET_MM_MAP)
		return set_map(task, address, args[3]);
	if (!cred_capable(task->cred, LINUX_CAP_SYS_RESOURCE))
		return -EPERM;
	if (option == LINUX_PR_SET_MM_EXE_FILE)
		return set_exe_file(task, (int)address);
	if (option == LINUX_PR_SET_MM_AUXV)
		return set_auxv(task, address, args[3]);
	mm_get_layout(task->mm, &layout);
	field = layout_field(&layout, option);
	if (!field || !address_is_valid(address))
		return -EINVAL;
	*field = address;
	if (!layout_is_valid(&layout))
		return -EINVAL;
	mm_set_layout(task->mm, &layout);
	return 0;
}

/* Printable, and nothing that would confuse who reads /proc/PID/maps. */
static bool name_is_valid(const char *name)
{
	for (; *name; name++) {
		if (*name < 0x20 || *name > 0x7e || *name == '\\' || *name == '`' || *name == '$' ||
			*name == '[' || *name == ']')
			return false;
	}
	return true;
}

int64_t prctl_set_vma(struct task *task, const uint64_t args[6])
{
	char name[ANON_NAME_MAX];
	int64_t length;

	if (args[1] != LINUX_PR_SET_VMA_ANON_NAME)
		return -EINVAL;
	if (!args[4])
		return mm_set_anon_name(task->mm, args[2], args[3], NULL);
	length = mm_copy_in_string(task->mm, name, args[4], sizeof(name));
	if (length < 0)
		return length == -ENAMETOOLONG ? -EINVAL : length;
	if (!name_is_valid(name))
		return -EINVAL;
	return mm_set_anon_name(task->mm, args[2], args[3], name);
}

int64_t prctl_get_auxv(struct task *task, const uint64_t args[6])
{
	uint64_t auxv[AUXV_MAX / sizeof(uint64_t)] = {0};
	size_t size = sizeof(auxv);

	if (args[3] || args[4])
		return -EINVAL;
	(void)mm_get_auxv(task->mm, auxv, sizeof(auxv));
	if (size > args[2])
		size = args[2];
	return mm_copy_out(task->mm, args[1], auxv, size) ? -EFAULT : (int64_t)sizeof(auxv);
}
