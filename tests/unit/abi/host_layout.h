/* SPDX-License-Identifier: Apache-2.0 */
/* Compile-time comparisons of a constant or structure of ours with the host's of the same name. */
#pragma once

#define SAME(name)                                                                                 \
	_Static_assert((unsigned long long)(LINUX_##name) == (unsigned long long)(name), #name)
#define SAME_SIZE(ours, host)                                                                      \
	_Static_assert(sizeof(struct linux_##ours) == sizeof(struct host), "size of "              \
									   "struct " #host)
#define SAME_FIELD(ours, host, field)                                                              \
	_Static_assert(offsetof(struct linux_##ours, field) == offsetof(struct host, field) &&     \
			       sizeof(((struct linux_##ours *)0)->field) ==                        \
				       sizeof(((struct host *)0)->field),                          \
		"place of " #field " in struct " #host)
