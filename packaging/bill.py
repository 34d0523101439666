# SPDX-License-Identifier: Apache-2.0
"""What a package is made of: its CycloneDX bill of materials, copyright and notices."""
import base64
import hashlib
import json
import re
import subprocess
import time
import uuid
from pathlib import Path

# Linked into the programs or compiled from headers: their notices must come along.
STATIC = {
    "libboost1.81-dev": "Boost (JSON, Container, Asio, Beast)",
    "libcli11-dev": "CLI11",
    "libfmt-dev": "fmt (headers)",
}
# Also, in the package whose programs look at pictures.
STATIC_CODECS = {"andon": {"libturbojpeg0-dev": "libjpeg-turbo", "libpng-dev": "libpng"}}


# The built console is inside the server; what is compiled into its pages, in CONSOLE's own words.
CONSOLE = Path(__file__).resolve().parent.parent / "console"
CONSOLE_NOTICES = CONSOLE / "public/licenses.txt"


def static_packages(package):
    """Debian's package and its title, of each that is linked in."""
    return {**STATIC, **STATIC_CODECS.get(package.name, {})}


NAMESPACE = uuid.UUID("3d0f6f52-8e2c-4f0e-9a51-0f1c0a4f8a55")


def run(*command):
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout


def needed_libraries(path, objdump):
    return re.findall(r"^\s+NEEDED\s+(\S+)", run(objdump, "-p", path), re.MULTILINE)


def installed_version(package):
    """(version, source) of a package of this machine."""
    name, version, source = run("dpkg-query", "-W", "-f", "${Package} ${Version} ${source:Package}\n",
                                package).splitlines()[0].split()
    return name, version, source


def owners(libraries, multiarch):
    """The Debian packages that have these libraries, where the architecture's lie."""
    packages = set()
    for library in libraries:
        for place in (Path("/usr/lib") / multiarch / library, Path("/lib") / multiarch / library):
            # As packages name it: a link's own name, or the file's, with /usr or without.
            names = {str(place), str(place.resolve())}
            names |= {name.removeprefix("/usr") for name in names}
            said = subprocess.run(["dpkg-query", "-S", *sorted(names)], capture_output=True, text=True,
                                  check=False).stdout
            packages.update(line.split(":")[0] for line in said.splitlines())
    return sorted(packages)


def dynamic_packages(package):
    objdump = package.made.tool("objdump")
    return owners(sorted({library for path in package.binaries
                          for library in needed_libraries(path, objdump)}), package.made.multiarch)


def debian_component(name, architecture, linkage):
    name, version, source = installed_version(name)
    reference = f"pkg:deb/debian/{name}@{version}?arch={architecture}&distro=debian-12"
    return {"type": "library", "bom-ref": reference, "name": name, "version": version,
            "purl": reference,
            "properties": [{"name": "andon:linkage", "value": linkage},
                           {"name": "andon:debian-source", "value": source}]}


def runtime_component(package):
    version = package.made.runtime_version
    library = package.made.runtime / "libonnxruntime.so.1"
    digest = hashlib.sha256(library.read_bytes()).hexdigest()
    reference = f"pkg:pypi/onnxruntime@{version}"
    return {"type": "library", "bom-ref": reference, "name": "onnxruntime", "version": version,
            "purl": reference, "hashes": [{"alg": "SHA-256", "content": digest}],
            "licenses": [{"license": {"id": "MIT"}}]}


def console_packages():
    """(name, version, SHA-512, licence) of what the console's pages hold of npm's packages, as the
    notices that it shows say; the lock file has what was built."""
    lock = json.loads((CONSOLE / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    found = []
    for name, version in re.findall(r"^=+\n(\S+) (\d\S*)$", CONSOLE_NOTICES.read_text(encoding="utf-8"),
                                    re.MULTILINE):
        locked = lock.get(f"node_modules/{name}", {})
        if locked.get("version") != version:
            raise SystemExit(f"package: {CONSOLE_NOTICES} has the notice of {name} {version}, and "
                             f"package-lock.json has {locked.get('version', 'no such package')}")
        digest = base64.b64decode(locked["integrity"].removeprefix("sha512-")).hex()
        found.append((name, version, digest, locked["license"]))
    return found


def licence_member(licence):
    """CycloneDX' word for what npm writes: one licence, or SPDX's expression of several."""
    if licence.startswith("("):
        return {"expression": licence[1:-1]}
    return {"license": {"id": licence}}


def console_components():
    components = []
    for name, version, digest, licence in console_packages():
        reference = f"pkg:npm/{name}@{version}"
        components.append({"type": "library", "bom-ref": reference, "name": name, "version": version,
                           "purl": reference, "hashes": [{"alg": "SHA-512", "content": digest}],
                           "licenses": [licence_member(licence)],
                           "properties": [{"name": "andon:linkage", "value": "console"}]})
    return components


def has_console(package):
    return "andon-server" in package.facts.get("programs", [])


def of_package(package):
    architecture = package.made.architecture
    components = [debian_component(name, architecture, "dynamic") for name in dynamic_packages(package)]
    if package.facts.get("runtime"):
        components.append(runtime_component(package))
    else:
        components += [debian_component(name, architecture, "static") for name in sorted(static_packages(package))]
    if has_console(package):
        components += console_components()
    own = f"pkg:deb/andon/{package.name}@{package.made.version}?arch={architecture}"
    document = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, own)}",
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(package.made.epoch)),
            "component": {"type": "application", "bom-ref": own, "name": package.name,
                          "version": package.made.version, "purl": own,
                          "licenses": [{"license": {"id": "Apache-2.0"}}]}},
        "components": components,
        "dependencies": [{"ref": own, "dependsOn": [part["bom-ref"] for part in components]}]}
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def copyright_of(package):
    year = time.strftime("%Y", time.gmtime(package.made.epoch))
    text = (f"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
            f"Upstream-Name: andon\n"
            f"Source: {package.made.homepage or 'the repository of andon'}, commit {package.made.commit}\n\n"
            f"Files: *\nCopyright: {year} the authors of andon\nLicense: Apache-2.0\n\n")
    if package.facts.get("runtime"):
        licence = (package.made.runtime / "LICENSE").read_text(encoding="utf-8").replace("\r", "")
        lines = "".join(f" {line.strip() or '.'}\n" for line in licence.strip().splitlines())
        text += ("Files: usr/lib/*/libonnxruntime.so.*\n"
                 "Copyright: Microsoft Corporation\nLicense: Expat\n" + lines + "\n")
    return text + ("License: Apache-2.0\n On Debian systems the full text is in\n"
                   " /usr/share/common-licenses/Apache-2.0.\n .\n"
                   f" What others have made of it is in /usr/share/doc/{package.name}/,\n"
                   " third-party-notices.txt.gz and sbom.cdx.json.\n")


def notices_of(package):
    parts = []
    if package.facts.get("runtime"):
        parts.append("ONNX Runtime, with what it is made of\n\n" +
                     (package.made.runtime / "ThirdPartyNotices.txt").read_text(
                         encoding="utf-8", errors="replace").replace("\r", ""))
    else:
        for name, title in static_packages(package).items():
            notice = Path(f"/usr/share/doc/{name}/copyright")
            parts.append(f"{title}: Debian's package {name} {installed_version(name)[1]}\n\n" +
                         notice.read_text(encoding="utf-8", errors="replace"))
    if has_console(package):
        parts.append(CONSOLE_NOTICES.read_text(encoding="utf-8"))
    names = dynamic_packages(package)
    parts.append("Linked when the program starts, and installed by packages of their own, whose notices\n"
                 "are in /usr/share/doc/<package>/copyright:\n\n" +
                 "".join(f"  {name}\n" for name in names))
    line = "\n" + "=" * 100 + "\n\n"
    return line.join(parts)
