/* SPDX-License-Identifier: Apache-2.0 */
/* Netlink and rtnetlink: headers, messages of links, addresses and routes. */
#pragma once

#include <stdint.h>

/* Families. */
#define LINUX_NETLINK_ROUTE	     0
#define LINUX_NETLINK_USERSOCK	     2
#define LINUX_NETLINK_FIREWALL	     3
#define LINUX_NETLINK_SOCK_DIAG	     4
#define LINUX_NETLINK_NFLOG	     5
#define LINUX_NETLINK_XFRM	     6
#define LINUX_NETLINK_SELINUX	     7
#define LINUX_NETLINK_ISCSI	     8
#define LINUX_NETLINK_AUDIT	     9
#define LINUX_NETLINK_FIB_LOOKUP     10
#define LINUX_NETLINK_CONNECTOR	     11
#define LINUX_NETLINK_NETFILTER	     12
#define LINUX_NETLINK_KOBJECT_UEVENT 15
#define LINUX_NETLINK_GENERIC	     16
#define LINUX_NETLINK_CRYPTO	     21

/* Message flags and the common types. */
#define LINUX_NLM_F_REQUEST	  0x1
#define LINUX_NLM_F_MULTI	  0x2
#define LINUX_NLM_F_ACK		  0x4
#define LINUX_NLM_F_ECHO	  0x8
#define LINUX_NLM_F_DUMP_INTR	  0x10
#define LINUX_NLM_F_DUMP_FILTERED 0x20
#define LINUX_NLM_F_ROOT	  0x100
#define LINUX_NLM_F_MATCH	  0x200
#define LINUX_NLM_F_ATOMIC	  0x400
#define LINUX_NLM_F_DUMP	  0x300
#define LINUX_NLM_F_REPLACE	  0x100
#define LINUX_NLM_F_EXCL	  0x200
#define LINUX_NLM_F_CREATE	  0x400
#define LINUX_NLM_F_APPEND	  0x800
#define LINUX_NLM_F_NONREC	  0x100
#define LINUX_NLM_F_BULK	  0x200
#define LINUX_NLM_F_CAPPED	  0x100
#define LINUX_NLM_F_ACK_TLVS	  0x200

#define LINUX_NLMSG_NOOP	       1
#define LINUX_NLMSG_ERROR	       2
#define LINUX_NLMSG_DONE	       3
#define LINUX_NLMSG_OVERRUN	       4
#define LINUX_NLMSG_MIN_TYPE	       16
#define LINUX_NETLINK_ADD_MEMBERSHIP   1
#define LINUX_NETLINK_DROP_MEMBERSHIP  2
#define LINUX_NETLINK_PKTINFO	       3
#define LINUX_NETLINK_BROADCAST_ERROR  4
#define LINUX_NETLINK_NO_ENOBUFS       5
#define LINUX_NETLINK_LISTEN_ALL_NSID  8
#define LINUX_NETLINK_LIST_MEMBERSHIPS 9
#define LINUX_NETLINK_CAP_ACK	       10
#define LINUX_NETLINK_EXT_ACK	       11
#define LINUX_NETLINK_GET_STRICT_CHK   12

#define LINUX_NLMSG_ALIGN(size) (((size) + 3U) & ~3U)
#define LINUX_NLMSG_HDRLEN	((uint32_t)sizeof(struct linux_nlmsghdr))
#define LINUX_NLA_ALIGN(size)	(((size) + 3U) & ~3U)
#define LINUX_NLA_TYPE_MASK	0x3fff
#define LINUX_RTA_LENGTH(size)	((uint32_t)sizeof(struct linux_rtattr) + (size))

/* rtnetlink messages. */
#define LINUX_RTM_NEWLINK  16
#define LINUX_RTM_DELLINK  17
#define LINUX_RTM_GETLINK  18
#define LINUX_RTM_SETLINK  19
#define LINUX_RTM_NEWADDR  20
#define LINUX_RTM_DELADDR  21
#define LINUX_RTM_GETADDR  22
#define LINUX_RTM_NEWROUTE 24
#define LINUX_RTM_DELROUTE 25
#define LINUX_RTM_GETROUTE 26
#define LINUX_RTM_NEWNEIGH 28
#define LINUX_RTM_DELNEIGH 29
#define LINUX_RTM_GETNEIGH 30
#define LINUX_RTM_NEWRULE  32
#define LINUX_RTM_DELRULE  33
#define LINUX_RTM_GETRULE  34
#define LINUX_RTM_NEWQDISC 36
#define LINUX_RTM_DELQDISC 37
#define LINUX_RTM_GETQDISC 38
#define LINUX_RTM_NEWNSID  88
#define LINUX_RTM_GETNSID  90

/* Attributes of the last two. */
#define LINUX_NETNSA_NSID 1
#define LINUX_NETNSA_PID  2
#define LINUX_NETNSA_FD	  3

#define LINUX_RTN_UNSPEC	  0
#define LINUX_RTN_UNICAST	  1
#define LINUX_RTN_LOCAL		  2
#define LINUX_RTN_BROADCAST	  3
#define LINUX_RTN_ANYCAST	  4
#define LINUX_RTN_MULTICAST	  5
#define LINUX_RTN_BLACKHOLE	  6
#define LINUX_RTN_UNREACHABLE	  7
#define LINUX_RTN_PROHIBIT	  8
#define LINUX_RTPROT_UNSPEC	  0
#define LINUX_RTPROT_REDIRECT	  1
#define LINUX_RTPROT_KERNEL	  2
#define LINUX_RTPROT_BOOT	  3
#define LINUX_RTPROT_STATIC	  4
#define LINUX_RT_SCOPE_UNIVERSE	  0
#define LINUX_RT_SCOPE_SITE	  200
#define LINUX_RT_SCOPE_LINK	  253
#define LINUX_RT_SCOPE_HOST	  254
#define LINUX_RT_SCOPE_NOWHERE	  255
#define LINUX_RT_TABLE_UNSPEC	  0
#define LINUX_RT_TABLE_COMPAT	  252
#define LINUX_RT_TABLE_DEFAULT	  253
#define LINUX_RT_TABLE_MAIN	  254
#define LINUX_RT_TABLE_LOCAL	  255
#define LINUX_RTA_UNSPEC	  0
#define LINUX_RTA_DST		  1
#define LINUX_RTA_SRC		  2
#define LINUX_RTA_IIF		  3
#define LINUX_RTA_OIF		  4
#define LINUX_RTA_GATEWAY	  5
#define LINUX_RTA_PRIORITY	  6
#define LINUX_RTA_PREFSRC	  7
#define LINUX_RTA_METRICS	  8
#define LINUX_RTA_CACHEINFO	  12
#define LINUX_RTA_TABLE		  15
#define LINUX_RTA_PREF		  20
#define LINUX_RTNLGRP_LINK	  1
#define LINUX_RTNLGRP_NEIGH	  3
#define LINUX_RTNLGRP_IPV4_IFADDR 5
#define LINUX_RTNLGRP_IPV4_ROUTE  7
#define LINUX_RTNLGRP_IPV6_IFADDR 9
#define LINUX_RTNLGRP_IPV6_ROUTE  11

#define LINUX_RTMGRP_LINK	   0x1
#define LINUX_RTMGRP_NOTIFY	   0x2
#define LINUX_RTMGRP_NEIGH	   0x4
#define LINUX_RTMGRP_TC		   0x8
#define LINUX_RTMGRP_IPV4_IFADDR   0x10
#define LINUX_RTMGRP_IPV4_MROUTE   0x20
#define LINUX_RTMGRP_IPV4_ROUTE	   0x40
#define LINUX_RTMGRP_IPV4_RULE	   0x80
#define LINUX_RTMGRP_IPV6_IFADDR   0x100
#define LINUX_RTMGRP_IPV6_MROUTE   0x200
#define LINUX_RTMGRP_IPV6_ROUTE	   0x400
#define LINUX_RTMGRP_IPV6_IFINFO   0x800
#define LINUX_RTMGRP_DECnet_IFADDR 0x1000
#define LINUX_RTMGRP_DECnet_ROUTE  0x4000
#define LINUX_RTMGRP_IPV6_PREFIX   0x20000

/* Attributes of links and addresses. */
#define LINUX_IFLA_UNSPEC	 0
#define LINUX_IFLA_ADDRESS	 1
#define LINUX_IFLA_BROADCAST	 2
#define LINUX_IFLA_IFNAME	 3
#define LINUX_IFLA_MTU		 4
#define LINUX_IFLA_LINK		 5
#define LINUX_IFLA_QDISC	 6
#define LINUX_IFLA_STATS	 7
#define LINUX_IFLA_MASTER	 10
#define LINUX_IFLA_TXQLEN	 13
#define LINUX_IFLA_MAP		 14
#define LINUX_IFLA_OPERSTATE	 16
#define LINUX_IFLA_LINKMODE	 17
#define LINUX_IFLA_LINKINFO	 18
#define LINUX_IFLA_NUM_VF	 21
#define LINUX_IFLA_STATS64	 23
#define LINUX_IFLA_AF_SPEC	 26
#define LINUX_IFLA_GROUP	 27
#define LINUX_IFLA_EXT_MASK	 29
#define LINUX_IFLA_PROMISCUITY	 30
#define LINUX_IFLA_NUM_TX_QUEUES 31
#define LINUX_IFLA_NUM_RX_QUEUES 32
#define LINUX_IFLA_CARRIER	 33
#define LINUX_IFLA_GSO_MAX_SEGS	 40
#define LINUX_IFLA_GSO_MAX_SIZE	 41
#define LINUX_IFLA_MIN_MTU	 50
#define LINUX_IFLA_MAX_MTU	 51
#define LINUX_IFLA_PERM_ADDRESS	 54

#define LINUX_IFA_UNSPEC    0
#define LINUX_IFA_ADDRESS   1
#define LINUX_IFA_LOCAL	    2
#define LINUX_IFA_LABEL	    3
#define LINUX_IFA_BROADCAST 4
#define LINUX_IFA_ANYCAST   5
#define LINUX_IFA_CACHEINFO 6
#define LINUX_IFA_MULTICAST 7
#define LINUX_IFA_FLAGS	    8

#define LINUX_IFA_F_SECONDARY	   0x1
#define LINUX_IFA_F_TEMPORARY	   0x1
#define LINUX_IFA_F_NODAD	   0x2
#define LINUX_IFA_F_OPTIMISTIC	   0x4
#define LINUX_IFA_F_DADFAILED	   0x8
#define LINUX_IFA_F_HOMEADDRESS	   0x10
#define LINUX_IFA_F_DEPRECATED	   0x20
#define LINUX_IFA_F_TENTATIVE	   0x40
#define LINUX_IFA_F_PERMANENT	   0x80
#define LINUX_IFA_F_MANAGETEMPADDR 0x100
#define LINUX_IFA_F_NOPREFIXROUTE  0x200
#define LINUX_IFA_F_MCAUTOJOIN	   0x400
#define LINUX_IFA_F_STABLE_PRIVACY 0x800

#define LINUX_ARPHRD_ETHER    1
#define LINUX_ARPHRD_LOOPBACK 772
#define LINUX_IF_OPER_UNKNOWN 0
#define LINUX_IF_OPER_UP      6

struct linux_sockaddr_nl {
	uint16_t nl_family;
	uint16_t nl_pad;
	uint32_t nl_pid;
	uint32_t nl_groups;
};

struct linux_nlmsghdr {
	uint32_t nlmsg_len;
	uint16_t nlmsg_type;
	uint16_t nlmsg_flags;
	uint32_t nlmsg_seq;
	uint32_t nlmsg_pid;
};

struct linux_nlmsgerr {
	int32_t error;
	struct linux_nlmsghdr msg;
};

struct linux_rtattr {
	uint16_t rta_len;
	uint16_t rta_type;
};

struct linux_rtgenmsg {
	uint8_t rtgen_family;
};

struct linux_ifinfomsg {
	uint8_t ifi_family;
	uint8_t pad;
	uint16_t ifi_type;
	int32_t ifi_index;
	uint32_t ifi_flags;
	uint32_t ifi_change;
};

struct linux_ifaddrmsg {
	uint8_t ifa_family;
	uint8_t ifa_prefixlen;
	uint8_t ifa_flags;
	uint8_t ifa_scope;
	uint32_t ifa_index;
};

struct linux_ifa_cacheinfo {
	uint32_t ifa_prefered;
	uint32_t ifa_valid;
	uint32_t cstamp;
	uint32_t tstamp;
};

struct linux_rtmsg {
	uint8_t rtm_family;
	uint8_t rtm_dst_len;
	uint8_t rtm_src_len;
	uint8_t rtm_tos;
	uint8_t rtm_table;
	uint8_t rtm_protocol;
	uint8_t rtm_scope;
	uint8_t rtm_type;
	uint32_t rtm_flags;
};

_Static_assert(sizeof(struct linux_sockaddr_nl) == 12, "struct sockaddr_nl");
_Static_assert(sizeof(struct linux_nlmsghdr) == 16, "struct nlmsghdr");
_Static_assert(sizeof(struct linux_nlmsgerr) == 20, "struct nlmsgerr");
_Static_assert(sizeof(struct linux_ifinfomsg) == 16, "struct ifinfomsg");
_Static_assert(sizeof(struct linux_ifaddrmsg) == 8, "struct ifaddrmsg");
_Static_assert(sizeof(struct linux_rtmsg) == 12, "struct rtmsg");

/* sock_diag(7): internet sockets. */
#define LINUX_SOCK_DIAG_BY_FAMILY 20

struct linux_inet_diag_sockid {
	uint16_t idiag_sport, idiag_dport; /* network order, as the addresses */
	uint32_t idiag_src[4], idiag_dst[4];
	uint32_t idiag_if;
	uint32_t idiag_cookie[2];
};

struct linux_inet_diag_req_v2 {
	uint8_t sdiag_family, sdiag_protocol, idiag_ext, pad;
	uint32_t idiag_states;
	struct linux_inet_diag_sockid id;
};

struct linux_inet_diag_msg {
	uint8_t idiag_family, idiag_state, idiag_timer, idiag_retrans;
	struct linux_inet_diag_sockid id;
	uint32_t idiag_expires, idiag_rqueue, idiag_wqueue, idiag_uid, idiag_inode;
};

/* Local sockets. */
#define LINUX_UDIAG_SHOW_NAME	 0x01
#define LINUX_UDIAG_SHOW_VFS	 0x02
#define LINUX_UDIAG_SHOW_PEER	 0x04
#define LINUX_UDIAG_SHOW_ICONS	 0x08
#define LINUX_UDIAG_SHOW_RQLEN	 0x10
#define LINUX_UDIAG_SHOW_MEMINFO 0x20
#define LINUX_UDIAG_SHOW_UID	 0x40

#define LINUX_UNIX_DIAG_NAME	 0
#define LINUX_UNIX_DIAG_VFS	 1
#define LINUX_UNIX_DIAG_PEER	 2
#define LINUX_UNIX_DIAG_ICONS	 3
#define LINUX_UNIX_DIAG_RQLEN	 4
#define LINUX_UNIX_DIAG_SHUTDOWN 6
#define LINUX_UNIX_DIAG_UID	 7

#define LINUX_DIAG_NO_COOKIE 0xffffffffu /* both words of a cookie that matches any */

struct linux_unix_diag_req {
	uint8_t sdiag_family, sdiag_protocol;
	uint16_t pad;
	uint32_t udiag_states, udiag_ino, udiag_show, udiag_cookie[2];
};

struct linux_unix_diag_msg {
	uint8_t udiag_family, udiag_type, udiag_state, pad;
	uint32_t udiag_ino, udiag_cookie[2];
};

struct linux_unix_diag_vfs {
	uint32_t udiag_vfs_ino, udiag_vfs_dev;
};

struct linux_unix_diag_rqlen {
	uint32_t udiag_rqueue, udiag_wqueue;
};

/* Netlink sockets. */
#define LINUX_NDIAG_PROTO_ALL 255

struct linux_netlink_diag_req {
	uint8_t sdiag_family, sdiag_protocol;
	uint16_t pad;
	uint32_t ndiag_ino, ndiag_show, ndiag_cookie[2];
};

struct linux_netlink_diag_msg {
	uint8_t ndiag_family, ndiag_type, ndiag_protocol, ndiag_state;
	uint32_t ndiag_portid, ndiag_dst_portid, ndiag_dst_group, ndiag_ino, ndiag_cookie[2];
};

_Static_assert(sizeof(struct linux_unix_diag_req) == 24, "struct unix_diag_req");
_Static_assert(sizeof(struct linux_unix_diag_msg) == 16, "struct unix_diag_msg");
_Static_assert(sizeof(struct linux_netlink_diag_req) == 20, "struct netlink_diag_req");
_Static_assert(sizeof(struct linux_netlink_diag_msg) == 28, "struct netlink_diag_msg");
