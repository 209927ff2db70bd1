#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""podman with csandbox as its runtime: what people do with containers, offline, with an image made here."""
import os
import pty
import select
import shutil
import subprocess
import sys
import time

from bundle import CSANDBOX, Score, Scratch, make_rootfs, run

score = Score()
LIMITS = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096"]
NETWORK = ["--network=none"]
STATE = "/run/csandbox"


class Podman:
    def __init__(self, top):
        self.start = ["podman", "--root", f"{top}/storage", "--runroot", f"{top}/run", "--tmpdir", f"{top}/tmp", "--storage-driver", "vfs",
                      "--cgroup-manager=cgroupfs", "--events-backend", "file", "--log-level", "error", "--runtime", CSANDBOX]

    def do(self, *arguments, **options):
        return run([*self.start, *arguments], **options)

    def run(self, *arguments, **options):
        return self.do("run", *NETWORK, *LIMITS, *arguments, **options)


def says(name, result, status=0, out=None, *err):
    text = result[2].decode(errors="replace")
    good = result[0] == status and all(word in text for word in err) and (out is None or result[1].decode(errors="replace") == out)
    score.check(good, name, f"status {result[0]}, not {status}", result[1], result[2])


def available(podman, rootfs, top):
    """Skips the whole test where the host cannot run podman at all."""
    if os.geteuid() != 0 or not shutil.which("podman") or not shutil.which("conmon"):
        print("1..0 # SKIP podman and conmon, as root, are needed")
        sys.exit(77)
    subprocess.run(["tar", "-C", rootfs, "-cf", f"{top}/image.tar", "."], check=True)
    result = podman.do("import", f"{top}/image.tar", "box")
    if result[0]:
        print("1..0 # SKIP podman cannot import an image here: " + result[2].decode(errors="replace").splitlines()[-1])
        sys.exit(77)


def once(podman, top):
    says("run", podman.run("--rm", "box", "sh", "-c", "echo out; echo err >&2; exit 9"), 9, "out\n", "err")
    says("run: not found", podman.run("--rm", "box", "nosuch"), 127, "", "executable file not found in $PATH")
    says("run: not executable", podman.run("--rm", "box", "/etc/passwd"), 126, "", "permission denied")
    os.mkdir(f"{top}/volume")
    says("-v, read-only", podman.run("--rm", "-v", f"{top}/volume:/v:ro", "box", "touch", "/v/x"), 1, "", "Read-only file system")
    says("-v", podman.run("--rm", "-v", f"{top}/volume:/v", "box", "sh", "-c", "echo x > /v/x; chown 12:13 /v/x"))
    score.check(os.stat(f"{top}/volume/x").st_uid == 12, "-v: owners")
    says("--tmpfs", podman.run("--rm", "--tmpfs", "/t", "box", "stat", "-f", "-c", "%T", "/t"), 0, "tmpfs\n")
    says("--tmpfs begins with what it covers", podman.run("--rm", "--tmpfs", "/etc", "box", "sh", "-c", "touch /etc/x; cat /etc/passwd"), 0, "root:x:0:0:root:/:/bin/sh\n")
    says("--read-only", podman.run("--rm", "--read-only", "box", "sh", "-c", "touch /tmp/x && touch /x"), 1, "", "Read-only file system")
    says("--user", podman.run("--rm", "--user", "1000:1001", "box", "sh", "-c", "id -u; id -g; grep CapEff /proc/self/status"), 0, "1000\n1001\nCapEff:\t0000000000000000\n")
    says("--cap-drop, --cap-add", podman.run("--rm", "--cap-drop", "ALL", "--cap-add", "CHOWN", "box", "grep", "CapEff", "/proc/self/status"), 0, "CapEff:\t0000000000000001\n")
    says("--device", podman.run("--rm", "--device", "/dev/null:/dev/foo", "box", "sh", "-c", "echo x > /dev/foo; stat -c %t:%T /dev/foo"), 0, "1:3\n")
    says("--hostname, -e, -w", podman.run("--rm", "--hostname", "hh", "-e", "A=b", "-w", "/etc", "box", "sh", "-c", "hostname; echo $A; pwd"), 0, "hh\nb\n/etc\n")
    says("the engine's seccomp profile is in force", podman.run("--rm", "box", "grep", "Seccomp:", "/proc/self/status"), 0, "Seccomp:\t2\n")
    says("--security-opt seccomp=unconfined", podman.run("--rm", "--security-opt", "seccomp=unconfined", "box", "grep", "Seccomp:", "/proc/self/status"), 0, "Seccomp:\t0\n")
    says("--sysctl", podman.run("--rm", "--sysctl", "net.ipv4.ip_forward=1", "box", "cat", "/proc/sys/net/ipv4/ip_forward"), 0, "1\n")
    says("-i", podman.run("--rm", "-i", "box", "cat", stdin=open("/etc/hostname", "rb")), 0, open("/etc/hostname").read())
    if shutil.which("catatonit"):
        says("--init", podman.run("--rm", "--init", "box", "sh", "-c", "cat /proc/1/comm; exit 3"), 3)
    else:
        score.skip("--init", "no catatonit")


def limits(podman):
    if not os.path.exists("/sys/fs/cgroup/memory") and not os.path.exists("/sys/fs/cgroup/cgroup.controllers"):
        score.skip("--memory", "no memory controller")
        return
    says("--pids-limit", podman.run("--rm", "--pids-limit", "50", "box", "echo", "x"), 0, "x\n")
    says("--memory", podman.run("--rm", "--memory", "128m", "box", "echo", "x"), 0, "x\n")


def long_life(podman):
    script = 'trap "echo term; exit 4" TERM; echo up; while :; do sleep 0.05; done'
    says("run -d", podman.run("-d", "--name", "d1", "--health-cmd", "test -e /healthy", "--health-interval", "disable", "box", "sh", "-c", script))
    for _ in range(100):
        if podman.do("logs", "d1")[1] == b"up\n":
            break
        time.sleep(0.05)
    says("logs", podman.do("logs", "d1"), 0, "up\n")
    says("exec", podman.do("exec", "d1", "sh", "-c", "echo in; exit 6"), 6, "in\n")
    says("exec: not found", podman.do("exec", "d1", "nosuch"), 127)
    says("healthcheck of what is not well", podman.do("healthcheck", "run", "d1"), 1)
    says("exec -d", podman.do("exec", "-d", "d1", "touch", "/healthy"))
    time.sleep(0.3)
    says("healthcheck", podman.do("healthcheck", "run", "d1"))
    says("pause", podman.do("pause", "d1"))
    says("inspect: paused", podman.do("inspect", "-f", "{{.State.Status}}", "d1"), 0, "paused\n")
    says("unpause", podman.do("unpause", "d1"))
    says("stop", podman.do("stop", "-t", "10", "d1"))
    says("inspect: exited", podman.do("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "d1"), 0, "exited 4\n")
    says("logs of what stopped", podman.do("logs", "d1"), 0, "up\nterm\n")
    says("start", podman.do("start", "d1"))
    says("what was written is still there", podman.do("exec", "d1", "test", "-e", "/healthy"))
    says("restart", podman.do("restart", "-t", "5", "d1"))
    says("kill", podman.do("kill", "-s", "KILL", "d1"))
    says("wait", podman.do("wait", "d1"), 0, "137\n")
    says("rm", podman.do("rm", "d1"))


def terminal(podman):
    pid, fd = pty.fork()
    if pid == 0:
        os.execvp("podman", [*podman.start, "run", *NETWORK, *LIMITS, "--rm", "-it", "box", "sh"])
    text, steps, end = b"", [(b"# ", b"tty; echo wo''rd\n"), (b"word\r\n", b"exit 5\n")], time.monotonic() + 30
    while time.monotonic() < end:
        if not select.select([fd], [], [], 0.2)[0]:
            continue
        try:
            piece = os.read(fd, 4096)
        except OSError:
            break
        text += piece
        if steps and steps[0][0] in text:
            os.write(fd, steps.pop(0)[1])
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    score.check(status == 5 and b"/dev/pts/0" in text and b"word" in text, "run -it", status, text)


def pods(podman):
    if not shutil.which("catatonit"):
        score.skip("pods", "no catatonit for the infra container")
        return
    says("pod create", podman.do("pod", "create", "--name", "p1", "--network", "none"))
    says("run --pod", podman.do("run", "-d", "--pod", "p1", "--name", "m1", *LIMITS, "box", "sh", "-c", "echo shared > /dev/shm/x; sleep 1000"))
    time.sleep(0.3)
    says("a second member shares memory and name, and has processes of its own",
         podman.do("run", "--rm", "--pod", "p1", *LIMITS, "box", "sh", "-c", "cat /dev/shm/x; hostname; [ $$ = 1 ] && echo own"), 0, "shared\np1\nown\n")
    says("a third one", podman.do("run", "-d", "--pod", "p1", "--name", "m3", *LIMITS, "box", "sleep", "1000"))
    says("stops alone", podman.do("stop", "-t", "0", "m3"))
    says("and the first goes on", podman.do("exec", "m1", "echo", "on"), 0, "on\n")
    says("pod rm", podman.do("pod", "rm", "-f", "-t", "0", "p1"))


def build(podman, top):
    os.mkdir(f"{top}/build")
    open(f"{top}/build/Containerfile", "w").write("FROM box\nRUN echo built > /built && chown 5:6 /built\nCMD cat /built\n")
    says("build", podman.do("build", "--network=none", "--isolation", "oci", *LIMITS, "-t", "built", f"{top}/build", timeout=120))
    says("what RUN wrote is in the image", podman.run("--rm", "built", "sh", "-c", "cat /built; stat -c %u:%g /built"), 0, "built\n5:6\n")


def main():
    with Scratch() as top:
        podman = Podman(top)
        available(podman, make_rootfs(f"{top}/rootfs"), top)
        once(podman, top)
        limits(podman)
        long_life(podman)
        terminal(podman)
        pods(podman)
        build(podman, top)
        podman.do("rm", "-fa", "-t", "0")
        left = [name for name in (os.listdir(STATE) if os.path.exists(STATE) else []) if top in open(f"{STATE}/{name}/state.json").read()]
        score.check(left == [], "nothing of csandbox's is left", left)
        podman.do("system", "reset", "-f")
        run(["sh", "-c", f"grep -o '{top}[^ ]*' /proc/mounts | sort -r | xargs -r -n1 umount -l"])
    score.finish()


main()
