// SPDX-License-Identifier: Apache-2.0
// The outbox: what a transaction leaves for others to hear. A row is written in the transaction
// that makes it true, so it is there exactly when its cause is; consumers read the rows afterwards,
// each from its own stored cursor, and move the cursor when they have acted. After a crash a
// consumer starts again from its cursor, so it may see a row twice and never misses one.
// Any thread; one thread a consumer.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/time/time.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

// The kinds of rows. A kind says what `subject` is; `payload` is JSON text, or empty.
inline constexpr std::string_view kJobsChanged = "jobs.changed";  // of the thing `subject`
inline constexpr std::string_view kPlainJobsChanged = "plain-jobs.changed";  // the same, of AWS IoT
inline constexpr std::string_view kShadowChanged = "shadow.changed";  // of the thing `subject`

struct OutboxEntry {
  std::int64_t id = 0;  // rises by one from row to row
  std::string kind;
  std::string subject;
  std::string payload;
  base::Timestamp created;
};

struct OutboxBatch {
  std::vector<OutboxEntry> entries;  // oldest first
  // Rows that this consumer had not read were dropped (it stood still for longer than rows are
  // kept): it must look at the whole state once.
  bool has_gap = false;
};

class Outbox {
 public:
  // More rows than this are not kept, whoever has not read them.
  static constexpr std::int64_t kMaxRows = 1'000'000;

  Outbox() = default;
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;
  ~Outbox() = default;

  static void append(store::Transaction& tx, std::string_view kind, const std::string& subject,
                     base::Timestamp now, const std::string& payload = {});
  // What follows the cursor of `consumer`; of a new consumer: everything that is kept.
  [[nodiscard]] static OutboxBatch read(store::Transaction& tx, std::string_view consumer,
                                        std::size_t limit);
  // `consumer` has acted on everything up to `id`.
  static void advance(store::Transaction& tx, std::string_view consumer, std::int64_t id);
  // Deletes up to `limit` rows that every consumer has read, or that are older than `oldest`, or
  // too many. Answers how many.
  static std::int64_t trim(store::Transaction& tx, base::Timestamp oldest, std::int64_t limit);

  // Called after each transaction that has appended; wakes who waits for rows. A lost wake does no
  // harm: consumers look by themselves from time to time.
  void wake();
  // nullptr before the listener goes. Waits for a call that is under way, so the listener must not
  // call set_listener().
  void set_listener(std::function<void()> listener);

 private:
  std::recursive_mutex mutex_;  // a listener that works at once may wake again
  std::function<void()> listener_;
};

}  // namespace andon::control
