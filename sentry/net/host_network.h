/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's network namespace that a sandbox was put into, when it is not one of its own: links,
 * addresses, routes and neighbours as the host's kernel tells of them. Nothing can be changed
 * through it.
 *
 * What is asked is always a request that the sentry made itself, with a few checked numbers of the
 * guest's in it.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct linux_ifreq;

/* Before the jail closes, in that namespace. Negative errno. */
must_check int host_network_open(void);
/* Was it? Otherwise there is the private loopback alone. */
bool host_network_is_shown(void);

typedef int (*host_network_visitor)(
	void *argument, uint16_t type, uint16_t flags, const void *payload, size_t size);
/* An RTM_GET request for a list: visit gets each answer. Stops at the first that is not 0, and
 * returns that. */
must_check int host_network_dump(
	uint16_t type, uint8_t family, host_network_visitor visit, void *argument);
/* The way to an address of the family. -ENETUNREACH... */
must_check int host_network_route(uint8_t family, const void *address, size_t size,
	host_network_visitor visit, void *argument);
/* An SIOCGIF command that has one request. */
must_check int host_network_ioctl(uint32_t command, struct linux_ifreq *request);
/* SIOCGIFCONF: how many were filled. */
must_check int host_network_list(struct linux_ifreq *requests, size_t count);
/* A file of /proc/net, as it is now: bytes, or a negative errno (-ENOENT: not one that is shown).
 */
must_check int64_t host_network_read(const char *name, char *buffer, size_t size);
