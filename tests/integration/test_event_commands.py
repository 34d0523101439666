# SPDX-License-Identifier: Apache-2.0
"""andon rule, schedule and webhook: make, show, switch, try and delete, for people and for scripts."""
import json
import subprocess

import pytest

from functions import make_role
from harness import Server, program, wait_until

GROUP = "arn:aws:logs:us-east-1:000000000000:log-group:events"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("commands") / "data") as running:
        running.aws("logs").create_log_group(logGroupName="events")
        yield running


@pytest.fixture
def andon(server):
    def run(*words):
        return subprocess.run([program("andon"), *words, "--data", server.data], capture_output=True, text=True,
                              timeout=60)
    return run


def test_a_rule_is_made_shown_switched_and_deleted(server, andon, tmp_path):
    pattern = tmp_path / "pattern.json"
    pattern.write_text('{"source": ["plant"]}')
    made = andon("rule", "create", "plant", "--pattern", f"@{pattern}", "--target", GROUP, "--description", "for people")
    assert made.returncode == 0, made.stderr
    assert made.stdout == "arn:aws:events:us-east-1:000000000000:rule/plant\n"
    assert "plant" in andon("rule", "list").stdout and '{"source": ["plant"]}' in andon("rule", "list").stdout
    shown = andon("rule", "show", "plant").stdout
    assert GROUP in shown and "ENABLED" in shown and "for people" in shown
    told = json.loads(andon("rule", "show", "plant", "--json").stdout)
    assert told["Targets"] == [{"Id": "target-1", "Arn": GROUP}]
    assert andon("rule", "disable", "plant").returncode == 0
    assert json.loads(andon("rule", "list", "--json").stdout)[0]["State"] == "DISABLED"
    assert andon("rule", "enable", "plant").returncode == 0
    server.aws("events").put_events(Entries=[{"Source": "plant", "DetailType": "t", "Detail": "{}"}])
    wait_until(lambda: "DELIVERED" in andon("rule", "deliveries", "plant").stdout, "the delivery")
    assert andon("rule", "delete", "plant").returncode == 0
    assert andon("rule", "show", "plant").returncode == 6
    assert andon("rule", "list").stdout == ""


def test_a_rule_that_cannot_have_its_target_is_not_left_behind(andon):
    refused = andon("rule", "create", "half", "--pattern", '{"source": ["x"]}', "--target", "arn:aws:sqs:us-east-1:000000000000:q")
    assert refused.returncode != 0 and "sqs" in refused.stderr, refused.stderr
    assert andon("rule", "show", "half").returncode == 6
    both = andon("rule", "create", "half", "--pattern", "{}", "--schedule", "rate(1 hour)", "--target", GROUP)
    assert both.returncode == 3 and "--schedule" in both.stderr
    assert andon("rule", "create", "half", "--pattern", '{"source": 1}', "--target", GROUP).returncode == 3


def test_a_pattern_is_tried(andon):
    event = json.dumps({"id": "1", "account": "0" * 12, "source": "a", "time": "2026-01-01T00:00:00Z",
                        "region": "us-east-1", "resources": [], "detail-type": "t", "detail": {"n": 3}})
    fits = andon("rule", "test", "--pattern", '{"detail": {"n": [{"numeric": [">", 2]}]}}', "--event", event)
    assert (fits.returncode, fits.stdout) == (0, "matches\n")
    other = andon("rule", "test", "--pattern", '{"detail": {"n": [4]}}', "--event", event)
    assert (other.returncode, other.stdout) == (1, "does not match\n")
    assert json.loads(andon("rule", "test", "--pattern", '{"source": ["a"]}', "--event", event, "--json").stdout) == {"Result": True}


def test_a_schedule_is_made_shown_switched_and_deleted(server, andon):
    role = make_role(server, "planner", {"Effect": "Allow", "Action": "logs:*", "Resource": "*"},
                     service="scheduler.amazonaws.com")
    made = andon("schedule", "create", "nightly", "cron(30 2 * * ? *)", "--zone", "Europe/Berlin", "--target", GROUP,
                 "--role", role, "--input", '{"a": 1}')
    assert made.returncode == 0 and made.stdout.endswith("schedule/default/nightly\n"), made.stderr
    assert "cron(30 2 * * ? *) Europe/Berlin" in andon("schedule", "list").stdout
    told = json.loads(andon("schedule", "show", "nightly", "--json").stdout)
    assert told["Target"]["Input"] == '{"a": 1}' and told["State"] == "ENABLED"
    assert andon("schedule", "disable", "nightly").returncode == 0
    after = json.loads(andon("schedule", "show", "nightly", "--json").stdout)
    assert after["State"] == "DISABLED" and after["Target"] == told["Target"]
    assert after["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert andon("schedule", "enable", "nightly").returncode == 0
    assert "Europe/Berlin" in andon("schedule", "show", "nightly").stdout
    assert andon("schedule", "create", "nightly", "rate(1 hour)", "--target", GROUP, "--role", role).returncode == 7
    assert andon("schedule", "create", "other", "rate(0 hours)", "--target", GROUP, "--role", role).returncode == 3
    assert andon("schedule", "delete", "nightly").returncode == 0
    assert andon("schedule", "delete", "nightly").returncode == 6


def test_webhooks_are_added_listed_and_removed(andon):
    made = json.loads(andon("webhook", "add", "plant", "--json").stdout)
    assert made["path"] == "/hooks/plant" and len(made["secret"]) >= 32
    assert "/hooks/plant" in andon("webhook", "list").stdout
    assert [one["name"] for one in json.loads(andon("webhook", "list", "--json").stdout)] == ["plant"]
    assert andon("webhook", "add", "plant", "--secret", "short").returncode == 3
    assert andon("webhook", "remove", "plant").returncode == 0
    assert andon("webhook", "remove", "plant").returncode == 6


@pytest.mark.parametrize("noun", ["rule", "schedule", "webhook", "repository"])
def test_each_command_has_help(andon, noun):
    shown = subprocess.run([program("andon"), noun, "--help"], capture_output=True, text=True, timeout=60)
    assert shown.returncode == 0 and "list" in shown.stdout
