#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Pods through the socket that Kubernetes' kubelet speaks to (CRI v1), with a client as small as it can be."""
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time

from bundle import CSANDBOX, Score, Scratch, make_rootfs, run

score = Score()

CONFIG = """version = 2
root = "{top}/root"
state = "{top}/state"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.overlayfs", "io.containerd.internal.v1.opt"]
[grpc]
  address = "{top}/socket"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/box:latest"
  disable_apparmor = true
  restrict_oom_score_adj = true
  disable_tcp_service = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
    default_runtime_name = "csandbox"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.csandbox]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.csandbox.options]
        BinaryName = "{program}"
"""


# --- protocol buffers: numbers of fields and values are all that there is to it ---

def varint(value):
    out = b""
    while True:
        out += bytes([value & 127 | (128 if value > 127 else 0)])
        value >>= 7
        if not value:
            return out


def message(*fields):
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            value = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(value)) + value
    return out


def parse(data):
    fields, at = {}, 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if not byte & 128:
                return value

    while at < len(data):
        key = number()
        if key & 7 == 0:
            fields[key >> 3] = number()
        elif key & 7 == 2:
            size = number()
            fields[key >> 3] = data[at:at + size]
            at += size
        else:
            at += 8 if key & 7 == 1 else 4
    return fields


# --- an image of one layer ---

def make_image(rootfs, path):
    blobs = {}

    def blob(data):
        digest = hashlib.sha256(data).hexdigest()
        blobs[digest] = data
        return digest

    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        tar.add(rootfs, arcname=".")
    layer = layer.getvalue()
    digest = blob(layer)
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["sleep", "100000"], "Env": ["PATH=/bin"]},
                         "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest]}}).encode()
    kind = "application/vnd.oci.image."
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind + "manifest.v1+json",
                           "config": {"mediaType": kind + "config.v1+json", "digest": "sha256:" + blob(config), "size": len(config)},
                           "layers": [{"mediaType": kind + "layer.v1.tar", "digest": "sha256:" + digest, "size": len(layer)}]}).encode()
    index = json.dumps({"schemaVersion": 2, "manifests": [{"mediaType": kind + "manifest.v1+json", "digest": "sha256:" + blob(manifest), "size": len(manifest),
                                                           "annotations": {"io.containerd.image.name": "localhost/box:latest", "org.opencontainers.image.ref.name": "latest"}}]}).encode()
    with tarfile.open(path, "w") as tar:
        for name, data in [("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'), ("index.json", index)] + [("blobs/sha256/" + key, data) for key, data in blobs.items()]:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))


class Cri:
    def __init__(self, grpc, top):
        self.channel = grpc.insecure_channel(f"unix://{top}/socket")

    def call(self, name, *fields):
        method = self.channel.unary_unary("/runtime.v1.RuntimeService/" + name, request_serializer=lambda data: data, response_deserializer=parse)
        return method(message(*fields), timeout=300)


def pods(cri, top):
    namespaces = message((1, 2), (2, 1))  # the host's network; a pid namespace for each container
    sandbox = message((1, message((1, "pod"), (2, "uid1"), (3, "default"))), (2, "podname"), (3, f"{top}/logs"), (8, message((2, message((1, namespaces))))))
    pod = cri.call("RunPodSandbox", (1, sandbox))[1].decode()
    score.check(len(pod) == 64, "RunPodSandbox", pod)

    def container(name, script, *resources):
        config = message((1, message((1, name))), (2, message((1, "localhost/box:latest"))), (3, "sh"), (3, "-c"), (3, script), (11, name + ".log"),
                         (15, message(*resources, (2, message((3, namespaces))))))
        identity = cri.call("CreateContainer", (1, pod), (2, config), (3, sandbox))[1].decode()
        cri.call("StartContainer", (1, identity))
        return identity

    def status(identity):
        return parse(cri.call("ContainerStatus", (1, identity))[1])

    first = container("first", "echo out; echo $$; sleep 100000")
    second = container("second", "echo x > /dev/shm/x; exit 7")
    for _ in range(2000):
        if status(second).get(3) == 2:
            break
        time.sleep(0.05)
    score.check(status(first).get(3) == 1 and status(second).get(7) == 7, "two containers: one runs, one ended with its status", status(first), status(second))
    log = open(f"{top}/logs/first.log").read()
    score.check("stdout F out" in log and "stdout F 1\n" in log, "logs", log)
    result = cri.call("ExecSync", (1, first), (2, "sh"), (2, "-c"), (2, "cat /dev/shm/x; hostname >&2; exit 3"), (3, 10))
    score.check(result.get(1) == b"x\n" and result.get(3) == 3, "ExecSync; a pod's /dev/shm is shared", result)
    cri.call("StopContainer", (1, first), (2, 0))
    score.check(status(first).get(3) == 2 and status(first).get(7) == 137, "StopContainer", status(first))
    cri.call("RemoveContainer", (1, first))
    if os.path.exists("/sys/fs/cgroup/memory") or os.path.exists("/sys/fs/cgroup/cgroup.controllers"):
        hog = container("hog", "x=$(dd if=/dev/zero bs=1M count=200 2>/dev/null | tr '\\000' a); echo too much", (1, message((4, 32 << 20))))
        for _ in range(2000):
            if status(hog).get(3) == 2:
                break
            time.sleep(0.05)
        score.check(status(hog).get(7) == 137 and status(hog).get(10) == b"OOMKilled", "a container that runs out of memory says so", status(hog))
    third = container("third", "sleep 100000")
    score.check(status(third).get(3) == 1, "the pod goes on")
    cri.call("StopPodSandbox", (1, pod))
    cri.call("RemovePodSandbox", (1, pod))
    score.check(1 not in cri.call("ListPodSandbox"), "RemovePodSandbox leaves nothing")


def main():
    if os.geteuid() != 0 or not shutil.which("containerd") or not shutil.which("ctr"):
        print("1..0 # SKIP containerd and ctr, as root, are needed")
        sys.exit(77)
    try:
        import grpc
    except ImportError:
        print("1..0 # SKIP no grpc for Python")
        sys.exit(77)
    with Scratch() as top:
        make_image(make_rootfs(f"{top}/rootfs"), f"{top}/image.tar")
        os.mkdir(f"{top}/logs")
        open(f"{top}/config.toml", "w").write(CONFIG.format(top=top, program=CSANDBOX))
        daemon = subprocess.Popen(["containerd", "--config", f"{top}/config.toml"], stdout=open(f"{top}/log", "wb"), stderr=subprocess.STDOUT)
        ctr = ["ctr", "--address", f"{top}/socket", "-n", "k8s.io"]
        try:
            for _ in range(1000):
                if run([*ctr, "version"])[0] == 0:
                    break
                time.sleep(0.1)
            imported = run([*ctr, "images", "import", "--snapshotter", "native", f"{top}/image.tar"])
            try:
                Cri(grpc, top).call("Version")
            except grpc.RpcError as error:
                score.skip("pods", f"no CRI here: {error.details()}; {imported}")
                return score.finish()
            try:
                pods(Cri(grpc, top), top)
            except grpc.RpcError as error:
                score.check(False, "a call that failed", error.details())
        finally:
            daemon.terminate()
            daemon.wait(timeout=300)
            run(["sh", "-c", f"grep -o '{top}[^ ]*' /proc/mounts | sort -r | xargs -r -n1 umount -l"])
    score.finish()


main()
