// SPDX-License-Identifier: Apache-2.0
#include "api/stacks/types/pipeline_definition.hpp"

#include <algorithm>

#include "api/stacks/types/resource_type.hpp"
#include "base/error/error.hpp"
#include "recipe/reader/json_or_yaml.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kJob = "arn:andon:states:::job:run.sync";
constexpr std::size_t kMostActions = 100;

struct Action {
  PipelineAction named;
  std::int64_t order = 1;
  std::string category;
  std::string provider;
  const json::value* configuration = nullptr;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
};

[[noreturn]] void refuse(const PipelineAction& action, const std::string& why) {
  throw Error(ErrorCode::unsupported, "Stages." + action.stage + "." + action.name + ": " + why);
}

const json::array& list_in(const json::value& object, std::string_view name) {
  static const json::array kNone;
  const auto* list = member(object, name);
  return list != nullptr && list->is_array() ? list->get_array() : kNone;
}

std::vector<std::string> names_in(const json::value& object, std::string_view name) {
  std::vector<std::string> names;
  for (const json::value& one : list_in(object, name)) names.push_back(member_text(one, "Name"));
  return names;
}

std::vector<Action> actions_of(const json::object& pipeline) {
  std::vector<Action> actions;
  const json::value whole(pipeline);
  const auto* stages = pipeline.if_contains("Stages");
  if (stages == nullptr || !stages->is_array()) {
    throw Error(ErrorCode::invalid_argument, "Stages: is missing");
  }
  for (const json::value& stage : stages->get_array()) {
    std::vector<Action> own;
    for (const json::value& one : list_in(stage, "Actions")) {
      Action action;
      action.named.stage = member_text(stage, "Name");
      action.named.name = member_text(one, "Name");
      action.named.state = action.named.stage + "/" + action.named.name;
      if (const auto* order = member(one, "RunOrder"); order != nullptr && order->is_int64()) {
        action.order = order->get_int64();
      }
      if (const auto* type = member(one, "ActionTypeId")) {
        action.category = member_text(*type, "Category");
        action.provider = member_text(*type, "Provider");
      }
      action.configuration = member(one, "Configuration");
      action.inputs = names_in(one, "InputArtifacts");
      action.outputs = names_in(one, "OutputArtifacts");
      own.push_back(std::move(action));
    }
    std::ranges::stable_sort(own, {}, &Action::order);
    std::ranges::move(own, std::back_inserter(actions));
  }
  if (actions.empty() || actions.size() > kMostActions) {
    throw Error(ErrorCode::invalid_argument, "Stages: a pipeline has 1 to 100 actions");
  }
  return actions;
}

json::object job(json::object parameters) {
  return {{"Type", "Task"},
          {"Resource", kJob},
          {"Parameters", std::move(parameters)},
          {"Retry",
           json::array{json::object{{"ErrorEquals", json::array{"Job.Lost"}}, {"MaxAttempts", 2}}}},
          {"ResultPath", nullptr}};
}

// Variables as the two places of a project have them.
void add_variables(const json::value* list, json::object& environment) {
  if (list == nullptr || !list->is_array()) return;
  for (const json::value& one : list->get_array()) {
    environment[member_text(one, "Name")] = member_text(one, "Value");
  }
}

// The commands of a buildspec, phase by phase, and what it gives away.
std::string script_of(const json::value& spec) {
  std::string script = "python3 -m zipfile -e input.zip source\ncd source\n";
  const auto* phases = member(spec, "phases");
  for (const char* phase : {"install", "pre_build", "build", "post_build"}) {
    const auto* one = phases == nullptr ? nullptr : member(*phases, phase);
    if (one == nullptr) continue;
    for (const std::string& command : texts(member(*one, "commands"))) script += command + "\n";
  }
  const auto* artifacts = member(spec, "artifacts");
  const auto files = texts(artifacts == nullptr ? nullptr : member(*artifacts, "files"));
  const std::string base = artifacts == nullptr ? "" : member_text(*artifacts, "base-directory");
  if (!base.empty()) script += "cd '" + base + "'\n";
  const bool is_all = files.empty() || std::ranges::find(files, "**/*") != files.end();
  std::string what = is_all ? " *" : "";
  for (const std::string& file : files) {
    if (!is_all) what += " " + file;
  }
  return script + "python3 -m zipfile -c /job/output.zip" + what + "\n";
}

class Translation {
 public:
  Translation(std::string name, const json::object& pipeline, std::string machines)
      : name_(std::move(name)), machines_(std::move(machines)) {
    const auto* store = pipeline.if_contains("ArtifactStore");
    bucket_ = store == nullptr ? "" : member_text(*store, "Location");
  }

  json::object state_of(const Action& action) const {
    const std::string kind = action.category + "/" + action.provider;
    if (kind == "Source/S3") return copy(action);
    if (kind == "Source/CodeCommit" || kind == "Source/CodeStarSourceConnection" ||
        kind == "Source/GitHub" || kind == "Source/Git") {
      return checkout(action);
    }
    if (kind == "Build/CodeBuild" || kind == "Test/CodeBuild") return build(action);
    if (kind == "Invoke/StepFunctions" || kind == "Deploy/StepFunctions") return invoke(action);
    refuse(action.named, "this server has no action " + kind +
                             "; there are Source with S3 or git, Build with CodeBuild, Invoke with "
                             "StepFunctions");
  }

 private:
  std::string setting(const Action& action, std::string_view name) const {
    return action.configuration == nullptr ? "" : member_text(*action.configuration, name);
  }
  std::string required(const Action& action, std::string_view name) const {
    std::string text = setting(action, name);
    if (text.empty()) refuse(action.named, "Configuration." + std::string(name) + " is missing");
    return text;
  }

  // Where an artifact lies, as an intrinsic function: the key has the execution's name in it.
  std::string key(const std::string& artifact) const {
    return "States.Format('" + name_ + "/{}/" + artifact + ".zip', $$.Execution.Name)";
  }
  json::object place(const Action& action, const std::string& artifact) const {
    if (bucket_.empty()) refuse(action.named, "the pipeline has no ArtifactStore.Location");
    return {{"Bucket", bucket_}, {"Key.$", key(artifact)}};
  }
  std::string only_output(const Action& action) const {
    if (action.outputs.size() != 1) refuse(action.named, "must have one output artifact");
    return action.outputs.front();
  }

  json::object copy(const Action& action) const {
    json::object parameters = place(action, only_output(action));
    parameters["CopySource"] = required(action, "S3Bucket") + "/" + required(action, "S3ObjectKey");
    return {{"Type", "Task"},
            {"Resource", "arn:aws:states:::aws-sdk:s3:copyObject"},
            {"Parameters", std::move(parameters)},
            {"ResultPath", nullptr}};
  }

  json::object checkout(const Action& action) const {
    const std::string url = setting(action, "RepositoryUrl");
    if (url.empty()) {
      refuse(action.named,
             "Configuration.RepositoryUrl says where the repository is: there is no "
             "connection to " +
                 action.provider + " here");
    }
    std::string branch = setting(action, "BranchName");
    if (branch.empty()) branch = setting(action, "Branch");
    json::object parameters{
        {"Command",
         json::array{"sh", "-ec",
                     "git clone --quiet --depth 1 ${BRANCH:+--branch \"$BRANCH\"} \"$URL\" source\n"
                     "git -C source archive --format=zip -o /job/source.zip HEAD\n"
                     "printf '{\"commit\":\"%s\"}' \"$(git -C source rev-parse HEAD)\" "
                     "> \"$ANDON_RESULT_FILE\"\n"}},
        {"Environment", {{"URL", url}, {"BRANCH", branch}, {"GIT_TERMINAL_PROMPT", "0"}}},
        {"Outputs", {{"source.zip", place(action, only_output(action))}}}};
    if (url.starts_with("https://")) parameters["Ports"] = json::array{443};
    if (url.starts_with("ssh://")) parameters["Ports"] = json::array{22};
    return job(std::move(parameters));
  }

  json::object build(const Action& action) const {
    if (action.inputs.empty()) refuse(action.named, "has no input artifact");
    const std::string made =
        action.outputs.empty() ? action.named.stage + "-" + action.named.name : only_output(action);
    return {
        {"Type", "Task"},
        {"Resource", "arn:aws:states:::states:startExecution.sync:2"},
        {"Parameters",
         {{"StateMachineArn", machines_ + project_machine(required(action, "ProjectName"))},
          {"Input",
           {{"Input", place(action, action.inputs.front())}, {"Output", place(action, made)}}}}},
        {"ResultPath", nullptr}};
  }

  json::object invoke(const Action& action) const {
    json::object parameters{{"StateMachineArn", required(action, "StateMachineArn")}};
    if (setting(action, "InputType") == "FilePath") {
      refuse(action.named, "InputType FilePath: give the input as it is (Literal)");
    }
    const std::string input = setting(action, "Input");
    if (!input.empty()) parameters["Input"] = base::parse_json(input, "Configuration.Input");
    return {{"Type", "Task"},
            {"Resource", "arn:aws:states:::states:startExecution.sync:2"},
            {"Parameters", std::move(parameters)},
            {"ResultPath", nullptr}};
  }

  const std::string name_;
  const std::string machines_;
  std::string bucket_;
};

}  // namespace

std::vector<PipelineAction> pipeline_actions(const json::object& pipeline) {
  std::vector<PipelineAction> named;
  for (const Action& action : actions_of(pipeline)) named.push_back(action.named);
  return named;
}

std::string pipeline_machine(const std::string& pipeline) {
  return "pipeline-" + pipeline;
}

std::string project_machine(const std::string& project) {
  return "build-" + project;
}

std::string project_definition(const std::string& name, const json::object& project) {
  const json::value whole(project);
  const auto* source = member(whole, "Source");
  const std::string text = source == nullptr ? "" : member_text(*source, "BuildSpec");
  const bool is_inline = text.starts_with("{") || text.find('\n') != std::string::npos;
  if (!is_inline) {
    throw Error(ErrorCode::unsupported,
                "Source.BuildSpec: the project " + name +
                    " has no buildspec in the template; one in the repository is not looked for");
  }
  const json::value spec = recipe::parse_json_or_yaml(text, "the buildspec of " + name);
  json::object environment;
  if (const auto* given = member(whole, "Environment")) {
    add_variables(member(*given, "EnvironmentVariables"), environment);
  }
  const auto* env = member(spec, "env");
  const auto* variables = env == nullptr ? nullptr : member(*env, "variables");
  if (variables != nullptr && variables->is_object()) {
    for (const auto& [key, value] : variables->get_object()) {
      environment[key] = document_text(value);
    }
  }
  const auto place = [](const std::string& of) {
    return json::object{{"Bucket.$", "$." + of + ".Bucket"}, {"Key.$", "$." + of + ".Key"}};
  };
  json::object parameters{{"Command", json::array{"sh", "-ec", script_of(spec)}},
                          {"Environment", std::move(environment)},
                          {"Inputs", {{"input.zip", place("Input")}}},
                          {"Outputs", {{"output.zip", place("Output")}}}};
  if (const auto* timeout = member(whole, "TimeoutInMinutes");
      timeout != nullptr && timeout->is_int64()) {
    parameters["TimeoutSeconds"] = timeout->get_int64() * 60;
  }
  json::object state = job(std::move(parameters));
  state["End"] = true;
  return base::to_text(json::object{{"Comment", "The project " + name},
                                    {"StartAt", "Build"},
                                    {"States", {{"Build", std::move(state)}}}});
}

std::string pipeline_definition(const std::string& name, const json::object& pipeline,
                                const std::string& machines) {
  const auto actions = actions_of(pipeline);
  const Translation translation(name, pipeline, machines);
  json::object states;
  for (std::size_t i = 0; i < actions.size(); ++i) {
    json::object state = translation.state_of(actions[i]);
    if (i + 1 < actions.size()) {
      state["Next"] = actions[i + 1].named.state;
    } else {
      state["End"] = true;
    }
    states[actions[i].named.state] = std::move(state);
  }
  return base::to_text(json::object{{"Comment", "The pipeline " + name},
                                    {"StartAt", actions.front().named.state},
                                    {"States", std::move(states)}});
}

}  // namespace andon::api
