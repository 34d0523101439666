// SPDX-License-Identifier: Apache-2.0
// The multipart half of ObjectStore: parts are blobs of their own until the upload is completed.
#include <unistd.h>

#include <cerrno>
#include <ranges>

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "base/text/id.hpp"
#include "store/objects/object_store_implementation.hpp"
#include "trust/digests/digest.hpp"

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
          .initiated = base::from_epoch_millis(row.integer(3)),
          .headers = map_from_text(row.text(4)),
          .is_completed = row.optional_text(5).has_value()};
}

void require_open_upload(Transaction& tx, const std::string& upload_id) {
  if (!tx.query_one("SELECT 1 FROM object_upload WHERE id = $1 AND completed_etag IS NULL",
                    {upload_id})) {
    throw no_such_upload(upload_id);
  }
}

std::vector<StoredPart> read_parts(Transaction& tx, const std::string& upload_id) {
  std::vector<StoredPart> parts;
  for (const Row& row :
       tx.query("SELECT number, md5, size, modified, sha256, headers FROM object_upload_part "
                "WHERE upload = $1 ORDER BY number",
                {upload_id})) {
    parts.push_back({{.number = static_cast<int>(row.integer(0)),
                      .etag = row.text(1),
                      .size = static_cast<std::uint64_t>(row.integer(2)),
                      .last_modified = base::from_epoch_millis(row.integer(3)),
                      .headers = map_from_text(row.text(5))},
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
  implementation_->database.write([&](Transaction& tx) {
    require_bucket(tx, bucket);
    check_quota(tx, bucket, options.quota, {.objects = 1});
    tx.execute(
        "INSERT INTO object_upload (id, bucket, key, content_type, metadata, headers, created, "
        "tags) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        {id, bucket, key, options.content_type, map_to_text(options.metadata),
         map_to_text(options.headers), base::to_epoch_millis(implementation_->clock.now()),
         map_to_text(options.tags)});
  });
  return id;
}

std::optional<UploadInfo> ObjectStore::find_upload(const std::string& upload_id) const {
  std::optional<UploadInfo> upload;
  implementation_->database.read([&](Transaction& tx) {
    const auto row = tx.query_one(
        "SELECT id, bucket, key, created, headers, completed_etag FROM object_upload WHERE id = $1",
        {upload_id});
    if (row) upload = read_upload(*row);
  });
  return upload;
}

std::vector<UploadInfo> ObjectStore::list_uploads(const UploadListRequest& request) const {
  std::vector<UploadInfo> uploads;
  implementation_->database.read([&](Transaction& tx) {
    require_bucket(tx, request.bucket);
    std::string sql =
        "SELECT id, bucket, key, created, headers, completed_etag FROM object_upload WHERE bucket "
        "= $1 AND "
        "completed_etag IS NULL AND key >= $2 AND ";
    std::vector<SqlValue> values{request.bucket, request.prefix,
                                 static_cast<std::int64_t>(request.limit), request.after_key,
                                 request.after_id};
    sql +=
        request.after_id.empty() ? "key > $4 AND $5 = ''" : "key >= $4 AND (key > $4 OR id > $5)";
    if (std::string end = successor(request.prefix); !end.empty()) {
      sql += " AND key < $6";
      values.emplace_back(std::move(end));
    }
    for (const Row& row : tx.query(sql + " ORDER BY key, id LIMIT $3", values)) {
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
  std::string bucket;
  implementation_->database.read([&](Transaction& tx) {
    require_open_upload(tx, upload_id);
    bucket = tx.query_one("SELECT bucket FROM object_upload WHERE id = $1", {upload_id})->text(0);
  });
  UploadedPart part{.number = number};
  implementation_->store_content(
      source, options.check, [&](Transaction& tx, const ContentDigests& digests) {
        require_open_upload(tx, upload_id);
        part.etag = digests.md5;
        part.size = digests.size;
        part.last_modified = implementation_->clock.now();
        part.headers = options.headers;
        std::vector<std::string> replaced;
        const auto old = tx.query_one(
            "SELECT sha256, size FROM object_upload_part WHERE upload = $1 AND number = $2",
            {upload_id, std::int64_t{number}});
        if (old) replaced.push_back(old->text(0));
        const auto size = static_cast<std::int64_t>(digests.size);
        check_quota(tx, bucket, options.quota, {.bytes = size - (old ? old->integer(1) : 0)});
        tx.execute(
            "INSERT INTO object_upload_part (upload, number, sha256, md5, size, modified, headers) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (upload, number) DO UPDATE SET "
            "sha256 = $3, md5 = $4, size = $5, modified = $6, headers = $7",
            {upload_id, std::int64_t{number}, digests.sha256, digests.md5, size,
             base::to_epoch_millis(part.last_modified), map_to_text(part.headers)});
        return replaced;
      });
  return part;
}

ObjectInfo ObjectStore::complete_upload(const std::string& upload_id,
                                        const std::vector<UploadedPart>& parts,
                                        const CompleteOptions& options) {
  const std::string etag = multipart_etag(parts);
  ObjectInfo object;
  std::vector<StoredPart> stored;
  std::optional<std::string> completed_etag;
  implementation_->database.read([&](Transaction& tx) {
    const auto row = tx.query_one(
        "SELECT bucket, key, content_type, metadata, headers, completed_etag, tags FROM "
        "object_upload "
        "WHERE id = $1",
        {upload_id});
    if (!row) throw no_such_upload(upload_id);
    object.bucket = row->text(0);
    object.key = row->text(1);
    object.content_type = row->text(2);
    object.metadata = map_from_text(row->text(3));
    object.headers = map_from_text(row->text(4));
    completed_etag = row->optional_text(5);
    object.tags = map_from_text(row->text(6));
    stored = read_parts(tx, upload_id);
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
      [&](char* buffer, std::size_t buffer_size) {
        const std::size_t count = content.read(buffer, buffer_size);
        if (options.on_content && count > 0) options.on_content({buffer, count});
        return count;
      },
      [&](const ContentDigests& digests) {
        object.size = digests.size;
        object.sha256 = digests.sha256;
        if (options.check) options.check(object);
      },
      [&](Transaction& tx, const ContentDigests&) {
        require_open_upload(tx, upload_id);
        if (options.check_replaced) {
          options.check_replaced(find_object(tx, object.bucket, object.key));
        }
        std::vector<std::string> released = digests_of(read_parts(tx, upload_id));
        object.last_modified = implementation_->clock.now();
        for (std::string& replaced : write_object(tx, object)) {
          released.push_back(std::move(replaced));
        }
        tx.execute("DELETE FROM object_upload_part WHERE upload = $1", {upload_id});
        tx.execute("UPDATE object_upload SET completed_etag = $2 WHERE id = $1", {upload_id, etag});
        return released;
      });
  return object;
}

void ObjectStore::abort_upload(const std::string& upload_id) {
  std::vector<std::string> released;
  implementation_->database.write([&](Transaction& tx) {
    require_open_upload(tx, upload_id);
    released = digests_of(read_parts(tx, upload_id));
    tx.execute("DELETE FROM object_upload WHERE id = $1", {upload_id});
  });
  implementation_->collect(released);
}

std::int64_t ObjectStore::remove_old_uploads(std::chrono::hours age, std::int64_t limit) {
  const auto oldest = base::to_epoch_millis(implementation_->clock.now() - age);
  std::vector<std::string> released;
  std::int64_t removed = 0;
  implementation_->database.write([&](Transaction& tx) {
    for (const Row& row :
         tx.query("SELECT id FROM object_upload WHERE created < $1 LIMIT $2", {oldest, limit})) {
      for (std::string& sha256 : digests_of(read_parts(tx, row.text(0)))) {
        released.push_back(std::move(sha256));
      }
      removed += tx.execute("DELETE FROM object_upload WHERE id = $1", {row.text(0)});
    }
  });
  implementation_->collect(released);
  return removed;
}

std::vector<UploadedPart> ObjectStore::list_parts(const std::string& upload_id) const {
  std::vector<UploadedPart> parts;
  implementation_->database.read([&](Transaction& tx) {
    require_open_upload(tx, upload_id);
    for (StoredPart& stored : read_parts(tx, upload_id)) {
      parts.push_back(std::move(stored.part));
    }
  });
  return parts;
}

}  // namespace andon::store
