/* SPDX-License-Identifier: Apache-2.0 */
/* The sets of names that there are, by family; each list ends with one that has no word. */
#pragma once

#include "sentry/trace/decode.h"

/* LINUX_X, which is called X. */
#define NAME(name_)                                                                                \
	{                                                                                          \
		LINUX_##name_, #name_                                                              \
	}

extern const struct decode_names g_names_of_files[];
extern const struct decode_names g_names_of_memory[];
extern const struct decode_names g_names_of_processes[];
extern const struct decode_names g_names_of_sockets[];
