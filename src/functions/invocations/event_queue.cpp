// SPDX-License-Identifier: Apache-2.0
#include "functions/invocations/event_queue.hpp"

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/text/id.hpp"
#include "functions/invocations/records.hpp"
#include "functions/registry/schema.hpp"

namespace andon::functions {
namespace {

using base::Error;
using base::ErrorCode;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::int64_t kRetries = 2;
constexpr std::int64_t kMostAgeS = 21'600;
constexpr std::int64_t kMostHops = 16;  // from destination to destination
constexpr seconds kFirstPause{1};
constexpr minutes kLongestPause{5};

// After the first failure, and after the second.
milliseconds pause_before_retry(std::int64_t attempts) {
  return attempts <= 1 ? minutes(1) : minutes(2);
}

milliseconds pause_for_room(std::int64_t postponed) {
  constexpr std::int64_t kDoublings = 9;
  const auto pause = kFirstPause * (std::int64_t{1} << std::min(postponed, kDoublings));
  return std::min<milliseconds>(pause, kLongestPause);
}

}  // namespace

EventQueue::EventQueue(store::Database& database, Registry& registry, Settings& settings,
                       const base::Clock& clock, Run run, WriteRecord write,
                       const EventOptions& options)
    : database_(database),
      registry_(registry),
      settings_(settings),
      clock_(clock),
      run_(std::move(run)),
      write_(std::move(write)),
      options_(options),
      thread_([this] { work(); }) {}

EventQueue::~EventQueue() {
  stop();
}

void EventQueue::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void EventQueue::wake() {
  const std::lock_guard lock(mutex_);
  is_woken_ = true;
  changed_.notify_all();
}

std::string EventQueue::add(const NewEvent& event) {
  if (event.payload.size() > kMostPayload) {
    throw Error(ErrorCode::invalid_argument,
                std::to_string(event.payload.size()) +
                    " byte payload is too large for the Event invocation type (limit " +
                    std::to_string(kMostPayload) + " bytes)");
  }
  const std::string id = base::random_uuid();
  const auto now = base::to_epoch_millis(clock_.now());
  database_.write([&](store::Transaction& tx) {
    const auto held =
        tx.query_one("SELECT COUNT(*), COALESCE(SUM(LENGTH(payload)), 0) FROM function_events", {});
    if (held->integer(0) >= kMostEvents || held->integer(1) >= kMostEventBytes) {
      throw Error(ErrorCode::resource_exhausted,
                  "too many asynchronous calls wait already: " + std::to_string(held->integer(0)) +
                      "; try again when some are over");
    }
    tx.execute(
        "INSERT INTO function_events (id, function, qualifier, payload, client_context, "
        "created_ms, next_ms, attempts, postponed, hops) VALUES ($1, $2, $3, $4, $5, $6, $6, 0, 0, "
        "$7)",
        {id, event.ref.name, event.ref.qualifier, store::Blob{event.payload}, event.client_context,
         now, event.hops});
  });
  wake();
  return id;
}

std::int64_t EventQueue::waiting() const {
  return database_.read([](store::Transaction& tx) {
    return tx.query_one("SELECT COUNT(*) FROM function_events", {})->integer(0);
  });
}

void EventQueue::work() {
  while (true) {
    std::deque<Ended> ended;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, options_.glance,
                        [this] { return stopping_ || is_woken_ || !ended_.empty(); });
      if (stopping_) return;
      is_woken_ = false;
      ended.swap(ended_);
    }
    for (const Ended& one : ended) {
      in_hand_.erase(one.event.id);
      try {
        settle(one);
      } catch (const std::exception& error) {
        // It is in the table still, and done again.
        base::log_error("the end of an asynchronous call was not noted",
                        {{"function", one.event.ref.name}, {"error", std::string(error.what())}});
      }
    }
    try {
      begin_due();
    } catch (const std::exception& error) {
      base::log_error("asynchronous calls cannot be read", {{"error", std::string(error.what())}});
    }
  }
}

void EventQueue::begin_due() {
  if (in_hand_.size() >= options_.most_at_once) return;
  std::vector<Event> due;
  database_.read([&](store::Transaction& tx) {
    // Those in hand are due, too.
    const auto limit = static_cast<std::int64_t>(options_.most_at_once + in_hand_.size());
    for (const store::Row& row : tx.query(
             "SELECT id, function, qualifier, payload, client_context, created_ms, attempts, "
             "postponed, hops FROM function_events WHERE next_ms <= $1 ORDER BY next_ms, id LIMIT "
             "$2",
             {base::to_epoch_millis(clock_.now()), limit})) {
      if (in_hand_.contains(row.text(0))) continue;
      if (in_hand_.size() + due.size() >= options_.most_at_once) break;
      due.push_back({.id = row.text(0),
                     .ref = {row.text(1), row.text(2)},
                     .payload = row.blob(3),
                     .client_context = row.text(4),
                     .created = base::from_epoch_millis(row.integer(5)),
                     .attempts = row.integer(6),
                     .postponed = row.integer(7),
                     .hops = row.integer(8)});
    }
  });
  for (Event& event : due) begin(std::move(event));
}

void EventQueue::begin(Event event) {
  const std::string id = event.id;
  in_hand_.insert(id);
  try {
    Resolved function = registry_.resolve(event.ref);
    if (function.version.state != "Active") {
      in_hand_.erase(id);
      return postpone(event, kFirstPause, event.attempts, event.postponed + 1);
    }
    Invocation invocation{event.ref, event.payload, event.client_context, id};
    run_(function, std::move(invocation),
         [this, event = std::move(event), function](CallEnd end) mutable {
           const std::lock_guard lock(mutex_);
           ended_.push_back({std::move(event), std::move(function), std::move(end)});
           changed_.notify_all();
         });
  } catch (const Error& error) {
    in_hand_.erase(id);
    if (error.code() == ErrorCode::not_found) {
      base::log_warning("an asynchronous call is dropped: its function is gone",
                        {{"function", event.ref.name}, {"call", id}});
      return remove(id);
    }
    postpone(event, kFirstPause, event.attempts, event.postponed + 1);
  }
}

void EventQueue::settle(const Ended& ended) {
  const Event& event = ended.event;
  const std::string qualifier =
      event.ref.qualifier.empty() ? std::string(kLatest) : event.ref.qualifier;
  const auto config = settings_.find_event_config(event.ref.name, qualifier);
  const auto age = clock_.now() - event.created;
  const seconds most_age(config ? config->most_age_s.value_or(kMostAgeS) : kMostAgeS);
  switch (ended.end.kind) {
    case CallEnd::Kind::answered:
      if (config && config->on_success) {
        send(*config->on_success,
             invocation_record({.id = event.id,
                                .function_arn = registry_.arn(ended.function.version),
                                .condition = "Success",
                                .attempts = event.attempts + 1,
                                .payload = event.payload,
                                .version = ended.function.version.label(),
                                .end = ended.end,
                                .time = clock_.now()}),
             event.hops);
      }
      return remove(event.id);
    case CallEnd::Kind::failed: {
      const auto most = config ? config->most_retries.value_or(kRetries) : kRetries;
      if (event.attempts >= most) return give_up(ended, "RetriesExhausted");
      const milliseconds pause = pause_before_retry(event.attempts + 1);
      if (age + pause > most_age) return give_up(ended, "EventAgeExceeded");
      return postpone(event, pause, event.attempts + 1, event.postponed);
    }
    case CallEnd::Kind::throttled:
    case CallEnd::Kind::refused:
      // Nothing will ever be let through.
      if (ended.function.reserved == 0) return give_up(ended, "RetriesExhausted");
      const milliseconds pause = pause_for_room(event.postponed);
      if (age + pause > most_age) return give_up(ended, "EventAgeExceeded");
      return postpone(event, pause, event.attempts, event.postponed + 1);
  }
}

void EventQueue::give_up(const Ended& ended, std::string_view condition) {
  const Event& event = ended.event;
  const EventOutcome outcome{.id = event.id,
                             .function_arn = registry_.arn(ended.function.version),
                             .condition = std::string(condition),
                             .attempts = event.attempts + 1,
                             .payload = event.payload,
                             .version = ended.function.version.label(),
                             .end = ended.end,
                             .time = clock_.now()};
  const std::string qualifier =
      event.ref.qualifier.empty() ? std::string(kLatest) : event.ref.qualifier;
  const auto config = settings_.find_event_config(event.ref.name, qualifier);
  if (config && config->on_failure) {
    send(*config->on_failure, invocation_record(outcome), event.hops);
  }
  const auto* letter = ended.function.version.config.if_contains("DeadLetterConfig");
  const auto* object = letter == nullptr ? nullptr : letter->if_object();
  const auto* target = object == nullptr ? nullptr : object->if_contains("TargetArn");
  if (target != nullptr && target->is_string() && !target->get_string().empty()) {
    send(std::string(target->get_string()), dead_letter(outcome), event.hops);
  }
  remove(event.id);
}

void EventQueue::send(const std::string& arn, const std::string& record, std::int64_t hops) {
  try {
    const bool is_bus = arn.starts_with("arn:aws:events:");
    if (is_bus || fleet::parse_log_group_arn(arn)) return write_(arn, record);
    if (hops >= kMostHops) {
      base::log_error("a record is dropped: functions' destinations lead in a circle",
                      {{"destination", arn}});
      return;
    }
    add({.ref = parse_function_ref(arn), .payload = record, .hops = hops + 1});
  } catch (const Error& error) {
    // A destination that is gone keeps nothing from being over.
    if (error.code() != ErrorCode::not_found && error.code() != ErrorCode::invalid_argument) throw;
    base::log_error("a record of an asynchronous call is lost",
                    {{"destination", arn}, {"error", error.message()}});
  }
}

void EventQueue::postpone(const Event& event, milliseconds delay, std::int64_t attempts,
                          std::int64_t postponed) {
  database_.write([&](store::Transaction& tx) {
    tx.execute(
        "UPDATE function_events SET next_ms = $2, attempts = $3, postponed = $4 WHERE id = $1",
        {event.id, base::to_epoch_millis(clock_.now() + delay), attempts, postponed});
  });
}

void EventQueue::remove(const std::string& id) {
  database_.write([&](store::Transaction& tx) {
    tx.execute("DELETE FROM function_events WHERE id = $1", {id});
  });
}

}  // namespace andon::functions
