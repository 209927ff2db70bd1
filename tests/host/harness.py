# SPDX-License-Identifier: Apache-2.0
"""What the host tests share: running a command natively and in the sandbox, and keeping the score in TAP."""
import os
import shutil
import subprocess
import sys
import tempfile

CSANDBOX = os.path.abspath(sys.argv[1])


class Score:
    def __init__(self):
        self.count = self.failed = 0

    def check(self, good, name, *details):
        self.count += 1
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}")
        if not good:
            self.failed += 1
            for detail in details:
                text = detail.decode(errors="replace") if isinstance(detail, bytes) else str(detail)
                for line in text.splitlines()[:30]:
                    print("#   " + line[:300])
        sys.stdout.flush()

    def skip(self, name, reason):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {reason}")

    def finish(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed or not self.count else 0)


def run(command, cwd=None, timeout=300, stdin=subprocess.DEVNULL, env=None):
    """(status, standard output, standard error); a timeout has the status None."""
    try:
        done = subprocess.run(command, cwd=cwd, stdin=stdin, capture_output=True, timeout=timeout, env=env)
        return done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired as error:
        return None, error.stdout or b"", error.stderr or b""


def sandbox(*arguments, **options):
    return run([CSANDBOX, "run", *arguments], **{"cwd": "/", **options})


class Scratch:
    """A directory of one's own, outside /tmp, which is private inside."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="csandbox-test-", dir=os.environ.get("CSANDBOX_TEST_DIR", "/var/tmp"))
        return self.path

    def __exit__(self, *unused):
        shutil.rmtree(self.path, ignore_errors=True)
