// SPDX-License-Identifier: Apache-2.0
// One thing that a target is to get, and how that ended. Plain values.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/json/json.hpp"
#include "base/time/time.hpp"

namespace andon::events {

namespace json = base::json;

struct Delivery {
  std::int64_t id = 0;
  std::string token;       // a UUID, the same at each attempt
  std::string source_arn;  // of the rule or the schedule
  std::string event_id;
  json::object target;  // as PutTargets or CreateSchedule has it
  std::string input;
  base::Timestamp first;
  std::int64_t attempts = 0;  // that were made

  [[nodiscard]] std::string target_id() const { return text("Id"); }
  [[nodiscard]] std::string target_arn() const { return text("Arn"); }
  [[nodiscard]] std::string role_arn() const { return text("RoleArn"); }

 private:
  [[nodiscard]] std::string text(std::string_view member) const {
    const auto* value = target.if_contains(member);
    return value == nullptr || !value->is_string() ? "" : std::string(value->get_string());
  }
};

// How an attempt ended.
struct Outcome {
  enum class Kind : std::uint8_t {
    delivered,
    failed,   // may go well later
    refused,  // never will
  };
  Kind kind = Kind::delivered;
  std::string code;     // NO_PERMISSIONS, NO_RESOURCE, THROTTLING, TIMEOUT, or the target's own
  std::string message;  // what a person reads
  // Where it is delivered, the ARN of what was begun by it: an execution, a build.
  std::string started = {};
};

// Brings it there and answers once, from any thread; what it throws is an answer of failed.
using Reply = std::function<void(Outcome)>;
using Send = std::function<void(const Delivery&, const Reply&)>;

}  // namespace andon::events
