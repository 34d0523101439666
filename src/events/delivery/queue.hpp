// SPDX-License-Identifier: Apache-2.0
// The rows of events and of what is to be delivered. An event is a row in the transaction that
// makes it true; its match makes a row for each target in the transaction that ends it; a delivery
// stays until its outcome is a row. So each survives a crash at any moment, and the only thing that
// may come twice is the last step, to a target. All tables are bounded: who brings more than there
// is room for is refused, what is over is forgotten after the last ten thousand.
// Any thread; steps from one thread at a time.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "events/delivery/delivery.hpp"
#include "events/delivery/event.hpp"
#include "events/pattern/pattern.hpp"
#include "events/rules/rules.hpp"
#include "store/sql/database.hpp"

namespace andon::events {

class EventQueue {
 public:
  struct Limits {
    std::int64_t events = 100'000;  // that wait to be matched
    std::int64_t deliveries = 200'000;
    std::int64_t bytes = std::int64_t{512} << 20U;  // of each
    std::int64_t outcomes = 10'000;                 // that are remembered
  };
  EventQueue(store::Database& database, const base::Clock& clock, EventArns arns, Rules& rules)
      : EventQueue(database, clock, std::move(arns), rules, Limits{}) {}
  EventQueue(store::Database& database, const base::Clock& clock, EventArns arns, Rules& rules,
             Limits limits);

  // Within the caller's transaction. An event for a bus that is not there is lost, as at AWS.
  // Throws resource_exhausted where there is no room.
  void accept(store::Transaction& tx, const std::string& bus, const Envelope& event,
              const std::string& only_rule = {});
  void accept(const std::string& bus, const Envelope& event);
  // Where there is room, answers true and may be asked for more.
  [[nodiscard]] bool has_room() const;

  // What needs no match, each durably. Throws resource_exhausted where there is no room.
  void deliver(const std::vector<Delivery>& deliveries);
  [[nodiscard]] bool has_room_to_deliver() const;

  // Each answers how much it has done.
  std::size_t fire_due(std::size_t limit);
  std::size_t match(std::size_t limit);
  // What is due by now, the oldest first.
  [[nodiscard]] std::vector<Delivery> due(std::size_t limit) const;
  [[nodiscard]] std::optional<base::Timestamp> next_due() const;
  struct Settled {
    Delivery delivery;
    Outcome outcome;
  };
  void settle(const std::vector<Settled>& settled);

  // How far a feed has been read: written with the events that it brought.
  [[nodiscard]] std::int64_t position(const std::string& feed) const;
  void note_position(store::Transaction& tx, const std::string& feed, std::int64_t position);

  struct Record {
    std::int64_t id = 0;
    std::string source_arn, target_id, target_arn, event_id;
    std::string status;  // DELIVERED, DEAD; RETRYING, WAITING
    std::int64_t attempts = 0;
    std::string error_code, error_message;
    std::string input;    // of what is dead
    std::string started;  // ARN of the execution or build that it has begun
    base::Timestamp at;
  };
  // Of one rule or schedule, newest first: what is under way, then what is over.
  [[nodiscard]] std::vector<Record> records(const std::string& source_arn, std::size_t limit) const;
  // The same of one event.
  [[nodiscard]] std::vector<Record> records_of_event(const std::string& event_id,
                                                     std::size_t limit) const;

  struct Gauges {
    std::int64_t events = 0;
    std::int64_t deliveries = 0;
  };
  [[nodiscard]] Gauges gauges() const { return {events_.load(), deliveries_.load()}; }
  [[nodiscard]] const EventArns& arns() const { return arns_; }
  [[nodiscard]] store::Database& database() { return database_; }

 private:
  struct Compiled {
    Rule rule;
    std::optional<Pattern> pattern;
    std::vector<json::object> targets;
  };
  struct Added {
    std::int64_t events = 0, event_bytes = 0, deliveries = 0, delivery_bytes = 0;
  };
  [[nodiscard]] const std::vector<Compiled>& compiled(store::Transaction& tx,
                                                      const std::string& bus);
  void add_delivery(store::Transaction& tx, const Delivery& delivery, base::Timestamp due,
                    Added& added) const;
  void finish(store::Transaction& tx, const Settled& one, const std::string& condition,
              Added& added) const;
  void count(const Added& added);
  [[nodiscard]] std::vector<Record> records_where(std::string_view column, const std::string& value,
                                                  std::size_t limit) const;

  store::Database& database_;
  const base::Clock& clock_;
  const EventArns arns_;
  Rules& rules_;
  const Limits limits_;
  std::uint64_t compiled_revision_ = 0;  // of the stepping thread
  std::map<std::string, std::vector<Compiled>> compiled_;
  std::atomic<std::int64_t> events_{0}, event_bytes_{0}, deliveries_{0}, delivery_bytes_{0};
};

}  // namespace andon::events
