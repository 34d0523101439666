// SPDX-License-Identifier: Apache-2.0
#include "control/index/fleet_state.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "base/error/error.hpp"
#include "control/devices/core_device_row.hpp"
#include "control/shared/membership.hpp"
#include "control/shared/sql_text.hpp"
#include "recipe/version/semver.hpp"

namespace andon::control {
namespace {

// Why nobody knows since when a device is away.
constexpr std::string_view kServerRestarted = "SERVER_RESTARTED";

using States = std::map<std::string, ThingState>;
// A page's things, first and last.
struct Range {
  std::string first;
  std::string last;

  [[nodiscard]] std::vector<store::SqlValue> values() const { return {first, last}; }
};

Range range_of(const States& states) {
  return {states.begin()->first, states.rbegin()->first};
}

// The things of a page, filtered by their group alone; the last that was looked at.
std::string read_things(store::Transaction& tx, const ThingStateFilter& filter,
                        const PageRequest& page, States& states) {
  const auto limit = static_cast<std::int64_t>(page.limit);
  std::string last;
  if (filter.group.empty()) {
    for (const store::Row& row :
         tx.query("SELECT name, attributes FROM things WHERE name > $1 ORDER BY name LIMIT $2",
                  {page.after, limit})) {
      last = row.text(0);
      states[last] = {.thing = last, .attributes = stored_map(row.text(1))};
    }
  } else {
    require_group(tx, filter.group);
    for (const std::string& name : members_after(tx, filter.group, page.after, page.limit)) {
      const auto row = tx.query_one("SELECT attributes FROM things WHERE name = $1", {name});
      last = name;
      states[name] = {.thing = name, .attributes = stored_map(row->text(0))};
    }
  }
  return states.size() == page.limit ? last : std::string();
}

void read_devices(store::Transaction& tx, const Range& range, States& states) {
  for (const store::Row& row : tx.query("SELECT " + std::string(kCoreDeviceColumns) +
                                            " FROM core_devices WHERE thing >= $1 AND thing <= $2",
                                        range.values())) {
    const auto state = states.find(row.text(0));
    if (state == states.end()) continue;
    state->second.core = read_core_device(row);
  }
  for (const store::Row& row :
       tx.query("SELECT thing, is_connected, changed_ms, reason FROM thing_connectivity "
                "WHERE thing >= $1 AND thing <= $2",
                range.values())) {
    const auto state = states.find(row.text(0));
    if (state == states.end()) continue;
    state->second.connectivity = {row.integer(1) != 0, stored_time(row.integer(2)), row.text(3)};
  }
}

void read_deployments(store::Transaction& tx, const Range& range, const Arns& arns,
                      States& states) {
  for (const store::Row& row :
       tx.query("SELECT j.thing, j.status, d.id, d.name, d.target FROM job_executions j "
                "JOIN deployments d ON d.id = j.job_id WHERE j.thing >= $1 AND j.thing <= $2 "
                "AND d.state = 'CURRENT' AND j.status <> 'CANCELED' "
                "ORDER BY j.thing, d.created_ms DESC, d.id DESC",
                range.values())) {
    const auto state = states.find(row.text(0));
    if (state == states.end()) continue;
    state->second.deployments.push_back({.id = row.text(2),
                                         .name = row.text(3),
                                         .target_arn = arns.target(row.text(4)),
                                         .status = fleet::parse_job_status(row.text(1)).value()});
  }
}

using Versions = std::map<std::string, std::string>;  // of components, by name

Versions wanted_by(store::Transaction& tx, const std::string& deployment) {
  Versions wanted;
  for (const store::Row& row :
       tx.query("SELECT name, version FROM deployment_components WHERE deployment_id = $1",
                {deployment})) {
    wanted[row.text(0)] = row.text(1);
  }
  return wanted;
}

bool fits(const std::string& installed, const std::string& wanted) {
  if (installed == wanted) return true;
  const auto version = recipe::Version::parse(installed);
  try {
    return version && recipe::VersionRange::parse(wanted).contains(*version);
  } catch (const base::Error&) {
    return false;
  }
}

// What its deployments ask for beside what it has.
void compare(ThingState& state, const Versions& installed,
             const std::map<std::string, Versions>& wanted_by_deployment) {
  for (const StandingDeployment& deployment : state.deployments) {
    for (const auto& [name, wanted] : wanted_by_deployment.at(deployment.id)) {
      const auto found = installed.find(name);
      if (found != installed.end() && fits(found->second, wanted)) continue;
      const auto known = std::ranges::find(state.outdated, name, &OutdatedComponent::name);
      if (known != state.outdated.end()) continue;
      state.outdated.push_back({.name = name,
                                .wanted = wanted,
                                .installed = found == installed.end() ? "" : found->second,
                                .deployment_id = deployment.id});
    }
  }
  std::ranges::sort(state.outdated, {}, &OutdatedComponent::name);
}

bool has(const ThingState& state, const ThingStateFilter& filter) {
  if (filter.component.empty()) return true;
  return filter.component_version.empty() ? !state.component_version.empty()
                                          : state.component_version == filter.component_version;
}

// What is installed decides which are left, and what the others lack.
void read_components(store::Transaction& tx, const Range& range, const ThingStateFilter& filter,
                     States& states) {
  std::map<std::string, Versions> installed;
  for (const store::Row& row :
       tx.query("SELECT thing, name, version, state FROM installed_components "
                "WHERE thing >= $1 AND thing <= $2",
                range.values())) {
    const auto state = states.find(row.text(0));
    if (state == states.end()) continue;
    installed[row.text(0)][row.text(1)] = row.text(2);
    if (row.text(1) != filter.component) continue;
    state->second.component_version = row.text(2);
    state->second.component_state = row.text(3);
  }
  std::erase_if(states, [&](const auto& one) { return !has(one.second, filter); });
  std::map<std::string, Versions> wanted;
  for (auto& [thing, state] : states) {
    for (const StandingDeployment& deployment : state.deployments) {
      if (!wanted.contains(deployment.id)) {
        wanted.emplace(deployment.id, wanted_by(tx, deployment.id));
      }
    }
    compare(state, installed[thing], wanted);
  }
}

void judge(ThingState& state, base::Timestamp now) {
  const auto& there = state.connectivity;
  if (there && there->is_connected) state.last_seen = now;
  if (there && !there->is_connected && there->reason != kServerRestarted) {
    state.last_seen = there->changed;
  }
  if (state.core && (!state.last_seen || state.core->last_status_update > *state.last_seen)) {
    state.last_seen = state.core->last_status_update;
  }
  if (there && !there->is_connected) {
    state.presence = Presence::gone;
  } else if (state.core) {
    state.presence = state.core->status == "HEALTHY" ? Presence::healthy : Presence::unhealthy;
  } else if (there) {
    state.presence = Presence::healthy;  // connected, and has nothing to complain of yet
  }
}

}  // namespace

std::string_view to_string(Presence presence) {
  switch (presence) {
    case Presence::healthy:
      return "HEALTHY";
    case Presence::unhealthy:
      return "UNHEALTHY";
    case Presence::gone:
      return "GONE";
    case Presence::never:
      return "NEVER";
  }
  return "";
}

FleetState::FleetState(store::Database& database, const base::Clock& clock, Arns arns)
    : database_(database), clock_(clock), arns_(std::move(arns)) {}

Page<ThingState> FleetState::list(const ThingStateFilter& filter, const PageRequest& page) const {
  Page<ThingState> found;
  const PageRequest bounded{.limit = std::min(page.limit, kMost), .after = page.after};
  database_.read([&](store::Transaction& tx) {
    States states;
    const std::string last = read_things(tx, filter, bounded, states);
    if (!last.empty()) found.next = last;
    if (states.empty()) return;
    const Range range = range_of(states);
    read_devices(tx, range, states);
    read_deployments(tx, range, arns_, states);
    read_components(tx, range, filter, states);
    for (auto& [thing, state] : states) {
      judge(state, clock_.now());
      found.items.push_back(std::move(state));
    }
  });
  return found;
}

}  // namespace andon::control
