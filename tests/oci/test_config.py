#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""config.json field by field: what is carried out, what is refused by its name, and what is broken or hostile."""
import json
import os

from bundle import Bundle, Score, Scratch

score = Score()


def gives(bundle, name, out, status=0):
    result = bundle.run()
    score.check(result[0] == status and result[1].decode(errors="replace") == out, name, result)


def has(bundle, name, *words):
    result = bundle.run()
    text = result[1].decode(errors="replace")
    score.check(result[0] == 0 and all(word in text for word in words), name, result)


def refused(bundle, name, *words):
    result = bundle.run()
    text = result[2].decode(errors="replace")
    score.check(result[0] not in (0, None) and text.count("\n") == 1 and all(word in text for word in words) and not bundle.left(), name, result, bundle.left())


def process_fields(bundle):
    gives(bundle.shell("echo $0 $A; pwd", env=["PATH=/bin", "A=b"], cwd="/etc"), "args, env, cwd", "sh b\n/etc\n")
    gives(bundle.shell("pwd", cwd="/made/here"), "a cwd that is not there is made", "/made/here\n")
    gives(bundle.shell("id -u; id -g; id -G; umask; touch /home/x; stat -c %a /home/x", user={"uid": 0, "gid": 7, "additionalGids": [7, 30, 20], "umask": 0o27}),
          "user, additionalGids, umask", "0\n7\n7 20 30\n0027\n640\n")
    gives(bundle.shell("id -u; grep CapEff /proc/self/status", user={"uid": 1000, "gid": 1000}), "another user has no capability", "1000\nCapEff:\t0000000000000000\n")
    caps = {"bounding": ["CAP_CHOWN", "CAP_KILL"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"], "inheritable": ["CAP_KILL"], "ambient": ["CAP_KILL"]}
    gives(bundle.shell("grep ^Cap /proc/self/status", user={"uid": 5, "gid": 5}, capabilities=caps), "all five sets of capabilities",
          "".join(f"Cap{name}:\t{value:016x}\n" for name, value in (("Inh", 32), ("Prm", 32), ("Eff", 32), ("Bnd", 33), ("Amb", 32))))
    gives(bundle.shell("ulimit -n; ulimit -c; grep 'open files' /proc/self/limits | tr -s ' '",
                       rlimits=[{"type": "RLIMIT_NOFILE", "soft": 55, "hard": 66}, {"type": "RLIMIT_CORE", "soft": 18446744073709551615, "hard": 18446744073709551615}]),
          "rlimits, with the largest number of all", "55\nunlimited\nMax open files 55 66 files \n")
    gives(bundle.shell("grep NoNewPrivs /proc/self/status", noNewPrivileges=True), "noNewPrivileges", "NoNewPrivs:\t1\n")
    gives(bundle.shell("cat /proc/self/oom_score_adj", oomScoreAdj=123), "oomScoreAdj", "123\n")
    gives(bundle.shell("cut -d' ' -f19 /proc/self/stat", scheduler={"policy": "SCHED_BATCH", "nice": 5}), "scheduler", "5\n")
    gives(bundle.reset("true", apparmorProfile="x", selinuxLabel="y", ioPriority={"class": "IOPRIO_CLASS_IDLE"}), "labels that the kernel inside has no use for", "")
    for name, value in (("args", []), ("args", "sh"), ("args", [1]), ("cwd", "etc"), ("cwd", None), ("user", {"uid": -1}), ("user", {"uid": 2**32}), ("env", {}),
                        ("rlimits", [{"type": "RLIMIT_X", "soft": 1, "hard": 1}]), ("rlimits", [{"type": "RLIMIT_CPU", "soft": 2, "hard": 1}]),
                        ("oomScoreAdj", 2000), ("terminal", 1), ("execCPUAffinity", {"initial": "x"}), ("execCPUAffinity", {"final": "3-1"}), ("execCPUAffinity", {"final": "0,"}), ("scheduler", {"policy": "SCHED_DEADLINE"})):
        bundle.reset("true")
        bundle.config["process"][name] = value
        refused(bundle, f"process.{name}: {value}", "config.json: process", name)
    refused(bundle.reset("sh", "a\0b"), "a NUL in a string", "config.json: line 1")


def mounts(bundle, top):
    os.makedirs(f"{top}/source/sub")
    open(f"{top}/source/file", "w").write("from the host\n")
    os.symlink("/etc/shadow", f"{top}/source/link")

    def mount(script, *entries, **changes):
        bundle.shell(script)
        bundle.config["mounts"] += entries
        bundle.config.update(changes)
        return bundle

    bind = {"destination": "/m", "type": "bind", "source": f"{top}/source", "options": ["rbind"]}
    gives(mount("cat /m/file; echo new > /m/new; chown 11:12 /m/new", bind), "a bind", "from the host\n")
    status = os.stat(f"{top}/source/new")
    score.check((status.st_uid, status.st_gid) == (11, 12), "what is made in a bind belongs to whom it says", status)
    gives(mount("touch /m/no 2>&1; cat /m/file", {**bind, "options": ["bind", "ro"]}), "a bind, read-only", "touch: /m/no: Read-only file system\nfrom the host\n")
    gives(mount("cat /deep/er; echo x > /deep/er; cat /deep/er", {**bind, "destination": "/deep/er", "source": f"{top}/source/file"}), "a bind of a file; its place is made", "from the host\nx\n")
    result = mount("cat /m/link", bind).run()
    score.check(result[0] != 0 and b"root:" not in result[1], "a link in a bind does not lead to the host's files", result)
    gives(mount("stat -f -c %T /t; stat -c %a /t; touch /t/x", {"destination": "/t", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=1700", "size=1m"]}), "a tmpfs", "tmpfs\n1700\n")
    has(mount("grep ' /t ' /proc/self/mountinfo", {"destination": "/t", "type": "tmpfs", "source": "tmpfs", "options": ["noexec", "nosuid", "nodev", "rshared"]}),
        "options of mounts, and propagation", "nosuid,nodev,noexec", "shared:")
    gives(mount("touch /x 2>&1", root={"path": "rootfs", "readonly": True}), "root.readonly", "touch: /x: Read-only file system\n", 1)
    gives(mount("echo kept > /kept"), "the root is written to", "")
    score.check((bundle.path / "rootfs/kept").read_text() == "kept\n", "and stays written to")
    gives(mount("echo a > /o; stat -c %u:%g /o"), "owners in the root", "0:0\n")
    os.chmod(bundle.path / "rootfs/tmp", 0o1777)
    gives(bundle.shell("echo a > /tmp/o; stat -c %u:%g /tmp/o", user={"uid": 70, "gid": 71}), "another user's files are his", "70:71\n")
    refused(mount("true", {**bind, "source": f"{top}/nothing"}), "a source that is not there", "mounts[4].source", "nothing")
    refused(mount("true", {**bind, "options": ["bind", "idmap"]}), "idmap without ids", "mounts[4]", "idmap")
    ids = [{"containerID": 0, "hostID": 1000, "size": 100}]
    refused(mount("true", {**bind, "uidMappings": ids}), "ids of users alone", "mounts[4]", "gidMappings")
    refused(mount("true", {"destination": "/t", "type": "tmpfs", "source": "t", "uidMappings": ids, "gidMappings": ids}), "ids of a tmpfs", "mounts[4]", "bind")
    mount("stat -c %u:%g /m/file /m/new; touch /m/mapped 2>/dev/null || echo no; chown 1005:1006 /m/file; stat -c %u:%g /m/file", {**bind, "uidMappings": ids, "gidMappings": ids})
    result = bundle.run()
    if b"cannot give" in result[2]:
        score.skip("ids of a mount's own", result[2].decode(errors="replace").strip())
    else:
        score.check(result[0] == 0 and result[1] == b"1000:1000\n1011:1012\nno\n1005:1006\n", "ids of a mount's own", result)
        status = os.stat(f"{top}/source/file")
        score.check((status.st_uid, status.st_gid) == (5, 6), "on the host they are what they were mapped from", status)
    refused(mount("true", {"destination": "/t", "type": "ext4", "source": "/dev/sda"}), "a file system that the kernel has not", "/t")
    refused(mount("true", {"type": "tmpfs"}), "no destination", "mounts[4].destination: missing")
    refused(mount("true", {"destination": "/t", "type": "tmpfs", "options": ["nonsense=1"]}), "an option that no file system knows", "/t")
    import socket
    server = socket.socket(socket.AF_UNIX)
    server.bind(f"{top}/socket")
    refused(mount("true", {**bind, "source": f"{top}/socket"}), "a socket of the host", "mounts[4].source", "socket")
    refused(mount("true", root={"path": "nothing"}), "no root", "root.path")
    os.symlink("/", bundle.path / "evil")
    refused(mount("true", root={"path": "evil"}), "a root that is a link", "root.path")
    os.symlink("bin", bundle.path / "rootfs/linked")
    os.symlink("file", f"{top}/source/to-file")
    gives(mount("cat /bin/tool", {**bind, "source": f"{top}/source/to-file", "destination": "/linked/tool"}),
          "a place that is made behind a link of the image", open(f"{top}/source/file").read())
    os.symlink("/etc", bundle.path / "rootfs/out")
    mount("true", {**bind, "destination": "/out/csandbox-test"}).run()
    score.check(not os.path.exists("/etc/csandbox-test"), "nothing is made on the host through a link of the image")


def linux_fields(bundle):
    def linux(script, **fields):
        bundle.shell(script)
        bundle.config["linux"].update(fields)
        return bundle

    gives(bundle.shell("x=$(ps); echo \"$x\" | wc -l; echo $$"), "a pid namespace", "3\n1\n")
    bundle.shell("hostname; cat /proc/sys/kernel/domainname")
    bundle.config.update(hostname="h1", domainname="d1")
    gives(bundle, "hostname and domainname", "h1\nd1\n")
    gives(linux("hostname", namespaces=[{"type": "mount"}, {"type": "pid"}]), "no uts namespace: the caller's name", os.uname().nodename + "\n")
    gives(bundle.shell("ls /dev | sort | tr '\\n' ' '; echo x > /dev/null; head -c 4 /dev/zero | wc -c; head -c 2 /dev/urandom | wc -c; readlink /dev/fd; readlink /dev/ptmx"),
          "the devices that must be there", "fd full null ptmx pts random stderr stdin stdout tty urandom zero 4\n2\n/proc/self/fd\npts/ptmx\n")
    gives(linux("stat -c '%F %a %t:%T %u:%g' /dev/a /dev/b", devices=[{"path": "/dev/a", "type": "c", "major": 1, "minor": 3, "fileMode": 0o640, "uid": 3, "gid": 4}, {"path": "/dev/b", "type": "p"}]),
          "devices", "character special file 640 1:3 3:4\nfifo 666 0:0 0:0\n")
    gives(linux("cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/ping_group_range", sysctl={"net/ipv4/ip_forward": "1", "net.ipv4.ping_group_range": "0 5"}, readonlyPaths=["/proc/sys"]), "sysctl", "1\n0\t5\n")
    refused(linux("true", sysctl={"kernel.nonsense": "1"}), "a sysctl that is not there", "linux.sysctl.kernel.nonsense")
    refused(linux("true", sysctl={"../../etc/passwd": "1"}), "a sysctl that leads elsewhere", "sysctl")
    gives(linux("cat /etc/passwd; ls /home; ls /no 2>/dev/null; echo x > /etc/passwd; cat /etc/passwd", maskedPaths=["/etc/passwd", "/home", "/no"]), "maskedPaths", "")
    gives(linux("touch /home/x 2>&1; touch /tmp/x", readonlyPaths=["/home", "/no"]), "readonlyPaths", "touch: /home/x: Read-only file system\n")
    rules = [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95},
             {"names": ["kill"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 1, "value": 15, "op": "SCMP_CMP_EQ"}]}]
    gives(linux("mkdir /tmp/d 2>&1; kill -TERM 1 2>&1; kill -0 1; grep Seccomp: /proc/self/status", seccomp={"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": rules}),
          "seccomp", "mkdir: can't create directory '/tmp/d': Operation not supported\nsh: can't kill pid 1: Operation not permitted\nSeccomp:\t2\n")
    result = linux("mkdir /tmp/d; echo no", seccomp={"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_KILL_PROCESS"}]}).run()
    score.check(result[0] == 0 and b"no\n" in result[1], "seccomp kills the one that asks", result)
    refused(linux("true", seccomp={"defaultAction": "SCMP_ACT_NONSENSE"}), "an action that is none", "linux.seccomp", "SCMP_ACT_NONSENSE")
    refused(linux("true", seccomp={"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/x"}), "listenerPath", "listenerPath")
    refused(linux("true", timeOffsets={"monotonic": {"secs": 1}}), "timeOffsets without a namespace", "timeOffsets")
    timed = [*bundle.config["linux"]["namespaces"], {"type": "time"}]
    gives(linux("cat /proc/self/timens_offsets; read up rest < /proc/uptime; [ ${up%.*} -gt 1000000000 ] && echo later", namespaces=timed,
                timeOffsets={"monotonic": {"secs": -1, "nanosecs": 5}, "boottime": {"secs": 1000000000}}),
          "a time namespace with offsets", "monotonic          -1         5\nboottime   1000000000         0\nlater\n")
    refused(linux("true", namespaces=timed, timeOffsets={"boottime": {"secs": -(1 << 40)}}), "an offset before the beginning", "boottime")
    refused(linux("true", namespaces=timed, timeOffsets={"monotonic": {"secs": -(10**9)}}), "one that is as far as numbers go", "linux.timeOffsets")
    refused(linux("true", namespaces=timed, timeOffsets={"monotonic": {"nanosecs": 1 << 30}}), "an offset that is none", "linux.timeOffsets.monotonic.nanosecs")
    refused(linux("true", namespaces=[{"type": "time", "path": "/proc/1/ns/time"}]), "a time namespace with a path", "time")
    gives(linux("cd /proc/sys/kernel; cat shmmax msgmax sem", sysctl={"kernel.shmmax": "123456", "kernel.msgmax": "10000", "kernel.sem": "250 32000 100 128"}),
          "limits of System V IPC", "123456\n10000\n250\t32000\t100\t128\n")
    refused(linux("true", intelRdt={"closID": "x"}), "intelRdt", "intelRdt")
    refused(linux("true", namespaces=[{"type": "pid"}, {"type": "pid"}]), "a namespace twice", "namespaces[1]")
    refused(linux("true", namespaces=[{"type": "nonsense"}]), "a namespace of no kind", "namespaces[0]", "nonsense")
    refused(linux("true", uidMappings=[{"containerID": 0, "hostID": 0, "size": 1}]), "mappings without a user namespace", "uidMappings")
    refused(linux("true", rootfsPropagation="nonsense"), "a propagation of no kind", "nonsense")
    hosts = bundle.shell("cat /p/1/comm; test -e /p/self/mem; echo $?")
    hosts.config["mounts"].append({"destination": "/p", "type": "bind", "source": "/proc", "options": ["rbind", "rw"]})
    gives(hosts, "in place of the host's /proc there is the container's", "sh\n0\n")
    hosts.config["mounts"][-1]["source"] = "/proc/self/mem"
    refused(hosts, "a file of the host's /proc", "is of the host's /proc")
    refused(linux("true", cgroupsPath="/../../x"), "a cgroup that leads elsewhere", "cgroupsPath")
    refused(linux("true", resources={"memory": {"limit": "x"}}), "a limit that is no number", "linux.resources.memory.limit")
    refused(linux("true", resources={"blockIO": {"throttleReadBpsDevice": [{"major": "x", "minor": 0, "rate": 1}]}}), "a device that is none", "linux.resources.blockIO.throttleReadBpsDevice[0].major")
    refused(linux("true", resources={"hugepageLimits": [{"pageSize": "../x", "limit": 1}]}), "a size of pages that is none", "hugepageLimits[0]")
    refused(linux("true", resources={"rdma": {"a/b": {"hcaHandles": 1}}}), "an RDMA device that is none", "linux.resources.rdma")
    refused(linux("true", resources={"network": {"priorities": [{"name": "", "priority": 1}]}}), "an interface that is none", "linux.resources.network.priorities[0]")
    for name, value in (("rdma", {"mlx5_0": {"hcaHandles": 1}}), ("network", {"classID": 7}), ("hugepageLimits", [{"pageSize": "77MB", "limit": 1}]),
                        ("blockIO", {"throttleReadBpsDevice": [{"major": 9, "minor": 999, "rate": 1000}]})):
        result = linux("true", resources={name: value}).run()
        score.check(result[0] == 0 or (b"linux.resources" in result[2] and result[2].count(b"\n") == 1 and not bundle.left()), f"resources.{name}: carried out, or refused by name", result)
    has(linux("true", rootfsPropagation="rslave", resources={"cpu": {"shares": 512}, "devices": [{"allow": False, "access": "rwm"}]}), "resources")
    linux("cd /sys/fs/cgroup; stat -f -c %T .; cat memory.max pids.max cpu.max cgroup.controllers; grep -c 1 cgroup.procs; [ $(cat memory.current) -gt 0 ] && cat pids.current; touch x 2>&1",
          resources={"memory": {"limit": 64 << 20}, "pids": {"limit": 20}, "cpu": {"quota": 50000, "period": 100000}})
    bundle.config["mounts"].append({"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["nosuid", "noexec", "nodev", "relatime", "ro"]})
    result = bundle.run()
    if b"no such cgroup" in result[2]:
        score.skip("a cgroup file system", "no cgroup for the caller")
    else:
        lines = result[1].decode().splitlines()
        score.check(lines[1:5] == ["67108864", "20", "50000 100000", "cpuset cpu memory pids"] and len(lines) == 8 and "Read-only" in lines[7], "a cgroup file system tells of the container's limits", result)
    for section in ("vm", "windows", "solaris", "zos"):
        bundle.reset("true").config[section] = {"x": 1}
        refused(bundle, section, section)
    bundle.reset("true").config["ociVersion"] = "2.0.0"
    refused(bundle, "another major version", "ociVersion")
    bundle.reset("true").config["unknownProperty"] = {"x": [1]}
    gives(bundle, "properties that nobody knows are ignored", "")


def limits(bundle):
    """Carried out inside; on the host there is a cgroup besides, where one can be made."""
    hog = "x=$(dd if=/dev/zero bs=1M count=300 2>/dev/null | tr '\\000' a); echo too much"
    bundle.shell(f"sh -c \"{hog}\"; echo $?; echo on".replace("$(", "\\$("))
    bundle.config["linux"]["resources"] = {"memory": {"limit": 64 << 20}}
    result = bundle.run()
    if b"host has no such cgroup" in result[2]:
        score.skip("limits", "no cgroup for the caller")
        return
    score.check(result[0] == 0 and result[1] == b"137\non\n", "memory: the one that asks for too much is killed, not its container", result)
    bundle.shell(hog).config["linux"]["resources"] = {"memory": {"limit": 64 << 20}}
    result = bundle.run()
    score.check(result[0] == 137 and b"too much" not in result[1], "memory: the first process", result)
    bundle.shell("i=0; while [ $i -lt 15 ]; do sleep 1 & i=$((i+1)); done; echo fifteen; while [ $i -lt 40 ]; do sleep 1 & i=$((i+1)); done; echo forty")
    bundle.config["linux"]["resources"] = {"pids": {"limit": 20}}
    result = bundle.run()
    score.check(result[1] == b"fifteen\n" and b"fork" in result[2], "pids: as many as there may be, and no more", result)


def identities(bundle, top):
    """A user namespace: ids inside stand for others on the host."""
    for name, _, _ in os.walk(bundle.path / "rootfs"):
        os.chown(name, 100000, 100000)
    bundle.shell("id -u; stat -c %u / ; echo x > /mapped; stat -c %u /mapped; cat /proc/self/uid_map | wc -l")
    bundle.config["linux"]["namespaces"].append({"type": "user"})
    mapping = [{"containerID": 0, "hostID": 100000, "size": 65536}]
    bundle.config["linux"].update(uidMappings=mapping, gidMappings=mapping)
    for part in (top, bundle.path):
        os.chmod(part, 0o711)
    result = bundle.run()
    score.check(result[0] == 0 and result[1].startswith(b"0\n0\n0\n"), "ids are mapped", result)
    if result[0] == 0:
        score.check(os.stat(bundle.path / "rootfs/mapped").st_uid == 100000, "and files belong to the mapped id")


def broken(bundle):
    path = bundle.path / "config.json"

    def says(name, text, *words):
        path.write_bytes(text)
        status, _, err = bundle.do("create", "--bundle", bundle.path, "b1")
        message = err.decode(errors="replace")
        score.check(status == 1 and message.count("\n") == 1 and all(word in message for word in words) and not bundle.left(), name, status, message, bundle.left())

    good = json.dumps(bundle.reset("true").config).encode()
    says("an empty config.json", b"", "config.json: line 1")
    says("a truncated one", good[: len(good) // 2], "config.json: line 1, column")
    says("not JSON", b"hello\n", "config.json: line 1, column")
    says("not an object", b"[1]", "not a JSON object")
    says("another object", b"{}", "ociVersion: missing")
    says("a key twice", b'{"ociVersion":"1.0.0","ociVersion":"1.0.0"}', "duplicate")
    says("deep nesting", b'{"a":' + b"[" * 100000 + b"]" * 100000 + b"}", "config.json: line 1")
    says("not UTF-8", b'{"ociVersion":"\xff\xfe"}', "config.json: line 1")
    path.write_bytes(b"")
    os.truncate(path, 100 << 20)
    status, _, err = bundle.do("create", "--bundle", bundle.path, "b1")
    score.check(status == 1 and b"104857600 bytes" in err and err.count(b"\n") == 1 and not bundle.left(), "100 MB", err)
    path.unlink()
    os.mkfifo(path)
    status, _, err = bundle.do("create", "--bundle", bundle.path, "b1")
    score.check(status == 1 and err.count(b"\n") == 1, "a FIFO", err)
    path.unlink()
    status, _, err = bundle.do("create", "--bundle", bundle.path, "b1")
    score.check(status == 1 and b"config.json" in err and b"No such file" in err, "none at all", err)


def main():
    with Scratch() as top:
        bundle = Bundle(top)
        process_fields(bundle)
        mounts(bundle, top)
        linux_fields(bundle)
        limits(bundle)
        broken(bundle)
        if os.geteuid() == 0:
            identities(bundle, top)
        else:
            score.skip("ids are mapped", "not root")
        score.check(bundle.left() == [], "nothing is left at the end", bundle.left())
    score.finish()


main()
