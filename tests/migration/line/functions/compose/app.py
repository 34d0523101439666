# SPDX-License-Identifier: Apache-2.0
"""What a device shall run: what it runs now, and the model."""
from jsonpatch import JsonPatch
from packaging.version import Version


class Older(Exception):
    """The device has a newer model already."""


def handler(event, context):
    components = dict(event.get("Deployed") or {})
    name, version = event["Component"], event["Version"]
    known = components.get(name, {}).get("ComponentVersion")
    if known and Version(known) > Version(version):
        raise Older(f"{name} {known} is newer than {version}")
    patch = JsonPatch([{"op": "add", "path": f"/{name}", "value": {"ComponentVersion": version}}])
    return patch.apply(components)
