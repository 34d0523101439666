// SPDX-License-Identifier: Apache-2.0
// The backups that a running server makes of itself when it is asked to: one at a time, by a thread
// of its own, in one directory, the newest `most` of them. What stops it, a crash too, leaves no
// half of one under a backup's name. Any thread.
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "api/upkeep/upkeep.hpp"
#include "base/os/file.hpp"
#include "base/time/time.hpp"

namespace andon::server {

class Backups {
 public:
  struct Options {
    base::fs::path data;
    base::fs::path directory;  // made when the first one is
    std::size_t most = 7;
  };
  Backups(Options options, const base::Clock& clock);
  Backups(const Backups&) = delete;
  Backups& operator=(const Backups&) = delete;
  // Gives up the one under way.
  ~Backups() = default;

  // Begins one; answers its name. Throws conflict while one is under way.
  std::string make();
  [[nodiscard]] api::BackupsState state() const;
  // Throws not_found.
  void remove(const std::string& name);

 private:
  void work(const std::string& name, const std::stop_token& stop);
  void remove_oldest() const;
  [[nodiscard]] std::vector<api::BackupFacts> list() const;

  const Options options_;
  const base::Clock& clock_;
  mutable std::mutex mutex_;  // guards what follows
  std::optional<base::Timestamp> running_since_;
  std::string failure_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace andon::server
