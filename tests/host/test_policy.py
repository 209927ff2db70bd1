#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Policies: what they set, what they refuse and tell, what is learned, the ready ones."""
import json
import os
import pathlib
import random
import shutil
import subprocess
import struct
import sys
import time
import tomllib

from harness import CSANDBOX, Score, Scratch, run, sandbox

score = Score()
SCHEMA = json.loads(pathlib.Path(sys.argv[2]).read_text())
PROFILES = pathlib.Path(sys.argv[3])

try:
    import jsonschema
except ImportError:
    jsonschema = None


def faults(policy):
    return [error.message for error in jsonschema.Draft7Validator(SCHEMA).iter_errors(policy)] if jsonschema else []


def written(directory, policy, name="policy.json"):
    path = f"{directory}/{name}"
    pathlib.Path(path).write_text(policy if isinstance(policy, str) else json.dumps(policy, indent=1))
    return path


def under(directory, policy, *command, options=(), name="policy.json"):
    result = f"{directory}/result"
    done = run([CSANDBOX, "run", "--policy", written(directory, policy, name), "--result", result, *options, "--", *command], cwd=directory)
    try:
        return done, json.loads(pathlib.Path(result).read_text())
    except (OSError, ValueError):
        return done, {}


def refused(result):
    return {(entry["access"], entry["what"]) for entry in result.get("refused_by_policy", ())}


EVERYTHING = """description = "all there is"
hostname = "named"
user = "12:34"
workdir = "/usr"
tmpfs = ["/mnt"]
binds = ["{place}:/opt:rw"]
as-pid-1 = true
changes = "{place}/changes"
json = true
[limits]
timeout = "1m"
grace = 2.5
cpu-time = 30
cpus = 1
memory = "512M"
pids = 77
file-size = 1048576
open-files = 99
disk = "32M"
output-limit = "1M"
[environment]
clear = true
pass = ["PASSED"]
set = {{ONE = "1", "TWO" = "two words"}}
"""


def settings(directory):
    os.environ["PASSED"] = "through"
    text = EVERYTHING.format(place=directory)
    os.chmod(directory, 0o777)
    script = "hostname; id -u; id -g; pwd; echo $$; ulimit -n; env | sort; df /mnt | tail -1 | cut -c1-5; echo x > /opt/made"
    for name, policy in (("all.toml", text), ("all.json", tomllib.loads(text))):
        score.check(not faults(tomllib.loads(text)), "the schema has all", faults(tomllib.loads(text)))
        (pathlib.Path(directory) / "made").unlink(missing_ok=True)
        done, result = under(directory, policy, "/bin/sh", "-c", script, name=name)
        lines = done[1].decode().split("\n")
        score.check(lines[:6] == ["named", "12", "34", "/usr", "1", "99"], f"{name}: options", done)
        score.check({"ONE=1", "TWO=two words", "PASSED=through"} <= set(lines) and not any(line.startswith("HOME=") for line in lines), "environment", lines)
        score.check((pathlib.Path(directory) / "made").exists() and "tmpfs" in lines, "mounts", lines)
        limits = {key: value["limit"] for key, value in result.get("limits", {}).items()}
        score.check(limits == {"timeout": 60, "cpu-time": 30, "cpus": 1, "memory": 512 << 20, "pids": 77, "file-size": 1 << 20, "open-files": 99,
                               "disk": 32 << 20, "output-limit": 1 << 20}, "limits", limits)
        score.check(isinstance(json.loads(pathlib.Path(f"{directory}/changes").read_text()), list), "changes")
    done, result = under(directory, text, "/bin/sh", "-c", "hostname; ulimit -n; echo $ONE", name="all.toml",
                         options=("--hostname", "other", "--open-files", "55", "--env", "ONE=won"))
    score.check(done[1] == b"other\n55\nwon\n", "the command line wins", done)
    first, second = written(directory, {"hostname": "first", "limits": {"open-files": 44}}, "first.json"), written(directory, {"hostname": "second"}, "second.json")
    done = run([CSANDBOX, "run", "--open-files", "33", "--policy", first, "--policy", second, "--", "sh", "-c", "hostname; ulimit -n"])
    score.check(done[1] == b"second\n33\n", "several, in their order, and options before them win too", done)


def errors(directory):
    for name, text, line, word in (
            ("a.toml", "hostname = 'x'\nlimits = 5\n", 2, "table"),
            ("b.toml", "[limits]\n\ntimeout = '5 parsecs'\n", 3, "time"),
            ("c.toml", "[limits]\nmemory = '1G'\nspeed = 3\n", 3, "speed"),
            ("d.toml", "[limits\n", 1, ""),
            ("e.toml", "a = 1\nb = = 2\n", 2, ""),
            ("f.toml", "[paths]\nread = [\n '/x',\n 7,\n]\n", 4, "strings"),
            ("g.toml", "[paths]\nread = ['/x']\nlook = []\n", 3, "look"),
            ("h.json", '{\n "binds": [\n  "/usr",\n  "/no/such/place"\n ]\n}', 4, "bind"),
            ("q.toml", "binds = [\n  '/usr',\n  '/no/such/place:/there',\n]\n", 3, "No such"),
            ("r.toml", "hostname = 'x'\nlayers = ['/no/such/layer']\n", 2, "No such"),
            ("i.json", '{\n "limits": {\n  "pids": 3,\n  "memory": []\n }\n}', 4, "memory"),
            ("j.json", '{\n "hostname": "a",\n "hostname": "b"\n}', 3, "uplicate"),
            ("k.json", '{\n "hostname": "a"\n "b": 1\n}', 3, ""),
            ("l.json", '{"x": 1}', 1, "x"),
            ("m.json", '{\n "user": 5}', 2, "string"),
            ("n.json", '{\n "environment": {\n "clear": "yes"}}', 3, "true"),
            ("p.toml", "[network]\nconnect = ['localhost:80']\n", 2, "no address"),
            ("s.toml", "hostname = 'x'\nroot = '/no/such/place'\n", 2, "--root"),
            ("t.toml", "hostname = 'x'\nworkdir = '/no/such/place'\n", 2, "--workdir"),
            ("v.toml", "hostname = 'x'\nreport = '/no/such/place/report'\n", 2, "--report"),
            ("w.toml", "hostname = 'x'\nkeep-changes = '/no/such/place/layer'\n", 2, "--keep-changes"),
            ("x.toml", "hostname = 'x'\nexport-changes = '/no/such/place/layer'\n", 2, "--export-changes"),
            ("y.toml", "binds = [\n '/usr',\n '/usr:/etc/passwd']\n", 3, "/etc/passwd"),
            ("z.toml", "hostname = 'x'\nroot = '/tmp\\u0000x'\n".replace("'", '"'), 2, "u0000"),
            ("o.json", '{"a": ' * 3000, 1, "")):
        done, _ = under(directory, text, "true", name=name)
        told = done[2].decode()
        score.check(done[0] == 125 and told.count("\n") == 1 and f"{name}:{line}:" in told and word in told, f"{name}: line {line}", done)
    file = written(directory, "hostname = 'x'\nresult = '/no/such/place/result'\n", "u.toml")
    done = run([CSANDBOX, "run", "--policy", file, "--", "true"])
    score.check(done[0] == 125 and b"u.toml:2: --result" in done[2], "u.toml: line 2", done)
    done, _ = under(directory, "root = '/no/such/place'\n", "true", name="over.toml", options=["--root", "/no/such/other"])
    score.check(done[0] == 125 and b"over.toml" not in done[2] and b"other" in done[2], "what the command line says is no policy's", done)
    score.check(sandbox("--policy", "/no/such/file", "--", "true")[0] == 125, "no such file")
    done = sandbox("--profile", "../../etc/passwd", "--", "true")
    score.check(done[0] == 125 and sandbox("--profile", "none", "--", "true")[2].count(b"strict") == 1, "no such profile", done)


def broken(directory):
    """Policies with a few wrong bytes are policies, or errors in one line."""
    toml = EVERYTHING.format(place=directory).encode()
    numbers, bad = random.Random(1), []
    for name, data in (("wrong.toml", toml), ("wrong.json", json.dumps(tomllib.loads(toml.decode()), indent=1).encode())):
        for _ in range(100):
            wrong = bytearray(data)
            for _ in range(numbers.randint(1, 4)):
                wrong[numbers.randrange(len(wrong))] = numbers.randrange(256)
            path = f"{directory}/{name}"
            pathlib.Path(path).write_bytes(wrong)
            done = run([CSANDBOX, "run", "--policy", path, "--show-limits"], cwd=directory)
            if done[0] not in (0, 125) or (done[0] == 125 and done[2].count(b"\n") != 1):
                bad.append((done, wrong))
    score.check(not bad, "policies with wrong bytes", bad[:3])


def paths(directory):
    place = pathlib.Path(directory) / "paths"
    (place / "open/deep").mkdir(parents=True)
    (place / "shut").mkdir()
    for name in ("open/file", "open/deep/file", "shut/file", "one", "other"):
        (place / name).write_text(name)
    os.symlink("open", place / "way")
    policy = {"paths": {"run": ["/usr", "/bin"], "read": ["/usr", "/lib", "/lib64", "/etc", "/proc", "./.", "way", "./o*e"], "write": ["./open/deep", "/dev/null", "new"]}}

    def tried(script, options=()):
        return_value = under(str(place), policy, "sh", "-c", script, options=options)
        return return_value

    done, result = tried("cat open/file one open/deep/file way/file; ls . >/dev/null && echo listed")
    score.check(done[0] == 0 and done[1].endswith(b"listed\n") and not refused(result), "what may be read", done, refused(result))
    done, result = tried("cat shut/file other; ls shut; head -c1 /var/log/wtmp; ls -l shut/file | wc -l")
    score.check(done[1].strip() == b"1" and {("read", f"{place}/shut/file"), ("read", f"{place}/other"), ("read", f"{place}/shut")} <= refused(result),
                "what may not, while names are seen", done, refused(result))
    done, result = tried("echo x > open/deep/file; echo x > open/deep/new; mkdir open/deep/d; mv open/deep/d open/deep/e; rm open/deep/file; mkdir new; echo y > new/y; cat new/y")
    score.check(done[0] == 0 and done[1] == b"y\n" and not refused(result), "what may be written", done, refused(result))
    for name, script in (("open", "echo x >> one"), ("make", "mkdir shut/x"), ("remove", "rm one"), ("rename away", "mv one open/deep/one"),
                         ("rename over", "mv open/deep/file one"), ("link", "ln one open/deep/linked"), ("mode", "chmod 777 one"), ("truncate", "truncate -s 0 one"),
                         ("times", "touch -d 2001-01-01 one"), ("symlink", "ln -s x shut/x"), ("make a file", ": > shut/y"), ("make a pipe", "mkfifo shut/z"),
                         ("xattr", "/usr/bin/python3 -c 'import os; os.setxattr(\"one\", \"user.x\", b\"1\")'"),
                         ("temporary", "/usr/bin/python3 -c 'import os; os.open(\"shut\", os.O_TMPFILE | os.O_RDWR)'"),
                         ("bound socket", "/usr/bin/python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"shut/s\")'")):
        done, result = tried(script)
        score.check(done[0] != 0 and any(access == "write" for access, what in refused(result)), f"refused: {name}", done, refused(result))
    by_event = "import ctypes, os\nc = ctypes.CDLL(None, use_errno=True)\ng = c.fanotify_init(2, os.O_RDWR)\n" \
               "assert c.fanotify_mark(g, 1, ctypes.c_uint64(0x20), -100, b\"one\") == 0\nopen(\"one\").close()\nos.read(g, 24)"
    by_handle = "import ctypes, os, struct\nc = ctypes.CDLL(None, use_errno=True)\nh = ctypes.create_string_buffer(struct.pack(\"Ii\", 128, 0), 136)\n" \
                "assert c.name_to_handle_at(-100, b\"one\", h, ctypes.byref(ctypes.c_int()), 0) == 0\nf = os.open(\".\", os.O_RDONLY)\n" \
                "assert c.open_by_handle_at(f, h, os.O_RDONLY) >= 0\nassert c.open_by_handle_at(f, h, os.O_RDWR) >= 0"
    for name, script in (("by an event", by_event), ("by handle", by_handle)):
        done, result = tried(f"/usr/bin/python3 -c '{script}'")
        score.check(done[0] != 0 and refused(result) == {("write", f"{place}/one")}, f"refused: write {name}", done, refused(result))
    shutil.copy("/bin/true", place / "open/deep/true")
    done, result = tried("open/deep/true")
    score.check(done[0] == 126 and ("run", f"{place}/open/deep/true") in refused(result), "what may not be run", done, refused(result))
    done, result = under(str(place), {"paths": {"run": ["/nothing"], "read": ["/"]}}, "true")
    score.check(done[0] == 126 and ("run", os.path.realpath("/bin/true")) in refused(result), "not even the first program", done, refused(result))
    if os.geteuid() == 0:
        done, result = tried("mkdir -p open/deep/m /tmp/r 2>/dev/null; mount --bind shut open/deep/m && cat open/deep/m/file; unshare -m true; chroot shut /bin/true; "
                             "mount -t tmpfs none open/deep/m && echo free > open/deep/m/x && cat open/deep/m/x")
        score.check(done[1] == b"free\n" and ("read", f"{place}/shut/file") in refused(result), "a bind inside hides nothing; a file system of its own is free", done, refused(result))
    done, result = tried("cat /proc/self/root/var/tmp/../..%s/shut/file; exec 3< open/file; cat /proc/self/fd/3 >/dev/null" % place)
    score.check(("read", f"{place}/shut/file") in refused(result), "by way of /proc", done, refused(result))


def network(directory):
    policy = {"network": {"connect": ["127.0.0.1:70*", "unix:@friend"], "bind": ["127.0.0.1:7001", "[::1]:*", "unix:@friend"]}}
    program = """
import errno, socket
def attempt(name, what):
    try:
        what()
        print(name, "ok")
    except PermissionError:
        print(name, "refused")
    except OSError as error:
        print(name, errno.errorcode[error.errno])
server = socket.socket(); attempt("bind", lambda: server.bind(("127.0.0.1", 7001))); server.listen()
attempt("packets of its own", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attempt("bind other", lambda: socket.socket().bind(("127.0.0.1", 7002)))
attempt("bind any", lambda: socket.socket().bind(("0.0.0.0", 7001)))
attempt("bind 6", lambda: socket.socket(socket.AF_INET6).bind(("::1", 9009)))
attempt("connect", lambda: socket.create_connection(("127.0.0.1", 7001)))
attempt("connect other", lambda: socket.create_connection(("127.0.0.1", 80)))
attempt("unix", lambda: socket.socket(socket.AF_UNIX).bind("\\0friend"))
attempt("unix other", lambda: socket.socket(socket.AF_UNIX).bind("\\0foe"))
attempt("send", lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 53)))
attempt("sendmsg", lambda: socket.socket(type=socket.SOCK_DGRAM).sendmsg([b"x"], [], 0, ("127.0.0.1", 53)))
def raw(call, type_, family, *, size=28, kind=socket.AF_INET, port=53):
    import ctypes, struct
    sock = socket.socket(kind, type_)
    address = struct.pack("=HH", family, socket.htons(port)) + (socket.inet_aton("127.0.0.1") if kind == socket.AF_INET else bytes(4) + socket.inet_pton(kind, "::1"))
    address = ctypes.create_string_buffer(address, 28)
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.bind(sock.fileno(), address, size) if call == "bind" else libc.sendto(sock.fileno(), b"x", 1, 0, address, size)
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
attempt("send without a family", lambda: raw("send", socket.SOCK_DGRAM, 0, size=16))
attempt("send to a short address", lambda: raw("send", socket.SOCK_DGRAM, socket.AF_INET6, size=24, kind=socket.AF_INET6))
attempt("bind without a family", lambda: raw("bind", socket.SOCK_STREAM, 0, size=16, port=7002))
attempt("bind a short address", lambda: raw("bind", socket.SOCK_STREAM, socket.AF_INET6, size=24, kind=socket.AF_INET6, port=7002))
attempt("unix with more", lambda: socket.socket(socket.AF_UNIX).bind("\\0friend\\0foe"))
attempt("send there", lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 7050)))
"""
    done, result = under(directory, policy, "python3", "-c", program)
    score.check(done[1].decode().split("\n")[:-1] == ["bind ok", "packets of its own refused", "bind other refused", "bind any refused", "bind 6 ok", "connect ok", "connect other refused", "unix ok",
                                                      "unix other refused", "send refused", "sendmsg refused", "send without a family refused", "send to a short address refused",
                                                      "bind without a family refused", "bind a short address ok", "unix with more refused", "send there ok"], "addresses", done)
    score.check({("bind", "127.0.0.1:7002"), ("connect", "127.0.0.1:80"), ("bind", "unix:@foe"), ("connect", "127.0.0.1:53")} <= refused(result), "told", refused(result))


def learning(directory):
    place = pathlib.Path(directory) / "learned"
    place.mkdir()
    (place / "source.c").write_text("#include <stdio.h>\nint main() { FILE *f = fopen(\"made\", \"w\"); fputs(\"x\", f); return fclose(f); }\n")
    apart = pathlib.Path(directory) / "apart"
    apart.mkdir()
    (apart / "input").write_text("in")
    script = """gcc source.c -o program && ./program && cat ../apart/input /proc/$$/status >/dev/null && ls /proc/self/fd >/dev/null && ls ../apart >/dev/null
        mkdir -p many; for i in 1 2 3 4 5 6 7 8 9 10 11; do : > many/$i; done; : > .temporary; mv .temporary kept; mktemp >/dev/null
        python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); socket.create_connection(s.getsockname())'"""
    for name, load in (("job.toml", tomllib.loads), ("job.json", json.loads)):
        file = f"{directory}/{name}"
        done = run([CSANDBOX, "run", "--learn", file, "--", "sh", "-c", script], cwd=place)
        policy = load(pathlib.Path(file).read_text())
        found = policy["paths"]
        score.check(done[0] == 0 and not faults(policy), f"{name}: a policy, by the schema", done, faults(policy))
        score.check(f"{place}/program" in found["run"] and f"{apart}/input" in found["read"] and "/proc/*/status" in found["read"] and f"{apart}/." in found["read"]
                    and str(apart) not in found["read"], "paths read and run", {key: [path for path in list_ if "csandbox" in path] for key, list_ in found.items()})
        score.check({"/tmp", str(place)} <= set(found["write"]) and not any(path.startswith(f"{place}/") for path in found["write"]), "paths written",
                    found["write"])
        score.check(policy["network"] == {"connect": ["127.0.0.1:*"], "bind": ["127.0.0.1:0"]}, "addresses", policy["network"])
        score.check(policy["limits"]["pids"] >= 16 and policy["limits"]["memory"].endswith("M"), "limits", policy["limits"])
        done = run([CSANDBOX, "run", "--policy", file, "--result", f"{directory}/result", "--", "sh", "-c", script], cwd=place)
        result = json.loads(pathlib.Path(f"{directory}/result").read_text())
        score.check(done[0] == 0 and not refused(result), "the same run needs no more", done, refused(result))
        done = run([CSANDBOX, "run", "--policy", file, "--", "sh", "-c", "cat /etc/hosts; ls /; touch /var/x"], cwd=place)
        score.check(done[0] != 0 and not done[1] and done[2].count(b"denied") == 3, "and another one gets no more", done)
    script = """mkdir 'a*b'; cd 'a*b'; for name in '[x]*' 'q"\\' "$(printf 'n\\n\\t\\377\\177')"; do echo x > "$name"; cat "$name"; done; cat ../../apart/s*"""
    (apart / "s[1]*").write_text("odd")
    for name in ("odd.toml", "odd.json"):
        done = run([CSANDBOX, "run", "--learn", f"{directory}/{name}", "--", "sh", "-c", script], cwd=place)
        again = run([CSANDBOX, "run", "--policy", f"{directory}/{name}", "--", "sh", "-c", script], cwd=place)
        score.check(done == again == (0, b"x\nx\nx\nodd", b""), f"{name}: odd names", done, again, pathlib.Path(f"{directory}/{name}").read_text())
    done = run([CSANDBOX, "run", "--learn", "/no/such/place/x", "--", "true"])
    score.check(done[0] == 125, "a place that cannot be written", done)


def greedy(count):
    """An executable with so many DT_NEEDED of libraries that are nowhere; it does nothing but fault."""
    names = b"\0" + b"".join(b"%05d\0" % i for i in range(count))
    at = 64 + 2 * 56
    dynamic = b"".join(struct.pack("<QQ", 1, 1 + 6 * i) for i in range(count))
    size = len(dynamic) + 3 * 16
    dynamic += struct.pack("<QQQQQQ", 5, at + size, 10, len(names), 0, 0)
    whole = at + size + len(names)
    header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    segments = struct.pack("<IIQQQQQQ", 1, 4, 0, 0, 0, whole, whole, 4096) + struct.pack("<IIQQQQQQ", 2, 4, at, at, at, size, size, 8)
    return header + segments + dynamic + names


def libraries(directory):
    """What a program links to can be read, and no other library: found as ld.so finds them."""
    place = pathlib.Path(directory) / "libraries"
    for name in ("lib/deep", "elsewhere", "opt"):
        (place / name).mkdir(parents=True)
    secret = place / "secret"
    secret.write_text("secret")

    def build(output, text, *options):
        subprocess.run(["gcc", "-x", "c", "-", "-x", "none", "-o", place / output, *options], input=text, text=True, check=True, cwd=place)

    def library(output, name, needs="", *options):
        text = f"int {needs}(void); int {name}(void) {{ return {needs}(); }}" if needs else f"int {name}(void) {{ return 0; }}"
        build(output, text, "-shared", "-fPIC", f"-Wl,-soname,{os.path.basename(output)}", *options)

    # The program finds a by its own DT_RUNPATH, a finds b by its own, c is found by LD_LIBRARY_PATH, and d by DT_RPATH of what loads it.
    library("lib/deep/libb.so", "b")
    library("lib/liba.so", "a", "b", "lib/deep/libb.so", "-Wl,--enable-new-dtags,-rpath,$ORIGIN/deep")
    library("elsewhere/libc1.so", "c1")
    library("lib/unused.so", "unused")
    main = "int a(void); int c1(void); int main(int n, char **v) { char x; FILE *f; for (; n > 1 && (f = fopen(v[1], \"r\")); n--, v++) printf(\"%d\", fread(&x, 1, 1, f) == 1 && x == 127); return a() + c1(); }"
    build("program", "#include <stdio.h>\n" + main, "lib/liba.so", "elsewhere/libc1.so", "-Wl,--enable-new-dtags,-rpath,${ORIGIN}/lib", "-Wl,-rpath-link,lib/deep")
    library("opt/libe.so", "e")
    library("opt/libd.so", "d", "e", "opt/libe.so")
    build("old", "int d(void); int main() { return d(); }", "opt/libd.so", "-Wl,--disable-new-dtags,-rpath,$ORIGIN/opt,-rpath-link,opt")
    # One that would have a secret for a library, and by that read it.
    build("liar.so", "int liar(void) { return 0; }", "-shared", "-fPIC", f"-Wl,-soname,{secret}")
    build("liar", "int liar(void); int main() { return liar(); }", "liar.so")

    def strict(*command, options=()):
        done = run([CSANDBOX, "run", "--profile=strict", *options, "--result", f"{directory}/result", "--", *command], cwd=place)
        return done, refused(json.loads(pathlib.Path(f"{directory}/result").read_text()))

    paths_there = ("--env", f"LD_LIBRARY_PATH={place}/elsewhere")
    done, denied = strict("./program", "lib/liba.so", "lib/deep/libb.so", "elsewhere/libc1.so", "/lib/x86_64-linux-gnu/libc.so.6", options=paths_there)
    score.check(done[:2] == (0, b"1111") and not denied, "libraries by DT_RUNPATH and LD_LIBRARY_PATH", done, denied)
    done, denied = strict("./program", "lib/unused.so", options=paths_there)
    score.check(done[:2] == (0, b"") and denied == {("read", f"{place}/lib/unused.so")}, "and no others", done, denied)
    done, denied = strict("./program")
    score.check(done[0] == 127 and b"libc1.so" in done[2], "what ld.so does not find", done, denied)
    done, denied = strict("./old")
    score.check(done[0] == 0 and not denied, "libraries by DT_RPATH, for those that they load too", done, denied)
    done, denied = strict("./liar")
    score.check(done[0] == 127 and ("read", str(secret)) in denied, "what is no library is not read as one", done, denied)
    (place / "greedy").write_bytes(greedy(20000))
    (place / "greedy").chmod(0o755)
    began = time.monotonic()
    done, _ = strict("./greedy", options=("--env", "LD_LIBRARY_PATH=" + ":".join(["/etc"] * 800)))
    score.check(done[0] == 139 and time.monotonic() - began < 200, "a program that names libraries without end is run", done, time.monotonic() - began)
    done, _ = under(str(place), {"paths": {"write": ["@libraries"]}}, "true")
    score.check(done[0] == 125 and b"policy.json:4:" in done[2] and b"read alone" in done[2], "libraries are to be read alone", done)


def profiles(directory):
    for file in sorted(PROFILES.glob("*.toml")):
        score.check(not faults(tomllib.loads(file.read_text())), f"{file.name} by the schema", faults(tomllib.loads(file.read_text())))
    build = pathlib.Path(CSANDBOX).resolve().parent.parent
    commands = subprocess.run(["ninja", "-C", build, "-t", "commands", "command"], capture_output=True, text=True).stdout
    score.check(all(f"share/{file.name}" in commands for file in PROFILES.glob("*.toml")), "what scripts/run.sh builds has the profiles", commands[-300:])
    place = pathlib.Path(directory) / "profiles"
    place.mkdir()
    (place / "a.c").write_text("#include <stdio.h>\nint main() { puts(\"built\"); }\n")
    (place / "script").write_text("#!/bin/sh\necho script\n")
    (place / "script").chmod(0o755)
    (place / "Makefile").write_text("all: a\n\t./a\na: a.o\n\t$(CC) -o $@ $<\n")

    def profile(name, *command):
        done = run([CSANDBOX, "run", f"--profile={name}", "--result", f"{directory}/result", "--", *command], cwd=place)
        return done, refused(json.loads(pathlib.Path(f"{directory}/result").read_text()))

    done, denied = profile("strict", "echo", "word")
    score.check(done[:2] == (0, b"word\n") and not denied, "strict runs a program", done, denied)
    done, denied = profile("strict", "./script")
    score.check(done[:2] == (0, b"script\n") and not denied, "strict runs a script", done, denied)
    done, denied = profile("strict", "sh", "-c", "env; cat a.c; ls /; (: > x); cat < /etc/passwd")
    score.check(not any(name in done[1] for name in (b"HOME", b"stdio", b"root")) and ("write", f"{place}/x") in denied and ("read", "/etc/passwd") in denied
                and any(access == "run" for access, what in denied), "and nothing else", done, denied)
    if shutil.which("make") and shutil.which("gcc"):
        done, denied = profile("build", "make")
        score.check(done[0] == 0 and done[1].endswith(b"built\n") and not denied, "build builds", done, denied)
    done, denied = profile("build", "sh", "-c", "touch /etc/x; /usr/bin/python3 -c 'import socket; socket.create_server((\"127.0.0.1\", 0))'")
    score.check(({("write", "/etc/x"), ("bind", "127.0.0.1:0")} if os.geteuid() == 0 else {("bind", "127.0.0.1:0")}) <= denied, "and touches nothing else", denied)
    done, denied = profile("test", "/usr/bin/python3", "-c", "import socket, tempfile, multiprocessing as m; s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(s.getsockname()); "
                           "tempfile.TemporaryFile().write(b'x'); m.Lock(); print('ok')")
    score.check(done[:2] == (0, b"ok\n") and not denied, "test tests", done, denied)


with Scratch() as scratch:
    settings(scratch)
    errors(scratch)
    broken(scratch)
    paths(scratch)
    network(scratch)
    learning(scratch)
    if shutil.which("gcc"):
        libraries(scratch)
    profiles(scratch)
if not jsonschema:
    score.skip("the schema", "there is no jsonschema here")
score.finish()
