/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/meminfo and vmstat.
 *
 * Differs from Linux: what the host has in its page cache is not known, so it counts as used; a
 * sandbox with a limit sees its limit as all the memory that there is.
 */
#include "sentry/fs/proc/root_files.h"

#include "sentry/kernel/task.h"
#include "sentry/mm/memory_file.h"
#include "sentry/mm/memory_held.h"

#include <sys/sysinfo.h>

void memory_amounts_get(struct memory_amounts *amounts)
{
	struct memory_file_usage usage;
	struct sysinfo host;

	*amounts = (struct memory_amounts){0};
	memory_file_usage(&usage);
	if (sysinfo(&host) == 0) {
		amounts->total = (uint64_t)host.totalram * host.mem_unit;
		amounts->free = (uint64_t)host.freeram * host.mem_unit;
		amounts->buffers = (uint64_t)host.bufferram * host.mem_unit;
		amounts->shared = (uint64_t)host.sharedram * host.mem_unit;
	}
	if (usage.limit && (usage.limit < amounts->total || !amounts->total)) {
		amounts->total = usage.limit;
		amounts->free = min_u64(amounts->free,
			usage.limit -
				min_u64(usage.limit, usage.resident + memory_held_elsewhere()));
		amounts->buffers = amounts->shared = 0;
	}
	amounts->available = amounts->free + amounts->buffers + usage.recycled;
	amounts->available = min_u64(amounts->available, amounts->total);
}

static void show_huge_pages(struct text_writer *out, const struct memory_amounts *now)
{
	text_printf(out,
		"HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\n");
	text_printf(out, "HugePages_Surp:        0\nHugepagesize:       2048 kB\nHugetlb:          "
			 "     0 kB\n");
	text_printf(out, "DirectMap4k:    %8lu kB\n", now->total >> 10);
}

int root_show_meminfo(const struct proc_context *context, struct text_writer *out)
{
	struct memory_amounts now;
	struct memory_file_usage usage;

	memory_amounts_get(&now);
	memory_file_usage(&usage);
	const struct {
		const char *name;
		uint64_t bytes;
	} lines[] = {
		{"MemTotal:", now.total},
		{"MemFree:", now.free},
		{"MemAvailable:", now.available},
		{"Buffers:", now.buffers},
		{"Cached:", now.shared},
		{"SwapCached:", 0},
		{"Active:", usage.resident},
		{"Inactive:", 0},
		{"Active(anon):", usage.resident},
		{"Inactive(anon):", 0},
		{"Active(file):", 0},
		{"Inactive(file):", 0},
		{"Unevictable:", 0},
		{"Mlocked:", 0},
		{"SwapTotal:", 0},
		{"SwapFree:", 0},
		{"Dirty:", 0},
		{"Writeback:", 0},
		{"AnonPages:", usage.resident},
		{"Mapped:", 0},
		{"Shmem:", now.shared},
		{"KReclaimable:", 0},
		{"Slab:", 0},
		{"SReclaimable:", 0},
		{"SUnreclaim:", 0},
		{"KernelStack:", g_tasks.task_count * (16ul << 10)},
		{"PageTables:", 0},
		{"NFS_Unstable:", 0},
		{"Bounce:", 0},
		{"WritebackTmp:", 0},
		{"CommitLimit:", now.total / 2},
		{"Committed_AS:", usage.allocated},
		{"VmallocTotal:", 34359738367ul << 10},
		{"VmallocUsed:", 0},
		{"VmallocChunk:", 0},
		{"Percpu:", 0},
		{"AnonHugePages:", 0},
		{"ShmemHugePages:", 0},
		{"ShmemPmdMapped:", 0},
		{"FileHugePages:", 0},
		{"FilePmdMapped:", 0},
	};

	for (size_t i = 0; i < array_count(lines); i++)
		text_printf(out, "%-16s%8lu kB\n", lines[i].name, lines[i].bytes >> 10);
	show_huge_pages(out, &now);
	return 0;
}

int root_show_vmstat(const struct proc_context *context, struct text_writer *out)
{
	static const char *const zeros[] = {"nr_inactive_anon", "nr_active_file",
		"nr_inactive_file", "nr_unevictable", "nr_mlock", "nr_mapped", "nr_dirty",
		"nr_writeback", "pgpgin", "pgpgout", "pswpin", "pswpout", "pgfault", "pgmajfault",
		"pgsteal_kswapd", "pgsteal_direct", "pgscan_kswapd", "pgscan_direct",
		"allocstall_normal", "oom_kill"};
	struct memory_amounts now;
	struct memory_file_usage usage;

	memory_amounts_get(&now);
	memory_file_usage(&usage);
	text_printf(out, "nr_free_pages %lu\nnr_active_anon %lu\nnr_anon_pages %lu\nnr_shmem %lu\n",
		now.free / PAGE_SIZE, usage.resident / PAGE_SIZE, usage.resident / PAGE_SIZE,
		now.shared / PAGE_SIZE);
	for (size_t i = 0; i < array_count(zeros); i++)
		text_printf(out, "%s 0\n", zeros[i]);
	return 0;
}
