# SPDX-License-Identifier: Apache-2.0
"""What a failing disk, a careless hand or somebody with write access does to the files: it is
noticed, nothing begins anew without a word, and a backup brings the fleet back."""
import os
import shutil
import subprocess
import threading

import pytest

from agent import Agent, Fleet
from certificates import AgedAgent, fingerprint, replace_certificate
from harness import PATIENCE_S, Server, program, wait_until

DAMAGED = 11  # exit code


def emptied(path):
    path.write_bytes(b"")


def cut_short(path):
    os.truncate(path, 8192)


def overwritten(path):
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(os.urandom(8192))


def gone(path):
    path.unlink()


def end_cleanly(server):
    """So that everything is in the database's own file, and none of it in its log."""
    assert server.stop() == 0


def run(*arguments):
    return subprocess.run(list(map(str, arguments)), capture_output=True, text=True,
                          timeout=PATIENCE_S, check=False)


@pytest.mark.parametrize("database", ["andon.db", "workflow.db", "logs.db", "results.db", "features.db",
                                      "audit.db"])
@pytest.mark.parametrize("damage", [emptied, cut_short, overwritten, gone])
def test_a_damaged_server_does_not_start_and_says_what_to_do(tmp_path, database, damage):
    with Server(tmp_path / "data") as server:
        server.aws("iot").create_thing(thingName="line-1")
        end_cleanly(server)
        damage(server.data / database)
        before = (server.data / database).read_bytes() if damage is not gone else None
        ended = run(*server.command())
        assert ended.returncode == DAMAGED, ended.stderr
        assert database in ended.stderr and "restore a backup" in ended.stderr, ended.stderr
        if damage is gone:
            assert not (server.data / database).exists()
        else:
            assert (server.data / database).read_bytes() == before


def test_a_lost_ca_is_not_replaced_while_devices_depend_on_it(tmp_path):
    with Server(tmp_path / "data") as server:
        server.device("line-1", tmp_path)
        end_cleanly(server)
        shutil.rmtree(server.data / "ca")
        ended = run(*server.command())
        assert ended.returncode == DAMAGED and "lock out every device" in ended.stderr, ended.stderr


def test_the_check_finds_what_has_rotted(tmp_path):
    with Server(tmp_path / "data") as server:
        server.aws("s3").create_bucket(Bucket="models")
        server.aws("s3").put_object(Bucket="models", Key="m", Body=b"content")
        check = [program("andon-server"), "check", "--data", server.data]
        sound = run(*check)
        assert sound.returncode == 0 and "1 objects" in sound.stdout, sound
        [blob] = [path for path in (server.data / "objects" / "sha256").glob("*/*")
                  if path.read_bytes() == b"content"]
        blob.chmod(0o600)
        blob.write_bytes(b"c0ntent")
        rotten = run(*check)
        assert rotten.returncode == DAMAGED and str(blob) in rotten.stdout, rotten
        assert run(program("andon-server"), "backup", tmp_path / "backup", "--data",
                   server.data).returncode == DAMAGED
        assert not (tmp_path / "backup").exists()


@pytest.mark.parametrize("damage", [emptied, cut_short, overwritten])
def test_a_damaged_agent_says_so_and_can_begin_again(tmp_path, damage):
    with Server(tmp_path / "data") as server:
        agent = Agent(server, tmp_path / "edge")
        agent.provision()
        agent.start()
        wait_until(lambda: (agent.root / "config.db").exists(), "config.db")
        fleet = Fleet(server)
        fleet.component("A", "1.0.0", {"run": "exec sleep 3600"})
        fleet.deploy_and_wait({"A": "1.0.0"})
        agent.kill(15)
        damage(agent.root / "config.db")
        agent.start()
        assert agent.wait() == DAMAGED
        said = agent.log.read_text()
        assert "the agent's state is damaged" in said and "move config.db" in said, said[-2000:]
        for path in agent.root.glob("config.db*"):
            path.rename(tmp_path / path.name)
        agent.start()
        fleet.deploy_and_wait({"A": "1.0.0"})
        agent.wait_for("A", "1.0.0")
        agent.kill()


def test_a_backup_made_under_load_goes_on_elsewhere_with_the_fleet(tmp_path):
    """Writers write while it is made; the machine is lost; another directory takes over, and the
    device that knows nothing of it goes on."""
    with Server(tmp_path / "data") as server:
        fleet = Fleet(server)
        with Agent(server, tmp_path / "edge") as agent:
            fleet.component("A", "1.0.0", {"run": "cat {artifacts:path}/a; exec sleep 3600"},
                            artifacts=[fleet.put_artifact("a", b"content of a")])
            fleet.deploy_and_wait({"A": "1.0.0"})
            written, over = [], threading.Event()

            def write():
                s3 = server.aws("s3")
                while not over.is_set():
                    name = f"load-{len(written)}"
                    s3.put_object(Bucket="artifacts", Key=name, Body=name.encode() * 1000)
                    if len(written) % 2:
                        s3.delete_object(Bucket="artifacts", Key=f"load-{len(written) - 1}")
                    written.append(name)

            writer = threading.Thread(target=write)
            writer.start()
            try:
                wait_until(lambda: len(written) > 5, "writes")
                made = run(program("andon-server"), "backup", tmp_path / "backup", "--data",
                           server.data)
            finally:
                over.set()
                writer.join()
            assert made.returncode == 0, made.stderr
            server.kill()
            shutil.rmtree(server.data)
            restored = Server(tmp_path / "elsewhere" / "data")
            back = run(program("andon-server"), "restore", tmp_path / "backup", "--data",
                       restored.data)
            assert back.returncode == 0, back.stderr
            with restored:
                assert restored.info == server.info  # the same ports, by which devices know it
                later = Fleet(restored)
                later.component("A", "2.0.0", {"run": "cat {artifacts:path}/b; exec sleep 3600"},
                                artifacts=[later.put_artifact("b", b"content of b")])
                later.deploy_and_wait({"A": "2.0.0"})
                agent.wait_for("A", "2.0.0")
                # What the backup has is whole: every object that is listed can be read.
                for one in later.s3.list_objects_v2(Bucket="artifacts")["Contents"]:
                    later.s3.get_object(Bucket="artifacts", Key=one["Key"])["Body"].read()
                restored.device("line-9", tmp_path)
        again = run(program("andon-server"), "restore", tmp_path / "backup", "--data",
                    restored.data)
        assert again.returncode == 7 and "is not empty" in again.stderr


def test_a_device_that_renewed_after_the_backup_comes_back_by_itself(tmp_path):
    """The restored server does not know the certificate that the device has since."""
    with Server(tmp_path / "data") as server:
        agent = AgedAgent(server, tmp_path / "edge", "edge-1", -3 * 3600, 3600)  # due
        agent.provision()
        replace_certificate(server, agent, tmp_path, agent.begin_s, agent.end_s)
        agent.aged = fingerprint(agent.certificate)
        made = run(program("andon-server"), "backup", tmp_path / "backup", "--data", server.data)
        assert made.returncode == 0, made.stderr
        agent.start()
        try:
            agent.wait_renewed()
            lost = fingerprint(agent.certificate)
            assert lost != agent.aged
            server.kill()
            shutil.rmtree(server.data)
            restored = Server(tmp_path / "elsewhere" / "data")
            back = run(program("andon-server"), "restore", tmp_path / "backup", "--data",
                       restored.data)
            assert back.returncode == 0, back.stderr
            with restored:
                fleet = Fleet(restored)
                fleet.component("A", "1.0.0", {"run": "exec sleep 3600"})
                deployment = fleet.deploy({"A": "1.0.0"})
                entry = fleet.outcome(deployment, limit_s=120)
                assert entry["coreDeviceExecutionStatus"] in ("SUCCEEDED", "COMPLETED"), entry
                assert fingerprint(agent.certificate) not in (lost, agent.aged)
        finally:
            agent.kill()
