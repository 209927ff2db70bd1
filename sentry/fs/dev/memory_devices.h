/* SPDX-License-Identifier: Apache-2.0 */
/* Private to sentry/fs/dev/. */
#pragma once

/* Drivers of major 1: null, zero, full, random, urandom, kmsg. */
void memory_devices_register(void);
