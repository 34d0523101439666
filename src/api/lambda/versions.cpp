// SPDX-License-Identifier: Apache-2.0
// Versions and aliases.
#include <cmath>

#include "api/lambda/rows.hpp"
#include "base/error/error.hpp"

namespace andon::api::lambda {
namespace {

using base::Error;
using base::ErrorCode;
using functions::Alias;
using functions::Settings;

std::int64_t read_version(const std::string& text) {
  if (text == functions::kLatest) return functions::kLatestNumber;
  if (const auto number = functions::parse_version_number(text)) return *number;
  throw Error(
      ErrorCode::invalid_argument,
      "Value '" + text.substr(0, 128) +
          "' at 'functionVersion' failed to satisfy constraint: Member must be $LATEST or a "
          "version's number");
}

std::string label_of(std::int64_t version) {
  return version == functions::kLatestNumber ? std::string(functions::kLatest)
                                             : std::to_string(version);
}

struct Routing {
  std::optional<std::int64_t> version;
  double weight = 0;
};

Routing read_routing(const json::object& input) {
  const auto* given = input.if_contains("RoutingConfig");
  const auto* object = given == nullptr ? nullptr : given->if_object();
  const auto* weights =
      object == nullptr ? nullptr : object->if_contains("AdditionalVersionWeights");
  if (weights == nullptr || !weights->is_object()) return {};
  const auto& listed = weights->get_object();
  if (listed.size() > 1) {
    throw Error(ErrorCode::invalid_argument,
                "Number of items in AdditionalVersionWeights cannot be greater than 1");
  }
  for (const auto& [version, weight] : listed) {
    if (!weight.is_number()) {
      throw Error(ErrorCode::invalid_argument,
                  "RoutingConfig.AdditionalVersionWeights: a weight must be a number");
    }
    return {read_version(std::string(version)), weight.to_number<double>()};
  }
  return {};
}

json::object describe_alias(const LambdaParts& parts, const Alias& alias) {
  json::object output{{"AliasArn", functions::function_arn(parts.functions.registry.arns(),
                                                           alias.function, alias.name)},
                      {"Name", alias.name},
                      {"FunctionVersion", label_of(alias.version)},
                      {"Description", alias.description},
                      {"RevisionId", alias.revision}};
  if (alias.other_version) {
    json::object weights;
    weights[label_of(*alias.other_version)] = alias.other_weight;
    output["RoutingConfig"] = json::object{{"AdditionalVersionWeights", std::move(weights)}};
  }
  return output;
}

json::value publish(const LambdaParts& parts, const OperationContext& context) {
  const json::object& input = context.input;
  return describe(
      parts, parts.functions.registry.publish({.name = read_name(input),
                                               .description = maybe_text(input, "Description"),
                                               .code_sha256 = text_or_empty(input, "CodeSha256"),
                                               .revision = text_or_empty(input, "RevisionId")}));
}

json::value list_versions(const LambdaParts& parts, const OperationContext& context) {
  const ListPage page = read_marker(context.input);
  const auto found =
      parts.functions.registry.versions_of(read_name(context.input), page.after, page.limit);
  json::array versions;
  for (const auto& version : found.versions) versions.push_back(describe(parts, version));
  json::object output{{"Versions", std::move(versions)}};
  put_marker(output, found.next);
  return output;
}

json::value create_alias(const LambdaParts& parts, const OperationContext& context) {
  const json::object& input = context.input;
  const Routing routing = read_routing(input);
  return describe_alias(parts,
                        parts.functions.settings.create_alias(
                            {.function = read_name(input),
                             .name = required_text(input, "Name"),
                             .version = read_version(required_text(input, "FunctionVersion")),
                             .description = text_or_empty(input, "Description"),
                             .other_version = routing.version,
                             .other_weight = routing.weight,
                             .revision = {}}));
}

json::value get_alias(const LambdaParts& parts, const OperationContext& context) {
  return describe_alias(parts, parts.functions.settings.alias(
                                   read_name(context.input), required_text(context.input, "Name")));
}

json::value update_alias(const LambdaParts& parts, const OperationContext& context) {
  const json::object& input = context.input;
  const Routing routing = read_routing(input);
  Settings::AliasChange change{.version = std::nullopt,
                               .description = maybe_text(input, "Description"),
                               .changes_routing = input.contains("RoutingConfig"),
                               .other_version = routing.version,
                               .other_weight = routing.weight,
                               .revision = text_or_empty(input, "RevisionId")};
  if (const auto version = maybe_text(input, "FunctionVersion")) {
    change.version = read_version(*version);
  }
  return describe_alias(parts, parts.functions.settings.change_alias(
                                   read_name(input), required_text(input, "Name"), change));
}

json::value list_aliases(const LambdaParts& parts, const OperationContext& context) {
  const ListPage page = read_marker(context.input);
  std::optional<std::int64_t> version;
  if (const std::string text = text_or_empty(context.input, "FunctionVersion"); !text.empty()) {
    version = read_version(text);
  }
  const auto found =
      parts.functions.settings.aliases(read_name(context.input), version, page.after, page.limit);
  json::array aliases;
  for (const Alias& alias : found.aliases) aliases.push_back(describe_alias(parts, alias));
  json::object output{{"Aliases", std::move(aliases)}};
  put_marker(output, found.next);
  return output;
}

json::value remove_alias(const LambdaParts& parts, const OperationContext& context) {
  parts.functions.settings.remove_alias(read_name(context.input),
                                        required_text(context.input, "Name"));
  return nullptr;
}

}  // namespace

std::vector<Operation> version_rows(const Parts& parts) {
  constexpr const char* kVersions = "/2015-03-31/functions/{FunctionName}/versions";
  constexpr const char* kAliases = "/2015-03-31/functions/{FunctionName}/aliases";
  constexpr const char* kAlias = "/2015-03-31/functions/{FunctionName}/aliases/{Name}";
  const std::vector<MemberRule> described = {rules::text("Description", 0, 256)};
  std::vector<MemberRule> named = described;
  named.push_back(rules::needed(rules::text("Name", 1, 128)));
  named.push_back(rules::needed(rules::text("FunctionVersion", 1, 1'024)));
  return {row(parts, "PublishVersion", "POST", kVersions, 201, described, publish),
          row(parts, "ListVersionsByFunction", "GET", kVersions, 200, {}, list_versions),
          row(parts, "CreateAlias", "POST", kAliases, 201, named, create_alias),
          row(parts, "ListAliases", "GET", kAliases, 200, {}, list_aliases),
          row(parts, "GetAlias", "GET", kAlias, 200, {}, get_alias),
          row(parts, "UpdateAlias", "PUT", kAlias, 200, described, update_alias),
          row(parts, "DeleteAlias", "DELETE", kAlias, 204, {}, remove_alias)};
}

}  // namespace andon::api::lambda
