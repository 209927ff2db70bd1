/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/sys/net (tcp(7), ip(7), socket(7)). What can be set is kept, for the sandbox as a whole and
 * not for each network namespace, and has no effect but for ping_group_range.
 */
#include "sentry/fs/proc/sysctl.h"

#include "sentry/net/inet/inet.h"
#include "sentry/net/socket.h"

#define ANY		    0, INT32_MAX
#define FLAG(name_, value_) SYSCTL_NUMBER(name_, value_, 0, 1)

static const struct proc_entry core_entries[] = {
	FLAG("bpf_jit_enable", 1),
	SYSCTL_NUMBER("busy_poll", 0, ANY),
	SYSCTL_NUMBER("busy_read", 0, ANY),
	SYSCTL_TEXT("default_qdisc", "pfifo_fast"),
	SYSCTL_NUMBER("message_burst", 10, ANY),
	SYSCTL_NUMBER("message_cost", 5, ANY),
	SYSCTL_NUMBER("netdev_budget", 300, ANY),
	SYSCTL_NUMBER("netdev_max_backlog", 1000, ANY),
	SYSCTL_NUMBER("optmem_max", SOCKET_CONTROL_MAX, ANY),
	SYSCTL_NUMBER("rmem_default", SOCKET_BUFFER_DEFAULT, SOCKET_RECEIVE_MIN, INT32_MAX),
	SYSCTL_NUMBER("rmem_max", SOCKET_BUFFER_MAX, SOCKET_RECEIVE_MIN, INT32_MAX),
	SYSCTL_NUMBER("somaxconn", 4096, ANY),
	FLAG("tstamp_allow_data", 1),
	SYSCTL_NUMBER("wmem_default", SOCKET_BUFFER_DEFAULT, SOCKET_SEND_MIN, INT32_MAX),
	SYSCTL_NUMBER("wmem_max", SOCKET_BUFFER_MAX, SOCKET_SEND_MIN, INT32_MAX),
};
static PROC_DIRECTORY(core_directory, core_entries);

static const struct proc_entry interface_entries[] = {
	FLAG("accept_redirects", 1),
	SYSCTL_NUMBER("arp_announce", 0, 0, 2),
	SYSCTL_NUMBER("arp_ignore", 0, 0, 8),
	FLAG("forwarding", 0),
	SYSCTL_NUMBER("rp_filter", 0, 0, 2),
	FLAG("send_redirects", 1),
};
static PROC_DIRECTORY(interface_directory, interface_entries);

static const struct proc_entry conf_entries[] = {
	SYSCTL_DIRECTORY("all", &interface_directory),
	SYSCTL_DIRECTORY("default", &interface_directory),
	SYSCTL_DIRECTORY("lo", &interface_directory),
};
static PROC_DIRECTORY(conf_directory, conf_entries);

/* As Linux: the wrong way round it is nobody's. */
static int64_t store_groups(const struct proc_context *context, const char *text, size_t size)
{
	int64_t result = sysctl_store_pair(context, text, size);

	if (result >= 0 && g_ping_group_range[1].value < g_ping_group_range[0].value) {
		atomic_store(&g_ping_group_range[0].value, 1);
		atomic_store(&g_ping_group_range[1].value, 0);
	}
	return result;
}

static const struct proc_entry ipv4_entries[] = {
	SYSCTL_DIRECTORY("conf", &conf_directory),
	FLAG("icmp_echo_ignore_all", 0),
	FLAG("icmp_echo_ignore_broadcasts", 1),
	SYSCTL_NUMBER("ip_default_ttl", 64, 1, 255),
	FLAG("ip_forward", 0),
	SYSCTL_PAIR("ip_local_port_range", 32768, 60999, 1, 65535),
	SYSCTL_TEXT("ip_local_reserved_ports", ""),
	FLAG("ip_nonlocal_bind", 0),
	SYSCTL_NUMBER("ip_unprivileged_port_start", 1024, 0, 65535),
	SYSCTL_PAIR_AT("ping_group_range", g_ping_group_range, store_groups),
	SYSCTL_NUMBER("tcp_abort_on_overflow", 0, 0, 1),
	SYSCTL_TEXT("tcp_allowed_congestion_control", "reno cubic"),
	SYSCTL_TEXT("tcp_available_congestion_control", "reno cubic"),
	SYSCTL_TEXT("tcp_congestion_control", "cubic"),
	SYSCTL_NUMBER("tcp_ecn", 2, 0, 2),
	SYSCTL_NUMBER("tcp_fastopen", 1, ANY),
	SYSCTL_NUMBER("tcp_fin_timeout", 60, ANY),
	SYSCTL_NUMBER("tcp_keepalive_intvl", 75, ANY),
	SYSCTL_NUMBER("tcp_keepalive_probes", 9, 0, 255),
	SYSCTL_NUMBER("tcp_keepalive_time", 7200, ANY),
	SYSCTL_NUMBER("tcp_max_orphans", 65536, ANY),
	SYSCTL_NUMBER("tcp_max_syn_backlog", 1024, ANY),
	SYSCTL_NUMBER("tcp_max_tw_buckets", 65536, ANY),
	SYSCTL_TEXT("tcp_mem", "188616\t251488\t377232"),
	FLAG("tcp_moderate_rcvbuf", 1),
	SYSCTL_NUMBER("tcp_mtu_probing", 0, 0, 2),
	FLAG("tcp_no_metrics_save", 0),
	SYSCTL_NUMBER("tcp_retries1", 3, 0, 255),
	SYSCTL_NUMBER("tcp_retries2", 15, ANY),
	FLAG("tcp_rfc1337", 0),
	SYSCTL_TEXT("tcp_rmem", "4096\t131072\t6291456"),
	FLAG("tcp_sack", 1),
	FLAG("tcp_slow_start_after_idle", 1),
	SYSCTL_NUMBER("tcp_syn_retries", 6, 1, 127),
	SYSCTL_NUMBER("tcp_synack_retries", 5, 0, 255),
	SYSCTL_NUMBER("tcp_syncookies", 1, 0, 2),
	SYSCTL_NUMBER("tcp_timestamps", 1, 0, 2),
	SYSCTL_NUMBER("tcp_tw_reuse", 2, 0, 2),
	FLAG("tcp_window_scaling", 1),
	SYSCTL_TEXT("tcp_wmem", "4096\t16384\t4194304"),
	SYSCTL_TEXT("udp_mem", "377235\t502981\t754470"),
};
static PROC_DIRECTORY(ipv4_directory, ipv4_entries);

static const struct proc_entry interface6_entries[] = {
	SYSCTL_NUMBER("accept_dad", 0, -1, 2),
	SYSCTL_NUMBER("accept_ra", 1, 0, 2),
	FLAG("autoconf", 1),
	FLAG("disable_ipv6", 0),
	FLAG("forwarding", 0),
	SYSCTL_NUMBER("hop_limit", 64, 0, 255),
	SYSCTL_TEXT("mtu", "65536"),
};
static PROC_DIRECTORY(interface6_directory, interface6_entries);

static const struct proc_entry conf6_entries[] = {
	SYSCTL_DIRECTORY("all", &interface6_directory),
	SYSCTL_DIRECTORY("default", &interface6_directory),
	SYSCTL_DIRECTORY("lo", &interface6_directory),
};
static PROC_DIRECTORY(conf6_directory, conf6_entries);

static const struct proc_entry ipv6_entries[] = {
	FLAG("bindv6only", 0),
	SYSCTL_DIRECTORY("conf", &conf6_directory),
	FLAG("ip_nonlocal_bind", 0),
};
static PROC_DIRECTORY(ipv6_directory, ipv6_entries);

static const struct proc_entry unix_entries[] = {
	SYSCTL_TEXT("max_dgram_qlen", "10"),
};
static PROC_DIRECTORY(unix_directory, unix_entries);

static const struct proc_entry entries[] = {
	SYSCTL_DIRECTORY("core", &core_directory),
	SYSCTL_DIRECTORY("ipv4", &ipv4_directory),
	SYSCTL_DIRECTORY("ipv6", &ipv6_directory),
	SYSCTL_DIRECTORY("unix", &unix_directory),
};

const struct proc_directory sysctl_net_directory = {
	.entries = entries, .count = array_count(entries)};
