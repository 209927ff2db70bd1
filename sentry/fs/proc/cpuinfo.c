/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/cpuinfo, from the processor itself.
 *
 * Differs from Linux: every processor is a core of one package; the frequency is that of the
 * time-stamp counter.
 */
#include "sentry/fs/proc/processor_flags.h"
#include "sentry/fs/proc/root_files.h"

#include "sentry/kernel/scheduling.h"
#include "sentry/kernel/task_run.h"

#include <cpuid.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct processor {
	char vendor[13], name[49];
	unsigned int family, model, stepping, level;
	unsigned int physical_bits, virtual_bits, clflush, cache_kib;
	uint64_t khz;
	struct text_writer flags;
};

static struct processor processor;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void read_identity(void)
{
	uint32_t eax, ebx, ecx, edx;

	__cpuid(0, processor.level, ebx, ecx, edx);
	memcpy(processor.vendor, &ebx, 4);
	memcpy(processor.vendor + 4, &edx, 4);
	memcpy(processor.vendor + 8, &ecx, 4);
	__cpuid(1, eax, ebx, ecx, edx);
	processor.stepping = eax & 15;
	processor.family = eax >> 8 & 15;
	processor.model = eax >> 4 & 15;
	if (processor.family >= 6)
		processor.model += (eax >> 16 & 15) << 4;
	if (processor.family == 15)
		processor.family += eax >> 20 & 255;
	processor.clflush = (ebx >> 8 & 255) * 8;
}

static void read_name(void)
{
	uint32_t words[12] = {0};
	const char *start = (const char *)words;

	if ((unsigned int)(uint32_t)__get_cpuid_max(0x80000000, NULL) >= 0x80000004)
		for (uint32_t i = 0; i < 3; i++)
			__cpuid(0x80000002 + i, words[i * 4], words[i * 4 + 1], words[i * 4 + 2],
				words[i * 4 + 3]);
	while (*start == ' ' && start < (const char *)words + sizeof(words) - 1)
		start++;
	(void)snprintf(processor.name, sizeof(processor.name), "%.*s",
		(int)((const char *)words + sizeof(words) - start), start);
}

/* The largest cache that leaf 4 (or AMD's) tells of. */
static unsigned int read_cache(uint32_t leaf)
{
	unsigned int kib = 0;

	if ((unsigned int)(uint32_t)__get_cpuid_max(leaf & 0x80000000, NULL) < leaf)
		return 0;
	for (uint32_t i = 0; i < 8; i++) {
		uint32_t eax, ebx, ecx, edx;
		uint64_t bytes;

		__cpuid_count(leaf, i, eax, ebx, ecx, edx);
		if (!(eax & 31))
			break;
		bytes = ((ebx >> 22) + 1ull) * ((ebx >> 12 & 1023) + 1) * ((ebx & 4095) + 1) *
			(ecx + 1ull);
		if (bytes >> 10 > kib)
			kib = (unsigned int)(bytes >> 10);
	}
	return kib;
}

/* Ticks of the time-stamp counter in a second, in kHz: what the processor says, or what was
 * measured. */
static uint64_t read_khz(void)
{
	const uint64_t ticks = 1ull << 32;
	uint32_t eax = 0, ebx = 0, ecx = 0, edx;
	uint64_t ns = task_ticks_to_ns(ticks);

	if (processor.level >= 0x15)
		__cpuid(0x15, eax, ebx, ecx, edx);
	if (eax && ebx && ecx)
		return (uint64_t)ecx * ebx / eax / 1000;
	return ns ? (uint64_t)((unsigned __int128)ticks * 1000 / ns) * 1000 : 0;
}

static void read_processor(void)
{
	uint32_t eax = 0, ebx, ecx, edx;

	read_identity();
	read_name();
	processor.cache_kib = read_cache(4);
	if (!processor.cache_kib)
		processor.cache_kib = read_cache(0x8000001d);
	if ((unsigned int)(uint32_t)__get_cpuid_max(0x80000000, NULL) >= 0x80000008)
		__cpuid(0x80000008, eax, ebx, ecx, edx);
	processor.physical_bits = eax ? eax & 255 : 36;
	processor.virtual_bits = eax ? eax >> 8 & 255 : 48;
	processor.khz = read_khz();
	processor_show_flags(&processor.flags);
}

static void show_one(struct text_writer *out, int number, int count)
{
	const struct processor *p = &processor;
	uint64_t khz = p->khz;

	text_printf(out,
		"processor\t: %d\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\nmodel name\t: "
		"%s\n",
		number, p->vendor, p->family, p->model, p->name[0] ? p->name : "unknown");
	text_printf(out,
		"stepping\t: %u\nmicrocode\t: 0x1\ncpu MHz\t\t: %lu.%03lu\ncache size\t: %u KB\n",
		p->stepping, khz / 1000, khz % 1000, p->cache_kib);
	text_printf(out,
		"physical id\t: 0\nsiblings\t: %d\ncore id\t\t: %d\ncpu cores\t: %d\napicid\t\t: "
		"%d\n",
		count, number, count, number);
	text_printf(out,
		"initial apicid\t: %d\nfpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: "
		"%u\nwp\t\t: yes\n",
		number, p->level);
	text_printf(out, "flags\t\t:");
	if (p->flags.text)
		text_append(out, p->flags.text, p->flags.size);
	text_printf(out,
		"\nbugs\t\t:\nbogomips\t: %lu.%02lu\nclflush size\t: %u\ncache_alignment\t: %u\n",
		khz / 500, khz / 5 % 100, p->clflush, p->clflush);
	text_printf(out,
		"address sizes\t: %u bits physical, %u bits virtual\npower management:\n\n",
		p->physical_bits, p->virtual_bits);
}

int root_show_cpuinfo(const struct proc_context *context, struct text_writer *out)
{
	int count = scheduling_processors();

	pthread_once(&once, read_processor);
	for (int i = 0; i < count; i++)
		show_one(out, i, count);
	return 0;
}
