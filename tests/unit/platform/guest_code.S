/* SPDX-License-Identifier: Apache-2.0 */
/* Small guests for the tests of the platform; each is copied to a page of its own and runs there. */

	.section .rodata.guest_code, "a", @progbits

	.macro guest name
	.balign 16
	.globl guest_\name, guest_\name\()_end
guest_\name:
	.endm
	.macro end name
	ud2
guest_\name\()_end:
	.endm

guest getpid
1:	mov	$39, %eax
	syscall
	jmp	1b
end getpid

guest read
	mov	(%rdi), %rax
	syscall
end read

guest write
	mov	%rsi, (%rdi)
	syscall
end write

guest breakpoint
	int3
	nop
end breakpoint

guest undefined
	ud2
end undefined

guest divide
	xor	%ecx, %ecx
	mov	$1, %eax
	xor	%edx, %edx
	div	%ecx
end divide

/* With rcx and r11 as a syscall instruction would leave them. */
guest int80
	lea	1f(%rip), %rcx
	mov	$20, %eax
	int	$0x80
1:	ud2
end int80

/* rdi: a far pointer to code below 4 GiB, in a 32-bit segment. */
guest far_jump
	ljmp	*(%rdi)
end far_jump

	.code32
guest int80_compat
	movl	$20, %eax
	int	$0x80
end int80_compat

guest sysenter_compat
	movl	%esp, %ebp
	movl	$20, %eax
	sysenter
end sysenter_compat

guest syscall_compat
	movl	$20, %eax
	syscall
end syscall_compat
	.code64

guest spin
1:	incq	(%rdi)
	jmp	1b
end spin

/* Spins until *rdi is not rsi any more, then a system call. */
guest await
1:	pause
	cmp	%rsi, (%rdi)
	je	1b
	mov	$39, %eax
	syscall
end await

guest vsyscall
	call	*%rdi
	mov	%rax, %rbx
	mov	$39, %eax
	syscall
end vsyscall

guest non_canonical
	mov	$0x800000000000, %rax
	mov	(%rax), %rax
end non_canonical

guest load_ymm
	vmovdqu	(%rdi), %ymm3
	movq	(%rdi), %xmm5
	fld1
	mov	$39, %eax
	syscall
	vmovdqu	%ymm3, (%rsi)
	syscall
	ud2
end load_ymm

guest store_ymm
	vmovdqu	%ymm3, (%rsi)
	vmovdqu	%ymm5, 32(%rsi)
	syscall
end store_ymm

guest steps
	nop
	inc	%rax
	syscall
	inc	%rbx
	nop
end steps

/* Forbids reading all pages of the usual key. */
guest protection_key
	xor	%ecx, %ecx
	xor	%edx, %edx
	mov	$0x55555555, %eax
	wrpkru
	mov	$39, %eax
	syscall
	xor	%ecx, %ecx
	rdpkru
	mov	%eax, %ebx
	syscall
end protection_key

guest segments
	mov	$0x28, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	$39, %eax
	syscall
	mov	%ds, %ebx
	syscall
end segments

/* A base that ptrace(2) shows but does not take. */
guest kernel_base
	mov	$0xffff800000000000, %rax
	wrfsbase %rax
	mov	$39, %eax
	syscall
	rdfsbase %rbx
	syscall
end kernel_base

guest trap_flag
	pushfq
	orq	$0x100, (%rsp)
	popfq
	nop
	nop
end trap_flag

guest alignment
	pushfq
	orq	$0x40000, (%rsp)
	popfq
	mov	1(%rsp), %rax
end alignment

guest icebp
	.byte	0xf1
	nop
end icebp

guest rflags
	std
	syscall
	pushfq
	pop	%rbx
	syscall
end rflags

	.section .note.GNU-stack, "", @progbits
