#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes dashboard.json, Grafana's dashboard of a plant, beside this file."""
import json
from pathlib import Path

ROWS = [
    ("Fleet", [
        ("Devices", "stat", [("{{status}}", "andon_core_devices"),
                             ("silent for a day", "andon_core_devices_silent")], "short"),
        ("Current deployments", "stat", [("{{status}}", "andon_deployment_devices > 0")], "short"),
        ("Certificates that end within 30 days", "stat", [("", "andon_certificates_ending")], "short"),
        ("Disk of the server that is free", "gauge",
         [("", "andon_data_free_bytes / andon_data_size_bytes")], "percentunit")]),
    ("Lines", [
        ("Parts a second", "timeseries",
         [("{{instance}}", "sum by (instance) (rate(andon_inspect_frames_total[5m]))")], "short"),
        ("Rejected", "timeseries",
         [("{{instance}}",
           'sum by (instance) (rate(andon_inspect_verdicts_total{verdict="NG"}[15m])) / '
           "sum by (instance) (rate(andon_inspect_verdicts_total[15m]))")], "percentunit"),
        ("Inference, 99 of 100 below", "timeseries",
         [("{{instance}}", "histogram_quantile(0.99, sum by (instance, le) "
           '(rate(andon_inspect_stage_seconds_bucket{stage="inference"}[5m])))')], "s"),
        ("Found, by class", "timeseries",
         [("{{class}}", "sum by (class) (rate(andon_inspect_detections_total[5m]))")], "short"),
        ("Uploads for labelling", "timeseries",
         [("{{reason}} {{outcome}}",
           "sum by (reason, outcome) (increase(andon_inspect_uploads_total[1h]))")], "short"),
        ("Model in use", "table",
         [("{{instance}}", "andon_inspect_model_info")], "short")]),
    ("Server", [
        ("Results a second", "timeseries",
         [("{{outcome}}", "sum by (outcome) (rate(andon_results_total[5m]))")], "short"),
        ("Executions ended in an hour", "timeseries",
         [("{{status}}", "sum by (status) (increase(andon_workflow_executions_ended_total[1h]))")],
         "short"),
        ("Executions running", "timeseries",
         [("{{type}}", "andon_workflow_executions_running")], "short"),
        ("A commit, 99 of 100 below", "timeseries",
         [("results", "histogram_quantile(0.99, rate(andon_results_commit_seconds_bucket[5m]))"),
          ("workflows", "histogram_quantile(0.99, rate(andon_workflow_commit_seconds_bucket[5m]))"),
          ("audit", "histogram_quantile(0.99, rate(andon_audit_commit_seconds_bucket[5m]))")], "s"),
        ("Refused by the broker, a second", "timeseries",
         [("{{what}}", "rate(andon_broker_refused_total[5m])")], "short"),
        ("Jobs", "timeseries", [("running", "andon_jobs_running"),
                                ("waiting", "andon_jobs_waiting")], "short")]),
]
SOURCE = {"type": "prometheus", "uid": "${source}"}
WIDTH, HEIGHT, COLUMNS = 8, 8, 24


def panel(number, place, title, kind, queries, unit):
    shown = {"id": number, "title": title, "type": kind, "datasource": SOURCE, "gridPos": place,
             "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
             "targets": [{"refId": chr(ord("A") + at), "datasource": SOURCE, "expr": expression,
                          "legendFormat": legend, "instant": kind in ("stat", "gauge", "table")}
                         for at, (legend, expression) in enumerate(queries)]}
    if unit == "percentunit":
        shown["fieldConfig"]["defaults"]["max"] = 1
    return shown


def dashboard():
    panels, top, number = [], 0, 0
    for title, content in ROWS:
        number += 1
        panels.append({"id": number, "title": title, "type": "row", "collapsed": False, "panels": [],
                       "gridPos": {"x": 0, "y": top, "w": COLUMNS, "h": 1}})
        top, left = top + 1, 0
        for of_panel in content:
            number += 1
            if left + WIDTH > COLUMNS:
                top, left = top + HEIGHT, 0
            panels.append(panel(number, {"x": left, "y": top, "w": WIDTH, "h": HEIGHT}, *of_panel))
            left += WIDTH
        top += HEIGHT
    return {"uid": "andon", "title": "andon", "tags": ["andon"], "schemaVersion": 39, "version": 1,
            "editable": True, "refresh": "30s", "timezone": "browser",
            "time": {"from": "now-6h", "to": "now"}, "panels": panels,
            "templating": {"list": [{"name": "source", "type": "datasource", "query": "prometheus",
                                     "label": "Prometheus"}]}}


if __name__ == "__main__":
    path = Path(__file__).with_name("dashboard.json")
    path.write_text(json.dumps(dashboard(), indent=1) + "\n", encoding="utf-8")
