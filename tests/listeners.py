# SPDX-License-Identifier: Apache-2.0
"""What stands between a program and its server: listeners on loopback, and links that are bad."""
import contextlib
import random
import select
import socket
import threading
import time


class Listener:
    """Takes connections on a free port of loopback, or on `port`, each on a thread of its own."""

    def __init__(self, port=0):
        self.socket = socket.create_server(("127.0.0.1", port))
        self.port = self.socket.getsockname()[1]
        self.open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.socket.accept()
                self.open.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with contextlib.suppress(OSError, ValueError), client:
            self.serve(client)

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for client in self.open:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @staticmethod
    def relay(one, other):
        with other:
            while True:
                for ready in select.select([one, other], [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    (other if ready is one else one).sendall(data)


class Forwarder(Listener):
    def __init__(self, target):
        self.target, self.seen = target, 0
        super().__init__()

    def serve(self, client):
        self.seen += 1
        self.relay(client, socket.create_connection(("127.0.0.1", self.target)))


class BadProxy(Listener):
    """An HTTP proxy to the ports of loopback that passes on what comes by pieces, and badly: `cut` and
    `flip` are the chances of a piece to be cut off at (with its connection), or to have a bit turned; `delay_s`
    and `bytes_per_second` are of each direction. Drawn by `seed`. `harm` counts what was done."""

    PIECE = 4096

    def __init__(self, seed, cut=0.0, flip=0.0, delay_s=0.0, bytes_per_second=None):
        self.random = random.Random(seed)
        self.cut, self.flip = cut, flip
        self.delay_s, self.bytes_per_second = delay_s, bytes_per_second
        self.harm, self.passed = 0, 0
        super().__init__()

    def serve(self, client):
        server = socket.create_connection(("127.0.0.1", self.target_of(client)))
        with server:
            back = threading.Thread(target=self._pass_on, args=(server, client), daemon=True)
            back.start()
            self._pass_on(client, server)
            back.join()

    @staticmethod
    def target_of(client):
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(1)
            if len(head) > 4096:
                raise ValueError(head)
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        return int(head.split()[1].rsplit(b":", 1)[1])

    def _pass_on(self, source, sink):
        """Ends both when it ends."""
        with contextlib.suppress(OSError):
            while data := source.recv(self.PIECE):
                data = self._spoil(data)
                self.passed += len(data)
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _spoil(self, data):
        if self.bytes_per_second:
            time.sleep(len(data) / self.bytes_per_second)
        time.sleep(self.delay_s * self.random.random())
        drawn = self.random.random()
        if drawn < self.cut:
            self.harm += 1
            raise ConnectionResetError
        if drawn < self.cut + self.flip:
            self.harm += 1
            at = self.random.randrange(len(data))
            return data[:at] + bytes([data[at] ^ 1 << self.random.randrange(8)]) + data[at + 1:]
        return data
