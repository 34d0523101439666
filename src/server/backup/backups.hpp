// SPDX-License-Identifier: Apache-2.0
// The backups that a running server makes of itself when it is asked to: one at a time, by a thread
// of its own, in one directory, the newest `most` of them. Which is newer they say themselves
// (BackupFacts::place): neither their names nor the clock, which may be set back. Who sees a new
// one sees the oldest gone. What stops it, a crash too, leaves no half of one under a backup's
// name. Any thread.
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "api/upkeep/upkeep.hpp"
#include "base/os/file.hpp"
#include "base/time/time.hpp"
#include "server/backup/backup.hpp"

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
  struct Kept {
    std::string name;
    BackupFacts facts;
  };
  void work(const std::string& name, const std::stop_token& stop);
  void put_in_place(const base::fs::path& whole, const std::string& name) const;
  // The newest first; with places_ held.
  [[nodiscard]] std::vector<Kept> all() const;
  [[nodiscard]] std::string new_name(base::Timestamp now) const;

  const Options options_;
  const base::Clock& clock_;
  mutable std::mutex places_;  // one at a time gives or takes a backup's name, or reads them all
  mutable std::mutex mutex_;   // guards what follows
  std::optional<base::Timestamp> running_since_;
  std::string failure_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace andon::server
