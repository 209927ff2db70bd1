/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/maps, smaps, smaps_rollup (proc_pid_maps(5)) and numa_maps, of a machine of one node.
 *
 * Differs from Linux: a shared page's proportional share is taken as a half; nothing is ever huge,
 * swapped or lazily free.
 */
#include "sentry/fs/proc/task_files.h"

#include "abi/limits.h"
#include "abi/mman.h"
#include "abi/stat.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAME_COLUMN   73
#define VSYSCALL_NAME "[vsyscall]"

/* No mapping of any program's, yet each has it: executable only. */
static const struct vma_info vsyscall_page = {
	.start = 0xffffffffff600000,
	.end = 0xffffffffff601000,
	.protection = LINUX_PROT_EXEC,
};

/* Neighbours often come from one file: its name is looked for once. */
struct area_names {
	struct path root;  /* references */
	struct file *file; /* a reference */
	const char *name;
	char buffer[LINUX_PATH_MAX];
};

static struct area_names *area_names_new(void)
{
	struct area_names *names = calloc(1, sizeof(*names));

	if (names && current && current->fs)
		fs_struct_root(current->fs, &names->root);
	return names;
}

static void area_names_free(struct area_names *names)
{
	path_put(&names->root);
	if (names->file)
		file_put(names->file);
	free(names);
}

/* Takes the reference in info over, and keeps it until the next file comes. */
static const char *area_name(struct area_names *names, const struct vma_info *info)
{
	struct file *old = names->file;

	if (!info->file)
		return info->name;
	if (info->file != old) {
		names->name = file_name(info->file, names->root.dentry ? &names->root : NULL,
			names->buffer, sizeof(names->buffer));
		names->file = info->file;
	}
	if (old)
		file_put(old);
	return names->name ? names->name : "";
}

static void show_line(struct text_writer *out, const struct vma_info *info, const char *name)
{
	const struct inode *inode = info->file ? info->file->inode : NULL;
	uint64_t dev = inode ? inode->sb->dev : 0;
	size_t start = out->size;

	text_printf(out, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", info->start, info->end,
		info->protection & LINUX_PROT_READ ? 'r' : '-',
		info->protection & LINUX_PROT_WRITE ? 'w' : '-',
		info->protection & LINUX_PROT_EXEC ? 'x' : '-', info->shared ? 's' : 'p',
		info->offset, LINUX_MAJOR(dev), LINUX_MINOR(dev),
		inode ? inode->attributes.ino : 0);
	if (*name) {
		int used = (int)(out->size - start);

		if (used < NAME_COLUMN)
			text_printf(out, "%*s", NAME_COLUMN - used, "");
		for (; *name; name++) {
			if (*name == '\n')
				text_append(out, "\\012", 4);
			else
				text_append(out, name, 1);
		}
	}
	text_append(out, "\n", 1);
}

/* Calls show for each area of the memory that the file was opened for. */
static int each_area(const struct proc_context *context, struct text_writer *out, bool with_pages,
	void (*show)(struct text_writer *out, const struct vma_info *info, const char *name,
		void *argument),
	void *argument)
{
	struct mm *mm = proc_opened_mm(context);
	struct area_names *names;
	struct vma_info info;

	if (!mm)
		return 1;
	names = area_names_new();
	out->failed |= !names;
	for (gaddr_t at = 0; !out->failed && mm_next_vma(mm, at, with_pages, &info); at = info.end)
		show(out, &info, area_name(names, &info), argument);
	if (names)
		area_names_free(names);
	mm_put(mm);
	return 0;
}

static void show_maps_area(
	struct text_writer *out, const struct vma_info *info, const char *name, void *argument)
{
	show_line(out, info, name);
}

int task_show_maps(const struct proc_context *context, struct text_writer *out)
{
	if (each_area(context, out, false, show_maps_area, NULL) == 0)
		show_line(out, &vsyscall_page, VSYSCALL_NAME);
	return 0;
}

static uint64_t proportional(const struct vma_info *info)
{
	return info->private_clean + info->private_dirty +
	       (info->shared_clean + info->shared_dirty) / 2;
}

static void show_amounts(
	struct text_writer *out, const struct vma_info *info, uint64_t share, bool rollup)
{
	uint64_t anonymous = min_u64(info->anonymous, share);
	const struct {
		const char *name;
		uint64_t bytes;
	} lines[] = {
		{"Rss:", info->rss},
		{"Pss:", share},
		{"Pss_Dirty:", info->private_dirty + info->shared_dirty / 2},
		{rollup ? "Pss_Anon:" : NULL, anonymous},
		{rollup ? "Pss_File:" : NULL, share - anonymous},
		{rollup ? "Pss_Shmem:" : NULL, 0},
		{"Shared_Clean:", info->shared_clean},
		{"Shared_Dirty:", info->shared_dirty},
		{"Private_Clean:", info->private_clean},
		{"Private_Dirty:", info->private_dirty},
		{"Referenced:", info->rss},
		{"Anonymous:", info->anonymous},
		{"KSM:", 0},
		{"LazyFree:", 0},
		{"AnonHugePages:", 0},
		{"ShmemPmdMapped:", 0},
		{"FilePmdMapped:", 0},
		{"Shared_Hugetlb:", 0},
		{"Private_Hugetlb:", 0},
		{"Swap:", 0},
		{"SwapPss:", 0},
		{"Locked:", info->locked ? share : 0},
	};

	for (size_t i = 0; i < array_count(lines); i++)
		if (lines[i].name)
			text_printf(out, "%-16s%8lu kB\n", lines[i].name, lines[i].bytes >> 10);
}

static void show_flags(struct text_writer *out, const struct vma_info *info)
{
	const struct {
		bool set;
		const char *name;
	} flags[] = {
		{info->protection & LINUX_PROT_READ, "rd"},
		{info->protection & LINUX_PROT_WRITE, "wr"},
		{info->protection & LINUX_PROT_EXEC, "ex"},
		{info->shared, "sh"},
		{info->max_protection & LINUX_PROT_READ, "mr"},
		{info->max_protection & LINUX_PROT_WRITE, "mw"},
		{info->max_protection & LINUX_PROT_EXEC, "me"},
		{info->shared, "ms"},
		{info->grows_down, "gd"},
		{info->locked, "lo"},
		{info->dont_fork, "dc"},
		{info->special, "de"},
		{info->protection & LINUX_PROT_WRITE && !info->shared, "ac"},
		{info->no_reserve, "nr"},
		{info->wipe_on_fork, "wf"},
		{info->dont_dump, "dd"},
		{info->huge_hint, "hg"},
		{info->sealed, "sl"},
	};

	text_printf(out, "VmFlags: ");
	for (size_t i = 0; i < array_count(flags); i++)
		if (flags[i].set)
			text_printf(out, "%s ", flags[i].name);
	text_append(out, "\n", 1);
}

static void show_smaps_area(
	struct text_writer *out, const struct vma_info *info, const char *name, void *argument)
{
	show_line(out, info, name);
	text_printf(out, "%-16s%8lu kB\n", "Size:", (info->end - info->start) >> 10);
	text_printf(out, "KernelPageSize:        4 kB\nMMUPageSize:           4 kB\n");
	show_amounts(out, info, proportional(info), false);
	text_printf(out, "THPeligible:           0\n");
	show_flags(out, info);
}

int task_show_smaps(const struct proc_context *context, struct text_writer *out)
{
	if (each_area(context, out, true, show_smaps_area, NULL) == 0)
		show_smaps_area(out, &vsyscall_page, VSYSCALL_NAME, NULL);
	return 0;
}

struct rollup {
	struct vma_info sum;
	uint64_t share;
};

static void add_area(
	struct text_writer *out, const struct vma_info *info, const char *name, void *argument)
{
	struct rollup *rollup = argument;
	struct vma_info *sum = &rollup->sum;

	if (!sum->end)
		sum->start = info->start;
	sum->end = info->end;
	sum->rss += info->rss;
	sum->private_clean += info->private_clean;
	sum->private_dirty += info->private_dirty;
	sum->shared_clean += info->shared_clean;
	sum->shared_dirty += info->shared_dirty;
	sum->anonymous += info->anonymous;
	rollup->share += proportional(info);
}

int task_show_smaps_rollup(const struct proc_context *context, struct text_writer *out)
{
	struct rollup rollup = {0};

	if (each_area(context, out, true, add_area, &rollup))
		return -ESRCH;
	show_line(out, &rollup.sum, "[rollup]");
	show_amounts(out, &rollup.sum, rollup.share, true);
	return 0;
}

static void show_escaped(struct text_writer *out, const char *name)
{
	for (; *name; name++) {
		if (*name == '\n' || *name == '\t' || *name == ' ' || *name == '\\')
			text_printf(out, "\\%03o", (unsigned int)*name);
		else
			text_append(out, name, 1);
	}
}

static void show_numa_area(
	struct text_writer *out, const struct vma_info *info, const char *name, void *argument)
{
	uint64_t pages = info->rss >> PAGE_SHIFT, anonymous = info->anonymous >> PAGE_SHIFT;
	uint64_t dirty = (info->private_dirty + info->shared_dirty) >> PAGE_SHIFT;
	char policy[64];

	mempolicy_format(info->policy.mode ? &info->policy : argument, policy, sizeof(policy));
	text_printf(out, "%08lx %s", info->start, policy);
	if (info->file) {
		text_printf(out, " file=");
		show_escaped(out, name);
	} else if (!strcmp(name, "[heap]")) {
		text_printf(out, " heap");
	} else if (!strcmp(name, "[stack]")) {
		text_printf(out, " stack");
	}
	if (anonymous && pages)
		text_printf(out, " anon=%lu", anonymous);
	if (dirty && pages)
		text_printf(out, " dirty=%lu", dirty);
	if (pages && pages != anonymous && pages != dirty)
		text_printf(out, " mapped=%lu", pages);
	if (pages)
		text_printf(out, " N0=%lu kernelpagesize_kB=4", pages);
	text_append(out, "\n", 1);
}

int task_show_numa_maps(const struct proc_context *context, struct text_writer *out)
{
	struct mempolicy policy;

	task_get_mempolicy(context->task, &policy);
	(void)each_area(context, out, true, show_numa_area, &policy);
	return 0;
}
