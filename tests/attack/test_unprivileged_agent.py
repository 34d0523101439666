# SPDX-License-Identifier: Apache-2.0
"""An agent that is not root has one user, its own, who can read the device's key: who may run command
lines on the device does not get that user, unless the device's owner says so."""
import os
import pwd
import signal
import subprocess

from agent import Agent
from harness import PATIENCE_S, program, wait_until

NOBODY = 65534


class UnprivilegedAgent(Agent):
    def command(self, binary, *words):
        drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        return [*(drop if os.geteuid() == 0 else []), program(binary), *words]


def device(server, *words):
    return subprocess.run([program("andon"), "device", *map(str, words), "--data", str(server.data)],
                          capture_output=True, text=True, timeout=PATIENCE_S * 2, check=False)


def test_who_may_run_command_lines_reads_no_key_of_an_agent_that_is_not_root(server, open_directory):
    root = open_directory / "device"
    root.mkdir()
    if os.geteuid() == 0:
        os.chown(root, NOBODY, NOBODY)
    key, stolen = root / "config" / "device.key", open_directory / "stolen"
    with UnprivilegedAgent(server, root, component_user=None,
                           options=("--remote-shell", "--remote-copy")) as agent:
        wait_until(lambda: agent.status().get("connected"), "the agent being connected")
        assert key.exists()
        for words in (["shell", "edge-1", f"cat {key}"], ["copy", f"edge-1:{key}", stolen]):
            refused = device(server, *words)
            assert refused.returncode == 9 and "is not root" in refused.stderr, refused
            assert "PRIVATE KEY" not in refused.stdout
        assert not stolen.exists()
        agent.kill(signal.SIGTERM)
        user = pwd.getpwuid(key.stat().st_uid).pw_name
        agent.options = (*agent.options, "--remote-user", user)
        agent.start()
        wait_until(lambda: device(server, "shell", "edge-1", "id -un").stdout == f"{user}\n",
                   "its owner's word")
