/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signal frames of x86-64: struct linux_rt_sigframe below an XSAVE image, as the kernel's
 * setup_rt_frame() lays them out, and rt_sigreturn(2), which believes nothing of what it finds
 * there.
 *
 * Differs from Linux: a handler starts with a fresh floating-point state only if the control words
 * or the x87 stack were not fresh already; the vector registers keep their contents otherwise. Code
 * and stack segments are the flat ones alone, since there is no LDT.
 */
#include "abi/ucontext.h"
#include "base/cleanup.h"
#include "sentry/kernel/sigaltstack.h"
#include "sentry/kernel/signal_private.h"
#include "sentry/kernel/task_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define USER_CS	  0x33
#define USER32_CS 0x23
#define USER_DS	  0x2b

#define EFLAGS_TRAP	 0x100u
#define EFLAGS_DIRECTION 0x400u
#define EFLAGS_RESUME	 0x10000u
/* What a frame may change: AC, RF, OF, DF, TF, SF, ZF, AF, PF, CF. */
#define EFLAGS_FRAME 0x50dd5u

#define FPU_CONTROL_FRESH 0x37f
#define MXCSR_FRESH	  0x1f80
#define XSAVE_MIN_SIZE	  (sizeof(struct linux_fpstate) + sizeof(struct linux_xstate_header))

struct xsave_image {
	struct linux_fpstate legacy;
	struct linux_xstate_header header;
};

/* Of an image as the platform takes and gives it. */
static size_t image_size(void)
{
	return max_u64(g_platform->fpstate_size, XSAVE_MIN_SIZE);
}

/* Of what a frame has of it: programs size their alternate stacks by what they may use. */
static size_t fpstate_size(void)
{
	return max_u64(g_platform->fpstate_used, XSAVE_MIN_SIZE);
}

static void image_make_fresh(struct xsave_image *image, size_t size)
{
	memset(image, 0, size);
	image->legacy.cwd = FPU_CONTROL_FRESH;
	image->legacy.mxcsr = MXCSR_FRESH;
	/* MXCSR is taken from the image only if SSE state is said to be in it. */
	image->header.xfeatures = LINUX_XFEATURE_MASK_FPSSE;
}

static bool image_is_fresh_enough(const struct xsave_image *image)
{
	const struct linux_fpstate *legacy = &image->legacy;

	if (!(image->header.xfeatures & LINUX_XFEATURE_MASK_FP))
		return legacy->mxcsr == MXCSR_FRESH;
	return legacy->cwd == FPU_CONTROL_FRESH && legacy->swd == 0 && legacy->twd == 0 &&
	       legacy->mxcsr == MXCSR_FRESH;
}

static int image_load(struct task *task, const struct xsave_image *image, size_t size)
{
	return context_set_fpstate(task->context, mm_address_space(task->mm), image, size);
}

/* --- building --- */

struct frame_place {
	gaddr_t fpstate;
	gaddr_t frame;
};

static int frame_find_place(
	struct task *task, const struct linux_sigaction *action, struct frame_place *place)
{
	bool nested = altstack_in_use(task, task->regs.rsp), entering = false;
	uint64_t sp = task->regs.rsp - LINUX_REDZONE_SIZE;

	if ((action->sa_flags & LINUX_SA_ONSTACK) && task->altstack.ss_size &&
		!altstack_in_use(task, sp)) {
		sp = task->altstack.ss_sp + task->altstack.ss_size;
		entering = true;
	}
	sp -= fpstate_size() + LINUX_FP_XSTATE_MAGIC2_SIZE;
	place->fpstate = sp & ~63ull;
	place->frame = ((place->fpstate - sizeof(struct linux_rt_sigframe)) & ~15ull) - 8;
	/* Better to die of SIGSEGV than to overwrite what lies below the alternate stack. */
	if ((nested || entering) && !altstack_contains(task, place->frame))
		return -EFAULT;
	return 0;
}

/* Writes the image with the marks around it; *fresh tells whether a handler may start with what is
 * in the registers. */
static int fpstate_push(struct task *task, gaddr_t address, bool *fresh)
{
	size_t size = fpstate_size();
	auto_free struct xsave_image *image = calloc(1, image_size() + LINUX_FP_XSTATE_MAGIC2_SIZE);
	uint32_t magic2 = LINUX_FP_XSTATE_MAGIC2;
	int error;

	if (!image)
		return -ENOMEM;
	error = context_get_fpstate(
		task->context, mm_address_space(task->mm), image, g_platform->fpstate_size);
	if (error)
		return error;
	*fresh = image_is_fresh_enough(image);
	image->legacy.sw_reserved = (struct linux_fpx_sw_bytes){
		.magic1 = LINUX_FP_XSTATE_MAGIC1,
		.extended_size = (uint32_t)(size + LINUX_FP_XSTATE_MAGIC2_SIZE),
		.xfeatures = g_platform->fpstate_features,
		.xstate_size = (uint32_t)size,
	};
	/* Old programs change the registers without the header. */
	image->header.xfeatures |= LINUX_XFEATURE_MASK_FPSSE;
	memcpy((char *)image + size, &magic2, sizeof(magic2));
	return mm_copy_out(task->mm, address, image, size + LINUX_FP_XSTATE_MAGIC2_SIZE);
}

static void sigcontext_fill(
	struct linux_sigcontext *context, struct task *task, gaddr_t fpstate, linux_sigset_t mask)
{
	const struct linux_user_regs *regs = &task->regs;

	*context = (struct linux_sigcontext){
		.r8 = regs->r8,
		.r9 = regs->r9,
		.r10 = regs->r10,
		.r11 = regs->r11,
		.r12 = regs->r12,
		.r13 = regs->r13,
		.r14 = regs->r14,
		.r15 = regs->r15,
		.rdi = regs->rdi,
		.rsi = regs->rsi,
		.rbp = regs->rbp,
		.rbx = regs->rbx,
		.rdx = regs->rdx,
		.rax = regs->rax,
		.rcx = regs->rcx,
		.rsp = regs->rsp,
		.rip = regs->rip,
		.eflags = regs->eflags,
		.cs = (uint16_t)regs->cs,
		.ss = (uint16_t)regs->ss,
		.err = task->fault.error_code,
		.trapno = task->fault.trapno,
		.oldmask = mask,
		.cr2 = task->fault.cr2,
		.fpstate = fpstate,
	};
}

static int frame_write(struct task *task, const struct frame_place *place,
	const struct linux_sigaction *action, const struct linux_siginfo *info, linux_sigset_t mask)
{
	struct linux_rt_sigframe frame = {
		.pretcode = action->sa_restorer,
		.uc.uc_flags =
			LINUX_UC_FP_XSTATE | LINUX_UC_SIGCONTEXT_SS | LINUX_UC_STRICT_RESTORE_SS,
		.uc.uc_stack = task->altstack,
		.uc.uc_sigmask = mask,
		.info = *info,
	};

	sigcontext_fill(&frame.uc.uc_mcontext, task, place->fpstate, mask);
	return mm_copy_out(task->mm, place->frame, &frame, sizeof(frame));
}

static int fpu_reset(struct task *task)
{
	size_t size = image_size();
	auto_free struct xsave_image *image = malloc(size);

	if (!image)
		return -ENOMEM;
	image_make_fresh(image, size);
	return image_load(task, image, g_platform->fpstate_size);
}

int signal_frame_push(struct task *task, int signal, const struct linux_sigaction *action,
	const struct linux_siginfo *info, linux_sigset_t mask)
{
	struct linux_user_regs *regs = &task->regs;
	struct frame_place place;
	bool fresh = true;
	int error;

	if (!(action->sa_flags & LINUX_SA_RESTORER))
		return -EFAULT;
	error = frame_find_place(task, action, &place);
	if (!error)
		error = fpstate_push(task, place.fpstate, &fresh);
	if (!error)
		error = frame_write(task, &place, action, info, mask);
	if (!error && !fresh)
		error = fpu_reset(task);
	if (error)
		return error;
	regs->rdi = (uint64_t)signal;
	regs->rsi = place.frame + offsetof(struct linux_rt_sigframe, info);
	regs->rdx = place.frame + offsetof(struct linux_rt_sigframe, uc);
	regs->rax = 0;
	regs->rip = action->sa_handler;
	regs->rsp = place.frame;
	regs->cs = USER_CS;
	regs->ss = USER_DS;
	regs->eflags &= ~(uint64_t)(EFLAGS_DIRECTION | EFLAGS_RESUME | EFLAGS_TRAP);
	return 0;
}

/* --- taking off --- */

/* How much of the image at address counts: all that its marks say, or the FXSAVE area alone. */
static int fpstate_examine(struct task *task, gaddr_t address, struct linux_fpx_sw_bytes *marks)
{
	uint32_t magic2;

	if (mm_copy_in(task->mm, marks, address + offsetof(struct linux_fpstate, sw_reserved),
		    sizeof(*marks)))
		return -EFAULT;
	if (marks->magic1 == LINUX_FP_XSTATE_MAGIC1 && marks->xstate_size >= XSAVE_MIN_SIZE &&
		marks->xstate_size <= fpstate_size() &&
		marks->xstate_size <= marks->extended_size) {
		if (mm_copy_in(task->mm, &magic2, address + marks->xstate_size, sizeof(magic2)))
			return -EFAULT;
		if (magic2 == LINUX_FP_XSTATE_MAGIC2)
			return 0;
	}
	marks->magic1 = 0;
	marks->xstate_size = sizeof(struct linux_fpstate);
	marks->xfeatures = LINUX_XFEATURE_MASK_FPSSE;
	return 0;
}

static int fpstate_pop(struct task *task, gaddr_t address)
{
	struct linux_fpx_sw_bytes marks;
	auto_free struct xsave_image *image = NULL;

	if (!address)
		return fpu_reset(task);
	if (fpstate_examine(task, address, &marks))
		return -EFAULT;
	image = calloc(1, image_size());
	if (!image)
		return -ENOMEM;
	if (mm_copy_in(task->mm, image, address, marks.xstate_size))
		return -EFAULT;
	if (!marks.magic1) {
		image->header =
			(struct linux_xstate_header){.xfeatures = LINUX_XFEATURE_MASK_FPSSE};
	} else {
		if (image->header.xcomp_bv ||
			(image->header.xfeatures & ~g_platform->fpstate_features))
			return -EINVAL;
		/* MXCSR is loaded even where SSE state is not: say that it is there, in its initial
		 * state. */
		if (!(image->header.xfeatures & marks.xfeatures & LINUX_XFEATURE_MASK_SSE))
			memset(image->legacy.xmm_space, 0, sizeof(image->legacy.xmm_space));
		image->header.xfeatures &= marks.xfeatures;
		image->header.xfeatures |= LINUX_XFEATURE_MASK_SSE;
	}
	return image_load(task, image, g_platform->fpstate_size);
}

static void registers_restore(struct linux_user_regs *regs, const struct linux_sigcontext *context)
{
	regs->r8 = context->r8;
	regs->r9 = context->r9;
	regs->r10 = context->r10;
	regs->r11 = context->r11;
	regs->r12 = context->r12;
	regs->r13 = context->r13;
	regs->r14 = context->r14;
	regs->r15 = context->r15;
	regs->rdi = context->rdi;
	regs->rsi = context->rsi;
	regs->rbp = context->rbp;
	regs->rbx = context->rbx;
	regs->rdx = context->rdx;
	regs->rax = context->rax;
	regs->rcx = context->rcx;
	regs->rsp = context->rsp;
	regs->rip = context->rip;
	regs->eflags = (regs->eflags & ~(uint64_t)EFLAGS_FRAME) | (context->eflags & EFLAGS_FRAME);
	regs->orig_rax = UINT64_MAX;
}

/* The segments that the processor would refuse, and instruction pointers that it cannot hold, are
 * faults of the guest's. */
static int segments_restore(struct linux_user_regs *regs, const struct linux_ucontext *uc)
{
	uint16_t cs = uc->uc_mcontext.cs | 3, ss = uc->uc_mcontext.ss | 3;

	if (cs != USER_CS && cs != USER32_CS)
		return -EINVAL;
	if (ss != USER_DS) {
		if (uc->uc_flags & LINUX_UC_STRICT_RESTORE_SS)
			return -EINVAL;
		ss = USER_DS;
	}
	if ((uint64_t)((int64_t)(regs->rip << 16) >> 16) != regs->rip)
		return -EINVAL;
	regs->cs = cs;
	regs->ss = ss;
	return 0;
}

int signal_frame_pop(struct task *task)
{
	struct linux_ucontext uc;
	struct linux_stack old;
	gaddr_t frame = task->regs.rsp - 8;

	if (mm_copy_in(task->mm, &uc, frame + offsetof(struct linux_rt_sigframe, uc), sizeof(uc)))
		return -EFAULT;
	task_set_blocked(task, uc.uc_sigmask);
	task->restart.restart = NULL;
	registers_restore(&task->regs, &uc.uc_mcontext);
	if (segments_restore(&task->regs, &uc))
		return -EFAULT;
	if (fpstate_pop(task, uc.uc_mcontext.fpstate))
		return -EFAULT;
	/* As Linux: a stack that is refused is not an error. */
	altstack_set(task, &uc.uc_stack, &old);
	return 0;
}
