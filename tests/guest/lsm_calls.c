/* SPDX-License-Identifier: Apache-2.0 */
/* lsm_list_modules(2), lsm_get_self_attr(2), lsm_set_self_attr(2). */
#include "tests/guest/guest_test.h"

#include <sys/syscall.h>

#ifndef SYS_lsm_get_self_attr
#define SYS_lsm_get_self_attr 459
#define SYS_lsm_set_self_attr 460
#define SYS_lsm_list_modules  461
#endif

#define SYS_LANDLOCK_CREATE_RULESET 444
#define ID_CAPABILITY		    100
#define ID_LANDLOCK		    110
#define ATTR_CURRENT		    100
#define FLAG_SINGLE		    1

struct context {
	uint64_t id, flags, len, context_length;
	char context[64];
};

static uint64_t g_modules[64];

/* How many there are. */
static long list(void)
{
	uint32_t size = sizeof(g_modules);
	long count = syscall(SYS_lsm_list_modules, g_modules, &size, 0);

	if (count < 0 && errno == ENOSYS)
		SKIP("no lsm_list_modules");
	CHECK(count > 0);
	CHECK_EQ(size, count * (long)sizeof(g_modules[0]));
	return count;
}

static bool is_listed(uint64_t id)
{
	long count = list();

	for (long i = 0; i < count; i++) {
		if (g_modules[i] == id)
			return true;
	}
	return false;
}

TEST(modules_that_work_are_listed)
{
	bool landlock = syscall(SYS_LANDLOCK_CREATE_RULESET, NULL, 0l, 1) > 0;

	CHECK(is_listed(ID_CAPABILITY));
	CHECK_EQ(is_listed(ID_LANDLOCK), landlock);
}

TEST(a_list_that_is_too_long_tells_its_size)
{
	uint32_t size = 4;
	long count = list();

	CHECK_ERRNO(syscall(SYS_lsm_list_modules, g_modules, &size, 0), E2BIG);
	CHECK_EQ(size, count * (long)sizeof(g_modules[0]));
	CHECK_ERRNO(syscall(SYS_lsm_list_modules, g_modules, &size, 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_lsm_list_modules, NULL, &size, 0), EFAULT);
	CHECK_ERRNO(syscall(SYS_lsm_list_modules, g_modules, NULL, 0), EFAULT);
}

TEST(getting_attributes_is_checked)
{
	struct context context = {0};
	uint32_t size = sizeof(context);

	(void)list();
	CHECK_ERRNO(syscall(SYS_lsm_get_self_attr, 0, &context, &size, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_lsm_get_self_attr, ATTR_CURRENT, &context, NULL, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_lsm_get_self_attr, ATTR_CURRENT, &context, 8l, 0), EFAULT);
	CHECK_ERRNO(syscall(SYS_lsm_get_self_attr, ATTR_CURRENT, &context, &size, 2), EINVAL);
	CHECK_ERRNO(
		syscall(SYS_lsm_get_self_attr, ATTR_CURRENT, &context, &size, FLAG_SINGLE), EINVAL);
	CHECK_ERRNO(syscall(SYS_lsm_get_self_attr, ATTR_CURRENT, NULL, &size, FLAG_SINGLE), EINVAL);
	/* A module that has no attributes. */
	context.id = ID_LANDLOCK;
	CHECK_ERRNO(syscall(SYS_lsm_get_self_attr, ATTR_CURRENT, &context, &size, FLAG_SINGLE),
		EOPNOTSUPP);
}

TEST(setting_attributes_is_checked)
{
	struct context context = {.id = ID_LANDLOCK, .len = 32};

	(void)list();
	CHECK_ERRNO(syscall(SYS_lsm_set_self_attr, ATTR_CURRENT, &context, 32, 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_lsm_set_self_attr, ATTR_CURRENT, &context, 31, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_lsm_set_self_attr, ATTR_CURRENT, &context, 5000, 0), E2BIG);
	CHECK_ERRNO(syscall(SYS_lsm_set_self_attr, ATTR_CURRENT, 8l, 32, 0), EFAULT);
	context.len = 64;
	CHECK_ERRNO(syscall(SYS_lsm_set_self_attr, ATTR_CURRENT, &context, 32, 0), EINVAL);
	context.context_length = 64;
	CHECK_ERRNO(syscall(SYS_lsm_set_self_attr, ATTR_CURRENT, &context, 64, 0), EINVAL);
	context.context_length = UINT64_MAX - 8;
	CHECK_ERRNO(syscall(SYS_lsm_set_self_attr, ATTR_CURRENT, &context, 64, 0), EINVAL);
	context.context_length = 32;
	CHECK_ERRNO(syscall(SYS_lsm_set_self_attr, ATTR_CURRENT, &context, 64, 0), EOPNOTSUPP);
}

GUEST_TEST_MAIN()
