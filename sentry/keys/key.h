/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sentry/keys/ - keys and keyrings (keyrings(7)).
 *
 * One lock, g_keys_lock, guards every key and every link; with it held a key that a link or the
 * caller's credentials hold stays, so operations take no references of their own. References from
 * outside (credentials) are counted. Names ending in _locked need the lock.
 *
 * Keys belong to a domain: one for each container, one for what is in none. No key is ever found
 * from another domain, whoever owns it.
 */
#pragma once

#include "abi/keyctl.h"
#include "base/compiler.h"
#include "base/lock.h"
#include "base/refcount.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cred;
struct task;
struct text_writer;
struct user_namespace;

#define KEY_DOMAIN_NO_CONTAINER 0
#define KEY_NEVER		INT64_MAX /* an expiry */
#define KEY_DESCRIPTION_SIZE	4096	  /* with its NUL */
#define KEY_NO_GROUP		UINT32_MAX
#define KEY_NEGATIVE_SECONDS	60
#define KEY_ALLOCATION_OVERHEAD 16 /* of each piece of memory, as counted */
/* keyrings(7): "nested to at most six levels". */
#define KEYRING_SEARCH_MAX_DEPTH 6

struct key_type {
	const char *name;
	size_t payload_max; /* 0: takes none */
	size_t quota_size;  /* what a new payload counts; 0: its size */
	bool readable, updatable;
	bool needs_prefix; /* the description is "prefix:..." */
};
extern const struct key_type key_type_keyring;
const struct key_type *key_type_lookup(const char *name); /* or NULL */

enum key_flag {
	KEY_REVOKED = 1,
	KEY_IN_QUOTA = 2,
	KEY_INVALIDATED = 4,
	KEY_UID_KEYRING = 8,
	KEY_RESTRICTED = 16, /* takes no further links */
};
/* How a new key is counted. */
enum key_quota { KEY_QUOTA, KEY_QUOTA_OVERRUN, KEY_QUOTA_NOT };

struct key_link {
	RB_ENTRY(key_link) in_keyring;
	LIST_ENTRY(key_link) of_key;
	struct key *keyring;
	struct key *key; /* a reference */
};
RB_HEAD(key_links, key_link);

struct key_user;

struct key {
	struct refcount refs;
	int32_t serial;		     /* set once */
	const struct key_type *type; /* set once */
	char *description;	     /* set once */
	uint64_t domain;	     /* set once */
	struct key_user *user;
	uint32_t uid, gid, perm;
	unsigned int flags;
	int error;	    /* of a negative key; 0: it has its payload */
	int64_t expiry;	    /* seconds of the real-time clock */
	int64_t revoked_at; /* likewise */
	size_t quota_size, data_size;
	void *payload;
	size_t payload_size;
	struct key_links links; /* a keyring's */
	size_t link_count;
	LIST_HEAD(, key_link) linked_from;
	RB_ENTRY(key) by_serial;
	STAILQ_ENTRY(key) queued; /* for release or collection */
	uint64_t named_in; /* the user namespace in which a keyring is found by name; set once */
	uint64_t search_mark, possessed_mark;
	unsigned int search_depth;
};

/* A key, and whether the caller possesses it. */
struct key_ref {
	struct key *key;
	bool possessed;
};

/*
 * Pointers that are borrowed under the lock: what unlinks a key may end it, and what only it held.
 */

/* --- key.c --- */
extern struct mutex g_keys_lock;      /* RANK_KEYS */
struct key *key_get(struct key *key); /* NULL is fine */
void key_put(struct key *key);	      /* NULL is fine; takes the lock */
void key_put_locked(struct key *key);
struct key_new {
	const struct key_type *type;
	const char *description;
	uint64_t domain;
	uint32_t uid, gid, perm;
	enum key_quota quota;
	unsigned int flags;
};
/* One reference. -EINVAL, -EDQUOT, -ENOMEM. */
must_check int key_alloc_locked(const struct key_new *how, struct key **out);
/* Takes the payload over if it succeeds. -EINVAL for a size that the type does not take. */
must_check int key_set_payload_locked(struct key *key, void **payload, size_t size, bool update);
must_check int key_type_check_payload(const struct key_type *type, size_t size);
/* Changes what the key counts beside its description: -EDQUOT. */
must_check int key_reserve_locked(struct key *key, size_t size);
/* The one with this number in the domain, or NULL. */
struct key *key_find_locked(uint64_t domain, int32_t serial);
/* 0, -ENOKEY, -EKEYREVOKED, -EKEYEXPIRED. */
must_check int key_validate_locked(const struct key *key);
void key_revoke_locked(struct key *key);
void key_invalidate_locked(struct key *key);
void key_set_timeout_locked(struct key *key, uint64_t seconds);
/* To another owner, with what it counts: -EDQUOT, -ENOMEM. */
must_check int key_chown_locked(struct key *key, uint32_t uid);
int64_t keys_now(void);
/* Unlinks what ended long enough ago: before the lock is taken, since it may be the last of a key.
 */
void keys_collect(void);
/* Every key in the order of numbers, after one (NULL: the first). */
struct key *key_next_locked(struct key *key);

/* --- key_quota.c --- */
enum key_limit {
	KEY_MAXKEYS,
	KEY_MAXBYTES,
	KEY_ROOT_MAXKEYS,
	KEY_ROOT_MAXBYTES,
	KEY_GC_DELAY,
	KEY_PERSISTENT_EXPIRY,
	KEY_LIMITS
};
extern _Atomic int64_t g_key_limits[KEY_LIMITS]; /* /proc/sys/kernel/keys */
/* The account of a user in a domain, with one key more in it, counted or not. */
must_check int key_user_charge_locked(
	uint64_t domain, uint32_t uid, size_t size, enum key_quota quota, struct key_user **out);
void key_user_uncharge_locked(struct key_user *user, size_t size, bool counted);
must_check int key_user_resize_locked(struct key_user *user, size_t from, size_t to);
/* One piece of the sentry's own memory that keys hold: -ENOMEM past a bound that no quota lifts. */
must_check int key_memory_add_locked(size_t size);
void key_memory_remove_locked(size_t size);
/* Before the lock: does the sandbox's limit leave room for a key of this size? -ENOMEM. */
must_check int keys_check_room(size_t size);
void key_users_show(uint64_t domain, const struct user_namespace *ns, struct text_writer *out);

/* --- keyring.c --- */
struct key_search {
	const struct key_type *type;
	const char *description;
	const struct key *exact; /* this one and no other of its name */
	const struct cred *cred; /* NULL: whatever the permissions */
	bool check_state, skip_expired, recurse;
	bool deep_is_error; /* -ELOOP past the depth limit, which else ends the search there */
};
/* Finds a key below a keyring: -EAGAIN, -ENOKEY (a negative one), -EACCES, -EKEYREVOKED,
 * -EKEYEXPIRED, -ENOTDIR. */
must_check int keyring_search_locked(
	struct key_ref keyring, const struct key_search *search, struct key_ref *out);
struct key_link *keyring_link_of(
	struct key *keyring, const struct key_type *type, const char *description);
/* Displaces a key of the same type and description. -ENOTDIR, -EKEYREVOKED, -EDEADLK, -ELOOP,
 * -EDQUOT, -EPERM, -ENOMEM. */
must_check int keyring_link_locked(struct key *keyring, struct key *key);
must_check int keyring_unlink_locked(struct key *keyring, struct key *key);
must_check int keyring_move_locked(
	struct key *key, struct key *from, struct key *to, bool exclusive);
must_check int keyring_clear_locked(struct key *keyring);
void keyring_drop_links_locked(struct key *keyring);
void key_link_remove_locked(struct key_link *link); /* and puts the key */
uint64_t keys_mark_new_locked(void);		    /* no key has it yet */
/* What is found below a keyring by who possesses it gets this mark as its possessed_mark. */
void keyring_mark_possessed_locked(struct key *keyring, const struct cred *cred, uint64_t mark);
int key_link_compare(const struct key_link *a, const struct key_link *b);
RB_PROTOTYPE(key_links, key_link, in_keyring, key_link_compare)

/* --- key_permission.c --- */
/* Is each of LINUX_KEY_* granted? -EACCES. */
must_check int key_permission(struct key_ref ref, const struct cred *cred, uint32_t need);

/* --- process_keyrings.c --- */
uint64_t keys_domain(void); /* the current task's */
uint64_t keys_domain_new(void);
/* Makes and installs what a special number names, if it is to be made: before the lock is taken. */
must_check int key_prepare(int32_t id, bool create);
enum key_lookup { KEY_PARTIAL = 1, KEY_ANY_PERMISSION = 2, KEY_ANY_STATE = 4 };
/* By number or special number, for the current task. need: LINUX_KEY_*. */
must_check int key_lookup_locked(
	int32_t id, unsigned int flags, uint32_t need, struct key_ref *out);
must_check int keys_search_process_locked(const struct key_search *search, struct key_ref *out);
bool key_is_possessed_locked(const struct key *key, const struct cred *cred);
/* The possessed_mark of all keys for which the above says yes: for who asks of many. */
uint64_t keys_mark_possessed_locked(const struct cred *cred);
/* Makes a keyring the session's of the current task; takes the reference over. */
must_check int keys_install_session(struct key *keyring);
/* name: NULL for one without a name. The number of the keyring. */
must_check int64_t keys_join_session(const char *name);

/* The one of a container, "_ses.ID", made by its first process; as Linux's engines make it, its
 * owner may search it, so that programs that are run in the container later find it. */
must_check int keys_join_container_session(const char *id);

/* --- session_to_parent.c --- */
/* The session keyring becomes that of the process's parent at its next system call. -EPERM. */
must_check int keys_session_to_parent(void);
void keys_take_session(struct task *task); /* the current one, in TASK_SLOW_KEYS */

/* --- user_keyrings.c --- */
/* The user's own, made when they are not there; borrowed. */
must_check int keys_user_keyrings_locked(struct key **user, struct key **user_session);
struct key *keys_user_session_if_any_locked(const struct cred *cred); /* borrowed, or NULL */
must_check int keys_persistent_locked(uint32_t uid, struct key **out);
/* --- key_show.c: /proc/keys --- */
void keys_show(const struct cred *cred, const struct user_namespace *ns, struct text_writer *out);
/* Credentials that nobody sees yet: of a clone, of an execve; and what follows new ids. */
bool keys_clone_changes(const struct cred *cred, uint64_t clone_flags);
must_check int keys_clone(struct cred *cred, uint64_t clone_flags);
void keys_exec(struct cred *cred);
void keys_follow_ids(struct cred *cred);
/* What is left of a user namespace or a container ends with it. */
void keys_forget_user_namespace(const struct user_namespace *ns);
void keys_forget_domain(uint64_t domain);

/* --- request_key.c --- */
/* The number, or an error; destination: 0 for none. callout: is there anything to ask user space
 * for? */
must_check int64_t key_request(
	const char *type, const char *description, bool callout, int32_t destination);
