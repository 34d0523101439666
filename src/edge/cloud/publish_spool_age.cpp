// SPDX-License-Identifier: Apache-2.0
// Messages that are too old to be of use to anybody: they leave the spool.
#include <utility>

#include "edge/cloud/publish_spool.hpp"

namespace andon::edge {
namespace {

using base::Timestamp;

constexpr std::chrono::hours kBetweenLooks{1};
constexpr std::chrono::milliseconds kSmallestJump{60'000};
constexpr std::int64_t kRowsAtATime = 1000;
// A device whose clock was not set yet has times before this one.
constexpr Timestamp kFirstCredible{std::chrono::sys_days(std::chrono::year(2020) / 1 / 1)};

}  // namespace

// From the oldest on, up to the first that is young enough. What was written by a clock that was
// not set, or that has been set back since, is as young as this moment: it is not known better.
PublishSpool::Dropped PublishSpool::drop_old(store::Transaction& transaction, Timestamp now,
                                             std::chrono::seconds max_age) {
  Dropped dropped;
  if (max_age.count() == 0 || now < kFirstCredible) return dropped;
  const std::int64_t now_ms = base::to_epoch_millis(now);
  const std::int64_t oldest_ms = base::to_epoch_millis(now - max_age);
  for (bool more = true; std::exchange(more, false);) {
    for (const store::Row& row : transaction.query(
             "SELECT id, bytes, created_ms FROM spool WHERE delivered_ms IS NULL AND id > $1 "
             "ORDER BY id LIMIT $2",
             {dropped.up_to_id, kRowsAtATime})) {
      const std::int64_t created_ms = row.integer(2);
      if (created_ms > now_ms || created_ms < base::to_epoch_millis(kFirstCredible)) {
        transaction.execute("UPDATE spool SET created_ms = $1 WHERE id = $2",
                            {now_ms, row.integer(0)});
        more = false;
        break;
      }
      if (created_ms >= oldest_ms) {
        more = false;
        break;
      }
      dropped.up_to_id = row.integer(0);
      dropped.bytes += static_cast<std::uint64_t>(row.integer(1));
      ++dropped.count;
      more = true;
    }
  }
  if (dropped.count > 0) count_dropped(transaction, dropped);
  return dropped;
}

void PublishSpool::set_limits(std::uint64_t max_bytes, std::chrono::seconds max_age) {
  limits_.max_bytes = max_bytes;
  const auto before = std::exchange(limits_.max_age, max_age);
  if (max_age.count() > 0 && (before.count() == 0 || max_age < before)) look_for_old();
}

void PublishSpool::look_for_old_later() {
  looked_at_ = clock_.now();
  looked_at_on_loop_ = loop_.now();
  loop_.cancel(age_timer_);
  age_timer_ = loop_.after(kBetweenLooks, [this] { look_for_old(); });
}

void PublishSpool::look_for_old() {
  const base::Timestamp now = clock_.now();
  const auto passed =
      std::chrono::duration_cast<std::chrono::milliseconds>(loop_.now() - looked_at_on_loop_);
  const std::int64_t jump_ms =
      base::to_epoch_millis(now) - base::to_epoch_millis(looked_at_) - passed.count();
  const std::int64_t before_jump_ms = base::to_epoch_millis(looked_at_) + passed.count();
  look_for_old_later();
  if (limits_.max_age.count() == 0) return;
  const auto dropped = std::make_shared<Dropped>();
  writer_.run(
      [dropped, now, jump_ms, before_jump_ms,
       max_age = limits_.max_age](store::Transaction& transaction) {
        // The clock was set: nothing has become older by that.
        if (jump_ms > kSmallestJump.count()) {
          transaction.execute(
              "UPDATE spool SET created_ms = created_ms + $1 WHERE created_ms <= $2",
              {jump_ms, before_jump_ms});
        }
        *dropped = drop_old(transaction, now, max_age);
      },
      [this, alive = alive_, dropped](std::exception_ptr error) {
        if (error) std::rethrow_exception(error);  // looked for again in an hour
        if (*alive) forget(*dropped, "they are too old");
      });
}

}  // namespace andon::edge
