#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A whole distribution as a container: what debootstrap makes, with its package manager, users and set-user-ID programs."""
import os
import subprocess
import sys

from bundle import CAPABILITIES, Bundle, Score, Scratch

score = Score()
ALL = CAPABILITIES + ["CAP_SETFCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_AUDIT_WRITE", "CAP_FSETID", "CAP_SETPCAP"]


def archive():
    """Where this machine's own packages come from, and the name of their release."""
    result = subprocess.run(["apt-get", "indextargets", "--format", "$(SITE) $(CODENAME) $(COMPONENT)", "Created-By: Packages"],
                            capture_output=True, text=True)
    for line in result.stdout.splitlines():
        site, codename, component = line.split()
        if component == "main" and "-" not in codename:
            return site, codename
    return None, None


def make(root):
    site, codename = archive()
    if not site:
        return False
    try:
        return subprocess.run(["debootstrap", "--variant=minbase", codename, root, site],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=400).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def gives(bundle, script, name, wanted):
    bundle.reset("sh", "-c", script, env=["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C"])
    for kind in bundle.config["process"]["capabilities"]:
        bundle.config["process"]["capabilities"][kind] = ALL
    result = bundle.run()
    score.check(result[0] == 0 and result[1].decode() == wanted, name, result)


def packages(bundle):
    gives(bundle, "dpkg --audit; dpkg --verify; dpkg-query -W -f '${Status}\\n' base-files", "all of it is there and configured", "install ok installed\n")
    gives(bundle, "apt-get --version | head -1 | cut -d' ' -f1; apt-config shell x Dir | cut -d= -f1; perl -e 'print 6 * 7, qq(\\n)'", "apt and perl", "apt\nx\n42\n")
    gives(bundle, "mkdir -p /tmp/p/DEBIAN /tmp/p/opt && printf 'Package: of-a-test\\nVersion: 1\\nArchitecture: all\\nMaintainer: nobody\\nDescription: x\\n' > /tmp/p/DEBIAN/control && "
          "printf '#!/bin/sh\\necho configured\\n' > /tmp/p/DEBIAN/postinst && chmod 755 /tmp/p/DEBIAN/postinst && echo content > /tmp/p/opt/of-a-test && "
          "dpkg-deb --root-owner-group -b /tmp/p /tmp/p.deb > /dev/null && dpkg -i /tmp/p.deb | tail -1 && cat /opt/of-a-test && dpkg -P of-a-test > /dev/null; test -e /opt/of-a-test || echo removed",
          "a package is built, installed and removed", "configured\ncontent\nremoved\n")


def users(bundle):
    gives(bundle, "useradd -m -s /bin/bash someone && su someone -c 'id -un; cd; pwd; touch mine; stat -c %U:%G mine; cat /etc/shadow 2>&1 | cut -d: -f3'",
          "a user is made, and is one", "someone\n/home/someone\nsomeone:someone\n Permission denied\n")
    gives(bundle, "stat -c '%U %a' /usr/bin/passwd /tmp /var/mail; su someone -c \"passwd -S | cut -d' ' -f1,2\"", "set-user-ID programs are root's", "root 4755\nroot 1777\nroot 2775\nsomeone L\n")
    gives(bundle, "userdel -r someone 2> /dev/null; grep -c someone /etc/passwd; test -e /home/someone || echo gone", "and is gone", "0\ngone\n")


def main():
    with Scratch() as top:
        bundle = Bundle(top)
        root = f"{top}/debian"
        if not make(root):
            print("1..0 # SKIP debootstrap gets no packages here")
            sys.exit(77)
        (bundle.path / "rootfs").rename(bundle.path / "busybox")
        os.rename(root, bundle.path / "rootfs")
        packages(bundle)
        users(bundle)
    score.finish()


main()
