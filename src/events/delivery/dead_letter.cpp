// SPDX-License-Identifier: Apache-2.0
#include "events/delivery/dead_letter.hpp"

#include <utility>

#include "base/text/id.hpp"

namespace andon::events {
namespace {

const json::object* object_in(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_object();
}

std::string dead_letter_arn(const json::object& target) {
  const json::object* const config = object_in(target, "DeadLetterConfig");
  const json::value* const arn = config == nullptr ? nullptr : config->if_contains("Arn");
  return arn == nullptr || !arn->is_string() ? "" : std::string(arn->get_string());
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
  if (const json::object* const target = object_in(delivery.target, "ErrorTarget")) {
    const json::object* const context = object_in(delivery.target, "ErrorContext");
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
