#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the runtime specification demands of every runtime, as its validation tools and other runtimes' tests ask for it."""
import json
import os
import subprocess
import time

from bundle import Bundle, Score, Scratch

score = Score()
# Names below the top of the cgroups, where another run of these tests has its own.
OWN = f"csandbox-validation-{os.getpid()}"


def refused(bundle, name, *words):
    result = bundle.run()
    text = result[2].decode(errors="replace")
    score.check(result[0] == 1 and text.count("\n") == 1 and all(word in text for word in words) and not bundle.left(), name, result, bundle.left())


def updates_without_effect(bundle, top):
    """runtime.md, lifecycle: updates to config.json after create have no effect on the container."""
    out = open(f"{top}/out", "wb")
    bundle.shell("echo before").create("u1", output=out)
    bundle.shell("echo after").write()
    score.check(bundle.do("start", "u1")[0] == 0 and bundle.wait_for("u1", "stopped") and open(f"{top}/out").read() == "before\n",
                "changes of config.json after create have no effect")
    (bundle.path / "config.json").unlink()
    score.check(bundle.status("u1") == "stopped" and bundle.do("delete", "u1")[0] == 0, "nor has its end")
    bundle.shell("echo again > /again").create("u2")
    bundle.do("start", "u2")
    bundle.wait_for("u2", "stopped")
    again = bundle.do("start", "u2")
    score.check(again[0] == 1 and bundle.status("u2") == "stopped", "start of what stopped is an error, and starts nothing", again)
    score.check(bundle.do("delete", "u2")[0] == 0 and bundle.do("state", "u2")[0] == 1, "after delete there is no state")
    bundle.shell("true")
    score.check(bundle.create("u2") == 0 and bundle.do("delete", "u2")[0] == 0, "and the id may be used again")


def errors_without_effect(bundle):
    """An operation that is an error leaves the container as it was."""
    bundle.reset("sleep", "1000")
    score.check(bundle.create("e1") == 0, "create")
    kill = bundle.do("kill", "e1", "0")
    score.check(bundle.status("e1") == "created", "signal 0 does nothing", kill)
    score.check(bundle.do("pause", "e1")[0] in (0, 1) and bundle.do("resume", "e1")[0] in (0, 1) and bundle.status("e1") == "created", "created stays created")
    bundle.do("start", "e1")
    for command in (("create", "--bundle", str(bundle.path), "e1"), ("start", "e1"), ("delete", "e1"), ("resume", "e1")):
        result = bundle.do(*command)
        score.check(result[0] == 1 and result[2].count(b"\n") == 1 and bundle.status("e1") == "running", f"{command[0]} of what runs is an error, and it runs on", result)
    for command in (("state",), ("start",), ("kill",), ("delete",), ("state", "no-such"), ("start", "no-such"), ("kill", "no-such", "KILL"), ("delete", "no-such")):
        result = bundle.do(*command)
        score.check(result[0] == 1 and result[1] == b"" and result[2].count(b"\n") == 1, f"{' '.join(command)}: an error", result)
    bundle.do("kill", "e1", "KILL")
    bundle.wait_for("e1", "stopped")
    score.check(bundle.do("kill", "e1", "KILL")[0] == 1 and bundle.status("e1") == "stopped", "kill of what stopped is an error")
    state = json.loads(bundle.do("state", "e1")[1])
    score.check(set(state) >= {"ociVersion", "id", "status", "bundle"} and state["id"] == "e1", "the state of what stopped", state)
    bundle.do("delete", "e1")


def mounts(bundle, top):
    os.makedirs(f"{top}/deep/under")
    bundle.shell("touch /m/x 2>/dev/null || echo ro; grep -c ' /m/t ' /proc/self/mounts; touch /m/t/x 2>/dev/null || echo ro")
    os.mkdir(f"{top}/deep/t")
    bundle.config["mounts"] += [{"destination": "/m", "type": "bind", "source": f"{top}/deep", "options": ["rbind"]},
                                {"destination": "/m/t", "type": "tmpfs", "source": "t"}]
    result = bundle.run()
    score.check(result[0] == 0 and result[1] == b"1\n", "a mount upon a bind", result)
    bundle.config["mounts"][-2]["options"] = ["rbind", "rro"]
    result = bundle.run()
    score.check(result[0] == 0 and result[1] == b"ro\n1\n", "a bind that is read-only with all below, and what is mounted upon it later", result)
    bundle.shell("awk 1 /proc/self/mountinfo 2>/dev/null || cat /proc/self/mountinfo")
    order = ["/a", "/a/b", "/a/b/c"]
    bundle.config["mounts"] += [{"destination": place, "type": "tmpfs", "source": place[1:].replace("/", "-")} for place in order]
    result = bundle.run()
    seen = [line.split()[4] for line in result[1].decode().splitlines() if line.split()[4] in order]
    score.check(seen == order, "mounts upon mounts, in the order of the list", seen)
    for word, mark in (("shared", "shared:"), ("slave", ""), ("private", ""), ("unbindable", "unbindable")):
        bundle.shell("grep ' / / ' /proc/self/mountinfo || head -1 /proc/self/mountinfo")
        bundle.config["linux"]["rootfsPropagation"] = word
        result = bundle.run()
        line = result[1].decode().splitlines()[0] if result[1] else ""
        score.check(result[0] == 0 and (mark in line if mark else "shared:" not in line), f"rootfsPropagation: {word}", result)


def namespaces(bundle):
    bundle.reset("true").config["linux"]["namespaces"] = [{"type": "mount"}, {"type": "network", "path": "/proc/self/ns/ipc"}]
    refused(bundle, "a path to a namespace of another type", "network", "/proc/self/ns/ipc")
    bundle.reset("true").config["linux"]["namespaces"] = [{"type": "mount"}, {"type": "pid", "path": "/proc/self/ns/uts"}]
    refused(bundle, "of another type, where it is only compared", "pid", "no namespace of this type")
    bundle.reset("true").config["linux"]["namespaces"] = [{"type": "mount"}, {"type": "ipc", "path": "/etc/passwd"}]
    refused(bundle, "a path to no namespace", "ipc", "/etc/passwd")
    bundle.reset("true").config["linux"]["namespaces"] = [{"type": "mount"}, {"type": "uts", "path": "/no/such"}]
    refused(bundle, "a path to nothing", "uts", "/no/such")
    bundle.reset("true").config["linux"]["namespaces"] = [{"type": "mount", "path": "/proc/self/ns/mnt"}]
    refused(bundle, "another's mount namespace", "mount")
    kinds = ("pid", "ipc", "uts", "mnt")
    inner = bundle.shell("; ".join(f"readlink /proc/self/ns/{kind}" for kind in kinds))
    first, second = inner.run()[1].split(), inner.run()[1].split()
    score.check(len(first) == len(second) == 4, "namespaces of containers", first, second)
    outer = subprocess.Popen(["unshare", "--user", "--map-root-user", "sleep", "1000"])
    try:
        for _ in range(2000):
            try:
                if open(f"/proc/{outer.pid}/uid_map").read().split()[2:] == ["1"]:
                    break
            except (OSError, IndexError):
                pass
            time.sleep(0.05)
        bundle.shell("id -u; echo x > /home/mine; stat -c %u /home/mine")
        bundle.config["linux"]["namespaces"].append({"type": "user", "path": f"/proc/{outer.pid}/ns/user"})
        result = bundle.run()
        score.check(result[0] == 0 and result[1] == b"0\n0\n", "the ids of a user namespace that is there", result)
    finally:
        outer.kill()
        outer.wait()


def cgroups(bundle):
    """config-linux.md, control groups: the path, and the values there."""
    v1 = os.path.exists("/sys/fs/cgroup/pids/cgroup.procs")
    top = {name: f"/sys/fs/cgroup/{name}" for name in ("pids", "cpu", "memory")} if v1 else {name: "/sys/fs/cgroup" for name in ("pids", "cpu", "memory")}
    bundle.reset("sleep", "1000").config["linux"].update(cgroupsPath=f"/{OWN}-absolute/one", resources={
        "pids": {"limit": 50}, "cpu": {"shares": 512, "period": 100000, "quota": 25000}, "memory": {"limit": 64 << 20}})
    if bundle.create("g1", "--pid-file", bundle.path / "pid"):
        score.skip("cgroups", bundle.last_log().get("msg", "no cgroup for the caller"))
        return
    pid = open(bundle.path / "pid").read()

    def value(controller, file):
        return open(f"{top[controller]}/{OWN}-absolute/one/{file}").read().split()

    score.check(f"/{OWN}-absolute/one" in open(f"/proc/{pid}/cgroup").read() and pid in value("pids", "cgroup.procs"), "an absolute cgroupsPath")
    cpu = (value("cpu", "cpu.shares"), value("cpu", "cpu.cfs_quota_us")) if v1 else (value("cpu", "cpu.weight"), value("cpu", "cpu.max"))
    score.check(cpu == ((["512"], ["25000"]) if v1 else (["20"], ["25000", "100000"])), "cpu", cpu)
    memory = int(value("memory", "memory.limit_in_bytes" if v1 else "memory.max")[0])
    pids = int(value("pids", "pids.max")[0])
    score.check(memory >= 64 << 20 and pids >= 50, "memory and pids, with room for the sandbox", memory, pids)
    bundle.do("delete", "--force", "g1")
    score.check(not os.path.exists(f"{top['pids']}/{OWN}-absolute/one"), "delete takes it away")
    for name in os.listdir("/sys/fs/cgroup"):
        try:
            os.rmdir(f"/sys/fs/cgroup/{name}/{OWN}-absolute")
        except OSError:
            pass
    bundle.reset("sleep", "1000").config["linux"]["cgroupsPath"] = f"{OWN}-relative"
    bundle.create("g2", "--pid-file", bundle.path / "pid")
    own, its = open("/proc/self/cgroup").read(), open(f"/proc/{open(bundle.path / 'pid').read()}/cgroup").read()
    score.check(f"{OWN}-relative" in its and f"{OWN}-relative" not in own, "a relative one is below the caller's", its)
    says_unused(bundle)
    bundle.do("delete", "--force", "g2")
    bundle.reset("sleep", "1000")
    other = Bundle(bundle.path, "other")
    other.reset("sleep", "1000")
    made = (bundle.create("g3"), bundle.do("start", "g3")[0], other.create("g3"), other.do("start", "g3")[0])
    score.check(made == (0, 0, 0, 0), "one id in two roots", made, other.last_log())
    bundle.do("delete", "--force", "g3")
    score.check(other.status("g3") == "running", "delete of one leaves the other alone")
    other.do("delete", "--force", "g3")


def says_unused(bundle):
    """A cgroup with processes would have them killed with the container."""
    for name, path in (("one's own", f"{OWN}-relative"), ("the root", "/")):
        bundle.config["linux"]["cgroupsPath"] = path
        refused = bundle.create("g4") != 0 and "has processes" in bundle.last_log().get("msg", "")
        score.check(refused and bundle.status("g2") == "created", f"a cgroup in use is refused: {name}", bundle.last_log())


def layouts(bundle):
    """Hosts with cgroups of version 2 alone, and of version 1 alone: made in a mount namespace of our own."""
    def there(change, *command):
        return subprocess.run(["unshare", "--mount", "sh", "-c", change + ' && exec "$@"', "sh", *bundle.command(*command)],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300).returncode

    for name, change in (("version 2 alone", "mount -t cgroup2 none /sys/fs/cgroup"), ("version 1 alone", "umount /sys/fs/cgroup/unified")):
        if subprocess.run(["unshare", "--mount", "sh", "-c", change], capture_output=True).returncode:
            score.skip(name, "this host's cgroups cannot be had like that")
            continue
        bundle.reset("sleep", "1000").config["linux"]["cgroupsPath"] = f"/{OWN}-layout/one"
        bundle.write()
        made = there(change, "create", "--bundle", bundle.path, "--pid-file", bundle.path / "pid", "l1")
        lines = open(f"/proc/{open(bundle.path / 'pid').read()}/cgroup").read().splitlines() if not made else []
        inside = {line.split(":")[1] for line in lines if line.endswith(f":/{OWN}-layout/one")}
        score.check(made == 0 and ("" in inside) == (name == "version 2 alone") and (len(inside) == 1) == (name == "version 2 alone"), f"{name}: the container's cgroup", lines, bundle.last_log())
        score.check(there(change, "start", "l1") == 0 and there(change, "delete", "--force", "l1") == 0 and not bundle.left(), f"{name}: start and delete", bundle.left())
        score.check(not any("one" in folders for path, folders, _ in os.walk("/sys/fs/cgroup") if path.endswith(f"/{OWN}-layout")), f"{name}: nothing is left")
        bundle.config["linux"]["resources"] = {"hugepageLimits": [{"pageSize": "77MB", "limit": 1}]}
        bundle.write()
        score.check(there(change, "create", "--bundle", bundle.path, "l2") == 1 and "hugepageLimits" in bundle.last_log()["msg"] and not bundle.left(),
                    f"{name}: what the host cannot limit is refused by name", bundle.last_log())
        for folder in os.listdir("/sys/fs/cgroup"):
            try:
                os.rmdir(f"/sys/fs/cgroup/{folder}/{OWN}-layout")
            except OSError:
                pass


def distribution(bundle):
    """Programs of a whole distribution: the host's own, read-only."""
    def has(name, out, *arguments):
        bundle.reset(*arguments)
        bundle.config["process"]["env"] = ["PATH=/usr/bin:/bin:/usr/sbin:/sbin", "HOME=/tmp"]
        bundle.config["root"] = {"path": "distribution"}
        bundle.config["mounts"] += [{"destination": f"/{name}", "type": "bind", "source": f"/{name}", "options": ["rbind", "ro"]} for name in ("usr", "etc")]
        bundle.config["mounts"].append({"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"})
        result = bundle.run()
        score.check(result[0] == 0 and result[1] == out, f"a distribution: {name}", result)

    root = bundle.path / "distribution"
    root.mkdir()
    for name in ("bin", "sbin", "lib", "lib64"):
        if os.path.islink(f"/{name}"):
            (root / name).symlink_to(os.readlink(f"/{name}"))
    if not (root / "lib64").is_symlink():
        score.skip("a distribution", "its /usr does not hold all of it")
        return
    has("bash", b"3 a\n", "bash", "-c", 'x=(c b a); echo ${#x[@]} $(printf "%s\\n" "${x[@]}" | sort | head -1)')
    has("perl", b"120\n", "perl", "-e", "$n = 1; $n *= $_ for 1..5; print qq($n\\n)")
    has("python3", b"[0, 1, 4]\n", "/usr/bin/python3", "-c", "import subprocess; print([int(subprocess.check_output(['expr', str(i), '*', str(i)]) or 0) if i else 0 for i in range(3)])")
    java = "/usr/bin/java"
    if os.path.exists(java):
        bundle.reset(java, "-XshowSettings:system", "-version")
        bundle.config["root"] = {"path": "distribution"}
        bundle.config["mounts"] += [{"destination": f"/{name}", "type": "bind", "source": f"/{name}", "options": ["rbind", "ro"]} for name in ("usr", "etc")]
        bundle.config["mounts"] += [{"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"}, {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup"}]
        bundle.config["linux"]["resources"] = {"cpu": {"quota": 50000, "period": 100000}}
        result = bundle.run()
        if b"no such cgroup" in result[2]:
            score.skip("a language's runtime sees the container's processors", "no cgroup for the caller")
        else:
            score.check(result[0] == 0 and b"Provider: cgroupv2" in result[2] and b"Effective CPU Count: 1" in result[2], "a language's runtime sees the container's processors", result)
    else:
        score.skip("a language's runtime sees the container's processors", "no java")
    has("find and grep", b"/etc/passwd\n", "sh", "-c", "find /etc -maxdepth 1 -name passwd -exec grep -l root {} +")


def processes(bundle):
    result = bundle.reset("sh", "-c", 'for a in "$@"; do echo "[$a]"; done', "sh", "", "two words", "*", "a=b").run()
    score.check(result[1] == b"[]\n[two words]\n[*]\n[a=b]\n", "args are passed as they are", result)
    result = bundle.shell("env | grep -v '^PWD\\|^SHLVL\\|^_=\\|^OLDPWD'", env=["PATH=/bin", "B=2", "A=1 2"]).run()
    score.check(sorted(result[1].splitlines()) == [b"A=1 2", b"B=2", b"PATH=/bin"], "env, and nothing else", result)
    result = bundle.shell("cat /proc/self/status", capabilities={"bounding": ["CAP_CHOWN", "CAP_FROM_THE_FUTURE"]}).run()
    score.check(result[0] == 0 and b"CapBnd:\t0000000000000001\n" in result[1], "a capability that nobody knows is left out", result)
    result = bundle.reset("/bin/sh", "-c", "echo $0; exit 300").run()
    score.check(result[0] == 300 & 255, "the status is a byte", result)
    result = bundle.shell("kill -TERM $$").run()
    score.check(result[0] in (0, 143), "a signal to an init that does not handle it", result)


def main():
    with Scratch() as top:
        bundle = Bundle(top)
        updates_without_effect(bundle, top)
        errors_without_effect(bundle)
        mounts(bundle, top)
        namespaces(bundle)
        cgroups(bundle)
        layouts(bundle)
        distribution(bundle)
        processes(bundle)
        score.check(bundle.left() == [], "nothing is left at the end", bundle.left())
    score.finish()


main()
