# SPDX-License-Identifier: Apache-2.0
"""A deployment that is under way is followed step by step, on its page and on the device's."""
import pytest

from agent import Agent, Fleet


@pytest.fixture
def slow(alone, tmp_path):
    """A device that is at starting a component, until `goes-on` is there."""
    goes_on = tmp_path / "goes-on"
    fleet = Fleet(alone.server)
    fleet.component("com.example.Slow", "1.0.0", {
        "startup": f"while [ ! -e {goes_on} ]; do sleep 0.2; done"})
    with Agent(alone.server, tmp_path / "edge-1"):
        yield fleet, fleet.deploy({"com.example.Slow": "1.0.0"}), goes_on


def test_a_deployment_is_followed_step_by_step(slow, watched):
    fleet, deployment, goes_on = slow
    page = watched.sign_in().page
    for path in (f"#/deployments/{deployment}", "#/devices/edge-1"):
        page.evaluate("path => { location.hash = path }", path)
        steps = page.get_by_role("list", name="Step by step")
        steps.get_by_text("Start").wait_for()
        assert steps.locator("[aria-current=step]").inner_text() == "Start"
        assert steps.locator(".done").all_inner_texts() == ["Resolve", "Download", "Verify", "Unpack", "Ask"]
        page.get_by_text("com.example.Slow: STARTING").first.wait_for()
    goes_on.touch()
    assert fleet.outcome(deployment)["coreDeviceExecutionStatus"] in ("SUCCEEDED", "COMPLETED")
    steps.wait_for(state="detached")
    assert not watched.problems
