/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classic BPF (socket filters and seccomp): a checker and an interpreter.
 *
 * A program that bpf_check() accepted ends, reads no scratch word that was not written, and divides
 * by no constant zero; bpf_run() relies on that and on nothing else.
 */
#pragma once

#include "abi/bpf.h"
#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a program looks at. Loads of absolute and indirect offsets are big-endian for packets,
 * native for seccomp. */
enum bpf_use {
	BPF_USE_SOCKET,	 /* data: the packet; loads past its end make the program return 0 */
	BPF_USE_SECCOMP, /* data: struct linux_seccomp_data; aligned 32-bit loads alone */
};

/* -EINVAL for a program that Linux would refuse. */
must_check int bpf_check(const struct linux_sock_filter *program, size_t count, enum bpf_use use);
/* How many instructions Linux makes of a seccomp program before it counts them. */
size_t bpf_translated_count(const struct linux_sock_filter *program, size_t count);
uint32_t bpf_run(const struct linux_sock_filter *program, size_t count, enum bpf_use use,
	const void *data, size_t size);
