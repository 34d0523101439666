// SPDX-License-Identifier: Apache-2.0
// Messages that may not go where they are to go: they leave the spool.
#include <utility>

#include "base/log/log.hpp"
#include "edge/cloud/publish_spool.hpp"
#include "edge/state/state_database.hpp"

namespace andon::edge {

void PublishSpool::refuse(const std::string& name) {
  if (name == results_topic_) return;  // it is the device's own, whatever its policies say
  struct Removed {
    std::int64_t count = 0;
    std::uint64_t bytes = 0;
  };
  const auto removed = std::make_shared<Removed>();
  writer_.run(
      [name, removed](store::Transaction& transaction) {
        const auto waiting = transaction.query_one(
            "SELECT count(*), coalesce(sum(bytes), 0) FROM spool WHERE topic = $1 AND "
            "delivered_ms IS NULL",
            {name});
        removed->count = waiting->integer(0);
        removed->bytes = static_cast<std::uint64_t>(waiting->integer(1));
        if (removed->count == 0) return;
        transaction.execute("DELETE FROM spool WHERE topic = $1 AND delivered_ms IS NULL", {name});
        transaction.execute(
            "INSERT INTO counters (name, number) VALUES ($1, $2) "
            "ON CONFLICT (name) DO UPDATE SET number = number + $2",
            {std::string(kSpoolRefused), removed->count});
      },
      [this, alive = alive_, name, removed](std::exception_ptr error) {
        if (error) std::rethrow_exception(error);  // said again with the next attempt
        if (!*alive || removed->count == 0) return;
        refused_ += removed->count;
        bytes_ -= std::min(bytes_, removed->bytes);
        base::log_warning("messages that may not be published are given up",
                          {{"topic", name}, {"count", removed->count}});
        const auto found = topics_.find(name);
        if (found == topics_.end()) return;
        Topic& topic = found->second;
        clear_window(topic);
        if (topic.in_flight && !topic.window.empty()) topic.window.front().bytes = 0;
        loop_.cancel(std::exchange(topic.retry, 0));
        topic.wait = std::chrono::milliseconds{0};
        send_next(name);  // finds that nothing is left, or what came meanwhile
      });
}

}  // namespace andon::edge
