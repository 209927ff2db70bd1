#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command from outside: options, exit statuses, error lines, signals, and what is left behind."""
import errno
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import time

from harness import CSANDBOX, Score, Scratch, run, sandbox

score = Score()


def says(name, result, status, out=None, err=None):
    good = result[0] == status
    if out is not None:
        good = good and result[1].decode(errors="replace") == out
    if err is not None:
        text = result[2].decode(errors="replace")
        good = good and err in text and text.count("\n") == 1 and text.startswith("csandbox: ")
    score.check(good, name, f"status {result[0]}, not {status}", result[1], result[2])


def statuses():
    says("the guest's status", sandbox("--", "sh", "-c", "exit 42"), 42, "")
    says("128+N for a signal", sandbox("--", "sh", "-c", "kill -TERM $$"), 143)
    says("127 for what is not there", sandbox("--", "no-such-program"), 127, "", "no-such-program")
    says("127 for a path that is not there", sandbox("--", "/no/such"), 127, "", "/no/such")
    says("127 for a value that was meant for an option", sandbox("--changes", "/no/such", "true"), 127, "", "--changes takes a value as --changes=VALUE")
    says("126 for a directory", sandbox("--", "/etc"), 126, "", "/etc")
    says("126 for what is not executable", sandbox("--", "/etc/passwd"), 126, "", "/etc/passwd")
    says("125 for no command", sandbox(), 125, "", "csandbox run")
    says("125 for an unknown option", sandbox("--no-such-option", "--", "true"), 125, "", "--no-such-option is not an option")
    says("125 for an option without its value", sandbox("--bind"), 125, "", "--bind lacks its value")
    says("125 for a value that none is wanted of", sandbox("--clear-env=x", "true"), 125, "", "--clear-env takes no value")
    says("125 for the beginning of several options", sandbox("--re", "x", "true"), 125, "", "--re may be more than one option")
    says("125 for an option of trace without its value", run([CSANDBOX, "trace", "-c", "-e"]), 125, "", "-e lacks its value")
    says("125 for a bind that is neither ro nor rw", sandbox("--bind", "/etc:/x:rx", "true"), 125, "", "/etc:/x:rx")
    says("125 for the host's /proc", sandbox("--bind", "/proc:/p:rw", "true"), 125, "", "/proc is of the host's /proc")
    says("125 for a file of it", sandbox("--bind", "/proc/self/mem:/mem", "true"), 125, "", "/proc/self/mem is of the host's /proc")
    says("125 for a file over a directory", sandbox("--bind", "/etc/passwd:/etc", "true"), 125, "", "at /etc: Not a directory")
    says("125 for a working directory that is not there", sandbox("--workdir", "/no/such", "true"), 125, "", "cannot start in /no/such, see --workdir")
    says("125 for one that was removed", run(["sh", "-c", f"cd $(mktemp -d) && rmdir $PWD && exec {CSANDBOX} run true"]), 125, "", "working directory")
    if shutil.which("setpriv") and os.geteuid() == 0:
        for most in (1, 4, 7):
            says(f"125 for {most} processes", run(["setpriv", "--reuid=64999", "--clear-groups", "bash", "-c",
                 f"ulimit -u {most}; exec {CSANDBOX} run true"], cwd="/"), 125, "", "ulimit -u")
    says("125 for no room for addresses", run(["sh", "-c", f"ulimit -v 1000000; exec {CSANDBOX} run true"]), 125, "", "ulimit -v")
    says("125 for an unknown platform", sandbox("--platform", "magic", "true"), 125, "", "magic")
    says("125 for a bind whose source is missing", sandbox("--bind", "/no/such:/x", "true"), 125, "", "/no/such")
    says("125 for a root that is missing", sandbox("--root", "/no/such", "true"), 125, "", "/no/such")
    says("125 for a bad user", sandbox("--user", "me", "true"), 125, "", "--user")
    says("125 for an unknown command", run([CSANDBOX, "fly"]), 125, "", "fly")


def options():
    says("--env", sandbox("--env", "A=b c", "--", "sh", "-c", "echo $A"), 0, "b c\n")
    says("--env passes a name on", run([CSANDBOX, "run", "--clear-env", "--env", "X1", "--", "/usr/bin/env"], env={**os.environ, "X1": "y"}), 0, "X1=y\n")
    says("--clear-env", sandbox("--clear-env", "--", "/usr/bin/env"), 0, "")
    says("--hostname", sandbox("--hostname", "box", "--", "uname", "-n"), 0, "box\n")
    says("--workdir", sandbox("--workdir", "/usr/lib", "--", "pwd"), 0, "/usr/lib\n")
    says("--workdir from the caller's directory", run([CSANDBOX, "run", "--workdir", "lib", "pwd"], cwd="/usr"), 0, "/usr/lib\n")
    says("--help for short", run([CSANDBOX, "run", "-h"]), 0)
    says("the caller's soft limits are the guest's alone", run(["bash", "-c", f"ulimit -S -f 1 -v 1000000; exec {CSANDBOX} run sh -c 'ulimit -f'"]), 0, "2\n")
    says("the caller's directory", run([CSANDBOX, "run", "pwd"], cwd="/usr"), 0, "/usr\n")
    says("--tmpfs", sandbox("--tmpfs", "/scratch", "--", "sh", "-c", "echo x > /scratch/a; cat /scratch/a"), 0, "x\n")
    says("--as-pid-1", sandbox("--as-pid-1", "--", "sh", "-c", "echo $$"), 0, "1\n")
    says("an init above the command", sandbox("--", "sh", "-c", "echo $PPID"), 0, "1\n")
    if os.geteuid() == 0:
        says("--user", sandbox("--user", "1234:77", "--", "sh", "-c", "id -u; id -g"), 0, "1234\n77\n")
    says("a private /tmp", sandbox("--", "sh", "-c", "ls -A /tmp | wc -l"), 0, "0\n")
    says("no network but loopback", sandbox("--", "sh", "-c", "ls /sys/class/net"), 0, "lo\n")
    result = sandbox("--debug-jail", "--", "true")
    score.check(result[0] == 0 and b"NO " not in result[2] and result[2].count(b"yes ") >= 10, "--debug-jail", result)
    for option in ("--help", "--version"):
        result = sandbox(option)
        score.check(result[0] == 0 and b"csandbox" in result[1] + b"csandbox" and result[1], option, result)
    with Scratch() as directory:
        log = f"{directory}/log"
        result = sandbox("--debug-log", log, "--log-format", "json", "--", "true")
        score.check(result[0] == 0 and pathlib.Path(log).exists(), "--debug-log", result)


def full_disk():
    """What cannot be written is told in one line; the program's status stays its own."""
    log = ("--strace=/dev/full", "true"), ("--debug-log", "/dev/full", "--", "python3", "-c", "import ctypes; ctypes.CDLL(None).syscall(425)")
    for arguments in log:
        says(" ".join(arguments[:2]), sandbox(*arguments), 0, "", "is not complete: No space left on device")
    for option in ("--changes", "--export-changes", "--learn", "--report", "--result"):
        says(option, sandbox(f"{option}=/dev/full", "--", "sh", "-c", "echo > /var/x"), 125, "", option)
    score.check(pathlib.Path("/dev/full").is_char_device(), "/dev/full is what it was")


def files():
    with Scratch() as directory:
        path = pathlib.Path(directory)
        (path / "kept").write_text("before\n")
        (path / "rw").mkdir()
        result = run([CSANDBOX, "run", "--", "sh", "-c", "echo after > kept; echo new > made; cat kept made; rm kept; ls"], cwd=directory)
        says("the guest changes files", result, 0, "after\nnew\nmade\nrw\n")
        score.check((path / "kept").read_text() == "before\n" and not (path / "made").exists(), "and the host's stay as they were")
        says("--bind rw", sandbox("--bind", f"{directory}/rw:/data:rw", "--", "sh", "-c", "echo out > /data/f; cat /data/f"), 0, "out\n")
        score.check((path / "rw/f").exists() and (path / "rw/f").read_text() == "out\n", "reaches the host")
        result = sandbox("--bind", f"{directory}/rw:/data:ro", "--", "sh", "-c", "echo x > /data/g")
        score.check(result[0] != 0 and b"Read-only" in result[2] and not (path / "rw/g").exists(), "--bind ro does not", result)
        says("--bind of a file", sandbox("--bind", f"{directory}/kept:/etc/hostname", "--", "cat", "/etc/hostname"), 0, "before\n")
        (path / "root/bin").mkdir(parents=True)
        busybox = "/bin/busybox"
        if os.path.exists(busybox):
            (path / "root/bin/busybox").write_bytes(pathlib.Path(busybox).read_bytes())
            (path / "root/bin/busybox").chmod(0o755)
            says("--root", sandbox("--root", f"{directory}/root", "--", "/bin/busybox", "ls", "/bin"), 0, "busybox\n")


def hostile_programs():
    """Truncated and hostile ELF files: Linux's error, one line, and no sentry that falls over."""
    good = bytearray(pathlib.Path("/bin/true").read_bytes())
    phoff, = struct.unpack_from("<Q", good, 32)
    phnum, = struct.unpack_from("<H", good, 56)

    def patched(*changes):
        data = bytearray(good)
        for offset, fmt, value in changes:
            struct.pack_into(fmt, data, offset, value)
        return bytes(data)

    loads = [phoff + 56 * i for i in range(phnum) if struct.unpack_from("<I", good, phoff + 56 * i)[0] == 1]
    interpreter = [phoff + 56 * i for i in range(phnum) if struct.unpack_from("<I", good, phoff + 56 * i)[0] == 3][0]
    cases = {
        "empty": b"", "four bytes": bytes(good[:4]), "half a header": bytes(good[:40]), "no program headers": bytes(good[:64]),
        "truncated": bytes(good[:5000]), "zero segments": patched((56, "<H", 0)), "many segments": patched((56, "<H", 65535)),
        "program headers outside": patched((32, "<Q", 2**63)), "huge memory size": patched((loads[-1] + 40, "<Q", 2**60)),
        "file size over memory size": patched((loads[0] + 32, "<Q", 2**40)), "wild address": patched((loads[0] + 16, "<Q", 2**63)),
        "overlapping segments": patched((loads[1] + 16, "<Q", struct.unpack_from("<Q", good, loads[0] + 16)[0])),
        "entry outside": patched((24, "<Q", 0x7fff00000000)), "interpreter outside": patched((interpreter + 8, "<Q", 2**50)),
        "interpreter of no size": patched((interpreter + 32, "<Q", 0)), "interpreter too long": patched((interpreter + 32, "<Q", 2**32)),
        "32 bits": patched((4, "<B", 1)), "another machine": patched((18, "<H", 183)), "alignment": patched((loads[0] + 48, "<Q", 3)),
    }
    with Scratch() as directory:
        for name, data in cases.items():
            path = pathlib.Path(directory) / "program"
            path.write_bytes(data)
            path.chmod(0o755)
            result = sandbox("--", str(path), timeout=300)
            text = result[2].decode(errors="replace")
            try:
                native = run([str(path)], timeout=300)[0]
                native = 128 - native if native < 0 else native
            except OSError as error:
                native = 127 if error.errno == errno.ENOENT else 126
            good_status = result[0] == native
            score.check(good_status and "internal" not in text and text.count("\n") <= 1, f"ELF: {name}", f"natively {native}", result)
        loop = pathlib.Path(directory) / "loop"
        loop.write_text(f"#!{loop}\n")
        loop.chmod(0o755)
        says("a #! loop", sandbox("--", str(loop)), 126, "", "loop")


def family(pid):
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                parents[int(entry)] = int(pathlib.Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                pass
    found, grown = {pid}, True
    while grown:
        more = {child for child, parent in parents.items() if parent in found} - found
        found |= more
        grown = bool(more)
    return found


def gone(pids, seconds=100):
    end = time.time() + seconds
    while time.time() < end:
        alive = []
        for pid in pids:
            try:
                if pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                    alive.append(pid)
            except OSError:
                pass
        if not alive:
            return True
        time.sleep(0.05)
    return False


def signals():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        process = subprocess.Popen([CSANDBOX, "run", "--", "sh", "-c", f"trap 'echo got; exit 9' {number.name[3:]}; echo ready; while :; do sleep 0.05; done"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        process.stdout.readline()
        process.send_signal(number)
        try:
            out, _ = process.communicate(timeout=300)
        except subprocess.TimeoutExpired:
            process.kill()
            out = b"(timeout)"
        score.check(process.returncode == 9 and out == b"got\n", f"{number.name} reaches the guest", process.returncode, out)
    # Whoever of the family is killed, nobody is left.
    for victim in range(5):
        process = subprocess.Popen([CSANDBOX, "run", "--", "sh", "-c", "echo ready; sleep 60 & sleep 60 & wait"], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        process.stdout.readline()
        time.sleep(0.2)
        pids = sorted(family(process.pid))
        os.kill(pids[victim % len(pids)], signal.SIGKILL)
        left = gone(pids)
        if not left:
            process.kill()
        process.wait()
        score.check(left, f"SIGKILL of process {victim % len(pids)} of {len(pids)} leaves nothing", pids)


def main():
    statuses()
    options()
    full_disk()
    files()
    hostile_programs()
    signals()
    score.finish()


if __name__ == "__main__":
    main()
