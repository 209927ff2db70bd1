/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the list of changes that a sentry left, and shows it. */
#include "runsc-c/changes.h"

#include "runsc-c/outcome.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUMMARY_MAX 1000
#define BYTES_MAX   (300l << 20)

static int read_all(int fd, char **text, size_t *size)
{
	struct stat status;

	if (fstat(fd, &status))
		return -1;
	if (status.st_size > BYTES_MAX) {
		errno = EFBIG;
		return -1;
	}
	*text = malloc((size_t)status.st_size + 1);
	if (!*text)
		return -1;
	for (*size = 0; *size < (size_t)status.st_size;) {
		ssize_t got =
			pread(fd, *text + *size, (size_t)status.st_size - *size, (off_t)*size);

		if (got <= 0)
			break;
		*size += (size_t)got;
	}
	(*text)[*size] = '\0';
	return 0;
}

static bool parse_before(const char *text, struct change_before *before)
{
	if (!strncmp(text, "- ", 2))
		return true;
	return sscanf(text, "%lu:%lu:%ld:%ld ", &before->ino, &before->size, &before->mtime_ns,
		       &before->ctime_ns) == 4;
}

/* "A f 12 - /path", "E 0"; anything else is not from a sentry that works. */
static bool parse(char *record, struct changes *changes)
{
	struct change *change = &changes->list[changes->count];
	char *end;

	if (!strncmp(record, "E ", 2)) {
		changes->error = atoi(record + 2);
		return true;
	}
	if (strlen(record) < 6 || !strchr("AMD", record[0]) || record[1] != ' ' || record[3] != ' ')
		return false;
	*change = (struct change){.change = record[0], .type = record[2]};
	change->size = strtoull(record + 4, &end, 10);
	if (*end != ' ' || !parse_before(end + 1, &change->before))
		return false;
	change->path = strchr(end, '/');
	changes->count += change->path != NULL;
	return change->path;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct change *)a)->path, ((const struct change *)b)->path);
}

int changes_read(int fd, struct changes *changes)
{
	size_t size, room = 1;

	*changes = (struct changes){.error = EPROTO};
	if (read_all(fd, &changes->text, &size))
		return -1;
	for (size_t i = 0; i < size; i++)
		room += !changes->text[i];
	changes->list = calloc(room, sizeof(*changes->list));
	if (!changes->list) {
		changes_free(changes);
		errno = ENOMEM;
		return -1;
	}
	for (size_t at = 0; at < size; at += strlen(changes->text + at) + 1) {
		if (!parse(changes->text + at, changes)) {
			changes->error = EPROTO;
			break;
		}
	}
	qsort(changes->list, changes->count, sizeof(*changes->list), compare);
	return 0;
}

const struct change *changes_find(const struct changes *changes, const char *path)
{
	struct change key = {.path = path};

	return bsearch(&key, changes->list, changes->count, sizeof(key), compare);
}

void changes_free(struct changes *changes)
{
	free(changes->list);
	free(changes->text);
	*changes = (struct changes){0};
}

static json_t *change_json(const struct change *change)
{
	char name[2] = {change->change, '\0'}, type[2] = {change->type, '\0'};

	return json_pack("{s:s, s:s, s:I, s:o}", "change", name, "type", type, "size",
		(json_int_t)(change->size & INT64_MAX), "path", result_text(change->path));
}

static json_t *list_json(const struct changes *changes, size_t most)
{
	json_t *list = json_array();

	for (size_t i = 0; i < changes->count && i < most; i++)
		json_array_append_new(list, change_json(&changes->list[i]));
	return list;
}

json_t *changes_summary(const struct changes *changes)
{
	json_int_t added = 0, modified = 0, deleted = 0;

	for (size_t i = 0; i < changes->count; i++) {
		added += changes->list[i].change == 'A';
		modified += changes->list[i].change == 'M';
		deleted += changes->list[i].change == 'D';
	}
	return json_pack("{s:I, s:I, s:I, s:o}", "added", added, "modified", modified, "deleted",
		deleted, "first", list_json(changes, SUMMARY_MAX));
}

/* A line is a line: control characters in a name are made visible. */
static void print_line(FILE *stream, const struct change *change)
{
	(void)fprintf(stream, "%c %c %12lu ", change->change, change->type, change->size);
	for (const char *at = change->path; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f || *at == '\\')
			(void)fprintf(stream, "\\%03o", (unsigned char)*at);
		else
			(void)fputc(*at, stream);
	}
	(void)fputc('\n', stream);
}

int changes_print(const struct changes *changes, bool json, int fd)
{
	int own = dup(fd), error;
	FILE *stream = own >= 0 ? fdopen(own, "w") : NULL;

	if (!stream) {
		if (own >= 0)
			(void)close(own);
		return -1;
	}
	if (json) {
		json_t *list = list_json(changes, SIZE_MAX);

		error = json_dumpf(list, stream, JSON_INDENT(2));
		(void)fputc('\n', stream);
		json_decref(list);
	} else {
		for (size_t i = 0; i < changes->count; i++)
			print_line(stream, &changes->list[i]);
		error = 0;
	}
	return fclose(stream) || error ? -1 : 0;
}
