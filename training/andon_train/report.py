# SPDX-License-Identifier: Apache-2.0
"""The report of a run: report.json, and report.html with everything inside it."""
import base64
import html
import json
from pathlib import Path

import cv2
import numpy as np

from . import metrics

WORST_SHOWN = 8
_COLOURS = ("#2563eb", "#dc2626", "#059669", "#d97706")


def _line_chart(title, series, x_label, y_max=None):
    """series: name -> list of (x, y). An inline SVG."""
    points = [p for line in series.values() for p in line]
    if not points:
        return ""
    x_low, x_high = min(p[0] for p in points), max(p[0] for p in points)
    y_high = y_max or max(p[1] for p in points) * 1.05 or 1
    width, left, top, plot, height = 460, 44, 30, 200, 278

    def place(x, y):
        across = (x - x_low) / max(x_high - x_low, 1e-9) * (width - left - 12)
        return f"{left + across:.1f},{plot * (1 - y / y_high) + top:.1f}"

    parts = [f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img">',
             f'<text x="{left}" y="16" class="t">{html.escape(title)}</text>']
    for share in (0, 0.5, 1):
        x = x_low + share * (x_high - x_low)
        at = place(x, 0).split(",")[0]
        parts.append(f'<text x="{at}" y="{top + plot + 16}" class="x">{x:.3g}</text>')
    for share in (0, 0.25, 0.5, 0.75, 1):
        at = place(x_low, share * y_high).split(",")[1]
        parts.append(f'<line x1="{left}" x2="{width - 12}" y1="{at}" y2="{at}" class="g"/>'
                     f'<text x="{left - 6}" y="{at}" class="a">{share * y_high:.2g}</text>')
    for (name, line), colour in zip(series.items(), _COLOURS * 4):
        path = " ".join(place(x, y) for x, y in line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}"'
                     f' stroke-width="1.6"><title>{html.escape(name)}</title></polyline>')
    legend = "  ".join(f'<tspan fill="{c}">{html.escape(n)}</tspan>'
                       for n, c in zip(series, _COLOURS * 4))
    parts.append(f'<text x="{left}" y="{height - 8}">{html.escape(x_label)} &#160; {legend}</text>')
    return "".join(parts) + "</svg>"


def _picture(sample, found, names, confidence):
    image = sample.image.copy()
    for x1, y1, x2, y2 in sample.boxes:
        cv2.rectangle(image, (int(x1), int(y1)), (int(x2), int(y2)), (0, 200, 0), 1)
    for x1, y1, x2, y2, score, label in found[found[:, 4] > confidence]:
        cv2.rectangle(image, (int(x1), int(y1)), (int(x2), int(y2)), (0, 0, 255), 1)
        cv2.putText(image, f"{names[int(label)]} {score:.2f}", (int(x1), max(10, int(y1) - 3)),
                    cv2.FONT_HERSHEY_SIMPLEX, 0.38, (0, 0, 255), 1, cv2.LINE_AA)
    encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()
    return base64.b64encode(encoded).decode()


def _errors(sample, found, confidence):
    """Objects missed plus detections that hit nothing, classes taken apart."""
    wrong = 0
    for c in np.unique(np.concatenate((sample.labels, found[:, 5].astype(int)))):
        truth = sample.boxes[sample.labels == c].astype(np.float64)
        of_class = found[(found[:, 5] == c) & (found[:, 4] > confidence)]
        hits = int(metrics.match(of_class, truth, 0.5).sum())
        wrong += len(truth) - hits + len(of_class) - hits
    return wrong


def write(out, title, results, worst_of, log, facts):
    """results: set name -> evaluation. worst_of: (dataset, detections, confidence)."""
    out = Path(out)
    report = {"title": title, "facts": facts, "results": results}
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")

    charts = []
    if log:
        charts.append(_line_chart("Training loss", {
            k: [(row["epoch"], row[k]) for row in log if k in row]
            for k in ("box", "cls", "dfl")}, "epoch"))
        charts.append(_line_chart("Validation", {
            k: [(row["epoch"], row[k]) for row in log if k in row]
            for k in ("mAP50", "mAP50_95")}, "epoch", 1.0))
    charts.append(_line_chart("Precision over recall, IoU 0.5", {
        f"{name}: {c}": list(zip(np.linspace(0, 1, 101), curve))
        for name, result in results.items()
        for c, curve in result["precision_at_recall"].items()}, "recall", 1.0))

    rows = "".join(
        f"<tr><td>{html.escape(name)}</td><td>{html.escape(c)}</td>"
        + "".join(f"<td>{row[k]:.3f}</td>" for k in ("mAP50", "mAP50_95", "precision", "recall"))
        + f"<td>{row['objects']}</td></tr>"
        for name, result in results.items() for c, row in result["classes"].items())
    dataset, detections, confidence = worst_of
    order = sorted(range(len(dataset)), reverse=True,
                   key=lambda i: _errors(dataset.samples[i], detections[i], confidence))
    pictures = "".join(
        f'<figure><img src="data:image/jpeg;base64,'
        f'{_picture(dataset.samples[i], detections[i], dataset.names, confidence)}">'
        f"<figcaption>{html.escape(dataset.samples[i].path.name)}: "
        f"{_errors(dataset.samples[i], detections[i], confidence)} wrong</figcaption></figure>"
        for i in order[:WORST_SHOWN])
    listed = "".join(f"<li>{html.escape(str(k))}: {html.escape(str(v))}</li>"
                     for k, v in facts.items())
    (out / "report.html").write_text(f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>
<style>
body{{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:62rem;padding:0 1rem}}
table{{border-collapse:collapse}}td,th{{padding:.2rem .7rem;border-bottom:1px solid #ddd}}
svg text{{font:11px sans-serif}}svg .t{{font-size:13px;font-weight:600}}
svg .a{{text-anchor:end}}svg .x{{text-anchor:middle}}svg .g{{stroke:#ddd}}
figure{{display:inline-block;margin:.4rem}}figcaption{{font-size:12px}}
</style>
<h1>{html.escape(title)}</h1>
<table><tr><th>Set<th>Class<th>mAP50<th>mAP50-95<th>Precision<th>Recall<th>Objects</tr>
{rows}</table>
<p>Precision and recall are at confidence {confidence}, IoU 0.5.</p>
{"".join(charts)}
<h2>The images with most errors</h2>
<p>Green: labelled. Red: found.</p>
{pictures}
<h2>How it was made</h2><ul>{listed}</ul></html>
""", encoding="utf-8")
