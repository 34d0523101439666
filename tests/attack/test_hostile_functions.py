# SPDX-License-Identifier: Apache-2.0
"""Functions that take more than they may, and functions that want out: each ends with its reason,
and the others go on. Once under a server that is root (each sandbox has a user of its own), once under
one that is not (a user namespace and Landlock)."""
import concurrent.futures
import json
import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from functions import Functions
from harness import Server, wait_until
from test_hostile_jobs import NOBODY, ServerAs


@pytest.fixture(scope="module", params=["root", "nobody"])
def server(request):
    if os.geteuid() != 0:
        pytest.skip("starting servers as two users needs root")
    # Not below /tmp, which each sandbox has for itself.
    directory = Path(tempfile.mkdtemp(prefix="andon-", dir="/var/tmp"))
    try:
        kind = Server
        if request.param == "nobody":
            os.chown(directory, NOBODY.pw_uid, NOBODY.pw_gid)
            kind = ServerAs
        with kind(directory / "data") as running:
            yield running
    finally:
        subprocess.run(["rm", "-rf", directory], check=True)


_count = iter(range(1, 1_000_000))


@pytest.fixture
def functions(server):
    return Functions(server, lambda word: f"{word}-{next(_count)}")


@pytest.fixture
def neighbour(functions):
    """A function that goes on, whatever the others do."""
    name = functions.create("def handler(event, context): return event\n")
    yield
    assert functions.call(name, "well") == ("well", None)


@pytest.mark.parametrize("source", [
    "def handler(e, c): return len(bytearray(900 << 20))\n",
    # Little by little, in processes of their own, shared, and at import.
    "import time\ndef handler(e, c):\n    kept = []\n    while True: kept.append(bytearray(8 << 20)); time.sleep(0.01)\n",
    "import subprocess, sys\ndef handler(e, c):\n"
    "    code = 'b = bytearray(60 << 20); import time; time.sleep(60)'\n"
    "    all = [subprocess.Popen([sys.executable, '-c', code]) for _ in range(8)]\n"
    "    for one in all: one.wait()\n",
    "kept = [bytearray(8 << 20) for _ in range(500)]\n",
])
def test_one_that_takes_too_much_memory_is_killed(functions, neighbour, source):
    name = functions.create(source, Timeout=60)
    told, error = functions.call(name)
    assert error == "Unhandled" and told["errorType"] == "Runtime.ExitError", told
    assert told["errorMessage"].endswith("Runtime exited with error: signal: killed")


def test_one_that_takes_too_long_is_ended(functions, neighbour):
    name = functions.create("import signal\nfor s in range(1, 32):\n    try: signal.signal(s, signal.SIG_IGN)\n"
                            "    except OSError: pass\ndef handler(e, c):\n    while True: pass\n", Timeout=1)
    told, _ = functions.call(name)
    assert told["errorType"] == "Sandbox.Timedout"
    assert told["errorMessage"].endswith("Task timed out after 1.00 seconds")


@pytest.mark.parametrize("size, fits", [(6_291_556, True), (6_291_557, False), (20_000_000, False)])
def test_an_answer_has_at_most_6_mb(functions, neighbour, size, fits):
    name = functions.create(f"def handler(e, c): return 'x' * {size - 2}\n", Timeout=60, MemorySize=512)
    answer, error = functions.call(name)
    if fits:
        assert error is None and len(answer) == size - 2
    else:
        assert answer["errorType"] == "Function.ResponseSizeTooLarge"
        assert "6291556 bytes" in answer["errorMessage"]
    assert functions.call(name)[1] == error


def test_a_fork_bomb_stays_in_its_sandbox(functions, neighbour):
    name = functions.create("""
import os, time
def handler(event, context):
    made = 0
    try:
        while True:
            if os.fork() == 0: time.sleep(600)
            made += 1
    except OSError as error:
        return made
""", Timeout=60, MemorySize=1024)
    made, error = functions.call(name)
    assert (error is None and made < 256) or made["errorType"] == "Runtime.ExitError"
    bomb = functions.create("import os\ndef handler(e, c):\n    while True:\n        try: os.fork()\n"
                            "        except OSError: pass\n", Timeout=2, MemorySize=1024)
    told, error = functions.call(bomb)
    assert error and told["errorType"] in ("Sandbox.Timedout", "Runtime.ExitError")


def test_one_that_fills_its_disk_is_ended(functions, neighbour):
    name = functions.create("""
def handler(event, context):
    for i in range(100):
        with open(f"/tmp/{i}", "wb") as file:
            for _ in range(8): file.write(bytes(4 << 20))
""", Timeout=60)
    told, error = functions.call(name)
    assert error and ("512 MiB" in told["errorMessage"] or "nearly full" in told["errorMessage"])
    # One file is not larger either, and what one leaves is not the next one's.
    one = functions.create("""
import os
def handler(event, context):
    before = os.listdir("/tmp")
    with open("/tmp/large", "wb") as file:
        try: os.posix_fallocate(file.fileno(), 0, 600 << 20)
        except OSError as error: return before, error.errno
""", Timeout=60)
    assert functions.call(one)[0] == [[], 27]


def test_one_that_never_stops_writing_ends_and_its_log_is_capped(functions, neighbour):
    name = functions.create("def handler(e, c):\n    while True: print('y' * 1000)\n", Timeout=2)
    assert functions.call(name)[0]["errorType"] == "Sandbox.Timedout"


def test_fifty_at_once(functions, neighbour):
    name = functions.create("import time\ndef handler(e, c):\n    time.sleep(1)\n    return e\n", Timeout=60)
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        clients = [functions.server.aws("lambda") for _ in range(50)]

        def call(number):
            answer = clients[number].invoke(FunctionName=name, Payload=json.dumps(number))
            return json.loads(answer["Payload"].read())
        assert sorted(pool.map(call, range(50))) == list(range(50))


def test_it_reads_neither_the_servers_data_nor_another_functions(server, functions, neighbour):
    secret = functions.create("SECRET = 'nobody else reads this'\ndef handler(e, c):\n"
                              "    open('/tmp/mine', 'w').write(SECRET)\n    return SECRET\n",
                              Environment={"Variables": {"TOKEN": "not yours"}})
    functions.call(secret)
    name = functions.create("""
import os
def handler(paths, context):
    seen = {}
    for path in paths:
        try: seen[path] = os.listdir(path)
        except NotADirectoryError: seen[path] = open(path).read()
        except OSError as error: pass
    found = []
    for top, directories, files in os.walk("/"):
        if top == "/": directories[:] = [d for d in directories if d not in ("usr", "lib", "lib64", "bin", "sbin", "sys")]
        for file in files:
            try:
                # Its own output is a pipe that it may open where it has no user of its own.
                one = os.open(os.path.join(top, file), os.O_RDONLY | os.O_NONBLOCK)
                try: text = os.read(one, 100000)
                finally: os.close(one)
            except OSError: continue
            if b"nobody else" + b" reads this" in text or b"not " + b"yours" in text: found.append(os.path.join(top, file))
    environments = []
    for pid in os.listdir("/proc"):
        try: environments.append(open(f"/proc/{pid}/environ").read())
        except OSError: pass
    can_write = []
    for path in ("/var/task/x", "/var/runtime/x", "/usr/x", "/etc/x", "/x"):
        try: open(path, "w"); can_write.append(path)
        except OSError: pass
    return seen, found, "".join(environments), can_write, sorted(os.listdir("/proc/self/fd"))
""", Timeout=60)
    data = str(server.data)
    paths = [data, data + "/andon.db", data + "/credentials/operator.json", data + "/functions",
             data + "/functions/packages", "/root", "/home", "/etc/shadow", "/var/lib", "/run"]
    (seen, found, environments, can_write, descriptors), error = functions.call(name, paths)
    assert error is None and seen == {} and found == [] and can_write == []
    assert "not yours" not in environments and server.operator_key["secretAccessKey"] not in environments
    assert len(descriptors) <= 5


def test_it_reaches_the_api_and_nothing_else(server, functions, neighbour):
    name = functions.create("""
import socket, urllib.request, urllib.error
def handler(targets, context):
    reached = []
    for host, port in targets:
        try:
            socket.create_connection((host, port), 2).close()
            reached.append([host, port])
        except OSError: pass
    try: urllib.request.urlopen("http://127.0.0.1:9002/readyz").read()
    except urllib.error.HTTPError as error: return reached, error.code
    kinds = []
    for family, kind in ((socket.AF_PACKET, socket.SOCK_RAW), (socket.AF_INET, socket.SOCK_RAW)):
        try: socket.socket(family, kind); kinds.append(int(kind))
        except OSError: pass
    return reached, 200, kinds
""", Timeout=60)
    ports = [int(server.info["mqtt"]["port"]), int(server.info["devicePlane"].rsplit(":", 1)[1]),
             int(server.info["api"].rsplit(":", 1)[1]), 22]
    targets = [[host, port] for host in ("127.0.0.1", "localhost", "1.1.1.1") for port in ports]
    assert functions.call(name, targets) == ([[], 200, []], None)


@pytest.mark.parametrize("source", [
    # What it says to the runtime API that no runtime would.
    "api.sendall(b'GET / HTTP/1.1\\r\\n\\r\\n')", "api.sendall(b'x' * 100000)",
    "api.sendall(b'POST /2018-06-01/runtime/invocation/' + b'0' * 36 + b'/response HTTP/1.1\\r\\nContent-Length: 2\\r\\n\\r\\n{}')",
    "api.sendall(b'POST /2018-06-01/runtime/invocation/x HTTP/1.1\\r\\nContent-Length: 99999999999999999999\\r\\n\\r\\n')",
    "api.sendall(b'GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\n\\r\\n')",
    "api.sendall(b'\\x00\\xff' * 1000)",
])
def test_what_it_says_to_the_runtime_api_harms_nobody(functions, neighbour, source):
    name = functions.create(f"""
import socket
def handler(event, context):
    held = [socket.create_connection(("127.0.0.1", 9001)) for _ in range(12)]
    api = held[0]
    {source}
    return "done"
""", Timeout=10)
    for _ in range(3):
        assert functions.call(name) == ("done", None)


def test_a_function_that_cannot_be_ended_by_itself_goes_with_its_server(tmp_path):
    with Server(tmp_path / "data") as server:
        functions = Functions(server, lambda word: f"{word}-{next(_count)}")
        name = functions.create("import os, time\ndef handler(e, c):\n    if os.fork() == 0:\n"
                                "        os.setsid(); time.sleep(600)\n    return os.getpid()\n")
        functions.call(name)
        keepers = [pid for pid in os.listdir("/proc") if pid.isdigit() and _command(pid).startswith("andon-job --serve")
                   and str(server.data) in _command(pid)]
        assert keepers
        server.kill()
        wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in keepers), "the keepers' end")


def _command(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().decode(errors="replace").split("\0")
        return " ".join([os.path.basename(words[0]), *words[1:]])
    except OSError:
        return ""
