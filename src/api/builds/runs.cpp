// SPDX-License-Identifier: Apache-2.0
// Builds: start, stop, read, list.
#include <algorithm>
#include <map>

#include "api/builds/codebuild.hpp"
#include "api/constraints/constraints.hpp"
#include "api/constraints/rows.hpp"
#include "api/table/caller_name.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"

namespace andon::api::codebuild {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;
using builds::Build;
using builds::Builds;

constexpr std::size_t kPage = 100;
constexpr std::size_t kMostIds = 100;

json::object describe(const BuildOperationParts& parts, const Build& build) {
  json::object output = parts.runner.describe(build);
  output.erase("artifactsWanted");
  output.erase("memoryMiB");
  output["id"] = build.project + ":" + build.id;
  output["arn"] = builds::build_arn(parts.arns, build);
  output["buildNumber"] = build.number;
  output["projectName"] = build.project;
  output["startTime"] = base::to_epoch_seconds(build.started);
  output["buildStatus"] = build.status;
  output["buildComplete"] = build.is_over();
  if (build.ended) output["endTime"] = base::to_epoch_seconds(*build.ended);
  json::object logs;
  const std::string group = record_text(build.record, "logs", "groupName");
  logs["groupName"] = group;
  logs["streamName"] = stream_of(build);
  logs["cloudWatchLogsArn"] = parts.arns.log_group(group) + ":log-stream:" + stream_of(build);
  logs["cloudWatchLogs"] = json::object{{"status", "ENABLED"}};
  output["logs"] = std::move(logs);
  return output;
}

// What StartBuild says replaces what the project says.
json::object with_overrides(const json::object& config, const json::object& input) {
  json::object wanted;
  const auto part = [&](std::string_view member) -> json::object& {
    if (!wanted.contains(member)) {
      const auto* own = config.if_contains(member);
      wanted[member] = own != nullptr && own->is_object() ? *own : json::value(json::object());
    }
    return wanted[member].as_object();
  };
  const auto take = [&](std::string_view from, std::string_view to, std::string_view inner) {
    const auto* value = input.if_contains(from);
    if (value == nullptr || value->is_null()) return;
    if (inner.empty()) {
      wanted[to] = *value;
    } else {
      part(to)[inner] = *value;
    }
  };
  (void)part("source");
  (void)part("artifacts");
  (void)part("environment");
  (void)part("logsConfig");
  // Another kind of source has another place.
  const auto* type = input.if_contains("sourceTypeOverride");
  if (type != nullptr && type->is_string() &&
      type->get_string() != record_text(config, "source", "type")) {
    part("source").erase("location");
    part("source").erase("auth");
  }
  take("sourceTypeOverride", "source", "type");
  take("sourceLocationOverride", "source", "location");
  take("sourceAuthOverride", "source", "auth");
  take("gitCloneDepthOverride", "source", "gitCloneDepth");
  take("buildspecOverride", "source", "buildspec");
  take("artifactsOverride", "artifacts", "");
  take("logsConfigOverride", "logsConfig", "");
  take("environmentTypeOverride", "environment", "type");
  take("imageOverride", "environment", "image");
  take("computeTypeOverride", "environment", "computeType");
  for (const auto* member : {"serviceRole", "timeoutInMinutes", "sourceVersion"}) {
    if (const auto* own = config.if_contains(member)) wanted[member] = *own;
  }
  take("serviceRoleOverride", "serviceRole", "");
  take("timeoutInMinutesOverride", "timeoutInMinutes", "");
  take("sourceVersion", "sourceVersion", "");
  if (const auto* given = input.if_contains("environmentVariablesOverride");
      given != nullptr && given->is_array()) {
    // By name; those that are not named stay.
    json::array variables = read_variables(given->get_array(), "environmentVariablesOverride");
    json::array kept;
    const auto* own = part("environment").if_contains("environmentVariables");
    for (const json::value& one :
         own != nullptr && own->is_array() ? own->get_array() : json::array()) {
      const bool is_named = std::ranges::any_of(variables, [&one](const json::value& other) {
        return other.at("name") == one.at("name");
      });
      if (!is_named) kept.push_back(one);
    }
    for (json::value& one : variables) kept.push_back(std::move(one));
    part("environment")["environmentVariables"] = std::move(kept);
  }
  return wanted;
}

std::int64_t memory_of(const std::string& compute) {
  const std::map<std::string, std::int64_t> mebibytes = {{"BUILD_GENERAL1_SMALL", 4'096},
                                                         {"BUILD_GENERAL1_MEDIUM", 8'192},
                                                         {"BUILD_GENERAL1_LARGE", 16'384},
                                                         {"BUILD_GENERAL1_XLARGE", 65'536},
                                                         {"BUILD_GENERAL1_2XLARGE", 131'072}};
  const auto found = mebibytes.find(compute);
  return found == mebibytes.end() ? mebibytes.at("BUILD_GENERAL1_SMALL") : found->second;
}

json::value start(const BuildOperationParts& parts, const OperationContext& context) {
  const json::object& input = context.input;
  check_members(input, {rules::text("idempotencyToken", 0, 256),
                        rules::number("timeoutInMinutesOverride", 5, 2'160),
                        rules::text("sourceVersion", 0, 255)});
  const std::string name = builds::project_name(required_text(input, "projectName"));
  const auto project = parts.builds.find(name);
  if (!project) {
    throw Error(ErrorCode::not_found, "Project cannot be found: " + name.substr(0, 200));
  }
  const json::object merged = with_overrides(project->config, input);
  json::object wanted = read_project(parts.runner, merged);
  check_project(parts.runner, wanted);
  if (record_text(wanted, "source", "type") == "CODEPIPELINE") {
    throw Error(ErrorCode::invalid_argument,
                "Project source type CODEPIPELINE: a build of it is started with "
                "sourceTypeOverride S3, sourceLocationOverride and artifactsOverride");
  }
  if (input.contains("serviceRoleOverride")) {
    require_pass_role(parts.authorizer, context.caller, Protocol::aws_json_1_1,
                      required_text(wanted, "serviceRole"), control::kBuildsService,
                      builds::project_arn(parts.arns, name));
  }
  json::object record;
  for (const auto* member :
       {"source", "environment", "serviceRole", "timeoutInMinutes", "sourceVersion"}) {
    if (const auto* value = wanted.if_contains(member)) record[member] = *value;
  }
  json::object artifacts = wanted["artifacts"].as_object();
  if (!artifacts.contains("name") && record_text(wanted, "artifacts", "type") == "S3") {
    artifacts["name"] = name;
  }
  const std::string bucket = text_or_empty(artifacts, "location");
  record["artifacts"] = bucket.empty() ? json::object{{"location", ""}}
                                       : json::object{{"location", "arn:aws:s3:::" + bucket}};
  record["artifactsWanted"] = std::move(artifacts);
  record["memoryMiB"] = memory_of(record_text(wanted, "environment", "computeType"));
  record["queuedTimeoutInMinutes"] = 480;
  record["cache"] = json::object{{"type", "NO_CACHE"}};
  record["encryptionKey"] = "alias/aws/s3";
  record["initiator"] = name_of(parts.authorizer, context.caller);
  record["currentPhase"] = "QUEUED";
  record["phases"] = json::array();
  const auto* logs = wanted.if_contains("logsConfig");
  const json::object* config = logs == nullptr ? nullptr : logs->if_object();
  std::string group;
  std::string stream;
  if (config != nullptr) {
    group = record_text(*config, "cloudWatchLogs", "groupName");
    stream = record_text(*config, "cloudWatchLogs", "streamName");
  }
  if (group.empty()) group = "/aws/codebuild/" + name;
  record["logs"] = json::object{{"groupName", group}, {"streamPrefix", stream}};
  const auto limit = optional_number(project->config, "concurrentBuildLimit").value_or(0);
  const auto [build, is_new] =
      parts.builds.start({.project = name,
                          .record = std::move(record),
                          .token = text_or_empty(input, "idempotencyToken"),
                          .most_at_once = std::max<std::int64_t>(0, limit)});
  // Also one whose order a crash has kept from being made.
  if (!build.is_over()) parts.runner.order(build);
  return json::object{{"build", describe(parts, build)}};
}

std::string required_id(const std::string& text) {
  const auto id = builds::build_id(text);
  if (!id) {
    throw Error(ErrorCode::invalid_argument,
                "Invalid build ID: " + text.substr(0, 200) + " (PROJECT:UUID is one)");
  }
  return *id;
}

json::value stop(const BuildOperationParts& parts, const OperationContext& context) {
  const std::string id = required_id(required_text(context.input, "id"));
  const auto build = parts.runner.stop(id);
  if (!build) throw Error(ErrorCode::not_found, "Build cannot be found: " + id);
  return json::object{{"build", describe(parts, *build)}};
}

json::value get(const BuildOperationParts& parts, const OperationContext& context) {
  const auto ids = text_list(context.input, "ids");
  if (ids.empty() || ids.size() > kMostIds) {
    throw Error(ErrorCode::invalid_argument, "ids: must be 1 to 100");
  }
  json::array found;
  json::array missing;
  for (const std::string& one : ids) {
    const auto id = builds::build_id(one);
    const auto build = id ? parts.builds.find_build(*id) : std::nullopt;
    if (build) {
      found.push_back(describe(parts, *build));
    } else {
      missing.emplace_back(one);
    }
  }
  return json::object{{"builds", std::move(found)}, {"buildsNotFound", std::move(missing)}};
}

json::value list_of(const BuildOperationParts& parts, const json::object& input,
                    const std::string& project) {
  const std::string order = word_or_empty(input, "sortOrder", {"ASCENDING", "DESCENDING"});
  std::string after;
  if (const std::string token = text_or_empty(input, "nextToken"); !token.empty()) {
    const auto read = from_page_token(token);
    if (!read) throw Error(ErrorCode::invalid_argument, "nextToken: is not one that was given");
    after = *read;
  }
  const auto page = parts.builds.list_builds(
      project, order == "ASCENDING" ? Builds::Order::ascending : Builds::Order::descending, after,
      kPage);
  json::object output{{"ids", to_array(page.names)}};
  put_next(output, page.next);
  return output;
}

json::value list(const BuildOperationParts& parts, const OperationContext& context) {
  return list_of(parts, context.input, {});
}

json::value list_for_project(const BuildOperationParts& parts, const OperationContext& context) {
  return list_of(parts, context.input,
                 builds::project_name(required_text(context.input, "projectName")));
}

}  // namespace

std::vector<Operation> run_rows(const BuildOperationParts& parts) {
  const auto row = [&parts](std::string_view name, auto work) {
    return json_row({"codebuild"}, name, parts, work);
  };
  return {row("StartBuild", start), row("StopBuild", stop), row("BatchGetBuilds", get),
          row("ListBuilds", list), row("ListBuildsForProject", list_for_project)};
}

}  // namespace andon::api::codebuild
