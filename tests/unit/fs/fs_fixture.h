/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of sentry/fs/ share: a task that runs nothing and may do everything, a mount
 * namespace whose root each test chooses, a scratch directory on the host, and calls as a guest
 * would make them.
 */
#pragma once

#include "abi/fcntl.h"
#include "abi/stat.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/inode.h"

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The host's scratch directory, for the host's own calls; fs_host_path() gives names in it. */
extern int g_scratch;
const char *fs_scratch_path(void);
void fs_host_write(const char *name, const char *text);
void fs_host_mkdir(const char *name);
/* A file's text; "" when it is not there. Good until the next call. */
const char *fs_host_read(const char *name);

void fs_fixture_setup(void);
void fs_fixture_teardown(void); /* also checks that nothing leaked */

/* Makes sb (consumed) the root of a namespace that the task is in. */
void fs_use_root(struct super_block *sb);
void fs_use_tmpfs(const char *options);
void fs_use_host(bool read_only, bool exclusive);
/* An overlay over the scratch directory. The overlay's super block stays usable until the root
 * goes. */
struct super_block *fs_use_overlay(void);
void fs_drop_root(void);

/* A file, or a negative errno in *error (NULL: it must succeed). */
struct file *fs_open(const char *name, uint32_t flags, int *error);
int64_t fs_write(struct file *file, const void *bytes, size_t size, int64_t position);
int64_t fs_read(struct file *file, void *buffer, size_t size, int64_t position);
void fs_write_text(const char *name, const char *text); /* O_CREAT | O_TRUNC */
/* A file's text, or "error N". Good until the next call. */
const char *fs_text(const char *name);
int fs_stat(const char *name, struct linux_stat *out);
bool fs_exists(const char *name);
int fs_truncate(const char *name, uint64_t size);
int fs_chmod(const char *name, uint32_t mode);
int fs_rename(const char *old_name, const char *new_name, unsigned int flags);
/* The names in a directory, sorted, space between them. batch: entries taken in one call; 0: all.
 * Good until the next call. */
const char *fs_list(const char *name, size_t batch);
struct inode *fs_inode(const char *name); /* a reference, or NULL */

TCase *tmpfs_pages_tests(void);
TCase *tmpfs_file_tests(void);
TCase *tmpfs_directory_tests(void);
TCase *host_tests(void);
TCase *host_shared_tests(void);
TCase *overlay_tests(void);
TCase *overlay_directory_tests(void);
TCase *overlay_random_tests(void);
TCase *host_poll_tests(void);
TCase *host_stdio_tests(void);
TCase *dev_tests(void);
TCase *concurrent_tests(void);
