/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of processors as text. */
#include "sentry/fs/proc/processor_list.h"

#include "sentry/kernel/scheduling.h"

void processor_set_show_list(const cpu_set_t *set, struct text_writer *out)
{
	const char *separator = "";

	for (int first = 0; first < CPU_SETSIZE; first++) {
		int last = first;

		if (!CPU_ISSET(first, set))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
			last++;
		text_printf(out, last > first ? "%s%d-%d" : "%s%d", separator, first, last);
		separator = ",";
		first = last;
	}
}

void processor_set_show_mask(const cpu_set_t *set, struct text_writer *out)
{
	int count = scheduling_processors(), words = (count + 31) / 32;

	for (int word = words - 1; word >= 0; word--) {
		int width = word == words - 1 && count % 32 ? (count % 32 + 3) / 4 : 8;
		unsigned int mask = 0;

		for (int bit = 0; bit < 32; bit++)
			if (CPU_ISSET(word * 32 + bit, set))
				mask |= 1u << bit;
		text_printf(out, word ? "%0*x," : "%0*x", width, mask);
	}
}
