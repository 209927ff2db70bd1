/* SPDX-License-Identifier: Apache-2.0 */
/* Where policies set which options. */
#include "runsc-c/option_places.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct option_place {
	const char *option, *value;
	char *place;
};

static bool is_list(const char *option)
{
	static const char *const lists[] = {"bind", "tmpfs", "layer", "apply-changes", "env"};

	for (size_t i = 0; i < array_count(lists); i++) {
		if (!strcmp(option, lists[i]))
			return true;
	}
	return false;
}

bool option_places_add(
	struct option_places *places, const char *option, const char *value, const char *place)
{
	struct option_place *larger =
		reallocarray(places->list, places->count + 1, sizeof(*larger));
	char *copy = larger ? strdup(place) : NULL;

	if (larger)
		places->list = larger;
	if (copy)
		larger[places->count++] = (struct option_place){option, value, copy};
	return copy;
}

void option_places_forget(struct option_places *places, const char *option)
{
	size_t kept = 0;

	if (is_list(option))
		return;
	for (size_t i = 0; i < places->count; i++) {
		if (strcmp(places->list[i].option, option) != 0)
			places->list[kept++] = places->list[i];
		else
			free(places->list[i].place);
	}
	places->count = kept;
}

/* How much of SRC:DST:rw stands in the message; 0: not all parts do. */
static size_t names_value(const char *message, const char *value)
{
	char text[sizeof(((struct failure *)0)->message)], *save = NULL;
	size_t named = 0;

	(void)snprintf(text, sizeof(text), "%s", value ? value : "");
	for (char *part = strtok_r(text, ":", &save); part; part = strtok_r(NULL, ":", &save)) {
		if (!strcmp(part, "ro") || !strcmp(part, "rw"))
			continue;
		if (!strstr(message, part))
			return 0;
		named += strlen(part);
	}
	return named;
}

static bool names_option(const char *message, const char *option)
{
	size_t length = strlen(option);

	for (const char *at = strstr(message, "--"); at; at = strstr(at + 2, "--")) {
		if (!strncmp(at + 2, option, length) && at[2 + length] != '-' &&
			!isalpha((unsigned char)at[2 + length]))
			return true;
	}
	return false;
}

/* Of a list's entries the one of which most is named. */
static const struct option_place *find(const struct option_places *places, const char *message)
{
	const struct option_place *found = NULL;
	size_t most = 0;

	for (size_t i = 0; i < places->count; i++) {
		const struct option_place *place = &places->list[i];
		size_t named = is_list(place->option) ? names_value(message, place->value) : 0;

		if (named > most || (!found && names_option(message, place->option))) {
			most = named;
			found = place;
		}
	}
	return found;
}

void option_places_explain(const struct option_places *places, struct failure *failure)
{
	const struct option_place *place = find(places, failure->message);
	char message[sizeof(failure->message)];

	if (!place)
		return;
	memcpy(message, failure->message, sizeof(message));
	(void)snprintf(failure->message, sizeof(failure->message), "%.200s: %.300s", place->place,
		message);
}
