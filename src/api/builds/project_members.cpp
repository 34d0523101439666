// SPDX-License-Identifier: Apache-2.0
// What may be said of a project.
#include <algorithm>
#include <array>

#include "api/builds/codebuild.hpp"
#include "api/constraints/constraints.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json_members.hpp"
#include "base/text/ascii.hpp"
#include "builds/spec/buildspec.hpp"
#include "control/logs/logs.hpp"

namespace andon::api::codebuild {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostVariables = 200;

Error wrong(const std::string& message) {
  return Error(ErrorCode::invalid_argument, message);
}

bool is_git(std::string_view type) {
  constexpr std::array kTypes = {"GITHUB", "GITHUB_ENTERPRISE", "GITLAB", "GITLAB_SELF_MANAGED",
                                 "BITBUCKET"};
  return std::ranges::find(kTypes, type) != kTypes.end();
}

json::object read_source(const BuildRunner& runner, const json::object& given) {
  const std::string type = text_or_empty(given, "type");
  if (type == "CODECOMMIT") {
    throw wrong("source.type: there is no CodeCommit here; GITHUB is any repository by its URL");
  }
  if (type != "NO_SOURCE" && type != "S3" && type != "CODEPIPELINE" && !is_git(type)) {
    throw wrong(
        "Invalid project source: source type must be one of NO_SOURCE, S3, CODEPIPELINE, "
        "GITHUB, GITHUB_ENTERPRISE, GITLAB, GITLAB_SELF_MANAGED, BITBUCKET");
  }
  json::object source{{"type", type}};
  const std::string location = text_or_empty(given, "location");
  if (is_git(type)) (void)runner.git().check(location);
  if (type == "S3" && location.find('/') == std::string::npos) {
    throw wrong("Invalid project source: location must be BUCKET/KEY for S3");
  }
  put_unless_empty(source, "location", location);
  const std::string spec = text_or_empty(given, "buildspec");
  if (is_inline(spec)) {
    (void)builds::parse_buildspec(spec);
  } else if (type == "NO_SOURCE") {
    throw wrong(
        "Invalid project source: a NO_SOURCE source must have its buildspec in it "
        "(source.buildspec)");
  } else if (spec.starts_with("arn:")) {
    throw wrong("source.buildspec: must be the text itself or a path in the source");
  }
  put_unless_empty(source, "buildspec", spec);
  if (const auto depth = optional_number(given, "gitCloneDepth")) {
    if (*depth < 0 || *depth > 1'000'000) throw wrong("source.gitCloneDepth: must not be negative");
    source["gitCloneDepth"] = *depth;
  }
  if (const auto* auth = base::object_at(given, "auth")) {
    if (text_or_empty(*auth, "type") != "SECRETS_MANAGER" || !is_git(type)) {
      throw wrong(
          "source.auth.type: must be SECRETS_MANAGER, with the secret as resource, of a "
          "repository");
    }
    source["auth"] =
        json::object{{"type", "SECRETS_MANAGER"}, {"resource", required_text(*auth, "resource")}};
  }
  if (flag(given, "insecureSsl")) throw wrong("source.insecureSsl: is not supported");
  if (flag(given, "reportBuildStatus")) throw wrong("source.reportBuildStatus: is not supported");
  return source;
}

json::object read_artifacts(const json::object& given) {
  const std::string type = word_or_empty(given, "type", {"NO_ARTIFACTS", "S3", "CODEPIPELINE"});
  json::object artifacts{{"type", type}};
  if (type == "S3" && text_or_empty(given, "location").empty()) {
    throw wrong("Invalid artifacts: location, a bucket, is missing");
  }
  (void)word_or_empty(given, "namespaceType", {"NONE", "BUILD_ID"});
  (void)word_or_empty(given, "packaging", {"NONE", "ZIP"});
  for (const auto* member : {"location", "path", "namespaceType", "name", "packaging"}) {
    put_unless_empty(artifacts, member, text_or_empty(given, member));
  }
  if (flag(given, "overrideArtifactName")) {
    throw wrong("artifacts.overrideArtifactName: is not supported; name it in the project");
  }
  if (given.contains("encryptionDisabled")) {
    artifacts["encryptionDisabled"] = flag(given, "encryptionDisabled");
  }
  return artifacts;
}

json::object read_environment(const json::object& given) {
#if defined(__aarch64__)
  constexpr std::string_view kType = "ARM_CONTAINER";
#else
  constexpr std::string_view kType = "LINUX_CONTAINER";
#endif
  const std::string type = text_or_empty(given, "type");
  if (type != kType && type != "LINUX_GPU_CONTAINER") {
    throw wrong("environment.type: builds run on this machine, which is " + std::string(kType));
  }
  const std::string image = text_or_empty(given, "image");
  if (!image.starts_with("aws/codebuild/")) {
    throw wrong(
        "environment.image: this server runs no container images; commands run with this "
        "machine's programs, which aws/codebuild/standard:7.0 and the like stand for");
  }
  const std::string compute = text_or_empty(given, "computeType");
  constexpr std::array kTypes = {"BUILD_GENERAL1_SMALL", "BUILD_GENERAL1_MEDIUM",
                                 "BUILD_GENERAL1_LARGE", "BUILD_GENERAL1_XLARGE",
                                 "BUILD_GENERAL1_2XLARGE"};
  if (std::ranges::find(kTypes, compute) == kTypes.end()) {
    throw wrong(
        "environment.computeType: must be BUILD_GENERAL1_SMALL (4 GiB), MEDIUM (8), LARGE "
        "(16), XLARGE (64) or 2XLARGE (128)");
  }
  if (flag(given, "privilegedMode")) {
    throw wrong("environment.privilegedMode: builds have no privileges here");
  }
  json::object environment{{"type", type},
                           {"image", image},
                           {"computeType", compute},
                           {"privilegedMode", false},
                           {"environmentVariables", json::array()}};
  const std::string pull = word_or_empty(given, "imagePullCredentialsType", {"CODEBUILD"});
  put_unless_empty(environment, "imagePullCredentialsType", pull);
  if (const auto* listed = given.if_contains("environmentVariables");
      listed != nullptr && listed->is_array()) {
    environment["environmentVariables"] =
        read_variables(listed->get_array(), "environment.environmentVariables");
  }
  return environment;
}

json::object read_logs(const json::object& given) {
  json::object logs;
  if (const auto* s3 = base::object_at(given, "s3Logs")) {
    if (text_or_empty(*s3, "status") == "ENABLED") {
      throw wrong("logsConfig.s3Logs: logs are in log groups here; only DISABLED is supported");
    }
    logs["s3Logs"] = json::object{{"status", "DISABLED"}};
  }
  if (const auto* groups = base::object_at(given, "cloudWatchLogs")) {
    if (text_or_empty(*groups, "status") != "ENABLED") {
      throw wrong("logsConfig.cloudWatchLogs.status: must be ENABLED");
    }
    json::object kept{{"status", "ENABLED"}};
    if (const std::string name = text_or_empty(*groups, "groupName"); !name.empty()) {
      control::check_log_group_name(name);
      kept["groupName"] = name;
    }
    put_unless_empty(kept, "streamName", text_or_empty(*groups, "streamName"));
    logs["cloudWatchLogs"] = std::move(kept);
  }
  return logs;
}

}  // namespace

bool is_inline(std::string_view buildspec) {
  return buildspec.find('\n') != std::string_view::npos || buildspec.starts_with('{') ||
         buildspec.starts_with("version:");
}

json::array read_variables(const json::array& given, const std::string& place) {
  json::array all;
  if (given.size() > kMostVariables) throw wrong(place + ": are more than 200");
  for (const json::value& one : given) {
    if (!one.is_object()) throw wrong(place + ": must be objects");
    const json::object& variable = one.get_object();
    const std::string name = text_or_empty(variable, "name");
    if (name.empty() || !base::is_name_of(name, "_") || base::is_digit(name.front())) {
      throw wrong(place + ": '" + name.substr(0, 100) + "' is no variable's name");
    }
    std::string type =
        word_or_empty(variable, "type", {"PLAINTEXT", "PARAMETER_STORE", "SECRETS_MANAGER"});
    if (type.empty()) type = "PLAINTEXT";
    const std::string value = text_or_empty(variable, "value");
    if (value.find('\0') != std::string::npos)
      throw wrong(place + "." + name + ": has a NUL in it");
    all.push_back(json::object{{"name", name}, {"value", value}, {"type", type}});
  }
  return all;
}

json::object read_project(const BuildRunner& runner, const json::object& input) {
  check_members(input,
                {rules::text("description", 0, 255), rules::object_rule("source"),
                 rules::text("sourceVersion", 0, 255), rules::object_rule("artifacts"),
                 rules::object_rule("cache"), rules::object_rule("environment"),
                 rules::text("serviceRole", 1, 10'000), rules::number("timeoutInMinutes", 5, 2'160),
                 rules::text("encryptionKey", 1, 2'048), rules::list_rule("tags", 0, 50),
                 rules::flag_rule("badgeEnabled"), rules::object_rule("logsConfig"),
                 rules::number("concurrentBuildLimit", -1, 1'000)});
  json::object config;
  for (const auto* member : {"description", "sourceVersion", "serviceRole", "timeoutInMinutes",
                             "encryptionKey", "concurrentBuildLimit"}) {
    const auto* value = input.if_contains(member);
    if (value != nullptr) config[member] = *value;
  }
  if (const auto* given = base::object_at(input, "source"))
    config["source"] = read_source(runner, *given);
  if (const auto* given = base::object_at(input, "artifacts"))
    config["artifacts"] = read_artifacts(*given);
  if (const auto* given = base::object_at(input, "environment")) {
    config["environment"] = read_environment(*given);
  }
  if (const auto* given = base::object_at(input, "logsConfig"))
    config["logsConfig"] = read_logs(*given);
  if (const auto* given = base::object_at(input, "cache")) {
    if (text_or_empty(*given, "type") != "NO_CACHE") {
      throw wrong("cache.type: there is no cache here; only NO_CACHE is supported");
    }
    config["cache"] = json::object{{"type", "NO_CACHE"}};
  }
  if (flag(input, "badgeEnabled")) throw wrong("badgeEnabled: there are no badges here");
  const std::string key = text_or_empty(input, "encryptionKey");
  if (!key.empty() && !key.ends_with("alias/aws/s3")) {
    throw wrong("encryptionKey: there are no keys of one's own here; only alias/aws/s3");
  }
  if (const auto* tags = input.if_contains("tags"); tags != nullptr && tags->is_array()) {
    json::array kept;
    for (const json::value& one : tags->get_array()) {
      if (!one.is_object()) throw wrong("tags: must be objects");
      kept.push_back(json::object{{"key", required_text(one.get_object(), "key")},
                                  {"value", text_or_empty(one.get_object(), "value")}});
    }
    config["tags"] = std::move(kept);
  }
  return config;
}

void check_project(const BuildRunner& /*runner*/, const json::object& config) {
  const auto type_of = [&config](std::string_view member) {
    return record_text(config, member, "type");
  };
  if ((type_of("source") == "CODEPIPELINE") != (type_of("artifacts") == "CODEPIPELINE")) {
    throw wrong("Invalid project: both source and artifacts must be CODEPIPELINE, or neither");
  }
}

}  // namespace andon::api::codebuild
