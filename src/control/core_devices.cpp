// SPDX-License-Identifier: Apache-2.0
#include "control/core_devices.hpp"

#include <algorithm>
#include <tuple>

#include "base/error.hpp"
#include "control/health_message.hpp"
#include "control/job_executions.hpp"
#include "control/membership.hpp"
#include "control/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kDeviceColumns =
    "thing, core_version, platform, architecture, runtime, status, updated_ms";

CoreDevice read_device(const store::Row& row) {
  return {row.text(0),
          row.text(1),
          row.text(2),
          row.text(3),
          row.text(4),
          row.text(5),
          stored_time(row.integer(6))};
}

struct LastMessage {
  std::int64_t sequence_number = 0;
  std::int64_t chunk = 0;
  base::Timestamp sent;
};

// A device that was installed anew counts from one again: its launch message is newer by the clock.
bool is_stale(const HealthMessage& message, const LastMessage& last) {
  if (std::tie(message.sequence_number, message.chunk) >
      std::tie(last.sequence_number, last.chunk)) {
    return false;
  }
  return !(message.is_launch && message.kind == HealthKind::complete && message.sent > last.sent);
}

void store_device(store::Transaction& tx, const std::string& thing, const HealthMessage& message,
                  base::Timestamp now) {
  const CoreDevice& device = message.device;
  tx.execute(
      "INSERT INTO core_devices (thing, core_version, platform, architecture, runtime, status, "
      "sequence_number, chunk, message_ms, updated_ms) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (thing) DO UPDATE SET "
      "core_version = excluded.core_version, platform = excluded.platform, "
      "architecture = excluded.architecture, runtime = excluded.runtime, "
      "status = excluded.status, sequence_number = excluded.sequence_number, "
      "chunk = excluded.chunk, message_ms = excluded.message_ms, "
      "updated_ms = excluded.updated_ms",
      {thing, device.core_version, device.platform, device.architecture, device.runtime,
       device.status, message.sequence_number, message.chunk, to_stored(message.sent),
       to_stored(now)});
}

void store_component(store::Transaction& tx, const std::string& thing,
                     const InstalledComponent& component, base::Timestamp now) {
  if (component.lifecycle_state == "UNINSTALLED") {
    tx.execute("DELETE FROM installed_components WHERE thing = $1 AND name = $2",
               {thing, component.name});
    return;
  }
  tx.execute(
      "INSERT INTO installed_components (thing, name, version, state, details, status_codes, "
      "is_root, installed_by, changed_ms, reported_ms) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) ON CONFLICT (thing, name) DO UPDATE SET "
      "changed_ms = CASE WHEN installed_components.state = excluded.state AND "
      "installed_components.version = excluded.version THEN installed_components.changed_ms "
      "ELSE excluded.changed_ms END, "
      "version = excluded.version, state = excluded.state, details = excluded.details, "
      "status_codes = excluded.status_codes, is_root = excluded.is_root, "
      "installed_by = excluded.installed_by, reported_ms = excluded.reported_ms",
      {thing, component.name, component.version, component.lifecycle_state, component.details,
       to_stored(component.status_codes), static_cast<std::int64_t>(component.is_root),
       to_stored(component.installed_by), to_stored(now)});
}

// A COMPLETE message names everything that is installed; the rest is gone.
void forget_others(store::Transaction& tx, const std::string& thing) {
  tx.execute("DELETE FROM installed_components WHERE thing = $1 AND reported_ms < 0", {thing});
}

// Devices that say nothing in the job's update (lite) say it here.
void explain_deployment(store::Transaction& tx, const std::string& thing,
                        const ReportedDeployment& reported, base::Timestamp now) {
  std::optional<JobExecution> execution = find_execution(tx, reported.deployment_id, thing);
  if (!execution || !execution->status_details.empty()) return;
  if (execution->status == JobStatus::canceled) return;
  const auto put = [&](std::string_view key, const std::string& text) {
    if (!text.empty()) execution->status_details[std::string(key)] = text;
  };
  put(kDetailedStatus, reported.detailed_status);
  put(kFailureCause, reported.failure_cause);
  if (!reported.error_stack.empty()) put(kErrorStack, to_stored(reported.error_stack));
  if (!reported.error_types.empty()) put(kErrorTypes, to_stored(reported.error_types));
  if (!execution->status_details.empty()) change_execution(tx, *execution, now);
}

}  // namespace

CoreDevices::CoreDevices(store::Database& database, const base::Clock& clock)
    : database_(database), clock_(clock) {}

HealthOutcome CoreDevices::take_health(const std::string& thing, std::string_view payload) {
  const HealthMessage message = parse_health_message(payload);
  HealthOutcome outcome = HealthOutcome::taken;
  database_.write([&](store::Transaction& tx) {
    require_thing(tx, thing);
    const base::Timestamp now = clock_.now();
    const auto row = tx.query_one(
        "SELECT sequence_number, chunk, message_ms FROM core_devices WHERE thing = $1", {thing});
    bool is_next_chunk = false;
    if (row) {
      const LastMessage last{row->integer(0), row->integer(1), stored_time(row->integer(2))};
      if (is_stale(message, last)) {
        outcome = HealthOutcome::stale;
        return;
      }
      is_next_chunk = message.sequence_number == last.sequence_number;
    }
    store_device(tx, thing, message, now);
    const bool replaces = message.kind == HealthKind::complete && !is_next_chunk;
    if (replaces) {
      // Marked and not deleted, so that what stays keeps the time of its last change.
      tx.execute("UPDATE installed_components SET reported_ms = -1 WHERE thing = $1", {thing});
    }
    for (const InstalledComponent& component : message.components) {
      store_component(tx, thing, component, now);
    }
    if (replaces) forget_others(tx, thing);
    if (message.deployment) explain_deployment(tx, thing, *message.deployment, now);
  });
  return outcome;
}

std::optional<CoreDevice> CoreDevices::find(const std::string& thing) const {
  std::optional<CoreDevice> device;
  database_.read([&](store::Transaction& tx) {
    const auto row = tx.query_one(
        "SELECT " + std::string(kDeviceColumns) + " FROM core_devices WHERE thing = $1", {thing});
    if (row) device = read_device(*row);
  });
  return device;
}

Page<CoreDevice> CoreDevices::list(const CoreDeviceFilter& filter, const PageRequest& page) const {
  Page<CoreDevice> result;
  database_.read([&](store::Transaction& tx) {
    std::optional<std::vector<std::string>> members;
    if (!filter.thing_group.empty()) {
      require_group(tx, filter.thing_group);
      members = members_of(tx, filter.thing_group);  // sorted
    }
    for (const store::Row& row :
         tx.query("SELECT " + std::string(kDeviceColumns) +
                      " FROM core_devices WHERE thing > $1 AND ($2 = '' OR status = $2) "
                      "AND ($3 = '' OR runtime = $3) ORDER BY thing",
                  {page.after, filter.status, filter.runtime})) {
      CoreDevice device = read_device(row);
      if (members && !std::binary_search(members->begin(), members->end(), device.thing)) continue;
      if (result.items.size() == page.limit) {
        result.next = result.items.back().thing;
        break;
      }
      result.items.push_back(std::move(device));
    }
  });
  return result;
}

Page<InstalledComponent> CoreDevices::installed(const std::string& thing, Topology topology,
                                                const PageRequest& page) const {
  Page<InstalledComponent> result;
  database_.read([&](store::Transaction& tx) {
    for (const store::Row& row :
         tx.query("SELECT name, version, state, details, status_codes, is_root, installed_by, "
                  "changed_ms, reported_ms FROM installed_components "
                  "WHERE thing = $1 AND name > $2 AND is_root >= $3 ORDER BY name LIMIT $4",
                  {thing, page.after, static_cast<std::int64_t>(topology == Topology::root ? 1 : 0),
                   static_cast<std::int64_t>(page.limit + 1)})) {
      if (result.items.size() == page.limit) {
        result.next = result.items.back().name;
        break;
      }
      result.items.push_back({row.text(0), row.text(1), row.text(2), row.text(3),
                              stored_list(row.text(4)), row.integer(5) != 0,
                              stored_list(row.text(6)), stored_time(row.integer(7)),
                              stored_time(row.integer(8))});
    }
  });
  return result;
}

bool CoreDevices::remove(const std::string& thing) {
  bool removed = false;
  database_.write([&](store::Transaction& tx) {
    removed = tx.execute("DELETE FROM core_devices WHERE thing = $1", {thing}) > 0;
  });
  return removed;
}

}  // namespace andon::control
