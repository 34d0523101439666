// SPDX-License-Identifier: Apache-2.0
#include "control/shadows/shadows.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "control/shadows/shadow_schema.hpp"
#include "control/shared/sql_text.hpp"
#include "fleet/names/arn.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
using fleet::Shadow;
using fleet::ShadowStep;
using store::SqlValue;
using store::Transaction;

// Rows of deleted shadows that go in one transaction with a new one.
constexpr std::int64_t kForgottenAtOnce = 100;

void check_names(const std::string& thing, const std::string& name) {
  if (!fleet::is_thing_name(thing)) {
    throw Error(ErrorCode::invalid_argument,
                "thingName: must be 1 to 128 of a-z A-Z 0-9 : _ and -");
  }
  if (!fleet::is_shadow_name(name)) {
    throw Error(ErrorCode::invalid_argument,
                "shadowName: must be 1 to 64 of a-z A-Z 0-9 : _ $ and -");
  }
  if (name == fleet::kDeploymentShadow) {
    throw Error(ErrorCode::invalid_argument,
                "shadowName: " + name +
                    " is the shadow in which a core device finds its deployment; use the "
                    "operations of Greengrass for it");
  }
}

std::optional<Shadow> read(Transaction& tx, const std::string& thing, const std::string& name) {
  const auto row = tx.query_one(
      "SELECT state, metadata, version, deleted_ms FROM thing_shadows WHERE thing = $1 AND name = "
      "$2",
      {thing, name});
  if (!row) return std::nullopt;
  return Shadow{.state = stored_object(row->text(0)),
                .metadata = stored_object(row->text(1)),
                .version = row->integer(2),
                .is_deleted = !row->is_null(3)};
}

void write(Transaction& tx, const std::string& thing, const std::string& name, const Shadow& shadow,
           base::Timestamp now) {
  tx.execute(
      "INSERT INTO thing_shadows (thing, name, state, metadata, version, deleted_ms) VALUES ($1, "
      "$2, $3, $4, $5, $6) ON CONFLICT (thing, name) DO UPDATE SET state = excluded.state, "
      "metadata = excluded.metadata, version = excluded.version, deleted_ms = excluded.deleted_ms",
      {thing, name, base::to_text(shadow.state), base::to_text(shadow.metadata), shadow.version,
       shadow.is_deleted ? SqlValue(to_stored(now)) : SqlValue()});
}

}  // namespace

Shadows::Shadows(store::Database& database, Notifier& notifier, const base::Clock& clock,
                 Limits limits)
    : database_(database), notifier_(notifier), clock_(clock), limits_(limits) {
  migrate_shadows(database_);
  count_ = database_.read([](Transaction& tx) {
    return tx.query_one("SELECT count(*) FROM thing_shadows").value().integer(0);
  });
}

std::int64_t Shadows::now_s() const {
  constexpr std::int64_t kMillis = 1000;
  return base::to_epoch_millis(clock_.now()) / kMillis;
}

json::object Shadows::get(const std::string& thing, const std::string& name) const {
  check_names(thing, name);
  return database_.read([&](Transaction& tx) {
    return fleet::get_shadow(read(tx, thing, name), name, {}, now_s()).accepted;
  });
}

json::object Shadows::update(const std::string& thing, const std::string& name,
                             std::string_view payload) {
  ShadowStep step = do_update(thing, name, fleet::parse_shadow_request(payload));
  tell(thing, name, "update", step);
  return std::move(step.accepted);
}

json::object Shadows::remove(const std::string& thing, const std::string& name) {
  ShadowStep step = do_remove(thing, name, {});
  tell(thing, name, "delete", step);
  return std::move(step.accepted);
}

Page<std::string> Shadows::names(const std::string& thing, const PageRequest& page) const {
  check_names(thing, "");
  return database_.read([&](Transaction& tx) {
    Page<std::string> found;
    for (const store::Row& row :
         tx.query("SELECT name FROM thing_shadows WHERE thing = $1 AND name > $2 AND deleted_ms IS "
                  "NULL ORDER BY name LIMIT $3",
                  {thing, page.after, static_cast<std::int64_t>(page.limit + 1)})) {
      found.items.push_back(row.text(0));
    }
    if (found.items.size() > page.limit) {
      found.items.pop_back();
      found.next = found.items.back();
    }
    return found;
  });
}

ShadowStep Shadows::do_update(const std::string& thing, const std::string& name,
                              const json::object& request) {
  check_names(thing, name);
  std::int64_t change = 0;
  ShadowStep step = database_.write([&](Transaction& tx) {
    change = 0;
    const auto before = read(tx, thing, name);
    if (!before) {
      change = 1 - make_room(tx, thing);
    }
    ShadowStep done = fleet::update_shadow(before.value_or(Shadow{}), request, now_s());
    write(tx, thing, name, done.shadow, clock_.now());
    return done;
  });
  count_ += change;
  return step;
}

std::int64_t Shadows::make_room(Transaction& tx, const std::string& thing) const {
  const std::int64_t gone = tx.execute(
      "DELETE FROM thing_shadows WHERE (thing, name) IN (SELECT thing, name FROM thing_shadows "
      "WHERE deleted_ms < $1 LIMIT $2)",
      {to_stored(clock_.now() - limits_.keeps_version), kForgottenAtOnce});
  const auto of_thing =
      tx.query_one("SELECT count(*) FROM thing_shadows WHERE thing = $1", {thing}).value();
  if (of_thing.integer(0) >= limits_.of_thing) {
    throw Error(ErrorCode::resource_exhausted,
                "a thing has at most " + std::to_string(limits_.of_thing) +
                    " shadows, with those that were deleted in the last " +
                    std::to_string(limits_.keeps_version.count()) + " hours; delete one");
  }
  if (count_ - gone >= limits_.all) {
    throw Error(
        ErrorCode::resource_exhausted,
        "the server keeps at most " + std::to_string(limits_.all) + " shadows; delete some");
  }
  return gone;
}

ShadowStep Shadows::do_remove(const std::string& thing, const std::string& name,
                              const json::object& request) {
  check_names(thing, name);
  return database_.write([&](Transaction& tx) {
    ShadowStep done = fleet::delete_shadow(read(tx, thing, name), name, request, now_s());
    write(tx, thing, name, done.shadow, clock_.now());
    return done;
  });
}

void Shadows::take(const fleet::DeviceTopic& topic, std::string_view payload) {
  using fleet::DeviceMessage;
  const std::string_view verb = topic.message == DeviceMessage::get_shadow      ? "get"
                                : topic.message == DeviceMessage::update_shadow ? "update"
                                                                                : "delete";
  const std::string base = fleet::shadow_topic(topic.thing, topic.shadow) + '/' + std::string(verb);
  json::object request;
  try {
    request = fleet::parse_shadow_request(payload);
    if (topic.message == DeviceMessage::get_shadow) {
      check_names(topic.thing, topic.shadow);
      const auto shadow =
          database_.read([&](Transaction& tx) { return read(tx, topic.thing, topic.shadow); });
      tell(base + "/accepted", fleet::get_shadow(shadow, topic.shadow, request, now_s()).accepted);
      return;
    }
    tell(topic.thing, topic.shadow, verb,
         topic.message == DeviceMessage::update_shadow
             ? do_update(topic.thing, topic.shadow, request)
             : do_remove(topic.thing, topic.shadow, request));
  } catch (const Error& error) {
    if (base::http_status(error.code()) >= 500) {
      base::log_error("shadow message failed", {{"topic", base}, {"error", error.message()}});
    }
    tell(base + "/rejected", fleet::shadow_rejection(error, request, now_s()));
  }
}

void Shadows::tell(const std::string& topic, const json::object& message) const {
  notifier_.publish(topic, base::to_text(message));
}

void Shadows::tell(const std::string& thing, const std::string& name, std::string_view verb,
                   const ShadowStep& step) const {
  const std::string topic = fleet::shadow_topic(thing, name) + '/';
  tell(topic + std::string(verb) + "/accepted", step.accepted);
  for (const auto& [suffix, message] : step.told) tell(topic + suffix, message);
}

}  // namespace andon::control
