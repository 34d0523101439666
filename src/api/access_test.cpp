// SPDX-License-Identifier: Apache-2.0
// Who may call what: each operation of the table, for the four ready-made roles and for a user
// without policies. Generated from the tables of the code, so that an operation that is added
// stands in none of these lists and fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "api/audit/call_audit.hpp"
#include "api/s3/s3.hpp"
#include "api/table/authorizer.hpp"
#include "api/table/catalogue/access_rows.hpp"
#include "api/table/catalogue/honoured_members.hpp"
#include "api/testing/signed_request.hpp"
#include "base/json/json.hpp"
#include "base/testing/fake_clock.hpp"
#include "base/text/split.hpp"
#include "control/parameters/secrets.hpp"
#include "control/shared/schema.hpp"

namespace andon::api {
namespace {

// Who may, besides admin, who may all: o(perator), d(eployer), v(iewer), n(obody).
struct Expected {
  std::string_view service;
  std::string_view who;
  std::string_view operations;
};
constexpr Expected kExpected[] = {
    {"andon", "o",
     "ConfirmResult CreateConsumer CreateEnrolmentToken DeleteConsumer DeleteWebhook "
     "DeleteRepository EndConsoleSessions ExplainAccess ListConsoleSessions ListConsumers "
     "OverruleResult PutRepository PutWebhook"},
    {"andon", "o", "CancelCommand GetCommand ListCommands ReadCommand StartCommand"},
    {"andon", "o", "CreateBackup DeleteBackup"},
    {"andon", "odv",
     "DescribeStorage GetShifts ListBackups ListDeploymentDevices ListDeviceStates "
     "ListEndingCertificates"},
    {"andon", "o", "PutShifts"},
    {"andon", "", "CopyFile RunShell"},  // who is given them by name
    {"andon", "odvn", "CreateConsoleLink GetOwnAccess"},
    {"andon", "o", "ReadAuditLog VerifyAuditLog"},
    {"cloudtrail", "o", "LookupEvents"},
    {"andon", "odv",
     "CountResults ExportResults GetDeviceMetrics GetJobLog GetResult ListAlarms ListDeliveries "
     "ListResults ListWebhookOutcomes ListWebhooks "
     "ListRepositories"},
    {"events", "o",
     "CreateApiDestination CreateConnection CreateEventBus DeleteApiDestination DeleteConnection "
     "DeleteEventBus DeleteRule DisableRule EnableRule PutEvents PutRule PutTargets "
     "RemoveTargets TagResource UntagResource UpdateApiDestination UpdateConnection "
     "UpdateEventBus"},
    {"events", "odv",
     "DescribeApiDestination DescribeConnection DescribeEventBus DescribeRule "
     "ListApiDestinations ListConnections ListEventBuses ListRuleNamesByTarget ListRules "
     "ListTagsForResource ListTargetsByRule TestEventPattern"},
    {"scheduler", "o",
     "CreateSchedule CreateScheduleGroup DeleteSchedule DeleteScheduleGroup TagResource "
     "UntagResource UpdateSchedule"},
    {"scheduler", "odv",
     "GetSchedule GetScheduleGroup ListScheduleGroups ListSchedules ListTagsForResource"},
    {"codebuild", "o", "CreateProject DeleteProject StartBuild StopBuild UpdateProject"},
    {"codebuild", "odv",
     "BatchGetBuilds BatchGetProjects ListBuilds ListBuildsForProject ListProjects"},
    {"lambda", "o",
     "AddPermission CreateAlias CreateFunction DeleteAlias DeleteFunction "
     "DeleteFunctionConcurrency DeleteFunctionEventInvokeConfig DeleteLayerVersion Invoke "
     "PublishLayerVersion PublishVersion "
     "PutFunctionConcurrency PutFunctionEventInvokeConfig RemovePermission TagResource "
     "UntagResource UpdateAlias UpdateFunctionCode UpdateFunctionConfiguration "
     "UpdateFunctionEventInvokeConfig"},
    {"lambda", "odv",
     "GetAccountSettings GetAlias GetFunction GetFunctionConcurrency "
     "GetFunctionConfiguration GetFunctionEventInvokeConfig GetPolicy ListAliases "
     "GetLayerVersion GetLayerVersionByArn ListLayerVersions ListLayers "
     "ListFunctionEventInvokeConfigs ListFunctions ListTags ListVersionsByFunction"},
    {"andon", "od", "ApplyStack PlanStack"},
    {"cloudformation", "o",
     "CreateChangeSet CreateStack DeleteChangeSet DeleteStack ExecuteChangeSet UpdateStack "
     "UpdateTerminationProtection"},
    {"cloudformation", "odv",
     "DescribeChangeSet DescribeStackEvents DescribeStackResource DescribeStackResources "
     "DescribeStacks GetTemplate GetTemplateSummary ListChangeSets ListExports ListImports "
     "ListStackResources ListStacks ValidateTemplate"},
    {"codepipeline", "o", "StartPipelineExecution StopPipelineExecution"},
    {"codepipeline", "odv", "GetPipelineExecution GetPipelineState ListPipelineExecutions"},
    {"sagemaker", "o",
     "AddTags DeletePipeline DeleteTags RetryPipelineExecution StartPipelineExecution "
     "StopPipelineExecution StopProcessingJob StopTrainingJob UpdatePipeline"},
    {"sagemaker", "od", "CreatePipeline CreateProcessingJob CreateTrainingJob"},
    {"iot", "o",
     "CreateTopicRule DeleteTopicRule DisableTopicRule EnableTopicRule ReplaceTopicRule"},
    {"iot", "odv", "GetTopicRule ListTopicRules"},
    {"iotdata", "o", "DeleteThingShadow Publish UpdateThingShadow"},
    {"iotdata", "odv",
     "GetRetainedMessage GetThingShadow ListNamedShadowsForThing ListRetainedMessages"},
    {"sagemaker", "odv",
     "Search DescribeLabelingJob DescribePipeline DescribePipelineDefinitionForExecution "
     "DescribePipelineExecution DescribeProcessingJob DescribeTrainingJob ListLabelingJobs "
     "ListPipelineExecutionSteps ListPipelineExecutions ListPipelineParametersForExecution "
     "ListPipelines ListProcessingJobs ListTags ListTrainingJobs"},
    {"greengrass", "o",
     "AssociateServiceRoleToAccount BatchAssociateClientDeviceWithCoreDevice "
     "BatchDisassociateClientDeviceFromCoreDevice DeleteComponent DeleteCoreDevice "
     "DeleteDeployment DisassociateServiceRoleFromAccount UpdateConnectivityInfo"},
    {"greengrass", "od",
     "CancelDeployment CreateComponentVersion CreateDeployment TagResource "
     "UntagResource"},
    {"greengrass", "odv",
     "GetConnectivityInfo GetServiceRoleForAccount ListClientDevicesAssociatedWithCoreDevice "
     "DescribeComponent GetComponent GetComponentVersionArtifact GetCoreDevice "
     "GetDeployment ListComponentVersions ListComponents ListCoreDevices "
     "ListDeployments ListEffectiveDeployments ListInstalledComponents "
     "ListTagsForResource ResolveComponentCandidates"},
    {"iam", "",
     "AddClientIDToOpenIDConnectProvider CreateOpenIDConnectProvider "
     "DeleteOpenIDConnectProvider GetOpenIDConnectProvider ListOpenIDConnectProviders "
     "RemoveClientIDFromOpenIDConnectProvider UpdateOpenIDConnectProviderThumbprint "
     "AddUserToGroup AttachGroupPolicy AttachRolePolicy AttachUserPolicy "
     "CreateAccessKey CreateGroup CreatePolicy CreatePolicyVersion CreateRole "
     "CreateLoginProfile CreateUser DeleteAccessKey DeleteAccountPasswordPolicy DeleteGroup "
     "DeleteGroupPolicy DeleteLoginProfile DeletePolicy "
     "GetAccountPasswordPolicy GetLoginProfile UpdateAccountPasswordPolicy UpdateLoginProfile "
     "DeletePolicyVersion DeleteRole DeleteRolePolicy DeleteUser DeleteUserPolicy "
     "DetachGroupPolicy DetachRolePolicy DetachUserPolicy GetAccessKeyLastUsed "
     "GetGroup GetGroupPolicy GetPolicy GetPolicyVersion GetRole GetRolePolicy GetUser "
     "GetUserPolicy ListAccessKeys ListAccountAliases ListAttachedGroupPolicies "
     "ListAttachedRolePolicies ListAttachedUserPolicies ListEntitiesForPolicy "
     "ListGroupPolicies ListGroups ListGroupsForUser ListInstanceProfilesForRole "
     "ListPolicies ListPolicyVersions ListRolePolicies ListRoleTags ListRoles "
     "ListUserPolicies ListUserTags ListUsers PutGroupPolicy PutRolePolicy "
     "PutUserPolicy RemoveUserFromGroup SetDefaultPolicyVersion SimulateCustomPolicy "
     "SimulatePrincipalPolicy TagRole TagUser UntagRole UntagUser UpdateAccessKey "
     "UpdateAssumeRolePolicy UpdateGroup UpdateRole UpdateRoleDescription UpdateUser"},
    {"iot", "o",
     "AddThingToBillingGroup AssociateTargetsWithJob CancelJob CancelJobExecution "
     "CreateBillingGroup CreateDynamicThingGroup CreateJob CreateJobTemplate "
     "CreateProvisioningClaim CreateProvisioningTemplate CreateProvisioningTemplateVersion "
     "CreateThingType DeleteDynamicThingGroup DeleteJob DeleteJobExecution "
     "DeleteJobTemplate DeleteProvisioningTemplate DeleteProvisioningTemplateVersion "
     "DeleteThingType DeprecateThingType RegisterThing UpdateDynamicThingGroup "
     "UpdateIndexingConfiguration UpdateJob UpdateProvisioningTemplate UpdateThingGroup "
     "UpdateThingGroupsForThing UpdateThingType"},
    {"iot", "odv",
     "DescribeIndex DescribeJob DescribeJobExecution DescribeJobTemplate "
     "DescribeProvisioningTemplate DescribeProvisioningTemplateVersion DescribeThingType "
     "GetBucketsAggregation GetCardinality GetIndexingConfiguration GetJobDocument "
     "GetPercentiles GetStatistics GetThingConnectivityData ListIndices ListJobExecutionsForJob "
     "ListJobExecutionsForThing ListJobTemplates ListJobs ListManagedJobTemplates "
     "ListProvisioningTemplateVersions ListProvisioningTemplates ListThingTypes SearchIndex"},
    {"iot", "o",
     "AddThingToThingGroup AttachPolicy AttachPrincipalPolicy AttachThingPrincipal "
     "CreateCertificateFromCsr CreateKeysAndCertificate CreatePolicy CreatePolicyVersion "
     "CreateRoleAlias CreateThing CreateThingGroup DeleteCertificate DeletePolicy "
     "DeletePolicyVersion DeleteRoleAlias DeleteThing DeleteThingGroup DetachPolicy "
     "DetachPrincipalPolicy DetachThingPrincipal RegisterCACertificate RegisterCertificate "
     "RegisterCertificateWithoutCA RemoveThingFromThingGroup SetDefaultPolicyVersion "
     "TagResource UntagResource "
     "TestAuthorization TransferCertificate UpdateCertificate UpdateRoleAlias UpdateThing"},
    {"iot", "odv",
     "DescribeCertificate DescribeEndpoint DescribeRoleAlias DescribeThing DescribeThingGroup "
     "GetEffectivePolicies GetPolicy GetPolicyVersion ListAttachedPolicies "
     "ListCertificates ListPolicies ListPolicyPrincipals ListPolicyVersions "
     "ListPrincipalPolicies ListPrincipalThings ListRoleAliases ListTargetsForPolicy "
     "ListTagsForResource ListThingGroups ListThingGroupsForThing ListThingPrincipals ListThings "
     "ListThingsInThingGroup"},
    {"logs", "o",
     "CreateLogGroup CreateLogStream DeleteLogGroup DeleteLogStream "
     "DeleteRetentionPolicy PutLogEvents PutRetentionPolicy TagLogGroup TagResource "
     "UntagLogGroup UntagResource"},
    {"logs", "odv",
     "DescribeLogGroups DescribeLogStreams FilterLogEvents GetLogEvents "
     "ListTagsForResource ListTagsLogGroup"},
    {"s3", "o",
     "DeleteBucket DeleteBucketPolicy DeleteObject DeleteObjectTagging DeleteObjectVersion "
     "DeleteObjectVersionTagging PutBucketAcl PutBucketCORS PutBucketNotification "
     "PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock PutBucketTagging "
     "PutBucketVersioning PutLifecycleConfiguration PutObjectAcl PutObjectTagging "
     "PutObjectVersionAcl PutObjectVersionTagging"},
    {"s3", "od", "AbortMultipartUpload CreateBucket PutObject"},
    {"s3", "odv",
     "GetAccelerateConfiguration GetBucketAcl GetBucketCORS GetBucketLocation GetBucketLogging "
     "GetBucketNotification GetBucketObjectLockConfiguration GetBucketOwnershipControls "
     "GetBucketPolicy GetBucketPolicyStatus GetBucketPublicAccessBlock GetBucketRequestPayment "
     "GetBucketTagging GetBucketVersioning GetBucketWebsite GetEncryptionConfiguration "
     "GetLifecycleConfiguration GetObject GetObjectAcl GetObjectAttributes GetObjectTagging "
     "GetObjectVersion GetObjectVersionAcl GetObjectVersionAttributes GetObjectVersionTagging "
     "GetReplicationConfiguration ListAllMyBuckets ListBucket ListBucketMultipartUploads "
     "ListBucketVersions ListMultipartUploadParts"},
    {"andon", "od", "DeleteModelAlias PutModelAlias"},
    {"andon", "odv",
     "GetModelAlias ListMachineStates ListModelAliasMoves ListModelAliases ListModelDecisions "
     "ListModelStates"},
    {"athena", "o", "StartQueryExecution StopQueryExecution"},
    {"athena", "odv",
     "BatchGetQueryExecution GetQueryExecution GetQueryResults GetWorkGroup "
     "ListQueryExecutions"},
    {"glue", "o", "DeleteTable"},
    {"glue", "odv", "GetDatabase GetDatabases GetTable GetTables"},
    {"sagemaker-featurestore-runtime", "o", "DeleteRecord PutRecord"},
    {"sagemaker-featurestore-runtime", "odv", "GetRecord"},
    {"sagemaker-featurestore-runtime", "odvn", "BatchGetRecord"},
    {"sagemaker", "o", "DeleteFeatureGroup UpdateFeatureGroup UpdateFeatureMetadata"},
    {"sagemaker", "od", "CreateFeatureGroup"},
    {"sagemaker", "odv", "DescribeFeatureGroup DescribeFeatureMetadata ListFeatureGroups"},
    {"sagemaker", "o", "DeleteModelPackage DeleteModelPackageGroup"},
    {"sagemaker", "od", "CreateModelPackage CreateModelPackageGroup UpdateModelPackage"},
    {"sagemaker", "odv",
     "DescribeModelPackage DescribeModelPackageGroup ListModelPackageGroups "
     "ListModelPackages"},
    {"states", "o",
     "CreateActivity DeleteActivity DeleteStateMachine DeleteStateMachineAlias "
     "DeleteStateMachineVersion GetActivityTask SendTaskFailure SendTaskHeartbeat "
     "SendTaskSuccess UpdateMapRun"},
    {"states", "od",
     "CreateStateMachine CreateStateMachineAlias PublishStateMachineVersion RedriveExecution "
     "StartExecution StartSyncExecution StopExecution TagResource TestState UntagResource "
     "UpdateStateMachine UpdateStateMachineAlias"},
    {"states", "odv",
     "DescribeActivity DescribeExecution DescribeMapRun DescribeStateMachine "
     "DescribeStateMachineAlias DescribeStateMachineForExecution GetExecutionHistory "
     "ListActivities ListExecutions ListMapRuns ListStateMachineAliases "
     "ListStateMachineVersions ListStateMachines ListTagsForResource "
     "ValidateStateMachineDefinition"},
    {"secretsmanager", "o",
     "BatchGetSecretValue CreateSecret DeleteSecret GetRandomPassword GetSecretValue "
     "PutSecretValue RestoreSecret TagResource UntagResource UpdateSecret "
     "UpdateSecretVersionStage"},
    {"secretsmanager", "odv", "DescribeSecret GetResourcePolicy ListSecretVersionIds ListSecrets"},
    {"ssm", "o",
     "AddTagsToResource DeleteParameter DeleteParameters GetParameter GetParameterHistory "
     "GetParameters GetParametersByPath LabelParameterVersion PutParameter "
     "RemoveTagsFromResource UnlabelParameterVersion"},
    {"ssm", "odv", "DescribeParameters ListTagsForResource"},
    {"iam", "odvn", "ChangePassword"},  // of its own, and it decides itself
    {"sts", "odvn",
     "AssumeRole AssumeRoleWithWebIdentity GetAccessKeyInfo GetCallerIdentity GetSessionToken"},
};

class AccessTest : public testing::Test {
 protected:
  [[nodiscard]] Caller as_role(const std::string& role) const {
    return {
        .access_key_id = "ASIA",
        .principal = "role/" + iam.entities.require(control::EntityKind::role, role).id + "/test",
        .account_id = "000000000000",
        .region = "us-east-1"};
  }
  // "odv": who of the principals may.
  template <typename Ask>
  std::string who_may(const Ask& may) const {
    EXPECT_TRUE(may(as_role("admin")));
    std::string who;
    if (may(as_role("operator"))) who += 'o';
    if (may(as_role("deployer"))) who += 'd';
    if (may(as_role("viewer"))) who += 'v';
    if (may(nobody)) who += 'n';
    return who;
  }

  base::TemporaryDirectory directory;
  base::FakeClock clock{base::from_epoch_millis(1'790'000'000'000)};
  std::unique_ptr<store::Database> database = store::open_sqlite(directory.path() / "andon.db");
  control::AccessKeys keys{*database, clock};
  control::Iam iam{*database, keys, clock, "000000000000"};
  fleet::Arns arns;
  Authorizer authorizer{iam, clock, arns};
  Caller nobody{.access_key_id = "AKIA",
                .principal = "user/" + iam.entities.create({.name = "nobody"}).id,
                .account_id = "000000000000",
                .region = "us-east-1"};
};

TEST_F(AccessTest, EachOperationIsForWhomTheTableSays) {
  std::map<std::string, std::string> expected;
  for (const Expected& row : kExpected) {
    for (const auto operation : base::split_words(row.operations, " \n")) {
      const std::string name = std::string(row.service) + ":" + std::string(operation);
      EXPECT_TRUE(expected.emplace(name, row.who).second) << name << " is there twice";
    }
  }
  std::map<std::string, std::string> found;
  for (const auto& [service, name] : honoured_operations()) {
    const Operation operation{.service = service,
                              .name = name,
                              .protocol = Protocol::rest_json,
                              .method = {},
                              .path = {},
                              .success_status = 200,
                              .handler = {}};
    const std::string whole = std::string(service) + ":" + std::string(name);
    ASSERT_NE(find_access_row(service, name), nullptr) << whole << " has no row of access_rows.cpp";
    found[whole] = who_may([&](const Caller& caller) {
      return !authorizer.refusal(caller, operation, base::json::object()).has_value();
    });
  }
  for (const std::string& action : s3_actions()) {
    found[action] = who_may([&](const Caller& caller) {
      return !authorizer.refusal(caller, action, "arn:aws:s3:::parts/a").has_value();
    });
  }
  for (const auto& [name, who] : found) EXPECT_EQ(expected[name], who) << name;
  for (const auto& [name, who] : expected) EXPECT_TRUE(found.contains(name)) << name;
}

// What an operation does as its name says, which its row has to say, too.
bool is_reading_by_name(std::string_view name) {
  constexpr auto kWords = std::to_array<std::string_view>(
      {"BatchGet", "Count", "Describe", "Explain", "Export", "Filter", "Get", "Head", "List",
       "Lookup", "Plan", "Read", "Resolve", "Search", "Simulate", "TestAuthorization",
       "TestEventPattern", "Validate", "Verify"});
  // They give something out that was not there before.
  if (name == "GetSessionToken" || name == "GetActivityTask") return false;
  return std::ranges::any_of(kWords, [&](std::string_view word) { return name.starts_with(word); });
}

// One that says nothing would leave open pages as they are.
TEST_F(AccessTest, EachOperationThatWritesSaysWhatItChangesAndNoOtherDoes) {
  for (const auto& [service, name] : honoured_operations()) {
    const AccessRow* const row = find_access_row(service, name);
    ASSERT_NE(row, nullptr) << service << ":" << name;
    EXPECT_EQ(row->changes.has_value(), !is_reading_by_name(name))
        << service << ":" << name << " (ChangeKind::none: nothing that a page shows)";
  }
}

TEST_F(AccessTest, AnOperationWithoutARowIsForTheAccountOnly) {
  const Operation unknown{.service = "iot",
                          .name = "DoSomethingNew",
                          .protocol = Protocol::rest_json,
                          .method = {},
                          .path = {},
                          .success_status = 200,
                          .handler = {}};
  EXPECT_TRUE(authorizer.refusal(as_role("admin"), unknown, base::json::object()));
  EXPECT_FALSE(authorizer.refusal(
      {.access_key_id = {}, .principal = "operator", .account_id = {}, .region = {}}, unknown,
      base::json::object()));
}

TEST_F(AccessTest, ConditionsSeeTheTagsAndTheQualifierOfARequest) {
  const auto refused = [&](std::string_view service, std::string_view name,
                           const base::json::object& input, const char* condition) {
    iam.policies.put_inline(
        control::EntityKind::user, "nobody", "p",
        std::string(R"({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", )") +
            R"("Condition": )" + condition + "}}");
    const Operation operation{.service = service,
                              .name = name,
                              .protocol = Protocol::rest_json,
                              .method = {},
                              .path = {},
                              .success_status = 200,
                              .handler = {}};
    return authorizer.refusal(nobody, operation, input).has_value();
  };
  const char* prod = R"({"StringEquals": {"states:StateMachineQualifier": "PROD"}})";
  const std::string machine = "arn:aws:states:us-east-1:000000000000:stateMachine:M";
  EXPECT_FALSE(refused("states", "StartExecution", {{"stateMachineArn", machine + ":PROD"}}, prod));
  EXPECT_TRUE(refused("states", "StartExecution", {{"stateMachineArn", machine + ":2"}}, prod));
  EXPECT_TRUE(refused("states", "StartExecution", {{"stateMachineArn", machine}}, prod));
  const char* tagged = R"({"StringEquals": {"aws:RequestTag/line": "3"},
                           "ForAllValues:StringEquals": {"aws:TagKeys": ["line"]}})";
  const auto list = [](const char* key, const char* value) {
    return base::json::object{
        {"tags", base::json::array{base::json::object{{"key", key}, {"value", value}}}}};
  };
  EXPECT_FALSE(refused("states", "CreateActivity", list("line", "3"), tagged));
  EXPECT_TRUE(refused("states", "CreateActivity", list("line", "4"), tagged));
  EXPECT_FALSE(refused("greengrass", "TagResource", {{"tags", {{"line", "3"}}}}, tagged));
  EXPECT_TRUE(
      refused("greengrass", "TagResource", {{"tags", {{"line", "3"}, {"x", "y"}}}}, tagged));
}

TEST_F(AccessTest, ASessionEndsWithItsTime) {
  const Authenticator authenticator(keys, clock, "000000000000",
                                    [this](const control::AccessKey& key) {
                                      return iam.principals.find(key.principal).has_value();
                                    });
  const auto key = keys.create_session(as_role("viewer").principal, std::chrono::minutes(15), {});
  const auto ask = [&] {
    try {
      return authenticator
          .authenticate(signed_request({.target = "/things", .service = "iot"}, key, clock.now()))
          .caller.principal;
    } catch (const AuthenticationError& error) {
      return std::string(error.what());
    }
  };
  EXPECT_EQ(ask(), as_role("viewer").principal);
  clock.advance(std::chrono::minutes(14));
  EXPECT_EQ(ask(), as_role("viewer").principal);
  clock.advance(std::chrono::minutes(1));
  EXPECT_THAT(ask(), testing::HasSubstr("the credentials expired"));
}

TEST_F(AccessTest, AResourceIsWrittenWithTheServersOwnRegionAndAccount) {
  const auto resources = [&](std::string_view service, std::string_view operation,
                             const base::json::object& input) {
    return resources_of(*find_access_row(service, operation), input, nobody, arns, iam);
  };
  using testing::ElementsAre;
  const std::string own = ":us-east-1:000000000000:";
  EXPECT_THAT(resources("iot", "DescribeThing", {{"thingName", "a"}}),
              ElementsAre("arn:aws:iot" + own + "thing/a"));
  EXPECT_THAT(resources("iot", "DescribeThing", {}), ElementsAre("*"));
  EXPECT_THAT(resources("greengrass", "DescribeComponent",
                        {{"arn", "arn:x:greengrass:there:1:components:a:versions:1.0.0"}}),
              ElementsAre("arn:aws:greengrass" + own + "components:a:versions:1.0.0"));
  EXPECT_THAT(resources("iot", "AddThingToThingGroup",
                        {{"thingName", "a"}, {"thingGroupArn", "arn:aws:iot:::thinggroup/g"}}),
              ElementsAre("arn:aws:iot" + own + "thing/a", "arn:aws:iot" + own + "thinggroup/g"));
  EXPECT_THAT(
      resources("logs", "GetLogEvents",
                {{"logGroupIdentifier", "arn:aws:logs:r:a:log-group:g:*"}, {"logStreamName", "s"}}),
      ElementsAre("arn:aws:logs" + own + "log-group:g:log-stream:s"));
  EXPECT_THAT(resources("sagemaker", "DescribeModelPackage",
                        {{"ModelPackageName", "arn:aws:sagemaker:a:b:c:model-package/g/1"}}),
              ElementsAre("arn:aws:sagemaker" + own + "model-package/g/1"));
  EXPECT_THAT(resources("sagemaker", "DescribeModelPackageGroup", {{"ModelPackageGroupName", "g"}}),
              ElementsAre("arn:aws:sagemaker" + own + "model-package-group/g"));
  // A version or alias is told by a condition's key; the resource is the machine.
  EXPECT_THAT(resources("states", "StartExecution",
                        {{"stateMachineArn", "arn:aws:states:r:a:stateMachine:M:PROD"}}),
              ElementsAre("arn:aws:states" + own + "stateMachine:M"));
  // Of a parameter neither the slash in front nor what selects a version; of a list each.
  for (const char* name : {"/line3/a", "/line3/a:2", "/line3/a:good",
                           "arn:aws:ssm:there:1:parameter/line3/a", "line3/a"}) {
    EXPECT_THAT(resources("ssm", "GetParameter", {{"Name", name}}),
                ElementsAre("arn:aws:ssm" + own + "parameter/line3/a"));
  }
  EXPECT_THAT(
      resources("ssm", "GetParameters", {{"Names", {"/a:1", "b", 7}}}),
      ElementsAre("arn:aws:ssm" + own + "parameter/a", "arn:aws:ssm" + own + "parameter/b"));
  EXPECT_THAT(resources("ssm", "GetParametersByPath", {{"Path", "/line3/"}}),
              ElementsAre("arn:aws:ssm" + own + "parameter/line3/"));
  // A secret is its ARN, also where only its name is given.
  const trust::SealingKey key(trust::SealingKey::make());
  control::migrate_schema(*database);  // tags
  control::Secrets secrets(*database, key, clock, arns);
  const std::string arn =
      secrets.create({.name = "plant/db", .description = {}, .value = {}, .token = {}, .tags = {}})
          .arn;
  const auto secret = [&](const std::string& id) {
    return resources_of(*find_access_row("secretsmanager", "GetSecretValue"),
                        base::json::object{{"SecretId", id}}, nobody, arns, iam, &secrets);
  };
  EXPECT_THAT(secret("plant/db"), ElementsAre(arn));
  EXPECT_THAT(secret(arn), ElementsAre(arn));
  EXPECT_THAT(secret(arn.substr(0, arn.size() - 7)), ElementsAre(arn));
  EXPECT_THAT(secret("none"), ElementsAre("arn:aws:secretsmanager" + own + "secret:none-??????"));
  (void)iam.entities.create({.name = "eva", .path = "/plant/"});
  EXPECT_THAT(resources("iam", "GetUser", {{"UserName", "EVA"}}),
              ElementsAre("arn:aws:iam::000000000000:user/plant/eva"));
  EXPECT_THAT(resources("iam", "GetUser", {}),
              ElementsAre("arn:aws:iam::000000000000:user/nobody"));
  EXPECT_THAT(resources("iam", "CreateUser", {{"UserName", "max"}}),
              ElementsAre("arn:aws:iam::000000000000:user/max"));
}

}  // namespace
}  // namespace andon::api
