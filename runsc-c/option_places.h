/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where policies set which options. What is wrong with an option may show only when the run begins,
 * or ends; its message names the option then, or what the option asked for, and this the line.
 */
#pragma once

#include "runsc-c/failure.h"

#include <stdbool.h>
#include <stddef.h>

struct option_places {
	struct option_place *list; /* owned, with the places */
	size_t count;
};

/* option and value (NULL: none) are borrowed; place is FILE:LINE. False: no memory. */
must_check bool option_places_add(
	struct option_places *places, const char *option, const char *value, const char *place);
/* The command line has set it since. One that adds to a list takes nothing away. */
void option_places_forget(struct option_places *places, const char *option);
/* A failure over what a policy asked for begins with its place from now on. */
void option_places_explain(const struct option_places *places, struct failure *failure);
