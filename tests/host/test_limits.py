#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Limits from outside: the options' units and errors, statuses, and what programs inside see of them."""
import ctypes
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

from harness import CSANDBOX, Score, Scratch, run, sandbox

score = Score()


def says(name, result, status, out=None, err=""):
    good = result[0] == status and (out is None or result[1].decode() == out) and err in result[2].decode()
    score.check(good, name, f"status {result[0]}, not {status}", result[1], result[2])


def units():
    for option, value, shown in (("timeout", "90", "1m30s"), ("timeout", "90s", "1m30s"), ("timeout", "1m30s", "1m30s"), ("timeout", "1.5h", "1h30m"),
                                 ("timeout", "250ms", "250ms"), ("memory", "512M", "512M"), ("memory", "1.5G", "1.5G"), ("memory", "64MiB", "64M"),
                                 ("disk", "4096", "4K"), ("cpus", "0.5", "0.5"), ("cpus", "2", "2"), ("pids", "100", "100")):
        result = sandbox(f"--{option}", value, "--show-limits")
        line = [line.split() for line in result[1].decode().splitlines() if line.startswith(option + " ")]
        score.check(result[0] == 0 and line and line[0][1] == shown, f"--{option} {value}", result)
    for option, value in (("timeout", "soon"), ("timeout", ""), ("timeout", "-5"), ("timeout", "5 s"), ("timeout", "1e9"), ("memory", "1.2.3M"),
                          ("memory", "5X"), ("memory", "1K"), ("memory", "99999999999T"), ("pids", "1.5"), ("pids", "0"), ("cpus", "none"), ("cpus", "0"),
                          ("open-files", "many"), ("disk", "M"), ("output-limit", "."), ("cpu-time", "0")):
        says(f"--{option} {value!r} is refused", sandbox(f"--{option}", value, "--", "true"), 125, "", f"--{option} {value}")


def manual():
    """Every option that --help knows is in the manual page, and the other way round."""
    page = (pathlib.Path(__file__).resolve().parents[2] / "docs/csandbox.1").read_text().replace("\\-", "-").split("AS AN OCI RUNTIME")[0]
    options = {word for command in ("run", "trace") for word in re.findall(r"--[a-z][a-z0-9-]+", run([CSANDBOX, command, "--help"])[1].decode())}
    told = set(re.findall(r"--[a-z][a-z0-9-]+", page))
    score.check(len(options) > 40 and options == told, "the manual page has every option", options ^ told)


def in_time(script):
    """With a time that is over before the shell could set its trap, it gets more."""
    for timeout in ("400ms", "3s", "20s"):
        result = sandbox("--timeout", timeout, "--", "sh", "-c", script)
        if result[1]:
            break
    return result


def statuses():
    began = time.monotonic()
    says("--timeout", sandbox("--timeout", "300ms", "--", "sleep", "60"), 124, "")
    says("--timeout with a child that goes on", sandbox("--timeout", "300ms", "--", "sh", "-c", "sleep 60; sleep 60"), 124, "")
    says("SIGTERM comes first", in_time("trap 'echo told; exit 0' TERM; while :; do sleep 0.05; done"), 124, "told\n")
    says("and SIGKILL after --grace", sandbox("--timeout", "300ms", "--grace", "300ms", "--", "sh", "-c", "trap '' TERM; while :; do sleep 1; done"), 124, "")
    says("and who is stopped", in_time("trap 'echo told; exit 0' TERM; kill -STOP $$; sleep 900"), 124, "told\n")
    says("process 1 as well", sandbox("--timeout", "300ms", "--grace", "300ms", "--as-pid-1", "--", "sleep", "60"), 124, "")
    says("who is faster keeps its status", sandbox("--timeout", "60s", "--", "sh", "-c", "exit 7"), 7, "")
    says("--cpu-time", sandbox("--cpu-time", "200ms", "--", "sh", "-c", "while :; do :; done"), 137, "")
    says("--cpu-time does not count sleep", sandbox("--cpu-time", "1s", "--", "sleep", "1.5"), 0, "")
    says("--memory", sandbox("--memory", "64M", "--", "python3", "-c", "a = bytearray(1 << 20)\nb = []\nwhile True: b.append(bytes(1 << 20) + a)"), 137)
    says("--memory kills the one", sandbox("--memory", "96M", "--", "sh", "-c",
         "python3 -c 'b = []\nwhile True: b.append(bytearray(b\"x\") * (1 << 20))'; echo $?"), 0, "137\n")
    says("a signal of its own", sandbox("--memory", "64M", "--timeout", "60", "--", "sh", "-c", "kill -USR1 $$"), 138)
    result = sandbox("--output-limit", "1000", "--", "sh", "-c", "while :; do echo 0123456789; echo 0123456789 >&2; done")
    score.check(result[0] == 137 and len(result[1]) + len(result[2]) == 1000, "--output-limit counts both", result)
    with Scratch() as directory:
        with open(f"{directory}/out", "wb") as out:
            done = subprocess.run([CSANDBOX, "run", "--output-limit", "5000", "--", "yes"], cwd="/", stdout=out, stderr=out)
        score.check(done.returncode == 137 and os.path.getsize(f"{directory}/out") == 5000, "--output-limit into a file", done)
    says("no output to speak of", sandbox("--output-limit", "4", "--", "echo", "abc"), 0, "abc\n")
    says("--file-size cannot be raised by root inside", sandbox("--file-size", "1M", "--", "sh", "-c", "ulimit -H -f unlimited 2>/dev/null && echo raised; ulimit -f"), 0,
         "2048\n")
    says("--open-files", sandbox("--open-files", "64", "--", "sh", "-c", "ulimit -n; ulimit -H -n 100 2>/dev/null || echo no"), 0, "64\nno\n")
    score.check(time.monotonic() - began < 250, "all of it in time")


def inside():
    says("nproc", sandbox("--cpus", "1", "--", "nproc"), 0, "1\n")
    says("nproc of half a processor", sandbox("--cpus", "0.5", "--", "nproc"), 0, "1\n")
    says("sched_getaffinity", sandbox("--cpus", "1", "--", "python3", "-c", "import os; print(len(os.sched_getaffinity(0)))"), 0, "1\n")
    says("cpu.max", sandbox("--cpus", "0.5", "--", "cat", "/sys/fs/cgroup/cpu.max"), 0, "50000 100000\n")
    says("pids.max", sandbox("--pids", "50", "--", "cat", "/sys/fs/cgroup/pids.max"), 0, "50\n")
    says("no limits", sandbox("--", "cat", "/sys/fs/cgroup/pids.max", "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/cpu.max"), 0, "max\nmax\nmax 100000\n")
    says("memory.max", sandbox("--memory", "64M", "--", "cat", "/sys/fs/cgroup/memory.max"), 0, f"{64 << 20}\n")
    says("meminfo", sandbox("--memory", "64M", "--", "grep", "MemTotal", "/proc/meminfo"), 0, f"MemTotal:       {64 << 10:8} kB\n")
    says("sysinfo", sandbox("--memory", "64M", "--", "python3", "-c",
         "import os; print(os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') >> 20)"), 0, "64\n")
    says("statfs", sandbox("--disk", "10M", "--", "python3", "-c",
         "import os; s = os.statvfs('/tmp'); print(s.f_blocks * s.f_frsize >> 20)"), 0, "10\n")
    result = sandbox("--memory", "128M", "--", "sh", "-c", "cat /sys/fs/cgroup/memory.current; grep oom_kill /sys/fs/cgroup/memory.events")
    score.check(result[0] == 0 and 0 < int(result[1].split()[0]) < 128 << 20 and b"oom_kill 0" in result[1], "memory.current", result)


def processors():
    spin = "import time, os\nend = time.monotonic() + 1\nn = 0\nwhile time.monotonic() < end: n += 1\nt = os.times()\nprint(t.user + t.system)"
    result = sandbox("--cpus", "0.25", "--", "python3", "-c", spin)
    used = float(result[1] or 9)
    score.check(result[0] == 0 and used < 0.7, "--cpus 0.25 leaves a quarter", f"{used} s in a second", result)


def disk():
    script = """import os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
try: os.posix_fallocate(fd, 0, 3 << 20)
except OSError as error: print(error.errno, os.fstat(fd).st_blocks)
print(os.pwrite(fd, bytes(3 << 20), 1 << 30) >> 20)"""
    for place in ("/tmp/file", "/var/tmp/file"):
        says(f"--disk at {place}", sandbox("--disk", "2M", "--", "python3", "-c", script, place), 0, "28 0\n2\n")


def together():
    everything = ["--timeout", "60s", "--grace", "1s", "--cpu-time", "30s", "--cpus", "1", "--memory", "256M", "--pids", "100", "--file-size", "50M",
                  "--open-files", "200", "--disk", "64M", "--output-limit", "1M"]
    says("all of them at once", sandbox(*everything, "--", "sh", "-c", "echo fine"), 0, "fine\n")
    bad = [status for status in (sandbox(*everything, "--", "true")[0] for _ in range(50)) if status]
    score.check(not bad, "fifty times", bad)
    running = [subprocess.Popen([CSANDBOX, "run", *everything, "--", "sh", "-c", "sleep 0.3; exit 9"], cwd="/") for _ in range(20)]
    ended = [process.wait(60) for process in running]
    score.check(ended == [9] * 20, "twenty at a time", ended)


def cgroup_paths():
    """The caller's own, by controller, where they can be written."""
    found = {}
    for line in open("/proc/self/cgroup").read().splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(",") if controllers else ["memory", "pids", "cpu"]:
            for place in (f"/sys/fs/cgroup/{controller}{path}", f"/sys/fs/cgroup{path}"):
                if controller in ("memory", "pids", "cpu") and os.path.isdir(place) and os.access(place, os.W_OK):
                    found.setdefault(controller, place)
                    break
    return found


def in_cgroup(options, paths, seconds):
    """What the cgroup of a run looks like while that lasts: its processes, those in it by controller, its values."""
    running = subprocess.Popen([CSANDBOX, "run", *options, "--", "sh", "-c", f"sleep {seconds} & sleep {seconds}; wait"], cwd="/")
    name, end, members, values = f"csandbox-run-{running.pid}", time.monotonic() + seconds, {}, {}
    while time.monotonic() < end and running.poll() is None:
        try:
            processes = set(descendants(running.pid)) - {running.pid}
            members = {controller: {int(pid) for pid in open(f"{path}/{name}/cgroup.procs").read().split()} for controller, path in paths.items()}
            values = {file: open(f"{paths[controller]}/{name}/{file}").read().strip() for controller, file in
                      (("memory", "memory.limit_in_bytes"), ("pids", "pids.max"), ("cpu", "cpu.cfs_quota_us"))}
        except OSError:
            pass
        else:
            if all(inside == processes and len(inside) >= 4 for inside in members.values()):
                break
        time.sleep(0.02)
    else:
        processes = None
    running.wait(60)
    return processes, members, values, [path for path in paths.values() if os.path.exists(f"{path}/{name}")]


def descendants(pid):
    found = [pid]
    for task in os.listdir(f"/proc/{pid}/task"):
        for child in open(f"/proc/{pid}/task/{task}/children").read().split():
            found += descendants(int(child))
    return found


def host_cgroups():
    options = ["--memory", "128M", "--pids", "40", "--cpus", "1.5"]
    shown = sandbox(*options, "--show-limits")[1].decode()
    had = {line.split()[0]: line.split()[2] for line in shown.splitlines()}
    score.check(shown.count("not used") == 6 and {had["memory"], had["pids"], had["cpus"]} <= {"memory", "pids", "cpu", "not"},
                "--show-limits says what can be had", shown)
    paths = cgroup_paths()
    says("a run in one from the start, or in none", sandbox(*options, "--host-cgroups", "--", "sh", "-c", "echo in"), 0, "in\n")
    if had["memory"] != "memory" or "memory" not in paths or not os.path.exists(paths["memory"] + "/memory.limit_in_bytes"):
        score.skip("limits of the host's cgroup", "none of version 1 can be had here")
        return
    abandoned = [f"{path}/csandbox-run-{2 ** 22}" for path in paths.values()]
    for path in abandoned:
        os.mkdir(path)
    for name, more in (("after a moment", []), ("from the start", ["--host-cgroups"])):
        for seconds in (3, 20, 60):
            processes, members, values, left = in_cgroup(options + more, paths, seconds)
            if processes is not None:
                break
        score.check(processes is not None, f"the sentry and all its stubs are in it {name}", members)
        score.check(values == {"memory.limit_in_bytes": str(224 << 20), "pids.max": "376", "cpu.cfs_quota_us": "225000"}, f"with room, {name}", values)
        score.check(not left, f"and nothing of it stays, {name}", left)
    score.check(not any(map(os.path.exists, abandoned)), "nor of a run that was killed", abandoned)
    says("the sandbox's kernel acts first", sandbox("--memory", "64M", "--host-cgroups", "--", "sh", "-c",
         "python3 -c 'b = []\nwhile True: b.append(bytearray(b\"x\") * (1 << 20))'; echo $?"), 0, "137\n")


def patience():
    """A sentry that was stopped keeps no time: the command does, in the end."""
    began = time.monotonic()
    running = subprocess.Popen([CSANDBOX, "run", "--timeout", "5s", "--grace", "500ms", "--", "sleep", "600"], cwd="/", stderr=subprocess.PIPE)
    children = []
    while not children and running.poll() is None:
        children = open(f"/proc/{running.pid}/task/{running.pid}/children").read().split()
    time.sleep(0.3)
    for child in children:
        os.kill(int(child), signal.SIGSTOP)
    _, err = running.communicate(timeout=300)
    score.check(running.returncode == 125 and len(children) == 1 and time.monotonic() - began > 10, "a sentry that does not keep time is killed", err)


def belongings(directory):
    """What a run may leave on the host: names that tell of us, descriptors, System V IPC, mounts; not those of other tests."""
    places = [place for place in ("/tmp", "/var/tmp", "/dev/shm", "/run", *set(cgroup_paths().values())) if os.path.isdir(place)]
    names = {f"{place}/{name}" for place in places for name in os.listdir(place) if "csandbox-run" in name or name.startswith((".csandbox", "layer.tar"))}
    mounts = {line.split()[4] for line in open("/proc/self/mountinfo") if directory in line or ("csandbox" in line and "csandbox-test" not in line)}
    ipc = sum(len(open(f"/proc/sysvipc/{kind}").readlines()) for kind in ("shm", "sem", "msg") if os.path.exists(f"/proc/sysvipc/{kind}"))
    return names, mounts, ipc, len(os.listdir("/proc/self/fd"))


def descriptors():
    """The sentry's own: whatever guests make it open, they can still fork, and it lives."""
    program = """
import os, socket, sys
take = {"files": lambda i: os.open(f"f{i}", os.O_RDWR | os.O_CREAT), "sockets": lambda i: socket.socket(type=socket.SOCK_DGRAM),
        "unnamed": lambda i: os.open(".", os.O_RDWR | os.O_TMPFILE)}[sys.argv[1]]
held = []
try:
    while True:
        held.append(take(len(held)))
except OSError as error:
    count = len(held)
    for one in held[-9:]:
        one.close() if hasattr(one, "close") else os.close(one)
    print(error.errno in (23, 95), len(os.listdir(".")) in (0, count))
print(all(os.waitpid(os.fork() or os._exit(0), 0)[1] == 0 for _ in range(20)))
children = []
try:
    while len(children) < 400:
        pid = os.fork()
        if not pid:
            os.read(os.pipe()[0], 1)
        children.append(pid)
except OSError as error:
    print(error.errno)
for pid in children:
    os.kill(pid, 9)
    os.waitpid(pid, 0)
print("end")
"""
    for what in ("files", "sockets", "unnamed"):
        with Scratch() as directory:
            result = run(["sh", "-c", 'ulimit -n 200; exec "$@"', "sh", CSANDBOX, "run", "--bind", f"{directory}:{directory}:rw", "--open-files", "1000", "--",
                          "python3", "-c", program, what], cwd=directory)
            says(f"out of descriptors by {what}", result, 0, "True True\nTrue\n11\nend\n")


def leftovers():
    """Hundreds of runs in a row (CSANDBOX_RUNS of them), then 20 at once: nothing is left of them."""
    libc = ctypes.CDLL(None)
    libc.prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: what is orphaned comes here
    script = "sleep 60 & setsid sleep 60 & echo x > made; mkdir -p deep/er; exit 3"
    count = int(os.environ.get("CSANDBOX_RUNS", "300"))
    with Scratch() as directory:
        before = belongings(directory)
        environment = {**os.environ, "TMPDIR": directory}
        command = [CSANDBOX, "run", "--memory", "64M", "--timeout", "300", "--disk", "8M", "--result", f"{directory}/result", "--apply-changes", "--changes=/dev/null",
                   "--", "sh", "-c", script]
        os.mkdir(f"{directory}/work")

        def start():
            return subprocess.Popen(command, cwd=f"{directory}/work", env=environment)

        bad = sum(start().wait(300) != 3 for _ in range(count))
        score.check(not bad, f"{count} runs in a row", bad)
        bad = sum(sum(process.wait(300) != 3 for process in [start() for _ in range(20)]) for _ in range(max(5, count // 20)))
        score.check(not bad, "20 at once", bad)
        score.check(sorted(os.listdir(directory)) == ["result", "work"] and not os.listdir(f"{directory}/work"), "leave no files", os.listdir(directory))
    try:
        left = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        left = None
    score.check(left is None, "nobody", left)
    # What other tests have at the moment goes.
    for _ in range(1000):
        after = belongings(directory)
        if all(new <= old for old, new in zip(before, after)):
            break
        time.sleep(0.1)
    score.check(all(new <= old for old, new in zip(before, after)), "and nothing else", before, after)


sys.stdout.reconfigure(line_buffering=True)
units()
manual()
statuses()
inside()
processors()
disk()
together()
host_cgroups()
patience()
descriptors()
leftovers()
score.finish()
