# SPDX-License-Identifier: Apache-2.0
"""Jobs of AWS IoT: the operator by boto3, devices with the iotjobs client of awsiotsdk."""
import concurrent.futures
import datetime
import json

import pytest

from aws_client import status_and_code
from harness import Server, wait_until

pytest.importorskip("awsiot", reason="needs awsiotsdk")
from awscrt import mqtt  # noqa: E402
from awsiot import iotjobs, mqtt_connection_builder  # noqa: E402


@pytest.fixture(scope="module")
def iot(server):
    return server.aws("iot")


def arn(kind, name):
    return f"arn:aws:iot:us-east-1:000000000000:{kind}/{name}"


def things(iot, fresh, count):
    names = sorted(fresh("dev") for _ in range(count))
    for name in names:
        iot.create_thing(thingName=name)
    return names


def group_of(iot, fresh, names):
    group = fresh("group")
    iot.create_thing_group(thingGroupName=group)
    for name in names:
        iot.add_thing_to_thing_group(thingGroupName=group, thingName=name)
    return group


def make(iot, fresh, targets, document=None, **more):
    name = fresh("job")
    iot.create_job(jobId=name, targets=targets, document=json.dumps(document or {"do": "it"}),
                   **more)
    return name


def details(iot, job):
    return iot.describe_job(jobId=job)["job"]["jobProcessDetails"]


def minute(**ahead):
    """As schedulingConfig has it."""
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**ahead)
    return moment.strftime("%Y-%m-%dT%H:%M")


class JobDevice:
    """A device of the unmodified iotjobs client."""

    def __init__(self, device):
        self.thing = device.thing
        connection = mqtt_connection_builder.mtls_from_path(
            endpoint="localhost", port=device.server.info["mqtt"]["port"],
            cert_filepath=str(device.certificate), pri_key_filepath=str(device.key),
            ca_filepath=str(device.server.ca_file), client_id=device.thing, clean_session=True)
        connection.connect().result(30)
        self.connection = connection
        self.client = iotjobs.IotJobsClient(connection)
        self.told = []
        future, _ = self.client.subscribe_to_next_job_execution_changed_events(
            iotjobs.NextJobExecutionChangedSubscriptionRequest(thing_name=self.thing),
            mqtt.QoS.AT_LEAST_ONCE, self.told.append)
        future.result(30)

    def ask(self, name, subscription, request):
        answer = concurrent.futures.Future()

        def refuse(error):
            answer.set_exception(RuntimeError(f"{error.code} {error.message}"))
        for suffix, act in (("accepted", answer.set_result), ("rejected", refuse)):
            subscribe = getattr(self.client, f"subscribe_to_{name}_{suffix}")
            future, _ = subscribe(subscription, mqtt.QoS.AT_LEAST_ONCE, act)
            future.result(30)
        getattr(self.client, f"publish_{name}")(request, mqtt.QoS.AT_LEAST_ONCE).result(30)
        return answer.result(30)

    def pending(self):
        return self.ask("get_pending_job_executions",
                        iotjobs.GetPendingJobExecutionsSubscriptionRequest(thing_name=self.thing),
                        iotjobs.GetPendingJobExecutionsRequest(thing_name=self.thing))

    def start_next(self, **details):
        return self.ask(
            "start_next_pending_job_execution",
            iotjobs.StartNextPendingJobExecutionSubscriptionRequest(thing_name=self.thing),
            iotjobs.StartNextPendingJobExecutionRequest(
                thing_name=self.thing, status_details=details or None)).execution

    def describe(self, job):
        return self.ask("describe_job_execution",
                        iotjobs.DescribeJobExecutionSubscriptionRequest(
                            thing_name=self.thing, job_id=job),
                        iotjobs.DescribeJobExecutionRequest(
                            thing_name=self.thing, job_id=job,
                            include_job_document=True)).execution

    def update(self, job, status, **more):
        return self.ask("update_job_execution",
                        iotjobs.UpdateJobExecutionSubscriptionRequest(
                            thing_name=self.thing, job_id=job),
                        iotjobs.UpdateJobExecutionRequest(
                            thing_name=self.thing, job_id=job, status=status,
                            include_job_execution_state=True, **more))


@pytest.fixture
def device(server, fresh, tmp_path):
    made = JobDevice(server.device(fresh("dev"), tmp_path))
    yield made
    made.connection.disconnect().result(30)


def test_an_agent_of_the_device_sdk_works_off_its_jobs(iot, fresh, device):
    first = make(iot, fresh, [arn("thing", device.thing)], {"step": 1})
    second = make(iot, fresh, [arn("thing", device.thing)], {"step": 2})
    wait_until(lambda: any(told.execution and told.execution.job_id == first
                           for told in device.told), "the device being told")
    wait_until(lambda: len(device.pending().queued_jobs) == 2, "both being there")
    begun = device.start_next(progress="10")
    assert (begun.job_id, begun.status, begun.job_document) == (first, "IN_PROGRESS", {"step": 1})
    assert [one.job_id for one in device.pending().in_progress_jobs] == [first]
    answer = device.update(first, "SUCCEEDED", status_details={"done": "yes"})
    assert answer.execution_state.status == "SUCCEEDED"
    with pytest.raises(RuntimeError, match="TerminalStateReached|InvalidStateTransition"):
        device.update(first, "FAILED")
    wait_until(lambda: any(told.execution and told.execution.job_id == second
                           for told in device.told), "the next job being told")
    assert device.describe(second).job_document == {"step": 2}
    execution = iot.describe_job_execution(jobId=first, thingName=device.thing)["execution"]
    assert (execution["status"], execution["statusDetails"]["detailsMap"]) \
        == ("SUCCEEDED", {"done": "yes"})
    wait_until(lambda: iot.describe_job(jobId=first)["job"]["status"] == "COMPLETED", "its end")
    assert details(iot, first)["numberOfSucceededThings"] == 1
    with pytest.raises(RuntimeError, match="ResourceNotFound"):
        device.describe("no-such-job")


def test_a_job_is_described_and_listed_as_with_aws(iot, fresh):
    names = things(iot, fresh, 3)
    group = group_of(iot, fresh, names)
    job = make(iot, fresh, [arn("thinggroup", group)], {"a": 1}, description="try",
               timeoutConfig={"inProgressTimeoutInMinutes": 5},
               tags=[{"Key": "k", "Value": "v"}])
    described = iot.describe_job(jobId=job)["job"]
    assert (described["jobArn"], described["description"], described["targetSelection"],
            described["timeoutConfig"]) == (
        arn("job", job), "try", "SNAPSHOT", {"inProgressTimeoutInMinutes": 5})
    assert json.loads(iot.get_job_document(jobId=job)["document"]) == {"a": 1}
    wait_until(lambda: details(iot, job)["numberOfQueuedThings"] == 3, "all having it")
    pages = iot.get_paginator("list_job_executions_for_job").paginate(
        jobId=job, status="QUEUED", PaginationConfig={"PageSize": 2})
    assert [one["thingArn"] for page in pages for one in page["executionSummaries"]] \
        == [arn("thing", name) for name in names]
    assert [one["jobId"] for one in iot.list_job_executions_for_thing(thingName=names[0])
            ["executionSummaries"]] == [job]
    assert job in [one["jobId"] for page in iot.get_paginator("list_jobs").paginate(
        thingGroupName=group, status="IN_PROGRESS") for one in page["jobs"]]
    assert status_and_code(iot.create_job, jobId=job, targets=[arn("thing", names[0])], document="{}") \
        == (409, "ResourceAlreadyExistsException")
    assert status_and_code(iot.describe_job, jobId="none") == (404, "ResourceNotFoundException")
    assert status_and_code(iot.delete_job, jobId=job) == (409, "InvalidStateTransitionException")
    iot.cancel_job(jobId=job, reasonCode="ENOUGH", comment="no more")
    wait_until(lambda: details(iot, job)["numberOfCanceledThings"] == 3, "all being canceled")
    described = iot.describe_job(jobId=job)["job"]
    assert (described["status"], described["reasonCode"], described["comment"]) \
        == ("CANCELED", "ENOUGH", "no more")
    iot.delete_job(jobId=job)
    wait_until(lambda: gone(iot, job), "it being deleted")


def gone(iot, job):
    try:
        iot.describe_job(jobId=job)
    except iot.exceptions.ResourceNotFoundException:
        return True
    return False


@pytest.mark.parametrize("change", [
    {"document": "no JSON"}, {"targets": ["arn:aws:iot:us-east-1:000000000000:thing/none"]},
    {"targets": ["nonsense"]},
    {"jobExecutionsRolloutConfig": {"exponentialRate": {
        "baseRatePerMinute": 1, "incrementFactor": 2, "rateIncreaseCriteria": {}}}},
    {"namespaceId": "x"}, {"schedulingConfig": {"startTime": "2020-01-01T00:00"}},
    {"schedulingConfig": {"startTime": "tomorrow"}},
    {"schedulingConfig": {"endTime": minute(hours=1), "endBehavior": "EXPLODE"}},
    {"schedulingConfig": {"maintenanceWindows": [{"startTime": "cron(0 9)", "durationInMinutes": 5}]}}])
def test_a_job_that_cannot_be_carried_out_is_refused(iot, fresh, change):
    name, = things(iot, fresh, 1)
    arguments = {"jobId": fresh("job"), "targets": [arn("thing", name)], "document": "{}",
                 **change}
    status, code = status_and_code(iot.create_job, **arguments)
    assert status in (400, 404) and code in ("InvalidRequestException",
                                             "ResourceNotFoundException")


def test_a_scheduled_job_waits_is_listed_and_can_be_canceled(server, iot, fresh):
    name, = things(iot, fresh, 1)
    schedule = {"startTime": minute(hours=1), "endTime": minute(hours=2), "endBehavior": "CANCEL"}
    job = make(iot, fresh, [arn("thing", name)], schedulingConfig=schedule)
    described = iot.describe_job(jobId=job)["job"]
    assert (described["status"], described["schedulingConfig"]) == ("SCHEDULED", schedule)
    pages = iot.get_paginator("list_jobs").paginate(status="SCHEDULED")
    assert job in [one["jobId"] for page in pages for one in page["jobs"]]
    server.kill()
    server.start()
    # What is not scheduled goes past it.
    other = make(iot, fresh, [arn("thing", name)])
    wait_until(lambda: details(iot, other)["numberOfQueuedThings"] == 1, "the other job going out")
    assert details(iot, job)["numberOfQueuedThings"] == 0
    iot.update_job(jobId=job, description="tonight")
    assert status_and_code(iot.delete_job, jobId=job) == (409, "InvalidStateTransitionException")
    iot.cancel_job(jobId=job)
    assert iot.describe_job(jobId=job)["job"]["status"] == "CANCELED"


def test_a_job_goes_out_in_its_maintenance_windows_only(iot, fresh):
    open_one, closed = things(iot, fresh, 2)

    def window(start, minutes):
        return {"maintenanceWindows": [{"startTime": start, "durationInMinutes": minutes}]}
    year = datetime.datetime.now(datetime.timezone.utc).year + 2
    later = make(iot, fresh, [arn("thing", closed)], schedulingConfig=window(f"cron(0 6 1 1 ? {year})", 10))
    # One that begins each hour and lasts longer than that is always open.
    now = make(iot, fresh, [arn("thing", open_one)], schedulingConfig=window("cron(0 * * * ? *)", 90))
    wait_until(lambda: details(iot, now)["numberOfQueuedThings"] == 1, "the job going out")
    assert details(iot, later)["numberOfQueuedThings"] == 0
    rollouts = iot.describe_job(jobId=later)["job"]["scheduledJobRollouts"]
    assert rollouts == [{"startTime": f"{year}-01-01T06:00"}]


def test_a_template_keeps_maintenance_windows(iot, fresh):
    name, = things(iot, fresh, 1)
    windows = [{"startTime": "cron(0 22 ? * MON-FRI *)", "durationInMinutes": 120}]
    template = fresh("template")
    iot.create_job_template(jobTemplateId=template, document="{}", description="at night",
                            maintenanceWindows=windows)
    described = iot.describe_job_template(jobTemplateId=template)
    assert described["maintenanceWindows"] == windows
    job = fresh("job")
    iot.create_job(jobId=job, targets=[arn("thing", name)], jobTemplateArn=described["jobTemplateArn"],
                   schedulingConfig={"endTime": minute(hours=2)})
    schedule = iot.describe_job(jobId=job)["job"]["schedulingConfig"]
    assert schedule["maintenanceWindows"] == windows and "endTime" in schedule


def test_the_document_comes_from_a_bucket_or_a_template(server, iot, fresh):
    name, = things(iot, fresh, 1)
    s3, bucket = server.aws("s3"), fresh("bucket")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="jobs/a.json", Body=b'{"run": "${what}"}')
    job = fresh("job")
    source = f"https://{bucket}.s3.us-east-1.amazonaws.com/jobs/a.json"
    iot.create_job(jobId=job, targets=[arn("thing", name)], documentSource=source,
                   documentParameters={"what": "fsck"})
    assert json.loads(iot.get_job_document(jobId=job)["document"]) == {"run": "fsck"}
    assert iot.describe_job(jobId=job)["documentSource"] == source
    template = fresh("template")
    made = iot.create_job_template(jobTemplateId=template, jobArn=arn("job", job),
                                   description="check", abortConfig={"criteriaList": [{
                                       "failureType": "ALL", "action": "CANCEL",
                                       "thresholdPercentage": 50.0,
                                       "minNumberOfExecutedThings": 2}]})
    assert iot.describe_job_template(jobTemplateId=template)["description"] == "check"
    assert template in [one["jobTemplateId"] for page in
                        iot.get_paginator("list_job_templates").paginate()
                        for one in page["jobTemplates"]]
    other = fresh("job")
    iot.create_job(jobId=other, targets=[arn("thing", name)],
                   jobTemplateArn=made["jobTemplateArn"])
    assert iot.describe_job(jobId=other)["job"]["abortConfig"]["criteriaList"][0][
        "minNumberOfExecutedThings"] == 2
    assert json.loads(iot.get_job_document(jobId=other)["document"]) == {"run": "fsck"}
    iot.delete_job_template(jobTemplateId=template)
    assert status_and_code(iot.describe_job_template, jobTemplateId=template) \
        == (404, "ResourceNotFoundException")
    assert iot.list_managed_job_templates()["managedJobTemplates"] == []


def test_a_continuous_job_reaches_who_joins(iot, fresh):
    first, second = things(iot, fresh, 2)
    group = group_of(iot, fresh, [first])
    job = make(iot, fresh, [arn("thinggroup", group)], targetSelection="CONTINUOUS")
    snapshot = make(iot, fresh, [arn("thinggroup", group)])
    for one in (job, snapshot):
        wait_until(lambda one=one: details(iot, one)["numberOfQueuedThings"] == 1, "the member")
    iot.add_thing_to_thing_group(thingGroupName=group, thingName=second)
    wait_until(lambda: details(iot, job)["numberOfQueuedThings"] == 2, "who joined")
    assert details(iot, snapshot)["numberOfQueuedThings"] == 1
    third, = things(iot, fresh, 1)
    iot.associate_targets_with_job(jobId=job, targets=[arn("thing", third)])
    wait_until(lambda: details(iot, job)["numberOfQueuedThings"] == 3, "the further target")


def test_failures_are_tried_again_and_then_give_the_job_up(server, iot, fresh, tmp_path):
    own = JobDevice(server.device(fresh("dev"), tmp_path))
    others = things(iot, fresh, 2)
    job = make(iot, fresh, [arn("thing", own.thing), *(arn("thing", name) for name in others)],
               abortConfig={"criteriaList": [{
                   "failureType": "FAILED", "action": "CANCEL", "thresholdPercentage": 100.0,
                   "minNumberOfExecutedThings": 1}]},
               jobExecutionsRetryConfig={"criteriaList": [{"failureType": "FAILED",
                                                           "numberOfRetries": 1}]})
    for attempt in (1, 2):
        execution = wait_until(own.start_next, "the job")
        assert (execution.job_id, execution.execution_number) == (job, attempt)
        own.update(job, "FAILED", status_details={"why": "no"})
    wait_until(lambda: iot.describe_job(jobId=job)["job"]["status"] == "CANCELED", "its end")
    described = iot.describe_job(jobId=job)["job"]
    assert described["reasonCode"] == "ABORTED" and "1 of 1" in described["comment"]
    wait_until(lambda: details(iot, job)["numberOfCanceledThings"] == 2, "the others")
    own.connection.disconnect().result(30)


def test_one_execution_is_canceled_and_deleted(iot, fresh, device):
    job = make(iot, fresh, [arn("thing", device.thing)], targetSelection="SNAPSHOT")
    execution = wait_until(device.start_next, "the job")
    own = {"jobId": job, "thingName": device.thing}
    assert status_and_code(iot.cancel_job_execution, **own) == (409, "InvalidStateTransitionException")
    assert status_and_code(iot.cancel_job_execution, force=True,
                   expectedVersion=execution.version_number + 1, **own) \
        == (409, "VersionConflictException")
    iot.cancel_job_execution(force=True, statusDetails={"by": "me"}, **own)
    assert iot.describe_job_execution(**own)["execution"]["status"] == "CANCELED"
    iot.delete_job_execution(executionNumber=execution.execution_number, **own)
    assert status_and_code(iot.describe_job_execution, **own) == (404, "ResourceNotFoundException")


def test_a_rollout_goes_at_its_rate_through_kills_of_the_server(tmp_path):
    """Nobody is skipped, nobody gets it twice, and no faster than was said."""
    with Server(tmp_path / "data") as server:
        iot = server.aws("iot")
        iot.create_thing_group(thingGroupName="g")
        names = [f"t{number:03}" for number in range(40)]
        for name in names:
            iot.create_thing(thingName=name)
            iot.add_thing_to_thing_group(thingGroupName="g", thingName=name)
        iot.create_job(jobId="slow", targets=[arn("thinggroup", "g")], document="{}",
                       jobExecutionsRolloutConfig={"maximumPerMinute": 600})
        for stage in (3, 10, 20):
            wait_until(lambda stage=stage: details(server.aws("iot"), "slow")
                       ["numberOfQueuedThings"] >= stage, "some having it")
            server.kill()
            server.start()
        iot = server.aws("iot")
        wait_until(lambda: details(iot, "slow")["numberOfQueuedThings"] == 40, "all having it")
        queued = sorted(
            iot.describe_job_execution(jobId="slow", thingName=name)["execution"]["queuedAt"]
            for name in names)
        # 600 a minute is one in 100 ms, and who comes late may catch up on two seconds.
        assert (queued[-1] - queued[0]).total_seconds() >= (40 - 20) * 0.1
        assert all(one["jobExecutionSummary"]["executionNumber"] == 1 for one in
                   iot.list_job_executions_for_job(jobId="slow")["executionSummaries"])


def test_who_may_not_make_jobs_for_a_thing_is_refused(iot, fresh, limited):
    mine, other = things(iot, fresh, 2)
    own = limited("iot", "iot:CreateJob", [arn("job", "*"), arn("thing", mine)])
    own.create_job(jobId=fresh("job"), targets=[arn("thing", mine)], document="{}")
    assert status_and_code(own.create_job, jobId=fresh("job"), targets=[arn("thing", other)],
                   document="{}")[1] in ("UnauthorizedException", "AccessDeniedException")
