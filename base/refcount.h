/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one reference count. It panics on underflow and on raising from zero.
 *
 * Debug builds count the live objects of each type by name; refcount_report_leaks() tells at exit
 * what is still held.
 */
#pragma once

#include "base/compiler.h"

#include <stdatomic.h>
#include <stdbool.h>

struct refcount {
	atomic_uint count;
	struct refcount_type *type;
};

/* One static object a counted type: REFCOUNT_TYPE(inode_refs, "inode"). */
struct refcount_type {
	const char *name;
	atomic_long live;
	struct refcount_type *next;
	atomic_bool listed;
};

#define REFCOUNT_TYPE(variable, name_) static struct refcount_type variable = {.name = (name_)}

/* Starts at one. */
void refcount_init(struct refcount *refs, struct refcount_type *type);
void refcount_get(struct refcount *refs);
/* Takes a reference unless the count is zero already; tells whether it did. */
must_check bool refcount_get_unless_zero(struct refcount *refs);
/* True when the last reference went: the caller destroys the object. */
must_check bool refcount_put(struct refcount *refs);

static inline unsigned int refcount_read(const struct refcount *refs)
{
	return atomic_load_explicit(&refs->count, memory_order_relaxed);
}

/* Logs every type with live objects; returns how many objects there are in all. */
long refcount_report_leaks(void);
