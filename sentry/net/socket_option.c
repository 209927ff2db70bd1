/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of SOL_SOCKET (socket(7)): a family is asked first; what it does not know is remembered
 * here.
 *
 * Differs from Linux: filters (SO_ATTACH_FILTER and its kin) are for unix, netlink, raw and packet
 * sockets; others answer -ENOPROTOOPT.
 */
#include "sentry/net/socket.h"

#include "abi/capability.h"
#include "abi/time.h"
#include "sentry/kernel/task.h"
#include "sentry/net/socket_filter.h"
#include "sentry/time/clock.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <string.h>

/* On-off options that are only remembered. */
static const struct {
	int name;
	unsigned int bit;
} flag_options[] = {
	{LINUX_SO_DEBUG, SOCKET_DEBUG},
	{LINUX_SO_REUSEADDR, SOCKET_REUSEADDR},
	{LINUX_SO_REUSEPORT, SOCKET_REUSEPORT},
	{LINUX_SO_KEEPALIVE, SOCKET_KEEPALIVE},
	{LINUX_SO_BROADCAST, SOCKET_BROADCAST},
	{LINUX_SO_OOBINLINE, SOCKET_OOBINLINE},
	{LINUX_SO_DONTROUTE, SOCKET_DONTROUTE},
	{LINUX_SO_PASSCRED, SOCKET_PASSCRED},
	{LINUX_SO_PASSPIDFD, SOCKET_PASSPIDFD},
	{LINUX_SO_PASSSEC, SOCKET_PASSSEC},
};

/* Four options that exclude each other. */
static const struct {
	int name;
	unsigned int bits;
} timestamp_options[] = {
	{LINUX_SO_TIMESTAMP_OLD, SOCKET_TIMESTAMP},
	{LINUX_SO_TIMESTAMP_NEW, SOCKET_TIMESTAMP | SOCKET_TIMESTAMP_NEW},
	{LINUX_SO_TIMESTAMPNS_OLD, SOCKET_TIMESTAMP | SOCKET_TIMESTAMPNS},
	{LINUX_SO_TIMESTAMPNS_NEW, SOCKET_TIMESTAMP | SOCKET_TIMESTAMPNS | SOCKET_TIMESTAMP_NEW},
};
#define TIMESTAMP_BITS (SOCKET_TIMESTAMP | SOCKET_TIMESTAMPNS | SOCKET_TIMESTAMP_NEW)

static unsigned int timestamp_bits(int name)
{
	for (size_t i = 0; i < array_count(timestamp_options); i++)
		if (timestamp_options[i].name == name)
			return timestamp_options[i].bits;
	return 0;
}

/* Whichever is switched off, no time is told any more. */
static void set_timestamps(struct socket *socket, unsigned int bits)
{
	unsigned int old = atomic_load(&socket->options);

	while (!atomic_compare_exchange_weak(
		&socket->options, &old, (old & ~TIMESTAMP_BITS) | bits))
		;
}

static unsigned int flag_bit(int name)
{
	for (size_t i = 0; i < array_count(flag_options); i++)
		if (flag_options[i].name == name)
			return flag_options[i].bit;
	return 0;
}

/* As Linux: a time of nothing means no limit, a negative one means at once. */
static int set_timeout(_Atomic int64_t *timeout_ns, const void *value, uint32_t size)
{
	struct linux_timeval time;
	int64_t ns;

	if (size < sizeof(time))
		return -EINVAL;
	memcpy(&time, value, sizeof(time));
	if (time.tv_usec < 0 || time.tv_usec >= 1000000)
		return -EDOM;
	if (time.tv_sec < 0)
		ns = 0;
	else if ((time.tv_sec == 0 && time.tv_usec == 0) ||
		 __builtin_mul_overflow(time.tv_sec, NSEC_PER_SEC, &ns) ||
		 __builtin_add_overflow(ns, time.tv_usec * 1000, &ns))
		ns = FILE_FOREVER;
	*timeout_ns = ns;
	return 0;
}

static int get_value(const void *from, uint32_t from_size, void *value, uint32_t *size)
{
	*size = (uint32_t)min_u64(*size, from_size);
	memcpy(value, from, *size);
	return 0;
}

static int get_timeout(int64_t timeout_ns, void *value, uint32_t *size)
{
	struct linux_timeval time = {0};

	if (timeout_ns != FILE_FOREVER) {
		time.tv_sec = timeout_ns / NSEC_PER_SEC;
		time.tv_usec = timeout_ns % NSEC_PER_SEC / 1000;
	}
	return get_value(&time, sizeof(time), value, size);
}

/* What the guest asks for is doubled, for bookkeeping, and bounded. */
static void set_buffer(atomic_int *buffer, int32_t wanted, int32_t least, bool force)
{
	int64_t value = (uint32_t)wanted;

	if (!force && value > SOCKET_BUFFER_MAX)
		value = SOCKET_BUFFER_MAX;
	if (value > INT32_MAX / 2)
		value = INT32_MAX / 2;
	value *= 2;
	/* Even the privileged share the sentry's memory. */
	if (value > 16 << 20)
		value = 16 << 20;
	*buffer = value < least ? least : (int32_t)value;
}

static int set_linger(struct socket *socket, const void *value, uint32_t size)
{
	if (size < sizeof(socket->linger))
		return -EINVAL;
	mutex_guard(&socket->lock);
	memcpy(&socket->linger, value, sizeof(socket->linger));
	socket->linger.l_onoff = !!socket->linger.l_onoff;
	return 0;
}

static int set_number(struct socket *socket, int name, int32_t number)
{
	unsigned int bit = flag_bit(name), timestamps = timestamp_bits(name);
	bool admin = capable(LINUX_CAP_NET_ADMIN);

	if ((socket->family == LINUX_AF_UNIX || socket->family == LINUX_AF_NETLINK) &&
		((name == LINUX_SO_REUSEPORT && number) || name == LINUX_SO_ZEROCOPY))
		return -EOPNOTSUPP;
	if (timestamps) {
		set_timestamps(socket, number ? timestamps : 0);
		return 0;
	}
	if (bit) {
		if (number)
			atomic_fetch_or(&socket->options, bit);
		else
			atomic_fetch_and(&socket->options, ~bit);
		return 0;
	}
	switch (name) {
	case LINUX_SO_SNDBUF:
		set_buffer(&socket->send_buffer, number, SOCKET_SEND_MIN, false);
		return 0;
	case LINUX_SO_RCVBUF:
		set_buffer(&socket->receive_buffer, number, SOCKET_RECEIVE_MIN, false);
		return 0;
	case LINUX_SO_SNDBUFFORCE:
		if (!admin)
			return -EPERM;
		set_buffer(&socket->send_buffer, number < 0 ? 0 : number, SOCKET_SEND_MIN, true);
		return 0;
	case LINUX_SO_RCVBUFFORCE:
		if (!admin)
			return -EPERM;
		set_buffer(
			&socket->receive_buffer, number < 0 ? 0 : number, SOCKET_RECEIVE_MIN, true);
		return 0;
	case LINUX_SO_RCVLOWAT:
		socket->receive_low = number < 0 ? INT32_MAX : number ? number : 1;
		return 0;
	case LINUX_SO_PRIORITY:
		if ((number < 0 || number > 6) && !admin)
			return -EPERM;
		socket->priority = number;
		return 0;
	case LINUX_SO_MARK:
		if (!admin)
			return -EPERM;
		socket->mark = number;
		return 0;
	case LINUX_SO_DETACH_FILTER:
		return socket_has_filters(socket) ? socket_filter_detach(socket) : -ENOPROTOOPT;
	case LINUX_SO_LOCK_FILTER:
		return socket_has_filters(socket) ? socket_filter_lock(socket, number)
						  : -ENOPROTOOPT;
	case LINUX_SO_TYPE:
	case LINUX_SO_PROTOCOL:
	case LINUX_SO_DOMAIN:
	case LINUX_SO_ERROR:
	case LINUX_SO_SNDLOWAT:
	default:
		return -ENOPROTOOPT;
	}
}

int socket_set_option(struct socket *socket, int level, int name, const void *value, uint32_t size)
{
	int32_t number;
	int error;

	if (level == LINUX_SOL_SOCKET) {
		if (name == LINUX_SO_RCVTIMEO_OLD || name == LINUX_SO_RCVTIMEO_NEW)
			return set_timeout(&socket->receive_timeout_ns, value, size);
		if (name == LINUX_SO_SNDTIMEO_OLD || name == LINUX_SO_SNDTIMEO_NEW)
			return set_timeout(&socket->send_timeout_ns, value, size);
	}
	if (level == LINUX_SOL_SOCKET && socket_has_filters(socket) &&
		name == LINUX_SO_ATTACH_FILTER)
		return socket_filter_attach(socket, value, size);
	error = socket->ops->set_option(socket, level, name, value, size);
	if (error != -ENOPROTOOPT || level != LINUX_SOL_SOCKET)
		return error;
	if (name == LINUX_SO_LINGER)
		return set_linger(socket, value, size);
	if (size < sizeof(number))
		return -EINVAL;
	memcpy(&number, value, sizeof(number));
	return set_number(socket, name, number);
}

static int get_number(struct socket *socket, int name, int32_t *number)
{
	unsigned int bit = flag_bit(name), timestamps = timestamp_bits(name);

	if (timestamps) {
		/* As Linux: SO_TIMESTAMP_NEW is on with SO_TIMESTAMPNS_NEW, too. */
		unsigned int shown = name == LINUX_SO_TIMESTAMP_NEW ? timestamps : TIMESTAMP_BITS;

		*number = (socket->options & shown) == timestamps;
		return 0;
	}
	if (bit) {
		*number = !!(socket->options & bit);
		return 0;
	}
	switch (name) {
	case LINUX_SO_TYPE:
		*number = socket->type;
		return 0;
	case LINUX_SO_DOMAIN:
		*number = socket->family;
		return 0;
	case LINUX_SO_PROTOCOL:
		*number = socket->protocol;
		return 0;
	case LINUX_SO_ERROR:
		*number = -socket_take_error(socket);
		return 0;
	case LINUX_SO_SNDBUF:
		*number = socket->send_buffer;
		return 0;
	case LINUX_SO_RCVBUF:
		*number = socket->receive_buffer;
		return 0;
	case LINUX_SO_RCVLOWAT:
		*number = socket->receive_low;
		return 0;
	case LINUX_SO_SNDLOWAT:
		*number = 1;
		return 0;
	case LINUX_SO_PRIORITY:
		*number = socket->priority;
		return 0;
	case LINUX_SO_MARK:
		*number = socket->mark;
		return 0;
	case LINUX_SO_LOCK_FILTER:
		*number = socket->filter_locked;
		return 0;
	case LINUX_SO_ACCEPTCONN:
	case LINUX_SO_NO_CHECK:
	case LINUX_SO_RXQ_OVFL:
	case LINUX_SO_BSDCOMPAT:
	case LINUX_SO_TIMESTAMPING:
	case LINUX_SO_WIFI_STATUS:
	case LINUX_SO_BUSY_POLL:
	case LINUX_SO_BINDTOIFINDEX:
	case LINUX_SO_ZEROCOPY:
		*number = 0;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int socket_get_option(struct socket *socket, int level, int name, void *value, uint32_t *size)
{
	int32_t number;
	int error;

	if (level == LINUX_SOL_SOCKET) {
		if (name == LINUX_SO_RCVTIMEO_OLD || name == LINUX_SO_RCVTIMEO_NEW)
			return get_timeout(socket->receive_timeout_ns, value, size);
		if (name == LINUX_SO_SNDTIMEO_OLD || name == LINUX_SO_SNDTIMEO_NEW)
			return get_timeout(socket->send_timeout_ns, value, size);
	}
	error = socket->ops->get_option(socket, level, name, value, size);
	if (error != -ENOPROTOOPT || level != LINUX_SOL_SOCKET)
		return error;
	if (name == LINUX_SO_LINGER) {
		mutex_guard(&socket->lock);
		return get_value(&socket->linger, sizeof(socket->linger), value, size);
	}
	if (name == LINUX_SO_COOKIE) {
		/* One number a socket: that of its inode. */
		const struct file *file = socket->file;
		uint64_t cookie = file ? file->inode->attributes.ino : 0;

		return *size < sizeof(cookie) ? -EINVAL
					      : get_value(&cookie, sizeof(cookie), value, size);
	}
	error = get_number(socket, name, &number);
	return error ? error : get_value(&number, sizeof(number), value, size);
}
