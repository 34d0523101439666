// SPDX-License-Identifier: Apache-2.0
#include "server/backup/backups.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/text/ascii.hpp"
#include "base/text/number.hpp"

namespace andon::server {
namespace {

using base::Error;
using base::ErrorCode;

constexpr unsigned kPrivateDirectory = 0700;

// Being made, and being removed: neither has a backup's name.
constexpr const char* kPartial = ".partial";
constexpr const char* kGone = ".gone";

bool is_backup_name(const std::string& name) {
  return base::is_name_of(name, "-");
}

base::fs::path with_ending(base::fs::path path, const char* ending) {
  path += ending;
  return path;
}

void remove_remains(const base::fs::path& directory) {
  for (const auto& entry : base::fs::directory_iterator(directory)) {
    const std::string ending = entry.path().extension();
    std::error_code left;  // another thread may be at it, too
    if (ending == kPartial) base::fs::remove_all(entry.path());
    if (ending == kGone) base::fs::remove_all(entry.path(), left);
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
  std::string name = new_name(*running_since_);
  // The one before has ended.
  thread_ = std::jthread([this, name](const std::stop_token& stop) { work(name, stop); });
  return name;
}

// No name that has been another's while one of that second is there.
std::string Backups::new_name(base::Timestamp now) const {
  const std::string second = base::to_amz_date(now);
  std::int64_t last = 0;
  std::error_code absent;
  for (const auto& entry : base::fs::directory_iterator(options_.directory, absent)) {
    const std::string name = entry.path().stem();
    if (name == second) last = std::max<std::int64_t>(last, 1);
    if (!name.starts_with(second + "-")) continue;
    last = std::max(last, base::parse_int64(name.substr(second.size() + 1)).value_or(0));
  }
  return last == 0 ? second : second + "-" + std::to_string(last + 1);
}

void Backups::work(const std::string& name, const std::stop_token& stop) {
  std::string failure;
  try {
    base::make_directories(options_.directory, kPrivateDirectory);
    remove_remains(options_.directory);
    base::Timestamp place = clock_.now();
    const base::Timestamp now = place;
    {
      const std::lock_guard lock(places_);
      const auto before = all();
      if (!before.empty()) {
        place = std::max(place, before.front().facts.place + std::chrono::milliseconds(1));
      }
    }
    const base::fs::path whole = with_ending(options_.directory / name, kPartial);
    (void)make_backup(options_.data, whole, now, stop, place);
    put_in_place(whole, name);
    remove_remains(options_.directory);
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

void Backups::put_in_place(const base::fs::path& whole, const std::string& name) const {
  const std::lock_guard lock(places_);
  base::fs::rename(whole, options_.directory / name);
  const auto kept = all();
  for (std::size_t at = options_.most; at < kept.size(); ++at) {
    const base::fs::path oldest = options_.directory / kept[at].name;
    base::fs::rename(oldest, with_ending(oldest, kGone));
  }
  base::sync_directory(options_.directory);
}

std::vector<Backups::Kept> Backups::all() const {
  std::vector<Kept> found;
  std::error_code absent;
  for (const auto& entry : base::fs::directory_iterator(options_.directory, absent)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_directory() || !is_backup_name(name)) continue;
    const auto facts = read_backup_facts(entry.path());
    if (facts) found.push_back({name, *facts});
  }
  std::ranges::sort(found, [](const Kept& one, const Kept& other) {
    return std::pair(one.facts.place, one.name) > std::pair(other.facts.place, other.name);
  });
  return found;
}

api::BackupsState Backups::state() const {
  api::BackupsState state{.directory = options_.directory.string(), .most = options_.most};
  {
    const std::lock_guard lock(mutex_);
    state.running_since = running_since_;
    state.failure = failure_;
  }
  // After that: one that is under way no more is in it.
  const std::lock_guard lock(places_);
  for (const auto& [name, facts] : all()) {
    state.backups.push_back(
        {.name = name, .made = facts.made, .bytes = facts.bytes, .objects = facts.blobs});
  }
  return state;
}

void Backups::remove(const std::string& name) {
  const base::fs::path path = options_.directory / name;
  const base::fs::path gone = with_ending(path, kGone);
  {
    const std::lock_guard lock(places_);
    if (!is_backup_name(name) || !read_backup_facts(path)) {
      throw Error(ErrorCode::not_found, "there is no backup '" + name.substr(0, 100) + "'");
    }
    base::fs::remove_all(gone);  // what an attempt before has left
    base::fs::rename(path, gone);
    base::sync_directory(options_.directory);
  }
  base::fs::remove_all(gone);
}

}  // namespace andon::server
