/* SPDX-License-Identifier: Apache-2.0 */
/* Which layers of a domain still refuse what. */
#include "sentry/security/landlock/domain.h"

#include <string.h>

/* Takes the lowest bit out of a set and gives its number. */
static unsigned int take_right(uint16_t *access)
{
	unsigned int right = (unsigned int)__builtin_ctz(*access);

	*access &= (uint16_t)(*access - 1);
	return right;
}

uint16_t landlock_masks_begin(const struct landlock_domain *domain, enum landlock_kind kind,
	uint16_t access, struct landlock_masks *masks)
{
	uint16_t all = 0;

	memset(masks, 0, sizeof(*masks));
	for (unsigned int level = 0; level < domain->layer_count; level++) {
		const struct landlock_handled *handled = &domain->layers[level].handled;
		uint16_t rights = access & (kind == LANDLOCK_FS ? handled->fs : handled->net);

		all |= rights;
		while (rights)
			masks->layers[take_right(&rights)] |= (uint16_t)(1u << level);
	}
	return all;
}

uint16_t landlock_masks_denied(const struct landlock_masks *masks, uint16_t access)
{
	uint16_t denied = 0;

	while (access) {
		unsigned int right = take_right(&access);

		if (masks->layers[right])
			denied |= (uint16_t)(1u << right);
	}
	return denied;
}

bool landlock_masks_allow(
	struct landlock_masks *masks, const struct landlock_rule *rule, uint16_t access)
{
	if (!access)
		return true;
	if (!rule)
		return false;
	for (unsigned int i = 0; i < rule->layer_count; i++) {
		uint16_t rights = access & rule->layers[i].access;

		while (rights)
			masks->layers[take_right(&rights)] &=
				(uint16_t) ~(1u << rule->layers[i].level);
	}
	return !landlock_masks_denied(masks, access);
}

bool landlock_masks_keep(struct landlock_masks *masks, uint16_t access)
{
	for (unsigned int right = 0; right < LANDLOCK_RIGHTS; right++)
		if (!(access & (1u << right)))
			masks->layers[right] = 0;
	return !landlock_masks_denied(masks, access);
}
