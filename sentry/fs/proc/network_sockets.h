/* SPDX-License-Identifier: Apache-2.0 */
/* The internet sockets of /proc/PID/net. */
#pragma once

#include "sentry/fs/proc/proc_fs.h"

struct net_namespace;

enum network_table {
	NETWORK_TCP,
	NETWORK_TCP6,
	NETWORK_UDP,
	NETWORK_UDP6,
	NETWORK_RAW,
	NETWORK_RAW6,
	NETWORK_ICMP,
	NETWORK_ICMP6,
	NETWORK_PACKET,
	NETWORK_SOCKSTAT,
	NETWORK_SOCKSTAT6
};

must_check int network_sockets_show(const struct proc_context *context, struct net_namespace *net,
	enum network_table table, struct text_writer *out);
