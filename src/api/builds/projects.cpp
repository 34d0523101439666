// SPDX-License-Identifier: Apache-2.0
// Projects: create, change, read, list, delete.
#include <algorithm>
#include <iterator>

#include "api/builds/codebuild.hpp"
#include "api/constraints/constraints.hpp"
#include "api/constraints/rows.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/text/ascii.hpp"

namespace andon::api {

std::vector<Operation> build_operations(const BuildOperationParts& parts) {
  std::vector<Operation> all = codebuild::project_rows(parts);
  std::ranges::move(codebuild::run_rows(parts), std::back_inserter(all));
  return all;
}

}  // namespace andon::api

namespace andon::api::codebuild {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;
using builds::Builds;
using builds::Project;

constexpr std::size_t kPage = 100;
constexpr std::size_t kMostNames = 100;

json::object describe(const BuildOperationParts& parts, const Project& project) {
  json::object output = project.config;
  output["name"] = project.name;
  output["arn"] = builds::project_arn(parts.arns, project.name);
  output["created"] = base::to_epoch_seconds(project.created);
  output["lastModified"] = base::to_epoch_seconds(project.modified);
  output["badge"] = json::object{{"badgeEnabled", false}};
  return output;
}

void check_role(const BuildOperationParts& parts, const Caller& caller, const std::string& name,
                const json::object& config) {
  if (!config.contains("serviceRole")) return;
  require_pass_role(parts.authorizer, caller, Protocol::aws_json_1_1,
                    required_text(config, "serviceRole"), control::kBuildsService,
                    builds::project_arn(parts.arns, name));
}

json::value create(const BuildOperationParts& parts, const OperationContext& context) {
  const json::object& input = context.input;
  const std::string name = required_text(input, "name");
  constexpr std::size_t kMostName = 150;
  if (name.size() < 2 || name.size() > kMostName || !base::is_name_of(name, "-_") ||
      !base::is_letter_or_digit(name.front())) {
    throw Error(ErrorCode::invalid_argument,
                "name: must have 2 to 150 letters, digits, '-' and '_', a letter or a digit first");
  }
  json::object config = read_project(parts.runner, input);
  for (const auto* member : {"source", "artifacts", "environment", "serviceRole"}) {
    if (!config.contains(member)) {
      throw Error(ErrorCode::invalid_argument, std::string(member) + ": is missing");
    }
  }
  check_project(parts.runner, config);
  check_role(parts, context.caller, name, config);
  const std::pair<const char*, json::value> defaults[] = {
      {"timeoutInMinutes", 60},
      {"queuedTimeoutInMinutes", 480},
      {"encryptionKey", "alias/aws/s3"},
      {"cache", json::object{{"type", "NO_CACHE"}}},
      {"tags", json::array()}};
  for (const auto& [member, value] : defaults) {
    if (!config.contains(member)) config[member] = value;
  }
  return json::object{{"project", describe(parts, parts.builds.create(name, config))}};
}

json::value change(const BuildOperationParts& parts, const OperationContext& context) {
  const std::string name = builds::project_name(required_text(context.input, "name"));
  const auto project = parts.builds.find(name);
  if (!project) {
    throw Error(ErrorCode::not_found, "Project cannot be found: " + name.substr(0, 200));
  }
  const json::object changes = read_project(parts.runner, context.input);
  json::object config = project->config;
  for (const auto& [member, value] : changes) config[member] = value;
  check_project(parts.runner, config);
  check_role(parts, context.caller, name, changes);
  return json::object{{"project", describe(parts, parts.builds.change(name, changes))}};
}

json::value get(const BuildOperationParts& parts, const OperationContext& context) {
  const auto names = text_list(context.input, "names");
  if (names.empty() || names.size() > kMostNames) {
    throw Error(ErrorCode::invalid_argument, "names: must be 1 to 100");
  }
  json::array found;
  json::array missing;
  for (const std::string& name : names) {
    if (const auto project = parts.builds.find(builds::project_name(name))) {
      found.push_back(describe(parts, *project));
    } else {
      missing.emplace_back(name);
    }
  }
  return json::object{{"projects", std::move(found)}, {"projectsNotFound", std::move(missing)}};
}

json::value remove(const BuildOperationParts& parts, const OperationContext& context) {
  parts.builds.remove(builds::project_name(required_text(context.input, "name")));
  return json::object{};
}

json::value list(const BuildOperationParts& parts, const OperationContext& context) {
  const json::object& input = context.input;
  const std::string by =
      word_or_empty(input, "sortBy", {"NAME", "CREATED_TIME", "LAST_MODIFIED_TIME"});
  const std::string order = word_or_empty(input, "sortOrder", {"ASCENDING", "DESCENDING"});
  std::string after;
  if (const std::string token = text_or_empty(input, "nextToken"); !token.empty()) {
    const auto read = from_page_token(token);
    if (!read) throw Error(ErrorCode::invalid_argument, "nextToken: is not one that was given");
    after = *read;
  }
  const auto page = parts.builds.list(
      by == "CREATED_TIME"         ? Builds::By::created
      : by == "LAST_MODIFIED_TIME" ? Builds::By::modified
                                   : Builds::By::name,
      order == "DESCENDING" ? Builds::Order::descending : Builds::Order::ascending, after, kPage);
  json::object output{{"projects", to_array(page.names)}};
  put_next(output, page.next);
  return output;
}

}  // namespace

std::vector<Operation> project_rows(const BuildOperationParts& parts) {
  const auto row = [&parts](std::string_view name, auto work) {
    return json_row({"codebuild"}, name, parts, work);
  };
  return {row("CreateProject", create), row("UpdateProject", change), row("BatchGetProjects", get),
          row("DeleteProject", remove), row("ListProjects", list)};
}

}  // namespace andon::api::codebuild
