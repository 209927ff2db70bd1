/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page of ours that every stub process holds: the only code that runs in a stub under PTRACE_CONT.
 *
 * It uses no stack and trusts no register that it was not given, since a guest's were just replaced. All
 * of it may be read, and jumped to, by guests: they run under PTRACE_SYSEMU, so a system call in here is
 * theirs and not the host's, as it is anywhere else.
 */
#include <asm/unistd.h>

#define PR_SET_PDEATHSIG   1
#define SIGKILL            9
#define PROT_READ          1
#define MAP_SHARED_FIXED   0x11
/* VM | FS | FILES | SIGHAND | THREAD | SYSVSEM */
#define CLONE_STUB_THREAD  0x00050f00
#define LIST_ENTRY_SIZE    64

	.section .rodata.stub_code, "a", @progbits
	.balign 4096
	.globl stub_code_begin, stub_code_end
	.globl stub_code_idle, stub_code_first, stub_code_prepare, stub_code_clone_process
	.globl stub_code_clone_thread, stub_code_run_list, stub_code_run_list_pku, stub_code_exit
	.globl stub_code_retire
	.hidden stub_code_begin, stub_code_end
	.hidden stub_code_idle, stub_code_first, stub_code_prepare, stub_code_clone_process
	.hidden stub_code_clone_thread, stub_code_run_list, stub_code_run_list_pku, stub_code_exit
	.hidden stub_code_retire

stub_code_begin:
	ud2

/* Detached threads sit here. */
stub_code_idle:
	mov	$__NR_pause, %eax
	syscall
	jmp	stub_code_idle

/* Dies with the thread that cloned it; r12: the parent that must still be there. */
	.macro follow_parent
	mov	$__NR_prctl, %eax
	mov	$PR_SET_PDEATHSIG, %edi
	mov	$SIGKILL, %esi
	xor	%edx, %edx
	xor	%r10d, %r10d
	xor	%r8d, %r8d
	syscall
	mov	$__NR_getppid, %eax
	syscall
	cmp	%r12, %rax
	jne	stub_code_exit
	.endm

/* The first stub begins here, with nobody attached. r12 as above. */
stub_code_first:
	follow_parent
	jmp	stub_code_idle

/*
 * A new stub process gets its list and its second thread. r12 as above, r13, r14, r15: descriptor, offset
 * and size of the list, rbx: its address, rbp: nonzero for a second thread. Ends with its id in r14.
 */
stub_code_prepare:
	follow_parent
	mov	$__NR_mmap, %eax
	mov	%rbx, %rdi
	mov	%r15, %rsi
	mov	$PROT_READ, %edx
	mov	$MAP_SHARED_FIXED, %r10d
	mov	%r13, %r8
	mov	%r14, %r9
	syscall
	cmp	%rbx, %rax
	jne	stub_code_exit
	xor	%r14d, %r14d
	test	%rbp, %rbp
	jz	1f
/* A further thread, which goes to sleep at once. Ends with its id in r14, or an error. */
stub_code_clone_thread:
	mov	$__NR_clone, %eax
	mov	$CLONE_STUB_THREAD, %edi
	xor	%esi, %esi
	xor	%edx, %edx
	xor	%r10d, %r10d
	xor	%r8d, %r8d
	syscall
	test	%rax, %rax
	jz	stub_code_idle
	mov	%rax, %r14
1:	int3

/* A further process: rdi holds the flags. Attached from its first moment, it stops before it runs. */
stub_code_clone_process:
	mov	$__NR_clone, %eax
	xor	%esi, %esi
	xor	%edx, %edx
	xor	%r10d, %r10d
	xor	%r8d, %r8d
	syscall
	test	%rax, %rax
	jz	stub_code_idle
	mov	%rax, %r14
	int3

/*
 * Runs a list of system calls, from rbx to rbp. Ends with the last result in r14; in r12 and r13 the
 * address and result of the first entry that failed and was not allowed to (r13 starts at 0).
 */
	.macro run_list
1:	cmp	%rbp, %rbx
	je	3f
	mov	(%rbx), %rax
	mov	8(%rbx), %rdi
	mov	16(%rbx), %rsi
	mov	24(%rbx), %rdx
	mov	32(%rbx), %r10
	mov	40(%rbx), %r8
	mov	48(%rbx), %r9
	syscall
	mov	%rax, %r14
	mov	56(%rbx), %rcx
	add	$LIST_ENTRY_SIZE, %rbx
	cmp	$-4095, %rax
	jb	1b
	or	%r13, %rcx
	jnz	1b
	mov	%rax, %r13
	lea	-LIST_ENTRY_SIZE(%rbx), %r12
	jmp	1b
3:
	.endm

stub_code_run_list:
	run_list
	int3

/* The same where guests have protection keys: one of theirs may forbid reading the list. */
stub_code_run_list_pku:
	xor	%ecx, %ecx
	rdpkru
	mov	%eax, %r15d
	xor	%eax, %eax
	xor	%edx, %edx
	wrpkru
	run_list
	mov	%r15d, %eax
	xor	%ecx, %ecx
	xor	%edx, %edx
	wrpkru
	int3

/* A thread too many ends; never the first one of a process. */
stub_code_retire:
	mov	$__NR_exit, %eax
	xor	%edi, %edi
	syscall
	ud2

/* The parent is gone, or nothing works: the whole sandbox ends with this. */
stub_code_exit:
	mov	$__NR_exit_group, %eax
	mov	$125, %edi
	syscall
	ud2
stub_code_end:

	.section .note.GNU-stack, "", @progbits
