/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of memory. The task whose fault cannot be served gets SIGKILL as the outcome of the
 * fault; what else has to be done is for the registered hook.
 */
#include "sentry/mm/oom.h"

#include "base/log.h"
#include "sentry/mm/memory_file_place.h"

#include <stdatomic.h>
#include <stddef.h>

static void (*_Atomic oom_hook)(struct mm *mm);

void oom_set_hook(void (*hook)(struct mm *mm))
{
	atomic_store(&oom_hook, hook);
}

void oom_report(struct mm *mm)
{
	void (*hook)(struct mm * mm) = atomic_load(&oom_hook);

	log_warning("out of memory: the sandbox's limit is reached");
	if (hook)
		hook(mm);
}

bool oom_check(void)
{
	if (!memory_file_over_limit())
		return false;
	memory_file_trim(0);
	if (!memory_file_over_limit())
		return false;
	oom_report(NULL);
	return true;
}
