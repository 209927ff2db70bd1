/* SPDX-License-Identifier: Apache-2.0 */
/* Address spaces of the null platform: a sorted array of mappings, and a queue of changes to it. */
#include "platform/null/null_private.h"

#include "base/lock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { RANK_NULL_ADDRESS_SPACE = 810 };

enum change_kind { CHANGE_MAP, CHANGE_PROTECT, CHANGE_UNMAP, CHANGE_POPULATE };

struct change {
	enum change_kind kind;
	struct null_mapping mapping;
};

struct null_address_space {
	struct address_space address_space;
	struct null_platform *platform;
	struct mutex lock;
	struct null_mapping *mappings; /* lock: sorted, disjoint */
	size_t mapping_count, mapping_capacity;
	struct change *changes; /* lock */
	size_t change_count, change_capacity;
};

static struct null_address_space *null_address_space_of(struct address_space *as)
{
	return container_of(as, struct null_address_space, address_space);
}

int null_address_space_new(struct platform *platform, struct address_space **out)
{
	struct null_platform *owner = null_platform_of(platform);
	struct null_address_space *self;
	int r = null_platform_failure(owner);

	if (r)
		return r;
	self = calloc(1, sizeof(*self));
	if (!self)
		return -ENOMEM;
	self->address_space.ops = platform->ops;
	self->platform = owner;
	mutex_init(&self->lock, RANK_NULL_ADDRESS_SPACE, "null address space");
	atomic_fetch_add(&owner->live, 1);
	*out = &self->address_space;
	return 0;
}

void null_address_space_free(struct address_space *as)
{
	struct null_address_space *self = null_address_space_of(as);

	atomic_fetch_sub(&self->platform->live, 1);
	mutex_destroy(&self->lock);
	free(self->mappings);
	free(self->changes);
	free(self);
}

/* The array, moved if it had to grow; NULL: it could not, and is as it was. */
static void *grow(void *array, size_t *capacity, size_t want, size_t size)
{
	size_t count = *capacity ? *capacity : 16;
	void *grown;

	if (want <= *capacity)
		return array;
	while (count < want)
		count *= 2;
	grown = reallocarray(array, count, size);
	if (grown)
		*capacity = count;
	return grown;
}

static int queue(struct address_space *as, enum change_kind kind, struct null_mapping mapping)
{
	struct null_address_space *self = null_address_space_of(as);
	int r = null_platform_failure(self->platform);
	struct change *changes;

	if (r)
		return r;
	if (((mapping.address | mapping.length | mapping.offset) & ~PAGE_MASK) || !mapping.length ||
		mapping.address >= PLATFORM_GUEST_MAX ||
		mapping.length > PLATFORM_GUEST_MAX - mapping.address)
		return -EINVAL;
	mutex_guard(&self->lock);
	changes = grow(
		self->changes, &self->change_capacity, self->change_count + 1, sizeof(*changes));
	if (!changes)
		return -ENOMEM;
	self->changes = changes;
	changes[self->change_count++] = (struct change){.kind = kind, .mapping = mapping};
	return 0;
}

int null_address_space_map(struct address_space *as, uint64_t address, int fd, uint64_t offset,
	uint64_t length, int protection, int flags)
{
	struct null_mapping mapping = {.address = address,
		.length = length,
		.fd = fd,
		.offset = offset,
		.protection = protection,
		.flags = flags,
		.populated = flags & MAP_FLAG_POPULATE};

	return address < PLATFORM_GUEST_MIN ? -EINVAL : queue(as, CHANGE_MAP, mapping);
}

int null_address_space_protect(
	struct address_space *as, uint64_t address, uint64_t length, int protection)
{
	return queue(as, CHANGE_PROTECT,
		(struct null_mapping){
			.address = address, .length = length, .protection = protection});
}

int null_address_space_unmap(struct address_space *as, uint64_t address, uint64_t length)
{
	return queue(as, CHANGE_UNMAP, (struct null_mapping){.address = address, .length = length});
}

int null_address_space_populate(struct address_space *as, uint64_t address, uint64_t length)
{
	return queue(
		as, CHANGE_POPULATE, (struct null_mapping){.address = address, .length = length});
}

int null_address_space_reset(struct address_space *as)
{
	struct null_address_space *self = null_address_space_of(as);

	mutex_lock(&self->lock);
	self->change_count = 0;
	mutex_unlock(&self->lock);
	return null_address_space_unmap(as, 0, PLATFORM_GUEST_MAX);
}

/* Makes an address a boundary: at most one mapping becomes two. The caller made room. */
static void split_locked(struct null_address_space *self, uint64_t address)
{
	for (size_t i = 0; i < self->mapping_count; i++) {
		struct null_mapping *low = &self->mappings[i];

		if (low->address >= address || address - low->address >= low->length)
			continue;
		memmove(low + 2, low + 1, (self->mapping_count - i - 1) * sizeof(*low));
		low[1] = *low;
		low->length = address - low->address;
		low[1].address = address;
		low[1].offset += low->length;
		low[1].length -= low->length;
		self->mapping_count++;
		return;
	}
}

static bool covers(const struct null_mapping *range, const struct null_mapping *mapping)
{
	return mapping->address >= range->address &&
	       mapping->address - range->address < range->length;
}

static void remove_locked(struct null_address_space *self, const struct null_mapping *range)
{
	size_t kept = 0;

	for (size_t i = 0; i < self->mapping_count; i++)
		if (!covers(range, &self->mappings[i]))
			self->mappings[kept++] = self->mappings[i];
	self->mapping_count = kept;
}

static void insert_locked(struct null_address_space *self, const struct null_mapping *mapping)
{
	size_t at = 0;

	while (at < self->mapping_count && self->mappings[at].address < mapping->address)
		at++;
	memmove(&self->mappings[at + 1], &self->mappings[at],
		(self->mapping_count - at) * sizeof(*mapping));
	self->mappings[at] = *mapping;
	self->mapping_count++;
}

static void apply_locked(struct null_address_space *self, const struct change *change)
{
	const struct null_mapping *range = &change->mapping;

	split_locked(self, range->address);
	split_locked(self, range->address + range->length);
	if (change->kind == CHANGE_MAP || change->kind == CHANGE_UNMAP)
		remove_locked(self, range);
	if (change->kind == CHANGE_MAP)
		insert_locked(self, range);
	for (size_t i = 0; i < self->mapping_count; i++) {
		if (!covers(range, &self->mappings[i]))
			continue;
		if (change->kind == CHANGE_PROTECT)
			self->mappings[i].protection = range->protection;
		if (change->kind == CHANGE_POPULATE)
			self->mappings[i].populated = true;
	}
}

int null_address_space_flush(struct address_space *as)
{
	struct null_address_space *self = null_address_space_of(as);
	int r = null_platform_failure(self->platform);
	struct null_mapping *mappings;

	if (r)
		return r;
	mutex_guard(&self->lock);
	if (!self->change_count)
		return 0;
	/* Each change may split two, and add one. */
	mappings = grow(self->mappings, &self->mapping_capacity,
		self->mapping_count + 3 * self->change_count, sizeof(*mappings));
	if (!mappings)
		return -ENOMEM;
	self->mappings = mappings;
	for (size_t i = 0; i < self->change_count; i++)
		apply_locked(self, &self->changes[i]);
	self->change_count = 0;
	return 0;
}

bool null_address_space_find(
	struct address_space *as, uint64_t address, struct null_mapping *mapping)
{
	struct null_address_space *self = null_address_space_of(as);

	mutex_guard(&self->lock);
	for (size_t i = 0; i < self->mapping_count; i++) {
		const struct null_mapping *candidate = &self->mappings[i];

		if (address < candidate->address ||
			address - candidate->address >= candidate->length)
			continue;
		*mapping = *candidate;
		return true;
	}
	return false;
}

size_t null_address_space_queued(struct address_space *as)
{
	struct null_address_space *self = null_address_space_of(as);

	mutex_guard(&self->lock);
	return self->change_count;
}

size_t null_address_space_mapping_count(struct address_space *as)
{
	struct null_address_space *self = null_address_space_of(as);

	mutex_guard(&self->lock);
	return self->mapping_count;
}
