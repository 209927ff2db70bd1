/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the command and its sentry say to each other, over a SOCK_SEQPACKET pair. The command trusts
 * nothing in it: sizes are checked, texts are made printable.
 */
#pragma once

#include "base/compiler.h"
#include "runsc-c/failure.h"

#include <stdbool.h>
#include <stdint.h>

enum control_type {
	/* to the sentry */
	CONTROL_GO = 1,	  /* ids are mapped: set up */
	CONTROL_SIGNAL,	  /* a: signal for the guest */
	CONTROL_RESIZE,	  /* a: rows, b: columns of the terminal */
	CONTROL_CONTINUE, /* the command was continued: so are the guests that it stopped with */
	/* to the command */
	CONTROL_READY,	 /* the first guest process runs */
	CONTROL_TEXT,	 /* a line for standard error, as it is */
	CONTROL_STOPPED, /* a: the signal that stopped the first process */
	CONTROL_FAILURE, /* failure: the sandbox could not be made, or ended by itself */
	CONTROL_EXITED,	 /* a: wait(2)'s status of the first process */
};

struct control_message {
	uint32_t type;
	int32_t a, b;
	struct failure failure;
};

/* Best effort: whoever is gone is noticed when reading. */
bool control_send(int fd, const struct control_message *message);
/* False at the end of the peer or for what is no message. Waits. */
must_check bool control_receive(int fd, struct control_message *message);
