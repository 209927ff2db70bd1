/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the tests of sentry/mm/. */
#include "mm_fixture.h"

#include <stdlib.h>

int main(void)
{
	TCase *(*const cases[])(void) = {
		memory_file_tests,
		mapping_tests,
		resize_tests,
		access_tests,
		iov_iter_tests,
		fork_tests,
		file_tests,
		sharing_tests,
		random_tests,
	};
	Suite *suite = suite_create("sentry/mm");
	SRunner *runner;
	int failed;

	for (size_t i = 0; i < array_count(cases); i++)
		suite_add_tcase(suite, cases[i]());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
