# SPDX-License-Identifier: Apache-2.0
"""Certificates of devices over years: server, broker and device live in one world, whose clock the
test turns on. Whatever happens, a device ends with a certificate that works."""
import contextlib
import os
import ssl
import time

import pytest

from agent import Agent
from certificates import AgedAgent, fingerprint, replace_certificate
from faulty_world import World
from harness import Server, http, wait_until
from keys import KeyedAgent, Token

DAY = 86400
LIFE = 9  # days of a device's certificate
YEAR = 365 * DAY


class FileAgent(Agent):
    """One with the key that it has made itself."""

    @property
    def certificate(self):
        return self.root / "config" / "device.crt"


def is_connected(agent):
    status = agent.status()
    return status["agent"] == "running" and status.get("connected")


@contextlib.contextmanager
def server_in(world, tmp_path):
    """With its broker, which it starts."""
    mine = dict(os.environ)
    os.environ.update(world.environment())
    try:
        server = Server(tmp_path / "data", "--device-certificate-days", LIFE).start()
    finally:
        os.environ.clear()
        os.environ.update(mine)
    try:
        yield server
    finally:
        server.kill()


def may(server, certificate, key, thing):
    """What the device plane says to it; None where not even TLS."""
    try:
        return http(f"{server.info['devicePlane']}/greengrass/v2/coreDevices/{thing}/thingGroups",
                    context=server.tls(certificate, key))[0]
    except (OSError, ssl.SSLError):
        return None


class Years:
    """A device, its server, and the certificates that it has had."""

    def __init__(self, server, world, agent, tmp_path):
        self.server, self.world, self.agent, self.tmp_path = server, world, agent, tmp_path
        self.now, self.had = 0, []
        self.keep()

    def keep(self):
        copy = self.tmp_path / f"{len(self.had)}.crt"
        copy.write_text(self.agent.certificate.read_text())
        self.had.append(copy)

    def pass_by(self, days):
        self.now += days * DAY
        self.world.set_clock_off(self.now)

    def wait_renewed(self):
        last = fingerprint(self.had[-1])
        wait_until(lambda: fingerprint(self.agent.certificate) != last and is_connected(self.agent),
                   f"certificate {len(self.had)}; log:\n" + self.agent.log.read_text()[-3000:])
        self.keep()


@pytest.fixture(params=["file", "token"])
def years(request, tmp_path):
    (tmp_path / "world-root").mkdir()
    world = World(tmp_path / "world-root", tmp_path / "world")
    environment = world.environment()
    with server_in(world, tmp_path) as server:
        if request.param == "token":
            token = Token(tmp_path / "token")
            token.environment = {**token.environment, **environment}
            agent = KeyedAgent(server, tmp_path / "edge", token, "old-1")
        else:
            agent = FileAgent(server, tmp_path / "edge", "old-1", environment=environment)
        with agent:
            wait_until(lambda: is_connected(agent), "its connection; log:\n" + agent.log.read_text())
            yield Years(server, world, agent, tmp_path)


def test_a_device_has_a_certificate_that_works_through_all_of_its_generations(years):
    """In time, over the end while it ran, over the end while it was off for weeks, over and over."""
    agent, server = years.agent, years.server
    for how in ("in time", "off", "over while it runs", "in time", "off", "over while it runs"):
        if how == "over while it runs":
            # The broker ends the connection of what is over; that is how the agent learns of it.
            years.pass_by(LIFE + 1)
        else:
            agent.kill()
            years.pass_by(LIFE - 2 if how == "in time" else 50)
            agent.start()
        years.wait_renewed()
    key = agent.root / "config" / "device.key"
    if key.exists():
        assert may(server, years.had[-1], key, "old-1") == 200
        for old in years.had[:-1]:
            assert may(server, old, key, "old-1") in (None, 403), old
    # Those before the last two are gone from the registry.
    years.world.set_clock_off(0)
    principals = server.aws("iot").list_thing_principals(thingName="old-1")["principals"]
    assert {one.rsplit("/", 1)[1] for one in principals} == {
        fingerprint(one) for one in years.had[-2:]}


def test_a_device_that_was_off_for_longer_than_a_year_says_that_it_needs_a_new_token(years):
    agent = years.agent
    agent.kill()
    years.pass_by(LIFE + 366)
    agent.start()
    wait_until(lambda: "problem" in (agent.status().get("certificate") or {}),
               "the problem; log:\n" + agent.log.read_text()[-3000:])
    problem = agent.status()["certificate"]["problem"]
    assert "token" in problem, problem
    assert not is_connected(agent)


def test_an_agent_that_is_killed_before_any_change_of_a_renewal_ends_with_a_certificate_that_works(
        server, tmp_path):
    """The changes are those of its own directory of certificates: found by being died of, one after
    the other, until a renewal is through."""
    world = World(tmp_path / "edge" / "config", tmp_path / "world")
    agent = AgedAgent(server, tmp_path / "edge", "killed-1", -90 * DAY, -60)
    deaths = 0
    agent.environment = world.environment()
    with agent:
        agent.kill()
        while True:
            age(server, agent, tmp_path)
            world.die_before_change(deaths)
            agent.start()
            wait_until(lambda: agent.process.poll() is not None or is_renewed(agent),
                       "its death or its renewal; log:\n" + agent.log.read_text()[-3000:])
            if agent.process.poll() is None:  # through, and the change has not come
                break
            world.die_before_change(None)
            assert fingerprint(agent.certificate)  # whole, old or new
            agent.start()
            agent.wait_renewed()
            agent.kill()
            deaths += 1
            assert deaths < 60, "it does not come to an end"
    print(f"killed before each of {deaths} changes")
    assert deaths >= 8, deaths
    assert [path.name for path in (agent.root / "config").iterdir()
            if path.name.startswith("device.crt.")] == []


def is_renewed(agent):
    certificate = agent.live("certificate") or {}
    return certificate.get("id") not in (None, agent.aged) and agent.live("connected")


def age(server, agent, tmp_path):
    replace_certificate(server, agent, tmp_path, -90 * DAY, -60)
    agent.aged = fingerprint(agent.certificate)


@pytest.mark.parametrize("off", [-10 * YEAR, 10 * YEAR], ids=["behind", "ahead"])
def test_a_certificate_that_is_over_is_renewed_when_a_clock_that_was_wrong_by_years_is_right(
        server, tmp_path, off):
    world = World(tmp_path / "edge", tmp_path / "world")
    world.set_clock_off(off)
    agent = AgedAgent(server, tmp_path / "edge", f"clock-{off % 7}", -90 * DAY, -30 * DAY)
    agent.provision()
    age(server, agent, tmp_path)
    agent.environment = world.environment()
    try:
        agent.start()
        wait_until(lambda: "certificate verify failed" in agent.log.read_text(),
                   "the server being refused")
        time.sleep(1)
        assert fingerprint(agent.certificate) == agent.aged
        world.set_clock_off(0)
        agent.wait_renewed()
    finally:
        agent.kill()
