// SPDX-License-Identifier: Apache-2.0
// Buckets of objects, as S3 has them. The index (buckets, keys, metadata, multipart uploads) is in
// the database; the bytes are content-addressed blobs (objects/sha256/ab/abcdef...), written once,
// fsynced before the index names them. Equal content is stored once. Any thread.
// After a crash an object has its old or its new content; blobs that nothing names are swept by
// sweep(). This same store serves component artifacts by digest.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.hpp"
#include "base/time.hpp"
#include "store/database.hpp"

namespace andon::store {

struct ObjectInfo {
  std::string bucket;
  std::string key;
  std::uint64_t size = 0;
  std::string sha256;  // lower-case hex of the content
  std::string etag;    // without quotes: MD5 hex, or MD5-of-MD5s "-" parts for a multipart upload
  std::string content_type;
  std::map<std::string, std::string> metadata;  // x-amz-meta-*, names without that prefix
  std::map<std::string, std::string> headers;   // as PutOptions::headers
  base::Timestamp last_modified;
};

// Delivers the content piece by piece: fills the buffer, returns the count, 0 at the end.
using ByteSource = std::function<std::size_t(char* buffer, std::size_t buffer_size)>;

struct ContentDigests {
  std::string sha256;  // lower-case hex
  std::string md5;     // lower-case hex
  std::uint64_t size = 0;
};

struct PutOptions {
  std::string content_type = "application/octet-stream";
  std::map<std::string, std::string> metadata;
  // Further header fields, lower-case, that a reader gets back: content-encoding, cache-control ...
  std::map<std::string, std::string> headers;
  // Looks at the whole content before it is stored; what it throws refuses the content. The rest
  // of the options is read after it.
  std::function<void(const ContentDigests&)> check;
  // Looks at the object that is about to be replaced, in the same transaction; may throw as well.
  std::function<void(const std::optional<ObjectInfo>&)> check_replaced;
};

struct OpenObject {
  ObjectInfo info;
  base::UniqueFd file;  // read-only, at offset 0
};

struct ListRequest {
  std::string bucket;
  std::string prefix;
  std::string delimiter;
  std::string start_after;  // a key, or a common prefix, which is then not listed again
  std::size_t max_keys = 1000;
};
struct ListPage {
  std::vector<ObjectInfo> objects;
  std::vector<std::string> common_prefixes;
  std::optional<std::string> next_start_after;  // set when there is more
};

struct UploadedPart {
  int number = 0;  // 1..10000
  std::string etag;
  std::uint64_t size = 0;
  base::Timestamp last_modified;
};

struct UploadInfo {
  std::string id;
  std::string bucket;
  std::string key;
  base::Timestamp initiated;
};

// S3 wants every part but the last to be at least so large.
inline constexpr std::uint64_t kMinimumPartBytes = 5U << 20U;

// not_found for an unknown bucket, key or upload; invalid_argument for a malformed bucket name or
// a key over 1024 bytes; already_exists for create_bucket.
class ObjectStore {
 public:
  // Brings the schema up to date and makes the directory.
  ObjectStore(Database& database, base::fs::path directory, const base::Clock& clock);
  ObjectStore(const ObjectStore&) = delete;
  ObjectStore& operator=(const ObjectStore&) = delete;
  ~ObjectStore();

  void create_bucket(const std::string& bucket);
  void delete_bucket(const std::string& bucket);  // failed_precondition unless empty
  [[nodiscard]] bool has_bucket(const std::string& bucket) const;
  [[nodiscard]] std::vector<std::pair<std::string, base::Timestamp>> list_buckets() const;

  ObjectInfo put(const std::string& bucket, const std::string& key, const ByteSource& source,
                 const PutOptions& options);
  // By reference to the same bytes. `replaced` sets content type, metadata and headers anew.
  ObjectInfo copy(const std::string& from_bucket, const std::string& from_key,
                  const std::string& bucket, const std::string& key,
                  const std::optional<PutOptions>& replaced = std::nullopt);
  [[nodiscard]] std::optional<ObjectInfo> head(const std::string& bucket,
                                               const std::string& key) const;
  [[nodiscard]] std::optional<OpenObject> open(const std::string& bucket,
                                               const std::string& key) const;
  void remove(const std::string& bucket, const std::string& key);  // nothing if absent
  [[nodiscard]] ListPage list(const ListRequest& request) const;

  [[nodiscard]] std::string create_upload(const std::string& bucket, const std::string& key,
                                          const PutOptions& options);  // the upload id
  [[nodiscard]] std::optional<UploadInfo> find_upload(const std::string& upload_id) const;
  // By key, then age; at most 1000.
  [[nodiscard]] std::vector<UploadInfo> list_uploads(const std::string& bucket,
                                                     const std::string& prefix) const;
  UploadedPart put_part(const std::string& upload_id, int number, const ByteSource& source,
                        const PutOptions& options);
  // `parts` in ascending order, with the ETags that put_part gave, each but the last of at least
  // kMinimumPartBytes; else invalid_argument. Completing it again in the same way answers again.
  ObjectInfo complete_upload(const std::string& upload_id, const std::vector<UploadedPart>& parts);
  void abort_upload(const std::string& upload_id);
  [[nodiscard]] std::vector<UploadedPart> list_parts(const std::string& upload_id) const;

  // A blob by the digest of its content, whichever object names it.
  [[nodiscard]] std::optional<base::UniqueFd> open_blob(const std::string& sha256) const;

  // Deletes blobs that nothing names and uploads older than `upload_age`. At start.
  void sweep(std::chrono::hours upload_age);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace andon::store
