// SPDX-License-Identifier: Apache-2.0
// The fleet as people look at it: of each thing whether it is there and well, what the deployments
// that stand for it ask for, and which of that it has not. Any thread; each call is one transaction
// that looks at a bounded number of things.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "control/devices/core_devices.hpp"
#include "control/index/thing_document.hpp"
#include "control/shared/arn.hpp"
#include "control/shared/page.hpp"
#include "fleet/messages/job_message.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

enum class Presence : std::uint8_t {
  healthy,    // connected, or of an agent whose connection has no thing's name, and well
  unhealthy,  // the same, and some component is not
  gone,       // it was connected, and is not
  never,      // it has not been heard of
};
[[nodiscard]] std::string_view to_string(Presence presence);  // "HEALTHY"

// A component of a deployment that a thing has not, or has in another version.
struct OutdatedComponent {
  std::string name;
  std::string wanted;     // as the deployment has it: may be a range
  std::string installed;  // empty: it is not there
  std::string deployment_id;
};

// A deployment that stands for a thing, and how far it is there.
struct StandingDeployment {
  std::string id;
  std::string name;
  std::string target_arn;
  fleet::JobStatus status = fleet::JobStatus::queued;
};

struct ThingState {
  std::string thing;
  std::map<std::string, std::string> attributes = {};
  Presence presence = Presence::never;
  std::optional<Connectivity> connectivity = {};
  std::optional<base::Timestamp> last_seen = {};  // nothing: never
  std::optional<CoreDevice> core = {};
  std::vector<StandingDeployment> deployments = {};  // newest first
  std::vector<OutdatedComponent> outdated = {};      // by name
  // Of the component that was asked for.
  std::string component_version = {};
  std::string component_state = {};  // RUNNING, BROKEN, ...
};

struct ThingStateFilter {
  std::string group = {};  // its members, and those of groups below it; empty: all things
  // Those on which it is installed; an empty version: any.
  std::string component = {};
  std::string component_version = {};
};

class FleetState {
 public:
  static constexpr std::size_t kMost = 1000;  // things of a page

  FleetState(store::Database& database, const base::Clock& clock, Arns arns);

  // By name. A page with a filter may have fewer things than it could, and a next one. Throws
  // not_found for an unknown group.
  [[nodiscard]] Page<ThingState> list(const ThingStateFilter& filter,
                                      const PageRequest& page) const;

 private:
  store::Database& database_;
  const base::Clock& clock_;
  Arns arns_;
};

}  // namespace andon::control
