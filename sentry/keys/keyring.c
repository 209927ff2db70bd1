/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keyrings: their links, and the search below them.
 *
 * A search comes to a keyring once for each depth at most, where Linux comes to it once for each
 * way to it: what it finds is the same, and its work is bounded by the number of links.
 */
#include "sentry/keys/key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LINK_QUOTA 4 /* bytes */

/* Keyrings come first. */
int key_link_compare(const struct key_link *a, const struct key_link *b)
{
	bool ring_a = a->key->type == &key_type_keyring, ring_b = b->key->type == &key_type_keyring;

	if (ring_a != ring_b)
		return ring_a ? -1 : 1;
	if (a->key->type != b->key->type)
		return strcmp(a->key->type->name, b->key->type->name);
	return strcmp(a->key->description, b->key->description);
}

RB_GENERATE(key_links, key_link, in_keyring, key_link_compare)

struct key_link *keyring_link_of(
	struct key *keyring, const struct key_type *type, const char *description)
{
	struct key wanted = {.type = type, .description = (char *)description};
	struct key_link link = {.key = &wanted};

	return RB_FIND(key_links, &keyring->links, &link);
}

/* --- search --- */

uint64_t keys_mark_new_locked(void)
{
	static uint64_t last; /* g_keys_lock */

	return ++last;
}

struct walk {
	const struct key_search *search;
	struct key_ref result;
	bool stop; /* too deep, where that is an error */
	int error;
	int64_t now;
	uint64_t mark;
};

static bool is_expired(const struct walk *walk, const struct key *key)
{
	return key->expiry != KEY_NEVER && walk->now >= key->expiry;
}

enum candidate { CANDIDATE_OTHER, CANDIDATE_FOUND, CANDIDATE_SKIPPED };

static enum candidate skip(struct walk *walk, int error)
{
	if (error)
		walk->error = error;
	return CANDIDATE_SKIPPED;
}

static bool may_search(const struct walk *walk, struct key *key)
{
	return !walk->search->cred || !key_permission((struct key_ref){key, walk->result.possessed},
					      walk->search->cred, LINUX_KEY_SEARCH);
}

/* key is of the type and description that are wanted. */
static enum candidate consider(struct walk *walk, struct key *key)
{
	const struct key_search *search = walk->search;

	if (search->check_state) {
		if (key->flags & (KEY_INVALIDATED | KEY_REVOKED))
			return skip(walk, -EKEYREVOKED);
		if (is_expired(walk, key))
			return skip(walk, search->skip_expired ? 0 : -EKEYEXPIRED);
	}
	if (search->exact && key != search->exact)
		return CANDIDATE_OTHER;
	if (!may_search(walk, key))
		return skip(walk, -EACCES);
	if (search->check_state && key->error)
		return skip(walk, key->error);
	walk->result.key = key;
	return CANDIDATE_FOUND;
}

/* Was it searched from here already, with as many levels left below it (or, where depth is what is
 * asked about, as few)? */
static bool was_searched(struct walk *walk, struct key *keyring, unsigned int depth)
{
	bool seen = keyring->search_mark == walk->mark;

	if (seen && (walk->search->deep_is_error ? keyring->search_depth >= depth
						 : keyring->search_depth <= depth))
		return true;
	keyring->search_mark = walk->mark;
	keyring->search_depth = depth;
	return false;
}

static bool search_below(struct walk *walk, struct key *keyring, unsigned int depth)
{
	const struct key_search *search = walk->search;
	struct key_link *link;

	if (keyring->flags & (KEY_INVALIDATED | KEY_REVOKED) || was_searched(walk, keyring, depth))
		return false;
	link = keyring_link_of(keyring, search->type, search->description);
	if (link && consider(walk, link->key) == CANDIDATE_FOUND)
		return true;
	if (!search->recurse)
		return false;
	RB_FOREACH (link, key_links, &keyring->links) {
		if (link->key->type != &key_type_keyring)
			break;
		if (depth >= KEYRING_SEARCH_MAX_DEPTH) {
			walk->stop = search->deep_is_error;
			break;
		}
		if (!may_search(walk, link->key))
			continue;
		if (search_below(walk, link->key, depth + 1))
			return true;
		if (walk->stop)
			break;
	}
	return false;
}

static void mark_below(struct walk *walk, struct key *keyring, unsigned int depth)
{
	struct key_link *link;

	if (keyring->flags & (KEY_INVALIDATED | KEY_REVOKED) || was_searched(walk, keyring, depth))
		return;
	RB_FOREACH (link, key_links, &keyring->links) {
		if (!may_search(walk, link->key))
			continue;
		link->key->possessed_mark = walk->mark;
		if (link->key->type == &key_type_keyring && depth < KEYRING_SEARCH_MAX_DEPTH)
			mark_below(walk, link->key, depth + 1);
	}
}

void keyring_mark_possessed_locked(struct key *keyring, const struct cred *cred, uint64_t mark)
{
	struct key_search search = {.cred = cred};
	struct walk walk = {.search = &search, .result.possessed = true, .mark = mark};

	if (!may_search(&walk, keyring))
		return;
	keyring->possessed_mark = mark;
	mark_below(&walk, keyring, 0);
}

static bool is_wanted(const struct key_search *search, const struct key *key)
{
	return key->type == search->type && !strcmp(key->description, search->description);
}

int keyring_search_locked(
	struct key_ref keyring, const struct key_search *search, struct key_ref *out)
{
	struct walk walk = {.search = search,
		.result.possessed = keyring.possessed,
		.error = -EAGAIN,
		.now = keys_now(),
		.mark = keys_mark_new_locked()};
	enum candidate top = CANDIDATE_OTHER;
	int error;

	mutex_assert_held(&g_keys_lock);
	if (keyring.key->type != &key_type_keyring)
		return -ENOTDIR;
	error = search->cred ? key_permission(keyring, search->cred, LINUX_KEY_SEARCH) : 0;
	if (error)
		return error;
	if (is_wanted(search, keyring.key))
		top = consider(&walk, keyring.key);
	if (top == CANDIDATE_SKIPPED)
		return walk.error;
	if (top == CANDIDATE_FOUND || search_below(&walk, keyring.key, 0)) {
		*out = walk.result;
		return 0;
	}
	return walk.stop ? -ELOOP : walk.error;
}

/* --- links --- */

void key_link_remove_locked(struct key_link *link)
{
	struct key *keyring = link->keyring, *key = link->key;

	mutex_assert_held(&g_keys_lock);
	RB_REMOVE(key_links, &keyring->links, link);
	LIST_REMOVE(link, of_key);
	free(link);
	key_memory_remove_locked(sizeof(*link));
	keyring->link_count--;
	(void)!key_reserve_locked(keyring, keyring->link_count * LINK_QUOTA);
	key_put_locked(key);
}

void keyring_drop_links_locked(struct key *keyring)
{
	while (!RB_EMPTY(&keyring->links))
		key_link_remove_locked(RB_ROOT(&keyring->links));
}

static int check_cycle(struct key *keyring, struct key *key)
{
	struct key_search search = {.type = &key_type_keyring,
		.description = keyring->description,
		.exact = keyring,
		.recurse = true,
		.deep_is_error = true};
	struct key_ref found;
	int error;

	if (key->type != &key_type_keyring)
		return 0;
	error = keyring_search_locked((struct key_ref){key, false}, &search, &found);
	if (!error)
		return -EDEADLK;
	return error == -ELOOP ? error : 0;
}

static int add_link(struct key *keyring, struct key *key)
{
	struct key_link *link;
	int error = key_memory_add_locked(sizeof(*link));

	if (error)
		return error;
	error = key_reserve_locked(keyring, (keyring->link_count + 1) * LINK_QUOTA);
	link = error ? NULL : malloc(sizeof(*link));
	if (!link) {
		if (!error)
			(void)!key_reserve_locked(keyring, keyring->link_count * LINK_QUOTA);
		key_memory_remove_locked(sizeof(*link));
		return error ? error : -ENOMEM;
	}
	link->keyring = keyring;
	link->key = key_get(key);
	RB_INSERT(key_links, &keyring->links, link);
	LIST_INSERT_HEAD(&key->linked_from, link, of_key);
	keyring->link_count++;
	return 0;
}

int keyring_link_locked(struct key *keyring, struct key *key)
{
	struct key_link *link;
	struct key *displaced;
	int error;

	mutex_assert_held(&g_keys_lock);
	if (keyring->type != &key_type_keyring)
		return -ENOTDIR;
	if (keyring->flags & KEY_REVOKED)
		return -EKEYREVOKED;
	if (keyring->flags & KEY_RESTRICTED)
		return -EPERM;
	error = check_cycle(keyring, key);
	if (error)
		return error;
	link = keyring_link_of(keyring, key->type, key->description);
	if (!link)
		return add_link(keyring, key);
	/* They compare alike, so the link keeps its place. */
	displaced = link->key;
	LIST_REMOVE(link, of_key);
	link->key = key_get(key);
	LIST_INSERT_HEAD(&key->linked_from, link, of_key);
	key_put_locked(displaced);
	return 0;
}

int keyring_unlink_locked(struct key *keyring, struct key *key)
{
	struct key_link *link;

	if (keyring->type != &key_type_keyring)
		return -ENOTDIR;
	link = keyring_link_of(keyring, key->type, key->description);
	if (!link)
		return -ENOENT;
	key_link_remove_locked(link);
	return 0;
}

int keyring_move_locked(struct key *key, struct key *from, struct key *to, bool exclusive)
{
	struct key_link *link;
	int error;

	if (from == to)
		return 0;
	if (from->type != &key_type_keyring || to->type != &key_type_keyring)
		return -ENOTDIR;
	link = keyring_link_of(from, key->type, key->description);
	if (!link)
		return -ENOENT;
	if (exclusive && keyring_link_of(to, key->type, key->description))
		return -EEXIST;
	/* It may hang below nothing but the keyring that is displaced. */
	(void)key_get(from);
	error = keyring_link_locked(to, key);
	if (!error)
		key_link_remove_locked(link);
	key_put_locked(from);
	return error;
}

int keyring_clear_locked(struct key *keyring)
{
	if (keyring->type != &key_type_keyring)
		return -ENOTDIR;
	keyring_drop_links_locked(keyring);
	return 0;
}
