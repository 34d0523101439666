// SPDX-License-Identifier: Apache-2.0
#include "api/sagemaker/aliases.hpp"

#include <functional>

#include "api/constraints/rows.hpp"
#include "api/table/caller_name.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using control::ModelAliases;

constexpr PageLimits kMoves{.standard = 50, .maximum = 100};

json::object told(const control::ModelAlias& alias) {
  return {{"modelName", alias.group},
          {"alias", alias.name},
          {"version", alias.version},
          {"movedAt", base::to_iso8601(alias.moved)}};
}

control::AliasChange read_change(const Authorizer* authorizer, const OperationContext& context) {
  return {.group = required_text(context.input, "modelName"),
          .alias = required_text(context.input, "alias"),
          .expected = optional_number(context.input, "expectedVersion"),
          .by = name_of(authorizer, context.caller),
          .note = text_or_empty(context.input, "note")};
}

json::value put(const Authorizer* authorizer, ModelAliases& aliases,
                const OperationContext& context) {
  control::AliasChange change = read_change(authorizer, context);
  const auto version = optional_number(context.input, "version");
  if (!version || *version < 1) {
    throw Error(ErrorCode::invalid_argument, "version: must be a whole number from 1 on");
  }
  change.version = *version;
  return told(aliases.move(change));
}

json::value remove(const Authorizer* authorizer, ModelAliases& aliases,
                   const OperationContext& context) {
  (void)aliases.move(read_change(authorizer, context));
  return json::object();
}

json::value get(ModelAliases& aliases, const OperationContext& context) {
  const std::string group = required_text(context.input, "modelName");
  const std::string name = required_text(context.input, "alias");
  const auto alias = aliases.find(group, name);
  if (!alias) {
    throw Error(ErrorCode::not_found, group + " has no alias " + name.substr(0, 63));
  }
  return told(*alias);
}

json::value list(ModelAliases& aliases, const OperationContext& context) {
  json::array all;
  for (const auto& alias : aliases.list(required_text(context.input, "modelName"))) {
    all.push_back(told(alias));
  }
  return json::object{{"aliases", std::move(all)}};
}

json::value list_moves(ModelAliases& aliases, const OperationContext& context) {
  const auto page =
      aliases.moves(required_text(context.input, "modelName"),
                    text_or_empty(context.input, "alias"), read_page(context.input, kMoves));
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
  using Work = json::value (*)(ModelAliases&, const OperationContext&);
  const auto row = [&aliases](std::string_view name, std::string_view method, std::string_view path,
                              Work work) {
    return own_row(name, method, path, std::ref(aliases), work);
  };
  const auto move = [&](std::string_view name, std::string_view method, std::string_view path,
                        auto work) {
    return own_row(name, method, path, std::ref(aliases), std::bind_front(work, authorizer));
  };
  constexpr std::string_view kAlias = "/andon/v1/models/{modelName}/aliases/{alias}";
  return {
      move("PutModelAlias", "PUT", kAlias, put), row("GetModelAlias", "GET", kAlias, get),
      move("DeleteModelAlias", "DELETE", kAlias, remove),
      row("ListModelAliases", "GET", "/andon/v1/models/{modelName}/aliases", list),
      row("ListModelAliasMoves", "GET", "/andon/v1/models/{modelName}/alias-moves", list_moves)};
}

}  // namespace andon::api
