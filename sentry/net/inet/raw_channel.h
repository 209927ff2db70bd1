/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sentry and the process that makes raw and packet sockets for it say to each other, over a
 * SOCK_SEQPACKET pair: one question, one answer.
 */
#pragma once

#include <stdint.h>

/* What socket(2) takes: the host's numbers. */
struct raw_request {
	int32_t family, type, protocol;
};

/* With SCM_RIGHTS when error is 0: the socket, non-blocking. */
struct raw_answer {
	int32_t error; /* negative errno */
};
