/* SPDX-License-Identifier: Apache-2.0 */
/* Cgroup namespaces (cgroup_namespaces(7)). */
#pragma once

#include "base/compiler.h"

struct cgroup_namespace;
struct user_namespace;

/* One reference in *out. -ENOMEM. Everything else goes by nsproxy_operations(). */
must_check int cgroup_namespace_new(struct user_namespace *user_ns, struct cgroup_namespace **out);
