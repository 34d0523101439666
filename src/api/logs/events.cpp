// SPDX-License-Identifier: Apache-2.0
// Log events: put, read, searched.
#include <algorithm>

#include "api/logs/rows.hpp"
#include "base/error/error.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"

namespace andon::api::logs {
namespace {

using base::Error;
using base::ErrorCode;
using control::LogPlace;

constexpr std::int64_t kMostTime = 9'999'999'999'999;  // in the year 2286
constexpr std::size_t kEventsPage = 10'000;

std::string id_text(std::int64_t id) {
  constexpr std::size_t kDigits = 56;  // as AWS's ids have
  const std::string digits = std::to_string(id);
  return std::string(kDigits - digits.size(), '0') + digits;
}

std::string place_text(const LogPlace& place) {
  return std::to_string(place.time_ms) + "|" + std::to_string(place.id);
}

[[noreturn]] void refuse_token() {
  throw ServiceError(400, "InvalidParameterException", "The specified nextToken is invalid.");
}

LogPlace read_place(std::string_view text) {
  const auto parts = base::split(text, '|');
  if (parts.size() != 2) refuse_token();
  const auto time = base::parse_int64(parts[0]);
  const auto id = base::parse_int64(parts[1]);
  if (!time || !id) refuse_token();
  return {*time, *id};
}

json::value put(const Service& service, const json::object& input) {
  std::vector<control::LogLine> lines;
  for (const json::value& one : input.at("logEvents").as_array()) {
    if (!one.is_object()) {
      throw ServiceError(400, "SerializationException", "a log event must be an object");
    }
    const json::object& event = one.get_object();
    check_members(
        event,
        {needed(number("timestamp", 0, kMostTime)), needed(rules::secret("message", 1 << 20, 1))},
        "InvalidParameterException");
    lines.push_back({base::from_epoch_millis(*optional_number(event, "timestamp")),
                     *maybe_text(event, "message")});
  }
  const auto outcome = service.logs.put(*maybe_text(input, "logGroupName"),
                                        *maybe_text(input, "logStreamName"), lines);
  // Clients of old send it back; it says nothing any more.
  json::object output{{"nextSequenceToken", id_text(outcome.last_id)}};
  json::object rejected;
  if (outcome.too_new_start) rejected["tooNewLogEventStartIndex"] = *outcome.too_new_start;
  if (outcome.too_old_end) rejected["tooOldLogEventEndIndex"] = *outcome.too_old_end;
  if (outcome.expired_end) rejected["expiredLogEventEndIndex"] = *outcome.expired_end;
  if (!rejected.empty()) output["rejectedLogEventsInfo"] = std::move(rejected);
  return output;
}

std::size_t read_limit(const json::object& input) {
  return static_cast<std::size_t>(
      optional_number(input, "limit").value_or(static_cast<std::int64_t>(kEventsPage)));
}

json::value get(const Service& service, const json::object& input) {
  control::LogRead wanted;
  wanted.range.from_ms = optional_number(input, "startTime").value_or(0);
  if (const auto end = optional_number(input, "endTime")) wanted.range.until_ms = *end;
  wanted.limit = read_limit(input);
  wanted.backward = !flag(input, "startFromHead");
  // "f" and "b": forward from a place, backward from it.
  const std::string token = read_token(input);
  if (!token.empty()) {
    if (token.size() < 2 || (token[0] != 'f' && token[0] != 'b')) refuse_token();
    wanted.backward = token[0] == 'b';
    wanted.place = read_place(std::string_view(token).substr(1));
  }
  const auto page =
      service.logs.read(read_group(input), *maybe_text(input, "logStreamName"), wanted);
  json::array events;
  for (const auto& event : page.events) {
    events.push_back(json::object{{"timestamp", base::to_epoch_millis(event.time)},
                                  {"message", event.message},
                                  {"ingestionTime", base::to_epoch_millis(event.ingested)}});
  }
  return json::object{{"events", std::move(events)},
                      {"nextForwardToken", to_page_token("f" + place_text(page.after))},
                      {"nextBackwardToken", to_page_token("b" + place_text(page.before))}};
}

json::value filter(const Service& service, const json::object& input) {
  control::LogSearch wanted{.streams = read_texts(input, "logStreamNames"),
                            .stream_prefix = maybe_text(input, "logStreamNamePrefix").value_or(""),
                            .pattern = maybe_text(input, "filterPattern").value_or(""),
                            .limit = read_limit(input)};
  if (!wanted.streams.empty() && !wanted.stream_prefix.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "logStreamNames and logStreamNamePrefix are mutually exclusive parameters.");
  }
  wanted.range.from_ms = optional_number(input, "startTime").value_or(0);
  // Inclusive here, unlike GetLogEvents: so AWS has it.
  if (const auto end = optional_number(input, "endTime")) wanted.range.until_ms = *end + 1;
  const std::string token = read_token(input);
  if (!token.empty()) wanted.place = read_place(token);
  const auto page = service.logs.search(read_group(input), wanted);
  json::array events;
  for (const auto& event : page.events) {
    events.push_back(json::object{{"logStreamName", event.stream},
                                  {"timestamp", base::to_epoch_millis(event.time)},
                                  {"message", event.message},
                                  {"ingestionTime", base::to_epoch_millis(event.ingested)},
                                  {"eventId", id_text(event.id)}});
  }
  json::object output{{"events", std::move(events)}, {"searchedLogStreams", json::array()}};
  if (page.next) output["nextToken"] = to_page_token(place_text(*page.next));
  return output;
}

}  // namespace

std::vector<Operation> event_rows(const Service& service) {
  const MemberRule start = number("startTime", 0, kMostTime);
  const MemberRule end = number("endTime", 0, kMostTime);
  const auto most = static_cast<std::int64_t>(kEventsPage);
  return {
      row(service, "PutLogEvents",
          {needed(group_rule()), needed(stream_rule()),
           needed(list_rule("logEvents", 1, static_cast<std::int64_t>(control::Logs::kBatchLines))),
           text("sequenceToken", 1, 4096)},
          put),
      row(service, "GetLogEvents",
          with_page(with_group({needed(stream_rule()), start, end, flag_rule("startFromHead")}),
                    most),
          get),
      row(service, "FilterLogEvents",
          with_page(
              with_group({list_rule("logStreamNames", 1, 100), text("logStreamNamePrefix", 1, 512),
                          start, end, text("filterPattern", 0, 1024)}),
              most),
          filter)};
}

}  // namespace andon::api::logs
