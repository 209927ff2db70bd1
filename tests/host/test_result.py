#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a run leaves written: the result for each way to end, by its schema; JUnit; the report, drawn by a browser."""
import json
import os
import pathlib
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

from harness import CSANDBOX, Score, Scratch, run, sandbox

score = Score()
SCHEMA = json.loads(pathlib.Path(sys.argv[2]).read_text())

try:
    import jsonschema
except ImportError:
    jsonschema = None


def result_of(directory, *arguments):
    path = f"{directory}/result"
    done = sandbox("--result", path, *arguments)
    return done, json.loads(pathlib.Path(path).read_text())


def faults(result):
    if not jsonschema:
        return []
    return [error.message for error in jsonschema.Draft7Validator(SCHEMA).iter_errors(result)]


def endings(directory):
    spin = "while :; do :; done"
    for arguments, status, signal, reason in (
            (["--", "true"], 0, None, "exit"),
            (["--", "sh", "-c", "exit 42"], 42, None, "exit"),
            (["--", "sh", "-c", "kill -SEGV $$"], 139, 11, "signal"),
            (["--timeout", "200ms", "--", "sleep", "9"], 124, 15, "timeout"),
            (["--cpu-time", "100ms", "--", "sh", "-c", spin], 137, 9, "cpu-time"),
            (["--memory", "64M", "--", "python3", "-c", "b = []\nwhile True: b.append(bytearray(b'x') * (1 << 20))"], 137, 9, "memory"),
            (["--output-limit", "10K", "--", "yes"], 137, 9, "output"),
            (["--", "no-such-program"], 127, None, "exit"),
            (["--bind", "/no/such:/x", "--", "true"], 125, None, "internal")):
        done, result = result_of(directory, *arguments)
        good = done[0] == result["status"] == status and result["signal"] == signal and result["reason"] == reason
        score.check(good, f"{reason}, status {status}", done[0], done[2], {key: result[key] for key in ("status", "signal", "reason")})
        score.check(not faults(result), f"and the schema ({reason})", faults(result))
    for arguments in (["--no-such-option"], ["--memory", "5x", "--", "true"], ["--layer", "/no/such", "--", "true"], [],
                      ["--report", "/no/such/page", "--", "true"], ["--learn", "/no/such/policy", "--", "true"]):
        pathlib.Path(f"{directory}/result").write_text("of an earlier run")
        done, result = result_of(directory, *arguments)
        good = done[0] == result["status"] == 125 and result["reason"] == "internal" and result["error"].encode() in done[2]
        score.check(good and not faults(result), f"a result of {arguments}, with which nothing runs", done, result)
    if not jsonschema:
        score.skip("the schema", "there is no jsonschema here")


def contents(directory):
    script = "cat /etc/passwd >/dev/null; echo abc; (exit 3); chroot /nowhere true 2>/dev/null; true"
    _, result = result_of(directory, "--", "sh", "-c", script)
    score.check(result["command"] == ["sh", "-c", script], "the command line", result["command"])
    score.check(result["processes_started"] == 4 and 1 < result["processes_peak"] <= 4, "processes", result["processes_started"], result["processes_peak"])
    calls = result["system_calls"]
    score.check(calls["execve"]["count"] >= 2 and calls["chroot"]["errors"] >= 1, "system calls by name", calls["execve"], calls["chroot"])
    score.check(result["limits"]["output-limit"]["used"] == 4, "bytes of output", result["limits"]["output-limit"])
    score.check(result["bytes_read"] >= os.path.getsize("/etc/passwd") and result["bytes_written"] >= 4, "bytes read and written")
    score.check(result["memory_peak_bytes"] > 100000 and result["wall_seconds"] > 0, "memory and time", result)
    script = "import ctypes, os\nctypes.CDLL(None).syscall(500)\ntry: os.open('/proc/sys/kernel/hostname', os.O_WRONLY)\nexcept OSError: pass\n" \
        "import threading\nt = threading.Thread(target=int)\nt.start()\nt.join()"
    _, result = result_of(directory, "--user", "1000", "--", "python3", "-c", script)
    score.check(sum(result["system_calls_missing"].values()) >= 1, "calls that are not there", result["system_calls_missing"])
    score.check(result["system_calls_refused"].get("openat", 0) >= 1, "calls that were refused", result["system_calls_refused"])
    score.check(result["threads_started"] == 1, "threads", result["threads_started"])
    _, result = result_of(directory, "--", "python3", "-c", "sum(range(3 * 10**6))")
    score.check(result["guests"]["user_seconds"] > 0.01, "CPU time of the programs", result["guests"])
    script = "import os\nfor i in range(40, 50): os.dup2(0, i)\nopen('/tmp/x', 'w').write('x' * 70000)\nos.truncate('/tmp/x', 90000)"
    _, result = result_of(directory, "--cpus", "1", "--", "python3", "-c", script)
    used = {name: limit["used"] for name, limit in result["limits"].items()}
    score.check(used["file-size"] == 90000 and used["open-files"] == 50 and 0 < used["cpus"] <= 2 and None not in used.values(), "what was used of each limit", used)
    done, result = result_of(directory, "--", "sh", "-c", "exit 0", b"\xff\x01<&\"'")
    score.check(done[0] == 0 and len(result["command"]) == 4 and not faults(result), "arguments that are no text", result["command"])


def busy(directory):
    """More programs than processors: they have not computed for longer than there were processors."""
    processors = len(os.sched_getaffinity(0))
    script = f"""import os, resource, threading
for i in range({2 * processors}):
    if os.fork() == 0:
        while resource.getrusage(resource.RUSAGE_SELF).ru_utime < 0.4: sum(range(10000))
        os._exit(0)
other = threading.Thread(target=lambda: [sum(range(10**6)) for i in range(20)])
other.start()
for i in range({2 * processors}): os.wait()
other.join()"""
    _, result = result_of(directory, "--", sys.executable, "-c", script)
    used = sum(result["guests"].values())
    score.check(result["status"] == 0 and 0.4 * 2 * processors <= used <= 1.1 * result["wall_seconds"] * processors,
                "CPU time is no time of waiting for a processor", result["guests"], result["wall_seconds"])


def places(directory):
    reader, writer = os.pipe()
    done = subprocess.run([CSANDBOX, "run", "--result", f"fd:{writer}", "--", "sh", "-c", "ls /proc/self/fd | wc -l; exit 5"], cwd="/",
                          pass_fds=[writer], capture_output=True, timeout=60)
    os.close(writer)
    with os.fdopen(reader) as stream:
        result = json.load(stream)
    score.check(done.returncode == 5 == result["status"] and int(done.stdout) <= 4, "fd:N, which the program does not get", done, result["status"])
    for bad in ("fd:x", "fd:999", "/no/such/place", "fd:"):
        done = sandbox("--result", bad, "--", "true")
        score.check(done[0] == 125 and b"--result" in done[2], f"--result {bad} is refused", done)
    done = sandbox("--result", "/dev/full", "--", "true")
    score.check(done[0] == 125 and b"--result" in done[2], "a result that cannot be written", done)


def junit(directory):
    path = f"{directory}/junit.xml"
    for script, status, kind in (("exit 0", 0, None), ("exit 3", 3, "failure")):
        done = sandbox("--result", path, "--result-format", "junit", "--", "sh", "-c", script, "<&\"\x01")
        suite = xml.etree.ElementTree.parse(path).getroot().find("testsuite")
        case = suite.find("testcase")
        good = done[0] == status and suite.get("tests") == "1" and float(case.get("time")) > 0 and suite.get("failures") == ("1" if kind else "0")
        good = good and (case.find(kind) is not None and case.find(kind).get("type") == "exit" if kind else len(case) == 0)
        score.check(good and script in case.get("name"), f"JUnit for status {status}", pathlib.Path(path).read_text())
        properties = {each.get("name"): each.get("value") for each in suite.find("properties")}
        good = properties["status"] == str(status) and int(properties["limits.memory.used"]) > 0 and int(properties["system_calls.mmap.count"]) > 0
        score.check(good and float(properties["guests.user_seconds"]) >= 0, "and all that the result has", properties)
    sandbox("--result", path, "--result-format", "junit", "--", "true", "f\u00fcnf", b"\xff\xef\xbf\xbe")
    score.check("f\u00fcnf" in xml.etree.ElementTree.parse(path).find(".//testcase").get("name") or
                "f??nf" in pathlib.Path(path).read_text(), "names in JUnit are valid XML", pathlib.Path(path).read_text())
    sandbox("--result", path, "--result-format", "junit", "--bind", "/no/such:/x", "--", "true")
    score.check(xml.etree.ElementTree.parse(path).getroot().find("testsuite/testcase/error") is not None, "JUnit for an error of the sandbox")
    done = sandbox("--result-format", "yaml", "--", "true")
    score.check(done[0] == 125 and b"yaml" in done[2], "no other format", done)


def report(directory):
    path = f"{directory}/report.html"
    script = "for i in 1 2 3; do sleep 0.05 & done; wait; python3 -c 'import socket; s = socket.create_server((\"127.0.0.1\", 8123)); socket.create_connection((\"127.0.0.1\", 8123))'; echo '</script><b>'"
    done = sandbox("--report", path, "--", "sh", "-c", script, "<!--<script>")
    page = pathlib.Path(path).read_text()
    score.check(done[0] == 0 and "http" not in page.replace("http://www.w3.org/2000/svg", ""), "a report that fetches nothing", done)
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not browser:
        score.skip("the report in a browser", "there is no chromium here")
        return
    with tempfile.TemporaryDirectory() as home:
        shown = run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--virtual-time-budget=2000",
                     f"--user-data-dir={home}", "--dump-dom", f"file://{path}"], timeout=100, env={**os.environ, "HOME": home})
    text = shown[1].decode(errors="replace")
    score.check('data-drawn="yes"' in text, "the report in a browser", shown[0], shown[2][-500:])
    score.check(text.count('class="process"') == 5, "its timeline of processes", text.count('class="process"'))
    score.check(text.count("<polyline") == 2 and "<td>execve</td>" in text and "status 0" in text.lower(), "its curves, its system calls and its verdict")
    score.check("connected to 127.0.0.1:8123" in text and "bound to 127.0.0.1:8123" in text and "/dev/null" in text, "addresses and files")
    score.check("&lt;!--&lt;script&gt;" in text, "what looks like markup is text")


def changes(directory):
    place = pathlib.Path(directory) / "tree"
    (place / "old").mkdir(parents=True)
    for name in ("kept", "same", "gone", "old/inner"):
        (place / name).write_text(name)
    script = "echo more >> kept; cat same >/dev/null; rm gone; rm -r old; mkdir new; printf 12345 > new/file; ln -s file new/link; mkfifo pipe; " \
        "touch /tmp/private; : > \"$(printf 'two\\nlines')\""
    done = run([CSANDBOX, "run", f"--changes={directory}/list", "--result", f"{directory}/result", "--", "sh", "-c", script], cwd=place)
    found = [line.split(maxsplit=3) for line in pathlib.Path(f"{directory}/list").read_text().splitlines()]
    below = {path.removeprefix(f"{place}/"): (change, kind, int(size)) for change, kind, size, path in found if path.startswith(f"{place}/")}
    wanted = {"kept": ("M", "f", 9), "gone": ("D", "-", 0), "old": ("D", "-", 0), "new/file": ("A", "f", 5), "new/link": ("A", "l", 4),
              "pipe": ("A", "p", 0), "two\\012lines": ("A", "f", 0)}
    score.check(done[0] == 0 and all(below.get(name) == change for name, change in wanted.items()) and below["new"][:2] == ("A", "d"), "--changes", below)
    score.check("same" not in below and not any(entry[3].startswith("/tmp") for entry in found), "and nothing else", found)
    score.check((place / "gone").exists() and (place / "kept").read_text() == "kept", "of what the host keeps")
    result = json.loads(pathlib.Path(f"{directory}/result").read_text())
    counts = result["files_changed"]
    score.check(counts["added"] == 5 and counts["deleted"] == 2 and len(counts["first"]) == len(found) and not faults(result), "in the result", counts)
    done = run([CSANDBOX, "run", "--changes", "--json", "--", "sh", "-c", "rm gone; exit 3"], cwd=place)
    listed = json.loads(done[2])
    score.check(done[0] == 3 and {"change": "D", "type": "-", "size": 0, "path": f"{place}/gone"} in listed, "--changes --json on standard error", done)
    score.check(sandbox("--changes", "--", "true") == (0, b"", b""), "nothing when nothing changed")
    score.check(sandbox("--changes", "--bind", "/usr:/mnt/there", "--", "ls", "/mnt/there")[2] == b"", "places of mounts are no changes")


def on_terminal(*arguments, through=()):
    pid, fd = pty.fork()
    if pid == 0:
        command = [*through, CSANDBOX, "run", *arguments]
        os.execvp(command[0], command)
    text = b""
    try:
        while True:
            piece = os.read(fd, 4096)
            if not piece:
                break
            text += piece
    except OSError:
        pass
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), text.decode()


def progress():
    status, text = on_terminal("--progress", "--", "sh", "-c", "sleep 1.2; echo one; sleep 0.8; printf part; sleep 1.2; echo; exit 4")
    shown = re.findall(r"\[\d+:\d\d, CPU [\d.]+s, memory \d+M, \d+ processes and threads\]", text)
    score.check(status == 4 and len(shown) >= 2, "--progress on a terminal", repr(text))
    rest = re.sub(r"\r\x1b\[K(\[[^]]*\])?", "", text)
    score.check(rest == "one\r\npart\r\n", "which leaves the output as it is", repr(text))
    score.check("part\r\n" in text, "and stays away from half a line", repr(text))
    script = ("--progress", "--", "sh", "-c", "sleep 1.2; echo one; sleep 0.8; printf part; sleep 1.2; echo; exit 4")
    for name, place in (("input from elsewhere", "exec \"$@\" </dev/null"), ("output elsewhere", "exec \"$@\" >/dev/null"),
                        ("only errors there", "exec \"$@\" </dev/null >/dev/null")):
        status, text = on_terminal(*script, through=("sh", "-c", place, "sh"))
        rest = re.sub(r"\r\x1b\[K(\[[^]]*\])?", "", text)
        score.check(status == 4 and text.count(", CPU ") >= 2 and rest == ("one\r\npart\r\n" if name == "input from elsewhere" else ""), f"--progress with {name}", repr(text))
    status, text = on_terminal(*script, through=("sh", "-c", "\"$@\" | cat", "sh"))
    score.check(text == "one\r\npart\r\n", "none beside who reads a pipe", repr(text))
    done = sandbox("--progress", "--", "sh", "-c", "sleep 0.8; echo out")
    score.check(done == (0, b"out\n", b""), "nothing of it without a terminal", done)


with Scratch() as scratch:
    endings(scratch)
    contents(scratch)
    busy(scratch)
    places(scratch)
    junit(scratch)
    report(scratch)
    changes(scratch)
progress()
score.finish()
