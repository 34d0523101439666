# SPDX-License-Identifier: Apache-2.0
"""Proxies between a device and its server, on threads of the test."""
import base64
import select
import socket

from listeners import Listener


class ConnectProxy(Listener):
    """HTTP CONNECT for user "line" with password "p@ss". `hosts`: addresses of names that it alone knows."""

    def __init__(self, hosts=None):
        self.targets, self.refused, self.hosts = [], 0, hosts or {}
        super().__init__()

    def serve(self, client):
        while True:
            head = b""
            while b"\r\n\r\n" not in head:
                data = client.recv(4096)
                if not data:
                    return
                head += data
            wanted = b"Basic " + base64.b64encode(b"line:p@ss")
            if wanted in head:
                break
            self.refused += 1
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                           b'Proxy-Authenticate: Basic realm="p"\r\nContent-Length: 0\r\n\r\n')
        method, target, _ = head.split(b"\r\n")[0].split()
        assert method == b"CONNECT"
        self.targets.append(target.decode())
        host, port = target.rsplit(b":", 1)
        name = host.decode()
        server = socket.create_connection((self.hosts.get(name, name), int(port)))
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        self.relay(client, server)


class CuttingProxy(ConnectProxy):
    """Hangs up `cuts` times, each after a mebibyte of what comes from `source_port`."""

    def __init__(self, source_port, cuts):
        self.source_port, self.cuts, self.received = source_port, cuts, 0
        super().__init__()

    def relay(self, client, server):
        if server.getpeername()[1] != self.source_port:
            return super().relay(client, server)
        left = 1 << 20
        with server:
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return None
                    if ready is client:
                        server.sendall(data)
                        continue
                    self.received += len(data)
                    left -= len(data)
                    if left < 0 and self.cuts > 0:
                        self.cuts -= 1
                        return None
                    client.sendall(data)


class SocksProxy(Listener):
    """SOCKS5 without a password, to the host names and addresses that it is told."""

    def __init__(self):
        self.targets = []
        super().__init__()

    def serve(self, client):
        def take(count):
            data = b""
            while len(data) < count:
                more = client.recv(count - len(data))
                if not more:
                    raise ValueError
                data += more
            return data
        take(take(2)[1])
        client.sendall(b"\5\0")
        kind = take(4)[3]
        host = socket.inet_ntoa(take(4)) if kind == 1 else take(take(1)[0]).decode()
        port = int.from_bytes(take(2), "big")
        self.targets.append(f"{host}:{port}")
        server = socket.create_connection((host, port))
        client.sendall(b"\5\0\0\1" + bytes(6))
        self.relay(client, server)
