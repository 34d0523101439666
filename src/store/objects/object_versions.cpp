// SPDX-License-Identifier: Apache-2.0
// The versions of an object: what a write puts on top, what a removal leaves, and what is shown of
// them. Every change of `object` and `object_version` is made here.
#include <fmt/format.h>

#include <utility>

#include "base/error/error.hpp"
#include "base/text/id.hpp"
#include "store/objects/object_store.hpp"
#include "store/objects/object_store_implementation.hpp"

namespace andon::store {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kAlphabet = "0123456789abcdefghijklmnopqrstuvwxyz";
constexpr std::size_t kRandomLength = 20;
constexpr std::size_t kColumns = 12;  // of object_columns()

Versioning versioning_of(Transaction& tx, const std::string& bucket) {
  const auto row = tx.query_one("SELECT versioning FROM object_bucket WHERE name = $1", {bucket});
  return row ? read_versioning(row->text(0)) : Versioning::never;
}

// As a client is shown it.
std::string shown_id(Versioning versioning, std::string stored) {
  return versioning == Versioning::never ? std::string() : std::move(stored);
}

// Begins with the version's place among those of its key, so that the lists of versions go on from
// one that was removed meanwhile.
std::string make_version_id(std::int64_t sequence) {
  return fmt::format("{:012x}{}", sequence, base::random_text(kRandomLength, kAlphabet));
}

std::int64_t next_sequence(Transaction& tx, const std::string& bucket, const std::string& key) {
  const auto row = tx.query_one(
      "SELECT MAX(COALESCE((SELECT sequence FROM object WHERE bucket = $1 AND key = $2), 0), "
      "COALESCE((SELECT MAX(sequence) FROM object_version WHERE bucket = $1 AND key = $2), 0)) + 1",
      {bucket, key});
  return row->integer(0);
}

void drop_current(Transaction& tx, const ObjectInfo& object, std::vector<std::string>& released) {
  released.push_back(object.sha256);
  tx.execute("DELETE FROM object WHERE bucket = $1 AND key = $2", {object.bucket, object.key});
}

// The null version, wherever it is.
void drop_null(Transaction& tx, const std::string& bucket, const std::string& key,
               std::vector<std::string>& released) {
  const auto old = find_version(tx, bucket, key, std::string(kNullVersion));
  if (!old) return;
  if (!old->is_marker) released.push_back(old->object.sha256);
  const std::vector<SqlValue> names{bucket, key, std::string(kNullVersion)};
  tx.execute("DELETE FROM object WHERE bucket = $1 AND key = $2 AND version = $3", names);
  tx.execute("DELETE FROM object_version WHERE bucket = $1 AND key = $2 AND version = $3", names);
}

// What is the latest now is not any more.
void make_room(Transaction& tx, const std::string& bucket, const std::string& key,
               base::Timestamp now) {
  const std::vector<SqlValue> values{bucket, key, base::to_epoch_millis(now)};
  tx.execute(
      "UPDATE object_version SET noncurrent = $3 WHERE bucket = $1 AND key = $2 AND noncurrent IS "
      "NULL",
      values);
  tx.execute(fmt::format("INSERT INTO object_version ({0}, is_marker, noncurrent) SELECT {0}, 0, "
                         "$3 FROM object WHERE bucket = $1 AND key = $2",
                         object_columns()),
             values);
  tx.execute("DELETE FROM object WHERE bucket = $1 AND key = $2", {bucket, key});
}

// After the latest was removed: the one below it is the latest again.
void promote(Transaction& tx, const std::string& bucket, const std::string& key) {
  const auto below = tx.query_one(
      "SELECT sequence, is_marker FROM object_version WHERE bucket = $1 AND key = $2 "
      "ORDER BY sequence DESC LIMIT 1",
      {bucket, key});
  if (!below) return;
  const std::vector<SqlValue> place{bucket, key, below->integer(0)};
  constexpr std::string_view kThis = "WHERE bucket = $1 AND key = $2 AND sequence = $3";
  if (below->integer(1) != 0) {
    tx.execute(fmt::format("UPDATE object_version SET noncurrent = NULL {}", kThis), place);
    return;
  }
  tx.execute(fmt::format("INSERT INTO object ({0}) SELECT {0} FROM object_version {1}",
                         object_columns(), kThis),
             place);
  tx.execute(fmt::format("DELETE FROM object_version {}", kThis), place);
}

void insert_current(Transaction& tx, const ObjectInfo& object, const std::string& version,
                    std::int64_t sequence) {
  tx.execute(
      fmt::format("INSERT INTO object ({}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, "
                  "$12) ON CONFLICT (bucket, key) DO UPDATE SET size = $3, sha256 = $4, etag = $5, "
                  "content_type = $6, metadata = $7, headers = $8, modified = $9, tags = $10",
                  object_columns()),
      {object.bucket, object.key, static_cast<std::int64_t>(object.size), object.sha256,
       object.etag, object.content_type, map_to_text(object.metadata), map_to_text(object.headers),
       base::to_epoch_millis(object.last_modified), map_to_text(object.tags), version, sequence});
}

}  // namespace

std::string_view object_columns() {
  return "bucket, key, size, sha256, etag, content_type, metadata, headers, modified, tags, "
         "version, sequence";
}

ObjectInfo read_object(const Row& row) {
  return {.bucket = row.text(0),
          .key = row.text(1),
          .size = static_cast<std::uint64_t>(row.integer(2)),
          .sha256 = row.text(3),
          .etag = row.text(4),
          .content_type = row.text(5),
          .metadata = map_from_text(row.text(6)),
          .headers = map_from_text(row.text(7)),
          .last_modified = base::from_epoch_millis(row.integer(8)),
          .tags = map_from_text(row.text(9)),
          .version_id = row.text(10)};
}

Versioning read_versioning(std::string_view text) {
  if (text.empty()) return Versioning::never;
  return text == "enabled" ? Versioning::enabled : Versioning::suspended;
}

std::optional<ObjectInfo> find_object(Transaction& tx, const std::string& bucket,
                                      const std::string& key) {
  const auto row = tx.query_one(
      fmt::format("SELECT {}, (SELECT versioning FROM object_bucket WHERE name = $1) FROM object "
                  "WHERE bucket = $1 AND key = $2",
                  object_columns()),
      {bucket, key});
  if (!row) return std::nullopt;
  ObjectInfo object = read_object(*row);
  object.version_id = shown_id(read_versioning(row->text(kColumns)), std::move(object.version_id));
  return object;
}

std::optional<ObjectVersion> find_version(Transaction& tx, const std::string& bucket,
                                          const std::string& key, const std::string& version_id) {
  auto current = find_object(tx, bucket, key);
  // In a bucket without versions the one that there is has no id to show.
  const bool is_wanted =
      current && (version_id.empty() ||
                  version_id == (current->version_id.empty() ? kNullVersion : current->version_id));
  if (is_wanted) return ObjectVersion{.object = *std::move(current), .is_latest = true};
  if (current && version_id.empty()) return std::nullopt;
  std::string sql = fmt::format(
      "SELECT {}, is_marker, noncurrent FROM object_version WHERE bucket = $1 AND key = $2 AND ",
      object_columns());
  std::vector<SqlValue> values{bucket, key};
  if (version_id.empty()) {
    sql += "noncurrent IS NULL";
  } else {
    sql += "version = $3";
    values.emplace_back(version_id);
  }
  const auto row = tx.query_one(sql, values);
  if (!row) return std::nullopt;
  return ObjectVersion{.object = read_object(*row),
                       .is_marker = row->integer(kColumns) != 0,
                       .is_latest = row->is_null(kColumns + 1)};
}

std::optional<ObjectInfo> replaced_by_write(Transaction& tx, const std::string& bucket,
                                            const std::string& key) {
  switch (versioning_of(tx, bucket)) {
    case Versioning::never:
      return find_object(tx, bucket, key);
    case Versioning::enabled:
      return std::nullopt;
    case Versioning::suspended:
      break;
  }
  auto null_version = find_version(tx, bucket, key, std::string(kNullVersion));
  if (!null_version) return std::nullopt;
  return std::move(null_version->object);
}

std::vector<std::string> write_object(Transaction& tx, ObjectInfo& object) {
  std::vector<std::string> released;
  const Versioning versioning = versioning_of(tx, object.bucket);
  if (versioning == Versioning::never) {
    const auto old = find_object(tx, object.bucket, object.key);
    if (old && old->sha256 != object.sha256) released.push_back(old->sha256);
    object.version_id.clear();
    insert_current(tx, object, std::string(kNullVersion), 0);
    return released;
  }
  const std::int64_t sequence = next_sequence(tx, object.bucket, object.key);
  if (versioning == Versioning::suspended) drop_null(tx, object.bucket, object.key, released);
  make_room(tx, object.bucket, object.key, object.last_modified);
  object.version_id =
      versioning == Versioning::enabled ? make_version_id(sequence) : std::string(kNullVersion);
  insert_current(tx, object, object.version_id, sequence);
  return released;
}

Removal remove_object(Transaction& tx, const std::string& bucket, const std::string& key,
                      base::Timestamp now, std::vector<std::string>& released) {
  const Versioning versioning = versioning_of(tx, bucket);
  if (versioning == Versioning::never) {
    if (const auto object = find_object(tx, bucket, key)) drop_current(tx, *object, released);
    return {};
  }
  const std::int64_t sequence = next_sequence(tx, bucket, key);
  if (versioning == Versioning::suspended) drop_null(tx, bucket, key, released);
  make_room(tx, bucket, key, now);
  Removal removal{.version_id = versioning == Versioning::enabled ? make_version_id(sequence)
                                                                  : std::string(kNullVersion),
                  .is_marker = true};
  tx.execute(
      fmt::format("INSERT INTO object_version ({}, is_marker, noncurrent) VALUES ($1, $2, 0, '', "
                  "'', '', '{{}}', '{{}}', $3, '{{}}', $4, $5, 1, NULL)",
                  object_columns()),
      {bucket, key, base::to_epoch_millis(now), removal.version_id, sequence});
  return removal;
}

void remove_version(Transaction& tx, const ObjectVersion& version,
                    std::vector<std::string>& released) {
  const ObjectInfo& object = version.object;
  if (version.is_latest && !version.is_marker) {
    drop_current(tx, object, released);
  } else {
    if (!version.is_marker) released.push_back(object.sha256);
    tx.execute("DELETE FROM object_version WHERE bucket = $1 AND key = $2 AND version = $3",
               {object.bucket, object.key, object.version_id});
  }
  if (version.is_latest) promote(tx, object.bucket, object.key);
}

Versioning ObjectStore::versioning(const std::string& bucket) const {
  return implementation_->database.read([&](Transaction& tx) {
    require_bucket(tx, bucket);
    return versioning_of(tx, bucket);
  });
}

void ObjectStore::set_versioning(const std::string& bucket, Versioning versioning) {
  if (versioning == Versioning::never) {
    throw Error(ErrorCode::invalid_argument,
                "the versions of a bucket can be suspended, not switched off");
  }
  implementation_->database.write([&](Transaction& tx) {
    require_bucket(tx, bucket);
    tx.execute("UPDATE object_bucket SET versioning = $2 WHERE name = $1",
               {bucket, std::string(versioning == Versioning::enabled ? "enabled" : "suspended")});
  });
}

std::optional<ObjectVersion> ObjectStore::find_version(const std::string& bucket,
                                                       const std::string& key,
                                                       const std::string& version_id) const {
  return implementation_->database.read([&](Transaction& tx) {
    auto version = store::find_version(tx, bucket, key, version_id);
    if (!version) require_bucket(tx, bucket);
    return version;
  });
}

Removal ObjectStore::remove(const std::string& bucket, const std::string& key,
                            const ReplacedCheck& check) {
  check_key(key);
  std::vector<std::string> released;
  const Removal removal = implementation_->database.write([&](Transaction& tx) {
    require_bucket(tx, bucket);
    if (check) check(find_object(tx, bucket, key));
    return remove_object(tx, bucket, key, implementation_->clock.now(), released);
  });
  implementation_->collect(released);
  return removal;
}

Removal ObjectStore::remove_version(const std::string& bucket, const std::string& key,
                                    const std::string& version_id, const ReplacedCheck& check) {
  std::vector<std::string> released;
  const Removal removal = implementation_->database.write([&](Transaction& tx) -> Removal {
    require_bucket(tx, bucket);
    const auto version = store::find_version(tx, bucket, key, version_id);
    const bool has_content = version && !version->is_marker;
    if (check) check(has_content ? std::optional(version->object) : std::nullopt);
    if (!version) return {.version_id = version_id};
    store::remove_version(tx, *version, released);
    return {.version_id = version->object.version_id, .is_marker = version->is_marker};
  });
  implementation_->collect(released);
  return removal;
}

std::optional<ObjectInfo> ObjectStore::set_tags(const std::string& bucket, const std::string& key,
                                                const std::string& version_id,
                                                const std::map<std::string, std::string>& tags) {
  return implementation_->database.write([&](Transaction& tx) -> std::optional<ObjectInfo> {
    require_bucket(tx, bucket);
    auto version = store::find_version(tx, bucket, key, version_id);
    if (!version || version->is_marker) return std::nullopt;
    ObjectInfo& object = version->object;
    const std::string table = version->is_latest ? "object" : "object_version";
    tx.execute(
        "UPDATE " + table + " SET tags = $4 WHERE bucket = $1 AND key = $2 AND version = $3",
        {bucket, key, object.version_id.empty() ? std::string(kNullVersion) : object.version_id,
         map_to_text(tags)});
    object.tags = tags;
    return std::move(object);
  });
}

}  // namespace andon::store
