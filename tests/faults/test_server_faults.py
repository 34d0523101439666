# SPDX-License-Identifier: Apache-2.0
"""The server killed between its answer and the last of the devices that the answer is about."""
import sqlite3

from harness import wait_until

THINGS = 10_000
ATTEMPTS = 5


def name(i):
    return f"line-{i:05d}"


def fill(database):
    """A fleet straight into the tables; by the API it would take a minute."""
    with sqlite3.connect(database) as tables:
        tables.execute("INSERT INTO thing_groups (name, id, description, attributes, version, "
                       "created_ms) VALUES ('all', 'all', '', '{}', 1, 0)")
        tables.executemany("INSERT INTO things (name, id, type_name, attributes, version, "
                           "created_ms) VALUES (?1, ?1, '', '{}', 1, 0)",
                           [(name(i),) for i in range(THINGS)])
        tables.executemany("INSERT INTO thing_group_members (group_name, thing) "
                           "VALUES ('all', ?)", [(name(i),) for i in range(THINGS)])


def queued(database, job):
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as tables:
        return tables.execute("SELECT COUNT(*) FROM job_executions WHERE job_id = ? "
                              "AND status = 'QUEUED'", (job,)).fetchone()[0]


def test_a_server_killed_right_after_it_answered_brings_the_deployment_to_every_device(server):
    database = server.data / "andon.db"
    assert server.stop() == 0
    fill(database)
    for _ in range(ATTEMPTS):
        server.start()
        job = server.aws("greengrassv2").create_deployment(
            targetArn="arn:aws:iot:us-east-1:000000000000:thinggroup/all")["deploymentId"]
        server.kill()
        if queued(database, job) < THINGS:
            break
    else:
        raise AssertionError("the server was never killed in between: it was done too soon")
    server.start()
    greengrass = server.aws("greengrassv2")
    wait_until(lambda: queued(database, job) == THINGS, "the job of every device")
    found = greengrass.list_effective_deployments(coreDeviceThingName=name(THINGS - 1))
    assert [one["deploymentId"] for one in found["effectiveDeployments"]] == [job]
    assert greengrass.get_deployment(deploymentId=job)["deploymentStatus"] == "ACTIVE"
