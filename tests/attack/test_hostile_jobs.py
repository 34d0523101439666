# SPDX-License-Identifier: Apache-2.0
"""A hostile job: what it tries against the server, its files, other jobs and the machine. Once under
a server that is root (each job has a user of its own), once under one that is not (a user namespace
and Landlock)."""
import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest

from harness import Server, wait_until

ROLE = "arn:aws:iam::000000000000:role/andon-workflows"
# Somebody without rights who is on every system.
NOBODY = pwd.getpwnam("nobody")


class ServerAs(Server):
    """A server that is run by a user without rights."""

    def command(self):
        return ["setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}",
                "--clear-groups", "--inh-caps=-all", "--bounding-set=-all", *super().command()]


@pytest.fixture(scope="module", params=["root", "nobody"])
def server(request):
    if os.geteuid() != 0:
        pytest.skip("starting servers as two users needs root")
    # Not below /tmp, which each job has for itself: there nothing could be found by mistake.
    directory = Path(tempfile.mkdtemp(prefix="andon-", dir="/var/tmp"))
    try:
        kind = Server
        if request.param == "nobody":
            os.chown(directory, NOBODY.pw_uid, NOBODY.pw_gid)
            kind = ServerAs
        with kind(directory / "data") as running:
            running.aws("s3").create_bucket(Bucket="files")
            yield running
    finally:
        # Deeper than Python's own removal can go: a job may have made it so.
        subprocess.run(["rm", "-rf", directory], check=True)


def start(server, parameters):
    states = server.aws("stepfunctions")
    made = states.create_state_machine(
        name=f"m{os.urandom(8).hex()}", roleArn=ROLE,
        definition=json.dumps({"StartAt": "J", "States": {"J": {
            "Type": "Task", "Resource": "arn:andon:states:::job:run.sync", "End": True,
            "Parameters": parameters}}}))
    return states.start_execution(stateMachineArn=made["stateMachineArn"])["executionArn"]


def wait_for_end(server, arn):
    states = server.aws("stepfunctions")
    return wait_until(
        lambda: (d := states.describe_execution(executionArn=arn))["status"] != "RUNNING" and d,
        "the job's end", 120)


def attack(server, script, environment=None, **more):
    """What `script` writes as its result; it has attempt(name, function)."""
    parameters = {
        "Command": ["python3", "attack.py"], "Environment": environment or {},
        "Inputs": {"attack.py": {"Value": PRELUDE + script + EPILOGUE}}, **more}
    told = wait_for_end(server, start(server, parameters))
    assert told["status"] == "SUCCEEDED", told
    return json.loads(told["output"])["Result"]


PRELUDE = """
import ctypes, glob, json, os, resource, signal, socket, stat, subprocess, sys
got = {}
libc = ctypes.CDLL(None, use_errno=True)

def attempt(name, function):
    try:
        got[name] = repr(function())
    except (OSError, ValueError) as error:  # the latter for limits
        got[name] = "denied"
    except Exception as error:
        got[name] = "failed: " + repr(error)

def call(name, *arguments):
    def run():
        if libc.syscall(*arguments) < 0:
            raise OSError(ctypes.get_errno(), name)
        return "done"
    attempt(name, run)
"""
EPILOGUE = """
json.dump(got, open(os.environ["ANDON_RESULT_FILE"], "w"))
"""


@pytest.fixture(scope="module")
def victim(server):
    """Another job, with a secret, that goes on while it is attacked."""
    arn = start(server, {"Command": ["sh", "-c", "echo SECRET > secret; echo SECRET > /tmp/secret; "
                                                 "echo on; sleep 1000"]})
    states = server.aws("stepfunctions")

    def submitted():
        events = states.get_execution_history(executionArn=arn)["events"]
        return [json.loads(e["taskSubmittedEventDetails"]["output"])["JobId"]
                for e in events if e["type"] == "TaskSubmitted"]
    job = wait_until(submitted, "the other job")[0]
    directory = server.data / "jobs" / job
    wait_until((directory / "work" / "secret").exists, "its secret")
    yield directory
    assert states.describe_execution(executionArn=arn)["status"] == "RUNNING"
    states.stop_execution(executionArn=arn)


def test_it_reads_neither_the_servers_files_nor_another_jobs(server, victim):
    files = [server.data / name for name in (
        "andon.db", "workflow.db", "credentials/operator.json", "server.json", "ca/ca.key",
        "lock")] + [victim / "work/secret", victim / "tmp/secret", victim / "order.json"]
    assert all(file.exists() for file in files)
    got = attack(server, """
for path in json.loads(os.environ["FILES"]):
    attempt("read " + path, lambda: open(path).read(40))
    attempt("list " + path, lambda: os.listdir(os.path.dirname(path)))
    for way in glob.glob("/proc/[0-9]*/root") + glob.glob("/proc/[0-9]*/cwd"):
        attempt("read " + path + " by " + way, lambda: open(way + path).read(40))
attempt("rest of /job", lambda: [p for p in os.listdir("/job/..")
                                 if p not in sorted(os.listdir("/"))] or 1 / 0)
everything = []
for top, directories, names in os.walk("/"):
    if top.startswith(("/proc", "/usr", "/lib")):
        directories.clear()
        continue
    everything += [os.path.join(top, name) for name in names]
got["secrets"] = [path for path in everything if "operator.json" in path or "andon.db" in path
                  or path.endswith("secret")]
""", {"FILES": json.dumps([str(file) for file in files])})
    assert got.pop("secrets") == []
    assert got.pop("rest of /job").startswith("failed: ZeroDivision")
    assert set(got.values()) == {"denied"}, got
    assert len(got) > 2 * len(files)


def test_it_reaches_neither_broker_nor_api_nor_anybody(server):
    ports = [int(server.info["api"].rpartition(":")[2]),
             int(server.info["devicePlane"].rpartition(":")[2]), server.info["mqtt"]["port"]]
    host = socket.gethostbyname(socket.gethostname())
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind("\0andon-attacked")
    abstract.listen()
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", 0))
    with abstract, datagrams:
        got = attack(server, """
for host in ["127.0.0.1", "::1", os.environ["HOST"]]:
    for port in json.loads(os.environ["PORTS"]):
        attempt(f"{host} {port}", lambda: socket.create_connection((host, port), 2))
attempt("abstract", lambda: socket.socket(socket.AF_UNIX).connect("\\0andon-attacked"))
for path in ["/run", "/var", "/var/run", "/var/lib"]:
    attempt(path, lambda: os.listdir(path))
attempt("packet", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
attempt("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attempt("vsock", lambda: socket.socket(40, socket.SOCK_STREAM))
attempt("alg", lambda: socket.socket(38, socket.SOCK_SEQPACKET))
def datagram():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.sendto(b"attack", ("127.0.0.1", int(os.environ["DATAGRAMS"])))
    return "sent into its own network"
attempt("datagram", datagram)
""", {"PORTS": json.dumps(ports), "HOST": host, "DATAGRAMS": str(datagrams.getsockname()[1])})
        datagrams.setblocking(False)
        with pytest.raises(BlockingIOError):
            datagrams.recv(10)
    got.pop("datagram")
    assert set(got.values()) == {"denied"}, got


def test_ports_are_given_one_by_one_and_only_those_the_server_allows():
    if os.geteuid() != 0:
        pytest.skip("as the others")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory, socket.socket() as open_port:
        open_port.bind(("127.0.0.1", 0))
        open_port.listen()
        port = open_port.getsockname()[1]
        with Server(Path(directory) / "data", "--job-port", port) as server:
            mqtt = server.info["mqtt"]["port"]
            refused = wait_for_end(server, start(server, {"Command": ["true"], "Ports": [mqtt]}))
            assert refused["error"] == "Job.InvalidParameters" and str(mqtt) in refused["cause"]
            abstract = socket.socket(socket.AF_UNIX)
            abstract.bind("\0andon-attacked-2")
            abstract.listen()
            told = wait_for_end(server, start(server, {
                "Command": ["python3", "attack.py"], "Ports": [port],
                "Environment": {"MQTT": str(mqtt), "PORT": str(port)},
                "Inputs": {"attack.py": {"Value": PRELUDE + """
attempt("allowed", lambda: socket.create_connection(("127.0.0.1", int(os.environ["PORT"])), 2))
attempt("broker", lambda: socket.create_connection(("127.0.0.1", int(os.environ["MQTT"])), 2))
attempt("bind", lambda: socket.create_server(("127.0.0.1", 0)))
attempt("datagram", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
attempt("mptcp", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262))
attempt("abstract", lambda: socket.socket(socket.AF_UNIX).connect("\\0andon-attacked-2"))
""" + EPILOGUE}}}))
            abstract.close()
            if told["status"] == "FAILED":
                # An older kernel: said, not let through.
                assert told["error"] == "Job.Refused" and "Landlock of version 6" in told["cause"]
                return
            got = json.loads(told["output"])["Result"]
            assert got.pop("allowed").startswith("<socket")
            assert set(got.values()) == {"denied"}, got


def test_it_has_no_power_over_other_processes_or_the_machine(server, victim):
    keeper = json.loads((victim / "keeper.json").read_text())["pid"]
    got = attack(server, """
for pid in json.loads(os.environ["PIDS"]) + [1]:
    # The init of its own namespace may be told, and does not care.
    if pid != 1:
        attempt(f"signal {pid}", lambda: os.kill(pid, 9))
        attempt(f"limit {pid}", lambda: resource.prlimit(pid, resource.RLIMIT_NOFILE))
    attempt(f"memory of {pid}", lambda: open(f"/proc/{pid}/mem", "rb").read(1))
    attempt(f"environment of {pid}", lambda: open(f"/proc/{pid}/environ").read())
    attempt(f"files of {pid}", lambda: [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in range(5)])
    attempt(f"root of {pid}", lambda: os.listdir(f"/proc/{pid}/root/"))
    call(f"ptrace {pid}", 101, 16, pid, 0, 0)
call("unshare user", 272, 0x10000000)
call("unshare mount", 272, 0x20000)
call("mount", 165, b"none", b"/tmp", b"tmpfs", 0, 0)
call("chroot", 161, b"/tmp")
call("bpf", 321, 0, 0, 0)
call("io_uring", 425, 1, 0)
call("keyctl", 250, 0, -3, 0)
call("perf", 298, 0, 0, -1, -1, 0)
call("userfaultfd", 323, 0)
call("open_by_handle_at", 304, -100, 0, 0)
call("clone user", 56, 0x10000000 | 17, 0, 0, 0, 0)
call("clone3", 435, 0, 0)
call("x32 getpid", 0x40000000 + 39)
call("reboot", 169, 0xfee1dead, 672274793, 0, 0)
call("settimeofday", 164, 0, 0)
attempt("root", lambda: os.setuid(0) or "uid 0")
attempt("groups", lambda: os.setgroups([0]))
attempt("host name", lambda: socket.sethostname("x"))
attempt("limits", lambda: resource.setrlimit(resource.RLIMIT_NPROC, (9999, 9999)))
attempt("nice", lambda: os.setpriority(os.PRIO_PROCESS, 0, -10))
attempt("oom", lambda: open("/proc/self/oom_score_adj", "w").write("-1000"))
attempt("sysctl", lambda: open("/proc/sys/kernel/core_pattern", "w").write("|/job/x"))
attempt("sysrq", lambda: open("/proc/sysrq-trigger", "w").write("b"))
attempt("kernel memory", lambda: open("/proc/kcore", "rb").read(1))
attempt("device", lambda: os.mknod("/job/vda", 0o600 | stat.S_IFBLK, os.makedev(254, 0)))
for path in ["/usr/bin/x", "/etc/x", "/x", "/dev/x", "/proc/x", "/usr/lib/x"]:
    attempt("write " + path, lambda: open(path, "w"))
for path in ["/sys", "/root", "/home", "/run", "/var", "/dev/mem", "/dev/kmsg", "/etc/shadow",
             "/boot", "/mnt"]:
    attempt("look at " + path, lambda: os.stat(path))
attempt("terminal", lambda: __import__("fcntl").ioctl(0, 0x5412, b"x"))
got["descriptors"] = sorted(int(fd) for fd in os.listdir("/proc/self/fd"))[:3]
got["inherited"] = [fd for fd in range(3, 1024) if os.path.exists(f"/proc/self/fd/{fd}")]
got["su"] = subprocess.run(["su", "-c", "id -u"], stdin=subprocess.DEVNULL,
                           capture_output=True).stdout.decode().strip() or "denied"
attempt("init", lambda: os.kill(1, 9))  # one without a user of its own is told, in vain
got["processes"] = sorted(int(p) for p in os.listdir("/proc") if p.isdigit())
""", {"PIDS": json.dumps([server.process.pid, keeper])})
    assert got.pop("descriptors") == [0, 1, 2] and got.pop("inherited") == []
    assert got.pop("processes")[:2] == [1, 2] and got.pop("init") in ("denied", "None")
    assert set(got.values()) == {"denied"}, got
    assert server.get("/readyz")[0] == 200


def test_a_fork_bomb_stays_small(server):
    got = attack(server, """
import time
children = []
def bomb():
    while True:
        child = os.fork()
        if child == 0:
            time.sleep(60)
            os._exit(0)
        children.append(child)
attempt("bomb", bomb)
got["count"] = len(children)
""", Processes=30)
    assert got["bomb"] == "denied" and got["count"] <= 30
    assert server.get("/readyz")[0] == 200


@pytest.mark.parametrize("script, error", [
    # Files, also without names, also very many, also very deep ones, and shared memory.
    ("""
number = 0
while True:
    number += 1
    with open(f"f{number}", "wb") as file:
        file.write(bytes(4 << 20))
""", "Job.DiskExceeded"),
    ("""
kept = []
while True:
    file = open("f", "wb", buffering=0)
    os.unlink("f")
    file.write(bytes(4 << 20))
    kept.append(file)
""", "Job.DiskExceeded"),
    ("""
while True:
    os.mkdir("d")
    os.chdir("d")
""", "Job.DiskExceeded"),
    ("""
number = 0
while True:
    number += 1
    open(f"f{number}", "w").close()
""", "Job.DiskExceeded"),
    ("""
import time
number = 0
while True:
    number += 1
    with open(f"/dev/shm/f{number}", "wb") as file:
        file.write(bytes(1 << 20))
        file.flush()
        shared = __import__("mmap").mmap(file.fileno(), 1 << 20, prot=1)
        got[number] = shared
        sum(shared[::4096])
""", ("Job.MemoryExceeded", "Job.Failed")),
    ("""
import time
for number in range(20):
    if os.fork() == 0:
        kept = bytearray(40 << 20)
        time.sleep(60)
time.sleep(60)
""", "Job.MemoryExceeded"),
])
def test_what_it_fills_is_its_own(server, script, error):
    free = shutil.disk_usage(server.data).free
    told = wait_for_end(server, start(server, {
        "Command": ["python3", "attack.py"], "DiskMiB": 64, "MemoryMiB": 200,
        "Inputs": {"attack.py": {"Value": PRELUDE + script}}, "TimeoutSeconds": 100}))
    assert told["error"] in error, told
    assert shutil.disk_usage(server.data).free > free - (8 << 30)
    assert server.get("/readyz")[0] == 200


@pytest.mark.parametrize("made", [
    "os.symlink(os.environ['SECRET'], 'out')", "os.symlink('/etc/passwd', 'out')",
    "os.mkfifo('out')", "os.mkdir('out')", "os.mkdir('d'); os.symlink('/', 'd/out')",
    "s=socket.socket(socket.AF_UNIX); s.bind('out')"])
def test_no_link_leads_out_of_its_outputs(server, made):
    secret = str(server.data / "credentials/operator.json")
    path = "d/out/etc/passwd" if "d/out" in made else "out"
    told = wait_for_end(server, start(server, {
        "Command": ["python3", "-c", f"import os, socket; {made}"],
        "Environment": {"SECRET": secret},
        "Outputs": {path: {"Bucket": "files", "Key": "stolen"}}}))
    assert told["error"] == "Job.InvalidOutput", told
    assert "Contents" not in server.aws("s3").list_objects_v2(Bucket="files")


def test_many_at_once_see_nothing_of_each_other(server):
    script = """
import time
open("/tmp/mine", "w").write(os.environ["ANDON_JOB_ID"])
time.sleep(1)
got["mine"] = open("/tmp/mine").read() == os.environ["ANDON_JOB_ID"]
got["temporary"] = os.listdir("/tmp")
got["shared memory"] = os.listdir("/dev/shm")
got["users"] = sorted({os.stat(p).st_uid for p in glob.glob("/proc/[0-9]*") if p != "/proc/1"})
got["me"] = os.getuid()
"""
    results = []

    def one():
        results.append(attack(server, script))
    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for got in results:
        assert got["mine"] and got["temporary"] == ["mine"] and got["shared memory"] == []
        assert got["users"] == [got["me"]]
    if isinstance(server, ServerAs):
        assert {got["me"] for got in results} == {NOBODY.pw_uid}
    else:
        assert len({got["me"] for got in results}) == 4
        assert all(got["me"] >= 60_706 for got in results)
