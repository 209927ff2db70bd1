/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/net (proc_pid_net(5)): the loopback, and the sockets of a network namespace.
 *
 * Differs from Linux: nothing is counted, and netlink's sockets are not listed.
 */
#include "sentry/fs/proc/network_sockets.h"
#include "sentry/fs/proc/task_files.h"

#include "abi/stat.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/task.h"
#include "sentry/net/host_network.h"
#include "sentry/net/unix/unix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The task's, with what holds it; NULL once the task is gone. */
static struct nsproxy *get_namespaces(const struct proc_context *context)
{
	return context->task ? task_get_nsproxy(context->task) : NULL;
}

static int show_unix(const struct proc_context *context, struct text_writer *out)
{
	struct nsproxy *nsproxy = get_namespaces(context);

	if (!nsproxy)
		return -EINVAL;
	unix_show(nsproxy->net, out);
	nsproxy_put(nsproxy);
	return 0;
}

static int show_inet(const struct proc_context *context, struct text_writer *out)
{
	struct nsproxy *nsproxy = get_namespaces(context);
	int error;

	if (!nsproxy)
		return -EINVAL;
	error = network_sockets_show(
		context, nsproxy->net, (enum network_table)context->entry->data, out);
	nsproxy_put(nsproxy);
	return error;
}

/* A line of names and as many zeros below it. */
static void show_zeros(struct text_writer *out, const char *title, const char *names)
{
	text_printf(out, "%s: %s\n%s:", title, names, title);
	for (const char *name = names; name;
		name = strchr(name, ' '), name = name ? name + 1 : NULL)
		text_append(out, " 0", 2);
	text_append(out, "\n", 1);
}

static int show_snmp(const struct proc_context *context, struct text_writer *out)
{
	text_printf(out,
		"Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams "
		"InUnknownProtos InDiscards "
		"InDelivers OutRequests OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs "
		"ReasmFails FragOKs FragFails "
		"FragCreates OutTransmits\nIp: 2 64 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
	show_zeros(out, "Icmp",
		"InMsgs InErrors InCsumErrors InDestUnreachs InTimeExcds InParmProbs InSrcQuenchs "
		"InRedirects InEchos "
		"InEchoReps InTimestamps InTimestampReps InAddrMasks InAddrMaskReps OutMsgs "
		"OutErrors OutRateLimitGlobal "
		"OutRateLimitHost OutDestUnreachs OutTimeExcds OutParmProbs OutSrcQuenchs "
		"OutRedirects OutEchos OutEchoReps "
		"OutTimestamps OutTimestampReps OutAddrMasks OutAddrMaskReps");
	text_printf(out, "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens "
			 "AttemptFails EstabResets CurrEstab InSegs "
			 "OutSegs RetransSegs InErrs OutRsts InCsumErrors\nTcp: 1 200 120000 -1 0 "
			 "0 0 0 0 0 0 0 0 0 0\n");
	show_zeros(out, "Udp",
		"InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors "
		"IgnoredMulti MemErrors");
	show_zeros(out, "UdpLite",
		"InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors "
		"IgnoredMulti MemErrors");
	return 0;
}

static int show_netstat(const struct proc_context *context, struct text_writer *out)
{
	show_zeros(out, "TcpExt",
		"SyncookiesSent SyncookiesRecv SyncookiesFailed EmbryonicRsts PruneCalled "
		"RcvPruned OfoPruned "
		"OutOfWindowIcmps LockDroppedIcmps ArpFilter TW TWRecycled TWKilled PAWSActive "
		"PAWSEstab DelayedACKs "
		"DelayedACKLocked DelayedACKLost ListenOverflows ListenDrops");
	show_zeros(out, "IpExt",
		"InNoRoutes InTruncatedPkts InMcastPkts OutMcastPkts InBcastPkts OutBcastPkts "
		"InOctets OutOctets InMcastOctets "
		"OutMcastOctets InBcastOctets OutBcastOctets InCsumErrors InNoECTPkts InECT1Pkts "
		"InECT0Pkts InCEPkts "
		"ReasmOverlaps");
	return 0;
}

#define HOST_TEXT_MAX (64 * 1024)

/* Of the host's network namespace that the sandbox is in, or what there is without one. */
static int show_host(const struct proc_context *context, struct text_writer *out)
{
	char *text;
	int64_t size;

	if (!host_network_is_shown())
		return task_show_constant(context, out);
	text = malloc(HOST_TEXT_MAX);
	if (!text)
		return -ENOMEM;
	size = host_network_read(context->entry->name, text, HOST_TEXT_MAX);
	if (size >= 0)
		text_append(out, text, (size_t)size);
	free(text);
	return size < 0 ? task_show_constant(context, out) : 0;
}

#define HOST(name_, text)                                                                          \
	{                                                                                          \
		.name = (name_), .mode = LINUX_S_IFREG | 0444, .show = show_host,                  \
		.data = (uintptr_t)(text)                                                          \
	}
#define CONSTANT(name_, text)                                                                      \
	{                                                                                          \
		.name = (name_), .mode = LINUX_S_IFREG | 0444, .show = task_show_constant,         \
		.data = (uintptr_t)(text)                                                          \
	}
#define SHOW(name_, show_)                                                                         \
	{                                                                                          \
		.name = (name_), .mode = LINUX_S_IFREG | 0444, .show = (show_)                     \
	}
#define SOCKETS(name_, table_)                                                                     \
	{                                                                                          \
		.name = (name_), .mode = LINUX_S_IFREG | 0444, .show = show_inet, .data = (table_) \
	}

#define UDPLITE_TITLE                                                                                  \
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "      \
	"timeout inode ref pointer drops"
#define UDPLITE6_TITLE                                                                                 \
	"  sl  local_address                         remote_address                        "       \
	"st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n"

static const struct proc_entry entries[] = {
	HOST("arp",
		"IP address       HW type     Flags       HW address            Mask     Device\n"),
	HOST("dev",
		"Inter-|   Receive                                                |  Transmit\n"
		" face |bytes    packets errs drop fifo frame compressed multicast|bytes    "
		"packets errs drop fifo colls carrier "
		"compressed\n"
		"    lo:       0       0    0    0    0     0          0         0        0       "
		"0    0    0    0     0       0 "
		"         0\n"),
	CONSTANT("dev_mcast", ""),
	SOCKETS("icmp", NETWORK_ICMP),
	SOCKETS("icmp6", NETWORK_ICMP6),
	HOST("if_inet6", "00000000000000000000000000000001 01 80 10 80       lo\n"),
	CONSTANT("igmp", "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"
			 "1\tlo        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n"),
	CONSTANT("igmp6",
		"1    lo              ff020000000000000000000000000001     1 0000000C 0\n"),
	HOST("ipv6_route",
		"00000000000000000000000000000001 80 00000000000000000000000000000000 00 "
		"00000000000000000000000000000000 00000000 00000002 00000000 80200001       lo\n"),
	CONSTANT("netlink", "sk               Eth Pid        Groups   Rmem     Wmem     Dump  "
			    "Locks    Drops    Inode\n"),
	SHOW("netstat", show_netstat),
	SOCKETS("packet", NETWORK_PACKET),
	CONSTANT("protocols", "protocol  size sockets  memory press maxhdr  slab module     cl co "
			      "di ac io in de sh ss gs se re bi br ha uh gp "
			      "em\n"),
	CONSTANT("psched", "000003e8 00000040 000f4240 3b9aca00\n"),
	CONSTANT("ptype", "Type Device      Function\n"),
	SOCKETS("raw", NETWORK_RAW),
	SOCKETS("raw6", NETWORK_RAW6),
	HOST("route", "Iface\tDestination\tGateway "
		      "\tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"
		      "                                                       \n"),
	SHOW("snmp", show_snmp),
	CONSTANT("snmp6",
		"Ip6InReceives                   \t0\nIp6OutRequests                  \t0\n"),
	SOCKETS("sockstat", NETWORK_SOCKSTAT),
	SOCKETS("sockstat6", NETWORK_SOCKSTAT6),
	SOCKETS("tcp", NETWORK_TCP),
	SOCKETS("tcp6", NETWORK_TCP6),
	SOCKETS("udp", NETWORK_UDP),
	SOCKETS("udp6", NETWORK_UDP6),
	CONSTANT("udplite", UDPLITE_TITLE "            \n"),
	CONSTANT("udplite6", UDPLITE6_TITLE),
	SHOW("unix", show_unix),
};

const struct proc_directory network_directory = {.entries = entries, .count = array_count(entries)};
