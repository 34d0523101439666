// SPDX-License-Identifier: Apache-2.0
// What policies would say: SimulatePrincipalPolicy, SimulateCustomPolicy, and andon's own
// ExplainAccess, which names the statement.
#include <algorithm>
#include <utility>

#include "api/iam/iam.hpp"
#include "api/iam/rows.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using control::EntityKind;
using control::Iam;
using policy::Verdict;

constexpr std::size_t kMostEvaluations = 1000;

// The user, group or role of an ARN, or of "user/eva"; not_found.
control::Entity require_entity(const Iam& iam, const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const std::string resource = colon == std::string::npos ? text : text.substr(colon + 1);
  for (const auto kind : {EntityKind::user, EntityKind::group, EntityKind::role}) {
    if (!resource.starts_with(std::string(control::to_string(kind)) + "/")) continue;
    auto entity = iam.entities.find(kind, resource.substr(resource.rfind('/') + 1));
    if (entity && (colon == std::string::npos || entity->arn == text)) return *std::move(entity);
  }
  throw Error(ErrorCode::not_found, "there is no user, group or role " + text.substr(0, 300));
}

// As a session of a role would be called, where it is one.
control::Principal as_principal(const Iam& iam, const control::Entity& entity) {
  const std::string prefix(entity.kind == EntityKind::role ? control::Principals::kRolePrefix
                                                           : control::Principals::kUserPrefix);
  const std::string session = entity.kind == EntityKind::role ? "/simulation" : "";
  auto principal = iam.principals.find(prefix + entity.id + session);
  if (principal) return *std::move(principal);
  return {.kind = control::Principal::Kind::user,
          .arn = entity.arn,
          .user_id = entity.id,
          .name = entity.name,
          .entity = entity};
}

policy::Context read_context(const json::object& input) {
  policy::Context keys;
  const json::value* value = input.if_contains("ContextEntries");
  if (value != nullptr && value->is_string() && value->as_string().empty()) return keys;
  const base::JsonReader reader(input, "", {.separator = ": "});
  for (const base::JsonReader& entry : reader.children("ContextEntries")) {
    keys.set(entry.required_text("ContextKeyName"), entry.strings("ContextKeyValues"));
  }
  return keys;
}

std::string_view decision_word(Verdict verdict) {
  switch (verdict) {
    case Verdict::allowed:
      return "allowed";
    case Verdict::denied_explicitly:
      return "explicitDeny";
    case Verdict::denied_implicitly:
      break;
  }
  return "implicitDeny";
}

json::array matched(const policy::Decision& decision) {
  if (!decision.policy) return {};
  const std::string& source = decision.policy->source;
  const bool is_managed = decision.policy->name.starts_with("arn:");
  return {json::object{{"SourcePolicyId", decision.policy->name},
                       {"SourcePolicyType", is_managed ? std::string("IAM Policy")
                                                       : source.substr(0, source.find(' '))}}};
}

json::value evaluate(const policy::PolicySet& policies, const policy::Context& keys,
                     const json::object& input) {
  (void)read_iam_page(input);
  const auto actions = text_list(input, "ActionNames");
  auto resources = text_list(input, "ResourceArns");
  if (resources.empty()) resources.emplace_back("*");
  if (actions.empty()) throw Error(ErrorCode::invalid_argument, "ActionNames: is missing");
  if (actions.size() * resources.size() > kMostEvaluations) {
    throw Error(ErrorCode::invalid_argument,
                "ActionNames: with ResourceArns, more than 1000 evaluations");
  }
  json::array results;
  for (const std::string& action : actions) {
    if (action.find(':') == std::string::npos) {
      throw ServiceError(400, "InvalidInput", "Invalid Action Name: " + action.substr(0, 100));
    }
    for (const std::string& resource : resources) {
      const policy::Decision decision = policies.decide({action, resource, keys});
      results.push_back({{"EvalActionName", action},
                         {"EvalResourceName", resource},
                         {"EvalDecision", decision_word(decision.verdict)},
                         {"MatchedStatements", matched(decision)},
                         {"MissingContextValues", json::array{}}});
    }
  }
  return json::object{{"EvaluationResults", std::move(results)}, {"IsTruncated", false}};
}

std::vector<std::string> read_policies(const json::object& input) {
  auto policies = text_list(input, "PolicyInputList");
  for (const std::string& text : policies) {
    try {
      (void)policy::Document::parse(text, policy::DocumentKind::identity);
    } catch (const Error& error) {
      throw ServiceError(400, "InvalidInput", "PolicyInputList: " + error.message());
    }
  }
  return policies;
}

json::value simulate_principal(Iam& iam, const OperationContext& context) {
  const std::string arn = required_text(context.input, "PolicySourceArn");
  if (!arn.starts_with("arn:")) {
    throw ServiceError(400, "InvalidInput", "PolicySourceArn: must be an ARN");
  }
  const control::Entity entity = require_entity(iam, arn);
  policy::Context keys;
  iam.principals.add_keys(as_principal(iam, entity),
                          entity.kind == EntityKind::group
                              ? std::map<std::string, std::string>{}
                              : iam.entities.tags(entity.kind, entity.name),
                          keys);
  keys.add(read_context(context.input));
  return evaluate(iam.principals.policies_of(entity, read_policies(context.input)), keys,
                  context.input);
}

json::value simulate_custom(Iam& iam, const OperationContext& context) {
  const auto policies = read_policies(context.input);
  if (policies.empty()) throw Error(ErrorCode::invalid_argument, "PolicyInputList: is missing");
  return evaluate(iam.principals.policies_of({}, policies), read_context(context.input),
                  context.input);
}

json::value explain_access(Iam& iam, const OperationContext& context) {
  const std::string action = required_text(context.input, "action");
  std::string resource = text_or_empty(context.input, "resource");
  if (resource.empty()) resource = "*";
  const control::Entity entity = require_entity(iam, required_text(context.input, "principal"));
  policy::Context keys;
  const control::Principal principal = as_principal(iam, entity);
  iam.principals.add_keys(principal,
                          entity.kind == EntityKind::group
                              ? std::map<std::string, std::string>{}
                              : iam.entities.tags(entity.kind, entity.name),
                          keys);
  keys.set("aws:sourceip", context.caller.source_ip);
  keys.set("aws:securetransport", context.caller.is_secure ? "true" : "false");
  const policy::Decision decision =
      iam.principals.policies_of(entity, {}).decide({action, resource, keys});
  json::object output{{"principal", entity.arn},
                      {"action", action},
                      {"resource", resource},
                      {"decision", decision_word(decision.verdict)}};
  if (!decision.policy) return output;
  const policy::Statement& statement = decision.policy->document->statements()[decision.statement];
  output["policy"] = decision.policy->name;
  output["from"] = decision.policy->source;
  output["statement"] = decision.statement + 1;
  if (!statement.sid.empty()) output["sid"] = statement.sid;
  return output;
}

}  // namespace

std::vector<Operation> simulation_operations(Iam& iam) {
  return {iam_row(iam, "SimulatePrincipalPolicy", simulate_principal),
          iam_row(iam, "SimulateCustomPolicy", simulate_custom),
          {"andon", "ExplainAccess", Protocol::rest_json, "POST", "/andon/v1/explain-access", 200,
           [&iam](const OperationContext& context) { return explain_access(iam, context); }}};
}

}  // namespace andon::api
