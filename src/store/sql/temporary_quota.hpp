// SPDX-License-Identifier: Apache-2.0
// How much a statement may write to SQLite's temporary files (what sorting, DISTINCT and WITH put
// there): a file system of SQLite's own kind under the name kVfs, which counts what a thread's
// statements write while it has a quota, and says that the disk is full beyond it. Any thread; a
// connection that was opened with it is used by one thread at a time.
#pragma once

#include <cstdint>

namespace andon::store {

class TemporaryQuota {
 public:
  // Of the calling thread, from now until it ends; nested ones are not for now.
  explicit TemporaryQuota(std::int64_t bytes);
  TemporaryQuota(const TemporaryQuota&) = delete;
  TemporaryQuota& operator=(const TemporaryQuota&) = delete;
  ~TemporaryQuota();

  [[nodiscard]] bool is_exceeded() const { return is_exceeded_; }

  // The name for sqlite3_open_v2(); registered by its first call.
  static const char* vfs();

  // False: it does not fit. Called by the file system.
  bool take(std::int64_t bytes);
  void give_back(std::int64_t bytes) { left_ += bytes; }

 private:
  std::int64_t left_;
  bool is_exceeded_ = false;
};

}  // namespace andon::store
