// SPDX-License-Identifier: Apache-2.0
// What of a bucket's objects goes when (S3's lifecycle): rules, and their text in the settings of a
// bucket. A day is over at the midnight (UTC) after it. Values; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time/time.hpp"

namespace andon::store {

struct LifecycleRule {
  std::string id;
  bool is_enabled = true;
  // Which objects; all of these hold.
  std::string prefix;
  std::map<std::string, std::string> tags;
  std::optional<std::int64_t> size_greater_than;
  std::optional<std::int64_t> size_less_than;
  // What is read without a version: removed, or where the bucket has versions, marked as deleted.
  std::optional<std::int64_t> expiration_days;
  std::optional<base::Timestamp> expiration_date;
  // A delete marker below which nothing is left.
  bool removes_lone_markers = false;
  // What is not the latest any more, but for the newest `newer_noncurrent` of a key.
  std::optional<std::int64_t> noncurrent_days;
  std::int64_t newer_noncurrent = 0;
  std::optional<std::int64_t> abort_uploads_days;  // those that nobody has completed
};

inline constexpr std::size_t kMostLifecycleRules = 1000;

[[nodiscard]] std::string lifecycle_to_text(const std::vector<LifecycleRule>& rules);
[[nodiscard]] std::vector<LifecycleRule> lifecycle_from_text(std::string_view text);

}  // namespace andon::store
