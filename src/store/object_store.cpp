// SPDX-License-Identifier: Apache-2.0
#include "store/object_store.hpp"

#include <algorithm>
#include <unordered_set>

#include "base/error.hpp"
#include "base/json.hpp"
#include "store/object_store_inside.hpp"

namespace andon::store {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMaxKeyBytes = 1024;
constexpr std::size_t kListBatch = 200;

const std::vector<Migration> kMigrations = {{"objects", R"(
CREATE TABLE object_bucket (name TEXT PRIMARY KEY, created INTEGER NOT NULL);
CREATE TABLE object (
  bucket TEXT NOT NULL REFERENCES object_bucket (name),
  key TEXT NOT NULL,
  size INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  etag TEXT NOT NULL,
  content_type TEXT NOT NULL,
  metadata TEXT NOT NULL,
  headers TEXT NOT NULL,
  modified INTEGER NOT NULL,
  PRIMARY KEY (bucket, key));
CREATE INDEX object_by_sha256 ON object (sha256);
CREATE TABLE object_upload (
  id TEXT PRIMARY KEY,
  bucket TEXT NOT NULL REFERENCES object_bucket (name),
  key TEXT NOT NULL,
  content_type TEXT NOT NULL,
  metadata TEXT NOT NULL,
  headers TEXT NOT NULL,
  created INTEGER NOT NULL,
  completed_etag TEXT);
CREATE INDEX object_upload_by_key ON object_upload (bucket, key, created);
CREATE TABLE object_upload_part (
  upload TEXT NOT NULL REFERENCES object_upload (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  md5 TEXT NOT NULL,
  size INTEGER NOT NULL,
  modified INTEGER NOT NULL,
  PRIMARY KEY (upload, number));
CREATE INDEX object_upload_part_by_sha256 ON object_upload_part (sha256);
)"}};

constexpr std::string_view kObjectColumns =
    "bucket, key, size, sha256, etag, content_type, metadata, headers, modified";

ObjectInfo read_object(const Row& row) {
  return {.bucket = row.text(0),
          .key = row.text(1),
          .size = static_cast<std::uint64_t>(row.integer(2)),
          .sha256 = row.text(3),
          .etag = row.text(4),
          .content_type = row.text(5),
          .metadata = map_from_text(row.text(6)),
          .headers = map_from_text(row.text(7)),
          .last_modified = base::from_epoch_millis(row.integer(8))};
}

std::optional<ObjectInfo> find_object(Transaction& transaction, const std::string& bucket,
                                      const std::string& key) {
  const auto row = transaction.query_one(
      "SELECT " + std::string(kObjectColumns) + " FROM object WHERE bucket = $1 AND key = $2",
      {bucket, key});
  if (!row) return std::nullopt;
  return read_object(*row);
}

// S3's rules: 3 to 63 of a-z, 0-9, '.', '-'; letter or digit at both ends; no two dots in a row.
void check_bucket_name(const std::string& bucket) {
  const auto is_alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  };
  const bool valid = bucket.size() >= 3 && bucket.size() <= 63 && is_alphanumeric(bucket.front()) &&
                     is_alphanumeric(bucket.back()) && bucket.find("..") == std::string::npos &&
                     std::ranges::all_of(bucket, [&](char c) {
                       return is_alphanumeric(c) || c == '.' || c == '-';
                     });
  if (!valid) {
    throw Error(ErrorCode::invalid_argument,
                "'" + bucket +
                    "' is not a bucket name: it must be 3 to 63 characters of a-z, 0-9, '.' and "
                    "'-', with a letter or digit at both ends");
  }
}

// The smallest text that is greater than every text that starts with `prefix`; empty: none is.
std::string successor(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
  if (!prefix.empty())
    prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

// Walks the keys of one list request in order, skipping over what a common prefix stands for.
class Lister {
 public:
  Lister(Transaction& transaction, const ListRequest& request)
      : transaction_(transaction), request_(request), end_(successor(request.prefix)) {
    from_ = std::max(request.prefix, request.start_after);
    from_is_included_ = from_ != request.start_after || request.start_after.empty();
  }

  ListPage run() {
    ListPage page;
    std::size_t count = 0;
    std::string last;
    while (!at_end_) {
      bool jumped = false;
      for (const Row& row : next_batch()) {
        const std::string& key = row.text(1);
        const std::string common = common_prefix_of(key);
        if (!common.empty() && common == request_.start_after) {
          jump_over(common);
          jumped = true;
          break;
        }
        if (count == request_.max_keys) {
          if (count > 0) page.next_start_after = last;
          return page;
        }
        ++count;
        last = common.empty() ? key : common;
        if (common.empty()) {
          page.objects.push_back(read_object(row));
          from_ = key;
          from_is_included_ = false;
          continue;
        }
        page.common_prefixes.push_back(common);
        jump_over(common);
        jumped = true;
        break;
      }
      if (!jumped && was_last_batch_) at_end_ = true;
    }
    return page;
  }

 private:
  std::vector<Row> next_batch() {
    const std::size_t limit = request_.delimiter.empty() ? request_.max_keys + 1 : kListBatch;
    std::string sql = "SELECT " + std::string(kObjectColumns) +
                      " FROM object WHERE bucket = $1 AND key " + (from_is_included_ ? ">=" : ">") +
                      " $2";
    std::vector<SqlValue> values{request_.bucket, from_, static_cast<std::int64_t>(limit)};
    if (!end_.empty()) {
      sql += " AND key < $4";
      values.emplace_back(end_);
    }
    auto rows = transaction_.query(sql + " ORDER BY key LIMIT $3", values);
    was_last_batch_ = rows.size() < limit;
    return rows;
  }

  [[nodiscard]] std::string common_prefix_of(const std::string& key) const {
    if (request_.delimiter.empty()) return {};
    const std::size_t at = key.find(request_.delimiter, request_.prefix.size());
    return at == std::string::npos ? std::string() : key.substr(0, at + request_.delimiter.size());
  }

  void jump_over(const std::string& common) {
    from_ = successor(common);
    from_is_included_ = true;
    if (from_.empty()) at_end_ = true;
  }

  Transaction& transaction_;
  const ListRequest& request_;
  const std::string end_;
  std::string from_;
  bool from_is_included_ = true;
  bool was_last_batch_ = false;
  bool at_end_ = false;
};

}  // namespace

Error no_such_bucket(const std::string& bucket) {
  return {ErrorCode::not_found, "there is no bucket '" + bucket + "'"};
}

void check_key(const std::string& key) {
  if (key.empty() || key.size() > kMaxKeyBytes) {
    throw Error(ErrorCode::invalid_argument, "an object's key must have 1 to " +
                                                 std::to_string(kMaxKeyBytes) + " bytes, not " +
                                                 std::to_string(key.size()));
  }
}

void require_bucket(Transaction& transaction, const std::string& bucket) {
  if (!transaction.query_one("SELECT 1 FROM object_bucket WHERE name = $1", {bucket})) {
    throw no_such_bucket(bucket);
  }
}

std::string map_to_text(const std::map<std::string, std::string>& map) {
  base::json::object object;
  for (const auto& [name, value] : map) object[name] = value;
  return base::to_text(object);
}

std::map<std::string, std::string> map_from_text(std::string_view text) {
  std::map<std::string, std::string> map;
  if (text == "{}") return map;
  const base::json::value parsed = base::parse_json(text, "object metadata");
  for (const auto& [name, value] : parsed.as_object()) {
    map.emplace(name, value.as_string());
  }
  return map;
}

std::vector<std::string> write_object(Transaction& transaction, const ObjectInfo& object) {
  std::vector<std::string> replaced;
  const auto old = transaction.query_one("SELECT sha256 FROM object WHERE bucket = $1 AND key = $2",
                                         {object.bucket, object.key});
  if (old && old->text(0) != object.sha256) replaced.push_back(old->text(0));
  transaction.execute(
      "INSERT INTO object (" + std::string(kObjectColumns) +
          ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (bucket, key) DO UPDATE SET "
          "size = $3, sha256 = $4, etag = $5, content_type = $6, metadata = $7, headers = $8, "
          "modified = $9",
      {object.bucket, object.key, static_cast<std::int64_t>(object.size), object.sha256,
       object.etag, object.content_type, map_to_text(object.metadata), map_to_text(object.headers),
       base::to_epoch_millis(object.last_modified)});
  return replaced;
}

ObjectStore::Implementation::Implementation(Database& database_in, base::fs::path directory,
                                            const base::Clock& clock_in)
    : database(database_in), blobs(std::move(directory)), clock(clock_in) {
  database.migrate("store", kMigrations);
}

void ObjectStore::Implementation::store_content(
    const ByteSource& source, const std::function<void(const ContentDigests&)>& check,
    const Record& record) {
  BlobDirectory::Staged staged = blobs.stage(source);
  const ContentDigests digests = staged.digests();
  if (check) check(digests);
  std::vector<std::string> released;
  try {
    const BlobDirectory::Lease lease(blobs, digests.sha256);
    blobs.keep(std::move(staged));
    database.write([&](Transaction& transaction) { released = record(transaction, digests); });
  } catch (...) {
    collect({digests.sha256});
    throw;
  }
  collect(released);
}

void ObjectStore::Implementation::collect(const std::vector<std::string>& digests) {
  for (const std::string& sha256 : digests) {
    blobs.collect(sha256, [&] {
      bool is_named = false;
      database.read([&](Transaction& transaction) {
        is_named = transaction
                       .query_one(
                           "SELECT 1 FROM object WHERE sha256 = $1 UNION ALL "
                           "SELECT 1 FROM object_upload_part WHERE sha256 = $1 LIMIT 1",
                           {sha256})
                       .has_value();
      });
      return is_named;
    });
  }
}

ObjectStore::ObjectStore(Database& database, base::fs::path directory, const base::Clock& clock)
    : implementation_(std::make_unique<Implementation>(database, std::move(directory), clock)) {}

ObjectStore::~ObjectStore() = default;

void ObjectStore::create_bucket(const std::string& bucket) {
  check_bucket_name(bucket);
  implementation_->database.write([&](Transaction& transaction) {
    const auto inserted = transaction.execute(
        "INSERT INTO object_bucket (name, created) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        {bucket, base::to_epoch_millis(implementation_->clock.now())});
    if (inserted == 0) {
      throw Error(ErrorCode::already_exists, "there is already a bucket '" + bucket + "'");
    }
  });
}

void ObjectStore::delete_bucket(const std::string& bucket) {
  std::vector<std::string> released;
  implementation_->database.write([&](Transaction& transaction) {
    require_bucket(transaction, bucket);
    if (transaction.query_one("SELECT 1 FROM object WHERE bucket = $1 LIMIT 1", {bucket})) {
      throw Error(ErrorCode::failed_precondition,
                  "the bucket '" + bucket + "' is not empty: delete its objects first");
    }
    for (const Row& row :
         transaction.query("SELECT DISTINCT sha256 FROM object_upload_part WHERE upload IN "
                           "(SELECT id FROM object_upload WHERE bucket = $1)",
                           {bucket})) {
      released.push_back(row.text(0));
    }
    transaction.execute("DELETE FROM object_upload WHERE bucket = $1", {bucket});
    transaction.execute("DELETE FROM object_bucket WHERE name = $1", {bucket});
  });
  implementation_->collect(released);
}

bool ObjectStore::has_bucket(const std::string& bucket) const {
  bool has = false;
  implementation_->database.read([&](Transaction& transaction) {
    has =
        transaction.query_one("SELECT 1 FROM object_bucket WHERE name = $1", {bucket}).has_value();
  });
  return has;
}

std::vector<std::pair<std::string, base::Timestamp>> ObjectStore::list_buckets() const {
  std::vector<std::pair<std::string, base::Timestamp>> buckets;
  implementation_->database.read([&](Transaction& transaction) {
    for (const Row& row :
         transaction.query("SELECT name, created FROM object_bucket ORDER BY name")) {
      buckets.emplace_back(row.text(0), base::from_epoch_millis(row.integer(1)));
    }
  });
  return buckets;
}

ObjectInfo ObjectStore::put(const std::string& bucket, const std::string& key,
                            const ByteSource& source, const PutOptions& options) {
  check_key(key);
  if (!has_bucket(bucket)) throw no_such_bucket(bucket);
  ObjectInfo object{.bucket = bucket, .key = key};
  implementation_->store_content(source, options.check,
                                 [&](Transaction& transaction, const ContentDigests& digests) {
                                   require_bucket(transaction, bucket);
                                   if (options.check_replaced)
                                     options.check_replaced(find_object(transaction, bucket, key));
                                   object.content_type = options.content_type;
                                   object.metadata = options.metadata;
                                   object.headers = options.headers;
                                   object.size = digests.size;
                                   object.sha256 = digests.sha256;
                                   object.etag = digests.md5;
                                   object.last_modified = implementation_->clock.now();
                                   return write_object(transaction, object);
                                 });
  return object;
}

ObjectInfo ObjectStore::copy(const std::string& from_bucket, const std::string& from_key,
                             const std::string& bucket, const std::string& key,
                             const std::optional<PutOptions>& replaced) {
  check_key(key);
  std::optional<ObjectInfo> object;
  std::vector<std::string> released;
  implementation_->database.write([&](Transaction& transaction) {
    require_bucket(transaction, from_bucket);
    require_bucket(transaction, bucket);
    object = find_object(transaction, from_bucket, from_key);
    if (!object) {
      throw Error(ErrorCode::not_found,
                  "there is no object '" + from_key + "' in bucket '" + from_bucket + "'");
    }
    object->bucket = bucket;
    object->key = key;
    object->last_modified = implementation_->clock.now();
    if (replaced) {
      object->content_type = replaced->content_type;
      object->metadata = replaced->metadata;
      object->headers = replaced->headers;
    }
    released = write_object(transaction, *object);
  });
  implementation_->collect(released);
  return *object;
}

std::optional<ObjectInfo> ObjectStore::head(const std::string& bucket,
                                            const std::string& key) const {
  std::optional<ObjectInfo> object;
  implementation_->database.read([&](Transaction& transaction) {
    object = find_object(transaction, bucket, key);
    if (!object) require_bucket(transaction, bucket);
  });
  return object;
}

std::optional<OpenObject> ObjectStore::open(const std::string& bucket,
                                            const std::string& key) const {
  // Between the index and the file somebody may overwrite the object: then look again.
  constexpr int kAttempts = 5;
  std::optional<ObjectInfo> object;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    object = head(bucket, key);
    if (!object) return std::nullopt;
    auto file = implementation_->blobs.open(object->sha256);
    if (file) return OpenObject{*std::move(object), *std::move(file)};
  }
  throw Error(ErrorCode::data_corrupted, "the content of object '" + key + "' in bucket '" +
                                             bucket + "' (sha256 " + object->sha256 +
                                             ") is gone from disk: put the object again");
}

void ObjectStore::remove(const std::string& bucket, const std::string& key) {
  std::vector<std::string> released;
  implementation_->database.write([&](Transaction& transaction) {
    const auto object = find_object(transaction, bucket, key);
    if (!object) {
      require_bucket(transaction, bucket);
      return;
    }
    released.push_back(object->sha256);
    transaction.execute("DELETE FROM object WHERE bucket = $1 AND key = $2", {bucket, key});
  });
  implementation_->collect(released);
}

ListPage ObjectStore::list(const ListRequest& request) const {
  ListPage page;
  implementation_->database.read([&](Transaction& transaction) {
    require_bucket(transaction, request.bucket);
    if (request.max_keys > 0) page = Lister(transaction, request).run();
  });
  return page;
}

std::optional<base::UniqueFd> ObjectStore::open_blob(const std::string& sha256) const {
  return implementation_->blobs.open(sha256);
}

void ObjectStore::sweep(std::chrono::hours upload_age) {
  implementation_->blobs.remove_leftovers();
  std::unordered_set<std::string> named;
  const auto oldest = base::to_epoch_millis(implementation_->clock.now() - upload_age);
  implementation_->database.write([&](Transaction& transaction) {
    transaction.execute("DELETE FROM object_upload WHERE created < $1", {oldest});
    for (const Row& row : transaction.query(
             "SELECT sha256 FROM object UNION SELECT sha256 FROM object_upload_part")) {
      named.insert(row.text(0));
    }
  });
  for (const std::string& sha256 : implementation_->blobs.list()) {
    if (!named.contains(sha256)) implementation_->collect({sha256});
  }
}

}  // namespace andon::store
