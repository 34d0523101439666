// SPDX-License-Identifier: Apache-2.0
#include "control/iam/ready_made.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>

namespace andon::control {
namespace {

// What can be seen without seeing a value that is secret, or who may do what.
constexpr std::string_view kSee = R"(
    {"Sid": "See", "Effect": "Allow",
     "Action": ["greengrass:Get*", "greengrass:List*", "greengrass:Describe*",
                "greengrass:Resolve*", "iot:Describe*", "iot:Get*", "iot:List*", "iot:SearchIndex",
                "iot:Subscribe", "iot:Receive",
                "sagemaker:Describe*", "sagemaker:List*", "sagemaker:Search", "states:Describe*", "states:List*",
                "states:GetExecutionHistory", "states:Validate*", "logs:Get*", "logs:Describe*",
                "logs:List*", "logs:FilterLogEvents", "events:Describe*", "events:List*",
                "events:TestEventPattern", "scheduler:Get*", "scheduler:List*", "lambda:Get*",
                "lambda:List*", "athena:Get*", "athena:List*", "athena:BatchGet*", "glue:Get*",
                "codebuild:BatchGet*", "codebuild:List*", "andon:ListRepositories",
                "cloudformation:Describe*", "cloudformation:Get*", "cloudformation:List*",
                "cloudformation:ValidateTemplate", "codepipeline:Get*", "codepipeline:List*",
                "sagemaker:GetRecord", "sagemaker:BatchGetRecord", "andon:GetModelAlias",
                "andon:ListModelAlias*", "andon:ListModelDecisions", "andon:ListModelStates",
                "andon:ListMachineStates", "andon:GetJobLog",
                "andon:GetResult", "andon:ListResults",
                "andon:CountResults", "andon:GetShifts", "andon:ExportResults", "andon:ListDeliveries",
                "andon:ListDeploymentDevices", "andon:ListDeviceStates",
                "andon:GetDeviceMetrics", "andon:ListAlarms",
                "andon:ListWebhooks", "andon:ListWebhookOutcomes", "andon:DescribeStorage", "andon:ListBackups",
                "andon:ListEndingCertificates", "s3:Get*", "s3:List*", "ssm:Describe*", "ssm:List*",
                "secretsmanager:Describe*", "secretsmanager:List*",
                "secretsmanager:GetResourcePolicy"],
     "Resource": "*"})";

// Models, components, deployments and what they need.
constexpr std::string_view kDeploy = R"(
    {"Sid": "Deploy", "Effect": "Allow",
     "Action": ["greengrass:CreateComponentVersion", "greengrass:CreateDeployment",
                "greengrass:CancelDeployment", "greengrass:TagResource",
                "greengrass:UntagResource"],
     "Resource": "*"},
    {"Sid": "Stacks", "Effect": "Allow", "Action": ["andon:PlanStack", "andon:ApplyStack"],
     "Resource": "*"},
    {"Sid": "Models", "Effect": "Allow",
     "Action": ["sagemaker:Create*", "sagemaker:UpdateModelPackage", "andon:PutModelAlias",
                "andon:DeleteModelAlias"],
     "Resource": "*"},
    {"Sid": "Objects", "Effect": "Allow",
     "Action": ["s3:PutObject", "s3:AbortMultipartUpload", "s3:CreateBucket"],
     "Resource": "*"},
    {"Sid": "Run", "Effect": "Allow",
     "Action": ["states:StartExecution", "states:StartSyncExecution", "states:StopExecution",
                "states:RedriveExecution"],
     "Resource": "*"})";

constexpr std::string_view kMakeWorkflows = R"(
    {"Sid": "Workflows", "Effect": "Allow",
     "Action": ["states:CreateStateMachine", "states:UpdateStateMachine",
                "states:PublishStateMachineVersion", "states:CreateStateMachineAlias",
                "states:UpdateStateMachineAlias", "states:TestState", "states:TagResource",
                "states:UntagResource"],
     "Resource": "*"},
    {"Sid": "WorkflowsRole", "Effect": "Allow", "Action": "iam:PassRole",
     "Resource": "arn:aws:iam::*:role/andon-workflows",
     "Condition": {"StringEquals": {"iam:PassedToService": "states.amazonaws.com"}}})";

// What only workflows do.
constexpr std::string_view kWork = R"(
    {"Sid": "Work", "Effect": "Allow",
     "Action": ["states:SendTaskSuccess", "states:SendTaskFailure", "states:SendTaskHeartbeat",
                "andon:RunJob", "lambda:InvokeFunction", "events:PutEvents",
                "codebuild:BatchGetBuilds", "codebuild:StartBuild", "codebuild:StopBuild",
                "events:RetrieveConnectionCredentials", "states:InvokeHTTPEndpoint"],
     "Resource": "*"},
    {"Sid": "Logs", "Effect": "Allow",
     "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
     "Resource": "*"})";

constexpr std::string_view kAll = R"(
    {"Sid": "Everything", "Effect": "Allow", "Action": "*", "Resource": "*"})";

// All that runs the plant; not who may do what, nor whatever one likes on a device. Of roles those
// that services take, and no other: a role that people may take is not handed to a service, which
// would do what its holder may not.
constexpr std::string_view kOperate = R"(
    {"Sid": "AllButIdentities", "Effect": "Allow",
     "NotAction": ["iam:*", "sts:*", "andon:RunShell", "andon:CopyFile"], "Resource": "*"},
    {"Sid": "RolesOfServices", "Effect": "Allow", "Action": "iam:PassRole",
     "Resource": ["arn:aws:iam::*:role/andon-workflows", "arn:aws:iam::*:role/service-role/*"],
     "Condition": {"StringEquals": {"iam:PassedToService": ["states.amazonaws.com",
                   "lambda.amazonaws.com", "events.amazonaws.com", "scheduler.amazonaws.com",
                   "sagemaker.amazonaws.com", "codebuild.amazonaws.com"]}}})";

std::string policy_of(std::initializer_list<std::string_view> statements) {
  std::string text = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [";
  bool is_first = true;
  for (const std::string_view statement : statements) {
    if (!is_first) text += ",";
    is_first = false;
    text += statement;
  }
  return text + "\n  ]\n}";
}

const std::array<ReadyMade, 5>& all() {
  static const std::string administrator = policy_of({kAll});
  static const std::string of_operator = policy_of({kOperate});
  static const std::string deployer = policy_of({kSee, kDeploy, kMakeWorkflows});
  static const std::string viewer = policy_of({kSee});
  // For the role that state machines have unless they are given one of their own. Who may pass it
  // may do all of this.
  static const std::string workflows = policy_of({kSee, kDeploy, kWork});
  static const std::array<ReadyMade, 5> ready = {{
      {"AdministratorAccess", "admin", "May do everything.", administrator},
      {"AndonOperatorAccess", "operator", "Runs the plant; may not say who may do what.",
       of_operator},
      {"AndonDeployerAccess", "deployer", "Registers models, makes components, deploys; sees all.",
       deployer},
      {"AndonViewerAccess", "viewer", "Sees all but identities, changes nothing.", viewer},
      {"AndonWorkflowsAccess", "andon-workflows",
       "What state machines do: deploys, registers, runs jobs, calls functions and endpoints.",
       workflows, "states.amazonaws.com"},
  }};
  return ready;
}

}  // namespace

std::string ReadyMade::arn() const {
  return "arn:aws:iam::aws:policy/" + std::string(policy);
}

std::span<const ReadyMade> ready_made() {
  return all();
}

const ReadyMade* find_ready_made(std::string_view arn) {
  const auto found =
      std::ranges::find_if(all(), [&](const ReadyMade& one) { return one.arn() == arn; });
  return found == all().end() ? nullptr : &*found;
}

}  // namespace andon::control
