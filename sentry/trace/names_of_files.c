/* SPDX-License-Identifier: Apache-2.0 */
/* Names of flags and choices: files, mounts, their events, and descriptors that wait. */
#include "sentry/trace/decode_names.h"

#include "abi/close_range.h"
#include "abi/epoll.h"
#include "abi/eventfd.h"
#include "abi/fanotify.h"
#include "abi/fcntl.h"
#include "abi/inotify.h"
#include "abi/mount.h"
#include "abi/stat.h"

static const struct decode_name names_open_flags[] = {
	NAME(O_WRONLY),
	NAME(O_RDWR),
	NAME(O_CREAT),
	NAME(O_EXCL),
	NAME(O_NOCTTY),
	NAME(O_TRUNC),
	NAME(O_APPEND),
	NAME(O_NONBLOCK),
	NAME(O_SYNC),
	NAME(O_DSYNC),
	NAME(O_DIRECT),
	NAME(O_LARGEFILE),
	NAME(O_TMPFILE),
	NAME(O_DIRECTORY),
	NAME(O_NOFOLLOW),
	NAME(O_NOATIME),
	NAME(O_CLOEXEC),
	NAME(O_PATH),
	NAME(O_ASYNC),
};

static const struct decode_name names_fd_flags[] = {
	NAME(O_NONBLOCK),
	NAME(O_CLOEXEC),
	NAME(O_DIRECT),
	NAME(O_EXCL),
};

static const struct decode_name names_epoll_flags[] = {
	NAME(EPOLL_CLOEXEC),
};

static const struct decode_name names_inotify_flags[] = {
	NAME(IN_NONBLOCK),
	NAME(IN_CLOEXEC),
};

static const struct decode_name names_at_flags[] = {
	NAME(AT_SYMLINK_NOFOLLOW),
	NAME(AT_SYMLINK_FOLLOW),
	NAME(AT_NO_AUTOMOUNT),
	NAME(AT_EMPTY_PATH),
	NAME(AT_STATX_FORCE_SYNC),
	NAME(AT_STATX_DONT_SYNC),
	NAME(AT_RECURSIVE),
	NAME(AT_EACCESS),
};

static const struct decode_name names_unlinkat_flags[] = {
	NAME(AT_REMOVEDIR),
};

static const struct decode_name names_access_mode[] = {
	{4, "R_OK"},
	{2, "W_OK"},
	{1, "X_OK"},
};

static const struct decode_name names_epoll_op[] = {
	NAME(EPOLL_CTL_ADD),
	NAME(EPOLL_CTL_DEL),
	NAME(EPOLL_CTL_MOD),
};

static const struct decode_name names_epoll_events[] = {
	NAME(EPOLLIN),
	NAME(EPOLLPRI),
	NAME(EPOLLOUT),
	NAME(EPOLLERR),
	NAME(EPOLLHUP),
	NAME(EPOLLRDNORM),
	NAME(EPOLLRDBAND),
	NAME(EPOLLWRNORM),
	NAME(EPOLLWRBAND),
	NAME(EPOLLMSG),
	NAME(EPOLLRDHUP),
	NAME(EPOLLEXCLUSIVE),
	NAME(EPOLLWAKEUP),
	NAME(EPOLLONESHOT),
	NAME(EPOLLET),
};

static const struct decode_name names_poll_events[] = {
	{1, "POLLIN"},
	{2, "POLLPRI"},
	{4, "POLLOUT"},
	{8, "POLLERR"},
	{0x10, "POLLHUP"},
	{0x20, "POLLNVAL"},
	{0x40, "POLLRDNORM"},
	{0x80, "POLLRDBAND"},
	{0x100, "POLLWRNORM"},
	{0x200, "POLLWRBAND"},
	{0x2000, "POLLRDHUP"},
};

static const struct decode_name names_eventfd_flags[] = {
	NAME(EFD_SEMAPHORE),
	NAME(EFD_CLOEXEC),
	NAME(EFD_NONBLOCK),
};

static const struct decode_name names_fanotify_init[] = {
	NAME(FAN_CLASS_CONTENT),
	NAME(FAN_CLASS_PRE_CONTENT),
	NAME(FAN_CLOEXEC),
	NAME(FAN_NONBLOCK),
	NAME(FAN_UNLIMITED_QUEUE),
	NAME(FAN_UNLIMITED_MARKS),
	NAME(FAN_ENABLE_AUDIT),
	NAME(FAN_REPORT_PIDFD),
	NAME(FAN_REPORT_TID),
	NAME(FAN_REPORT_FID),
	NAME(FAN_REPORT_DIR_FID),
	NAME(FAN_REPORT_NAME),
	NAME(FAN_REPORT_TARGET_FID),
};

static const struct decode_name names_fanotify_mark[] = {
	NAME(FAN_MARK_ADD),
	NAME(FAN_MARK_REMOVE),
	NAME(FAN_MARK_FLUSH),
	NAME(FAN_MARK_MOUNT),
	NAME(FAN_MARK_FILESYSTEM),
	NAME(FAN_MARK_DONT_FOLLOW),
	NAME(FAN_MARK_ONLYDIR),
	NAME(FAN_MARK_IGNORED_MASK),
	NAME(FAN_MARK_IGNORED_SURV_MODIFY),
	NAME(FAN_MARK_EVICTABLE),
	NAME(FAN_MARK_IGNORE),
};

static const struct decode_name names_fanotify_mask[] = {
	NAME(FAN_ACCESS),
	NAME(FAN_MODIFY),
	NAME(FAN_ATTRIB),
	NAME(FAN_CLOSE_WRITE),
	NAME(FAN_CLOSE_NOWRITE),
	NAME(FAN_OPEN),
	NAME(FAN_MOVED_FROM),
	NAME(FAN_MOVED_TO),
	NAME(FAN_CREATE),
	NAME(FAN_DELETE),
	NAME(FAN_DELETE_SELF),
	NAME(FAN_MOVE_SELF),
	NAME(FAN_OPEN_EXEC),
	NAME(FAN_Q_OVERFLOW),
	NAME(FAN_FS_ERROR),
	NAME(FAN_OPEN_PERM),
	NAME(FAN_ACCESS_PERM),
	NAME(FAN_OPEN_EXEC_PERM),
	NAME(FAN_RENAME),
	NAME(FAN_EVENT_ON_CHILD),
	NAME(FAN_ONDIR),
};

static const struct decode_name names_inotify_mask[] = {
	NAME(IN_ALL_EVENTS),
	NAME(IN_ACCESS),
	NAME(IN_MODIFY),
	NAME(IN_ATTRIB),
	NAME(IN_CLOSE_WRITE),
	NAME(IN_CLOSE_NOWRITE),
	NAME(IN_OPEN),
	NAME(IN_MOVED_FROM),
	NAME(IN_MOVED_TO),
	NAME(IN_CREATE),
	NAME(IN_DELETE),
	NAME(IN_DELETE_SELF),
	NAME(IN_MOVE_SELF),
	NAME(IN_ONLYDIR),
	NAME(IN_DONT_FOLLOW),
	NAME(IN_EXCL_UNLINK),
	NAME(IN_MASK_CREATE),
	NAME(IN_MASK_ADD),
	NAME(IN_ONESHOT),
};

static const struct decode_name names_mount_flags[] = {
	NAME(MS_RDONLY),
	NAME(MS_NOSUID),
	NAME(MS_NODEV),
	NAME(MS_NOEXEC),
	NAME(MS_SYNCHRONOUS),
	NAME(MS_REMOUNT),
	NAME(MS_MANDLOCK),
	NAME(MS_DIRSYNC),
	NAME(MS_NOSYMFOLLOW),
	NAME(MS_NOATIME),
	NAME(MS_NODIRATIME),
	NAME(MS_BIND),
	NAME(MS_MOVE),
	NAME(MS_REC),
	NAME(MS_SILENT),
	NAME(MS_POSIXACL),
	NAME(MS_UNBINDABLE),
	NAME(MS_PRIVATE),
	NAME(MS_SLAVE),
	NAME(MS_SHARED),
	NAME(MS_RELATIME),
	NAME(MS_STRICTATIME),
	NAME(MS_LAZYTIME),
};

static const struct decode_name names_umount_flags[] = {
	NAME(MNT_FORCE),
	NAME(MNT_DETACH),
	NAME(MNT_EXPIRE),
	NAME(UMOUNT_NOFOLLOW),
};

static const struct decode_name names_close_range_flags[] = {
	NAME(CLOSE_RANGE_UNSHARE),
	NAME(CLOSE_RANGE_CLOEXEC),
};

static const struct decode_name names_statx_mask[] = {
	NAME(STATX_ALL),
	NAME(STATX_BASIC_STATS),
	NAME(STATX_TYPE),
	NAME(STATX_MODE),
	NAME(STATX_NLINK),
	NAME(STATX_UID),
	NAME(STATX_GID),
	NAME(STATX_ATIME),
	NAME(STATX_MTIME),
	NAME(STATX_CTIME),
	NAME(STATX_INO),
	NAME(STATX_SIZE),
	NAME(STATX_BLOCKS),
	NAME(STATX_BTIME),
	NAME(STATX_MNT_ID),
};

static const struct decode_name names_s_ifmt[] = {
	NAME(S_IFSOCK),
	NAME(S_IFLNK),
	NAME(S_IFREG),
	NAME(S_IFBLK),
	NAME(S_IFDIR),
	NAME(S_IFCHR),
	NAME(S_IFIFO),
};

static const struct decode_name names_whence[] = {
	{0, "SEEK_SET"},
	{1, "SEEK_CUR"},
	{2, "SEEK_END"},
	{3, "SEEK_DATA"},
	{4, "SEEK_HOLE"},
};

static const struct decode_name names_flock_op[] = {
	{1, "LOCK_SH"},
	{2, "LOCK_EX"},
	{4, "LOCK_NB"},
	{8, "LOCK_UN"},
};

static const struct decode_name names_fadvise[] = {
	{0, "POSIX_FADV_NORMAL"},
	{1, "POSIX_FADV_RANDOM"},
	{2, "POSIX_FADV_SEQUENTIAL"},
	{3, "POSIX_FADV_WILLNEED"},
	{4, "POSIX_FADV_DONTNEED"},
	{5, "POSIX_FADV_NOREUSE"},
};

static const struct decode_name names_splice_flags[] = {
	{1, "SPLICE_F_MOVE"},
	{2, "SPLICE_F_NONBLOCK"},
	{4, "SPLICE_F_MORE"},
	{8, "SPLICE_F_GIFT"},
};

static const struct decode_name names_rwf_flags[] = {
	{1, "RWF_HIPRI"},
	{2, "RWF_DSYNC"},
	{4, "RWF_SYNC"},
	{8, "RWF_NOWAIT"},
	{16, "RWF_APPEND"},
	{32, "RWF_NOAPPEND"},
};

static const struct decode_name names_renameat2_flags[] = {
	{1, "RENAME_NOREPLACE"},
	{2, "RENAME_EXCHANGE"},
	{4, "RENAME_WHITEOUT"},
};

static const struct decode_name names_fallocate_mode[] = {
	{1, "FALLOC_FL_KEEP_SIZE"},
	{2, "FALLOC_FL_PUNCH_HOLE"},
	{8, "FALLOC_FL_COLLAPSE_RANGE"},
	{16, "FALLOC_FL_ZERO_RANGE"},
	{32, "FALLOC_FL_INSERT_RANGE"},
	{64, "FALLOC_FL_UNSHARE_RANGE"},
};

static const struct decode_name names_fcntl_cmd[] = {
	{0, "F_DUPFD"},
	{1, "F_GETFD"},
	{2, "F_SETFD"},
	{3, "F_GETFL"},
	{4, "F_SETFL"},
	{5, "F_GETLK"},
	{6, "F_SETLK"},
	{7, "F_SETLKW"},
	{8, "F_SETOWN"},
	{9, "F_GETOWN"},
	{10, "F_SETSIG"},
	{11, "F_GETSIG"},
	{15, "F_SETOWN_EX"},
	{16, "F_GETOWN_EX"},
	{36, "F_OFD_GETLK"},
	{37, "F_OFD_SETLK"},
	{38, "F_OFD_SETLKW"},
	{1024, "F_SETLEASE"},
	{1025, "F_GETLEASE"},
	{1026, "F_NOTIFY"},
	{1030, "F_DUPFD_CLOEXEC"},
	{1031, "F_SETPIPE_SZ"},
	{1032, "F_GETPIPE_SZ"},
	{1033, "F_ADD_SEALS"},
	{1034, "F_GET_SEALS"},
};

static const struct decode_name names_ioctl[] = {
	{0x5401, "TCGETS"},
	{0x5402, "TCSETS"},
	{0x5403, "TCSETSW"},
	{0x5404, "TCSETSF"},
	{0x540b, "TCFLSH"},
	{0x540e, "TIOCSCTTY"},
	{0x540f, "TIOCGPGRP"},
	{0x5410, "TIOCSPGRP"},
	{0x5411, "TIOCOUTQ"},
	{0x5413, "TIOCGWINSZ"},
	{0x5414, "TIOCSWINSZ"},
	{0x541b, "FIONREAD"},
	{0x5421, "FIONBIO"},
	{0x5422, "TIOCNOTTY"},
	{0x5429, "TIOCGSID"},
	{0x5450, "FIONCLEX"},
	{0x5451, "FIOCLEX"},
	{0x5452, "FIOASYNC"},
	{0x80045430, "TIOCGPTN"},
	{0x40045431, "TIOCSPTLCK"},
	{0x5441, "TIOCGPTPEER"},
	{0x8912, "SIOCGIFCONF"},
	{0x8913, "SIOCGIFFLAGS"},
	{0x8915, "SIOCGIFADDR"},
	{0x40049409, "FICLONE"},
};

const struct decode_names g_names_of_files[] = {
	{"access_mode", true, "F_OK", names_access_mode, array_count(names_access_mode)},
	{"at_flags", true, NULL, names_at_flags, array_count(names_at_flags)},
	{"close_range_flags", true, NULL, names_close_range_flags,
		array_count(names_close_range_flags)},
	{"epoll_events", true, NULL, names_epoll_events, array_count(names_epoll_events)},
	{"epoll_flags", true, NULL, names_epoll_flags, array_count(names_epoll_flags)},
	{"epoll_op", false, NULL, names_epoll_op, array_count(names_epoll_op)},
	{"eventfd_flags", true, NULL, names_eventfd_flags, array_count(names_eventfd_flags)},
	{"fadvise", false, NULL, names_fadvise, array_count(names_fadvise)},
	{"fallocate_mode", true, NULL, names_fallocate_mode, array_count(names_fallocate_mode)},
	{"fanotify_init_flags", true, NULL, names_fanotify_init, array_count(names_fanotify_init)},
	{"fanotify_mark_flags", true, NULL, names_fanotify_mark, array_count(names_fanotify_mark)},
	{"fanotify_mask", true, NULL, names_fanotify_mask, array_count(names_fanotify_mask)},
	{"fcntl_cmd", false, NULL, names_fcntl_cmd, array_count(names_fcntl_cmd)},
	{"fd_flags", true, NULL, names_fd_flags, array_count(names_fd_flags)},
	{"flock_op", true, NULL, names_flock_op, array_count(names_flock_op)},
	{"inotify_flags", true, NULL, names_inotify_flags, array_count(names_inotify_flags)},
	{"inotify_mask", true, NULL, names_inotify_mask, array_count(names_inotify_mask)},
	{"ioctl", false, NULL, names_ioctl, array_count(names_ioctl)},
	{"mount_flags", true, NULL, names_mount_flags, array_count(names_mount_flags)},
	{"open_flags", true, "O_RDONLY", names_open_flags, array_count(names_open_flags)},
	{"poll_events", true, NULL, names_poll_events, array_count(names_poll_events)},
	{"renameat2_flags", true, NULL, names_renameat2_flags, array_count(names_renameat2_flags)},
	{"rwf_flags", true, NULL, names_rwf_flags, array_count(names_rwf_flags)},
	{"s_ifmt", false, NULL, names_s_ifmt, array_count(names_s_ifmt)},
	{"splice_flags", true, NULL, names_splice_flags, array_count(names_splice_flags)},
	{"statx_mask", true, NULL, names_statx_mask, array_count(names_statx_mask)},
	{"umount_flags", true, NULL, names_umount_flags, array_count(names_umount_flags)},
	{"unlinkat_flags", true, NULL, names_unlinkat_flags, array_count(names_unlinkat_flags)},
	{"whence", false, NULL, names_whence, array_count(names_whence)},
	{0},
};
