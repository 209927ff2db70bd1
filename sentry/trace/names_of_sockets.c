/* SPDX-License-Identifier: Apache-2.0 */
/* Names of flags and choices: sockets. */
#include "sentry/trace/decode_names.h"

#include "abi/socket.h"

static const struct decode_name names_socket_family[] = {
	NAME(AF_UNSPEC),
	NAME(AF_UNIX),
	NAME(AF_INET),
	NAME(AF_INET6),
	NAME(AF_NETLINK),
	NAME(AF_PACKET),
	NAME(AF_ALG),
	NAME(AF_VSOCK),
	NAME(AF_BLUETOOTH),
	NAME(AF_CAN),
	NAME(AF_XDP),
};

static const struct decode_name names_socket_type[] = {
	NAME(SOCK_CLOEXEC),
	NAME(SOCK_NONBLOCK),
};

static const struct decode_name names_socket_type_flags[] = {
	NAME(SOCK_CLOEXEC),
	NAME(SOCK_NONBLOCK),
};

static const struct decode_name names_socket_level[] = {
	NAME(SOL_SOCKET),
	NAME(SOL_IP),
	NAME(SOL_TCP),
	NAME(SOL_UDP),
	NAME(SOL_IPV6),
	NAME(SOL_RAW),
	NAME(SOL_ICMPV6),
	NAME(SOL_NETLINK),
	NAME(SOL_PACKET),
};

static const struct decode_name names_socket_option[] = {
	NAME(SO_DEBUG),
	NAME(SO_REUSEADDR),
	NAME(SO_TYPE),
	NAME(SO_ERROR),
	NAME(SO_DONTROUTE),
	NAME(SO_BROADCAST),
	NAME(SO_SNDBUF),
	NAME(SO_RCVBUF),
	NAME(SO_SNDBUFFORCE),
	NAME(SO_RCVBUFFORCE),
	NAME(SO_KEEPALIVE),
	NAME(SO_OOBINLINE),
	NAME(SO_PRIORITY),
	NAME(SO_LINGER),
	NAME(SO_REUSEPORT),
	NAME(SO_PASSCRED),
	NAME(SO_PEERCRED),
	NAME(SO_RCVLOWAT),
	NAME(SO_SNDLOWAT),
	NAME(SO_RCVTIMEO),
	NAME(SO_SNDTIMEO),
	NAME(SO_ACCEPTCONN),
	NAME(SO_PEERSEC),
	NAME(SO_PASSSEC),
	NAME(SO_MARK),
	NAME(SO_PROTOCOL),
	NAME(SO_DOMAIN),
	NAME(SO_PEERGROUPS),
	NAME(SO_PASSPIDFD),
	NAME(SO_PEERPIDFD),
};

static const struct decode_name names_msg_flags[] = {
	NAME(MSG_OOB),
	NAME(MSG_PEEK),
	NAME(MSG_DONTROUTE),
	NAME(MSG_CTRUNC),
	NAME(MSG_TRUNC),
	NAME(MSG_DONTWAIT),
	NAME(MSG_EOR),
	NAME(MSG_WAITALL),
	NAME(MSG_CONFIRM),
	NAME(MSG_ERRQUEUE),
	NAME(MSG_NOSIGNAL),
	NAME(MSG_MORE),
	NAME(MSG_WAITFORONE),
	NAME(MSG_ZEROCOPY),
	NAME(MSG_FASTOPEN),
	NAME(MSG_CMSG_CLOEXEC),
};

static const struct decode_name names_shutdown_how[] = {
	NAME(SHUT_RD),
	NAME(SHUT_WR),
	NAME(SHUT_RDWR),
};

const struct decode_names g_names_of_sockets[] = {
	{"msg_flags", true, NULL, names_msg_flags, array_count(names_msg_flags)},
	{"shutdown_how", false, NULL, names_shutdown_how, array_count(names_shutdown_how)},
	{"socket_family", false, NULL, names_socket_family, array_count(names_socket_family)},
	{"socket_level", false, NULL, names_socket_level, array_count(names_socket_level)},
	{"socket_option", false, NULL, names_socket_option, array_count(names_socket_option)},
	{"socket_type", true, NULL, names_socket_type, array_count(names_socket_type)},
	{"socket_type_flags", true, NULL, names_socket_type_flags,
		array_count(names_socket_type_flags)},
	{0},
};
