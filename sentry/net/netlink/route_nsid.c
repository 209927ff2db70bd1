/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RTM_GETNSID (rtnetlink(7), ip-netns(8)): the number that one network namespace has for another.
 * Only RTM_NEWNSID gives numbers out, which is refused, so that none has one.
 */
#include "sentry/net/netlink/netlink.h"

#include "abi/netlink.h"
#include "abi/sched.h"
#include "sentry/kernel/nsfs.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <string.h>

#define NOT_ASSIGNED UINT32_MAX

static int check_fd(int fd)
{
	struct file *file = fd_get(current->files, fd);
	uint64_t flag = 0;
	bool is_network;

	if (!file)
		return -EBADF;
	is_network = nsfs_namespace(file, &flag) && flag == LINUX_CLONE_NEWNET;
	file_put(file);
	return is_network ? 0 : -EINVAL;
}

static int check_pid(int pid)
{
	struct task *task = task_find(current, pid);

	if (!task)
		return -ESRCH;
	task_put(task);
	return 0;
}

/* Does what the request names exist? */
static int check(const struct netlink_request *request)
{
	static const struct {
		uint16_t type;
		int (*check)(int value);
	} names[] = {{LINUX_NETNSA_PID, check_pid}, {LINUX_NETNSA_FD, check_fd}};
	size_t fixed = sizeof(struct linux_rtgenmsg), size;
	const void *attribute;
	int value;

	for (size_t i = 0; i < array_count(names); i++) {
		attribute = netlink_find_attribute(request, fixed, names[i].type, &size);
		if (!attribute)
			continue;
		if (size < sizeof(value))
			return -ERANGE;
		memcpy(&value, attribute, sizeof(value));
		return names[i].check(value);
	}
	return netlink_find_attribute(request, fixed, LINUX_NETNSA_NSID, &size) ? -ENOENT : -EINVAL;
}

int route_get_nsid(const struct netlink_request *request)
{
	const struct linux_rtgenmsg message = {0};
	struct netlink_datagram *answer;
	int error = check(request);

	if (error)
		return error;
	answer = netlink_datagram_new();
	if (!answer)
		return -ENOBUFS;
	netlink_begin(answer, request, LINUX_RTM_NEWNSID, 0, &message, sizeof(message));
	netlink_attribute_u32(answer, LINUX_NETNSA_NSID, NOT_ASSIGNED);
	netlink_end(answer);
	return netlink_queue_or_free(request, answer);
}
