# SPDX-License-Identifier: Apache-2.0
"""What test_debuggers.py runs: real debuggers and tracers, as shell scripts in a directory that has the debuggees.

A case is a name, the programs that it needs, and a script. What a script prints must not depend on who runs first, on
numbers of processes nor on addresses; normal() in test_debuggers.py takes away those that the tools print by themselves."""

PREAMBLE = r"""
export LC_ALL=C DEBUGINFOD_URLS= HOME=$PWD
G() { timeout -s KILL 60 gdb -q -batch -nx "$@" 2>&1 | grep -v 'dumped core\|^\[New \|^\[Thread.*exited\|^Using host lib\|^\[Thread debugging\|^Download'; }
calls() { grep -v 'unfinished\|resumed\|SIGCHLD\|wait4(\|rt_sig' "$@" | sed -E 's/^([0-9]+ +)?([a-z0-9_]+)\(.*= (-?[0-9]+|0x[0-9a-f]+|\?)( [A-Z]+)?.*/\2\4/' | sort | uniq -c; }
"""

STRACE = [
    ("strace", r"strace -o log sh -c 'echo a; /bin/true; exit 3'; echo $?; calls log"),
    ("strace -f", r"""strace -f -o log sh -c 'echo a | cat; (exit 4); echo $?; /bin/true'; echo $?
        grep -oE '(exited with [0-9]+|execve\("[^"]*")' log | sort | uniq -c"""),
    ("strace -ff", r"""strace -ff -o log sh -c 'echo a | cat; (exit 4); echo $?'; echo $?
        for f in log.*; do grep -q 'execve' $f && echo execve; tail -1 $f; done | sort"""),
    ("strace -c", r"""strace -c -o log sh -c 'cat simple.c >/dev/null'; awk 'NR>2{print $NF}' log | grep -v 'sig\|wait4' | sort
        strace -c -o /dev/stdout /bin/true | awk 'NR>2{print $4, $NF}' | sort
        strace -C -f -e trace=execve -o log sh -c /bin/true; grep -c execve log"""),
    ("strace of threads", r"""strace -f -o log ./threads 8; echo $?
        grep -c 'clone3(' log; grep -c 'exited with 0' log
        strace -fc -o log ./threads 8; grep clone3 log | awk '{print $4}'"""),
    ("strace -p", r"""./turning 3 & p=$!; sleep 0.2
        strace -f -p $p -o log 2>err & s=$!; sleep 0.4; kill -INT $s; wait $s; echo $?
        cut -d' ' -f1-4 err | sed -E 's/[0-9]+/N/g' | sort | uniq -c; awk '{print $1}' log | sort -u | wc -l
        kill -STOP $p; sleep 0.1; strace -f -p $p -o log 2>/dev/null & s=$!; sleep 0.2; grep -h State /proc/$p/status
        grep -c 'stopped by SIGSTOP' log; kill -CONT $p; sleep 0.1; kill -INT $s; wait $s; grep -q SIGCONT log; echo $?
        strace -f -p $p -o log 2>/dev/null & s=$!; sleep 0.2; kill -KILL $p; wait $s; echo $?; wait $p 2>/dev/null; echo $?
        strace -p 999999; echo $?"""),
    ("strace of a program that makes threads all the time", r"""cat > c.c <<'X'
#include <pthread.h>
static void *f(void *a) { return a; }
int main(void) { for (;;) { pthread_t t; if (!pthread_create(&t, 0, f, 0)) pthread_join(t, 0); } }
X
        gcc c.c -o c -pthread; ./c & p=$!
        for i in 1 2 3; do
            rm -f log; strace -f -p $p -o log 2>/dev/null & s=$!
            for n in $(seq 500); do grep -qs 'exited with 0' log && break; sleep 0.02; done; [ $n -lt 500 ] && echo seen
            kill -INT $s; wait $s; kill -0 $p || echo dead
        done
        G -ex 'info threads' -p $p | grep -c '^\*'; kill -9 $p; wait $p 2>/dev/null; echo $?"""),
    ("strace --seccomp-bpf", r"""strace --seccomp-bpf -f -e trace=execve,exit_group -o log sh -c 'cat simple.c >/dev/null; /bin/true; exit 2'; echo $?
        sed -E 's/^[0-9]+ +//' log | grep -v SIGCHLD | sort | uniq -c
        strace --seccomp-bpf -f -e trace=clone3,execve -o log ./threads 6; echo $?; grep -c 'clone3(' log
        strace --seccomp-bpf -f -e trace=none -e signal=all -o log sh -c 'kill -USR1 $$'; echo $?; sed -E 's/^[0-9]+ +//' log
        strace --seccomp-bpf -f -e inject=openat:error=ENOMEM:when=2 -e trace=openat -o log cat simple.c | head -1; grep -c INJECTED log"""),
    ("strace -e inject", r"""strace -e trace=openat -e inject=openat:error=EACCES:when=3+ cat simple.c 2>&1 | tail -3
        strace -e inject=getppid:retval=42 -e trace=getppid sh -c 'echo $PPID' 2>&1
        strace -e inject=write:signal=USR1 -e trace=write sh -c 'trap "" USR1; echo a' 2>&1
        strace -e inject=write:signal=KILL:when=2 -e trace=write bash -c 'echo a; echo b; echo c' 2>&1; echo $?
        strace -f -e inject=execve:error=ENOENT:when=2+ -e trace=execve -o log sh -c '/bin/true; echo $?'; echo $?
        strace -e inject=clock_nanosleep:delay_enter=50000:delay_exit=50000 -e trace=clock_nanosleep -o log sleep 0.02; cat log
        strace -e fault=read:when=2..4 -e trace=read -o log cat simple.c; echo $?; sed -E 's/"[^"]*"\.*/S/' log
        strace -e inject=read:retval=0:syscall=getpid -e trace=read -o log cat simple.c | head -1; tail -2 log"""),
    ("strace by classes", r"""for c in %file %process %network %signal %desc %memory %creds %%stat; do
        strace -f -e trace=$c -o log sh -c 'cat simple.c > /dev/null; echo x > o; rm o'; echo $c $?; calls log | grep -v 'mmap\|brk\|mprotect\|+++'; done"""),
    ("strace -y", r"""strace -y -e trace=openat,read,close -o log cat simple.c >/dev/null; grep -v ELF log
        echo x | strace -y -e trace=read,write,dup2 -o log sh -c 'read a; echo $a >o' | cat; grep -v ELF log; strace -yy -e trace=read,write -o log cat </dev/null >/dev/null; grep -v ELF log"""),
    ("strace -yy", r"""cat > a.py <<'X'
import socket
s = socket.create_server(("127.0.0.1", 0)); c = socket.create_connection(s.getsockname()); a, _ = s.accept(); c.send(b"hi"); a.recv(5); a.close(); c.close(); s.close()
u, v = socket.socketpair(); u.send(b"z"); v.recv(3); v.close()
x = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); x.bind(("::1", 0)); x.close()
n = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0); n.bind((0, 0)); n.close()
X
        strace -yy -e trace=%network,close -o log python3 -S a.py; grep -E '<(TCP|UDP|UNIX|NETLINK)' log | sed -E 's/[0-9]+</F</g; s/nl_(pad|pid|groups)=(0x)?[0-9a-f]+/N/g; s/:[0-9]+(->|\])/:N\1/g; s/htons\([0-9]+/htons(N/; s/\[[0-9]+(->[0-9]+)?\]/[N]/g; s/:[0-9]+\]>/:N]>/g; s/->127.0.0.1:[0-9]+/->P/'"""),
    ("formats of strace", r"""env -i A=1 PATH=/usr/bin:/bin strace -v -s 300 -e trace=execve -o log uname; cat log
        strace -tt -T -r -o log true; grep -cE '^ *[0-9.]+ [0-9:.]+ .*<[0-9.]+>$' log
        strace -ttt -i -o log true; grep -cE '^[0-9.]+ \[[0-9a-f]{16}\]' log
        strace -n -e trace=write -o log echo x; cat log; strace -xx -e trace=write -o log echo x; cat log
        strace -k -e trace=write -o log echo x; head -2 log | sed 's/(.*//'
        strace -Z -e trace=openat -o log cat nofile; cat log; strace -P simple.c -o log cat simple.c >/dev/null; calls log
        strace -e quiet=attach,exit -f -o log sh -c true; tail -1 log | sed -E 's/^[0-9]+ +//'
        strace -o '|cat >piped' -e trace=exit_group true; sleep 0.1; cat piped"""),
    ("strace in other places of the tree", r"""strace -D -o log sh -c 'echo hi; exit 4'; echo $?; sleep 0.2; tail -1 log
        strace -DD -f -o log sh -c 'echo hi; /bin/true; exit 5'; echo $?; sleep 0.2; grep -c 'exited with' log
        strace -DDD -f -o log sh -c 'echo hi; exit 6'; echo $?; sleep 0.2; grep -c 'exited with 6' log
        strace -b execve -f -o log sh -c '/bin/true; exit 1'; echo $?; grep -c 'execve(' log
        for i in 1 2 3 4; do strace -I $i -o log true; echo $?; done
        strace -E FOO=bar -E HOME -o log sh -c 'echo $FOO $HOME'; echo $?
        strace -o /nonexistent/x true; echo $?; strace nosuchprogram; echo $?"""),
    ("strace of signals and ends", r"""strace -f -o log sh -c 'kill -SEGV $$'; echo $?; tail -2 log | sed -E 's/^[0-9]+ +//'
        strace -o log sh -c 'kill -KILL $$'; echo $?; tail -1 log
        strace -o log -e trace=none ./faults; cat log
        strace -f -e trace=none -o log bash -c '(kill -STOP $BASHPID) & p=$!; sleep 0.1; kill -CONT $p; wait $p'; echo $?
        sed -E 's/^[0-9]+ +//' log | grep -c 'stopped by SIGSTOP'; strace -f -e trace=kill -o log timeout 0.1 sleep 5; echo $?; grep -c SIGTERM log"""),
    ("strace of fork, vfork and execve", r"""for a in '' exec vfork; do strace -f -e trace=execve,vfork,clone -o log ./forks $a; echo $?; grep -cE '(vfork|clone)\(' log; grep -oE 'execve\("[^"]*|exited with [0-9]+' log | sort; done
        strace -f -e trace=execve,exit_group -o log ./thread_exec; echo $?; sed -E 's/^[0-9]+ +//; s/0x[0-9a-f]+/H/g; s/pid [0-9]+/pid N/' log | grep -v unfinished"""),
    ("strace of java", r"""strace -f -o log java -Xshare:auto Threads; echo $?; tail -1 log | cut -d' ' -f2- | tr -d ' '
        strace --seccomp-bpf -f -e trace=execve,clone3,exit_group -o log java -Xshare:auto Threads; echo $?; grep -c exit_group log"""),
    ("strace of python", r"""cat > a.py <<'X'
import threading, subprocess
def w(n):
    for i in range(20): open('/dev/null', 'w').write('x')
    subprocess.run(['/bin/true'])
t = [threading.Thread(target=w, args=(i,)) for i in range(4)]
[x.start() for x in t]; [x.join() for x in t]; print('ok')
X
        strace -f -o log python3 a.py; echo $?; grep -c '"/dev/null"' log; grep -c 'exited with' log
        strace -fc -o log python3 a.py; echo $?; strace -ff -e trace=openat -o l python3 a.py; cat l.* | grep -c /dev/null"""),
    ("strace of make and git", r"""printf 'all: a b c d\n%%: ; @echo made $@ > $@.out\n' > Makefile; strace -f -o log make -s -j2; echo $?; cat *.out; grep -c '+++ exited' log
        export GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z'; git config --global user.name a; git config --global user.email a@b
        git config --global init.defaultBranch main; git init -q r; cd r; echo x > f; strace -f -o ../log sh -c 'git add f; git commit -qm one; git log --format=%h'; echo $?; grep -c '+++ exited' ../log"""),
]

GDB = [
    ("gdb: breakpoints and steps", r"""G -ex 'break add if b==3' -ex run -ex bt -ex 'info args' -ex finish -ex next -ex next -ex step -ex 'info locals' -ex 'set var i=4' -ex c ./simple
        G -ex 'break fact' -ex run -ex until -ex bt -ex 'print add(3,4)' -ex delete -ex 'print fact(5)' -ex 'print half(5)' -ex 'return 77' -ex c ./simple </dev/null
        G -ex starti -ex 'info inferiors' -ex c ./simple; G -ex 'run 12' -ex 'print $_exitcode' ./simple
        G -ex 'tbreak main' -ex run -ex kill -ex run -ex kill -ex 'info inferiors' ./simple"""),
    ("gdb: registers and memory", r"""G -ex 'break add' -ex run -ex 'p/x $eflags' -ex 'set $rax=99' -ex 'p $rax' -ex 'set $ymm1.v8_int32={1,2,3,4,5,6,7,8}' -ex 'p $ymm1.v8_int32' -ex stepi -ex 'p $xmm1.v4_int32' \
          -ex 'p $mxcsr' -ex 'p $fctrl' -ex 'x/3i $pc' -ex 'info registers cs ss ds es fs gs' -ex 'p $orig_rax' -ex 'p $_siginfo.si_signo' -ex nexti -ex 'stepi 5' -ex 'set var p.y=9' -ex 'p p' -ex kill ./simple
        G -ex 'break main' -ex run -ex 'set var *(unsigned char*)add = 0xc3' -ex 'x/i add' -ex c ./simple | sed 's/total.*//'
        G -ex 'break main' -ex run -ex 'set var $rip=0' -ex c -ex 'p $rip' -ex 'p $_siginfo.si_code' -ex c ./simple
        G -ex 'break main' -ex run -ex 'find &p, +100, (int)2' -ex 'dump memory dm &p (char*)&p+16' -ex 'restore dm binary &p' ./simple"""),
    ("gdb: watchpoints", r"""G -ex 'tbreak main' -ex run -ex 'watch g' -ex c -ex c -ex 'info watchpoints' -ex 'delete 2' -ex 'rwatch p.x' -ex c -ex c -ex 'awatch p.name' -ex c -ex kill ./simple
        G -ex 'break main' -ex run -ex 'hbreak add' -ex 'thbreak fact' -ex c -ex c -ex 'info breakpoints' -ex delete -ex c ./simple
        G -ex 'break main' -ex run -ex 'watch total if total > 5' -ex c -ex c ./simple; G -ex 'break add' -ex run -ex 'watch sum' -ex c -ex c ./simple
        G -ex 'set can-use-hw-watchpoints 0' -ex 'break add' -ex run -ex 'watch g' -ex c -ex delete -ex c ./simple
        G -ex 'break main' -ex run -ex 'watch g' -ex 'watch p.x' -ex 'watch p.y' -ex 'watch total' -ex 'rwatch p.name' -ex c ./simple"""),
    ("gdb: catchpoints", r"""G -ex 'catch fork' -ex run -ex c ./forks; G -ex 'catch vfork' -ex 'catch exec' -ex 'run vfork >/dev/null' -ex c ./forks
        G -ex 'catch exec' -ex 'set follow-fork-mode child' -ex 'run exec >/dev/null' -ex 'break add' -ex c -ex bt -ex delete -ex kill ./forks
        G -ex 'catch syscall write' -ex run -ex 'p $rdi' -ex 'p $orig_rax' -ex c -ex 'p $rax' -ex kill ./simple
        G -ex 'catch syscall' -ex run -ex c -ex c -ex c -ex kill ./simple; G -ex 'catch syscall group:process' -ex run -ex kill ./forks"""),
    ("gdb: signals", r"""G -ex 'catch signal SIGUSR1' -ex run -ex 'p $_siginfo.si_signo' -ex c -ex c -ex c ./signals
        G -ex 'handle SIGUSR1 nostop noprint pass' -ex 'handle SIGUSR2 stop print nopass' -ex run -ex c -ex 'signal 0' -ex 'p $_siginfo._sifields._sigfault.si_addr' -ex c ./signals
        G -ex run -ex 'signal 0' -ex 'signal SIGUSR1' -ex 'queue-signal 0' -ex c -ex c -ex bt -ex c ./signals
        G -ex 'handle all nostop noprint pass' -ex run ./faults; G -ex run -ex c -ex c -ex c -ex c -ex c -ex c ./faults"""),
    ("gdb: forks both ways", r"""G -ex 'set follow-fork-mode child' -ex 'break child' -ex 'run >/dev/null' -ex bt -ex 'info inferiors' -ex c ./forks | grep -v '^\[Detach\|^\[Attach'
        G -ex 'set follow-fork-mode parent' -ex 'break parent' -ex 'run >/dev/null' -ex bt -ex c ./forks | grep -v '^\[Detach'
        G -ex 'set detach-on-fork off' -ex 'catch fork' -ex 'run >/dev/null' -ex next -ex 'info inferiors' -ex 'inferior 2' -ex 'break child' -ex c -ex bt -ex c -ex 'inferior 1' -ex c ./forks
        G -ex 'set follow-exec-mode new' -ex 'set follow-fork-mode child' -ex 'run exec >/dev/null' -ex 'info inferiors' ./forks | grep -v '^\[Detach\|^\[Attach'
        G -ex 'set detach-on-fork off' -ex 'set follow-fork-mode child' -ex 'break add' -ex 'run vfork >/dev/null' -ex kill -ex 'inferior 1' -ex c ./forks | grep -v '^\[Detach\|^\[Attach'"""),
    ("gdb: attach", r"""./turning 0 & p=$!; sleep 0.1
        G -ex 'break spin' -ex 'p stop' -ex detach ./turning $p | grep -E 'Breakpoint|\$1|detached'
        kill -STOP $p; sleep 0.1; G -ex 'p stop' -ex detach ./turning $p | grep -E '\$1|detached'; sleep 0.1; grep State /proc/$p/status
        kill -CONT $p; G -ex 'set var stop=1' -ex detach -p $p >/dev/null; wait $p; echo $?
        ./turning 4 & p=$!; sleep 0.1; G -ex 'thread apply all bt 1' -ex 'set var stop=1' -ex c -ex 'p $_exitcode' -p $p | grep -cE '^Thread [0-9N]|exited|\$'; wait $p; echo $?
        ./turning 4 & p=$!; sleep 0.1; G -ex kill -p $p | tail -1; wait $p 2>/dev/null; echo $?; gdb -q -batch -nx -p 999999 2>&1; echo $?
        ./turning 0 & p=$!; strace -p $p -o log 2>/dev/null & s=$!; sleep 0.2; G -p $p | grep -c 'Operation not permitted'; kill -9 $p"""),
    ("gdb: threads", r"""G -ex 'break ready' -ex 'run 6 >/dev/null' -ex 'thread apply all -q p $_thread' -ex 'thread apply all bt 1' -ex delete -ex c ./threads | grep -E '^\$|^[0-9]+$|exited|Breakpoint'
        G -ex 'break hit' -ex 'run 3 >/dev/null' -ex 'set scheduler-locking on' -ex delete -ex finish -ex next -ex next -ex 'set scheduler-locking off' -ex c ./threads | grep -v 'Switching\|hit Break\|Run till' | sed 's/a=0x[0-9]/a=H/'
        G -ex 'break ready' -ex run -ex 'thread apply all p $_thread' -ex delete -ex c --args ./threads 40 | grep -c '^\$'
        G -ex 'break hit' -ex run -ex kill -ex run -ex kill -ex run -ex kill --args ./threads 20 | grep -c 'hit Breakpoint 1'"""),
    ("gdb: non-stop, by its machine interface", r"""cat > d.py <<'X'
import re, subprocess, time
gdb = subprocess.Popen(["gdb", "-q", "-nx", "-i=mi3", "--args", "./turning", "3"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
def command(text, *wanted):
    gdb.stdin.write(text + "\n"); gdb.stdin.flush()
    wanted, lines = list(wanted or [r"^\^done"]), []
    while wanted:
        lines.append(gdb.stdout.readline())
        assert lines[-1], wanted
        for pattern in wanted:
            if re.search(pattern, lines[-1]): wanted.remove(pattern); break
    print("met", text); return lines[-1]
def states():
    threads = command("-thread-info"); print(threads.count('state="stopped"'), threads.count('state="running"'))
command("-gdb-set mi-async on"); command("-gdb-set non-stop on"); command("-gdb-set pagination off"); command("-break-insert spin")
command("-exec-run", r"^\^running", *[r"\*stopped.*breakpoint-hit"] * 4)
command("-exec-continue --thread 2", r"^\^running", r'\*running,thread-id="2"'); states()
command("-exec-interrupt --thread 2", r"^\^done", r'\*stopped.*thread-id="2"')
command("-exec-continue --all", r"^\^running"); time.sleep(0.1)
command("-exec-interrupt --all", r"^\^done", *[r"\*stopped"] * 4); states()
command("-gdb-set var stop=1"); command("-exec-continue --all", r'\*stopped,reason="exited",exit-code="05"'); command("-gdb-exit", r"^\^exit"); print(gdb.wait())
X
        timeout -s KILL 50 python3 d.py"""),
    ("gdb: execve by a thread that is not the leader", r"""for i in 1 2 3; do G -ex 'set breakpoint pending on' -ex 'break simple.c:fact' -ex run -ex bt -ex c ./thread_exec | grep -v 'Function "fact"\|Breakpoint 1 \|Thread'; done
        G -ex 'catch exec' -ex run -ex 'break add' -ex c -ex bt -ex delete -ex c ./thread_exec | grep -v 'hit Catchpoint\|Thread'"""),
    ("gdb: core files", r"""G -ex 'break fact if n==2' -ex run -ex 'generate-core-file c1' -ex kill ./simple; G -ex bt -ex 'p p' -ex 'p $_siginfo.si_signo' ./simple c1
        G -ex 'break ready' -ex run -ex 'gcore c2' -ex kill --args ./threads 5 >/dev/null; G -ex 'info threads' ./threads c2 | grep -c LWP; readelf -n c2 | grep -oE 'NT_[A-Z0-9_]+' | sort | uniq -c
        ./turning 2 & p=$!; sleep 0.1; gcore -o c3 $p >/dev/null 2>&1; echo $?; kill $p; G -ex 'info threads' ./turning c3.* | grep -c LWP"""),
    ("gdb: going back", r"""export GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2_Usable,-AVX_Usable,-XSAVEC_Usable
        G -ex 'break add' -ex run -ex 'record full' -ex next -ex next -ex reverse-step -ex reverse-next -ex 'p a+b' -ex 'record stop' -ex delete -ex kill ./simple
        G -ex 'break fact' -ex run -ex checkpoint -ex c -ex 'restart 1' -ex bt -ex delete -ex 'info checkpoints' -ex kill ./simple | sed 's/Aborted.*/Aborted/'"""),
    ("gdb: /proc and the vDSO", r"""G -ex 'info auxv' ./simple; G -ex start -ex 'info auxv' -ex 'info proc cmdline' -ex 'info proc cwd' -ex 'info proc exe' ./simple | sed -E 's/0x[0-9a-f]+/H/g'
        G -ex start -ex 'info proc mappings' ./simple | grep -oE '(simple|libc.so.6|\[[a-z]+\])$' | sort -u
        G -ex start -ex 'info symbol __vdso_gettimeofday' -ex 'info functions __vdso_time' -ex 'disassemble __vdso_getcpu' ./simple | sed -E 's/0x[0-9a-f]+/H/g' | grep -v '<+[1-9]' | grep -E 'vdso|DSO|<\+0>' | sed 's/<+0>.*//'
        G -ex start -ex 'shell cat /proc/self/comm' -ex 'catch load' -ex kill ./simple | tail -2"""),
    ("gdbserver", r"""port=$((20000 + $$ % 20000))
        server() { gdbserver 127.0.0.1:$port "$@" >server 2>&1 & for i in $(seq 200); do grep -q Listening server 2>/dev/null && break; sleep 0.02; done; }
        R() { G -ex 'set sysroot /' -ex "target $1 127.0.0.1:$port" "${@:2}" | grep -v 'Reading\|^warning\|^$'; wait; grep -v 'created\|Listening\|Remote' server | sed -E 's/pid [0-9]+/pid N/'; port=$((port+1)); rm server; }
        server ./simple 6; R remote -ex 'break add' -ex c -ex bt -ex 'watch g' -ex c -ex c -ex delete -ex c ./simple
        server ./threads 4; R remote -ex 'break ready' -ex c -ex 'info threads' -ex 'p counter[0]' -ex delete -ex c ./threads | grep -cE '^[* ] [0-9]|exited|^\$1'
        server ./forks; R extended-remote -ex 'set follow-fork-mode child' -ex 'break child' -ex c -ex bt -ex delete -ex c -ex 'monitor exit' ./forks | grep -E '^#|exited'"""),
]

OTHERS = [
    ("ltrace", ["ltrace"], r"""ltrace -o log ./simple; echo $?; sed -E 's/0x[0-9a-f]+/H/g' log; ltrace -f -o log ./forks exec; echo $?; grep -oE 'exited \(status [0-9]+\)|(fork|execl|printf)\(' log | sort
        ltrace -S -o log ./simple; grep -oE '^[a-zA-Z_0-9]+@?(SYS)?' log | sort | uniq -c; ltrace -c -o log ./simple; awk '{print $4,$5}' log | sort; ltrace -e strcpy+printf -o log ./simple; cat log"""),
    ("valgrind", ["valgrind"], r"""printf '#include <stdlib.h>\nint main(void){char*p=malloc(10);p[10]=1;int*q=malloc(4);if(*q)return 3;return 2;}' > v.c; gcc -g v.c -o v
        V() { valgrind "$@" 2>&1 | sed -E 's/==[0-9]+==/==P==/' | grep -vE 'Command|Copyright|Using|Memcheck,'; }
        V ./v; echo $?; V --tool=none --trace-children=yes sh -c './simple; echo $?' | sort"""),
    ("proot", ["proot"], r"""proot -r / sh -c 'echo hi; (echo x | cat); exit 3'; echo $?; proot -0 id -u; proot -0 sh -c 'touch a; chown 3:3 a; stat -c %u a'
        proot -r / python3 -c 'import subprocess; print(subprocess.run(["echo","a"],capture_output=True).stdout)'; PROOT_NO_SECCOMP=1 proot -r / sh -c 'echo hi | cat; exit 2'; echo $?"""),
    ("fakeroot", ["fakeroot"], r"""fakeroot sh -c 'id -u; touch a; chown 5:6 a; stat -c "%u %g" a; mknod n c 1 3; stat -c "%F" n; tar cf x.tar a; tar tvf x.tar | cut -d" " -f2'"""),
    ("bwrap and unshare", ["bwrap"], r"""bwrap --ro-bind / / --unshare-all --proc /proc --dev /dev sh -c 'echo $$; id -u; set -- /proc/[0-9]*; echo $#; exit 3'; echo $?
        bwrap --ro-bind /usr /usr --symlink usr/lib /lib --symlink usr/lib64 /lib64 --symlink usr/bin /bin --tmpfs /tmp --dir /var --uid 55 --gid 66 --unshare-user --die-with-parent --new-session sh -c 'id -u; id -g; ls /; echo x > /tmp/a; cat /tmp/a; exit 4'; echo $?
        bwrap --bind / / --unshare-pid --as-pid-1 sh -c 'echo $$'; bwrap --bind / / --unshare-uts --hostname foo hostname
        bwrap --ro-bind / / --dev /dev --proc /proc --unshare-all strace -f -o /dev/null sh -c 'echo traced | cat'; echo $?
        unshare -rm sh -c 'mount -t tmpfs x /mnt; touch /mnt/a; ls /mnt | wc -l'; unshare -rpf --mount-proc ps -e -o comm | sort | uniq -c"""),
    ("expect, script, setsid, timeout", ["expect", "script"], r"""expect -c 'spawn -noecho cat; send "hi\r"; expect "hi\r\nhi"; send "\004"; expect eof; puts done'
        script -qec 'tty >/dev/null && echo tty; exit 3' /dev/null; echo $?; setsid -w sh -c 'exit 4'; echo $?; timeout -s INT 0.1 sleep 2; echo $?; timeout --foreground 0.1 sleep 2; echo $?"""),
    ("lldb", ["lldb"], r"""L() { timeout -s KILL 60 lldb -b "$@" 2>&1 | sed -E 's/tid = (0x)?[0-9a-f]+/tid = N/'; }
        L -o 'b add' -o r -o bt -o 'p a' -o finish -o n -o 'watchpoint set variable g' -o c -o c -o 'watchpoint delete -f' -o 'br del -f' -o c ./simple
        L -o 'b ready' -o r -o 'thread list' -o 'thread backtrace all' -o kill -- ./threads 4 | grep -c 'tid = N'
        L -o 'settings set target.process.follow-fork-mode child' -o 'b child' -o 'process launch -o /dev/null' -o bt -o c ./forks
        ./turning 3 & p=$!; sleep 0.1; L -p $p -o 'thread list' -o detach | grep -c 'tid = N'; kill $p; wait $p 2>/dev/null; echo $?"""),
    ("interrupts at a terminal", ["gdb", "strace", "expect"], r"""cat > a.exp <<'X'
set timeout 40
spawn -noecho gdb -q -nx ./turning
expect "(gdb)"; send "set pagination off\r"; expect "(gdb)"; send "break spin\r"; expect "(gdb)"; send "run\r"; expect "Breakpoint 1,"; expect "(gdb)"
send "continue\r"; expect "Continuing"; sleep 0.2; send "\003"; expect "SIGINT"; puts "\nmet interrupt"; expect "(gdb)"; send "set var stop=1\r"; expect "(gdb)"
send "continue\r"; expect "exited with code 05"; puts "\nmet exit"; expect "(gdb)"; send "quit\r"; expect eof; puts "\nmet quit [lindex [wait] 3]"
spawn -noecho strace -o log ./turning
sleep 0.3; send "\003"; expect eof; puts "\nmet strace [lindex [wait] 3]"
spawn -noecho bash --norc -i
send "PS1='% '\r"; expect "% "; send "strace -f -o l2 sleep 30\r"; sleep 0.3; send "\032"; expect "Stopped"; puts "\nmet stop"; expect "% "; send "fg\r"; sleep 0.3; send "\003"
expect "% "; send "echo me\"\"t \$?\r"; expect "met 130"; puts "\nmet prompt"; send "exit\r"; expect eof
X
        timeout -s KILL 100 expect a.exp 2>&1 | grep '^met [a-z]' | tr -d '\r'; grep -c SIGINT log"""),
    ("tracers that are killed", ["strace", "gdb", "python3"], r"""cat > r.py <<'X'
import os, random, signal, subprocess, time
quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
def ended(process): process.kill(); process.wait()
for i in range(12):
    tracee = subprocess.Popen(["./turning", "3"]); time.sleep(0.01)
    tracer = subprocess.Popen(["strace", "-f", "-o", "/dev/null", "-p", str(tracee.pid)], **quiet); time.sleep(random.random() * 0.06); ended(tracer)
    for n in range(1000):
        if "TracerPid:\t0" in open(f"/proc/{tracee.pid}/status").read(): break
        time.sleep(0.01)
    else: print("still traced")
    if tracee.poll() is not None: print("died", tracee.returncode)
    ended(tracee)
for i in range(6):
    tracee = subprocess.Popen(["./turning", "4"])
    tracers = [subprocess.Popen(["gdb", "-q", "-batch", "-nx", "-ex", "info threads", "-ex", "detach", "-p", str(tracee.pid)], **quiet) for _ in range(2)]
    time.sleep(random.random() * 0.2)
    if i % 2: tracee.kill()
    for tracer in tracers: tracer.wait()
    if i % 2 == 0: print("alive", tracee.poll())
    ended(tracee)
X
        timeout -s KILL 100 python3 r.py; echo $?"""),
    ("gdb of a program under valgrind", ["gdb", "valgrind"], r"""valgrind --vgdb=yes --vgdb-error=0 ./simple >log 2>&1 & p=$!; for i in $(seq 300); do grep -q 'target remote' log && break; sleep 0.1; done
        G -ex "target remote | vgdb --pid=$p" -ex 'break add' -ex c -ex bt -ex delete -ex c ./simple | grep -E '^#|Breakpoint|exited'; wait $p; echo $?"""),
    ("namespaces under a debugger", ["strace", "gdb"], r"""cat > c.c <<'X'
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
static char stack[65536] __attribute__((aligned(16)));
static int child(void *unused) { (void)unused; printf("number %d\n", getpid()); fflush(stdout); return 7; }
int main(void) { int status; waitpid(clone(child, stack + sizeof(stack), CLONE_NEWPID | CLONE_NEWUSER | SIGCHLD, NULL), &status, 0); return WEXITSTATUS(status); }
X
        gcc -g c.c -o c; strace -f -o log ./c; echo $?; grep -c 'exited with' log
        G -ex 'set follow-fork-mode child' -ex 'break child' -ex 'run >o' -ex bt -ex c ./c | grep -E '^#|exited'; cat o
        strace -f -o log unshare -rpf sh -c 'echo $$; /bin/true; exit 3'; echo $?; grep -c 'exited with' log"""),
    ("tracers of tracers", ["strace", "gdb"], r"""strace -f -o log gdb -q -batch -nx -ex 'break add' -ex run -ex bt -ex delete -ex c ./simple 2>&1; echo $?; grep -oE 'ptrace\(PTRACE_[A-Z]*' log | sort -u
        G -ex 'set follow-fork-mode parent' -ex run --args strace -o log ./simple | grep -v Detaching; tail -1 log
        strace -o outer strace -o inner ./simple; echo $?; tail -1 inner; tail -1 outer; strace -f -o outer strace -o inner ./simple; echo $?; tail -1 inner
        strace -o log gdb -q -batch -nx -ex 'break ready' -ex run -ex 'info threads' -ex c --args ./threads 4 2>&1 | grep -c LWP"""),
]

CASES = ([(name, ["strace", *[n for n in ("java", "python3") if n in name], *(["make", "git"] if "git" in name else [])], script)
          for name, script in STRACE] +
         [(name, ["gdb", *(["gdbserver"] if "server" in name else [])], script) for name, script in GDB] + OTHERS)
# What an ordinary user's sandbox runs too.
FOR_USERS = ["strace -f", "strace -p", "strace --seccomp-bpf", "gdb: watchpoints", "gdb: attach", "gdb: forks both ways", "ltrace", "proot",
             "bwrap and unshare"]
