#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many containers, one after another and at once, and commands and sandboxes that die at any moment: nothing stays."""
import os
import random
import signal
import subprocess
import sys
import time

from bundle import Bundle, Score, Scratch

CYCLES = int(os.environ.get("CSANDBOX_TEST_CYCLES", "100"))
CRASHES = int(os.environ.get("CSANDBOX_TEST_CRASHES", "40"))
AT_ONCE = 50
# Others run this test beside us, and cgroups are seen by all.
CYCLE, MANY, CRASH = (f"{name}{os.getpid()}" for name in ("cycle", "many", "crash"))
score = Score()


def processes(state):
    """Processes that have the state directory on their command line, by number."""
    found = []
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and str(state).encode() in open(f"/proc/{name}/cmdline", "rb").read() and int(name) != os.getpid():
                if open(f"/proc/{name}/stat").read().rsplit(")", 1)[1].split()[0] != "Z":
                    found.append(int(name))
        except OSError:
            pass
    return found


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def settled(bundle):
    end = time.monotonic() + 100
    while time.monotonic() < end:
        reap()
        if not processes(bundle.state) and not bundle.left():
            return True
        time.sleep(0.05)
    return False


def counts(top):
    cgroups = sum(folder.startswith(tuple(f"csandbox-{name}" for name in (CYCLE, MANY, CRASH))) for _, folders, _ in os.walk("/sys/fs/cgroup") for folder in folders)
    return {"mounts": sum(top in line for line in open("/proc/mounts")), "cgroups": cgroups}


def cycles(bundle):
    bundle.reset("sleep", "1000").write()
    before = counts(str(bundle.state.parent))
    create, start = [], []
    for i in range(CYCLES):
        begin = time.monotonic()
        made = bundle.create(CYCLE)
        create.append(time.monotonic() - begin)
        begin = time.monotonic()
        started = bundle.do("start", CYCLE)[0]
        start.append(time.monotonic() - begin)
        killed = bundle.do("kill", CYCLE, "KILL")[0]
        stopped = bundle.wait_for(CYCLE, "stopped")
        deleted = bundle.do("delete", CYCLE)[0]
        reap()
        if made or started or killed or deleted or not stopped:
            score.check(False, "a cycle", i, made, started, killed, stopped, deleted, bundle.last_log())
            return
    score.check(True, f"{CYCLES} cycles of create, start, kill, delete")
    print(f"# median create {sorted(create)[CYCLES // 2] * 1000:.0f} ms, start {sorted(start)[CYCLES // 2] * 1000:.0f} ms")
    score.check(settled(bundle) and counts(str(bundle.state.parent)) == before, "leave no process, directory, mount or cgroup", before, counts(str(bundle.state.parent)), processes(bundle.state), bundle.left())


def at_once(bundle):
    bundle.reset("sleep", "1000").write()
    names = [f"{MANY}-{i}" for i in range(AT_ONCE)]
    makers = [subprocess.Popen(bundle.command("run", "--detach", "--bundle", bundle.path, name), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for name in names]
    made = [maker.wait(timeout=120) for maker in makers]
    score.check(made == [0] * AT_ONCE, f"{AT_ONCE} containers at once", made, bundle.last_log())
    statuses = {bundle.status(name) for name in names}
    score.check(statuses == {"running"}, "all of them run", statuses)
    removed = [bundle.do("delete", "--force", name)[0] for name in names]
    score.check(removed == [0] * AT_ONCE and settled(bundle), "and go", removed, bundle.left())


def crashes(bundle):
    """kill -9 of the command or of the sandbox at a random moment; delete --force cleans up."""
    chance = random.Random(int(os.environ.get("CSANDBOX_TEST_SEED", "1")))
    bundle.reset("sleep", "1000").write()
    before = counts(str(bundle.state.parent))
    for i in range(CRASHES):
        command = subprocess.Popen(bundle.command("run", "--bundle", bundle.path, CRASH), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.random() * 0.06)
        victims = [pid for pid in processes(bundle.state) if chance.random() < 0.5] or [command.pid]
        for pid in victims:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if chance.random() < 0.5:
            command.kill()
        status = bundle.status(CRASH)
        deleted = bundle.do("delete", "--force", CRASH)
        command.kill()
        command.wait()
        if deleted[0] or status not in (None, "created", "running", "stopped") or bundle.status(CRASH) is not None:
            # The command may have made it only now.
            deleted = bundle.do("delete", "--force", CRASH)
        if deleted[0] or not settled(bundle):
            score.check(False, "a crash", i, victims, status, deleted, bundle.left(), processes(bundle.state))
            return
    score.check(True, f"{CRASHES} crashes at random moments, each cleaned up by delete --force")
    score.check(counts(str(bundle.state.parent)) == before, "leave no mount or cgroup", before, counts(str(bundle.state.parent)))


def held(pid):
    """What a sandbox holds on the host: descriptors, threads, mappings."""
    threads = next(int(line.split()[1]) for line in open(f"/proc/{pid}/status") if line.startswith("Threads:"))
    return len(os.listdir(f"/proc/{pid}/fd")), threads, sum(1 for _ in open(f"/proc/{pid}/maps"))


def long_pod(top):
    """A sandbox that lives while processes and containers come and go in it holds no more afterwards."""
    pod, member = Bundle(top, "pod"), Bundle(top, "member")
    kind, sandbox = "io.kubernetes.cri.container-type", "io.kubernetes.cri.sandbox-id"
    pod.reset("sleep", "1000").config["annotations"] = {kind: "sandbox", sandbox: "longpod"}
    made = pod.create("longpod", "--pid-file", f"{top}/pid")
    started = pod.do("start", "longpod")[0]
    pid = open(f"{top}/pid").read()

    def come_and_go(times):
        for _ in range(times):
            bad = pod.do("exec", "longpod", "true")[0]
            member.reset("true").config["annotations"] = {kind: "container", sandbox: "longpod"}
            member.config["linux"]["namespaces"] = [{"type": "mount"}, {"type": "pid"}]
            bad = bad or member.run("longmember")[0]
            if bad:
                score.check(False, "processes and containers come and go", bad)
                return

    def at_most(first, second):
        return second[0] <= first[0] + 1 and second[1] <= first[1] + 2 and second[2] <= first[2] + 20

    come_and_go(10)
    # What ended is taken apart a moment later.
    time.sleep(0.5)
    before = held(pid)
    come_and_go(30)
    after = held(pid)
    for _ in range(1000):
        if at_most(before, after):
            break
        time.sleep(0.1)
        after = held(pid)
    score.check(not made and not started and at_most(before, after),
                "a sandbox holds no more after processes and containers came and went", before, after)
    score.check(pod.do("delete", "--force", "longpod")[0] == 0 and settled(pod), "and goes")


def main():
    # What the runtime leaves behind is handed to us, as to an engine's shim.
    import ctypes
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    with Scratch() as top:
        bundle = Bundle(top)
        cycles(bundle)
        at_once(bundle)
        crashes(bundle)
        long_pod(top)
    score.finish()


main()
