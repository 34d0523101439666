// SPDX-License-Identifier: Apache-2.0
#include "server/backup/backups.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/text/ascii.hpp"
#include "server/backup/backup.hpp"

namespace andon::server {
namespace {

using base::Error;
using base::ErrorCode;

constexpr unsigned kPrivateDirectory = 0700;

bool is_backup_name(const std::string& name) {
  return base::is_name_of(name, "-");
}

void remove_unfinished(const base::fs::path& directory) {
  for (const auto& entry : base::fs::directory_iterator(directory)) {
    if (entry.path().extension() == ".partial") base::fs::remove_all(entry.path());
  }
}

}  // namespace

Backups::Backups(Options options, const base::Clock& clock)
    : options_(std::move(options)), clock_(clock) {}

std::string Backups::make() {
  const std::lock_guard lock(mutex_);
  if (running_since_) {
    throw Error(ErrorCode::conflict, "a backup is under way since " +
                                         base::to_iso8601(*running_since_) +
                                         ": wait until ListBackups has it");
  }
  running_since_ = clock_.now();
  failure_.clear();
  const std::string second = base::to_amz_date(*running_since_);
  std::string name = second;
  for (int next = 2; base::fs::exists(options_.directory / name); ++next) {
    name = second + "-" + std::to_string(next);
  }
  // The one before has ended.
  thread_ = std::jthread([this, name](const std::stop_token& stop) { work(name, stop); });
  return name;
}

void Backups::work(const std::string& name, const std::stop_token& stop) {
  std::string failure;
  try {
    base::make_directories(options_.directory, kPrivateDirectory);
    remove_unfinished(options_.directory);
    (void)make_backup(options_.data, options_.directory / name, clock_.now(), stop);
    remove_oldest();
  } catch (const Error& error) {
    failure = error.message();
  } catch (const std::exception& error) {  // of the file system
    failure = error.what();
  }
  if (!failure.empty()) base::log_error("a backup failed", {{"reason", failure}});
  const std::lock_guard lock(mutex_);
  failure_ = failure;
  running_since_.reset();
}

std::vector<api::BackupFacts> Backups::list() const {
  std::vector<api::BackupFacts> found;
  std::error_code absent;
  for (const auto& entry : base::fs::directory_iterator(options_.directory, absent)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_directory() || !is_backup_name(name)) continue;
    const auto facts = read_backup_facts(entry.path());
    if (!facts) continue;
    found.push_back(
        {.name = name, .made = facts->made, .bytes = facts->bytes, .objects = facts->blobs});
  }
  std::ranges::sort(found, [](const auto& one, const auto& other) {
    return std::pair(one.made, one.name) > std::pair(other.made, other.name);
  });
  return found;
}

void Backups::remove_oldest() const {
  const auto all = list();
  for (std::size_t at = options_.most; at < all.size(); ++at) {
    base::fs::remove_all(options_.directory / all[at].name);
  }
}

api::BackupsState Backups::state() const {
  api::BackupsState state{.directory = options_.directory.string(), .most = options_.most};
  {
    const std::lock_guard lock(mutex_);
    state.running_since = running_since_;
    state.failure = failure_;
  }
  // After that: one that is under way no more is in it.
  state.backups = list();
  return state;
}

void Backups::remove(const std::string& name) {
  const base::fs::path path = options_.directory / name;
  if (!is_backup_name(name) || !read_backup_facts(path)) {
    throw Error(ErrorCode::not_found, "there is no backup '" + name.substr(0, 100) + "'");
  }
  base::fs::remove_all(path);
}

}  // namespace andon::server
