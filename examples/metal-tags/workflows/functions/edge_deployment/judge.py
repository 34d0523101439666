# SPDX-License-Identifier: Apache-2.0
"""The QA stage's verdict: what the devices found in the golden pictures, out of the server's store
of results, held against what the model's report promises.

Each device that looks at the golden pictures names them RUN/picture.jpg, so that its results are
those of this run. The truth about them lies in the same archive that the devices have."""
import io
import json
import zipfile

import api

MOST_PAGES = 10  # of 1,000 results: golden pictures are among the newest of their device


def golden_truth(component, artifact):
    """{picture: [(label, box)]}, crowds left out."""
    answer = json.loads(api.get(
        "greengrass", f"/greengrass/v2/components/{api.quoted(component)}/artifacts/{artifact}"))
    with zipfile.ZipFile(io.BytesIO(api.get_presigned(answer["preSignedUrl"]))) as archive:
        coco = json.loads(archive.read("annotations.json"))
    labels = {category["id"]: category["name"] for category in coco["categories"]}
    names = {image["id"]: image["file_name"] for image in coco["images"]}
    truth = {name: [] for name in names.values()}
    for one in coco["annotations"]:
        if not one.get("iscrowd"):
            truth[names[one["image_id"]]].append((labels[one["category_id"]], one["bbox"]))
    return truth


def promise_of(report):
    """What a report says of its model at the confidence of devices: one of `andon model eval`, or of
    the trainer (which has one set of figures a data set; that of the golden pictures counts, or the
    first)."""
    if "atConfidence" in report:
        return report["atConfidence"]
    sets = report["results"]
    return sets.get("golden") or next(iter(sets.values()))


def results_of(thing, run, wanted):
    """{picture: message} of this run, as far as the device's results are here."""
    found, token = {}, None
    for _ in range(MOST_PAGES):
        query = {"thing": thing, "includeMessages": "true", "maxResults": "1000"}
        if token:
            query["nextToken"] = token
        page = json.loads(api.get("andon", "/andon/v1/results", query))
        for result in page["results"]:
            run_of, _, picture = result["image"].partition("/")
            if run_of == run and picture in wanted and "message" in result:
                found.setdefault(picture, result["message"])
        token = page.get("nextToken")
        if not token or len(found) == len(wanted):
            break
    return found


def overlap(a, b):
    """Intersection over union of two boxes [x, y, width, height]."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def count(detections, objects, confidence, least_overlap):
    """(right, wrong, missed), the surest finding first, each object once."""
    left, right, wrong = list(objects), 0, 0
    for one in sorted(detections, key=lambda d: -d["confidence"]):
        if one["confidence"] <= confidence:
            continue
        mine = [(overlap(one["box"], box), index) for index, (label, box) in enumerate(left)
                if label == one["label"]]
        best, index = max(mine, default=(0.0, -1))
        if best >= least_overlap:
            left.pop(index)
            right += 1
        else:
            wrong += 1
    return right, wrong, len(left)


def share(part, other):
    """Nothing found, or nothing there: no mistake was made."""
    return part / (part + other) if part + other else 1.0


def rates(messages, truth, confidence, least_overlap):
    totals = [0, 0, 0]
    for picture, message in messages.items():
        for index, number in enumerate(count(message["detections"], truth[picture], confidence,
                                             least_overlap)):
            totals[index] += number
    right, wrong, missed = totals
    return {"precision": share(right, wrong), "recall": share(right, missed)}


def problem_of(thing, messages, model):
    """What makes figures pointless."""
    for picture, message in sorted(messages.items()):
        if "error" in message:
            return f"{thing} could not look at {picture}: {message['error']['message']}"
        used = (message["model"]["component"], message["model"]["version"])
        if used != (model["Component"], model["Version"]):
            return f"{thing} looked at {picture} with {used[0]} {used[1]}, which is another model"
    return None


def verdict(passed, reason, figures):
    return {"Complete": True, "Passed": passed, "Reason": reason, "Figures": figures}


def judge(found, truth, promise, event):
    """`found`: {thing: {picture: message}}, all of them there."""
    figures = {"qa.pictures": str(len(truth)), "qa.devices": " ".join(sorted(found))[:256]}
    for thing, messages in sorted(found.items()):
        problem = problem_of(thing, messages, event["Model"])
        if problem:
            return verdict(False, problem, figures)
    if promise is None:
        return verdict(True, f"each of {len(truth)} golden pictures was looked at; the model has no "
                             "report that promises more", figures)
    confidence, tolerance = promise.get("confidence", 0.25), event["Tolerance"]
    if confidence < event["Confidence"]:
        return verdict(False, f"the report is of findings above {confidence}, devices tell of those "
                              f"above {event['Confidence']}", figures)
    reason = []
    for thing, messages in sorted(found.items()):
        measured = rates(messages, truth, confidence, promise.get("iou", 0.5))
        for name, value in measured.items():
            promised = promise.get(name)
            if promised is None:
                continue
            figures[f"qa.{name}"] = min(figures.get(f"qa.{name}", "1.0000"), f"{value:.4f}")
            figures[f"qa.promised-{name}"] = f"{promised:.4f}"
            if value < promised - tolerance:
                reason.append(f"{name} on {thing} is {value:.3f}, the report promises "
                              f"{promised:.3f} (tolerance {tolerance})")
    if reason:
        return verdict(False, "; ".join(reason), figures)
    return verdict(True, f"{len(truth)} golden pictures on {', '.join(sorted(found))}: as the report "
                         "promises", figures)


def handler(event, _context):
    golden = event["Golden"]
    truth = golden_truth(golden["Component"], golden["Artifact"])
    found = {thing: results_of(thing, event["Run"], truth) for thing in event["Things"]}
    missing = {thing: len(truth) - len(messages) for thing, messages in found.items()
               if len(messages) < len(truth)}
    if missing:
        told = ", ".join(f"{number} of {thing}" for thing, number in sorted(missing.items()))
        return {"Complete": False, "Passed": False, "Figures": {},
                "Reason": f"of {len(truth)} golden pictures results are missing: {told}"}
    promise = None
    if event["Report"]:
        where = event["Report"]
        report = json.loads(api.get("s3", f"/{where['Bucket']}/{api.quoted(where['Key'], '/')}"))
        promise = promise_of(report)
    return judge(found, truth, promise, event)
