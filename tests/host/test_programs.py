#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real programs, natively and in the sandbox: the same output and the same status."""
import shutil

from harness import CSANDBOX, Score, Scratch, run

# name, the program that must be there, a shell script; each runs in an empty directory of its own.
PROGRAMS = [
    ("echo", "sh", "echo hello; echo error >&2; exit 3"),
    ("pipelines", "bash", "seq 1 20000 | grep 7 | sort -rn | tail -3 | tr '\\n' ' '; echo ${PIPESTATUS[@]}"),
    ("here-documents", "sh", "cat <<E\n$((6*7)) `echo sub`\nE\ncat <<'E'\n$x\nE"),
    ("traps", "bash", "trap 'echo usr1' USR1; trap 'echo exit' EXIT; kill -USR1 $$; echo after; exit 5"),
    ("job control", "bash", "set -m; sleep 0.2 & sleep 0.1 & wait; (exit 4) & wait $!; echo $?; jobs"),
    ("dash functions", "dash", "f() { local a=$1; [ $a -gt 0 ] && f $((a-1)) && echo $a; true; }; f 5"),
    ("process substitution", "bash", "diff <(seq 1 5) <(seq 2 6); echo $?"),
    ("coprocess", "bash", "coproc cat; echo x >&${COPROC[1]}; read -u ${COPROC[0]} y; echo $y"),
    ("killed by a signal", "sh", "kill -KILL $$"),
    ("killed child", "bash", "sh -c 'kill -SEGV $$'; echo $?"),
    ("ulimit", "bash", "ulimit -n 64; ulimit -n; ulimit -s"),
    ("coreutils", "sh", "mkdir -p a/b; echo x > a/b/c; cp -r a d; ls -R; mv d e; rm -r a; ls; stat -c '%s %F %a' e/b/c; wc -c e/b/c; "
                        "ln -s c e/b/l; readlink e/b/l; touch -d @1000000000 e/b/c; date -u -r e/b/c; chmod 640 e/b/c; stat -c %a e/b/c; "
                        "md5sum e/b/c; head -c 5000 /dev/zero | od | head; df . >/dev/null; du -s e | cut -f2; truncate -s 1M t; stat -c '%s' t"),
    ("find, grep, sed, awk", "find", "mkdir -p x/y; for i in 1 2 3; do echo line $i > x/y/f$i; done; find x -type f | sort; "
                                     "grep -rn 'line 2' x; sed -i s/line/LINE/ x/y/f1; cat x/y/f1; awk '{s+=$2} END {print s}' x/y/*; "
                                     "find x -name 'f*' -print0 | xargs -0 -n1 basename | sort"),
    ("tar, gzip, xz", "tar", "mkdir d; seq 1 5000 > d/a; cp d/a d/b; tar czf t.gz d; tar tzf t.gz | sort; rm -r d; tar xzf t.gz; cmp d/a d/b; "
                             "gzip -k d/a; gunzip -c d/a.gz | md5sum; command -v xz >/dev/null && { xz d/b; xz -dc d/b.xz | md5sum; }"),
    ("access control lists", "setfacl", "umask 022; echo x > f; mkdir d; mkfifo p; setfacl -m u:1234:rw,g:77:r f; getfacl -n f; ls -l f | cut -c1-11; "
                                        "chmod 640 f; getfacl -nc f; setfacl -d -m u:5:rwx,g:6:rx d; umask 077; echo x > d/a; mkdir d/s; getfacl -nR d/a d/s d; "
                                        "cp -a d e; getfacl -n e/a e/s; tar --acls -cf t d; mkdir x; tar --acls -xf t -C x; getfacl -n x/d x/d/a; "
                                        "setfacl -m u:9:r p; getfacl -nc p; setfacl -b f; setfacl -k d; getfacl -nc f d; setfacl -d -m u:5:r f; setfacl -m u:5:r,o::z f; echo $?"),
    ("setcap", "setcap", "cp /bin/cat f; setcap cap_net_raw,cap_dac_read_search+ep f; getcap f; cp f g; getcap g; cp --preserve=xattr f h; getcap h; mv f i; getcap i; "
                         "chmod 755 i; getcap i; echo >> i; getcap i; setcap cap_chown=i h; getcap -n h; chown 5 h; getcap h; setcap -r g; echo $?; setcap nonsense g; echo $?"),
    ("chattr", "chattr", "cd /dev/shm; rm -rf ca; mkdir ca; cd ca; echo x > f; mkdir d; mkfifo p; ln -s f l; chattr +i f; chattr +dA d; touch d/f; lsattr -d d d/f f; lsattr p l; "
                         "lsattr -v f; lsattr -p f; echo y > f; rm -f f; mv f g; chattr -i f; chattr +a f; echo z >> f; echo q > f; cat f; chattr +j f; chattr -a f; cd ..; rm -r ca"),
    ("keyctl", "keyctl", "keyctl session - bash -c 'k=$(keyctl add user a b @s); keyctl pipe $k; keyctl print $k; keyctl print %user:a; keyctl update $k c; keyctl pipe $k; "
               "r=$(keyctl newring r @s); keyctl link $k $r; keyctl rdescribe $k; keyctl describe $r | cut -d: -f2; [ $(keyctl rlist $r) = $k ]; echo $?; keyctl setperm $k 0x3f010000; "
               "keyctl move $k $r @p; keyctl show @s | sed \"s/^ *[0-9]*//\" | sort; keyctl unlink $k @s; keyctl timeout $r 100; keyctl revoke $r; keyctl search @s keyring r; echo $?; keyctl clear @s; "
               "keyctl request user none; echo $?; o=$(keyctl id @s); keyctl new_session >/dev/null; [ $(keyctl id @s) != $o ]; echo $?; keyctl add user z y @s >/dev/null; keyctl rlist @s | wc -w; "
               "n=$(keyctl padd user zero @s </dev/zero 2>&1 | wc -l); keyctl instantiate 1 x @s; echo $? $n; keyctl session mine keyctl rdescribe @s'"),
    ("python", "python3", "python3 -c 'import sys; print(sys.version_info[0], 2**100)'"),
    ("python threads", "python3", "python3 - <<'E'\nimport threading,queue\nq=queue.Queue()\n"
     "def w(n):\n  for i in range(100): q.put(n)\nt=[threading.Thread(target=w,args=(i,)) for i in range(8)]\n"
     "[x.start() for x in t]; [x.join() for x in t]\nprint(q.qsize())\nE"),
    ("python subprocess", "python3", "python3 - <<'E'\nimport subprocess\np=subprocess.run(['sh','-c','cat; exit 3'],input=b'in',capture_output=True)\n"
     "print(p.stdout,p.returncode)\ntry: subprocess.run(['sleep','9'],timeout=0.2)\nexcept subprocess.TimeoutExpired: print('timeout')\nE"),
    ("python multiprocessing", "python3", "cat > m.py <<'E'\nimport multiprocessing as m\ndef f(x): return x*x\n"
     "if __name__=='__main__':\n  with m.Pool(3) as p: print(p.map(f,range(10)))\n"
     "  q=m.Queue(); l=m.Lock(); r=[m.Process(target=q.put,args=(i,)) for i in range(4)]\n"
     "  [x.start() for x in r]; print(sorted(q.get() for _ in r)); [x.join() for x in r]\nE\npython3 m.py"),
    ("python sqlite3", "python3", "python3 - <<'E'\nimport sqlite3\nc=sqlite3.connect('x.db'); c.execute('pragma journal_mode=wal')\n"
     "c.execute('create table t(a,b)')\nc.executemany('insert into t values(?,?)',[(i,str(i)) for i in range(1000)]); c.commit()\n"
     "print(c.execute('select sum(a),max(b) from t').fetchall())\nE"),
    ("python asyncio and sockets", "python3", "python3 - <<'E'\nimport asyncio\nasync def h(r,w):\n  w.write((await r.readline()).upper()); await w.drain(); w.close()\n"
     "async def main():\n  s=await asyncio.start_server(h,'127.0.0.1',0)\n  p=s.sockets[0].getsockname()[1]\n"
     "  async def c(i):\n    r,w=await asyncio.open_connection('127.0.0.1',p)\n    w.write(b'hi %d\\n'%i); d=await r.readline(); w.close(); return d\n"
     "  print(await asyncio.gather(*[c(i) for i in range(10)]))\nasyncio.run(main())\nE"),
    ("perl", "perl", "perl -e 'my %h=map{$_=>$_**2}1..5; print join(\",\",map{\"$_=$h{$_}\"}sort keys %h),\"\\n\"; "
                     "my $p=fork; if(!$p){exit 3} waitpid $p,0; print $?>>8,\"\\n\"; print `echo back`'"),
    ("gcc", "gcc", "printf '#include <stdio.h>\\n#include <math.h>\\nint main(void){printf(\"%%.3f\\\\n\",sqrt(2));return 9;}' > a.c; gcc -O2 -Wall a.c -o a -lm && ./a"),
    ("gcc threads", "gcc", "printf '#include <pthread.h>\\n#include <stdio.h>\\n_Thread_local int x;static void*f(void*a){x=(int)(long)a;return (void*)(long)(x*2);}"
                           "int main(void){pthread_t t[20];long s=0;void*r;for(long i=0;i<20;i++)pthread_create(t+i,0,f,(void*)i);"
                           "for(int i=0;i<20;i++){pthread_join(t[i],&r);s+=(long)r;}printf(\"%%ld\\\\n\",s);}' > t.c; gcc t.c -o t -pthread && ./t"),
    ("make -j2", "make", "printf 'all: a b c d\\n%%: ; @sleep 0.05; echo made $@ > $@.out\\n' > Makefile; make -s -j2; cat *.out"),
    ("git", "git", "export HOME=$PWD GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z'; git config --global user.name a; "
                   "git config --global user.email a@b; git config --global init.defaultBranch main; git init -q r; cd r; seq 1 100 > f; git add f; "
                   "git commit -qm one; echo x >> f; git commit -qam two; git log --format='%h %s'; git diff HEAD~1 --stat; git fsck; git gc -q; git status --short; "
                   "git clone -q . ../c; ls ../c; cd ../c; git log --oneline | wc -l"),
    ("node", "node", "node -e 'const fs=require(\"fs\"),cp=require(\"child_process\");fs.writeFileSync(\"a\",\"b\");console.log(fs.readFileSync(\"a\",\"utf8\"),cp.execSync(\"echo sub\").toString());"
                     "setTimeout(()=>{console.log(\"timer\")},10);new (require(\"worker_threads\").Worker)(\"require(\\\"worker_threads\\\").parentPort.postMessage(7)\",{eval:true}).on(\"message\",console.log)'"),
    ("node http", "node", "node -e 'const h=require(\"http\");const s=h.createServer((q,r)=>r.end(\"ok \"+q.url)).listen(0,\"127.0.0.1\",()=>h.get({port:s.address().port,path:\"/x\"},r=>r.on(\"data\",d=>{console.log(String(d));s.close()})))'"),
    ("java", "javac", "printf 'public class A{public static void main(String[] a)throws Exception{Thread[] t=new Thread[4];int[] s=new int[1];for(int i=0;i<4;i++){t[i]=new Thread(()->{synchronized(s){s[0]++;}});t[i].start();}"
                      "for(Thread x:t)x.join();System.out.println(s[0]);System.exit(4);}}' > A.java; javac A.java && java -Xshare:auto A"),
    ("static busybox", "busybox", "busybox sh -c 'for i in 1 2; do echo $i; done | busybox sort -r; busybox ls / >/dev/null; busybox ps >/dev/null; busybox uname -s'"),
    ("rust", "rustc", "printf 'use std::thread;fn main(){let h:Vec<_>=(0..4).map(|i|thread::spawn(move||i*i)).collect();let s:i32=h.into_iter().map(|x|x.join().unwrap()).sum();println!(\"{}\",s);std::process::exit(2)}' > a.rs; rustc -o a a.rs && ./a"),
    ("strace", "strace", "strace -f -o log sh -c 'echo traced; /bin/true'; grep -c 'execve(' log; strace -c -o sum true; grep -c execve sum"),
    ("gdb", "gdb", "printf 'int f(int x){return x+1;}\\nint main(void){int a=f(41);return a;}\\n' > a.c; gcc -g -O0 a.c -o a; "
                   "gdb -q -batch -nx -ex 'break f' -ex run -ex bt -ex finish -ex 'print $' -ex continue ./a 2>&1 | grep -E '^#0|Value|exited|^\\$' | sed 's/process [0-9]*/process/'"),
    ("timeout and signals", "timeout", "timeout 0.2 sleep 5; echo $?; timeout -s KILL 0.2 sleep 5; echo $?"),
    ("fifo", "mkfifo", "mkfifo p; (echo through > p) & cat p; wait"),
    ("deep recursion of processes", "sh", "f() { if [ $1 -gt 0 ]; then (f $(($1-1))); else echo bottom; fi; }; f 20"),
    ("many files", "sh", "mkdir d; i=0; while [ $i -lt 300 ]; do echo $i > d/$i; i=$((i+1)); done; ls d | wc -l; cat d/* | sort -n | tail -1; rm -r d; ls"),
]


def main():
    score = Score()
    for name, needs, script in PROGRAMS:
        shell = needs if needs in ("bash", "dash") else "bash"
        if not shutil.which(needs):
            score.skip(name, f"there is no {needs} here")
            continue
        with Scratch() as directory:
            native = run([shell, "-c", script], cwd=directory, timeout=120)
        with Scratch() as directory:
            inside = run([CSANDBOX, "run", "--", shell, "-c", script], cwd=directory, timeout=180)
        status = native[0] if native[0] >= 0 else 128 - native[0]
        score.check(inside[0] == status and inside[1] == native[1], name,
                    f"status {status} natively, {inside[0]} inside", b"natively: " + native[1] + native[2],
                    b"inside: " + inside[1] + inside[2])
    score.finish()


if __name__ == "__main__":
    main()
