// SPDX-License-Identifier: Apache-2.0
#include "functions/invocations/records.hpp"

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/text/utf8.hpp"

namespace andon::functions {
namespace {

namespace json = base::json;

constexpr int kOk = 200;
constexpr std::size_t kMostMessage = 1'024;

// As it is where it is JSON, else as a text.
json::value payload_of(const std::string& text) {
  try {
    return base::parse_json(text, "a payload", {.max_depth = 512});
  } catch (const base::Error&) {
    return json::value(base::to_valid_utf8(text));
  }
}

}  // namespace

std::string invocation_record(const EventOutcome& outcome) {
  const bool has_failed = outcome.end.kind == CallEnd::Kind::failed;
  json::object record{
      {"version", "1.0"},
      {"timestamp", base::to_iso8601(outcome.time)},
      {"requestContext", json::object{{"requestId", outcome.id},
                                      {"functionArn", outcome.function_arn},
                                      {"condition", outcome.condition},
                                      {"approximateInvokeCount", outcome.attempts}}},
      {"requestPayload", payload_of(outcome.payload)}};
  if (has_failed || outcome.end.kind == CallEnd::Kind::answered) {
    json::object context{{"statusCode", kOk}, {"executedVersion", outcome.version}};
    if (has_failed) context["functionError"] = "Unhandled";
    record["responseContext"] = std::move(context);
    record["responsePayload"] = payload_of(outcome.end.payload);
  }
  return base::to_text(record);
}

std::string dead_letter(const EventOutcome& outcome) {
  std::string message = outcome.end.text;
  const json::value payload = payload_of(outcome.end.payload);
  if (const auto* object = payload.if_object()) {
    const auto* told = object->if_contains("errorMessage");
    if (told != nullptr && told->is_string()) message = told->get_string();
  }
  const int code = outcome.end.kind == CallEnd::Kind::throttled ? 429 : kOk;
  return base::to_text(json::object{{"RequestID", outcome.id},
                                    {"ErrorCode", std::to_string(code)},
                                    {"ErrorMessage", message.substr(0, kMostMessage)},
                                    {"Event", payload_of(outcome.payload)}});
}

}  // namespace andon::functions
