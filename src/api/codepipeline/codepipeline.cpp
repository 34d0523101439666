// SPDX-License-Identifier: Apache-2.0
#include "api/codepipeline/codepipeline.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "api/constraints/rows.hpp"
#include "api/stacks/types/pipeline_definition.hpp"
#include "api/stacks/types/resource_type.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/text/id.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::int64_t kPage = 100;
constexpr std::int64_t kHistoryPage = 1000;
constexpr int kMostHistoryPages = 10;

struct Pipeline {
  std::string name;
  json::object properties;
  std::string machine;  // ARN
};

Pipeline require(const CodePipelineParts& parts, const std::string& name) {
  const auto row = parts.stacks.find_resource("AWS::CodePipeline::Pipeline", name);
  if (!row) {
    throw Error(ErrorCode::not_found, "Account '" + parts.arns.account() +
                                          "' does not have a pipeline with name '" + name + "'");
  }
  return {name, row->properties,
          "arn:aws:states:" + parts.arns.region() + ":" + parts.arns.account() +
              ":stateMachine:" + pipeline_machine(name)};
}

std::string execution_arn(const Pipeline& pipeline, const std::string& id) {
  std::string arn = pipeline.machine;
  const std::string_view kind = ":stateMachine:";
  return arn.replace(arn.find(kind), kind.size(), ":execution:") + ":" + id;
}

std::string status_of(const std::string& status) {
  if (status == "RUNNING" || status == "PENDING_REDRIVE") return "InProgress";
  if (status == "SUCCEEDED") return "Succeeded";
  return status == "ABORTED" ? "Stopped" : "Failed";
}

StackCalls calls_of(const CodePipelineParts& parts, const OperationContext& context) {
  return {parts.calls, parts.s3, context.caller};
}

json::value require_execution(const StackCalls& calls, const Pipeline& pipeline,
                              const std::string& id) {
  const auto found =
      calls.find("states", "DescribeExecution", {{"executionArn", execution_arn(pipeline, id)}});
  if (!found) {
    throw ServiceError(400, "PipelineExecutionNotFoundException",
                       "The pipeline " + pipeline.name + " has no execution " + id);
  }
  return *found;
}

json::value start(const CodePipelineParts& parts, const OperationContext& context) {
  const Pipeline pipeline = require(parts, required_text(context.input, "name"));
  const std::string token = text_or_empty(context.input, "clientRequestToken");
  const std::string id = token.empty() ? base::random_uuid() : token;
  calls_of(parts, context)
      .call("states", "StartExecution",
            {{"stateMachineArn", pipeline.machine}, {"name", id}, {"input", "{}"}});
  return json::object{{"pipelineExecutionId", id}};
}

json::value stop(const CodePipelineParts& parts, const OperationContext& context) {
  const Pipeline pipeline = require(parts, required_text(context.input, "pipelineName"));
  const std::string id = required_text(context.input, "pipelineExecutionId");
  const StackCalls calls = calls_of(parts, context);
  (void)require_execution(calls, pipeline, id);
  calls.call("states", "StopExecution",
             {{"executionArn", execution_arn(pipeline, id)},
              {"cause", text_or_empty(context.input, "reason")}});
  return json::object{{"pipelineExecutionId", id}};
}

json::value describe(const CodePipelineParts& parts, const OperationContext& context) {
  const Pipeline pipeline = require(parts, required_text(context.input, "pipelineName"));
  const std::string id = required_text(context.input, "pipelineExecutionId");
  const json::value found = require_execution(calls_of(parts, context), pipeline, id);
  json::object execution{
      {"pipelineName", pipeline.name},      {"pipelineVersion", 1},
      {"pipelineExecutionId", id},          {"status", status_of(member_text(found, "status"))},
      {"artifactRevisions", json::array()}, {"executionMode", "PARALLEL"},
      {"executionType", "STANDARD"}};
  const std::string cause = member_text(found, "cause");
  const std::string error = member_text(found, "error");
  put_unless_empty(execution, "statusSummary",
                   error.empty() ? cause : error + (cause.empty() ? "" : ": " + cause));
  return json::object{{"pipelineExecution", std::move(execution)}};
}

json::value list(const CodePipelineParts& parts, const OperationContext& context) {
  const Pipeline pipeline = require(parts, required_text(context.input, "pipelineName"));
  json::object ask{{"stateMachineArn", pipeline.machine},
                   {"maxResults", optional_number(context.input, "maxResults").value_or(kPage)}};
  const std::string token = text_or_empty(context.input, "nextToken");
  if (!token.empty()) ask["nextToken"] = token;
  const json::value found = calls_of(parts, context).call("states", "ListExecutions", ask);
  json::array summaries;
  const auto* executions = member(found, "executions");
  for (const json::value& one :
       executions != nullptr && executions->is_array() ? executions->get_array() : json::array()) {
    json::object summary{{"pipelineExecutionId", member_text(one, "name")},
                         {"status", status_of(member_text(one, "status"))},
                         {"sourceRevisions", json::array()},
                         {"executionMode", "PARALLEL"},
                         {"executionType", "STANDARD"}};
    const auto* started = member(one, "startDate");
    const auto* stopped = member(one, "stopDate");
    if (started != nullptr) summary["startTime"] = *started;
    if (stopped != nullptr) summary["lastUpdateTime"] = *stopped;
    summaries.push_back(std::move(summary));
  }
  json::object output{{"pipelineExecutionSummaries", std::move(summaries)}};
  put_unless_empty(output, "nextToken", member_text(found, "nextToken"));
  return output;
}

struct Seen {
  std::string status;
  json::value time;
  std::string error;
};

// What became of each state of an execution, from its history.
std::map<std::string, Seen> states_of(const StackCalls& calls, const std::string& execution) {
  std::map<std::string, Seen> states;
  std::string current;
  json::object ask{{"executionArn", execution}, {"maxResults", kHistoryPage}};
  for (int page = 0; page < kMostHistoryPages; ++page) {
    const json::value found = calls.call("states", "GetExecutionHistory", ask);
    const auto* events = member(found, "events");
    for (const json::value& event :
         events != nullptr && events->is_array() ? events->get_array() : json::array()) {
      const std::string type = member_text(event, "type");
      const auto* at = member(event, "timestamp");
      const json::value time = at == nullptr ? json::value() : *at;
      if (type.ends_with("StateEntered")) {
        const auto* details = member(event, "stateEnteredEventDetails");
        current = details == nullptr ? "" : member_text(*details, "name");
        states[current] = {"InProgress", time, {}};
      } else if (type.ends_with("StateExited")) {
        const auto* details = member(event, "stateExitedEventDetails");
        states[details == nullptr ? current : member_text(*details, "name")] = {
            "Succeeded", time, {}};
      } else if (type == "ExecutionFailed" || type == "ExecutionTimedOut" ||
                 type == "ExecutionAborted") {
        const auto* details =
            member(event, type == "ExecutionFailed"     ? "executionFailedEventDetails"
                          : type == "ExecutionTimedOut" ? "executionTimedOutEventDetails"
                                                        : "executionAbortedEventDetails");
        Seen& state = states[current];
        if (state.status != "Succeeded") {
          state = {type == "ExecutionAborted" ? "Abandoned" : "Failed", time,
                   details == nullptr ? "" : member_text(*details, "cause")};
        }
      }
    }
    const std::string next = member_text(found, "nextToken");
    if (next.empty()) break;
    ask["nextToken"] = next;
  }
  return states;
}

json::value state(const CodePipelineParts& parts, const OperationContext& context) {
  const Pipeline pipeline = require(parts, required_text(context.input, "name"));
  const StackCalls calls = calls_of(parts, context);
  const json::value latest = calls.call("states", "ListExecutions",
                                        {{"stateMachineArn", pipeline.machine}, {"maxResults", 1}});
  const auto* executions = member(latest, "executions");
  std::map<std::string, Seen> states;
  std::string id;
  if (executions != nullptr && executions->is_array() && !executions->get_array().empty()) {
    const json::value& newest = executions->get_array().front();
    id = member_text(newest, "name");
    states = states_of(calls, member_text(newest, "executionArn"));
  }
  json::array stages;
  std::string stage_name;
  for (const PipelineAction& action : pipeline_actions(pipeline.properties)) {
    if (stages.empty() || action.stage != stage_name) {
      stage_name = action.stage;
      stages.push_back(json::object{{"stageName", stage_name},
                                    {"inboundTransitionState", {{"enabled", true}}},
                                    {"actionStates", json::array()}});
    }
    json::object& stage = stages.back().as_object();
    json::object told{{"actionName", action.name}};
    if (const auto seen = states.find(action.state); seen != states.end()) {
      json::object execution{{"actionExecutionId", id}, {"status", seen->second.status}};
      if (!seen->second.time.is_null()) execution["lastStatusChange"] = seen->second.time;
      if (!seen->second.error.empty()) {
        execution["errorDetails"] = {{"code", "JobFailed"}, {"message", seen->second.error}};
      }
      told["latestExecution"] = std::move(execution);
      // A stage is as its last action that has begun is.
      const std::string& status = seen->second.status;
      stage["latestExecution"] = {{"pipelineExecutionId", id},
                                  {"status", status == "Abandoned" ? "Stopped" : status},
                                  {"type", "STANDARD"}};
    }
    stage["actionStates"].as_array().push_back(std::move(told));
  }
  return json::object{
      {"pipelineName", pipeline.name}, {"pipelineVersion", 1}, {"stageStates", std::move(stages)}};
}

using PipelineCall = json::value (*)(const CodePipelineParts&, const OperationContext&);

Operation row(const CodePipelineParts& parts, std::string_view name, PipelineCall work) {
  return json_row({"codepipeline"}, name, parts, work);
}

}  // namespace

std::vector<Operation> codepipeline_operations(const CodePipelineParts& parts) {
  return {row(parts, "StartPipelineExecution", start), row(parts, "StopPipelineExecution", stop),
          row(parts, "GetPipelineExecution", describe), row(parts, "GetPipelineState", state),
          row(parts, "ListPipelineExecutions", list)};
}

}  // namespace andon::api
