/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of processors as text: "0-3,5" and "0000002f". */
#pragma once

#include "base/text_writer.h"

#include <sched.h>

void processor_set_show_list(const cpu_set_t *set, struct text_writer *out);
/* As wide as there are processors. */
void processor_set_show_mask(const cpu_set_t *set, struct text_writer *out);
