/* SPDX-License-Identifier: Apache-2.0 */
/* The sentry's side of containers: who is there, and the first one's life. */
#include "runsc-c/oci/server_private.h"

#include "base/cleanup.h"
#include "base/log.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define STACK_SIZE	    (256 * 1024)
#define CONNECTIONS_MAX	    1024
#define OUT_OF_MEMORY_PIECE (16ull << 20)
#define OUT_OF_MEMORY_MOST  (4ull << 30) /* more takes too long */

struct server g_server = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
static atomic_uint connections;

/* --- containers --- */

struct hosted *hosted_find(const char *id)
{
	struct hosted *hosted;

	pthread_mutex_lock(&g_server.lock);
	LIST_FOREACH (hosted, &g_server.containers, link) {
		if (id && !strcmp(hosted->id, id) && !hosted->deleted) {
			hosted->users++;
			break;
		}
	}
	pthread_mutex_unlock(&g_server.lock);
	return hosted;
}

/* Nobody looks at it any more: what its processes were started from goes. */
static void hosted_free(struct hosted *hosted)
{
	if (hosted->init)
		container_process_free(hosted->init);
	if (hosted->container) {
		container_end(hosted->container);
		container_put(hosted->container);
	}
	oci_spec_free(&hosted->spec);
	free(hosted->id);
	free(hosted);
}

void hosted_put(struct hosted *hosted)
{
	bool last;

	pthread_mutex_lock(&g_server.lock);
	last = --hosted->users == 0;
	if (last)
		LIST_REMOVE(hosted, link);
	pthread_mutex_unlock(&g_server.lock);
	if (last)
		hosted_free(hosted);
}

static void on_init_exited(void *argument, int status)
{
	struct hosted *hosted = argument;

	pthread_mutex_lock(&g_server.lock);
	hosted->exited = true;
	hosted->status = status;
	if (hosted->socket >= 0)
		(void)shutdown(hosted->socket, SHUT_RD);
	pthread_cond_broadcast(&g_server.changed);
	pthread_mutex_unlock(&g_server.lock);
}

static struct hosted *hosted_new(const char *id, struct oci_spec *spec, struct oci_launch *launch)
{
	struct hosted *hosted = calloc(1, sizeof(*hosted));

	if (!hosted)
		return NULL;
	hosted->id = strdup(id);
	hosted->users = 1;
	hosted->socket = -1;
	hosted->spec = *spec;
	hosted->launch = *launch;
	*spec = (struct oci_spec){0};
	hosted->launch.config.id = hosted->id;
	hosted->launch.config.host_ids = g_server.host_ids;
	pthread_mutex_lock(&g_server.lock);
	LIST_INSERT_HEAD(&g_server.containers, hosted, link);
	pthread_mutex_unlock(&g_server.lock);
	return hosted;
}

int hosted_create(const char *id, struct oci_spec *spec, struct oci_launch *launch,
	struct hosted **out, struct failure *failure)
{
	struct hosted *hosted = hosted_new(id, spec, launch);
	struct container_process_events events = {.exited = on_init_exited, .argument = hosted};
	struct container_error error = {0};

	if (!hosted || !hosted->id)
		return fail_errno(failure, ENOMEM, "cannot make the container");
	if (container_new(&hosted->launch.config, &hosted->container, &error) ||
		container_launch(hosted->container, &hosted->launch.config, &hosted->launch.process,
			&events, true, &hosted->init, &error)) {
		hosted_put(hosted);
		return fail(failure,
			!error.not_runnable	 ? STATUS_INTERNAL
			: error.error == -ENOENT ? STATUS_NOT_FOUND
						 : STATUS_NOT_EXECUTABLE,
			"%s", error.message);
	}
	*out = hosted;
	return 0;
}

/* --- connections --- */

static void *serve(void *argument)
{
	server_serve((int)(intptr_t)argument);
	atomic_fetch_sub(&connections, 1);
	return NULL;
}

static bool start_thread(void *(*run)(void *), void *argument)
{
	pthread_attr_t attributes;
	pthread_t thread;
	bool started;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	started = !pthread_create(&thread, &attributes, run, argument);
	pthread_attr_destroy(&attributes);
	return started;
}

static void *accept_connections(void *argument)
{
	const struct server_launch *launch = argument;

	for (;;) {
		int socket = accept4(launch->listener, NULL, NULL, SOCK_CLOEXEC);

		if (socket < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (socket < 0)
			return NULL;
		if (atomic_fetch_add(&connections, 1) >= CONNECTIONS_MAX ||
			!start_thread(serve, (void *)(intptr_t)socket)) {
			atomic_fetch_sub(&connections, 1);
			(void)close(socket);
		}
	}
}

/* --- the first container --- */

static void pass_size(struct container_process *init, int console)
{
	struct winsize size;

	if (console >= 0 && !ioctl(console, TIOCGWINSZ, &size))
		container_process_resize(init, size.ws_row, size.ws_col);
}

/* Who signals the sentry means the container's first process. */
static void *pass_signals(void *argument)
{
	const struct server_launch *launch = argument;
	struct container_process *init = g_server.first->init;
	struct signalfd_siginfo info;

	while (read(launch->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGWINCH)
			pass_size(init, launch->console);
		else if (container_process_signal(init, (int)info.ssi_signo))
			log_debug("signal %d came too late", (int)info.ssi_signo);
	}
	return NULL;
}

int server_create(struct server_launch *launch, unsigned int host_ids, struct failure *failure)
{
	g_server.host_ids = host_ids;
	return hosted_create(
		launch->launch->config.id, launch->spec, launch->launch, &g_server.first, failure);
}

/* Who asked is told, unless it does not listen. */
static void answer_the_last(void)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec++;
	pthread_mutex_lock(&g_server.lock);
	while (g_server.unanswered &&
		!pthread_cond_timedwait(&g_server.changed, &g_server.lock, &until))
		;
	pthread_mutex_unlock(&g_server.lock);
}

/*
 * Engines learn from the host's cgroup that a container ran out of memory. Its own kernel met the
 * limit before the host did: so, with nothing left to lose, the sentry meets the host's.
 */
static void run_out_of_memory(uint64_t limit)
{
	for (uint64_t used = 0; used < limit + OUT_OF_MEMORY_PIECE; used += OUT_OF_MEMORY_PIECE) {
		void *piece = mmap(NULL, OUT_OF_MEMORY_PIECE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		if (piece == MAP_FAILED)
			return;
	}
}

int server_run(struct server_launch *launch)
{
	struct hosted *first = g_server.first;
	struct sandbox_result unused;
	int status;

	if (!start_thread(accept_connections, launch) ||
		(launch->signals >= 0 && !start_thread(pass_signals, launch)))
		return STATUS_INTERNAL;
	pthread_mutex_lock(&g_server.lock);
	while (!first->exited)
		pthread_cond_wait(&g_server.changed, &g_server.lock);
	status = first->status;
	pthread_mutex_unlock(&g_server.lock);
	/* What it wrote last is on its terminal before anybody hears that it is gone. */
	container_process_free(first->init);
	kernel_end();
	kernel_wait(&unused);
	answer_the_last();
	if (container_ran_out_of_memory(first->container) &&
		launch->host_memory <= OUT_OF_MEMORY_MOST)
		run_out_of_memory(launch->host_memory);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
