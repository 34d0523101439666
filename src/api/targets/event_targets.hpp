// SPDX-License-Identifier: Apache-2.0
// Room: targets. How what a rule or a schedule has for a target gets there: state machines,
// functions and any operation as rows of the operation table, called as the target's role; log
// groups, MQTT topics, API destinations, mails and other buses directly.
//
// Called by the dispatcher on its one thread; what takes long is answered later, from a thread of
// whoever does it. A repeated delivery has the same token, which an execution's name is made of, so
// that it is not started twice.
#pragma once

#include <functional>
#include <string>

#include "api/endpoints/http_task.hpp"
#include "api/table/internal_call.hpp"
#include "api/targets/mailer.hpp"
#include "control/logs/logs.hpp"
#include "events/delivery/delivery.hpp"
#include "events/delivery/queue.hpp"
#include "events/rules/destinations.hpp"
#include "events/rules/target_kind.hpp"

namespace andon::api {

class EventTargets {
 public:
  // Publishes and tells whether the broker has it; any thread.
  using Publish = std::function<void(const std::string& topic, const std::string& payload,
                                     std::function<void(bool)> told)>;
  struct Parts {
    const InternalCalls& calls;
    control::Logs& logs;
    HttpTask& http;
    events::Destinations& destinations;
    events::EventQueue& queue;
    const base::Clock& clock;
    Publish publish;
    Mailer& mailer;
  };
  // All that is referred to outlives it.
  explicit EventTargets(Parts parts) : parts_(std::move(parts)) {}

  void send(const events::Delivery& delivery, const events::Reply& reply);

 private:
  [[nodiscard]] Caller caller_of(const events::Delivery& delivery) const;
  void call(const events::Delivery& delivery, std::string_view service, std::string_view operation,
            const base::json::object& input, const events::Reply& reply) const;
  void start_execution(const events::Delivery& delivery, const events::Reply& reply) const;
  void start_build(const events::Delivery& delivery, const std::string& project,
                   const events::Reply& reply) const;
  void invoke(const events::Delivery& delivery, const events::Reply& reply) const;
  void operate(const events::Delivery& delivery, const std::string& resource,
               const events::Reply& reply) const;
  void write_log(const events::Delivery& delivery, const std::string& group,
                 const events::Reply& reply) const;
  void publish(const events::Delivery& delivery, const std::string& topic,
               const events::Reply& reply) const;
  void call_endpoint(const events::Delivery& delivery, const std::string& resource,
                     const events::Reply& reply) const;
  void mail(const events::Delivery& delivery, const std::string& address,
            const events::Reply& reply) const;
  void put_on_bus(const events::Delivery& delivery, const std::string& bus,
                  const events::Reply& reply) const;

  const Parts parts_;
};

// What was thrown, as the outcome of an attempt: what a second attempt cannot change is refused.
[[nodiscard]] events::Outcome outcome_of(const std::exception_ptr& failure,
                                         std::string_view service);
// How a call of an operation for `delivery` has ended. What it has begun is told: an execution, a
// build; also where an attempt before has begun it, whose answer was lost.
[[nodiscard]] events::Outcome outcome_of_call(const events::Delivery& delivery,
                                              std::string_view service,
                                              const base::json::value& output,
                                              const std::exception_ptr& failure);
// What an HTTP endpoint that was called has answered, in the words of http:invoke.
[[nodiscard]] events::Outcome outcome_of_endpoint(const std::string& error,
                                                  const std::string& cause);
// Into the stream SOURCE/DATE of the group, which is made where it is not there. Throws not_found
// for a group that is not.
void put_log_line(control::Logs& logs, const std::string& group, const std::string& source,
                  const control::LogLine& line);
// The request of an API destination, as the parameters of http:invoke: "*" of the endpoint filled
// in, headers and query of the target. Throws invalid_argument.
[[nodiscard]] base::json::object endpoint_call(const events::Destination& destination,
                                               const events::Delivery& delivery);

}  // namespace andon::api
