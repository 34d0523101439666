# SPDX-License-Identifier: Apache-2.0
"""The device's machine: a plain Debian 12 with Python's pip beside what the agent's package needs, in
namespaces of its own. Its network is closed: from its loopback there is a way to the two ports of the
server that a device needs, and to the registry that pip asks, and to nothing else. Needs root."""
import contextlib
import ctypes
import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import urllib.parse
from pathlib import Path

from agent import Agent
from harness import ROOT, program

sys.path += [str(ROOT / "tests" / "fresh"), str(ROOT / "scripts")]
import debian_root
import machine

BASE = ROOT / "build" / "migration-root"
PROXY_PORT = 3128
CLONE_NEWNET = 0x40000000
PATIENCE_S = 60
REGISTRIES = {"pypi.org", "files.pythonhosted.org"}


def packages_of(binary):
    """Debian's packages of the libraries that a program is linked with."""
    said = subprocess.run(["ldd", binary], check=True, capture_output=True, text=True).stdout
    files = {str(Path(place).resolve()) for place in re.findall(r"=> (/\S+)", said)}
    # What a package has in /lib is in /usr/lib to everybody else: one of the two is known.
    files |= {file.removeprefix("/usr") for file in files}
    found = subprocess.run(["dpkg-query", "--search", *sorted(files)], check=False, capture_output=True,
                           text=True).stdout
    return sorted({line.split(":")[0] for line in found.splitlines()})


def plain_root():
    """The root that all machines lie on; made once, and anew where what it has is another."""
    wanted = sorted({"ca-certificates", "python3", "python3-pip", *packages_of(program("andon-edge"))})
    told = hashlib.sha256(" ".join(wanted).encode()).hexdigest()
    mark = BASE.with_suffix(".complete")
    if not mark.exists() or mark.read_text() != told:
        mark.unlink(missing_ok=True)
        subprocess.run(["rm", "-rf", "--one-file-system", str(BASE)], check=True)
        BASE.mkdir(parents=True)
        debian_root.make(BASE, wanted)
        # Certificates that this machine trusts beside Debian's.
        subprocess.run(["chroot", str(BASE), "update-ca-certificates"], check=True, capture_output=True)
        mark.write_text(told)
    return BASE


def pump(source, sink):
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


class Ways:
    """What leads out of a machine: each a port on its loopback."""

    def __init__(self, machine):
        self.machine = machine
        self.sockets, self.refused = [], []

    def _listen(self, port):
        """A socket belongs to the network in which it is made, whoever accepts from it."""
        made = []

        def inside():
            with open(f"/proc/{self.machine.pid}/ns/net") as network:
                if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), CLONE_NEWNET) == 0:
                    made.append(socket.create_server(("127.0.0.1", port)))
        thread = threading.Thread(target=inside)  # the network is the thread's alone
        thread.start()
        thread.join()
        assert made, f"port {port} cannot be listened on in the machine"
        self.sockets += made
        return made[0]

    def _serve(self, port, connect):
        listener = self._listen(port)

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    threading.Thread(target=one, args=(client,), daemon=True).start()

        def one(client):
            with client, contextlib.suppress(OSError):
                server = connect(client)
                if server is None:
                    return
                with server:
                    back = threading.Thread(target=pump, args=(server, client), daemon=True)
                    back.start()
                    pump(client, server)
                    back.join()
        threading.Thread(target=accept, daemon=True).start()

    def to_server(self, port):
        self._serve(port, lambda _: socket.create_connection(("127.0.0.1", port), PATIENCE_S))

    def to_registries(self, hosts):
        def connect(client):
            head = b""
            while b"\r\n\r\n" not in head and len(head) < 8192 and (more := client.recv(4096)):
                head += more
            asked = re.match(rb"CONNECT ([\w.-]+):(\d+) HTTP", head)
            if not asked or asked[1].decode() not in hosts:
                self.refused.append(head.split(b"\r\n")[0].decode(errors="replace"))
                client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return None
            server = self._out(asked[1].decode(), int(asked[2]))
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            return server
        self._serve(PROXY_PORT, connect)

    @staticmethod
    def _out(host, port):
        """By the proxy of this machine where it has one."""
        proxy = os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy")
        if not proxy:
            return socket.create_connection((host, port), PATIENCE_S)
        at = urllib.parse.urlsplit(proxy)
        server = socket.create_connection((at.hostname, at.port or 80), PATIENCE_S)
        server.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            more = server.recv(1)
            if not more:
                raise OSError("the proxy said nothing")
            head += more
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise OSError(f"the proxy said {head!r}")
        return server

    def close(self):
        for listener in self.sockets:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()


class DebianMachine(machine.Root):
    """Its processes are seen from here, where the test looks for what has outlived its agent."""

    def share(self, directory):
        """The same directory, here and there."""
        (self.root / str(directory).lstrip("/")).mkdir(parents=True, exist_ok=True)
        subprocess.run(["nsenter", "--target", str(self.pid), "--mount", "sh", "-ec",
                        'mkdir -p "$2" && mount --bind "$1" "$2"', "share", str(directory),
                        f"{self.root}{directory}"], check=True)

    def owner(self, file):
        """By the names of the machine."""
        users = self.shell("cat /etc/passwd").splitlines()
        [name] = [user.split(":")[0] for user in users if int(user.split(":")[2]) == file.stat().st_uid]
        return name


class DebianAgent(Agent):
    """An agent on such a machine, its root the same directory here and there. `ports` are those of the
    server that it reaches."""

    def __init__(self, server, root, thing, ports):
        self.variables = {"PIP_PROXY": f"http://127.0.0.1:{PROXY_PORT}"}
        self.variables.update({name: os.environ[name] for name in ("PIP_INDEX_URL", "PIP_CERT")
                               if name in os.environ})
        super().__init__(server, root, thing, component_user=None, options=[
            word for name in self.variables for word in ("--pass-environment", name)])
        self.place = root.parent / f"{root.name}-machine"
        self.place.mkdir()
        self.machine = DebianMachine("camera", plain_root(), self.place,
                                     Path(program("andon-edge")).parent)
        self.machine.__enter__()
        root.mkdir(exist_ok=True)
        self.machine.share(root)
        self.ways = Ways(self.machine)
        for port in ports:
            self.ways.to_server(port)
        self.ways.to_registries(REGISTRIES | {urllib.parse.urlsplit(
            os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple")).hostname})

    def __exit__(self, *_):
        try:
            super().__exit__()
        finally:
            self.ways.close()
            self.machine.__exit__()
            shutil.rmtree(self.place, ignore_errors=True)

    def command(self, binary, *words):
        return [*self.machine.enter(), *(f"{name}={value}" for name, value in self.variables.items()),
                f"/media/andon/{binary}", *map(str, words)]
