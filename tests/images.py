# SPDX-License-Identifier: Apache-2.0
"""Container images for tests: a registry of one's own, images made of one static program, and Podman
with a store of its own. No other registry is asked."""
import json
import os
import socket
import subprocess
import tarfile
from pathlib import Path

from harness import http, wait_until

# Says which one it is and stays until it is told to end, or ends at once with the code that it is given.
PROGRAM = """
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static void end(int number) { (void)number; _exit(0); }
int main(int count, char** words) {
  signal(SIGTERM, end);
  printf("this is look %s\\n", VERSION);
  fflush(stdout);
  if (count > 1) return atoi(words[1]);
  for (;;) pause();
}
"""


class Podman:
    """A store of images and containers below `root`, without any right beyond root's in a container."""

    def __init__(self, root, registry=None):
        self.root = Path(root)
        self.root.mkdir(parents=True, exist_ok=True)
        files = {
            "CONTAINERS_STORAGE_CONF": f"""
[storage]
driver = "vfs"
graphroot = "{self.root}/images"
runroot = "{self.root}/run"
""",
            # Neither a service manager nor a network, nor limits above those of who runs the tests. Events
            # are nobody's here.
            "CONTAINERS_CONF": """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
netns = "host"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
runtime = "runc"
""",
            "CONTAINERS_REGISTRIES_CONF": "" if registry is None else f"""
[[registry]]
location = "{registry}"
insecure = true
"""}
        self.variables = {}
        for name, text in files.items():
            file = self.root / f"{name.lower()}.toml"
            file.write_text(text)
            self.variables[name] = str(file)
        self.environment = {**os.environ, **self.variables}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self("rm", "--all", "--force")

    def __call__(self, *words, check=True):
        return subprocess.run(["podman", *map(str, words)], env=self.environment, check=check,
                              capture_output=True, text=True, timeout=120).stdout

    def images(self):
        """The names of all images: by tag, and by digest where they have none. Podman fails where one is
        removed while it lists them."""
        found = json.loads(wait_until(
            lambda: self("images", "--all", "--format", "json", check=False), "a list of images"))
        return sorted(name for image in found for name in image.get("Names") or image["RepoDigests"])

    def has(self, name):
        return subprocess.run(["podman", "image", "exists", name], env=self.environment,
                              check=False).returncode == 0


class Registry:
    """Debian's registry on a free port, plain HTTP."""

    def __init__(self, root):
        self.root = Path(root)
        self.root.mkdir(parents=True, exist_ok=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        configuration = self.root / "registry.yaml"
        configuration.write_text(json.dumps({
            "version": 0.1, "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(self.root / "content")}},
            "http": {"addr": self.address}}))
        with open(self.root / "registry.log", "ab") as log:
            self.process = subprocess.Popen(["docker-registry", "serve", configuration],
                                            stdout=log, stderr=log)
        wait_until(self._answers, "the registry")
        return self

    def _answers(self):
        assert self.process.poll() is None, (self.root / "registry.log").read_text()
        try:
            return http(f"http://{self.address}/v2/")[0] == 200
        except OSError:
            return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def add(self, version, builder):
        """An image of this version; its name by digest."""
        build = self.root / f"build-{version}"
        build.mkdir()
        (build / "look.c").write_text(PROGRAM)
        subprocess.run(["gcc", "-static", "-O1", f'-DVERSION="{version}"', "-o", build / "look",
                        build / "look.c"], check=True)
        with tarfile.open(build / "root.tar", "w") as archive:
            archive.add(build / "look", "look")
        local = f"localhost/look:{version}"
        builder("import", "--change", 'ENTRYPOINT ["/look"]', build / "root.tar", local)
        name = f"{self.address}/look"
        builder("push", "--digestfile", build / "digest", "--tls-verify=false", local,
                f"{name}:{version}")
        return f"{name}@{(build / 'digest').read_text()}"

    def blob(self, digest):
        return self.root / "content/docker/registry/v2/blobs/sha256" / digest[:2] / digest / "data"

    def layer_of(self, image):
        """The digest of its one layer."""
        manifest = json.loads(self.blob(image.rsplit(":", 1)[1]).read_bytes())
        return manifest["layers"][0]["digest"].removeprefix("sha256:")
