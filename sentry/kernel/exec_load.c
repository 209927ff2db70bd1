/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an open program to a complete new memory image: loader/ plans, and the plan is carried out
 * in a fresh mm. The old program is not touched, so whatever fails here is an error for it, but for
 * what Linux finds out only after it is gone.
 */
#include "abi/mman.h"
#include "abi/mount.h"
#include "abi/personality.h"
#include "abi/stat.h"
#include "sentry/kernel/capability.h"
#include "sentry/kernel/exec_open.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/ptrace_state.h"
#include "sentry/kernel/random.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/kernel/task_run.h"
#include "sentry/time/vdso.h"
#include "sentry/vfs/file_caps.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/inode.h"
#include "sentry/vfs/path.h"
#include "sentry/vfs/permission.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

/* Room below the stack's contents that is mapped from the start. */
#define STACK_ROOM (132ul * 1024)
#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

static const struct loader_limits limits = {.min = PLATFORM_GUEST_MIN, .max = PLATFORM_GUEST_MAX};

/* What the steps of a load share. */
struct load {
	struct task *task;
	const struct exec_request *request;
	struct exec_image *image;
	struct exec_elf program, interpreter;
	uint64_t program_bias, interpreter_bias;
	uint64_t stack_top;
	uint64_t vdso;
	bool random; /* address space randomisation is on */
	struct mm_layout layout;
};

static uint64_t load_random(const struct load *load)
{
	return load->random ? random_u64() : 0;
}

/* --- credentials (capabilities(7), "Transformation of capabilities during execve()") --- */

/* Threads of other processes that share fs_struct could change the root under a set-user-ID
 * program. */
static bool fs_is_shared(struct task *task)
{
	unsigned int own = 0;
	struct task *thread;

	mutex_lock(&g_tasks.lock);
	TAILQ_FOREACH (thread, &task->group->tasks, group_link)
		own += thread->fs == task->fs;
	mutex_unlock(&g_tasks.lock);
	return refcount_read(&task->fs->refs) > own;
}

static bool traced_by_weaker(struct task *task)
{
	struct ptrace_state *state = task->ptrace;
	bool weaker;

	mutex_lock(&task->sighand->lock);
	weaker = state->tracer &&
		 !cred_capable_in(state->tracer_cred, task->cred->user_ns, LINUX_CAP_SYS_PTRACE);
	mutex_unlock(&task->sighand->lock);
	return weaker;
}

static void load_privileges(
	struct load *load, struct exec_privileges *privileges, struct linux_vfs_cap_data *caps)
{
	struct file *file = load->program.file;
	struct inode *inode = file->inode;
	int64_t caps_size;

	*privileges = (struct exec_privileges){
		.mode = inode->attributes.mode,
		.uid = inode->attributes.uid,
		.gid = inode->attributes.gid,
		.no_suid = file->path.mount->flags & LINUX_MS_NOSUID,
		.no_new_privs = load->task->no_new_privs,
	};
	if (privileges->no_suid)
		return;
	caps_size = file_caps_load(inode, caps);
	if (caps_size > 0) {
		privileges->file_caps = caps;
		privileges->file_caps_size = (size_t)caps_size;
	}
	if (caps_size > 0 || (privileges->mode & (LINUX_S_ISUID | LINUX_S_ISGID))) {
		privileges->traced = traced_by_weaker(load->task);
		privileges->shared_fs = fs_is_shared(load->task);
	}
}

static int load_cred(struct load *load)
{
	struct exec_privileges privileges;
	struct linux_vfs_cap_data caps;
	int err;

	load_privileges(load, &privileges, &caps);
	err = cred_for_exec(
		load->task->cred, &privileges, &load->image->cred, &load->image->secure);
	if (err)
		return err;
	if (inode_permission(load->program.file->inode, load->task->cred, MAY_READ))
		load->image->unreadable = true;
	if (load->image->secure)
		load->random = true;
	return 0;
}

/* --- segments --- */

static int map_at(struct mm *mm, struct file *file, uint64_t address, uint64_t length,
	uint64_t offset, int protection)
{
	struct mmap_request request = {
		.address = address,
		.length = length,
		.protection = protection,
		.flags = LINUX_MAP_PRIVATE | LINUX_MAP_FIXED |
			 (file ? LINUX_MAP_DENYWRITE : LINUX_MAP_ANONYMOUS),
		.file = file,
		.offset = offset,
	};
	gaddr_t mapped;

	return length ? mm_mmap(mm, &request, &mapped) : 0;
}

static int map_segment(
	struct mm *mm, struct file *file, const struct loader_segment *segment, uint64_t bias)
{
	struct loader_mapping mapping;
	int err;

	loader_plan_segment(segment, bias, &mapping);
	err = map_at(
		mm, file, mapping.address, mapping.length, mapping.file_offset, mapping.protection);
	if (!err && mapping.zero_length)
		err = mm_zero(mm, mapping.zero_start, mapping.zero_length);
	if (!err)
		err = map_at(mm, NULL, mapping.anonymous_address, mapping.anonymous_length, 0,
			mapping.anonymous_protection);
	return err;
}

/* Where mmap finds room for all segments together. */
static int find_room(struct mm *mm, const struct loader_image *image, uint64_t *bias)
{
	struct mmap_request request = {
		.length = loader_span(image),
		.protection = LINUX_PROT_NONE,
		.flags = LINUX_MAP_PRIVATE | LINUX_MAP_ANONYMOUS | LINUX_MAP_NORESERVE,
	};
	gaddr_t address;
	int err = mm_mmap(mm, &request, &address);

	if (err)
		return err;
	*bias = loader_bias_at(image, address);
	return mm_munmap(mm, address, request.length);
}

static int map_elf(struct load *load, struct exec_elf *elf, enum loader_role role, uint64_t *bias)
{
	struct mm *mm = load->image->mm;
	int err = 0;

	if (!loader_place(&elf->image, role, load_random(load), bias))
		err = find_room(mm, &elf->image, bias);
	if (!err)
		err = loader_check_placement(&elf->image, *bias, &limits);
	for (size_t i = 0; i < elf->image.segment_count && !err; i++)
		err = map_segment(mm, elf->file, &elf->image.segments[i], *bias);
	return err;
}

/* --- stack --- */

static void fill_stack_request(struct load *load, struct loader_stack_request *request)
{
	const struct cred *cred = load->image->cred;
	const struct loader_image *program = &load->program.image;

	*request = (struct loader_stack_request){
		.arguments = load->request->arguments,
		.stack_top = load->stack_top,
		.random = load_random(load),
		.hwcap = getauxval(AT_HWCAP),
		.hwcap2 = getauxval(AT_HWCAP2),
		.phdr_address = program->phdr_address + load->program_bias,
		.phdr_count = program->phdr_count,
		.interpreter_base = load->interpreter.file ? load->interpreter_bias : 0,
		.entry = program->entry + load->program_bias,
		.vdso = load->vdso,
		.minsigstksz = getauxval(AT_MINSIGSTKSZ),
		.uid = user_namespace_show_uid(cred->user_ns, cred->uid),
		.euid = user_namespace_show_uid(cred->user_ns, cred->euid),
		.gid = user_namespace_show_gid(cred->user_ns, cred->gid),
		.egid = user_namespace_show_gid(cred->user_ns, cred->egid),
		.secure = load->image->secure,
	};
	random_bytes(request->random_bytes, sizeof(request->random_bytes));
}

static int map_stack(struct load *load, const struct loader_stack *stack)
{
	bool executable = load->program.image.executable_stack;
	uint64_t length = page_ceil(stack->size + STACK_ROOM);
	struct mmap_request request = {
		.address = load->stack_top - length,
		.length = length,
		.protection =
			LINUX_PROT_READ | LINUX_PROT_WRITE | (executable ? LINUX_PROT_EXEC : 0),
		.flags = LINUX_MAP_PRIVATE | LINUX_MAP_ANONYMOUS | LINUX_MAP_FIXED |
			 LINUX_MAP_GROWSDOWN,
		.stack = true,
	};
	gaddr_t mapped;
	int err = mm_mmap(load->image->mm, &request, &mapped);

	if (err)
		return err;
	return mm_copy_out(load->image->mm, stack->stack_pointer, stack->bytes, stack->size);
}

static int load_stack(struct load *load)
{
	struct loader_stack_request request;
	struct loader_stack stack;
	int err;

	fill_stack_request(load, &request);
	err = loader_build_stack(&request, &stack);
	if (err)
		return err;
	err = map_stack(load, &stack);
	if (!err)
		err = mm_set_auxv(load->image->mm, stack.bytes + (stack.auxv - stack.stack_pointer),
			stack.auxv_size);
	load->image->stack_pointer = stack.stack_pointer;
	load->layout.start_stack = stack.stack_pointer;
	load->layout.arg_start = stack.arg_start;
	load->layout.arg_end = stack.arg_end;
	load->layout.env_start = stack.env_start;
	load->layout.env_end = stack.env_end;
	loader_stack_free(&stack);
	return err;
}

/* --- all of it --- */

static void layout_begin(struct load *load)
{
	uint64_t stack_limit = rlimit_of(load->task->group, LINUX_RLIMIT_STACK);

	load->stack_top = loader_stack_top(&limits, load_random(load));
	load->layout.stack_top = load->stack_top;
	load->layout.mmap_base = loader_mmap_base(&limits, stack_limit, load_random(load));
	mm_set_layout(load->image->mm, &load->layout);
}

static void layout_finish(struct load *load)
{
	const struct loader_image *program = &load->program.image;
	struct mm_layout *layout = &load->layout;
	uint64_t bias = load->program_bias;

	layout->start_code = program->start_code + bias;
	layout->end_code = program->end_code + bias;
	layout->start_data = program->start_data + bias;
	layout->end_data = program->end_data + bias;
	layout->start_brk = loader_brk_start(program, bias, &limits, load_random(load));
	layout->brk = layout->start_brk;
	layout->vdso = load->vdso;
	mm_set_layout(load->image->mm, layout);
}

/* The program's clocks are those of the namespace that was chosen for it. */
static int load_clocks(struct load *load)
{
	struct nsproxy *nsproxy = current->nsproxy;

	if (nsproxy_changes_time(nsproxy)) {
		load->image->nsproxy = nsproxy_duplicate(nsproxy);
		if (!load->image->nsproxy)
			return -ENOMEM;
		nsproxy_change_time(load->image->nsproxy);
	}
	return vdso_map(load->image->mm, !nsproxy->time_for_children, &load->vdso);
}

static int load_memory(struct load *load)
{
	struct exec_image *image = load->image;
	int err = mm_new(g_platform, &image->mm);

	if (err)
		return err;
	layout_begin(load);
	err = map_elf(load, &load->program, LOADER_PROGRAM, &load->program_bias);
	if (!err && load->interpreter.file)
		err = map_elf(
			load, &load->interpreter, LOADER_INTERPRETER, &load->interpreter_bias);
	/* A segment without room is the program's fault, and found too late for an error. */
	if (err == -ENOMEM)
		return -EINVAL;
	if (!err)
		err = load_clocks(load);
	if (!err)
		err = load_stack(load);
	if (err)
		return err;
	layout_finish(load);
	err = mm_set_exe_file(image->mm, load->program.file);
	if (err)
		return err;
	image->entry = load->interpreter.file
			       ? load->interpreter.image.entry + load->interpreter_bias
			       : load->program.image.entry + load->program_bias;
	return 0;
}

static void load_comm(struct load *load)
{
	const char *path = load->request->arguments->path, *slash = strrchr(path, '/');

	strncpy(load->image->comm, slash ? slash + 1 : path, sizeof(load->image->comm) - 1);
}

static int load_all(struct load *load)
{
	int err = exec_open_program(load->task, load->request, &load->program);

	if (!err)
		err = exec_open_interpreter(load->task, &load->program, &load->interpreter);
	if (!err)
		err = load_cred(load);
	if (err)
		return err;
	load_comm(load);
	err = load_memory(load);
	/* Linux has let go of the old program by now, unless memory is short: the task gets
	 * SIGSEGV. */
	if (err && err != -ENOMEM && err != -E2BIG) {
		load->image->fatal = true;
		err = 0;
	}
	return err;
}

int exec_load(struct task *task, const struct exec_request *request, struct exec_image **out)
{
	struct load load = {
		.task = task,
		.request = request,
		.random = !(task->personality & LINUX_ADDR_NO_RANDOMIZE),
	};
	int err;

	load.image = calloc(1, sizeof(*load.image));
	if (!load.image)
		return -ENOMEM;
	err = load_all(&load);
	exec_elf_close(&load.program);
	exec_elf_close(&load.interpreter);
	if (err) {
		exec_image_free(load.image);
		return err;
	}
	*out = load.image;
	return 0;
}

void exec_image_free(struct exec_image *image)
{
	if (!image)
		return;
	if (image->mm)
		mm_put(image->mm);
	if (image->cred)
		cred_put(image->cred);
	nsproxy_put(image->nsproxy);
	free(image);
}
