# SPDX-License-Identifier: Apache-2.0
"""What the console costs: a page's scripts with the browser slowed down four times, and the server's
processor for each frame and viewer. The figures are printed; docs/console.md has them from a machine with
nothing else to do, and the bounds here are those of a busy one."""
import base64
import json
import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from harness import PATIENCE_S, wait_until
from test_fleet import put_devices
from test_mqtt import OPEN, say, told

DEVICES = 1000
SLOWER = 4
MOST_SCRIPT_S, MOST_RENDER_S = 5.0, 20.0
PICTURE = os.urandom(60_000)
PIECE = 30_000  # of an answer
FRAMES = 25
VIEWERS = 7
FRAME_S = 0.4
MOST_FRAME_MS, MOST_VIEWER_MS = 25.0, 6.0


@pytest.mark.parametrize("slower", [1, SLOWER])
def test_a_page_of_a_thousand_devices_is_there_soon_on_a_slow_machine_too(alone, watched, capsys, slower):
    put_devices(alone.server, [f"line-{number:04}" for number in range(DEVICES)])
    page = watched.page
    page.goto("about:blank")
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    session.send("Performance.enable")
    link = alone.link()
    start = time.monotonic()
    page.goto(link)
    page.get_by_role("link", name="line-0000").wait_for()
    there = time.monotonic() - start
    spent = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    with capsys.disabled():
        print(f"\n    {DEVICES} devices, {slower} times slower: first rows after {there:.2f} s; scripts "
              f"{spent['ScriptDuration']:.2f} s, layout {spent['LayoutDuration'] + spent['RecalcStyleDuration']:.2f} s",
              end="")
    assert page.locator("tbody tr").count() == 200
    assert there < MOST_RENDER_S and 0 < spent["ScriptDuration"] < MOST_SCRIPT_S


class Camera:
    """A device whose frames come as fast as they are shown, over one connection; played by hand."""

    def __init__(self, server, directory):
        self.mqtt = server.device("line-1", directory).mqtt()
        self.inbox = self.mqtt.subscribe("cmd/andon/line-1/commands/#")
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def end(self):
        self.ending.set()
        self.thread.join()
        self.inbox.__exit__()

    def _run(self):
        asked, pipe, number = "", None, 0
        while not self.ending.wait(FRAME_S):
            # Each look is a command of its own: the newest is the one that somebody reads.
            asks = [json.loads(payload)["id"] for topic, payload in self.inbox.messages()
                    if topic.endswith("/ask")]
            if not asks:
                continue
            if asks[-1] != asked:
                self._close(pipe)
                asked, number = asks[-1], 0
                pipe = subprocess.Popen(
                    ["mosquitto_pub", *self.mqtt.connection, "-t", f"andon/things/line-1/commands/{asked}", "-l"],
                    stdin=subprocess.PIPE, text=True)
            for answer in self._frame():
                number += 1
                pipe.stdin.write(json.dumps({"sequence": number, **answer}) + "\n")
            pipe.stdin.flush()
        self._close(pipe)

    @staticmethod
    def _close(pipe):
        if pipe is None:
            return
        pipe.stdin.close()
        pipe.wait(PATIENCE_S)

    @staticmethod
    def _frame():
        yield {"progress": {"bytes": 0, "ofBytes": len(PICTURE), "text": ""}}
        for first in range(0, len(PICTURE), PIECE):
            yield {"data": base64.b64encode(PICTURE[first:first + PIECE]).decode()}
        yield {"row": {"component": "com.example.Inspect", "contentType": "image/jpeg", "bytes": len(PICTURE),
                       "frame": {"verdict": "OK"}}}


def spent_ms(pid):
    """Of the processor, by all threads of a process."""
    return sum(int((task / "schedstat").read_text().split()[0])
               for task in Path(f"/proc/{pid}/task").iterdir()) / 1e6


def frames_of(page):
    return sum("frame" in one for one in told(page))


def cost_of_a_frame(server, page):
    """Processor time of the server over FRAMES frames of who looks first, each, in ms."""
    before, begun = frames_of(page), spent_ms(server.process.pid)
    wait_until(lambda: frames_of(page) >= before + FRAMES, "the frames", 2 * PATIENCE_S)
    return (spent_ms(server.process.pid) - begun) / (frames_of(page) - before)


def test_a_frame_costs_the_server_little_and_a_further_viewer_less(alone, watched, capsys):
    """With the browser's own events as they are: what it takes with nobody looking is taken off."""
    server = alone.server
    camera = Camera(server, server.data.parent / "devices")
    try:
        page = watched.sign_in().page
        watched.settle()
        begun = spent_ms(server.process.pid)
        page.wait_for_timeout(FRAMES * FRAME_S * 1000)
        idle = (spent_ms(server.process.pid) - begun) / FRAMES
        page.evaluate(OPEN)
        say(page, watch={"thing": "line-1", "component": ""})
        wait_until(lambda: frames_of(page) > 2, "the first frames")
        alone_ms = cost_of_a_frame(server, page) - idle
        page.evaluate("""async (viewers) => {
          window.seen = 0;
          for (let one = 0; one < viewers; one++) await new Promise(open => {
            const socket = new WebSocket(`ws://${location.host}/console/socket`);
            socket.onmessage = (event) => { if (event.data.startsWith('{"frame"')) seen += 1; };
            socket.onopen = () => {
              socket.send(JSON.stringify({watch: {thing: 'line-1', component: ''}}));
              open();
            };
          });
        }""", VIEWERS)
        wait_until(lambda: page.evaluate("seen") > VIEWERS, "frames of all")
        together_ms = cost_of_a_frame(server, page) - idle
        seen = page.evaluate("seen")
    finally:
        camera.end()
    each = (together_ms - alone_ms) / VIEWERS
    with capsys.disabled():
        print(f"\n    a frame of {len(PICTURE) // 1000} kB: {alone_ms:.2f} ms of processor with one viewer, "
              f"{each:.2f} ms for each further one, {together_ms / (VIEWERS + 1):.2f} ms a frame and viewer with "
              f"{VIEWERS + 1}; nobody looking: {idle:.2f} ms", end="")
    assert seen > VIEWERS * FRAMES / 2  # none is left behind
    assert alone_ms < MOST_FRAME_MS and each < MOST_VIEWER_MS
