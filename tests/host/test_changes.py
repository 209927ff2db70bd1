#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What becomes of the writable layer: exported, kept and started from again, copied back to the host."""
import gzip
import json
import os
import pathlib
import random
import shutil
import stat
import subprocess
import sys
import tarfile
import time

from harness import CSANDBOX, Score, Scratch, run

score = Score()


def job(place, script, *options, **more):
    return run([CSANDBOX, "run", *options, "--", "sh", "-c", script], cwd=place, **more)


def make_tree(directory, name):
    place = pathlib.Path(directory) / name
    (place / "old/deep").mkdir(parents=True)
    for file in ("kept", "same", "gone", "old/inner", "old/deep/most"):
        (place / file).write_text(file)
    return place


def members(archive, place):
    prefix = str(place)[1:] + "/"
    with tarfile.open(archive) as tar:
        return {member.name.removeprefix(prefix): member for member in tar if member.name.startswith(prefix)}


def contents(archive, place, name):
    with tarfile.open(archive) as tar:
        return tar.extractfile(f"{str(place)[1:]}/{name}").read()


def export(directory):
    place = make_tree(directory, "exported")
    script = """echo more >> kept; cat same > /dev/null; rm gone; rm -r old; mkdir old; echo new > old/new; ln kept twin
        ln -s kept link; mkfifo pipe; chmod 4711 kept; mkdir -m 700 private; truncate -s 1G sparse; printf end | dd of=sparse bs=1 seek=500M conv=notrunc 2>/dev/null
        python3 -c 'import os; os.setxattr("kept", "user.color", b"\\0red"); os.utime("private", ns=(1, 1234567890123456789))'
        : > "$(printf 'two\\nlines-\\303\\251-\\377')"; exit 3"""
    archive = f"{directory}/layer.tar"
    done = job(place, script, "--export-changes", archive)
    found = members(archive, place)
    score.check(done[0] == 3 and not done[2], "a layer whatever the status", done)
    score.check(".wh.gone" in found and "same" not in found and found[".wh.gone"].size == 0, "a whiteout, and nothing that did not change", sorted(found))
    score.check("old/.wh..wh..opq" in found and "old/new" in found and "old/inner" not in found, "an opaque directory", sorted(found))
    score.check(contents(archive, place, "kept") == b"keptmore\n" and found["kept"].mode == 0o4711 and found["kept"].uid == os.getuid(), "contents, mode and owner")
    score.check(found["twin"].islnk() and found["twin"].linkname.endswith("exported/kept") and found["link"].issym() and found["link"].linkname == "kept"
                and found["pipe"].isfifo(), "links and FIFOs", found["twin"])
    score.check(found["kept"].pax_headers.get("SCHILY.xattr.user.color") == "\0red", "extended attributes", found["kept"].pax_headers)
    score.check(found["private"].mode == 0o700 and found["private"].pax_headers.get("mtime", "").startswith("1234567890.123456789"), "times to the nanosecond",
                found["private"].pax_headers)
    score.check(os.path.getsize(archive) < 1 << 20 and contents(archive, place, "sparse")[500 << 20:][:4] == b"end\0", "holes are left out")
    with tarfile.open(archive, errors="surrogateescape") as tar:
        score.check(any(os.fsencode(name).endswith(b"two\nlines-\xc3\xa9-\xff") for name in tar.getnames()), "names are bytes")
    score.check(not [name for name in os.listdir(directory) if name.startswith("layer.tar.")], "and nothing beside it", os.listdir(directory))
    done = job(place, "echo out", "--export-changes", "/dev/stdout")
    score.check(done[0] == 0 and os.path.islink("/dev/stdout") and done[1].startswith(b"out\n") and len(done[1]) >= 1024, "a link is not replaced", done[0], done[2])
    fifo = f"{directory}/fifo"
    os.mkfifo(fifo)
    reader = subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE)
    done = job(place, "true", "--export-changes", fifo)
    score.check(done[0] == 0 and len(reader.communicate(timeout=300)[0]) >= 1024 and stat.S_ISFIFO(os.stat(fifo).st_mode), "nor is a FIFO", done)
    read, write = os.pipe()
    process = subprocess.Popen([CSANDBOX, "run", "--export-changes", f"fd:{write}", "--", "sh", "-c", "echo x > piped"], cwd=place, pass_fds=[write])
    os.close(write)
    with os.fdopen(read, "rb") as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
        names = [member.name for member in tar]
    score.check(process.wait() == 0 and any(name.endswith("/piped") for name in names), "through a pipe", names)
    done = job(place, "mv old moved; mkdir old", "--export-changes", archive)
    found = members(archive, place)
    score.check({"moved", "moved/inner", "moved/deep/most", "old", "old/.wh..wh..opq"} <= set(found), "a moved directory brings all along", sorted(found))
    done = job(place, "true", "--export-changes", "/no/such/place")
    score.check(done[0] == 125 and b"--export-changes" in done[2] or b"/no/such/place" in done[2], "a place that cannot be written is told at once", done)
    huge = job(place, "truncate -s 7E huge; true", "--export-changes", archive)
    score.check(huge[0] == 125 and huge[2].count(b"\n") == 1, "a file that no archive can hold is an error", huge)


def layers(directory):
    place = make_tree(directory, "layered")
    first, second = f"{directory}/first", f"{directory}/second"
    done = job(place, "rm gone; echo one > added; ln added twin; mkdir -p new/er; echo inner > new/er/file; chmod 640 kept; rm -r old; mkdir old; echo fresh > old/fresh",
               "--keep-changes", first)
    score.check(done[0] == 0 and os.listdir(first) == ["layer.tar"], "a layer is kept", done, os.listdir(first))
    done = job(place, "cat added new/er/file old/fresh; ls; ls old; stat -c '%a %h' kept added", "--layer", first, "--changes")
    score.check(done[1].split() == b"one inner fresh added kept new old same twin fresh 640 1 644 2".split(), "and started from", done)
    score.check(done[2] == b"", "what it brings is no change", done[2])
    done = job(place, "echo two >> added; rm new/er/file; rm -r old; echo back > gone", "--layer", first, "--keep-changes", second, "--changes")
    listed = [(line.split()[0], line.split()[-1].removeprefix(f"{place}/")) for line in done[2].decode().splitlines()]
    score.check({("M", "added"), ("D", "new/er/file"), ("D", "old"), ("A", "gone")} <= set(listed) and ("A", "kept") not in listed, "what differs from it is", listed)
    found = members(f"{second}/layer.tar", place)
    score.check({"added", "new/er/.wh.file", ".wh.old", "gone"} <= set(found) and "kept" not in found, "and only that is kept", sorted(found))
    done = job(place, "cat added gone twin; ls new/er; ls -d old 2>&1; stat -c %a kept", "--layer", first, "--layer", second)
    score.check(done[1].split()[:6] == b"one two back one two ls:".split() or done[1].split()[:5] == b"one two back one ls:".split(), "several, lowest first", done)
    score.check((place / "gone").read_text() == "gone" and (place / "old/deep/most").exists(), "the host has what it had")
    done = job(place, "true", "--layer", first, "--keep-changes", first)
    score.check(done[0] == 125 and b"differs" in done[2], "a layer is not kept over the one it stands on", done)
    for name, data in (("junk", os.urandom(5000)), ("empty", b""), ("cut", pathlib.Path(f"{first}/layer.tar").read_bytes()[:3000])):
        pathlib.Path(f"{directory}/{name}").write_bytes(data)
        done = job(place, "true", "--layer", f"{directory}/{name}")
        score.check(done[0] == 125 and b"no layer" in done[2], f"{name}: not every file is a layer", done)
    subprocess.run(["gzip", "-k", f"{first}/layer.tar"], check=True)
    done = job(place, "cat added", "--layer", f"{first}/layer.tar.gz")
    score.check(done[1] == b"one\n", "a compressed layer of anybody's", done)
    score.check(job(place, "true", "--layer", "/no/such")[0] == 125, "one that is not there")


def hostile_layers(directory):
    place = make_tree(directory, "hostile")
    prefix = str(place)[1:]

    def made(name, entries):
        path = f"{directory}/{name}.tar"
        with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
            for entry in entries:
                info = tarfile.TarInfo(entry["name"])
                for key, value in entry.items():
                    setattr(info, key, value)
                tar.addfile(info)
        return path

    outside = {"name": "../../../../escape"}
    through = [{"name": f"{prefix}/way", "type": tarfile.SYMTYPE, "linkname": "/etc"}, {"name": f"{prefix}/way/file"}]
    looped = [{"name": f"{prefix}/hard", "type": tarfile.LNKTYPE, "linkname": f"{prefix}/hard"}]
    below_file = [{"name": f"{prefix}/kept/under"}]
    for name, entries in (("up", [outside]), ("through", through), ("looped", looped), ("below", below_file), ("bare", [{"name": f"{prefix}/.wh."}])):
        done = job(place, "true", "--layer", made(name, entries))
        score.check(done[0] == 125 and done[2].count(b"\n") == 1, f"a hostile layer: {name}", done)
    many = [{"name": f"{prefix}/{'d/' * 1500}file"}]
    done = job(place, "true", "--layer", made("deep", many))
    score.check(done[0] in (0, 125), "a deep one", done)
    full = [{"name": f"{prefix}/big", "size": 0}]
    path = made("full", full)
    with tarfile.open(path, "w") as tar:
        info = tarfile.TarInfo(f"{prefix}/big")
        info.size = 64 << 20
        tar.addfile(info, open("/dev/zero", "rb"))
    done = job(place, "true", "--disk", "16M", "--layer", path)
    score.check(done[0] == 125 and b"--disk" in done[2], "one that is larger than --disk", done)


def broken_layers(directory):
    """Layers with a few wrong bytes: they are read or refused, and nothing breaks."""
    place = make_tree(directory, "broken")
    kept = f"{directory}/kept-to-break"
    job(place, "rm gone; echo x > new; ln new twin; mkdir dir; ln -s x link; truncate -s 1M sparse; setfattr -n user.a -v b new 2>/dev/null", "--keep-changes", kept)
    plain = pathlib.Path(f"{kept}/layer.tar").read_bytes()
    numbers, bad = random.Random(1), []
    for kind, data in (("tar", plain), ("gzip", gzip.compress(plain))):
        for _ in range(60):
            wrong = bytearray(data)
            for _ in range(numbers.randint(1, 8)):
                wrong[numbers.randrange(len(wrong))] = numbers.randrange(256)
            if numbers.random() < 0.2:
                del wrong[numbers.randrange(len(wrong)):]
            pathlib.Path(f"{directory}/wrong").write_bytes(wrong)
            done = job(place, "ls -lR . >/dev/null", "--layer", f"{directory}/wrong", "--disk", "64M", "--memory", "256M")
            if done[0] not in (0, 1, 2, 125) or b"internal" in done[2] or b"Sanitizer" in done[2]:
                bad.append((kind, done))
    score.check(not bad, "layers with wrong bytes", bad[:3])


def apply(directory):
    place = make_tree(directory, "applied")
    (place / "mode").write_text("mode")
    os.link(place / "same", place / "linked")
    script = """echo more >> kept; rm gone; rm -r old/deep; mkdir -p new/er; echo x > new/er/file; ln new/er/file twin; ln -s kept link; mkfifo pipe
        chmod 4755 mode; mkdir -m 555 sealed; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")'"""
    before = (place / "kept").stat().st_ino
    done = job(place, script, f"--apply-changes={place}", "--result", f"{directory}/result")
    names = {name for name in os.listdir(place)}
    score.check(done[0] == 0 and done[2] == b"", "changes are applied", done)
    score.check((place / "kept").read_text() == "keptmore\n" and (place / "kept").stat().st_ino != before, "a file is replaced, not written to")
    score.check(names == {"kept", "same", "linked", "old", "new", "twin", "link", "pipe", "mode", "sealed"}, "what is gone goes, what is new comes", names)
    score.check((place / "twin").stat().st_ino == (place / "new/er/file").stat().st_ino and os.readlink(place / "link") == "kept", "links are links")
    score.check(stat.S_IMODE((place / "mode").stat().st_mode) == 0o755, "no set-user-ID bit is brought out", oct((place / "mode").stat().st_mode))
    score.check(not (place / "old/deep").exists() and (place / "old/inner").exists() and stat.S_IMODE((place / "sealed").stat().st_mode) == 0o555, "directories")
    result = json.loads(pathlib.Path(f"{directory}/result").read_text())
    score.check(result["changes_applied"] >= 9 and result["status"] == 0, "told in the result", result["changes_applied"])

    done = job(place, "echo bad > same; exit 1", f"--apply-changes={place}", "--result", f"{directory}/result")
    score.check(done[0] == 1 and (place / "same").read_text() == "same", "nothing after another status")
    score.check(json.loads(pathlib.Path(f"{directory}/result").read_text())["changes_applied"] is None, "which the result says")
    done = run([CSANDBOX, "run", "--apply-changes=new", "--", "sh", "-c", "echo in > new/in; mkdir new/deep; echo 1 > new/deep/x; echo out > same"], cwd=place)
    score.check(done[0] == 0 and (place / "new/in").read_text() == "in\n" and (place / "same").read_text() == "same", "only what was asked for", done)
    os.symlink(place, f"{directory}/way")
    for name in ("../applied/new/made", f"{directory}/way/new/../new/made", "./new//made/"):
        done = run([CSANDBOX, "run", f"--apply-changes={name}", "--", "sh", "-c", "mkdir new/made; echo x > new/made/x; echo out > same"], cwd=place)
        score.check(done[0] == 0 and os.listdir(place / "new/made") == ["x"] and (place / "same").read_text() == "same", f"which is {name}", done)
        shutil.rmtree(place / "new/made", ignore_errors=True)
    score.check(run([CSANDBOX, "run", "--apply-changes=", "--", "true"], cwd=place)[0] == 125, "no path at all")
    done = job(place, "rm -r new; mkdir new; echo again > new/in", f"--apply-changes={place}")
    score.check(done[0] == 0 and os.listdir(place / "new") == ["in"], "a directory made anew replaces the old one", done)
    done = job(place, "rm same; mkdir same; rm -r old; echo file > old", f"--apply-changes={place}")
    score.check(done[0] == 0 and (place / "same").is_dir() and (place / "old").read_text() == "file\n", "a file becomes a directory and back", done)
    done = job(place, "mv new renamed; mv kept renamed/kept", f"--apply-changes={place}")
    score.check(done[0] == 0 and not (place / "new").exists() and (place / "renamed/kept").read_text() == "keptmore\n", "what was moved", done)
    done = run([CSANDBOX, "run", "--root", str(place), "--bind", "/usr:/usr", "--bind", "/bin:/bin", "--bind", "/lib:/lib", "--bind", "/lib64:/lib64",
                "--apply-changes=/renamed", "--", "/bin/sh", "-c", "echo rooted > /renamed/rooted; echo no > /no"], cwd=place)
    score.check(done[0] == 0 and (place / "renamed/rooted").read_text() == "rooted\n" and not (place / "no").exists(), "below --root", done)
    kept = f"{directory}/with-directory"
    job(place, "mkdir -p built/deep; echo 1 > built/a; echo 2 > built/deep/b", "--keep-changes", kept)
    done = job(place, "echo 3 > built/c; rm built/a", "--layer", kept, f"--apply-changes={place}/built")
    score.check(done[0] == 0 and os.listdir(place / "built") == ["c"], "a directory that only a layer has comes along", done)
    shutil.rmtree(place / "built")
    done = job(place, "echo 3 > built/deep/c; echo x > first", "--layer", kept, f"--apply-changes={place}")
    score.check(done[0] == 125 and b"only a layer has" in done[2] and not (place / "first").exists(), "or is named, and nothing applied", done)
    if os.geteuid() == 0:
        done = job(place, "chown 12:34 link pipe; echo x > owned; chown 56:78 owned", f"--apply-changes={place}")
        owner = (place / "owned").stat()
        score.check((owner.st_uid, owner.st_gid) == (56, 78), "owners, by root", done, owner)
        done = job(place, "mknod null c 1 3; echo x > other", f"--apply-changes={place}")
        score.check(done[0] == 125 and b"device" in done[2] and not (place / "other").exists(), "no devices", done)


def conflicts(directory):
    """Each time the host does something between the sandbox's look and its end."""
    for name, inside, outside in (
            ("written", "echo x >> kept", lambda place: (place / "kept").write_text("other")),
            ("same size and time", "echo x >> kept", lambda place: rewrite(place / "kept")),
            ("replaced", "echo x >> kept", lambda place: os.replace(place / "same", place / "kept")),
            ("removed", "echo x >> kept", lambda place: (place / "kept").unlink()),
            ("came", "echo x > new", lambda place: (place / "new").write_text("host's")),
            ("deleted but written", "rm gone", lambda place: (place / "gone").write_text("more")),
            ("written deep in what goes", "rm -r old", lambda place: (place / "old/deep/most").write_text("more")),
            ("came deep in what goes", "rm -r old", lambda place: (place / "old/deep/other").write_text("more")),
            ("a link instead of a directory", "echo x > old/deep/new", lambda place: relink(place))):
        place = make_tree(directory, name.replace(" ", "-"))
        process = subprocess.Popen([CSANDBOX, "run", f"--apply-changes={place}", "--", "sh", "-c", f"echo a > first; {inside}; echo ready; read go"],
                                   cwd=place, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(0.02)
        outside(place)
        out, error = process.communicate(b"go\n")
        score.check(process.returncode == 125 and error.count(b"\n") == 1 and b"on the host" in error and not (place / "first").exists(),
                    f"refused: {name}", process.returncode, error, os.listdir(place))
    place = make_tree(directory, "neighbours")
    process = subprocess.Popen([CSANDBOX, "run", f"--apply-changes={place}", "--", "sh", "-c", "echo a > mine; echo ready; read go"],
                               cwd=place, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdout.readline()
    (place / "theirs").write_text("b")
    process.communicate(b"go\n")
    score.check(process.returncode == 0 and (place / "mine").exists() and (place / "theirs").exists(), "two may add to one directory")


def rewrite(path):
    before = path.stat()
    path.write_text("KEPT")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def relink(place):
    shutil.move(place / "old/deep", place / "elsewhere")
    os.symlink("../elsewhere", place / "old/deep")


with Scratch() as scratch:
    export(scratch)
    layers(scratch)
    hostile_layers(scratch)
    broken_layers(scratch)
    apply(scratch)
    conflicts(scratch)
score.finish()
