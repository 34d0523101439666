// SPDX-License-Identifier: Apache-2.0
// Versions and aliases.
#include "api/states/rows.hpp"

namespace andon::api::states {
namespace {

using workflow::MachineAlias;
using workflow::Route;

std::string text_of(const json::object& input, std::string_view key) {
  return maybe_text(input, key).value_or("");
}

std::vector<Route> read_routes(const json::object& input) {
  std::vector<Route> routes;
  for (const json::value& one : input.at("routingConfiguration").as_array()) {
    if (!one.is_object()) {
      throw ServiceError(400, "SerializationException", "a route must be an object");
    }
    const json::object& route = one.get_object();
    check_members(route, {needed(arn("stateMachineVersionArn")), needed(number("weight", 0, 100))});
    routes.push_back(
        {text_of(route, "stateMachineVersionArn"), route.at("weight").to_number<std::int64_t>()});
  }
  return routes;
}

json::value publish(const Service& service, const json::object& input) {
  const auto published = service.workflow.machines().publish(text_of(input, "stateMachineArn"),
                                                             maybe_text(input, "revisionId"),
                                                             text_of(input, "description"));
  return json::object{{"creationDate", seconds(published.created)},
                      {"stateMachineVersionArn", published.arn}};
}

json::value delete_version(const Service& service, const json::object& input) {
  service.workflow.machines().delete_version(text_of(input, "stateMachineVersionArn"));
  return json::object();
}

json::value list_versions(const Service& service, const json::object& input) {
  const auto listed = service.workflow.machines().list_versions(
      text_of(input, "stateMachineArn"), read_page(service, "ListStateMachineVersions", input));
  json::array versions;
  for (const auto& version : listed.items) {
    versions.push_back(json::object{{"stateMachineVersionArn", version.arn},
                                    {"creationDate", seconds(version.created)}});
  }
  json::object output{{"stateMachineVersions", std::move(versions)}};
  put_next(service, "ListStateMachineVersions", output, listed.next);
  return output;
}

json::value create_alias(const Service& service, const json::object& input) {
  const MachineAlias alias = service.workflow.machines().create_alias(
      text_of(input, "name"), text_of(input, "description"), read_routes(input));
  return json::object{{"stateMachineAliasArn", alias.arn},
                      {"creationDate", seconds(alias.created)}};
}

json::value update_alias(const Service& service, const json::object& input) {
  std::optional<std::vector<Route>> routes;
  if (const auto* given = input.if_contains("routingConfiguration"); given && !given->is_null()) {
    routes = read_routes(input);
  }
  return json::object{{"updateDate", seconds(service.workflow.machines().update_alias(
                                         text_of(input, "stateMachineAliasArn"),
                                         maybe_text(input, "description"), routes))}};
}

json::value describe_alias(const Service& service, const json::object& input) {
  const MachineAlias alias =
      service.workflow.machines().describe_alias(text_of(input, "stateMachineAliasArn"));
  json::array routes;
  for (const Route& route : alias.routes) {
    routes.push_back(
        json::object{{"stateMachineVersionArn", route.version_arn}, {"weight", route.weight}});
  }
  json::object output{{"stateMachineAliasArn", alias.arn},
                      {"name", alias.name},
                      {"routingConfiguration", std::move(routes)},
                      {"creationDate", seconds(alias.created)},
                      {"updateDate", seconds(alias.updated)}};
  put_unless_empty(output, "description", alias.description);
  return output;
}

json::value delete_alias(const Service& service, const json::object& input) {
  service.workflow.machines().delete_alias(text_of(input, "stateMachineAliasArn"));
  return json::object();
}

json::value list_aliases(const Service& service, const json::object& input) {
  const auto listed = service.workflow.machines().list_aliases(
      text_of(input, "stateMachineArn"), read_page(service, "ListStateMachineAliases", input));
  json::array aliases;
  for (const MachineAlias& alias : listed.items) {
    aliases.push_back(json::object{{"stateMachineAliasArn", alias.arn},
                                   {"creationDate", seconds(alias.created)}});
  }
  json::object output{{"stateMachineAliases", std::move(aliases)}};
  put_next(service, "ListStateMachineAliases", output, listed.next);
  return output;
}

}  // namespace

std::vector<Operation> version_rows(const Service& service) {
  const MemberRule machine = needed(arn("stateMachineArn"));
  const MemberRule alias = needed(arn("stateMachineAliasArn"));
  const MemberRule description = text("description", 0, 256);
  const MemberRule routes = list_rule("routingConfiguration", 1, 2);
  return {row(service, "PublishStateMachineVersion",
              {machine, text("revisionId", 0, 256), description}, publish),
          row(service, "DeleteStateMachineVersion", {needed(arn("stateMachineVersionArn", 2000))},
              delete_version),
          row(service, "ListStateMachineVersions", with_page({machine}), list_versions),
          row(service, "CreateStateMachineAlias",
              {needed(name_rule()), description, needed(routes)}, create_alias),
          row(service, "UpdateStateMachineAlias", {alias, description, routes}, update_alias),
          row(service, "DescribeStateMachineAlias", {alias}, describe_alias),
          row(service, "DeleteStateMachineAlias", {alias}, delete_alias),
          row(service, "ListStateMachineAliases", with_page({machine}), list_aliases)};
}

}  // namespace andon::api::states
