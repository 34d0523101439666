// SPDX-License-Identifier: Apache-2.0
// What object_store.cpp (buckets, objects, lists) and object_uploads.cpp (multipart) share.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "store/blob_directory.hpp"
#include "store/object_store.hpp"

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
void check_key(const std::string& key);                                    // invalid_argument
void require_bucket(Transaction& transaction, const std::string& bucket);  // not_found

// Gives the digest of the content that it replaced, if there was an object of that name.
std::vector<std::string> write_object(Transaction& transaction, const ObjectInfo& object);

[[nodiscard]] std::string map_to_text(const std::map<std::string, std::string>& map);
[[nodiscard]] std::map<std::string, std::string> map_from_text(std::string_view text);

}  // namespace andon::store
