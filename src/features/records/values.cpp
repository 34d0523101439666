// SPDX-License-Identifier: Apache-2.0
#include "features/records/values.hpp"

#include <cmath>

#include "base/error/error.hpp"
#include "base/text/number.hpp"
#include "base/text/utf8.hpp"

namespace andon::features {
namespace {

constexpr double kMicros = 1e6;
constexpr std::int64_t kMicrosInMilli = 1'000;
constexpr double kLatestSeconds = 253'402'300'799.0;  // the end of the year 9999
constexpr std::size_t kMostShown = 100;

[[noreturn]] void refuse(const std::string& problem) {
  throw base::Error(base::ErrorCode::invalid_argument, "Validation Error: " + problem);
}

std::string shown(std::string_view text) {
  return "[" + std::string(text.substr(0, kMostShown)) + "]";
}

const Feature& required(const FeatureGroup& group, const std::string& name) {
  const Feature* const feature = group.find(name);
  if (feature == nullptr) {
    refuse("FeatureName " + shown(name) + " is not in FeatureGroup " + group.request.name);
  }
  return *feature;
}

const std::string& required_value(const Record& record, const std::string& name, const char* what) {
  const auto found = record.values.find(name);
  if (found == record.values.end() || found->second.empty()) {
    refuse("Record must have a value for the " + std::string(what) + " feature " + shown(name));
  }
  return found->second;
}

}  // namespace

void check_value(const Feature& feature, const std::string& text) {
  const auto wrong = [&] {
    refuse("Value " + shown(text) + " for FeatureName " + shown(feature.name) + " is not of type " +
           std::string(to_string(feature.type)));
  };
  switch (feature.type) {
    case FeatureType::integral:
      if (!base::parse_int64(text)) wrong();
      return;
    case FeatureType::fractional:
      if (!base::parse_number(text)) wrong();
      return;
    case FeatureType::text:
      if (!base::is_utf8(text) || text.find('\0') != std::string::npos) wrong();
      return;
  }
}

std::int64_t parse_event_time(const Feature& feature, std::string_view text) {
  if (feature.type == FeatureType::fractional) {
    const auto seconds = base::parse_number(text);
    if (seconds && *seconds >= 0 && *seconds <= kLatestSeconds) {
      return std::llround(*seconds * kMicros);
    }
    refuse("EventTime " + shown(text) + " must be seconds since 1970");
  }
  // With dashes and colons: the other form that the parser knows is none of these.
  const auto time =
      text.find('-') == std::string_view::npos ? std::nullopt : base::parse_iso8601(text);
  if (!time) {
    refuse("EventTime " + shown(text) +
           " must be of the form yyyy-MM-dd'T'HH:mm:ssZ or yyyy-MM-dd'T'HH:mm:ss.SSSZ");
  }
  return base::to_epoch_millis(*time) * kMicrosInMilli;
}

Record check_record(const FeatureGroup& group, const FeatureValues& values) {
  Record record;
  std::size_t bytes = 0;
  for (const auto& [name, text] : values) {
    check_value(required(group, name), text);
    if (!record.values.emplace(name, text).second) {
      refuse("FeatureName " + shown(name) + " comes more than once in the Record");
    }
    bytes += name.size() + text.size();
  }
  if (bytes > kMostRecordBytes) {
    refuse("Record has " + std::to_string(bytes) + " bytes; at most " +
           std::to_string(kMostRecordBytes) + " are allowed");
  }
  record.bytes = static_cast<std::int64_t>(bytes);
  record.identifier = required_value(record, group.request.record_identifier, "record identifier");
  record.event_us =
      parse_event_time(required(group, group.request.event_time),
                       required_value(record, group.request.event_time, "event time"));
  return record;
}

store::SqlValue column_value(FeatureType type, const std::string& text) {
  switch (type) {
    case FeatureType::integral:
      return base::parse_int64(text).value_or(0);
    case FeatureType::fractional:
      return base::parse_number(text).value_or(0);
    case FeatureType::text:
      break;
  }
  return text;
}

}  // namespace andon::features
