// SPDX-License-Identifier: Apache-2.0
// A job's directory: who writes what. Made by the server; from the keeper's start on the lock is
// the keeper's for as long as it lives, so that whoever comes later knows whether it does.
//
//   order.json   by the server, before the keeper is started
//   lock         held by the keeper
//   keeper.json  by the keeper: its process
//   result.json  by the keeper, when the job is over; without it and without a keeper it is lost
//   log-N        by the keeper: what the job wrote, from byte N on
//   work/, tmp/  the job's own: /job and /tmp
//   root/        what its root is mounted upon
#pragma once

#include <optional>
#include <string>

#include "base/os/file.hpp"
#include "job/order/order.hpp"

namespace andon::job {

class JobDirectory {
 public:
  explicit JobDirectory(fs::path path) : path_(std::move(path)) {}

  [[nodiscard]] const fs::path& path() const { return path_; }
  [[nodiscard]] fs::path order_file() const { return path_ / "order.json"; }
  [[nodiscard]] fs::path keeper_file() const { return path_ / "keeper.json"; }
  [[nodiscard]] fs::path lock_file() const { return path_ / "lock"; }
  [[nodiscard]] fs::path work() const { return path_ / "work"; }
  [[nodiscard]] fs::path temporary() const { return path_ / "tmp"; }
  [[nodiscard]] fs::path root() const { return path_ / "root"; }

  // Makes the directories, empty, of `user` where there is one.
  void make(std::optional<uid_t> user) const;
  void write_order(const JobOrder& order) const;
  [[nodiscard]] std::optional<JobOrder> order() const;
  void write_result(const JobResult& result) const;
  [[nodiscard]] std::optional<JobResult> result() const;  // nothing where it is damaged, too
  [[nodiscard]] bool has_keeper() const;
  // Its process, to be watched and signalled, if it lives.
  [[nodiscard]] base::UniqueFd keeper() const;

  // A plain file below work/ for reading, whatever the job has put there meanwhile: no link is
  // followed, nothing else is opened. Nothing where there is none (errno says why).
  [[nodiscard]] base::UniqueFd open_plain(const std::string& name) const;
  // A directory there, likewise.
  [[nodiscard]] base::UniqueFd open_inner(const std::string& name) const;

  // The job's own files go; what it wrote and how it ended stay. Not while it runs.
  void remove_files() const;
  void remove() const;

 private:
  fs::path path_;
};

// Removes whatever a stranger has made there, however deep and whatever its modes are; follows no
// links. Nothing may be at work in it any more. Throws system_error.
void remove_tree(const fs::path& path);

}  // namespace andon::job
