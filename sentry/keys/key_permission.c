/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what with a key (keyrings(7), "Possession", "Access rights"). */
#include "sentry/kernel/credentials.h"
#include "sentry/keys/key.h"

#include <errno.h>

int key_permission(struct key_ref ref, const struct cred *cred, uint32_t need)
{
	const struct key *key = ref.key;
	uint32_t granted = key->perm;

	if (key->uid == cred->fsuid)
		granted >>= 16;
	else if (key->gid != KEY_NO_GROUP && (key->perm & LINUX_KEY_GROUP(LINUX_KEY_ALL)) &&
		 cred_in_group(cred, key->gid))
		granted >>= 8;
	if (ref.possessed)
		granted |= key->perm >> 24;
	return (granted & need) == need ? 0 : -EACCES;
}
