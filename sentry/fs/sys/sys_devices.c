/* SPDX-License-Identifier: Apache-2.0 */
/* /sys/class and /sys/devices/virtual: the loopback, terminals, and memory devices. */
#include "sentry/fs/sys/sys_tree.h"

#include <errno.h>

/* --- the loopback --- */

/* What a device without a cable does not know. */
static int show_invalid(const struct proc_context *context, struct text_writer *out)
{
	return -EINVAL;
}

static const struct proc_entry statistics_entries[] = {
	SYS_TEXT("collisions", "0"),
	SYS_TEXT("multicast", "0"),
	SYS_TEXT("rx_bytes", "0"),
	SYS_TEXT("rx_dropped", "0"),
	SYS_TEXT("rx_errors", "0"),
	SYS_TEXT("rx_packets", "0"),
	SYS_TEXT("tx_bytes", "0"),
	SYS_TEXT("tx_dropped", "0"),
	SYS_TEXT("tx_errors", "0"),
	SYS_TEXT("tx_packets", "0"),
};
static PROC_DIRECTORY(statistics_directory, statistics_entries);

static const struct proc_entry loopback_entries[] = {
	SYS_TEXT("addr_assign_type", "0"),
	SYS_TEXT("addr_len", "6"),
	SYS_TEXT("address", "00:00:00:00:00:00"),
	SYS_TEXT("broadcast", "00:00:00:00:00:00"),
	SYS_TEXT("carrier", "1"),
	SYS_TEXT("carrier_changes", "0"),
	SYS_TEXT("dev_id", "0x0"),
	SYS_TEXT("dev_port", "0"),
	SYS_TEXT("dormant", "0"),
	SYS_SHOW("duplex", show_invalid),
	SYS_TEXT("flags", "0x9"),
	SYS_TEXT("ifalias", ""),
	SYS_TEXT("ifindex", "1"),
	SYS_TEXT("iflink", "1"),
	SYS_TEXT("link_mode", "0"),
	SYS_TEXT("mtu", "65536"),
	SYS_TEXT("name_assign_type", "2"),
	SYS_TEXT("netdev_group", "0"),
	SYS_TEXT("operstate", "unknown"),
	SYS_SHOW("speed", show_invalid),
	SYS_DIRECTORY("statistics", &statistics_directory),
	SYS_LINK("subsystem", "../../../../class/net"),
	SYS_TEXT("tx_queue_len", "1000"),
	SYS_TEXT("type", "772"),
	SYS_TEXT("uevent", "INTERFACE=lo\nIFINDEX=1"),
};
static PROC_DIRECTORY(loopback_directory, loopback_entries);

static const struct proc_entry virtual_net_entries[] = {SYS_DIRECTORY("lo", &loopback_directory)};
static PROC_DIRECTORY(virtual_net_directory, virtual_net_entries);

static const struct proc_entry class_net_entries[] = {
	SYS_LINK("lo", "../../devices/virtual/net/lo")};
static PROC_DIRECTORY(class_net_directory, class_net_entries);

/* --- character devices --- */

#define DEVICE(variable, class_, major, minor, name_)                                              \
	static const struct proc_entry variable##_entries[] = {                                    \
		SYS_TEXT("dev", major ":" minor),                                                  \
		SYS_LINK("subsystem", "../../../../class/" class_),                                \
		SYS_TEXT("uevent", "MAJOR=" major "\nMINOR=" minor "\nDEVNAME=" name_),            \
	};                                                                                         \
	static PROC_DIRECTORY(variable##_directory, variable##_entries)

DEVICE(console, "tty", "5", "1", "console");
DEVICE(ptmx, "tty", "5", "2", "ptmx");
DEVICE(tty, "tty", "5", "0", "tty");
DEVICE(full, "mem", "1", "7", "full");
DEVICE(kmsg, "mem", "1", "11", "kmsg");
DEVICE(null, "mem", "1", "3", "null");
DEVICE(random, "mem", "1", "8", "random");
DEVICE(urandom, "mem", "1", "9", "urandom");
DEVICE(zero, "mem", "1", "5", "zero");

static const struct proc_entry virtual_tty_entries[] = {
	SYS_DIRECTORY("console", &console_directory),
	SYS_DIRECTORY("ptmx", &ptmx_directory),
	SYS_DIRECTORY("tty", &tty_directory),
};
static PROC_DIRECTORY(virtual_tty_directory, virtual_tty_entries);

static const struct proc_entry virtual_mem_entries[] = {
	SYS_DIRECTORY("full", &full_directory),
	SYS_DIRECTORY("kmsg", &kmsg_directory),
	SYS_DIRECTORY("null", &null_directory),
	SYS_DIRECTORY("random", &random_directory),
	SYS_DIRECTORY("urandom", &urandom_directory),
	SYS_DIRECTORY("zero", &zero_directory),
};
static PROC_DIRECTORY(virtual_mem_directory, virtual_mem_entries);

static const struct proc_entry class_tty_entries[] = {
	SYS_LINK("console", "../../devices/virtual/tty/console"),
	SYS_LINK("ptmx", "../../devices/virtual/tty/ptmx"),
	SYS_LINK("tty", "../../devices/virtual/tty/tty"),
};
static PROC_DIRECTORY(class_tty_directory, class_tty_entries);

static const struct proc_entry class_mem_entries[] = {
	SYS_LINK("full", "../../devices/virtual/mem/full"),
	SYS_LINK("kmsg", "../../devices/virtual/mem/kmsg"),
	SYS_LINK("null", "../../devices/virtual/mem/null"),
	SYS_LINK("random", "../../devices/virtual/mem/random"),
	SYS_LINK("urandom", "../../devices/virtual/mem/urandom"),
	SYS_LINK("zero", "../../devices/virtual/mem/zero"),
};
static PROC_DIRECTORY(class_mem_directory, class_mem_entries);

/* --- both trees --- */

static const struct proc_entry virtual_entries[] = {
	SYS_DIRECTORY("mem", &virtual_mem_directory),
	SYS_DIRECTORY("net", &virtual_net_directory),
	SYS_DIRECTORY("tty", &virtual_tty_directory),
};

const struct proc_directory sys_virtual_directory = {
	.entries = virtual_entries, .count = array_count(virtual_entries)};

static const struct proc_entry class_entries[] = {
	SYS_EMPTY("block"),
	SYS_DIRECTORY("mem", &class_mem_directory),
	SYS_EMPTY("misc"),
	SYS_DIRECTORY("net", &class_net_directory),
	SYS_EMPTY("thermal"),
	SYS_DIRECTORY("tty", &class_tty_directory),
};

const struct proc_directory sys_class_directory = {
	.entries = class_entries, .count = array_count(class_entries)};
