#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What attacks cost and gain, run by `./dev bench attack`: the figures of docs/threat-model.md. A real
server, broker and agent on loopback; prints figures and asserts nothing about them. Row numbers are
those of the page. As root, as row 11 wants another user's connections.

    ./dev bench attack [--only bodies drips flood idle results plugin]
"""
import argparse
import contextlib
import json
import os
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
STRANGER = 54321
MIB = 1 << 20


def resident_kib(pid):
    return status_kib(pid, "VmRSS")


def status_kib(pid, member):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(member + ":"):
            return int(line.split()[1])
    return 0


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def unnamed_bytes(pid):
    """In files that have no name any more: what is spooled."""
    total = 0
    for entry in os.scandir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            if "(deleted)" in os.readlink(entry.path):
                total += os.stat(entry.path).st_size
    return total


def broker_pid(server):
    return json.loads((server.data / "mosquitto" / "broker.json").read_text())["pid"]


def connect(server, plane):
    url = urlsplit(server.info[plane])
    plain = socket.create_connection((url.hostname, url.port), timeout=20)
    if url.scheme == "http":
        return plain
    return ssl._create_unverified_context().wrap_socket(plain)  # noqa: SLF001


class Peak:
    """The largest value that a measure had while the block ran."""

    def __init__(self, measure, every=0.005):
        self.measure, self.every, self.value, self.over = measure, every, 0, threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()
        return self

    def _watch(self):
        while not self.over.is_set():
            self.value = max(self.value, self.measure())
            time.sleep(self.every)

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def percentiles(seconds):
    ordered = sorted(seconds)
    return {"median_ms": round(statistics.median(ordered) * 1000, 1),
            "p99_ms": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000, 1),
            "max_ms": round(ordered[-1] * 1000, 1)}


def bodies(server):
    """Row 3: anonymous uploads of 5 GiB each, pushed for two seconds."""
    figures = {}
    for plane in ("api", "devicePlane"):
        sent, answers = [], []

        def push(plane=plane, sent=sent, answers=answers):
            with contextlib.suppress(OSError), connect(server, plane) as client:
                client.sendall(b"PUT /bucket/key HTTP/1.1\r\nHost: a\r\nContent-Length: 5368709120"
                               b"\r\n\r\n")
                client.settimeout(2)
                block, until, mine = bytes(256 << 10), time.monotonic() + 2, 0
                try:
                    while time.monotonic() < until:
                        mine += client.send(block)
                except OSError:
                    pass
                sent.append(mine)
                with contextlib.suppress(OSError):
                    answers.append(client.recv(32).split(b"\r\n")[0].decode())

        with Peak(lambda: unnamed_bytes(server.process.pid)) as spooled:
            threads = [threading.Thread(target=push) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        figures[plane] = {"connections": 8, "spooled_bytes_at_most": spooled.value,
                          "sent_mib": round(sum(sent) / MIB, 1), "answers": sorted(set(answers))}
    return figures


def ask_for(server, seconds):
    """Latencies of an honest client: a new connection and a signed request each."""
    latencies, failures, until = [], 0, time.monotonic() + seconds
    while time.monotonic() < until:
        started = time.monotonic()
        try:
            assert server.call("POST", "/andon/v1/enrolment-tokens", {"thingName": "t"})[0] == 200
            latencies.append(time.monotonic() - started)
        except Exception:  # noqa: BLE001: each is one that an attack has cost
            failures += 1
        time.sleep(0.01)
    return {**percentiles(latencies), "requests": len(latencies), "failed": failures}


def drips(server):
    """Row 4: a thousand connections, each of which goes on with a head, or a body, at 1.3 KB/s."""
    pid = server.process.pid
    server.aws("iot").create_thing(thingName="t")
    figures = {"rss_before_mib": round(resident_kib(pid) / 1024, 1), "alone": ask_for(server, 5)}
    over = threading.Event()

    def drip(clients):
        while not over.is_set():
            for index, client in enumerate(clients):
                try:
                    client.send(b"x" * 130)
                except OSError:
                    with contextlib.suppress(OSError):
                        client.close()
                        clients[index] = begin()
            time.sleep(0.1)

    def begin():
        client = connect(server, "api")
        client.setblocking(False)
        client.send(b"PUT /bucket/key HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\nX-Padding: ")
        return client

    clients = [begin() for _ in range(1000)]
    threads = [threading.Thread(target=drip, args=(clients[i::4],)) for i in range(4)]
    for thread in threads:
        thread.start()
    with Peak(lambda: resident_kib(pid), 0.1) as rss:
        figures["under_attack"] = ask_for(server, 45)
    over.set()
    for thread in threads:
        thread.join()
    for client in clients:
        client.close()
    figures["rss_peak_mib"] = round(rss.value / 1024, 1)
    time.sleep(15)
    figures["rss_15_s_after_mib"] = round(resident_kib(pid) / 1024, 1)
    return figures


def flood(server, directory):
    """Row 5: one device sends 600 messages of 1 MB to its own session that is away and 300 that are
    retained."""
    pid = broker_pid(server)
    device = server.device("flood-1", directory)
    from harness import Mqtt
    figures = {"rss_before_mib": round(resident_kib(pid) / 1024, 1)}
    away = Mqtt(server, device.certificate, device.key, "flood-1#away").connection
    subprocess.run(["mosquitto_sub", *away, "-c", "-x", "3600", "-t", "dt/x/flood-1/#", "-E"],
                   check=False, capture_output=True, timeout=30)
    big = directory / "big"
    big.write_bytes(b"x" * 1_000_000)
    started = time.monotonic()
    with Peak(lambda: resident_kib(pid), 0.02) as rss:
        subprocess.run(["mosquitto_pub", *device.mqtt().connection, "-t", "dt/x/flood-1/fill", "-f",
                        big, "--repeat", "600"], capture_output=True, timeout=300, check=False)
        refused = 0
        for number in range(300):
            ended = subprocess.run(
                ["mosquitto_pub", *device.mqtt().connection, "-d", "-r", "-t",
                 f"andon/things/flood-1/keep/{number}", "-m", "x" * 1000],
                capture_output=True, timeout=30, check=False)
            said = (ended.stdout + ended.stderr).decode()
            refused += "RC:0" not in said and "RC:16" not in said
    figures["seconds"] = round(time.monotonic() - started, 1)
    figures["rss_peak_mib"] = round(rss.value / 1024, 1)
    figures["rss_after_mib"] = round(resident_kib(pid) / 1024, 1)
    figures["retained_refused_of_300"] = refused
    return figures


@contextlib.contextmanager
def becoming(user):
    before = os.geteuid()
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(before)


def idle(server, directory):
    """Row 11: 33 idle connections of another user to the token exchange, and 60 requests."""
    if os.geteuid() != 0:
        return "needs root"
    from agent import Agent, Fleet
    from harness import http, wait_until
    fleet = Fleet(server)
    with Agent(server, directory / "device", thing="idle-1") as agent:
        fleet.component("bench.Idle", "1.0.0", {"run": "env > e.new; mv e.new e; exec sleep 600"})
        fleet.deploy_and_wait({"bench.Idle": "1.0.0"}, thing="idle-1")
        file = agent.root / "work" / "bench.Idle" / "e"
        wait_until(file.exists, "the component's environment")
        env = dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)
        uri = env["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
        latencies = []
        with contextlib.ExitStack() as held:
            def hold(count):
                with becoming(STRANGER):
                    for _ in range(count):
                        held.enter_context(
                            socket.create_connection(("127.0.0.1", urlsplit(uri).port)))
            hold(33)
            for _ in range(60):
                hold(1)
                started = time.monotonic()
                status, _ = http(uri, headers={
                    "Authorization": env["AWS_CONTAINER_AUTHORIZATION_TOKEN"]})
                if status == 200:
                    latencies.append(time.monotonic() - started)
        return {"asked": 60, "succeeded": len(latencies), **percentiles(latencies)}


def results(server, directory):
    """Row 2: ten results while an operator subscribes late and another device subscribes to all."""
    victim = server.device("victim-1", directory)
    hostile = server.device("hostile-1", directory)
    from harness import wait_until
    acknowledged = []
    with subprocess.Popen(["stdbuf", "-oL", "mosquitto_sub", *hostile.mqtt().connection, "-d", "-t",
                           "andon/things/hostile-1/x", "-t", "#", "-t",
                           "andon/things/victim-1/results"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as attacker:
        for line in attacker.stdout:
            if "Subscribed" in line:
                break
        waiting = list(range(10))

        def publish(number):
            ended = subprocess.run(
                ["mosquitto_pub", *victim.mqtt().connection, "-d", "-t",
                 "andon/things/victim-1/results", "-m", str(number)],
                capture_output=True, text=True, timeout=30, check=False)
            return "RC:0" in ended.stdout + ended.stderr

        # As the agent's spool does: what no subscriber has is sent again.
        acknowledged = [number for number in waiting if publish(number)]
        waiting = [number for number in waiting if number not in acknowledged]
        with server.operator_mqtt().subscribe("andon/things/+/results") as seen:
            for number in waiting:
                publish(number)
            with contextlib.suppress(AssertionError):
                wait_until(lambda: len(seen.messages()) == 10, "ten results", 5)
            got = len(seen.messages())
        attacker.kill()
    return {"forgotten_for_the_hostile_subscriber": len(acknowledged), "operator_got_of_10": got}


def plugin(server, directory):
    """CPU of mosquitto for each message of a device, of which the plugin's share is measured alone by
    build/release/bin/broker_bench."""
    pid = broker_pid(server)
    device = server.device("load-1", directory)
    count = 20_000
    payload = "\n".join(["x" * 300] * count).encode()
    with server.operator_mqtt().subscribe("dt/x/load-1/#"):
        before = cpu_seconds(pid)
        subprocess.run(["mosquitto_pub", *device.mqtt().connection, "-t", "dt/x/load-1/a", "-l"],
                       input=payload, capture_output=True, timeout=300, check=False)
        spent = cpu_seconds(pid) - before
    figures = {"messages": count, "mosquitto_us_a_message": round(spent / count * 1e6, 1)}
    alone = Path(os.environ["ANDON_BIN"]) / "broker_bench"
    if alone.exists():
        figures["plugin"] = json.loads(subprocess.run([alone], check=True, capture_output=True,
                                                      text=True).stdout)
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parts = {"bodies": bodies, "drips": drips, "flood": flood, "idle": idle, "results": results,
             "plugin": plugin}
    parser.add_argument("--only", nargs="+", choices=parts, default=list(parts))
    options = parser.parse_args()
    os.environ.setdefault("ANDON_BIN", str(ROOT / "build" / "release" / "bin"))
    from harness import Server
    for name in options.only:
        with tempfile.TemporaryDirectory() as directory:
            os.chmod(directory, 0o755)
            with Server(Path(directory) / "data") as server:
                more = () if name in ("bodies", "drips") else (Path(directory),)
                print(json.dumps({name: parts[name](server, *more)}), flush=True)


if __name__ == "__main__":
    main()
