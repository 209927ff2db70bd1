/* SPDX-License-Identifier: Apache-2.0 */
/* The flags line of /proc/cpuinfo. */
#pragma once

#include "base/text_writer.h"

/* Each name with a space before it. */
void processor_show_flags(struct text_writer *out);
