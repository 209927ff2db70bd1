/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages between commands and a running sentry: one JSON object a packet of a SOCK_SEQPACKET
 * socket, with descriptors. Either side may be hostile to the other: sizes and counts are bounded,
 * descriptors that nobody asked for are closed.
 */
#pragma once

#include "base/compiler.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define CHANNEL_DESCRIPTORS_MAX 250
#define CHANNEL_SIZE_MAX	(60u << 10)

/* Steals the reference. False: the peer is gone, or the message is too long. */
bool channel_send(int socket, json_t *message, const int *fds, size_t count);
/*
 * The next object with at most *count descriptors, which are the caller's; more are closed. NULL at
 * the peer's end or for what is no message.
 */
must_check json_t *channel_receive(int socket, int *fds, size_t *count);
