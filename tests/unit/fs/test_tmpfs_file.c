/* SPDX-License-Identifier: Apache-2.0 */
/* Regular files of tmpfs: contents against a model, limits, holes, mappings, seals. */
#include "fs_fixture.h"

#include "abi/mman.h"
#include "abi/xattr.h"
#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/mm/mappable.h"
#include "sentry/mm/memory_file.h"
#include "sentry/vfs/names.h"
#include "sentry/vfs/truncate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SIZE (200 * 1024)

static unsigned char model[SIZE], seen[SIZE + 1];
static size_t model_size;

static void check_contents(struct file *file)
{
	size_t at = (size_t)random() % SIZE, size = (size_t)random() % (SIZE - at) + 1;
	size_t expected = at < model_size ? (size_t)min_u64(size, model_size - at) : 0;

	ck_assert_uint_eq(file->inode->attributes.size, model_size);
	ck_assert_int_eq(fs_read(file, seen, size, (int64_t)at), (int64_t)expected);
	ck_assert_mem_eq(seen, model + at, expected);
}

static void write_randomly(struct file *file)
{
	static unsigned char bytes[SIZE];
	size_t at = (size_t)random() % SIZE,
	       size = (size_t)random() % min_u64(30000, SIZE - at) + 1;

	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)random();
	ck_assert_int_eq(fs_write(file, bytes, size, (int64_t)at), (int64_t)size);
	memcpy(model + at, bytes, size);
	model_size = (size_t)max_u64(model_size, at + size);
}

static void truncate_randomly(const char *name)
{
	size_t size = (size_t)random() % SIZE;

	ck_assert_int_eq(fs_truncate(name, size), 0);
	if (size < model_size)
		memset(model + size, 0, model_size - size);
	model_size = size;
}

static void punch_randomly(struct file *file)
{
	size_t at = (size_t)random() % SIZE, size = (size_t)random() % (SIZE - at) + 1;

	ck_assert_int_eq(
		file_fallocate(file, LINUX_FALLOC_FL_PUNCH_HOLE | LINUX_FALLOC_FL_KEEP_SIZE,
			(int64_t)at, (int64_t)size),
		0);
	memset(model + at, 0, size);
}

START_TEST(test_contents)
{
	struct file *file;

	fs_use_tmpfs(NULL);
	srandom((unsigned int)_i + 7);
	memset(model, 0, sizeof(model));
	model_size = 0;
	file = fs_open("/f", LINUX_O_RDWR | LINUX_O_CREAT, NULL);
	for (int step = 0; step < 400; step++) {
		switch (random() % 5) {
		case 0:
			truncate_randomly("/f");
			break;
		case 1:
			punch_randomly(file);
			break;
		default:
			write_randomly(file);
		}
		check_contents(file);
	}
	file_put(file);
}
END_TEST

START_TEST(test_position_append_and_end)
{
	char buffer[16];
	struct file *file;

	fs_use_tmpfs(NULL);
	file = fs_open("/f", LINUX_O_RDWR | LINUX_O_CREAT | LINUX_O_APPEND, NULL);
	ck_assert_int_eq(fs_write(file, "one", 3, -1), 3);
	ck_assert_int_eq(file_seek(file, 0, LINUX_SEEK_SET), 0);
	ck_assert_int_eq(fs_write(file, "two", 3, -1), 3);
	ck_assert_int_eq(file_seek(file, 1, LINUX_SEEK_SET), 1);
	ck_assert_int_eq(fs_read(file, buffer, sizeof(buffer), -1), 5);
	ck_assert_mem_eq(buffer, "netwo", 5);
	ck_assert_int_eq(fs_read(file, buffer, sizeof(buffer), -1), 0);
	ck_assert_int_eq(file_seek(file, -2, LINUX_SEEK_END), 4);
	file_put(file);
}
END_TEST

START_TEST(test_size_limit)
{
	static char bytes[64 * 1024];
	struct linux_stat st;
	struct file *file;

	fs_use_tmpfs("size=40k");
	file = fs_open("/f", LINUX_O_RDWR | LINUX_O_CREAT, NULL);
	ck_assert_int_eq(fs_write(file, bytes, sizeof(bytes), 0), 40 * 1024);
	ck_assert_int_eq(fs_write(file, bytes, 1, 40 * 1024), -ENOSPC);
	ck_assert_int_eq(fs_stat("/f", &st), 0);
	ck_assert_int_eq(st.st_blocks, 80);
	ck_assert_int_eq(fs_truncate("/f", 0), 0);
	ck_assert_int_eq(file_fallocate(file, 0, 0, 80 * 1024), -ENOSPC);
	ck_assert_int_eq(fs_stat("/f", &st), 0);
	ck_assert_int_eq(st.st_blocks, 0);
	ck_assert_int_eq(file_fallocate(file, 0, 0, 30 * 1024), 0);
	ck_assert_int_eq(fs_stat("/f", &st), 0);
	ck_assert_int_eq(st.st_size, 30 * 1024);
	file_put(file);
	ck_assert_int_eq(path_unlink(LINUX_AT_FDCWD, "/f"), 0);
	fs_write_text("/g", "room again");
	ck_assert_str_eq(fs_text("/g"), "room again");
}
END_TEST

START_TEST(test_inode_limit)
{
	int error;

	fs_use_tmpfs("nr_inodes=3");
	fs_write_text("/a", "");
	fs_write_text("/b", "");
	ck_assert_ptr_null(fs_open("/c", LINUX_O_WRONLY | LINUX_O_CREAT, &error));
	ck_assert_int_eq(error, -ENOSPC);
	ck_assert_int_eq(path_link(LINUX_AT_FDCWD, "/a", LINUX_AT_FDCWD, "/c", 0), -ENOSPC);
	ck_assert_int_eq(path_unlink(LINUX_AT_FDCWD, "/b"), 0);
	ck_assert_int_eq(path_link(LINUX_AT_FDCWD, "/a", LINUX_AT_FDCWD, "/c", 0), 0);
	ck_assert_int_eq(path_unlink(LINUX_AT_FDCWD, "/a"), 0);
	ck_assert_int_eq(path_unlink(LINUX_AT_FDCWD, "/c"), 0);
	fs_write_text("/a", "");
	fs_write_text("/b", "");
}
END_TEST

START_TEST(test_holes)
{
	struct file *file;

	fs_use_tmpfs(NULL);
	file = fs_open("/f", LINUX_O_RDWR | LINUX_O_CREAT, NULL);
	ck_assert_int_eq(fs_write(file, "x", 1, 100000), 1);
	ck_assert_int_eq(file_seek(file, 0, LINUX_SEEK_DATA), 98304);
	ck_assert_int_eq(file_seek(file, 0, LINUX_SEEK_HOLE), 0);
	ck_assert_int_eq(file_seek(file, 99000, LINUX_SEEK_HOLE), 100001);
	ck_assert_int_eq(file_seek(file, 100001, LINUX_SEEK_DATA), -ENXIO);
	ck_assert_int_eq(file_fallocate(file, LINUX_FALLOC_FL_ZERO_RANGE, 0, 10), -EOPNOTSUPP);
	ck_assert_int_eq(
		file_fallocate(file, LINUX_FALLOC_FL_COLLAPSE_RANGE, 0, 4096), -EOPNOTSUPP);
	file_put(file);
}
END_TEST

static struct mappable *map_of(struct file *file, bool shared, int protection, int *error)
{
	int most = LINUX_PROT_READ | LINUX_PROT_WRITE | LINUX_PROT_EXEC;
	struct mappable *mappable = NULL;
	bool anonymous = false;

	*error = file->ops->mmap(file, shared, protection, &most, &mappable, &anonymous);
	return mappable;
}

START_TEST(test_mapping_sees_writes)
{
	struct mapping_extent extent;
	struct mappable *mappable;
	struct file *file;
	char byte;
	int error;

	fs_use_tmpfs(NULL);
	file = fs_open("/f", LINUX_O_RDWR | LINUX_O_CREAT, NULL);
	ck_assert_int_eq(fs_write(file, "abc", 3, 5000), 3);
	mappable = map_of(file, true, LINUX_PROT_READ | LINUX_PROT_WRITE, &error);
	ck_assert_int_eq(error, 0);
	ck_assert_int_eq(mappable->ops->translate(mappable, 8192, 4096, false, &extent), -ERANGE);
	ck_assert_int_eq(mappable->ops->translate(mappable, 4096, 8192, true, &extent), 0);
	ck_assert_uint_eq(extent.length, 4096);
	ck_assert_mem_eq((char *)memory_file_pointer(extent.host_offset) + 904, "abc", 3);
	((char *)memory_file_pointer(extent.host_offset))[904] = 'X';
	ck_assert_int_eq(fs_read(file, &byte, 1, 5000), 1);
	ck_assert_int_eq(byte, 'X');
	/* The page outlives the file's own use of it. */
	ck_assert_int_eq(fs_truncate("/f", 0), 0);
	ck_assert_int_eq(((char *)memory_file_pointer(extent.host_offset))[905], 'b');
	memory_file_put(extent.host_offset, extent.length);
	file_put(file);
}
END_TEST

START_TEST(test_seals)
{
	struct file *file;
	int error;

	ck_assert_int_eq(tmpfs_file_new("memfd:t", 0, 0777, LINUX_O_RDWR, 0, NULL, &file), 0);
	ck_assert_int_eq(fs_write(file, "0123456789", 10, 0), 10);
	ck_assert_int_eq(tmpfs_add_seals(file, LINUX_F_SEAL_GROW), 0);
	ck_assert_int_eq(fs_write(file, "ab", 2, 9), -EPERM);
	ck_assert_int_eq(fs_write(file, "ab", 2, 8), 2);
	ck_assert_int_eq(tmpfs_add_seals(file, LINUX_F_SEAL_WRITE), 0);
	ck_assert_int_eq(fs_write(file, "ab", 2, 0), -EPERM);
	(void)map_of(file, true, LINUX_PROT_READ | LINUX_PROT_WRITE, &error);
	ck_assert_int_eq(error, -EPERM);
	(void)map_of(file, true, LINUX_PROT_READ, &error);
	ck_assert_int_eq(error, 0);
	ck_assert_int_eq(tmpfs_get_seals(file), LINUX_F_SEAL_GROW | LINUX_F_SEAL_WRITE);
	ck_assert_int_eq(tmpfs_add_seals(file, LINUX_F_SEAL_SEAL), 0);
	ck_assert_int_eq(tmpfs_add_seals(file, LINUX_F_SEAL_SHRINK), -EPERM);
	file_put(file);
}
END_TEST

START_TEST(test_xattrs)
{
	struct inode *inode;
	char buffer[32];

	fs_use_tmpfs(NULL);
	fs_write_text("/f", "");
	inode = fs_inode("/f");
	ck_assert_int_eq(
		inode->ops->setxattr(inode, "user.a", "one", 3, LINUX_XATTR_REPLACE), -ENODATA);
	ck_assert_int_eq(inode->ops->setxattr(inode, "user.a", "one", 3, 0), 0);
	ck_assert_int_eq(
		inode->ops->setxattr(inode, "user.a", "x", 1, LINUX_XATTR_CREATE), -EEXIST);
	ck_assert_int_eq(inode->ops->setxattr(inode, "other.a", "x", 1, 0), -EOPNOTSUPP);
	ck_assert_int_eq(inode->ops->getxattr(inode, "user.a", NULL, 0), 3);
	ck_assert_int_eq(inode->ops->getxattr(inode, "user.a", buffer, 2), -ERANGE);
	ck_assert_int_eq(inode->ops->getxattr(inode, "user.a", buffer, 32), 3);
	ck_assert_mem_eq(buffer, "one", 3);
	ck_assert_int_eq(inode->ops->listxattr(inode, buffer, 32), 7);
	ck_assert_str_eq(buffer, "user.a");
	ck_assert_int_eq(inode->ops->removexattr(inode, "user.a"), 0);
	ck_assert_int_eq(inode->ops->getxattr(inode, "user.a", buffer, 32), -ENODATA);
	inode_put(inode);
}
END_TEST

TCase *tmpfs_file_tests(void)
{
	TCase *tcase = tcase_create("tmpfs files");

	tcase_add_checked_fixture(tcase, fs_fixture_setup, fs_fixture_teardown);
	tcase_add_loop_test(tcase, test_contents, 0, 4);
	tcase_add_test(tcase, test_position_append_and_end);
	tcase_add_test(tcase, test_size_limit);
	tcase_add_test(tcase, test_inode_limit);
	tcase_add_test(tcase, test_holes);
	tcase_add_test(tcase, test_mapping_sees_writes);
	tcase_add_test(tcase, test_seals);
	tcase_add_test(tcase, test_xattrs);
	return tcase;
}
