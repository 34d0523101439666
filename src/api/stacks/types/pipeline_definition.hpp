// SPDX-License-Identifier: Apache-2.0
// A pipeline of CodePipeline as a state machine: its actions one after the other, each a state that
// is called "Stage/Action". Pure.
//
//   Source  S3: the object is copied to the pipeline's artifacts
//           git (CodeCommit, CodeStarSourceConnection, GitHub): a job clones
//           Configuration.RepositoryUrl
//   Build   CodeBuild: an execution of the project, whose job runs the commands of its buildspec
//   Invoke  StepFunctions: an execution, waited for
// Artifacts are <store>/<pipeline>/<execution>/<artifact>.zip.
#pragma once

#include <string>
#include <vector>

#include "base/json/json.hpp"

namespace andon::api {

namespace json = base::json;

struct PipelineAction {
  std::string stage;
  std::string name;
  std::string state;  // "Stage/Action"
};

// In the order in which they run. Throws invalid_argument, unsupported naming stage and action.
[[nodiscard]] std::vector<PipelineAction> pipeline_actions(const json::object& pipeline);
// `pipeline` has the members of AWS::CodePipeline::Pipeline; `machines` is what stands before the
// name in the ARN of a state machine. The definition's text.
[[nodiscard]] std::string pipeline_definition(const std::string& name, const json::object& pipeline,
                                              const std::string& machines);
// A project of CodeBuild (the members of AWS::CodeBuild::Project), as a state machine that builds
// {"Input": {"Bucket", "Key"}, "Output": {"Bucket", "Key"}}.
[[nodiscard]] std::string project_definition(const std::string& name, const json::object& project);

// What the state machines of pipelines and projects are called.
[[nodiscard]] std::string pipeline_machine(const std::string& pipeline);
[[nodiscard]] std::string project_machine(const std::string& project);

}  // namespace andon::api
