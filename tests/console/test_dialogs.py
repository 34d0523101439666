# SPDX-License-Identifier: Apache-2.0
"""What opens over the screens, and the screens that one comes to from others: axe finds nothing
serious in them either, at a desk and on a phone, light and dark."""
import re

import pytest

from conftest import PASSWORD, Watched
from test_screens import accessible

SIZES = {"desk": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 780}}
DIALOGS = (("#/fleet", "Fleet", "Add a device"), ("#/fleet", "Fleet", "New group"),
           ("#/alerts", "Alerts", "New alert"), ("#/settings/users", "Settings", "Add a user"))
SCREENS = (("#/settings/users/eva", "eva"), ("#/settings/roles", "Settings"),
           ("#/settings/sessions", "Settings"), ("#/settings/shifts", "Settings"),
           ("#/settings/about", "Settings"), ("#/models/tags", "tags"),
           ("#/deployments/new", "New deployment"))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_serious_in_dialogs_and_beside_the_main_screens(chromium, alone, size, theme):
    server = alone.server
    iam = server.aws("iam")
    iam.create_user(UserName="eva")
    iam.create_login_profile(UserName="eva", Password=PASSWORD)
    iam.create_access_key(UserName="eva")
    server.aws("iot").create_thing(thingName="line-1")
    server.aws("sagemaker").create_model_package_group(ModelPackageGroupName="tags")
    watched = Watched(chromium, alone, viewport=SIZES[size], color_scheme=theme)
    try:
        page, wrong = watched.page, []
        page.goto(alone.url + "/console/")
        page.get_by_role("button", name="Sign in").wait_for()
        for tab in ("Password", "Access key", "Link"):
            page.get_by_role("tab", name=tab).click()
            wrong += [f"sign-in, {tab}: {problem}" for problem in accessible(page)]
        watched.sign_in()
        for path, heading in SCREENS:
            wrong += [f"{path}: {problem}" for problem in accessible(watched.go(path, heading))]
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= SIZES[size]["width"], f"{path} is {wide} pixels wide"
        for path, heading, button in DIALOGS:
            watched.go(path, heading).get_by_role("button", name=button).first.click()
            page.get_by_role("dialog").wait_for()
            wrong += [f"{button}: {problem}" for problem in accessible(page)]
            page.keyboard.press("Escape")
            page.get_by_role("dialog").wait_for(state="detached")
        assert not wrong, "\n".join(wrong)
        assert not watched.problems
        assert all(re.match(re.escape(alone.url) + "|blob:", url) for url in watched.asked)
    finally:
        watched.close()
