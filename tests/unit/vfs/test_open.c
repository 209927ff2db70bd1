/* SPDX-License-Identifier: Apache-2.0 */
/* What open(2) does with its flags. */
#include "vfs_fixture.h"

#include "abi/mount.h"
#include "sentry/vfs/attributes.h"

#include <string.h>

START_TEST(test_create)
{
	struct linux_stat st;

	ck_assert_int_eq(vfs_open("/f", LINUX_O_RDONLY), -ENOENT);
	ck_assert_int_eq(vfs_open("/f", LINUX_O_RDWR | LINUX_O_CREAT), 0);
	ck_assert_int_eq(vfs_open("/f", LINUX_O_RDWR | LINUX_O_CREAT), 0);
	ck_assert_int_eq(
		vfs_open("/f", LINUX_O_RDWR | LINUX_O_CREAT | LINUX_O_EXCL | LINUX_O_NOFOLLOW),
		-EEXIST);
	ck_assert_int_eq(vfs_open("/g/", LINUX_O_RDWR | LINUX_O_CREAT), -EISDIR);
	ck_assert_int_eq(vfs_open("/f/", LINUX_O_RDWR | LINUX_O_CREAT), -EISDIR);
	ck_assert_int_eq(vfs_open("/", LINUX_O_RDONLY | LINUX_O_CREAT), -EISDIR);
	ck_assert_int_eq(vfs_open(".", LINUX_O_RDONLY | LINUX_O_CREAT), -EISDIR);
	ck_assert_int_eq(vfs_open("/n/f", LINUX_O_RDONLY | LINUX_O_CREAT), -ENOENT);
	ck_assert_int_eq(vfs_open("/f/f", LINUX_O_RDONLY | LINUX_O_CREAT), -ENOTDIR);
	/* Through a dangling link the target is made. */
	ck_assert_int_eq(path_symlink("made", AT, "/link"), 0);
	ck_assert_int_eq(vfs_open("/link", LINUX_O_WRONLY | LINUX_O_CREAT), 0);
	ck_assert_int_eq(vfs_stat("/made", &st), 0);
	ck_assert_int_eq(
		vfs_open("/link", LINUX_O_WRONLY | LINUX_O_CREAT | LINUX_O_EXCL | LINUX_O_NOFOLLOW),
		-EEXIST);
	ck_assert_int_eq(
		vfs_open("/link", LINUX_O_WRONLY | LINUX_O_CREAT | LINUX_O_NOFOLLOW), -ELOOP);
	/* A mode without permissions does not keep its maker from opening it. */
	vfs_become(1000);
	ck_assert_int_eq(vfs_open("/none", LINUX_O_RDWR | LINUX_O_CREAT), -EACCES);
	vfs_become(0);
}
END_TEST

START_TEST(test_umask_and_groups)
{
	struct linux_stat st;
	struct path path;

	current->fs->umask = 027;
	vfs_write("/f", "");
	ck_assert_int_eq(path_mkdir(AT, "/d", 0777), 0);
	ck_assert_int_eq(vfs_stat("/f", &st), 0);
	ck_assert_uint_eq(st.st_mode, LINUX_S_IFREG | 0640);
	ck_assert_int_eq(vfs_stat("/d", &st), 0);
	ck_assert_uint_eq(st.st_mode, LINUX_S_IFDIR | 0750);
	current->fs->umask = 0;
	/* A set-group-ID directory hands its group down, and the bit to directories. */
	ck_assert_int_eq(path_lookup(AT, "/d", 0, &path), 0);
	ck_assert_int_eq(path_chown(&path, UINT32_MAX, 50), 0);
	ck_assert_int_eq(path_chmod(&path, 02777), 0);
	path_put(&path);
	vfs_write("/d/f", "");
	ck_assert_int_eq(path_mkdir(AT, "/d/d", 0755), 0);
	ck_assert_int_eq(vfs_stat("/d/f", &st), 0);
	ck_assert_uint_eq(st.st_gid, 50);
	ck_assert_int_eq(vfs_stat("/d/d", &st), 0);
	ck_assert_uint_eq(st.st_gid, 50);
	ck_assert_uint_eq(st.st_mode, LINUX_S_IFDIR | 02755);
	/* Who is not of that group makes no set-group-ID file there. */
	vfs_become(1000);
	ck_assert_int_eq(path_mknod(AT, "/d/s", LINUX_S_IFREG | 02755, 0), 0);
	ck_assert_int_eq(vfs_stat("/d/s", &st), 0);
	ck_assert_uint_eq(st.st_mode, LINUX_S_IFREG | 0755);
	vfs_become(0);
}
END_TEST

START_TEST(test_types)
{
	ck_assert_int_eq(path_mknod(AT, "/sock", LINUX_S_IFSOCK | 0666, 0), 0);
	ck_assert_int_eq(vfs_open("/sock", LINUX_O_RDWR), -ENXIO);
	ck_assert_int_eq(vfs_open("/sock", LINUX_O_PATH), 0);
	ck_assert_int_eq(path_mknod(AT, "/blk", LINUX_S_IFBLK | 0666, LINUX_MAKEDEV(8, 0)), 0);
	ck_assert_int_eq(vfs_open("/blk", LINUX_O_RDWR), -ENXIO);
	ck_assert_int_eq(path_mknod(AT, "/chr", LINUX_S_IFCHR | 0666, LINUX_MAKEDEV(222, 9)), 0);
	ck_assert_int_eq(vfs_open("/chr", LINUX_O_RDWR), -ENXIO);
	ck_assert_int_eq(path_mknod(AT, "/fifo", LINUX_S_IFIFO | 0666, 0), 0);
	ck_assert_int_eq(vfs_open("/fifo", LINUX_O_WRONLY | LINUX_O_NONBLOCK), -ENXIO);
	ck_assert_int_eq(vfs_open("/fifo", LINUX_O_RDONLY | LINUX_O_NONBLOCK), 0);
	ck_assert_int_eq(vfs_open("/", LINUX_O_RDWR), -EISDIR);
	ck_assert_int_eq(vfs_open("/", LINUX_O_RDONLY | LINUX_O_DIRECTORY), 0);
	ck_assert_int_eq(vfs_open("/fifo", LINUX_O_RDONLY | LINUX_O_DIRECTORY), -ENOTDIR);
	ck_assert_int_eq(path_mknod(AT, "/dir", LINUX_S_IFDIR | 0666, 0), -EPERM);
	ck_assert_int_eq(path_mknod(AT, "/odd", 0170000 | 0666, 0), -EINVAL);
	ck_assert_int_eq(path_symlink("sock", AT, "/link"), 0);
	ck_assert_int_eq(vfs_open("/link", LINUX_O_RDONLY | LINUX_O_NOFOLLOW), -ELOOP);
	ck_assert_int_eq(vfs_open("/link", LINUX_O_PATH | LINUX_O_NOFOLLOW), 0);
	ck_assert_int_eq(path_mkdir(AT, "/open", 0777), 0);
	vfs_become(1000);
	ck_assert_int_eq(path_mknod(AT, "/c", LINUX_S_IFCHR | 0666, 5), -EACCES);
	ck_assert_int_eq(path_mknod(AT, "/open/c", LINUX_S_IFCHR | 0666, 5), -EPERM);
	ck_assert_int_eq(path_mknod(AT, "/open/whiteout", LINUX_S_IFCHR, 0), 0);
	vfs_become(0);
}
END_TEST

START_TEST(test_text_busy)
{
	struct file *file;

	vfs_write("/f", "x");
	file = vfs_open_file("/f", LINUX_O_RDONLY);
	ck_assert_int_eq(inode_deny_write_access(file->inode), 0);
	ck_assert_int_eq(vfs_open("/f", LINUX_O_WRONLY), -ETXTBSY);
	ck_assert_int_eq(vfs_open("/f", LINUX_O_RDONLY | LINUX_O_TRUNC), -ETXTBSY);
	ck_assert_int_eq(vfs_open("/f", LINUX_O_RDONLY), 0);
	inode_allow_write_access(file->inode);
	file_put(file);
	file = vfs_open_file("/f", LINUX_O_WRONLY);
	ck_assert_int_eq(inode_deny_write_access(file->inode), -ETXTBSY);
	file_put(file);
}
END_TEST

START_TEST(test_tmpfile)
{
	struct file *file = vfs_open_file("/", LINUX_O_TMPFILE | LINUX_O_RDWR);
	struct path path, root;
	char buffer[128], *name;
	int fd;

	ck_assert_int_eq(file->inode->attributes.nlink, 0);
	ck_assert_int_eq(file_path(file, &path), 0);
	fs_struct_root(current->fs, &root);
	name = path_name(&path, &root, buffer, sizeof(buffer));
	ck_assert(strstr(name, " (deleted)") != NULL && name[1] == '#');
	path_put(&root);
	path_put(&path);
	fd = fd_install(current->files, 0, file, false);
	ck_assert_int_eq(path_link(fd, "", AT, "/named", LINUX_AT_EMPTY_PATH), 0);
	ck_assert_int_eq(vfs_open("/named", LINUX_O_RDWR), 0);
	ck_assert_int_eq(file->inode->attributes.nlink, 1);
	ck_assert_int_eq(path_unlink(AT, "/named"), 0);
	/* Once it had a name and lost it, it gets none again. */
	ck_assert_int_eq(path_link(fd, "", AT, "/again", LINUX_AT_EMPTY_PATH), -ENOENT);
	file = vfs_open_file("/", LINUX_O_TMPFILE | LINUX_O_RDWR | LINUX_O_EXCL);
	fd = fd_install(current->files, 0, file, false);
	ck_assert_int_eq(path_link(fd, "", AT, "/never", LINUX_AT_EMPTY_PATH), -ENOENT);
}
END_TEST

static int64_t write_text(struct file *file, const char *text, int64_t *position)
{
	struct iov_iter iter;

	iov_iter_init_kernel(&iter, (char *)text, strlen(text), false);
	return file_write(file, &iter, position);
}

START_TEST(test_positions)
{
	struct file *file = vfs_open_file("/f", LINUX_O_RDWR | LINUX_O_CREAT);
	struct file *append = vfs_open_file("/f", LINUX_O_WRONLY | LINUX_O_APPEND);
	int64_t position = 1;
	struct iov_iter iter;
	char buffer[16] = "";

	ck_assert_int_eq(write_text(file, "abcdef", NULL), 6);
	ck_assert_int_eq(write_text(append, "gh", NULL), 2);
	ck_assert_int_eq(file->position, 6);
	/* pwrite(2) on an O_APPEND file appends, as Linux's does. */
	ck_assert_int_eq(write_text(append, "ij", &position), 2);
	position = 1;
	ck_assert_int_eq(write_text(file, "B", &position), 1);
	ck_assert_int_eq(file_seek(file, -2, LINUX_SEEK_END), 8);
	ck_assert_int_eq(file_seek(file, -20, LINUX_SEEK_CUR), -EINVAL);
	ck_assert_int_eq(file_seek(file, 0, LINUX_SEEK_SET), 0);
	ck_assert_int_eq(file_seek(file, 10, LINUX_SEEK_DATA), -ENXIO);
	iov_iter_init_kernel(&iter, buffer, sizeof(buffer), true);
	ck_assert_int_eq(file_read(file, &iter, NULL), 10);
	ck_assert_str_eq(buffer, "aBcdefghij");
	iov_iter_init_kernel(&iter, buffer, sizeof(buffer), true);
	ck_assert_int_eq(file_read(append, &iter, NULL), -EBADF);
	file_put(append);
	file_put(file);
	file = vfs_open_file("/", LINUX_O_RDONLY);
	ck_assert_int_eq(file_read(file, &iter, NULL), -EISDIR);
	file_put(file);
}
END_TEST

START_TEST(test_read_only)
{
	struct path root;
	struct file *file;

	vfs_write("/f", "x");
	file = vfs_open_file("/f", LINUX_O_WRONLY);
	mount_namespace_root(current->nsproxy->mount, &root);
	ck_assert_int_eq(mount_remount(&root, LINUX_MS_RDONLY, true, NULL), -EBUSY);
	file_put(file);
	ck_assert_int_eq(mount_remount(&root, LINUX_MS_RDONLY | LINUX_MS_NODEV, true, NULL), 0);
	ck_assert_int_eq(vfs_open("/f", LINUX_O_WRONLY), -EROFS);
	ck_assert_int_eq(vfs_open("/f", LINUX_O_RDONLY), 0);
	ck_assert_int_eq(vfs_open("/f", LINUX_O_RDONLY | LINUX_O_CREAT), 0);
	ck_assert_int_eq(vfs_open("/g", LINUX_O_RDONLY | LINUX_O_CREAT), -EROFS);
	ck_assert_int_eq(path_mkdir(AT, "/d", 0755), -EROFS);
	ck_assert_int_eq(path_mkdir(AT, "/f", 0755), -EEXIST);
	ck_assert_int_eq(path_unlink(AT, "/f"), -EROFS);
	ck_assert_int_eq(path_unlink(AT, "/none"), -EROFS);
	ck_assert_int_eq(path_rename(AT, "/f", AT, "/g", 0), -EROFS);
	path_put(&root);
}
END_TEST

TCase *open_tests(void)
{
	TCase *tcase = tcase_create("open");

	tcase_add_checked_fixture(tcase, vfs_fixture_setup, vfs_fixture_teardown);
	tcase_add_test(tcase, test_create);
	tcase_add_test(tcase, test_umask_and_groups);
	tcase_add_test(tcase, test_types);
	tcase_add_test(tcase, test_text_busy);
	tcase_add_test(tcase, test_tmpfile);
	tcase_add_test(tcase, test_positions);
	tcase_add_test(tcase, test_read_only);
	return tcase;
}
