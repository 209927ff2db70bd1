/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sentry's own descriptors are finite, and guests make it open some. A part is kept for what it
 * cannot do without: what guests asked for may not have numbers up there.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>

/* From RLIMIT_NOFILE as it is now; once, before there are guests. Until then nothing is kept. */
void descriptor_keep_some(void);

/*
 * For a descriptor that was just opened because of a guest: the same file at a number that guests
 * may have. -ENFILE when there is none; fd is closed then. make_room closes what is open without
 * need and says whether that was anything; may be NULL.
 */
must_check int descriptor_settle(int fd, bool (*make_room)(void));
