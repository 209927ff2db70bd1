/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits of linux.resources that are named by a device, an interface or a size of pages: blockIO's
 * lists, rdma, network, hugepageLimits. Each is a line of a cgroup file.
 */
#include "runsc-c/oci/cgroup.h"
#include "runsc-c/oci/spec.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES 64

/* --- block devices --- */

static const struct list {
	const char *member, *value, *v1, *v2, *key; /* of version 2: KEY=VALUE in one file */
} lists[] = {
	{"weightDevice", "weight", "blkio.weight_device", "io.bfq.weight", NULL},
	{"weightDevice", "leafWeight", "blkio.leaf_weight_device", NULL, NULL},
	{"throttleReadBpsDevice", "rate", "blkio.throttle.read_bps_device", "io.max", "rbps"},
	{"throttleWriteBpsDevice", "rate", "blkio.throttle.write_bps_device", "io.max", "wbps"},
	{"throttleReadIOPSDevice", "rate", "blkio.throttle.read_iops_device", "io.max", "riops"},
	{"throttleWriteIOPSDevice", "rate", "blkio.throttle.write_iops_device", "io.max", "wiops"},
};

static int64_t number_of(json_t *object, const char *member)
{
	return (int64_t)json_number_value(json_object_get(object, member));
}

static int check_device(struct reader *reader, json_t *device, void *unused)
{
	int64_t number;

	if (!json_object_get(device, "major") || !json_object_get(device, "minor"))
		return reader_fail(reader, "major and minor: missing");
	return read_integer(reader, device, "major", 0, 0xfff, &number) ||
			       read_integer(reader, device, "minor", 0, 0xfffff, &number) ||
			       read_integer(reader, device, "weight", 0, 1000, &number) ||
			       read_integer(reader, device, "leafWeight", 0, 1000, &number) ||
			       read_integer(reader, device, "rate", 0, INT64_MAX, &number)
		       ? -1
		       : 0;
}

static int apply_list(const struct cgroup *cgroup, const struct list *list, json_t *devices,
	struct failure *failure)
{
	const char *file = cgroup->unified ? list->v2 : list->v1;
	json_t *device;
	size_t index;
	char text[128];

	json_array_foreach(devices, index, device)
	{
		int64_t value = number_of(device, list->value);

		if (!json_object_get(device, list->value) || (!list->key && !value))
			continue;
		snprintf(text, sizeof(text), "%" PRId64 ":%" PRId64 " %s%s%" PRId64,
			number_of(device, "major"), number_of(device, "minor"),
			cgroup->unified && list->key ? list->key : "",
			cgroup->unified && list->key ? "=" : "", value);
		if (cgroup_write(cgroup, "blkio", file, text, "blockIO", failure))
			return -1;
	}
	return 0;
}

/* --- rdma, network, huge pages --- */

static int check_name(struct reader *reader, const char *name)
{
	if (!*name || strlen(name) > NAME_MAX_BYTES || strpbrk(name, "/ \n"))
		return reader_fail(reader, "%s: no name of a device", name);
	return 0;
}

static int check_rdma(struct reader *reader, json_t *object)
{
	json_t *devices = NULL, *limits;
	const char *name;
	uint32_t number;
	size_t mark;

	if (read_object(reader, object, "rdma", &devices))
		return -1;
	mark = reader_enter(reader, "rdma");
	json_object_foreach(devices, name, limits)
	{
		if (check_name(reader, name))
			return -1;
		if (!json_is_object(limits))
			return reader_fail(reader, "%s: not an object", name);
		if (read_u32(reader, limits, "hcaHandles", &number) ||
			read_u32(reader, limits, "hcaObjects", &number))
			return -1;
	}
	reader_leave(reader, mark);
	return 0;
}

static int apply_rdma(const struct cgroup *cgroup, json_t *devices, struct failure *failure)
{
	const char *name;
	json_t *limits;
	char text[128 + NAME_MAX_BYTES];

	json_object_foreach(devices, name, limits)
	{
		int size = snprintf(text, sizeof(text), "%s", name);

		if (json_object_get(limits, "hcaHandles"))
			size += snprintf(text + size, sizeof(text) - (size_t)size,
				" hca_handle=%" PRId64, number_of(limits, "hcaHandles"));
		if (json_object_get(limits, "hcaObjects"))
			snprintf(text + size, sizeof(text) - (size_t)size, " hca_object=%" PRId64,
				number_of(limits, "hcaObjects"));
		if (cgroup_write(cgroup, "rdma", "rdma.max", text, "rdma", failure))
			return -1;
	}
	return 0;
}

static int check_priority(struct reader *reader, json_t *object, void *unused)
{
	const char *name;
	uint32_t number;

	return read_required_string(reader, object, "name", &name) || check_name(reader, name) ||
			       read_u32(reader, object, "priority", &number)
		       ? -1
		       : 0;
}

static int check_network(struct reader *reader, json_t *object)
{
	json_t *network = NULL;
	void *unused = NULL;
	uint32_t number;
	size_t count, mark;

	if (read_object(reader, object, "network", &network))
		return -1;
	mark = reader_enter(reader, "network");
	if (network && (read_u32(reader, network, "classID", &number) ||
			       read_objects(reader, network, "priorities", 1, check_priority,
				       &unused, &count)))
		return -1;
	reader_leave(reader, mark);
	return 0;
}

/* Version 2 has no such thing. */
static int apply_network(const struct cgroup *cgroup, json_t *network, struct failure *failure)
{
	int64_t class = number_of(network, "classID");
	json_t *item;
	size_t index;
	char text[128 + NAME_MAX_BYTES];

	snprintf(text, sizeof(text), "%" PRId64, class);
	if (class && cgroup_write(cgroup, "net_cls", "net_cls.classid", text, "network", failure))
		return -1;
	json_array_foreach(json_object_get(network, "priorities"), index, item)
	{
		snprintf(text, sizeof(text), "%s %" PRId64,
			json_string_value(json_object_get(item, "name")),
			number_of(item, "priority"));
		if (cgroup_write(
			    cgroup, "net_prio", "net_prio.ifpriomap", text, "network", failure))
			return -1;
	}
	return 0;
}

static int check_pages(struct reader *reader, json_t *object, void *unused)
{
	const char *size;
	uint64_t limit;

	return read_required_string(reader, object, "pageSize", &size) ||
			       check_name(reader, size) ||
			       read_unsigned(reader, object, "limit", UINT64_MAX, &limit)
		       ? -1
		       : 0;
}

static int apply_pages(const struct cgroup *cgroup, json_t *limits, struct failure *failure)
{
	json_t *item;
	size_t index;
	char file[64 + NAME_MAX_BYTES], text[32];

	json_array_foreach(limits, index, item)
	{
		snprintf(file, sizeof(file),
			cgroup->unified ? "hugetlb.%s.max" : "hugetlb.%s.limit_in_bytes",
			json_string_value(json_object_get(item, "pageSize")));
		snprintf(text, sizeof(text), "%" PRId64, number_of(item, "limit"));
		if (cgroup_write(cgroup, "hugetlb", file, text, "hugepageLimits", failure))
			return -1;
	}
	return 0;
}

/* --- all of them --- */

int oci_check_device_limits(struct reader *reader, json_t *resources)
{
	json_t *block = NULL;
	void *unused = NULL;
	size_t count, mark;

	if (read_object(reader, resources, "blockIO", &block))
		return -1;
	mark = reader_enter(reader, "blockIO");
	for (size_t i = 0; i < array_count(lists) && block; i++) {
		if (read_objects(reader, block, lists[i].member, 1, check_device, &unused, &count))
			return -1;
	}
	reader_leave(reader, mark);
	return check_rdma(reader, resources) || check_network(reader, resources) ||
			       read_objects(reader, resources, "hugepageLimits", 1, check_pages,
				       &unused, &count)
		       ? -1
		       : 0;
}

int cgroup_apply_devices(const struct cgroup *cgroup, json_t *resources, struct failure *failure)
{
	json_t *block = json_object_get(resources, "blockIO");

	for (size_t i = 0; i < array_count(lists); i++) {
		if (apply_list(cgroup, &lists[i], json_object_get(block, lists[i].member), failure))
			return -1;
	}
	return apply_rdma(cgroup, json_object_get(resources, "rdma"), failure) ||
			       apply_network(
				       cgroup, json_object_get(resources, "network"), failure) ||
			       apply_pages(cgroup, json_object_get(resources, "hugepageLimits"),
				       failure)
		       ? -1
		       : 0;
}
