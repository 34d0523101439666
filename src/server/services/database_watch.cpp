// SPDX-License-Identifier: Apache-2.0
#include "server/services/database_watch.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>

#include "base/log/log.hpp"
#include "server/backup/data_check.hpp"

namespace andon::server {
namespace {

constexpr std::chrono::hours kCheckInterval{24};
constexpr int kLowPriority = 19;

}  // namespace

DatabaseWatch::DatabaseWatch(base::fs::path data)
    : data_(std::move(data)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

void DatabaseWatch::run(const std::stop_token& stop) const {
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kLowPriority);
  std::mutex mutex;
  std::condition_variable_any woken;
  while (!stop.stop_requested()) {
    for (const std::string& problem : check_databases(data_, stop)) {
      base::log_error("a database is damaged: make no backup over an older one; see `check`",
                      {{"problem", problem}});
    }
    std::unique_lock lock(mutex);
    woken.wait_for(lock, stop, kCheckInterval, [] { return false; });
  }
}

}  // namespace andon::server
