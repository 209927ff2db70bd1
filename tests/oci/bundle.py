# SPDX-License-Identifier: Apache-2.0
"""What the tests of the OCI runtime share: bundles made on the spot, and the runtime's commands."""
import copy
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "host"))
from harness import CSANDBOX, Score, Scratch, run  # noqa: E402  (the path must be there first)

APPLETS = """sh ls cat echo sleep id mount ps env touch kill true false uname hostname stty wc head mkdir chown
stat printf grep test tty seq rm ln dd umask ulimit nproc readlink mknod pwd domainname tail cut tr date""".split()
CAPABILITIES = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL", "CAP_SETUID", "CAP_SETGID", "CAP_MKNOD"]

CONFIG = {
    "ociVersion": "1.2.0",
    "process": {
        "user": {"uid": 0, "gid": 0},
        "args": ["true"],
        "env": ["PATH=/bin:/usr/bin", "HOME=/"],
        "cwd": "/",
        "capabilities": {name: CAPABILITIES for name in ("bounding", "effective", "permitted")},
    },
    "root": {"path": "rootfs"},
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=65536k"]},
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
         "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
    ],
    "linux": {"namespaces": [{"type": name} for name in ("pid", "network", "ipc", "uts", "mount")]},
}


def need_busybox():
    """The static busybox's path; exits as skipped without one, or without the right to be an engine's runtime."""
    if os.geteuid() != 0:
        print("1..0 # SKIP these tests do what engines do as root")
        sys.exit(77)
    path = shutil.which("busybox")
    if not path:
        print("1..0 # SKIP no busybox-static on this host")
        sys.exit(77)
    return path


def make_rootfs(path):
    root = pathlib.Path(path)
    (root / "bin").mkdir(parents=True)
    shutil.copy(need_busybox(), root / "bin/busybox")
    for applet in APPLETS:
        (root / "bin" / applet).symlink_to("busybox")
    for name in ("etc", "tmp", "proc", "dev", "sys", "home"):
        (root / name).mkdir()
    (root / "etc/passwd").write_text("root:x:0:0:root:/:/bin/sh\n")
    return root


class Bundle:
    """A directory with config.json and rootfs; the configuration is changed before it is written."""

    def __init__(self, top, name="bundle"):
        self.path = pathlib.Path(top) / name
        self.path.mkdir()
        make_rootfs(self.path / "rootfs")
        self.state = pathlib.Path(top) / "state"
        self.log = pathlib.Path(top) / "log"
        self.config = copy.deepcopy(CONFIG)

    def reset(self, *args, **process):
        self.config = copy.deepcopy(CONFIG)
        if args:
            self.config["process"]["args"] = list(args)
        self.config["process"].update(process)
        return self

    def shell(self, script, **process):
        return self.reset("sh", "-c", script, **process)

    def write(self):
        (self.path / "config.json").write_text(json.dumps(self.config))

    def command(self, *arguments, **options):
        return [CSANDBOX, "--root", str(self.state), "--log", str(self.log), "--log-format", "json", *map(str, arguments)]

    def do(self, *arguments, **options):
        return run(self.command(*arguments), **options)

    def run(self, identity="c1", *options, **how):
        """(status, stdout, stderr) of the container, from create to delete."""
        self.write()
        return self.do("run", "--bundle", self.path, *options, identity, **how)

    def create(self, identity, *options, output=subprocess.DEVNULL):
        """Engines give files or pipes of their own; a pipe to this test would be held open by the container."""
        self.write()
        done = subprocess.run(self.command("create", "--bundle", self.path, *options, identity), stdin=subprocess.DEVNULL,
                              stdout=output, stderr=output, timeout=300)
        return done.returncode

    def status(self, identity):
        status, out, _ = self.do("state", identity)
        return json.loads(out)["status"] if status == 0 else None

    def wait_for(self, identity, status, seconds=100):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.status(identity) == status:
                return True
            time.sleep(0.02)
        return False

    def left(self):
        return sorted(os.listdir(self.state)) if self.state.exists() else []

    def last_log(self):
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return json.loads(lines[-1]) if lines else {}
