# SPDX-License-Identifier: Apache-2.0
"""`andon-edge fit`: whether a component or a model would fit this device, before it is deployed."""
import json
import os
import subprocess
from pathlib import Path

from harness import ROOT, program

MODEL = ROOT / "examples/metal-tags/model/model.onnx"
RECIPE = """
RecipeFormatVersion: "2020-01-25"
ComponentName: com.example.Fits
ComponentVersion: "1.0.0"
Manifests:
  - Platform: {PLATFORM}
    Artifacts: [{URI: "s3://artifacts/weights.bin"}]
    Lifecycle: {run: "sleep 1"}
"""


def fit(tmp_path, *words, path=None):
    """(exit code, {check: (verdict, text)})."""
    environment = {**os.environ, "PATH": path} if path else None
    done = subprocess.run(
        [program("andon-edge"), "fit", "--root", tmp_path, "--json", *map(str, words)],
        capture_output=True, text=True, env=environment)
    checks = json.loads(done.stdout)["checks"] if done.stdout else []
    return done.returncode, {c["check"]: (c["verdict"], c["text"]) for c in checks}


def recipe(tmp_path, platform="{os: linux}"):
    (tmp_path / "recipe.yaml").write_text(RECIPE.replace("{PLATFORM}", platform))
    return tmp_path / "recipe.yaml"


def test_a_recipe_is_held_against_the_platform_and_the_disk(tmp_path):
    code, found = fit(tmp_path, "--recipe", recipe(tmp_path))
    assert code == 0 and found["platform"][0] == "ok"
    assert found["disk"][0] == "doubtful" and "--artifacts" in found["disk"][1]
    weights = tmp_path / "artifacts/com.example.Fits/1.0.0/weights.bin"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"x")
    code, found = fit(tmp_path, "--recipe", recipe(tmp_path), "--artifacts", tmp_path / "artifacts")
    assert code == 0 and found["disk"][0] == "ok", found
    # A file of holes is as large as it says.
    os.truncate(weights, os.statvfs(tmp_path).f_frsize * os.statvfs(tmp_path).f_bavail + (1 << 30))
    code, found = fit(tmp_path, "--recipe", recipe(tmp_path), "--artifacts", tmp_path / "artifacts")
    assert code == 9 and found["disk"][0] == "bad", found
    code, found = fit(tmp_path, "--recipe", recipe(tmp_path, '{os: linux, memory: ">=99999999"}'))
    assert code == 9 and "memory=>=99999999" in found["platform"][1], found


def test_a_model_is_run_where_its_program_is(tmp_path):
    here = f"{Path(program('andon-inspect')).parent}:{os.environ['PATH']}"
    code, found = fit(tmp_path, "--model", MODEL, path=here)
    assert code == 0, found
    assert "ms a picture" in found["latency"][1] and "MiB" in found["memory"][1], found
    code, found = fit(tmp_path, "--model", MODEL, "--max-latency-ms", "0.001", path=here)
    assert code == 9 and found["latency"][0] == "bad", found
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    code, found = fit(tmp_path, "--model", broken, path=here)
    assert code == 9 and "does not run" in found["latency"][1], found


def test_what_is_not_measured_is_said_with_what_to_install(tmp_path):
    code, found = fit(tmp_path, "--model", MODEL, path="/bin")
    assert code == 0
    assert found["latency"][0] == "doubtful" and "install the package" in found["latency"][1]


def test_who_asks_about_nothing_or_what_is_not_there_is_told_so(tmp_path):
    assert fit(tmp_path)[0] == 2
    assert fit(tmp_path, "--model", tmp_path / "absent.onnx")[0] == 6
    assert fit(tmp_path, "--recipe", tmp_path / "absent.yaml")[0] == 6
