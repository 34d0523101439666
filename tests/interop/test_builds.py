# SPDX-License-Identifier: Apache-2.0
"""CodeBuild with boto3: projects, builds that run as jobs, their phases, artifacts and logs, and what
starts them: rules, schedules, state machines."""
import io
import json
import signal
import subprocess
import zipfile

import pytest

from aws_client import code_and_message
from functions import make_role, zipped
from harness import Server, wait_until

LIMIT_S = 120


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    repositories = tmp_path_factory.mktemp("git")
    with Server(tmp_path_factory.mktemp("builds") / "data", "--git-allow", repositories) as running:
        running.repositories = repositories
        yield running


@pytest.fixture
def client(server):
    # Its model has no required members, and least lengths that AWS's own empty lists do not keep.
    return server.aws("codebuild")


@pytest.fixture
def bucket(server, fresh):
    name = fresh("bucket")
    server.aws("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def role(server, fresh):
    return make_role(server, fresh("role"), {"Effect": "Allow", "Action": ["s3:*", "ssm:*", "secretsmanager:*"],
                                             "Resource": "*"}, service="codebuild.amazonaws.com")


def spec(text):
    return "version: 0.2\n" + text


def project(client, role, name, buildspec, source=None, **more):
    wanted = {"name": name, "serviceRole": role, "source": {"type": "NO_SOURCE", "buildspec": buildspec},
              "artifacts": {"type": "NO_ARTIFACTS"},
              "environment": {"type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0",
                              "computeType": "BUILD_GENERAL1_SMALL"}, **more}
    if source:
        wanted["source"] = source
    return client.create_project(**wanted)["project"]


def wait_for(client, build_id):
    return wait_until(lambda: (b := client.batch_get_builds(ids=[build_id])["builds"][0])["buildComplete"] and b,
                      "the build's end", LIMIT_S)


def run(client, name, **more):
    return wait_for(client, client.start_build(projectName=name, **more)["build"]["id"])


def phases(build):
    return {one["phaseType"]: one.get("phaseStatus") for one in build["phases"]}


def lines(server, build):
    logs = server.aws("logs")
    try:
        found = logs.get_log_events(logGroupName=build["logs"]["groupName"],
                                    logStreamName=build["logs"]["streamName"], startFromHead=True)
    except logs.exceptions.ResourceNotFoundException:
        return []  # it is made with the first line
    return [event["message"] for event in found["events"]]


def said(server, build, *words):
    """Its lines, once these are there: they come after the build's end."""
    return wait_until(lambda: (found := lines(server, build)) and all(word in found for word in words) and found,
                      f"{words} in the log")


def test_a_project_is_made_changed_listed_and_deleted(client, role, fresh):
    name = fresh("project")
    made = project(client, role, name, spec("phases: {}\n"), tags=[{"key": "a", "value": "b"}])
    assert made["arn"] == f"arn:aws:codebuild:us-east-1:000000000000:project/{name}"
    assert (made["timeoutInMinutes"], made["encryptionKey"]) == (60, "alias/aws/s3")
    assert code_and_message(project, client=client, role=role, name=name, buildspec=spec(""))[0] == \
        "ResourceAlreadyExistsException"
    changed = client.update_project(name=name, description="d", timeoutInMinutes=5)["project"]
    assert changed["description"] == "d" and changed["source"] == made["source"]
    got = client.batch_get_projects(names=[name, "none"])
    assert [one["name"] for one in got["projects"]] == [name] and got["projectsNotFound"] == ["none"]
    assert got["projects"][0]["tags"] == [{"key": "a", "value": "b"}]
    for by in ("NAME", "CREATED_TIME", "LAST_MODIFIED_TIME"):
        assert name in client.list_projects(sortBy=by, sortOrder="DESCENDING")["projects"]
    client.delete_project(name=name)
    client.delete_project(name=name)
    assert name not in client.list_projects()["projects"]
    assert code_and_message(client.start_build, projectName=name)[0] == "ResourceNotFoundException"
    assert code_and_message(client.update_project, name=name)[0] == "ResourceNotFoundException"


def test_a_build_runs_its_phases_with_its_variables(server, client, role, fresh):
    name = fresh("project")
    server.aws("ssm").put_parameter(Name=f"/{name}/word", Value="from the store", Type="SecureString")
    server.aws("secretsmanager").create_secret(Name=name, SecretString=json.dumps({"key": "from the secret"}))
    project(client, role, name, spec(f"""
env:
  shell: bash
  variables: {{A: of the buildspec, B: of the buildspec, C: of the buildspec}}
  parameter-store: {{P: /{name}/word}}
  secrets-manager: {{S: "{name}:key"}}
  exported-variables: [KEPT]
phases:
  install:
    runtime-versions: {{python: 3.12}}
    commands: [cd /tmp]
  pre_build:
    commands: ["export KEPT='a b' && pwd"]
  build:
    commands:
      - echo "$A, $B, $C, $P, $S, $KEPT"
      - |
        if [ -n "$CODEBUILD_BUILD_ID" ]; then
          echo "number $CODEBUILD_BUILD_NUMBER of $CODEBUILD_SRC_DIR"
        fi
    finally: [echo at last]
"""), environment={"type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0",
                   "computeType": "BUILD_GENERAL1_SMALL", "environmentVariables": [
                       {"name": "B", "value": "of the project"}, {"name": "C", "value": "of the project"}]})
    started = client.start_build(projectName=name, environmentVariablesOverride=[
        {"name": "C", "value": "of the build", "type": "PLAINTEXT"}])["build"]
    assert started["buildStatus"] == "IN_PROGRESS" and started["id"].startswith(f"{name}:")
    build = wait_for(client, started["id"])
    assert build["buildStatus"] == "SUCCEEDED", (build, lines(server, build))
    found = said(server, build, "at last", "/tmp", "number 1 of /job/src",
                 "of the buildspec, of the project, of the build, from the store, from the secret, a b")
    assert found.index("at last") > found.index("/tmp")
    assert set(phases(build)) == {"SUBMITTED", "QUEUED", "PROVISIONING", "DOWNLOAD_SOURCE", "INSTALL", "PRE_BUILD",
                                  "BUILD", "POST_BUILD", "UPLOAD_ARTIFACTS", "FINALIZING", "COMPLETED"}
    assert build["exportedEnvironmentVariables"] == [{"name": "KEPT", "value": "a b"}]
    assert build["logs"]["groupName"] == f"/aws/codebuild/{name}"
    assert client.list_builds_for_project(projectName=name)["ids"] == [build["id"]]
    assert build["id"] in client.list_builds()["ids"]


@pytest.mark.parametrize("text, status, expected", [
    ("phases: {build: {commands: [echo one, exit 7, echo never]}, post_build: {commands: [echo post $CODEBUILD_BUILD_SUCCEEDING]}}\n",
     "FAILED", {"BUILD": "FAILED", "POST_BUILD": "SUCCEEDED"}),
    ("phases: {install: {commands: [\"false\"]}, build: {commands: [echo never]}}\n",
     "FAILED", {"INSTALL": "FAILED", "BUILD": None}),
    ("phases: {build: {on-failure: ABORT, commands: [\"false\"]}, post_build: {commands: [echo never]}}\n",
     "FAILED", {"BUILD": "FAILED", "POST_BUILD": None}),
    ("phases: {build: {on-failure: CONTINUE, commands: [\"false\"]}, post_build: {commands: [echo post]}}\n",
     "SUCCEEDED", {"BUILD": "FAILED", "POST_BUILD": "SUCCEEDED"}),
])
def test_a_phase_that_fails_ends_the_build_as_it_says(server, client, role, fresh, text, status, expected):
    name = fresh("project")
    project(client, role, name, spec(text))
    build = run(client, name)
    assert build["buildStatus"] == status
    found = phases(build)
    assert {phase: found.get(phase) for phase in expected} == expected
    failed = next(one for one in build["phases"] if one.get("phaseStatus") == "FAILED" and one["phaseType"] != "COMPLETED")
    assert failed["contexts"][0]["statusCode"] == "COMMAND_EXECUTION_ERROR"
    if "exit 7" in text:
        assert failed["contexts"][0]["message"] == "Error while executing command: exit 7. Reason: exit status 7"
        said(server, build, "post 0")
    last = [phase for phase in ("INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD") if phase in found][-1]
    assert "never" not in said(server, build, f"[Container] Phase complete: {last} State: {found[last]}")


def test_a_source_and_its_buildspec_come_from_a_bucket_and_artifacts_go_to_one(server, client, role, bucket, fresh):
    s3, name = server.aws("s3"), fresh("project")
    s3.put_object(Bucket=bucket, Key="src/code.zip", Body=zipped({
        "buildspec.yml": spec("""
phases: {build: {commands: [mkdir -p out/deep, cp words.txt out/deep/a.txt, echo b > out/b.txt, ln -s /etc/passwd out/link]}}
artifacts: {base-directory: out, files: ['**/*'], exclude-paths: ['**/*.log']}
"""), "words.txt": "words"}))
    source = {"type": "S3", "location": f"{bucket}/src/code.zip"}
    project(client, role, name, None, source=source, artifacts={
        "type": "S3", "location": bucket, "path": "made", "namespaceType": "BUILD_ID", "packaging": "NONE"})
    build = run(client, name)
    assert build["buildStatus"] == "SUCCEEDED", (build["phases"], lines(server, build))
    prefix = f"made/{build['id'].split(':')[1]}/{name}"
    assert build["artifacts"]["location"] == f"arn:aws:s3:::{bucket}/{prefix}"
    keys = {one["Key"] for one in s3.list_objects_v2(Bucket=bucket, Prefix="made/")["Contents"]}
    assert keys == {f"{prefix}/deep/a.txt", f"{prefix}/b.txt"}
    assert s3.get_object(Bucket=bucket, Key=f"{prefix}/deep/a.txt")["Body"].read() == b"words"
    build = run(client, name, artifactsOverride={"type": "S3", "location": bucket, "name": "all.zip", "packaging": "ZIP"})
    with zipfile.ZipFile(io.BytesIO(s3.get_object(Bucket=bucket, Key="all.zip")["Body"].read())) as archive:
        assert sorted(archive.namelist()) == ["b.txt", "deep/a.txt"]
    # A prefix is a source, too.
    s3.put_object(Bucket=bucket, Key="tree/ci/spec.yml", Body=spec("phases: {build: {commands: [cat deep/x]}}\n"))
    s3.put_object(Bucket=bucket, Key="tree/deep/x", Body=b"below the prefix\n")
    build = run(client, name, sourceLocationOverride=f"{bucket}/tree/", buildspecOverride="ci/spec.yml",
                artifactsOverride={"type": "NO_ARTIFACTS"})
    assert build["buildStatus"] == "SUCCEEDED"
    said(server, build, "below the prefix")


def test_a_source_is_a_git_repository_by_its_url(server, client, role, fresh):
    name = fresh("project")
    work = server.repositories / name

    def git(*words):
        return subprocess.run(["git", "-C", work, "-c", "user.name=n", "-c", "user.email=e@example.com", *words],
                              check=True, capture_output=True, text=True).stdout.strip()
    work.mkdir()
    git("init", "--quiet", "--initial-branch=main")
    (work / "buildspec.yml").write_text(spec("phases: {build: {commands: [cat word, echo $CODEBUILD_RESOLVED_SOURCE_VERSION]}}\n"))
    commits = []
    for word in ("first\n", "second\n"):
        (work / "word").write_text(word)
        git("add", ".")
        git("commit", "--quiet", "-m", word)
        commits.append(git("rev-parse", "HEAD"))
    git("tag", "v1", commits[0])
    project(client, role, name, None, source={"type": "GITHUB", "location": f"file://{work}"})
    for version, word, commit in ((None, "second", commits[1]), ("main", "second", commits[1]),
                                  ("v1", "first", commits[0]), (commits[0], "first", commits[0])):
        build = run(client, name, **({"sourceVersion": version} if version else {}))
        assert build["buildStatus"] == "SUCCEEDED", (build["phases"], lines(server, build))
        assert build["resolvedSourceVersion"] == commit
        said(server, build, word, commit)
    build = run(client, name, sourceVersion="nosuchbranch")
    assert build["buildStatus"] == "FAILED" and phases(build)["DOWNLOAD_SOURCE"] == "FAILED"
    for location in ("ext::sh -c id", "--upload-pack=id", "file:///etc", "https://other.example/a.git",
                     f"file://{server.repositories}/../x", "git@host:a.git"):
        code, message = code_and_message(client.start_build, projectName=name, sourceLocationOverride=location)
        assert code == "InvalidInputException" and location[:20] in message


def test_what_is_not_honoured_is_refused_by_name(client, role, fresh):
    base = {"client": client, "role": role, "name": fresh("project")}
    for text, word in (("cache: {paths: [a]}\n", "cache"), ("reports: {}\nphases: {}\n", "reports"),
                       ("phases: {build: {commands: [a], colour: red}}\n", "colour"), ("run-as: root\n", "run-as"),
                       ("phases: {build: {commands: {a: b}}}\n", "phases.build.commands"), ("phases: [\n", "line")):
        code, message = code_and_message(project, buildspec=spec(text), **base)
        assert code == "InvalidInputException" and word in message, message
    environment = {"type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0", "computeType": "BUILD_GENERAL1_SMALL"}
    for change, word in (({"image": "other/image:1"}, "environment.image"), ({"privilegedMode": True}, "privilegedMode"),
                         ({"type": "WINDOWS_CONTAINER"}, "environment.type")):
        assert word in code_and_message(project, buildspec=spec("phases: {}\n"), environment={**environment, **change}, **base)[1]
    assert "CODECOMMIT" in code_and_message(project, buildspec=None, source={"type": "CODECOMMIT"}, **base)[1].upper()
    assert "buildspec" in code_and_message(project, buildspec="", **base)[1]


def test_a_build_is_stopped_and_a_repeated_token_is_the_same_build(client, role, fresh):
    name = fresh("project")
    project(client, role, name, spec("phases: {build: {commands: [sleep 600]}}\n"), concurrentBuildLimit=1)
    first = client.start_build(projectName=name, idempotencyToken="t")["build"]
    assert client.start_build(projectName=name, idempotencyToken="t")["build"]["id"] == first["id"]
    assert code_and_message(client.start_build, projectName=name)[0] == "AccountLimitExceededException"
    wait_until(lambda: client.batch_get_builds(ids=[first["id"]])["builds"][0]["currentPhase"] == "BUILD",
               "phase BUILD", LIMIT_S)
    stopped = client.stop_build(id=first["id"])["build"]
    assert stopped["buildStatus"] == "STOPPED" and stopped["buildComplete"]
    assert phases(stopped)["BUILD"] == "STOPPED"
    assert code_and_message(client.stop_build, id=f"{name}:{'0' * 8}-0000-0000-0000-{'0' * 12}")[0] == "ResourceNotFoundException"
    assert code_and_message(client.stop_build, id="x")[0] == "InvalidInputException"
    assert client.batch_get_builds(ids=["x"])["buildsNotFound"] == ["x"]


def test_a_role_that_may_not_ends_the_build_with_its_reason(server, client, bucket, fresh):
    name = fresh("project")
    weak = make_role(server, fresh("role"), service="codebuild.amazonaws.com")
    server.aws("s3").put_object(Bucket=bucket, Key="a.zip", Body=zipped({"buildspec.yml": spec("phases: {}\n")}))
    project(client, weak, name, None, source={"type": "S3", "location": f"{bucket}/a.zip"})
    build = run(client, name)
    assert build["buildStatus"] == "FAILED"
    context = next(one for one in build["phases"] if one["phaseType"] == "DOWNLOAD_SOURCE")["contexts"][0]
    assert "s3:GetObject" in context["message"]
    other = make_role(server, fresh("role"), service="lambda.amazonaws.com")
    client.update_project(name=name, serviceRole=other)
    assert run(client, name)["buildStatus"] == "FAILED"


def test_a_build_is_a_target_of_rules_and_schedules_and_tells_events(server, client, role, fresh):
    name = fresh("project")
    arn = project(client, role, name, spec("phases: {build: {commands: ['echo word=$WORD']}}\n"))["arn"]
    events = server.aws("events")
    starter = make_role(server, fresh("role"), {"Effect": "Allow", "Action": "codebuild:StartBuild", "Resource": arn},
                        service="events.amazonaws.com")
    server.aws("logs").create_log_group(logGroupName=name)
    events.put_rule(Name=f"{name}-told", EventPattern=json.dumps({"source": ["aws.codebuild"], "detail": {"project-name": [name]}}))
    events.put_targets(Rule=f"{name}-told", Targets=[{"Id": "log", "Arn": f"arn:aws:logs:us-east-1:000000000000:log-group:{name}"}])
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    assert events.put_targets(Rule=name, Targets=[{"Id": "b", "Arn": arn, "RoleArn": starter, "InputTransformer": {
        "InputPathsMap": {"word": "$.detail.word"},
        "InputTemplate": '{"environmentVariablesOverride": [{"name": "WORD", "value": <word>}]}'}}])["FailedEntryCount"] == 0
    events.put_events(Entries=[{"Source": name, "DetailType": "t", "Detail": json.dumps({"word": "hello"})}])
    started = wait_until(lambda: client.list_builds_for_project(projectName=name)["ids"], "the build")
    build = wait_for(client, started[0])
    assert build["buildStatus"] == "SUCCEEDED", build
    said(server, build, "word=hello")
    assert starter.split("/")[-1] in build["initiator"] or build["initiator"].startswith("role/")

    def told():
        found = server.aws("logs").filter_log_events(logGroupName=name)["events"]
        return {json.loads(one["message"])["detail"]["build-status"] for one in found} >= {"IN_PROGRESS", "SUCCEEDED"}
    wait_until(told, "the events of the build")
    planner = make_role(server, fresh("role"), {"Effect": "Allow", "Action": "codebuild:StartBuild", "Resource": arn},
                        service="scheduler.amazonaws.com")
    server.aws("scheduler").create_schedule(
        Name=name, ScheduleExpression="rate(1 minute)",
        FlexibleTimeWindow={"Mode": "OFF"}, Target={"Arn": arn, "RoleArn": planner, "Input": "{}"})
    wait_until(lambda: len(client.list_builds_for_project(projectName=name)["ids"]) > 1, "the schedule's build", LIMIT_S)
    server.aws("scheduler").delete_schedule(Name=name)


def test_a_state_machine_waits_for_a_build(server, client, role, fresh):
    good, bad = fresh("project"), fresh("project")
    project(client, role, good, spec("env: {exported-variables: [W]}\nphases: {build: {commands: ['export W=made']}}\n"))
    project(client, role, bad, spec("phases: {build: {commands: [exit 3]}}\n"))
    machine_role = make_role(server, fresh("role"), {"Effect": "Allow", "Action": "codebuild:*", "Resource": "*"},
                             service="states.amazonaws.com")
    states = server.aws("stepfunctions")

    def execute(name, resource):
        made = states.create_state_machine(name=fresh("machine"), roleArn=machine_role, definition=json.dumps({
            "StartAt": "B", "States": {"B": {"Type": "Task", "Resource": resource, "End": True,
                                             "Parameters": {"ProjectName": name}}}}))
        started = states.start_execution(stateMachineArn=made["stateMachineArn"])["executionArn"]
        return wait_until(lambda: (d := states.describe_execution(executionArn=started))["status"] != "RUNNING" and d,
                          "the execution's end", LIMIT_S)
    told = execute(good, "arn:aws:states:::codebuild:startBuild.sync")
    assert told["status"] == "SUCCEEDED", told
    build = json.loads(told["output"])["Build"]
    assert build["BuildStatus"] == "SUCCEEDED"
    assert build["ExportedEnvironmentVariables"] == [{"Name": "W", "Value": "made"}]
    told = execute(bad, "arn:aws:states:::codebuild:startBuild.sync")
    assert (told["status"], told["error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(told["cause"])["Build"]["BuildStatus"] == "FAILED"
    told = execute(good, "arn:aws:states:::codebuild:startBuild")
    assert json.loads(told["output"])["Build"]["BuildStatus"] == "IN_PROGRESS"
    assert execute("none", "arn:aws:states:::codebuild:startBuild")["error"] == "CodeBuild.ResourceNotFoundException"


def test_a_build_goes_on_after_the_server_was_killed(tmp_path):
    with Server(tmp_path / "data") as server:
        role = make_role(server, "builder", service="codebuild.amazonaws.com")
        client = server.aws("codebuild")
        project(client, role, "slow", spec("phases: {build: {commands: [echo begun, sleep 8, echo done]}}\n"))
        build = client.start_build(projectName="slow")["build"]
        wait_until(lambda: client.batch_get_builds(ids=[build["id"]])["builds"][0]["currentPhase"] == "BUILD",
                   "phase BUILD", LIMIT_S)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        server.start()
        client = server.aws("codebuild")
        over = wait_for(client, build["id"])
        assert over["buildStatus"] == "SUCCEEDED", over
        assert client.list_builds()["ids"] == [build["id"]]
