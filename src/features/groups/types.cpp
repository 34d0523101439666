// SPDX-License-Identifier: Apache-2.0
#include "features/groups/types.hpp"

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"

namespace andon::features {
namespace {

constexpr std::pair<std::string_view, FeatureType> kTypes[] = {
    {"String", FeatureType::text},
    {"Integral", FeatureType::integral},
    {"Fractional", FeatureType::fractional}};

constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {
    {"Seconds", 1}, {"Minutes", 60}, {"Hours", 3'600}, {"Days", 86'400}, {"Weeks", 604'800}};

constexpr std::int64_t kLongestSeconds = std::int64_t{100} * 366 * 86'400;

}  // namespace

std::string_view to_string(FeatureType type) {
  return std::ranges::find(kTypes, type, [](const auto& row) { return row.second; })->first;
}

std::optional<FeatureType> parse_feature_type(std::string_view text) {
  const auto* const found =
      std::ranges::find(kTypes, text, [](const auto& row) { return row.first; });
  return found == std::end(kTypes) ? std::nullopt : std::optional(found->second);
}

std::int64_t TimeToLive::seconds() const {
  const auto* const found =
      std::ranges::find(kUnits, unit, [](const auto& row) { return row.first; });
  return found == std::end(kUnits) ? 0 : found->second * value;
}

void TimeToLive::check() const {
  const auto* const found =
      std::ranges::find(kUnits, unit, [](const auto& row) { return row.first; });
  if (found != std::end(kUnits) && value >= 1 && value <= kLongestSeconds / found->second) return;
  throw base::Error(base::ErrorCode::invalid_argument,
                    "Validation Error: TtlDuration must have a Unit (Seconds, Minutes, Hours, "
                    "Days, Weeks) and a Value from 1 on, of a hundred years at most");
}

std::string_view to_string(GroupStatus status) {
  switch (status) {
    case GroupStatus::creating:
      return "Creating";
    case GroupStatus::created:
      return "Created";
    case GroupStatus::failed:
      return "CreateFailed";
    case GroupStatus::deleting:
      break;
  }
  return "Deleting";
}

const Feature* FeatureGroup::find(std::string_view name) const {
  const auto found = std::ranges::find(request.features, name, &Feature::name);
  return found == request.features.end() ? nullptr : &*found;
}

}  // namespace andon::features
