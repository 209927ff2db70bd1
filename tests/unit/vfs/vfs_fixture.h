/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of sentry/vfs/ share: a task that runs nothing, in a namespace whose root is a
 * tmpfs. */
#pragma once

#include "abi/fcntl.h"
#include "abi/stat.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/mount.h"
#include "sentry/vfs/names.h"
#include "sentry/vfs/path.h"

#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#define AT LINUX_AT_FDCWD

void vfs_fixture_setup(void);
void vfs_fixture_teardown(void); /* also checks that nothing leaked */

/* A task of its own for another thread, in the same namespace, with the same root and root's
 * credentials; current there. */
void vfs_thread_begin(struct task *task);
void vfs_thread_end(struct task *task);

/* current becomes an ordinary user, and root again. */
void vfs_become(uint32_t uid);

struct super_block *vfs_new_tmpfs(void);
/* 0 or an error; the file is closed again. */
int vfs_open(const char *name, uint32_t flags);
struct file *vfs_open_file(const char *name, uint32_t flags);
void vfs_write(const char *name, const char *text);
int vfs_lookup(const char *name, unsigned int flags);
int vfs_stat(const char *name, struct linux_stat *out); /* follows */
int vfs_chdir(const char *name);
/* Mounts a fresh tmpfs, or binds. */
int vfs_mount(const char *where);
int vfs_bind(const char *from, const char *to, bool recursive);
int vfs_umount(const char *where, int flags);
/* The path's name as seen from the root; good until the next call. */
const char *vfs_name(const char *name);

TCase *path_walk_tests(void);
TCase *open_tests(void);
TCase *names_tests(void);
TCase *fd_table_tests(void);
TCase *mount_tests(void);
TCase *file_lock_tests(void);
TCase *attributes_tests(void);
TCase *dentry_cache_tests(void);
TCase *against_host_tests(void);
TCase *concurrent_tests(void);
