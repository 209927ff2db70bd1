/* SPDX-License-Identifier: Apache-2.0 */
/* prctl(2) and arch_prctl(2), personality(2), scheduling, and other settings of a process. */
#include "tests/guest/bad_address.h"
#include "tests/guest/guest_test.h"

#include <asm/prctl.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <linux/prctl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

extern int prctl(int option, ...);

TEST(names)
{
	char name[16];
	char file[64];
	int fd;

	CHECK(prctl(PR_SET_NAME, "a name that is too long") == 0);
	CHECK(prctl(PR_GET_NAME, name) == 0);
	CHECK(!strcmp(name, "a name that is "));
	fd = open("/proc/self/comm", O_RDWR);
	CHECK_EQ(read(fd, file, sizeof(file)), 16);
	CHECK(!memcmp(file, "a name that is \n", 16));
	CHECK(write(fd, "other", 5) == 5);
	CHECK(prctl(PR_GET_NAME, name) == 0);
	CHECK(!strcmp(name, "other"));
	CHECK_ERRNO(prctl(PR_SET_NAME, bad_address), EFAULT);
	CHECK_ERRNO(prctl(PR_GET_NAME, bad_address), EFAULT);
}

TEST(parent_death_signal)
{
	int signal = 5;

	CHECK(prctl(PR_GET_PDEATHSIG, &signal) == 0);
	CHECK_EQ(signal, 0);
	CHECK(prctl(PR_SET_PDEATHSIG, SIGUSR1) == 0);
	CHECK(prctl(PR_GET_PDEATHSIG, &signal) == 0);
	CHECK_EQ(signal, SIGUSR1);
	CHECK_ERRNO(prctl(PR_SET_PDEATHSIG, 65), EINVAL);
	if (fork() == 0) {
		CHECK(prctl(PR_GET_PDEATHSIG, &signal) == 0);
		_exit(signal);
	}
	wait(&signal);
	CHECK_EQ(signal, 0);
}

TEST(dumpable)
{
	CHECK_EQ(prctl(PR_GET_DUMPABLE), 1);
	CHECK(prctl(PR_SET_DUMPABLE, 0) == 0);
	CHECK_EQ(prctl(PR_GET_DUMPABLE), 0);
	CHECK_ERRNO(prctl(PR_SET_DUMPABLE, 2), EINVAL);
	CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK(prctl(PR_GET_DUMPABLE) != 1);
}

TEST(subreaper)
{
	int value = 7;

	CHECK(prctl(PR_GET_CHILD_SUBREAPER, &value) == 0);
	CHECK_EQ(value, 0);
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	CHECK(prctl(PR_GET_CHILD_SUBREAPER, &value) == 0);
	CHECK_EQ(value, 1);
	if (fork() == 0) {
		if (fork() == 0) {
			sleep_ms(50);
			_exit(getppid() == 1);
		}
		_exit(0);
	}
	for (int i = 0; i < 2; i++) {
		CHECK(wait(&value) > 0);
		CHECK_EQ(value, 0);
	}
}

TEST(other_options)
{
	int value;

	CHECK_ERRNO(prctl(12345, 0, 0, 0, 0), EINVAL);
	CHECK_EQ(prctl(PR_GET_TIMING), PR_TIMING_STATISTICAL);
	CHECK(prctl(PR_SET_TIMING, PR_TIMING_STATISTICAL) == 0);
	CHECK_ERRNO(prctl(PR_SET_TIMING, PR_TIMING_TIMESTAMP), EINVAL);
	CHECK_ERRNO(prctl(PR_GET_ENDIAN, &value), EINVAL);
	CHECK_ERRNO(prctl(PR_GET_UNALIGN, &value), EINVAL);
	CHECK_ERRNO(prctl(PR_GET_FPEMU, &value), EINVAL);
	CHECK(prctl(PR_GET_TSC, &value) == 0);
	CHECK_EQ(value, PR_TSC_ENABLE);
	CHECK_EQ(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 0);
	CHECK(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0);
	CHECK_EQ(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 1);
	CHECK_ERRNO(prctl(PR_GET_THP_DISABLE, 1, 0, 0, 0), EINVAL);
	CHECK_EQ(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_DEFAULT);
	CHECK_ERRNO(prctl(PR_MCE_KILL, 5, 0, 0, 0), EINVAL);
	CHECK(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0) == 0);
	CHECK_EQ(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_EARLY);
	CHECK(prctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0, 0, 0) == 0);
	CHECK_EQ(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_DEFAULT);
	CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
}

TEST(memory_map_settings)
{
	CHECK_ERRNO(prctl(PR_SET_MM, PR_SET_MM_START_CODE, 0, 0, 1), EINVAL);
	CHECK_ERRNO(prctl(PR_SET_VMA, 5, 0, 0, 0), EINVAL);
}

TEST(segment_bases)
{
	unsigned long fs = 0, gs = 0;

	CHECK(syscall(SYS_arch_prctl, ARCH_GET_FS, &fs) == 0);
	CHECK_EQ(fs, (unsigned long)pthread_self());
	CHECK(syscall(SYS_arch_prctl, ARCH_SET_GS, 0x12345000) == 0);
	CHECK(syscall(SYS_arch_prctl, ARCH_GET_GS, &gs) == 0);
	CHECK_EQ(gs, 0x12345000);
	CHECK_ERRNO(syscall(SYS_arch_prctl, ARCH_SET_GS, 0x8000000000000000), EPERM);
	CHECK_ERRNO(syscall(SYS_arch_prctl, ARCH_GET_FS, bad_address), EFAULT);
	CHECK_ERRNO(syscall(SYS_arch_prctl, 0x9999, 0), EINVAL);
	CHECK_EQ(syscall(SYS_arch_prctl, ARCH_GET_CPUID, 0), 1);
}

TEST(personalities)
{
	CHECK_EQ(personality(0xffffffff), PER_LINUX);
	CHECK_EQ(personality(ADDR_NO_RANDOMIZE), PER_LINUX);
	CHECK_EQ(personality(0xffffffff), ADDR_NO_RANDOMIZE);
	if (fork() == 0)
		_exit(personality(0xffffffff) == ADDR_NO_RANDOMIZE ? 0 : 1);
	CHECK(wait((int[]){0}) > 0);
}

TEST(policies)
{
	struct sched_param parameter = {.sched_priority = 0};
	struct timespec interval;

	CHECK_EQ(sched_getscheduler(0), SCHED_OTHER);
	CHECK(sched_setscheduler(0, SCHED_BATCH, &parameter) == 0);
	CHECK_EQ(sched_getscheduler(0), SCHED_BATCH);
	CHECK(sched_setscheduler(0, SCHED_IDLE, &parameter) == 0);
	parameter.sched_priority = 5;
	CHECK_ERRNO(sched_setscheduler(0, SCHED_OTHER, &parameter), EINVAL);
	CHECK_ERRNO(sched_setscheduler(0, 99, &parameter), EINVAL);
	CHECK_ERRNO(sched_getscheduler(0x3fffffff), ESRCH);
	CHECK_ERRNO(sched_getscheduler(-1), EINVAL);
	CHECK_EQ(sched_get_priority_max(SCHED_FIFO), 99);
	CHECK_EQ(sched_get_priority_min(SCHED_RR), 1);
	CHECK_EQ(sched_get_priority_max(SCHED_OTHER), 0);
	CHECK_ERRNO(sched_get_priority_max(99), EINVAL);
	CHECK(sched_rr_get_interval(0, &interval) == 0);
	CHECK(sched_yield() == 0);
	CHECK_ERRNO(sched_getparam(0, NULL), EINVAL);
}

TEST(real_time_needs_a_right)
{
	struct sched_param parameter = {.sched_priority = 1};
	struct rlimit none = {0, 0};

	CHECK(setrlimit(RLIMIT_RTPRIO, &none) == 0);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK_ERRNO(sched_setscheduler(0, SCHED_FIFO, &parameter), EPERM);
}

TEST(attributes)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
		uint32_t util_min, util_max;
	} attributes = {.size = sizeof(attributes)};

	CHECK(setpriority(PRIO_PROCESS, 0, 3) == 0);
	CHECK(syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) == 0);
	CHECK_EQ(attributes.policy, SCHED_OTHER);
	CHECK_EQ(attributes.nice, 3);
	attributes.nice = 7;
	attributes.size = 48;
	CHECK(syscall(SYS_sched_setattr, 0, &attributes, 0) == 0);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 7);
	CHECK_ERRNO(syscall(SYS_sched_getattr, 0, &attributes, 8, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_setattr, 0, &attributes, 1), EINVAL);
	attributes.size = 20;
	CHECK_ERRNO(syscall(SYS_sched_setattr, 0, &attributes, 0), E2BIG);
	CHECK_EQ(attributes.size, 56);
}

TEST(affinity)
{
	cpu_set_t set, one;
	unsigned int cpu, node;

	CHECK(syscall(SYS_sched_getaffinity, 0, sizeof(set), &set) > 0);
	CPU_ZERO(&set);
	CHECK(sched_getaffinity(0, sizeof(set), &set) == 0);
	CHECK(CPU_COUNT(&set) >= 1);
	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (CPU_ISSET(i, &set)) {
			CPU_SET(i, &one);
			break;
		}
	}
	CHECK(sched_setaffinity(0, sizeof(one), &one) == 0);
	CHECK(sched_getaffinity(0, sizeof(set), &set) == 0);
	CHECK(CPU_EQUAL(&one, &set));
	CHECK(syscall(SYS_getcpu, &cpu, &node, NULL) == 0);
	CHECK(CPU_ISSET((int)cpu, &one));
	CPU_ZERO(&one);
	CHECK_ERRNO(sched_setaffinity(0, sizeof(one), &one), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_getaffinity, 0, 1, &set), EINVAL);
	CHECK_ERRNO(sched_getaffinity(0x3fffffff, sizeof(set), &set), ESRCH);
	CHECK_ERRNO(syscall(SYS_sched_setaffinity, 0, 8, bad_address), EFAULT);
}

TEST(io_priorities)
{
	CHECK_EQ(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 5), 0);
	CHECK_EQ(syscall(SYS_ioprio_get, 1, 0), 2 << 13 | 5);
	CHECK_ERRNO(syscall(SYS_ioprio_set, 1, 0, 7 << 13), EINVAL);
	CHECK_ERRNO(syscall(SYS_ioprio_get, 9, 0), EINVAL);
}

TEST(memory_barriers)
{
	long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);

	CHECK(commands > 0);
	CHECK(commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED);
	CHECK_ERRNO(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), EPERM);
	CHECK(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0);
	CHECK(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0);
	CHECK(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) == 0);
	CHECK_ERRNO(syscall(SYS_membarrier, 1 << 30, 0, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 5, 0), EINVAL);
}

TEST(system_names)
{
	struct utsname name;
	struct sysinfo info;

	CHECK(uname(&name) == 0);
	CHECK(!strcmp(name.sysname, "Linux") && !strcmp(name.machine, "x86_64"));
	CHECK_ERRNO(syscall(SYS_uname, bad_address), EFAULT);
	CHECK(sysinfo(&info) == 0);
	CHECK(info.totalram > 0 && info.procs > 0 && info.uptime > 0 && info.mem_unit > 0);
	CHECK_ERRNO(syscall(SYS_sethostname, name.nodename, 65), EINVAL);
	CHECK_ERRNO(syscall(SYS_sethostname, name.nodename, -1), EINVAL);
	CHECK_ERRNO(syscall(SYS_sethostname, bad_address, 3), EFAULT);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK_ERRNO(sethostname("x", 1), EPERM);
	CHECK_ERRNO(setdomainname("x", 1), EPERM);
}

TEST(randomness)
{
	unsigned char a[64] = {0}, b[64] = {0};

	CHECK_EQ(syscall(SYS_getrandom, a, sizeof(a), 0), 64);
	CHECK_EQ(syscall(SYS_getrandom, b, sizeof(b), 1), 64);
	CHECK(memcmp(a, b, sizeof(a)));
	CHECK_ERRNO(syscall(SYS_getrandom, a, 1, 8), EINVAL);
	CHECK_ERRNO(syscall(SYS_getrandom, bad_address, 10, 0), EFAULT);
	CHECK_EQ(syscall(SYS_getrandom, a, 0, 0), 0);
}

TEST(other_tables)
{
	long result = 20;

	/* getpid of the 32-bit table, which a kernel without it does not have; it is never read(2).
	 */
	__asm__ volatile("int $0x80" : "+a"(result) : : "memory");
	CHECK(result == getpid() || result == -ENOSYS);
	CHECK_ERRNO(syscall(1000), ENOSYS);
	CHECK_ERRNO(syscall(-1), ENOSYS);
	CHECK_ERRNO(syscall(0x40000000 | SYS_getpid), ENOSYS);
}

GUEST_TEST_MAIN()
