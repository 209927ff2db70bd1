/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks for libraries as ld.so(8) does: DT_RPATH of the object and of those that loaded it, the
 * LD_LIBRARY_PATH, DT_RUNPATH, /etc/ld.so.cache, the default directories; in each directory those
 * for better processors too. $ORIGIN is known, $LIB and $PLATFORM are not. What a program opens
 * with dlopen(3) is in no header, so it is not found here.
 */
#include "sentry/vfs/policy_libraries.h"

#include "abi/fcntl.h"
#include "abi/limits.h"
#include "abi/stat.h"
#include "base/log.h"
#include "loader/loader.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/inode.h"
#include "sentry/vfs/path.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OBJECTS_MAX 1024
#define CACHE_MAX   (16 << 20)
/* What a hostile program may ask for, in bytes of the cache that are searched: about a second. */
#define WORK_MAX  (1ul << 28)
#define PATH_WORK 10000 /* to look for a file */

struct object {
	STAILQ_ENTRY(object) entry;
	char *path;
	char **needed;
	size_t needed_count;
	char *rpath, *runpath;	     /* NULL: none */
	const struct object *loader; /* NULL: it is the program */
	bool searched;		     /* for the last name of its path: it is that to all */
};

struct search {
	const struct path *root;
	const char *library_path;
	int (*add)(const struct path *root, const char *library);
	char *cache;
	size_t cache_size;
	size_t work;
	STAILQ_HEAD(, object) objects; /* those before next have all that they need */
	size_t count;
};

/* --- reading --- */

static int open_regular(const struct path *root, const char *name, struct file **out)
{
	struct path path;
	int error = path_lookup_at(root, root, name, WALK_FOLLOW, &path);

	if (error)
		return error;
	error = inode_is_type(path_inode(&path), LINUX_S_IFREG)
			? file_open_path(&path, LINUX_O_RDONLY, NULL, out)
			: -EACCES;
	path_put(&path);
	return error;
}

/* Up to size bytes; NULL without memory. */
static void *read_at(struct file *file, uint64_t offset, size_t size, size_t *got)
{
	char *bytes = calloc(1, size + 1);
	int64_t count = 0;

	if (bytes && offset <= INT64_MAX - size)
		count = file_read_kernel(file, bytes, size, (int64_t)offset);
	*got = count > 0 ? (size_t)count : 0;
	return bytes;
}

/* "" of what is no string. NULL without memory. */
static char *read_string(struct file *file, uint64_t offset)
{
	size_t got;
	char *bytes = read_at(file, offset, LINUX_PATH_MAX, &got), *string = NULL;

	if (bytes)
		string = strdup(got && memchr(bytes, '\0', got) ? bytes : "");
	free(bytes);
	return string;
}

static int read_image(struct file *file, struct loader_image *image)
{
	struct loader_header header;
	uint8_t head[LOADER_HEAD_SIZE];
	int64_t size = file_read_kernel(file, head, sizeof(head), 0);
	void *phdrs;
	size_t got;
	int error = size < 0 ? (int)size
			     : loader_parse_header(head, (size_t)size, LOADER_PROGRAM, &header);

	if (error)
		return error;
	phdrs = read_at(file, header.phdr_offset, header.phdr_size, &got);
	error = phdrs ? loader_parse_segments(&header, phdrs, got, LOADER_PROGRAM, image) : -ENOMEM;
	free(phdrs);
	return error;
}

static int read_names(
	struct object *object, struct file *file, const struct loader_dynamic *dynamic)
{
	object->needed = calloc(dynamic->needed_count + 1, sizeof(*object->needed));
	if (!object->needed)
		return -ENOMEM;
	for (size_t i = 0; i < dynamic->needed_count; i++) {
		object->needed[i] = read_string(file, dynamic->needed[i]);
		if (!object->needed[i])
			return -ENOMEM;
		object->needed_count++;
	}
	if (dynamic->runpath)
		object->runpath = read_string(file, dynamic->runpath);
	else if (dynamic->rpath) /* ld.so passes over one beside a DT_RUNPATH */
		object->rpath = read_string(file, dynamic->rpath);
	return !object->runpath != !dynamic->runpath ||
			       (!dynamic->runpath && !object->rpath != !dynamic->rpath)
		       ? -ENOMEM
		       : 0;
}

/* -ENOEXEC if it is nothing that is linked. */
static int read_object(struct object *object, struct file *file)
{
	struct loader_dynamic dynamic = {0};
	struct loader_image image;
	void *bytes = NULL;
	size_t got;
	int error = read_image(file, &image);

	if (error)
		return error;
	if (!image.dynamic_size || image.late_error)
		error = -ENOEXEC;
	if (!error) {
		size_t size = min_u64(image.dynamic_size, LOADER_DYNAMIC_MAX * 16);

		bytes = read_at(file, image.dynamic_offset, size, &got);
		error = bytes ? loader_parse_dynamic(&image, bytes, got, &dynamic) : -ENOMEM;
	}
	if (!error)
		error = read_names(object, file, &dynamic);
	loader_dynamic_free(&dynamic);
	loader_image_free(&image);
	free(bytes);
	return error;
}

static void free_object(struct object *object)
{
	while (object->needed_count)
		free(object->needed[--object->needed_count]);
	free(object->needed);
	free(object->rpath);
	free(object->runpath);
	free(object->path);
	free(object);
}

/* --- one candidate --- */

static bool is_known(const struct search *search, const char *path)
{
	const struct object *object;

	STAILQ_FOREACH (object, &search->objects, entry) {
		if (!strcmp(object->path, path))
			return true;
	}
	return false;
}

/* False: it has been enough, and what is not found yet is not read. */
static bool may_work(struct search *search, size_t work)
{
	if (search->work > WORK_MAX)
		return false;
	search->work += work;
	if (search->work > WORK_MAX)
		log_warning("policy: the program names too many libraries, the rest is left out");
	return true;
}

/* 1: there is a shared object, which is in the search now. 0: not here. */
static int try_path(struct search *search, const char *path, const struct object *loader)
{
	struct object *object;
	struct file *file;
	int error;

	if (!may_work(search, PATH_WORK))
		return 0;
	if (is_known(search, path))
		return 1;
	if (search->count == OBJECTS_MAX)
		return 0;
	error = open_regular(search->root, path, &file);
	if (error)
		return error == -ENOMEM ? error : 0;
	object = calloc(1, sizeof(*object));
	error = object && (object->path = strdup(path)) ? read_object(object, file) : -ENOMEM;
	file_put(file);
	if (error) {
		if (object)
			free_object(object);
		return error == -ENOMEM ? error : 0;
	}
	object->loader = loader;
	STAILQ_INSERT_TAIL(&search->objects, object, entry);
	search->count++;
	/* Its names were read. */
	search->work += object->needed_count * LINUX_PATH_MAX;
	error = loader ? search->add(search->root, path) : 0;
	return error ? error : 1;
}

static int try_in(struct search *search, const char *directory, size_t length, const char *name,
	const struct object *loader)
{
	static const char *const better[] = {"glibc-hwcaps/x86-64-v4/", "glibc-hwcaps/x86-64-v3/",
		"glibc-hwcaps/x86-64-v2/", ""};
	char path[LINUX_PATH_MAX];
	bool found = false;

	for (size_t i = 0; i < array_count(better); i++) {
		int result = snprintf(
			path, sizeof(path), "%.*s/%s%s", (int)length, directory, better[i], name);

		if (result < (int)sizeof(path))
			result = try_path(search, path, loader);
		if (result < 0)
			return result;
		found |= result == 1;
	}
	return found;
}

/* --- where it may be --- */

/* The directory of an object, for each $ORIGIN in text. NULL without memory. */
static char *expand_origin(const char *text, const struct object *object)
{
	int directory = (int)(strrchr(object->path, '/') - object->path);
	char *out = NULL;
	size_t size;
	FILE *stream = open_memstream(&out, &size);

	if (!stream)
		return NULL;
	while (*text) {
		size_t token = !strncmp(text, "$ORIGIN", 7)	? 7
			       : !strncmp(text, "${ORIGIN}", 9) ? 9
								: 0;

		if (token)
			(void)fprintf(stream, "%.*s", directory, object->path);
		else
			(void)fputc(*text, stream);
		text += token ? token : 1;
	}
	if (fclose(stream)) {
		free(out);
		return NULL;
	}
	return out;
}

/* list: of directories, as owner has it. */
static int try_list(struct search *search, const char *list, const struct object *owner,
	const char *name, const struct object *loader)
{
	char *expanded;
	int found = 0;

	if (!list)
		return 0;
	/* Each $ORIGIN may become a long path, and nothing of it need be a place to look at. */
	if (!may_work(search, strlen(list) * strlen(owner->path)))
		return 0;
	expanded = expand_origin(list, owner);
	if (!expanded)
		return -ENOMEM;
	for (const char *at = expanded; *at && !found; at += strspn(at, ":;")) {
		size_t length = strcspn(at, ":;");

		if (*at == '/')
			found = try_in(search, at, length, name, loader);
		at += length;
	}
	free(expanded);
	return found;
}

static int try_cache(struct search *search, const char *name, const struct object *loader)
{
	size_t position = 0;
	const char *path;
	int found = 0;

	if (!may_work(search, search->cache_size))
		return 0;
	while (found >= 0 && (path = loader_library_cache_next(
				      search->cache, search->cache_size, name, &position))) {
		int result = *path == '/' ? try_path(search, path, loader) : 0;

		found = result < 0 ? result : found | result;
	}
	return found;
}

static int find_library(struct search *search, const char *name, const struct object *loader)
{
	/* Of Debian's C library, others' and musl's. */
	static const char *const defaults =
		"/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu:/lib64:/usr/lib64:/lib:"
		"/usr/local/lib:/usr/lib";
	int found = 0;

	if (strchr(name, '/')) {
		char *path;

		if (!may_work(search, strlen(name) * strlen(loader->path)))
			return 0;
		path = expand_origin(name, loader);
		found = !path ? -ENOMEM : *path == '/' ? try_path(search, path, loader) : 0;
		free(path);
		return found;
	}
	for (const struct object *at = loader; at && !found && !loader->runpath; at = at->loader)
		found = try_list(search, at->rpath, at, name, loader);
	if (!found)
		found = try_list(search, search->library_path, loader, name, loader);
	if (!found)
		found = try_list(search, loader->runpath, loader, name, loader);
	if (!found)
		found = try_cache(search, name, loader);
	return found ? found : try_list(search, defaults, loader, name, loader);
}

/* The first object of a name is taken for all that need it. */
static bool is_loaded(const struct search *search, const char *name)
{
	const struct object *object;

	STAILQ_FOREACH (object, &search->objects, entry) {
		if (object->searched && !strcmp(strrchr(object->path, '/') + 1, name))
			return true;
	}
	return false;
}

static int load_library(struct search *search, const char *name, const struct object *loader)
{
	struct object *last = STAILQ_LAST(&search->objects, object, entry);
	int found;

	if (!may_work(search, search->count))
		return 0;
	if (is_loaded(search, name))
		return 1;
	found = find_library(search, name, loader);
	while (!strchr(name, '/') && (last = STAILQ_NEXT(last, entry)))
		last->searched = true;
	return found;
}

/* Without one, the other places are all there are. */
static int read_cache(struct search *search)
{
	struct file *file;

	if (open_regular(search->root, "/etc/ld.so.cache", &file))
		return 0;
	search->cache = read_at(file, 0, (size_t)min_u64(file->inode->attributes.size, CACHE_MAX),
		&search->cache_size);
	file_put(file);
	return search->cache ? 0 : -ENOMEM;
}

int policy_libraries(const struct path *root, const char *program, const char *library_path,
	int (*add)(const struct path *root, const char *library))
{
	struct search search = {.root = root, .library_path = library_path, .add = add};
	struct object *object;
	int error;

	STAILQ_INIT(&search.objects);
	error = read_cache(&search);
	if (!error)
		error = try_path(&search, program, NULL);
	for (object = STAILQ_FIRST(&search.objects); object && error >= 0;
		object = STAILQ_NEXT(object, entry)) {
		for (size_t i = 0; i < object->needed_count && error >= 0; i++)
			error = load_library(&search, object->needed[i], object);
	}
	while ((object = STAILQ_FIRST(&search.objects))) {
		STAILQ_REMOVE_HEAD(&search.objects, entry);
		free_object(object);
	}
	free(search.cache);
	return error < 0 ? error : 0;
}
