#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""--systemd-cgroup, with a bus of our own and somebody on it who takes systemd's part: what a scope is asked for and when it ends."""
import json
import os
import shutil
import subprocess
import sys
import time

from bundle import Bundle, Score, Scratch

score = Score()

# Writes down what it is told, makes the scope's directories as systemd does, and tells that the job is done.
PART = '''
import json, os, sys
import dbus, dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

book = sys.argv[1]
NAME = "org.freedesktop.systemd1"

def plain(value):
    if isinstance(value, dbus.Boolean):
        return bool(value)
    if isinstance(value, (dbus.UInt32, dbus.UInt64, dbus.Int32)):
        return int(value)
    return [plain(item) for item in value] if isinstance(value, dbus.Array) else str(value)

def write(*entry):
    with open(book, "a") as file:
        file.write(json.dumps(entry) + "\\n")

class Manager(dbus.service.Object):
    @dbus.service.method(NAME + ".Manager", in_signature="ssa(sv)a(sa(sv))", out_signature="o")
    def StartTransientUnit(self, unit, mode, properties, auxiliary):
        write("start", str(unit), str(mode), {str(name): plain(value) for name, value in properties})
        result = "failed" if "fails" in unit else "done"
        GLib.timeout_add(20, lambda: self.JobRemoved(7, "/org/freedesktop/systemd1/job/7", unit, result))
        return dbus.ObjectPath("/org/freedesktop/systemd1/job/7")

    @dbus.service.method(NAME + ".Manager", in_signature="sba(sv)")
    def SetUnitProperties(self, unit, runtime, properties):
        write("set", str(unit), bool(runtime), {str(name): plain(value) for name, value in properties})

    @dbus.service.method(NAME + ".Manager", in_signature="ss", out_signature="o")
    def StopUnit(self, unit, mode):
        write("stop", str(unit))
        return dbus.ObjectPath("/org/freedesktop/systemd1/job/8")

    @dbus.service.method(NAME + ".Manager", in_signature="s")
    def ResetFailedUnit(self, unit):
        write("reset", str(unit))

    @dbus.service.signal(NAME + ".Manager", signature="uoss")
    def JobRemoved(self, number, job, unit, result):
        pass

    @dbus.service.method("org.freedesktop.DBus.Properties", in_signature="ss", out_signature="v")
    def Get(self, interface, name):
        return "/csandbox-user"

DBusGMainLoop(set_as_default=True)
bus = dbus.bus.BusConnection(os.environ["DBUS_SYSTEM_BUS_ADDRESS"])
name = dbus.service.BusName(NAME, bus)
manager = Manager(bus, "/org/freedesktop/systemd1")
write("ready")
GLib.MainLoop().run()
'''


def entries(book):
    return [json.loads(line) for line in open(book)] if os.path.exists(book) else []


def start_bus(top):
    config = f"{top}/bus.conf"
    open(config, "w").write(f"""<busconfig><type>system</type><listen>unix:path={top}/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>""")
    daemon = subprocess.Popen(["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = os.environ["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={top}/bus"
    for _ in range(2000):
        if os.path.exists(f"{top}/bus"):
            break
        time.sleep(0.05)
    part = subprocess.Popen([sys.executable, "-c", PART, f"{top}/book"], stderr=subprocess.DEVNULL)
    for _ in range(2000):
        if entries(f"{top}/book"):
            break
        time.sleep(0.05)
    return daemon, part


def scopes(bundle, book):
    def do(*arguments):
        return bundle.do("--systemd-cgroup", *arguments)

    resources = {"memory": {"limit": 64 << 20}, "pids": {"limit": 10}, "cpu": {"shares": 1024, "quota": 50000, "period": 100000}}
    bundle.reset("sleep", "1000").config["linux"].update(resources=resources, cgroupsPath="machine-csb.slice:libpod:one")
    bundle.write()
    made = subprocess.run(bundle.command("--systemd-cgroup", "create", "--bundle", bundle.path, "--pid-file", f"{bundle.path}/pid", "s1"),
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300).returncode
    if made and "no such cgroup" in bundle.last_log().get("msg", ""):
        score.skip("scopes", "no cgroup for the caller")
        return
    score.check(made == 0, "create", bundle.last_log())
    start = next((entry for entry in entries(book) if entry[0] == "start"), None)
    score.check(start and start[1:3] == ["libpod-one.scope", "replace"], "a scope is asked for", start)
    asked = start[3] if start else {}
    pid = int(open(f"{bundle.path}/pid").read())
    score.check(asked.get("Slice") == "machine-csb.slice" and asked.get("Delegate") is True and asked.get("PIDs") == [pid],
                "in its slice, handed over, with the process that stands for the container", asked, pid)
    unified = os.path.exists("/sys/fs/cgroup/cgroup.controllers")
    score.check(asked.get("MemoryMax" if unified else "MemoryLimit", 0) >= 64 << 20 and asked.get("TasksMax", 0) >= 10
                and asked.get("CPUQuotaPerSecUSec") == 500000 and asked.get("CPUWeight" if unified else "CPUShares") == (39 if unified else 1024), "with its limits", asked)
    inside = open(f"/proc/{pid}/cgroup").read()
    score.check("/machine.slice/machine-csb.slice/libpod-one.scope" in inside, "and the process is there", inside)
    score.check(do("start", "s1")[0] == 0 and bundle.status("s1") == "running", "start")
    score.check(do("update", "--pids-limit", "20", "s1")[0] == 0, "update")
    changed = next((entry for entry in entries(book) if entry[0] == "set"), None)
    score.check(changed and changed[1] == "libpod-one.scope" and changed[3].get("TasksMax", 0) >= 20, "systemd hears of it", changed)
    score.check(do("delete", "--force", "s1")[0] == 0, "delete")
    score.check(["stop", "libpod-one.scope"] in entries(book) and not bundle.left(), "the scope is stopped", entries(book))
    score.check(not os.path.exists("/sys/fs/cgroup/pids/machine.slice/machine-csb.slice/libpod-one.scope"), "and no directory is left")
    for name in ("pids", "memory", "cpu", "cpuacct", "cpuset", "devices", "freezer", "blkio", "systemd", "unified", ""):
        for path in ("machine.slice/machine-csb.slice", "machine.slice"):
            try:
                os.rmdir(f"/sys/fs/cgroup/{name}/{path}")
            except OSError:
                pass


def refusals(bundle, book):
    def fails(name, path, *words):
        bundle.reset("true").config["linux"]["cgroupsPath"] = path
        bundle.write()
        result = bundle.do("--systemd-cgroup", "run", "--bundle", str(bundle.path), "s2")
        text = result[2].decode(errors="replace")
        score.check(result[0] == 1 and text.count("\n") == 1 and all(word in text for word in words) and not bundle.left(), name, result, bundle.left())

    fails("a job that fails", "system.slice:csb:fails", "csb-fails.scope", "failed")
    fails("a path that is not SLICE:PREFIX:NAME", "/some/where", "cgroupsPath", "/some/where")
    fails("a slice that is none", "nothing:a:b", "cgroupsPath", "nothing")
    os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=/no/such/bus"
    fails("no systemd", "system.slice:csb:x", "--systemd-cgroup", "systemd")


def main():
    try:
        import dbus  # noqa: F401
        from gi.repository import GLib  # noqa: F401
    except ImportError:
        print("1..0 # SKIP python3-dbus and python3-gi are needed")
        sys.exit(77)
    if os.geteuid() != 0 or not shutil.which("dbus-daemon"):
        print("1..0 # SKIP dbus-daemon, as root, is needed")
        sys.exit(77)
    with Scratch() as top:
        bundle = Bundle(top)
        daemon, part = start_bus(top)
        try:
            scopes(bundle, f"{top}/book")
            refusals(bundle, f"{top}/book")
        finally:
            for process in (part, daemon):
                process.terminate()
                process.wait(timeout=300)
    score.finish()


main()
