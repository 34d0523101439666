// SPDX-License-Identifier: Apache-2.0
#include "fleet/messages/result_message.hpp"

#include <algorithm>
#include <cmath>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "fleet/messages/limits.hpp"

namespace andon::fleet {
namespace {

using base::Error;
using base::ErrorCode;
using base::JsonReader;

constexpr std::size_t kMaxName = 128;
constexpr std::size_t kMaxImage = 1024;
constexpr std::size_t kMaxLabel = 256;
constexpr std::size_t kMaxVerdict = 32;
constexpr std::size_t kDigestDigits = 64;

std::string text_of(const JsonReader& reader, std::string_view key, std::size_t most) {
  return cut_text(reader.optional_string(key).value_or(""), most);
}

void take_surest(ResultMessage& result, std::string label, double score) {
  if (!std::isfinite(score) || (result.score && *result.score >= score)) return;
  result.label = cut_text(std::move(label), kMaxLabel);
  result.score = score;
}

// Findings with "label" and "confidence".
void take_list(ResultMessage& result, const JsonReader& reader, std::string_view key) {
  const json::array* const list = reader.optional_array(key);
  if (list == nullptr) return;
  for (const json::value& item : *list) {
    const JsonReader finding(item, std::string(key));
    const auto score = finding.optional_number("confidence");
    if (score) take_surest(result, finding.optional_string("label").value_or(""), *score);
  }
}

bool is_digest(std::string_view text) {
  return text.size() == kDigestDigits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

ResultMessage parse_result_message(std::string_view payload) {
  const json::value value = base::parse_json(payload, "result", kResult);
  const JsonReader reader(value, "result");
  ResultMessage result;
  const auto time = base::parse_iso8601(reader.string("timestamp"));
  if (!time) reader.fail("timestamp", "must be a time such as 2026-11-22T10:00:00.123Z");
  result.time = *time;
  result.image = cut_text(reader.child("image").required_text("name"), kMaxImage);
  const JsonReader component = reader.child_or_empty("component");
  result.component = text_of(component, "name", kMaxName);
  result.component_version = text_of(component, "version", kMaxName);
  const JsonReader model = reader.child_or_empty("model");
  result.model = text_of(model, "component", kMaxName);
  result.model_version = text_of(model, "version", kMaxName);
  take_list(result, reader, "detections");
  take_list(result, reader, "classes");
  if (!result.score && reader.has("anomaly")) {
    const auto score = reader.child("anomaly").optional_number("score");
    if (score) take_surest(result, "anomaly", *score);
  }
  result.verdict = text_of(reader, "verdict", kMaxVerdict);
  result.error = text_of(reader.child_or_empty("error"), "code", kMaxName);
  return result;
}

std::string make_stored_message(const std::vector<std::string>& digests) {
  return base::to_text(json::object{{"stored", to_array(digests)}});
}

std::vector<std::string> parse_stored_message(std::string_view payload) {
  const json::value value = base::parse_json(payload, "stored results", kFromServer);
  const JsonReader reader(value, "stored results");
  if (!reader.has("stored")) reader.fail("stored", "must be a list of digests");
  std::vector<std::string> digests = reader.strings("stored", kMaxStoredDigests + 1);
  if (digests.size() > kMaxStoredDigests || !std::ranges::all_of(digests, is_digest)) {
    throw Error(ErrorCode::invalid_argument, "stored results: stored must be at most " +
                                                 std::to_string(kMaxStoredDigests) +
                                                 " SHA-256 digests of 64 digits 0-9 a-f");
  }
  return digests;
}

}  // namespace andon::fleet
