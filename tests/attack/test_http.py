# SPDX-License-Identifier: Apache-2.0
"""What somebody without a key does to the HTTP ports."""
import contextlib
import os
import socket
import ssl

import pytest

from harness import wait_until

PATIENCE_S = 20


@pytest.fixture(scope="module")
def server(shared_server):
    return shared_server


def connect(server, plane):
    """A socket to the operator API ("api") or the device plane ("devicePlane")."""
    url = server.info[plane]
    port = int(url.rsplit(":", 1)[1].split("/")[0])
    plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    if url.startswith("http:"):
        return plain
    return ssl._create_unverified_context().wrap_socket(plain)  # noqa: SLF001


def spooled_bytes(server):
    """What the server has in files that have no name any more."""
    total = 0
    for entry in os.scandir(f"/proc/{server.process.pid}/fd"):
        with contextlib.suppress(OSError):
            if "(deleted)" in os.readlink(entry.path):
                total += os.stat(entry.path).st_size
    return total


HEADS = {
    "unsigned S3": "PUT /bucket/key",
    "unsigned JSON": "POST /x\r\nX-Amz-Target: SageMaker.ListModels",
    "nothing known": "POST /nowhere",
}


@pytest.mark.parametrize("plane", ["api", "devicePlane"])
@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
def test_a_body_of_nobody_is_not_read(server, plane, head):
    """The refusal comes although the body has not been sent, and nothing of it is stored."""
    line, _, more = head.partition("\r\n")
    request = f"{line} HTTP/1.1\r\nHost: a\r\nContent-Length: 314572800\r\n"
    request += f"{more}\r\n\r\n" if more else "\r\n"
    with connect(server, plane) as client:
        client.sendall(request.encode())
        answer = client.recv(65536)
        assert answer.startswith((b"HTTP/1.1 403", b"HTTP/1.1 400", b"HTTP/1.1 401",
                                  b"HTTP/1.1 404")), answer
        with contextlib.suppress(OSError):
            for _ in range(100):
                client.sendall(b"x" * 1_000_000)
    assert spooled_bytes(server) < 1 << 20


def test_a_thousand_connections_that_drip_do_not_keep_others_out(server):
    with contextlib.ExitStack() as stack:
        drips = [stack.enter_context(connect(server, "api")) for _ in range(1000)]
        for client in drips:
            client.sendall(b"PUT /bucket/key HTTP/1.1\r\nHost: a\r\nContent-Le")
        buckets = server.aws("s3").list_buckets()["Buckets"]
        assert any(bucket["Name"] == "andon-uploads" for bucket in buckets)
    wait_until(lambda: server.get("/healthz")[0] == 200, "the server's health")
