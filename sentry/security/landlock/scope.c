/* SPDX-License-Identifier: Apache-2.0 */
/* What goes from one domain to another: tracing, and with scopes signals and abstract sockets. */
#include "sentry/security/landlock/domain.h"

#include <errno.h>

/* The tracee must be under all that the tracer is under. */
int landlock_check_ptrace_slow(
	const struct landlock_domain *tracer, const struct landlock_domain *tracee)
{
	unsigned int last = tracer->layer_count - 1;

	if (!tracee || tracee->layer_count <= last ||
		tracee->layers[last].id != tracer->layers[last].id)
		return -EPERM;
	return 0;
}

bool landlock_domain_scopes(const struct landlock_domain *domain, uint16_t scope)
{
	return domain->all.scope & scope;
}

/* The youngest layer with the scope must be the other's too. */
int landlock_check_scope_slow(
	const struct landlock_domain *from, const struct landlock_domain *to, uint16_t scope)
{
	for (unsigned int level = from->layer_count; level-- > 0;) {
		if (!(from->layers[level].handled.scope & scope))
			continue;
		if (!to || level >= to->layer_count ||
			from->layers[level].id != to->layers[level].id)
			return -EPERM;
		return 0;
	}
	return 0;
}
