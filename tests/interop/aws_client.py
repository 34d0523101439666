# SPDX-License-Identifier: Apache-2.0
"""boto3 clients whose answers are held to AWS's models, how their refusals are read, and where on the
disk something is found."""
import boto3
import botocore.exceptions
import pytest
from botocore.config import Config
from botocore.validate import ParamValidator


def checked(client):
    """A client that does not take an answer which lacks what AWS's model requires; as AWS's own
    answers do, a list may be empty where the model says that it has an item, unless it must be
    there."""
    def filled(value, shape):
        if isinstance(value, dict) and shape.type_name == "structure":
            return {key: filled(inner, shape.members[key]) if key in shape.members else inner
                    for key, inner in value.items()
                    if inner != [] or key in shape.required_members}
        if isinstance(value, dict) and shape.type_name == "map":
            return {key: filled(inner, shape.value) for key, inner in value.items()}
        return [filled(inner, shape.member) for inner in value] if isinstance(value, list) else value

    def check(parsed, model, **_):
        if model.output_shape is None or "Error" in parsed:
            return
        answer = filled({key: value for key, value in parsed.items() if key != "ResponseMetadata"},
                        model.output_shape)
        report = ParamValidator().validate(answer, model.output_shape)
        assert not report.has_errors(), f"{model.name}: {report.generate_report()}"
        known = set(model.output_shape.members)
        assert set(answer) <= known, f"{model.name}: {set(answer) - known}"
    client.meta.events.register("after-call", check)
    return client


def client_of(server, service, key=None):
    """With an AccessKey of CreateAccessKey, or the operator's; botocore checks no input, so that
    hostile input gets to the server."""
    key = key or {"AccessKeyId": server.operator_key["accessKeyId"],
                  "SecretAccessKey": server.operator_key["secretAccessKey"]}
    return checked(boto3.client(
        service, endpoint_url=server.info["api"], region_name="us-east-1", verify=server.ca_file,
        aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"],
        config=Config(retries={"total_max_attempts": 1}, proxies={}, parameter_validation=False)))


def refusal_answer(call, *arguments, **named):
    """The whole answer of a call that must fail."""
    with pytest.raises(botocore.exceptions.ClientError) as error:
        call(*arguments, **named)
    return error.value.response


def error_answer(call, *arguments, **named):
    """Its `Error`: `Code`, `Message` and what else the service says."""
    return refusal_answer(call, *arguments, **named)["Error"]


def refusal(call, *arguments, **named):
    """(HTTP status, code, message)"""
    answer = refusal_answer(call, *arguments, **named)
    error = answer["Error"]
    return answer["ResponseMetadata"]["HTTPStatusCode"], error["Code"], error["Message"]


def status_and_code(call, *arguments, **named):
    return refusal(call, *arguments, **named)[:2]


def code_and_message(call, *arguments, **named):
    return refusal(call, *arguments, **named)[1:]


def refused(call, **arguments):
    """(code, message) of an error with status 400."""
    status, code, message = refusal(call, **arguments)
    assert status == 400, (status, code, message)
    return code, message


def code_of(call, **arguments):
    return refused(call, **arguments)[0]


def holders(directory, words):
    """[(file below, word that it holds)]"""
    found = []
    for file in directory.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            found += [(str(file), word) for word in words if word in content]
    return found
