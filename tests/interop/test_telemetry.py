# SPDX-License-Identifier: Apache-2.0
"""The server's log, audit log and metrics as OpenTelemetry's own messages read them (--otlp)."""
import contextlib
import http.server
import json
import subprocess
import threading

from google.protobuf import json_format
from harness import PATIENCE_S, Server, program, wait_until
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import SeverityNumber
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

MESSAGES = {"/v1/logs": ExportLogsServiceRequest, "/v1/metrics": ExportMetricsServiceRequest}


class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = 200
        try:
            message = json_format.Parse(body, MESSAGES[self.path]())
            self.server.taken.append((self.path, self.headers.get("Authorization"), message))
        except (KeyError, json_format.ParseError) as error:
            self.server.faults.append(f"{self.path}: {error}")
            status = 400
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def collector(port=0):
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Collector) as server:
        server.taken, server.faults = [], []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def url_of(server):
    return f"http://127.0.0.1:{server.server_address[1]}"


def attributes(of):
    return {one.key: one.value.string_value for one in of}


def records(server):
    """[(resource's attributes, scope, record)] of all that has come."""
    return [(attributes(resource.resource.attributes), scope.scope.name, record)
            for path, _, message in list(server.taken) if path == "/v1/logs"
            for resource in message.resource_logs for scope in resource.scope_logs
            for record in scope.log_records]


def metrics(server):
    """{name: the newest of that name}"""
    return {metric.name: metric
            for path, _, message in list(server.taken) if path == "/v1/metrics"
            for resource in message.resource_metrics for scope in resource.scope_metrics
            for metric in scope.metrics}


def audit_of(server, operation):
    return [record for _, scope, record in records(server) if scope == "andon.audit"
            and json.loads(record.body.string_value)["operation"] == operation]


def test_log_audit_and_metrics_are_told_to_a_collector(tmp_path):
    headers = tmp_path / "headers"
    headers.write_text("# for the collector\nAuthorization: Bearer secret\n")
    with collector() as receiver, Server(tmp_path / "data", "--otlp", url_of(receiver), "--otlp-headers",
                                         str(headers), "--otlp-metrics", "1") as server:
        server.aws("iot").create_thing(thingName="line-1")
        entry = wait_until(lambda: audit_of(receiver, "CreateThing"), "the entry")[0]
        told = json.loads(entry.body.string_value)
        assert told["name"] == "root" and attributes(entry.attributes)["service"] == "iot"
        assert entry.severity_number == SeverityNumber.SEVERITY_NUMBER_INFO
        assert entry.time_unix_nano > 1_700_000_000 * 10**9

        resource, _, line = wait_until(
            lambda: [one for one in records(receiver) if one[1] == "andon.log"], "a line")[0]
        assert resource["service.name"] == "andon-server" and resource["service.version"]
        assert line.body.string_value in server.log()

        def things():
            metric = metrics(receiver).get("andon_things")
            return metric and metric.gauge.data_points[0].as_double == 1
        wait_until(things, "the metric")
        wait_until(lambda: "andon_otlp_records_total" in metrics(receiver), "the counter")
        seen = metrics(receiver)
        counter = seen["andon_otlp_records_total"].sum
        assert counter.is_monotonic and counter.aggregation_temporality == (
            AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE)
        assert {attributes(point.attributes)["outcome"] for point in counter.data_points} == {"sent", "dropped"}
        for point in seen["andon_audit_commit_seconds"].histogram.data_points:
            assert sum(point.bucket_counts) == point.count
            assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
        # No metric of the page is missing.
        page = server.get("/metrics")[1].decode()
        named = {line.split()[2] for line in page.splitlines() if line.startswith("# TYPE")}
        sampled = {name for name in named
                   if any(line.startswith((name + " ", name + "{", name + "_bucket"))
                          for line in page.splitlines())}
        wait_until(lambda: sampled <= set(metrics(receiver)), "all metrics")
        assert {token for _, token, _ in list(receiver.taken)} == {"Bearer secret"}
    assert receiver.faults == []


def test_a_collector_that_is_away_holds_nobody_up_and_gets_it_when_it_is_back(tmp_path):
    with collector() as receiver:
        port = receiver.server_address[1]
    with Server(tmp_path / "data", "--otlp", f"http://127.0.0.1:{port}") as server:
        server.aws("iot").create_thing(thingName="line-1")
        wait_until(lambda: "the collector of --otlp takes nothing" in server.log(), "the word in the log")
        with collector(port) as receiver:
            wait_until(lambda: audit_of(receiver, "CreateThing"), "the entry")
            wait_until(lambda: "takes records again" in server.log(), "the word in the log")
            assert receiver.faults == []


def test_options_that_make_no_sense_are_refused(tmp_path):
    headers = tmp_path / "headers"
    headers.write_text("no header\n")
    for options, word in ((["--otlp", "collector:4318"], "--otlp"),
                          (["--otlp-headers", str(headers)], "--otlp-headers"),
                          (["--otlp", "http://127.0.0.1:1", "--otlp-headers", str(headers)], "line 1"),
                          (["--otlp", "https://127.0.0.1:1", "--otlp-ca", str(tmp_path / "none")], "--otlp-ca")):
        done = subprocess.run([program("andon-server"), "run", "--data", str(tmp_path / "data"), *options],
                              capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        assert done.returncode == 2 and word in done.stderr, options
