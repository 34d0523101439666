# SPDX-License-Identifier: Apache-2.0
"""Training from a seed to a report: learns, goes on where it was cut off, exports what it learnt."""
import ast
import json
import re

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from andon_train import cli, data, export, infer
from andon_train.errors import DataError
from andon_train.letterbox import letterbox, to_array
from andon_train.train import Run

from conftest import SIDE, training_options

EPOCHS = 70


@pytest.fixture(scope="session")
def trained(bars, tmp_path_factory):
    """A run of about a minute."""
    out = tmp_path_factory.mktemp("run")
    run = Run(training_options(bars, out, "--epochs", str(EPOCHS), "--eval-every", "10",
                               "--mosaic", "0.2"))
    run.go()
    return run


def evaluate(capsys, *arguments):
    capsys.readouterr()
    assert cli.main(["evaluate", *map(str, arguments)]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_minute_of_training_finds_the_bars(trained, bars, capsys):
    result = evaluate(capsys, trained.out / "best.pt", "--data", bars / "val")["val"]
    assert result["mAP50"] >= 0.8


@pytest.mark.parametrize("batches", [(1,), (1, 2, 5)], ids=["static", "dynamic"])
def test_an_export_agrees_with_pytorch(trained, bars, tmp_path, batches):
    path = tmp_path / "model.onnx"
    export.export(trained.out / "best.pt", path, dynamic_batch=len(batches) > 1)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    detector, _, _ = export.load_checkpoint(trained.out / "best.pt")
    network = infer.decoded(detector, SIDE)
    pictures = [to_array(letterbox(s.image, SIDE)[0])
                for s in data.load([bars / "val"]).samples]
    for batch in batches:
        images = np.stack(pictures[:batch])
        with torch.no_grad():
            expected = network(torch.from_numpy(images)).numpy()
        found = session.run(["output0"], {"images": images})[0]
        assert found.shape == expected.shape == (batch, 5, (SIDE // 8) ** 2 * 21 // 16)
        np.testing.assert_allclose(found[:, 4:], expected[:, 4:], atol=1e-4)
        np.testing.assert_allclose(found[:, :4] / SIDE, expected[:, :4] / SIDE, atol=1e-4)


def test_an_export_has_the_interface_that_runtimes_expect(trained, tmp_path):
    static, dynamic = tmp_path / "static.onnx", tmp_path / "dynamic.onnx"
    for path, more in ((static, []), (dynamic, ["--dynamic-batch"])):
        assert cli.main(["export", str(trained.out / "best.pt"), str(path), "--model-version",
                         "2.1.0", *more]) == 0
    session = onnxruntime.InferenceSession(str(static), providers=["CPUExecutionProvider"])
    [given], [made] = session.get_inputs(), session.get_outputs()
    assert (given.name, given.type, given.shape) == ("images", "tensor(float)", [1, 3, SIDE, SIDE])
    assert (made.name, made.shape) == ("output0", [1, 5, 336])
    facts = session.get_modelmeta().custom_metadata_map
    assert ast.literal_eval(facts["names"]) == {0: "bar"}
    assert ast.literal_eval(facts["imgsz"]) == [SIDE, SIDE]
    assert (facts["stride"], facts["task"], facts["version"]) == ("32", "detect", "2.1.0")
    batch = onnx.load(str(dynamic)).graph.input[0].type.tensor_type.shape.dim[0]
    assert batch.dim_param == "batch"


def test_the_onnx_file_evaluates_like_its_checkpoint(trained, bars, tmp_path, capsys):
    path = tmp_path / "model.onnx"
    export.export(trained.out / "best.pt", path)
    of_onnx = evaluate(capsys, path, "--data", bars / "val")["val"]
    of_checkpoint = evaluate(capsys, trained.out / "best.pt", "--data", bars / "val")["val"]
    assert of_onnx["mAP50_95"] == pytest.approx(of_checkpoint["mAP50_95"], abs=1e-3)


def test_the_report_stands_alone(trained, bars, tmp_path, capsys):
    evaluate(capsys, trained.out / "best.pt", "--data", bars / "val", bars / "train", "--report",
             tmp_path, "--log", trained.out / "log.jsonl", "--note", "command=andon-train train")
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert set(report["results"]) == {"val", "train"}
    assert report["facts"]["command"] == "andon-train train"
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 3 and page.count("data:image/jpeg;base64,") == 8
    assert not re.search(r'(src|href)="(?!data:)', page)


def weights(path):
    return torch.load(path, map_location="cpu", weights_only=False)["average"]


def assert_same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        assert torch.equal(a[name], b[name]), name


class CutOff(Exception):
    pass


def test_a_run_that_was_cut_off_ends_as_if_it_had_not_been(bars, tmp_path, monkeypatch):
    options = ("--epochs", "3", "--eval-every", "3")
    Run(training_options(bars, tmp_path / "whole", *options)).go()

    run = Run(training_options(bars, tmp_path / "cut", *options))
    begun = run._train_epoch

    def cut_in_the_second_epoch(progress):
        if run.epoch == 1:
            raise CutOff
        return begun(progress)
    monkeypatch.setattr(run, "_train_epoch", cut_in_the_second_epoch)
    with pytest.raises(CutOff):
        run.go()

    rest = Run(training_options(bars, tmp_path / "cut", *options))
    assert rest.resume()
    assert rest.epoch == 1
    rest.go()
    assert_same(weights(tmp_path / "whole" / "last.pt"), weights(tmp_path / "cut" / "last.pt"))
    epochs = [json.loads(line)["epoch"]
              for line in (tmp_path / "cut" / "log.jsonl").read_text().splitlines()]
    assert epochs == [1, 2, 3]


def test_another_seed_trains_another_model(bars, tmp_path):
    for seed in ("1", "2"):
        Run(training_options(bars, tmp_path / seed, "--epochs", "1", "--seed", seed)).go()
    a, b = weights(tmp_path / "1" / "last.pt"), weights(tmp_path / "2" / "last.pt")
    assert any(not torch.equal(a[name], b[name]) for name in a)


def test_a_run_without_progress_stops_early(bars, tmp_path):
    run = Run(training_options(bars, tmp_path, "--epochs", "50", "--eval-every", "1",
                               "--patience", "2", "--lr", "1e-12"))
    run.go()
    assert run.epoch == 3


def test_a_run_of_another_size_is_not_gone_on_with(bars, tmp_path):
    Run(training_options(bars, tmp_path, "--epochs", "1")).go()
    other = Run(training_options(bars, tmp_path, "--epochs", "1", "--depth", "0.67"))
    with pytest.raises(DataError, match="is of another model"):
        other.resume()
