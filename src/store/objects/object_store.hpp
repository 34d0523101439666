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

#include "base/os/file.hpp"
#include "base/time/time.hpp"
#include "store/objects/bucket_settings.hpp"
#include "store/sql/database.hpp"

namespace andon::store {

// Whether a bucket keeps what was written before. Once it was enabled it is never `never` again.
enum class Versioning : std::uint8_t { never, enabled, suspended };

inline constexpr std::string_view kNullVersion = "null";

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
  std::map<std::string, std::string> tags = {};
  // Of this version, "null" too; empty in a bucket that never had versions.
  std::string version_id = {};
};

// One of an object's versions: content, or the mark of a deletion, which has none.
struct ObjectVersion {
  ObjectInfo object;
  bool is_marker = false;
  bool is_latest = false;
};

// What was removed, or the marker that was put there instead.
struct Removal {
  std::string version_id;  // as ObjectInfo::version_id
  bool is_marker = false;
};

// Delivers the content piece by piece: fills the buffer, returns the count, 0 at the end.
using ByteSource = std::function<std::size_t(char* buffer, std::size_t buffer_size)>;

struct ContentDigests {
  std::string sha256;  // lower-case hex
  std::string md5;     // lower-case hex
  std::uint64_t size = 0;
};

// Looks at the object of that name, if there is one, in the transaction that replaces or removes
// it; what it throws leaves everything as it was.
using ReplacedCheck = std::function<void(const std::optional<ObjectInfo>&)>;

// Of the objects and uploads in hand whose keys begin with "<owner>/". resource_exhausted beyond
// it.
struct Quota {
  std::string owner;
  std::uint64_t max_bytes = 0;
  std::uint64_t max_objects = 0;
};

struct PutOptions {
  std::string content_type = "application/octet-stream";
  std::map<std::string, std::string> metadata;
  // Further header fields, lower-case, that a reader gets back: content-encoding, cache-control ...
  std::map<std::string, std::string> headers;
  std::map<std::string, std::string> tags = {};
  // Looks at the whole content before it is stored; what it throws refuses the content. The rest
  // of the options is read after it.
  std::function<void(const ContentDigests&)> check;
  // Looks at the object that is about to be replaced, in the same transaction; may throw as well.
  ReplacedCheck check_replaced;
  // How much may be there afterwards; none: as much as the disk holds.
  std::optional<Quota> quota;
};

struct CopyOptions {
  std::string from_version = {};  // empty: the latest
  // Sees the source and may change what the copy gets: content type, metadata, headers, tags.
  std::function<void(ObjectInfo&)> change;
  ReplacedCheck check_replaced;
};

struct CompleteOptions {
  // Sees the content piece by piece as it is put together, then the whole object, whose headers
  // (those of the upload) it may change; may throw.
  std::function<void(std::string_view)> on_content;
  std::function<void(ObjectInfo&)> check;
  ReplacedCheck check_replaced;
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

// In the order of keys, the newest version of each first.
struct VersionListRequest {
  std::string bucket;
  std::string prefix;
  std::string delimiter;
  // Only what comes after: this key, or, where `version_marker` is given, this version of it.
  std::string key_marker;
  std::string version_marker;
  std::size_t max_keys = 1000;
};
struct VersionPage {
  std::vector<ObjectVersion> versions;
  std::vector<std::string> common_prefixes;
  // Set when there is more. The second is empty where a common prefix was the last.
  std::optional<std::string> next_key_marker;
  std::string next_version_marker;
};

struct UploadedPart {
  int number = 0;  // 1..10000
  std::string etag;
  std::uint64_t size = 0;
  base::Timestamp last_modified;
  std::map<std::string, std::string> headers = {};  // as PutOptions::headers
};

struct UploadInfo {
  std::string id;
  std::string bucket;
  std::string key;
  base::Timestamp initiated;
  std::map<std::string, std::string> headers = {};  // as PutOptions::headers
  bool is_completed = false;
};

// By key, then id.
struct UploadListRequest {
  std::string bucket;
  std::string prefix;
  // Only what comes after: this key, or, where `after_id` is given, this upload of the key.
  std::string after_key;
  std::string after_id;
  std::size_t limit = 1000;
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
  // By name; at most 10,000, as S3 answers.
  [[nodiscard]] std::vector<std::pair<std::string, base::Timestamp>> list_buckets() const;
  [[nodiscard]] Versioning versioning(const std::string& bucket) const;
  void set_versioning(const std::string& bucket, Versioning versioning);  // not `never`
  // Nothing where it was never set, and for an unknown bucket.
  [[nodiscard]] std::optional<std::string> bucket_setting(const std::string& bucket,
                                                          BucketSetting setting) const;
  // None: forgets it.
  void set_bucket_setting(const std::string& bucket, BucketSetting setting,
                          const std::optional<std::string>& value);

  ObjectInfo put(const std::string& bucket, const std::string& key, const ByteSource& source,
                 const PutOptions& options);
  // By reference to the same bytes.
  ObjectInfo copy(const std::string& from_bucket, const std::string& from_key,
                  const std::string& bucket, const std::string& key,
                  const CopyOptions& options = {});
  [[nodiscard]] std::optional<ObjectInfo> head(const std::string& bucket,
                                               const std::string& key) const;
  // An empty version is the latest. Nothing for a delete marker.
  [[nodiscard]] std::optional<OpenObject> open(const std::string& bucket, const std::string& key,
                                               const std::string& version_id = {}) const;
  // The same, delete markers too.
  [[nodiscard]] std::optional<ObjectVersion> find_version(const std::string& bucket,
                                                          const std::string& key,
                                                          const std::string& version_id = {}) const;
  // Nothing if absent, but where the bucket has versions, when a delete marker is put there.
  Removal remove(const std::string& bucket, const std::string& key,
                 const ReplacedCheck& check = {});
  // This version for good; nothing if absent.
  Removal remove_version(const std::string& bucket, const std::string& key,
                         const std::string& version_id, const ReplacedCheck& check = {});
  // Gives the version that got them; nothing where there is none.
  std::optional<ObjectInfo> set_tags(const std::string& bucket, const std::string& key,
                                     const std::string& version_id,
                                     const std::map<std::string, std::string>& tags);
  [[nodiscard]] ListPage list(const ListRequest& request) const;
  [[nodiscard]] VersionPage list_versions(const VersionListRequest& request) const;

  [[nodiscard]] std::string create_upload(const std::string& bucket, const std::string& key,
                                          const PutOptions& options);  // the upload id
  [[nodiscard]] std::optional<UploadInfo> find_upload(const std::string& upload_id) const;
  [[nodiscard]] std::vector<UploadInfo> list_uploads(const UploadListRequest& request) const;
  // `options`: check, headers and quota count.
  UploadedPart put_part(const std::string& upload_id, int number, const ByteSource& source,
                        const PutOptions& options);
  // `parts` in ascending order, with the ETags that put_part gave, each but the last of at least
  // kMinimumPartBytes; else invalid_argument. Completing it again in the same way answers again.
  ObjectInfo complete_upload(const std::string& upload_id, const std::vector<UploadedPart>& parts,
                             const CompleteOptions& options = {});
  void abort_upload(const std::string& upload_id);
  [[nodiscard]] std::vector<UploadedPart> list_parts(const std::string& upload_id) const;

  // A blob by the digest of its content, whichever object names it.
  [[nodiscard]] std::optional<base::UniqueFd> open_blob(const std::string& sha256) const;

  // Deletes blobs that nothing names. At start.
  void sweep();
  // Forgets up to `limit` uploads that were begun longer than `age` ago; answers how many.
  std::int64_t remove_old_uploads(std::chrono::hours age, std::int64_t limit);
  // Carries out the lifecycle rules of buckets (lifecycle.hpp); removes or marks up to `limit`
  // objects, versions and uploads, and answers how many.
  std::int64_t expire(std::int64_t limit);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace andon::store
