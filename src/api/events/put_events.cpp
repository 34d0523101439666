// SPDX-License-Identifier: Apache-2.0
// PutEvents.
#include <cmath>

#include "api/events/rows.hpp"
#include "base/error/error.hpp"
#include "base/json/json_members.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostBytes = 1U << 20U;  // of all entries
constexpr std::size_t kMostEntries = 10;
constexpr std::size_t kTimeBytes = 14;

// What is wrong with an entry, as its own part of the answer.
struct Refused {
  std::string code;
  std::string message;
};

std::string needed_text(const json::object& entry, const std::string& key) {
  std::string text = base::text_at(entry, key);
  if (text.empty()) {
    throw Refused{"InvalidArgument", "Parameter " + key + " is not valid. Reason: " + key +
                                         " is a required argument."};
  }
  return text;
}

json::object detail_of(const json::object& entry) {
  const auto* given = entry.if_contains("Detail");
  if (given != nullptr && given->is_object()) return given->get_object();
  try {
    auto detail = base::parse_json(needed_text(entry, "Detail"), "Detail", {.max_depth = 500});
    if (auto* object = detail.if_object()) return std::move(*object);
  } catch (const Error&) {
    // It is said below.
  }
  throw Refused{"MalformedDetail", "Detail is malformed."};
}

base::Timestamp time_of(const json::object& entry, base::Timestamp now) {
  const auto* given = entry.if_contains("Time");
  if (given == nullptr || given->is_null()) return now;
  if (given->is_number()) {
    constexpr double kThousand = 1000;
    constexpr double kLatest = 253'402'300'799;
    const auto seconds = given->to_number<double>();
    if (seconds >= 0 && seconds <= kLatest) {
      return base::from_epoch_millis(std::llround(seconds * kThousand));
    }
  } else if (given->is_string()) {
    if (const auto time = base::parse_iso8601(given->get_string())) return *time;
  }
  throw Refused{"InvalidArgument", "Parameter Time is not valid."};
}

events::Event event_of(const json::object& entry, base::Timestamp now) {
  events::Event event{.source = needed_text(entry, "Source"),
                      .detail_type = needed_text(entry, "DetailType"),
                      .resources = {},
                      .detail = detail_of(entry),
                      .time = time_of(entry, now)};
  if (event.source.starts_with("aws.")) {
    throw Refused{"NotAuthorizedForSourceException", "Not authorized for the source."};
  }
  if (const auto* list = entry.if_contains("Resources"); list != nullptr && list->is_array()) {
    for (const json::value& one : list->get_array()) {
      if (one.is_string()) event.resources.emplace_back(one.get_string());
    }
  }
  return event;
}

std::size_t size_of(const json::object& entry) {
  std::size_t size = entry.contains("Time") ? kTimeBytes : 0;
  for (const char* key : {"Source", "DetailType"}) size += base::text_at(entry, key).size();
  if (const auto* detail = entry.if_contains("Detail")) {
    size += detail->is_string() ? detail->get_string().size() : base::to_text(*detail).size();
  }
  if (const auto* list = entry.if_contains("Resources"); list != nullptr && list->is_array()) {
    for (const json::value& one : list->get_array()) {
      if (one.is_string()) size += one.get_string().size();
    }
  }
  return size;
}

json::object refused(const std::string& code, const std::string& message) {
  return {{"ErrorCode", code}, {"ErrorMessage", message}};
}

json::object put_one(const EventParts& parts, store::Transaction& tx, const json::object& entry) {
  try {
    const events::Envelope event =
        events::envelop(event_of(entry, parts.clock.now()), parts.queue.arns());
    parts.queue.accept(tx, events::bus_name(base::text_at(entry, "EventBusName")), event);
    return {{"EventId", event.id}};
  } catch (const Refused& problem) {
    return refused(problem.code, problem.message);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::resource_exhausted) throw;
    return refused("ThrottlingException", error.message());
  }
}

json::value put(const EventParts& parts, const OperationContext& context) {
  return put_events(parts, context.input.at("Entries").as_array());
}

}  // namespace

json::object put_events(const EventParts& parts, const json::array& entries) {
  std::size_t bytes = 0;
  for (const json::value& entry : entries) {
    if (!entry.is_object()) {
      throw Error(ErrorCode::invalid_argument, "Entries must be a list of objects");
    }
    bytes += size_of(entry.get_object());
  }
  if (entries.empty() || entries.size() > kMostEntries) {
    throw Error(ErrorCode::invalid_argument,
                "1 validation error detected: Value '[PutEventsRequestEntry]' at 'entries' failed "
                "to satisfy constraint: Member must have length from 1 to 10");
  }
  if (bytes > kMostBytes) {
    throw Error(ErrorCode::invalid_argument,
                "Total size of the entries in the request is over the limit.");
  }
  json::array answers;
  parts.queue.database().write([&](store::Transaction& tx) {
    answers.clear();
    for (const json::value& entry : entries) {
      answers.push_back(put_one(parts, tx, entry.get_object()));
    }
  });
  std::size_t failed = 0;
  for (const json::value& answer : answers) failed += answer.as_object().contains("ErrorCode");
  parts.wake();
  return {{"FailedEntryCount", failed}, {"Entries", std::move(answers)}};
}

std::vector<Operation> event_rows::put_rows(const EventParts& parts) {
  return {row(parts, "PutEvents", {needed(list_rule("Entries", 1, 10))}, put)};
}

}  // namespace andon::api
