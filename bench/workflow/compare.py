#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""andon-server's workflows beside moto's server (in memory, not durable), in one run.

    python bench/workflow/compare.py [--moto PROGRAM] [--out FILE.json] [--only PART...]

PROGRAM is `moto_server` of a virtual environment with requirements.txt. Load comes from
workflow_bench, as Python clients would fill the cores. Contenders take turns, so that other load on
the machine meets both; medians are printed, of ratios those of the rounds. Nothing is asserted
about time, but that every execution succeeded is.
"""
import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from harness import Server, program, wait_until  # noqa: E402

ROLE = "arn:aws:iam::000000000000:role/andon-workflows"
ROUNDS = 5
STARTS = 10_000  # of a saturated round
PARTS = ["executions", "history", "waiting", "maps"]


def chain(count):
    states = {f"P{n}": {"Type": "Pass", "Next": f"P{n + 1}"} for n in range(count - 1)}
    states[f"P{count - 1}"] = {"Type": "Pass", "End": True}
    return {"StartAt": "P0", "States": states}


def make(client, name, definition):
    return client.create_state_machine(name=name, definition=json.dumps(definition),
                                       roleArn=ROLE)["stateMachineArn"]


def fdatasync_ms(directory):
    """The median of one fdatasync of 4 KiB there."""
    took = []
    with open(Path(directory) / "probe", "wb", buffering=0) as file:
        for _ in range(100):
            file.write(b"x" * 4096)
            begin = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - begin) * 1000)
    return statistics.median(took)


def memory_mib(pid, what="VmRSS"):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) / 1024
    return 0


def cpu_s(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def threads(pid):
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


class Andon:
    def __init__(self, server):
        self.server, self.pid = server, server.process.pid
        key = server.operator_key
        self.words = ["--url", server.info["api"], "--key", key["accessKeyId"], "--secret",
                      key["secretAccessKey"], "--region", key["region"]]
        self.client = server.aws("stepfunctions")

    def metric(self, name):
        page = self.server.get("/metrics")[1].decode()
        return sum(float(line.rpartition(" ")[2]) for line in page.splitlines()
                   if line.startswith(name))

    def succeeded(self):
        return self.metric(
            'andon_workflow_executions_ended_total{type="STANDARD",status="SUCCEEDED"}')


class Moto:
    def __init__(self, moto):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen([moto, "-p", str(self.port)], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        self.pid, self.words = self.process.pid, ["--url", self.url]
        wait_until(self.ready, "moto's server")
        request = urllib.request.Request(
            self.url + "/moto-api/config", method="POST",
            data=json.dumps({"stepfunctions": {"execute_state_machine": True}}).encode(),
            headers={"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=10).read()
        import boto3
        self.client = boto3.client(
            "stepfunctions", endpoint_url=self.url, region_name="us-east-1",
            aws_access_key_id="test", aws_secret_access_key="test")

    def ready(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def load(contender, *words, **options):
    """What workflow_bench measured, with the contender's CPU time."""
    command = [program("workflow_bench"), *contender.words, *words]
    for key, value in options.items():
        command += [f"--{key}"] + ([] if value is True else [str(value)])
    before = cpu_s(contender.pid)
    told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    told["cpuMs"] = (cpu_s(contender.pid) - before) * 1000
    if "executions" in told:
        told["cpuMsPerExecution"] = told.pop("cpuMs") / told["executions"]
    return told


def median_of(results):
    return {key: statistics.median(result[key] for result in results) for key in results[0]}


def executions(andon, moto, directory):
    ten = make(andon.client, "ten", chain(10))
    moto_ten = make(moto.client, "ten", chain(10)) if moto else None
    load(andon, machine=ten, count=1_000, connections=64)  # what is cold is not measured
    saturated, steady, others, other_steady = [], [], [], []
    for _ in range(ROUNDS):
        before = andon.succeeded()
        commits = andon.metric("andon_workflow_commit_seconds_count")
        round_ = load(andon, machine=ten, count=STARTS, connections=64)
        # Answered means ended: ten Pass states are one step, and one commit.
        assert andon.succeeded() - before == STARTS
        round_["commitsPerExecution"] = (
            andon.metric("andon_workflow_commit_seconds_count") - commits) / STARTS
        saturated.append(round_)
        if moto:
            others.append(load(moto, machine=moto_ten, count=60, connections=4, wait=True))
    for _ in range(ROUNDS):
        first = fdatasync_ms(directory)
        round_ = load(andon, machine=ten, count=300, connections=8, rate=50)
        round_["fdatasyncMs"] = (first + fdatasync_ms(directory)) / 2
        round_["p50BeyondAnFdatasyncMs"] = round_["startP50Ms"] - round_["fdatasyncMs"]
        steady.append(round_)
        if moto:
            other_steady.append(load(moto, machine=moto_ten, count=20, connections=8, rate=5,
                                     wait=True))
    report = {"andon": {"saturated": median_of(saturated), "at50ASecond": median_of(steady)}}
    if moto:
        report["moto"] = {"saturated": median_of(others), "at5ASecond": median_of(other_steady)}
        for key in ["executionsPerSecond", "cpuMsPerExecution"]:
            ratios = [(a[key], m[key]) for a, m in zip(saturated, others)]
            report[f"ratioOf_{key}"] = statistics.median(
                max(pair) / min(pair) for pair in ratios)
    return report


def history(andon):
    """10,000 events, in pages of 1000."""
    loop = {"StartAt": "L", "States": {
        "L": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "C"},
        "C": {"Type": "Choice", "Default": "E", "Choices": [
            {"Variable": "$.n", "NumericLessThan": 2499, "Next": "L"}]},
        "E": {"Type": "Succeed"}}}
    execution = andon.client.start_execution(
        stateMachineArn=make(andon.client, "loop", loop), input='{"n": 0}')["executionArn"]
    wait_until(lambda: andon.client.describe_execution(executionArn=execution)["status"] !=
               "RUNNING", "the loop's end")
    return load(andon, history=execution)


def waiting(andon, count):
    machine = make(andon.client, "waiting", {"StartAt": "W", "States": {
        "W": {"Type": "Wait", "Seconds": 86_400, "End": True}}})
    load(andon, machine=machine, count=1, connections=64)  # its connections have had threads
    before = {"rssMiB": memory_mib(andon.pid), "threads": threads(andon.pid)}
    load(andon, machine=machine, count=count, connections=64)
    time.sleep(2)
    spent, begin = cpu_s(andon.pid), time.monotonic()
    time.sleep(10)
    return {"executions": count, "before": before, "rssMiB": memory_mib(andon.pid),
            "threads": threads(andon.pid),
            "cpuPercent": 100 * (cpu_s(andon.pid) - spent) / (time.monotonic() - begin)}


def run_map(items):
    """A distributed Map over a JSONL object, on a server of its own, with its largest memory."""
    with tempfile.TemporaryDirectory() as directory, Server(Path(directory) / "data") as server:
        s3, states, pid = server.aws("s3"), server.aws("stepfunctions"), server.process.pid
        s3.create_bucket(Bucket="items")
        s3.put_object(Bucket="items", Key="all.jsonl",
                      Body="".join(f'{{"n": {n}}}\n' for n in range(items)))
        machine = make(states, "map", {"StartAt": "M", "States": {"M": {
            "Type": "Map", "End": True, "MaxConcurrency": 500, "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}},
            "ItemReader": {"Resource": "arn:aws:states:::s3:getObject",
                           "ReaderConfig": {"InputType": "JSONL"},
                           "Parameters": {"Bucket": "items", "Key": "all.jsonl"}},
            "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject",
                             "Parameters": {"Bucket": "items", "Prefix": "out"}}}}})
        begin, spent = time.monotonic(), cpu_s(pid)
        execution = states.start_execution(stateMachineArn=machine)["executionArn"]
        told = wait_until(
            lambda: (d := states.describe_execution(executionArn=execution))["status"] !=
            "RUNNING" and d or time.sleep(0.1), "the map's end", 1800)
        assert told["status"] == "SUCCEEDED", told
        seconds = time.monotonic() - begin
        run = states.list_map_runs(executionArn=execution)["mapRuns"][0]["mapRunArn"]
        counts = states.describe_map_run(mapRunArn=run)["itemCounts"]
        assert counts["succeeded"] == counts["total"] == items, counts
        return {"items": items, "seconds": seconds, "cpuSeconds": cpu_s(pid) - spent,
                "largestRssMiB": memory_mib(pid, "VmHWM")}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--moto")
    parser.add_argument("--out")
    parser.add_argument("--only", nargs="*", default=PARTS, choices=PARTS)
    parser.add_argument("--waiting", type=int, default=10_000)
    parser.add_argument("--items", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    arguments = parser.parse_args()
    report = {"cores": os.cpu_count(), "loadBefore": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory() as directory, Server(Path(directory) / "data") as server:
        andon = Andon(server)
        if "executions" in arguments.only:
            moto = Moto(arguments.moto) if arguments.moto else None
            try:
                report |= executions(andon, moto, directory)
            finally:
                if moto:
                    moto.process.kill()
                    moto.process.wait()
        if "history" in arguments.only:
            report["history"] = history(andon)
    if "waiting" in arguments.only:
        with tempfile.TemporaryDirectory() as directory, Server(Path(directory) / "data") as server:
            report["waiting"] = waiting(Andon(server), arguments.waiting)
    if "maps" in arguments.only:
        report["maps"] = [run_map(items) for items in arguments.items]
    report["loadAfter"] = os.getloadavg()[0]
    text = json.dumps(report, indent=2)
    print(text)
    if arguments.out:
        Path(arguments.out).write_text(text + "\n")


if __name__ == "__main__":
    main()
