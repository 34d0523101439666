# SPDX-License-Identifier: Apache-2.0
"""Models in the page, on a server of their own: who has decided on a version, and why."""
import io
import tarfile

from conftest import PASSWORD, Watched


def put_user(server, name, policy):
    iam = server.aws("iam")
    iam.create_user(UserName=name)
    iam.create_login_profile(UserName=name, Password=PASSWORD)
    iam.attach_user_policy(UserName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")


def put_version(server, group):
    """A version that waits; its ARN."""
    s3, sagemaker = server.aws("s3"), server.aws("sagemaker")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("empty"))
    s3.put_object(Bucket="andon-uploads", Key="model.tar.gz", Body=packed.getvalue())
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    return sagemaker.create_model_package(
        ModelPackageGroupName=group, InferenceSpecification={
            "Containers": [{"Image": "none", "ModelDataUrl": "s3://andon-uploads/model.tar.gz"}],
            "SupportedContentTypes": ["image/png"], "SupportedResponseMIMETypes": ["application/json"]},
        ModelApprovalStatus="PendingManualApproval")["ModelPackageArn"]


def test_who_has_decided_and_why_is_told_to_who_may_not_read_the_audit_log(alone, chromium):
    put_version(alone.server, "tags")
    for name, policy in (("otto", "AndonOperatorAccess"), ("vera", "AndonViewerAccess")):
        put_user(alone.server, name, policy)
    watched = Watched(chromium, alone)
    page = watched.sign_in("otto").go("#/approve/tags/1", "tags@1")
    for reason, name in (("below the line", "Reject"), ("measured again", "Approve")):
        page.get_by_label("Reason").fill(reason)
        page.get_by_role("button", name=name, exact=True).click()
        page.get_by_text(reason, exact=True).last.wait_for()
    watched.close()
    watched = Watched(chromium, alone)
    page = watched.sign_in("vera").go("#/approve/tags/1", "tags@1")
    for reason in ("below the line", "measured again"):
        page.get_by_text(reason, exact=True).wait_for()
    assert page.get_by_text("otto", exact=True).count() == 2
    assert not watched.problems
    watched.close()
