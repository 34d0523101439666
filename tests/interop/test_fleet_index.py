# SPDX-License-Identifier: Apache-2.0
"""Thing types, fleet indexing and groups by query as boto3 speaks them."""
import json

import botocore.exceptions
import pytest

from aws_client import status_and_code
from harness import Server, wait_until


@pytest.fixture(scope="module")
def iot(server):
    return server.aws("iot")


def make(iot, name, thing_type=None, **attributes):
    more = {"thingTypeName": thing_type} if thing_type else {}
    iot.create_thing(thingName=name, attributePayload={"attributes": attributes}, **more)
    return name


def found(iot, query, **more):
    return [one["thingName"] for one in iot.search_index(queryString=query, **more)["things"]]


def test_a_thing_type_lives_as_with_aws(iot, fresh):
    name, thing = fresh("type"), fresh("dev")
    made = iot.create_thing_type(thingTypeName=name, thingTypeProperties={
        "thingTypeDescription": "a camera", "searchableAttributes": ["line"]})
    assert iot.create_thing_type(thingTypeName=name, thingTypeProperties={
        "thingTypeDescription": "a camera", "searchableAttributes": ["line"]})["thingTypeId"] \
        == made["thingTypeId"]
    assert status_and_code(iot.create_thing_type, thingTypeName=name) \
        == (409, "ResourceAlreadyExistsException")
    assert status_and_code(iot.create_thing, thingName=fresh("dev"), thingTypeName="none") \
        == (404, "ResourceNotFoundException")
    make(iot, thing, name)
    iot.update_thing_type(thingTypeName=name,
                          thingTypeProperties={"thingTypeDescription": "cameras"})
    iot.deprecate_thing_type(thingTypeName=name)
    described = iot.describe_thing_type(thingTypeName=name)
    assert described["thingTypeProperties"] == {"thingTypeDescription": "cameras",
                                                "searchableAttributes": ["line"]}
    assert described["thingTypeMetadata"]["deprecated"] is True
    assert status_and_code(iot.create_thing, thingName=fresh("dev"), thingTypeName=name) \
        == (400, "InvalidRequestException")
    assert status_and_code(iot.delete_thing_type, thingTypeName=name) == (400, "InvalidRequestException")
    assert [one["thingName"] for one in iot.list_things(thingTypeName=name)["things"]] == [thing]
    iot.update_thing(thingName=thing, removeThingType=True)
    iot.delete_thing_type(thingTypeName=name)
    assert status_and_code(iot.describe_thing_type, thingTypeName=name) \
        == (404, "ResourceNotFoundException")


def test_thing_types_are_listed_in_pages(iot, fresh):
    names = {fresh("paged") for _ in range(3)}
    for name in names:
        iot.create_thing_type(thingTypeName=name)
    listed = [one["thingTypeName"] for page in iot.get_paginator("list_thing_types").paginate(
        PaginationConfig={"PageSize": 2}) for one in page["thingTypes"]]
    assert names <= set(listed) and listed == sorted(listed)
    one, = iot.list_thing_types(thingTypeName=min(names))["thingTypes"]
    assert one["thingTypeName"] == min(names)


def test_groups_are_changed_with_their_version_and_a_thing_changes_groups_at_once(iot, fresh):
    first, second, thing = fresh("group"), fresh("group"), make(iot, fresh("dev"))
    for name in (first, second):
        iot.create_thing_group(thingGroupName=name)
    assert iot.update_thing_group(thingGroupName=first, expectedVersion=1, thingGroupProperties={
        "thingGroupDescription": "hall", "attributePayload": {"attributes": {"a": "1"}}}) \
        ["version"] == 2
    assert status_and_code(iot.update_thing_group, thingGroupName=first, expectedVersion=1,
                   thingGroupProperties={}) == (409, "VersionConflictException")
    iot.update_thing_groups_for_thing(thingName=thing, thingGroupsToAdd=[first])
    iot.update_thing_groups_for_thing(thingName=thing, thingGroupsToAdd=[second],
                                      thingGroupsToRemove=[first])
    assert [one["groupName"] for one in
            iot.list_thing_groups_for_thing(thingName=thing)["thingGroups"]] == [second]
    assert status_and_code(iot.delete_thing_group, thingGroupName=first, expectedVersion=1) \
        == (409, "VersionConflictException")
    iot.delete_thing_group(thingGroupName=first, expectedVersion=2)


def test_billing_groups_are_refused_by_name(iot):
    with pytest.raises(botocore.exceptions.ClientError, match="billing"):
        iot.create_billing_group(billingGroupName="b")


def test_things_are_found_by_query_in_pages(iot, fresh):
    kind, group = fresh("press"), fresh("line")
    iot.create_thing_type(thingTypeName=kind)
    iot.create_thing_group(thingGroupName=group)
    names = [make(iot, fresh("q"), kind, line=str(number), hall="two words".split()[0])
             for number in (2, 4, 10)]
    iot.add_thing_to_thing_group(thingName=names[1], thingGroupName=group)
    own = f"thingTypeName:{kind}"
    assert found(iot, own) == names
    assert found(iot, f"{own} AND attributes.line:4") == [names[1]]
    assert found(iot, f"{own} AND attributes.line>3") == [names[1], names[2]]
    assert found(iot, f"{own} AND attributes.line:[2 TO 4]") == names[:2]
    assert found(iot, f"{own} AND NOT (attributes.line:2 OR attributes.line:4)") == [names[2]]
    assert found(iot, f"thingGroupNames:{group}") == [names[1]]
    assert found(iot, f"{own} AND connectivity.connected:false") == names
    assert found(iot, f"{own} AND thingName:{names[0][:2]}*") == names
    pages = iot.get_paginator("search_index") if iot.can_paginate("search_index") else None
    assert pages is None  # botocore has none: nextToken by hand
    answer = iot.search_index(queryString=own, maxResults=2)
    assert [one["thingName"] for one in answer["things"]] == names[:2]
    assert found(iot, own, nextToken=answer["nextToken"]) == names[2:]
    thing = iot.search_index(queryString=f"thingName:{names[1]}")["things"][0]
    assert (thing["attributes"], thing["thingTypeName"], thing["thingGroupNames"]) \
        == ({"line": "4", "hall": "two"}, kind, [group])
    groups = iot.search_index(indexName="AWS_ThingGroups",
                              queryString=f"thingGroupName:{group}")["thingGroups"]
    assert [one["thingGroupName"] for one in groups] == [group]


@pytest.mark.parametrize("query", ["a:(", "nothing:1", "shadow.reported.x:1", "word"])
def test_a_query_that_is_wrong_is_refused_by_its_code(iot, query):
    assert status_and_code(iot.search_index, queryString=query) == (400, "InvalidQueryException")


def test_what_is_found_is_counted_and_weighed(iot, fresh):
    kind = fresh("oven")
    iot.create_thing_type(thingTypeName=kind)
    for degrees, site in ((100, "a"), (200, "a"), (300, "b")):
        make(iot, fresh("w"), kind, degrees=str(degrees), site=site)
    own = {"queryString": f"thingTypeName:{kind}"}
    statistics = iot.get_statistics(aggregationField="attributes.degrees", **own)["statistics"]
    assert (statistics["count"], statistics["average"], statistics["minimum"],
            statistics["maximum"], statistics["sum"]) == (3, 200, 100, 300, 600)
    assert iot.get_cardinality(aggregationField="attributes.site", **own)["cardinality"] == 2
    assert iot.get_percentiles(aggregationField="attributes.degrees", percents=[0, 50, 100],
                               **own)["percentiles"] == [
        {"percent": 0.0, "value": 100.0}, {"percent": 50.0, "value": 200.0},
        {"percent": 100.0, "value": 300.0}]
    buckets = iot.get_buckets_aggregation(
        aggregationField="attributes.site",
        bucketsAggregationType={"termsAggregation": {"maxBuckets": 5}}, **own)
    assert (buckets["totalCount"], buckets["buckets"]) == (3, [
        {"keyValue": "a", "count": 2}, {"keyValue": "b", "count": 1}])
    assert status_and_code(iot.get_cardinality, aggregationField="nothing", **own) \
        == (400, "InvalidAggregationException")


def test_the_index_is_switched_off_and_on(iot):
    on = iot.get_indexing_configuration()
    assert on["thingIndexingConfiguration"]["thingIndexingMode"] == "REGISTRY"
    assert iot.describe_index(indexName="AWS_Things")["indexStatus"] == "ACTIVE"
    assert iot.list_indices()["indexNames"] == ["AWS_Things", "AWS_ThingGroups"]
    try:
        iot.update_indexing_configuration(thingIndexingConfiguration={"thingIndexingMode": "OFF"})
        assert status_and_code(iot.search_index, queryString="*") == (400, "IndexNotReadyException")
        assert iot.list_indices()["indexNames"] == ["AWS_ThingGroups"]
    finally:
        iot.update_indexing_configuration(thingIndexingConfiguration={
            "thingIndexingMode": "REGISTRY", "thingConnectivityIndexingMode": "STATUS",
            "customFields": [{"name": "attributes.line", "type": "Number"}]})
    assert status_and_code(iot.update_indexing_configuration, thingIndexingConfiguration={
        "thingIndexingMode": "REGISTRY",
        "deviceDefenderIndexingMode": "VIOLATIONS"}) == (400, "InvalidRequestException")


def test_who_is_connected_is_found(server, iot, fresh, tmp_path):
    device = server.device(fresh("dev"), tmp_path)
    query = f"thingName:{device.thing} AND connectivity.connected:true"
    device_mqtt = device.mqtt()
    device_mqtt.client_id = device.thing
    with device_mqtt.subscribe("$aws/things/" + device.thing + "/x"):
        wait_until(lambda: found(iot, query), "it being found")
        assert iot.get_thing_connectivity_data(thingName=device.thing)["connected"] is True
    wait_until(lambda: not found(iot, query), "it being gone")
    told = iot.get_thing_connectivity_data(thingName=device.thing)
    assert (told["thingName"], told["connected"]) == (device.thing, False)
    assert told["timestamp"].year > 2020
    never = make(iot, fresh("a:b"))
    assert iot.get_thing_connectivity_data(thingName=never)["connected"] is False
    assert status_and_code(iot.get_thing_connectivity_data, thingName=fresh("none")) \
        == (404, "ResourceNotFoundException")
    thing, = iot.search_index(queryString=f"thingName:{device.thing}")["things"]
    assert thing["connectivity"]["connected"] is False
    assert thing["connectivity"]["timestamp"] > 1_600_000_000_000


def members(iot, group):
    return iot.list_things_in_thing_group(thingGroupName=group)["things"]


def test_a_group_by_query_follows_its_things_and_a_deployment_reaches_who_joins(server, iot, fresh):
    group, one, other = fresh("dynamic"), fresh("d"), fresh("d")
    hall = fresh("hall")
    make(iot, one, hall=hall, line="4")
    make(iot, other, hall=hall, line="5")
    made = iot.create_dynamic_thing_group(
        thingGroupName=group, queryString=f"attributes.hall:{hall} AND attributes.line:4")
    assert (made["indexName"], made["queryVersion"]) == ("AWS_Things", "2017-09-30")
    wait_until(lambda: members(iot, group) == [one], "the group being built")
    described = iot.describe_thing_group(thingGroupName=group)
    assert (described["queryString"], described["status"]) == (made["queryString"], "ACTIVE")

    greengrass = server.aws("greengrassv2")
    component = fresh("com.example.C")
    greengrass.create_component_version(inlineRecipe=json.dumps({
        "RecipeFormatVersion": "2020-01-25", "ComponentName": component,
        "ComponentVersion": "1.0.0", "Manifests": [{"Lifecycle": {"run": "true"}}]}))
    deployment = greengrass.create_deployment(
        targetArn=made["thingGroupArn"],
        components={component: {"componentVersion": "1.0.0"}})["deploymentId"]

    def has_it(thing):
        return [d for d in greengrass.list_effective_deployments(coreDeviceThingName=thing)
                ["effectiveDeployments"] if d["deploymentId"] == deployment and
                d["coreDeviceExecutionStatus"] == "QUEUED"]
    wait_until(lambda: has_it(one), "the deployment on its member")
    assert not has_it(other)
    iot.update_thing(thingName=other, attributePayload={"attributes": {"line": "4"},
                                                        "merge": True})
    wait_until(lambda: members(iot, group) == sorted([one, other]), "the other joining")
    wait_until(lambda: has_it(other), "the deployment on who joined")
    iot.update_thing(thingName=one, attributePayload={"attributes": {"line": "6"}, "merge": True})
    wait_until(lambda: members(iot, group) == [other], "the one leaving")
    assert status_and_code(iot.add_thing_to_thing_group, thingGroupName=group, thingName=one) \
        == (400, "InvalidRequestException")
    iot.update_dynamic_thing_group(thingGroupName=group, thingGroupProperties={},
                                   queryString=f"attributes.hall:{hall}", expectedVersion=1)
    wait_until(lambda: members(iot, group) == sorted([one, other]), "the new query")
    assert status_and_code(iot.delete_thing_group, thingGroupName=group) == (400, "InvalidRequestException")
    iot.delete_dynamic_thing_group(thingGroupName=group)


def test_a_group_by_query_of_who_is_connected(server, iot, fresh, tmp_path):
    device, group = server.device(fresh("dev"), tmp_path), fresh("dynamic")
    iot.create_dynamic_thing_group(
        thingGroupName=group,
        queryString=f"thingName:{device.thing} AND connectivity.connected:true")
    device_mqtt = device.mqtt()
    device_mqtt.client_id = device.thing
    with device_mqtt.subscribe("$aws/things/" + device.thing + "/x"):
        wait_until(lambda: members(iot, group) == [device.thing], "it joining")
    wait_until(lambda: members(iot, group) == [], "it leaving")


def test_the_command_line_of_aws_searches(server, iot, fresh):
    name = make(iot, fresh("cli"), note="x")
    said = json.loads(server.aws_cli("iot", "search-index", "--query-string",
                                     f"thingName:{name}").stdout)
    assert [one["thingName"] for one in said["things"]] == [name]


def test_who_may_not_search_is_refused(limited):
    own = limited("iot", "iot:SearchIndex", "arn:aws:iot:us-east-1:000000000000:index/AWS_Other")
    assert status_and_code(own.search_index, indexName="AWS_Things", queryString="*")[1] in (
        "UnauthorizedException", "AccessDeniedException")


def test_shadows_are_searched_once_they_are_switched_on(tmp_path):
    with Server(tmp_path / "data") as server:
        iot, data = server.aws("iot"), server.aws("iot-data")
        for name, speed in (("a", 7), ("b", 12)):
            make(iot, name)
            data.update_thing_shadow(thingName=name, payload=json.dumps({"state": {
                "reported": {"motor": {"speed": speed}}, "desired": {"motor": {"speed": 12}}}}))
        data.update_thing_shadow(thingName="b", shadowName="lamp",
                                 payload='{"state": {"reported": {"on": true}}}')
        query = "shadow.reported.motor.speed>6"
        assert status_and_code(iot.search_index, queryString=query) == (400, "InvalidQueryException")
        iot.update_indexing_configuration(thingIndexingConfiguration={
            "thingIndexingMode": "REGISTRY_AND_SHADOW", "thingConnectivityIndexingMode": "STATUS",
            "namedShadowIndexingMode": "ON", "filter": {"namedShadowNames": ["lamp"]}})
        assert iot.describe_index(indexName="AWS_Things")["schema"] \
            == "REGISTRY_AND_SHADOW_AND_CONNECTIVITY_STATUS"
        assert found(iot, query) == ["a", "b"]
        assert found(iot, "shadow.hasDelta:true") == ["a"]
        assert found(iot, "shadow.name.lamp.reported.on:true") == ["b"]
        statistics = iot.get_statistics(queryString="*", aggregationField="shadow.reported.motor.speed")
        assert statistics["statistics"]["sum"] == 19
        iot.create_dynamic_thing_group(thingGroupName="fast", queryString="shadow.reported.motor.speed>10")

        def members():
            return iot.list_things_in_thing_group(thingGroupName="fast")["things"]
        wait_until(lambda: members() == ["b"], "the member")
        data.update_thing_shadow(thingName="a", payload='{"state": {"reported": {"motor": {"speed": 11}}}}')
        wait_until(lambda: members() == ["a", "b"], "both members")
