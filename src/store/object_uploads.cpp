// SPDX-License-Identifier: Apache-2.0
// The multipart half of ObjectStore: parts are blobs of their own until the upload is completed.
#include <unistd.h>

#include <cerrno>
#include <ranges>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "store/object_store_inside.hpp"
#include "trust/digest.hpp"

namespace andon::store {
namespace {

using base::Error;
using base::ErrorCode;

constexpr int kMaxPartNumber = 10'000;

struct StoredPart {
  UploadedPart part;
  std::string sha256;
};

UploadInfo read_upload(const Row& row) {
  return {.id = row.text(0),
          .bucket = row.text(1),
          .key = row.text(2),
          .initiated = base::from_epoch_millis(row.integer(3))};
}

void require_open_upload(Transaction& transaction, const std::string& upload_id) {
  if (!transaction.query_one("SELECT 1 FROM object_upload WHERE id = $1 AND completed_etag IS NULL",
                             {upload_id})) {
    throw no_such_upload(upload_id);
  }
}

std::vector<StoredPart> read_parts(Transaction& transaction, const std::string& upload_id) {
  std::vector<StoredPart> parts;
  for (const Row& row : transaction.query(
           "SELECT number, md5, size, modified, sha256 FROM object_upload_part WHERE upload = $1 "
           "ORDER BY number",
           {upload_id})) {
    parts.push_back({{.number = static_cast<int>(row.integer(0)),
                      .etag = row.text(1),
                      .size = static_cast<std::uint64_t>(row.integer(2)),
                      .last_modified = base::from_epoch_millis(row.integer(3))},
                     row.text(4)});
  }
  return parts;
}

// Those of `stored` that the client names, checked.
std::vector<StoredPart> choose_parts(const std::vector<StoredPart>& stored,
                                     const std::vector<UploadedPart>& wanted) {
  if (wanted.empty()) {
    throw Error(ErrorCode::invalid_argument, "an upload cannot be completed without parts");
  }
  std::vector<StoredPart> chosen;
  for (const UploadedPart& part : wanted) {
    if (!chosen.empty() && part.number <= chosen.back().part.number) {
      throw Error(ErrorCode::invalid_argument, "the parts of an upload must be in ascending order");
    }
    if (!chosen.empty() && chosen.back().part.size < kMinimumPartBytes) {
      throw Error(ErrorCode::invalid_argument, "part " + std::to_string(chosen.back().part.number) +
                                                   " has " +
                                                   std::to_string(chosen.back().part.size) +
                                                   " bytes: all but the last must have at least " +
                                                   std::to_string(kMinimumPartBytes));
    }
    const auto found = std::ranges::find(
        stored, part.number, [](const StoredPart& candidate) { return candidate.part.number; });
    if (found == stored.end() || found->part.etag != part.etag) {
      throw Error(ErrorCode::invalid_argument,
                  "part " + std::to_string(part.number) + " was not uploaded with that ETag");
    }
    chosen.push_back(*found);
  }
  return chosen;
}

// The MD5 of the parts' MD5s, as S3 has it.
std::string multipart_etag(const std::vector<UploadedPart>& parts) {
  trust::Md5Stream md5;
  for (const UploadedPart& part : parts) {
    const auto digest = base::from_hex(part.etag);
    if (!digest) throw Error(ErrorCode::invalid_argument, "an ETag of a part is not hexadecimal");
    md5.update(*digest);
  }
  return base::to_hex(md5.finish()) + "-" + std::to_string(parts.size());
}

// Reads the parts one after the other.
class PartsSource {
 public:
  PartsSource(const BlobDirectory& blobs, const std::vector<StoredPart>& parts)
      : blobs_(blobs), parts_(parts) {}

  std::size_t read(char* buffer, std::size_t buffer_size) {
    while (next_ <= parts_.size()) {
      if (file_) {
        const ssize_t got = ::read(file_.get(), buffer, buffer_size);
        if (got > 0) return static_cast<std::size_t>(got);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw base::system_error("cannot read a part of an upload", errno);
      }
      if (next_ == parts_.size()) return 0;
      auto file = blobs_.open(parts_[next_].sha256);
      if (!file) {
        throw Error(ErrorCode::conflict, "a part of the upload was replaced meanwhile: try again");
      }
      file_ = *std::move(file);
      ++next_;
    }
    return 0;
  }

 private:
  const BlobDirectory& blobs_;
  const std::vector<StoredPart>& parts_;
  std::size_t next_ = 0;
  base::UniqueFd file_;
};

std::vector<std::string> digests_of(const std::vector<StoredPart>& parts) {
  std::vector<std::string> digests;
  for (const StoredPart& part : parts) digests.push_back(part.sha256);
  return digests;
}

}  // namespace

Error no_such_upload(const std::string& upload_id) {
  return {ErrorCode::not_found,
          "there is no upload '" + upload_id + "': it was completed or aborted, or never begun"};
}

std::string ObjectStore::create_upload(const std::string& bucket, const std::string& key,
                                       const PutOptions& options) {
  check_key(key);
  std::string id = base::random_uuid();
  implementation_->database.write([&](Transaction& transaction) {
    require_bucket(transaction, bucket);
    transaction.execute(
        "INSERT INTO object_upload (id, bucket, key, content_type, metadata, headers, created) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)",
        {id, bucket, key, options.content_type, map_to_text(options.metadata),
         map_to_text(options.headers), base::to_epoch_millis(implementation_->clock.now())});
  });
  return id;
}

std::optional<UploadInfo> ObjectStore::find_upload(const std::string& upload_id) const {
  std::optional<UploadInfo> upload;
  implementation_->database.read([&](Transaction& transaction) {
    const auto row = transaction.query_one(
        "SELECT id, bucket, key, created FROM object_upload WHERE id = $1", {upload_id});
    if (row) upload = read_upload(*row);
  });
  return upload;
}

std::vector<UploadInfo> ObjectStore::list_uploads(const std::string& bucket,
                                                  const std::string& prefix) const {
  std::vector<UploadInfo> uploads;
  implementation_->database.read([&](Transaction& transaction) {
    require_bucket(transaction, bucket);
    for (const Row& row : transaction.query(
             "SELECT id, bucket, key, created FROM object_upload WHERE bucket = $1 AND "
             "completed_etag IS NULL AND substr(key, 1, length($2)) = $2 "
             "ORDER BY key, created, id LIMIT 1000",
             {bucket, prefix})) {
      uploads.push_back(read_upload(row));
    }
  });
  return uploads;
}

UploadedPart ObjectStore::put_part(const std::string& upload_id, int number,
                                   const ByteSource& source, const PutOptions& options) {
  if (number < 1 || number > kMaxPartNumber) {
    throw Error(ErrorCode::invalid_argument,
                "a part's number must be from 1 to " + std::to_string(kMaxPartNumber));
  }
  implementation_->database.read(
      [&](Transaction& transaction) { require_open_upload(transaction, upload_id); });
  UploadedPart part{.number = number};
  implementation_->store_content(
      source, options.check, [&](Transaction& transaction, const ContentDigests& digests) {
        require_open_upload(transaction, upload_id);
        part.etag = digests.md5;
        part.size = digests.size;
        part.last_modified = implementation_->clock.now();
        std::vector<std::string> replaced;
        const auto old = transaction.query_one(
            "SELECT sha256 FROM object_upload_part WHERE upload = $1 AND number = $2",
            {upload_id, std::int64_t{number}});
        if (old) replaced.push_back(old->text(0));
        transaction.execute(
            "INSERT INTO object_upload_part (upload, number, sha256, md5, size, modified) "
            "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (upload, number) DO UPDATE SET "
            "sha256 = $3, md5 = $4, size = $5, modified = $6",
            {upload_id, std::int64_t{number}, digests.sha256, digests.md5,
             static_cast<std::int64_t>(digests.size), base::to_epoch_millis(part.last_modified)});
        return replaced;
      });
  return part;
}

ObjectInfo ObjectStore::complete_upload(const std::string& upload_id,
                                        const std::vector<UploadedPart>& parts) {
  const std::string etag = multipart_etag(parts);
  ObjectInfo object;
  std::vector<StoredPart> stored;
  std::optional<std::string> completed_etag;
  implementation_->database.read([&](Transaction& transaction) {
    const auto row = transaction.query_one(
        "SELECT bucket, key, content_type, metadata, headers, completed_etag FROM object_upload "
        "WHERE id = $1",
        {upload_id});
    if (!row) throw no_such_upload(upload_id);
    object.bucket = row->text(0);
    object.key = row->text(1);
    object.content_type = row->text(2);
    object.metadata = map_from_text(row->text(3));
    object.headers = map_from_text(row->text(4));
    completed_etag = row->optional_text(5);
    stored = read_parts(transaction, upload_id);
  });
  if (completed_etag) {
    // The answer to the first attempt was lost on its way.
    auto made = head(object.bucket, object.key);
    if (made && made->etag == etag && *completed_etag == etag) return *std::move(made);
    throw no_such_upload(upload_id);
  }
  const std::vector<StoredPart> chosen = choose_parts(stored, parts);
  object.etag = etag;
  PartsSource content(implementation_->blobs, chosen);
  implementation_->store_content(
      [&](char* buffer, std::size_t buffer_size) { return content.read(buffer, buffer_size); }, {},
      [&](Transaction& transaction, const ContentDigests& digests) {
        require_open_upload(transaction, upload_id);
        std::vector<std::string> released = digests_of(read_parts(transaction, upload_id));
        object.size = digests.size;
        object.sha256 = digests.sha256;
        object.last_modified = implementation_->clock.now();
        for (std::string& replaced : write_object(transaction, object)) {
          released.push_back(std::move(replaced));
        }
        transaction.execute("DELETE FROM object_upload_part WHERE upload = $1", {upload_id});
        transaction.execute("UPDATE object_upload SET completed_etag = $2 WHERE id = $1",
                            {upload_id, etag});
        return released;
      });
  return object;
}

void ObjectStore::abort_upload(const std::string& upload_id) {
  std::vector<std::string> released;
  implementation_->database.write([&](Transaction& transaction) {
    require_open_upload(transaction, upload_id);
    released = digests_of(read_parts(transaction, upload_id));
    transaction.execute("DELETE FROM object_upload WHERE id = $1", {upload_id});
  });
  implementation_->collect(released);
}

std::vector<UploadedPart> ObjectStore::list_parts(const std::string& upload_id) const {
  std::vector<UploadedPart> parts;
  implementation_->database.read([&](Transaction& transaction) {
    require_open_upload(transaction, upload_id);
    for (StoredPart& stored : read_parts(transaction, upload_id)) {
      parts.push_back(std::move(stored.part));
    }
  });
  return parts;
}

}  // namespace andon::store
