/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the tests of the task machine's parts that stand alone. */
#include "kernel_tests.h"

#include <stdlib.h>

int main(void)
{
	TCase *(*const cases[])(void) = {pid_tests, wait_queue_tests, task_block_tests};
	Suite *suite = suite_create("sentry/kernel");
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
