#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Keys (keyrings(7)) of containers: keyctl(1) works in each, and none finds another's, in one sandbox or in two."""
import glob
import shutil
import sys
import time

from bundle import Bundle, Score, Scratch, need_busybox

score = Score()
POD = "io.kubernetes.cri."
# What keyctl says of keys of its own, whatever their numbers. As on Linux what is in @u alone is not possessed in a
# session of its own.
ALONE = r"""keyctl link @u @s; k=$(keyctl add user a b @u) && keyctl pipe $k; echo
keyctl show | sed 's/^ *[0-9]\{3,\}/N/; s/  */ /g'; keyctl list @u | sed 's/^ *[0-9]\{3,\}/N/'
keyctl new_session >/dev/null; keyctl add user c d @s >/dev/null; keyctl print %user:c; keyctl rdescribe @s
keyctl session - keyctl rdescribe @s 2>/dev/null; keyctl search @u user a >/dev/null && keyctl clear @u; keyctl list @u"""
EXPECTED = """b
Session Keyring
N --alswrv 0 0 keyring: _ses.alone
N --alswrv 0 65534 \\_ keyring: _uid.0
N --alswrv 0 0 \\_ user: a
1 key in keyring:
N: --alswrv     0     0 user: a
d
keyring;0;0;3f030000;_ses
keyring;0;0;3f030000;_ses
keyring is empty
"""
# Two containers of the same user. What the second looks for is there, in the first one, for anybody to take.
MAKES = """keyctl add user secret value @u >/tmp/key; keyctl newring ring @u >/tmp/ring; keyctl link @u @s
for i in $(cat /tmp/key /tmp/ring); do keyctl setperm $i 0x3f3f3f3f; done; touch /tmp/made; exec sleep 1000"""
LOOKS = """keyctl link @u @s; tries=0; found=0
try() { tries=$((tries+1)); keyctl "$@" && found=$((found+1)); }
try search @u user secret; try search @us user secret; try search @s user secret; try request user secret; try print %user:secret
for i in KEY RING; do try describe $i; try link $i @u; try unlink $i @u; try revoke $i; try invalidate $i; try chown $i 0
try setperm $i 0; try timeout $i 1; try security $i; try move $i @u @s; done
try pipe KEY; try update KEY x; try rlist RING; try clear RING; try newring inner RING
echo $tries $found; keyctl list @u; grep -c -e secret -e ring: -e HEXADECIMAL /proc/keys"""


def bundle_of(top, name):
    """keyctl is the host's, with its libraries."""
    bundle = Bundle(top, name)
    root = bundle.path / "rootfs"
    for link in ("lib", "lib64"):
        (root / link).symlink_to(f"usr/{link}")
    (root / "usr").mkdir()
    return bundle


def shell(bundle, script):
    bundle.shell(script, env=["PATH=/bin:/usr/bin:/usr/sbin", "HOME=/"])
    bundle.config["mounts"].append({"destination": "/usr", "type": "bind", "source": "/usr", "options": ["rbind", "ro"]})
    return bundle


def contents(bundle, name):
    return (bundle.path / "rootfs/tmp" / name).read_text().strip()


def inside(bundle, identity, *command):
    status, out, _ = bundle.do("exec", identity, *command)
    return status, out.decode()


def wait_made(bundle, identity):
    for _ in range(2000):
        if inside(bundle, identity, "test", "-e", "/tmp/made")[0] == 0:
            return True
        time.sleep(0.05)
    return False


def strangers(first, identity, second, name, what):
    """The second container, when it runs, finds nothing of the first's."""
    score.check(wait_made(first, identity), f"{what}: one makes keys")
    key, ring = (inside(first, identity, "cat", f"/tmp/{file}")[1].strip() for file in ("key", "ring"))
    score.check(inside(first, identity, "keyctl", "pipe", key) == (0, "value"), f"{what}: a second program in it reads them")
    script = LOOKS.replace("KEY", key).replace("RING", ring).replace("HEXADECIMAL", f"{int(key or 0):08x}")
    result = shell(second, script).run(name)
    score.check(result[1] == b"30 0\nkeyring is empty\n0\n", f"{what}: another finds none of them", *result)
    score.check(inside(first, identity, "keyctl", "pipe", key) == (0, "value"), f"{what}: and ends none of them")


def sessions(top):
    """One for all programs that are run in a container, as other runtimes make it."""
    bundle = bundle_of(top, "session")
    shell(bundle, "keyctl add user first x @s; exec sleep 1000").create("ses1")
    bundle.do("start", "ses1")
    result = inside(bundle, "ses1", "keyctl", "rdescribe", "@s")
    score.check(result == (0, "keyring;0;0;3f1b0000;_ses.ses1\n"), "the session keyring of a container", result)
    for _ in range(2000):
        result = inside(bundle, "ses1", "keyctl", "print", "%user:first")
        if result[0] == 0:
            break
        time.sleep(0.05)
    score.check(result == (0, "x\n"), "is that of a program run in it", result)
    status, out, _ = bundle.do("exec", "--user", "5:5", "ses1", "keyctl", "print", "%user:first")
    score.check((status, out) == (0, b"x\n"), "whoever runs it", status, out)
    bundle.do("delete", "--force", "ses1")


def ends(top):
    """What has ended leaves its keyrings, and the account of its user, after the delay that is set."""
    script = """echo 0 >/proc/sys/kernel/keys/gc_delay; keyctl newring r @s >/dev/null
for i in 1 2 3; do keyctl timeout $(keyctl add user $i x %:r) 1; done; k=$(keyctl add user 4 x %:r); keyctl add user 5 x %:r >/dev/null
keyctl rlist %:r | wc -w; keyctl revoke $k; keyctl timeout $(keyctl newring s %:r) 1; sleep 2.1; keyctl rlist %:r | wc -w
tr -s ' ' </proc/key-users | cut -d' ' -f4"""
    status, out, errors = shell(bundle_of(top, "ends"), script).run("ends")
    # _ses.ends, r and 5 are left.
    score.check((status, out) == (0, b"5\n1\n3/3\n"), "what has ended is collected", status, out, errors)


def pods(top):
    first, second = bundle_of(top, "first"), bundle_of(top, "second")
    shell(first, MAKES).config["annotations"] = {POD + "container-type": "sandbox", POD + "sandbox-id": "pod"}
    first.create("pod", "--pid-file", f"{top}/pid")
    first.do("start", "pod")
    with open(f"{top}/pid") as file:
        pid = file.read()

    class Member:
        """Joins the pod, its processes included, when it runs."""

        def __getattr__(self, name):
            return getattr(second, name)

        def run(self, identity):
            second.config["annotations"] = {POD + "container-type": "container", POD + "sandbox-id": "pod"}
            second.config["linux"]["namespaces"] = [{"type": "mount"}, *(
                {"type": kind, "path": f"/proc/{pid}/ns/{file}"}
                for kind, file in (("network", "net"), ("ipc", "ipc"), ("uts", "uts"), ("pid", "pid")))]
            result = second.run(identity)
            score.check(glob.glob(f"{top}/state/*/control") == [f"{top}/state/pod/control"], "one sandbox for both")
            return result

    strangers(first, "pod", Member(), "m1", "in a pod")
    first.do("delete", "--force", "pod")


def apart(top):
    first, second = bundle_of(top, "one"), bundle_of(top, "two")
    shell(first, MAKES).create("k1")
    first.do("start", "k1")
    strangers(first, "k1", second, "k2", "apart")
    first.do("delete", "--force", "k1")


def main():
    need_busybox()
    if not shutil.which("keyctl"):
        print("1..0 # SKIP no keyctl on this host")
        sys.exit(77)
    with Scratch() as top:
        alone = shell(bundle_of(top, "alone"), ALONE)
        result = alone.run("alone")
        score.check(result[0] == 0 and result[1].decode() == EXPECTED, "keyctl in a container", *result)
        sessions(top)
        ends(top)
        pods(top)
        apart(top)
    score.finish()


main()
