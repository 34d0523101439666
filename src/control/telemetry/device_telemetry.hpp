// SPDX-License-Identifier: Apache-2.0
// Room: telemetry. Figures of devices over time (fleet/telemetry/telemetry_message.hpp): a point a
// minute for a day, and their averages by the hour for 30 days. A device's clock is not believed,
// only how far its points are apart: the newest one of a message is of when it came. What came in
// the last seconds is in memory, and goes with a crash; a message holds nobody up. Any thread.
//
// Bounded: a device has one row a minute, however often it speaks; where more than kThingsInFull
// devices do, minutes are kept for less than a day, so that all of them together stay as many.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time/time.hpp"
#include "fleet/telemetry/telemetry_message.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

enum class TelemetryPeriod : std::int64_t { minute = 60, hour = 3600 };  // in seconds

struct TelemetryQuestion {
  std::string thing;
  base::Timestamp from;
  base::Timestamp until;  // itself outside
  TelemetryPeriod period = TelemetryPeriod::minute;
};

struct LatestFigures {
  std::string thing;
  base::Timestamp at;
  fleet::Figures figures{};
};

class DeviceTelemetry {
 public:
  static constexpr std::chrono::hours kMinutesKept{24};
  static constexpr std::chrono::days kHoursKept{30};
  static constexpr std::int64_t kThingsInFull = 1000;
  static constexpr std::size_t kMostWaiting = 20'000;  // points

  DeviceTelemetry(store::Database& database, const base::Clock& clock);
  DeviceTelemetry(const DeviceTelemetry&) = delete;
  DeviceTelemetry& operator=(const DeviceTelemetry&) = delete;
  ~DeviceTelemetry() = default;

  // One message of `thing` as it arrived. Throws invalid_argument for what is not one.
  void take(const std::string& thing, std::string_view payload);
  // Writes what has come, in one transaction; of things that are gone nothing.
  void write();

  // Oldest first: at most a day of minutes, 30 days of hours.
  [[nodiscard]] std::vector<fleet::TelemetryPoint> read(const TelemetryQuestion& question) const;
  [[nodiscard]] std::optional<LatestFigures> latest(const std::string& thing) const;
  // Of all that have said something within the last hour, by name, at most `limit`.
  [[nodiscard]] std::vector<LatestFigures> latest_of_all(std::int64_t limit) const;

  // Forgets at most `limit` points whose time is over, in one transaction; answers how many.
  std::int64_t remove_old(std::int64_t limit);

 private:
  using Key = std::pair<std::string, std::int64_t>;  // thing, minute
  [[nodiscard]] std::chrono::milliseconds minutes_kept(store::Transaction& tx) const;

  store::Database& database_;
  const base::Clock& clock_;
  std::mutex mutex_;
  std::map<Key, fleet::Figures> waiting_;  // guarded by mutex_
};

}  // namespace andon::control
