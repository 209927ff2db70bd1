#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hooks: their order, what they are given, and what their failures do."""
import json
import os
import stat
import time

from bundle import Bundle, Score, Scratch

score = Score()
STAGES = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")


def main():
    with Scratch() as top:
        bundle = Bundle(top)
        script = f"{top}/hook"
        open(script, "w").write(f'#!/bin/sh\ncat > {top}/$1.state\necho $1 $X >> {top}/order\n[ -e {top}/fail.$1 ] && exit 3\n[ -e {top}/slow.$1 ] && sleep 20\nexit 0\n')
        os.chmod(script, 0o755)
        inside = bundle.path / "rootfs/hook"
        inside.write_text("#!/bin/sh\ncat > /inside.state\necho $1 $X > /inside.order\nexit $(cat /inside.status 2>/dev/null || echo 0)\n")
        inside.chmod(inside.stat().st_mode | stat.S_IEXEC | 0o111)

        def hooks(*stages, **more):
            bundle.reset("cat", "/inside.order") if "startContainer" in stages else bundle.reset("true")
            bundle.config["hooks"] = {}
            for stage in stages:
                path = "/hook" if stage == "startContainer" else script
                bundle.config["hooks"][stage] = [{"path": path, "args": ["hook", stage], "env": ["X=e", "PATH=/bin:/usr/bin"], **more}]
            for name in os.listdir(top):
                if name.split(".")[0] in ("fail", "slow", "order") or name.endswith(".state"):
                    os.unlink(f"{top}/{name}")
            return bundle

        def order():
            return open(f"{top}/order").read().split("\n")[:-1] if os.path.exists(f"{top}/order") else []

        hooks(*STAGES)
        bundle.config["annotations"] = {"a.b": "c"}
        result = bundle.run("h1")
        score.check(result[0] == 0 and result[1] == b"startContainer e\n", "startContainer runs inside, before the program", result)
        score.check(order() == [f"{stage} e" for stage in STAGES if stage != "startContainer"], "the order of the others", order())
        states = {stage: json.load(open(f"{top}/{stage}.state")) for stage in STAGES if stage != "startContainer"}
        score.check(all(state["id"] == "h1" and state["ociVersion"] and state["bundle"] == str(bundle.path) and state["annotations"] == {"a.b": "c"}
                        for state in states.values()), "each is given the state", states)
        score.check([states[stage]["status"] for stage in ("prestart", "createRuntime", "createContainer", "poststart", "poststop")]
                    == ["creating", "creating", "creating", "running", "stopped"], "with the status that it has then", states)
        score.check(states["createRuntime"]["pid"] > 1 and states["poststart"]["pid"] > 1, "and the pid")
        score.check(json.loads((bundle.path / "rootfs/inside.state").read_text())["status"] == "created", "the one inside, too")

        hooks("createRuntime")
        bundle.create("h1")
        score.check(order() == ["createRuntime e"], "createRuntime runs at create", order())
        bundle.do("delete", "--force", "h1")

        for stage in ("prestart", "createRuntime", "createContainer"):
            hooks(stage, "poststop")
            open(f"{top}/fail.{stage}", "w").close()
            result = bundle.run("h1")
            score.check(result[0] == 1 and stage.encode() in result[2] and result[2].count(b"\n") == 1 and b"3" in result[2], f"a failing {stage} hook is an error", result)
            score.check(order()[-1] == "poststop e" and not bundle.left(), "and the container is gone", order(), bundle.left())
        hooks("startContainer")
        (bundle.path / "rootfs/inside.status").write_text("4")
        result = bundle.run("h1")
        score.check(result[0] == 1 and b"startContainer" in result[2] and not bundle.left(), "a failing startContainer hook is an error", result)
        (bundle.path / "rootfs/inside.status").unlink()
        for stage in ("poststart", "poststop"):
            hooks(stage)
            open(f"{top}/fail.{stage}", "w").close()
            result = bundle.run("h1")
            score.check(result[0] == 0 and bundle.last_log()["level"] == "warning" and stage in bundle.last_log()["msg"], f"a failing {stage} hook is a warning", result, bundle.last_log())
        hooks("createRuntime", timeout=1)
        open(f"{top}/slow.createRuntime", "w").close()
        begin = time.monotonic()
        result = bundle.run("h1")
        score.check(result[0] == 1 and b"timed out" in result[2] and time.monotonic() - begin < 100, "a hook that lasts longer than its timeout", result)
        for name, hook in (("no path", {}), ("a relative path", {"path": "x"}), ("a timeout that is none", {"path": "/x", "timeout": 0})):
            bundle.reset("true").config["hooks"] = {"poststop": [hook]}
            result = bundle.run("h1")
            score.check(result[0] == 1 and b"hooks.poststop[0]" in result[2], name, result)
        bundle.reset("true").config["hooks"] = {"createRuntime": [{"path": "/no/such/hook"}]}
        result = bundle.run("h1")
        score.check(result[0] == 1 and b"/no/such/hook" in result[2] and not bundle.left(), "a hook that is not there", result)
    score.finish()


main()
