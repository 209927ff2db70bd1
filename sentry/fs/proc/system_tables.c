/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of the kernel's that belong to no process: version, filesystems, devices, locks,
 * interrupts. */
#include "sentry/fs/proc/root_files.h"

#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/scheduling.h"
#include "sentry/keys/key.h"
#include "sentry/vfs/device.h"
#include "sentry/vfs/file_lock.h"

#define MAJORS_MAX 512

int root_show_version(const struct proc_context *context, struct text_writer *out)
{
	struct linux_new_utsname name = {.sysname = "Linux"};

	if (current)
		uts_namespace_read(current->nsproxy->uts, &name);
	text_printf(out,
		"%s version %s (root@csandbox) (gcc (GCC) 12.2.0, GNU ld (GNU Binutils) 2.40) %s\n",
		name.sysname, name.release, name.version);
	return 0;
}

int root_show_filesystems(const struct proc_context *context, struct text_writer *out)
{
	const struct file_system_type *type;

	for (size_t i = 0; (type = file_system_at(i)); i++)
		text_printf(out, "%s\t%s\n", type->needs_no_device ? "nodev" : "", type->name);
	return 0;
}

int root_show_devices(const struct proc_context *context, struct text_writer *out)
{
	uint32_t major;
	const char *name;

	text_printf(out, "Character devices:\n");
	for (uint32_t wanted = 0; wanted < MAJORS_MAX; wanted++)
		for (size_t i = 0; device_at(i, &major, &name); i++)
			if (major == wanted)
				text_printf(out, "%3u %s\n", major, name);
	text_printf(out, "\nBlock devices:\n");
	return 0;
}

int root_show_locks(const struct proc_context *context, struct text_writer *out)
{
	file_lock_show_all(out);
	return 0;
}

static void show_processors(struct text_writer *out, int width)
{
	text_printf(out, "%*s", width, "");
	for (int i = 0; i < scheduling_processors(); i++)
		text_printf(out, "CPU%-8d", i);
	text_append(out, "\n", 1);
}

int root_show_interrupts(const struct proc_context *context, struct text_writer *out)
{
	show_processors(out, 11);
	return 0;
}

int root_show_softirqs(const struct proc_context *context, struct text_writer *out)
{
	static const char *const names[] = {"HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL",
		"TASKLET", "SCHED", "HRTIMER", "RCU"};

	show_processors(out, 20);
	for (size_t i = 0; i < array_count(names); i++) {
		text_printf(out, "%12s:", names[i]);
		for (int n = 0; n < scheduling_processors(); n++)
			text_printf(out, " %10u", 0u);
		text_append(out, "\n", 1);
	}
	return 0;
}

int root_show_key_users(const struct proc_context *context, struct text_writer *out)
{
	if (current)
		key_users_show(keys_domain(), context->user_ns, out);
	return 0;
}

int root_show_keys(const struct proc_context *context, struct text_writer *out)
{
	if (current)
		keys_show(context->cred, context->user_ns, out);
	return 0;
}
