// SPDX-License-Identifier: Apache-2.0
// What devices say of themselves in health messages (Greengrass fleet status service): state,
// platform, installed components. Any thread; each call is one transaction. A message that was
// delivered twice or late changes nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "base/time/time.hpp"
#include "control/shared/page.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

namespace json = base::json;

struct CoreDevice {
  std::string thing;
  std::string core_version;
  std::string platform;
  std::string architecture;
  std::string runtime;  // "aws_nucleus_lite"; empty where the device does not say
  std::string status;   // HEALTHY or UNHEALTHY
  base::Timestamp last_status_update;
};

struct InstalledComponent {
  std::string name;
  std::string version;
  std::string lifecycle_state;  // RUNNING, BROKEN, ...
  std::string details;          // the device's reason; may be empty
  std::vector<std::string> status_codes;
  bool is_root = false;
  std::vector<std::string> installed_by;  // configuration ARNs
  base::Timestamp last_status_change;
  base::Timestamp last_reported;
};

enum class HealthOutcome { taken, stale };

struct CoreDeviceFilter {
  std::string thing_group;  // empty: all
  std::string status;
  std::string runtime;
};

enum class Topology { all, root };

class CoreDevices {
 public:
  CoreDevices(store::Database& database, const base::Clock& clock);

  // One health message of `thing` as it arrived. Throws invalid_argument for what is not one, and
  // not_found for an unknown thing.
  HealthOutcome take_health(const std::string& thing, std::string_view payload);

  // A message of the broker on $aws/events/presence/...: of a thing that came or went, it is put
  // down for the event bus. Throws invalid_argument.
  void note_presence(std::string_view payload);
  // The same of a thing that is there, as the broker says anew to a server that has not been there:
  // nothing has happened.
  void note_present(std::string_view payload);
  // Nobody is connected until the broker says so.
  void forget_presence();
  [[nodiscard]] std::optional<CoreDevice> find(const std::string& thing) const;
  [[nodiscard]] Page<CoreDevice> list(const CoreDeviceFilter& filter,
                                      const PageRequest& page) const;
  [[nodiscard]] Page<InstalledComponent> installed(const std::string& thing, Topology topology,
                                                   const PageRequest& page) const;
  // Forgets what the device said; it comes back with its next message. False where unknown.
  bool remove(const std::string& thing);

 private:
  store::Database& database_;
  const base::Clock& clock_;
};

}  // namespace andon::control
