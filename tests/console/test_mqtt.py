# SPDX-License-Identifier: Apache-2.0
"""The console's MQTT test client: what is seen and published, by whom, and what nobody is shown."""
import functools
import http.server
import json
import socket
import subprocess
import threading
import urllib.parse

import pytest

from conftest import HOSTILE, PASSWORD, Watched, ask
from harness import PATIENCE_S, wait_until

# A socket in the page, as the page itself has it, that keeps what it was told.
OPEN = """() => new Promise((opened, failed) => {
  window.told = []; window.ended = null;
  window.socket = new WebSocket(`ws://${location.host}/console/socket`);
  socket.onmessage = (event) => told.push(JSON.parse(event.data));
  socket.onclose = (event) => { window.ended = event.code; failed(new Error('closed')); };
  socket.onopen = () => opened();
})"""


def say(page, **what):
    page.evaluate("what => socket.send(JSON.stringify(what))", what)


def told(page):
    return page.evaluate("told")


def seen(page):
    return [one for each in told(page) for one in each.get("messages", [])]


def subscribed(page, *filters):
    for one in filters:
        say(page, subscribe=one)
    answers = wait_until(
        lambda: (found := {each.get("subscribed", each.get("refused")): "subscribed" in each
                           for each in told(page) if "messages" not in each})
        and set(filters) <= set(found) and found, "the answers")
    return [answers[one] for one in filters]


def add_user(alone, name, statement):
    iam = alone.server.aws("iam")
    iam.create_user(UserName=name)
    iam.create_login_profile(UserName=name, Password=PASSWORD)
    put_policy(alone, name, statement)


def put_policy(alone, name, statement):
    alone.server.aws("iam").put_user_policy(
        UserName=name, PolicyName="own",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statement}))


# Enough for the first page.
SEES = {"Effect": "Allow", "Action": ["iot:List*", "greengrass:List*", "andon:CountResults"],
        "Resource": "*"}


def of_iot(action, *resources):
    return {"Effect": "Allow", "Action": action,
            "Resource": [f"arn:aws:iot:us-east-1:000000000000:{one}" for one in resources]}


def test_messages_are_seen_as_they_come_with_what_is_retained(alone, watched):
    operator = alone.server.operator_mqtt()
    alone.server.aws("iot-data").publish(topic="hall/1/limit", payload=b"42", retain=True)
    page = watched.sign_in().go("#/mqtt", "MQTT")
    page.get_by_label("Filter").fill("hall/#")
    page.get_by_role("button", name="Subscribe").click()
    page.get_by_text("Subscribed", exact=True).wait_for()
    page.get_by_text("retained", exact=True).first.wait_for()
    assert operator.publish("hall/1/temperature", {"celsius": 21.5})
    assert operator.publish("elsewhere", "not asked for")
    page.locator("ol pre").filter(has_text='"celsius": 21.5').wait_for()
    assert operator.publish("hall/1/" + HOSTILE, HOSTILE)
    page.locator("ol li").filter(has_text=HOSTILE).first.wait_for()
    assert page.locator("img[src=x]").count() == 0 and page.title() != "owned"
    assert "not asked for" not in page.locator("main").inner_text()
    # A short name stands on one line beside what came last on its topic.
    assert operator.publish("hall/1/lamp", "green and a word or two more than there is room for here")
    name = page.get_by_role("button", name="lamp").locator("b")
    name.wait_for()
    assert name.evaluate("one => one.getClientRects().length") == 1
    assert name.evaluate("one => one.scrollWidth <= one.clientWidth + 1")
    # One topic of the tree alone; the address has it, and what was subscribed to.
    page.get_by_role("button", name="temperature").click()
    wait_until(lambda: page.locator("ol li").count() == 1, "the messages of the topic")
    other = watched.context.new_page()
    other.goto(page.url)
    other.get_by_text("Subscribed", exact=True).wait_for()
    page.get_by_role("button", name="End hall/#").click()
    page.get_by_text("Subscribed", exact=True).wait_for(state="detached")
    assert not watched.problems


def test_a_message_is_published_and_kept(alone, watched):
    page = watched.sign_in().go("#/mqtt", "MQTT")
    with alone.server.operator_mqtt().subscribe("hall/#") as others:
        page.get_by_label("Topic", exact=True).fill("hall/2/lamp")
        page.get_by_label("Message", exact=True).fill('{"on": true}')
        page.get_by_label("retain").check()
        page.get_by_role("button", name="Publish").click()
        page.get_by_text("Published", exact=True).wait_for()
        assert others.wait_for(lambda topic, _: topic == "hall/2/lamp", "the message")[1] == '{"on": true}'
    kept = alone.server.aws("iot-data").get_retained_message(topic="hall/2/lamp")
    assert kept["payload"] == b'{"on": true}'
    page.get_by_label("Topic", exact=True).fill("$aws/things/line-1/jobs/notify")
    page.get_by_role("button", name="Publish").click()
    page.get_by_text("is for devices and their server", exact=False).wait_for()


def test_results_are_seen_by_who_may_read_the_results_of_that_device(alone, chromium):
    add_user(alone, "rita", [SEES, {"Effect": "Allow", "Action": ["iot:Subscribe", "iot:Receive"],
                                    "Resource": "*"},
                             {"Effect": "Allow", "Action": "andon:ListResults",
                              "Resource": "arn:aws:andon:us-east-1:000000000000:thing/line-1"}])
    watched = Watched(chromium, alone)
    page = watched.sign_in("rita").go("#/mqtt", "MQTT")
    page.get_by_label("Filter").fill("andon/things/#")
    page.get_by_role("button", name="Subscribe").click()
    page.get_by_text("Subscribed", exact=True).wait_for()
    operator = alone.server.operator_mqtt()
    for thing in ("line-2", "line-1"):
        assert operator.publish(f"andon/things/{thing}/results", {"of": thing})
    page.locator("ol pre").filter(has_text='"of": "line-1"').wait_for()
    assert page.locator("ol li").count() == 1
    watched.close()


def test_a_viewer_looks_and_publishes_nothing(alone, chromium):
    add_user(alone, "vera", [SEES])
    alone.server.aws("iam").attach_user_policy(
        UserName="vera", PolicyArn="arn:aws:iam::aws:policy/AndonViewerAccess")
    watched = Watched(chromium, alone)
    page = watched.sign_in("vera").go("#/mqtt", "MQTT")
    page.get_by_label("Filter").fill("hall/#")
    page.get_by_role("button", name="Subscribe").click()
    page.get_by_text("Subscribed", exact=True).wait_for()
    button = page.get_by_role("button", name="Publish")
    wait_until(lambda: button.get_attribute("title"), "the reason")
    assert button.is_disabled() and "iot:Publish" in button.get_attribute("title")
    refused = page.evaluate("""async () => {
      const {csrfToken} = await (await fetch('/console/session')).json();
      return Promise.all([{}, {retain: true}, {qos: 1}].map(async more =>
        (await fetch('/console/call/iotdata/Publish', {method: 'POST',
          headers: {'X-Andon-Csrf': csrfToken, 'Content-Type': 'application/json'},
          body: JSON.stringify({topic: 'hall/1/stop', payload: '1', ...more})})).status));
    }""")
    assert refused == [403] * 3
    # Nor by the socket: it takes filters and nothing else.
    page.evaluate(OPEN)
    say(page, publish="hall/1/stop", payload="1")
    wait_until(lambda: any("refused" in each for each in told(page)), "the answer")
    watched.close()


def test_policies_decide_what_is_subscribed_to_and_each_message(alone, chromium):
    add_user(alone, "hans", [
        SEES, of_iot("iot:Subscribe", "topicfilter/hall/*", "topicfilter/$aws/things/*"),
        of_iot("iot:Receive", "topic/hall/1/*", "topic/$aws/things/*"),
        of_iot("iot:GetThingShadow", "thing/line-1")])
    for thing in ("line-1", "line-2"):
        alone.server.aws("iot").create_thing(thingName=thing)
    watched = Watched(chromium, alone)
    page = watched.sign_in("hans").page
    page.evaluate(OPEN)
    assert subscribed(page, "hall/#", "$aws/things/+/shadow/#", "#", "cellar/#") == [
        True, True, False, False]
    operator, shadows = alone.server.operator_mqtt(), alone.server.aws("iot-data")

    def marked(mark):
        """All topics that came before the mark did: it is published until it is seen."""
        wait_until(lambda: operator.publish("hall/1/mark", mark)
                   and any(one["payload"] == mark for one in seen(page)), "the mark")
        return {one["topic"] for one in seen(page)}
    marked("begun")
    for thing in ("line-1", "line-2"):
        shadows.update_thing_shadow(thingName=thing, payload=json.dumps(
            {"state": {"desired": {"light": thing}}}))
    operator.publish("hall/2/secret", "x")
    topics = marked("over")
    wait_until(lambda: any("things/line-1/shadow" in one["topic"] for one in seen(page)), "the shadow")
    assert "hall/2/secret" not in topics
    assert not any("line-2" in one["topic"] for one in seen(page))
    # What is taken away counts for what is open.
    put_policy(alone, "hans", [SEES, of_iot("iot:Subscribe", "topicfilter/$aws/things/*")])
    wait_until(lambda: any(each.get("refused") == "hall/#" for each in told(page)[4:]), "the end")
    denied = wait_until(
        lambda: alone.server.call("GET", "/andon/v1/audit?action=iot%3ASubscribe&outcome=denied")[1]["entries"],
        "the refusals in the audit log")
    assert {one["entry"]["resources"][0].split("/", 1)[1] for one in denied} == {"#", "cellar/#"}
    watched.close()


def test_what_devices_and_their_server_say_is_shown_to_nobody(alone, watched):
    """Not even to the account: it goes by the commands, jobs and shadows of the API."""
    device = alone.server.device("line-1", alone.server.data.parent / "devices")
    page = watched.sign_in().page
    page.evaluate(OPEN)
    assert subscribed(page, "#", "$aws/things/#", "cmd/andon/#", "$aws/certificates/create/json/+",
                      "$aws/provisioning-templates/#", "$SYS/#", "$aws/#", "$aws/rules/x/#") == [
        True, True, True, False, False, False, False, False]
    with device.mqtt().subscribe("cmd/andon/line-1/#", "$aws/things/line-1/jobs/#") as own:
        assert alone.server.call("POST", "/andon/v1/things/line-1/commands", {"kind": "doctor"})[0] == 200
        own.wait_for(lambda topic, _: "/commands/" in topic, "the command")
        device.mqtt().publish("$aws/things/line-1/jobs/$next/get", {"clientToken": "t"})
        device.mqtt().publish("andon/things/line-1/commands/00000000-0000-0000-0000-000000000000", "{}")
        own.wait_for(lambda topic, _: "/jobs/" in topic, "the answer about jobs")
    alone.server.aws("iot-data").update_thing_shadow(
        thingName="line-1", payload=b'{"state": {"desired": {"light": 1}}}')
    alone.server.operator_mqtt().publish("hall/mark", "over")
    wait_until(lambda: {"hall/mark", "$aws/things/line-1/shadow/update/accepted"} <=
               {one["topic"] for one in seen(page)}, "what may be seen")
    for one in seen(page):
        assert "/commands/" not in one["topic"] and "/jobs/" not in one["topic"], one


def handshake(alone, **headers):
    """The status of a request for the socket with these headers."""
    host = urllib.parse.urlsplit(alone.url).netloc
    lines = {"Host": host, "Upgrade": "websocket", "Connection": "Upgrade",
             "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", **headers}
    with socket.create_connection(host.split(":"), timeout=PATIENCE_S) as connection:
        connection.sendall("".join(["GET /console/socket HTTP/1.1\r\n",
                                    *(f"{name}: {value}\r\n" for name, value in lines.items()),
                                    "\r\n"]).encode())
        answer = connection.recv(4096).decode()
    return int(answer.split(" ", 2)[1])


def test_a_socket_is_for_the_servers_own_pages_of_who_is_signed_in(alone, watched):
    watched.sign_in()
    cookie = next(one for one in watched.context.cookies() if one["name"] == "andon_session")
    session = {"Cookie": f"andon_session={cookie['value']}"}
    assert handshake(alone, Origin=alone.url) == 401
    assert handshake(alone, Origin=alone.url, Cookie="andon_session=guess") == 401
    assert handshake(alone, **session) == 403
    for origin in ("null", "http://elsewhere.example", "http://127.0.0.1:1",
                   alone.url + ".elsewhere.example"):
        assert handshake(alone, **session, Origin=origin) == 403, origin
    assert handshake(alone, **session, Origin=alone.url, **{"Sec-Fetch-Site": "same-site"}) == 403
    assert handshake(alone, **session, Origin=alone.url, **{"Sec-WebSocket-Version": "12"}) in (400, 426)
    assert handshake(alone, **session, Origin=alone.url) == 101
    assert ask(alone.url, "GET", "/console/socket", session)[0] == 426


def test_a_page_of_another_port_of_this_machine_gets_no_socket(alone, watched, tmp_path):
    """The browser sends the cookie there, as the site is the same: its origin is not."""
    (tmp_path / "index.html").write_text("<title>another</title>")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        watched.sign_in()
        page = watched.context.new_page()
        page.goto(f"http://127.0.0.1:{other.server_address[1]}/")
        outcome = page.evaluate("""url => new Promise(done => {
          const socket = new WebSocket(url.replace('http', 'ws') + '/console/socket');
          socket.onopen = () => done('open');
          socket.onclose = () => done('closed');
        })""", alone.url)
        assert outcome == "closed"
        other.shutdown()


def test_a_socket_ends_with_its_session(alone, watched):
    page = watched.sign_in().page
    page.evaluate(OPEN)
    assert subscribed(page, "hall/#") == [True]
    page.evaluate("""async () => {
      const {csrfToken} = await (await fetch('/console/session')).json();
      await fetch('/console/sign-out', {method: 'POST', body: '{}',
        headers: {'X-Andon-Csrf': csrfToken, 'Content-Type': 'application/json'}});
    }""")
    assert wait_until(lambda: page.evaluate("ended"), "the end") == 4401


def test_a_flood_leaves_the_newest_and_says_what_was_left_out(alone, watched):
    page = watched.sign_in().page
    page.evaluate(OPEN)
    assert subscribed(page, "flood/#") == [True]
    many = 5000
    lines = "\n".join(f"{number} {'x' * 1000}" for number in range(many))
    subprocess.run(["mosquitto_pub", *alone.server.operator_mqtt().connection, "-t", "flood/1", "-l"],
                   input=lines, text=True, check=True, timeout=PATIENCE_S)
    wait_until(lambda: any(one["payload"].startswith(f"{many - 1} ") for one in seen(page)), "the newest")
    texts = [each for each in told(page) if "messages" in each]
    assert all(len(each["messages"]) <= 100 for each in texts)
    assert sum(each["dropped"] for each in texts) + len(seen(page)) == many
    numbers = [int(one["payload"].split()[0]) for one in seen(page)]
    assert numbers == sorted(numbers)


def test_filters_and_sockets_have_their_bounds(alone, watched):
    page = watched.sign_in().page
    page.evaluate(OPEN)
    assert all(subscribed(page, *(f"hall/{number}" for number in range(20))))
    say(page, subscribe="hall/20")
    wait_until(lambda: any("at most 20" in each.get("message", "") for each in told(page)), "the bound")
    for hostile in ("no JSON", "[" * 5000, '{"subscribe": "a/#/b"}', '{"subscribe": 1}', "{}"):
        before = len(told(page))
        page.evaluate("text => socket.send(text)", hostile)
        wait_until(lambda: len(told(page)) > before, "the answer")  # noqa: B023
        assert told(page)[-1]["refused"] == "" and told(page)[-1]["message"]
    opened = page.evaluate("""async () => {
      const one = () => new Promise(done => {
        const socket = new WebSocket(`ws://${location.host}/console/socket`);
        socket.onopen = () => done(true); socket.onclose = () => done(false);
      });
      const all = [];
      for (let i = 0; i < 8; i++) all.push(await one());
      return all;
    }""")
    assert opened == [True] * 7 + [False]


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_a_page_comes_back_and_subscribes_again_after_the_server_has(alone, watched, how):
    page = watched.sign_in().go("#/mqtt", "MQTT")
    page.get_by_label("Filter").fill("hall/#")
    page.get_by_role("button", name="Subscribe").click()
    page.get_by_text("Subscribed", exact=True).wait_for()
    if how == "stop":
        assert alone.server.stop() == 0
    alone.restart()
    page.get_by_text("Live", exact=True).last.wait_for()
    page.get_by_text("Subscribed", exact=True).wait_for()
    alone.server.operator_mqtt().publish("hall/1", "again")
    page.locator("ol li").filter(has_text="again").wait_for()
