/* SPDX-License-Identifier: Apache-2.0 */
/* config.json as a whole: its top, its hooks, its annotations. spec_process.c, spec_mounts.c,
 * spec_linux.c read the rest. */
#include "runsc-c/oci/spec.h"

#include <string.h>

const char *const oci_hook_stages[] = {"prestart", "createRuntime", "createContainer",
	"startContainer", "poststart", "poststop", NULL};

static int read_hook(struct reader *reader, json_t *object, void *out)
{
	struct oci_hook *hook = out;

	if (read_required_string(reader, object, "path", &hook->path) ||
		read_strings(reader, object, "args", &hook->args, NULL) ||
		read_strings(reader, object, "env", &hook->env, NULL))
		return -1;
	if (hook->path[0] != '/')
		return reader_fail(reader, "path: %s is not absolute", hook->path);
	return read_integer(reader, object, "timeout", 1, 1 << 30, &hook->timeout);
}

int oci_read_hooks(struct reader *reader, json_t *root, struct oci_hooks *hooks)
{
	json_t *object = NULL;
	size_t mark;

	if (read_object(reader, root, "hooks", &object))
		return -1;
	if (!object)
		return 0;
	mark = reader_enter(reader, "hooks");
	for (int stage = 0; stage < OCI_HOOK_STAGES; stage++) {
		void *items = NULL;

		if (read_objects(reader, object, oci_hook_stages[stage], sizeof(struct oci_hook),
			    read_hook, &items, &hooks[stage].count))
			return -1;
		hooks[stage].hooks = items;
	}
	reader_leave(reader, mark);
	return 0;
}

static int check_version(struct reader *reader, const struct oci_spec *spec)
{
	/* Semantic versioning: what 1.x adds is optional. */
	if (strncmp(spec->version, "1.", 2) != 0)
		return reader_fail(reader, "ociVersion: %s is not 1.x", spec->version);
	return 0;
}

static int read_root(struct reader *reader, json_t *root, struct oci_spec *spec)
{
	json_t *object = NULL;
	size_t mark;

	if (read_object(reader, root, "root", &object))
		return -1;
	if (!object)
		return reader_fail(reader, "root: missing");
	mark = reader_enter(reader, "root");
	if (read_required_string(reader, object, "path", &spec->root_path) ||
		read_bool(reader, object, "readonly", &spec->root_read_only))
		return -1;
	reader_leave(reader, mark);
	return 0;
}

static int read_top(struct reader *reader, json_t *root, struct oci_spec *spec)
{
	json_t *object = NULL;
	void *mounts = NULL;

	if (read_required_string(reader, root, "ociVersion", &spec->version) ||
		check_version(reader, spec) ||
		refuse(reader, root, "vm", "a hypervisor's guest is another runtime's") ||
		refuse(reader, root, "windows", "the guests' kernel is a Linux") ||
		refuse(reader, root, "solaris", "the guests' kernel is a Linux") ||
		refuse(reader, root, "zos", "the guests' kernel is a Linux") ||
		read_root(reader, root, spec) ||
		read_string(reader, root, "hostname", &spec->hostname) ||
		read_string(reader, root, "domainname", &spec->domainname))
		return -1;
	if ((spec->hostname && strlen(spec->hostname) > 64) ||
		(spec->domainname && strlen(spec->domainname) > 64))
		return reader_fail(reader, "hostname or domainname: more than 64 bytes");
	if (read_objects(reader, root, "mounts", sizeof(struct oci_mount), oci_read_mount, &mounts,
		    &spec->mount_count))
		return -1;
	spec->mounts = mounts;
	if (read_object(reader, root, "process", &object))
		return -1;
	spec->has_process = object;
	if (object && oci_read_process(reader, object, &spec->process))
		return -1;
	return read_pairs(reader, root, "annotations", &spec->annotations, &spec->annotation_count);
}

int oci_spec_read(struct oci_spec *spec, json_t *root, const char *shown, bool from_command,
	struct failure *failure)
{
	struct reader reader = {.file = shown,
		.from_command = from_command,
		.arena = &spec->arena,
		.failure = failure};
	json_t *object = NULL;

	*spec = (struct oci_spec){0};
	failure->message[0] = '\0';
	if (read_top(&reader, root, spec) || oci_read_hooks(&reader, root, spec->hooks) ||
		read_object(&reader, root, "linux", &object))
		return -1;
	if (object && oci_read_linux(&reader, object, spec))
		return -1;
	return oci_settle_mounts(&reader, spec);
}

void oci_spec_free(struct oci_spec *spec)
{
	arena_free(&spec->arena);
	json_decref(spec->resources);
	*spec = (struct oci_spec){0};
}

const char *oci_annotation(const struct oci_spec *spec, const char *name)
{
	for (size_t i = 0; i < spec->annotation_count; i++) {
		if (!strcmp(spec->annotations[i].name, name))
			return spec->annotations[i].value;
	}
	return NULL;
}
