/* SPDX-License-Identifier: Apache-2.0 */
/* fanotify(7). */
#pragma once

#include <stdint.h>

#define LINUX_FAN_ACCESS		   0x1
#define LINUX_FAN_MODIFY		   0x2
#define LINUX_FAN_ATTRIB		   0x4
#define LINUX_FAN_CLOSE_WRITE		   0x8
#define LINUX_FAN_CLOSE_NOWRITE		   0x10
#define LINUX_FAN_OPEN			   0x20
#define LINUX_FAN_MOVED_FROM		   0x40
#define LINUX_FAN_MOVED_TO		   0x80
#define LINUX_FAN_CREATE		   0x100
#define LINUX_FAN_DELETE		   0x200
#define LINUX_FAN_DELETE_SELF		   0x400
#define LINUX_FAN_MOVE_SELF		   0x800
#define LINUX_FAN_OPEN_EXEC		   0x1000
#define LINUX_FAN_Q_OVERFLOW		   0x4000
#define LINUX_FAN_FS_ERROR		   0x8000
#define LINUX_FAN_OPEN_PERM		   0x10000
#define LINUX_FAN_ACCESS_PERM		   0x20000
#define LINUX_FAN_OPEN_EXEC_PERM	   0x40000
#define LINUX_FAN_RENAME		   0x10000000
#define LINUX_FAN_EVENT_ON_CHILD	   0x8000000
#define LINUX_FAN_ONDIR			   0x40000000
#define LINUX_FAN_CLOSE			   0x18
#define LINUX_FAN_MOVE			   0xc0
#define LINUX_FAN_CLOEXEC		   0x1
#define LINUX_FAN_NONBLOCK		   0x2
#define LINUX_FAN_CLASS_NOTIF		   0x0
#define LINUX_FAN_CLASS_CONTENT		   0x4
#define LINUX_FAN_CLASS_PRE_CONTENT	   0x8
#define LINUX_FAN_UNLIMITED_QUEUE	   0x10
#define LINUX_FAN_UNLIMITED_MARKS	   0x20
#define LINUX_FAN_ENABLE_AUDIT		   0x40
#define LINUX_FAN_REPORT_PIDFD		   0x80
#define LINUX_FAN_REPORT_TID		   0x100
#define LINUX_FAN_REPORT_FID		   0x200
#define LINUX_FAN_REPORT_DIR_FID	   0x400
#define LINUX_FAN_REPORT_NAME		   0x800
#define LINUX_FAN_REPORT_TARGET_FID	   0x1000
#define LINUX_FAN_REPORT_DFID_NAME	   0xc00
#define LINUX_FAN_REPORT_DFID_NAME_TARGET  0x1e00
#define LINUX_FAN_MARK_ADD		   0x1
#define LINUX_FAN_MARK_REMOVE		   0x2
#define LINUX_FAN_MARK_DONT_FOLLOW	   0x4
#define LINUX_FAN_MARK_ONLYDIR		   0x8
#define LINUX_FAN_MARK_IGNORED_MASK	   0x20
#define LINUX_FAN_MARK_IGNORED_SURV_MODIFY 0x40
#define LINUX_FAN_MARK_FLUSH		   0x80
#define LINUX_FAN_MARK_EVICTABLE	   0x200
#define LINUX_FAN_MARK_IGNORE		   0x400
#define LINUX_FAN_MARK_INODE		   0x0
#define LINUX_FAN_MARK_MOUNT		   0x10
#define LINUX_FAN_MARK_FILESYSTEM	   0x100
#define LINUX_FAN_MARK_IGNORE_SURV	   0x440
#define LINUX_FAN_ALLOW			   0x1
#define LINUX_FAN_DENY			   0x2
#define LINUX_FAN_AUDIT			   0x10
#define LINUX_FAN_NOFD			   (-1)
#define LINUX_FAN_NOPIDFD		   (-1)
#define LINUX_FAN_EPIDFD		   (-2)

#define LINUX_FANOTIFY_METADATA_VERSION 3

#define LINUX_FAN_EVENT_INFO_TYPE_FID		1
#define LINUX_FAN_EVENT_INFO_TYPE_DFID_NAME	2
#define LINUX_FAN_EVENT_INFO_TYPE_DFID		3
#define LINUX_FAN_EVENT_INFO_TYPE_PIDFD		4
#define LINUX_FAN_EVENT_INFO_TYPE_OLD_DFID_NAME 10
#define LINUX_FAN_EVENT_INFO_TYPE_NEW_DFID_NAME 12

struct linux_fanotify_event_metadata {
	uint32_t event_len;
	uint8_t vers;
	uint8_t reserved;
	uint16_t metadata_len;
	uint64_t mask;
	int32_t fd;
	int32_t pid;
};

_Static_assert(
	sizeof(struct linux_fanotify_event_metadata) == 24, "struct fanotify_event_metadata");

/* With the header that starts every struct fanotify_event_info_*. */
struct linux_fanotify_event_info_pidfd {
	uint8_t info_type;
	uint8_t pad;
	uint16_t len;
	int32_t pidfd;
};

/* A struct file_handle follows, and a name that ends with a NUL, padded to four bytes. */
struct linux_fanotify_event_info_fid {
	uint8_t info_type;
	uint8_t pad;
	uint16_t len;
	int32_t fsid[2];
};

struct linux_fanotify_response {
	int32_t fd;
	uint32_t response;
};

_Static_assert(
	sizeof(struct linux_fanotify_event_info_pidfd) == 8, "struct fanotify_event_info_pidfd");
_Static_assert(
	sizeof(struct linux_fanotify_event_info_fid) == 12, "struct fanotify_event_info_fid");
_Static_assert(sizeof(struct linux_fanotify_response) == 8, "struct fanotify_response");
