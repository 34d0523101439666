# SPDX-License-Identifier: Apache-2.0
"""What a function's package may be beside a ZIP archive: a requirements.txt that is installed, a
directory that stands for a container image."""
import itertools
import subprocess

import botocore.exceptions
import pytest

from functions import Functions, zipped
from harness import Server, program, wait_until

_count = itertools.count(1)


def functions_of(server):
    return Functions(server, lambda word: f"{word}-{next(_count)}")


def wheel(directory, name, version, source):
    """A finished package, as a registry would have it."""
    info = f"{name}-{version}.dist-info"
    files = {f"{name}.py": source, f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
             f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
    files[f"{info}/RECORD"] = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    (directory / f"{name}-{version}-py3-none-any.whl").write_bytes(zipped(files))


@pytest.fixture
def pip(tmp_path):
    """The machine's pip, with a directory of packages in the place of a registry."""
    path = {"PATH": "/usr/local/bin:/usr/bin:/bin"}  # as the server has it
    if subprocess.run(["/usr/bin/env", "python3", "-m", "pip", "--version"], env=path,
                      capture_output=True).returncode != 0:
        pytest.skip("this machine's python3 has no pip")
    packages = tmp_path / "packages"
    packages.mkdir()
    wheel(packages, "plantwords", "1.0", "WORD = 'old'\n")
    wheel(packages, "plantwords", "1.1", "WORD = 'new'\n")
    config = tmp_path / "pip.conf"
    config.write_text(f"[global]\nno-index = true\nfind-links = {packages}\n")
    return config


USE = "import plantwords\ndef handler(event, context): return plantwords.WORD, plantwords.__file__\n"


def test_a_requirements_txt_is_installed_with_the_code(tmp_path, pip):
    with Server(tmp_path / "data", "--function-requirements", "--function-pip-config", pip) as server:
        functions = functions_of(server)
        name = functions.create(USE, files={"requirements.txt": "plantwords==1.0  # the old one\n"})
        assert functions.call(name) == (["old", "/var/requirements/plantwords.py"], None)
        functions.client.update_function_code(
            FunctionName=name, ZipFile=zipped({"app.py": USE, "requirements.txt": "plantwords>=1.0\n"}))
        functions.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        assert functions.call(name)[0][0] == "new"
        # What cannot be had, or would have pip read something else, is the function's state.
        for text, word in (("nosuchpackage==9\n", "nosuchpackage"), ("-e .\n", "'-e .' is not installed")):
            made = functions.fresh("function")
            functions.client.create_function(
                FunctionName=made, Runtime="python3.12", Role=functions.role, Handler="app.handler",
                Code={"ZipFile": zipped({"app.py": USE, "requirements.txt": text})})
            told = wait_until(lambda made=made: (
                c := functions.client.get_function_configuration(FunctionName=made))["State"] == "Failed" and c,
                "the state Failed")
            assert word in told["StateReason"], told["StateReason"]


def test_without_the_option_nothing_is_installed(tmp_path):
    with Server(tmp_path / "data") as server:
        functions = functions_of(server)
        name = functions.create(USE, files={"requirements.txt": "plantwords==1.0\n"})
        assert functions.call(name)[0]["errorType"] == "Runtime.ImportModuleError"


def test_a_directory_stands_for_a_container_image(tmp_path):
    image = tmp_path / "image"
    (image / "lib").mkdir(parents=True)
    (image / "app.py").write_text("from lib import words\ndef handler(event, context): return words.WORD\n"
                                  "def other(event, context): return 'other'\n")
    (image / "lib" / "words.py").write_text("WORD = 'first'\n")
    mapping = tmp_path / "images.yaml"
    mapping.write_text(f"images:\n  - image: registry.example/plant/classify\n    directory: {image}\n"
                       "    handler: app.handler\n")
    with Server(tmp_path / "data", "--function-images", mapping) as server:
        functions = functions_of(server)
        client, name = functions.client, functions.fresh("function")
        uri = "registry.example/plant/classify:1"
        made = client.create_function(FunctionName=name, PackageType="Image", Role=functions.role,
                                      Code={"ImageUri": uri})
        assert made["PackageType"] == "Image" and "Runtime" not in made and "Handler" not in made
        assert not [member for member in made if member.startswith("_")]
        functions.wait(name)
        assert functions.call(name) == ("first", None)
        code = client.get_function(FunctionName=name)["Code"]
        assert (code["RepositoryType"], code["ImageUri"]) == ("ECR", uri)
        assert code["ResolvedImageUri"].startswith(uri + "@sha256:")
        # What runs is what was there then, until the code is updated.
        (image / "lib" / "words.py").write_text("WORD = 'second'\n")
        assert functions.call(name) == ("first", None)
        client.update_function_code(FunctionName=name, ImageUri="registry.example/plant/classify:2")
        client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        assert functions.call(name) == ("second", None)
        client.update_function_configuration(FunctionName=name, ImageConfig={"Command": ["app.other"]})
        functions.wait(name)
        assert functions.call(name) == ("other", None)
        told = client.get_function_configuration(FunctionName=name)
        assert told["ImageConfigResponse"]["ImageConfig"] == {"Command": ["app.other"]}

        def refused(call, **arguments):
            with pytest.raises(botocore.exceptions.ClientError) as error:
                call(**arguments)
            assert error.value.response["Error"]["Code"] == "InvalidParameterValueException"
            return error.value.response["Error"]["Message"]
        base = {"FunctionName": functions.fresh("function"), "Role": functions.role}
        assert "--function-images" in refused(client.create_function, PackageType="Image",
                                              Code={"ImageUri": "registry.example/other:1"}, **base)
        assert "PackageType" in refused(client.create_function, Code={"ImageUri": uri}, **base)
        assert "Runtime" in refused(client.create_function, PackageType="Image", Code={"ImageUri": uri},
                                    Runtime="python3.12", **base)
        assert "EntryPoint" in refused(client.create_function, PackageType="Image", Code={"ImageUri": uri},
                                       ImageConfig={"EntryPoint": ["/bin/sh"]}, **base)
        assert "ImageUri" in refused(client.update_function_code, FunctionName=name,
                                     ZipFile=zipped({"app.py": USE}))


@pytest.mark.parametrize("text, word", [
    ("images: 1\n", "images"), ("pictures: []\n", "images"),
    ("images:\n  - image: a\n    directory: /nonexistent\n    handler: a.b\n", "/nonexistent"),
    ("images:\n  - image: a\n    directory: /usr\n", "handler"),
    ("images:\n  - {image: a, directory: /usr, handler: a.b, colour: red}\n", "colour"),
    ("images:\n  - {image: a, directory: /usr, handler: a.b}\n  - {image: a, directory: /usr, handler: a.b}\n",
     "twice"),
])
def test_a_mapping_file_that_is_wrong_is_refused_at_the_start(tmp_path, text, word):
    mapping = tmp_path / "images.yaml"
    mapping.write_text(text)
    ended = subprocess.run([program("andon-server"), "run", "--data", tmp_path / "data", "--function-images", mapping],
                           capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2 and "images.yaml" in ended.stderr and word in ended.stderr, ended.stderr
