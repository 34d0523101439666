// SPDX-License-Identifier: Apache-2.0
// Pictures that wait to be uploaded for labelling, each with its result message, on disk: bounded
// in bytes (the oldest are dropped and counted) and in how many are taken an hour. One thread adds,
// another takes; both may call at the same time. Survives restarts: what was added and not removed
// is still there.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/os/file.hpp"
#include "base/time/time.hpp"
#include "store/records/record_file.hpp"

namespace andon::inspect {

struct UploadLimits {
  std::int64_t per_hour = 60;
  std::int64_t disk_bytes = 256 << 20;
};

struct Upload {
  std::string id;
  std::string key;      // of the picture in the bucket; its result is at key + ".json"
  std::string message;  // the result message
};

class UploadSpool {
 public:
  explicit UploadSpool(base::fs::path directory);

  void set_limits(const UploadLimits& limits);

  enum class Added { yes, over_hourly_limit, larger_than_the_spool };
  // On disk when it returns. The same `id` again replaces the earlier one.
  Added add(const Upload& upload, std::string_view picture, base::Timestamp now);

  // The oldest, after `timeout` nothing; wakes at once when one is added or stop() is called.
  [[nodiscard]] std::optional<Upload> wait_for_oldest(std::chrono::milliseconds timeout);
  // Nothing where the picture has been dropped since.
  [[nodiscard]] std::optional<std::string> read_picture(const Upload& upload) const;
  void remove(const Upload& upload);
  // Puts it behind the others, so that one that is always refused does not keep them waiting.
  void postpone(const Upload& upload);

  // Ends every wait; wait_for_oldest() gives nothing from then on.
  void stop();
  // The same for a thread that waits to try again; false when it was stopped.
  [[nodiscard]] bool wait(std::chrono::milliseconds timeout);

  struct Counts {
    std::uint64_t waiting = 0;
    std::uint64_t waiting_bytes = 0;
    std::uint64_t dropped = 0;  // since the start, for want of disk
    std::uint64_t refused = 0;  // since the start, over the hourly limit
  };
  [[nodiscard]] Counts counts() const;

 private:
  struct Entry {
    Upload upload;
    std::uint64_t bytes = 0;
  };
  [[nodiscard]] store::RecordFile open();
  void load(std::string_view text, const base::fs::path& file);
  void take_over_old_files();
  void drop_what_has_no_picture();
  void remove_unknown_files();
  void rewrite();
  [[nodiscard]] bool take_from_budget(base::Timestamp now);
  void drop_oldest_until(std::uint64_t most_bytes);
  void erase(std::uint64_t order);
  // Not where it was replaced by a newer one of the same id.
  [[nodiscard]] std::map<std::uint64_t, Entry>::iterator find(const Upload& upload);
  [[nodiscard]] base::fs::path picture_file(const Upload& upload) const;

  const base::fs::path directory_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  UploadLimits limits_;
  std::map<std::uint64_t, Entry> entries_;  // by order of arrival
  std::uint64_t next_order_ = 1;
  std::int64_t hour_ = 0;  // since the epoch
  std::int64_t taken_this_hour_ = 0;
  Counts counts_;
  bool is_stopped_ = false;
  store::RecordFile records_;
};

}  // namespace andon::inspect
