// SPDX-License-Identifier: Apache-2.0
#include "events/delivery/dead_letter.hpp"

#include <utility>

#include "base/json/json_members.hpp"
#include "base/text/id.hpp"

namespace andon::events {
namespace {

std::string dead_letter_arn(const json::object& target) {
  const json::object* const config = base::object_at(target, "DeadLetterConfig");
  return config == nullptr ? "" : base::text_at(*config, "Arn");
}

Delivery letter(const Delivery& delivery, json::object target, const json::object& told,
                base::Timestamp now) {
  return {.token = base::random_uuid(),
          .source_arn = delivery.source_arn,
          .event_id = delivery.event_id,
          .target = std::move(target),
          .input = base::to_text(told),
          .first = now};
}

}  // namespace

std::optional<Delivery> dead_letter_of(const Delivery& delivery, const Outcome& outcome,
                                       const std::string& exhausted, base::Timestamp now) {
  if (const json::object* const target = base::object_at(delivery.target, "ErrorTarget")) {
    const json::object* const context = base::object_at(delivery.target, "ErrorContext");
    json::object told = context != nullptr ? *context : json::object{};
    json::object failure{{"failedAction", told["failedAction"]},
                         {"failedResource", delivery.target_arn()},
                         {"errorMessage", outcome.message}};
    told.erase("failedAction");
    told["failures"] = json::array{std::move(failure)};
    return letter(delivery, *target, told, now);
  }
  const std::string arn = dead_letter_arn(delivery.target);
  if (arn.empty()) return std::nullopt;
  json::object attributes{{"RULE_ARN", delivery.source_arn},
                          {"TARGET_ARN", delivery.target_arn()},
                          {"ERROR_CODE", outcome.code},
                          {"ERROR_MESSAGE", outcome.message},
                          {"RETRY_ATTEMPTS", delivery.attempts}};
  if (!exhausted.empty()) attributes["EXHAUSTED_RETRY_CONDITION"] = exhausted;
  return letter(delivery, {{"Id", delivery.target_id() + ".dead-letter"}, {"Arn", arn}},
                {{"attributes", std::move(attributes)}, {"body", delivery.input}}, now);
}

}  // namespace andon::events
