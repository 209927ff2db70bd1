/* SPDX-License-Identifier: Apache-2.0 */
/* IPv4, IPv6, TCP and UDP: addresses, protocols and socket options. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Protocols. */
#define LINUX_IPPROTO_IP       0
#define LINUX_IPPROTO_ICMP     1
#define LINUX_IPPROTO_IGMP     2
#define LINUX_IPPROTO_IPIP     4
#define LINUX_IPPROTO_TCP      6
#define LINUX_IPPROTO_EGP      8
#define LINUX_IPPROTO_PUP      12
#define LINUX_IPPROTO_UDP      17
#define LINUX_IPPROTO_IDP      22
#define LINUX_IPPROTO_TP       29
#define LINUX_IPPROTO_DCCP     33
#define LINUX_IPPROTO_IPV6     41
#define LINUX_IPPROTO_RSVP     46
#define LINUX_IPPROTO_GRE      47
#define LINUX_IPPROTO_ESP      50
#define LINUX_IPPROTO_AH       51
#define LINUX_IPPROTO_MTP      92
#define LINUX_IPPROTO_BEETPH   94
#define LINUX_IPPROTO_ENCAP    98
#define LINUX_IPPROTO_PIM      103
#define LINUX_IPPROTO_COMP     108
#define LINUX_IPPROTO_L2TP     115
#define LINUX_IPPROTO_SCTP     132
#define LINUX_IPPROTO_UDPLITE  136
#define LINUX_IPPROTO_MPLS     137
#define LINUX_IPPROTO_ETHERNET 143
#define LINUX_IPPROTO_RAW      255
#define LINUX_IPPROTO_MPTCP    262

#define LINUX_IPPROTO_ICMPV6   58
#define LINUX_IPPROTO_NONE     59
#define LINUX_IPPROTO_HOPOPTS  0
#define LINUX_IPPROTO_ROUTING  43
#define LINUX_IPPROTO_FRAGMENT 44
#define LINUX_IPPROTO_DSTOPTS  60

/* Options of SOL_IP. */
#define LINUX_IP_TOS			1
#define LINUX_IP_TTL			2
#define LINUX_IP_HDRINCL		3
#define LINUX_IP_OPTIONS		4
#define LINUX_IP_ROUTER_ALERT		5
#define LINUX_IP_RECVOPTS		6
#define LINUX_IP_RETOPTS		7
#define LINUX_IP_PKTINFO		8
#define LINUX_IP_PKTOPTIONS		9
#define LINUX_IP_MTU_DISCOVER		10
#define LINUX_IP_RECVERR		11
#define LINUX_IP_RECVTTL		12
#define LINUX_IP_RECVTOS		13
#define LINUX_IP_MTU			14
#define LINUX_IP_FREEBIND		15
#define LINUX_IP_IPSEC_POLICY		16
#define LINUX_IP_XFRM_POLICY		17
#define LINUX_IP_PASSSEC		18
#define LINUX_IP_TRANSPARENT		19
#define LINUX_IP_RECVRETOPTS		7
#define LINUX_IP_ORIGDSTADDR		20
#define LINUX_IP_RECVORIGDSTADDR	20
#define LINUX_IP_MINTTL			21
#define LINUX_IP_NODEFRAG		22
#define LINUX_IP_CHECKSUM		23
#define LINUX_IP_BIND_ADDRESS_NO_PORT	24
#define LINUX_IP_RECVFRAGSIZE		25
#define LINUX_IP_RECVERR_RFC4884	26
#define LINUX_IP_PMTUDISC_DONT		0
#define LINUX_IP_PMTUDISC_WANT		1
#define LINUX_IP_PMTUDISC_DO		2
#define LINUX_IP_PMTUDISC_PROBE		3
#define LINUX_IP_PMTUDISC_INTERFACE	4
#define LINUX_IP_PMTUDISC_OMIT		5
#define LINUX_IP_MULTICAST_IF		32
#define LINUX_IP_MULTICAST_TTL		33
#define LINUX_IP_MULTICAST_LOOP		34
#define LINUX_IP_ADD_MEMBERSHIP		35
#define LINUX_IP_DROP_MEMBERSHIP	36
#define LINUX_IP_UNBLOCK_SOURCE		37
#define LINUX_IP_BLOCK_SOURCE		38
#define LINUX_IP_ADD_SOURCE_MEMBERSHIP	39
#define LINUX_IP_DROP_SOURCE_MEMBERSHIP 40
#define LINUX_IP_MSFILTER		41
#define LINUX_IP_MULTICAST_ALL		49
#define LINUX_IP_UNICAST_IF		50
#define LINUX_IP_LOCAL_PORT_RANGE	51
#define LINUX_IP_PROTOCOL		52
#define LINUX_IP_DEFAULT_MULTICAST_TTL	1
#define LINUX_IP_DEFAULT_MULTICAST_LOOP 1
#define LINUX_MCAST_JOIN_GROUP		42
#define LINUX_MCAST_BLOCK_SOURCE	43
#define LINUX_MCAST_UNBLOCK_SOURCE	44
#define LINUX_MCAST_LEAVE_GROUP		45
#define LINUX_MCAST_JOIN_SOURCE_GROUP	46
#define LINUX_MCAST_LEAVE_SOURCE_GROUP	47
#define LINUX_MCAST_MSFILTER		48
#define LINUX_MCAST_EXCLUDE		0
#define LINUX_MCAST_INCLUDE		1

/* Options of SOL_RAW (of ICMP sockets) and SOL_ICMPV6: sets of types that are not received. */
#define LINUX_ICMP_FILTER   1
#define LINUX_ICMPV6_FILTER 1

/* Addresses, in host byte order. */
#define LINUX_INADDR_ANY       0x0
#define LINUX_INADDR_BROADCAST 0xffffffffU
#define LINUX_INADDR_NONE      0xffffffffU
#define LINUX_INADDR_LOOPBACK  0x7f000001

/* Options of SOL_IPV6. */
#define LINUX_IPV6_ADDRFORM		     1
#define LINUX_IPV6_2292PKTINFO		     2
#define LINUX_IPV6_2292HOPOPTS		     3
#define LINUX_IPV6_2292DSTOPTS		     4
#define LINUX_IPV6_2292RTHDR		     5
#define LINUX_IPV6_2292PKTOPTIONS	     6
#define LINUX_IPV6_CHECKSUM		     7
#define LINUX_IPV6_2292HOPLIMIT		     8
#define LINUX_IPV6_NEXTHOP		     9
#define LINUX_IPV6_AUTHHDR		     10
#define LINUX_IPV6_FLOWINFO		     11
#define LINUX_IPV6_UNICAST_HOPS		     16
#define LINUX_IPV6_MULTICAST_IF		     17
#define LINUX_IPV6_MULTICAST_HOPS	     18
#define LINUX_IPV6_MULTICAST_LOOP	     19
#define LINUX_IPV6_ADD_MEMBERSHIP	     20
#define LINUX_IPV6_DROP_MEMBERSHIP	     21
#define LINUX_IPV6_ROUTER_ALERT		     22
#define LINUX_IPV6_MTU_DISCOVER		     23
#define LINUX_IPV6_MTU			     24
#define LINUX_IPV6_RECVERR		     25
#define LINUX_IPV6_V6ONLY		     26
#define LINUX_IPV6_JOIN_ANYCAST		     27
#define LINUX_IPV6_LEAVE_ANYCAST	     28
#define LINUX_IPV6_MULTICAST_ALL	     29
#define LINUX_IPV6_ROUTER_ALERT_ISOLATE	     30
#define LINUX_IPV6_RECVERR_RFC4884	     31
#define LINUX_IPV6_PMTUDISC_DONT	     0
#define LINUX_IPV6_PMTUDISC_WANT	     1
#define LINUX_IPV6_PMTUDISC_DO		     2
#define LINUX_IPV6_PMTUDISC_PROBE	     3
#define LINUX_IPV6_PMTUDISC_INTERFACE	     4
#define LINUX_IPV6_PMTUDISC_OMIT	     5
#define LINUX_IPV6_FLOWLABEL_MGR	     32
#define LINUX_IPV6_IPSEC_POLICY		     34
#define LINUX_IPV6_XFRM_POLICY		     35
#define LINUX_IPV6_HDRINCL		     36
#define LINUX_IPV6_RECVPKTINFO		     49
#define LINUX_IPV6_PKTINFO		     50
#define LINUX_IPV6_RECVHOPLIMIT		     51
#define LINUX_IPV6_HOPLIMIT		     52
#define LINUX_IPV6_RECVHOPOPTS		     53
#define LINUX_IPV6_HOPOPTS		     54
#define LINUX_IPV6_RTHDRDSTOPTS		     55
#define LINUX_IPV6_RECVRTHDR		     56
#define LINUX_IPV6_RTHDR		     57
#define LINUX_IPV6_RECVDSTOPTS		     58
#define LINUX_IPV6_DSTOPTS		     59
#define LINUX_IPV6_RECVPATHMTU		     60
#define LINUX_IPV6_PATHMTU		     61
#define LINUX_IPV6_DONTFRAG		     62
#define LINUX_IPV6_RECVTCLASS		     66
#define LINUX_IPV6_TCLASS		     67
#define LINUX_IPV6_AUTOFLOWLABEL	     70
#define LINUX_IPV6_ADDR_PREFERENCES	     72
#define LINUX_IPV6_PREFER_SRC_TMP	     1
#define LINUX_IPV6_PREFER_SRC_PUBLIC	     2
#define LINUX_IPV6_PREFER_SRC_PUBTMP_DEFAULT 256
#define LINUX_IPV6_PREFER_SRC_COA	     4
#define LINUX_IPV6_PREFER_SRC_HOME	     1024
#define LINUX_IPV6_PREFER_SRC_CGA	     8
#define LINUX_IPV6_PREFER_SRC_NONCGA	     2048
#define LINUX_IPV6_MINHOPCOUNT		     73
#define LINUX_IPV6_ORIGDSTADDR		     74
#define LINUX_IPV6_RECVORIGDSTADDR	     74
#define LINUX_IPV6_TRANSPARENT		     75
#define LINUX_IPV6_UNICAST_IF		     76
#define LINUX_IPV6_RECVFRAGSIZE		     77
#define LINUX_IPV6_FREEBIND		     78

/* Options of SOL_TCP. */
#define LINUX_TCP_NODELAY	       1
#define LINUX_TCP_MAXSEG	       2
#define LINUX_TCP_CORK		       3
#define LINUX_TCP_KEEPIDLE	       4
#define LINUX_TCP_KEEPINTVL	       5
#define LINUX_TCP_KEEPCNT	       6
#define LINUX_TCP_SYNCNT	       7
#define LINUX_TCP_LINGER2	       8
#define LINUX_TCP_DEFER_ACCEPT	       9
#define LINUX_TCP_WINDOW_CLAMP	       10
#define LINUX_TCP_INFO		       11
#define LINUX_TCP_QUICKACK	       12
#define LINUX_TCP_CONGESTION	       13
#define LINUX_TCP_MD5SIG	       14
#define LINUX_TCP_THIN_LINEAR_TIMEOUTS 16
#define LINUX_TCP_THIN_DUPACK	       17
#define LINUX_TCP_USER_TIMEOUT	       18
#define LINUX_TCP_REPAIR	       19
#define LINUX_TCP_QUEUE_SEQ	       21
#define LINUX_TCP_FASTOPEN	       23
#define LINUX_TCP_TIMESTAMP	       24
#define LINUX_TCP_NOTSENT_LOWAT	       25
#define LINUX_TCP_CC_INFO	       26
#define LINUX_TCP_SAVE_SYN	       27
#define LINUX_TCP_SAVED_SYN	       28
#define LINUX_TCP_FASTOPEN_CONNECT     30
#define LINUX_TCP_ULP		       31
#define LINUX_TCP_FASTOPEN_KEY	       33
#define LINUX_TCP_FASTOPEN_NO_COOKIE   34
#define LINUX_TCP_ZEROCOPY_RECEIVE     35
#define LINUX_TCP_INQ		       36
#define LINUX_TCP_CM_INQ	       36
#define LINUX_TCP_TX_DELAY	       37

/* TCP states as getsockopt(TCP_INFO) and /proc/net/tcp tell them. */
#define LINUX_TCP_ESTABLISHED  1
#define LINUX_TCP_SYN_SENT     2
#define LINUX_TCP_SYN_RECV     3
#define LINUX_TCP_FIN_WAIT1    4
#define LINUX_TCP_FIN_WAIT2    5
#define LINUX_TCP_TIME_WAIT    6
#define LINUX_TCP_CLOSE	       7
#define LINUX_TCP_CLOSE_WAIT   8
#define LINUX_TCP_LAST_ACK     9
#define LINUX_TCP_LISTEN       10
#define LINUX_TCP_CLOSING      11
#define LINUX_TCP_NEW_SYN_RECV 12

/* What requests of sock_diag(7) call a socket that is closed, but has a port. */
#define LINUX_TCP_BOUND_INACTIVE 13

/* Options of SOL_UDP. */
#define LINUX_UDP_CORK	       1
/* Of SOL_UDPLITE besides. */
#define LINUX_UDPLITE_SEND_CSCOV 10
#define LINUX_UDPLITE_RECV_CSCOV 11
#define LINUX_UDP_ENCAP	       100
#define LINUX_UDP_NO_CHECK6_TX 101
#define LINUX_UDP_NO_CHECK6_RX 102
#define LINUX_UDP_SEGMENT      103
#define LINUX_UDP_GRO	       104

struct linux_in_addr {
	uint32_t s_addr; /* network byte order */
};

struct linux_sockaddr_in {
	uint16_t sin_family;
	uint16_t sin_port; /* network byte order */
	struct linux_in_addr sin_addr;
	uint8_t pad[8];
};

struct linux_in6_addr {
	uint8_t s6_addr[16];
};

struct linux_sockaddr_in6 {
	uint16_t sin6_family;
	uint16_t sin6_port; /* network byte order */
	uint32_t sin6_flowinfo;
	struct linux_in6_addr sin6_addr;
	uint32_t sin6_scope_id;
};

struct linux_ip_mreq {
	struct linux_in_addr imr_multiaddr;
	struct linux_in_addr imr_interface;
};

struct linux_ip_mreqn {
	struct linux_in_addr imr_multiaddr;
	struct linux_in_addr imr_address;
	int32_t imr_ifindex;
};

struct linux_ipv6_mreq {
	struct linux_in6_addr ipv6mr_multiaddr;
	int32_t ipv6mr_ifindex;
};

struct linux_in_pktinfo {
	int32_t ipi_ifindex;
	struct linux_in_addr ipi_spec_dst;
	struct linux_in_addr ipi_addr;
};

struct linux_in6_pktinfo {
	struct linux_in6_addr ipi6_addr;
	int32_t ipi6_ifindex;
};

struct linux_tcp_info {
	uint8_t tcpi_state;
	uint8_t tcpi_ca_state;
	uint8_t tcpi_retransmits;
	uint8_t tcpi_probes;
	uint8_t tcpi_backoff;
	uint8_t tcpi_options;
	uint8_t tcpi_wscale;   /* sent in the low half, received in the high one */
	uint8_t tcpi_bitfield; /* delivery_rate_app_limited, fastopen_client_fail */
	uint32_t tcpi_rto;
	uint32_t tcpi_ato;
	uint32_t tcpi_snd_mss;
	uint32_t tcpi_rcv_mss;
	uint32_t tcpi_unacked;
	uint32_t tcpi_sacked;
	uint32_t tcpi_lost;
	uint32_t tcpi_retrans;
	uint32_t tcpi_fackets;
	uint32_t tcpi_last_data_sent;
	uint32_t tcpi_last_ack_sent;
	uint32_t tcpi_last_data_recv;
	uint32_t tcpi_last_ack_recv;
	uint32_t tcpi_pmtu;
	uint32_t tcpi_rcv_ssthresh;
	uint32_t tcpi_rtt;
	uint32_t tcpi_rttvar;
	uint32_t tcpi_snd_ssthresh;
	uint32_t tcpi_snd_cwnd;
	uint32_t tcpi_advmss;
	uint32_t tcpi_reordering;
	uint32_t tcpi_rcv_rtt;
	uint32_t tcpi_rcv_space;
	uint32_t tcpi_total_retrans;
	uint64_t tcpi_pacing_rate;
	uint64_t tcpi_max_pacing_rate;
	uint64_t tcpi_bytes_acked;
	uint64_t tcpi_bytes_received;
	uint32_t tcpi_segs_out;
	uint32_t tcpi_segs_in;
	uint32_t tcpi_notsent_bytes;
	uint32_t tcpi_min_rtt;
	uint32_t tcpi_data_segs_in;
	uint32_t tcpi_data_segs_out;
	uint64_t tcpi_delivery_rate;
	uint64_t tcpi_busy_time;
	uint64_t tcpi_rwnd_limited;
	uint64_t tcpi_sndbuf_limited;
	uint32_t tcpi_delivered;
	uint32_t tcpi_delivered_ce;
	uint64_t tcpi_bytes_sent;
	uint64_t tcpi_bytes_retrans;
	uint32_t tcpi_dsack_dups;
	uint32_t tcpi_reord_seen;
	uint32_t tcpi_rcv_ooopack;
	uint32_t tcpi_snd_wnd;
};

_Static_assert(sizeof(struct linux_sockaddr_in) == 16, "struct sockaddr_in");
_Static_assert(sizeof(struct linux_sockaddr_in6) == 28, "struct sockaddr_in6");
_Static_assert(sizeof(struct linux_in_pktinfo) == 12, "struct in_pktinfo");
_Static_assert(sizeof(struct linux_in6_pktinfo) == 20, "struct in6_pktinfo");
_Static_assert(offsetof(struct linux_tcp_info, tcpi_pacing_rate) == 104, "struct tcp_info");
_Static_assert(sizeof(struct linux_tcp_info) == 232, "struct tcp_info");
