# SPDX-License-Identifier: Apache-2.0
"""CloudWatch Logs as boto3 and `aws logs tail` use it."""
import time

import pytest

from aws_client import code_and_message
from harness import Server, checked


@pytest.fixture
def logs(server):
    return checked(server.aws("logs"))


@pytest.fixture
def group(logs, fresh):
    name = "/plant/" + fresh("group")
    logs.create_log_group(logGroupName=name)
    return name


def now_ms():
    return int(time.time() * 1000)


def put(logs, group, stream, *messages, create=True, start=None):
    if create:
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
    start = start or now_ms() - len(messages)
    return logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[
        {"timestamp": start + i, "message": text} for i, text in enumerate(messages)])


def listed(logs, operation, member, **arguments):
    pages = logs.get_paginator(operation).paginate(**arguments,
                                                   PaginationConfig={"PageSize": 2})
    return [item for page in pages for item in page.get(member, [])]


def test_groups_are_made_listed_and_deleted(logs, fresh):
    prefix = "/" + fresh("plant") + "/"
    names = [prefix + x for x in ("a", "b", "c", "d", "e")]
    for name in names:
        logs.create_log_group(logGroupName=name, tags={"line": "1"})
    found = listed(logs, "describe_log_groups", "logGroups", logGroupNamePrefix=prefix)
    assert [g["logGroupName"] for g in found] == names
    one = found[0]
    assert one["arn"].endswith(f":log-group:{names[0]}:*") and one["storedBytes"] == 0
    assert one["logGroupArn"] + ":*" == one["arn"] and one["logGroupClass"] == "STANDARD"
    assert "retentionInDays" not in one and abs(one["creationTime"] - now_ms()) < 60_000
    assert [g["logGroupName"] for g in logs.describe_log_groups(
        logGroupNamePattern=prefix.upper() + "B")["logGroups"]] == [names[1]]
    assert code_and_message(logs.create_log_group, logGroupName=names[0])[0] == (
        "ResourceAlreadyExistsException")
    logs.delete_log_group(logGroupName=names[0])
    assert code_and_message(logs.delete_log_group, logGroupName=names[0])[0] == "ResourceNotFoundException"


def test_retention_and_tags_are_kept(logs, group):
    logs.put_retention_policy(logGroupName=group, retentionInDays=30)
    [told] = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert told["retentionInDays"] == 30
    logs.delete_retention_policy(logGroupName=group)
    [told] = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert "retentionInDays" not in told
    code, message = code_and_message(logs.put_retention_policy, logGroupName=group, retentionInDays=31)
    assert code == "InvalidParameterException" and "Value '31' at 'retentionInDays'" in message
    arn = told["logGroupArn"]
    logs.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
    logs.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}
    logs.tag_log_group(logGroupName=group, tags={"c": "3"})
    logs.untag_log_group(logGroupName=group, tags=["b"])
    assert logs.list_tags_log_group(logGroupName=group)["tags"] == {"c": "3"}


def test_streams_are_listed_in_pages(logs, group):
    for i in range(5):
        put(logs, group, f"run-{4 - i}", f"line {i}")
    logs.create_log_stream(logGroupName=group, logStreamName="other")
    found = listed(logs, "describe_log_streams", "logStreams", logGroupName=group,
                   logStreamNamePrefix="run-")
    assert [s["logStreamName"] for s in found] == [f"run-{i}" for i in range(5)]
    assert found[0]["arn"].endswith(f"{group}:log-stream:run-0")
    assert found[0]["firstEventTimestamp"] == found[0]["lastEventTimestamp"]
    newest = listed(logs, "describe_log_streams", "logStreams", logGroupName=group,
                    orderBy="LastEventTime", descending=True)
    assert [s["logStreamName"] for s in newest][:2] == ["run-0", "run-1"]
    assert newest[-1]["logStreamName"] == "other" and "lastEventTimestamp" not in newest[-1]
    logs.delete_log_stream(logGroupName=group, logStreamName="other")
    assert len(listed(logs, "describe_log_streams", "logStreams", logGroupName=group)) == 5


def test_a_stream_is_read_from_either_end_and_followed(logs, group):
    put(logs, group, "s", *[f"line {i}" for i in range(10)])

    def page(**more):
        answer = logs.get_log_events(logGroupName=group, logStreamName="s", limit=4, **more)
        return [e["message"] for e in answer["events"]], answer
    texts, answer = page()
    assert texts == ["line 6", "line 7", "line 8", "line 9"]
    texts, answer = page(nextToken=answer["nextBackwardToken"])
    assert texts == ["line 2", "line 3", "line 4", "line 5"]
    texts, answer = page(startFromHead=True)
    assert texts == ["line 0", "line 1", "line 2", "line 3"]
    while texts:
        token = answer["nextForwardToken"]
        texts, answer = page(nextToken=token)
    assert answer["nextForwardToken"] == token  # the end
    put(logs, group, "s", "more", create=False, start=now_ms() + 1000)
    assert page(nextToken=token)[0] == ["more"]


def test_a_group_is_searched_in_pages(logs, group):
    for stream in ("a", "b"):
        put(logs, group, stream, *[f'{{"level": "{level}", "n": {i}}}'
                                   for i in range(4) for level in ("INFO", "ERROR")])
    found = listed(logs, "filter_log_events", "events", logGroupName=group,
                   filterPattern='{ $.level = "ERROR" && $.n >= 2 }')
    assert sorted((e["logStreamName"], e["message"][-2]) for e in found) == [
        ("a", "2"), ("a", "3"), ("b", "2"), ("b", "3")]
    assert len({e["eventId"] for e in found}) == 4
    assert [e["timestamp"] for e in found] == sorted(e["timestamp"] for e in found)
    assert len(listed(logs, "filter_log_events", "events", logGroupName=group,
                      logStreamNames=["b"], filterPattern="ERROR")) == 4
    code, message = code_and_message(logs.filter_log_events, logGroupName=group, filterPattern="{ $.a = }")
    assert code == "InvalidParameterException" and "at character 9" in message


def test_lines_out_of_their_time_are_told_by_their_place(logs, group):
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    day = 86_400_000
    told = logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[
        {"timestamp": now_ms() - 14 * day - 1000, "message": "too old"},
        {"timestamp": now_ms() - 14 * day + 60_000, "message": "in time"}])
    assert told["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    told = put(logs, group, "s", "fine", create=False)
    assert "rejectedLogEventsInfo" not in told and told["nextSequenceToken"]
    told = put(logs, group, "s", "too new", create=False, start=now_ms() + 3 * 3_600_000)
    assert told["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 0}


def test_what_is_wrong_with_a_request_is_said_as_aws_says_it(logs, group):
    assert code_and_message(logs.create_log_group, logGroupName="a b")[0] == "InvalidParameterException"
    assert code_and_message(logs.create_log_group, logGroupName="x" * 513)[0] == "InvalidParameterException"
    assert code_and_message(logs.create_log_group, logGroupName=group + "/k", kmsKeyId="arn:aws:kms:::k")[
        0] == "InvalidParameterException"
    assert code_and_message(logs.create_log_stream, logGroupName=group, logStreamName="a:b")[0] == (
        "InvalidParameterException")
    put(logs, group, "s", "line")
    code, message = code_and_message(logs.describe_log_streams, logGroupName=group, limit=51)
    assert code == "InvalidParameterException"
    assert "Value '51' at 'limit' failed to satisfy constraint" in message
    assert code_and_message(logs.put_log_events, logGroupName=group, logStreamName="s", logEvents=[
        {"timestamp": now_ms(), "message": "b"}, {"timestamp": now_ms() - 10, "message": "a"}]) == (
            "InvalidParameterException",
            "Log events in a single PutLogEvents request must be in chronological order.")
    assert code_and_message(put, logs, group, "none", "line", create=False)[0] == (
        "ResourceNotFoundException")
    code, message = code_and_message(logs.get_log_events, logGroupName=group, logStreamName="none")
    assert code == "ResourceNotFoundException"
    assert message.startswith("The specified log stream does not exist")
    for token in ("x", "f/123"):
        assert code_and_message(logs.get_log_events, logGroupName=group, logStreamName="s",
                       nextToken=token) == ("InvalidParameterException",
                                            "The specified nextToken is invalid.")


def test_a_group_is_tailed_as_the_cli_does_it(logs, group):
    """`aws logs tail --follow`: pages from a time on, what was seen is told by its eventId."""
    put(logs, group, "s", "first", "second")
    seen, start = [], now_ms() - 60_000

    def look():
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, interleaved=True, startTime=start)
        known = {e["eventId"] for e in seen}
        seen.extend(e for page in pages for e in page["events"] if e["eventId"] not in known)
        return [e["message"] for e in seen]
    assert look() == ["first", "second"]
    start = seen[-1]["timestamp"]
    put(logs, group, "t", "third", start=now_ms() + 5)
    assert look() == ["first", "second", "third"]


def test_logs_outlive_a_killed_server(tmp_path):
    with Server(tmp_path / "data") as server:
        logs = server.aws("logs")
        logs.create_log_group(logGroupName="g")
        put(logs, "g", "s", "kept")
        server.kill()
        server.start()
        events = server.aws("logs").get_log_events(logGroupName="g", logStreamName="s")["events"]
        assert [e["message"] for e in events] == ["kept"]
