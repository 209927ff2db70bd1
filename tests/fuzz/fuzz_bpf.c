/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds the classic BPF checker hostile programs, and runs those that it accepts on the bytes that
 * follow: none may leave its memory or run for ever. The first byte tells the use, the second how
 * many instructions there are.
 */
#include "sentry/kernel/bpf.h"

#include "abi/seccomp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct linux_sock_filter *program;
	struct linux_seccomp_data call = {0};
	enum bpf_use use;
	size_t count;

	if (size < 2)
		return 0;
	use = data[0] & 1 ? BPF_USE_SECCOMP : BPF_USE_SOCKET;
	count = data[1];
	data += 2;
	size -= 2;
	if (count > size / sizeof(*program))
		count = size / sizeof(*program);
	program = malloc(count * sizeof(*program) + 1);
	if (!program)
		return 0;
	memcpy(program, data, count * sizeof(*program));
	data += count * sizeof(*program);
	size -= count * sizeof(*program);
	if (bpf_check(program, count, use) == 0) {
		if (use == BPF_USE_SECCOMP) {
			memcpy(&call, data, size < sizeof(call) ? size : sizeof(call));
			(void)bpf_run(program, count, use, &call, sizeof(call));
		} else {
			(void)bpf_run(program, count, use, data, size);
		}
	}
	free(program);
	return 0;
}
