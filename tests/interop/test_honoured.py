# SPDX-License-Identifier: Apache-2.0
"""What AWS's own service models let a client say is honoured, or refused by its name.

Walks botocore's models: each member of each operation that this server has is sent, and it must be
refused naming it unless the documents list it. So what a newer model adds cannot slip through.
"""
import datetime
import re
from pathlib import Path

import botocore.exceptions
import botocore.session
import pytest
from botocore.config import Config

ROOT = Path(__file__).resolve().parent.parent.parent
MODELS = {"greengrass": "greengrassv2", "iot": "iot", "iotdata": "iot-data", "sagemaker": "sagemaker",
          "states": "stepfunctions", "logs": "logs", "events": "events", "scheduler": "scheduler",
          "iam": "iam", "sts": "sts", "ssm": "ssm", "secretsmanager": "secretsmanager",
          "lambda": "lambda", "cloudformation": "cloudformation",
          "codepipeline": "codepipeline", "codebuild": "codebuild", "athena": "athena",
          "glue": "glue", "sagemaker-featurestore-runtime": "sagemaker-featurestore-runtime"}
MODEL_SESSION = botocore.session.get_session()


def rows_of(path, width):
    """The rows of `width` cells of a document's tables, without code marks."""
    for line in (ROOT / "docs" / path).read_text().splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == width and not cells[0].startswith("---"):
            yield cells


def parse_members(text):
    """"a b{c}" -> {"a": None, "b": {"c": None}}; None: anything may be in it."""
    tokens = re.findall(r"[^\s{}]+|[{}]", text)

    def read():
        members, last = {}, None
        while tokens:
            token = tokens.pop(0)
            if token == "}":
                break
            if token == "{":
                members[last] = read()
            else:
                last = token
                members[last] = None
        return members
    return read()


TABLE = {(service, operation): parse_members(members)
         for service, operation, members in rows_of("operator-api.md", 3) if service != "service"}


def test_the_document_is_the_table_of_the_code():
    code = "".join((ROOT / f"src/api/table/catalogue/honoured_by_{who}.cpp").read_text()
                   for who in ("devices", "services"))

    def text(literals):
        return "".join(re.findall(r'"([^"]*)"', literals))
    parts = {name: text(literals) for name, literals
             in re.findall(r'string_view (k\w+) =\s*((?:"[^"]*"\s*)+);', code)}
    joined = {name: "".join(parts[part] for part in names.split(", "))
              for name, names in re.findall(r"auto (k\w+) = kJoined<([^>]*)>;", code)}
    rows = re.findall(r'\{"([\w-]+)",\s*"(\w+)",\s*(?:((?:"[^"]*"\s*)+)|\{(k\w+)\.data[^}]*\})\}', code)
    assert {(service, operation): parse_members(joined[name] if name else text(members))
            for service, operation, members, name in rows} == TABLE


def example(shape, depth=0, in_form=False):
    """A value of the right type, with what the model requires. An empty object is nothing at all in
    a form, so that one there has a member."""
    kind = shape.type_name
    if kind == "structure":
        names = shape.required_members or list(shape.members)[:1 if in_form and depth > 0 else 0]
        return {name: example(shape.members[name], depth + 1, in_form) for name in names}
    if kind == "list":
        return [example(shape.member, depth + 1, in_form)]
    if kind == "map":
        return {"k": example(shape.value, depth + 1, in_form)}
    if kind == "string":
        return getattr(shape, "enum", None)[0] if getattr(shape, "enum", None) else "x"
    return {"integer": 1, "long": 1, "float": 1.5, "double": 1.5, "boolean": True, "blob": b"x",
            "timestamp": datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)}[kind]


def wire_name(name, member):
    """What the table calls it: as it stands in a query, or in a body where AWS's model has it in
    another case, where that is another name."""
    sent = member.serialization.get("name", name)
    is_queried = member.serialization.get("location") == "querystring"
    return sent if is_queried or sent.lower() == name.lower() else name


def members_of(shape, honoured, path=()):
    """(path of a member, whether the table honours it), down to where anything may be in it."""
    while shape.type_name in ("list", "map"):
        if shape.type_name == "map":
            honoured = honoured.get("*") or {}
            path = (*path, "*")
            shape = shape.value
        else:
            shape = shape.member
    if shape.type_name != "structure":
        return
    for name, member in shape.members.items():
        yield (*path, name), wire_name(name, member) in honoured
        inside = honoured.get(wire_name(name, member))
        if inside:
            yield from members_of(member, inside, (*path, name))


def body_of(shape):
    """The member that the whole body is, where that is a structure: its members are the input's."""
    name = shape.serialization.get("payload")
    return name if name and shape.members[name].type_name == "structure" else None


def input_members(shape, honoured):
    """members_of() of an operation's input."""
    body = body_of(shape)
    for path, is_honoured in members_of(shape, honoured):
        if path[0] != body:
            yield path, is_honoured
    if body:
        for path, is_honoured in members_of(shape.members[body], honoured):
            yield (body, *path), is_honoured


def with_member(shape, path, in_form=False):
    """The example of `shape` with the member at `path` set."""
    value = example(shape, 0, in_form)
    inner = value
    for name in path:
        while shape.type_name == "list":
            shape, inner = shape.member, inner[0]
        if name == "*":
            shape = shape.value
            inner = inner["k"]
            continue
        shape = shape.members[name]
        inner[name] = inner.get(name) or example(shape, 1, in_form)
        inner = inner[name]
    return value


def xml_name(shape, path):
    """What the member at `path` is called in a document."""
    name = path[-1]
    for part in path:
        while shape.type_name == "list":
            shape = shape.member
        shape = shape.members[part]
        name = shape.serialization.get("name", part)
    return name


def model_rows():
    for (service, operation), honoured in TABLE.items():
        if service in MODELS:
            yield pytest.param(service, operation, honoured, id=f"{service}-{operation}")


@pytest.fixture(scope="module")
def clients(server):
    key = server.operator_key

    def client(name):
        return MODEL_SESSION.create_client(
            name, endpoint_url=server.info["api"], region_name=key["region"],
            aws_access_key_id=key["accessKeyId"], aws_secret_access_key=key["secretAccessKey"],
            verify=server.ca_file,
            config=Config(parameter_validation=False, retries={"total_max_attempts": 1}, proxies={},
                          inject_host_prefix=False, s3={"addressing_style": "path"}))
    made = {}
    return lambda name: made.setdefault(name, client(name))


def refusal(client, operation, parameters):
    """(code, message) of the answer; ("", "") where there is no error."""
    try:
        client._make_api_call(operation, parameters)  # pylint: disable=protected-access
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    return "", ""


@pytest.mark.parametrize(("service", "operation", "honoured"), list(model_rows()))
def test_each_member_of_the_model_is_honoured_or_refused_by_name(clients, service, operation,
                                                                  honoured):
    client = clients(MODELS[service])
    model = client.meta.service_model.operation_model(operation)
    if model.input_shape is None:
        return
    body = body_of(model.input_shape)
    members = {**model.input_shape.members,
               **(model.input_shape.members[body].members if body else {})}
    assert set(honoured) <= {wire_name(*item) for item in members.items()}
    for path, is_honoured in input_members(model.input_shape, honoured):
        member = model.input_shape.members[path[0]]
        name = ".".join("k" if part == "*" else part for part in path if part != body)
        if member.serialization.get("location") in ("header", "querystring"):
            name = member.serialization["name"]
        _, message = refusal(client, operation, with_member(
            model.input_shape, path, service in ("iam", "sts", "cloudformation")))
        # Names of headers have no case.
        is_refused = message.lower().startswith(f"{name}: this server does not support it".lower())
        # With it clients sign in another way (SigV4A), which is refused first.
        is_refused = is_refused or (name == "EndpointId" and "signature" in message)
        assert is_refused != is_honoured, f"{operation} {name}: {message!r}"


S3_TABLE = {row[0]: {*row[1].split(), *row[2].split()}
            for row in rows_of("object-store.md", 3) if re.fullmatch(r"[A-Z][a-z]\w+", row[0])}
S3_ENTITY = {"cache-control", "content-disposition", "content-encoding", "content-language",
             "content-length", "content-type", "expires"}
# Of these one value counts.
S3_VALUES = {"x-amz-acl": "private", "x-amz-storage-class": "STANDARD", "x-amz-tagging-directive": "COPY",
             "x-amz-object-attributes": ["ETag"], "x-amz-tagging": "a=b",
             "x-amz-object-ownership": "BucketOwnerEnforced", "x-amz-request-payer": "requester",
             "x-amz-bucket-object-lock-enabled": False, "x-amz-checksum-mode": "ENABLED",
             "x-amz-checksum-algorithm": "CRC32", "x-amz-sdk-checksum-algorithm": "CRC32"}
S3_BASE = {"Bucket": "walked", "Key": "k", "UploadId": "none", "PartNumber": 1,
           "NotificationConfiguration": {}, "CopySource": "walked/k", "ObjectAttributes": ["ETag"],
           "VersioningConfiguration": {"Status": "Suspended"}, "PublicAccessBlockConfiguration": {},
           "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
           "Tagging": {"TagSet": []}, "LifecycleConfiguration": {"Rules": []},
           "Policy": "{}", "CORSConfiguration": {"CORSRules": []}, "Delete": {"Objects": [{"Key": "none"}]},
           "MultipartUpload": {"Parts": [{"ETag": "x", "PartNumber": 1}]}}
S3_BODIES = {
    ("CreateBucket", "CreateBucketConfiguration"): {"LocationConstraint": None},
    ("PutBucketNotificationConfiguration", "NotificationConfiguration"): {
        "EventBridgeConfiguration": None},
    ("PutBucketTagging", "Tagging"): parse_members("TagSet{Key Value}"),
    ("PutObjectTagging", "Tagging"): parse_members("TagSet{Key Value}"),
    ("PutPublicAccessBlock", "PublicAccessBlockConfiguration"): parse_members(
        "BlockPublicAcls IgnorePublicAcls BlockPublicPolicy RestrictPublicBuckets"),
    ("PutBucketCors", "CORSConfiguration"): parse_members(
        "CORSRules{ID AllowedHeaders AllowedMethods AllowedOrigins ExposeHeaders MaxAgeSeconds}"),
    ("PutBucketLifecycleConfiguration", "LifecycleConfiguration"): parse_members(
        "Rules{ID Status Prefix Expiration{Date Days ExpiredObjectDeleteMarker} "
        "Filter{Prefix Tag{Key Value} ObjectSizeGreaterThan ObjectSizeLessThan "
        "And{Prefix Tags{Key Value} ObjectSizeGreaterThan ObjectSizeLessThan}} "
        "NoncurrentVersionExpiration{NoncurrentDays NewerNoncurrentVersions} "
        "AbortIncompleteMultipartUpload{DaysAfterInitiation}}"),
    ("DeleteObjects", "Delete"): parse_members(
        "Objects{Key VersionId ETag LastModifiedTime Size} Quiet"),
    ("CompleteMultipartUpload", "MultipartUpload"): parse_members(
        "Parts{PartNumber ETag ChecksumCRC32 ChecksumCRC32C ChecksumCRC64NVME ChecksumSHA256}")}


@pytest.fixture(scope="module")
def s3(clients):
    client = clients("s3")
    client.create_bucket(Bucket="walked")
    client.put_object(Bucket="walked", Key="k", Body=b"x")
    return client


def test_the_document_has_every_s3_operation_of_the_server():
    rows = re.findall(r'Row\{"(\w+)"', (ROOT / "src/api/s3/s3.cpp").read_text())
    assert len(rows) > 20 and set(rows) == set(S3_TABLE)


@pytest.mark.parametrize("operation", sorted(S3_TABLE))
def test_each_s3_parameter_of_the_model_is_honoured_or_refused_by_name(s3, operation):
    shape = s3.meta.service_model.operation_model(operation).input_shape
    names = [name.rstrip("*") for name in S3_TABLE[operation]]
    required = {name: S3_BASE[name] for name in shape.required_members}
    for name, member in shape.members.items():
        location = member.serialization.get("location")
        if location not in ("header", "headers", "querystring"):
            continue
        wire = member.serialization["name"].lower()
        if wire in S3_ENTITY:
            continue
        value = S3_VALUES.get(wire, S3_BASE.get(name, example(member)))
        if wire == "x-amz-expected-bucket-owner":
            value = "000000000000"
        code, message = refusal(s3, operation, {**required, name: value})
        is_honoured = any(wire == known or (known[-1] == "-" and wire.startswith(known))
                          for known in names)
        if operation.startswith("Head"):  # an answer without a body has no code but its status
            assert (code == "501") != is_honoured, f"{operation} {wire}: {code}"
        else:
            is_refused = code == "NotImplemented" and wire in message.lower()
            assert is_refused != is_honoured, f"{operation} {wire}: {code} {message}"


@pytest.mark.parametrize(("operation", "body"), list(S3_BODIES))
def test_each_member_of_an_s3_body_is_honoured_or_refused_by_name(s3, operation, body):
    shape = s3.meta.service_model.operation_model(operation).input_shape
    for path, is_honoured in members_of(shape.members[body], S3_BODIES[operation, body]):
        value = with_member(shape.members[body], path)
        parameters = {**{name: S3_BASE[name] for name in shape.required_members}, body: value}
        if operation == "CompleteMultipartUpload":
            # Only an upload that is there has its list read.
            parameters["UploadId"] = s3.create_multipart_upload(Bucket="walked", Key="k")["UploadId"]
        if operation == "CreateBucket":
            parameters["Bucket"] = "walked-anew"
        code, message = refusal(s3, operation, parameters)
        names = (path[-1].rstrip("s"), xml_name(shape.members[body], path))
        is_refused = code == "NotImplemented" and any(name in message for name in names)
        assert is_refused != is_honoured, f"{operation} {path}: {code} {message}"
