/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may have ping sockets (icmp(7), SOCK_DGRAM): the jail lets the sentry's group have them, and
 * the sentry decides which of its guests may.
 *
 * Differs from Linux: the range is one for the whole sandbox, and all groups are in it at first, as
 * distributions have it.
 */
#include "sentry/net/inet/inet.h"

#include "sentry/kernel/credentials.h"

struct sysctl_number g_ping_group_range[2] = {{0, 0, INT32_MAX}, {INT32_MAX, 0, INT32_MAX}};

bool inet_may_ping(const struct cred *cred)
{
	int64_t low = atomic_load(&g_ping_group_range[0].value),
		high = atomic_load(&g_ping_group_range[1].value);

	if (low <= cred->egid && cred->egid <= high)
		return true;
	for (size_t i = 0; i < cred->group_count; i++)
		if (low <= cred->groups[i] && cred->groups[i] <= high)
			return true;
	return false;
}
