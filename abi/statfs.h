/* SPDX-License-Identifier: Apache-2.0 */
/* What statfs(2) tells of a file system, with the magic numbers of file systems. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LINUX_ADFS_SUPER_MAGIC	    0xadf5
#define LINUX_AFFS_SUPER_MAGIC	    0xadff
#define LINUX_AFS_SUPER_MAGIC	    0x5346414f
#define LINUX_AUTOFS_SUPER_MAGIC    0x187
#define LINUX_CEPH_SUPER_MAGIC	    0xc36400
#define LINUX_CODA_SUPER_MAGIC	    0x73757245
#define LINUX_CRAMFS_MAGIC	    0x28cd3d45
#define LINUX_DEBUGFS_MAGIC	    0x64626720
#define LINUX_SECURITYFS_MAGIC	    0x73636673
#define LINUX_SELINUX_MAGIC	    0xf97cff8cU
#define LINUX_SMACK_MAGIC	    0x43415d53
#define LINUX_RAMFS_MAGIC	    0x858458f6U
#define LINUX_TMPFS_MAGIC	    0x1021994
#define LINUX_HUGETLBFS_MAGIC	    0x958458f6U
#define LINUX_SQUASHFS_MAGIC	    0x73717368
#define LINUX_ECRYPTFS_SUPER_MAGIC  0xf15f
#define LINUX_EFS_SUPER_MAGIC	    0x414a53
#define LINUX_EXT2_SUPER_MAGIC	    0xef53
#define LINUX_EXT3_SUPER_MAGIC	    0xef53
#define LINUX_XENFS_SUPER_MAGIC	    0xabba1974U
#define LINUX_EXT4_SUPER_MAGIC	    0xef53
#define LINUX_BTRFS_SUPER_MAGIC	    0x9123683eU
#define LINUX_NILFS_SUPER_MAGIC	    0x3434
#define LINUX_F2FS_SUPER_MAGIC	    0xf2f52010U
#define LINUX_HPFS_SUPER_MAGIC	    0xf995e849U
#define LINUX_ISOFS_SUPER_MAGIC	    0x9660
#define LINUX_JFFS2_SUPER_MAGIC	    0x72b6
#define LINUX_XFS_SUPER_MAGIC	    0x58465342
#define LINUX_PSTOREFS_MAGIC	    0x6165676c
#define LINUX_EFIVARFS_MAGIC	    0xde5e81e4U
#define LINUX_HOSTFS_SUPER_MAGIC    0xc0ffee
#define LINUX_OVERLAYFS_SUPER_MAGIC 0x794c7630
#define LINUX_FUSE_SUPER_MAGIC	    0x65735546
#define LINUX_MINIX_SUPER_MAGIC	    0x137f
#define LINUX_MINIX2_SUPER_MAGIC    0x2468
#define LINUX_MINIX3_SUPER_MAGIC    0x4d5a
#define LINUX_MSDOS_SUPER_MAGIC	    0x4d44
#define LINUX_EXFAT_SUPER_MAGIC	    0x2011bab0
#define LINUX_NCP_SUPER_MAGIC	    0x564c
#define LINUX_NFS_SUPER_MAGIC	    0x6969
#define LINUX_OCFS2_SUPER_MAGIC	    0x7461636f
#define LINUX_OPENPROM_SUPER_MAGIC  0x9fa1
#define LINUX_QNX4_SUPER_MAGIC	    0x2f
#define LINUX_QNX6_SUPER_MAGIC	    0x68191122
#define LINUX_AFS_FS_MAGIC	    0x6b414653
#define LINUX_REISERFS_SUPER_MAGIC  0x52654973
#define LINUX_SMB_SUPER_MAGIC	    0x517b
#define LINUX_CIFS_SUPER_MAGIC	    0xff534d42U
#define LINUX_SMB2_SUPER_MAGIC	    0xfe534d42U
#define LINUX_CGROUP_SUPER_MAGIC    0x27e0eb
#define LINUX_CGROUP2_SUPER_MAGIC   0x63677270
#define LINUX_RDTGROUP_SUPER_MAGIC  0x7655821
#define LINUX_TRACEFS_MAGIC	    0x74726163
#define LINUX_V9FS_MAGIC	    0x1021997
#define LINUX_BDEVFS_MAGIC	    0x62646576
#define LINUX_DAXFS_MAGIC	    0x64646178
#define LINUX_BINFMTFS_MAGIC	    0x42494e4d
#define LINUX_DEVPTS_SUPER_MAGIC    0x1cd1
#define LINUX_BINDERFS_SUPER_MAGIC  0x6c6f6f70
#define LINUX_FUTEXFS_SUPER_MAGIC   0xbad1dea
#define LINUX_PIPEFS_MAGIC	    0x50495045
#define LINUX_PROC_SUPER_MAGIC	    0x9fa0
#define LINUX_SOCKFS_MAGIC	    0x534f434b
#define LINUX_SYSFS_MAGIC	    0x62656572
#define LINUX_USBDEVICE_SUPER_MAGIC 0x9fa2
#define LINUX_ANON_INODE_FS_MAGIC   0x9041934
#define LINUX_NSFS_MAGIC	    0x6e736673
#define LINUX_BPF_FS_MAGIC	    0xcafe4a11U
#define LINUX_AAFS_MAGIC	    0x5a3c69f0
#define LINUX_ZONEFS_MAGIC	    0x5a4f4653
#define LINUX_UDF_SUPER_MAGIC	    0x15013346
#define LINUX_DMA_BUF_MAGIC	    0x444d4142
#define LINUX_SECRETMEM_MAGIC	    0x5345434d
#define LINUX_EROFS_SUPER_MAGIC_V1  0xe0f5e1e2U
#define LINUX_MINIX_SUPER_MAGIC2    0x138f
#define LINUX_MINIX2_SUPER_MAGIC2   0x2478

#define LINUX_MQUEUE_MAGIC	0x19800202
#define LINUX_SHMFS_SUPER_MAGIC 0x01021994
#define LINUX_CONFIGFS_MAGIC	0x62656570
#define LINUX_PID_FS_MAGIC	0x50494446

/* f_flags. */
#define LINUX_ST_RDONLY	     0x0001
#define LINUX_ST_NOSUID	     0x0002
#define LINUX_ST_NODEV	     0x0004
#define LINUX_ST_NOEXEC	     0x0008
#define LINUX_ST_SYNCHRONOUS 0x0010
#define LINUX_ST_VALID	     0x0020
#define LINUX_ST_MANDLOCK    0x0040
#define LINUX_ST_NOATIME     0x0400
#define LINUX_ST_NODIRATIME  0x0800
#define LINUX_ST_RELATIME    0x1000
#define LINUX_ST_NOSYMFOLLOW 0x2000

struct linux_statfs {
	int64_t f_type;
	int64_t f_bsize;
	int64_t f_blocks;
	int64_t f_bfree;
	int64_t f_bavail;
	int64_t f_files;
	int64_t f_ffree;
	int32_t f_fsid[2];
	int64_t f_namelen;
	int64_t f_frsize;
	int64_t f_flags;
	int64_t f_spare[4];
};

/* ustat(2). */
struct linux_ustat {
	int32_t f_tfree;
	uint32_t pad0;
	uint64_t f_tinode;
	char f_fname[6];
	char f_fpack[6];
	uint32_t pad1;
};

_Static_assert(sizeof(struct linux_statfs) == 120, "struct statfs");
_Static_assert(offsetof(struct linux_statfs, f_namelen) == 64, "struct statfs");
_Static_assert(sizeof(struct linux_ustat) == 32, "struct ustat");
