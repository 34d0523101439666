# SPDX-License-Identifier: Apache-2.0
"""Groups of users in the console: made, given members and policies, deleted; and what a viewer is not
offered."""
import json

import pytest

from conftest import HOSTILE, PASSWORD, Watched
from harness import wait_until
from test_dialogs import SIZES
from test_screens import accessible

VIEWER = "arn:aws:iam::aws:policy/AndonViewerAccess"
# What a group's own policy says.
OWN = {"Version": "2012-10-17", "Statement": [
    {"Sid": "Own", "Effect": "Allow", "Action": "iot:CreateThing", "Resource": "*"}]}


def let_in(server, name):
    iam = server.aws("iam")
    iam.create_user(UserName=name)
    iam.create_login_profile(UserName=name, Password=PASSWORD)
    return iam


def make_group(server, name="packers"):
    iam = server.aws("iam")
    iam.create_group(GroupName=name)
    iam.put_group_policy(GroupName=name, PolicyName="things", PolicyDocument=json.dumps(OWN))
    return iam


def test_who_is_put_into_a_group_may_do_what_it_lets_them_until_taken_out(alone, watched):
    iam = let_in(alone.server, "udo")
    key = iam.create_access_key(UserName="udo")["AccessKey"]
    keys = {"accessKeyId": key["AccessKeyId"], "secretAccessKey": key["SecretAccessKey"]}
    page = watched.sign_in().go("#/settings/groups", "Settings")
    page.get_by_text("No groups yet").wait_for()
    page.get_by_role("button", name="Add a group").click()
    page.get_by_label("Name of the group").fill("packers")
    page.get_by_role("dialog").get_by_role("button", name="Add a group").click()
    page.get_by_role("heading", name="packers", level=1).wait_for()
    page.get_by_text("Nobody is in it.").wait_for()
    page.get_by_label("May do").select_option(label="AndonViewerAccess")
    page.get_by_role("button", name="Add the policy").click()
    page.get_by_role("button", name="Remove AndonViewerAccess").wait_for()
    page.get_by_label("User", exact=True).select_option("udo")
    page.get_by_role("button", name="Add the user").click()
    page.get_by_role("link", name="udo").wait_for()
    assert alone.server.aws("iot", keys).list_things()["things"] == []
    assert iam.list_attached_group_policies(GroupName="packers")["AttachedPolicies"] == [
        {"PolicyName": "AndonViewerAccess", "PolicyArn": VIEWER}]
    # The user's own page leads back to it.
    page.get_by_role("link", name="udo").click()
    page.get_by_role("heading", name="udo", level=1).wait_for()
    page.get_by_role("link", name="packers").click()
    page.get_by_role("heading", name="packers", level=1).wait_for()
    page.get_by_role("button", name="Remove udo").click()
    page.get_by_text("Nobody is in it.").wait_for()
    with pytest.raises(Exception, match="not authorized"):
        alone.server.aws("iot", keys).list_things()
    page.get_by_role("button", name="Remove AndonViewerAccess").click()
    page.get_by_text("It lets nobody do anything.").wait_for()
    assert not watched.problems


def test_a_group_is_shown_with_its_own_policies_and_deleted_with_all_that_it_has(alone, watched):
    iam = make_group(alone.server)
    let_in(alone.server, "udo")
    iam.attach_group_policy(GroupName="packers", PolicyArn=VIEWER)
    iam.add_user_to_group(GroupName="packers", UserName="udo")
    page = watched.sign_in().go("#/settings/groups", "Settings")
    row = page.get_by_role("row").filter(has_text="packers")
    assert "AndonViewerAccess, things" in row.inner_text()
    page = watched.go("#/settings/groups/packers", "packers")
    page.get_by_text("things", exact=False).first.click()
    page.get_by_text('"Sid": "Own"').wait_for()
    button = page.get_by_role("button", name="Copy as CLI")
    assert button.get_attribute("title").endswith("iam get-group --group-name packers")
    page.get_by_role("button", name="Delete things").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete things").wait_for(state="detached")
    assert iam.list_group_policies(GroupName="packers")["PolicyNames"] == []
    iam.put_group_policy(GroupName="packers", PolicyName="things", PolicyDocument=json.dumps(OWN))
    page.get_by_role("button", name="Delete things").wait_for()  # by itself
    page.get_by_role("button", name="Delete the group").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete the group").click()
    page.get_by_text("No groups yet").wait_for()
    assert iam.list_groups()["Groups"] == []
    assert iam.get_user(UserName="udo")["User"]["UserName"] == "udo"
    assert not watched.problems


def test_what_the_server_refuses_of_a_group_is_said_in_the_form(alone, watched):
    make_group(alone.server)
    page = watched.sign_in().go("#/settings/groups", "Settings")
    page.get_by_role("button", name="Add a group").click()
    dialog = page.get_by_role("dialog")
    for name, reason in (("packers", "packers"), (HOSTILE, "GroupName")):
        dialog.get_by_label("Name of the group").fill(name)
        dialog.get_by_role("button", name="Add a group").click()
        wait_until(lambda: reason in dialog.get_by_role("alert").inner_text(), "the reason")
    assert page.title() != "owned" and not watched.problems
    page.get_by_role("button", name="Cancel").click()


def test_a_long_list_of_groups_and_of_members_shows_more(alone, watched):
    iam = alone.server.aws("iam")
    iam.create_group(GroupName="all")
    for number in range(301):
        iam.create_group(GroupName=f"group-{number:03}")
        iam.create_user(UserName=f"user-{number:03}")
        iam.add_user_to_group(GroupName="all", UserName=f"user-{number:03}")
    page = watched.sign_in().go("#/settings/groups", "Settings")
    page.get_by_role("button", name="Show more").click()
    page.get_by_role("link", name="group-300").wait_for()
    page = watched.go("#/settings/groups/all", "all")
    page.get_by_text("The first 300 are shown; there are more.").wait_for()
    page.get_by_role("button", name="Show more").click()
    page.get_by_role("link", name="user-300").wait_for()
    assert page.get_by_text("there are more").count() == 0


def test_who_may_only_look_at_groups_is_offered_no_change(alone, watched):
    iam = let_in(alone.server, "vera")
    make_group(alone.server)
    iam.attach_group_policy(GroupName="packers", PolicyArn=VIEWER)
    iam.add_user_to_group(GroupName="packers", UserName="vera")
    page = watched.sign_in("vera").go("#/settings/groups", "Settings")
    # A viewer sees nothing of IAM: the reason is said.
    page.get_by_text("iam:ListGroups").first.wait_for()
    iam.put_user_policy(UserName="vera", PolicyName="look", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["iam:List*", "iam:Get*"], "Resource": "*"}]}))
    page.reload()
    page.get_by_role("link", name="packers").wait_for()

    def refused(name, right):
        button = page.get_by_role("button", name=name, exact=True)
        wait_until(button.is_disabled, f"{name} being off")
        wait_until(lambda: right in (button.get_attribute("title") or ""), f"{right} in the title of {name}")
    refused("Add a group", "iam:CreateGroup")
    page = watched.go("#/settings/groups/packers", "packers")
    page.get_by_label("User", exact=True).select_option(index=0)
    refused("Delete the group", "iam:DeleteGroup")
    refused("Remove vera", "iam:RemoveUserFromGroup")
    refused("Remove AndonViewerAccess", "iam:DetachGroupPolicy")
    refused("Delete things", "iam:DeleteGroupPolicy")
    refused("Add the user", "iam:AddUserToGroup")
    refused("Add the policy", "iam:AttachGroupPolicy")
    assert not watched.problems


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_serious_in_groups_and_webhooks(chromium, alone, size, theme):
    server = alone.server
    iam = let_in(server, "udo")
    make_group(server)
    iam.add_user_to_group(GroupName="packers", UserName="udo")
    watched = Watched(chromium, alone, viewport=SIZES[size], color_scheme=theme)
    try:
        page, wrong = watched.page, []
        watched.sign_in()
        for path, heading, button in (
                ("#/settings/groups", "Settings", "Add a group"), ("#/settings/groups/packers", "packers", None),
                ("#/workflows/triggers", "Schedules and webhooks", "New webhook")):
            wrong += [f"{path}: {problem}" for problem in accessible(watched.go(path, heading))]
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= SIZES[size]["width"], f"{path} is {wide} pixels wide"
            if not button:
                continue
            page.get_by_role("button", name=button).first.click()
            dialog = page.get_by_role("dialog")
            dialog.wait_for()
            wrong += [f"{button}: {problem}" for problem in accessible(page)]
            if button == "New webhook":
                dialog.get_by_label("Name").fill("plant")
                dialog.get_by_role("button", name="New webhook").click()
                dialog.get_by_text("shown once").wait_for()
                wrong += [f"its secret: {problem}" for problem in accessible(page)]
            page.keyboard.press("Escape")
            dialog.wait_for(state="detached")
        assert not wrong, "\n".join(wrong)
        assert not watched.problems
    finally:
        watched.close()


def test_policies_of_a_role_are_attached_and_detached_and_its_own_deleted(alone, watched):
    iam = alone.server.aws("iam")
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    iam.create_role(RoleName="packing", AssumeRolePolicyDocument=json.dumps(trust))
    iam.put_role_policy(RoleName="packing", PolicyName="things", PolicyDocument=json.dumps(OWN))
    page = watched.sign_in().go("#/settings/roles", "Settings")
    page.get_by_role("link", name="packing").click()
    page.get_by_role("heading", name="packing", level=1).wait_for()
    add = page.get_by_role("button", name="Add the policy")
    assert add.is_disabled()
    page.get_by_label("May do").select_option(label="AndonViewerAccess")
    add.click()
    remove = page.get_by_role("button", name="Remove AndonViewerAccess")
    remove.wait_for()
    assert iam.list_attached_role_policies(RoleName="packing")["AttachedPolicies"] == [
        {"PolicyName": "AndonViewerAccess", "PolicyArn": VIEWER}]
    assert not accessible(page)
    remove.click()
    remove.wait_for(state="detached")
    assert iam.list_attached_role_policies(RoleName="packing")["AttachedPolicies"] == []
    page.get_by_role("button", name="Delete things").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_text("It lets nobody do anything.").wait_for()
    assert iam.list_role_policies(RoleName="packing")["PolicyNames"] == []
    assert not watched.problems


def test_who_may_look_at_a_role_alone_is_offered_no_change_of_it(alone, watched):
    iam = let_in(alone.server, "udo")
    iam.create_role(RoleName="packing", AssumeRolePolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}]}))
    iam.attach_role_policy(RoleName="packing", PolicyArn=VIEWER)
    iam.put_role_policy(RoleName="packing", PolicyName="things", PolicyDocument=json.dumps(OWN))
    iam.put_user_policy(UserName="udo", PolicyName="looks", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["iam:Get*", "iam:List*", "andon:Get*"], "Resource": "*"}]}))
    page = watched.sign_in("udo").go("#/settings/roles/packing", "packing")
    for name, right in (("Remove AndonViewerAccess", "iam:DetachRolePolicy"), ("Delete things", "iam:DeleteRolePolicy")):
        button = page.get_by_role("button", name=name)
        wait_until(button.is_disabled, f"{name} being off")
        assert right in button.get_attribute("title")
    page.get_by_label("May do").select_option(label="AndonOperatorAccess")
    add = page.get_by_role("button", name="Add the policy")
    wait_until(lambda: "iam:AttachRolePolicy" in (add.get_attribute("title") or ""), "the right that is missing")
    assert add.is_disabled()
