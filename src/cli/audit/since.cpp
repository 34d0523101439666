// SPDX-License-Identifier: Apache-2.0
#include "cli/audit/since.hpp"

#include <chrono>
#include <cstdint>
#include <string>

#include "base/error/error.hpp"
#include "base/text/number.hpp"

namespace andon::cli {
namespace {

constexpr std::int64_t kMostUnits = 1'000'000;

std::chrono::minutes unit_of(char letter) {
  switch (letter) {
    case 'm':
      return std::chrono::minutes(1);
    case 'h':
      return std::chrono::hours(1);
    case 'd':
      return std::chrono::days(1);
    default:
      return {};
  }
}

}  // namespace

base::Timestamp read_since(std::string_view text, base::Timestamp now, std::string_view option) {
  if (const auto time = base::parse_iso8601(text)) return *time;
  if (const auto day = base::parse_iso8601(std::string(text) + "T00:00:00Z")) return *day;
  if (!text.empty()) {
    const auto unit = unit_of(text.back());
    const auto count =
        base::parse_integer<std::int64_t>(text.substr(0, text.size() - 1), 0, kMostUnits);
    if (count && unit.count() > 0) return now - *count * unit;
  }
  throw base::Error(base::ErrorCode::invalid_argument,
                    std::string(option) + " '" + std::string(text) +
                        "': must be a time (2026-11-22T10:00:00Z, 2026-11-22) or how long ago "
                        "(30m, 12h, 7d)");
}

}  // namespace andon::cli
