# SPDX-License-Identifier: Apache-2.0
"""What other S3 clients do: rclone, and MinIO's client for Python."""
import datetime
import filecmp
import io
import os
import subprocess

import minio
import urllib3
from minio import commonconfig, datatypes, deleteobjects, lifecycleconfig, versioningconfig


def test_rclone_syncs_checks_moves_and_keeps_versions(shared_server, tmp_path):
    key = shared_server.operator_key
    (tmp_path / "rclone.conf").write_text(
        "[andon]\ntype = s3\nprovider = Other\n"
        f"access_key_id = {key['accessKeyId']}\nsecret_access_key = {key['secretAccessKey']}\n"
        f"endpoint = {shared_server.info['api']}\nregion = {key['region']}\n")

    def rclone(*arguments):
        return subprocess.run(
            ["rclone", "--config", str(tmp_path / "rclone.conf"), "--retries", "1",
             "--low-level-retries", "1", "--s3-chunk-size", "5M", "--s3-upload-cutoff", "5M",
             *map(str, arguments)],
            env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "NO_PROXY": "*"},
            capture_output=True, text=True, timeout=300, check=True).stdout

    source = tmp_path / "source"
    (source / "sub dir").mkdir(parents=True)
    (source / "ü.txt").write_text("text")
    (source / "sub dir" / "large.bin").write_bytes(os.urandom(11_000_000))
    rclone("mkdir", "andon:rclone")
    rclone("sync", source, "andon:rclone/a")
    rclone("check", source, "andon:rclone/a")
    rclone("copy", "andon:rclone/a", tmp_path / "back")
    compared = filecmp.dircmp(source, tmp_path / "back")
    assert not (compared.left_only or compared.right_only or compared.diff_files)
    rclone("moveto", "andon:rclone/a/ü.txt", "andon:rclone/a/moved.txt")
    assert sorted(rclone("lsf", "-R", "andon:rclone/a").splitlines()) == [
        "moved.txt", "sub dir/", "sub dir/large.bin"]
    assert rclone("backend", "versioning", "andon:rclone", "Enabled").strip() == "Enabled"
    rclone("deletefile", "andon:rclone/a/moved.txt")
    assert "moved.txt" not in rclone("lsf", "andon:rclone/a")
    assert "moved" in rclone("--s3-versions", "lsf", "andon:rclone/a")
    rclone("backend", "cleanup-hidden", "andon:rclone")
    assert "moved" not in rclone("--s3-versions", "lsf", "andon:rclone/a")
    rclone("purge", "andon:rclone")


def test_minios_client_does_what_it_does_elsewhere(shared_server):
    key = shared_server.operator_key
    address = shared_server.info["api"]
    client = minio.Minio(
        address.split("//")[1], key["accessKeyId"], key["secretAccessKey"], secure=False,
        http_client=urllib3.PoolManager(timeout=30, retries=False))
    bucket = "minio"
    client.make_bucket(bucket)
    client.put_object(bucket, "dir/a", io.BytesIO(b"one"), 3)
    client.put_object(bucket, "large", io.BytesIO(bytes(11_000_000)), -1, part_size=5 << 20)
    assert client.get_object(bucket, "dir/a").data == b"one"
    assert client.stat_object(bucket, "large").size == 11_000_000
    client.set_bucket_versioning(bucket, versioningconfig.VersioningConfig(commonconfig.ENABLED))
    assert client.put_object(bucket, "dir/a", io.BytesIO(b"two"), 3).version_id
    listed = client.list_objects(bucket, recursive=True, include_version=True)
    assert [item.object_name for item in listed] == ["dir/a", "dir/a", "large"]
    tags = commonconfig.Tags.new_object_tags()
    tags["line"] = "7"
    client.set_object_tags(bucket, "dir/a", tags)
    assert client.get_object_tags(bucket, "dir/a")["line"] == "7"
    rule = lifecycleconfig.Rule(
        status=commonconfig.ENABLED, rule_filter=commonconfig.Filter(prefix="logs/"), rule_id="r",
        expiration=lifecycleconfig.Expiration(days=3))
    client.set_bucket_lifecycle(bucket, lifecycleconfig.LifecycleConfig([rule]))
    assert client.get_bucket_lifecycle(bucket).rules[0].rule_id == "r"
    assert client.get_bucket_encryption(bucket) is None
    policy = datatypes.PostPolicy(
        bucket, datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1))
    policy.add_starts_with_condition("key", "up/")
    form = {**client.presigned_post_policy(policy), "key": "up/x", "file": ("x", b"data")}
    answer = urllib3.PoolManager().request("POST", f"{address}/{bucket}", fields=form)
    assert answer.status == 204, answer.data
    everything = [deleteobjects.DeleteObject(item.object_name, item.version_id) for item in
                  client.list_objects(bucket, recursive=True, include_version=True)]
    assert not list(client.remove_objects(bucket, everything))
    client.remove_bucket(bucket)
