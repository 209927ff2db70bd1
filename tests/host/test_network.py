#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Programs that talk over the loopback, unix sockets and terminals, natively and in the sandbox: the same output and status."""
import shutil

from harness import CSANDBOX, Score, Scratch, run

# P is a port that is likely free; wait_port, wait_file and wait_line (in a file of /proc) wait until somebody is there.
PRELUDE = r"""
P=$((20000 + ($$ * 7 + RANDOM) % 20000))
wait_port() { for i in $(seq 200); do (exec 3<>/dev/tcp/127.0.0.1/$1) 2>/dev/null && return; sleep 0.05; done; }
wait_line() { for i in $(seq 200); do grep -q "$1" $2 && return; sleep 0.05; done; }
wait_file() { for i in $(seq 200); do [ -e $1 ] && return; sleep 0.05; done; }
"""

# name, the programs that must be there, a script for bash in an empty directory.
PROGRAMS = [
    ("bash's own connections", ["python3"],
     "python3 -c 'import socketserver as s\nclass H(s.StreamRequestHandler):\n  def handle(self):\n"
     "    for line in self.rfile: self.wfile.write(line.upper())\ns.TCPServer.allow_reuse_address=True\n"
     "s.ThreadingTCPServer((\"127.0.0.1\",'$P'),H).serve_forever()' & wait_port $P\n"
     "exec 5<>/dev/tcp/127.0.0.1/$P; echo one >&5; read x <&5; echo $x; echo two >&5; read x <&5; echo $x; exec 5>&-; kill %1"),
    ("python http.server and curl", ["python3", "curl"],
     "seq 1 100000 > file; mkdir d; echo x > d/index.html; python3 -m http.server -b 127.0.0.1 $P >/dev/null 2>&1 & wait_port $P\n"
     "curl -s http://127.0.0.1:$P/file | md5sum; curl -s -o /dev/null -w '%{http_code} ' http://127.0.0.1:$P/none; curl -s http://localhost:$P/d/\n"
     "curl -s -I http://127.0.0.1:$P/file | grep -i length; curl -s http://127.0.0.1:1/; echo $?; kill %1"),
    ("python sockets of every kind", ["python3"],
     "python3 - <<'E'\nimport socket,os,array,select,threading\n"
     "a,b=socket.socketpair(socket.AF_UNIX,socket.SOCK_SEQPACKET); a.send(b'x'); a.send(b'yz'); print(b.recv(9),b.recv(9))\n"
     "a,b=socket.socketpair(); socket.send_fds(a,[b'f'],[0,1,2]); m,f,_,_=socket.recv_fds(b,9,5); print(m,len(f))\n"
     "u=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); u.bind(('127.0.0.1',0)); v=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\n"
     "v.sendto(b'dgram',u.getsockname()); print(u.recvfrom(99)[0])\n"
     "s=socket.create_server(('127.0.0.1',0)); c=socket.create_connection(s.getsockname()); d,_=s.accept()\n"
     "def r():\n  n=0\n  while True:\n    x=d.recv(65536)\n    if not x: break\n    n+=len(x)\n  print(n)\n"
     "t=threading.Thread(target=r); t.start(); c.sendall(b'z'*5000000); c.close(); t.join()\n"
     "print(socket.getaddrinfo('localhost',80,socket.AF_INET,socket.SOCK_STREAM)[0][4])\n"
     "try: socket.create_connection(('192.0.2.1',9),timeout=0.05)\nexcept OSError as e: print('no way')\n"
     "p=select.epoll(); p.register(a.fileno(),select.EPOLLIN); b.send(b'!'); print(p.poll(1)[0][1]); print(socket.if_nametoindex('lo'))\nE"),
    ("nc over unix sockets", ["nc"],
     "nc -lU s > out & wait_file s; echo through | nc -NU s; wait; cat out; rm s\n"
     "nc -lkU s < /dev/null > out 2>/dev/null & wait_file s; for i in 1 2 3; do echo $i | nc -NU s; done; sleep 0.2; kill %1; sort out"),
    ("nc over TCP and UDP", ["nc"],
     "nc -l 127.0.0.1 $P > out & wait_line $(printf ':%04X 0*:0000 0A' $P) /proc/net/tcp; echo tcp | nc -N 127.0.0.1 $P; wait; cat out; nc -z 127.0.0.1 1; echo $?\n"
     "timeout 20 nc -u -l 127.0.0.1 $P > out & wait_line $(printf ':%04X' $P) /proc/net/udp; echo udp | timeout 1 nc -u -w1 127.0.0.1 $P; sleep 0.2; kill %1 2>/dev/null; wait 2>/dev/null; cat out"),
    ("socat: TCP, unix, exec", ["socat"],
     "socat TCP-LISTEN:$P,bind=127.0.0.1,reuseaddr,fork EXEC:cat 2>/dev/null & wait_port $P; for i in 1 2 3; do echo round $i | socat - TCP:127.0.0.1:$P; done; kill $!\n"
     "socat UNIX-LISTEN:s,fork SYSTEM:'tr a-z A-Z' & wait_file s; echo upper | socat -t5 - UNIX-CONNECT:s; kill $!\n"
     "socat UDP4-RECVFROM:$P,bind=127.0.0.1 EXEC:rev & wait_line $(printf ':%04X' $P) /proc/net/udp; echo abc | socat -t2 - UDP4:127.0.0.1:$P; wait $! 2>/dev/null\n"
     "socat ABSTRACT-LISTEN:csandbox$P EXEC:'echo abstract' & wait_line @csandbox$P /proc/net/unix; socat -u ABSTRACT-CONNECT:csandbox$P -; head -c 3000000 /dev/zero | socat -u - EXEC:'wc -c'"),
    ("socat: terminals", ["socat"],
     "socat PTY,link=a,raw,echo=0 PTY,link=b,raw,echo=0 & both=$!; wait_file b; timeout 20 head -c 6 b > out & printf 'ptyptY' > a; wait $!; cat out; echo; kill $both\n"
     "socat -t3 EXEC:'tty',pty,stderr,setsid,ctty - </dev/null | sed 's/[0-9]\\+/N/'; echo 'stty size; echo $((6*7)); exit' | socat -t3 - EXEC:'sh -i',pty,setsid,ctty,echo=0,stderr 2>&1 | tr -d '\\r' | grep -v '[$#]' | grep 42"),
    ("script", ["script"],
     "script -qec 'tty; test -t 0; echo $?; stty -a | grep -o \"speed [0-9]*\"; exit 3' log </dev/null | tr -d '\\r' | sed 's/pts.[0-9]*/pts/'; echo ${PIPESTATUS[0]}; grep -c speed log"),
    ("expect", ["expect"],
     "expect -c 'set timeout 20; log_user 0; spawn cat; send \"hello\\r\"; expect \"hello\\r\\nhello\\r\\n\" {puts matched} timeout {puts timeout}; send \"\\004\"; expect eof {puts eof}; puts [lindex [wait] 3]'\n"
     "expect -c 'set timeout 20; log_user 0; spawn sh -c {trap \"echo caught\" INT; echo ready; read x; echo got $x}; expect ready; send \"\\003\"; expect caught {puts interrupted}; send \"y\\r\"; expect eof; puts end'"),
    ("tmux", ["tmux"],
     "export TERM=screen; tmux -L x$P -f /dev/null new-session -d -x 90 -y 20 'sh'; until_shown() { for i in $(seq 100); do tmux -L x$P capture-pane -p | grep -q \"$1\" && break; sleep 0.1; done; }\n"
     "until_shown '^[#$]'; tmux -L x$P send-keys 'echo $((40+2)); stty size' Enter\n"
     "until_shown '^20 90\\|^19 90'; tmux -L x$P capture-pane -p | grep '^42$'\n"
     "tmux -L x$P split-window 'sleep 30'; tmux -L x$P list-panes | wc -l; tmux -L x$P kill-server; echo $?"),
    ("redis", ["redis-server", "redis-cli"],
     "redis-server --port 0 --unixsocket $PWD/r.sock --save '' --daemonize no >/dev/null & wait_file r.sock; sleep 0.3; c='redis-cli -s r.sock'\n"
     "$c set a 1; $c incr a; for i in $(seq 50); do echo lpush l $i; done | $c | tail -1; $c lrange l 0 3; $c subscribe >/dev/null; $c shutdown nosave; wait"),
    ("nginx and ab", ["nginx", "ab"],
     "mkdir logs; seq 1 5000 > page; printf 'daemon off; pid n.pid; error_log stderr crit; worker_processes 2; events {}\\n"
     "http { access_log off; client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t; uwsgi_temp_path t; scgi_temp_path t; server { listen 127.0.0.1:%d; root %s; } }' $P $PWD > n.conf; chmod 755 .\n"
     "nginx -p $PWD -c $PWD/n.conf & wait_port $P; ab -q -n 300 -c 8 http://127.0.0.1:$P/page | grep -E 'Complete|Failed|Total transferred' | sed 's/transferred.*/ok/'; ab -q -k -n 300 -c 4 http://127.0.0.1:$P/page | grep Failed; kill %1; wait"),
    ("ping", ["ping"], "ping -q -c3 -i0.2 127.0.0.1 | grep -o '3 packets transmitted, 3 received'; ping -c1 -W1 127.0.0.7 >/dev/null; echo $?"),
    ("ss", ["ss", "python3"],
     "python3 -c 'import socket,time\ns=socket.create_server((\"127.0.0.1\",'$P'))\nu=socket.socket(socket.AF_UNIX); u.bind(\"u.sock\"); u.listen(7)\ntime.sleep(20)' & wait_file u.sock; sleep 0.1\n"
     "ss -Htln \"sport = :$P\" | sed s/$P/PORT/ | awk '{print $1, $3, $4}'; ss -Hxl | grep -c u.sock; kill %1"),
]


def main():
    score = Score()
    for name, needs, script in PROGRAMS:
        missing = [program for program in needs if not shutil.which(program)]
        if missing:
            score.skip(name, f"there is no {missing[0]} here")
            continue
        script = PRELUDE + script
        with Scratch() as here:
            native = run(["bash", "-c", script], cwd=here)
        with Scratch() as here:
            inside = run([CSANDBOX, "run", "--", "bash", "-c", script], cwd=here, timeout=120)
        good = native[0] is not None and native[:2] == inside[:2]
        score.check(good, name, "natively:", native[0], native[1], native[2], "inside:", inside[0], inside[1], inside[2])
    score.finish()


if __name__ == "__main__":
    main()
