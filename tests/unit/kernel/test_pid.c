/* SPDX-License-Identifier: Apache-2.0 */
/* Pids: numbers in nested namespaces, their order, their reuse, and wishes for certain ones. */
#include "kernel_tests.h"

#include "abi/limits.h"
#include "sentry/kernel/boot.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/user_count.h"

#include <errno.h>

static struct pid_namespace *root;

static void setup(void)
{
	ck_assert_int_eq(task_set_init(), 0);
	root = g_tasks.root_pid_ns;
}

static struct pid *allocate(struct pid_namespace *ns)
{
	struct pid *pid;

	mutex_lock(&g_tasks.lock);
	ck_assert_int_eq(pid_allocate_locked(ns, NULL, 0, &pid), 0);
	mutex_unlock(&g_tasks.lock);
	return pid;
}

static int allocate_wanted(
	struct pid_namespace *ns, const int *wanted, size_t count, struct pid **out)
{
	int result;

	mutex_lock(&g_tasks.lock);
	result = pid_allocate_locked(ns, wanted, count, out);
	mutex_unlock(&g_tasks.lock);
	return result;
}

static void release(struct pid *pid)
{
	mutex_lock(&g_tasks.lock);
	pid_release_if_unused_locked(pid);
	mutex_unlock(&g_tasks.lock);
	pid_put(pid);
}

START_TEST(test_rising)
{
	struct pid *first = allocate(root), *second = allocate(root), *third;

	ck_assert_int_eq(pid_number_in(first, root), 1);
	ck_assert_int_eq(pid_number_in(second, root), 2);
	release(second);
	/* A number is not given out again while there are later ones. */
	third = allocate(root);
	ck_assert_int_eq(pid_number_in(third, root), 3);
	ck_assert_ptr_null(pid_find(root, 2));
	ck_assert_uint_eq(root->count, 2);
	release(first);
	release(third);
	ck_assert_uint_eq(root->count, 0);
}
END_TEST

START_TEST(test_find_and_next)
{
	struct pid *pids[3], *found;

	for (int i = 0; i < 3; i++)
		pids[i] = allocate(root);
	release(pids[1]);
	found = pid_find(root, 3);
	ck_assert_ptr_eq(found, pids[2]);
	pid_put(found);
	found = pid_next(root, 2);
	ck_assert_ptr_eq(found, pids[2]);
	pid_put(found);
	ck_assert_ptr_null(pid_next(root, 4));
	ck_assert_ptr_null(pid_find(root, 0));
	ck_assert_ptr_null(pid_find(root, -1));
	release(pids[0]);
	release(pids[2]);
}
END_TEST

START_TEST(test_wraps)
{
	struct pid *early = allocate(root), *pid;

	root->last_pid = LINUX_PID_MAX_DEFAULT - 2;
	pid = allocate(root);
	ck_assert_int_eq(pid_number_in(pid, root), LINUX_PID_MAX_DEFAULT - 1);
	release(pid);
	pid = allocate(root);
	ck_assert_int_eq(pid_number_in(pid, root), 300);
	release(pid);
	release(early);
}
END_TEST

START_TEST(test_nested)
{
	struct pid_namespace *inner;
	struct pid *outer_pid = allocate(root), *pid;

	ck_assert_int_eq(pid_namespace_new(root, user_namespace_initial(), &inner), 0);
	pid = allocate(inner);
	ck_assert_int_eq(pid_number_in(pid, inner), 1);
	ck_assert_int_eq(pid_number_in(pid, root), 2);
	ck_assert_int_eq(pid_number_in(outer_pid, inner), 0);
	pid_namespace_put(inner);
	/* The pid keeps its namespace. */
	ck_assert_int_eq(pid_number_in(pid, inner), 1);
	release(pid);
	release(outer_pid);
}
END_TEST

START_TEST(test_depth)
{
	struct pid_namespace *at = pid_namespace_get(root), *next;
	int depth = 1, result;

	while ((result = pid_namespace_new(at, user_namespace_initial(), &next)) == 0) {
		pid_namespace_put(at);
		at = next;
		depth++;
	}
	ck_assert_int_eq(result, -ENOSPC);
	ck_assert_int_eq(depth, PID_NAMESPACE_DEPTH_MAX);
	pid_namespace_put(at);
}
END_TEST

START_TEST(test_wanted)
{
	const int one = 1, seven = 7, too_big = LINUX_PID_MAX_DEFAULT, two[2] = {5, 6};
	struct task init;
	struct pid *pid, *other;

	/* The first one of a namespace is its init. */
	ck_assert_int_eq(allocate_wanted(root, &seven, 1, &pid), -EINVAL);
	ck_assert_int_eq(allocate_wanted(root, &one, 1, &pid), 0);
	root->init = &init;
	ck_assert_int_eq(allocate_wanted(root, &one, 1, &other), -EEXIST);
	ck_assert_int_eq(allocate_wanted(root, &too_big, 1, &other), -EINVAL);
	ck_assert_int_eq(allocate_wanted(root, two, 2, &other), -EINVAL);
	ck_assert_int_eq(allocate_wanted(root, &seven, 1, &other), 0);
	release(other);
	/* A wish does not change what comes next. */
	other = allocate(root);
	ck_assert_int_eq(pid_number_in(other, root), 2);
	release(other);
	release(pid);
	root->init = NULL;
}
END_TEST

START_TEST(test_dying)
{
	struct pid *pid;

	root->dying = true;
	ck_assert_int_eq(allocate_wanted(root, NULL, 0, &pid), -ENOMEM);
}
END_TEST

START_TEST(test_users)
{
	ck_assert(user_count_add(USER_TASKS, 1000, 1, 2));
	ck_assert(user_count_add(USER_TASKS, 1000, 1, 2));
	ck_assert(!user_count_add(USER_TASKS, 1000, 1, 2));
	ck_assert(user_count_add(USER_TASKS, 1001, 1, 2));
	ck_assert_uint_eq(user_count_of(USER_TASKS, 1000), 2);
	user_count_remove(USER_TASKS, 1000, 1);
	ck_assert(user_count_add(USER_TASKS, 1000, 1, 2));
	user_count_remove(USER_TASKS, 1000, 1);
	user_count_remove(USER_TASKS, 1000, 1);
	user_count_remove(USER_TASKS, 1001, 1);
	ck_assert_uint_eq(user_count_of(USER_TASKS, 1000), 0);
}
END_TEST

TCase *pid_tests(void)
{
	TCase *tcase = tcase_create("pids");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, test_rising);
	tcase_add_test(tcase, test_find_and_next);
	tcase_add_test(tcase, test_wraps);
	tcase_add_test(tcase, test_nested);
	tcase_add_test(tcase, test_depth);
	tcase_add_test(tcase, test_wanted);
	tcase_add_test(tcase, test_dying);
	tcase_add_test(tcase, test_users);
	return tcase;
}
