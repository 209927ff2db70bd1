/* SPDX-License-Identifier: Apache-2.0 */
/* The test cases of sentry/kernel/'s task machine. */
#pragma once

#include <check.h>

TCase *pid_tests(void);
TCase *wait_queue_tests(void);
TCase *task_block_tests(void);
