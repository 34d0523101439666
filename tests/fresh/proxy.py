#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An HTTP proxy in a network of its own: usage: proxy.py FILES LOG NAME=ADDRESS...

Behind it is a mirror, http://mirror.debian.example/, which nobody else reaches: FILES. CONNECT leads
to the hosts that are named, and nowhere else. Each request is a line of LOG. Prints "up" and then
serves until it is ended; for machines.py.
"""
import select
import shutil
import socket
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

MIRROR = "mirror.debian.example"
PORT = 3128
IDLE_S = 300


class Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_S

    def log_message(self, *_):
        pass

    def note(self):
        with open(self.server.log, "a", encoding="utf-8") as log:
            log.write(f"{self.command} {self.path}\n")

    def do_GET(self):
        self.note()
        url = urlsplit(self.path)
        file = (self.server.files / unquote(url.path).lstrip("/")).resolve()
        if url.hostname != MIRROR or not file.is_relative_to(self.server.files) or not file.is_file():
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(file.stat().st_size))
        self.end_headers()
        with open(file, "rb") as content:
            shutil.copyfileobj(content, self.wfile)

    def do_CONNECT(self):
        self.note()
        self.close_connection = True
        name, _, port = self.path.rpartition(":")
        address = self.server.hosts.get(name)
        if address is None:
            self.send_error(403)
            return
        with socket.create_connection((address, int(port)), timeout=10) as there:
            self.send_response(200)
            self.end_headers()
            self.wfile.flush()
            ends = {self.connection: there, there: self.connection}
            while True:
                for ready in select.select(list(ends), [], [], IDLE_S)[0] or [None]:
                    data = ready.recv(65536) if ready else b""
                    if not data:
                        return
                    ends[ready].sendall(data)


def main():
    files, log, *hosts = sys.argv[1:]
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with ThreadingHTTPServer(("", PORT), Proxy) as server:
        server.daemon_threads = True
        server.files, server.log = Path(files).resolve(), log
        server.hosts = dict(host.split("=") for host in hosts)
        print("up", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
