# SPDX-License-Identifier: Apache-2.0
"""SageMaker's feature store, and Athena and Glue over what it keeps, as boto3 and the AWS CLI use
them; each answer is held to AWS's model."""
import json
import uuid

import pytest
from botocore.exceptions import ClientError

from aws_client import checked, client_of
from harness import Server, wait_until

ROLE_TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"},
     "Action": "sts:AssumeRole"}]}
DATABASE = "sagemaker_featurestore"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("server") / "data", "--feature-export", "1",
                "--query-seconds", "20") as running:
        running.aws("s3").create_bucket(Bucket="lake")
        running.aws("s3").create_bucket(Bucket="answers")
        iam = running.aws("iam")
        iam.create_role(RoleName="features", AssumeRolePolicyDocument=json.dumps(ROLE_TRUST))
        iam.put_role_policy(RoleName="features", PolicyName="own", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": "s3:PutObject",
                 "Resource": "arn:aws:s3:::lake/*"}]}))
        running.role = iam.get_role(RoleName="features")["Role"]["Arn"]
        yield running


@pytest.fixture(scope="module")
def aws(server):
    """aws("athena"): a checked client of the operator, one a service."""
    clients = {}
    return lambda service: clients.setdefault(service, checked(server.aws(service)))


def definition(server, name, **more):
    return {"FeatureGroupName": name, "RecordIdentifierFeatureName": "Part",
            "EventTimeFeatureName": "at",
            "FeatureDefinitions": [{"FeatureName": "Part", "FeatureType": "String"},
                                   {"FeatureName": "at", "FeatureType": "Fractional"},
                                   {"FeatureName": "count", "FeatureType": "Integral"},
                                   {"FeatureName": "weight", "FeatureType": "Fractional"},
                                   {"FeatureName": "note", "FeatureType": "String"}],
            "OnlineStoreConfig": {"EnableOnlineStore": True},
            "OfflineStoreConfig": {"S3StorageConfig": {"S3Uri": "s3://lake/features"}},
            "RoleArn": server.role, **more}


def status_of(aws, name):
    return aws("sagemaker").describe_feature_group(FeatureGroupName=name)["FeatureGroupStatus"]


@pytest.fixture
def group(server, aws, fresh):
    """group(): the name of a new group that is Created."""
    def make(**more):
        name = fresh("Group")
        answer = aws("sagemaker").create_feature_group(**definition(server, name, **more))
        assert answer["FeatureGroupArn"].endswith(f":feature-group/{name}")
        assert status_of(aws, name) in ("Creating", "Created")
        wait_until(lambda: status_of(aws, name) == "Created", "the feature group")
        return name
    return make


def record(**values):
    return [{"FeatureName": name, "ValueAsString": str(value)} for name, value in values.items()]


def put(aws, group, **values):
    aws("sagemaker-featurestore-runtime").put_record(FeatureGroupName=group,
                                                     Record=record(**values))


def got(aws, group, part, **more):
    answer = aws("sagemaker-featurestore-runtime").get_record(
        FeatureGroupName=group, RecordIdentifierValueAsString=part, **more)
    return {one["FeatureName"]: one["ValueAsString"] for one in answer.get("Record", [])}


def refusal(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return refused.value.response["Error"]["Code"], refused.value.response["Error"]["Message"]


def table_of(aws, name):
    return aws("sagemaker").describe_feature_group(FeatureGroupName=name)["OfflineStoreConfig"][
        "DataCatalogConfig"]["TableName"]


def ended(athena, identifier):
    def is_over():
        execution = athena.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]
        return execution if execution["Status"]["State"] in (
            "SUCCEEDED", "FAILED", "CANCELLED") else None
    return wait_until(is_over, "the query")


def query(athena, sql, **more):
    identifier = athena.start_query_execution(
        QueryString=sql, ResultConfiguration={"OutputLocation": "s3://answers/q/"},
        **more)["QueryExecutionId"]
    return ended(athena, identifier)


def rows(athena, sql):
    execution = query(athena, sql)
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    pages = athena.get_paginator("get_query_results").paginate(
        QueryExecutionId=execution["QueryExecutionId"], PaginationConfig={"PageSize": 2})
    return [[datum.get("VarCharValue") for datum in row["Data"]]
            for page in pages for row in page["ResultSet"]["Rows"]]


def test_a_feature_group_lives(server, aws, fresh):
    sagemaker = aws("sagemaker")
    name = fresh("Group")
    sagemaker.create_feature_group(**definition(
        server, name, Description="parts", Tags=[{"Key": "line", "Value": "4"}]))
    wait_until(lambda: status_of(aws, name) == "Created", "the feature group")
    told = sagemaker.describe_feature_group(FeatureGroupName=name)
    assert told["Description"] == "parts" and told["RoleArn"] == server.role
    assert told["OnlineStoreConfig"]["EnableOnlineStore"] is True
    offline = told["OfflineStoreConfig"]
    assert offline["S3StorageConfig"]["ResolvedOutputS3Uri"].startswith(
        "s3://lake/features/000000000000/sagemaker/us-east-1/offline-store/Group-")
    assert offline["DataCatalogConfig"]["Catalog"] == "AwsDataCatalog"
    assert offline["DataCatalogConfig"]["Database"] == DATABASE
    assert [one["FeatureName"] for one in told["FeatureDefinitions"]] == [
        "Part", "at", "count", "weight", "note"]
    assert sagemaker.describe_feature_group(FeatureGroupName=told["FeatureGroupArn"]) \
        ["FeatureGroupName"] == name
    assert refusal(sagemaker.create_feature_group, **definition(server, name))[0] == "ResourceInUse"
    sagemaker.update_feature_group(FeatureGroupName=name, FeatureAdditions=[
        {"FeatureName": "late", "FeatureType": "Integral"}])
    told = sagemaker.describe_feature_group(FeatureGroupName=name)
    assert told["FeatureDefinitions"][-1] == {"FeatureName": "late", "FeatureType": "Integral"}
    assert told["LastUpdateStatus"]["Status"] == "Successful"
    sagemaker.update_feature_metadata(FeatureGroupName=name, FeatureName="late",
                                      Description="added", ParameterAdditions=[
                                          {"Key": "unit", "Value": "mm"}])
    feature = sagemaker.describe_feature_metadata(FeatureGroupName=name, FeatureName="late")
    assert feature["Description"] == "added"
    assert feature["Parameters"] == [{"Key": "unit", "Value": "mm"}]
    sagemaker.delete_feature_group(FeatureGroupName=name)
    wait_until(lambda: name not in [
        one["FeatureGroupName"] for one in sagemaker.list_feature_groups(
            NameContains=name)["FeatureGroupSummaries"]], "the group to be gone")
    assert refusal(sagemaker.describe_feature_group, FeatureGroupName=name) == (
        "ResourceNotFound",
        f"Resource Not Found: Amazon SageMaker can't find a FeatureGroup with name {name}")
    assert refusal(sagemaker.delete_feature_group, FeatureGroupName=name)[0] == "ResourceNotFound"


def test_a_group_without_its_bucket_or_role_fails_and_says_why(server, aws, fresh):
    sagemaker = aws("sagemaker")
    name = fresh("Group")
    sagemaker.create_feature_group(**definition(server, name, OfflineStoreConfig={
        "S3StorageConfig": {"S3Uri": "s3://nowhere/x"}}))
    wait_until(lambda: status_of(aws, name) == "CreateFailed", "the group to fail")
    assert "bucket nowhere" in sagemaker.describe_feature_group(FeatureGroupName=name)[
        "FailureReason"]
    other = fresh("Group")
    sagemaker.create_feature_group(**definition(server, other, OfflineStoreConfig={
        "S3StorageConfig": {"S3Uri": "s3://answers/x"}}))
    wait_until(lambda: status_of(aws, other) == "CreateFailed", "the group to fail")
    reason = sagemaker.describe_feature_group(FeatureGroupName=other)["FailureReason"]
    assert "not authorized to perform: s3:PutObject" in reason


@pytest.mark.parametrize("change, named", [
    ({"OfflineStoreConfig": {"S3StorageConfig": {"S3Uri": "s3://lake/x", "KmsKeyId": "k"}}},
     "KmsKeyId"),
    ({"OnlineStoreConfig": {"EnableOnlineStore": True, "StorageType": "InMemory"}}, "StorageType"),
    ({"OfflineStoreConfig": {"S3StorageConfig": {"S3Uri": "s3://lake/x"},
                             "TableFormat": "Iceberg"}}, "TableFormat"),
    ({"ThroughputConfig": {"ThroughputMode": "Provisioned"}}, "ThroughputMode"),
    ({"FeatureDefinitions": [{"FeatureName": "Part", "FeatureType": "String",
                              "CollectionType": "List"}]}, "CollectionType"),
    ({"RecordIdentifierFeatureName": "none"}, "RecordIdentifierFeatureName"),
    ({"EventTimeFeatureName": "count"}, "event time feature"),
])
def test_what_is_not_supported_is_refused_by_name(server, aws, fresh, change, named):
    code, message = refusal(aws("sagemaker").create_feature_group,
                            **definition(server, fresh("Group"), **change))
    assert code == "ValidationException" and named in message


def test_groups_are_listed_in_pages(aws, group):
    names = {group() for _ in range(3)}
    pages = aws("sagemaker").get_paginator("list_feature_groups").paginate(
        SortBy="Name", SortOrder="Ascending", FeatureGroupStatusEquals="Created",
        PaginationConfig={"PageSize": 2})
    listed = [one["FeatureGroupName"] for page in pages for one in page["FeatureGroupSummaries"]]
    assert listed == sorted(listed) and names <= set(listed)


def test_tags_of_a_group_are_read_and_changed(aws, group):
    name = group(Tags=[{"Key": "line", "Value": "4"}])
    sagemaker = aws("sagemaker")
    arn = sagemaker.describe_feature_group(FeatureGroupName=name)["FeatureGroupArn"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "line", "Value": "4"}]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "hall", "Value": "1"}])
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["line"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "hall", "Value": "1"}]


def test_records_are_put_got_and_deleted(aws, group):
    runtime = aws("sagemaker-featurestore-runtime")
    name = group()
    put(aws, name, Part="a", at=10, count=1)
    put(aws, name, Part="a", at=9, count=2)
    assert got(aws, name, "a") == {"Part": "a", "at": "10", "count": "1"}
    assert got(aws, name, "a", FeatureNames=["count", "Part"]) == {"Part": "a", "count": "1"}
    assert got(aws, name, "a", FeatureNames=["count"]) == {"count": "1"}
    assert got(aws, name, "none") == {}
    put(aws, name, Part="b", at=1)
    answer = runtime.batch_get_record(Identifiers=[
        {"FeatureGroupName": name, "RecordIdentifiersValueAsString": ["a", "b", "c"]},
        {"FeatureGroupName": "absent", "RecordIdentifiersValueAsString": ["x"]}])
    assert {one["RecordIdentifierValueAsString"] for one in answer["Records"]} == {"a", "b"}
    assert answer["Errors"][0]["ErrorCode"] == "ResourceNotFound"
    runtime.delete_record(FeatureGroupName=name, RecordIdentifierValueAsString="a", EventTime="11")
    assert got(aws, name, "a") == {}
    code, message = refusal(runtime.delete_record, FeatureGroupName=name,
                            RecordIdentifierValueAsString="b", EventTime="1",
                            DeletionMode="HardDelete")
    assert code == "ValidationError" and "must be later" in message
    runtime.delete_record(FeatureGroupName=name, RecordIdentifierValueAsString="b", EventTime="2",
                          DeletionMode="HardDelete", TargetStores=["OnlineStore"])
    assert got(aws, name, "b") == {}


def test_a_large_batch_leaves_a_rest(aws, group):
    runtime = aws("sagemaker-featurestore-runtime")
    name = group(OnlineStoreConfig={"EnableOnlineStore": True})
    parts = [f"p{i}" for i in range(30)]
    for part in parts:
        put(aws, name, Part=part, at=1, note="x" * 300_000)
    found, asked = [], [{"FeatureGroupName": name, "RecordIdentifiersValueAsString": parts}]
    calls = 0
    while asked:
        answer = runtime.batch_get_record(Identifiers=asked)
        found += [one["RecordIdentifierValueAsString"] for one in answer["Records"]]
        asked = answer["UnprocessedIdentifiers"]
        calls += 1
    assert found == parts and calls == 2


def test_what_a_record_may_not_be_is_a_validation_error(aws, group):
    runtime = aws("sagemaker-featurestore-runtime")
    name = group()
    for values, named in [({"Part": "a", "at": 1, "count": "1.5"}, "Integral"),
                          ({"Part": "a", "at": "now"}, "Fractional"),
                          ({"Part": "a"}, "event time"), ({"at": 1}, "record identifier"),
                          ({"Part": "a", "at": 1, "other": 1}, "[other]")]:
        code, message = refusal(runtime.put_record, FeatureGroupName=name, Record=record(**values))
        assert code == "ValidationError" and named in message
    code, message = refusal(runtime.put_record, FeatureGroupName="absent",
                            Record=record(Part="a", at=1))
    assert code == "ValidationError" and message.startswith("Resource Not Found: ")
    assert refusal(runtime.get_record, FeatureGroupName="absent",
                   RecordIdentifierValueAsString="a")[0] == "ResourceNotFound"
    code, message = refusal(runtime.put_record, FeatureGroupName=name, Record=[
        {"FeatureName": "Part", "ValueAsStringList": ["a"]}])
    assert code == "ValidationError" and "ValueAsStringList" in message


def test_an_offline_group_has_no_records_online(aws, group):
    name = group(OnlineStoreConfig={"EnableOnlineStore": False})
    put(aws, name, Part="a", at=1)
    code, message = refusal(aws("sagemaker-featurestore-runtime").get_record, FeatureGroupName=name,
                            RecordIdentifierValueAsString="a")
    assert code == "ValidationError" and "no online store" in message


def test_time_to_live_is_told(aws, group):
    name = group(OnlineStoreConfig={"EnableOnlineStore": True,
                                    "TtlDuration": {"Unit": "Weeks", "Value": 2}})
    put(aws, name, Part="a", at=4e9)
    answer = aws("sagemaker-featurestore-runtime").get_record(
        FeatureGroupName=name, RecordIdentifierValueAsString="a", ExpirationTimeResponse="Enabled")
    assert answer["ExpiresAt"] == "2096-10-16T07:06:40.000Z"


def test_the_offline_store_goes_to_the_bucket(server, aws, group):
    name = group()
    for i in range(3):
        put(aws, name, Part=f"p{i}", at=i, weight=i / 2)
    aws("sagemaker-featurestore-runtime").delete_record(
        FeatureGroupName=name, RecordIdentifierValueAsString="p0", EventTime="9")
    told = aws("sagemaker").describe_feature_group(FeatureGroupName=name)
    prefix = told["OfflineStoreConfig"]["S3StorageConfig"]["ResolvedOutputS3Uri"].removeprefix(
        "s3://lake/")
    s3 = server.aws("s3")

    def lines():
        keys = [one["Key"] for one in s3.list_objects_v2(Bucket="lake", Prefix=prefix).get(
            "Contents", [])]
        return [json.loads(line) for key in keys
                for line in s3.get_object(Bucket="lake", Key=key)["Body"].read().splitlines()]
    wait_until(lambda: len(lines()) == 4, "the rows in the bucket")
    written = lines()
    assert [one["Part"] for one in written] == ["p0", "p1", "p2", "p0"]
    assert written[1]["weight"] == 0.5 and written[1]["is_deleted"] is False
    assert written[3]["is_deleted"] is True and "weight" not in written[3]


def test_athena_answers_over_the_offline_store(server, aws, group):
    name = group()
    athena = aws("athena")
    put(aws, name, Part="a", at=1.5, count=7, weight=1, note='say "x", y')
    put(aws, name, Part="b", at=2)
    table = table_of(aws, name)
    execution = query(
        athena, f'SELECT *, count + 1 AS more FROM "AwsDataCatalog"."{DATABASE}"."{table}" '
        "ORDER BY at", QueryExecutionContext={"Database": DATABASE, "Catalog": "AwsDataCatalog"},
        WorkGroup="primary")
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    assert execution["Statistics"]["EngineExecutionTimeInMillis"] >= 0
    identifier = execution["QueryExecutionId"]
    assert execution["ResultConfiguration"]["OutputLocation"] == \
        f"s3://answers/q/{identifier}.csv"
    result = athena.get_query_results(QueryExecutionId=identifier)["ResultSet"]
    columns = {one["Name"]: one["Type"] for one in result["ResultSetMetadata"]["ColumnInfo"]}
    assert columns == {"part": "varchar", "at": "double", "count": "bigint", "weight": "double",
                       "note": "varchar", "write_time": "timestamp",
                       "api_invocation_time": "timestamp", "is_deleted": "boolean",
                       "more": "bigint"}
    values = [[one.get("VarCharValue") for one in row["Data"]] for row in result["Rows"]]
    assert values[0] == list(columns)
    assert values[1][:5] == ["a", "1.5", "7", "1.0", 'say "x", y']
    assert values[1][7:] == ["false", "8"] and values[2][2:5] == [None, None, None]
    text = server.aws("s3").get_object(Bucket="answers", Key=f"q/{identifier}.csv")[
        "Body"].read().decode()
    assert text.splitlines()[0].startswith('"part","at","count"')
    assert '"say ""x"", y"' in text and text.splitlines()[2].startswith('"b","2.0",,,,')
    assert rows(athena, f"WITH features AS (SELECT part FROM {table}), queries AS (SELECT count(*) "
                "AS n FROM features) SELECT n FROM queries") == [["n"], ["2"]]
    paged = rows(athena, f"SELECT part FROM {table} UNION ALL SELECT part FROM {table} ORDER BY 1")
    assert paged == [["part"], ["a"], ["a"], ["b"], ["b"]]


@pytest.mark.parametrize("sql, beginning", [
    ("SELECT * FROM nowhere", "TABLE_NOT_FOUND: "),
    ("SELECT * FROM fs_groups", "TABLE_NOT_FOUND: "),
    ("SELECT count(*) FROM fs_online", "TABLE_NOT_FOUND: "),
    ("SELECT * FROM main.fs_queries", "TABLE_NOT_FOUND: "),
    ("SELECT * FROM sqlite_schema", "TABLE_NOT_FOUND: "),
    ("SELECT * FROM", "SYNTAX_ERROR: "),
    ("SELECT load_extension('x')", "NOT_SUPPORTED: "),
    ("SELECT CAST('2026-01-01' AS date)", "NOT_SUPPORTED: "),
    ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
     "Query exhausted resources: "),
])
def test_a_query_that_cannot_be_answered_says_why(aws, sql, beginning):
    status = query(aws("athena"), sql)["Status"]
    assert status["State"] == "FAILED" and status["StateChangeReason"].startswith(beginning)
    assert status["AthenaError"]["ErrorCategory"] == 2


def test_what_is_no_query_is_refused_at_once(aws):
    start = aws("athena").start_query_execution
    for sql in ("DROP TABLE x", "CREATE TABLE t AS SELECT 1", "PRAGMA table_info(x)",
                "ATTACH 'andon.db' AS a", "SELECT 1; SELECT 2", "SHOW TABLES", "SELEC"):
        code, _ = refusal(start, QueryString=sql,
                          ResultConfiguration={"OutputLocation": "s3://answers/"})
        assert code == "InvalidRequestException", sql
    for more, named in [({}, "output location"),
                        ({"ResultConfiguration": {"OutputLocation": "s3://nowhere/"}}, "nowhere"),
                        ({"ResultConfiguration": {"OutputLocation": "/tmp"}}, "s3://"),
                        ({"WorkGroup": "other"}, "other"),
                        ({"ExecutionParameters": ["1"]}, "ExecutionParameters")]:
        assert named in refusal(start, QueryString="SELECT 1", **more)[1]


def test_a_query_is_stopped_and_found_again(aws):
    athena = aws("athena")
    endless = ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
               "SELECT max(i) FROM n")
    token = str(uuid.uuid4())
    arguments = {"QueryString": endless, "ClientRequestToken": token,
                 "ResultConfiguration": {"OutputLocation": "s3://answers/"}}
    identifier = athena.start_query_execution(**arguments)["QueryExecutionId"]
    assert athena.start_query_execution(**arguments)["QueryExecutionId"] == identifier
    code, message = refusal(athena.get_query_results, QueryExecutionId=identifier)
    assert code == "InvalidRequestException" and "not yet finished" in message
    athena.stop_query_execution(QueryExecutionId=identifier)
    status = ended(athena, identifier)["Status"]
    assert status["State"] == "CANCELLED" and status["StateChangeReason"]
    again = query(athena, "SELECT 1 AS one")["QueryExecutionId"]
    pages = athena.get_paginator("list_query_executions").paginate(
        WorkGroup="primary", PaginationConfig={"PageSize": 1})
    listed = [one for page in pages for one in page["QueryExecutionIds"]]
    assert listed.index(again) < listed.index(identifier)
    batch = athena.batch_get_query_execution(QueryExecutionIds=[identifier, "none"])
    assert batch["QueryExecutions"][0]["QueryExecutionId"] == identifier
    assert batch["UnprocessedQueryExecutionIds"][0]["QueryExecutionId"] == "none"
    assert athena.get_work_group(WorkGroup="primary")["WorkGroup"]["State"] == "ENABLED"


def test_a_query_that_takes_too_long_ends(aws):
    status = query(aws("athena"), "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                   "SELECT max(i) FROM n")["Status"]
    assert status["State"] == "FAILED"
    assert status["StateChangeReason"] == "Query timeout: the query took longer than 20 seconds"


def test_the_tables_are_in_the_catalog_beyond_their_group(aws, group):
    glue = aws("glue")
    name = group()
    table = table_of(aws, name)
    assert glue.get_database(Name=DATABASE)["Database"]["Name"] == DATABASE
    assert DATABASE in [one["Name"] for one in glue.get_databases()["DatabaseList"]]
    told = glue.get_table(DatabaseName=DATABASE, Name=table)["Table"]
    assert {one["Name"]: one["Type"] for one in told["StorageDescriptor"]["Columns"]} == {
        "part": "string", "at": "double", "count": "bigint", "weight": "double", "note": "string",
        "write_time": "timestamp", "api_invocation_time": "timestamp", "is_deleted": "boolean"}
    listed = [one["Name"] for page in glue.get_paginator("get_tables").paginate(
        DatabaseName=DATABASE, PaginationConfig={"PageSize": 1}) for one in page["TableList"]]
    assert table in listed
    assert [one["Name"] for one in glue.get_tables(
        DatabaseName=DATABASE, Expression=table[:-2] + ".*")["TableList"]] == [table]
    put(aws, name, Part="a", at=1)
    aws("sagemaker").delete_feature_group(FeatureGroupName=name)
    wait_until(lambda: not aws("sagemaker").list_feature_groups(NameContains=name)[
        "FeatureGroupSummaries"], "the group to be gone")
    assert rows(aws("athena"), f"SELECT part FROM {table}") == [["part"], ["a"]]
    glue.delete_table(DatabaseName=DATABASE, Name=table)
    for call in (glue.get_table, glue.delete_table):
        assert refusal(call, DatabaseName=DATABASE, Name=table)[0] == "EntityNotFoundException"
    assert query(aws("athena"), f"SELECT * FROM {table}")["Status"]["State"] == "FAILED"


def test_who_may_not_read_a_table_does_not_see_it(server, aws, group, limited, fresh):
    mine, other = group(), group()
    put(aws, mine, Part="a", at=1)
    put(aws, other, Part="hidden", at=1)
    arn = "arn:aws:glue:us-east-1:000000000000:"
    iam = server.aws("iam")
    user = fresh("analyst")
    iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="own", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "athena:*", "Resource": "*"},
            {"Effect": "Allow", "Action": ["s3:PutObject", "s3:GetObject"],
             "Resource": "arn:aws:s3:::answers/mine/*"},
            {"Effect": "Allow", "Action": "glue:Get*", "Resource": [
                arn + "catalog", arn + f"database/{DATABASE}",
                arn + f"table/{DATABASE}/{table_of(aws, mine)}"]}]}))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    athena, glue = client_of(server, "athena", key), client_of(server, "glue", key)

    def ask(sql, place="s3://answers/mine/"):
        return ended(athena, athena.start_query_execution(
            QueryString=sql, ResultConfiguration={"OutputLocation": place})["QueryExecutionId"])
    answered = ask(f"SELECT * FROM {table_of(aws, mine)}")
    assert answered["Status"]["State"] == "SUCCEEDED"
    assert athena.get_query_results(QueryExecutionId=answered["QueryExecutionId"])["ResultSet"]
    others = query(aws("athena"), f"SELECT * FROM {table_of(aws, other)}")["QueryExecutionId"]
    code, message = refusal(athena.get_query_results, QueryExecutionId=others)
    assert code == "AccessDeniedException" and "s3:GetObject" in message
    hidden = table_of(aws, other)
    for sql in (f'SELECT * FROM "{DATABASE}"."{hidden}"', f"SELECT count(*) FROM {hidden}",
                f"SELECT (SELECT part FROM {hidden}) FROM {table_of(aws, mine)}"):
        status = ask(sql)["Status"]
        assert status["State"] == "FAILED"
        assert "not authorized to perform: glue:GetTable" in status["StateChangeReason"]
    assert refusal(athena.start_query_execution, QueryString="SELECT 1", ResultConfiguration={
        "OutputLocation": "s3://answers/"})[0] == "AccessDeniedException"
    assert [one["Name"] for one in glue.get_tables(DatabaseName=DATABASE)["TableList"]] == [
        table_of(aws, mine)]
    assert refusal(glue.get_table, DatabaseName=DATABASE, Name=hidden)[0] == "AccessDeniedException"
    runtime = limited("sagemaker-featurestore-runtime", ["sagemaker:GetRecord"],
                      [f"arn:aws:sagemaker:us-east-1:000000000000:feature-group/{mine}"])
    assert runtime.get_record(FeatureGroupName=mine, RecordIdentifierValueAsString="a")["Record"]
    for call, arguments in [(runtime.get_record, {"FeatureGroupName": other,
                                                  "RecordIdentifierValueAsString": "hidden"}),
                            (runtime.put_record, {"FeatureGroupName": mine,
                                                  "Record": record(Part="a", at=2)})]:
        assert refusal(call, **arguments)[0] == "AccessDeniedException"
    answer = runtime.batch_get_record(Identifiers=[
        {"FeatureGroupName": mine, "RecordIdentifiersValueAsString": ["a"]}])
    assert answer["Errors"][0]["ErrorCode"] == "AccessForbidden" and not answer["Records"]


def test_a_result_that_somebody_changed_is_not_given_out(server, aws):
    athena = aws("athena")
    execution = query(athena, "SELECT 1 AS one")
    identifier = execution["QueryExecutionId"]
    server.aws("s3").put_object(Bucket="answers", Key=f"q/{identifier}.csv", Body=b'"two"\n')
    code, message = refusal(athena.get_query_results, QueryExecutionId=identifier)
    assert code == "InvalidRequestException" and "another one now" in message


def test_the_aws_cli_reads_them(server, aws, group):
    name = group()
    server.aws_cli("sagemaker-featurestore-runtime", "put-record", "--feature-group-name", name,
                   "--record", json.dumps(record(Part="cli", at=3)))
    answer = json.loads(server.aws_cli(
        "sagemaker-featurestore-runtime", "get-record", "--feature-group-name", name,
        "--record-identifier-value-as-string", "cli").stdout)
    assert {"FeatureName": "Part", "ValueAsString": "cli"} in answer["Record"]
    answer = json.loads(server.aws_cli("glue", "get-tables", "--database-name", DATABASE).stdout)
    assert table_of(aws, name) in [one["Name"] for one in answer["TableList"]]
    identifier = json.loads(server.aws_cli(
        "athena", "start-query-execution", "--query-string",
        f"SELECT part FROM {table_of(aws, name)}", "--result-configuration",
        "OutputLocation=s3://answers/cli/").stdout)["QueryExecutionId"]
    ended(aws("athena"), identifier)
    answer = json.loads(server.aws_cli("athena", "get-query-results", "--query-execution-id",
                                       identifier).stdout)
    assert [row["Data"][0]["VarCharValue"] for row in answer["ResultSet"]["Rows"]] == ["part",
                                                                                      "cli"]


def test_a_state_machine_puts_records_and_asks_for_them(server, aws, group):
    name = group()
    server.let_workflows("sagemaker:PutRecord", "athena:*", "glue:Get*", "s3:PutObject",
                         "s3:GetObject")
    put_record = {"Type": "Task", "Next": "Ask",
                  "Resource": "arn:aws:states:::aws-sdk:sagemakerfeaturestoreruntime:putRecord",
                  "Parameters": {"FeatureGroupName": name,
                                 "Record": record(Part="by a machine", at=1)},
                  "ResultPath": None}
    ask = {"Type": "Task", "End": True,
           "Resource": "arn:aws:states:::aws-sdk:athena:startQueryExecution",
           "Parameters": {"QueryString": f"SELECT part FROM {table_of(aws, name)}",
                          "ResultConfiguration": {"OutputLocation": "s3://answers/machine/"}}}
    states = server.aws("stepfunctions")
    machine = states.create_state_machine(
        name=name, roleArn="arn:aws:iam::000000000000:role/andon-workflows",
        definition=json.dumps({"StartAt": "Put", "States": {"Put": put_record, "Ask": ask}}))
    execution = states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]

    def is_over():
        told = states.describe_execution(executionArn=execution)
        return told if told["status"] != "RUNNING" else None
    told = wait_until(is_over, "the execution")
    assert told["status"] == "SUCCEEDED", told
    identifier = json.loads(told["output"])["QueryExecutionId"]
    assert ended(aws("athena"), identifier)["Status"]["State"] == "SUCCEEDED"
    result = aws("athena").get_query_results(QueryExecutionId=identifier)["ResultSet"]["Rows"]
    assert result[1]["Data"][0]["VarCharValue"] == "by a machine"
