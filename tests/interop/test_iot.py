# SPDX-License-Identifier: Apache-2.0
"""AWS IoT as boto3 speaks it: things, thing groups, endpoints, certificates."""
import subprocess

import botocore.exceptions
import pytest


@pytest.fixture(scope="module")
def iot(server):
    return server.aws("iot")


def refusal(call, **arguments):
    """(HTTP status, AWS error code) of a call that must fail."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


def test_a_thing_is_made_described_changed_and_deleted(iot, fresh):
    name = fresh("dev")
    made = iot.create_thing(thingName=name, attributePayload={"attributes": {"line": "1"}})
    assert made["thingArn"] == f"arn:aws:iot:us-east-1:000000000000:thing/{name}"
    again = iot.create_thing(thingName=name, attributePayload={"attributes": {"line": "1"}})
    assert again["thingId"] == made["thingId"]
    assert refusal(iot.create_thing, thingName=name) == (409, "ResourceAlreadyExistsException")
    iot.update_thing(thingName=name,
                     attributePayload={"attributes": {"side": "left"}, "merge": True})
    described = iot.describe_thing(thingName=name)
    assert described["attributes"] == {"line": "1", "side": "left"}
    assert (described["version"], described["thingId"]) == (2, made["thingId"])
    assert refusal(iot.update_thing, thingName=name, expectedVersion=1) \
        == (409, "VersionConflictException")
    iot.delete_thing(thingName=name)
    assert refusal(iot.describe_thing, thingName=name) == (404, "ResourceNotFoundException")


@pytest.mark.parametrize("name", ["a b", "a.b", "andon-server", "x" * 129])
def test_bad_thing_names_are_refused(iot, name):
    with pytest.raises((botocore.exceptions.ClientError,
                        botocore.exceptions.ParamValidationError)) as caught:
        iot.create_thing(thingName=name)
    if isinstance(caught.value, botocore.exceptions.ClientError):
        assert caught.value.response["Error"]["Code"] == "InvalidRequestException"


def test_things_are_listed_in_pages_and_by_attribute(iot, fresh):
    names = sorted(fresh("paged") for _ in range(5))
    for name in names:
        iot.create_thing(thingName=name, attributePayload={"attributes": {"hall": "P"}})
    pages = list(iot.get_paginator("list_things").paginate(
        attributeName="hall", attributeValue="P", PaginationConfig={"PageSize": 2}))
    assert [len(page["things"]) for page in pages] == [2, 2, 1]
    assert sorted(one["thingName"] for page in pages for one in page["things"]) == names


def test_groups_nest_and_have_members(iot, fresh):
    site, line, thing = fresh("site"), fresh("line"), fresh("dev")
    made = iot.create_thing_group(thingGroupName=site, thingGroupProperties={
        "thingGroupDescription": "the plant", "attributePayload": {"attributes": {"a": "1"}}})
    iot.create_thing_group(thingGroupName=line, parentGroupName=site)
    iot.create_thing(thingName=thing)
    iot.add_thing_to_thing_group(thingGroupName=line, thingName=thing)
    described = iot.describe_thing_group(thingGroupName=line)
    assert described["thingGroupMetadata"]["parentGroupName"] == site
    assert described["thingGroupMetadata"]["rootToParentThingGroups"] == [
        {"groupName": site, "groupArn": made["thingGroupArn"]}]
    properties = iot.describe_thing_group(thingGroupName=site)["thingGroupProperties"]
    assert properties["thingGroupDescription"] == "the plant"
    assert properties["attributePayload"]["attributes"] == {"a": "1"}
    assert iot.list_things_in_thing_group(thingGroupName=line)["things"] == [thing]
    assert iot.list_things_in_thing_group(thingGroupName=site)["things"] == []
    assert iot.list_things_in_thing_group(thingGroupName=site, recursive=True)["things"] == [thing]
    assert [one["groupName"] for one in
            iot.list_thing_groups_for_thing(thingName=thing)["thingGroups"]] == [line]
    names = [one["groupName"] for page in iot.get_paginator("list_thing_groups").paginate(
        PaginationConfig={"PageSize": 1}) for one in page["thingGroups"]]
    assert {site, line} <= set(names)
    assert refusal(iot.delete_thing_group, thingGroupName=site) == (400, "InvalidRequestException")
    iot.remove_thing_from_thing_group(thingGroupName=line, thingName=thing)
    assert iot.list_things_in_thing_group(thingGroupName=line)["things"] == []
    iot.delete_thing_group(thingGroupName=line)
    iot.delete_thing_group(thingGroupName=site)


def test_what_has_tags_can_be_tagged_and_untagged_later(iot, fresh):
    group = iot.create_thing_group(thingGroupName=fresh("group"), tags=[{"Key": "hall", "Value": "4"}])
    kind = iot.create_thing_type(thingTypeName=fresh("type"))
    template = iot.create_job_template(jobTemplateId=fresh("template"), document="{}", description="d")
    for arn, tags in ((group["thingGroupArn"], {"hall": "4"}), (kind["thingTypeArn"], {}),
                      (template["jobTemplateArn"], {})):
        def listed():
            pages = iot.get_paginator("list_tags_for_resource").paginate(resourceArn=arn)
            return {tag["Key"]: tag["Value"] for page in pages for tag in page["tags"]}
        assert listed() == tags
        iot.tag_resource(resourceArn=arn, tags=[{"Key": "line", "Value": "1"}, {"Key": "old", "Value": ""}])
        iot.untag_resource(resourceArn=arn, tagKeys=["old", "none"])
        assert listed() == {**tags, "line": "1"}
    gone = group["thingGroupArn"] + "-none"
    assert refusal(iot.tag_resource, resourceArn=gone, tags=[]) == (404, "ResourceNotFoundException")
    thing = iot.create_thing(thingName=fresh("dev"))["thingArn"]
    assert refusal(iot.list_tags_for_resource, resourceArn=thing) == (400, "InvalidRequestException")
    iot.delete_thing_group(thingGroupName=group["thingGroupName"])
    again = iot.create_thing_group(thingGroupName=group["thingGroupName"])["thingGroupArn"]
    assert iot.list_tags_for_resource(resourceArn=again)["tags"] == []


def test_membership_of_what_is_not_there_is_refused(iot, fresh):
    group, thing = fresh("group"), fresh("dev")
    iot.create_thing_group(thingGroupName=group)
    assert refusal(iot.add_thing_to_thing_group, thingGroupName=group, thingName=thing) \
        == (404, "ResourceNotFoundException")
    assert refusal(iot.add_thing_to_thing_group, thingGroupName=group) \
        == (400, "InvalidRequestException")
    assert refusal(iot.list_things_in_thing_group, thingGroupName="none") \
        == (404, "ResourceNotFoundException")


def test_the_endpoints_are_this_servers(server, iot):
    mqtt = server.info["mqtt"]
    address = iot.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]
    assert address == f"{mqtt['host']}:{mqtt['port']}"
    credentials = iot.describe_endpoint(endpointType="iot:CredentialProvider")["endpointAddress"]
    assert "https://" + credentials == server.info["devicePlane"]
    assert refusal(iot.describe_endpoint, endpointType="iot:Nothing") \
        == (400, "InvalidRequestException")


def test_a_revoked_certificate_opens_nothing(server, iot, fresh, tmp_path):
    device = server.device(fresh("dev"), tmp_path)
    path = f"/greengrass/v2/coreDevices/{device.thing}/thingGroups"
    assert device.https(path)[0] == 200
    principal = iot.list_thing_principals(thingName=device.thing)["principals"][0]
    certificate = principal.rsplit("/", 1)[1]
    described = iot.describe_certificate(certificateId=certificate)["certificateDescription"]
    assert (described["status"], described["certificatePem"]) \
        == ("ACTIVE", device.certificate.read_text())
    iot.update_certificate(certificateId=certificate, newStatus="REVOKED")
    assert device.https(path)[0] == 403


def test_a_things_certificates_are_taken_down_as_scripts_do_it(server, iot, fresh, tmp_path):
    """In the order of AWS's own documentation: detach, deactivate, delete; then the thing."""
    device = server.device(fresh("dev"), tmp_path)
    name = device.thing
    assert refusal(iot.delete_thing, thingName=name) == (400, "InvalidRequestException")
    principal, = iot.list_thing_principals(thingName=name)["principals"]
    certificate = principal.rsplit("/", 1)[1]
    assert iot.list_principal_things(principal=principal)["things"] == [name]
    for force in (False, True):
        assert refusal(iot.delete_certificate, certificateId=certificate, forceDelete=force) \
            == (406, "CertificateStateException")
    iot.update_certificate(certificateId=certificate, newStatus="INACTIVE")
    for force in (False, True):
        assert refusal(iot.delete_certificate, certificateId=certificate, forceDelete=force) \
            == (409, "DeleteConflictException")
    iot.detach_thing_principal(thingName=name, principal=principal)
    iot.detach_thing_principal(thingName=name, principal=principal)
    assert iot.list_thing_principals(thingName=name)["principals"] == []
    assert iot.list_principal_things(principal=principal)["things"] == []
    iot.delete_certificate(certificateId=certificate, forceDelete=True)
    assert refusal(iot.describe_certificate, certificateId=certificate) \
        == (404, "ResourceNotFoundException")
    iot.delete_thing(thingName=name)
    iot.delete_thing(thingName=name)


def test_a_device_whose_certificate_an_operator_made_and_attached(server, iot, fresh, tmp_path):
    device = server.device(fresh("other"), tmp_path)  # for its key
    name = fresh("dev")
    iot.create_thing(thingName=name)
    made = iot.create_certificate_from_csr(certificateSigningRequest=device.csr(),
                                           setAsActive=True)
    device.certificate.write_text(made["certificatePem"])
    path = f"/greengrass/v2/coreDevices/{name}/thingGroups"
    assert device.https(path)[0] == 403
    iot.attach_thing_principal(thingName=name, principal=made["certificateArn"])
    assert device.https(path)[0] == 200
    second = fresh("dev")
    iot.create_thing(thingName=second)
    assert refusal(iot.attach_thing_principal, thingName=second,
                   principal=made["certificateArn"]) == (400, "InvalidRequestException")
    assert refusal(iot.detach_thing_principal, thingName=second,
                   principal=made["certificateArn"]) == (404, "ResourceNotFoundException")
    iot.detach_thing_principal(thingName=name, principal=made["certificateArn"])
    assert device.https(path)[0] == 403
    assert iot.describe_certificate(
        certificateId=made["certificateId"])["certificateDescription"]["status"] == "ACTIVE"


def test_certificates_are_listed_in_pages_and_in_both_orders(iot):
    made = [iot.create_certificate_from_csr(certificateSigningRequest=new_csr())
            for _ in range(3)]
    assert {iot.describe_certificate(certificateId=one["certificateId"])
            ["certificateDescription"]["status"] for one in made} == {"INACTIVE"}

    def ids(**options):
        pages = iot.get_paginator("list_certificates").paginate(
            PaginationConfig={"PageSize": 2}, **options)
        return [one["certificateId"] for page in pages for one in page["certificates"]]
    falling, rising = ids(), ids(ascendingOrder=True)
    assert falling == rising[::-1]
    assert {one["certificateId"] for one in made} <= set(falling)
    assert refusal(iot.list_certificates, marker="made-up") == (400, "InvalidRequestException")


def new_csr():
    return subprocess.run(
        ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", "/dev/null", "-subj", "/CN=x"],
        check=True, capture_output=True, text=True).stdout


def test_what_is_no_certificate_is_told_as_aws_does(iot, fresh):
    name = fresh("dev")
    iot.create_thing(thingName=name)
    none = "0" * 64
    arn = f"arn:aws:iot:us-east-1:000000000000:cert/{none}"
    for call, arguments in ((iot.describe_certificate, {"certificateId": none}),
                            (iot.delete_certificate, {"certificateId": none}),
                            (iot.update_certificate, {"certificateId": none,
                                                      "newStatus": "ACTIVE"}),
                            (iot.list_principal_things, {"principal": arn}),
                            (iot.attach_thing_principal, {"thingName": name, "principal": arn}),
                            (iot.detach_thing_principal, {"thingName": name, "principal": arn}),
                            (iot.list_thing_principals, {"thingName": "none"})):
        assert refusal(call, **arguments) == (404, "ResourceNotFoundException"), call
    assert refusal(iot.attach_thing_principal, thingName=name,
                   principal="arn:aws:cognito-identity:x") == (400, "InvalidRequestException")
    assert refusal(iot.create_certificate_from_csr, certificateSigningRequest="junk") \
        == (400, "InvalidRequestException")


def test_a_revoked_certificate_stays_revoked(iot):
    made = iot.create_certificate_from_csr(certificateSigningRequest=new_csr())
    certificate = made["certificateId"]
    iot.update_certificate(certificateId=certificate, newStatus="REVOKED")
    assert refusal(iot.update_certificate, certificateId=certificate, newStatus="ACTIVE") \
        == (406, "CertificateStateException")
    assert refusal(iot.update_certificate, certificateId=certificate,
                   newStatus="PENDING_TRANSFER") == (400, "InvalidRequestException")
    iot.delete_certificate(certificateId=certificate)
