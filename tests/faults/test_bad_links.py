# SPDX-License-Identifier: Apache-2.0
"""A device whose link to its server cuts, delays, is narrow or turns bits: what was deployed arrives
whole, and what it has to say is heard once it is through."""
import hashlib
import os

import pytest

from agent import Agent, Fleet
from harness import Server, wait_until
from listeners import BadProxy

NAME = "com.example.App"
NUCLEUS = "aws.greengrass.Nucleus"
KINDS = {"cuts": {"cut": 0.03}, "delays": {"delay_s": 0.03},
         "is narrow": {"bytes_per_second": 400_000, "delay_s": 0.01}, "turns bits": {"flip": 0.03},
         "is all of it": {"cut": 0.02, "flip": 0.02, "delay_s": 0.01, "bytes_per_second": 800_000}}


@pytest.fixture
def server(tmp_path):
    """At an address that is not this machine's own name: those need no proxy."""
    with Server(tmp_path / "data", "--device-address", "0.0.0.0", "--host", "127.0.0.2") as running:
        yield running


@pytest.mark.parametrize("kind", KINDS)
def test_deployments_arrive_whole_over_a_link_that(server, tmp_path, kind):
    fleet = Fleet(server)
    proxy = BadProxy(kind, **KINDS[kind])
    contents = {f"{n}.0.0": os.urandom(1_000_000) for n in (1, 2, 3)}
    nucleus = {NUCLEUS: ("2.14.0", {"networkProxy": {
        "proxy": {"url": f"http://127.0.0.1:{proxy.port}"}}})}
    with proxy, Agent(server, tmp_path / "device") as agent:
        fleet.deploy_and_wait(nucleus)
        wait_until(lambda: proxy.passed > 0, "the agent taking the proxy")
        for version, content in contents.items():
            uri = fleet.put_artifact(f"link/{version}", content)
            fleet.component(NAME, version, {
                "run": f"sha256sum < {{artifacts:path}}/{version} >> sums; exec sleep 1000"},
                artifacts=[uri])
            deployment = fleet.deploy({NAME: version, **nucleus})
            entry = fleet.outcome(deployment, limit_s=150)
            assert entry["coreDeviceExecutionStatus"] in ("SUCCEEDED", "COMPLETED"), entry
            agent.wait_for(NAME, version)
        sums = agent.root / "work" / NAME / "sums"
        wanted = [hashlib.sha256(content).hexdigest() for content in contents.values()]
        wait_until(lambda: sums.exists() and len(sums.read_text().split()[::2]) >= len(wanted),
                   "each version having run")
        # One that ran before its deployment was through may run again: in this order, and no other.
        assert sorted(set(found := sums.read_text().split()[::2]), key=found.index) == wanted
    assert proxy.passed > sum(map(len, contents.values()))
    if "flip" in KINDS[kind] or "cut" in KINDS[kind]:
        assert proxy.harm > 3
