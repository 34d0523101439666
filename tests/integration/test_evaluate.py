# SPDX-License-Identifier: Apache-2.0
"""`andon model eval`, `bench` and `compare` as they are run: figures against pycocotools, reports,
exit codes, bad input. The model and the pictures are the example's."""
import contextlib
import html.parser
import io
import json
import random
import re
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from harness import ROOT, program

EXAMPLE = ROOT / "examples" / "metal-tags"
MODEL = EXAMPLE / "model" / "model.onnx"
IMAGES = EXAMPLE / "images"
LABELS = EXAMPLE / "annotations.json"
COUNTS = {name: len(rows) for name, rows in json.loads(LABELS.read_text()).items()}
USAGE, INVALID, NOT_FOUND, GATE, DEADLINE = 2, 3, 6, 20, 12


def andon(*arguments, code=0):
    ended = subprocess.run([program("andon"), "model", *map(str, arguments)], capture_output=True,
                           text=True, timeout=120, check=False)
    assert ended.returncode == code, (ended.returncode, ended.stderr, ended.stdout)
    return ended


def andon_json(*arguments, code=0):
    return json.loads(andon(*arguments, "--json", code=code).stdout)


def coco(labels, results, max_detections=100):
    """pycocotools' figures of the same files: its twelve, and AP at IoU 0.50..0.95 by class."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(labels))
        found = truth.loadRes(str(results))
        evaluation = COCOeval(truth, found, "bbox")
        evaluation.params.maxDets = [1, min(10, max_detections), max_detections]
        evaluation.evaluate()
        evaluation.accumulate()
        if max_detections == 100:
            evaluation.summarize()
    precision = evaluation.eval["precision"][:, :, :, 0, 2]
    classes = {category: None if (precision[:, :, k] < 0).all() else precision[:, :, k].mean()
               for k, category in enumerate(evaluation.params.catIds)}
    curves = {category: precision[0, :, k] for k, category in enumerate(evaluation.params.catIds)}
    return evaluation.stats if max_detections == 100 else None, classes, curves


def same(ours, theirs, what):
    if theirs is None or theirs < 0:
        assert ours is None, what
    else:
        assert ours == pytest.approx(theirs, abs=1e-6), what


def compare_with_pycocotools(labels, results, max_detections=100):
    ours = andon_json("eval", "--labels", labels, "--detections", results, "--max-detections",
                      max_detections)
    stats, classes, curves = coco(labels, results, max_detections)
    average = ours["averagePrecision"]
    if stats is not None:
        names = [average["mAP50_95"], average["mAP50"], average["mAP75"],
                 average["small"]["mAP50_95"], average["medium"]["mAP50_95"],
                 average["large"]["mAP50_95"], average["recall1"], average["recall10"],
                 average["recallMax"], average["small"]["recall"], average["medium"]["recall"],
                 average["large"]["recall"]]
        for i, (mine, other) in enumerate(zip(names, stats, strict=True)):
            same(mine, other, f"figure {i}")
    for row in ours["classes"]:
        same(row["mAP50_95"], classes[row["id"]], row["name"])
        if row["mAP50_95"] is not None:
            assert row["precisionAtRecall"] == pytest.approx(curves[row["id"]].tolist(), abs=1e-6)
    return ours


def random_set(seed):
    """Labels and results that are hard on an evaluation: crowds, equal scores, pictures without
    anything, classes without objects, ids with gaps, objects of all sizes, many findings."""
    rng = random.Random(seed)
    classes = rng.choice([1, 2, 7, 30])
    categories = [{"id": 3 * k + 1, "name": f"class {k}"} for k in range(classes)]
    images = [{"id": 17 * i + 5, "file_name": f"{i}.jpg", "width": 640, "height": 480}
              for i in range(rng.choice([1, 5, 40]))]
    annotations, results = [], []

    def box():
        size = rng.choice([8, 40, 200])
        width, height = rng.uniform(1, size), rng.uniform(1, size)
        return [rng.uniform(0, 640 - width), rng.uniform(0, 480 - height), width, height]

    def moved(original):
        x, y, width, height = original
        return [x + rng.gauss(0, 0.1) * width, y + rng.gauss(0, 0.1) * height,
                width * rng.uniform(0.8, 1.25), height * rng.uniform(0.8, 1.25)]

    for image in images:
        for _ in range(rng.choice([0, 1, 4, 25])):
            where = [float(round(v)) or 1.0 for v in box()] if rng.random() < 0.5 else box()
            kind = rng.choice(categories)["id"] if rng.random() < 0.9 else categories[0]["id"]
            crowd = int(rng.random() < 0.1)
            area = where[2] * where[3] * (rng.uniform(0.5, 1) if rng.random() < 0.3 else 1)
            annotations.append({"id": len(annotations) + 1, "image_id": image["id"],
                                "category_id": kind, "bbox": where, "area": area,
                                "iscrowd": crowd})
            for _ in range(rng.choice([0, 1, 1, 2, 12 if crowd else 3])):
                score = rng.random() if rng.random() < 0.5 else rng.choice([0.25, 0.5, 0.75])
                found = kind if rng.random() < 0.9 else rng.choice(categories)["id"]
                results.append({"image_id": image["id"], "category_id": found, "score": score,
                                "bbox": where if rng.random() < 0.2 else moved(where)})
        for _ in range(rng.choice([0, 3, 150])):
            results.append({"image_id": image["id"], "category_id": rng.choice(categories)["id"],
                            "bbox": box(), "score": round(rng.random(), 2)})
    rng.shuffle(results)
    return {"images": images, "annotations": annotations, "categories": categories}, results


@pytest.mark.parametrize("seed", range(12))
def test_average_precision_is_that_of_pycocotools(tmp_path, seed):
    labels, results = random_set(seed)
    if not results:
        results = [{"image_id": labels["images"][0]["id"], "category_id": 1, "score": 0.5,
                    "bbox": [0, 0, 1, 1]}]
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    (tmp_path / "results.json").write_text(json.dumps(results))
    compare_with_pycocotools(tmp_path / "labels.json", tmp_path / "results.json",
                             [100, 100, 100, 5, 1000][seed % 5])


def test_the_examples_model_has_the_figures_that_pycocotools_gives_it(tmp_path):
    results = tmp_path / "results.json"
    ran = andon_json("eval", MODEL, "--images", IMAGES, "--labels", LABELS, "--save-detections",
                     results)
    again = compare_with_pycocotools(LABELS, results)
    assert again["averagePrecision"] == ran["averagePrecision"]
    assert again["atConfidence"] == ran["atConfidence"]
    assert ran["averagePrecision"]["mAP50"] > 0.5
    assert ran["model"]["bytes"] == MODEL.stat().st_size
    assert ran["images"] == COUNTS["images"] and ran["objects"] == COUNTS["annotations"]


def test_figures_do_not_depend_on_the_number_of_workers(tmp_path):
    files = []
    for workers in (1, 3):
        files.append(tmp_path / f"{workers}.json")
        andon("eval", MODEL, "--images", IMAGES, "--labels", LABELS, "--workers", workers,
              "--save-detections", files[-1])
    assert files[0].read_bytes() == files[1].read_bytes()


def counts(labels, results, confidence):
    """Right, wrong and missed at IoU 0.5, the slow way, for labels without crowds."""
    right = wrong = missed = 0
    for image in labels["images"]:
        for category in labels["categories"]:
            def mine(rows, key=(image["id"], category["id"])):
                return [r for r in rows if (r["image_id"], r["category_id"]) == key]
            free = [a["bbox"] for a in mine(labels["annotations"])]
            above = [r for r in mine(results) if r["score"] > confidence]
            for row in sorted(above, key=lambda r: -r["score"]):
                overlaps = [iou(row["bbox"], other) for other in free]
                if overlaps and max(overlaps) >= 0.5:
                    free.pop(int(np.argmax(overlaps)))
                    right += 1
                else:
                    wrong += 1
            missed += len(free)
    return right, wrong, missed


def iou(a, b):
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def test_counts_at_a_confidence_and_the_best_one_are_right(tmp_path):
    labels, results = random_set(3)
    labels["annotations"] = [a for a in labels["annotations"] if not a["iscrowd"]]
    for row in results:
        row["score"] = random.Random(str(row)).random()  # no equal scores: their order is free
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    (tmp_path / "results.json").write_text(json.dumps(results))
    ours = andon_json("eval", "--labels", tmp_path / "labels.json", "--detections",
                      tmp_path / "results.json", "--confidence", 0.4)
    at = ours["atConfidence"]
    assert (at["right"], at["wrong"], at["missed"]) == counts(labels, results, 0.4)
    best = ours["bestF1"]
    assert (best["right"], best["wrong"], best["missed"]) == counts(labels, results,
                                                                    best["confidence"])
    assert best["f1"] >= max(point["f1"] for point in ours["curve"] if point["f1"] is not None)
    matrix = np.array(ours["confusion"]["foundByThere"])
    assert matrix[:-1].sum() == at["right"] + at["wrong"]
    assert matrix[:, :-1].sum() == len(labels["annotations"])
    assert np.trace(matrix) == at["right"]


class Page(html.parser.HTMLParser):
    """What a page would fetch, and whether its tags are closed."""

    def __init__(self, text):
        super().__init__()
        self.fetched, self.open, self.texts, self.tags = [], [], [], []
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert tag not in ("script", "link", "iframe")
        self.fetched += [value for name, value in attrs
                         if name in ("src", "href") and not value.startswith("data:image/jpeg")]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def test_the_report_is_one_page_that_needs_nothing_else(tmp_path):
    ended = andon("eval", MODEL, "--images", IMAGES, "--labels", LABELS, "--report",
                  tmp_path / "out", "--confidence", 0.6)
    text = (tmp_path / "out" / "report.html").read_text()
    page = Page(text)
    assert page.fetched == [] and "http" not in text
    assert page.tags.count("image") >= 1, "the worst pictures are shown"
    assert len(text) < 2_000_000
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    figure = f"{report['averagePrecision']['mAP50_95']:.3f}"
    assert figure in page.texts and figure in ended.stdout
    assert re.search(rf"^scratch +{COUNTS['annotations']} ", ended.stdout, re.MULTILINE)


def test_names_in_labels_cannot_change_the_page(tmp_path):
    evil = '<script>alert("x")</script>'
    labels = {"images": [{"id": 1, "file_name": evil + ".jpg"}],
              "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 9, 9]}],
              "categories": [{"id": 1, "name": evil}]}
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    (tmp_path / "results.json").write_text("[]")
    andon("eval", "--labels", tmp_path / "labels.json", "--detections", tmp_path / "results.json",
          "--report", tmp_path)
    page = Page((tmp_path / "report.html").read_text())
    assert evil in page.texts


def test_a_gate_ends_with_its_own_exit_code():
    arguments = ["eval", MODEL, "--images", IMAGES, "--labels", LABELS, "--min-map"]
    assert andon_json(*arguments, 0.1)["gate"] == {"minMAP": 0.1, "held": True}
    assert andon_json(*arguments, 0.99, code=GATE)["gate"]["held"] is False
    assert "--min-map asks for 0.99" in andon(*arguments, 0.99, code=GATE).stderr


def write_yolo(folder):
    """The example's pictures and labels as Ultralytics' tools have them."""
    labels = json.loads(LABELS.read_text())
    shutil.copytree(IMAGES, folder / "images" / "val")
    (folder / "labels" / "val").mkdir(parents=True)
    order = sorted(category["id"] for category in labels["categories"])
    sizes = {image["id"]: (image["width"], image["height"]) for image in labels["images"]}
    for image in labels["images"]:
        rows = []
        for annotation in labels["annotations"]:
            if annotation["image_id"] != image["id"]:
                continue
            x, y, w, h = annotation["bbox"]
            width, height = sizes[image["id"]]
            rows.append([order.index(annotation["category_id"]), (x + w / 2) / width,
                         (y + h / 2) / height, w / width, h / height])
        if rows:
            (folder / "labels" / "val" / image["file_name"]).with_suffix(".txt").write_text(
                "".join(" ".join(map(repr, row)) + "\n" for row in rows))
    names = {order.index(c["id"]): c["name"] for c in labels["categories"]}
    (folder / "data.yaml").write_text(f"val: images/val\nnames: {json.dumps(names)}\n"
                                      .replace('"0"', "0"))
    return folder


def test_yolos_labels_give_the_figures_of_cocos(tmp_path):
    yolo = write_yolo(tmp_path / "set")
    coco_figures = andon_json("eval", MODEL, "--images", IMAGES, "--labels", LABELS)
    for where in (["--labels", yolo / "data.yaml"],
                  ["--labels", yolo / "labels" / "val", "--images", yolo / "images" / "val"]):
        ours = andon_json("eval", MODEL, *where)
        for figure in ("mAP50_95", "mAP50", "mAP75"):
            assert ours["averagePrecision"][figure] == pytest.approx(
                coco_figures["averagePrecision"][figure], abs=1e-6)
        assert ours["images"] == coco_figures["images"]
    compared = andon_json("compare", MODEL, MODEL, "--labels", yolo / "data.yaml", "--runs", 1,
                          "--max-map-drop", 0)
    assert compared["gate"]["held"]
    ended = andon("eval", MODEL, "--labels", yolo / "data.yaml", "--split", "test", code=INVALID)
    assert "test is missing; --split may be: val" in ended.stderr


def test_pictures_in_folders_below_are_taken_where_it_is_asked_for(tmp_path):
    for i, picture in enumerate(sorted(IMAGES.iterdir())[:4]):
        folder = tmp_path / "images" / f"line-{i % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(picture, folder)
    images = ("--images", tmp_path / "images")
    assert "--recursive" in andon("bench", MODEL, *images, code=NOT_FOUND).stderr
    quick = ("--runs", 1, "--seconds", 1)
    assert andon_json("bench", MODEL, *images, "--recursive", *quick)["pictures"] == 4
    assert andon_json("compare", MODEL, MODEL, *images, "--recursive", *quick)["images"] == 4
    out = tmp_path / "small.onnx"
    made = andon_json("optimize", MODEL, "--out", out, "--calibrate", tmp_path / "images",
                      "--recursive", "--latency-runs", 0)
    assert made["calibration"]["images"] == 4 and out.exists()


def test_time_that_runs_out_ends_the_evaluation(tmp_path):
    many = tmp_path / "images"
    many.mkdir()
    labels = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "scratch"}]}
    for i in range(2000):
        (many / f"{i}.jpg").symlink_to(next(IMAGES.iterdir()))
        labels["images"].append({"id": i, "file_name": f"{i}.jpg"})
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    ended = andon("eval", MODEL, "--images", many, "--labels", tmp_path / "labels.json",
                  "--workers", 1, "--timeout", 1, code=DEADLINE)
    assert "the time for it was over after" in ended.stderr


def changed_labels(tmp_path, change):
    labels = json.loads(LABELS.read_text())
    change(labels)
    file = tmp_path / "labels.json"
    file.write_text(json.dumps(labels))
    return file


@pytest.mark.parametrize(("change", "code", "message"), [
    (lambda l: l["images"][3].update(file_name="absent.jpg"), NOT_FOUND,
     f"1 of the {COUNTS['images']} pictures that the labels name are not in"),
    (lambda l: l["images"][3].update(width=640), INVALID, "has 450x300 pixels, the labels say 640"),
    (lambda l: l["categories"][0].update(name="dent"), INVALID,
     f"it does not know 'dent' ({COUNTS['annotations']} labelled objects); its classes are 'scratch'"),
    (lambda l: l["annotations"][5].update(bbox=[1, 2, float("nan"), 4]), INVALID, "NaN"),
    (lambda l: l["annotations"][5].update(bbox=[1, 2, 3]), INVALID, "annotations[5].bbox must be"),
    (lambda l: l["annotations"][5].update(image_id=99), INVALID, "no picture with the id 99"),
    (lambda l: l["annotations"][5].update(id=1), INVALID, "another annotation has the id 1"),
    (lambda l: l.pop("categories"), INVALID, 'it has no "categories"'),
])
def test_labels_that_do_not_fit_are_refused_with_their_place(tmp_path, change, code, message):
    ended = andon("eval", MODEL, "--images", IMAGES, "--labels", changed_labels(tmp_path, change),
                  code=code)
    assert message in ended.stderr


def test_labels_without_objects_give_false_alarms_and_no_average_precision(tmp_path):
    labels = changed_labels(tmp_path, lambda l: l.update(annotations=[]))
    ours = andon_json("eval", MODEL, "--images", IMAGES, "--labels", labels)
    assert ours["averagePrecision"]["mAP50_95"] is None
    assert ours["imagesWithoutObjects"] == COUNTS["images"] and ours["falseAlarmImages"] > 5


@pytest.mark.parametrize("command", ["eval", "bench", "compare"])
def test_files_that_are_no_models_and_folders_without_pictures_are_refused(tmp_path, command):
    (tmp_path / "broken.onnx").write_bytes(MODEL.read_bytes()[:100_000])
    (tmp_path / "empty").mkdir()

    def run(model, images, code):
        models = [MODEL, model] if command == "compare" else [model]
        labels = ["--labels", LABELS] if command == "eval" else []
        return andon(command, *models, "--images", images, *labels, code=code).stderr

    assert "broken.onnx" in run(tmp_path / "broken.onnx", IMAGES, INVALID)
    assert "absent.onnx" in run(tmp_path / "absent.onnx", IMAGES, NOT_FOUND)
    assert str(tmp_path / "empty") in run(MODEL, tmp_path / "empty", NOT_FOUND)
    assert str(tmp_path / "absent") in run(MODEL, tmp_path / "absent", NOT_FOUND)


def test_pictures_that_cannot_be_read_are_named(tmp_path):
    shutil.copytree(IMAGES, tmp_path / "images")
    broken, cut = sorted((tmp_path / "images").iterdir())[3:5]
    broken.write_bytes(b"no picture")
    cut.write_bytes(cut.read_bytes()[:5000])
    for command in (["eval", MODEL, "--labels", LABELS], ["compare", MODEL, MODEL]):
        ended = andon(*command, "--images", tmp_path / "images", code=INVALID)
        assert f"2 of {COUNTS['images']} pictures cannot be read" in ended.stderr
        assert broken.name in ended.stderr and cut.name in ended.stderr


def test_a_picture_that_is_cut_off_is_the_same_error_for_every_command(tmp_path):
    shutil.copytree(IMAGES, tmp_path / "images")
    cut = sorted((tmp_path / "images").iterdir())[0]
    cut.write_bytes(cut.read_bytes()[:5000])
    images = ("--images", tmp_path / "images")
    for command in (["eval", MODEL, "--labels", LABELS, *images], ["bench", MODEL, *images],
                    ["compare", MODEL, MODEL, *images],
                    ["optimize", MODEL, "--out", tmp_path / "o", "--calibrate", tmp_path / "images"],
                    ["optimize", MODEL, "--out", tmp_path / "o", "--weights", "float32",
                     "--eval-images", tmp_path / "images"]):
        assert cut.name in andon(*command, code=INVALID).stderr


def test_wrong_use_is_told(tmp_path):
    assert "either a model, or --detections" in andon("eval", "--labels", LABELS, code=USAGE).stderr
    assert "--images is missing" in andon("eval", MODEL, "--labels", LABELS, code=USAGE).stderr
    assert "--labels" in andon("eval", MODEL, "--images", IMAGES, code=USAGE).stderr
    assert "--confidence" in andon("eval", MODEL, "--labels", LABELS, "--confidence", 7,
                                   code=USAGE).stderr
    assert "--input-size" in andon("bench", MODEL, "--input-size", "0x3", code=USAGE).stderr
    assert "--images is missing" in andon("compare", MODEL, MODEL, code=USAGE).stderr
    assert "--max-map-drop needs --labels" in andon(
        "compare", MODEL, MODEL, "--images", IMAGES, "--max-map-drop", 0.1, code=USAGE).stderr
    assert "See andon model eval --help." in andon("eval", "--labels", LABELS, code=USAGE).stderr
    results = tmp_path / "results.json"
    results.write_text('[{"image_id": 1, "category_id": 0, "bbox": [1, 2, 3, 4]}]')
    assert "results[0].score must be a number" in andon(
        "eval", "--labels", LABELS, "--detections", results, code=INVALID).stderr


def test_bench_tells_latency_by_stage_throughput_and_memory():
    measured = andon_json("bench", MODEL, "--images", IMAGES, "--runs", 10, "--seconds", 2)
    latency = measured["latencyMs"]
    assert set(latency) == {"decode", "preprocess", "inference", "postprocess", "total"}
    total = latency["total"]
    assert 0 < total["min"] <= total["p50"] <= total["p99"] <= total["max"]
    assert total["runs"] == 10 or total["max"] > 100
    assert measured["throughput"]["perSecond"] > 0
    assert measured["peakRssBytes"] > 10_000_000


def test_a_model_is_like_itself(tmp_path):
    same_model = andon_json("compare", MODEL, MODEL, "--images", IMAGES, "--labels", LABELS,
                            "--runs", 5, "--max-map-drop", 0, "--min-similarity", 1)
    assert same_model["agreement"]["similarity"] == 1
    assert same_model["mAPDrop"] == 0
    assert same_model["gate"] == {"held": True, "reasons": []}
    assert same_model["mostDifferentImages"] == []


def test_gates_without_evidence_do_not_hold(tmp_path):
    Image.new("RGB", (64, 48), (128, 128, 128)).save(tmp_path / "grey.png")
    labels = tmp_path / "labels.json"
    categories = json.loads(LABELS.read_text())["categories"]
    labels.write_text(json.dumps({
        "images": [{"id": 1, "file_name": "grey.png", "width": 64, "height": 48}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": categories[0]["id"],
                         "bbox": [1, 1, 2, 2]}],
        "categories": categories}))
    arguments = ["compare", MODEL, MODEL, "--images", tmp_path, "--labels", labels, "--runs", 1]
    for gate, why in ((["--min-similarity", 0.9], "neither model found anything"),
                      (["--max-map-drop", 0.01], "the first model's own mAP50-95 is 0")):
        refused = andon_json(*arguments, *gate, code=GATE)
        assert not refused["gate"]["held"] and why in refused["gate"]["reasons"][0]
        assert andon_json(*arguments, *gate, "--allow-empty")["gate"]["held"]


def fields(data, start, end):
    """(number, start, end) of each length-delimited field of a protobuf message."""
    def varint(at):
        value = shift = 0
        while True:
            value |= (data[at] & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if data[at - 1] < 0x80:
                return value, at

    at = start
    while at < end:
        key, at = varint(at)
        if key & 7 == 2:
            size, at = varint(at)
            yield key >> 3, at, at + size
            at += size
        elif key & 7 == 0:
            _, at = varint(at)
        else:
            at += {1: 8, 5: 4}[key & 7]


def dulled_model(tmp_path):
    """The example's model with some of all its weights forgotten (ModelProto 7, GraphProto 5,
    TensorProto 9: graph, initializer, raw_data): it runs, but sees less."""
    model = bytearray(MODEL.read_bytes())
    raw = [(end - start, start) for graph in fields(model, 0, len(model)) if graph[0] == 7
           for tensor in fields(model, *graph[1:]) if tensor[0] == 5
           for number, start, end in fields(model, *tensor[1:]) if number == 9]
    for size, start in raw:
        if size > 1000:
            model[start:start + size // 8] = bytes(size // 8)
    file = tmp_path / "dulled.onnx"
    file.write_bytes(model)
    return file


def test_a_worse_model_is_found_out_with_and_without_labels(tmp_path):
    dulled = dulled_model(tmp_path)
    ours = andon_json("compare", MODEL, dulled, "--images", IMAGES, "--labels", LABELS, "--runs", 3,
                      "--max-map-drop", 0.01, "--min-similarity", 0.99, "--report", tmp_path,
                      code=GATE)
    assert ours["mAPDrop"] > 0.01
    assert ours["agreement"]["similarity"] < 0.99
    assert len(ours["gate"]["reasons"]) == 2 and ours["gate"]["held"] is False
    assert ours["mostDifferentImages"]
    page = Page((tmp_path / "report.html").read_text())
    assert page.fetched == [] and page.tags.count("image") >= 1
    plain = andon("compare", MODEL, dulled, "--images", IMAGES, "--runs", 3).stdout
    assert "mAP" not in plain and re.search(r"^similarity 0\.\d+", plain, re.MULTILINE)
