#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A network namespace that an engine prepared: what is seen of it inside, and traffic to its peers."""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import threading
import time

from bundle import Bundle, Score, Scratch

score = Score()
NAME = f"csbt{os.getpid() % 10000}"


def ip(*arguments):
    return subprocess.run(["ip", *arguments], capture_output=True)


def make():
    steps = [("netns", "add", NAME), ("link", "add", NAME, "type", "veth", "peer", "name", "inner0"), ("link", "set", "inner0", "netns", NAME),
             ("addr", "add", "10.231.77.1/24", "dev", NAME), ("link", "set", NAME, "up"),
             ("-n", NAME, "addr", "add", "10.231.77.2/24", "dev", "inner0"), ("-n", NAME, "link", "set", "inner0", "up"),
             ("-n", NAME, "link", "set", "lo", "up"), ("-n", NAME, "route", "add", "default", "via", "10.231.77.1")]
    return all(ip(*step).returncode == 0 for step in steps)


def sees(bundle, name, script, *words):
    status, out, err = bundle.shell(script) and inside(bundle).run()
    text = out.decode(errors="replace")
    score.check(status == 0 and all(word in text for word in words), name, status, out, err)


def inside(bundle, **network):
    bundle.config["linux"]["namespaces"] = [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")] + [{"type": "network", "path": f"/run/netns/{NAME}", **network}]
    return bundle


RAW = """
import socket, struct, sys
try:
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
except PermissionError:
    print("refused")
    sys.exit()
s.settimeout(9)
s.sendto(struct.pack("!BBHHH", 8, 0, 0xf7fd, 1, 1), (sys.argv[1], 0))
packet = b" " * 28
while packet[20]:
    packet = s.recv(99)
print("echoed by", socket.inet_ntoa(packet[12:16]))
"""


def makers():
    """Processes that hold CAP_NET_RAW alone: they make raw sockets for sentries."""
    found = 0
    for status in pathlib.Path("/proc").glob("[0-9]*/status"):
        try:
            found += "CapEff:\t0000000000002000\n" in status.read_text()
        except OSError:
            pass
    return found


def raw(bundle, name, address, namespace, capable, wanted):
    bundle.reset("/usr/bin/python3", "-c", RAW, address)
    bundle.config["mounts"] += [{"destination": place, "type": "bind", "source": source, "options": ["rbind", "ro"]}
                                for place, source in (("/usr", "/usr"), ("/lib", "/usr/lib"), ("/lib64", "/usr/lib64"))]
    bundle.config["linux"]["namespaces"] = [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")] + namespace
    if capable:
        for kind in ("bounding", "permitted", "effective"):
            bundle.config["process"]["capabilities"][kind] = ["CAP_NET_RAW"]
    before = makers()
    result = bundle.run()
    for _ in range(1000):
        if makers() <= before:
            break
        time.sleep(0.1)
    score.check(result[1] == wanted.encode() + b"\n" and makers() <= before, name, result, before, makers())


def raw_sockets(bundle):
    if not os.path.islink("/lib64"):
        score.skip("raw sockets", "the host's /usr does not hold all of it")
        return
    given, own = [{"type": "network", "path": f"/run/netns/{NAME}"}], [{"type": "network"}]
    raw(bundle, "a raw socket in a network that is given", "10.231.77.1", given, True, "echoed by 10.231.77.1")
    raw(bundle, "none without the capability", "10.231.77.1", given, False, "refused")
    raw(bundle, "a raw socket on a loopback of its own", "127.0.0.1", own, True, "echoed by 127.0.0.1")
    raw(bundle, "none there, either", "127.0.0.1", own, False, "refused")
    raw(bundle, "none in the host's network", "127.0.0.1", [], True, "refused")


def serve(listener):
    connection, _ = listener.accept()
    with connection:
        connection.sendall(b"from the peer: " + connection.recv(100))


def answer(server):
    while True:
        data, peer = server.recvfrom(100)
        server.sendto(b"answer to " + data, peer)


def main():
    if os.geteuid() != 0 or not shutil.which("ip") or not make():
        ip("netns", "del", NAME)
        ip("link", "del", NAME)
        print("1..0 # SKIP no network namespace can be made here")
        sys.exit(77)
    try:
        with Scratch() as top:
            bundle = Bundle(top)
            for applet in ("ip", "nc", "ifconfig"):
                os.symlink("busybox", bundle.path / "rootfs/bin" / applet)
            sees(bundle, "addresses", "ip addr", "inner0", "inet 10.231.77.2/24")
            sees(bundle, "routes", "ip route", "default via 10.231.77.1 dev inner0", "10.231.77.0/24 dev inner0")
            sees(bundle, "the way to an address", "ip route get 10.231.77.9", "dev inner0", "src 10.231.77.2")
            sees(bundle, "one link, and one that is not there", "ip link show inner0; ip link show nosuch || true", "inner0")
            sees(bundle, "ioctls", "ifconfig inner0", "inet addr:10.231.77.2", "Mask:255.255.255.0")
            sees(bundle, "/proc/net", "cat /proc/net/route /proc/net/dev", "inner0\t00000000\t014DE70A")
            sees(bundle, "nothing can be changed", "ip addr add 10.231.77.3/24 dev inner0 2>&1 || ip link set inner0 down 2>&1 || echo refused", "refused")
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("10.231.77.1", 0))
            listener.listen()
            threading.Thread(target=serve, args=(listener,), daemon=True).start()
            sees(bundle, "TCP to a peer", f"echo hello | nc -w 5 10.231.77.1 {listener.getsockname()[1]}", "from the peer: hello")
            echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            echo.bind(("10.231.77.1", 0))
            threading.Thread(target=answer, args=(echo,), daemon=True).start()
            if os.path.islink("/lib64"):
                script = "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(9); s.sendto(b'datagram', ('10.231.77.1', %d)); print(s.recv(99).decode())"
                inside(bundle.reset("/usr/bin/python3", "-c", script % echo.getsockname()[1]))
                bundle.config["mounts"] += [{"destination": place, "type": "bind", "source": source, "options": ["rbind", "ro"]}
                                            for place, source in (("/usr", "/usr"), ("/lib", "/usr/lib"), ("/lib64", "/usr/lib64"))]
                result = bundle.run()
                score.check(result[1] == b"answer to datagram\n", "UDP to a peer", result)
            else:
                score.skip("UDP to a peer", "the host's /usr does not hold all of it")
            sees(bundle, "the loopback", "nc -l -p 4000 > /tmp/got & sleep 0.3; echo around | nc -w 2 127.0.0.1 4000; wait; cat /tmp/got", "around")
            sees(bundle, "a low port wants a capability", "nc -l -p 80 2>&1 || echo refused", "refused")
            inside(bundle.shell("echo served | nc -l -p 80"))
            for kind in ("bounding", "permitted", "effective"):
                bundle.config["process"]["capabilities"][kind] = ["CAP_NET_BIND_SERVICE"]
            bundle.create("server")
            bundle.do("start", "server")
            text = b""
            for _ in range(1000):
                try:
                    with socket.create_connection(("10.231.77.2", 80), timeout=5) as client:
                        text = client.recv(100)
                        break
                except OSError:
                    time.sleep(0.1)
            score.check(text == b"served\n", "a low port, from a peer", text)
            bundle.do("delete", "--force", "server")
            raw_sockets(bundle)
            status, _, err = inside(bundle.reset("true"), path="/run/netns/no-such").run()
            score.check(status == 1 and b"network" in err and not bundle.left(), "a namespace that is not there", err)
    finally:
        ip("netns", "del", NAME)
        ip("link", "del", NAME)
    score.finish()


main()
