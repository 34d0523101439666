// SPDX-License-Identifier: Apache-2.0
#include "events/delivery/queue.hpp"

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "base/schedule/expression.hpp"
#include "base/text/id.hpp"
#include "events/delivery/dead_letter.hpp"
#include "events/rules/target_input.hpp"
#include "events/schedule/schedules.hpp"

namespace andon::events {
namespace {

using base::Error;
using base::ErrorCode;
using base::Timestamp;
using store::Row;
using store::Transaction;

constexpr std::string_view kTables = R"sql(
CREATE TABLE event_inbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  bus TEXT NOT NULL,
  only_rule TEXT NOT NULL,       -- of the bus: nobody else gets it; empty: all
  body TEXT NOT NULL,            -- the envelope
  received_ms BIGINT NOT NULL
);
CREATE TABLE event_deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  token TEXT NOT NULL,
  source TEXT NOT NULL,          -- ARN of the rule or the schedule
  event_id TEXT NOT NULL,
  target TEXT NOT NULL,
  input TEXT NOT NULL,
  first_ms BIGINT NOT NULL,
  due_ms BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  error_code TEXT NOT NULL,      -- of the last attempt
  error_message TEXT NOT NULL
);
CREATE INDEX event_deliveries_due ON event_deliveries (due_ms, id);
CREATE INDEX event_deliveries_source ON event_deliveries (source, id);
CREATE TABLE event_outcomes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  source TEXT NOT NULL,
  target_id TEXT NOT NULL,
  target_arn TEXT NOT NULL,
  event_id TEXT NOT NULL,
  status TEXT NOT NULL,          -- DELIVERED, DEAD
  attempts BIGINT NOT NULL,
  error_code TEXT NOT NULL,
  error_message TEXT NOT NULL,
  input TEXT NOT NULL,           -- of what is dead, where it is small
  at_ms BIGINT NOT NULL
);
CREATE INDEX event_outcomes_source ON event_outcomes (source, id);
CREATE TABLE event_feeds (
  feed TEXT NOT NULL PRIMARY KEY,
  position BIGINT NOT NULL
);
)sql";

// What was begun by a delivery, and what became of an event.
constexpr std::string_view kStarted = R"sql(
ALTER TABLE event_outcomes ADD COLUMN started TEXT NOT NULL DEFAULT '';
CREATE INDEX event_outcomes_event ON event_outcomes (event_id, id);
CREATE INDEX event_deliveries_event ON event_deliveries (event_id, id);
)sql";

constexpr std::string_view kDeliveryColumns =
    "id, token, source, event_id, target, input, first_ms, attempts";
constexpr std::size_t kMostInput = 16'384;  // that is remembered of what is dead
constexpr std::size_t kMostMessage = 1'000;
constexpr std::chrono::seconds kLongestPause{600};
constexpr std::int64_t kDoublings = 10;

std::int64_t size_of(const Delivery& delivery, const std::string& target) {
  return static_cast<std::int64_t>(delivery.input.size() + target.size());
}

Delivery read_delivery(const Row& row) {
  Delivery delivery;
  delivery.id = row.integer(0);
  delivery.token = row.text(1);
  delivery.source_arn = row.text(2);
  delivery.event_id = row.text(3);
  delivery.target = base::parse_json(row.text(4), "a stored target").as_object();
  delivery.input = row.text(5);
  delivery.first = base::from_epoch_millis(row.integer(6));
  delivery.attempts = row.integer(7);
  return delivery;
}

std::chrono::milliseconds pause_after(std::int64_t attempts) {
  const std::chrono::seconds pause(std::int64_t{1} << std::min(attempts - 1, kDoublings));
  return std::min(pause, kLongestPause);
}

}  // namespace

EventQueue::EventQueue(store::Database& database, const base::Clock& clock, EventArns arns,
                       Rules& rules, Limits limits)
    : database_(database), clock_(clock), arns_(std::move(arns)), rules_(rules), limits_(limits) {
  database_.migrate("event deliveries", {{"deliveries", kTables}, {"started", kStarted}});
  database_.read([&](Transaction& tx) {
    const auto inbox =
        tx.query_one("SELECT count(*), COALESCE(sum(length(body)), 0) FROM event_inbox");
    events_ = inbox->integer(0);
    event_bytes_ = inbox->integer(1);
    const auto open = tx.query_one(
        "SELECT count(*), COALESCE(sum(length(input) + length(target)), 0) FROM event_deliveries");
    deliveries_ = open->integer(0);
    delivery_bytes_ = open->integer(1);
  });
}

void EventQueue::count(const Added& added) {
  events_ += added.events;
  event_bytes_ += added.event_bytes;
  deliveries_ += added.deliveries;
  delivery_bytes_ += added.delivery_bytes;
}

bool EventQueue::has_room() const {
  return events_ < limits_.events && event_bytes_ < limits_.bytes;
}

void EventQueue::accept(Transaction& tx, const std::string& bus, const Envelope& event,
                        const std::string& only_rule) {
  if (!has_room()) {
    throw Error(ErrorCode::resource_exhausted,
                "too many events wait to be matched and delivered; send it again later");
  }
  if (!tx.query_one("SELECT 1 FROM event_buses WHERE name = $1", {bus})) return;
  const std::string body = base::to_text(event.body);
  tx.execute("INSERT INTO event_inbox (bus, only_rule, body, received_ms) VALUES ($1, $2, $3, $4)",
             {bus, only_rule, body, base::to_epoch_millis(clock_.now())});
  // Where the transaction is undone it is counted all the same, until it is matched: match()
  // counts anew when nothing waits.
  count({.events = 1, .event_bytes = static_cast<std::int64_t>(body.size())});
}

void EventQueue::accept(const std::string& bus, const Envelope& event) {
  database_.write([&](Transaction& tx) { accept(tx, bus, event); });
}

void EventQueue::add_delivery(Transaction& tx, const Delivery& delivery, Timestamp due,
                              Added& added) const {
  const std::string target = base::to_text(delivery.target);
  tx.execute(
      "INSERT INTO event_deliveries (token, source, event_id, target, input, first_ms, due_ms, "
      "attempts, error_code, error_message) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, '', '')",
      {delivery.token, delivery.source_arn, delivery.event_id, target, delivery.input,
       base::to_epoch_millis(delivery.first), base::to_epoch_millis(due)});
  ++added.deliveries;
  added.delivery_bytes += size_of(delivery, target);
}

void EventQueue::deliver(const std::vector<Delivery>& deliveries) {
  if (!has_room_to_deliver()) {
    throw Error(ErrorCode::resource_exhausted,
                "too many deliveries wait for their targets; send it again later");
  }
  Added added;
  database_.write([&](Transaction& tx) {
    added = {};
    for (const Delivery& delivery : deliveries) add_delivery(tx, delivery, clock_.now(), added);
  });
  count(added);
}

bool EventQueue::has_room_to_deliver() const {
  return deliveries_ < limits_.deliveries && delivery_bytes_ < limits_.bytes;
}

std::size_t EventQueue::fire_due(std::size_t limit) {
  if (!has_room() || deliveries_ >= limits_.deliveries) return 0;
  const Timestamp now = clock_.now();
  const auto soonest = next_due();
  if (!soonest || *soonest > now) return 0;
  Added added;
  const std::size_t fired = database_.write([&](Transaction& tx) {
    added = {};
    const auto rules = Rules::take_due(tx, now, limit);
    for (const auto& [rule, first] : rules) {
      const Timestamp oldest = now - RetryPolicy{}.most_age;
      std::optional<Timestamp> due = first;
      if (first < oldest) due = base::ScheduleExpression(rule.schedule).next(oldest, rule.created);
      if (!due || *due > now) continue;
      const std::string arn = arns_.rule(rule.bus, rule.name);
      accept(tx, rule.bus,
             envelop({.source = "aws.events",
                      .detail_type = "Scheduled Event",
                      .resources = {arn},
                      .detail = {},
                      .time = *due},
                     arns_),
             rule.name);
    }
    const auto schedules = Schedules::take_due(tx, now, limit);
    for (const auto& [schedule, first] : schedules) {
      // Of several that were missed it is one that is young enough, if there is one.
      const Timestamp oldest = now - retry_policy(schedule.target).most_age;
      Timestamp planned = first;
      if (first < oldest) {
        const auto younger = next_run(schedule, oldest);
        if (younger && *younger <= now) planned = *younger;
      }
      Delivery delivery{.token = base::random_uuid(),
                        .source_arn = arns_.schedule(schedule.group, schedule.name),
                        .event_id = base::to_iso8601(planned).substr(0, 19) + "Z",
                        .target = schedule.target,
                        .input = "{}",
                        .first = planned};
      if (const auto* input = schedule.target.if_contains("Input");
          input != nullptr && input->is_string()) {
        delivery.input = std::string(input->get_string());
      }
      delivery.target.erase("Input");
      // It came too late: while the server was down, say.
      if (planned < oldest) {
        finish(tx,
               {delivery,
                {Outcome::Kind::refused, "TOO_LATE",
                 "it was due at " + delivery.event_id + ", longer ago than its maximum event age"}},
               "MaximumEventAgeInSeconds", added);
        continue;
      }
      add_delivery(tx, delivery, now, added);
    }
    return rules.size() + schedules.size();
  });
  count(added);
  return fired;
}

const std::vector<EventQueue::Compiled>& EventQueue::compiled(Transaction& tx,
                                                              const std::string& bus) {
  if (const auto revision = rules_.revision(); revision != compiled_revision_) {
    compiled_.clear();
    compiled_revision_ = revision;
  }
  const auto known = compiled_.find(bus);
  if (known != compiled_.end()) return known->second;
  std::vector<Compiled>& all = compiled_[bus];
  for (Rule& rule : Rules::enabled(tx, bus)) {
    auto targets = Rules::targets(tx, bus, rule.name);
    all.push_back({rule, Pattern(rule.pattern), std::move(targets)});
  }
  return all;
}

std::size_t EventQueue::match(std::size_t limit) {
  if (!has_room_to_deliver()) return 0;
  const bool has_some = database_.read([](Transaction& tx) {
    return tx.query_one("SELECT 1 FROM event_inbox LIMIT 1").has_value();
  });
  if (!has_some) return 0;
  Added added;
  const std::size_t matched = database_.write([&](Transaction& tx) {
    added = {};
    const auto rows = tx.query(
        "SELECT id, bus, only_rule, body, received_ms FROM event_inbox ORDER BY id "
        "LIMIT $1",
        {static_cast<std::int64_t>(limit)});
    for (const Row& row : rows) {
      const std::string& bus = row.text(1);
      const std::string& only = row.text(2);
      const json::object event =
          base::parse_json(row.text(3), "a stored event", {.max_depth = 1000}).as_object();
      const auto deliver = [&](const Rule& rule, const std::vector<json::object>& targets) {
        const EventForTarget given{event, arns_.rule(bus, rule.name), rule.name,
                                   base::from_epoch_millis(row.integer(4))};
        for (const json::object& target : targets) {
          add_delivery(tx,
                       {.token = base::random_uuid(),
                        .source_arn = given.rule_arn,
                        .event_id = std::string(event.at("id").as_string()),
                        .target = target,
                        .input = target_input(target, given),
                        .first = given.received},
                       given.received, added);
        }
      };
      if (only.empty()) {
        for (const Compiled& one : compiled(tx, bus)) {
          if (one.pattern->matches(event)) deliver(one.rule, one.targets);
        }
      } else {
        deliver({.bus = bus, .name = only}, Rules::targets(tx, bus, only));
      }
      added.events -= 1;
      added.event_bytes -= static_cast<std::int64_t>(row.text(3).size());
    }
    if (!rows.empty()) {
      tx.execute("DELETE FROM event_inbox WHERE id <= $1", {rows.back().integer(0)});
    }
    return rows.size();
  });
  count(added);
  if (matched < limit) {
    // Nothing waits: what was counted for a transaction that was undone is forgotten.
    database_.read([&](Transaction& tx) {
      if (tx.query_one("SELECT 1 FROM event_inbox LIMIT 1")) return;
      events_ = 0;
      event_bytes_ = 0;
    });
  }
  return matched;
}

std::vector<Delivery> EventQueue::due(std::size_t limit) const {
  return database_.read([&](Transaction& tx) {
    std::vector<Delivery> all;
    for (const Row& row :
         tx.query("SELECT " + std::string(kDeliveryColumns) +
                      " FROM event_deliveries WHERE due_ms <= $1 ORDER BY due_ms, "
                      "id LIMIT $2",
                  {base::to_epoch_millis(clock_.now()), static_cast<std::int64_t>(limit)})) {
      all.push_back(read_delivery(row));
    }
    return all;
  });
}

std::optional<Timestamp> EventQueue::next_due() const {
  return database_.read([](Transaction& tx) {
    auto first = Rules::next_due(tx);
    const auto schedule = Schedules::next_due(tx);
    if (schedule && (!first || *schedule < *first)) first = schedule;
    return first;
  });
}

void EventQueue::finish(Transaction& tx, const Settled& one, const std::string& condition,
                        Added& added) const {
  const Delivery& delivery = one.delivery;
  const bool is_dead = one.outcome.kind != Outcome::Kind::delivered;
  const std::string message(one.outcome.message.substr(0, kMostMessage));
  tx.execute(
      "INSERT INTO event_outcomes (source, target_id, target_arn, event_id, status, attempts, "
      "error_code, error_message, input, at_ms, started) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, "
      "$9, "
      "$10, $11)",
      {delivery.source_arn, delivery.target_id(), delivery.target_arn(), delivery.event_id,
       std::string(is_dead ? "DEAD" : "DELIVERED"), delivery.attempts, one.outcome.code, message,
       is_dead && delivery.input.size() <= kMostInput ? delivery.input : std::string(),
       base::to_epoch_millis(clock_.now()), is_dead ? std::string() : one.outcome.started});
  if (!is_dead) return;
  Outcome outcome = one.outcome;
  outcome.message = message;
  const auto letter = dead_letter_of(delivery, outcome, condition, clock_.now());
  if (letter) add_delivery(tx, *letter, clock_.now(), added);
}

void EventQueue::settle(const std::vector<Settled>& settled) {
  if (settled.empty()) return;
  Added added;
  database_.write([&](Transaction& tx) {
    added = {};
    const Timestamp now = clock_.now();
    for (Settled one : settled) {
      Delivery& delivery = one.delivery;
      ++delivery.attempts;
      const RetryPolicy policy = retry_policy(delivery.target);
      const Timestamp again = now + pause_after(delivery.attempts);
      const bool is_too_often = delivery.attempts > policy.most_attempts;
      const bool is_too_old = again - delivery.first > policy.most_age;
      if (one.outcome.kind == Outcome::Kind::failed && !is_too_often && !is_too_old) {
        tx.execute(
            "UPDATE event_deliveries SET attempts = $1, due_ms = $2, error_code = $3, "
            "error_message = $4 WHERE id = $5",
            {delivery.attempts, base::to_epoch_millis(again), one.outcome.code,
             std::string(one.outcome.message.substr(0, kMostMessage)), delivery.id});
        continue;
      }
      if (tx.execute("DELETE FROM event_deliveries WHERE id = $1", {delivery.id}) == 0) continue;
      --added.deliveries;
      added.delivery_bytes -= size_of(delivery, base::to_text(delivery.target));
      finish(tx, one,
             one.outcome.kind != Outcome::Kind::failed ? ""
             : is_too_often                            ? "MaximumRetryAttempts"
                                                       : "MaximumEventAgeInSeconds",
             added);
    }
    const auto last = tx.query_one("SELECT id FROM event_outcomes ORDER BY id DESC LIMIT 1");
    if (last) {
      tx.execute("DELETE FROM event_outcomes WHERE id <= $1",
                 {last->integer(0) - limits_.outcomes});
    }
  });
  count(added);
}

std::int64_t EventQueue::position(const std::string& feed) const {
  return database_.read([&](Transaction& tx) {
    const auto row = tx.query_one("SELECT position FROM event_feeds WHERE feed = $1", {feed});
    return row ? row->integer(0) : std::int64_t{0};
  });
}

void EventQueue::note_position(Transaction& tx, const std::string& feed, std::int64_t position) {
  tx.execute(
      "INSERT INTO event_feeds (feed, position) VALUES ($1, $2) "
      "ON CONFLICT (feed) DO UPDATE SET position = excluded.position",
      {feed, position});
}

std::vector<EventQueue::Record> EventQueue::records(const std::string& source_arn,
                                                    std::size_t limit) const {
  return records_where("source", source_arn, limit);
}

std::vector<EventQueue::Record> EventQueue::records_of_event(const std::string& event_id,
                                                             std::size_t limit) const {
  return records_where("event_id", event_id, limit);
}

std::vector<EventQueue::Record> EventQueue::records_where(std::string_view column,
                                                          const std::string& value,
                                                          std::size_t limit) const {
  const std::string which = " WHERE " + std::string(column) + " = $1 ORDER BY id DESC LIMIT $2";
  return database_.read([&](Transaction& tx) {
    std::vector<Record> all;
    for (const Row& row : tx.query(
             "SELECT id, source, event_id, target, attempts, error_code, error_message, due_ms "
             "FROM event_deliveries" +
                 which,
             {value, static_cast<std::int64_t>(limit)})) {
      const Delivery delivery{.target =
                                  base::parse_json(row.text(3), "a stored target").as_object()};
      all.push_back({.id = row.integer(0),
                     .source_arn = row.text(1),
                     .target_id = delivery.target_id(),
                     .target_arn = delivery.target_arn(),
                     .event_id = row.text(2),
                     .status = row.integer(4) == 0 ? "WAITING" : "RETRYING",
                     .attempts = row.integer(4),
                     .error_code = row.text(5),
                     .error_message = row.text(6),
                     .input = {},
                     .started = {},
                     .at = base::from_epoch_millis(row.integer(7))});
    }
    for (const Row& row :
         tx.query("SELECT id, source, target_id, target_arn, event_id, status, attempts, "
                  "error_code, error_message, input, started, at_ms FROM event_outcomes" +
                      which,
                  {value, static_cast<std::int64_t>(limit)})) {
      if (all.size() >= limit) break;
      all.push_back({.id = row.integer(0),
                     .source_arn = row.text(1),
                     .target_id = row.text(2),
                     .target_arn = row.text(3),
                     .event_id = row.text(4),
                     .status = row.text(5),
                     .attempts = row.integer(6),
                     .error_code = row.text(7),
                     .error_message = row.text(8),
                     .input = row.text(9),
                     .started = row.text(10),
                     .at = base::from_epoch_millis(row.integer(11))});
    }
    return all;
  });
}

}  // namespace andon::events
