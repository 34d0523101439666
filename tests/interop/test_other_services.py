# SPDX-License-Identifier: Apache-2.0
"""Services that this server does not have: whoever asks is told so in its own protocol, with the
service's name, so that clients show the sentence."""
import botocore.exceptions
import pytest


def sentence_of(client, operation, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        getattr(client, operation)(**arguments)
    error = refused.value.response["Error"]
    status = refused.value.response["ResponseMetadata"]["HTTPStatusCode"]
    return status, error["Code"], error.get("Message", "")


@pytest.mark.parametrize("service, operation, arguments, named", [
    ("dynamodb", "list_tables", {}, "dynamodb"),  # json 1.0
    ("ecs", "list_clusters", {}, "ecs"),  # json 1.1
    ("lexv2-models", "list_bots", {}, "lex"),  # rest-json
    ("batch", "describe_job_queues", {}, "batch"),
    ("sns", "list_topics", {}, "sns"),  # query
    ("autoscaling", "describe_auto_scaling_groups", {}, "autoscaling"),
    ("rds", "describe_db_instances", {}, "rds"),
    ("ec2", "describe_instances", {}, "ec2"),  # ec2
    ("route53", "list_hosted_zones", {}, "route53"),  # rest-xml
    ("cloudfront", "list_distributions", {}, "cloudfront"),
])
def test_a_service_that_is_not_here_is_named_in_the_askers_protocol(server, service, operation,
                                                                    arguments, named):
    status, code, message = sentence_of(server.aws(service), operation, **arguments)
    assert message == f"this server has no service '{named}'"
    assert (status, code) in [(400, "UnknownOperationException"), (404, "UnknownOperationException"),
                              (400, "InvalidAction")]


@pytest.mark.parametrize("service, operation, arguments, named", [
    ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": "e", "Body": b"{}"},
     "sagemaker-runtime"),
    ("sagemaker-metrics", "batch_put_metrics",
     {"TrialComponentName": "t", "MetricData": [{"MetricName": "m", "Timestamp": 0, "Value": 1.0}]},
     "sagemaker-metrics"),
    ("sagemaker-edge", "get_device_registration", {"DeviceName": "d", "DeviceFleetName": "f"},
     "sagemaker-edge"),
    ("greengrass", "list_groups", {}, "greengrass (version 1)"),
])
def test_services_that_share_a_signing_name_are_told_apart(server, service, operation, arguments,
                                                           named):
    _, code, message = sentence_of(server.aws(service), operation, **arguments)
    assert message == f"this server has no service '{named}'"
    assert code == "UnknownOperationException"


def test_an_operation_that_a_service_lacks_is_named(server):
    _, code, message = sentence_of(server.aws("sagemaker"), "list_endpoints")
    assert code == "UnknownOperationException" and "SageMaker.ListEndpoints" in message
