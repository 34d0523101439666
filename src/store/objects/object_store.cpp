// SPDX-License-Identifier: Apache-2.0
#include "store/objects/object_store.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "store/objects/object_schema.hpp"
#include "store/objects/object_store_implementation.hpp"

namespace andon::store {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMaxKeyBytes = 1024;

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

bool is_named(Transaction& tx, const std::string& sha256) {
  return tx
      .query_one(
          "SELECT 1 FROM object WHERE sha256 = $1 UNION ALL "
          "SELECT 1 FROM object_version WHERE sha256 = $1 UNION ALL "
          "SELECT 1 FROM object_upload_part WHERE sha256 = $1 LIMIT 1",
          {sha256})
      .has_value();
}

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

void require_bucket(Transaction& tx, const std::string& bucket) {
  if (!tx.query_one("SELECT 1 FROM object_bucket WHERE name = $1", {bucket})) {
    throw no_such_bucket(bucket);
  }
}

std::string successor(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
  if (!prefix.empty())
    prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

void check_quota(Transaction& tx, const std::string& bucket, const std::optional<Quota>& quota,
                 const Growth& growth) {
  if (!quota) return;
  const std::string prefix = quota->owner + "/";
  const auto used =
      tx.query_one("SELECT bytes, objects FROM object_usage WHERE bucket = $1 AND owner = $2",
                   {bucket, quota->owner});
  const auto in_hand = tx.query_one(
      "SELECT COUNT(DISTINCT u.id), COALESCE(SUM(p.size), 0) FROM object_upload u "
      "LEFT JOIN object_upload_part p ON p.upload = u.id WHERE u.bucket = $1 AND u.key >= $2 AND "
      "u.key < $3 AND u.completed_etag IS NULL",
      {bucket, prefix, successor(prefix)});
  const std::int64_t bytes = (used ? used->integer(0) : 0) + in_hand->integer(1) + growth.bytes;
  const std::int64_t objects = (used ? used->integer(1) : 0) + in_hand->integer(0) + growth.objects;
  if (growth.bytes > 0 && bytes > static_cast<std::int64_t>(quota->max_bytes)) {
    throw Error(ErrorCode::resource_exhausted,
                "'" + prefix + "' may have at most " + std::to_string(quota->max_bytes) +
                    " bytes in bucket '" + bucket + "', with uploads in hand; this would make " +
                    std::to_string(bytes));
  }
  if (growth.objects > 0 && objects > static_cast<std::int64_t>(quota->max_objects)) {
    throw Error(ErrorCode::resource_exhausted,
                "'" + prefix + "' may have at most " + std::to_string(quota->max_objects) +
                    " objects and uploads in bucket '" + bucket + "'");
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

ObjectStore::Implementation::Implementation(Database& database_in, base::fs::path directory,
                                            const base::Clock& clock_in)
    : database(database_in), blobs(std::move(directory)), clock(clock_in) {
  database.migrate("store", object_migrations());
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
    database.write([&](Transaction& tx) { released = record(tx, digests); });
  } catch (...) {
    collect({digests.sha256});
    throw;
  }
  collect(released);
}

void ObjectStore::Implementation::collect(const std::vector<std::string>& digests) {
  for (const std::string& sha256 : digests) {
    blobs.collect(sha256, [&] {
      return database.read([&](Transaction& tx) { return is_named(tx, sha256); });
    });
  }
}

ObjectStore::ObjectStore(Database& database, base::fs::path directory, const base::Clock& clock)
    : implementation_(std::make_unique<Implementation>(database, std::move(directory), clock)) {}

ObjectStore::~ObjectStore() = default;

void ObjectStore::create_bucket(const std::string& bucket) {
  check_bucket_name(bucket);
  implementation_->database.write([&](Transaction& tx) {
    const auto inserted = tx.execute(
        "INSERT INTO object_bucket (name, created) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        {bucket, base::to_epoch_millis(implementation_->clock.now())});
    if (inserted == 0) {
      throw Error(ErrorCode::already_exists, "there is already a bucket '" + bucket + "'");
    }
  });
}

void ObjectStore::delete_bucket(const std::string& bucket) {
  std::vector<std::string> released;
  implementation_->database.write([&](Transaction& tx) {
    require_bucket(tx, bucket);
    for (const std::string table : {"object", "object_version"}) {
      if (!tx.query_one("SELECT 1 FROM " + table + " WHERE bucket = $1 LIMIT 1", {bucket}))
        continue;
      throw Error(ErrorCode::failed_precondition,
                  "the bucket '" + bucket +
                      "' is not empty: delete its objects first, all versions of them");
    }
    for (const Row& row : tx.query("SELECT DISTINCT sha256 FROM object_upload_part WHERE upload IN "
                                   "(SELECT id FROM object_upload WHERE bucket = $1)",
                                   {bucket})) {
      released.push_back(row.text(0));
    }
    tx.execute("DELETE FROM object_upload WHERE bucket = $1", {bucket});
    tx.execute("DELETE FROM object_bucket WHERE name = $1", {bucket});
  });
  implementation_->collect(released);
}

bool ObjectStore::has_bucket(const std::string& bucket) const {
  bool has = false;
  implementation_->database.read([&](Transaction& tx) {
    has = tx.query_one("SELECT 1 FROM object_bucket WHERE name = $1", {bucket}).has_value();
  });
  return has;
}

std::vector<std::pair<std::string, base::Timestamp>> ObjectStore::list_buckets() const {
  std::vector<std::pair<std::string, base::Timestamp>> buckets;
  implementation_->database.read([&](Transaction& tx) {
    for (const Row& row :
         tx.query("SELECT name, created FROM object_bucket ORDER BY name LIMIT 10000")) {
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
  implementation_->store_content(
      source, options.check, [&](Transaction& tx, const ContentDigests& digests) {
        require_bucket(tx, bucket);
        if (options.check_replaced) options.check_replaced(find_object(tx, bucket, key));
        const auto old = replaced_by_write(tx, bucket, key);
        check_quota(tx, bucket, options.quota,
                    {.bytes = static_cast<std::int64_t>(digests.size) -
                              (old ? static_cast<std::int64_t>(old->size) : 0),
                     .objects = old ? 0 : 1});
        object.content_type = options.content_type;
        object.metadata = options.metadata;
        object.headers = options.headers;
        object.tags = options.tags;
        object.size = digests.size;
        object.sha256 = digests.sha256;
        object.etag = digests.md5;
        object.last_modified = implementation_->clock.now();
        return write_object(tx, object);
      });
  return object;
}

ObjectInfo ObjectStore::copy(const std::string& from_bucket, const std::string& from_key,
                             const std::string& bucket, const std::string& key,
                             const CopyOptions& options) {
  check_key(key);
  std::optional<ObjectInfo> object;
  std::vector<std::string> released;
  implementation_->database.write([&](Transaction& tx) {
    require_bucket(tx, from_bucket);
    require_bucket(tx, bucket);
    auto source = store::find_version(tx, from_bucket, from_key, options.from_version);
    if (source && !source->is_marker) object = std::move(source->object);
    if (!object) {
      throw Error(ErrorCode::not_found,
                  "there is no object '" + from_key + "' in bucket '" + from_bucket + "'");
    }
    if (options.change) options.change(*object);
    if (options.check_replaced) options.check_replaced(find_object(tx, bucket, key));
    object->bucket = bucket;
    object->key = key;
    object->last_modified = implementation_->clock.now();
    released = write_object(tx, *object);
  });
  implementation_->collect(released);
  return *object;
}

std::optional<ObjectInfo> ObjectStore::head(const std::string& bucket,
                                            const std::string& key) const {
  std::optional<ObjectInfo> object;
  implementation_->database.read([&](Transaction& tx) {
    object = find_object(tx, bucket, key);
    if (!object) require_bucket(tx, bucket);
  });
  return object;
}

std::optional<OpenObject> ObjectStore::open(const std::string& bucket, const std::string& key,
                                            const std::string& version_id) const {
  // Between the index and the file somebody may overwrite the object: then look again.
  constexpr int kAttempts = 5;
  std::optional<ObjectInfo> object;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (version_id.empty()) {
      object = head(bucket, key);
    } else {
      auto version = find_version(bucket, key, version_id);
      if (version && version->is_marker) return std::nullopt;
      object = version ? std::optional(std::move(version->object)) : std::nullopt;
    }
    if (!object) return std::nullopt;
    auto file = implementation_->blobs.open(object->sha256);
    if (file) return OpenObject{*std::move(object), *std::move(file)};
  }
  throw Error(ErrorCode::data_corrupted, "the content of object '" + key + "' in bucket '" +
                                             bucket + "' (sha256 " + object->sha256 +
                                             ") is gone from disk: put the object again");
}

std::optional<base::UniqueFd> ObjectStore::open_blob(const std::string& sha256) const {
  return implementation_->blobs.open(sha256);
}

void ObjectStore::sweep() {
  constexpr std::size_t kStep = 500;
  implementation_->blobs.remove_leftovers();
  const std::vector<std::string> blobs = implementation_->blobs.list();
  for (std::size_t begin = 0; begin < blobs.size(); begin += kStep) {
    std::vector<std::string> unnamed;
    implementation_->database.read([&](Transaction& tx) {
      const std::size_t end = std::min(blobs.size(), begin + kStep);
      for (std::size_t i = begin; i < end; ++i) {
        if (!is_named(tx, blobs[i])) unnamed.push_back(blobs[i]);
      }
    });
    implementation_->collect(unnamed);  // looks again, alone
  }
}

}  // namespace andon::store
