// SPDX-License-Identifier: Apache-2.0
#include "control/devices/core_devices.hpp"

#include <algorithm>
#include <tuple>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "control/deployments/job_executions.hpp"
#include "control/devices/core_device_row.hpp"
#include "control/shared/membership.hpp"
#include "control/shared/outbox.hpp"
#include "control/shared/own_events.hpp"
#include "control/shared/sql_text.hpp"
#include "fleet/messages/health_message.hpp"

namespace andon::control {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostInEvent = 1000;  // components

struct LastMessage {
  std::int64_t sequence_number = 0;
  std::int64_t chunk = 0;
  base::Timestamp sent;
};

// What a clock may be wrong by before it counts as wrong.
constexpr std::chrono::minutes kClockTolerance{5};

// A device that was installed anew counts from one again: its launch message is newer by the clock,
// or the clock by which the last one was sent ran ahead.
bool is_stale(const fleet::HealthMessage& message, const LastMessage& last, base::Timestamp now) {
  if (std::tie(message.sequence_number, message.chunk) >
      std::tie(last.sequence_number, last.chunk)) {
    return false;
  }
  const bool is_launch = message.trigger == fleet::HealthTrigger::nucleus_launch &&
                         message.scope == fleet::HealthScope::complete;
  const bool is_newer =
      message.sent > last.sent || (last.sent > now + kClockTolerance && message.sent != last.sent);
  return !(is_launch && is_newer);
}

void store_device(store::Transaction& tx, const std::string& thing,
                  const fleet::HealthMessage& message, base::Timestamp now) {
  tx.execute(
      "INSERT INTO core_devices (thing, core_version, platform, architecture, runtime, status, "
      "sequence_number, chunk, message_ms, updated_ms) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (thing) DO UPDATE SET "
      "core_version = excluded.core_version, platform = excluded.platform, "
      "architecture = excluded.architecture, runtime = excluded.runtime, "
      "status = excluded.status, sequence_number = excluded.sequence_number, "
      "chunk = excluded.chunk, message_ms = excluded.message_ms, "
      "updated_ms = excluded.updated_ms",
      {thing, message.core_version, message.platform, message.architecture, message.runtime,
       std::string(to_string(message.health)), message.sequence_number, message.chunk,
       to_stored(message.sent), to_stored(now)});
}

void store_component(store::Transaction& tx, const std::string& thing,
                     const fleet::ComponentHealth& component, base::Timestamp now) {
  if (component.state == fleet::ComponentState::uninstalled) {
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
      {thing, component.name, component.version, std::string(to_string(component.state)),
       component.reason, to_stored(component.status_codes),
       static_cast<std::int64_t>(component.is_root), to_stored(component.configuration_arns),
       to_stored(now)});
}

// A COMPLETE message names everything that is installed; the rest is gone.
void forget_others(store::Transaction& tx, const std::string& thing) {
  tx.execute("DELETE FROM installed_components WHERE thing = $1 AND reported_ms < 0", {thing});
}

// Devices that say nothing in the job's update (lite) say it here.
void explain_deployment(store::Transaction& tx, const std::string& thing,
                        const fleet::DeploymentHealth& reported, base::Timestamp now) {
  std::optional<JobExecution> execution = find_execution(tx, reported.deployment_id, thing);
  if (!execution || !execution->status_details.empty()) return;
  if (execution->status == JobStatus::canceled) return;
  execution->status_details = fleet::to_job_details(reported.outcome.details);
  if (!execution->status_details.empty()) change_execution(tx, *execution, now);
}

void tell_of_device(store::Transaction& tx, const std::string& thing, std::string_view state,
                    json::object details, base::Timestamp now) {
  details["state"] = state;
  Outbox::append(tx, kDeviceEvent, thing, now, base::to_text(details));
}

// For the event bus: a device that is not well any more, or is again; components that failed, and
// what is installed after a deployment.
void tell_bus(store::Transaction& tx, const std::string& thing, const fleet::HealthMessage& message,
              const std::string& before, base::Timestamp now) {
  const std::string_view health = to_string(message.health);
  if (health != before) {
    tell_of_device(tx, thing,
                   message.health == fleet::DeviceHealth::healthy ? "healthy" : "unhealthy", {},
                   now);
  }
  const bool has_failed = std::ranges::any_of(message.components, [](const auto& component) {
    return component.state == fleet::ComponentState::errored ||
           component.state == fleet::ComponentState::broken;
  });
  const bool is_change = message.trigger == fleet::HealthTrigger::component_status_change;
  if (!message.deployment && !(has_failed && is_change)) return;
  json::array components;
  for (const fleet::ComponentHealth& component : message.components) {
    if (components.size() >= kMostInEvent) break;
    json::array codes;
    for (const std::string& code : component.status_codes) codes.emplace_back(code);
    components.push_back(json::object{{"componentName", component.name},
                                      {"componentVersion", component.version},
                                      {"root", component.is_root},
                                      {"lifecycleState", to_string(component.state)},
                                      {"lifecycleStatusCodes", std::move(codes)},
                                      {"lifecycleStateDetails", component.reason}});
  }
  Outbox::append(tx, kComponentsEvent, thing, now,
                 base::to_text(json::object{{"components", std::move(components)}}));
}

// Whether the connection that has the thing's own name stands: while it does, the device is there,
// whatever comes and goes beside it.
bool has_own_connection(store::Transaction& tx, const std::string& thing) {
  return tx
      .query_one("SELECT 1 FROM thing_connectivity WHERE thing = $1 AND is_connected = 1", {thing})
      .has_value();
}

// Of the connection that has the thing's own name, as with AWS IoT.
void note_connectivity(store::Transaction& tx, const base::JsonReader& said,
                       const std::string& thing, base::Timestamp now) {
  if (said.string("clientId") != thing) return;
  const bool is_connected = said.string("eventType") == "connected";
  tx.execute(
      "INSERT INTO thing_connectivity (thing, is_connected, changed_ms, reason) "
      "VALUES ($1, $2, $3, $4) ON CONFLICT (thing) DO UPDATE SET "
      "is_connected = excluded.is_connected, changed_ms = excluded.changed_ms, "
      "reason = excluded.reason",
      {thing, std::int64_t{is_connected ? 1 : 0}, to_stored(now),
       said.optional_string("disconnectReason").value_or("")});
}

}  // namespace

CoreDevices::CoreDevices(store::Database& database, const base::Clock& clock)
    : database_(database), clock_(clock) {}

HealthOutcome CoreDevices::take_health(const std::string& thing, std::string_view payload) {
  const fleet::HealthMessage message = fleet::parse_health_message(payload);
  HealthOutcome outcome = HealthOutcome::taken;
  database_.write([&](store::Transaction& tx) {
    require_thing(tx, thing);
    const base::Timestamp now = clock_.now();
    const auto row = tx.query_one(
        "SELECT sequence_number, chunk, message_ms, status FROM core_devices WHERE thing = $1",
        {thing});
    bool is_next_chunk = false;
    if (row) {
      const LastMessage last{row->integer(0), row->integer(1), stored_time(row->integer(2))};
      if (is_stale(message, last, now)) {
        outcome = HealthOutcome::stale;
        return;
      }
      is_next_chunk = message.sequence_number == last.sequence_number;
    }
    store_device(tx, thing, message, now);
    const bool replaces = message.scope == fleet::HealthScope::complete && !is_next_chunk;
    if (replaces) {
      // Marked and not deleted, so that what stays keeps the time of its last change.
      tx.execute("UPDATE installed_components SET reported_ms = -1 WHERE thing = $1", {thing});
    }
    for (const fleet::ComponentHealth& component : message.components) {
      store_component(tx, thing, component, now);
    }
    if (replaces) forget_others(tx, thing);
    if (message.deployment) explain_deployment(tx, thing, *message.deployment, now);
    tell_bus(tx, thing, message, row ? row->text(3) : "HEALTHY", now);
  });
  return outcome;
}

void CoreDevices::note_presence(std::string_view payload) {
  const json::value said = base::parse_json(payload, "a presence message");
  const base::JsonReader reader(said, "");
  const std::string thing = reader.optional_string("principalName").value_or("");
  const std::string event = reader.string("eventType");
  database_.write([&](store::Transaction& tx) {
    if (!has_thing(tx, thing)) return;  // an operator's, or the server's own
    const std::string client_id = reader.string("clientId");
    if (client_id != thing && has_own_connection(tx, thing)) return;
    json::object details{{"clientId", client_id}};
    if (const auto reason = reader.optional_string("disconnectReason")) {
      details["disconnectReason"] = *reason;
    }
    note_connectivity(tx, reader, thing, clock_.now());
    tell_of_device(tx, thing, event == "connected" ? "connected" : "gone", std::move(details),
                   clock_.now());
  });
}

void CoreDevices::note_present(std::string_view payload) {
  const json::value said = base::parse_json(payload, "a presence message");
  const base::JsonReader reader(said, "");
  const std::string thing = reader.optional_string("principalName").value_or("");
  database_.write([&](store::Transaction& tx) {
    if (has_thing(tx, thing)) note_connectivity(tx, reader, thing, clock_.now());
  });
}

void CoreDevices::forget_presence() {
  constexpr std::int64_t kStep = 500;
  std::int64_t forgotten = kStep;
  while (forgotten == kStep) {
    database_.write([&](store::Transaction& tx) {
      forgotten = tx.execute(
          "UPDATE thing_connectivity SET is_connected = 0, changed_ms = $1, "
          "reason = 'SERVER_RESTARTED' WHERE thing IN (SELECT thing FROM thing_connectivity "
          "WHERE is_connected = 1 ORDER BY thing LIMIT $2)",
          {to_stored(clock_.now()), kStep});
    });
  }
}

std::optional<CoreDevice> CoreDevices::find(const std::string& thing) const {
  std::optional<CoreDevice> device;
  database_.read([&](store::Transaction& tx) {
    const auto row = tx.query_one(
        "SELECT " + std::string(kCoreDeviceColumns) + " FROM core_devices WHERE thing = $1",
        {thing});
    if (row) device = read_core_device(*row);
  });
  return device;
}

Page<CoreDevice> CoreDevices::list(const CoreDeviceFilter& filter, const PageRequest& page) const {
  std::vector<store::SqlValue> values{filter.thing_group, page.after,
                                      static_cast<std::int64_t>(page.limit + 1)};
  std::string sql = filter.thing_group.empty() ? "" : subtree_sql();
  sql += "SELECT " + std::string(kCoreDeviceColumns) + " FROM core_devices c WHERE thing > $2";
  if (!filter.thing_group.empty()) {
    sql +=
        " AND EXISTS (SELECT 1 FROM thing_group_members m WHERE m.thing = c.thing "
        "AND m.group_name IN (SELECT name FROM subtree))";
  }
  const auto add = [&](std::string_view condition, const std::string& value) {
    if (value.empty()) return;
    values.emplace_back(value);
    sql.append(condition).append(std::to_string(values.size()));
  };
  add(" AND status = $", filter.status);
  add(" AND runtime = $", filter.runtime);
  sql += " ORDER BY thing LIMIT $3";
  Page<CoreDevice> result;
  database_.read([&](store::Transaction& tx) {
    if (!filter.thing_group.empty()) require_group(tx, filter.thing_group);
    for (const store::Row& row : tx.query(sql, values)) {
      if (result.items.size() == page.limit) {
        result.next = result.items.back().thing;
        break;
      }
      result.items.push_back(read_core_device(row));
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
  return database_.write([&](store::Transaction& tx) {
    return tx.execute("DELETE FROM core_devices WHERE thing = $1", {thing}) > 0;
  });
}

}  // namespace andon::control
