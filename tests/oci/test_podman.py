#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""podman with csandbox as its runtime: what people do with containers, offline, with an image made here."""
import os
import pty
import pwd
import select
import shutil
import signal
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
        self.top = top
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
    says("--privileged", podman.run("--rm", "--privileged", "box", "sh", "-c", "mount -t tmpfs none /tmp && echo mounted"), 0, "mounted\n")
    says("--security-opt no-new-privileges", podman.run("--rm", "--security-opt", "no-new-privileges", "box", "grep", "NoNewPrivs", "/proc/self/status"), 0, "NoNewPrivs:\t1\n")
    says("--group-add, --umask, --ulimit", podman.run("--rm", "--group-add", "55", "--umask", "0077", "--ulimit", "core=0:0", "box", "sh", "-c", "id -G; umask; ulimit -c"), 0, "0 55\n0077\n0\n")
    says("--shm-size", podman.run("--rm", "--shm-size", "1m", "box", "sh", "-c", "dd if=/dev/zero of=/dev/shm/x bs=1M count=2 2>/dev/null; stat -c %s /dev/shm/x"), 0, "1048576\n")
    says("--uts, --ipc, --pid, --cgroupns of the host", podman.run("--rm", "--uts=host", "--ipc=host", "--pid=host", "--cgroupns=host", "box", "hostname"), 0, os.uname().nodename + "\n")
    says("--uidmap", podman.run("--rm", "--uidmap", "0:100000:5000", "box", "sh", "-c", "id -u; echo x > /x; stat -c %u /x"), 0, "0\n0\n")
    says("a volume", podman.run("--rm", "-v", "vol1:/d", "box", "sh", "-c", "echo x > /d/x"))
    says("a volume, again", podman.run("--rm", "-v", "vol1:/d:ro", "box", "cat", "/d/x"), 0, "x\n")
    says("--mount", podman.run("--rm", "--mount", f"type=bind,src={top}/volume,dst=/e,ro,bind-propagation=rslave", "box", "stat", "-c", "%u", "/e/x"), 0, "12\n")
    if any(line.split()[-1] == "overlay" for line in open("/proc/filesystems")):
        says("-v :O", podman.run("--rm", "-v", f"{top}/volume:/v:O", "box", "sh", "-c", "cat /v/x; echo y > /v/y; rm /v/x; ls /v"), 0, "x\ny\n")
        score.check(os.listdir(f"{top}/volume") == ["x"], "-v :O: changes are thrown away", os.listdir(f"{top}/volume"))
    says("--cpus, --cpu-shares, --oom-score-adj", podman.run("--rm", "--cpus", "0.5", "--cpu-shares", "512", "--oom-score-adj", "100", "box", "cat", "/proc/self/oom_score_adj"), 0, "100\n")
    says("--timeout", podman.run("--rm", "--timeout", "1", "box", "sleep", "1000"), 255)
    says("--network=host", podman.do("run", "--rm", "--network=host", *LIMITS, "box", "grep", "-c", "lo:", "/proc/net/dev"), 0, "1\n")
    if shutil.which("catatonit"):
        says("--init", podman.run("--rm", "--init", "box", "sh", "-c", "cat /proc/1/comm; exit 3"), 3)
    else:
        score.skip("--init", "no catatonit")


def find_bundle(podman, name):
    """Where podman keeps the container's config.json."""
    identity = podman.do("inspect", "-f", "{{.Id}}", name)[1].decode().strip()
    return f"{podman.top}/storage/vfs-containers/{identity}/userdata"


def limits(podman):
    if not os.path.exists("/sys/fs/cgroup/memory") and not os.path.exists("/sys/fs/cgroup/cgroup.controllers"):
        score.skip("--memory", "no memory controller")
        return
    many = "i=0; while [ $i -lt 40 ]; do sleep 1 & i=$((i+1)); done; echo forty"
    says("--pids-limit", podman.run("--rm", "--pids-limit", "50", "box", "sh", "-c", many), 0, "forty\n")
    says("--pids-limit that is met", podman.run("--rm", "--pids-limit", "20", "box", "sh", "-c", many), 2, "", "fork")
    says("--memory", podman.run("--rm", "--memory", "128m", "box", "echo", "x"), 0, "x\n")
    hog = "x=$(dd if=/dev/zero bs=1M count=100 2>/dev/null | tr '\\000' a); echo too much"
    says("create --memory", podman.do("create", "--name", "o1", *NETWORK, *LIMITS, "--memory", "48m", "box", "sh", "-c", hog))
    # This conmon leaves its note of the end of memory where podman was started, podman looks for it beside the config.json.
    place = os.path.dirname(podman.do("inspect", "-f", "{{.OCIConfigPath}}", "o1")[1].decode().strip()) or find_bundle(podman, "o1")
    says("the end of memory", podman.do("start", "--attach", "o1", cwd=place), 137, "")
    says("inspect: OOMKilled", podman.do("inspect", "-f", "{{.State.OOMKilled}} {{.State.ExitCode}}", "o1"), 0, "true 137\n")
    says("rm of what ran out of memory", podman.do("rm", "o1"))


def long_life(podman):
    script = 'trap "echo term; exit 4" TERM; echo up; while :; do sleep 0.05; done'
    says("run -d", podman.run("-d", "--name", "d1", "--health-cmd", "test -e /healthy", "--health-interval", "disable", "box", "sh", "-c", script))
    for _ in range(2000):
        if podman.do("logs", "d1")[1] == b"up\n":
            break
        time.sleep(0.05)
    says("logs", podman.do("logs", "d1"), 0, "up\n")
    says("exec", podman.do("exec", "d1", "sh", "-c", "echo in; exit 6"), 6, "in\n")
    says("exec: not found", podman.do("exec", "d1", "nosuch"), 127)
    says("healthcheck of what is not well", podman.do("healthcheck", "run", "d1"), 1)
    says("exec -d", podman.do("exec", "-d", "d1", "touch", "/healthy"))
    for _ in range(1000):
        if podman.do("exec", "d1", "test", "-e", "/healthy")[0] == 0:
            break
        time.sleep(0.1)
    says("healthcheck", podman.do("healthcheck", "run", "d1"))
    says("exec --user, --workdir, --env", podman.do("exec", "--user", "1:2", "--workdir", "/tmp", "--env", "Q=1", "d1", "sh", "-c", "id -u; id -g; pwd; echo $Q"), 0, "1\n2\n/tmp\n1\n")
    says("exec -i", podman.do("exec", "-i", "d1", "cat", stdin=open("/etc/hostname", "rb")), 0, open("/etc/hostname").read())
    says("top", podman.do("top", "d1", "aux"), 0, None)
    says("stats", podman.do("stats", "--no-stream", "--format", "{{.Name}}", "d1"), 0, "d1\n")
    says("namespaces of another container", podman.run("--rm", "--pid=container:d1", "--ipc=container:d1", "box", "sh", "-c", "[ $$ != 1 ] && kill -0 1"))
    says("commit", podman.do("commit", "-q", "d1", "img2"))
    says("pause", podman.do("pause", "d1"))
    says("inspect: paused", podman.do("inspect", "-f", "{{.State.Status}}", "d1"), 0, "paused\n")
    says("unpause", podman.do("unpause", "d1"))
    says("stop", podman.do("stop", "-t", "10", "d1"))
    says("inspect: exited", podman.do("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "d1"), 0, "exited 4\n")
    says("logs of what stopped", podman.do("logs", "d1"), 0, "up\nterm\n")
    says("cp, into what does not run", podman.do("cp", "/etc/hostname", "d1:/tmp/copied"))
    says("start", podman.do("start", "d1"))
    says("what was copied is there", podman.do("exec", "d1", "cat", "/tmp/copied"), 0, open("/etc/hostname").read())
    says("what was written is still there", podman.do("exec", "d1", "test", "-e", "/healthy"))
    says("restart", podman.do("restart", "-t", "5", "d1"))
    says("kill", podman.do("kill", "-s", "KILL", "d1"))
    says("wait", podman.do("wait", "d1"), 0, "137\n")
    says("rm", podman.do("rm", "d1"))


def killed_monitor(podman):
    says("run -d, whose conmon dies", podman.run("-d", "--name", "k1", "box", "sleep", "1000"))
    identity = podman.do("inspect", "-f", "{{.Id}}", "k1")[1].decode().strip()
    pid = podman.do("inspect", "-f", "{{.State.ConmonPid}} {{.State.Pid}}", "k1")[1].split()
    os.kill(int(pid[0]), signal.SIGKILL)
    says("rm -f cleans up", podman.do("rm", "-f", "-t", "0", "k1"))
    for _ in range(2000):
        if not alive(int(pid[1])):
            break
        time.sleep(0.05)
    score.check(not alive(int(pid[1])), "nothing of it runs on", pid)
    # podman forgets to tell the runtime of such an end.
    score.check(run([CSANDBOX, "delete", "--force", identity])[0] == 0 and not os.path.exists(f"{STATE}/{identity}"), "and delete --force takes the rest")


def alive(pid):
    try:
        return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def terminal(podman):
    pid, fd = pty.fork()
    if pid == 0:
        os.execvp("podman", [*podman.start, "run", *NETWORK, *LIMITS, "--rm", "-it", "box", "sh"])
    text, steps, end = b"", [(b"# ", b"tty; echo wo''rd\n"), (b"word\r\n", b"exit 5\n")], time.monotonic() + 300
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
    for _ in range(1000):
        if podman.do("exec", "m1", "cat", "/dev/shm/x")[1] == b"shared\n":
            break
        time.sleep(0.1)
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


def buildah(podman):
    if not shutil.which("buildah"):
        score.skip("buildah", "not there")
        return
    start = ["buildah", "--root", f"{podman.top}/storage", "--runroot", f"{podman.top}/run", "--storage-driver", "vfs"]
    result = run([*start, "from", "--pull-never", "localhost/box"])
    says("buildah from", result)
    name = result[1].decode().strip()
    command = [*start, "run", "--runtime", CSANDBOX, "--isolation", "oci", "--network=none"]
    says("buildah run --runtime", run([*command, name, "sh", "-c", "echo made > /made; id -u"]), 0, "0\n")
    says("what the first run wrote", run([*command, name, "cat", "/made"]), 0, "made\n")
    says("buildah run: a status", run([*command, name, "sh", "-c", "exit 4"]), 4)
    says("buildah rm", run([*start, "rm", name]))
    os.mkdir(f"{podman.top}/bud")
    open(f"{podman.top}/bud/Containerfile", "w").write("FROM localhost/box\nRUN echo $((6*7)) > /answer\n")
    says("buildah build --runtime", run([*start, "build", "--pull-never", "--runtime", CSANDBOX, "--isolation", "oci", "--network=none", "-t", "answered", f"{podman.top}/bud"], timeout=120))
    says("what its RUN wrote", podman.run("--rm", "localhost/answered", "cat", "/answer"), 0, "42\n")


def ordinary_user():
    """(user id, group id) of one who was given ids for a user namespace; None: there is nobody."""
    for name in [line.split(":")[0] for path in ("/etc/subuid",) if os.path.exists(path) for line in open(path)]:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        if user.pw_uid:
            return user
    return None


def rootless(top):
    user = ordinary_user()
    if not user or not shutil.which("newuidmap") or not shutil.which("setpriv"):
        score.skip("rootless", "no ordinary user with ids in /etc/subuid, or no newuidmap")
        return
    here = f"{top}/rootless"
    os.chmod(top, 0o711)
    runtime = f"{top}/r"  # podman takes no more than 50 bytes
    for path in (here, f"{here}/home", runtime):
        os.mkdir(path, 0o700)
        os.chown(path, user.pw_uid, user.pw_gid)
    # Neither the build's directory nor the image need be the user's to look into.
    shutil.copy(CSANDBOX, f"{here}/csandbox")
    shutil.copy(f"{top}/image.tar", f"{here}/image.tar")
    for name in ("csandbox", "image.tar"):
        os.chown(f"{here}/{name}", user.pw_uid, user.pw_gid)
    environment = {"PATH": os.environ["PATH"], "HOME": f"{here}/home", "XDG_RUNTIME_DIR": runtime}
    start = ["setpriv", "--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--init-groups", "podman", "--storage-driver", "vfs",
             "--cgroup-manager=cgroupfs", "--events-backend", "file", "--log-level", "error", "--runtime", f"{here}/csandbox"]

    def do(*arguments, **options):
        return run([*start, *arguments], cwd=here, env=environment, **options)

    def start_one(*arguments, **options):
        return do("run", *NETWORK, *LIMITS, *arguments, **options)

    result = do("import", f"{here}/image.tar", "box")
    if result[0]:
        score.skip("rootless", "podman cannot do it here: " + result[2].decode(errors="replace").splitlines()[-1])
        return
    says("rootless: run", start_one("--rm", "box", "sh", "-c", "id -u; echo x > /x; chown 5:6 /x; stat -c %u:%g /x; exit 7"), 7, "0\n5:6\n")
    says("rootless: run: not found", start_one("--rm", "box", "nosuch"), 127, "", "executable file not found in $PATH")
    says("rootless: --user", start_one("--rm", "--user", "1000", "box", "id", "-u"), 0, "1000\n")
    says("rootless: --userns=keep-id", start_one("--rm", "--userns=keep-id", "box", "id", "-u"), 0, f"{user.pw_uid}\n")
    os.mkdir(f"{here}/volume")
    os.chown(f"{here}/volume", user.pw_uid, user.pw_gid)
    says("rootless: -v", start_one("--rm", "-v", f"{here}/volume:/v", "box", "sh", "-c", "echo y > /v/y; stat -c %u /v/y"), 0, "0\n")
    score.check(os.stat(f"{here}/volume/y").st_uid == user.pw_uid, "rootless: what root inside makes is the user's")
    says("rootless: --tmpfs, --read-only", start_one("--rm", "--tmpfs", "/t", "--read-only", "box", "sh", "-c", "touch /t/x && touch /x"), 1, "", "Read-only file system")
    says("rootless: run -d", start_one("-d", "--name", "r1", "box", "sh", "-c", 'trap "echo term; exit 4" TERM; echo up; while :; do sleep 0.05; done'))
    for _ in range(2000):
        if do("logs", "r1")[1] == b"up\n":
            break
        time.sleep(0.05)
    says("rootless: exec", do("exec", "r1", "sh", "-c", "echo in; exit 6"), 6, "in\n")
    says("rootless: stop", do("stop", "-t", "10", "r1"))
    says("rootless: its status", do("inspect", "-f", "{{.State.ExitCode}}", "r1"), 0, "4\n")
    says("rootless: start", do("start", "r1"))
    says("rootless: kill", do("kill", "r1"))
    says("rootless: wait", do("wait", "r1"), 0, "137\n")
    says("rootless: rm", do("rm", "-f", "r1"))
    score.check(not os.path.exists(f"{runtime}/csandbox") or os.listdir(f"{runtime}/csandbox") == [], "rootless: nothing of csandbox's is left")
    do("system", "migrate")
    do("system", "reset", "-f")


def main():
    with Scratch() as top:
        podman = Podman(top)
        available(podman, make_rootfs(f"{top}/rootfs"), top)
        once(podman, top)
        limits(podman)
        long_life(podman)
        killed_monitor(podman)
        terminal(podman)
        pods(podman)
        build(podman, top)
        buildah(podman)
        rootless(top)
        podman.do("rm", "-fa", "-t", "0")
        left = [name for name in (os.listdir(STATE) if os.path.exists(STATE) else []) if top in open(f"{STATE}/{name}/state.json").read()]
        score.check(left == [], "nothing of csandbox's is left", left)
        podman.do("system", "reset", "-f")
        run(["sh", "-c", f"grep -o '{top}[^ ]*' /proc/mounts | sort -r | xargs -r -n1 umount -l"])
    score.finish()


main()
