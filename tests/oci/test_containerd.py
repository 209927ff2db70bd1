#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""containerd with csandbox as its runtime, by ctr: run, exec, kill, pause, metrics; pods as its CRI plugin makes them."""
import glob
import json
import os
import shutil
import signal
import subprocess

import time

from bundle import CSANDBOX, Bundle, Score, Scratch, make_rootfs, run

score = Score()

CONFIG = """version = 2
root = "{top}/root"
state = "{top}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.overlayfs"]
[grpc]
  address = "{top}/socket"
"""


class Containerd:
    def __init__(self, top):
        self.top = top
        open(f"{top}/config.toml", "w").write(CONFIG.format(top=top))
        self.daemon = subprocess.Popen(["containerd", "--config", f"{top}/config.toml"], stdout=open(f"{top}/log", "wb"), stderr=subprocess.STDOUT)
        for _ in range(1000):
            if self.do("version")[0] == 0:
                return
            time.sleep(0.1)

    def do(self, *arguments, **options):
        return run(["ctr", "--address", f"{self.top}/socket", *arguments], **options)

    def run(self, *arguments, **options):
        return self.do("run", "--runc-binary", CSANDBOX, *arguments, **options)

    def stop(self):
        self.daemon.terminate()
        self.daemon.wait(timeout=300)


def says(name, result, status=0, *words):
    text = result[1].decode(errors="replace") + result[2].decode(errors="replace")
    score.check(result[0] == status and all(word in text for word in words), name, f"status {result[0]}, not {status}", text)


def tasks(containerd, rootfs):
    says("run", containerd.run("--rm", "--rootfs", rootfs, "k1", "sh", "-c", "echo hi; exit 5"), 5, "hi")
    result = containerd.run("--rm", "--rootfs", rootfs, "k1", "nosuch")
    score.check(result[0] != 0 and b"executable file not found in $PATH" in result[2], "run: not found", result)
    containerd.do("c", "rm", "k1")
    says("run -d", containerd.run("-d", "--rootfs", rootfs, "k2", "sleep", "1000"))
    says("task ls", containerd.do("task", "ls"), 0, "k2", "RUNNING")
    says("task exec", containerd.do("task", "exec", "--exec-id", "e1", "k2", "sh", "-c", "echo in; exit 3"), 3, "in")
    says("task ps", containerd.do("task", "ps", "k2"), 0, "\n1 ")
    says("task metrics", containerd.do("task", "metrics", "k2"), 0, "pids.current")
    says("task pause", containerd.do("task", "pause", "k2"))
    says("task ls: paused", containerd.do("task", "ls"), 0, "PAUSED")
    says("task resume", containerd.do("task", "resume", "k2"))
    says("task kill", containerd.do("task", "kill", "-s", "KILL", "k2"))
    for _ in range(2000):
        if b"STOPPED" in containerd.do("task", "ls")[1]:
            break
        time.sleep(0.05)
    says("task ls: stopped", containerd.do("task", "ls"), 0, "STOPPED")
    containerd.do("task", "rm", "k2")
    says("container rm", containerd.do("c", "rm", "k2"))


def runs(pid):
    try:
        return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def killed_shim(containerd, rootfs):
    says("run -d, whose shim dies", containerd.run("-d", "--rootfs", rootfs, "k3", "sleep", "1000"))
    pid = next((int(line.split()[1]) for line in containerd.do("task", "ls")[1].decode().splitlines() if line.startswith("k3")), 0)
    shim = int(open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[1]) if pid else 0
    if not shim or b"containerd-shim" not in open(f"/proc/{shim}/cmdline", "rb").read():
        score.check(False, "the shim of a task", pid, shim)
        return
    os.kill(shim, signal.SIGKILL)
    for _ in range(2000):
        containerd.do("task", "rm", "-f", "k3")
        if b"k3" not in containerd.do("task", "ls")[1] and not os.path.exists("/run/containerd/runc/default/k3"):
            break
        time.sleep(0.05)
    score.check(b"k3" not in containerd.do("task", "ls")[1], "containerd cleans up after it", containerd.do("task", "ls"))
    says("container rm after that", containerd.do("c", "rm", "k3"))
    for _ in range(1000):
        if not runs(pid):
            break
        time.sleep(0.1)
    score.check(not runs(pid), "and nothing of it runs on", pid)


def pods(top):
    """Bundles with the annotations that the CRI plugin gives: the sandbox's container first, then those that join it."""
    pause, member = Bundle(top, "pause"), Bundle(top, "member")
    key = "io.kubernetes.cri."
    pause.reset("sleep", "1000").config["annotations"] = {key + "container-type": "sandbox", key + "sandbox-id": "pod"}
    pause.config["hostname"] = "podname"
    pause.create("pod", "--pid-file", f"{top}/pid")
    pause.do("start", "pod")
    pid = open(f"{top}/pid").read()

    def join(script, pid_path=None):
        member.shell(script).config["annotations"] = {key + "container-type": "container", key + "sandbox-id": "pod"}
        member.config["linux"]["namespaces"] = [{"type": "mount"}, {"type": "pid", **({"path": pid_path} if pid_path else {})},
                                                *({"type": name, "path": f"/proc/{pid}/ns/{kind}"} for name, kind in (("network", "net"), ("ipc", "ipc"), ("uts", "uts")))]
        return member

    result = join("hostname; echo $$; ls /proc/self/fd | wc -l; exit 7").run("m1")
    score.check(result[0] == 7 and result[1].startswith(b"podname\n1\n"), "a member of a pod: its name, its own processes, its status", result)
    out = open(f"{top}/out", "wb")
    join("echo $$; ps | grep -c 'sleep 100[0]'; exec sleep 100", f"/proc/{pid}/ns/pid").create("m2", output=out)
    member.do("start", "m2")
    for _ in range(2000):
        if open(f"{top}/out").read().count("\n") == 2:
            break
        time.sleep(0.05)
    lines = open(f"{top}/out").read().split()
    score.check(len(lines) == 2 and lines[0] != "1" and int(lines[1]) >= 1, "a shared pid namespace", lines)
    join("sleep 1000").create("m3")
    member.do("start", "m3")
    sentries = [name for name in glob.glob(f"{top}/state/*/control")]
    score.check(sentries == [f"{top}/state/pod/control"] and member.status("m2") == member.status("m3") == "running", "one sandbox for all", sentries, member.left())
    says("kill of one", member.do("kill", "m2", "KILL"))
    score.check(member.wait_for("m2", "stopped") and member.do("delete", "m2")[0] == 0, "and its delete")
    score.check(member.status("m3") == "running" and pause.status("pod") == "running", "leave the others")
    os.kill(json.loads(member.do("state", "m3")[1])["pid"], 9)
    score.check(member.wait_for("m3", "stopped") and pause.status("pod") == "running", "the death of what stands for one ends that one")
    member.do("delete", "m3")
    hog = "x=$(dd if=/dev/zero bs=1M count=200 2>/dev/null | tr '\\000' a); echo too much"
    join(hog).config["linux"]["resources"] = {"memory": {"limit": 32 << 20}}
    result = member.run("m5")
    if b"no such cgroup" in result[2]:
        score.skip("limits of members", "no cgroup for the caller")
    else:
        score.check(result[0] == 137 and b"too much" not in result[1], "a member that runs out of its memory is killed", result)
        score.check(member.status("m3") is None and pause.status("pod") == "running", "the pod goes on")
        join("i=0; while [ $i -lt 15 ]; do sleep 1 & i=$((i+1)); done; echo fifteen; while [ $i -lt 40 ]; do sleep 1 & i=$((i+1)); done; echo forty")
        member.config["linux"]["resources"] = {"pids": {"limit": 20}}
        result = member.run("m6")
        score.check(result[1] == b"fifteen\n" and b"fork" in result[2], "a member's limit of processes is its own", result)
    join("sleep 1000").create("m4")
    member.do("start", "m4")
    says("the end of the sandbox", pause.do("delete", "--force", "pod"))
    score.check(member.wait_for("m4", "stopped") and member.do("delete", "m4")[0] == 0 and not pause.left(), "is the end of all", pause.left())


def main():
    with Scratch() as top:
        rootfs = str(make_rootfs(f"{top}/rootfs"))
        os.mkdir(f"{top}/pods")
        pods(f"{top}/pods")
        if os.geteuid() != 0 or not shutil.which("containerd") or not shutil.which("ctr"):
            score.skip("containerd", "containerd and ctr, as root, are needed")
            score.finish()
        os.mkdir(f"{top}/d")
        containerd = Containerd(f"{top}/d")
        try:
            if containerd.do("version")[0]:
                score.skip("containerd", "it does not start here: " + open(f"{top}/d/log").read()[-200:].replace("\n", " "))
            else:
                tasks(containerd, rootfs)
                killed_shim(containerd, rootfs)
        finally:
            containerd.stop()
    score.finish()


main()
