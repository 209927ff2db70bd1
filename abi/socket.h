/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets: families, types, options of SOL_SOCKET, messages and control messages, unix
 * addresses.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Address families. */
#define LINUX_AF_UNSPEC	    0
#define LINUX_AF_LOCAL	    1
#define LINUX_AF_UNIX	    1
#define LINUX_AF_FILE	    1
#define LINUX_AF_INET	    2
#define LINUX_AF_AX25	    3
#define LINUX_AF_IPX	    4
#define LINUX_AF_APPLETALK  5
#define LINUX_AF_NETROM	    6
#define LINUX_AF_BRIDGE	    7
#define LINUX_AF_ATMPVC	    8
#define LINUX_AF_X25	    9
#define LINUX_AF_INET6	    10
#define LINUX_AF_ROSE	    11
#define LINUX_AF_DECnet	    12
#define LINUX_AF_NETBEUI    13
#define LINUX_AF_SECURITY   14
#define LINUX_AF_KEY	    15
#define LINUX_AF_NETLINK    16
#define LINUX_AF_ROUTE	    16
#define LINUX_AF_PACKET	    17
#define LINUX_AF_ASH	    18
#define LINUX_AF_ECONET	    19
#define LINUX_AF_ATMSVC	    20
#define LINUX_AF_RDS	    21
#define LINUX_AF_SNA	    22
#define LINUX_AF_IRDA	    23
#define LINUX_AF_PPPOX	    24
#define LINUX_AF_WANPIPE    25
#define LINUX_AF_LLC	    26
#define LINUX_AF_IB	    27
#define LINUX_AF_MPLS	    28
#define LINUX_AF_CAN	    29
#define LINUX_AF_TIPC	    30
#define LINUX_AF_BLUETOOTH  31
#define LINUX_AF_IUCV	    32
#define LINUX_AF_RXRPC	    33
#define LINUX_AF_ISDN	    34
#define LINUX_AF_PHONET	    35
#define LINUX_AF_IEEE802154 36
#define LINUX_AF_CAIF	    37
#define LINUX_AF_ALG	    38
#define LINUX_AF_NFC	    39
#define LINUX_AF_VSOCK	    40
#define LINUX_AF_KCM	    41
#define LINUX_AF_QIPCRTR    42
#define LINUX_AF_SMC	    43
#define LINUX_AF_XDP	    44
#define LINUX_AF_MCTP	    45
#define LINUX_AF_MAX	    46

/* Types. */
#define LINUX_SOCK_STREAM    1
#define LINUX_SOCK_DGRAM     2
#define LINUX_SOCK_RAW	     3
#define LINUX_SOCK_RDM	     4
#define LINUX_SOCK_SEQPACKET 5
#define LINUX_SOCK_DCCP	     6
#define LINUX_SOCK_PACKET    10

#define LINUX_SOCK_TYPE_MASK 0xf
#define LINUX_SOCK_CLOEXEC   02000000
#define LINUX_SOCK_NONBLOCK  04000
#define LINUX_SOMAXCONN	     4096

#define LINUX_SHUT_RD	0
#define LINUX_SHUT_WR	1
#define LINUX_SHUT_RDWR 2

/* Levels. */
#define LINUX_SOL_RAW	    255
#define LINUX_SOL_DECNET    261
#define LINUX_SOL_X25	    262
#define LINUX_SOL_PACKET    263
#define LINUX_SOL_ATM	    264
#define LINUX_SOL_AAL	    265
#define LINUX_SOL_IRDA	    266
#define LINUX_SOL_NETBEUI   267
#define LINUX_SOL_LLC	    268
#define LINUX_SOL_DCCP	    269
#define LINUX_SOL_NETLINK   270
#define LINUX_SOL_TIPC	    271
#define LINUX_SOL_RXRPC	    272
#define LINUX_SOL_PPPOL2TP  273
#define LINUX_SOL_BLUETOOTH 274
#define LINUX_SOL_PNPIPE    275
#define LINUX_SOL_RDS	    276
#define LINUX_SOL_IUCV	    277
#define LINUX_SOL_CAIF	    278
#define LINUX_SOL_ALG	    279
#define LINUX_SOL_NFC	    280
#define LINUX_SOL_KCM	    281
#define LINUX_SOL_TLS	    282
#define LINUX_SOL_XDP	    283
#define LINUX_SOL_MPTCP	    284
#define LINUX_SOL_MCTP	    285
#define LINUX_SOL_SMC	    286
#define LINUX_SOL_SOCKET    1

#define LINUX_SOL_IP	  0
#define LINUX_SOL_ICMP	  1
#define LINUX_SOL_TCP	  6
#define LINUX_SOL_UDP	  17
#define LINUX_SOL_IPV6	  41
#define LINUX_SOL_ICMPV6  58
#define LINUX_SOL_UDPLITE 136

/* Options of SOL_SOCKET. */
#define LINUX_SO_DEBUG			       1
#define LINUX_SO_REUSEADDR		       2
#define LINUX_SO_TYPE			       3
#define LINUX_SO_ERROR			       4
#define LINUX_SO_DONTROUTE		       5
#define LINUX_SO_BROADCAST		       6
#define LINUX_SO_SNDBUF			       7
#define LINUX_SO_RCVBUF			       8
#define LINUX_SO_SNDBUFFORCE		       32
#define LINUX_SO_RCVBUFFORCE		       33
#define LINUX_SO_KEEPALIVE		       9
#define LINUX_SO_OOBINLINE		       10
#define LINUX_SO_NO_CHECK		       11
#define LINUX_SO_PRIORITY		       12
#define LINUX_SO_LINGER			       13
#define LINUX_SO_BSDCOMPAT		       14
#define LINUX_SO_REUSEPORT		       15
#define LINUX_SO_PASSCRED		       16
#define LINUX_SO_PEERCRED		       17
#define LINUX_SO_RCVLOWAT		       18
#define LINUX_SO_SNDLOWAT		       19
#define LINUX_SO_RCVTIMEO_OLD		       20
#define LINUX_SO_SNDTIMEO_OLD		       21
#define LINUX_SO_SECURITY_AUTHENTICATION       22
#define LINUX_SO_SECURITY_ENCRYPTION_TRANSPORT 23
#define LINUX_SO_SECURITY_ENCRYPTION_NETWORK   24
#define LINUX_SO_BINDTODEVICE		       25
#define LINUX_SO_ATTACH_FILTER		       26
#define LINUX_SO_DETACH_FILTER		       27
#define LINUX_SO_GET_FILTER		       26
#define LINUX_SO_PEERNAME		       28
#define LINUX_SO_ACCEPTCONN		       30
#define LINUX_SO_PEERSEC		       31
#define LINUX_SO_PASSSEC		       34
#define LINUX_SO_MARK			       36
#define LINUX_SO_PROTOCOL		       38
#define LINUX_SO_DOMAIN			       39
#define LINUX_SO_RXQ_OVFL		       40
#define LINUX_SO_WIFI_STATUS		       41
#define LINUX_SO_PEEK_OFF		       42
#define LINUX_SO_NOFCS			       43
#define LINUX_SO_LOCK_FILTER		       44
#define LINUX_SO_SELECT_ERR_QUEUE	       45
#define LINUX_SO_BUSY_POLL		       46
#define LINUX_SO_MAX_PACING_RATE	       47
#define LINUX_SO_BPF_EXTENSIONS		       48
#define LINUX_SO_INCOMING_CPU		       49
#define LINUX_SO_ATTACH_BPF		       50
#define LINUX_SO_DETACH_BPF		       27
#define LINUX_SO_ATTACH_REUSEPORT_CBPF	       51
#define LINUX_SO_ATTACH_REUSEPORT_EBPF	       52
#define LINUX_SO_CNX_ADVICE		       53
#define LINUX_SO_MEMINFO		       55
#define LINUX_SO_INCOMING_NAPI_ID	       56
#define LINUX_SO_COOKIE			       57
#define LINUX_SO_PEERGROUPS		       59
#define LINUX_SO_ZEROCOPY		       60
#define LINUX_SO_TXTIME			       61
#define LINUX_SO_BINDTOIFINDEX		       62
#define LINUX_SO_TIMESTAMP_OLD		       29
#define LINUX_SO_TIMESTAMPNS_OLD	       35
#define LINUX_SO_TIMESTAMPING_OLD	       37
#define LINUX_SO_TIMESTAMP_NEW		       63
#define LINUX_SO_TIMESTAMPNS_NEW	       64
#define LINUX_SO_TIMESTAMPING_NEW	       65
#define LINUX_SO_RCVTIMEO_NEW		       66
#define LINUX_SO_SNDTIMEO_NEW		       67
#define LINUX_SO_DETACH_REUSEPORT_BPF	       68
#define LINUX_SO_PREFER_BUSY_POLL	       69
#define LINUX_SO_BUSY_POLL_BUDGET	       70
#define LINUX_SO_NETNS_COOKIE		       71
#define LINUX_SO_BUF_LOCK		       72
#define LINUX_SO_RESERVE_MEM		       73
#define LINUX_SO_TXREHASH		       74
#define LINUX_SO_RCVMARK		       75

/* 64-bit programs get the old numbers, whose times are 64 bits wide. */
#define LINUX_SO_RCVTIMEO	 20
#define LINUX_SO_SNDTIMEO	 21
#define LINUX_SO_TIMESTAMP	 29
#define LINUX_SO_TIMESTAMPNS	 35
#define LINUX_SO_TIMESTAMPING	 37
#define LINUX_SO_PASSPIDFD	 76 /* Linux 6.5 */
#define LINUX_SO_PEERPIDFD	 77
#define LINUX_SO_DEVMEM_LINEAR	 78
#define LINUX_SO_DEVMEM_DMABUF	 79
#define LINUX_SO_DEVMEM_DONTNEED 80
#define LINUX_SO_RCVPRIORITY	 82
#define LINUX_SO_PASSRIGHTS	 83 /* Linux 6.16 */
#define LINUX_SO_INQ		 84

/* send(2) and recv(2). */
#define LINUX_MSG_OOB	       0x1
#define LINUX_MSG_PEEK	       0x2
#define LINUX_MSG_DONTROUTE    0x4
#define LINUX_MSG_TRYHARD      0x4
#define LINUX_MSG_CTRUNC       0x8
#define LINUX_MSG_PROXY	       0x10
#define LINUX_MSG_TRUNC	       0x20
#define LINUX_MSG_DONTWAIT     0x40
#define LINUX_MSG_EOR	       0x80
#define LINUX_MSG_WAITALL      0x100
#define LINUX_MSG_FIN	       0x200
#define LINUX_MSG_SYN	       0x400
#define LINUX_MSG_CONFIRM      0x800
#define LINUX_MSG_RST	       0x1000
#define LINUX_MSG_ERRQUEUE     0x2000
#define LINUX_MSG_NOSIGNAL     0x4000
#define LINUX_MSG_MORE	       0x8000
#define LINUX_MSG_WAITFORONE   0x10000
#define LINUX_MSG_BATCH	       0x40000
#define LINUX_MSG_ZEROCOPY     0x4000000
#define LINUX_MSG_FASTOPEN     0x20000000
#define LINUX_MSG_CMSG_CLOEXEC 0x40000000

#define LINUX_MSG_EOF		   LINUX_MSG_FIN
#define LINUX_MSG_SENDPAGE_NOTLAST 0x20000
#define LINUX_MSG_SOCK_DEVMEM	   0x2000000

/* Control messages of SOL_SOCKET. */
#define LINUX_SCM_RIGHTS       1
#define LINUX_SCM_CREDENTIALS  2
#define LINUX_SCM_SECURITY     3
#define LINUX_SCM_PIDFD	       4
#define LINUX_SCM_TIMESTAMP    LINUX_SO_TIMESTAMP
#define LINUX_SCM_TIMESTAMPNS  LINUX_SO_TIMESTAMPNS
#define LINUX_SCM_TIMESTAMPING LINUX_SO_TIMESTAMPING
#define LINUX_SCM_MAX_FD       253

#define LINUX_CMSG_ALIGN(size) (((size) + 7) & ~(size_t)7)
#define LINUX_CMSG_LEN(size)   (sizeof(struct linux_cmsghdr) + (size))
#define LINUX_CMSG_SPACE(size) (sizeof(struct linux_cmsghdr) + LINUX_CMSG_ALIGN(size))

#define LINUX_UNIX_PATH_MAX 108
#define LINUX_SIOCUNIXFILE  0x89e0

struct linux_sockaddr {
	uint16_t sa_family;
	char sa_data[14];
};

#define LINUX_SOCKADDR_STORAGE_SIZE 128

struct linux_sockaddr_storage {
	uint16_t ss_family;
	char padding[118];
	uint64_t align;
};

struct linux_sockaddr_un {
	uint16_t sun_family;
	char sun_path[LINUX_UNIX_PATH_MAX];
};

struct linux_msghdr {
	uint64_t msg_name;
	int32_t msg_namelen;
	uint32_t pad0;
	uint64_t msg_iov;
	uint64_t msg_iovlen;
	uint64_t msg_control;
	uint64_t msg_controllen;
	uint32_t msg_flags;
	uint32_t pad1;
};

struct linux_mmsghdr {
	struct linux_msghdr msg_hdr;
	uint32_t msg_len;
	uint32_t pad0;
};

struct linux_cmsghdr {
	uint64_t cmsg_len;
	int32_t cmsg_level;
	int32_t cmsg_type;
};

struct linux_ucred {
	int32_t pid;
	uint32_t uid;
	uint32_t gid;
};

struct linux_linger {
	int32_t l_onoff;
	int32_t l_linger;
};

_Static_assert(sizeof(struct linux_sockaddr) == 16, "struct sockaddr");
_Static_assert(sizeof(struct linux_sockaddr_storage) == LINUX_SOCKADDR_STORAGE_SIZE,
	"struct sockaddr_storage");
_Static_assert(sizeof(struct linux_sockaddr_un) == 110, "struct sockaddr_un");
_Static_assert(sizeof(struct linux_msghdr) == 56, "struct msghdr");
_Static_assert(offsetof(struct linux_msghdr, msg_flags) == 48, "struct msghdr");
_Static_assert(sizeof(struct linux_mmsghdr) == 64, "struct mmsghdr");
_Static_assert(sizeof(struct linux_cmsghdr) == 16, "struct cmsghdr");
_Static_assert(sizeof(struct linux_ucred) == 12, "struct ucred");
