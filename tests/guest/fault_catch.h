/* SPDX-License-Identifier: Apache-2.0 */
/* Touches memory and says which signal that gave, with its code and address. */
#pragma once

#include "tests/guest/guest_test.h"

#include <setjmp.h>

static sigjmp_buf fault_return;
static volatile sig_atomic_t fault_signal, fault_code;
static void *volatile fault_address;

static void fault_handler(int signal, siginfo_t *info, void *context)
{
	(void)context;
	fault_signal = signal;
	fault_code = info->si_code;
	fault_address = info->si_addr;
	siglongjmp(fault_return, 1);
}

static void fault_catch_begin(void)
{
	struct sigaction action = {
		.sa_sigaction = fault_handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	fault_signal = 0;
	CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
	CHECK(sigaction(SIGBUS, &action, NULL) == 0);
	CHECK(sigaction(SIGFPE, &action, NULL) == 0);
	CHECK(sigaction(SIGILL, &action, NULL) == 0);
	CHECK(sigaction(SIGTRAP, &action, NULL) == 0);
}

/* The signal that a read of one byte gives; 0 is none. */
__attribute__((unused)) static int fault_of_read(const void *address)
{
	fault_catch_begin();
	if (!sigsetjmp(fault_return, 1))
		(void)*(const volatile char *)address;
	return fault_signal;
}

__attribute__((unused)) static int fault_of_write(void *address)
{
	fault_catch_begin();
	if (!sigsetjmp(fault_return, 1))
		*(volatile char *)address = 7;
	return fault_signal;
}

__attribute__((unused)) static int fault_of_call(void (*function)(void))
{
	fault_catch_begin();
	if (!sigsetjmp(fault_return, 1))
		function();
	return fault_signal;
}
