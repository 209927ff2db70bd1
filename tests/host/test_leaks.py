#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_leaks.py CSANDBOX: what guests do over and over does not make the sentry hold more and more.

A guest does the same round of work many times and stops in between; each time the descriptors, threads and memory of all
of the sandbox's processes are counted from outside."""
import os
import pathlib
import subprocess
import sys
import time

ROUND = r"""
import mmap, os, select, signal, socket, subprocess, sys, tempfile, threading
def work():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file")
        for i in range(20):
            with open(path + str(i), "w+b") as file:
                file.write(b"x" * 10000)
                file.flush()
                mmap.mmap(file.fileno(), 10000).close()
            os.rename(path + str(i), path)
    for name in ("/etc/passwd", "/bin/sh", "/proc/self/maps", "/sys/kernel"):
        os.stat(name)
    with open("/usr/bin/env", "rb") as file:
        file.read()
    a, b = socket.socketpair()
    b.send(b"x")
    a.recv(1)
    socket.send_fds(a, [b"y"], [0, 1])
    a.close(), b.close()
    server = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(server.getsockname())
    server.accept()[0].close()
    client.close(), server.close()
    poller = select.epoll()
    r, w = os.pipe()
    poller.register(r, select.EPOLLIN)
    os.close(r), os.close(w), poller.close()
    master, slave = os.openpty()
    os.close(master), os.close(slave)
    os.close(os.memfd_create("m")), os.close(os.pidfd_open(os.getpid()))
    os.close(os.open("/dev/null", os.O_RDWR))
    threads = [threading.Thread(target=lambda: None) for _ in range(4)]
    [thread.start() for thread in threads], [thread.join() for thread in threads]
    subprocess.run(["/bin/sh", "-c", "/bin/true | /bin/cat; exit 0"], check=True)
    child = os.fork()
    if child == 0:
        signal.pause()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
for line in sys.stdin:
    for _ in range(int(line)):
        work()
    print("done", flush=True)
"""


def descendants(pid):
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += descendants(int(child))
    return found


def holdings(pid):
    """Descriptors, threads, and kB of memory of a process tree."""
    descriptors = threads = memory = 0
    for process in descendants(pid):
        folder = pathlib.Path(f"/proc/{process}")
        descriptors += len(list((folder / "fd").iterdir()))
        threads += len(list((folder / "task").iterdir()))
        for line in (folder / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                memory += int(line.split()[1])
    return descriptors, threads, memory


def main():
    process = subprocess.Popen([sys.argv[1], "run", "--", "python3", "-c", ROUND], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)

    def rounds(count):
        process.stdin.write(f"{count}\n")
        process.stdin.flush()
        if process.stdout.readline() != "done\n":
            sys.exit("the guest failed")
        time.sleep(1)
        return holdings(process.pid)

    def growing(before, after):
        # A pool may still grow by a few; what leaks a thing a round grows by 60.
        return [name for name, old, new, slack in zip(("descriptors", "threads", "memory"), before, after, (12, 12, 6000)) if new > old + slack]

    # What is kept warm grows for a while before it stays.
    first = rounds(60)
    second = rounds(180)
    third = rounds(60)
    # What ended is taken apart a moment later.
    for _ in range(60):
        if not growing(second, third):
            break
        time.sleep(1)
        third = holdings(process.pid)
    process.stdin.close()
    status = process.wait(300)
    print("descriptors, threads, kB after 60, 240 and 300 rounds:", first, second, third)
    problems = growing(second, third)
    if status or problems:
        print("not ok: status", status, "growing:", *problems)
        return 1
    print("ok")
    return 0


if __name__ == "__main__":
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.exit(main())
