# SPDX-License-Identifier: Apache-2.0
"""`andon apply` against a real server: templates made real, changed, deleted."""
import json
import subprocess

import botocore.exceptions
import pytest

from harness import PATIENCE_S, program

ACCOUNT = "000000000000"
WOULD_CHANGE = 20


class Andon:
    def __init__(self, server):
        self.server = server

    def __call__(self, *words, expect=0):
        done = subprocess.run([program("andon"), *words, "--data", str(self.server.data)],
                              capture_output=True, text=True, timeout=PATIENCE_S * 2, check=False)
        if expect is not None:
            assert done.returncode == expect, (done.returncode, done.stdout, done.stderr)
        return done

    def apply(self, path, *words, expect=0):
        return self("apply", "-f", str(path), *words, expect=expect)

    def report(self, path, *words, expect=0):
        """{logical id: action} and the whole answer of --json."""
        answer = json.loads(self.apply(path, "--json", *words, expect=expect).stdout)
        steps = answer["stacks"][0]["plan"]["steps"]
        return {step["logicalId"]: step["action"] for step in steps}, answer


@pytest.fixture
def andon(shared_server):
    return Andon(shared_server)


BASE = """
AWSTemplateFormatVersion: 2010-09-09
Description: the first road
Parameters:
  Line: {Type: String, Default: seven}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - {Effect: Allow, Action: "sts:AssumeRole",
             Principal: {Service: [lambda.amazonaws.com, states.amazonaws.com,
                                   events.amazonaws.com]}}
      Policies:
        - PolicyName: invoke
          PolicyDocument:
            Version: 2012-10-17
            Statement: [{Effect: Allow, Action: "lambda:InvokeFunction", Resource: "*"}]
  More:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: more
      Roles: [!Ref Role]
      PolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Action: "states:StartExecution", Resource: !Ref Machine}]
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.12
      Handler: app.handler
      Role: !GetAtt Role.Arn
      Code: ./function
      Environment: {Variables: {LINE: !Ref Line}}
  Machine:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      RoleArn: !GetAtt Role.Arn
      DefinitionS3Location: ./ship.asl.json
      DefinitionSubstitutions: {FunctionArn: !GetAtt Function.Arn}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [plant]}
      Targets:
        - {Id: ship, Arn: !Ref Machine, RoleArn: !GetAtt Role.Arn}
  Bucket: {Type: "AWS::S3::Bucket"}
  Labels:
    Type: Andon::S3::Object
    Properties: {Bucket: !Ref Bucket, Key: labels.txt, Source: ./labels.txt}
  Thing:
    Type: AWS::IoT::Thing
    Properties: {ThingName: !Sub "${AWS::StackName}-line", AttributePayload: {Attributes: {line: !Ref Line}}}
  Group: {Type: "AWS::IoT::ThingGroup"}
  Member:
    Type: Andon::IoT::ThingGroupMember
    Properties: {ThingName: !Ref Thing, ThingGroupName: !Ref Group}
  Component:
    Type: AWS::GreengrassV2::ComponentVersion
    Properties: {InlineRecipe: ./recipe.yaml}
  Deployment:
    Type: AWS::GreengrassV2::Deployment
    Properties:
      TargetArn: !GetAtt Group.Arn
      Components:
        NAME: {ComponentVersion: !GetAtt Component.ComponentVersion}
Outputs:
  FunctionArn: {Value: !GetAtt Function.Arn}
  MachineArn: {Value: !Ref Machine, Export: {Name: !Sub "${AWS::StackName}-machine"}}
  BucketName: {Value: !Ref Bucket}
"""

RECIPE = """
RecipeFormatVersion: "2020-01-25"
ComponentName: NAME
ComponentVersion: VERSION
ComponentPublisher: plant
Manifests:
  - Platform: {os: linux, runtime: "*"}
    Lifecycle: {run: "python3 {artifacts:path}/main.py"}
    Artifacts: [{Uri: main.py}]
"""

DEFINITION = {"StartAt": "Call", "States": {"Call": {
    "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "OutputPath": "$.Payload",
    "Parameters": {"FunctionName": "${FunctionArn}", "Payload.$": "$"}, "End": True}}}


@pytest.fixture
def project(tmp_path, request):
    """A directory with a template and what stands beside it; its name is the stack's."""
    name = "s" + str(abs(hash(request.node.name)))[:8]
    folder = tmp_path / name
    (folder / "function").mkdir(parents=True)
    (folder / "function" / "app.py").write_text(
        "import os\ndef handler(event, context):\n    return [os.environ['LINE'], event]\n")
    (folder / "ship.asl.json").write_text(json.dumps(DEFINITION))
    (folder / "labels.txt").write_text("tag\n")
    (folder / "main.py").write_text("print('seen')\n")
    component = f"com.{name}"
    (folder / "recipe.yaml").write_text(RECIPE.replace("NAME", component).replace("VERSION", "1.0.0"))
    (folder / "template.yaml").write_text(BASE.replace("NAME:", component + ":"))
    return folder


def replaced(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_template_is_made_real_once_and_changed_where_it_differs(shared_server, andon, project):
    planned, answer = andon.report(project, "--dry-run", expect=WOULD_CHANGE)
    assert set(planned.values()) == {"create"} and answer["hasChanges"]
    assert "no stack" in andon("stack", "show", project.name, expect=6).stderr

    made, answer = andon.report(project)
    stack = answer["stacks"][0]
    assert made == planned and stack["status"] == "CREATE_COMPLETE"
    outputs = stack["outputs"]
    called = shared_server.aws("lambda").invoke(FunctionName=outputs["FunctionArn"], Payload=b"1")
    assert json.loads(called["Payload"].read()) == ["seven", 1]
    objects = shared_server.aws("s3").get_object(Bucket=outputs["BucketName"], Key="labels.txt")
    assert objects["Body"].read() == b"tag\n"
    machine = shared_server.aws("stepfunctions").describe_state_machine(
        stateMachineArn=outputs["MachineArn"])
    assert outputs["FunctionArn"] in machine["definition"]
    group = shared_server.aws("iot").list_things_in_thing_group(
        thingGroupName=resource(andon, project.name, "Group"))
    assert group["things"] == [project.name + "-line"]

    same, answer = andon.report(project)
    assert set(same.values()) == {"same"} and not answer["hasChanges"]
    andon.apply(project, "--dry-run", expect=0)

    (project / "function" / "app.py").write_text("def handler(event, context):\n    return 'new'\n")
    replaced(project / "template.yaml", "source: [plant]", "source: [works]")
    shown = andon.apply(project, "--dry-run", expect=WOULD_CHANGE).stdout
    assert "~ change  Function" in shown and "Code.S3Key" in shown
    assert 'EventPattern' in shown and "2 change" in shown
    changed, _ = andon.report(project)
    assert {id for id, action in changed.items() if action != "same"} == {"Function", "Rule"}
    called = shared_server.aws("lambda").invoke(FunctionName=outputs["FunctionArn"], Payload=b"1")
    assert json.loads(called["Payload"].read()) == "new"
    rule = shared_server.aws("events").describe_rule(Name=resource(andon, project.name, "Rule"))
    assert json.loads(rule["EventPattern"]) == {"source": ["works"]}

    removed = andon("stack", "delete", project.name, "--yes")
    assert "DELETE_COMPLETE" in removed.stderr
    assert "no stack" in andon("stack", "show", project.name, expect=6).stderr
    buckets = [one["Name"] for one in shared_server.aws("s3").list_buckets()["Buckets"]]
    assert outputs["BucketName"] not in buckets
    assert all(one["stateMachineArn"] != outputs["MachineArn"] for one in
               shared_server.aws("stepfunctions").list_state_machines()["stateMachines"])


def resource(andon, stack, logical):
    shown = json.loads(andon("stack", "show", stack, "--json").stdout)
    return next(one["PhysicalResourceId"] for one in shown["resources"]
                if one["LogicalResourceId"] == logical)


EVERY_TYPE = """
Parameters:
  Word: {Type: String, Default: one}
  Days: {Type: Number, Default: 7}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      Description: !Ref Word
      ManagedPolicyArns: [!Ref Managed]
      Tags: [{Key: word, Value: !Ref Word}]
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - {Effect: Allow, Action: "sts:AssumeRole", Principal: {Service: [
              lambda.amazonaws.com, states.amazonaws.com, events.amazonaws.com,
              scheduler.amazonaws.com, credentials.iot.amazonaws.com]}}
  Managed:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: 2012-10-17
        Statement: [{Sid: !Ref Word, Effect: Allow, Action: "iot:*", Resource: "*"}]
  Inline:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: inline
      Roles: [!Ref Role]
      PolicyDocument:
        Version: 2012-10-17
        Statement: [{Sid: !Ref Word, Effect: Allow, Action: "s3:*", Resource: "*"},
                    {Effect: Allow, Action: ["states:*", "lambda:*"], Resource: "*"}]
  Profile: {Type: "AWS::IAM::InstanceProfile", Properties: {Roles: [!Ref Role]}}
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      Tags: [{Key: word, Value: !Ref Word}, {Key: "aws-cdk:auto-delete-objects", Value: "true"}]
      VersioningConfiguration: {Status: Enabled}
      BucketEncryption: {ServerSideEncryptionConfiguration: []}
      LifecycleConfiguration: {Rules: [{Id: old, Status: Enabled, ExpirationInDays: !Ref Days}]}
      CorsConfiguration: {CorsRules: [{AllowedMethods: [GET], AllowedOrigins: [!Sub "https://${Word}"]}]}
      PublicAccessBlockConfiguration: {BlockPublicAcls: true, BlockPublicPolicy: true,
                                       IgnorePublicAcls: true, RestrictPublicBuckets: true}
      NotificationConfiguration: {EventBridgeConfiguration: {EventBridgeEnabled: true}}
  BucketPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Version: 2012-10-17
        Statement: [{Sid: !Ref Word, Effect: Allow, Action: "s3:GetObject",
                     Principal: {AWS: !GetAtt Role.Arn}, Resource: !Sub "${Bucket.Arn}/*"}]
  Object:
    Type: Andon::S3::Object
    Properties: {Bucket: !Ref Bucket, Key: word.txt, Body: !Ref Word, ContentType: text/plain}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Timeout: !Ref Days
      Environment: {Variables: {WORD: !Ref Word}}
      Tags: [{Key: word, Value: !Ref Word}]
      Code:
        ZipFile: !Sub |
          def handler(event, context):
              return "${Word}"
  Version: {Type: "AWS::Lambda::Version", Properties: {FunctionName: !Ref Function, Description: !Ref Word}}
  Alias:
    Type: AWS::Lambda::Alias
    Properties: {FunctionName: !Ref Function, Name: live, FunctionVersion: !GetAtt Version.Version}
  Permission:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: !Ref Function
      Action: lambda:InvokeFunction
      Principal: events.amazonaws.com
      SourceArn: !Sub "arn:aws:events:us-east-1:000000000000:rule/${Word}"
  Machine:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      RoleArn: !GetAtt Role.Arn
      Tags: [{Key: word, Value: !Ref Word}]
      Definition: {StartAt: A, States: {A: {Type: Pass, Result: !Ref Word, End: true}}}
  Activity: {Type: "AWS::StepFunctions::Activity", Properties: {Tags: [{Key: word, Value: !Ref Word}]}}
  Bus: {Type: "AWS::Events::EventBus", Properties: {Name: !Sub "${AWS::StackName}-bus", Description: !Ref Word}}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref Bus
      EventPattern: {source: [!Ref Word]}
      Targets: [{Id: !Ref Word, Arn: !Ref Machine, RoleArn: !GetAtt Role.Arn}]
  ScheduleGroup: {Type: "AWS::Scheduler::ScheduleGroup"}
  Schedule:
    Type: AWS::Scheduler::Schedule
    Properties:
      GroupName: !Ref ScheduleGroup
      Description: !Ref Word
      ScheduleExpression: cron(0 3 1 * ? *)
      ScheduleExpressionTimezone: Europe/Berlin
      FlexibleTimeWindow: {Mode: "OFF"}
      Target: {Arn: !Ref Machine, RoleArn: !GetAtt Role.Arn}
  Thing: {Type: "AWS::IoT::Thing", Properties: {AttributePayload: {Attributes: {word: !Ref Word}}}}
  Group:
    Type: AWS::IoT::ThingGroup
    Properties: {ThingGroupProperties: {ThingGroupDescription: !Ref Word}}
  Member:
    Type: Andon::IoT::ThingGroupMember
    Properties: {ThingName: !Ref Thing, ThingGroupName: !Ref Group}
  DevicePolicy:
    Type: AWS::IoT::Policy
    Properties:
      PolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Action: "iot:Publish",
                     Resource: !Sub "arn:aws:iot:us-east-1:000000000000:topic/${Word}"}]
  PolicyLink:
    Type: AWS::IoT::PolicyPrincipalAttachment
    Properties: {PolicyName: !Ref DevicePolicy, Principal: "CERTIFICATE"}
  ThingLink:
    Type: AWS::IoT::ThingPrincipalAttachment
    Properties: {ThingName: !Ref Thing, Principal: "CERTIFICATE"}
  RoleAlias:
    Type: AWS::IoT::RoleAlias
    Properties: {RoleAlias: !Sub "${AWS::StackName}-alias", RoleArn: !GetAtt Role.Arn,
                 CredentialDurationSeconds: !If [IsOne, 900, 1800]}
  Component:
    Type: AWS::GreengrassV2::ComponentVersion
    Properties:
      InlineRecipe: !Sub |
        {"RecipeFormatVersion": "2020-01-25", "ComponentName": "com.${AWS::StackName}",
         "ComponentVersion": "1.0.${Days}", "Manifests": [{"Platform": {"os": "linux"}}]}
  Deployment:
    Type: AWS::GreengrassV2::Deployment
    Properties:
      TargetArn: !GetAtt Group.Arn
      Components:
        com.STACK: {ComponentVersion: !GetAtt Component.ComponentVersion,
                    ConfigurationUpdate: {Merge: {word: !Ref Word}}}
  Models:
    Type: AWS::SageMaker::ModelPackageGroup
    Properties: {ModelPackageGroupDescription: !Ref Word}
  Log: {Type: "AWS::Logs::LogGroup", Properties: {RetentionInDays: !Ref Days, Tags: [{Key: word, Value: !Ref Word}]}}
  Parameter: {Type: "AWS::SSM::Parameter", Properties: {Type: String, Value: !Ref Word}}
  Secret: {Type: "AWS::SecretsManager::Secret", Properties: {Description: !Ref Word, GenerateSecretString: {PasswordLength: 20}}}
  Project:
    Type: AWS::CodeBuild::Project
    Properties:
      Source: {Type: CODEPIPELINE, BuildSpec: !Sub '{"version": 0.2, "phases": {"build": {"commands": ["echo ${Word}"]}}}'}
  Pipeline:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      ArtifactStore: {Type: S3, Location: !Ref Bucket}
      Stages:
        - Name: Source
          Actions: [{Name: Get, ActionTypeId: {Category: Source, Owner: AWS, Provider: S3, Version: "1"},
                     Configuration: {S3Bucket: !Ref Bucket, S3ObjectKey: !Ref Word},
                     OutputArtifacts: [{Name: code}]}]
        - Name: Build
          Actions: [{Name: Test, ActionTypeId: {Category: Build, Owner: AWS, Provider: CodeBuild, Version: "1"},
                     Configuration: {ProjectName: !Ref Project}, InputArtifacts: [{Name: code}]}]
Conditions:
  IsOne: !Equals [!Ref Word, one]
"""
# What another Word and other Days come to; what is not here is changed in its place.
OTHER_ACTION = {"Profile": "same", "ScheduleGroup": "same", "ThingLink": "same", "PolicyLink": "same",
                "Activity": "change", "Version": "replace", "Group": "replace", "Member": "replace",
                "Component": "replace", "Deployment": "replace", "Models": "replace"}


def test_every_type_is_created_changed_and_deleted(shared_server, andon, tmp_path):
    iot = shared_server.aws("iot")
    certificate = iot.create_keys_and_certificate(setAsActive=True)["certificateArn"]
    file = tmp_path / "every.yaml"
    file.write_text(EVERY_TYPE.replace("CERTIFICATE", certificate)
                    .replace("com.STACK", "com.every"))
    made, answer = andon.report(file)
    assert set(made.values()) == {"create"}
    assert answer["stacks"][0]["plan"]["leftOut"][0]["Property"] == "BucketEncryption"
    assert set(andon.report(file, "--dry-run")[0].values()) == {"same"}

    other = ("--parameter", "Word=two", "--parameter", "Days=14")
    planned, _ = andon.report(file, *other, "--dry-run", expect=WOULD_CHANGE)
    assert planned == {id: OTHER_ACTION.get(id, "change") for id in made}
    andon.report(file, *other)
    # What was given stays given.
    assert set(andon.report(file, "--dry-run")[0].values()) == {"same"}

    named = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in
             json.loads(andon("stack", "show", "every", "--json").stdout)["resources"]}
    called = shared_server.aws("lambda").invoke(FunctionName=named["Function"], Qualifier="live")
    assert json.loads(called["Payload"].read()) == "two"
    s3 = shared_server.aws("s3")
    bucket = named["Bucket"]
    assert s3.get_object(Bucket=bucket, Key="word.txt")["Body"].read() == b"two"
    assert {"Key": "word", "Value": "two"} in s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"][0]["Expiration"] == {"Days": 14}
    assert "two" in s3.get_bucket_cors(Bucket=bucket)["CORSRules"][0]["AllowedOrigins"][0]
    iam = shared_server.aws("iam")
    assert iam.get_role(RoleName=named["Role"])["Role"]["Description"] == "two"
    assert iam.list_attached_role_policies(RoleName=named["Role"])["AttachedPolicies"][0][
        "PolicyArn"] == named["Managed"]
    assert iot.describe_role_alias(roleAlias=named["RoleAlias"])["roleAliasDescription"][
        "credentialDurationSeconds"] == 1800
    assert iot.list_things_in_thing_group(thingGroupName=named["Group"])["things"] == [named["Thing"]]
    schedule = shared_server.aws("scheduler").get_schedule(
        Name=named["Schedule"], GroupName=named["ScheduleGroup"])
    assert schedule["Description"] == "two"
    deployments = shared_server.aws("greengrassv2").list_deployments(historyFilter="ALL")["deployments"]
    assert named["Deployment"] in [one["deploymentId"] for one in deployments]
    assert shared_server.aws("ssm").get_parameter(Name=named["Parameter"])["Parameter"]["Value"] == "two"

    andon("stack", "delete", "every", "--yes")
    for service, operation, arguments in (
            ("lambda", "get_function", {"FunctionName": named["Function"]}),
            ("iam", "get_role", {"RoleName": named["Role"]}),
            ("iam", "get_policy", {"PolicyArn": named["Managed"]}),
            ("s3", "head_bucket", {"Bucket": bucket}),
            ("stepfunctions", "describe_state_machine", {"stateMachineArn": named["Machine"]}),
            ("events", "describe_event_bus", {"Name": named["Bus"]}),
            ("scheduler", "get_schedule_group", {"Name": named["ScheduleGroup"]}),
            ("iot", "describe_thing", {"thingName": named["Thing"]}),
            ("iot", "describe_thing_group", {"thingGroupName": named["Group"]}),
            ("iot", "get_policy", {"policyName": named["DevicePolicy"]}),
            ("iot", "describe_role_alias", {"roleAlias": named["RoleAlias"]}),
            ("greengrassv2", "describe_component", {"arn": named["Component"]}),
            ("greengrassv2", "get_deployment", {"deploymentId": named["Deployment"]}),
            ("sagemaker", "describe_model_package_group", {"ModelPackageGroupName": named["Models"]}),
            ("ssm", "get_parameter", {"Name": named["Parameter"]}),
            ("secretsmanager", "get_secret_value", {"SecretId": named["Secret"]}),
            ("codepipeline", "get_pipeline_state", {"name": named["Pipeline"]})):
        with pytest.raises(botocore.exceptions.ClientError):
            getattr(shared_server.aws(service), operation)(**arguments)


LAYER_AND_FEATURES = """
Resources:
  Lake: {Type: AWS::S3::Bucket}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - {Effect: Allow, Action: "sts:AssumeRole",
             Principal: {Service: [lambda.amazonaws.com, sagemaker.amazonaws.com]}}
      Policies:
        - PolicyName: write
          PolicyDocument:
            Version: 2012-10-17
            Statement: [{Effect: Allow, Action: "s3:PutObject", Resource: !Sub "${Lake.Arn}/*"}]
  Shared:
    Type: AWS::Lambda::LayerVersion
    Properties: {Content: ./layer, LayerName: shared-words, CompatibleRuntimes: [python3.11]}
  Say:
    Type: AWS::Lambda::Function
    Properties: {Code: ./say, Handler: app.handler, Runtime: python3.11, Role: !GetAtt Role.Arn,
                 Layers: [!Ref Shared]}
  Parts:
    Type: AWS::SageMaker::FeatureGroup
    Properties:
      FeatureGroupName: applied-parts
      RecordIdentifierFeatureName: Part
      EventTimeFeatureName: at
      FeatureDefinitions: [{FeatureName: Part, FeatureType: String},
                           {FeatureName: at, FeatureType: Fractional}]
      OnlineStoreConfig: {EnableOnlineStore: true}
      OfflineStoreConfig: {S3StorageConfig: {S3Uri: !Sub "s3://${Lake}/features"}}
      RoleArn: !GetAtt Role.Arn
Outputs:
  Say: {Value: !Ref Say}
"""


def test_layers_and_feature_groups_are_made_and_taken_away(shared_server, andon, tmp_path):
    place = tmp_path / "layered"
    (place / "layer" / "python").mkdir(parents=True)
    (place / "say").mkdir()
    (place / "template.yaml").write_text(LAYER_AND_FEATURES)
    (place / "layer" / "python" / "words.py").write_text("WORD = 'shared'\n")
    (place / "say" / "app.py").write_text(
        "import words\n\n\ndef handler(event, context):\n    return words.WORD\n")
    done, _ = andon.report(place)
    assert set(done) == {"Lake", "Role", "Shared", "Say", "Parts"} and set(done.values()) == {"create"}
    again, _ = andon.report(place)
    assert set(again.values()) == {"same"}
    stack = shared_server.aws("cloudformation").describe_stacks(StackName="layered")["Stacks"][0]
    name = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}["Say"]
    said = shared_server.aws("lambda").invoke(FunctionName=name, Payload=b"{}")
    assert said["Payload"].read() == b'"shared"'
    sagemaker = shared_server.aws("sagemaker")
    assert sagemaker.describe_feature_group(
        FeatureGroupName="applied-parts")["FeatureGroupStatus"] == "Created"
    andon("stack", "delete", "layered", "--yes")
    with pytest.raises(botocore.exceptions.ClientError, match="ResourceNotFound"):
        sagemaker.describe_feature_group(FeatureGroupName="applied-parts")


def test_what_the_template_no_longer_has_stays_until_it_is_pruned(shared_server, andon, tmp_path):
    file = tmp_path / "prune.json"
    log = {"Type": "AWS::Logs::LogGroup", "Properties": {}}
    names = ("/prune/a", "/prune/b", "/prune/kept")

    def write(**resources):
        file.write_text(json.dumps({"Resources": {
            id: {**log, "Properties": {"LogGroupName": name}, **more}
            for id, (name, more) in resources.items()}}))

    def there():
        groups = shared_server.aws("logs").describe_log_groups(logGroupNamePrefix="/prune/")
        return {one["logGroupName"] for one in groups["logGroups"]}
    write(A=(names[0], {}), B=(names[1], {}), Kept=(names[2], {"DeletionPolicy": "Retain"}))
    andon.apply(file)
    write(A=(names[0], {}))
    kept, answer = andon.report(file, expect=0)
    assert kept == {"A": "same", "B": "keep", "Kept": "keep"} and not answer["hasChanges"]
    assert there() == set(names)
    pruned, _ = andon.report(file, "--prune")
    assert pruned == {"A": "same", "B": "delete", "Kept": "delete"}
    assert there() == {names[0], names[2]}
    # Retained, it is nobody's: the stack that names it again is refused.
    write(A=(names[0], {}), Kept=(names[2], {}))
    refused = andon.apply(file, expect=None)
    assert refused.returncode != 0 and "was not made by this stack" in refused.stderr
    # What somebody else has deleted is made again.
    shared_server.aws("logs").delete_log_group(logGroupName=names[2])
    shared_server.aws("logs").delete_log_group(logGroupName=names[0])
    again, _ = andon.report(file)
    assert again == {"A": "create", "Kept": "create"} and there() == {names[0], names[2]}


def test_what_cannot_be_is_refused_before_anything_is_made(andon, tmp_path):
    def refusal(**template):
        file = tmp_path / "refused.json"
        file.write_text(json.dumps(template))
        done = andon.apply(file, expect=None)
        assert done.returncode in (3, 15), done
        return done.stderr
    bucket = {"Type": "AWS::S3::Bucket"}
    assert "AccelerateConfiguration: this server does not support it" in refusal(Resources={
        "B": {**bucket, "Properties": {"AccelerateConfiguration": {}}}})
    assert "depend on each other in a circle" in refusal(Resources={
        "A": {**bucket, "DependsOn": "B"}, "B": {**bucket, "DependsOn": "A"}})
    assert "refers to Vpc, which is left out" in refusal(Resources={
        "Vpc": {"Type": "AWS::EC2::VPC"}, "B": {**bucket, "Properties": {"BucketName": {"Ref": "Vpc"}}}})
    assert "has no Default and no value" in refusal(
        Parameters={"P": {"Type": "String"}}, Resources={"B": bucket})
    missing = andon.apply(tmp_path / "none", expect=6)
    assert "none" in missing.stderr


CDK = {
    "Resources": {
        "Data": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Delete", "UpdateReplacePolicy": "Delete",
                 "Properties": {"Tags": [{"Key": "aws-cdk:auto-delete-objects", "Value": "true"}]}},
        "DataAutoDelete": {"Type": "Custom::S3AutoDeleteObjects", "DependsOn": ["Data"], "Properties": {
            "ServiceToken": {"Fn::GetAtt": ["CustomS3AutoDeleteObjectsCustomResourceProviderHandler9D", "Arn"]},
            "BucketName": {"Ref": "Data"}}},
        "CustomS3AutoDeleteObjectsCustomResourceProviderRole3B": {
            "Type": "AWS::IAM::Role", "Properties": {
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
                    {"Action": "sts:AssumeRole", "Effect": "Allow",
                     "Principal": {"Service": "lambda.amazonaws.com"}}]},
                "ManagedPolicyArns": [{"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/service-role/"
                                                  "AWSLambdaBasicExecutionRole"}]}},
        "CustomS3AutoDeleteObjectsCustomResourceProviderHandler9D": {
            "Type": "AWS::Lambda::Function", "Properties": {
                "Code": {"S3Bucket": {"Fn::Sub": "cdk-assets-${AWS::AccountId}-${AWS::Region}"},
                         "S3Key": "faa.zip"}, "Runtime": "nodejs20.x", "Handler": "index.handler",
                "Role": {"Fn::GetAtt": ["CustomS3AutoDeleteObjectsCustomResourceProviderRole3B", "Arn"]}}},
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {
            "Version": "2012-10-17", "Statement": [{"Action": "sts:AssumeRole", "Effect": "Allow",
                                                    "Principal": {"Service": "lambda.amazonaws.com"}}]}}},
        "Find": {"Type": "AWS::Lambda::Function", "Properties": {
            "Code": {"S3Bucket": {"Fn::Sub": "cdk-assets-${AWS::AccountId}-${AWS::Region}"},
                     "S3Key": "abc.zip"}, "Runtime": "python3.12", "Handler": "app.handler",
            "Role": {"Fn::GetAtt": ["Role", "Arn"]}}, "Metadata": {"aws:asset:path": "asset.abc"}},
        "CDKMetadata": {"Type": "AWS::CDK::Metadata", "Properties": {"Analytics": "v2"}}},
    "Outputs": {"Name": {"Value": {"Ref": "Find"}}},
    "Parameters": {"BootstrapVersion": {"Type": "AWS::SSM::Parameter::Value<String>",
                                        "Default": "/cdk-bootstrap/hnb659fds/version"}},
    "Rules": {"CheckBootstrapVersion": {"Assertions": [{"Assert": {"Fn::Not": [
        {"Fn::Contains": [["1"], {"Ref": "BootstrapVersion"}]}]}}]}}}


def test_what_cdk_has_synthesised_is_applied_with_its_assets(shared_server, andon, tmp_path):
    out = tmp_path / "cdk.out"
    (out / "asset.abc").mkdir(parents=True)
    (out / "asset.abc" / "app.py").write_text("def handler(event, context):\n    return 'found'\n")
    (out / "Plant.template.json").write_text(json.dumps(CDK))
    (out / "Plant.assets.json").write_text(json.dumps({"version": "36.0.0", "files": {
        "abc": {"source": {"path": "asset.abc", "packaging": "zip"}, "destinations": {
            "current": {"bucketName": "cdk-assets-${AWS::AccountId}-${AWS::Region}",
                        "objectKey": "abc.zip"}}},
        "tpl": {"source": {"path": "Plant.template.json", "packaging": "file"}, "destinations": {
            "current": {"bucketName": "cdk-assets", "objectKey": "tpl.json"}}}}, "dockerImages": {}}))
    (out / "manifest.json").write_text(json.dumps({"version": "36.0.0", "artifacts": {
        "Plant.assets": {"type": "cdk:asset-manifest", "properties": {"file": "Plant.assets.json"}},
        "Plant": {"type": "aws:cloudformation:stack", "dependencies": ["Plant.assets"], "properties": {
            "templateFile": "Plant.template.json", "stackName": "PlantStack"}}}}))
    made, answer = andon.report(out)
    stack = answer["stacks"][0]
    assert stack["stack"] == "PlantStack" and stack["status"] == "CREATE_COMPLETE"
    left_out = {one["LogicalResourceId"] for one in stack["plan"]["leftOut"]}
    assert left_out == {"BootstrapVersion", "CheckBootstrapVersion", "CDKMetadata", "DataAutoDelete",
                        "CustomS3AutoDeleteObjectsCustomResourceProviderHandler9D",
                        "CustomS3AutoDeleteObjectsCustomResourceProviderRole3B"}
    assert set(made) == {"Data", "Find", "Role", "CustomS3AutoDeleteObjectsCustomResourceProviderRole3B"}
    called = shared_server.aws("lambda").invoke(FunctionName=stack["outputs"]["Name"])
    assert json.loads(called["Payload"].read()) == "found"
    bucket = resource(andon, "PlantStack", "Data")
    shared_server.aws("s3").put_object(Bucket=bucket, Key="a/b", Body=b"x")
    andon("stack", "delete", "PlantStack", "--yes")
    with pytest.raises(botocore.exceptions.ClientError):
        shared_server.aws("s3").head_bucket(Bucket=bucket)
