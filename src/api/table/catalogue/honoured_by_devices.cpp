// SPDX-License-Identifier: Apache-2.0
// Of what devices are managed by: Greengrass, IoT, and our own operations.
#include <algorithm>
#include <array>
#include <string_view>

#include "api/table/catalogue/honoured_rows.hpp"

namespace andon::api {
namespace {

// One text of several.
template <const std::string_view&... Parts>
constexpr auto kJoined = [] {
  std::array<char, (Parts.size() + ...)> all{};
  char* end = all.data();
  ((end = std::ranges::copy(Parts, end).out), ...);
  return all;
}();

// A topic rule names its actions, and the same for what fails.
constexpr std::string_view kRule = "ruleName sql description ruleDisabled awsIotSqlVersion actions";
constexpr std::string_view kActions =
    "{lambda{functionArn} stepFunctions{executionNamePrefix stateMachineName roleArn} "
    "s3{roleArn bucketName key cannedAcl} "
    "republish{roleArn topic qos headers{payloadFormatIndicator contentType responseTopic "
    "correlationData messageExpiry userProperties{key value}}} "
    "cloudwatchLogs{roleArn logGroupName} http{url headers{key value}}}";
constexpr std::string_view kErrorAction = " errorAction";
constexpr auto kTopicRule = kJoined<kRule, kActions, kErrorAction, kActions>;

constexpr auto kRows = std::to_array<Honoured>({
    {"greengrass", "AssociateServiceRoleToAccount", "RoleArn"},
    {"greengrass", "BatchAssociateClientDeviceWithCoreDevice",
     "entries{thingName} coreDeviceThingName"},
    {"greengrass", "BatchDisassociateClientDeviceFromCoreDevice",
     "entries{thingName} coreDeviceThingName"},
    {"greengrass", "CancelDeployment", "deploymentId"},
    {"greengrass", "CreateComponentVersion", "inlineRecipe tags clientToken"},
    {"greengrass", "CreateDeployment",
     "targetArn deploymentName components{*{componentVersion "
     "configurationUpdate{merge reset} runWith{posixUser windowsUser "
     "systemResourceLimits{memory cpus}}}} "
     "iotJobConfiguration{jobExecutionsRolloutConfig{exponentialRate{baseRatePerMinute "
     "incrementFactor rateIncreaseCriteria{numberOfNotifiedThings numberOfSucceededThings}} "
     "maximumPerMinute} abortConfig{criteriaList{failureType action thresholdPercentage "
     "minNumberOfExecutedThings}} timeoutConfig{inProgressTimeoutInMinutes}} "
     "deploymentPolicies{failureHandlingPolicy "
     "componentUpdatePolicy{timeoutInSeconds action} "
     "configurationValidationPolicy{timeoutInSeconds}} parentTargetArn tags "
     "clientToken"},
    {"greengrass", "DeleteComponent", "arn"},
    {"greengrass", "DeleteCoreDevice", "coreDeviceThingName"},
    {"greengrass", "DeleteDeployment", "deploymentId"},
    {"greengrass", "DescribeComponent", "arn"},
    {"greengrass", "DisassociateServiceRoleFromAccount", ""},
    {"greengrass", "GetComponent", "arn recipeOutputFormat"},
    {"greengrass", "GetComponentVersionArtifact", "arn artifactName"},
    {"greengrass", "GetConnectivityInfo", "thingName"},
    {"greengrass", "GetCoreDevice", "coreDeviceThingName"},
    {"greengrass", "GetDeployment", "deploymentId"},
    {"greengrass", "GetServiceRoleForAccount", ""},
    {"greengrass", "ListClientDevicesAssociatedWithCoreDevice",
     "coreDeviceThingName maxResults nextToken"},
    {"greengrass", "ListComponentVersions", "arn maxResults nextToken"},
    {"greengrass", "ListComponents", "scope maxResults nextToken"},
    {"greengrass", "ListCoreDevices", "thingGroupArn status runtime maxResults nextToken"},
    {"greengrass", "ListDeployments",
     "targetArn historyFilter parentTargetArn maxResults nextToken"},
    {"greengrass", "ListEffectiveDeployments", "coreDeviceThingName maxResults nextToken"},
    {"greengrass", "ListInstalledComponents",
     "coreDeviceThingName topologyFilter maxResults nextToken"},
    {"greengrass", "ListTagsForResource", "resourceArn"},
    {"greengrass", "ResolveComponentCandidates",
     "platform{name attributes} componentCandidates{componentName "
     "componentVersion versionRequirements}"},
    {"greengrass", "TagResource", "resourceArn tags"},
    {"greengrass", "UntagResource", "resourceArn tagKeys"},
    {"greengrass", "UpdateConnectivityInfo",
     "thingName ConnectivityInfo{Id HostAddress PortNumber Metadata}"},
    {"iot", "AddThingToThingGroup", "thingName thingArn thingGroupName thingGroupArn"},
    {"iot", "AttachPolicy", "policyName target"},
    {"iot", "AttachPrincipalPolicy", "policyName principal"},
    {"iot", "AttachThingPrincipal", "thingName principal thingPrincipalType"},
    {"iot", "CreateCertificateFromCsr", "certificateSigningRequest setAsActive"},
    {"iot", "CreateRoleAlias", "roleAlias roleArn credentialDurationSeconds"},
    {"iot", "CreateKeysAndCertificate", "setAsActive"},
    {"iot", "CreatePolicy", "policyName policyDocument"},
    {"iot", "CreatePolicyVersion", "policyName policyDocument setAsDefault"},
    {"iot", "CreateThing", "thingName thingTypeName attributePayload{attributes merge}"},
    {"iot", "CreateThingGroup",
     "thingGroupName parentGroupName thingGroupProperties{thingGroupDescription "
     "attributePayload{attributes merge}} tags{Key Value}"},
    {"iot", "DeleteCertificate", "certificateId forceDelete"},
    {"iot", "DeleteRoleAlias", "roleAlias"},
    {"iot", "DeletePolicy", "policyName"},
    {"iot", "DeletePolicyVersion", "policyName policyVersionId"},
    {"iot", "DeleteThing", "thingName expectedVersion"},
    {"iot", "DeleteThingGroup", "thingGroupName expectedVersion"},
    {"iot", "DescribeCertificate", "certificateId"},
    {"iot", "DescribeEndpoint", "endpointType"},
    {"iot", "DescribeRoleAlias", "roleAlias"},
    {"iot", "DescribeThing", "thingName"},
    {"iot", "DescribeThingGroup", "thingGroupName"},
    {"iot", "DetachPolicy", "policyName target"},
    {"iot", "DetachPrincipalPolicy", "policyName principal"},
    {"iot", "DetachThingPrincipal", "thingName principal"},
    {"iot", "GetEffectivePolicies", "principal thingName"},
    {"iot", "GetPolicy", "policyName"},
    {"iot", "GetPolicyVersion", "policyName policyVersionId"},
    {"iot", "ListAttachedPolicies", "target recursive marker pageSize"},
    {"iot", "ListCertificates", "pageSize marker isAscendingOrder"},
    {"iot", "ListPolicies", "pageSize marker isAscendingOrder"},
    {"iot", "ListPolicyPrincipals", "policyName pageSize marker"},
    {"iot", "ListPolicyVersions", "policyName"},
    {"iot", "ListPrincipalPolicies", "principal pageSize marker"},
    {"iot", "ListTargetsForPolicy", "policyName pageSize marker"},
    {"iot", "ListPrincipalThings", "principal maxResults nextToken"},
    {"iot", "ListRoleAliases", "pageSize marker isAscendingOrder"},
    {"iot", "ListThingGroups", "parentGroup namePrefixFilter recursive maxResults nextToken"},
    {"iot", "ListThingGroupsForThing", "thingName maxResults nextToken"},
    {"iot", "ListThingPrincipals", "thingName maxResults nextToken"},
    {"iot", "ListThings", "attributeName attributeValue thingTypeName maxResults nextToken"},
    {"iot", "ListThingsInThingGroup", "thingGroupName recursive maxResults nextToken"},
    {"iot", "RegisterCACertificate",
     "caCertificate verificationCertificate setAsActive allowAutoRegistration registrationConfig "
     "tags certificateMode"},
    {"iot", "RegisterCertificate", "certificatePem caCertificatePem setAsActive status"},
    {"iot", "RegisterCertificateWithoutCA", "certificatePem status"},
    {"iot", "RemoveThingFromThingGroup", "thingName thingArn thingGroupName thingGroupArn"},
    {"iot", "SetDefaultPolicyVersion", "policyName policyVersionId"},
    {"iot", "TestAuthorization",
     "principal authInfos{actionType resources} clientId policyNamesToAdd policyNamesToSkip"},
    {"iot", "TransferCertificate", "certificateId targetAwsAccount transferMessage"},
    {"iot", "UpdateCertificate", "certificateId newStatus"},
    {"iot", "UpdateRoleAlias", "roleAlias roleArn credentialDurationSeconds"},
    {"iot", "UpdateThing",
     "thingName thingTypeName removeThingType attributePayload{attributes merge} expectedVersion"},
    {"iot", "GetThingConnectivityData", "thingName"},
    {"iot", "ListTagsForResource", "resourceArn nextToken"},
    {"iot", "TagResource", "resourceArn tags{Key Value}"},
    {"iot", "UntagResource", "resourceArn tagKeys"},
    {"iot", "AssociateTargetsWithJob", "targets jobId comment"},
    {"iot", "CancelJob", "jobId reasonCode comment force"},
    {"iot", "CancelJobExecution", "jobId thingName force expectedVersion statusDetails"},
    {"iot", "CreateJob",
     "jobId targets documentSource document description targetSelection "
     "jobExecutionsRolloutConfig{maximumPerMinute exponentialRate{baseRatePerMinute "
     "incrementFactor rateIncreaseCriteria{numberOfNotifiedThings numberOfSucceededThings}}} "
     "abortConfig{criteriaList{failureType action thresholdPercentage minNumberOfExecutedThings}} "
     "timeoutConfig{inProgressTimeoutInMinutes} jobExecutionsRetryConfig{criteriaList{failureType "
     "numberOfRetries}} tags{Key Value} jobTemplateArn documentParameters "
     "schedulingConfig{startTime endTime endBehavior maintenanceWindows{startTime "
     "durationInMinutes}}"},
    {"iot", "CreateJobTemplate",
     "jobTemplateId jobArn documentSource document description "
     "jobExecutionsRolloutConfig{maximumPerMinute exponentialRate{baseRatePerMinute "
     "incrementFactor rateIncreaseCriteria{numberOfNotifiedThings numberOfSucceededThings}}} "
     "abortConfig{criteriaList{failureType action thresholdPercentage minNumberOfExecutedThings}} "
     "timeoutConfig{inProgressTimeoutInMinutes} jobExecutionsRetryConfig{criteriaList{failureType "
     "numberOfRetries}} tags{Key Value} maintenanceWindows{startTime durationInMinutes}"},
    {"iot", "DeleteJob", "jobId force"},
    {"iot", "DeleteJobExecution", "jobId thingName executionNumber force"},
    {"iot", "DeleteJobTemplate", "jobTemplateId"},
    {"iot", "DescribeJob", "jobId"},
    {"iot", "DescribeJobExecution", "jobId thingName executionNumber"},
    {"iot", "DescribeJobTemplate", "jobTemplateId"},
    {"iot", "GetJobDocument", "jobId"},
    {"iot", "ListJobExecutionsForJob", "jobId status maxResults nextToken"},
    {"iot", "ListJobExecutionsForThing", "thingName status maxResults nextToken"},
    {"iot", "ListJobTemplates", "maxResults nextToken"},
    {"iot", "ListJobs", "status targetSelection maxResults nextToken thingGroupName"},
    {"iot", "ListManagedJobTemplates", "templateName maxResults nextToken"},
    {"iot", "UpdateJob",
     "jobId description jobExecutionsRolloutConfig{maximumPerMinute "
     "exponentialRate{baseRatePerMinute incrementFactor "
     "rateIncreaseCriteria{numberOfNotifiedThings numberOfSucceededThings}}} "
     "abortConfig{criteriaList{failureType action thresholdPercentage minNumberOfExecutedThings}} "
     "timeoutConfig{inProgressTimeoutInMinutes} jobExecutionsRetryConfig{criteriaList{failureType "
     "numberOfRetries}}"},
    {"iot", "CreateDynamicThingGroup",
     "thingGroupName thingGroupProperties{thingGroupDescription attributePayload{attributes "
     "merge}} indexName queryString queryVersion tags{Key Value}"},
    {"iot", "DeleteDynamicThingGroup", "thingGroupName expectedVersion"},
    {"iot", "DescribeIndex", "indexName"},
    {"iot", "GetBucketsAggregation",
     "indexName queryString aggregationField queryVersion "
     "bucketsAggregationType{termsAggregation{maxBuckets}}"},
    {"iot", "GetCardinality", "indexName queryString aggregationField queryVersion"},
    {"iot", "GetIndexingConfiguration", ""},
    {"iot", "GetPercentiles", "indexName queryString aggregationField queryVersion percents"},
    {"iot", "GetStatistics", "indexName queryString aggregationField queryVersion"},
    {"iot", "ListIndices", "nextToken maxResults"},
    {"iot", "SearchIndex", "indexName queryString nextToken maxResults queryVersion"},
    {"iot", "UpdateDynamicThingGroup",
     "thingGroupName thingGroupProperties{thingGroupDescription attributePayload{attributes "
     "merge}} expectedVersion indexName queryString queryVersion"},
    {"iot", "UpdateIndexingConfiguration",
     "thingIndexingConfiguration{thingIndexingMode thingConnectivityIndexingMode "
     "deviceDefenderIndexingMode namedShadowIndexingMode filter{namedShadowNames} "
     "managedFields{name type} customFields{name type}} "
     "thingGroupIndexingConfiguration{thingGroupIndexingMode "
     "managedFields{name type} customFields{name type}}"},
    {"iot", "AddThingToBillingGroup", "billingGroupName billingGroupArn thingName thingArn"},
    {"iot", "CreateBillingGroup", "billingGroupName billingGroupProperties tags"},
    {"iot", "CreateProvisioningClaim", "templateName"},
    {"iot", "CreateProvisioningTemplate",
     "templateName description templateBody enabled provisioningRoleArn "
     "preProvisioningHook{payloadVersion targetArn} tags{Key Value} type"},
    {"iot", "CreateProvisioningTemplateVersion", "templateName templateBody setAsDefault"},
    {"iot", "CreateThingType",
     "thingTypeName thingTypeProperties{thingTypeDescription searchableAttributes} tags{Key "
     "Value}"},
    {"iot", "DeleteProvisioningTemplate", "templateName"},
    {"iot", "DeleteProvisioningTemplateVersion", "templateName versionId"},
    {"iot", "DeleteThingType", "thingTypeName"},
    {"iot", "DeprecateThingType", "thingTypeName undoDeprecate"},
    {"iot", "DescribeProvisioningTemplate", "templateName"},
    {"iot", "DescribeProvisioningTemplateVersion", "templateName versionId"},
    {"iot", "DescribeThingType", "thingTypeName"},
    {"iot", "ListProvisioningTemplateVersions", "templateName maxResults nextToken"},
    {"iot", "ListProvisioningTemplates", "maxResults nextToken"},
    {"iot", "ListThingTypes", "thingTypeName maxResults nextToken"},
    {"iot", "RegisterThing", "templateBody parameters"},
    {"iot", "UpdateProvisioningTemplate",
     "templateName description enabled defaultVersionId provisioningRoleArn "
     "preProvisioningHook{payloadVersion targetArn} removePreProvisioningHook"},
    {"iot", "UpdateThingGroup",
     "thingGroupName thingGroupProperties{thingGroupDescription attributePayload{attributes "
     "merge}} expectedVersion"},
    {"iot", "UpdateThingGroupsForThing",
     "thingName thingGroupsToAdd thingGroupsToRemove overrideDynamicGroups"},
    {"iot", "UpdateThingType",
     "thingTypeName thingTypeProperties{thingTypeDescription searchableAttributes}"},
    {"iot", "CreateTopicRule", {kTopicRule.data(), kTopicRule.size()}},
    {"iot", "DeleteTopicRule", "ruleName"},
    {"iot", "DisableTopicRule", "ruleName"},
    {"iot", "EnableTopicRule", "ruleName"},
    {"iot", "GetTopicRule", "ruleName"},
    {"iot", "ListTopicRules", "topic maxResults nextToken ruleDisabled"},
    {"iot", "ReplaceTopicRule", {kTopicRule.data(), kTopicRule.size()}},
    {"andon", "CreateEnrolmentToken", "thingName lifetimeSeconds roleAlias policyNames proxy"},
    {"andon", "DeleteWebhook", "name"},
    {"andon", "CreateConsumer", "consumerName type policyNames"},
    {"andon", "DeleteConsumer", "consumerName"},
    {"andon", "ListConsumers", "maxResults nextToken"},
    {"andon", "DeleteModelAlias", "modelName alias note expectedVersion"},
    {"andon", "GetModelAlias", "modelName alias"},
    {"andon", "ListModelAliasMoves", "modelName alias maxResults nextToken"},
    {"andon", "ListModelAliases", "modelName"},
    {"andon", "ListModelDecisions", "modelName version"},
    {"andon", "ListModelStates", "maxResults nextToken"},
    {"andon", "ListMachineStates", "failedSince maxResults nextToken"},
    {"andon", "PutModelAlias", "modelName alias version note expectedVersion"},
    {"andon", "GetJobLog", "jobId from"},
    {"andon", "ListDeliveries", "sourceArn maxResults nextToken"},
    {"andon", "ListWebhookOutcomes", "name maxResults"},
    {"andon", "ListWebhooks", "maxResults nextToken"},
    {"andon", "PutWebhook", "name secret createOnly"},
    {"andon", "ApplyStack", "stackName templateBody parameters{*} tags{*} prune clientToken"},
    {"andon", "PlanStack", "stackName templateBody parameters{*} tags{*} prune"},
    {"andon", "DeleteRepository", "name"},
    {"andon", "ListRepositories", "maxResults nextToken"},
    {"andon", "PutRepository", "name url ref secretId intervalSeconds"},
    {"andon", "GetDeviceMetrics", "thing from until period"},
    {"andon", "ListAlarms", "thing"},
    {"andon", "CancelCommand", "commandId"},
    {"andon", "CopyFile", "thing direction path content deadlineSeconds"},
    {"andon", "GetCommand", "commandId"},
    {"andon", "ListCommands", "thing maxResults nextToken"},
    {"andon", "ReadCommand", "commandId after waitSeconds"},
    {"andon", "RunShell", "thing commandLine deadlineSeconds"},
    {"andon", "StartCommand", "thing kind component lines follow recipe deadlineSeconds"},
    {"andon", "ConfirmResult", "resultId note"},
    {"andon", "CountResults",
     "groupBy thing thingGroupName class verdict from until maxResults nextToken"},
    {"andon", "ExportResults",
     "format thing thingGroupName class verdict minScore maxScore from until afterId maxResults "
     "nextToken"},
    {"andon", "GetResult", "resultId"},
    {"andon", "GetShifts", ""},
    {"andon", "PutShifts", "timeZone shifts"},
    {"andon", "ListResults",
     "thing thingGroupName class verdict minScore maxScore from until afterId includeMessages "
     "includePictures maxResults nextToken"},
    {"andon", "ListDeploymentDevices", "deploymentId status thingName maxResults nextToken"},
    {"andon", "ListDeviceStates",
     "thingGroupName componentName componentVersion maxResults nextToken"},
    {"andon", "OverruleResult", "resultId class verdict note"},
    {"andon", "ReadAuditLog",
     "who action resource outcome access accessKeyId from until order maxResults nextToken "
     "sequence"},
    {"andon", "VerifyAuditLog", "fromSequence"},
    {"andon", "ExplainAccess", "principal action resource"},
    {"andon", "GetOwnAccess", "questions{action resource}"},
    {"andon", "CreateBackup", ""},
    {"andon", "DeleteBackup", "backupName"},
    {"andon", "DescribeStorage", ""},
    {"andon", "ListBackups", ""},
    {"andon", "ListEndingCertificates", "days"},
    {"andon", "CreateConsoleLink", ""},
    {"andon", "EndConsoleSessions", "sessionId userName"},
    {"andon", "ListConsoleSessions", "userName"},
    {"iotdata", "DeleteThingShadow", "thingName name"},
    {"iotdata", "GetRetainedMessage", "topic"},
    {"iotdata", "GetThingShadow", "thingName name"},
    {"iotdata", "ListNamedShadowsForThing", "thingName nextToken pageSize"},
    {"iotdata", "ListRetainedMessages", "nextToken maxResults"},
    {"iotdata", "Publish",
     "topic qos retain payload userProperties payloadFormatIndicator contentType "
     "responseTopic correlationData messageExpiry"},
    {"iotdata", "UpdateThingShadow", "thingName name payload"},
});

}  // namespace

std::span<const Honoured> honoured_of_devices() {
  return kRows;
}

}  // namespace andon::api
