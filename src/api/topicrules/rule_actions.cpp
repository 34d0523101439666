// SPDX-License-Identifier: Apache-2.0
#include "api/topicrules/rule_actions.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "api/iotdata/iot_data.hpp"
#include "api/table/members.hpp"
#include "api/targets/event_targets.hpp"
#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "base/text/number.hpp"
#include "control/iam/role_sessions.hpp"
#include "control/identity/access_keys.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using events::Delivery;
using events::Outcome;
using events::Reply;

constexpr std::size_t kMostExecutionName = 80;

// "arn:aws:iot:...:rule/NAME" -> NAME.
std::string rule_name(const Delivery& delivery) {
  return delivery.source_arn.substr(delivery.source_arn.find('/') + 1);
}

// Deliveries of before it was counted have none.
int hops_of(const Delivery& delivery) {
  return static_cast<int>(optional_number(delivery.target, "Hops").value_or(1));
}

wire::MqttPublishProperties properties_of(const json::object& headers) {
  wire::MqttPublishProperties properties;
  const std::string form = text_or_empty(headers, "payloadFormatIndicator");
  if (!form.empty()) properties.is_utf8_text = form == "UTF8_DATA";
  properties.content_type = text_or_empty(headers, "contentType");
  properties.response_topic = text_or_empty(headers, "responseTopic");
  properties.correlation_data = text_or_empty(headers, "correlationData");
  if (const std::string expiry = text_or_empty(headers, "messageExpiry"); !expiry.empty()) {
    const auto seconds = base::parse_integer<std::uint32_t>(expiry);
    if (!seconds)
      throw Error(ErrorCode::invalid_argument, "messageExpiry: is no number: " + expiry);
    properties.message_expiry_seconds = *seconds;
  }
  if (const auto* const list = headers.if_contains("userProperties");
      list != nullptr && list->is_array()) {
    for (const json::value& one : list->get_array()) {
      const json::object* const pair = one.if_object();
      if (pair == nullptr) continue;
      properties.user_properties.emplace_back(text_or_empty(*pair, "key"),
                                              text_or_empty(*pair, "value"));
    }
  }
  return properties;
}

}  // namespace

bool is_of_topic_rule(const Delivery& delivery) {
  return delivery.source_arn.starts_with("arn:aws:iot:");
}

struct RuleActions::Job {
  const Delivery& delivery;
  const Reply& reply;
  const json::object& body;  // of the action
  std::string payload;       // what the rule has selected
  bool is_text = true;
};

void RuleActions::send(const Delivery& delivery, const Reply& reply) const {
  using Act = void (RuleActions::*)(const Job&) const;
  static constexpr std::array kActs = {
      std::pair<std::string_view, Act>{"lambda", &RuleActions::invoke},
      std::pair<std::string_view, Act>{"stepFunctions", &RuleActions::start_execution},
      std::pair<std::string_view, Act>{"s3", &RuleActions::put_object},
      std::pair<std::string_view, Act>{"republish", &RuleActions::republish},
      std::pair<std::string_view, Act>{"cloudwatchLogs", &RuleActions::write_log},
      std::pair<std::string_view, Act>{"http", &RuleActions::post}};
  std::string kind;
  try {
    const json::object& action = delivery.target.at("Action").as_object();
    kind = action.begin()->key();
    Job job{.delivery = delivery,
            .reply = reply,
            .body = action.begin()->value().as_object(),
            .payload = delivery.input,
            .is_text = true};
    if (delivery.target.contains("IsBase64")) {
      job.payload = base::from_base64(delivery.input).value_or("");
      job.is_text = false;
    }
    const auto* const found =
        std::ranges::find(kActs, kind, &std::pair<std::string_view, Act>::first);
    if (found == kActs.end()) {
      throw Error(ErrorCode::unsupported, "this server has no action " + kind);
    }
    (this->*found->second)(job);
  } catch (...) {
    reply(outcome_of(std::current_exception(), kind == "lambda" ? "lambda" : "events"));
  }
}

Caller RuleActions::caller_of(const Job& job) const {
  return parts_.calls.as_role({.role_arn = job.delivery.role_arn(),
                               .session = rule_name(job.delivery),
                               .service = kTopicRulesService,
                               .source_arn = job.delivery.source_arn});
}

void RuleActions::call(const Job& job, const Caller& caller, std::string_view service,
                       std::string_view operation, const json::object& input) const {
  const Operation* const row = parts_.calls.find(service, operation);
  if (row == nullptr) {
    throw Error(ErrorCode::unsupported, "this server has no operation " + std::string(service) +
                                            ":" + std::string(operation));
  }
  parts_.calls.call(caller, *row, input,
                    Answer([reply = job.reply, name = std::string(service)](
                               const json::value&, const std::exception_ptr& failure) {
                      if (!failure) return reply({});
                      Outcome outcome = outcome_of(failure, name);
                      // It was started by an attempt whose answer was lost.
                      if (outcome.code == "ExecutionAlreadyExists") outcome = {};
                      reply(std::move(outcome));
                    }));
}

void RuleActions::invoke(const Job& job) const {
  // Who made the rule was asked whether he may invoke it.
  const Caller account{.access_key_id = {},
                       .principal = std::string(control::kOperatorPrincipal),
                       .account_id = parts_.arns.account(),
                       .region = parts_.arns.region()};
  call(job, account, "lambda", "Invoke",
       {{"FunctionName", text_or_empty(job.body, "functionArn")},
        {"InvocationType", "Event"},
        {"Payload", job.payload}});
}

void RuleActions::start_execution(const Job& job) const {
  // Cut in the part that is a message's: two messages are two executions.
  const std::string prefix = text_or_empty(job.body, "executionNamePrefix");
  const std::size_t room =
      kMostExecutionName - std::min(kMostExecutionName, job.delivery.token.size());
  const std::string name = prefix.substr(0, room) + job.delivery.token;
  call(job, caller_of(job), "states", "StartExecution",
       {{"stateMachineArn", job.delivery.target_arn()}, {"name", name}, {"input", job.payload}});
}

void RuleActions::put_object(const Job& job) const {
  const std::string bucket = required_text(job.body, "bucketName");
  const std::string key = required_text(job.body, "key");
  parts_.calls.require(caller_of(job), "s3:PutObject", "arn:aws:s3:::" + bucket + "/" + key);
  store::PutOptions options;
  if (job.is_text) options.content_type = "application/json";
  std::size_t at = 0;
  parts_.objects.put(
      bucket, key,
      [&](char* buffer, std::size_t size) {
        const std::size_t count = job.payload.copy(buffer, size, at);
        at += count;
        return count;
      },
      options);
  job.reply({});
}

void RuleActions::republish(const Job& job) const {
  std::string topic = required_text(job.body, "topic");
  // "$$aws/..." is how AWS has reserved topics written.
  if (topic.starts_with("$$")) topic.erase(0, 1);
  check_users_topic(topic);
  parts_.calls.require(
      caller_of(job), "iot:Publish",
      "arn:aws:iot:" + parts_.arns.region() + ":" + parts_.arns.account() + ":topic/" + topic);
  wire::MqttPublishProperties properties;
  if (const auto* const headers = job.body.if_contains("headers");
      headers != nullptr && headers->is_object()) {
    properties = properties_of(headers->get_object());
  }
  const std::int64_t qos = optional_number(job.body, "qos").value_or(0);
  parts_.republished.add(topic, job.payload, hops_of(job.delivery));
  parts_.publish(
      {topic, job.payload}, qos == 0 ? wire::Qos::at_most_once : wire::Qos::at_least_once,
      properties, [reply = job.reply](bool has_arrived) {
        reply(has_arrived
                  ? Outcome{}
                  : Outcome{Outcome::Kind::failed, "TIMEOUT", "the broker has not taken it"});
      });
}

void RuleActions::write_log(const Job& job) const {
  const std::string group = required_text(job.body, "logGroupName");
  parts_.calls.require(caller_of(job), "logs:PutLogEvents",
                       "arn:aws:logs:" + parts_.arns.region() + ":" + parts_.arns.account() +
                           ":log-group:" + group + ":*");
  put_log_line(parts_.logs, group, rule_name(job.delivery), {parts_.clock.now(), job.payload});
  job.reply({});
}

void RuleActions::post(const Job& job) const {
  json::object headers;
  if (const auto* const list = job.body.if_contains("headers");
      list != nullptr && list->is_array()) {
    for (const json::value& one : list->get_array()) {
      const json::object* const pair = one.if_object();
      if (pair != nullptr) headers[text_or_empty(*pair, "key")] = text_or_empty(*pair, "value");
    }
  }
  if (!headers.contains("Content-Type") && job.is_text)
    headers["Content-Type"] = "application/json";
  workflow::TaskRequest task;
  task.execution = -1;  // of no execution
  task.number = job.delivery.id;
  task.region = parts_.arns.region();
  task.parameters = query::make_data(json::object{{"ApiEndpoint", required_text(job.body, "url")},
                                                  {"Method", "POST"},
                                                  {"Headers", std::move(headers)},
                                                  {"RequestBody", job.payload}});
  try {
    parts_.http.call_openly(
        task, workflow::TaskReply([reply = job.reply](workflow::TaskReply::Kind kind,
                                                      const query::Data&, const std::string& error,
                                                      const std::string& cause) {
          reply(kind != workflow::TaskReply::Kind::failed ? Outcome{}
                                                          : outcome_of_endpoint(error, cause));
        }));
  } catch (const workflow::TaskFailure& failure) {
    job.reply(outcome_of_endpoint(failure.error(), failure.cause()));
  }
}

}  // namespace andon::api
