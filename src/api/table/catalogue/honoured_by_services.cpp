// SPDX-License-Identifier: Apache-2.0
// Of every other service.
#include <array>

#include "api/table/catalogue/honoured_rows.hpp"

namespace andon::api {
namespace {

constexpr auto kRows = std::to_array<Honoured>({
    {"events", "CreateConnection", "Name Description AuthorizationType AuthParameters"},
    {"events", "DeleteConnection", "Name"},
    {"events", "DescribeConnection", "Name"},
    {"events", "ListConnections", "NamePrefix ConnectionState Limit NextToken"},
    {"events", "UpdateConnection", "Name Description AuthorizationType AuthParameters"},
    {"events", "CreateApiDestination",
     "Name Description ConnectionArn InvocationEndpoint HttpMethod"},
    {"events", "CreateEventBus", "Name Description Tags{Key Value}"},
    {"events", "DeleteApiDestination", "Name"},
    {"events", "DeleteEventBus", "Name"},
    {"events", "DeleteRule", "Name EventBusName Force"},
    {"events", "DescribeApiDestination", "Name"},
    {"events", "DescribeEventBus", "Name"},
    {"events", "DescribeRule", "Name EventBusName"},
    {"events", "DisableRule", "Name EventBusName"},
    {"events", "EnableRule", "Name EventBusName"},
    {"events", "ListApiDestinations", "NamePrefix ConnectionArn Limit NextToken"},
    {"events", "ListEventBuses", "NamePrefix Limit NextToken"},
    {"events", "ListRuleNamesByTarget", "TargetArn EventBusName Limit NextToken"},
    {"events", "ListRules", "NamePrefix EventBusName Limit NextToken"},
    {"events", "ListTagsForResource", "ResourceARN"},
    {"events", "ListTargetsByRule", "Rule EventBusName Limit NextToken"},
    {"events", "PutEvents",
     "Entries{Time Source Resources DetailType Detail EventBusName TraceHeader}"},
    {"events", "PutRule",
     "Name ScheduleExpression EventPattern State Description RoleArn Tags{Key Value} "
     "EventBusName"},
    {"events", "PutTargets",
     "Rule EventBusName Targets{Id Arn RoleArn Input InputPath "
     "InputTransformer{InputPathsMap InputTemplate} HttpParameters{PathParameterValues "
     "HeaderParameters QueryStringParameters} DeadLetterConfig{Arn} "
     "RetryPolicy{MaximumRetryAttempts MaximumEventAgeInSeconds}}"},
    {"events", "RemoveTargets", "Rule EventBusName Ids Force"},
    {"events", "TagResource", "ResourceARN Tags{Key Value}"},
    {"events", "TestEventPattern", "EventPattern Event"},
    {"events", "UntagResource", "ResourceARN TagKeys"},
    {"events", "UpdateApiDestination",
     "Name Description ConnectionArn InvocationEndpoint HttpMethod"},
    {"events", "UpdateEventBus", "Name Description"},
    {"scheduler", "CreateSchedule",
     "Name GroupName ScheduleExpression StartDate EndDate Description ScheduleExpressionTimezone "
     "State FlexibleTimeWindow{Mode MaximumWindowInMinutes} ClientToken ActionAfterCompletion "
     "Target{Arn RoleArn Input DeadLetterConfig{Arn} RetryPolicy{MaximumEventAgeInSeconds "
     "MaximumRetryAttempts} EventBridgeParameters{DetailType Source}}"},
    {"scheduler", "CreateScheduleGroup", "Name Tags{Key Value} ClientToken"},
    {"scheduler", "DeleteSchedule", "Name groupName clientToken"},
    {"scheduler", "DeleteScheduleGroup", "Name clientToken"},
    {"scheduler", "GetSchedule", "Name groupName"},
    {"scheduler", "GetScheduleGroup", "Name"},
    {"scheduler", "ListScheduleGroups", "NamePrefix NextToken MaxResults"},
    {"scheduler", "ListSchedules", "ScheduleGroup NamePrefix State NextToken MaxResults"},
    {"scheduler", "ListTagsForResource", "ResourceArn"},
    {"scheduler", "TagResource", "ResourceArn Tags{Key Value}"},
    {"scheduler", "UntagResource", "ResourceArn TagKeys"},
    {"scheduler", "UpdateSchedule",
     "Name GroupName ScheduleExpression StartDate EndDate Description ScheduleExpressionTimezone "
     "State FlexibleTimeWindow{Mode MaximumWindowInMinutes} ClientToken ActionAfterCompletion "
     "Target{Arn RoleArn Input DeadLetterConfig{Arn} RetryPolicy{MaximumEventAgeInSeconds "
     "MaximumRetryAttempts} EventBridgeParameters{DetailType Source}}"},
    {"logs", "CreateLogGroup", "logGroupName tags logGroupClass"},
    {"logs", "CreateLogStream", "logGroupName logStreamName"},
    {"logs", "DeleteLogGroup", "logGroupName"},
    {"logs", "DeleteLogStream", "logGroupName logStreamName"},
    {"logs", "DeleteRetentionPolicy", "logGroupName"},
    {"logs", "DescribeLogGroups",
     "logGroupNamePrefix logGroupNamePattern logGroupClass logGroupIdentifiers limit nextToken"},
    {"logs", "DescribeLogStreams",
     "logGroupName logGroupIdentifier logStreamNamePrefix orderBy descending limit nextToken"},
    {"logs", "FilterLogEvents",
     "logGroupName logGroupIdentifier logStreamNames logStreamNamePrefix startTime endTime "
     "filterPattern limit nextToken interleaved"},
    {"logs", "GetLogEvents",
     "logGroupName logGroupIdentifier logStreamName startTime endTime startFromHead limit "
     "nextToken"},
    {"logs", "ListTagsForResource", "resourceArn"},
    {"logs", "ListTagsLogGroup", "logGroupName"},
    {"logs", "PutLogEvents",
     "logGroupName logStreamName logEvents{timestamp message} sequenceToken"},
    {"logs", "PutRetentionPolicy", "logGroupName retentionInDays"},
    {"logs", "TagLogGroup", "logGroupName tags"},
    {"logs", "TagResource", "resourceArn tags"},
    {"logs", "UntagLogGroup", "logGroupName tags"},
    {"logs", "UntagResource", "resourceArn tagKeys"},
    {"ssm", "AddTagsToResource", "ResourceType ResourceId Tags{Key Value}"},
    {"ssm", "DeleteParameter", "Name"},
    {"ssm", "DeleteParameters", "Names"},
    {"ssm", "DescribeParameters",
     "Filters{Key Values} ParameterFilters{Key Option Values} MaxResults NextToken"},
    {"ssm", "GetParameter", "Name WithDecryption"},
    {"ssm", "GetParameterHistory", "Name WithDecryption MaxResults NextToken"},
    {"ssm", "GetParameters", "Names WithDecryption"},
    {"ssm", "GetParametersByPath",
     "Path Recursive ParameterFilters{Key Option Values} WithDecryption MaxResults NextToken"},
    {"ssm", "LabelParameterVersion", "Name ParameterVersion Labels"},
    {"ssm", "ListTagsForResource", "ResourceType ResourceId"},
    {"ssm", "PutParameter",
     "Name Description Value Type KeyId Overwrite AllowedPattern Tags{Key Value} Tier DataType"},
    {"ssm", "RemoveTagsFromResource", "ResourceType ResourceId TagKeys"},
    {"ssm", "UnlabelParameterVersion", "Name ParameterVersion Labels"},
    {"secretsmanager", "BatchGetSecretValue",
     "SecretIdList Filters{Key Values} MaxResults NextToken"},
    {"secretsmanager", "CreateSecret",
     "Name ClientRequestToken Description KmsKeyId SecretBinary SecretString Tags{Key Value}"},
    {"secretsmanager", "DeleteSecret", "SecretId RecoveryWindowInDays ForceDeleteWithoutRecovery"},
    {"secretsmanager", "DescribeSecret", "SecretId"},
    {"secretsmanager", "GetRandomPassword",
     "PasswordLength ExcludeCharacters ExcludeNumbers ExcludePunctuation ExcludeUppercase "
     "ExcludeLowercase IncludeSpace RequireEachIncludedType"},
    {"secretsmanager", "GetResourcePolicy", "SecretId"},
    {"secretsmanager", "GetSecretValue", "SecretId VersionId VersionStage"},
    {"secretsmanager", "ListSecretVersionIds", "SecretId MaxResults NextToken IncludeDeprecated"},
    {"secretsmanager", "ListSecrets",
     "IncludePlannedDeletion MaxResults NextToken Filters{Key Values} SortOrder"},
    {"secretsmanager", "PutSecretValue",
     "SecretId ClientRequestToken SecretBinary SecretString VersionStages"},
    {"secretsmanager", "RestoreSecret", "SecretId"},
    {"secretsmanager", "TagResource", "SecretId Tags{Key Value}"},
    {"secretsmanager", "UntagResource", "SecretId TagKeys"},
    {"secretsmanager", "UpdateSecret",
     "SecretId ClientRequestToken Description KmsKeyId SecretBinary SecretString"},
    {"secretsmanager", "UpdateSecretVersionStage",
     "SecretId VersionStage RemoveFromVersionId MoveToVersionId"},
    {"codepipeline", "GetPipelineExecution", "pipelineName pipelineExecutionId"},
    {"codepipeline", "GetPipelineState", "name"},
    {"codepipeline", "ListPipelineExecutions", "pipelineName maxResults nextToken"},
    {"codepipeline", "StartPipelineExecution", "name clientRequestToken"},
    {"codepipeline", "StopPipelineExecution", "pipelineName pipelineExecutionId abandon reason"},
    {"cloudformation", "CreateChangeSet",
     "StackName ChangeSetName ChangeSetType TemplateBody TemplateURL UsePreviousTemplate "
     "Parameters{ParameterKey ParameterValue UsePreviousValue} Capabilities Tags{Key Value} "
     "Description ClientToken IncludeNestedStacks"},
    {"cloudformation", "CreateStack",
     "StackName TemplateBody TemplateURL Parameters{ParameterKey ParameterValue UsePreviousValue} "
     "Capabilities Tags{Key Value} OnFailure DisableRollback ClientRequestToken TimeoutInMinutes "
     "EnableTerminationProtection"},
    {"cloudformation", "DeleteChangeSet", "ChangeSetName StackName"},
    {"cloudformation", "DeleteStack", "StackName RetainResources ClientRequestToken"},
    {"cloudformation", "DescribeChangeSet", "ChangeSetName StackName NextToken"},
    {"cloudformation", "DescribeStackEvents", "StackName NextToken"},
    {"cloudformation", "DescribeStackResource", "StackName LogicalResourceId"},
    {"cloudformation", "DescribeStackResources", "StackName LogicalResourceId PhysicalResourceId"},
    {"cloudformation", "DescribeStacks", "StackName NextToken"},
    {"cloudformation", "ExecuteChangeSet",
     "ChangeSetName StackName ClientRequestToken DisableRollback"},
    {"cloudformation", "GetTemplate", "StackName ChangeSetName TemplateStage"},
    {"cloudformation", "GetTemplateSummary", "TemplateBody TemplateURL StackName"},
    {"cloudformation", "ListChangeSets", "StackName NextToken"},
    {"cloudformation", "ListExports", "NextToken"},
    {"cloudformation", "ListImports", "ExportName NextToken"},
    {"cloudformation", "ListStackResources", "StackName NextToken"},
    {"cloudformation", "ListStacks", "StackStatusFilter NextToken"},
    {"cloudformation", "UpdateStack",
     "StackName TemplateBody TemplateURL UsePreviousTemplate Parameters{ParameterKey "
     "ParameterValue UsePreviousValue} Capabilities Tags{Key Value} ClientRequestToken "
     "DisableRollback"},
    {"cloudformation", "UpdateTerminationProtection", "StackName EnableTerminationProtection"},
    {"cloudformation", "ValidateTemplate", "TemplateBody TemplateURL"},
    {"cloudtrail", "LookupEvents",
     "LookupAttributes{AttributeKey AttributeValue} StartTime EndTime MaxResults NextToken"},
    {"iam", "AddUserToGroup", "GroupName UserName"},
    {"iam", "AttachGroupPolicy", "GroupName PolicyArn"},
    {"iam", "AttachRolePolicy", "RoleName PolicyArn"},
    {"iam", "AttachUserPolicy", "UserName PolicyArn"},
    {"iam", "CreateAccessKey", "UserName"},
    {"iam", "ChangePassword", "OldPassword NewPassword"},
    {"iam", "CreateGroup", "Path GroupName"},
    {"iam", "CreateLoginProfile", "UserName Password PasswordResetRequired"},
    {"iam", "CreatePolicy", "PolicyName Path PolicyDocument Description Tags{Key Value}"},
    {"iam", "CreatePolicyVersion", "PolicyArn PolicyDocument SetAsDefault"},
    {"iam", "CreateOpenIDConnectProvider", "Url ClientIDList ThumbprintList"},
    {"iam", "GetOpenIDConnectProvider", "OpenIDConnectProviderArn"},
    {"iam", "ListOpenIDConnectProviders", ""},
    {"iam", "DeleteOpenIDConnectProvider", "OpenIDConnectProviderArn"},
    {"iam", "AddClientIDToOpenIDConnectProvider", "OpenIDConnectProviderArn ClientID"},
    {"iam", "RemoveClientIDFromOpenIDConnectProvider", "OpenIDConnectProviderArn ClientID"},
    {"iam", "UpdateOpenIDConnectProviderThumbprint", "OpenIDConnectProviderArn ThumbprintList"},
    {"iam", "CreateRole",
     "Path RoleName AssumeRolePolicyDocument Description MaxSessionDuration Tags{Key Value}"},
    {"iam", "CreateUser", "Path UserName Tags{Key Value}"},
    {"iam", "DeleteAccountPasswordPolicy", ""},
    {"iam", "DeleteLoginProfile", "UserName"},
    {"iam", "DeleteAccessKey", "UserName AccessKeyId"},
    {"iam", "DeleteGroup", "GroupName"},
    {"iam", "DeleteGroupPolicy", "GroupName PolicyName"},
    {"iam", "DeletePolicy", "PolicyArn"},
    {"iam", "DeletePolicyVersion", "PolicyArn VersionId"},
    {"iam", "DeleteRole", "RoleName"},
    {"iam", "DeleteRolePolicy", "RoleName PolicyName"},
    {"iam", "DeleteUser", "UserName"},
    {"iam", "DeleteUserPolicy", "UserName PolicyName"},
    {"iam", "DetachGroupPolicy", "GroupName PolicyArn"},
    {"iam", "DetachRolePolicy", "RoleName PolicyArn"},
    {"iam", "DetachUserPolicy", "UserName PolicyArn"},
    {"iam", "GetAccessKeyLastUsed", "AccessKeyId"},
    {"iam", "GetAccountPasswordPolicy", ""},
    {"iam", "GetLoginProfile", "UserName"},
    {"iam", "GetGroup", "GroupName Marker MaxItems"},
    {"iam", "GetGroupPolicy", "GroupName PolicyName"},
    {"iam", "GetPolicy", "PolicyArn"},
    {"iam", "GetPolicyVersion", "PolicyArn VersionId"},
    {"iam", "GetRole", "RoleName"},
    {"iam", "GetRolePolicy", "RoleName PolicyName"},
    {"iam", "GetUser", "UserName"},
    {"iam", "GetUserPolicy", "UserName PolicyName"},
    {"iam", "ListAccessKeys", "UserName Marker MaxItems"},
    {"iam", "ListAccountAliases", "Marker MaxItems"},
    {"iam", "ListAttachedGroupPolicies", "GroupName Marker MaxItems"},
    {"iam", "ListAttachedRolePolicies", "RoleName Marker MaxItems"},
    {"iam", "ListAttachedUserPolicies", "UserName Marker MaxItems"},
    {"iam", "ListEntitiesForPolicy", "PolicyArn EntityFilter Marker MaxItems"},
    {"iam", "ListGroupPolicies", "GroupName Marker MaxItems"},
    {"iam", "ListGroups", "PathPrefix Marker MaxItems"},
    {"iam", "ListGroupsForUser", "UserName Marker MaxItems"},
    {"iam", "ListInstanceProfilesForRole", "RoleName Marker MaxItems"},
    {"iam", "ListPolicies", "Scope OnlyAttached PathPrefix Marker MaxItems"},
    {"iam", "ListPolicyVersions", "PolicyArn Marker MaxItems"},
    {"iam", "ListRolePolicies", "RoleName Marker MaxItems"},
    {"iam", "ListRoleTags", "RoleName Marker MaxItems"},
    {"iam", "ListRoles", "PathPrefix Marker MaxItems"},
    {"iam", "ListUserPolicies", "UserName Marker MaxItems"},
    {"iam", "ListUserTags", "UserName Marker MaxItems"},
    {"iam", "ListUsers", "PathPrefix Marker MaxItems"},
    {"iam", "PutGroupPolicy", "GroupName PolicyName PolicyDocument"},
    {"iam", "PutRolePolicy", "RoleName PolicyName PolicyDocument"},
    {"iam", "PutUserPolicy", "UserName PolicyName PolicyDocument"},
    {"iam", "RemoveUserFromGroup", "GroupName UserName"},
    {"iam", "SetDefaultPolicyVersion", "PolicyArn VersionId"},
    {"iam", "SimulateCustomPolicy",
     "PolicyInputList ActionNames ResourceArns ContextEntries{ContextKeyName ContextKeyValues "
     "ContextKeyType} Marker MaxItems"},
    {"iam", "SimulatePrincipalPolicy",
     "PolicySourceArn PolicyInputList ActionNames ResourceArns ContextEntries{ContextKeyName "
     "ContextKeyValues ContextKeyType} Marker MaxItems"},
    {"iam", "TagRole", "RoleName Tags{Key Value}"},
    {"iam", "TagUser", "UserName Tags{Key Value}"},
    {"iam", "UntagRole", "RoleName TagKeys"},
    {"iam", "UntagUser", "UserName TagKeys"},
    {"iam", "UpdateAccessKey", "UserName AccessKeyId Status"},
    {"iam", "UpdateAccountPasswordPolicy",
     "MinimumPasswordLength RequireSymbols RequireNumbers RequireUppercaseCharacters "
     "RequireLowercaseCharacters AllowUsersToChangePassword MaxPasswordAge "
     "PasswordReusePrevention HardExpiry"},
    {"iam", "UpdateLoginProfile", "UserName Password PasswordResetRequired"},
    {"iam", "UpdateAssumeRolePolicy", "RoleName PolicyDocument"},
    {"iam", "UpdateGroup", "GroupName NewPath NewGroupName"},
    {"iam", "UpdateRole", "RoleName Description MaxSessionDuration"},
    {"iam", "UpdateRoleDescription", "RoleName Description"},
    {"iam", "UpdateUser", "UserName NewPath NewUserName"},
    {"sts", "AssumeRole", "RoleArn RoleSessionName Policy DurationSeconds ExternalId"},
    {"sts", "AssumeRoleWithWebIdentity",
     "RoleArn RoleSessionName WebIdentityToken Policy DurationSeconds"},
    {"sts", "GetAccessKeyInfo", "AccessKeyId"},
    {"sts", "GetCallerIdentity", ""},
    {"sts", "GetSessionToken", "DurationSeconds"},
    {"codebuild", "BatchGetBuilds", "ids"},
    {"codebuild", "BatchGetProjects", "names"},
    {"codebuild", "CreateProject",
     "name "
     "description source{type location buildspec gitCloneDepth auth{type resource} insecureSsl "
     "reportBuildStatus} sourceVersion artifacts{type location path namespaceType name packaging "
     "overrideArtifactName encryptionDisabled} cache{type} environment{type image computeType "
     "environmentVariables{name value type} privilegedMode imagePullCredentialsType} serviceRole "
     "timeoutInMinutes encryptionKey tags{key value} badgeEnabled "
     "logsConfig{cloudWatchLogs{status groupName streamName} s3Logs{status}} "
     "concurrentBuildLimit"},
    {"codebuild", "DeleteProject", "name"},
    {"codebuild", "ListBuilds", "sortOrder nextToken"},
    {"codebuild", "ListBuildsForProject", "projectName sortOrder nextToken"},
    {"codebuild", "ListProjects", "sortBy sortOrder nextToken"},
    {"codebuild", "StartBuild",
     "projectName sourceVersion artifactsOverride{type location path namespaceType name packaging "
     "overrideArtifactName encryptionDisabled} environmentVariablesOverride{name value type} "
     "sourceTypeOverride sourceLocationOverride sourceAuthOverride{type resource} "
     "gitCloneDepthOverride buildspecOverride environmentTypeOverride imageOverride "
     "computeTypeOverride serviceRoleOverride timeoutInMinutesOverride idempotencyToken "
     "logsConfigOverride{cloudWatchLogs{status groupName streamName} s3Logs{status}}"},
    {"codebuild", "StopBuild", "id"},
    {"codebuild", "UpdateProject",
     "name "
     "description source{type location buildspec gitCloneDepth auth{type resource} insecureSsl "
     "reportBuildStatus} sourceVersion artifacts{type location path namespaceType name packaging "
     "overrideArtifactName encryptionDisabled} cache{type} environment{type image computeType "
     "environmentVariables{name value type} privilegedMode imagePullCredentialsType} serviceRole "
     "timeoutInMinutes encryptionKey tags{key value} badgeEnabled "
     "logsConfig{cloudWatchLogs{status groupName streamName} s3Logs{status}} "
     "concurrentBuildLimit"},
    {"lambda", "AddPermission",
     "FunctionName Qualifier StatementId Action Principal SourceArn SourceAccount EventSourceToken "
     "RevisionId"},
    {"lambda", "CreateAlias",
     "FunctionName Name FunctionVersion Description RoutingConfig{AdditionalVersionWeights}"},
    {"lambda", "CreateFunction",
     "FunctionName Runtime Role Handler Code{ZipFile S3Bucket S3Key ImageUri} Description Timeout "
     "MemorySize Publish PackageType DeadLetterConfig{TargetArn} Environment{Variables} "
     "TracingConfig{Mode} Tags Layers Architectures EphemeralStorage{Size} SnapStart{ApplyOn} "
     "ImageConfig{Command EntryPoint WorkingDirectory} LoggingConfig{LogFormat LogGroup}"},
    {"lambda", "DeleteLayerVersion", "LayerName VersionNumber"},
    {"lambda", "GetLayerVersion", "LayerName VersionNumber"},
    {"lambda", "GetLayerVersionByArn", "Arn"},
    {"lambda", "ListLayerVersions",
     "LayerName CompatibleRuntime CompatibleArchitecture Marker MaxItems"},
    {"lambda", "ListLayers", "CompatibleRuntime CompatibleArchitecture Marker MaxItems"},
    {"lambda", "PublishLayerVersion",
     "LayerName Description Content{S3Bucket S3Key ZipFile} CompatibleRuntimes LicenseInfo "
     "CompatibleArchitectures"},
    {"lambda", "DeleteAlias", "FunctionName Name"},
    {"lambda", "DeleteFunction", "FunctionName Qualifier"},
    {"lambda", "DeleteFunctionConcurrency", "FunctionName"},
    {"lambda", "DeleteFunctionEventInvokeConfig", "FunctionName Qualifier"},
    {"lambda", "GetAccountSettings", ""},
    {"lambda", "GetAlias", "FunctionName Name"},
    {"lambda", "GetFunction", "FunctionName Qualifier"},
    {"lambda", "GetFunctionConcurrency", "FunctionName"},
    {"lambda", "GetFunctionConfiguration", "FunctionName Qualifier"},
    {"lambda", "GetFunctionEventInvokeConfig", "FunctionName Qualifier"},
    {"lambda", "GetPolicy", "FunctionName Qualifier"},
    {"lambda", "Invoke", "FunctionName InvocationType LogType ClientContext Payload Qualifier"},
    {"lambda", "ListAliases", "FunctionName FunctionVersion Marker MaxItems"},
    {"lambda", "ListFunctionEventInvokeConfigs", "FunctionName Marker MaxItems"},
    {"lambda", "ListFunctions", "FunctionVersion Marker MaxItems"},
    {"lambda", "ListTags", "Resource"},
    {"lambda", "ListVersionsByFunction", "FunctionName Marker MaxItems"},
    {"lambda", "PublishVersion", "FunctionName CodeSha256 Description RevisionId"},
    {"lambda", "PutFunctionConcurrency", "FunctionName ReservedConcurrentExecutions"},
    {"lambda", "PutFunctionEventInvokeConfig",
     "FunctionName Qualifier MaximumRetryAttempts MaximumEventAgeInSeconds "
     "DestinationConfig{OnSuccess{Destination} OnFailure{Destination}}"},
    {"lambda", "RemovePermission", "FunctionName StatementId Qualifier RevisionId"},
    {"lambda", "TagResource", "Resource Tags"},
    {"lambda", "UntagResource", "Resource tagKeys"},
    {"lambda", "UpdateAlias",
     "FunctionName Name FunctionVersion Description RoutingConfig{AdditionalVersionWeights} "
     "RevisionId"},
    {"lambda", "UpdateFunctionCode",
     "FunctionName ZipFile S3Bucket S3Key ImageUri Architectures Publish DryRun RevisionId"},
    {"lambda", "UpdateFunctionConfiguration",
     "FunctionName Role Handler Description Timeout MemorySize Environment{Variables} Runtime "
     "DeadLetterConfig{TargetArn} TracingConfig{Mode} RevisionId EphemeralStorage{Size} "
     "SnapStart{ApplyOn} Layers ImageConfig{Command EntryPoint WorkingDirectory} "
     "LoggingConfig{LogFormat LogGroup}"},
    {"lambda", "UpdateFunctionEventInvokeConfig",
     "FunctionName Qualifier MaximumRetryAttempts MaximumEventAgeInSeconds "
     "DestinationConfig{OnSuccess{Destination} OnFailure{Destination}}"},
    {"sagemaker", "AddTags", "ResourceArn Tags{Key Value}"},
    {"sagemaker", "CreateModelPackage",
     "ModelPackageName ModelPackageGroupName ModelPackageDescription "
     "ModelPackageRegistrationType InferenceSpecification "
     "ValidationSpecification SourceAlgorithmSpecification CertifyForMarketplace "
     "MetadataProperties ModelMetrics Domain Task SamplePayloadUrl "
     "CustomerMetadataProperties DriftCheckBaselines "
     "AdditionalInferenceSpecifications SkipModelValidation SourceUri ModelCard "
     "ModelLifeCycle ModelApprovalStatus Tags{Key Value} ClientToken"},
    {"sagemaker", "CreateModelPackageGroup",
     "ModelPackageGroupName ModelPackageGroupDescription Tags{Key Value}"},
    {"sagemaker", "CreatePipeline",
     "PipelineName PipelineDisplayName PipelineDefinition PipelineDefinitionS3Location{Bucket "
     "ObjectKey VersionId} PipelineDescription ClientRequestToken RoleArn Tags{Key Value} "
     "ParallelismConfiguration{MaxParallelExecutionSteps}"},
    {"sagemaker", "CreateProcessingJob",
     "ProcessingJobName ProcessingInputs{InputName AppManaged S3Input{S3Uri LocalPath S3DataType "
     "S3InputMode S3DataDistributionType S3CompressionType}} "
     "ProcessingOutputConfig{Outputs{OutputName AppManaged S3Output{S3Uri LocalPath "
     "S3UploadMode}}} ProcessingResources{ClusterConfig{InstanceCount InstanceType "
     "VolumeSizeInGB}} StoppingCondition{MaxRuntimeInSeconds} AppSpecification{ImageUri "
     "ContainerEntrypoint ContainerArguments} Environment "
     "NetworkConfig{EnableInterContainerTrafficEncryption EnableNetworkIsolation} RoleArn Tags{Key "
     "Value} ExperimentConfig"},
    {"sagemaker", "CreateTrainingJob",
     "TrainingJobName HyperParameters AlgorithmSpecification{TrainingImage TrainingInputMode "
     "MetricDefinitions{Name Regex} EnableSageMakerMetricsTimeSeries ContainerEntrypoint "
     "ContainerArguments} RoleArn InputDataConfig{ChannelName DataSource{S3DataSource{S3DataType "
     "S3Uri S3DataDistributionType}} ContentType CompressionType RecordWrapperType InputMode} "
     "OutputDataConfig{S3OutputPath CompressionType} ResourceConfig{InstanceType InstanceCount "
     "VolumeSizeInGB} StoppingCondition{MaxRuntimeInSeconds} Tags{Key Value} "
     "EnableNetworkIsolation EnableInterContainerTrafficEncryption EnableManagedSpotTraining "
     "DebugHookConfig ExperimentConfig ProfilerConfig ProfilerRuleConfigurations Environment"},
    {"sagemaker", "DeleteModelPackage", "ModelPackageName"},
    {"sagemaker", "DeleteModelPackageGroup", "ModelPackageGroupName"},
    {"sagemaker", "DeletePipeline", "PipelineName ClientRequestToken"},
    {"sagemaker", "DeleteTags", "ResourceArn TagKeys"},
    {"sagemaker", "DescribeLabelingJob", "LabelingJobName"},
    {"sagemaker", "DescribeModelPackage", "ModelPackageName"},
    {"sagemaker", "DescribeModelPackageGroup", "ModelPackageGroupName"},
    {"sagemaker", "DescribePipeline", "PipelineName"},
    {"sagemaker", "DescribePipelineDefinitionForExecution", "PipelineExecutionArn"},
    {"sagemaker", "DescribePipelineExecution", "PipelineExecutionArn"},
    {"sagemaker", "DescribeProcessingJob", "ProcessingJobName"},
    {"sagemaker", "DescribeTrainingJob", "TrainingJobName"},
    {"sagemaker", "ListLabelingJobs",
     "CreationTimeAfter CreationTimeBefore LastModifiedTimeAfter LastModifiedTimeBefore "
     "MaxResults NextToken NameContains SortBy SortOrder StatusEquals"},
    {"sagemaker", "ListModelPackageGroups",
     "CreationTimeAfter CreationTimeBefore NameContains SortBy SortOrder "
     "MaxResults NextToken"},
    {"sagemaker", "ListModelPackages",
     "CreationTimeAfter CreationTimeBefore NameContains ModelApprovalStatus "
     "ModelPackageGroupName ModelPackageType SortBy SortOrder MaxResults "
     "NextToken"},
    {"sagemaker", "ListPipelineExecutionSteps",
     "PipelineExecutionArn NextToken MaxResults SortOrder"},
    {"sagemaker", "ListPipelineExecutions",
     "PipelineName CreatedAfter CreatedBefore SortBy SortOrder NextToken MaxResults"},
    {"sagemaker", "ListPipelineParametersForExecution",
     "PipelineExecutionArn NextToken MaxResults"},
    {"sagemaker", "ListPipelines",
     "PipelineNamePrefix CreatedAfter CreatedBefore SortBy SortOrder NextToken MaxResults"},
    {"sagemaker", "ListProcessingJobs",
     "CreationTimeAfter CreationTimeBefore LastModifiedTimeAfter LastModifiedTimeBefore "
     "NameContains StatusEquals SortBy SortOrder MaxResults NextToken"},
    {"sagemaker", "ListTags", "ResourceArn NextToken MaxResults"},
    {"sagemaker", "ListTrainingJobs",
     "CreationTimeAfter CreationTimeBefore LastModifiedTimeAfter LastModifiedTimeBefore "
     "NameContains StatusEquals SortBy SortOrder MaxResults NextToken"},
    {"sagemaker", "RetryPipelineExecution", "PipelineExecutionArn ClientRequestToken"},
    {"sagemaker", "Search", "Resource SearchExpression SortBy SortOrder NextToken MaxResults"},
    {"sagemaker", "StartPipelineExecution",
     "PipelineName PipelineExecutionDisplayName PipelineParameters{Name Value} "
     "PipelineExecutionDescription ClientRequestToken"},
    {"sagemaker", "StopPipelineExecution", "PipelineExecutionArn ClientRequestToken"},
    {"sagemaker", "StopProcessingJob", "ProcessingJobName"},
    {"sagemaker", "StopTrainingJob", "TrainingJobName"},
    {"sagemaker", "UpdateModelPackage",
     "ModelPackageArn ModelApprovalStatus ModelPackageRegistrationType "
     "ApprovalDescription CustomerMetadataProperties "
     "CustomerMetadataPropertiesToRemove AdditionalInferenceSpecificationsToAdd "
     "InferenceSpecification SourceUri ModelCard ModelLifeCycle"},
    {"sagemaker", "UpdatePipeline",
     "PipelineName PipelineDisplayName PipelineDefinition PipelineDefinitionS3Location{Bucket "
     "ObjectKey VersionId} PipelineDescription RoleArn "
     "ParallelismConfiguration{MaxParallelExecutionSteps}"},
    {"sagemaker", "CreateFeatureGroup",
     "FeatureGroupName RecordIdentifierFeatureName EventTimeFeatureName "
     "FeatureDefinitions{FeatureName FeatureType} "
     "OnlineStoreConfig{EnableOnlineStore TtlDuration{Unit Value} StorageType} "
     "OfflineStoreConfig{S3StorageConfig{S3Uri} DisableGlueTableCreation "
     "DataCatalogConfig{TableName Catalog Database} TableFormat} "
     "ThroughputConfig{ThroughputMode} RoleArn Description Tags{Key Value}"},
    {"sagemaker", "DeleteFeatureGroup", "FeatureGroupName"},
    {"sagemaker", "DescribeFeatureGroup", "FeatureGroupName NextToken"},
    {"sagemaker", "DescribeFeatureMetadata", "FeatureGroupName FeatureName"},
    {"sagemaker", "ListFeatureGroups",
     "NameContains FeatureGroupStatusEquals OfflineStoreStatusEquals CreationTimeAfter "
     "CreationTimeBefore SortOrder SortBy MaxResults NextToken"},
    {"sagemaker", "UpdateFeatureGroup",
     "FeatureGroupName FeatureAdditions{FeatureName FeatureType} "
     "OnlineStoreConfig{TtlDuration{Unit Value}} ThroughputConfig{ThroughputMode}"},
    {"sagemaker", "UpdateFeatureMetadata",
     "FeatureGroupName FeatureName Description ParameterAdditions{Key Value} ParameterRemovals"},
    {"sagemaker-featurestore-runtime", "BatchGetRecord",
     "Identifiers{FeatureGroupName RecordIdentifiersValueAsString FeatureNames} "
     "ExpirationTimeResponse"},
    {"sagemaker-featurestore-runtime", "DeleteRecord",
     "FeatureGroupName RecordIdentifierValueAsString EventTime TargetStores DeletionMode"},
    {"sagemaker-featurestore-runtime", "GetRecord",
     "FeatureGroupName RecordIdentifierValueAsString FeatureName ExpirationTimeResponse"},
    {"sagemaker-featurestore-runtime", "PutRecord",
     "FeatureGroupName Record{FeatureName ValueAsString ValueAsStringList} TargetStores "
     "TtlDuration{Unit Value}"},
    {"glue", "DeleteTable", "CatalogId DatabaseName Name"},
    {"glue", "GetDatabase", "CatalogId Name"},
    {"glue", "GetDatabases", "CatalogId NextToken MaxResults"},
    {"glue", "GetTable", "CatalogId DatabaseName Name"},
    {"glue", "GetTables", "CatalogId DatabaseName Expression NextToken MaxResults"},
    {"athena", "BatchGetQueryExecution", "QueryExecutionIds"},
    {"athena", "GetQueryExecution", "QueryExecutionId"},
    {"athena", "GetQueryResults", "QueryExecutionId NextToken MaxResults QueryResultType"},
    {"athena", "GetWorkGroup", "WorkGroup"},
    {"athena", "ListQueryExecutions", "NextToken MaxResults WorkGroup"},
    {"athena", "StartQueryExecution",
     "QueryString ClientRequestToken QueryExecutionContext{Database Catalog} "
     "ResultConfiguration{OutputLocation} WorkGroup"},
    {"athena", "StopQueryExecution", "QueryExecutionId"},
    {"states", "CreateActivity", "name tags{key value}"},
    {"states", "CreateStateMachine",
     "name definition roleArn type loggingConfiguration{level "
     "includeExecutionData destinations} tags{key value} "
     "tracingConfiguration{enabled} publish versionDescription "
     "encryptionConfiguration{type}"},
    {"states", "CreateStateMachineAlias",
     "name description routingConfiguration{stateMachineVersionArn weight}"},
    {"states", "DeleteActivity", "activityArn"},
    {"states", "DeleteStateMachine", "stateMachineArn"},
    {"states", "DeleteStateMachineAlias", "stateMachineAliasArn"},
    {"states", "DeleteStateMachineVersion", "stateMachineVersionArn"},
    {"states", "DescribeActivity", "activityArn"},
    {"states", "DescribeExecution", "executionArn includedData"},
    {"states", "DescribeMapRun", "mapRunArn"},
    {"states", "DescribeStateMachine", "stateMachineArn includedData"},
    {"states", "DescribeStateMachineAlias", "stateMachineAliasArn"},
    {"states", "DescribeStateMachineForExecution", "executionArn includedData"},
    {"states", "GetActivityTask", "activityArn workerName"},
    {"states", "GetExecutionHistory",
     "executionArn reverseOrder includeExecutionData maxResults nextToken"},
    {"states", "ListActivities", "maxResults nextToken"},
    {"states", "ListExecutions",
     "stateMachineArn statusFilter mapRunArn redriveFilter maxResults nextToken"},
    {"states", "ListMapRuns", "executionArn maxResults nextToken"},
    {"states", "ListStateMachineAliases", "stateMachineArn maxResults nextToken"},
    {"states", "ListStateMachineVersions", "stateMachineArn maxResults nextToken"},
    {"states", "ListStateMachines", "maxResults nextToken"},
    {"states", "ListTagsForResource", "resourceArn"},
    {"states", "PublishStateMachineVersion", "stateMachineArn revisionId description"},
    {"states", "RedriveExecution", "executionArn clientToken"},
    {"states", "SendTaskFailure", "taskToken error cause"},
    {"states", "SendTaskHeartbeat", "taskToken"},
    {"states", "SendTaskSuccess", "taskToken output"},
    {"states", "StartExecution", "stateMachineArn name input traceHeader"},
    {"states", "StartSyncExecution", "stateMachineArn name input traceHeader includedData"},
    {"states", "StopExecution", "executionArn error cause"},
    {"states", "TagResource", "resourceArn tags{key value}"},
    {"states", "TestState",
     "definition roleArn input inspectionLevel revealSecrets variables stateName "
     "mock{result errorOutput{error cause} fieldValidationMode} context "
     "stateConfiguration{retrierRetryCount errorCausedByState mapIterationFailureCount "
     "mapItemReaderData}"},
    {"states", "UntagResource", "resourceArn tagKeys"},
    {"states", "UpdateMapRun",
     "mapRunArn maxConcurrency toleratedFailurePercentage toleratedFailureCount"},
    {"states", "UpdateStateMachine",
     "stateMachineArn definition roleArn loggingConfiguration{level "
     "includeExecutionData destinations} tracingConfiguration{enabled} publish "
     "versionDescription encryptionConfiguration{type}"},
    {"states", "UpdateStateMachineAlias",
     "stateMachineAliasArn description "
     "routingConfiguration{stateMachineVersionArn weight}"},
    {"states", "ValidateStateMachineDefinition", "definition type severity maxResults"},
});

}  // namespace

std::span<const Honoured> honoured_of_services() {
  return kRows;
}

}  // namespace andon::api
