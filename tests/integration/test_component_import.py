# SPDX-License-Identifier: Apache-2.0
"""`andon component import` of what others have made: a URL, a folder, a bundle, a folder of the
GDK; with their digests, and refused where one is wrong."""
import base64
import functools
import hashlib
import http.server
import io
import json
import subprocess
import tarfile
import threading
import urllib.request
import zipfile

import pytest

from harness import Server, program

PROGRAM = b"#!/bin/sh\necho hello\n"
DIGEST = base64.b64encode(hashlib.sha256(PROGRAM).digest()).decode()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("server") / "data") as running:
        yield running


def recipe(name, uri, version="1.0.0", **artifact):
    return {"RecipeFormatVersion": "2020-01-25", "ComponentName": name, "ComponentVersion": version,
            "Manifests": [{"Platform": {"os": "linux"},
                           "Lifecycle": {"run": "{artifacts:path}/hello.sh"},
                           "Artifacts": [{"URI": uri, **artifact}]}]}


def import_of(server, source, code=0, *options):
    ended = subprocess.run([program("andon"), "component", "import", str(source), "--json",
                            "--data", str(server.data), *options], capture_output=True, text=True,
                           timeout=120, check=False)
    assert ended.returncode == code, ended.stderr
    return json.loads(ended.stdout)["components"] if code == 0 else ended.stderr


def served(server, component):
    """The recipe as the server has it, and the bytes of its artifact."""
    greengrass = server.aws("greengrassv2")
    got = json.loads(greengrass.get_component(arn=component["arn"])["recipe"])
    artifact = got["Manifests"][0]["Artifacts"][0]
    uri = artifact.get("Uri", artifact.get("URI"))
    url = greengrass.get_component_version_artifact(
        arn=component["arn"], artifactName=uri.rsplit("/", 1)[1])["preSignedUrl"]
    with urllib.request.urlopen(url) as answer:
        return artifact, uri, answer.read()


def write(folder, files):
    for place, content in files.items():
        file = folder / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return folder


def test_a_folder_is_taken_with_the_digests_of_its_files(server, tmp_path):
    source = write(tmp_path / "hello", {
        "recipe.json": recipe("org.ex.Folder", "hello.sh"), "hello.sh": PROGRAM})
    [made] = import_of(server, source)
    assert (made["componentName"], made["componentVersion"]) == ("org.ex.Folder", "1.0.0")
    assert made["artifacts"][0]["sha256"] == hashlib.sha256(PROGRAM).hexdigest()
    artifact, uri, content = served(server, made)
    assert content == PROGRAM
    assert uri.startswith("s3://andon-components/org.ex.Folder/1.0.0/")
    assert (artifact["Digest"], artifact["Algorithm"]) == (DIGEST, "SHA-256")
    tags = server.aws("greengrassv2").list_tags_for_resource(resourceArn=made["arn"])["tags"]
    assert tags == {"andon:imported-from": "hello"}


def test_an_artifact_that_is_not_what_the_recipe_says_is_refused(server, tmp_path):
    source = write(tmp_path / "bad", {
        "recipe.json": recipe("org.ex.Bad", "hello.sh", Digest=DIGEST, Algorithm="SHA-256"),
        "hello.sh": PROGRAM + b"# and more\n"})
    message = import_of(server, source, 11)
    assert "org.ex.Bad@1.0.0" in message and DIGEST in message
    names = [one["componentName"]
             for one in server.aws("greengrassv2").list_components()["components"]]
    assert "org.ex.Bad" not in names
    (source / "hello.sh").write_bytes(PROGRAM)
    import_of(server, source)


def test_what_the_gdk_has_built_is_taken_with_the_next_version(server, tmp_path):
    build = "greengrass-build/artifacts/org.ex.Gdk/NEXT_PATCH/hello.zip"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("hello.sh", PROGRAM)
    source = write(tmp_path / "gdk", {
        "gdk-config.json": {"component": {"org.ex.Gdk": {"version": "NEXT_PATCH"}}},
        "greengrass-build/recipes/recipe.json": recipe(
            "org.ex.Gdk", "s3://BUCKET_NAME/COMPONENT_NAME/COMPONENT_VERSION/hello.zip",
            "NEXT_PATCH", Unarchive="ZIP"),
        build: archive.getvalue()})
    versions = [import_of(server, source)[0]["componentVersion"] for _ in range(2)]
    assert versions == ["1.0.0", "1.0.1"]
    for place in ("greengrass-build/recipes/recipe.json", build):
        (source / place).unlink()
    assert "gdk component build" in import_of(server, source, 9)


@pytest.mark.parametrize("ending", ["zip", "tar.gz"])
def test_a_bundle_is_taken_as_the_folder_in_it(server, tmp_path, ending):
    name = f"org.ex.{ending.replace('.', '')}"
    files = {"hello-1.0/recipe.json": json.dumps(recipe(name, "hello.sh")).encode(),
             "hello-1.0/hello.sh": PROGRAM}
    bundle = tmp_path / f"hello.{ending}"
    if ending == "zip":
        with zipfile.ZipFile(bundle, "w") as archive:
            for place, content in files.items():
                archive.writestr(place, content)
    else:
        with tarfile.open(bundle, "w:gz") as archive:
            for place, content in files.items():
                entry = tarfile.TarInfo(place)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    [made] = import_of(server, bundle)
    assert served(server, made)[2] == PROGRAM


def test_a_recipe_at_a_url_brings_what_it_names(server, tmp_path):
    site = tmp_path / "site"
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
        root = f"http://127.0.0.1:{web.server_port}"
        write(site, {"a/recipe.json": recipe("org.ex.Url", f"{root}/b/hello.sh", Digest=DIGEST,
                                             Algorithm="SHA-256"),
                     "a/relative.json": recipe("org.ex.Relative", "hello.sh"),
                     "a/hello.sh": PROGRAM, "b/hello.sh": PROGRAM})
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        try:
            for place in ("recipe", "relative"):
                [made] = import_of(server, f"{root}/a/{place}.json?token=secret")
                assert served(server, made)[2] == PROGRAM
                tags = server.aws("greengrassv2").list_tags_for_resource(
                    resourceArn=made["arn"])["tags"]
                assert tags == {"andon:imported-from": f"{root}/a/{place}.json"}
            assert "404" in import_of(server, f"{root}/none.json", 6)
        finally:
            web.shutdown()
            thread.join()


def test_a_recipe_names_no_address_that_only_its_reader_can_ask(server, tmp_path):
    """What is fetched goes to the server, where whoever wrote the recipe may be able to read it."""
    site = write(tmp_path / "site", {"hello.sh": PROGRAM})
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        try:
            for number, host in enumerate(("127.0.0.1", "localhost", "[::ffff:127.0.0.1]")):
                source = write(tmp_path / f"source-{number}", {"recipe.json": recipe(
                    "org.ex.Inside", f"http://{host}:{web.server_port}/hello.sh")})
                assert "--private-addresses" in import_of(server, source, 5)
            [made] = import_of(server, tmp_path / "source-0", 0, "--private-addresses")
            assert served(server, made)[2] == PROGRAM
        finally:
            web.shutdown()
            thread.join()


def test_a_bundle_reads_nothing_outside_itself(server, tmp_path):
    (tmp_path / "secret").write_text("secret")
    source = write(tmp_path / "evil", {"recipe.json": recipe("org.ex.Evil", "../secret")})
    assert "leads out of" in import_of(server, source, 3)


def test_an_image_comes_with_its_digest_or_not_at_all(server, tmp_path):
    pinned = f"docker:registry.plant:5000/look:1.4@sha256:{'a' * 64}"

    def source_with(name, image):
        both = recipe(name, "hello.sh")
        both["Manifests"][0]["Artifacts"].append({"URI": image})
        return write(tmp_path / name, {"recipe.json": both, "hello.sh": PROGRAM})
    [made] = import_of(server, source_with("org.ex.Image", pinned))
    assert [artifact["from"] for artifact in made["artifacts"]] == ["hello.sh"]
    got = json.loads(server.aws("greengrassv2").get_component(arn=made["arn"])["recipe"])
    artifact = got["Manifests"][0]["Artifacts"][1]
    assert artifact.get("Uri", artifact.get("URI")) == pinned

    message = import_of(server, source_with("org.ex.Tag", "docker:registry.plant:5000/look:1.4"), 3)
    assert "org.ex.Tag@1.0.0" in message and "look:1.4@sha256:DIGEST" in message, message
    stored = server.aws("s3").list_objects_v2(Bucket="andon-components")["Contents"]
    assert not [one for one in stored if one["Key"].startswith("org.ex.Tag/")]
