/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vDSO as a file that is mapped into every program. Private mappings: a debugger's breakpoint
 * in it is its own program's. The file has the page of parameters, the image, and a second page of
 * parameters that are never ready: those of programs whose clocks are not the kernel's.
 */
#include "sentry/time/vdso.h"

#include "abi/mman.h"
#include "loader/vdso/vdso_image.h"
#include "sentry/mm/mappable.h"
#include "sentry/mm/memory_file.h"
#include "sentry/time/vdso_params.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <string.h>

/* Set once by vdso_prepare(). */
static uint64_t g_offset;
static struct mappable g_mappable;
static struct file *g_file;

static uint64_t vdso_size(void)
{
	return PAGE_SIZE + loader_vdso_size;
}

static uint64_t file_size(void)
{
	return vdso_size() + PAGE_SIZE;
}

static int vdso_translate(struct mappable *mappable, uint64_t offset, uint64_t length, bool write,
	struct mapping_extent *extent)
{
	if (offset >= file_size())
		return -ERANGE;
	*extent = (struct mapping_extent){
		.host_fd = memory_file_fd(),
		.host_offset = g_offset + offset,
		.length = min_u64(length, file_size() - offset),
		.warm = true,
	};
	memory_file_get(extent->host_offset, extent->length);
	return 0;
}

static const struct mappable_operations vdso_mappable_operations = {.translate = vdso_translate};

static int vdso_mmap(struct file *file, bool shared, int protection, int *max_protection,
	struct mappable **out, bool *anonymous)
{
	*out = &g_mappable;
	return 0;
}

static const struct file_operations vdso_file_operations = {.mmap = vdso_mmap, .name = "[vdso]"};

int vdso_prepare(struct vdso_params **params)
{
	int error = memory_file_allocate_unclean(file_size(), &g_offset);

	if (error)
		return error;
	memset(memory_file_pointer(g_offset), 0, PAGE_SIZE);
	memset(memory_file_pointer(g_offset + vdso_size()), 0, PAGE_SIZE);
	memcpy(memory_file_pointer(g_offset + PAGE_SIZE), loader_vdso_image, loader_vdso_size);
	mappable_init(&g_mappable, &vdso_mappable_operations);
	*params = memory_file_pointer(g_offset);
	return 0;
}

int vdso_open(void)
{
	struct inode *inode = anon_inode_get();

	if (!inode)
		return -ENOMEM;
	return file_new_anonymous(
		inode, &vdso_file_operations, FILE_READ | FILE_EXEC, 0, NULL, "[vdso]", &g_file);
}

static int map_parameters(struct mm *mm, gaddr_t address, bool own_clocks)
{
	struct mmap_request request = {
		.file = g_file,
		.special = true,
		.flags = LINUX_MAP_PRIVATE | LINUX_MAP_FIXED,
		.address = address,
		.length = PAGE_SIZE,
		.offset = own_clocks ? 0 : vdso_size(),
		.protection = LINUX_PROT_READ,
		.name = "[vvar]",
	};
	gaddr_t mapped;

	return mm_mmap(mm, &request, &mapped);
}

int vdso_set_clocks(struct mm *mm, bool own_clocks)
{
	struct vma_info info;
	gaddr_t address = 0;

	while (mm_next_vma(mm, address, false, &info)) {
		if (info.file)
			file_put(info.file);
		if (info.special && !strcmp(info.name, "[vvar]"))
			return map_parameters(mm, info.start, own_clocks);
		address = info.end;
	}
	return 0;
}

int vdso_map(struct mm *mm, bool own_clocks, gaddr_t *image)
{
	struct mmap_request request = {
		.length = vdso_size(),
		.protection = LINUX_PROT_NONE,
		.flags = LINUX_MAP_PRIVATE | LINUX_MAP_ANONYMOUS | LINUX_MAP_NORESERVE,
	};
	gaddr_t base, mapped;
	int error = mm_mmap(mm, &request, &base);

	if (error)
		return error;
	error = map_parameters(mm, base, own_clocks);
	if (error)
		return error;
	request.file = g_file;
	request.special = true;
	request.flags = LINUX_MAP_PRIVATE | LINUX_MAP_FIXED;
	request.address = base + PAGE_SIZE;
	request.length = loader_vdso_size;
	request.offset = PAGE_SIZE;
	request.protection = LINUX_PROT_READ | LINUX_PROT_EXEC;
	request.name = "[vdso]";
	error = mm_mmap(mm, &request, &mapped);
	if (error)
		return error;
	*image = base + PAGE_SIZE;
	return 0;
}

void vdso_release(void)
{
	if (g_file)
		file_put(g_file);
	g_file = NULL;
	mappable_destroy(&g_mappable);
	memory_file_put(g_offset, file_size());
}
