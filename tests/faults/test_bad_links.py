# SPDX-License-Identifier: Apache-2.0
"""A device whose link to its server cuts, delays, is narrow or turns bits: what was deployed arrives
whole, and what it has to say is heard once it is through."""
import hashlib
import json
import os

import pytest

from agent import Agent, Fleet
from harness import wait_until
from listeners import BadLink

NAME = "com.example.App"
KINDS = {"cuts": {"cut": 0.02}, "delays": {"delay_s": 0.05},
         "is narrow": {"bytes_per_second": 200_000, "delay_s": 0.02}, "turns bits": {"flip": 0.02},
         "is all of it": {"cut": 0.01, "flip": 0.01, "delay_s": 0.02, "bytes_per_second": 400_000}}


class LinkedAgent(Agent):
    """One that reaches broker and data plane by links of their own."""

    def __init__(self, server, root, links):
        super().__init__(server, root)
        self.links = links

    def __enter__(self):
        self.provision()
        file = self.root / "config" / "device.json"
        device = json.loads(file.read_text())
        for name, link in self.links.items():
            device[name]["port"] = link.port
        file.write_text(json.dumps(device))
        return self.start()


def port_of(server, name):
    if name == "mqtt":
        return server.info["mqtt"]["port"]
    return int(server.info["devicePlane"].rsplit(":", 1)[1])


@pytest.mark.parametrize("kind", KINDS)
def test_deployments_arrive_whole_over_a_link_that(server, tmp_path, kind):
    fleet = Fleet(server)
    links = {name: BadLink(port_of(server, name), f"{kind} {name}", **KINDS[kind])
             for name in ("mqtt", "dataPlane")}
    contents = {f"{n}.0.0": os.urandom(300_000) for n in (1, 2, 3)}
    with LinkedAgent(server, tmp_path / "device", links) as agent:
        for version, content in contents.items():
            uri = fleet.put_artifact(f"link/{version}", content)
            fleet.component(NAME, version, {
                "run": f"sha256sum < {{artifacts:path}}/{version} >> sums; exec sleep 1000"},
                artifacts=[uri])
            entry = fleet.outcome(fleet.deploy({NAME: version}), limit_s=150)
            assert entry["coreDeviceExecutionStatus"] in ("SUCCEEDED", "COMPLETED"), entry
            agent.wait_for(NAME, version)
        sums = agent.root / "work" / NAME / "sums"
        wanted = [hashlib.sha256(content).hexdigest() for content in contents.values()]
        wait_until(lambda: sums.exists() and len(sums.read_text().split()[::2]) >= len(wanted),
                   "each version having run")
        # One that ran before its deployment was through may run again: in this order, and no other.
        assert sorted(set(found := sums.read_text().split()[::2]), key=found.index) == wanted
    if "flip" in KINDS[kind] or "cut" in KINDS[kind]:
        assert sum(link.harm for link in links.values()) > 0
    for link in links.values():
        link.close()
