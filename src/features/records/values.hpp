// SPDX-License-Identifier: Apache-2.0
// Values of features: texts on the wire, checked against the feature's type, and the event time
// that orders the records of one identifier. Pure; any thread. Errors are invalid_argument with
// "Validation Error: " before them, as AWS has it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "features/groups/types.hpp"
#include "store/sql/database.hpp"

namespace andon::features {

inline constexpr std::size_t kMostRecordBytes = 350U << 10U;  // names and values

using FeatureValues = std::vector<std::pair<std::string, std::string>>;  // feature, text

// Of a record that is to be kept.
struct Record {
  std::string identifier;
  std::int64_t event_us = 0;                  // since 1970
  std::map<std::string, std::string> values;  // by feature, as they came
  std::int64_t bytes = 0;
};

// Each feature once and of the group, identifier and event time among them, each value of its type.
[[nodiscard]] Record check_record(const FeatureGroup& group, const FeatureValues& values);
// The same for one value.
void check_value(const Feature& feature, const std::string& text);

// Seconds since 1970 of a Fractional feature; ISO 8601 of a String: 2026-11-22T10:00:00Z, with
// milliseconds or without. In microseconds.
[[nodiscard]] std::int64_t parse_event_time(const Feature& feature, std::string_view text);

// For the offline store's column; `text` has been checked.
[[nodiscard]] store::SqlValue column_value(FeatureType type, const std::string& text);

}  // namespace andon::features
