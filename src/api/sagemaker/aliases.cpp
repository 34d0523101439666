// SPDX-License-Identifier: Apache-2.0
#include "api/sagemaker/aliases.hpp"

#include "api/constraints/rows.hpp"
#include "api/table/known_as.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using control::ModelAliases;

struct Service {
  ModelAliases& aliases;
  const Authorizer* authorizer;
};

constexpr PageLimits kMoves{.standard = 50, .maximum = 100};

json::object told(const control::ModelAlias& alias) {
  return {{"modelName", alias.group},
          {"alias", alias.name},
          {"version", alias.version},
          {"movedAt", base::to_iso8601(alias.moved)}};
}

control::AliasChange read_change(const Service& service, const OperationContext& context) {
  return {.group = required_text(context.input, "modelName"),
          .alias = required_text(context.input, "alias"),
          .expected = optional_number(context.input, "expectedVersion"),
          .by = known_as(service.authorizer, context.caller),
          .note = text_or_empty(context.input, "note")};
}

json::value put(const Service& service, const OperationContext& context) {
  control::AliasChange change = read_change(service, context);
  const auto version = optional_number(context.input, "version");
  if (!version || *version < 1) {
    throw Error(ErrorCode::invalid_argument, "version: must be a whole number from 1 on");
  }
  change.version = *version;
  return told(service.aliases.move(change));
}

json::value remove(const Service& service, const OperationContext& context) {
  (void)service.aliases.move(read_change(service, context));
  return json::object();
}

json::value get(const Service& service, const OperationContext& context) {
  const std::string group = required_text(context.input, "modelName");
  const std::string name = required_text(context.input, "alias");
  const auto alias = service.aliases.find(group, name);
  if (!alias) {
    throw Error(ErrorCode::not_found, group + " has no alias " + name.substr(0, 63));
  }
  return told(*alias);
}

json::value list(const Service& service, const OperationContext& context) {
  json::array all;
  for (const auto& alias : service.aliases.list(required_text(context.input, "modelName"))) {
    all.push_back(told(alias));
  }
  return json::object{{"aliases", std::move(all)}};
}

json::value list_moves(const Service& service, const OperationContext& context) {
  const auto page = service.aliases.moves(required_text(context.input, "modelName"),
                                          text_or_empty(context.input, "alias"),
                                          read_page(context.input, kMoves));
  json::array moves;
  for (const control::AliasMove& one : page.items) {
    json::object move{
        {"alias", one.alias}, {"movedBy", one.by}, {"movedAt", base::to_iso8601(one.time)}};
    if (one.from != 0) move["fromVersion"] = one.from;
    if (one.to != 0) move["toVersion"] = one.to;
    put_unless_empty(move, "note", one.note);
    moves.push_back(std::move(move));
  }
  json::object output{{"moves", std::move(moves)}};
  put_next(output, page.next);
  return output;
}

}  // namespace

std::vector<Operation> model_alias_operations(ModelAliases& aliases, const Authorizer* authorizer) {
  using Work = json::value (*)(const Service&, const OperationContext&);
  const auto row = [service = Service{aliases, authorizer}](
                       std::string_view name, std::string_view method, std::string_view path,
                       Work work) { return own_row(name, method, path, service, work); };
  constexpr std::string_view kAlias = "/andon/v1/models/{modelName}/aliases/{alias}";
  return {
      row("PutModelAlias", "PUT", kAlias, put), row("GetModelAlias", "GET", kAlias, get),
      row("DeleteModelAlias", "DELETE", kAlias, remove),
      row("ListModelAliases", "GET", "/andon/v1/models/{modelName}/aliases", list),
      row("ListModelAliasMoves", "GET", "/andon/v1/models/{modelName}/alias-moves", list_moves)};
}

}  // namespace andon::api
