/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the tests of sentry/fs/. */
#include "fs_fixture.h"

#include <stdlib.h>

int main(void)
{
	TCase *(*const cases[])(void) = {
		tmpfs_pages_tests,
		tmpfs_file_tests,
		tmpfs_directory_tests,
		host_tests,
		host_shared_tests,
		overlay_tests,
		overlay_directory_tests,
		overlay_random_tests,
		host_poll_tests,
		host_stdio_tests,
		dev_tests,
		concurrent_tests,
	};
	Suite *suite = suite_create("sentry/fs");
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
