#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every command of the runtime, and the order of a container's life, on a bundle made on the spot."""
import fcntl
import json
import os
import re
import signal
import socket
import struct
import subprocess
import termios
import time

from bundle import CSANDBOX, Bundle, Score, Scratch, run

score = Score()


def says(name, result, status, out=None, err=None):
    good = result[0] == status
    if out is not None:
        good = good and result[1].decode(errors="replace") == out
    if err is not None:
        text = result[2].decode(errors="replace")
        good = good and err in text and text.count("\n") == 1
    score.check(good, name, f"status {result[0]}, not {status}", result[1], result[2])


def life(bundle, top):
    out = open(f"{top}/out", "wb")
    bundle.shell('trap "echo term; exit 3" TERM; echo started; while :; do sleep 0.05; done')
    begin = time.monotonic()
    score.check(bundle.create("c1", "--pid-file", f"{top}/pid", output=out) == 0, "create")
    score.check(time.monotonic() - begin < 30, "create waits for nobody")
    pid = open(f"{top}/pid").read()
    score.check(pid.isdigit() and os.path.exists(f"/proc/{pid}"), "the pid file has a number and no newline", pid)
    says("a second create of the same id", bundle.do("create", "--bundle", bundle.path, "c1"), 1, "", "container with id exists")
    state = json.loads(bundle.do("state", "c1")[1])
    score.check(state["status"] == "created" and state["pid"] == int(pid) and state["ociVersion"] and state["id"] == "c1"
                and state["bundle"] == str(bundle.path), "state: created", state)
    score.check(open(f"{top}/out").read() == "", "nothing runs before start")
    says("exec in a created container is possible", bundle.do("exec", "c1", "echo", "x"), 0, "x\n")
    says("start", bundle.do("start", "c1"), 0, "")
    says("start again", bundle.do("start", "c1"), 1, "", "cannot start an already running container")
    score.check(bundle.status("c1") == "running", "state: running")
    bare = run([CSANDBOX, "--root", str(bundle.state), "state", "c1"], env={})
    score.check(json.loads(bare[1])["status"] == "running", "state with an empty environment", bare)
    for _ in range(5000):
        if open(f"{top}/out").read() == "started\n":
            break
        time.sleep(0.02)
    score.check(open(f"{top}/out").read() == "started\n", "the program runs")
    says("delete of what runs", bundle.do("delete", "c1"), 1, "", "is not stopped")
    execs(bundle, top)
    pauses(bundle)
    listings(bundle)
    says("kill with a name", bundle.do("kill", "c1", "SIGTERM"), 0, "")
    score.check(bundle.wait_for("c1", "stopped"), "state: stopped")
    score.check(open(f"{top}/out").read() == "started\nterm\n", "the signal reached the handler")
    says("kill of what stopped", bundle.do("kill", "c1", "9"), 1, "", "container not running")
    says("exec in what stopped", bundle.do("exec", "c1", "true"), 255, "", "container not running")
    says("start of what stopped", bundle.do("start", "c1"), 1, "", "stopped")
    says("delete", bundle.do("delete", "c1"), 0, "")
    says("delete of what is not there", bundle.do("delete", "c1"), 1, "", "does not exist")
    says("delete --force of what is not there", bundle.do("delete", "--force", "c1"), 0, "", None)
    says("state of what is not there", bundle.do("state", "c1"), 1, "", "does not exist")
    entry = bundle.last_log()
    score.check(set(entry) == {"level", "msg", "time"} and entry["level"] == "error" and "does not exist" in entry["msg"], "--log in JSON", entry)
    score.check(bundle.left() == [], "nothing is left", bundle.left())


def execs(bundle, top):
    says("exec", bundle.do("exec", "c1", "sh", "-c", "echo in; exit 5"), 5, "in\n")
    says("exec: not found", bundle.do("exec", "c1", "nosuch"), 127, "", "executable file not found in $PATH")
    says("exec: a path that is not there", bundle.do("exec", "c1", "/no/such"), 127, "", "no such file or directory")
    says("exec: no permission", bundle.do("exec", "c1", "/etc/passwd"), 126, "", "permission denied")
    says("exec --cwd, --env, --user", bundle.do("exec", "--cwd", "/etc", "--env", "A=b", "--user", "12:34", "c1", "sh", "-c", "pwd; echo $A; id -u; id -g"), 0, "/etc\nb\n12\n34\n")
    mask = int(bundle.do("exec", "--cap", "CAP_SYS_TIME", "c1", "grep", "CapEff", "/proc/self/status")[1].split()[1], 16)
    score.check(mask >> 25 & 1, "exec --cap", hex(mask))
    says("exec --no-new-privs", bundle.do("exec", "--no-new-privs", "c1", "grep", "NoNewPrivs", "/proc/self/status"), 0, "NoNewPrivs:\t1\n")
    says("exec sees the container", bundle.do("exec", "c1", "sh", "-c", "[ $(readlink /proc/1/ns/pid) = $(readlink /proc/self/ns/pid) ]"), 0, "")
    read, write = os.pipe()
    done = subprocess.run(["sh", "-c", 'exec "$@" 3>&%d' % write, "sh", *bundle.command("exec", "--preserve-fds", "1", "c1", "sh", "-c", "echo through >&3")],
                          pass_fds=[write], timeout=300)
    os.close(write)
    score.check(done.returncode == 0 and os.read(read, 100) == b"through\n", "exec --preserve-fds", done)
    says("exec --additional-gids", bundle.do("exec", "--additional-gids", "33", "--user", "5:6", "c1", "id", "-G"), 0, "6 33\n")
    piped = subprocess.run(bundle.command("exec", "c1", "cat"), input=b"piped", stdout=subprocess.PIPE, timeout=300)
    score.check(piped.stdout == b"piped" and piped.returncode == 0, "exec: standard input", piped)
    process = json.loads(json.dumps(bundle.config["process"]))
    process.update(args=["sh", "-c", "echo $B; exit 9"], env=["PATH=/bin", "B=c"])
    with open(f"{top}/process", "w") as file:
        json.dump(process, file)
    says("exec --process", bundle.do("exec", "--process", f"{top}/process", "c1"), 9, "c\n")
    if os.cpu_count() > 1:
        process.update(args=["grep", "Cpus_allowed_list", "/proc/self/status"], execCPUAffinity={"initial": "0", "final": "1"})
        with open(f"{top}/process", "w") as file:
            json.dump(process, file)
        says("exec --process: execCPUAffinity", bundle.do("exec", "--process", f"{top}/process", "c1"), 0, "Cpus_allowed_list:\t1\n")
    process["execCPUAffinity"] = {"final": "1000"}
    with open(f"{top}/process", "w") as file:
        json.dump(process, file)
    says("exec --process: a processor that is not there", bundle.do("exec", "--process", f"{top}/process", "c1"), 255, "", "execCPUAffinity")
    detached = subprocess.run(bundle.command("exec", "--detach", "--pid-file", f"{top}/epid", "c1", "sh", "-c", "trap 'exit 4' TERM; while :; do sleep 0.05; done"),
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300)
    score.check(detached.returncode == 0, "exec --detach", detached)
    pid = int(open(f"{top}/epid").read())
    score.check(os.path.exists(f"/proc/{pid}"), "exec --detach: a live process")
    time.sleep(0.3)
    os.kill(pid, signal.SIGTERM)
    for _ in range(5000):
        if not os.path.exists(f"/proc/{pid}") or open(f"/proc/{pid}/stat").read().split(")")[1].split()[0] == "Z":
            break
        time.sleep(0.02)
    else:
        score.check(False, "exec --detach: signals are passed on")
    says("the process inside is gone, too", bundle.do("exec", "c1", "sh", "-c", "ps | grep -c '[e]xit 4'"), 1, "0\n")
    relay = subprocess.Popen(bundle.command("exec", "c1", "sleep", "1000"))
    for _ in range(5000):
        if b"sleep 1000" in bundle.do("exec", "c1", "ps")[1]:
            break
        time.sleep(0.02)
    relay.kill()
    relay.wait()
    for _ in range(5000):
        if b"sleep 1000" not in bundle.do("exec", "c1", "ps")[1]:
            break
        time.sleep(0.02)
    else:
        score.check(False, "a killed exec takes its process along")


def pauses(bundle):
    says("pause", bundle.do("pause", "c1"), 0, "")
    score.check(bundle.status("c1") == "paused", "state: paused")
    says("pause again", bundle.do("pause", "c1"), 1, "", "container not running")
    says("exec in a paused container", bundle.do("exec", "c1", "true"), 255, "", "paused")
    before = json.loads(bundle.do("events", "--stats", "c1")[1])["data"]["cpu"]["usage"]["total"]
    time.sleep(0.3)
    after = json.loads(bundle.do("events", "--stats", "c1")[1])["data"]["cpu"]["usage"]["total"]
    score.check(after - before < 50_000_000, "what is paused uses no time", before, after)
    waits = subprocess.Popen(bundle.command("exec", "--ignore-paused", "c1", "echo", "late"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    time.sleep(0.3)
    score.check(waits.poll() is None, "exec --ignore-paused begins, and waits with the others")
    says("resume", bundle.do("resume", "c1"), 0, "")
    score.check(waits.communicate(timeout=300)[0] == b"late\n", "and goes on with them")
    says("resume again", bundle.do("resume", "c1"), 1, "", "container not paused")
    says("exec after resume", bundle.do("exec", "c1", "echo", "x"), 0, "x\n")


def listings(bundle):
    pids = json.loads(bundle.do("ps", "--format", "json", "c1")[1])
    score.check(1 in pids, "ps --format json", pids)
    status, out, _ = bundle.do("ps", "c1")
    score.check(status == 0 and b"CMD" in out and b"sh" in out, "ps", out)
    listed = json.loads(bundle.do("list", "--format", "json")[1])
    score.check([item["id"] for item in listed] == ["c1"] and listed[0]["status"] == "running", "list --format json", listed)
    says("list --quiet", bundle.do("list", "--quiet"), 0, "c1\n")
    stream = subprocess.Popen(bundle.command("events", "--interval", "1s", "c1"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    first, second = json.loads(stream.stdout.readline()), json.loads(stream.stdout.readline())
    stream.kill()
    stream.wait()
    score.check(first["type"] == second["type"] == "stats" and first["id"] == "c1", "events, one after another", first, second)
    table = bundle.do("list")[1].decode().splitlines()
    score.check(table[0].split()[:3] == ["ID", "PID", "STATUS"] and table[1].split()[0] == "c1" and "running" in table[1], "list as a table", table)
    stats = json.loads(bundle.do("events", "--stats", "c1")[1])
    score.check(stats["type"] == "stats" and stats["data"]["pids"]["current"] >= 1 and stats["data"]["memory"]["usage"]["usage"] > 0, "events --stats", stats)


def runs(bundle):
    says("run", bundle.shell("echo x; exit 7").run(), 7, "x\n")
    says("run: a signal is 128+N", bundle.shell("sh -c 'kill -9 $$'; exit $?").run(), 137)
    says("run: not found", bundle.reset("nosuch").run(), 127, "", 'exec: "nosuch": executable file not found in $PATH')
    says("run: a path that is not there", bundle.reset("/no/such").run(), 127, "", "no such file or directory")
    says("run: no permission", bundle.reset("/etc/passwd").run(), 126, "", "permission denied")
    score.check(bundle.left() == [], "nothing is left of runs", bundle.left())
    says("run --keep", bundle.reset("true").run("k1", "--keep"), 0)
    score.check(bundle.status("k1") == "stopped", "run --keep keeps")
    says("delete of what was kept", bundle.do("delete", "k1"), 0)
    bundle.reset("sleep", "1000").write()
    score.check(subprocess.run(bundle.command("run", "--detach", "--bundle", bundle.path, "d1"), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, timeout=300).returncode == 0 and bundle.status("d1") == "running", "run --detach")
    waiter = subprocess.Popen(bundle.command("wait", "d1"), stdout=subprocess.PIPE)
    time.sleep(0.2)
    says("kill --all", bundle.do("kill", "--all", "d1", "KILL"), 0)
    score.check(waiter.wait(timeout=300) == 137 and waiter.stdout.read() == b"137\n", "wait tells the status")
    says("delete --force of what stopped", bundle.do("delete", "--force", "d1"), 0)
    bundle.reset("sleep", "1000")
    bundle.create("f1")
    says("delete of what is only created", bundle.do("delete", "f1"), 0)
    bundle.create("f1")
    bundle.do("start", "f1")
    says("delete --force of what runs", bundle.do("delete", "--force", "f1"), 0)
    score.check(bundle.left() == [], "nothing is left", bundle.left())
    read, write = os.pipe()
    bundle.shell("echo through >&3").write()
    done = subprocess.run(["sh", "-c", 'exec "$@" 3>&%d' % write, "sh", *bundle.command("run", "--preserve-fds", "1", "--bundle", bundle.path, "p1")],
                          pass_fds=[write], timeout=300)
    os.close(write)
    score.check(done.returncode == 0 and os.read(read, 100) == b"through\n", "--preserve-fds")
    command = subprocess.Popen(bundle.shell("trap 'exit 6' TERM; echo up; while :; do sleep 0.05; done").write() or bundle.command("run", "--bundle", bundle.path, "s1"), stdout=subprocess.PIPE)
    command.stdout.readline()
    command.terminate()
    score.check(command.wait(timeout=300) == 6, "run passes signals on")


def receive_terminal(listener):
    connection, _ = listener.accept()
    _, control, _, _ = connection.recvmsg(256, socket.CMSG_SPACE(4))
    return struct.unpack("i", control[0][2][:4])[0]


def read_until(fd, wanted, seconds=100):
    text, end = b"", time.monotonic() + seconds
    while wanted not in text and time.monotonic() < end:
        try:
            piece = os.read(fd, 4096)
        except OSError:
            break
        text += piece
    return text


def updates(bundle):
    """Of what runs: the limit that is there when a process asks for more."""
    bundle.reset("sleep", "1000").config["linux"]["resources"] = {"pids": {"limit": 6}}
    if bundle.create("u1"):
        score.skip("update", "no cgroup for the caller")
        return
    bundle.do("start", "u1")
    script = "i=0; while [ $i -lt 10 ]; do sleep 1 & i=$((i+1)); done; echo ten"
    score.check(b"ten" not in bundle.do("exec", "u1", "sh", "-c", script)[1], "a limit of processes")
    says("update", bundle.do("update", "--pids-limit", "100", "u1"), 0, "")
    score.check(b"ten" in bundle.do("exec", "u1", "sh", "-c", script)[1], "a larger one, by update")
    update = subprocess.run(bundle.command("update", "--resources", "-", "u1"), input=b'{"pids":{"limit":3},"memory":{"limit":67108864}}', timeout=300)
    score.check(update.returncode == 0 and b"ten" not in bundle.do("exec", "u1", "sh", "-c", script)[1], "a smaller one, from standard input")
    says("update with nonsense", bundle.do("update", "--memory", "much", "u1"), 1, "", "--memory much")
    bundle.do("delete", "--force", "u1")


def terminals(bundle, top):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{top}/console")
    listener.listen()
    bundle.shell("tty; stty size; echo ready; read x; stty size; echo got $x; exit 2", terminal=True, consoleSize={"height": 22, "width": 77})
    score.check(bundle.create("t1", "--console-socket", f"{top}/console") == 0, "create with a terminal")
    master = receive_terminal(listener)
    bundle.do("start", "t1")
    text = read_until(master, b"ready\r\n")
    score.check(b"/dev/pts/0\r\n22 77\r\n" in text, "a terminal of the size that the config says", text)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    for _ in range(1000):
        if bundle.do("exec", "t1", "sh", "-c", "stty size </dev/pts/0")[1] == b"40 100\n":
            break
        time.sleep(0.1)
    execs = subprocess.run(bundle.command("exec", "--tty", "--console-socket", f"{top}/console", "--detach", "t1", "sh", "-c", "tty; sleep 0.2"), timeout=300)
    second = receive_terminal(listener)
    score.check(execs.returncode == 0 and b"/dev/pts/1" in read_until(second, b"\r\n"), "exec --tty")
    os.write(master, b"word\n")
    text = read_until(master, b"got word\r\n")
    score.check(b"40 100" in text and b"got word" in text, "input, and the new size", text)
    score.check(bundle.wait_for("t1", "stopped"), "the end of a container with a terminal")
    bundle.do("delete", "t1")
    says("a terminal without --console-socket", bundle.do("create", "--bundle", bundle.path, "t2"), 1, "", "--console-socket")
    bundle.reset("true").write()
    says("--console-socket without a terminal", bundle.do("create", "--bundle", bundle.path, "--console-socket", f"{top}/console", "t2"), 1, "", "process.terminal")


def others(bundle, top):
    version = run([CSANDBOX, "--version"])[1].decode()
    score.check(re.search(r"^runc version \S+$", version, re.M) and re.search(r"^commit: \S+$", version, re.M)
                and re.search(r"^spec: 1\.2\.0$", version, re.M), "--version", version)
    features = json.loads(run([CSANDBOX, "features"])[1])
    score.check(features["ociVersionMax"] == "1.2.0" and "pid" in features["linux"]["namespaces"] and "rbind" in features["mountOptions"]
                and features["mountOptions"] == sorted(features["mountOptions"]), "features", features)
    os.mkdir(f"{top}/spec")
    says("spec", run([CSANDBOX, "spec", "--bundle", f"{top}/spec"]), 0, "")
    score.check(json.load(open(f"{top}/spec/config.json"))["root"]["readonly"] is True, "spec writes a config.json")
    says("spec does not write over one", run([CSANDBOX, "spec", "--bundle", f"{top}/spec"]), 1, "", "config.json")
    (bundle.state / "crashed").mkdir()
    score.check(bundle.status("crashed") == "stopped" and bundle.do("delete", "crashed")[0] == 0, "a directory that a crash left")
    run([CSANDBOX, "--root", str(bundle.state), "--log", f"{top}/text.log", "--log-format", "text", "--debug", "--rootless", "auto", "state", "none"])
    score.check(re.match(r'time="[^"]+" level=error msg="container .* does not exist"$', open(f"{top}/text.log").read().strip()), "--log in text", open(f"{top}/text.log").read())
    says("--log-format of no kind", run([CSANDBOX, "--log-format", "xml", "state", "none"]), 125, "", "--log-format xml")
    says("--rootless of no kind", run([CSANDBOX, "--rootless", "maybe", "state", "none"]), 125, "", "--rootless maybe")
    says("--log that cannot be written", run([CSANDBOX, "--log", "/no/such/log", "list"]), 125, "", "--log: cannot write /no/such/log")
    says("--root that is no directory", run([CSANDBOX, "--root", "/etc/passwd", "list"]), 1, "", "--root: cannot read /etc/passwd")
    says("a bundle without config.json", run([CSANDBOX, "create", "--bundle", "/etc", "none"]), 1, "", "cannot read config.json in /etc")
    told = run([CSANDBOX, "exec", "--help"])[1].decode()
    score.check("-e, --env NAME=VALUE" in told and "--ignore-paused" in told, "exec --help lists its options", told)
    told = run([CSANDBOX, "--help"])[1].decode()
    score.check("--systemd-cgroup" in told and "--log FILE" in told, "--help lists global options", told)
    for command in ("checkpoint", "restore"):
        says(command, bundle.do(command, "c1"), 1, "", "not supported")
    printed = run([CSANDBOX, "install", "--print"])[1].decode()
    score.check(all(word in printed for word in ("engine.runtimes", "BinaryName", "RuntimeClass", "daemon.json")), "install --print", printed)
    for engine, word in (("podman", "engine.runtimes"), ("containerd", "BinaryName"), ("kubernetes", "RuntimeClass"), ("docker", '"runtimes"')):
        printed = run([CSANDBOX, "install", "--print", "--engine", engine])[1].decode()
        score.check(word in printed and printed.count("# ") <= 6, f"install --print --engine {engine}", printed)
    says("install", run([CSANDBOX, "install", "--prefix", f"{top}/prefix"]), 0)
    score.check(json.load(open(f"{top}/prefix/etc/docker/daemon.json"))["runtimes"]["csandbox"]["path"] == os.path.realpath(CSANDBOX), "install: docker")
    says("an id that is none", bundle.do("create", "--bundle", bundle.path, "a/b"), 1, "", "invalid container id")
    says("an unknown option", bundle.do("create", "--nonsense", "x"), 1, "", "--nonsense")
    says("a bundle that is not there", bundle.do("create", "--bundle", "/no/such", "x"), 1, "", "No such file or directory")
    says("an unknown signal", bundle.do("kill", "c1", "NONSENSE"), 1, "", "unknown signal")
    says("update of what is not there", bundle.do("update", "--memory", "64m", "c1"), 1, "", "does not exist")


def main():
    with Scratch() as top:
        bundle = Bundle(top)
        life(bundle, top)
        runs(bundle)
        updates(bundle)
        terminals(bundle, top)
        others(bundle, top)
        score.check(bundle.left() == [], "nothing is left at the end", bundle.left())
    score.finish()


main()
