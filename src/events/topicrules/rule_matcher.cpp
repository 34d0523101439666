// SPDX-License-Identifier: Apache-2.0
#include "events/topicrules/rule_matcher.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_members.hpp"
#include "base/log/log.hpp"
#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"
#include "base/text/id.hpp"
#include "base/text/utf8.hpp"
#include "events/rules/types.hpp"

namespace andon::events {
namespace {

constexpr std::string_view kBasicIngest = "$aws/rules/";
constexpr base::JsonLimits kPayload{.max_bytes = 1U << 20U, .max_depth = 64};
// Beyond it who is told of a failure gets the message without its payload.
constexpr std::size_t kMostToldPayload = 128U << 10U;

// What a rule makes of one message, and what all of them do.
constexpr std::size_t kMostOfRule = 4U << 20U;
constexpr std::size_t kMostOfMessage = 32U << 20U;

// Calls `act(path, text)` for each text with an expression.
template <typename Act>
void each_text(const json::value& value, std::vector<std::string>& path, const Act& act) {
  if (const json::object* const object = value.if_object()) {
    for (const auto& [key, inner] : *object) {
      if (key == "roleArn" || key == "functionArn") continue;
      path.emplace_back(key);
      each_text(inner, path, act);
      path.pop_back();
    }
  } else if (const json::array* const array = value.if_array()) {
    for (std::size_t i = 0; i < array->size(); ++i) {
      path.push_back(std::to_string(i));
      each_text((*array)[i], path, act);
      path.pop_back();
    }
  } else if (value.is_string() && value.get_string().find("${") != std::string_view::npos) {
    act(path, std::string_view(value.get_string()));
  }
}

void put_text(json::value& value, const std::vector<std::string>& path, std::string text) {
  json::value* inner = &value;
  for (const std::string& step : path) {
    inner = inner->is_object() ? &inner->get_object().at(step)
                               : &inner->get_array().at(std::stoul(step));
  }
  *inner = json::string(text);
}

const json::object& body_of(const json::object& action) {
  return action.begin()->value().as_object();
}

// "s3" -> "S3Action", as AWS tells of a failure.
std::string action_name(std::string_view kind) {
  std::string name(kind);
  name.front() = base::to_upper(name.front());
  return name + "Action";
}

void check_bytes(std::size_t bytes) {
  if (bytes <= kMostOfRule) return;
  throw base::Error(base::ErrorCode::resource_exhausted,
                    "its actions would have more than 4 MiB of the message");
}

// What can be a text of the database.
bool is_plain(std::string_view text) {
  return base::is_utf8(text) && text.find('\0') == std::string_view::npos;
}

}  // namespace

std::string action_target(const json::object& action, const EventArns& arns) {
  const std::string_view kind = action.begin()->key();
  const json::object& body = body_of(action);
  const std::string prefix = ":" + arns.region() + ":" + arns.account() + ":";
  if (kind == "lambda") return base::text_at(body, "functionArn");
  if (kind == "stepFunctions") {
    return "arn:aws:states" + prefix + "stateMachine:" + base::text_at(body, "stateMachineName");
  }
  if (kind == "s3") return "arn:aws:s3:::" + base::text_at(body, "bucketName");
  if (kind == "republish") return "arn:aws:iot" + prefix + "topic/" + base::text_at(body, "topic");
  if (kind == "cloudwatchLogs") {
    return "arn:aws:logs" + prefix + "log-group:" + base::text_at(body, "logGroupName");
  }
  return base::text_at(body, "url");
}

void check_action_texts(const json::object& action) {
  std::vector<std::string> path;
  each_text(action, path, [](const std::vector<std::string>& where, std::string_view text) {
    try {
      (void)query::RuleText(text);
    } catch (const base::Error& error) {
      throw base::Error(error.code(), base::join_pointer(where) + ": " + error.message());
    }
  });
}

RuleMatcher::Action RuleMatcher::compiled(const json::object& action) {
  Action made{.action = action, .texts = {}};
  std::vector<std::string> path;
  each_text(action, path, [&made](const std::vector<std::string>& where, std::string_view text) {
    made.texts.push_back({where, query::RuleText(text)});
  });
  return made;
}

void RuleMatcher::compile() {
  const std::uint64_t revision = rules_.revision();
  if (revision == revision_) return;
  compiled_.clear();
  for (const TopicRule& rule : rules_.list("", static_cast<std::size_t>(TopicRules::kMost))) {
    if (rule.is_disabled) continue;
    try {
      Rule made{rule.name, query::RuleSql(rule.sql), {}, {}};
      for (const json::value& action : rule.actions) {
        made.actions.push_back(compiled(action.as_object()));
      }
      if (!rule.error_action.empty()) made.error_action.push_back(compiled(rule.error_action));
      compiled_.push_back(std::move(made));
    } catch (const base::Error& error) {  // an older version took what this one does not
      base::log_error("a topic rule cannot be used",
                      {{"rule", rule.name}, {"why", error.message()}});
    }
  }
  revision_ = revision;
}

std::vector<std::string> RuleMatcher::filters() {
  compile();
  std::set<std::string> all;
  for (const Rule& rule : compiled_) all.insert(rule.sql.filter());
  return {all.begin(), all.end()};
}

RuleMatcher::Found RuleMatcher::match(const Message& message) {
  compile();
  Found found;
  json::value payload;
  bool is_json = false;
  try {
    payload = base::parse_json(message.payload, "message", kPayload);
    is_json = true;
  } catch (const base::Error&) {
    // Who selects all gets it as it is.
  }
  const std::string trace = base::random_uuid();
  query::RuleMessage asked{.topic = message.topic,
                           .payload = is_json ? &payload : nullptr,
                           .bytes = message.payload,
                           .account = arns_.account(),
                           .trace_id = trace,
                           .time = message.time};
  std::string_view rest = message.topic;
  std::string_view only;
  if (rest.starts_with(kBasicIngest)) {
    rest.remove_prefix(kBasicIngest.size());
    only = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(only.size() + 1, rest.size()));
    asked.topic = rest;
  }
  for (const Rule& rule : compiled_) {
    if (only.empty() ? rule.sql.filter() != message.filter : rule.name != only) continue;
    try {
      if (found.bytes > kMostOfMessage) {
        throw base::Error(base::ErrorCode::resource_exhausted,
                          "the rules before it have made too much of the message");
      }
      if (message.hops >= kMostHops) {
        throw base::Error(base::ErrorCode::resource_exhausted,
                          "the message has come through " + std::to_string(message.hops) +
                              " rules that publish again: they publish to each other in a circle");
      }
      apply(rule, asked, message.hops, found);
    } catch (const base::Error& error) {
      found.failures.emplace_back(rule.name, error.message());
    }
  }
  return found;
}

json::object RuleMatcher::target_of(const Action& action, const std::string& id,
                                    const query::RuleMessage& message) const {
  json::value filled = action.action;
  std::size_t bytes = 0;
  for (const Text& one : action.texts) {
    std::string text = one.text.fill(message);
    bytes += text.size();
    check_bytes(bytes);
    put_text(filled, one.path, std::move(text));
  }
  json::object target{{"Id", id}, {"Arn", action_target(filled.get_object(), arns_)}};
  if (const std::string role = base::text_at(body_of(filled.get_object()), "roleArn");
      !role.empty()) {
    target["RoleArn"] = role;
  }
  target["Action"] = std::move(filled);
  return target;
}

void RuleMatcher::apply(const Rule& rule, const query::RuleMessage& message, int hops,
                        Found& found) const {
  const auto selected = rule.sql.select(message);
  if (!selected) return;
  std::vector<Delivery> made;
  std::size_t number = 0;
  std::size_t bytes = 0;
  for (const Action& action : rule.actions) {
    Delivery delivery{.token = base::random_uuid(),
                      .source_arn = arns_.topic_rule(rule.name),
                      .event_id = std::string(message.trace_id),
                      .target = target_of(action, "action-" + std::to_string(number++), message),
                      .input = selected->text,
                      .first = message.time};
    delivery.target["Hops"] = hops + 1;
    if (!is_plain(delivery.input)) {
      delivery.input = base::to_base64(delivery.input);
      delivery.target["IsBase64"] = true;
    }
    if (!rule.error_action.empty()) {
      delivery.target["ErrorTarget"] = target_of(rule.error_action.front(), "error", message);
      json::object context{{"ruleName", rule.name},
                           {"topic", message.topic},
                           {"cloudwatchTraceId", message.trace_id},
                           {"failedAction", action_name(action.action.begin()->key())}};
      if (message.bytes.size() <= kMostToldPayload) {
        context["base64OriginalPayload"] = base::to_base64(message.bytes);
      }
      delivery.target["ErrorContext"] = std::move(context);
    }
    bytes += delivery.input.size() + base::to_text(delivery.target).size();
    check_bytes(bytes);
    made.push_back(std::move(delivery));
  }
  found.bytes += bytes;
  std::ranges::move(made, std::back_inserter(found.deliveries));
}

}  // namespace andon::events
