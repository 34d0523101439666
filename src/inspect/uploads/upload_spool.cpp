// SPDX-License-Identifier: Apache-2.0
// Files: ID.picture, and uploads.records, a store::RecordFile, with JSON:
//   {"order", "id", "key", "message"}  waits; its picture is there already
//   {"removed": ORDER}                 waits no longer
//   {"hour", "taken"}                  so that a program that restarts often keeps to its limit
// Earlier versions had ID.json and budget.json with the first and the last, which are taken over.
#include "inspect/uploads/upload_spool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"

namespace andon::inspect {

namespace fs = base::fs;
namespace json = base::json;

namespace {

constexpr std::size_t kMaxPictureBytes = 512U << 20U;

constexpr std::string_view kRecords = "uploads.records";
constexpr std::uint64_t kGrowthBytes = 1U << 20U;

std::string upload_record(std::uint64_t order, const Upload& upload) {
  return base::to_text(json::object{
      {"order", order}, {"id", upload.id}, {"key", upload.key}, {"message", upload.message}});
}

std::string budget_record(std::int64_t hour, std::int64_t taken) {
  return base::to_text(json::object{{"hour", hour}, {"taken", taken}});
}

void remove_quietly(const fs::path& path) {
  std::error_code ignored;
  fs::remove(path, ignored);
}

}  // namespace

UploadSpool::UploadSpool(fs::path directory) : directory_(std::move(directory)), records_(open()) {
  take_over_old_files();
  drop_what_has_no_picture();
  rewrite();
  remove_unknown_files();
}

fs::path UploadSpool::picture_file(const Upload& upload) const {
  return directory_ / (upload.id + ".picture");
}

store::RecordFile UploadSpool::open() {
  base::make_directories(directory_, 0700);
  const fs::path file = directory_ / kRecords;
  return {file, {}, [&](std::string_view text) { load(text, file); }};
}

void UploadSpool::load(std::string_view text, const fs::path& file) try {
  const json::value value = base::parse_json(text, "a record of an upload");
  const base::JsonReader record(value, file.string());
  if (record.has("removed")) {
    entries_.erase(static_cast<std::uint64_t>(record.integer("removed")));
  } else if (record.has("hour")) {
    hour_ = record.integer("hour");
    taken_this_hour_ = record.integer("taken");
  } else {
    const auto order = static_cast<std::uint64_t>(record.integer("order"));
    next_order_ = std::max(next_order_, order + 1);
    entries_[order] = {{record.string("id"), record.string("key"), record.string("message")}, 0};
  }
} catch (const base::Error& error) {
  base::log_error("an upload that waited cannot be read and was dropped",
                  {{"file", file.string()}, {"error", error.message()}});
  ++counts_.dropped;
}

void UploadSpool::take_over_old_files() {
  for (const auto& file : fs::directory_iterator(directory_)) {
    if (file.path().extension() == ".json") {
      load(base::read_file_if_exists(file.path()).value_or(""), file.path());
    }
  }
}

void UploadSpool::drop_what_has_no_picture() {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    std::error_code error;
    const fs::path picture = picture_file(entry->second.upload);
    entry->second.bytes = fs::file_size(picture, error);
    if (!error) {
      counts_.waiting_bytes += entry->second.bytes;
      ++entry;
      continue;
    }
    base::log_error("an upload that waited has lost its picture and was dropped",
                    {{"file", picture.string()}});
    ++counts_.dropped;
    entry = entries_.erase(entry);
  }
}

// Of uploads that were not added to their end, and of earlier versions.
void UploadSpool::remove_unknown_files() {
  std::set<fs::path> known{directory_ / kRecords};
  for (const auto& [order, entry] : entries_) known.insert(picture_file(entry.upload));
  std::vector<fs::path> unknown;
  for (const auto& file : fs::directory_iterator(directory_)) {
    if (!known.contains(file.path())) unknown.push_back(file.path());
  }
  std::ranges::for_each(unknown, remove_quietly);
}

void UploadSpool::rewrite() {
  records_.rewrite([&](store::RecordFile::Writer& writer) {
    writer.add(budget_record(hour_, taken_this_hour_));
    for (const auto& [order, entry] : entries_) writer.add(upload_record(order, entry.upload));
  });
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
  records_.append(budget_record(hour_, taken_this_hour_));  // synced with the upload itself
  return true;
}

void UploadSpool::erase(std::uint64_t order) {
  const auto entry = entries_.find(order);
  if (entry == entries_.end()) return;
  const fs::path picture = picture_file(entry->second.upload);
  counts_.waiting_bytes -= entry->second.bytes;
  entries_.erase(entry);
  try {
    records_.append_synced(base::to_text(json::object{{"removed", order}}));
    if (records_.has_outgrown(kGrowthBytes)) rewrite();
  } catch (const base::Error& error) {  // a full disk has more need of the picture's room
    base::log_warning("the list of uploads cannot be written",
                      {{"file", (directory_ / kRecords).string()}, {"error", error.message()}});
  }
  remove_quietly(picture);
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
  records_.append_synced(upload_record(order, upload));
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
