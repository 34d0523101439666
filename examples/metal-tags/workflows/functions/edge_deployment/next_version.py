# SPDX-License-Identifier: Apache-2.0
"""The next version of the model's component, and its recipe. Gets the versions that there are and
the objects that the model consists of; asks nobody, so its role needs no right."""
import re


def numbers(version):
    """(1, 4, 2) of "1.4.2", "1.4.2-rc.1" and "1.4.2+7"."""
    return tuple(map(int, re.match(r"(\d+)\.(\d+)\.(\d+)", version).groups()))


def next_version(versions):
    """A patch further than the highest; a major version is a person's word (an interface changes)."""
    if not versions:
        return "1.0.0"
    major, minor, patch = max(map(numbers, versions))
    return f"{major}.{minor}.{patch + 1}"


def artifacts(model, keys):
    """All that lies at the model's place, one folder; the ONNX file is what andon-inspect opens."""
    folder = model["Key"][:model["Key"].rfind("/") + 1]
    is_folder = model["Key"] == folder
    files = [key for key in keys  # a listing by prefix has the neighbours of an object, too
             if not key.endswith("/") and (is_folder or key == model["Key"])]
    nested = [key for key in files if "/" in key[len(folder):]]
    if nested:
        raise ValueError(f"a component's artifacts lie in one folder, and {nested[0]} does not")
    if f"{folder}model.onnx" not in files:
        raise ValueError(f"there is no model.onnx at {model['Url']}, but {len(files)} other objects")
    return [{"URI": f"s3://{model['Bucket']}/{key}", "Permission": {"Read": "ALL"}}
            for key in sorted(files)]


def handler(event, _context):
    model, component = event["Model"], event["Component"]
    version = next_version(event["Versions"])
    return {
        "Version": version,
        "Recipe": {
            "RecipeFormatVersion": "2020-01-25",
            "ComponentName": component,
            "ComponentVersion": version,
            "ComponentDescription": f"Model {model['Name']}",
            "ComponentPublisher": event["Publisher"],
            "Manifests": [{"Platform": {"os": "linux", "runtime": "*"},
                           "Artifacts": artifacts(model, event["Keys"])}],
        },
    }
