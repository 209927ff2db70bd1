/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that makes raw and packet sockets for a sentry, which may make none itself
 * (docs/network.md). It holds CAP_NET_RAW over the sandbox's network namespace and nothing else,
 * and does one thing.
 */
#pragma once

#include <sys/types.h>

/*
 * Starts one that answers on a channel (sentry/net/inet/raw_channel.h), in the user and network
 * namespaces of a sentry, or in the caller's own with sentry 0. It ends with the sentry's end of
 * the channel. The caller closes fd. The process, which is the caller's child, or -1 with errno.
 */
pid_t raw_broker_start(int fd, pid_t sentry);
