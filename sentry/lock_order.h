/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of all locks, in one place. A thread takes locks only downwards in this tree; siblings are
 * never held together unless mutex_lock_nested() says in which order. Debug builds check it.
 *
 *   RANK_CRED_GUARD          thread group: one execve or credentials-changing ptrace attach at a time
 *   RANK_MOUNT               mount tree
 *     RANK_RENAME            super block: one cross-directory rename at a time
 *       RANK_INODE           inode: contents of a directory, attributes; nested: parent before child,
 *                            otherwise lower address first; an overlay's inode before those below it
 *         RANK_FILE          open file: position, flags
 *           RANK_FILE_DATA   regular file of ours: one writer or truncation at a time, held while it copies
 *           RANK_EPOLL       epoll instance; nested: the watching one before the watched one
 *             RANK_PIPE      pipe, socket, tty, eventfd...: the state of one object; nested by address
 *               RANK_FUTEX   futex bucket: its waiters; words are read while it is held; nested: lower address first
 *               RANK_MM      mm: vmas and what backs them (faults may happen while all above are held)
 *                 RANK_PAGES inode: which pages hold a file's contents; mappable's list of mappings
 *                   RANK_MEMORY_FILE   allocation of the memory file
 *                   RANK_DENTRY        dentry: name, parent, children
 *                     RANK_FD_TABLE    descriptor table, fs_struct
 *   RANK_TASK_SET            pids, families, sessions, ptrace relations, group stops
 *     RANK_SIGHAND           signal handlers, pending signals and stops of a thread group
 *       RANK_TASK            task: credentials pointer, name, its files
 *           RANK_WAIT_QUEUE  wait queue; nested: an epoll's after that of the file it watches
 *             RANK_EPOLL_READY
 *               RANK_TRACE   the lines of a trace
 *               RANK_TIMER   timer queue
 *                 RANK_RUN   a task's sleep
 *                   RANK_PLATFORM..   the platform's own (platform/), the reactor's
 *                     RANK_KEYS       all keys and keyrings
 *                     RANK_LEAF       anything that calls nothing
 *
 * RANK_TASK_SET is below the file systems on purpose: a tty or pipe may send signals while it holds its own
 * lock. So nobody copies guest memory, closes a file or calls a file operation with RANK_TASK_SET held.
 */
#pragma once

enum lock_rank {
	RANK_CRED_GUARD = 50,
	RANK_MOUNT = 100,
	RANK_RENAME = 110,
	RANK_INODE = 120,
	RANK_FILE = 130,
	RANK_FILE_DATA = 135,
	RANK_EPOLL = 140,
	RANK_PIPE = 150,
	RANK_FUTEX = 190,
	RANK_MM = 200,
	RANK_PAGES = 210,
	RANK_MEMORY_FILE = 220,
	RANK_DENTRY = 230,
	RANK_FD_TABLE = 240,
	RANK_TASK_SET = 500,
	RANK_SIGHAND = 510,
	RANK_TASK = 520,
	RANK_WAIT_QUEUE = 600,
	RANK_EPOLL_READY = 610,
	RANK_TRACE = 640,
	RANK_TIMER = 650,
	RANK_RUN = 660,
	RANK_PLATFORM = 700,
	RANK_KEYS = 800,
	RANK_LEAF = 900,
};
