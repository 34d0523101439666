// SPDX-License-Identifier: Apache-2.0
// Files: ID.picture, then ID.json {"order", "id", "key", "message"}, which makes it count; and
// budget.json {"hour", "taken"}, so that a program that restarts often keeps to its hourly limit.
#include "inspect/upload_spool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/log.hpp"

namespace andon::inspect {

namespace fs = base::fs;
namespace json = base::json;

namespace {

constexpr std::size_t kMaxPictureBytes = 512U << 20U;

void remove_quietly(const fs::path& path) {
  std::error_code ignored;
  fs::remove(path, ignored);
}

}  // namespace

UploadSpool::UploadSpool(fs::path directory) : directory_(std::move(directory)) {
  base::make_directories(directory_, 0700);
  load();
}

fs::path UploadSpool::picture_file(const Upload& upload) const {
  return directory_ / (upload.id + ".picture");
}
fs::path UploadSpool::entry_file(const Upload& upload) const {
  return directory_ / (upload.id + ".json");
}

void UploadSpool::load() {
  std::vector<fs::path> files;
  for (const auto& file : fs::directory_iterator(directory_)) files.push_back(file.path());
  for (const fs::path& file : files) {
    try {
      if (file.filename() == "budget.json") {
        const json::value budget = base::parse_json(base::read_file(file), "upload budget");
        const base::JsonReader reader(budget, file.string());
        hour_ = reader.integer("hour");
        taken_this_hour_ = reader.integer("taken");
      } else if (file.extension() == ".json") {
        load_entry(file);
      }
    } catch (const base::Error& error) {
      base::log_error("an upload that waited cannot be read and was dropped",
                      {{"file", file.string()}, {"error", error.message()}});
      ++counts_.dropped;
      remove_quietly(file);
    }
  }
  for (const fs::path& file : files) {
    if (file.extension() == ".json") continue;
    const bool is_known = std::any_of(entries_.begin(), entries_.end(), [&](const auto& entry) {
      return picture_file(entry.second.upload) == file;
    });
    if (!is_known) remove_quietly(file);  // of an upload that was not added to its end
  }
}

void UploadSpool::load_entry(const fs::path& file) {
  const json::value value = base::parse_json(base::read_file(file), "upload");
  const base::JsonReader reader(value, file.string());
  const auto order = static_cast<std::uint64_t>(reader.integer("order"));
  Entry entry{{reader.string("id"), reader.string("key"), reader.string("message")}, 0};
  std::error_code error;
  entry.bytes = fs::file_size(picture_file(entry.upload), error);
  if (error || entry_file(entry.upload) != file || entries_.contains(order)) {
    throw base::Error(base::ErrorCode::data_corrupted, "it does not fit its picture");
  }
  counts_.waiting_bytes += entry.bytes;
  next_order_ = std::max(next_order_, order + 1);
  entries_.emplace(order, std::move(entry));
}

void UploadSpool::set_limits(const UploadLimits& limits) {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
  drop_oldest_until(static_cast<std::uint64_t>(limits_.disk_bytes));
}

bool UploadSpool::take_from_budget(base::Timestamp now) {
  const std::int64_t hour =
      std::chrono::duration_cast<std::chrono::hours>(now.time_since_epoch()).count();
  if (hour != hour_) {
    hour_ = hour;
    taken_this_hour_ = 0;
  }
  if (taken_this_hour_ >= limits_.per_hour) return false;
  ++taken_this_hour_;
  base::write_file_atomically(
      directory_ / "budget.json",
      base::to_text(json::object{{"hour", hour_}, {"taken", taken_this_hour_}}), 0600);
  return true;
}

void UploadSpool::erase(std::uint64_t order) {
  const auto entry = entries_.find(order);
  if (entry == entries_.end()) return;
  remove_quietly(entry_file(entry->second.upload));
  remove_quietly(picture_file(entry->second.upload));
  counts_.waiting_bytes -= entry->second.bytes;
  entries_.erase(entry);
}

void UploadSpool::drop_oldest_until(std::uint64_t most_bytes) {
  std::uint64_t dropped = 0;
  while (!entries_.empty() && counts_.waiting_bytes > most_bytes) {
    erase(entries_.begin()->first);
    ++dropped;
  }
  if (dropped == 0) return;
  counts_.dropped += dropped;
  base::log_warning("pictures that waited to be uploaded were dropped to keep to the disk limit",
                    {{"dropped", dropped}, {"limit_bytes", limits_.disk_bytes}});
}

UploadSpool::Added UploadSpool::add(const Upload& upload, std::string_view picture,
                                    base::Timestamp now) {
  const std::lock_guard lock(mutex_);
  const auto most_bytes = static_cast<std::uint64_t>(limits_.disk_bytes);
  if (picture.size() > most_bytes) {
    ++counts_.dropped;
    return Added::larger_than_the_spool;
  }
  const auto same = std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return entry.second.upload.id == upload.id;
  });
  if (same != entries_.end()) {
    erase(same->first);
  } else if (!take_from_budget(now)) {
    ++counts_.refused;
    return Added::over_hourly_limit;
  }
  drop_oldest_until(most_bytes - picture.size());
  const std::uint64_t order = next_order_++;
  base::write_file_atomically(picture_file(upload), picture, 0600);
  base::write_file_atomically(
      entry_file(upload),
      base::to_text(json::object{
          {"order", order}, {"id", upload.id}, {"key", upload.key}, {"message", upload.message}}),
      0600);
  counts_.waiting_bytes += picture.size();
  entries_.emplace(order, Entry{upload, picture.size()});
  changed_.notify_all();
  return Added::yes;
}

std::optional<Upload> UploadSpool::wait_for_oldest(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] { return is_stopped_ || !entries_.empty(); });
  if (is_stopped_ || entries_.empty()) return std::nullopt;
  return entries_.begin()->second.upload;
}

std::optional<std::string> UploadSpool::read_picture(const Upload& upload) const {
  return base::read_file_if_exists(picture_file(upload), kMaxPictureBytes);
}

std::map<std::uint64_t, UploadSpool::Entry>::iterator UploadSpool::find(const Upload& upload) {
  return std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return entry.second.upload.id == upload.id && entry.second.upload.message == upload.message;
  });
}

void UploadSpool::remove(const Upload& upload) {
  const std::lock_guard lock(mutex_);
  if (const auto entry = find(upload); entry != entries_.end()) erase(entry->first);
}

void UploadSpool::postpone(const Upload& upload) {
  const std::lock_guard lock(mutex_);
  const auto entry = find(upload);
  if (entry == entries_.end()) return;
  auto node = entries_.extract(entry);
  node.key() = next_order_++;
  entries_.insert(std::move(node));
}

void UploadSpool::stop() {
  const std::lock_guard lock(mutex_);
  is_stopped_ = true;
  changed_.notify_all();
}

bool UploadSpool::wait(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] { return is_stopped_; });
  return !is_stopped_;
}

UploadSpool::Counts UploadSpool::counts() const {
  const std::lock_guard lock(mutex_);
  Counts counts = counts_;
  counts.waiting = entries_.size();
  return counts;
}

}  // namespace andon::inspect
