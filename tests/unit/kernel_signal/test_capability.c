/* SPDX-License-Identifier: Apache-2.0 */
/* How credentials change: execve, changes of ids, capset(2), and the maps of user namespaces. */
#include "sentry/kernel/capability.h"

#include "abi/prctl.h"
#include "abi/stat.h"
#include "base/text_writer.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/user_namespace.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CAP(name) LINUX_CAP_MASK(LINUX_CAP_##name)

static struct task me;

static struct cred *root_cred(void)
{
	struct cred *cred;

	ck_assert_int_eq(cred_new_root(&cred), 0);
	return cred;
}

static struct cred *user_cred(uint32_t uid)
{
	struct cred *cred = root_cred();

	cred->uid = cred->euid = cred->suid = cred->fsuid = uid;
	cred->gid = cred->egid = cred->sgid = cred->fsgid = uid;
	cred->cap_permitted = cred->cap_effective = 0;
	return cred;
}

static struct cred *exec(
	const struct cred *old, const struct exec_privileges *privileges, bool *secure)
{
	struct cred *cred;

	ck_assert_int_eq(cred_for_exec(old, privileges, &cred, secure), 0);
	return cred;
}

START_TEST(test_exec_root)
{
	const struct exec_privileges plain = {.mode = 0755};
	struct cred *old = root_cred(), *cred;
	bool secure;

	old->cap_bounding &= ~CAP(SYS_ADMIN);
	cred = exec(old, &plain, &secure);
	ck_assert(!secure);
	ck_assert_uint_eq(cred->cap_permitted, LINUX_CAP_FULL_SET & ~CAP(SYS_ADMIN));
	ck_assert_uint_eq(cred->cap_effective, cred->cap_permitted);
	cred_put(cred);
	/* Root is nobody special with SECBIT_NOROOT. */
	old->securebits = LINUX_SECBIT_NOROOT | LINUX_SECBIT_KEEP_CAPS;
	cred = exec(old, &plain, &secure);
	ck_assert_uint_eq(cred->cap_permitted, 0);
	ck_assert_uint_eq(cred->securebits, LINUX_SECBIT_NOROOT);
	cred_put(cred);
	cred_put(old);
}
END_TEST

START_TEST(test_exec_set_user_id)
{
	struct exec_privileges setuid = {.mode = LINUX_S_ISUID | 0755};
	struct cred *old = user_cred(1000), *cred;
	bool secure;

	cred = exec(old, &setuid, &secure);
	ck_assert(secure);
	ck_assert_uint_eq(cred->uid, 1000);
	ck_assert_uint_eq(cred->euid, 0);
	ck_assert_uint_eq(cred->suid, 0);
	ck_assert_uint_eq(cred->cap_effective, LINUX_CAP_FULL_SET);
	cred_put(cred);

	setuid.no_suid = true;
	cred = exec(old, &setuid, &secure);
	ck_assert(!secure);
	ck_assert_uint_eq(cred->euid, 1000);
	cred_put(cred);

	/* Who promised to get nothing new, or is watched by somebody without privilege, gets
	 * nothing new. */
	setuid.no_suid = false;
	setuid.no_new_privs = true;
	cred = exec(old, &setuid, &secure);
	ck_assert_uint_eq(cred->euid, 1000);
	ck_assert_uint_eq(cred->cap_permitted, 0);
	cred_put(cred);
	setuid.no_new_privs = false;
	setuid.traced = true;
	cred = exec(old, &setuid, &secure);
	ck_assert_uint_eq(cred->euid, 1000);
	ck_assert_uint_eq(cred->cap_permitted, 0);
	cred_put(cred);

	/* S_ISGID without the execute bit means something else. */
	setuid = (struct exec_privileges){.mode = LINUX_S_ISGID | 0644, .gid = 5};
	cred = exec(old, &setuid, &secure);
	ck_assert_uint_eq(cred->egid, 1000);
	cred_put(cred);
	cred_put(old);
}
END_TEST

START_TEST(test_exec_file_capabilities)
{
	struct linux_vfs_cap_data data = {
		.magic_etc = LINUX_VFS_CAP_REVISION_2 | LINUX_VFS_CAP_FLAGS_EFFECTIVE,
		.data[0].permitted = CAP(NET_RAW),
	};
	struct exec_privileges privileges = {
		.mode = 0755, .file_caps = &data, .file_caps_size = LINUX_XATTR_CAPS_SZ_2};
	struct cred *old = user_cred(1000), *cred;
	bool secure;

	cred = exec(old, &privileges, &secure);
	ck_assert(secure);
	ck_assert_uint_eq(cred->cap_effective, CAP(NET_RAW));
	cred_put(cred);
	/* All or nothing for a program that does not know capabilities. */
	old->cap_bounding = 0;
	ck_assert_int_eq(cred_for_exec(old, &privileges, &cred, &secure), -EPERM);
	/* A broken attribute is none. */
	privileges.file_caps_size = 3;
	cred = exec(old, &privileges, &secure);
	ck_assert_uint_eq(cred->cap_permitted, 0);
	cred_put(cred);
	cred_put(old);
}
END_TEST

START_TEST(test_exec_ambient)
{
	const struct exec_privileges plain = {.mode = 0755},
				     setgid = {.mode = LINUX_S_ISGID | 0755, .gid = 7};
	struct cred *old = user_cred(1000), *cred;
	bool secure;

	old->cap_permitted = old->cap_inheritable = old->cap_ambient = CAP(CHOWN);
	cred = exec(old, &plain, &secure);
	ck_assert(!secure);
	ck_assert_uint_eq(cred->cap_effective, CAP(CHOWN));
	cred_put(cred);
	cred = exec(old, &setgid, &secure);
	ck_assert(secure);
	ck_assert_uint_eq(cred->cap_effective, 0);
	cred_put(cred);
	cred_put(old);
}
END_TEST

START_TEST(test_fix_setuid)
{
	struct cred *old = root_cred(), *cred;

	old->cap_ambient = CAP(KILL);
	ck_assert_int_eq(cred_copy(old, &cred), 0);
	cred->euid = 5;
	capability_fix_setuid(cred, old);
	ck_assert_uint_eq(cred->cap_effective, 0);
	ck_assert_uint_eq(cred->cap_permitted, LINUX_CAP_FULL_SET);
	cred->uid = cred->suid = 5;
	capability_fix_setuid(cred, old);
	ck_assert_uint_eq(cred->cap_permitted, 0);
	ck_assert_uint_eq(cred->cap_ambient, 0);
	cred_put(cred);

	old->securebits = LINUX_SECBIT_KEEP_CAPS;
	ck_assert_int_eq(cred_copy(old, &cred), 0);
	cred->uid = cred->euid = cred->suid = 5;
	capability_fix_setuid(cred, old);
	ck_assert_uint_eq(cred->cap_permitted, LINUX_CAP_FULL_SET);
	ck_assert_uint_eq(cred->cap_effective, 0);
	cred_put(cred);
	cred_put(old);
}
END_TEST

START_TEST(test_capset)
{
	struct cred *cred = user_cred(1000);

	cred->cap_permitted = CAP(KILL) | CAP(CHOWN);
	cred->cap_bounding = CAP(KILL);
	ck_assert_int_eq(capability_set(cred, CAP(SETUID), CAP(KILL), 0), -EPERM);
	ck_assert_int_eq(capability_set(cred, 0, CAP(SETUID), 0), -EPERM);
	ck_assert_int_eq(capability_set(cred, 0, CAP(KILL), CAP(SETUID)), -EPERM);
	/* What is inherited must also be in the bounding set. */
	ck_assert_int_eq(capability_set(cred, 0, CAP(KILL), CAP(CHOWN)), -EPERM);
	ck_assert_int_eq(capability_set(cred, CAP(KILL), CAP(KILL), CAP(KILL)), 0);
	ck_assert_int_eq(capability_set(cred, 0, CAP(KILL) | CAP(CHOWN), 0), -EPERM);
	cred_put(cred);
}
END_TEST

/* --- user namespaces --- */

static int write_map(struct user_namespace *ns, const struct cred *opener, const char *text)
{
	return user_namespace_write_map(ns, USER_NAMESPACE_UID_MAP, opener, text, strlen(text));
}

START_TEST(test_map_text)
{
	static const char *const bad[] = {"", "\n", "0 0", "0 0 0", "0 0 1 2", "0x0 0 1", "0 0 -1",
		"0 0 1\n0 5 1", "0 0 10\n20 5 1", "4294967295 0 1", "0 4294967290 100", "a b c",
		"99999999999 0 1"};
	struct cred *root = root_cred();
	struct text_writer text = {0};
	struct user_namespace *ns;

	me.cred = root;
	current_task_ = &me;
	ck_assert_int_eq(user_namespace_new(root, &ns), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(write_map(ns, root, bad[i]) == -EINVAL, "%s", bad[i]);
	ck_assert_uint_eq(user_namespace_make_uid(ns, 0), UINT32_MAX);
	ck_assert_uint_eq(user_namespace_show_uid(ns, 0), 65534);
	ck_assert_int_eq(write_map(ns, root, " 0 100000\t65536 \n70000 5 1\n"), 0);
	ck_assert_int_eq(write_map(ns, root, "0 0 1\n"), -EPERM);
	ck_assert_uint_eq(user_namespace_make_uid(ns, 3), 100003);
	ck_assert_uint_eq(user_namespace_show_uid(ns, 165535), 65535);
	ck_assert_uint_eq(user_namespace_show_uid(ns, 5), 70000);
	ck_assert_uint_eq(user_namespace_make_uid(ns, 65536), UINT32_MAX);
	user_namespace_show_map(ns, USER_NAMESPACE_UID_MAP, root->user_ns, &text);
	ck_assert_str_eq(
		text.text, "         0     100000      65536\n     70000          5          1\n");
	text_writer_free(&text);
	user_namespace_put(ns);
	cred_put(root);
}
END_TEST

START_TEST(test_map_without_privilege)
{
	struct cred *user = user_cred(1000), *inside;
	struct user_namespace *ns, *deep;

	me.cred = user;
	current_task_ = &me;
	ck_assert_int_eq(user_namespace_new(user, &ns), 0);
	ck_assert_int_eq(cred_copy(user, &inside), 0);
	cred_enter_user_namespace(inside, user_namespace_get(ns));
	/* The maker holds all capabilities there, and may map itself alone. */
	ck_assert(cred_capable_in(user, ns, LINUX_CAP_SYS_ADMIN));
	ck_assert(!cred_capable_in(inside, user->user_ns, LINUX_CAP_SYS_ADMIN));
	ck_assert_int_eq(write_map(ns, inside, "0 0 1"), -EPERM);
	ck_assert_int_eq(write_map(ns, inside, "0 1000 2"), -EPERM);
	ck_assert_int_eq(write_map(ns, inside, "0 1000 1"), 0);
	/* Its group only after it gave setgroups up. */
	ck_assert_int_eq(
		user_namespace_write_map(ns, USER_NAMESPACE_GID_MAP, inside, "0 1000 1", 8),
		-EPERM);
	ck_assert_int_eq(user_namespace_write_setgroups(ns, inside, "no", 2), -EINVAL);
	ck_assert_int_eq(user_namespace_write_setgroups(ns, inside, "deny\n", 5), 0);
	ck_assert_int_eq(
		user_namespace_write_map(ns, USER_NAMESPACE_GID_MAP, inside, "0 1000 1", 8), 0);
	ck_assert(!user_namespace_may_setgroups(ns));
	/* A namespace below maps to global ids. */
	ck_assert_int_eq(user_namespace_new(inside, &deep), 0);
	me.cred = inside;
	ck_assert_int_eq(write_map(deep, inside, "7 1 1"), -EPERM);
	ck_assert_int_eq(write_map(deep, inside, "7 0 1"), 0);
	ck_assert_uint_eq(user_namespace_make_uid(deep, 7), 1000);
	ck_assert(user_namespace_is_ancestor(user->user_ns, deep));
	user_namespace_put(deep);
	cred_put(inside);
	user_namespace_put(ns);
	cred_put(user);
}
END_TEST

START_TEST(test_namespace_depth)
{
	struct cred *cred = root_cred();
	int depth = 0, error;

	me.cred = cred;
	current_task_ = &me;
	for (;;) {
		struct user_namespace *ns;

		error = user_namespace_new(cred, &ns);
		if (error)
			break;
		ck_assert_int_eq(write_map(ns, cred, "0 0 1"), 0);
		ck_assert_int_eq(
			user_namespace_write_map(ns, USER_NAMESPACE_GID_MAP, cred, "0 0 1", 5), 0);
		cred_enter_user_namespace(cred, ns);
		depth++;
	}
	ck_assert_int_eq(error, -ENOSPC);
	ck_assert_int_eq(depth, 32);
	cred_put(cred);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("capability");
	TCase *tests = tcase_create("capability");
	SRunner *runner;
	int failed;

	tcase_add_test(tests, test_exec_root);
	tcase_add_test(tests, test_exec_set_user_id);
	tcase_add_test(tests, test_exec_file_capabilities);
	tcase_add_test(tests, test_exec_ambient);
	tcase_add_test(tests, test_fix_setuid);
	tcase_add_test(tests, test_capset);
	tcase_add_test(tests, test_map_text);
	tcase_add_test(tests, test_map_without_privilege);
	tcase_add_test(tests, test_namespace_depth);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
