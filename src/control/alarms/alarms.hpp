// SPDX-License-Identifier: Apache-2.0
// Room: alarms. What is looked at from time to time and is not as it should be: little room on a
// disk (the server's, a device's), a device that rejects many parts, a certificate that ends. Each
// is raised once and ends once, with an event for the bus in the same transaction
// (control/shared/own_events.hpp), and is kept over restarts. What was raised ends when the figure
// is clearly on the good side again, so that one which wavers does not raise it every minute.
// Any thread; check() is one thread's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "base/time/time.hpp"
#include "control/alarms/reject_rates.hpp"
#include "control/shared/outbox.hpp"
#include "control/telemetry/device_telemetry.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

enum class AlarmKind : std::uint8_t { server_disk, device_disk, reject_rate, certificate };
[[nodiscard]] std::string_view to_string(AlarmKind kind);  // "SERVER_DISK"

struct AlarmLimits {
  int disk_free_percent = 10;      // less is an alarm; 0: none
  int reject_percent = 20;         // more is one; 0: none
  std::int64_t least_judged = 50;  // within the hour; fewer parts say nothing
  std::chrono::days certificate{14};
};

struct DiskRoom {
  std::uint64_t free_bytes = 0;
  std::uint64_t size_bytes = 0;
};

struct Alarm {
  AlarmKind kind = AlarmKind::server_disk;
  std::string thing;  // empty: the server
  base::Timestamp since;
  std::string reason;          // for people
  base::json::object figures;  // for programs
};

class Alarms {
 public:
  struct Parts {
    store::Database& database;
    const store::Database& results;
    Outbox& outbox;
    const DeviceTelemetry& telemetry;
    const base::Clock& clock;
    std::function<std::optional<DiskRoom>()> disk;  // the server's
    AlarmLimits limits = {};
  };
  explicit Alarms(Parts parts);
  Alarms(const Alarms&) = delete;
  Alarms& operator=(const Alarms&) = delete;
  ~Alarms() = default;

  // Looks at everything once; raises and ends.
  void check();
  // What is raised, oldest first; of one device, or of all.
  [[nodiscard]] std::vector<Alarm> list(const std::string& thing = {}) const;

  static constexpr std::size_t kMost = 10'000;  // raised at a time

 private:
  using Key = std::pair<AlarmKind, std::string>;
  // A figure as it is now: bad, good, or between, where what was stays.
  enum class Standing : std::uint8_t { good, between, bad };
  struct Finding {
    Standing standing = Standing::good;
    std::string reason;
    base::json::object figures;
  };
  using Findings = std::map<Key, Finding>;
  void look_at_disks(Findings& findings) const;
  void look_at_rejects(Findings& findings, base::Timestamp now);
  void look_at_certificates(Findings& findings, base::Timestamp now) const;
  [[nodiscard]] Finding disk_finding(double free_mib, double size_mib) const;

  Parts parts_;
  RejectRates rates_;
};

}  // namespace andon::control
