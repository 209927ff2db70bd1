/* SPDX-License-Identifier: Apache-2.0 */
/* Character devices by number. */
#include "sentry/vfs/device.h"

#include "abi/stat.h"
#include "base/log.h"
#include "sentry/vfs/file.h"

#include <errno.h>

#define DEVICES_MAX 64

static struct {
	uint32_t major, first_minor, minor_count;
	const char *name;
	device_open_function open;
} devices[DEVICES_MAX];
static size_t device_count;

void device_register(uint32_t major, uint32_t first_minor, uint32_t minor_count, const char *name,
	device_open_function open)
{
	for (size_t i = 0; i < device_count; i++)
		panic_if(devices[i].major == major &&
				 first_minor < devices[i].first_minor + devices[i].minor_count &&
				 devices[i].first_minor < first_minor + minor_count,
			"device %u:%u (%s) is registered twice", major, first_minor, name);
	panic_if(device_count == DEVICES_MAX, "too many devices");
	devices[device_count].major = major;
	devices[device_count].first_minor = first_minor;
	devices[device_count].minor_count = minor_count;
	devices[device_count].name = name;
	devices[device_count].open = open;
	device_count++;
}

int device_open(struct inode *inode, struct file *file)
{
	uint32_t major = LINUX_MAJOR(inode->attributes.rdev);
	uint32_t minor = LINUX_MINOR(inode->attributes.rdev);

	for (size_t i = 0; i < device_count; i++)
		if (devices[i].major == major && minor >= devices[i].first_minor &&
			minor - devices[i].first_minor < devices[i].minor_count)
			return devices[i].open(inode, file);
	return -ENXIO;
}

bool device_at(size_t index, uint32_t *major, const char **name)
{
	if (index >= device_count)
		return false;
	*major = devices[index].major;
	*name = devices[index].name;
	return true;
}
