#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A terminal stays a terminal: the command on a pty, driven as a person would."""
import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import termios
import time

from harness import CSANDBOX, Score, Scratch


class Terminal:
    """A program on a pty of its own, in a session of its own."""

    def __init__(self, command, rows=30, columns=100, cwd="/"):
        self.text = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.environ["TERM"] = "xterm"
            os.environ["PS1"] = "PROMPT> "
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execvp(command[0], command)

    def wait_for(self, text, seconds=100):
        end = time.time() + seconds
        while text not in self.text and time.time() < end:
            ready, _, _ = select.select([self.fd], [], [], 0.1)
            if ready:
                try:
                    self.text += os.read(self.fd, 65536)
                except OSError:
                    break
        found = text in self.text
        if found:
            self.text = self.text[self.text.index(text) + len(text):]
        return found

    def type(self, text):
        os.write(self.fd, text)

    def wait_for_death_by(self, key):
        """Types it again and again, since a program may not have been ready for the first."""
        for _ in range(100):
            if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                break
            self.type(key)
            self.wait_for(b"\0", 1)

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def status(self, seconds=100):
        end = time.time() + seconds
        while time.time() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
            ready, _, _ = select.select([self.fd], [], [], 0.05)
            if ready:
                try:
                    self.text += os.read(self.fd, 65536)
                except OSError:
                    pass
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)
        return None


def inside(*command):
    return [CSANDBOX, "run", "--", *command]


def main():
    score = Score()

    terminal = Terminal(inside("sh", "-c", "tty; stty size; test -t 0 && test -t 1 && test -t 2 && echo yes"))
    score.check(terminal.wait_for(b"/dev/pts/0"), "tty names the terminal", terminal.text)
    score.check(terminal.wait_for(b"30 100"), "its size", terminal.text)
    score.check(terminal.wait_for(b"yes") and terminal.status() == 0, "all three descriptors are it", terminal.text)

    terminal = Terminal(inside("sh", "-c", "echo ready; read x; echo got $x"))
    terminal.wait_for(b"ready")
    terminal.type(b"wrnog\x7f\x7f\x7f\x7fork\r")
    score.check(terminal.wait_for(b"got work") and terminal.status() == 0, "a line is edited", terminal.text)

    terminal = Terminal(inside("sh", "-c", "echo ready; sleep 30; echo not reached"))
    terminal.wait_for(b"ready")
    # dash drops what comes while it forks, on Linux too.
    terminal.wait_for_death_by(b"\x03")
    score.check(terminal.status() == 130, "Ctrl-C interrupts", terminal.text)

    terminal = Terminal(inside("sh", "-c", "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.1; done"))
    terminal.wait_for(b"ready")
    terminal.resize(50, 120)
    score.check(terminal.wait_for(b"50 120") and terminal.status() == 0, "a new size is told", terminal.text)

    terminal = Terminal(inside("bash", "--norc", "-i"))
    terminal.wait_for(b"PROMPT> ")
    terminal.type(b"sh -c 'echo u''p; exec sleep 1000'\r")
    terminal.wait_for(b"up\r\n")
    terminal.type(b"\x1a")
    score.check(terminal.wait_for(b"Stopped"), "Ctrl-Z stops a job of a shell inside", terminal.text)
    terminal.type(b"kill %1; wait; echo b''ack\r")
    score.check(terminal.wait_for(b"back"), "and jobs are kept", terminal.text)
    terminal.type(b"sh -c 'echo u''p; exec cat'\r")
    terminal.wait_for(b"up\r\n")
    terminal.type(b"echo\x04\x04")
    score.check(terminal.wait_for(b"PROMPT> "), "Ctrl-D ends input", terminal.text)
    terminal.type(b"exit 7\r")
    score.check(terminal.status() == 7, "the shell's status", terminal.text)

    terminal = Terminal(["bash", "--norc", "-i"])
    terminal.wait_for(b"PROMPT> ")
    terminal.type((" ".join(inside("sh", "-c", "'echo ready; read x; echo x=$x'")) + "\r").encode())
    terminal.wait_for(b"ready\r\n")
    time.sleep(0.3)
    terminal.type(b"\x1a")
    score.check(terminal.wait_for(b"Stopped"), "Ctrl-Z stops the command for the caller's shell", terminal.text)
    terminal.type(b"fg\r")
    time.sleep(0.7)
    # What comes before the command has the terminal again is its shell's.
    for _ in range(20):
        terminal.type(b"typed\r")
        continued = terminal.wait_for(b"x=typed", 5)
        if continued:
            break
    score.check(continued, "and fg continues it", terminal.text)
    terminal.wait_for(b"PROMPT> ")
    terminal.type(b"exit\r")
    terminal.status()

    if shutil.which("vim"):
        with Scratch() as directory:
            terminal = Terminal([CSANDBOX, "run", "--bind", f"{directory}:{directory}:rw", "--", "vim", "-u", "NONE", f"{directory}/f"])
            terminal.wait_for(b"[New")
            terminal.type(b"ihello from vim\x1b")
            terminal.wait_for(b"vim")
            # An escape and what comes with it could be one key.
            time.sleep(0.5)
            terminal.type(b":wq\r")
            status = terminal.status()
            try:
                text = open(f"{directory}/f").read()
            except OSError:
                text = None
            score.check(status == 0 and text == "hello from vim\n", "vim writes a file", status, text, terminal.text[-500:])
    else:
        score.skip("vim writes a file", "there is no vim here")

    if shutil.which("tmux"):
        terminal = Terminal(inside("tmux", "-f", "/dev/null", "new-session", "echo in''side tmux; sleep 1"))
        score.check(terminal.wait_for(b"inside tmux") and terminal.status() == 0, "tmux runs a program", terminal.text[-500:])
    else:
        score.skip("tmux runs a program", "there is no tmux here")
    score.finish()


if __name__ == "__main__":
    main()
