# SPDX-License-Identifier: Apache-2.0
"""What watches a plant asks for metrics that the programs really have."""
import importlib.util
import json
import re
import shutil
import socket
import subprocess
import urllib.request

from harness import ROOT, program, wait_until

MONITORING = ROOT / "packaging" / "monitoring"
EXAMPLE = ROOT / "examples" / "metal-tags"


def asked_for():
    texts = [(MONITORING / name).read_text(encoding="utf-8")
             for name in ("alerts.yaml", "dashboard.json")]
    return {name for text in texts for name in re.findall(r"\bandon_[a-z_]+", text)}


def names_of(page):
    """Names of a page of metrics, as queries write them."""
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", page, re.MULTILINE))
    return {name + end for name, kind in types.items()
            for end in (("_bucket", "_sum", "_count") if kind == "histogram" else ("",))}


def inspect_page(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    images = tmp_path / "images"
    images.mkdir()
    shutil.copy(next((EXAMPLE / "images").glob("*.jpg")), images)
    with subprocess.Popen([program("andon-inspect"), "--model", EXAMPLE / "model" / "model.onnx",
                           "--source", images, "--out", tmp_path / "out", "--metrics-address",
                           f"127.0.0.1:{port}"]) as inspect:
        try:
            def page():
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as got:
                        return got.read().decode()
                except OSError:
                    return ""
            return wait_until(lambda: 'andon_inspect_frames_total{outcome="ok"} 1' in page() and page(),
                              "the first picture's count")
        finally:
            inspect.terminate()


def test_alerts_and_dashboard_ask_for_metrics_that_there_are(server, tmp_path):
    status, page = server.get("/metrics")
    assert status == 200
    there = names_of(page.decode()) | names_of(inspect_page(tmp_path))
    assert len(asked_for()) > 20
    assert asked_for() - there == set()


def test_the_fleet_is_in_the_metrics(server):
    def value(name):
        page = server.get("/metrics")[1].decode()
        return next(float(line.split(" ")[-1]) for line in page.splitlines() if line.startswith(name))

    before = value("andon_things ")
    server.aws("iot").create_thing(thingName="counted")
    assert value("andon_things ") == before + 1
    assert value('andon_core_devices{status="UNHEALTHY"}') == 0
    assert 0 < value("andon_data_free_bytes") <= value("andon_data_size_bytes")


def test_the_dashboard_is_what_its_maker_writes():
    spec = importlib.util.spec_from_file_location("make_dashboard", MONITORING / "make_dashboard.py")
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    assert json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8")) == maker.dashboard()
