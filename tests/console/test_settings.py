# SPDX-License-Identifier: Apache-2.0
"""What the server keeps, and copies of it: shown, made and deleted in the console and on the command
line; a copy is one that a server goes on from."""
import json
import subprocess

from conftest import PASSWORD
from harness import PATIENCE_S, Server, program, wait_until


def andon(server, *words):
    ended = subprocess.run([program("andon"), *words, "--data", server.data], capture_output=True,
                           text=True, timeout=PATIENCE_S, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def let_in(server, name, policy):
    iam = server.aws("iam")
    iam.create_user(UserName=name)
    iam.create_login_profile(UserName=name, Password=PASSWORD)
    iam.attach_user_policy(UserName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")


def test_stores_are_shown_with_what_they_take_their_limits_and_their_retention(alone, watched):
    alone.server.aws("s3").put_object(Bucket="andon-uploads", Key="x", Body=b"x" * 2_000_000)
    page = watched.sign_in().go("#/settings/storage", "Settings")
    row = page.get_by_role("row").filter(has_text="--results-mib")
    assert "results: 90 days" in row.inner_text() and "--keep-results" in row.inner_text()
    assert "11 GB" in row.inner_text()
    objects = page.get_by_role("row").filter(has=page.get_by_text("Objects", exact=True))
    assert "2.0 MB" in objects.first.inner_text()
    told = json.loads(andon(alone.server, "storage", "--json"))
    stores = {store["name"]: store for store in told["stores"]}
    assert stores["objects"]["bytes"] == 2_000_000
    assert stores["audit"]["bytes"] > 0 and stores["audit"]["limitBytes"] == 1 << 30
    assert 0 < told["freeBytes"] < told["sizeBytes"]
    assert "--keep-executions" in andon(alone.server, "storage")


def test_a_backup_is_made_in_the_console_and_a_server_goes_on_from_it(alone, watched, tmp_path):
    alone.server.aws("iot").create_thing(thingName="line-7")
    alone.server.aws("s3").put_object(Bucket="andon-uploads", Key="x", Body=b"kept")
    page = watched.sign_in().go("#/settings/storage", "Settings")
    page.get_by_text("No backup yet").wait_for()
    page.get_by_role("button", name="Make a backup").click()
    row = page.get_by_role("row").filter(has=page.get_by_role("button", name="Delete"))
    row.wait_for()
    directory = alone.server.data / "backups"
    (made,) = directory.iterdir()
    assert made.name in row.inner_text() and "just now" in row.inner_text()
    restored = tmp_path / "restored"
    subprocess.run([program("andon-server"), "restore", made, "--data", restored], check=True,
                   capture_output=True, timeout=PATIENCE_S)
    with Server(restored) as server:
        assert server.aws("iot").describe_thing(thingName="line-7")["thingName"] == "line-7"
        kept = server.aws("s3").get_object(Bucket="andon-uploads", Key="x")["Body"].read()
        assert kept == b"kept"
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_text("No backup yet").wait_for()
    assert not list(directory.iterdir())


def test_the_newest_backups_are_kept_and_a_failure_says_why(alone, tmp_path):
    server = alone.server
    server.stop()
    server.options = ["--backups", str(tmp_path / "copies"), "--keep-backups", "2"]
    server.start()
    made = []
    for _ in range(3):
        path = wait_until(lambda: _made(server), "a backup")
        made.append(path.rsplit("/", 1)[1])
    assert len(set(made)) == 3  # also within one second
    listed = json.loads(andon(server, "backup", "list", "--json"))
    assert [one["name"] for one in listed["backups"]] == made[:0:-1]
    assert listed["mostKept"] == 2 and all(one["bytes"] > 0 for one in listed["backups"])
    andon(server, "backup", "delete", made[2])
    assert [one.name for one in (tmp_path / "copies").iterdir()] == [made[1]]
    for name in ("../data", "nothing"):
        ended = subprocess.run([program("andon"), "backup", "delete", name, "--data", server.data],
                               capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        assert ended.returncode == 6, ended.stderr
    assert (server.data / "andon.db").exists()
    # An object that is not what its name says is not backed up.
    server.aws("s3").put_object(Bucket="andon-uploads", Key="x", Body=b"y" * 100_000)
    blob = max((path for path in (server.data / "objects").rglob("*") if path.is_file()),
               key=lambda path: path.stat().st_size)
    blob.chmod(0o600)
    blob.write_bytes(b"z" * 100_000)
    status, _ = server.call("POST", "/andon/v1/backups", {})
    assert status == 202
    told = wait_until(lambda: _failed(server), "the failure")
    assert "another content" in told["failure"] and len(told["backups"]) == 1


def _made(server):
    ended = subprocess.run([program("andon"), "backup", "create", "--data", server.data],
                           capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    return ended.stdout.strip() if ended.returncode == 0 else None


def _failed(server):
    _, told = server.call("GET", "/andon/v1/backups")
    return told if told.get("failure") else None


def test_a_viewer_sees_the_stores_and_makes_no_backup(alone, watched):
    let_in(alone.server, "vera", "AndonViewerAccess")
    assert alone.server.call("POST", "/andon/v1/backups", {})[0] < 300
    def backups():
        return alone.server.call("GET", "/andon/v1/backups")[1]["backups"]
    made = wait_until(backups, "the backup")
    page = watched.sign_in("vera").go("#/settings/storage", "Settings")
    page.get_by_text("--results-mib").wait_for()
    for name, right in (("Make a backup", "CreateBackup"), ("Delete", "DeleteBackup")):
        button = page.get_by_role("button", name=name)
        wait_until(button.is_disabled, f"{name} being off")
        assert right in button.get_attribute("title")
    session = page.evaluate("""async () => {
        const who = await (await fetch('/console/session')).json();
        return (await fetch('/console/call/andon/CreateBackup', {method: 'POST', body: '{}',
          headers: {'Content-Type': 'application/json', 'X-Andon-Csrf': who.csrfToken}})).status; }""")
    assert session == 403
    assert backups() == made
