// SPDX-License-Identifier: Apache-2.0
#include "api/topicrules/operations.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "api/constraints/rows.hpp"
#include "api/table/internal_call.hpp"
#include "api/table/members.hpp"
#include "api/table/service_errors.hpp"
#include "api/topicrules/rule_actions.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "events/topicrules/rule_matcher.hpp"
#include "fleet/names/topic.hpp"
#include "query/rulesql/rule_sql.hpp"
#include "wire/mqtt/mqtt_topic.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using base::JsonReader;

constexpr std::size_t kUsualPage = 100;
constexpr std::int64_t kLargestPage = 10'000;
constexpr std::size_t kMostDescription = 2028;

struct Kind {
  std::string_view name;
  std::array<std::string_view, 2> needed;  // beside the role; empty: none
  bool has_role;
};
constexpr std::array kKinds{Kind{"lambda", {"functionArn", ""}, false},
                            Kind{"stepFunctions", {"stateMachineName", ""}, true},
                            Kind{"s3", {"bucketName", "key"}, true},
                            Kind{"republish", {"topic", ""}, true},
                            Kind{"cloudwatchLogs", {"logGroupName", ""}, true},
                            Kind{"http", {"url", ""}, false}};

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorCode::invalid_argument, why);
}

void check_republish(const JsonReader& body, const std::string& filter) {
  const std::int64_t qos = body.optional_integer("qos", 0, 1).value_or(0);
  (void)qos;
  std::string topic = body.required_text("topic");
  if (topic.find("${") != std::string::npos) return;  // seen when it is filled in
  if (topic.starts_with("$$")) topic.erase(0, 1);
  if (!wire::is_valid_topic(topic) || !fleet::is_users_topic(topic)) {
    body.fail("topic", "is no topic that a rule may publish to");
  }
  if (wire::topic_matches(filter, topic)) {
    body.fail("topic", "is one that the rule itself takes: its messages would go round for ever");
  }
}

void check_action(const TopicRuleParts& parts, const OperationContext& context,
                  const std::string& rule_arn, const std::string& filter,
                  const JsonReader& action) {
  const json::object& given = action.object();
  if (given.size() != 1) refuse(action.where() + ": must have one member, which names the action");
  const std::string name(given.begin()->key());
  const auto kind = std::ranges::find(kKinds, name, &Kind::name);
  if (kind == kKinds.end()) {
    throw Error(ErrorCode::unsupported,
                action.where() + ": there is no action " + name +
                    " on this server; it has lambda, stepFunctions, s3, republish, cloudwatchLogs "
                    "and http");
  }
  const JsonReader body = action.child(name);
  for (const std::string_view member : kind->needed) {
    if (!member.empty()) (void)body.required_text(member);
  }
  if (kind->has_role) {
    require_pass_role(parts.authorizer, context.caller, Protocol::rest_json,
                      body.required_text("roleArn"), kTopicRulesService, rule_arn);
  }
  if (name == "lambda") {
    const std::string function = body.required_text("functionArn");
    if (function.find("${") != std::string::npos) {
      body.fail("functionArn",
                "may have no ${...}: who makes the rule must be known to be allowed "
                "to invoke the function");
    }
    if (const auto denied =
            refusal(parts.authorizer, context.caller, "lambda:InvokeFunction", function)) {
      throw access_denied(Protocol::rest_json, *denied);
    }
  }
  if (name == "republish") check_republish(body, filter);
  if (name == "s3" && body.optional_string("cannedAcl").value_or("private") != "private") {
    body.fail("cannedAcl", "may only be private: objects have no lists of access here");
  }
  events::check_action_texts(given);
}

std::string read_name(const OperationContext& context) {
  return required_text(context.input, "ruleName");
}

events::TopicRule read_rule(const TopicRuleParts& parts, const OperationContext& context) {
  const JsonReader input(context.input, "", {.separator = ": "});
  events::TopicRule rule{.name = read_name(context),
                         .sql = input.required_text("sql"),
                         .description = input.optional_string("description").value_or(""),
                         .sql_version = input.optional_string("awsIotSqlVersion").value_or(""),
                         .actions = {},
                         .error_action = {},
                         .is_disabled = input.optional_bool("ruleDisabled").value_or(false),
                         .created = {}};
  if (!events::is_topic_rule_name(rule.name)) {
    refuse("ruleName: must be of 1 to 128 letters, digits and '_'");
  }
  if (rule.description.size() > kMostDescription) refuse("description: has more than 2028 bytes");
  static constexpr std::array<std::string_view, 4> kVersions{"", "2015-10-08", "2016-03-23",
                                                             "beta"};
  if (std::ranges::find(kVersions, rule.sql_version) == kVersions.end()) {
    refuse("awsIotSqlVersion: must be 2015-10-08, 2016-03-23 or beta");
  }
  std::string filter;
  try {
    filter = query::RuleSql(rule.sql).filter();
  } catch (const Error& error) {
    throw ServiceError(400, "SqlParseException", error.message());
  }
  if (!wire::is_valid_filter(filter)) {
    throw ServiceError(400, "SqlParseException",
                       "SQL: FROM '" + filter.substr(0, 256) + "' is no topic filter");
  }
  const json::array* const actions = input.optional_array("actions");
  if (actions == nullptr) refuse("actions: is missing");
  if (actions->size() > events::TopicRules::kMostActions) refuse("actions: has more than 10");
  rule.actions = *actions;
  const std::string rule_arn = parts.arns.topic_rule(rule.name);
  for (const JsonReader& action : input.children("actions")) {
    check_action(parts, context, rule_arn, filter, action);
  }
  if (input.has("errorAction")) {
    const JsonReader action = input.child("errorAction");
    check_action(parts, context, rule_arn, filter, action);
    rule.error_action = action.object();
  }
  return rule;
}

// As AWS says it, that names cannot be tried out.
[[noreturn]] void deny(const std::string& name) {
  throw ServiceError(
      401, "UnauthorizedException",
      "Access to TopicRule '" + name.substr(0, 128) + "' was denied: there is none of this name");
}

events::TopicRule require(const TopicRuleParts& parts, const OperationContext& context) {
  auto found = parts.rules.find(read_name(context));
  if (!found) deny(read_name(context));
  return *std::move(found);
}

json::value create(const TopicRuleParts& parts, const OperationContext& context) {
  parts.rules.create(read_rule(parts, context));
  parts.changed();
  return json::object{};
}

json::value replace(const TopicRuleParts& parts, const OperationContext& context) {
  (void)require(parts, context);
  parts.rules.replace(read_rule(parts, context));
  parts.changed();
  return json::object{};
}

json::value remove(const TopicRuleParts& parts, const OperationContext& context) {
  parts.rules.remove(require(parts, context).name);
  parts.changed();
  return json::object{};
}

json::value enable(const TopicRuleParts& parts, const OperationContext& context) {
  parts.rules.enable(require(parts, context).name, true);
  parts.changed();
  return json::object{};
}

json::value disable(const TopicRuleParts& parts, const OperationContext& context) {
  parts.rules.enable(require(parts, context).name, false);
  parts.changed();
  return json::object{};
}

json::value get(const TopicRuleParts& parts, const OperationContext& context) {
  events::TopicRule found = require(parts, context);
  json::object rule{{"ruleName", found.name},
                    {"sql", found.sql},
                    {"createdAt", base::to_epoch_seconds(found.created)},
                    {"actions", std::move(found.actions)},
                    {"ruleDisabled", found.is_disabled}};
  put_unless_empty(rule, "description", found.description);
  put_unless_empty(rule, "awsIotSqlVersion", found.sql_version);
  if (!found.error_action.empty()) rule["errorAction"] = std::move(found.error_action);
  return json::object{{"ruleArn", parts.arns.topic_rule(found.name)}, {"rule", std::move(rule)}};
}

json::value list(const TopicRuleParts& parts, const OperationContext& context) {
  const std::string topic = text_or_empty(context.input, "topic");
  const bool asks_disabled = context.input.contains("ruleDisabled");
  const bool wants_disabled = flag(context.input, "ruleDisabled");
  const auto limit = optional_number(context.input, "maxResults");
  if (limit && (*limit < 1 || *limit > kLargestPage)) refuse("maxResults: must be from 1 to 10000");
  const std::size_t most = limit ? static_cast<std::size_t>(*limit) : kUsualPage;
  std::string after;
  if (const std::string token = text_or_empty(context.input, "nextToken"); !token.empty()) {
    const auto read = from_page_token(token);
    if (!read) refuse("nextToken: is none that this operation has given");
    after = *read;
  }
  json::array rules;
  json::object output;
  std::string last;
  for (const events::TopicRule& rule :
       parts.rules.list(after, static_cast<std::size_t>(events::TopicRules::kMost))) {
    const std::string filter = query::RuleSql(rule.sql).filter();
    if (!topic.empty() && filter != topic && !wire::topic_matches(filter, topic)) continue;
    if (asks_disabled && rule.is_disabled != wants_disabled) continue;
    if (rules.size() == most) {
      put_next(output, last);
      break;
    }
    last = rule.name;
    rules.push_back(json::object{{"ruleArn", parts.arns.topic_rule(rule.name)},
                                 {"ruleName", rule.name},
                                 {"topicPattern", filter},
                                 {"createdAt", base::to_epoch_seconds(rule.created)},
                                 {"ruleDisabled", rule.is_disabled}});
  }
  output["rules"] = std::move(rules);
  return output;
}

}  // namespace

std::vector<Operation> topic_rule_operations(const TopicRuleParts& parts) {
  constexpr std::string_view kRule = "/rules/{ruleName}";
  const auto row = [&](std::string_view name, std::string_view method, std::string_view path,
                       auto function) {
    return rest_row("iot", name, method, path, parts, function);
  };
  return {row("CreateTopicRule", "POST", kRule, create),
          row("GetTopicRule", "GET", kRule, get),
          row("ListTopicRules", "GET", "/rules", list),
          row("ReplaceTopicRule", "PATCH", kRule, replace),
          row("DeleteTopicRule", "DELETE", kRule, remove),
          row("EnableTopicRule", "POST", "/rules/{ruleName}/enable", enable),
          row("DisableTopicRule", "POST", "/rules/{ruleName}/disable", disable)};
}

}  // namespace andon::api
