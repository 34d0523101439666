// SPDX-License-Identifier: Apache-2.0
// What destinations are told of an asynchronous call. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/time/time.hpp"
#include "functions/sandboxes/plan.hpp"

namespace andon::functions {

struct EventOutcome {
  std::string id;
  std::string function_arn;
  std::string condition;  // Success, RetriesExhausted, EventAgeExceeded
  std::int64_t attempts = 1;
  std::string payload;
  std::string version;
  CallEnd end;
  base::Timestamp time;
};

// {"version": "1.0", "timestamp", "requestContext", "requestPayload", "responseContext", ...}.
[[nodiscard]] std::string invocation_record(const EventOutcome& outcome);
// {"RequestID", "ErrorCode", "ErrorMessage", "Event"}: of DeadLetterConfig.
[[nodiscard]] std::string dead_letter(const EventOutcome& outcome);

}  // namespace andon::functions
