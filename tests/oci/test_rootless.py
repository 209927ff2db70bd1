#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The runtime for somebody who is not root: state of his own, ids of his own, and no cgroup unless one was handed to him."""
import json
import os
import shutil
import subprocess
import sys
import time

from bundle import CSANDBOX, Bundle, Score, Scratch

score = Score()
USER = 64321


class User:
    def __init__(self, bundle, top):
        self.bundle, self.program = bundle, f"{top}/csandbox"
        shutil.copy(CSANDBOX, self.program)
        os.chmod(self.program, 0o755)
        os.mkdir(f"{top}/run", 0o700)
        os.chown(f"{top}/run", USER, USER)
        self.environment = {"PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": f"{top}/run"}
        self.state = f"{top}/run/csandbox"
        self.start = ["setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups", self.program]

    def do(self, *arguments, **options):
        done = subprocess.run([*self.start, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, timeout=300, env=self.environment, cwd="/", **options)
        return done.returncode, done.stdout, done.stderr

    def create(self, *arguments):
        """What it starts keeps no pipe of ours."""
        return subprocess.run([*self.start, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              timeout=300, env=self.environment, cwd="/").returncode

    def left(self):
        return os.listdir(self.state) if os.path.exists(self.state) else []


def rootless_config(bundle):
    bundle.config["linux"]["namespaces"].append({"type": "user"})
    bundle.config["linux"].update(uidMappings=[{"containerID": 0, "hostID": USER, "size": 1}], gidMappings=[{"containerID": 0, "hostID": USER, "size": 1}])
    bundle.write()


HANDED = f"csandbox-delegated-{os.getpid()}"


class Delegation:
    """Cgroups that root hands to the user: he may make others below them, and move what is his there."""

    def __init__(self):
        v1 = os.path.exists("/sys/fs/cgroup/pids/cgroup.procs")
        self.tops = [f"/sys/fs/cgroup/{name}" for name in (("pids", "memory", "unified") if v1 else ("",)) if os.path.exists(f"/sys/fs/cgroup/{name}/cgroup.procs")]
        self.pids = f"{self.tops[0]}/{HANDED}/user/mine/pids.max" if self.tops else ""

    def __enter__(self):
        for top in self.tops:
            for name in ("", "user", "user/init"):
                place = f"{top}/{HANDED}/{name}"
                above = os.path.dirname(place.rstrip("/"))
                if os.path.exists(f"{above}/cgroup.subtree_control") and not top.endswith("unified"):
                    open(f"{above}/cgroup.subtree_control", "w").write("+pids +memory")
                os.mkdir(place)
                if name:
                    for file in ("", "cgroup.procs", "tasks", "cgroup.subtree_control"):
                        if os.path.exists(f"{place}/{file}"):
                            os.chown(f"{place}/{file}", USER, USER)
        return self

    def enter(self):
        for top in self.tops:
            open(f"{top}/{HANDED}/user/init/cgroup.procs", "w").write("0")

    def __exit__(self, *_):
        for top in self.tops:
            for path, _, _ in os.walk(f"{top}/{HANDED}", topdown=False):
                os.rmdir(path)


def delegated(bundle, user):
    bundle.reset("sleep", "1000").config["linux"].update(cgroupsPath=f"/{HANDED}/user/mine", resources={"pids": {"limit": 50}, "memory": {"limit": 64 << 20}})
    rootless_config(bundle)
    refused = user.do("run", "--bundle", bundle.path, "r5")
    score.check(refused[0] == 1 and refused[2].count(b"\n") == 1 and user.left() == [], "a limit without a cgroup handed to him is refused", refused)
    try:
        with Delegation() as handed:
            made = subprocess.run([*user.start, "create", "--bundle", str(bundle.path), "--pid-file", str(bundle.path / "pid"), "r6"], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300, env=user.environment, cwd="/", preexec_fn=handed.enter).returncode
            own = open(f"/proc/{open(bundle.path / 'pid').read()}/cgroup").read() if not made else ""
            limit = open(handed.pids).read() if not made else ""
            score.check(made == 0 and own.count(f"/{HANDED}/user/mine\n") == len(handed.tops) and int(limit) >= 50, "a cgroup that was handed to him holds the container", made, own, limit)
            score.check(user.do("start", "r6")[0] == 0 and user.do("delete", "--force", "r6")[0] == 0 and user.left() == [], "start and delete", user.left())
            score.check(not os.path.exists(os.path.dirname(handed.pids)), "and is gone with it")
    except OSError as error:
        score.skip("a cgroup that was handed to him", f"root may make none here: {error}")


def main():
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        print("1..0 # SKIP root, who becomes somebody else with setpriv, is needed")
        sys.exit(77)
    with Scratch() as top:
        bundle = Bundle(top)
        os.chmod(top, 0o711)
        user = User(bundle, top)
        for path, folders, files in os.walk(bundle.path):
            for name in (path, *(os.path.join(path, file) for file in folders + files)):
                os.lchown(name, USER, USER)
        rootless_config(bundle.shell("id -u; cat /proc/self/uid_map | wc -l; echo x > /home/mine; stat -c %u /home/mine; exit 7"))
        result = user.do("run", "--bundle", bundle.path, "r1")
        if b"user namespace" in result[2]:
            print("1..0 # SKIP the host has no user namespaces for others than root: " + result[2].decode())
            sys.exit(77)
        score.check(result[0] == 7 and result[1].startswith(b"0\n") and result[1].endswith(b"0\n"), "run", result)
        score.check(os.stat(bundle.path / "rootfs/home/mine").st_uid == USER, "what is written belongs to the user")
        os.mkdir(f"{top}/spec")
        os.chown(f"{top}/spec", USER, USER)
        score.check(user.do("spec", "--rootless", "--bundle", f"{top}/spec")[0] == 0 and
                    json.load(open(f"{top}/spec/config.json"))["linux"]["uidMappings"][0]["hostID"] == USER, "spec --rootless")
        rootless_config(bundle.shell('trap "exit 4" TERM; while :; do sleep 0.05; done'))
        score.check(user.create("create", "--bundle", bundle.path, "--pid-file", bundle.path / "pid", "r2") == 0 and user.left() == ["r2"], "create: the state is in the user's own directory", user.left())
        score.check(user.do("start", "r2")[0] == 0, "start")
        result = user.do("exec", "r2", "sh", "-c", "echo in; exit 3")
        score.check(result[0] == 3 and result[1] == b"in\n", "exec", result)
        score.check(user.do("pause", "r2")[0] == 0 and user.do("resume", "r2")[0] == 0, "pause and resume, with no cgroup for it")
        stats = user.do("events", "--stats", "r2")
        score.check(stats[0] == 0 and json.loads(stats[1])["data"]["pids"]["current"] >= 1, "events --stats", stats)
        score.check(os.stat(f"/proc/{open(bundle.path / 'pid').read()}").st_uid in (0, USER), "the process on the host is the user's")
        score.check(user.do("kill", "r2", "TERM")[0] == 0, "kill")
        for _ in range(5000):
            if b"stopped" in user.do("state", "r2")[1]:
                break
            time.sleep(0.02)
        score.check(user.do("delete", "r2")[0] == 0 and user.left() == [], "delete", user.left())
        delegated(bundle, user)
        bundle.reset("true").config["linux"]["resources"] = {"hugepageLimits": [{"pageSize": "77MB", "limit": 1}]}
        rootless_config(bundle)
        result = user.do("run", "--bundle", bundle.path, "r3")
        score.check(result[0] == 1 and b"hugepageLimits" in result[2] and result[2].count(b"\n") == 1 and user.left() == [], "a limit that he may not set is refused by name", result)
        bundle.reset("cat", "/m/shadow").config["mounts"].append({"destination": "/m", "type": "bind", "source": "/etc", "options": ["rbind", "ro"]})
        rootless_config(bundle)
        result = user.do("run", "--bundle", bundle.path, "r4")
        score.check(result[0] != 0 and b"root:" not in result[1], "the host's permissions hold", result)
    score.finish()


main()
