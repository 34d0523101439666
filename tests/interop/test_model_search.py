# SPDX-License-Identifier: Apache-2.0
"""SageMaker's Search over model packages and their groups, in boto3."""
import datetime

import botocore.exceptions
import pytest

from harness import checked

MODELS = {"tags": ("pending", "Approved", "Rejected"), "cans": ("Approved",)}


@pytest.fixture(scope="module")
def sagemaker(server):
    client = checked(server.aws("sagemaker"))
    for name, approvals in MODELS.items():
        client.create_model_package_group(ModelPackageGroupName=name,
                                          ModelPackageGroupDescription=f"all {name}",
                                          Tags=[{"Key": "line", "Value": name[0]}])
        for number, approval in enumerate(approvals, 1):
            arn = client.create_model_package(
                ModelPackageGroupName=name,
                CustomerMetadataProperties={"map50": f"0.{number}", "by": "night shift"}
            )["ModelPackageArn"]
            if approval != "pending":
                client.update_model_package(ModelPackageArn=arn, ModelApprovalStatus=approval)
    return client


def search(client, *filters, **more):
    answer = client.search(Resource="ModelPackage", SearchExpression={
        "Filters": [dict(zip(("Name", "Operator", "Value"), one)) for one in filters]}, **more)
    return [(one["ModelPackage"]["ModelPackageGroupName"],
             one["ModelPackage"]["ModelPackageVersion"]) for one in answer["Results"]]


@pytest.mark.parametrize(("filters", "found"), [
    ([("ModelApprovalStatus", "Equals", "Approved")], {("tags", 2), ("cans", 1)}),
    ([("ModelApprovalStatus", "NotEquals", "Approved")], {("tags", 1), ("tags", 3)}),
    ([("ModelApprovalStatus", "In", "Approved,Rejected"),
      ("ModelPackageGroupName", "Equals", "tags")], {("tags", 2), ("tags", 3)}),
    ([("ModelPackageGroupName", "Contains", "an")], {("cans", 1)}),
    ([("CustomerMetadataProperties.map50", "GreaterThanOrEqualTo", "0.2")],
     {("tags", 2), ("tags", 3)}),
    ([("ModelPackageVersion", "LessThan", "2")], {("tags", 1), ("cans", 1)}),
    ([("CustomerMetadataProperties.none", "Exists")], set()),
    ([("ApprovalDescription", "NotExists"), ("ModelPackageVersion", "Equals", "3")],
     {("tags", 3)}),
    ([("CreationTime", "GreaterThan", "2020-01-01T00:00:00Z"),
      ("CreationTime", "LessThan", "2099-01-01T00:00:00Z")],
     {("tags", 1), ("tags", 2), ("tags", 3), ("cans", 1)}),
])
def test_filters_find_what_they_say(sagemaker, filters, found):
    assert set(search(sagemaker, *filters)) == found


def test_expressions_hold_expressions(sagemaker):
    answer = sagemaker.search(Resource="ModelPackage", SearchExpression={
        "Operator": "Or",
        "SubExpressions": [
            {"Filters": [{"Name": "ModelPackageGroupName", "Value": "cans"}]},
            {"Filters": [{"Name": "ModelApprovalStatus", "Value": "Rejected"},
                         {"Name": "ModelPackageVersion", "Value": "3"}]}]})
    assert len(answer["Results"]) == 2
    assert answer["TotalHits"] == {"Value": 2, "Relation": "EqualTo"}


def test_results_are_sorted_and_come_in_pages(sagemaker):
    pages = list(sagemaker.get_paginator("search").paginate(
        Resource="ModelPackage", SortBy="CustomerMetadataProperties.map50",
        SortOrder="Ascending", PaginationConfig={"PageSize": 1}))
    values = [one["ModelPackage"]["CustomerMetadataProperties"]["map50"]
              for page in pages for one in page["Results"]]
    assert values == ["0.1", "0.1", "0.2", "0.3"] and len(pages) == 4
    newest = sagemaker.search(Resource="ModelPackage", MaxResults=1)["Results"][0]["ModelPackage"]
    assert isinstance(newest["LastModifiedTime"], datetime.datetime)
    assert newest["ModelPackageName"] == newest["ModelPackageGroupName"]


def test_groups_are_found_by_their_tags(sagemaker):
    found = sagemaker.search(Resource="ModelPackageGroup", SearchExpression={
        "Filters": [{"Name": "Tags.line", "Operator": "Equals", "Value": "c"}]})["Results"]
    assert [one["ModelPackageGroup"]["ModelPackageGroupName"] for one in found] == ["cans"]


def test_what_cannot_be_searched_is_refused_by_name(sagemaker):
    for arguments, part in [
            ({"Resource": "TrainingJob"}, "Resource"),
            ({"Resource": "ModelPackage", "NextToken": "mine"}, "NextToken"),
            ({"Resource": "ModelPackage", "SearchExpression": {"Filters": [
                {"Name": "a", "Operator": "Equals"}]}}, "Value"),
            ({"Resource": "ModelPackage", "SearchExpression": {"NestedFilters": [
                {"NestedPropertyName": "a", "Filters": [{"Name": "b"}]}]}}, "NestedFilters")]:
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            sagemaker.search(**arguments)
        assert caught.value.response["Error"]["Code"] == "ValidationException"
        assert part in caught.value.response["Error"]["Message"]
