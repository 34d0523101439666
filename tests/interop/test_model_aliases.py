# SPDX-License-Identifier: Apache-2.0
"""Aliases of models: andon's own operations, by HTTP as anybody signs them."""
import pytest


@pytest.fixture
def model(server, fresh):
    """A model with three versions."""
    name = fresh("model")
    sagemaker = server.aws("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName=name)
    for _ in range(3):
        sagemaker.create_model_package(ModelPackageGroupName=name)
    return name


def test_an_alias_moves_and_its_history_stays(server, model):
    place = f"/andon/v1/models/{model}/aliases/champion"
    assert server.call("GET", place)[0] == 404
    status, told = server.call("PUT", place, {"version": 1, "note": "the first"})
    assert (status, told["version"]) == (200, 1)
    assert server.call("PUT", place, {"version": 3, "expectedVersion": 1})[1]["version"] == 3
    status, refused = server.call("PUT", place, {"version": 2, "expectedVersion": 1})
    assert status == 409 and "somebody has moved it" in refused["message"]
    assert server.call("PUT", place, {"version": 9})[0] == 404
    assert server.call("GET", place)[1]["version"] == 3
    listed = server.call("GET", f"/andon/v1/models/{model}/aliases")[1]["aliases"]
    assert [(one["alias"], one["version"]) for one in listed] == [("champion", 3)]
    assert server.call("DELETE", place, {"note": "withdrawn"})[0] == 200
    moves = server.call("GET", f"/andon/v1/models/{model}/alias-moves?alias=champion")[1]["moves"]
    assert [(one.get("fromVersion"), one.get("toVersion"), one.get("note")) for one in moves] == [
        (3, None, "withdrawn"), (1, 3, None), (None, 1, "the first")]
    assert {one["movedBy"] for one in moves} == {"operator"}


def test_a_version_with_an_alias_is_not_deleted(server, model):
    server.call("PUT", f"/andon/v1/models/{model}/aliases/champion", {"version": 2})
    sagemaker = server.aws("sagemaker")
    with pytest.raises(sagemaker.exceptions.ConflictException) as refused:
        sagemaker.delete_model_package(ModelPackageName=f"{model}/2")
    assert "alias champion" in refused.value.response["Error"]["Message"]
    server.call("PUT", f"/andon/v1/models/{model}/aliases/champion", {"version": 3})
    sagemaker.delete_model_package(ModelPackageName=f"{model}/2")
