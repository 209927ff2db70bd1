#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""config.json as an enemy writes it: every value of another kind, members taken away, text cut and changed. There is one clear
line, or a container that runs; never a crash, a hang, or something that stays."""
import copy
import json
import os
import random
import time

from bundle import CONFIG, Bundle, Score, Scratch

score = Score()
CGROUP = f"csandbox-hostile-{os.getpid()}"
MUCH = os.environ.get("CSANDBOX_TEST_FUZZ") == "all"

OTHERS = [None, True, 0, -1, 1 << 62, 1e300, 0.5, "", "x", "y" * 70000, "\u00e9\u0007\n", "a" * 3000 + "/b", [], {}, [[[[[[]]]]]], [None], {"x": {"y": []}}]


def full(top):
    """With a value for nearly every field."""
    config = copy.deepcopy(CONFIG)
    process, linux = config["process"], config["linux"]
    process.update(rlimits=[{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 100}], noNewPrivileges=True, oomScoreAdj=1, apparmorProfile="p", selinuxLabel="l",
                   consoleSize={"height": 1, "width": 1}, scheduler={"policy": "SCHED_BATCH", "nice": 1}, ioPriority={"class": "IOPRIO_CLASS_BE", "priority": 1},
                   execCPUAffinity={"initial": "0", "final": "0"})
    process["user"].update(additionalGids=[5], umask=18)
    config.update(hostname="h", domainname="d", annotations={"a": "b"},
                  hooks={"poststop": [{"path": "/bin/true", "args": ["true"], "env": ["A=b"], "timeout": 5}]})
    config["mounts"].append({"destination": "/m", "type": "bind", "source": f"{top}/source", "options": ["rbind", "ro"]})
    linux.update(devices=[{"path": "/dev/a", "type": "c", "major": 1, "minor": 3, "fileMode": 438, "uid": 0, "gid": 0}], cgroupsPath=f"/{CGROUP}",
                 resources={"cpu": {"shares": 512}, "devices": [{"allow": False, "access": "rwm"}]}, sysctl={"kernel.msgmax": "9000"},
                 seccomp={"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
                          "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1, "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}]},
                 maskedPaths=["/etc/passwd"], readonlyPaths=["/home"], rootfsPropagation="rprivate", personality={"domain": "LINUX"}, mountLabel="m",
                 timeOffsets={"boottime": {"secs": 5, "nanosecs": 1}})
    linux["namespaces"].append({"type": "time"})
    return config


def places(value, path=()):
    if path:
        yield path
    if isinstance(value, dict):
        for name in value:
            yield from places(value[name], (*path, name))
    elif isinstance(value, list):
        for index in range(len(value)):
            yield from places(value[index], (*path, index))


def at(config, path):
    for step in path:
        config = config[step]
    return config


class Attempts:
    def __init__(self, bundle):
        self.bundle, self.count, self.refused, self.bad = bundle, 0, 0, []

    def one(self, text, what):
        (self.bundle.path / "config.json").write_bytes(text)
        begin = time.monotonic()
        status, out, err = self.bundle.do("run", "--bundle", self.bundle.path, "v1", timeout=300)
        lasted = time.monotonic() - begin
        self.count += 1
        self.refused += status != 0
        # What ran has its own status; what did not says why in one line that begins with our name.
        clear = status == 0 or (status is not None and 0 < status < 128 and err.startswith(b"csandbox: ") and err.count(b"\n") == 1 and len(err) < 1500)
        if not clear or lasted > 100 or self.bundle.left():
            self.bad.append((what, status, lasted, err[:300], self.bundle.left()))
            self.bundle.do("delete", "--force", "v1")


def main():
    chance = random.Random(int(os.environ.get("CSANDBOX_TEST_SEED", "1")))
    with Scratch() as top:
        bundle = Bundle(top)
        os.mkdir(f"{top}/source")
        config = full(top)
        good = json.dumps(config).encode()
        attempts = Attempts(bundle)
        attempts.one(good, "as it should be")
        score.check(attempts.bad == [] and attempts.refused == 0, "the config that is spoilt below is a good one", attempts.bad)
        for path in places(config):
            # Another root is another file system to write to.
            others = OTHERS if MUCH else chance.sample(OTHERS, 3)
            for other in others:
                spoilt = copy.deepcopy(config)
                at(spoilt, path[:-1])[path[-1]] = other
                attempts.one(json.dumps(spoilt).encode(), (path, str(other)[:50]))
            spoilt = copy.deepcopy(config)
            del at(spoilt, path[:-1])[path[-1]]
            attempts.one(json.dumps(spoilt).encode(), (path, "taken away"))
        score.check(attempts.bad == [], f"{attempts.count} configs with a value of another kind, {attempts.refused} of them refused", attempts.bad[:10])
        attempts = Attempts(bundle)
        for i in range(600 if MUCH else 60):
            attempts.one(good[: chance.randrange(len(good))], "cut")
            changed = bytearray(good)
            for _ in range(chance.randrange(1, 4)):
                changed[chance.randrange(len(changed))] = chance.choice(b'{}[]",:0-9x\x00\xff')
            # No other path on the host than it was.
            if changed.count(b"/") == good.count(b"/"):
                attempts.one(bytes(changed), "changed")
        score.check(attempts.bad == [], f"{attempts.count} texts cut or changed, {attempts.refused} of them refused", attempts.bad[:10])
        for name in ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "systemd", "unified", ""):
            path = f"/sys/fs/cgroup/{name}/{CGROUP}"
            score.check(not os.path.exists(path), "no cgroup is left", path) if os.path.exists(path) else None
    score.finish()


main()
