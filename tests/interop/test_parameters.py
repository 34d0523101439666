# SPDX-License-Identifier: Apache-2.0
"""Parameter Store through boto3, the AWS CLI and state machines: every answer is parsed by
botocore's model and has its required members; errors are AWS's."""
import base64
import datetime
import json

import botocore.exceptions
import pytest

from aws_client import client_of, code_of, holders, refused
from harness import wait_until

OVERWRITE = {"Overwrite": True}


@pytest.fixture
def ssm(server):
    return client_of(server, "ssm")


@pytest.fixture
def path(fresh):
    """A path of the test's own."""
    return f"/{fresh('plant')}"


def put(ssm, name, value, kind="String", **more):
    return ssm.put_parameter(Name=name, Value=value, Type=kind, **more)


def test_a_parameter_from_its_first_version_to_its_deletion(ssm, path):
    name = f"{path}/threshold"
    assert put(ssm, name, "0.5", Description="of scratches", Tags=[{"Key": "line", "Value": "3"}])[
        "Version"] == 1
    got = ssm.get_parameter(Name=name)["Parameter"]
    assert {key: got[key] for key in ("Name", "Type", "Value", "Version", "DataType")} == {
        "Name": name, "Type": "String", "Value": "0.5", "Version": 1, "DataType": "text"}
    assert got["ARN"] == f"arn:aws:ssm:us-east-1:000000000000:parameter{name}"
    assert isinstance(got["LastModifiedDate"], datetime.datetime)
    assert code_of(put_again := ssm.put_parameter, Name=name, Value="0.6") == "ParameterAlreadyExists"
    assert put_again(Name=name, Value="0.6", **OVERWRITE) | {"ResponseMetadata": 0} == {
        "Version": 2, "Tier": "Standard", "ResponseMetadata": 0}
    assert ssm.get_parameter(Name=f"{name}:1")["Parameter"]["Value"] == "0.5"
    assert ssm.get_parameter(Name=f"{name}:1")["Parameter"]["Selector"] == ":1"
    assert ssm.get_parameter(Name=got["ARN"])["Parameter"]["Value"] == "0.6"
    assert code_of(ssm.get_parameter, Name=f"{name}:3") == "ParameterVersionNotFound"
    assert code_of(ssm.get_parameter, Name=f"{name}:good") == "ParameterVersionNotFound"
    assert code_of(ssm.get_parameter, Name=f"{path}/none") == "ParameterNotFound"
    assert ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"] == [
        {"Key": "line", "Value": "3"}]
    # What an overwriting put leaves out stays as it was.
    described = ssm.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": [name]}])
    assert [(one["Description"], one["Version"]) for one in described["Parameters"]] == [
        ("of scratches", 2)]
    assert described["Parameters"][0]["LastModifiedUser"].startswith("arn:aws:iam::000000000000:")
    ssm.delete_parameter(Name=name)
    assert code_of(ssm.delete_parameter, Name=name) == "ParameterNotFound"
    assert code_of(ssm.get_parameter_history, Name=name) == "ParameterNotFound"
    assert put(ssm, name, "1")["Version"] == 1


def test_a_secure_string_is_given_opened_only_with_decryption(ssm, path):
    name = f"{path}/password"
    put(ssm, name, "geheim", "SecureString", KeyId="alias/aws/ssm")
    assert ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"] == "geheim"
    sealed = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    assert b"geheim" not in base64.b64decode(sealed) and "geheim" not in sealed
    version = ssm.get_parameter_history(Name=name)["Parameters"][0]
    assert version["Value"] == sealed and version["KeyId"] == "alias/aws/ssm"
    assert ssm.get_parameters_by_path(Path=path, WithDecryption=True)["Parameters"][0]["Value"] == "geheim"
    code, message = refused(ssm.put_parameter, Name=f"{path}/x", Value="geheim", Type="SecureString",
                            KeyId="alias/other")
    assert code == "InvalidKeyId" and "geheim" not in message
    assert code_of(ssm.put_parameter, Name=name, Value="open", Type="String", **OVERWRITE) == \
        "HierarchyTypeMismatchException"


def test_several_are_read_and_deleted_at_once_and_the_others_are_named(ssm, path):
    names = [f"{path}/{i}" for i in range(3)]
    for name in names:
        put(ssm, name, name)
    answer = ssm.get_parameters(Names=[*names, f"{path}/none", f"{names[0]}:7", f"{names[1]}:1"])
    assert [one["Value"] for one in answer["Parameters"]] == [*names, names[1]]
    assert answer["InvalidParameters"] == [f"{path}/none", f"{names[0]}:7"]
    assert ssm.get_parameters(Names=names)["InvalidParameters"] == []
    answer = ssm.delete_parameters(Names=[names[0], f"{path}/none"])
    assert answer["DeletedParameters"] == [names[0]]
    assert answer["InvalidParameters"] == [f"{path}/none"]
    assert code_of(ssm.get_parameters, Names=names * 4) == "ValidationException"
    assert code_of(ssm.get_parameters, Names=[]) == "ValidationException"


def test_a_hierarchy_is_read_by_path_in_pages(ssm, path):
    for i in range(23):
        put(ssm, f"{path}/a/{i:02}", str(i), "SecureString" if i == 5 else "String")
    put(ssm, f"{path}/b", "b")
    put(ssm, f"{path}0", "beside")
    paginator = ssm.get_paginator("get_parameters_by_path")

    def names(**arguments):
        return [one["Name"].removeprefix(path) for page in paginator.paginate(**arguments)
                for one in page["Parameters"]]
    assert names(Path=path) == ["/b"]
    assert names(Path=f"{path}/") == ["/b"]
    assert names(Path=path, Recursive=True) == [f"/a/{i:02}" for i in range(23)] + ["/b"]
    assert names(Path=f"{path}/a", PaginationConfig={"PageSize": 3}) == [f"/a/{i:02}" for i in range(23)]
    assert names(Path=path, Recursive=True, ParameterFilters=[
        {"Key": "Type", "Option": "Equals", "Values": ["SecureString"]}]) == ["/a/05"]
    ssm.put_parameter(Name=f"{path}/a/03", Value="newer", **OVERWRITE)
    ssm.label_parameter_version(Name=f"{path}/a/03", ParameterVersion=1, Labels=["good"])
    labelled = ssm.get_parameters_by_path(Path=path, Recursive=True, ParameterFilters=[
        {"Key": "Label", "Values": ["good"]}])["Parameters"]
    assert [(one["Name"], one["Value"]) for one in labelled] == [(f"{path}/a/03", "3")]
    top = [one["Name"] for page in paginator.paginate(Path="/") for one in page["Parameters"]]
    assert f"{path}0" in top and f"{path}/b" not in top
    for wrong in ("a", "//", "/a//b", "/a:1", "/ä"):
        assert code_of(ssm.get_parameters_by_path, Path=wrong) == "ValidationException"
    assert code_of(ssm.get_parameters_by_path, Path=path, NextToken="made up") == "InvalidNextToken"
    assert code_of(ssm.get_parameters_by_path, Path=path, MaxResults=11) == "ValidationException"
    assert code_of(ssm.get_parameters_by_path, Path=path, ParameterFilters=[
        {"Key": "Tier", "Values": ["Standard"]}]) == "InvalidFilterKey"


def test_parameters_are_described_by_filters(ssm, path):
    put(ssm, f"{path}/a/x", "1", Tags=[{"Key": "line", "Value": "3"}])
    put(ssm, f"{path}/a/y/z", "1,2", "StringList", Tags=[{"Key": "line", "Value": "4"}])
    put(ssm, f"{path}/secret", "s", "SecureString", Tier="Advanced")
    own = {"Key": "Path", "Option": "Recursive", "Values": [path]}

    def found(*filters):
        return [one["Name"].removeprefix(path) for one in ssm.describe_parameters(
            ParameterFilters=[own, *filters])["Parameters"]]
    assert found() == ["/a/x", "/a/y/z", "/secret"]
    assert found({"Key": "Name", "Option": "BeginsWith", "Values": [f"{path}/a"]}) == ["/a/x", "/a/y/z"]
    assert found({"Key": "Name", "Option": "Contains", "Values": ["y/"]}) == ["/a/y/z"]
    assert found({"Key": "Name", "Values": [f"{path}/a/x".lstrip("/")]}) == ["/a/x"]
    assert found({"Key": "Path", "Values": [f"{path}/a"]}) == ["/a/x"]
    assert found({"Key": "Type", "Values": ["StringList", "SecureString"]}) == ["/a/y/z", "/secret"]
    assert found({"Key": "Tier", "Values": ["Advanced"]}) == ["/secret"]
    assert found({"Key": "KeyId", "Values": ["alias/aws/ssm"]}) == ["/secret"]
    assert found({"Key": "DataType", "Values": ["text"]}) == ["/a/x", "/a/y/z", "/secret"]
    assert found({"Key": "tag:line", "Values": ["3"]}) == ["/a/x"]
    assert found({"Key": "tag:line"}) == ["/a/x", "/a/y/z"]
    old = ssm.describe_parameters(Filters=[{"Key": "Name", "Values": [f"{path}/a"]}])["Parameters"]
    assert [one["Name"] for one in old] == [f"{path}/a/x", f"{path}/a/y/z"]
    assert all("Value" not in one for one in old)
    pages = ssm.get_paginator("describe_parameters").paginate(
        ParameterFilters=[own], PaginationConfig={"PageSize": 1})
    assert [one["Name"] for page in pages for one in page["Parameters"]] == [
        f"{path}/a/x", f"{path}/a/y/z", f"{path}/secret"]
    for wrong, code in (({"Key": "Owner", "Values": ["x"]}, "InvalidFilterKey"),
                        ({"Key": "Name", "Option": "Like", "Values": ["x"]}, "InvalidFilterOption"),
                        ({"Key": "Path", "Option": "Equals", "Values": ["x"]}, "InvalidFilterOption"),
                        ({"Key": "Name", "Values": []}, "InvalidFilterValue"),
                        ({"Key": "Name", "Values": ["x" * 1025]}, "InvalidFilterValue")):
        assert code_of(ssm.describe_parameters, ParameterFilters=[wrong]) == code
    assert "Shared" in refused(ssm.describe_parameters, Shared=True)[1]


def test_versions_are_labelled_and_kept_up_to_a_hundred(ssm, path):
    name = f"{path}/v"
    for i in range(1, 101):
        ssm.put_parameter(Name=name, Value=f"v{i}", Type="String", **OVERWRITE)
    answer = ssm.label_parameter_version(Name=name, ParameterVersion=1,
                                         Labels=["good", "1st", "aws-x", "SSM", "a b"])
    assert answer["InvalidLabels"] == ["1st", "aws-x", "SSM", "a b"]
    assert answer["ParameterVersion"] == 1
    assert ssm.get_parameter(Name=f"{name}:good")["Parameter"]["Value"] == "v1"
    # The oldest version would go, but has a label.
    assert code_of(ssm.put_parameter, Name=name, Value="v101", **OVERWRITE) == \
        "ParameterMaxVersionLimitExceeded"
    assert ssm.get_parameter(Name=name)["Parameter"]["Value"] == "v100"
    assert ssm.label_parameter_version(Name=name, Labels=["good"])["ParameterVersion"] == 100
    assert ssm.get_parameter(Name=f"{name}:good")["Parameter"]["Value"] == "v100"
    assert ssm.put_parameter(Name=name, Value="v101", **OVERWRITE)["Version"] == 101
    pages = ssm.get_paginator("get_parameter_history").paginate(Name=name)
    versions = [one for page in pages for one in page["Parameters"]]
    assert [one["Version"] for one in versions] == list(range(2, 102))
    assert [one["Version"] for one in versions if one["Labels"] == ["good"]] == [100]
    assert code_of(ssm.label_parameter_version, Name=name, ParameterVersion=1, Labels=["x"]) == \
        "ParameterVersionNotFound"
    ssm.label_parameter_version(Name=name, Labels=[f"l{i}" for i in range(10)])
    assert code_of(ssm.label_parameter_version, Name=name, Labels=["eleventh"]) == \
        "ParameterVersionLabelLimitExceeded"
    answer = ssm.unlabel_parameter_version(Name=name, ParameterVersion=101, Labels=["l0", "good"])
    assert answer["RemovedLabels"] == ["l0"] and answer["InvalidLabels"] == ["good"]


@pytest.mark.parametrize("name, code", [
    ("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16", "HierarchyLevelLimitExceededException"),
    ("aws-x", "ValidationException"), ("/AWS/x", "ValidationException"),
    ("ssmx", "ValidationException"), ("/ssm/x", "ValidationException"),
    ("a/b", "ValidationException"), ("/a/", "ValidationException"), ("//a", "ValidationException"),
    ("/", "ValidationException"), ("", "ValidationException"), ("ä", "ValidationException"),
    ("a b", "ValidationException"), ("/a:1", "ValidationException"), ("/a\n", "ValidationException"),
    ("/" + "x" * 1011, "ValidationException"), ("/../x" + "\0", "ValidationException")])
def test_a_name_that_aws_would_not_take_is_refused(ssm, name, code):
    assert code_of(ssm.put_parameter, Name=name, Value="v", Type="String") == code


def test_the_deepest_and_the_longest_name_are_taken(ssm, path):
    deepest = path + "".join(f"/{i}" for i in range(14))
    put(ssm, deepest, "v")
    longest = f"{path}/".ljust(1011 - len("arn:aws:ssm:us-east-1:000000000000:parameter"), "x")
    put(ssm, longest, "v")
    for name in (deepest, longest):
        assert ssm.get_parameter(Name=name)["Parameter"]["Name"] == name


def test_a_name_with_and_without_its_slash_is_one_resource(ssm, fresh):
    name = fresh("one")
    put(ssm, name, "v")
    assert code_of(put, ssm=ssm, name=f"/{name}", value="w") == "ParameterAlreadyExists"
    assert code_of(ssm.put_parameter, Name=f"/{name}", Value="w", **OVERWRITE) == "ParameterAlreadyExists"
    assert code_of(ssm.get_parameter, Name=f"/{name}") == "ParameterNotFound"


def test_values_have_limits_and_patterns(ssm, path):
    name = f"{path}/p"
    assert put(ssm, name, "x" * 4096)["Tier"] == "Standard"
    assert code_of(put, ssm=ssm, name=f"{path}/q", value="x" * 4097) == "ValidationException"
    assert put(ssm, f"{path}/q", "x" * 4097, Tier="Intelligent-Tiering")["Tier"] == "Advanced"
    assert ssm.put_parameter(Name=name, Value="y" * 8192, Tier="Advanced", **OVERWRITE)["Tier"] == "Advanced"
    assert ssm.put_parameter(Name=name, Value="z", **OVERWRITE)["Tier"] == "Advanced"
    assert code_of(ssm.put_parameter, Name=name, Value="z", Tier="Standard", **OVERWRITE) == \
        "ValidationException"
    code, message = refused(put, ssm=ssm, name=f"{path}/r", value="geheim" * 2000, Tier="Advanced")
    assert code == "ValidationException" and "geheim" not in message
    assert code_of(put, ssm=ssm, name=f"{path}/r", value="") == "ValidationException"
    assert code_of(ssm.put_parameter, Name=f"{path}/r", Value="v") == "ValidationException"
    put(ssm, f"{path}/n", "17", AllowedPattern=r"^\d+$")
    code, message = refused(ssm.put_parameter, Name=f"{path}/n", Value="geheim", **OVERWRITE)
    assert code == "ParameterPatternMismatchException" and "geheim" not in message
    assert code_of(put, ssm=ssm, name=f"{path}/m", value="v", AllowedPattern="(") == \
        "InvalidAllowedPatternException"
    # A pattern that other engines hang on.
    code = code_of(put, ssm=ssm, name=f"{path}/m", value="a" * 4000 + "b", AllowedPattern="(a*)*(a*)*c")
    assert code == "ParameterPatternMismatchException"
    assert ssm.put_parameter(Name=f"{path}/n", Value="x", AllowedPattern="", **OVERWRITE)["Version"] == 2
    text = "Zeile 1\nä\t\"{{x}}\" \U0001F600"
    put(ssm, f"{path}/t", text)
    assert ssm.get_parameter(Name=f"{path}/t")["Parameter"]["Value"] == text


@pytest.mark.parametrize("member, value", [
    ("DataType", "aws:ec2:image"), ("Policies", "[]")])
def test_what_this_server_does_not_have_is_refused_by_name(ssm, path, member, value):
    code, message = refused(ssm.put_parameter, Name=f"{path}/x", Value="v", Type="String", **{member: value})
    assert code == "ValidationException" and member in message


def test_tags_come_and_go(ssm, path):
    name = f"{path}/t"
    put(ssm, name, "v")
    resource = {"ResourceType": "Parameter", "ResourceId": name}
    ssm.add_tags_to_resource(**resource, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}])
    ssm.remove_tags_from_resource(**resource, TagKeys=["a"])
    assert ssm.list_tags_for_resource(**resource)["TagList"] == [{"Key": "b", "Value": ""}]
    assert code_of(ssm.list_tags_for_resource, ResourceType="Parameter", ResourceId=f"{name}x") == \
        "InvalidResourceId"
    assert code_of(ssm.list_tags_for_resource, ResourceType="Document", ResourceId="x") == \
        "InvalidResourceType"
    assert code_of(ssm.add_tags_to_resource, **resource, Tags=[{"Key": "aws:x", "Value": ""}]) == \
        "ValidationException"
    assert code_of(ssm.put_parameter, Name=name, Value="w", Tags=[{"Key": "c", "Value": ""}],
                   **OVERWRITE) == "ValidationException"


def test_a_policy_is_as_narrow_as_a_path(ssm, limited, path):
    own, other = f"{path}/line3", f"{path}/line30"
    for name in (f"{own}/a", f"{other}/a"):
        put(ssm, name, "v", "SecureString")
    arn = f"arn:aws:ssm:us-east-1:000000000000:parameter{own}"
    client = limited("ssm", ["ssm:Get*", "ssm:PutParameter", "ssm:LabelParameterVersion"], f"{arn}/*")
    assert client.get_parameter(Name=f"{own}/a", WithDecryption=True)["Parameter"]["Value"] == "v"
    assert client.get_parameter(Name=f"{own}/a:1")["Parameter"]["Version"] == 1
    assert client.get_parameter(Name=f"{arn}/a")["Parameter"]["Version"] == 1
    assert len(client.get_parameters(Names=[f"{own}/a"])["Parameters"]) == 1
    assert len(client.get_parameters_by_path(Path=f"{own}/")["Parameters"]) == 1
    client.put_parameter(Name=f"{own}/b", Value="v", Type="String")
    client.label_parameter_version(Name=f"{own}/b", Labels=["x"])
    for call, arguments in (
            (client.get_parameter, {"Name": f"{other}/a"}),
            (client.get_parameter, {"Name": f"{other}/a:1"}),
            (client.get_parameter, {"Name": f"{arn}0/a"}),
            (client.get_parameters, {"Names": [f"{own}/a", f"{other}/a"]}),
            (client.get_parameters, {"Names": [f"{own}/a", f"{arn}0/a:1"]}),
            (client.get_parameters_by_path, {"Path": other}),
            (client.get_parameters_by_path, {"Path": "/", "Recursive": True}),
            (client.get_parameter_history, {"Name": f"{other}/a"}),
            (client.put_parameter, {"Name": f"{other}/b", "Value": "v", "Type": "String"}),
            (client.delete_parameter, {"Name": f"{own}/a"}),
            (client.describe_parameters, {})):
        assert code_of(call, **arguments) == "AccessDeniedException", (call, arguments)


def test_roles_that_see_names_see_no_values(server, ssm, limited, path):
    put(ssm, f"{path}/x", "v")
    client = limited("ssm", ["ssm:Describe*", "ssm:List*"], "*")
    assert client.describe_parameters()["Parameters"]
    assert code_of(client.get_parameter, Name=f"{path}/x") == "AccessDeniedException"


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b'{"Name": 7}', b'{"Name": null, "Value": "v"}', b'{"Name": {"a": 1}}',
    b'{"Name": "/x", "Value": ["v"], "Type": "String"}',
    b'{"Name": "/x", "Value": "v", "Type": "String", "Tags": "x"}',
    b'{"Name": "/x", "Value": "v", "Type": "String", "Tags": [{"Key": 1}]}',
    b'{"Name": "/x", "Value": "\\ud800", "Type": "String"}',
    b'{"Name": "/x", "Value": "v", "Type": "Other"}', b'{"Name": "' + b"\xff" * 10 + b'"}',
    b'{"Names": [1]}', b'{"a":' * 200 + b"1" + b"}" * 200])
def test_input_that_is_none_is_refused_with_a_code(server, body):
    client = client_of(server, "ssm")

    def send(request, **_):
        request.data = body
        request.headers["Content-Length"] = str(len(body))
    client.meta.events.register("before-sign.ssm.*", send)
    for call in (client.put_parameter, client.get_parameter, client.get_parameters_by_path,
                 client.describe_parameters, client.label_parameter_version):
        try:
            call()
        except botocore.exceptions.ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400, error
            assert error.response["Error"]["Code"]


def test_a_body_that_is_too_large_for_a_secret_is_refused(server, ssm, path):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        put(ssm, f"{path}/x", "x" * 300_000)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def run_machine(server, fresh, resource, parameters):
    server.let_workflows("ssm:*")
    states = server.aws("stepfunctions")
    machine = states.create_state_machine(
        name=fresh("machine"), roleArn="arn:aws:iam::000000000000:role/andon-workflows",
        definition=json.dumps({"StartAt": "A", "States": {"A": {
            "Type": "Task", "Resource": f"arn:aws:states:::aws-sdk:{resource}",
            "Parameters": parameters, "End": True}}}))["stateMachineArn"]
    arn = states.start_execution(stateMachineArn=machine)["executionArn"]
    return wait_until(lambda: (d := states.describe_execution(executionArn=arn))["status"] !=
                      "RUNNING" and d, "the execution")


def test_a_state_machine_reads_and_writes_parameters(server, ssm, fresh, path):
    name = f"{path}/model"
    told = run_machine(server, fresh, "ssm:putParameter",
                       {"Name": name, "Value": "parts/7", "Type": "String"})
    assert json.loads(told["output"]) == {"Tier": "Standard", "Version": 1}
    told = run_machine(server, fresh, "ssm:getParameter", {"Name": name, "WithDecryption": True})
    parameter = json.loads(told["output"])["Parameter"]
    assert parameter["Value"] == "parts/7" and parameter["Arn"].endswith(f"parameter{name}")
    datetime.datetime.fromisoformat(parameter["LastModifiedDate"].replace("Z", "+00:00"))
    told = run_machine(server, fresh, "ssm:getParameter", {"Name": f"{path}/none"})
    assert told["status"] == "FAILED" and told["error"] == "Ssm.ParameterNotFoundException"


def test_no_secure_string_goes_through_a_state_machine(server, ssm, fresh, path):
    name, value = f"{path}/password", f"kLaRtExT{path}"
    put(ssm, name, value, "SecureString")
    for resource, parameters in (
            ("ssm:getParameter", {"Name": name, "WithDecryption": True}),
            ("ssm:getParameters", {"Names": [name], "WithDecryption": True}),
            ("ssm:getParametersByPath", {"Path": path, "WithDecryption": True}),
            ("ssm:getParameterHistory", {"Name": name, "WithDecryption": True})):
        told = run_machine(server, fresh, resource, parameters)
        assert told["status"] == "FAILED" and told["error"] == "Ssm.ValidationException", told
        assert "WithDecryption" in told["cause"] and value not in told["cause"]
    for kind in ({"Type": "SecureString"}, {"Overwrite": True}):
        told = run_machine(server, fresh, "ssm:putParameter", {"Name": name, "Value": "v", **kind})
        assert told["status"] == "FAILED" and told["error"] == "Ssm.ValidationException", told
    told = run_machine(server, fresh, "ssm:getParameter", {"Name": name})
    assert value not in told["output"]
    assert json.loads(told["output"])["Parameter"]["Type"] == "SecureString"
    assert holders(server.data.parent, [value.encode()]) == []


def test_the_aws_cli_puts_and_gets(server, path):
    def cli(*arguments):
        return server.aws_cli(*arguments).stdout
    cli("ssm", "put-parameter", "--name", f"{path}/a", "--value", "geheim", "--type", "SecureString")
    assert cli("ssm", "get-parameter", "--name", f"{path}/a", "--with-decryption", "--query",
               "Parameter.Value", "--output", "text") == "geheim\n"
    listed = json.loads(cli("ssm", "get-parameters-by-path", "--path", path, "--recursive"))
    assert [one["Name"] for one in listed["Parameters"]] == [f"{path}/a"]
    name = path.strip("/")
    made = json.loads(cli("secretsmanager", "create-secret", "--name", name, "--secret-string", "x"))
    assert cli("secretsmanager", "get-secret-value", "--secret-id", made["ARN"], "--query",
               "SecretString", "--output", "text") == "x\n"
    cli("secretsmanager", "delete-secret", "--secret-id", name, "--force-delete-without-recovery")
