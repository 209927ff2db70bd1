/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setuid(2), setresuid(2) and their kin, for the current task. Ids are global ones; SET_ID_KEEP
 * leaves an id alone. 0, -EPERM, -ENOMEM.
 */
#pragma once

#include "base/compiler.h"

#include <stddef.h>
#include <stdint.h>

#define SET_ID_KEEP UINT32_MAX

must_check int set_uid(uint32_t uid);
must_check int set_gid(uint32_t gid);
must_check int set_reuid(uint32_t ruid, uint32_t euid);
must_check int set_regid(uint32_t rgid, uint32_t egid);
must_check int set_resuid(uint32_t ruid, uint32_t euid, uint32_t suid);
must_check int set_resgid(uint32_t rgid, uint32_t egid, uint32_t sgid);
/* Quietly does nothing when it is not allowed. */
void set_fsuid(uint32_t uid);
void set_fsgid(uint32_t gid);
must_check int set_groups(const uint32_t *groups, size_t count);
