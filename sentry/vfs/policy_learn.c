/* SPDX-License-Identifier: Apache-2.0 */
/* Remembers what a run touched. */
#include "sentry/vfs/policy_learn.h"

#include "base/cleanup.h"
#include "base/lock.h"
#include "base/log.h"
#include "sentry/lock_order.h"

#include <bsd/sys/tree.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENTRIES_MAX 200000

struct learned {
	RB_ENTRY(learned) node;
	unsigned int access;
	char text[];
};
RB_HEAD(learned_tree, learned);

static struct {
	struct mutex lock; /* RANK_LEAF: all below */
	struct learned_tree tree;
	size_t count;
} state;

static int compare(const struct learned *a, const struct learned *b)
{
	return strcmp(a->text, b->text);
}

RB_GENERATE_INTERNAL(learned_tree, learned, node, compare, unused_ static)

__attribute__((constructor)) static void state_init(void)
{
	mutex_init(&state.lock, RANK_LEAF, "learned");
}

static struct learned *find_locked(const char *text)
{
	struct learned *learned = RB_ROOT(&state.tree);

	while (learned) {
		int order = strcmp(text, learned->text);

		if (!order)
			break;
		learned = order < 0 ? RB_LEFT(learned, node) : RB_RIGHT(learned, node);
	}
	return learned;
}

void policy_learn(const char *text, unsigned int access)
{
	size_t size = strlen(text) + 1;
	struct learned *learned;

	mutex_guard(&state.lock);
	learned = find_locked(text);
	if (!learned && state.count < ENTRIES_MAX) {
		learned = calloc(1, sizeof(*learned) + size);
		if (learned) {
			memcpy(learned->text, text, size);
			RB_INSERT(learned_tree, &state.tree, learned);
			state.count++;
		}
	}
	if (learned)
		learned->access |= access;
	else
		log_warning("what the run touches is not all learned: %s", text);
}

void policy_learn_write(int fd)
{
	FILE *stream = fdopen(fd, "w");
	struct learned *learned;

	while ((learned = RB_MIN(learned_tree, &state.tree))) {
		if (stream)
			(void)fprintf(stream, "%u %s%c", learned->access, learned->text, '\0');
		RB_REMOVE(learned_tree, &state.tree, learned);
		free(learned);
	}
	if (!stream || fclose(stream))
		log_warning("what was learned cannot be written");
}
