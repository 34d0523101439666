// SPDX-License-Identifier: Apache-2.0
// Room: topicrules. Topic rules of AWS IoT: their operations, how messages come to them, and how
// their actions are done.
//
// What a rule has for an action gets there: functions and state machines as rows of the operation
// table, objects, topics, log groups and HTTP endpoints directly. But for functions, which are
// called in the account's name, it is the action's role that must be allowed to. Called by the
// dispatcher on its one thread; what takes long is answered later. An attempt that is repeated has
// the same token, so that a state machine is not started twice.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "api/endpoints/http_task.hpp"
#include "api/table/internal_call.hpp"
#include "api/topicrules/republished.hpp"
#include "control/logs/logs.hpp"
#include "events/delivery/delivery.hpp"
#include "events/rules/types.hpp"
#include "store/objects/object_store.hpp"
#include "wire/mqtt/mqtt_message.hpp"

namespace andon::api {

// Who takes an action's role.
inline constexpr std::string_view kTopicRulesService = "iot.amazonaws.com";

[[nodiscard]] bool is_of_topic_rule(const events::Delivery& delivery);

class RuleActions {
 public:
  using Publish =
      std::function<void(const wire::MqttMessage&, wire::Qos, const wire::MqttPublishProperties&,
                         std::function<void(bool)> told)>;
  struct Parts {
    const InternalCalls& calls;
    store::ObjectStore& objects;
    control::Logs& logs;
    HttpTask& http;
    const events::EventArns& arns;
    const base::Clock& clock;
    Republished& republished;  // is told of what is published
    Publish publish;
  };
  // All that is referred to outlives it.
  explicit RuleActions(Parts parts) : parts_(std::move(parts)) {}

  void send(const events::Delivery& delivery, const events::Reply& reply) const;

 private:
  struct Job;
  [[nodiscard]] Caller caller_of(const Job& job) const;
  void invoke(const Job& job) const;
  void start_execution(const Job& job) const;
  void put_object(const Job& job) const;
  void republish(const Job& job) const;
  void write_log(const Job& job) const;
  void post(const Job& job) const;
  void call(const Job& job, const Caller& caller, std::string_view service,
            std::string_view operation, const base::json::object& input) const;

  const Parts parts_;
};

}  // namespace andon::api
