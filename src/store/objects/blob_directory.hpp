// SPDX-License-Identifier: Apache-2.0
// The bytes of the object store: files named by the SHA-256 of their content, never changed once
// there. Part of the object store's inside; any thread.
// After a crash a blob is there whole or not at all; unfinished files are left to sweep().
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/os/file.hpp"
#include "store/objects/object_store.hpp"

namespace andon::store {

// Where the blob is below the object store's directory.
[[nodiscard]] base::fs::path blob_file(const base::fs::path& directory, const std::string& sha256);

class BlobDirectory {
 public:
  explicit BlobDirectory(base::fs::path directory);

  // Content that is on disk, but not yet in its place; removed with the object unless kept.
  class Staged {
   public:
    Staged(base::fs::path path, ContentDigests digests)
        : path_(std::move(path)), digests_(std::move(digests)) {}
    Staged(Staged&& other) noexcept
        : path_(std::exchange(other.path_, {})), digests_(std::move(other.digests_)) {}
    Staged(const Staged&) = delete;
    Staged& operator=(const Staged&) = delete;
    Staged& operator=(Staged&&) = delete;
    ~Staged();
    [[nodiscard]] const ContentDigests& digests() const { return digests_; }

   private:
    friend class BlobDirectory;
    base::fs::path path_;
    ContentDigests digests_;
  };
  [[nodiscard]] Staged stage(const ByteSource& source) const;

  // While it lives, collect() leaves this blob alone: the time between the file and its index row.
  class Lease {
   public:
    Lease(BlobDirectory& directory, std::string sha256);
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease();

   private:
    BlobDirectory& directory_;
    std::string sha256_;
  };
  // Puts it in its place, to last. The caller holds a Lease for it.
  void keep(Staged staged) const;

  [[nodiscard]] std::optional<base::UniqueFd> open(const std::string& sha256) const;

  // Deletes the blob unless a Lease holds it or `is_named` says that the index names it.
  void collect(const std::string& sha256, const std::function<bool()>& is_named);

  [[nodiscard]] std::vector<std::string> list() const;
  // Unfinished files of processes that are gone.
  void remove_leftovers() const;

 private:
  base::fs::path directory_;
  base::fs::path blobs_;
  base::fs::path unfinished_;
  std::string own_prefix_;  // of this process's unfinished files
  std::mutex mutex_;
  std::map<std::string, int> leases_;  // guarded by mutex_
};

}  // namespace andon::store
