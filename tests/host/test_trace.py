#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_trace.py CSANDBOX GUEST: what `csandbox trace` writes, compared with strace(1) where both show the same."""
import ctypes
import json
import os
import pathlib
import re
import shutil
import sys

from harness import CSANDBOX, Score, Scratch, run, sandbox

GUEST = os.path.abspath(sys.argv[2])
# What differs from run to run, and the two ways to write what is the same.
NORMAL = [(re.compile(r"0x[0-9a-f]{5,}"), "ADDRESS"), (re.compile(r"\bkill\(\d+, 0\)"), "kill(SELF, 0)"),
          (re.compile(r"<(socket|anon_inode|UNIX-STREAM|UDP|TCP)[^>]*>"), "<OBJECT>"), (re.compile(r" +"), " "),
          (re.compile(r"getpid\(\) = \d+"), "getpid() = SELF"), (re.compile(r"IPPROTO_IP\b"), "0"),
          (re.compile(r" /\* 1970[^*]*\*/"), ""), (re.compile(r" \((Timeout|SUID_DUMP_USER)\)"), "")]


def trace(*arguments, command=(GUEST,)):
    return run([CSANDBOX, "trace", *arguments, "--", *command], cwd="/")


def guest():
    """Without the calls of keyctl(2) if they cannot be had here."""
    keys = ctypes.CDLL(None).syscall(250, 0, -2, 1) > 0
    return [GUEST] if keys else [GUEST, "no-keys"]


def normal(line):
    for pattern, value in NORMAL:
        line = pattern.sub(value, line)
    return line.strip()


def calls(text):
    """The lines from the first call of the program's own on."""
    lines = [normal(line) for line in text.splitlines() if line and not line.startswith(("strace:", "+++", "---", "%"))]
    start = next((i for i, line in enumerate(lines) if '"/dev/null"' in line), 0)
    return lines[start:]


def like_strace(score):
    if not shutil.which("strace"):
        score.skip("like strace", "there is no strace")
        return
    native = calls(run(["strace", "-y", *guest()], cwd="/")[2].decode())
    inside = calls(trace(command=guest())[2].decode())
    score.check(len(native) > 60 and len(native) == len(inside), "as many calls as strace shows", len(native), len(inside))
    for theirs, ours in zip(native, inside):
        score.check(theirs == ours, "like strace: " + theirs[:60], "strace: " + theirs, "trace:  " + ours)


def options(score):
    with Scratch() as scratch:
        path = pathlib.Path(scratch, "out")
        status, output, errors = trace("-o", str(path), command=["sh", "-c", "echo out; echo err >&2; exit 5"])
        score.check((status, output, errors) == (5, b"out\n", b"err\n"), "-o leaves the program's own output alone", status, output, errors)
        text = path.read_text()
        score.check("+++ exited with 5 +++" in text and 'write(1' in text, "-o has the trace", text[-500:])
        status, _, errors = sandbox(f"--strace={path}", "--", "true")
        score.check(status == 0 and not errors and "exit_group(0) = ?" in path.read_text(), "run --strace=FILE", errors)
    _, _, errors = sandbox("--strace", "--", "true")
    score.check(b"exit_group(0) = ?" in errors, "run --strace", errors)
    _, _, errors = trace("--timestamps", "-e", "exit_group,close")
    score.check(re.search(rb"^\d\d:\d\d:\d\d\.\d{6} close\(\d+.*\) = 0 <0\.\d{6}>$", errors, re.M), "--timestamps", errors[:300])
    _, _, errors = trace("--summary")
    score.check(re.search(rb"^ *\d+\.\d\d +\d+\.\d{6} +\d+ +\d+ +\d* *openat$", errors, re.M) and b" total\n" in errors,
                "--summary is strace's table", errors)


def filters(score):
    def names(*arguments, command=(GUEST,)):
        return {match for match in re.findall(r"^(?:\[pid +\d+\] )?(\w+)\(", trace(*arguments, command=command)[2].decode(), re.M)}

    score.check(names("-e", "openat,close") == {"openat", "close"}, "-e with names")
    score.check(names("-e", "trace=!openat,%desc,%memory").isdisjoint({"openat", "close", "mmap"}), "-e with ! and classes")
    score.check({"openat", "access", "rename"} <= names("-e", "%file") and "close" not in names("-e", "%file"), "-e %file")
    score.check(names("-e", "none") == set(), "-e none")
    failed = trace("-e", "status=failed")[2].decode()
    score.check("= -1 ENOENT" in failed and " = 0\n" not in failed, "-e status=failed", failed[:500])
    text = trace("-e", "none", "-e", "signal=!SIGCHLD", command=["sh", "-c", "kill -USR1 $$"])[2]
    score.check(b"--- SIGUSR1" in text and b"+++ killed by SIGUSR1 +++" in text, "-e signal=", text)
    for bad in ("nosuch", "%nosuch", "signal=SIGNOSUCH", "status=odd", "what=x", "trace="):
        status, output, errors = trace("-e", bad)
        score.check(status == 125 and not output and errors.count(b"\n") == 1, f"-e {bad}: one line", status, errors)
    status, _, errors = trace("-o", "/no/such/place")
    score.check(status == 125 and errors.count(b"\n") == 1, "-o that cannot be written: one line", status, errors)


def families(score):
    """Every task is there, whatever it does to get away."""
    script = "import os,threading\nt=threading.Thread(target=lambda: os.getppid())\nt.start()\nt.join()\n" \
             "p=os.fork()\nif p==0:\n os.setsid()\n q=os.fork()\n if q==0:\n  os.execv('/bin/echo',['echo','x'])\n os.waitpid(q,0)\n os._exit(3)\nos.waitpid(p,0)"
    _, _, errors = trace(command=["python3", "-c", script])
    text = errors.decode()
    score.check(text.count("+++ new child of") == 3, "each new task is told", text.count("+++ new child of"))
    score.check(text.count("+++ exited with 0 +++") == 3 and text.count("+++ exited with 3 +++") == 1, "each end is told")
    score.check('execve("/bin/echo", ["echo", "x"]' in text, "a grandchild's execve is there")
    status, _, errors = trace(command=["sh", "-c", "kill -9 $$"])
    score.check(status == 137 and b"+++ killed by SIGKILL +++" in errors, "SIGKILL is told", status, errors[-300:])
    _, _, errors = trace(command=["strace", "-o", "/tmp/x", "true"] if shutil.which("strace") else ["true"])
    score.check(b"+++ exited with 0 +++" in errors, "a tracer inside is traced as well")


def unfinished(score):
    """A call that others come into is cut where strace cuts it."""
    text = trace("-e", "wait4", command=["sh", "-c", "sh -c 'exit 2'; true"])[2].decode()
    score.check(re.search(r"^(\[pid +\d+\] )?wait4\(-1,  <unfinished \.\.\.>$", text, re.M) and
                "<... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 2}], 0, NULL) = " in text, "unfinished and resumed", text)


def objects(score):
    _, _, errors = trace("--json", command=["sh", "-c", "ls /none 2>/dev/null; kill -USR1 $$"])
    events = [json.loads(line) for line in errors.decode().splitlines()]
    schema = json.loads(pathlib.Path(__file__).resolve().parents[2].joinpath("docs/trace.schema.json").read_text())
    try:
        import jsonschema
    except ImportError:
        score.skip("each line is as the schema says", "there is no python3-jsonschema")
    else:
        validator = jsonschema.Draft7Validator(schema)
        wrong = [(event, error.message) for event in events for error in validator.iter_errors(event)]
        score.check(not wrong, "each line is as the schema says", *wrong[:5])
    kinds = {event["event"] for event in events}
    score.check(kinds == {"enter", "exit", "signal", "new child", "end", "killed"}, "every kind of event", kinds)
    failed = [event for event in events if event.get("errno") == "ENOENT" and '"/none"' in event["args"]]
    score.check(failed and failed[0]["result"] == -1 and failed[0]["duration"] > 0, "an error has its name", events[-5:])


def main():
    score = Score()
    like_strace(score)
    options(score)
    filters(score)
    families(score)
    unfinished(score)
    objects(score)
    score.finish()


main()
