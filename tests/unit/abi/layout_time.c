/* SPDX-License-Identifier: Apache-2.0 */
/* Our ABI against the host's headers: time and System V IPC. When it compiles, it has passed. */
#include "abi/ipc.h"
#include "abi/sysinfo.h"
#include "abi/time.h"
#include "abi/timex.h"
#include "abi/utsname.h"
#include "tests/unit/abi/host_layout.h"

#include <stddef.h>
/* The host's headers need their order. */
/* clang-format off */
#include <linux/time.h>
#include <linux/time_types.h>
#include <linux/timerfd.h>
#include <linux/times.h>
#include <linux/timex.h>
#include <linux/ipc.h>
#include <linux/sem.h>
#include <linux/msg.h>
#include <linux/shm.h>
#include <linux/mqueue.h>
#include <linux/utsname.h>
#include <linux/sysinfo.h>
#include <linux/ioctl.h>
/* clang-format on */

SAME(CLOCK_REALTIME);
SAME(CLOCK_MONOTONIC);
SAME(CLOCK_PROCESS_CPUTIME_ID);
SAME(CLOCK_THREAD_CPUTIME_ID);
SAME(CLOCK_MONOTONIC_RAW);
SAME(CLOCK_REALTIME_COARSE);
SAME(CLOCK_MONOTONIC_COARSE);
SAME(CLOCK_BOOTTIME);
SAME(CLOCK_REALTIME_ALARM);
SAME(CLOCK_BOOTTIME_ALARM);
SAME(CLOCK_SGI_CYCLE);
SAME(CLOCK_TAI);
SAME(MAX_CLOCKS);
SAME(TIMER_ABSTIME);
SAME(ITIMER_REAL);
SAME(ITIMER_VIRTUAL);
SAME(ITIMER_PROF);
SAME(TFD_CLOEXEC);
SAME(TFD_NONBLOCK);
SAME(TFD_TIMER_ABSTIME);
SAME(TFD_TIMER_CANCEL_ON_SET);
SAME(TFD_IOC_SET_TICKS);
SAME(ADJ_OFFSET);
SAME(ADJ_FREQUENCY);
SAME(ADJ_MAXERROR);
SAME(ADJ_ESTERROR);
SAME(ADJ_STATUS);
SAME(ADJ_TIMECONST);
SAME(ADJ_TAI);
SAME(ADJ_SETOFFSET);
SAME(ADJ_MICRO);
SAME(ADJ_NANO);
SAME(ADJ_TICK);
SAME(ADJ_OFFSET_SINGLESHOT);
SAME(ADJ_OFFSET_SS_READ);
SAME(STA_PLL);
SAME(STA_PPSFREQ);
SAME(STA_PPSTIME);
SAME(STA_FLL);
SAME(STA_INS);
SAME(STA_DEL);
SAME(STA_UNSYNC);
SAME(STA_FREQHOLD);
SAME(STA_PPSSIGNAL);
SAME(STA_PPSJITTER);
SAME(STA_PPSWANDER);
SAME(STA_PPSERROR);
SAME(STA_CLOCKERR);
SAME(STA_NANO);
SAME(STA_MODE);
SAME(STA_CLK);
SAME(STA_RONLY);
SAME(TIME_OK);
SAME(TIME_INS);
SAME(TIME_DEL);
SAME(TIME_OOP);
SAME(TIME_WAIT);
SAME(TIME_ERROR);
SAME(TIME_BAD);
SAME(IPC_PRIVATE);
SAME(IPC_CREAT);
SAME(IPC_EXCL);
SAME(IPC_NOWAIT);
SAME(IPC_RMID);
SAME(IPC_SET);
SAME(IPC_STAT);
SAME(IPC_INFO);
SAME(IPC_64);
SAME(SEM_UNDO);
SAME(GETPID);
SAME(GETVAL);
SAME(GETALL);
SAME(GETNCNT);
SAME(GETZCNT);
SAME(SETVAL);
SAME(SETALL);
SAME(SEM_STAT);
SAME(SEM_INFO);
SAME(SEM_STAT_ANY);
SAME(SEMMNI);
SAME(SEMMSL);
SAME(SEMMNS);
SAME(SEMOPM);
SAME(SEMVMX);
SAME(SEMAEM);
SAME(MSG_STAT);
SAME(MSG_INFO);
SAME(MSG_STAT_ANY);
SAME(MSG_NOERROR);
SAME(MSG_EXCEPT);
SAME(MSG_COPY);
SAME(MSGMNI);
SAME(MSGMAX);
SAME(MSGMNB);
SAME(SHM_LOCK);
SAME(SHM_UNLOCK);
SAME(SHM_STAT);
SAME(SHM_INFO);
SAME(SHM_STAT_ANY);
SAME(SHMMIN);
SAME(SHMMNI);
SAME(SHM_R);
SAME(SHM_W);
SAME(SHM_HUGETLB);
SAME(SHM_NORESERVE);
SAME(SHM_RDONLY);
SAME(SHM_RND);
SAME(SHM_REMAP);
SAME(SHM_EXEC);
SAME(MQ_PRIO_MAX);
SAME(SI_LOAD_SHIFT);

SAME_SIZE(itimerspec, __kernel_itimerspec);
SAME_FIELD(itimerspec, __kernel_itimerspec, it_value);
SAME_SIZE(timespec, __kernel_timespec);
SAME_FIELD(timespec, __kernel_timespec, tv_nsec);
SAME_SIZE(tms, tms);
SAME_FIELD(tms, tms, tms_cstime);
SAME_SIZE(timex, timex);
SAME_FIELD(timex, timex, status);
SAME_FIELD(timex, timex, time);
SAME_FIELD(timex, timex, tai);
SAME_SIZE(ipc64_perm, ipc64_perm);
SAME_FIELD(ipc64_perm, ipc64_perm, mode);
SAME_FIELD(ipc64_perm, ipc64_perm, seq);
SAME_SIZE(sembuf, sembuf);
SAME_FIELD(sembuf, sembuf, sem_flg);
SAME_SIZE(semid64_ds, semid64_ds);
SAME_FIELD(semid64_ds, semid64_ds, sem_ctime);
SAME_FIELD(semid64_ds, semid64_ds, sem_nsems);
SAME_SIZE(seminfo, seminfo);
SAME_FIELD(seminfo, seminfo, semaem);
SAME_SIZE(msqid64_ds, msqid64_ds);
SAME_FIELD(msqid64_ds, msqid64_ds, msg_rtime);
SAME_FIELD(msqid64_ds, msqid64_ds, msg_lspid);
SAME_SIZE(msginfo, msginfo);
SAME_FIELD(msginfo, msginfo, msgseg);
SAME_SIZE(shmid64_ds, shmid64_ds);
SAME_FIELD(shmid64_ds, shmid64_ds, shm_atime);
SAME_FIELD(shmid64_ds, shmid64_ds, shm_nattch);
SAME_SIZE(shminfo64, shminfo64);
SAME_FIELD(shminfo64, shminfo64, shmall);
SAME_SIZE(shm_info, shm_info);
SAME_FIELD(shm_info, shm_info, swap_successes);
SAME_SIZE(mq_attr, mq_attr);
SAME_FIELD(mq_attr, mq_attr, mq_curmsgs);
SAME_SIZE(new_utsname, new_utsname);
SAME_FIELD(new_utsname, new_utsname, domainname);
SAME_SIZE(sysinfo, sysinfo);
SAME_FIELD(sysinfo, sysinfo, loads);
SAME_FIELD(sysinfo, sysinfo, totalhigh);
SAME_FIELD(sysinfo, sysinfo, mem_unit);
