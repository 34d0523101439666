// SPDX-License-Identifier: Apache-2.0
// What object_store.cpp (buckets, objects, lists) and object_uploads.cpp (multipart) share.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/error/error.hpp"
#include "store/objects/blob_directory.hpp"
#include "store/objects/object_store.hpp"

namespace andon::store {

class ObjectStore::Implementation {
 public:
  Implementation(Database& database, base::fs::path directory, const base::Clock& clock);

  // Stages and keeps the content, then runs `record` in a write transaction; the blobs that it
  // returns have lost a reference by it and are deleted where it was the last.
  using Record = std::function<std::vector<std::string>(Transaction&, const ContentDigests&)>;
  void store_content(const ByteSource& source,
                     const std::function<void(const ContentDigests&)>& check, const Record& record);
  void collect(const std::vector<std::string>& digests);

  Database& database;
  BlobDirectory blobs;
  const base::Clock& clock;
};

[[nodiscard]] base::Error no_such_bucket(const std::string& bucket);
[[nodiscard]] base::Error no_such_upload(const std::string& upload_id);
void check_key(const std::string& key);                           // invalid_argument
void require_bucket(Transaction& tx, const std::string& bucket);  // not_found

// What is read without a version. None where the latest is a delete marker.
[[nodiscard]] std::optional<ObjectInfo> find_object(Transaction& tx, const std::string& bucket,
                                                    const std::string& key);
[[nodiscard]] std::optional<ObjectVersion> find_version(Transaction& tx, const std::string& bucket,
                                                        const std::string& key,
                                                        const std::string& version_id);
// Columns of object and object_version, and an ObjectInfo of them; its version id is as stored.
[[nodiscard]] std::string_view object_columns();
[[nodiscard]] ObjectInfo read_object(const Row& row);
[[nodiscard]] Versioning read_versioning(std::string_view text);

// What comes on top: bytes and objects, less what is replaced. Throws resource_exhausted.
struct Growth {
  std::int64_t bytes = 0;
  std::int64_t objects = 0;
};
void check_quota(Transaction& tx, const std::string& bucket, const std::optional<Quota>& quota,
                 const Growth& growth);
// The smallest text that is greater than every text that starts with `prefix`; empty: none is.
[[nodiscard]] std::string successor(std::string prefix);

// What a write of this key takes away.
[[nodiscard]] std::optional<ObjectInfo> replaced_by_write(Transaction& tx,
                                                          const std::string& bucket,
                                                          const std::string& key);
// Becomes the latest version, and gets its id. Gives the digests of the contents that are not there
// any more.
std::vector<std::string> write_object(Transaction& tx, ObjectInfo& object);
// As ObjectStore::remove(), at `now`.
Removal remove_object(Transaction& tx, const std::string& bucket, const std::string& key,
                      base::Timestamp now, std::vector<std::string>& released);
// As ObjectStore::remove_version(), of one that is there.
void remove_version(Transaction& tx, const ObjectVersion& version,
                    std::vector<std::string>& released);

[[nodiscard]] std::string map_to_text(const std::map<std::string, std::string>& map);
[[nodiscard]] std::map<std::string, std::string> map_from_text(std::string_view text);

}  // namespace andon::store
