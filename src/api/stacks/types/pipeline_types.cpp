// SPDX-License-Identifier: Apache-2.0
// Pipelines of CodePipeline and projects of CodeBuild, each a state machine
// (pipeline_definition.hpp).
#include "api/stacks/types/pipeline_definition.hpp"
#include "api/stacks/types/resource_type.hpp"

namespace andon::api {
namespace {

using Kind = Property::Kind;
using Change = Property::Change;

constexpr std::size_t kLongestName = 64;
// The role that state machines have unless they are given one: those of pipelines trust AWS's
// services that are not here.
constexpr std::string_view kRole = "role/andon-workflows";

std::string resource_name(const Work& work) {
  return work.name("Name", kLongestName);
}

std::string machine_arn(const Work& work, const std::string& machine) {
  return work.arn("states", "stateMachine:" + machine);
}

std::optional<json::object> find_machine(const Work& work, const std::string& machine,
                                         json::object attributes) {
  const auto found = work.calls.find("states", "DescribeStateMachine",
                                     {{"stateMachineArn", machine_arn(work, machine)}});
  if (!found || member_text(*found, "status") == "DELETING") return std::nullopt;
  return attributes;
}

void create_machine(const Work& work, const std::string& machine, const std::string& definition) {
  work.calls.call(
      "states", "CreateStateMachine",
      {{"name", machine}, {"definition", definition}, {"roleArn", work.arn("iam", kRole)}});
}

void update_machine(const Work& work, const std::string& machine, const std::string& definition) {
  work.calls.call("states", "UpdateStateMachine",
                  {{"stateMachineArn", machine_arn(work, machine)}, {"definition", definition}});
}

void remove_machine(const Work& work, const std::string& machine) {
  work.calls.call_unless_gone("states", "DeleteStateMachine",
                              {{"stateMachineArn", machine_arn(work, machine)}});
}

std::optional<json::object> find_pipeline(const Work& work) {
  return find_machine(work, pipeline_machine(work.physical_id), {{"Version", "1"}});
}
std::string pipeline_text(const Work& work) {
  return pipeline_definition(work.physical_id, work.properties, machine_arn(work, ""));
}
std::string create_pipeline(const Work& work) {
  create_machine(work, pipeline_machine(work.physical_id), pipeline_text(work));
  return work.physical_id;
}
void update_pipeline(const Work& work, const json::object& /*before*/) {
  update_machine(work, pipeline_machine(work.physical_id), pipeline_text(work));
}
void remove_pipeline(const Work& work) {
  remove_machine(work, pipeline_machine(work.physical_id));
}

std::optional<json::object> find_project(const Work& work) {
  return find_machine(work, project_machine(work.physical_id),
                      {{"Arn", work.arn("codebuild", "project/" + work.physical_id)}});
}
std::string create_project(const Work& work) {
  create_machine(work, project_machine(work.physical_id),
                 project_definition(work.physical_id, work.properties));
  return work.physical_id;
}
void update_project(const Work& work, const json::object& /*before*/) {
  update_machine(work, project_machine(work.physical_id),
                 project_definition(work.physical_id, work.properties));
}
void remove_project(const Work& work) {
  remove_machine(work, project_machine(work.physical_id));
}

constexpr std::string_view kOwnRole =
    "pipelines and projects run as the role andon-workflows, as state machines do";
constexpr std::string_view kNoKms = "there is no KMS";

}  // namespace

std::vector<ResourceType> pipeline_types() {
  return {
      {"AWS::CodePipeline::Pipeline",
       {{"Name", Kind::text, Change::replace},
        {"Stages"},
        {"ArtifactStore"},
        {"RoleArn", Kind::text, Change::left_out, kOwnRole},
        {"PipelineType", Kind::text, Change::left_out, "there is one kind of pipelines"},
        {"ExecutionMode", Kind::text, Change::left_out, "executions run side by side"},
        {"RestartExecutionOnUpdate", Kind::any, Change::left_out,
         "StartPipelineExecution, or a rule, starts it"},
        {"Tags", Kind::any, Change::left_out, "pipelines have no tags"}},
       "Name",
       resource_name,
       find_pipeline,
       create_pipeline,
       update_pipeline,
       remove_pipeline},
      {"AWS::CodeBuild::Project",
       {{"Name", Kind::text, Change::replace},
        {"Source"},
        {"Environment"},
        {"TimeoutInMinutes", Kind::integer},
        {"Description", Kind::text},
        {"ServiceRole", Kind::text, Change::left_out, kOwnRole},
        {"Artifacts", Kind::any, Change::left_out, "the pipeline says where they go"},
        {"Cache", Kind::any, Change::left_out, "each build begins with an empty directory"},
        {"EncryptionKey", Kind::text, Change::left_out, kNoKms},
        {"Tags", Kind::any, Change::left_out, "projects have no tags"}},
       "Name",
       resource_name,
       find_project,
       create_project,
       update_project,
       remove_project},
  };
}

}  // namespace andon::api
