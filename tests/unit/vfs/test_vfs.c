/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the tests of sentry/vfs/. */
#include "vfs_fixture.h"

#include <stdlib.h>

int main(void)
{
	TCase *(*const cases[])(void) = {
		path_walk_tests,
		open_tests,
		mount_tests,
		fd_table_tests,
		dentry_cache_tests,
		concurrent_tests,
		file_lock_tests,
		against_host_tests,
	};
	Suite *suite = suite_create("sentry/vfs");
	SRunner *runner;
	int failed;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		suite_add_tcase(suite, cases[i]());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
