# SPDX-License-Identifier: Apache-2.0
"""Approve, as who must trust an update does it: the difference to the champion, what was checked, and
a decision with its reason, by which an execution that waits goes on. The states that wait and answer
are those of the example."""
import json
import urllib.parse

import pytest

from conftest import EXAMPLE, PASSWORD, Alone, Watched
from harness import wait_until
from test_screens import accessible

NAME = "tags"
ACCOUNT = "us-east-1:000000000000"
FLOWS = EXAMPLE / "workflows"


def role_of(iam, name, service, *actions):
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]}))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}))
    return arn


def waiting_flow():
    """What waits for a decision in train-and-ship.asl.json, and where it goes on then."""
    state = json.loads((FLOWS / "train-and-ship.asl.json").read_text())["States"]["WaitForApproval"]
    return {"QueryLanguage": "JSONata", "StartAt": "Trained", "States": {
        "Trained": {"Type": "Pass", "Next": "WaitForApproval", "Assign": {
            "shipped": "{% $states.input.shipped %}", "lineage": "{% $states.input.lineage %}"}},
        "WaitForApproval": state,
        "KeepDecision": {"Type": "Succeed", "Output": "{% $decision %}"},
        "Rejected": {"Type": "Fail", "Error": "Rejected", "Cause": "{% $decision.Reason %}"},
        "GiveUp": {"Type": "Fail", "Error": "GaveUp"}}}


class Pipeline(Alone):
    """Two approved versions, of which the older is the champion, and what answers who waits."""

    def __init__(self, directory):
        super().__init__(directory)
        server = self.server
        self.sagemaker, self.states = server.aws("sagemaker"), server.aws("stepfunctions")
        iam, s3, events = server.aws("iam"), server.aws("s3"), server.aws("events")
        s3.create_bucket(Bucket="trained")
        s3.upload_file(str(EXAMPLE / "model/model.onnx"), "trained", "good.onnx")
        s3.put_object(Bucket="trained", Key="bad.onnx", Body=b"these bytes are no model")
        self.sagemaker.create_model_package_group(ModelPackageGroupName=NAME)
        for figure in ("0.5", "0.9"):
            self.register(ModelApprovalStatus="Approved", CustomerMetadataProperties={"MAP": figure})
        assert server.call("PUT", f"/andon/v1/models/{NAME}/aliases/champion", {"version": 1})[0] == 200
        waits = role_of(iam, "waits", "states.amazonaws.com", "sagemaker:*")
        answers = role_of(iam, "answers", "states.amazonaws.com", "states:SendTask*")
        starts = role_of(iam, "starts", "events.amazonaws.com", "states:StartExecution")
        self.machine = self.states.create_state_machine(
            name="train", roleArn=waits, definition=json.dumps(waiting_flow()))["stateMachineArn"]
        answer = self.states.create_state_machine(
            name="answer", roleArn=answers, definition=(FLOWS / "approval.asl.json").read_text())
        events.put_rule(Name="decided", EventPattern=json.dumps({
            "source": ["aws.sagemaker"], "detail-type": ["SageMaker Model Package State Change"],
            "detail": {"ModelApprovalStatus": ["Approved", "Rejected"],
                       "CustomerMetadataProperties": {"TaskToken0": [{"exists": True}]}}}))
        events.put_targets(Rule="decided", Targets=[
            {"Id": "answer", "Arn": answer["stateMachineArn"], "RoleArn": starts}])
        for name, policy in (("vera", "AndonViewerAccess"), ("otto", "AndonOperatorAccess")):
            iam.create_user(UserName=name)
            iam.create_login_profile(UserName=name, Password=PASSWORD)
            iam.attach_user_policy(UserName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")

    def register(self, key="good.onnx", **more):
        return self.sagemaker.create_model_package(
            ModelPackageGroupName=NAME, InferenceSpecification={
                "Containers": [{"Image": "andon-inspect", "ModelDataUrl": f"s3://trained/{key}"}],
                "SupportedContentTypes": ["image/jpeg"],
                "SupportedResponseMIMETypes": ["application/json"]}, **more)["ModelPackageArn"]

    def candidate(self, key="good.onnx"):
        """A version that an execution waits for: (its number, the execution)."""
        arn = self.register(key, ModelApprovalStatus="PendingManualApproval")
        execution = self.states.start_execution(stateMachineArn=self.machine, input=json.dumps({
            "shipped": {"ModelPackageArn": arn},
            "lineage": {"MAP": "0.75", "dataset": "s3://trained/set-7", "qa.verdict": "passed",
                        "qa.reason": "the golden pictures are found", "qa.median-ms": "18.2",
                        "qa.promised-median-ms": "20", "qa.time": "2026-11-22T10:00:00Z"}}))["executionArn"]
        wait_until(lambda: "TaskToken0" in self.sagemaker.describe_model_package(ModelPackageName=arn).get(
            "CustomerMetadataProperties", {}), "the execution waiting")
        return int(arn.rsplit("/", 1)[1]), execution

    def status(self, execution):
        return self.states.describe_execution(executionArn=execution)["status"]

    def decisions(self, version):
        resource = urllib.parse.quote(f"arn:aws:sagemaker:{ACCOUNT}:model-package/{NAME}/{version}", safe="")
        status, told = self.server.call(
            "GET", f"/andon/v1/audit?action=sagemaker%3AUpdateModelPackage&resource={resource}")
        assert status == 200, told
        return [one["entry"] for one in told["entries"] if one["entry"]["via"] == "console"]


@pytest.fixture(scope="module", name="pipeline")
def fixture_pipeline(tmp_path_factory):
    made = Pipeline(tmp_path_factory.mktemp("pipeline"))
    yield made
    made.server.kill()


@pytest.fixture(name="sign_in")
def fixture_sign_in(chromium, pipeline):
    opened = []

    def make(user, **options):
        opened.append(Watched(chromium, pipeline, **options))
        return opened[-1].sign_in(user)
    yield make
    for one in opened:
        assert not one.problems
        one.close()


def test_what_waits_stands_beside_the_champion_with_what_was_checked(pipeline, sign_in):
    version, execution = pipeline.candidate()
    watched = sign_in("otto")
    page = watched.go("#/approve", "Approve")
    page.get_by_role("link", name=f"{NAME}@{version}").click()
    page.get_by_role("heading", name=f"{NAME}@{version}").wait_for()
    page.get_by_text("A workflow waits for this decision").wait_for()
    # The champion by its alias, though another was approved since.
    assert page.get_by_text(f"The champion: {NAME}@1").is_visible()
    row = page.get_by_role("row").filter(has_text="MAP").inner_text().split()
    assert row == ["MAP", "0.5000", "0.7500", "+0.2500"]
    checks = page.locator("section").filter(has=page.get_by_role("heading", name="Checks")).inner_text()
    for word in ("QA stage", "passed", "the golden pictures are found", "median-ms", "18.2", "(promised 20)"):
        assert word in checks, checks
    assert "s3://trained/set-7" in page.locator("main").inner_text()
    assert "TaskToken" not in page.content()
    page.get_by_role("link", name="Side by side").click()
    page.get_by_role("heading", name=f"{NAME} @1 and @{version}").wait_for()
    pipeline.states.stop_execution(executionArn=execution)


@pytest.mark.parametrize("act, status, ended", [
    ("Approve", "Approved", "SUCCEEDED"), ("Reject", "Rejected", "FAILED")])
def test_a_decision_goes_to_the_execution_that_waits_with_who_and_why(pipeline, sign_in, act, status, ended):
    version, execution = pipeline.candidate()
    reason = f"{act}: seen at line 3, lot 7"
    page = sign_in("otto").go(f"#/approve/{NAME}/{version}", f"{NAME}@{version}")
    page.get_by_text("A workflow waits for this decision").wait_for()
    assert pipeline.status(execution) == "RUNNING"
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name=act).click()
    page.get_by_text(status, exact=True).first.wait_for()
    wait_until(lambda: pipeline.status(execution) == ended, "the execution going on")
    told = pipeline.states.describe_execution(executionArn=execution)
    assert reason in (told["cause"] if ended == "FAILED" else told["output"])
    described = pipeline.sagemaker.describe_model_package(
        ModelPackageName=f"arn:aws:sagemaker:{ACCOUNT}:model-package/{NAME}/{version}")
    assert (described["ModelApprovalStatus"], described["ApprovalDescription"]) == (status, reason)
    (decision,) = pipeline.decisions(version)
    assert decision["outcome"] == "ok" and decision["name"] == "otto"
    assert decision["decision"] == f"{status}: {reason}"
    # Who and why stands there for the next one.
    page.reload()
    page.get_by_role("heading", name="Who has decided").wait_for()
    page.get_by_text(reason, exact=True).wait_for()
    assert page.locator("main").get_by_text("otto", exact=True).is_visible()
    opens = page.get_by_text("opens-in-onnx-runtime")
    assert opens.count() == (1 if act == "Approve" else 0)


def test_a_model_that_does_not_open_is_not_approved_without_a_reason(pipeline, sign_in):
    version, execution = pipeline.candidate("bad.onnx")
    page = sign_in("otto").go(f"#/approve/{NAME}/{version}", f"{NAME}@{version}")
    page.get_by_role("button", name="Approve").click()
    page.get_by_text("bad.onnx is not an ONNX model").first.wait_for()
    assert pipeline.status(execution) == "RUNNING"
    page.get_by_label("Reason").fill("the line has a runtime of its own")
    page.get_by_role("button", name="Approve").click()
    wait_until(lambda: pipeline.status(execution) == "SUCCEEDED", "the execution going on")
    page.get_by_text("opens-in-onnx-runtime").wait_for()
    checks = page.locator("section").filter(has=page.get_by_role("heading", name="Checks")).inner_text()
    assert "Failed" in checks and "not an ONNX model" in checks


def test_a_viewer_decides_nothing(pipeline, sign_in):
    version, execution = pipeline.candidate()
    page = sign_in("vera").go(f"#/approve/{NAME}/{version}", f"{NAME}@{version}")
    for name in ("Approve", "Reject"):
        button = page.get_by_role("button", name=name)
        wait_until(button.is_disabled, "the button being off")
        assert "sagemaker:UpdateModelPackage" in button.get_attribute("title")
    refused = page.evaluate("""async (arn) => {
      const {csrfToken} = await (await fetch('/console/session')).json();
      const told = [];
      for (const status of ['Approved', 'Rejected']) {
        told.push((await fetch('/console/call/sagemaker/UpdateModelPackage', {method: 'POST',
          headers: {'X-Andon-Csrf': csrfToken, 'Content-Type': 'application/json'},
          body: JSON.stringify({ModelPackageArn: arn, ModelApprovalStatus: status})})).status);
      }
      return told;
    }""", f"arn:aws:sagemaker:{ACCOUNT}:model-package/{NAME}/{version}")
    assert refused == [403, 403]
    assert pipeline.status(execution) == "RUNNING"
    refusals = wait_until(lambda: pipeline.decisions(version), "the refusals in the audit log")
    assert all((one["outcome"], one["name"]) == ("denied", "vera") for one in refusals)
    pipeline.states.stop_execution(executionArn=execution)


def test_a_decision_is_taken_by_keyboard_alone(pipeline, sign_in):
    version, execution = pipeline.candidate()
    watched = sign_in("otto")
    page = watched.page
    page.keyboard.press("g")
    page.keyboard.press("p")
    link = page.get_by_role("link", name=f"{NAME}@{version}")
    link.wait_for()
    link.focus()
    page.keyboard.press("Enter")
    page.get_by_text("A workflow waits for this decision").wait_for()
    page.get_by_label("Reason").focus()
    page.keyboard.type("by keys")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Approve"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Reject"
    page.keyboard.press("Enter")
    wait_until(lambda: pipeline.status(execution) == "FAILED", "the execution going on")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_what_waits_for_a_decision(pipeline, sign_in, theme):
    version, execution = pipeline.candidate()
    watched = sign_in("otto", color_scheme=theme)
    for path, heading in (("#/approve", "Approve"), (f"#/approve/{NAME}/{version}", f"{NAME}@{version}")):
        assert not accessible(watched.go(path, heading)), path
    pipeline.states.stop_execution(executionArn=execution)
