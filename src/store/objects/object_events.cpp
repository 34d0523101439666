// SPDX-License-Identifier: Apache-2.0
#include "store/objects/object_events.hpp"

namespace andon::store {
namespace {

constexpr std::string_view kTables = R"sql(
CREATE TABLE object_changes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  bucket TEXT NOT NULL,
  key TEXT NOT NULL,
  is_created BIGINT NOT NULL,
  size BIGINT NOT NULL,
  etag TEXT NOT NULL,
  at_ms BIGINT NOT NULL
);
CREATE TRIGGER object_changes_made AFTER INSERT ON object
WHEN EXISTS (SELECT 1 FROM object_bucket_setting WHERE bucket = NEW.bucket AND name =
  'notification' AND value = 'EventBridgeConfiguration') BEGIN
  INSERT INTO object_changes (bucket, key, is_created, size, etag, at_ms)
    VALUES (NEW.bucket, NEW.key, 1, NEW.size, NEW.etag, NEW.modified);
END;
CREATE TRIGGER object_changes_replaced AFTER UPDATE ON object
WHEN (NEW.modified <> OLD.modified OR NEW.etag <> OLD.etag) AND EXISTS (SELECT 1 FROM object_bucket_setting WHERE bucket = NEW.bucket AND name =
  'notification' AND value = 'EventBridgeConfiguration') BEGIN
  INSERT INTO object_changes (bucket, key, is_created, size, etag, at_ms)
    VALUES (NEW.bucket, NEW.key, 1, NEW.size, NEW.etag, NEW.modified);
END;
CREATE TRIGGER object_changes_removed AFTER DELETE ON object
WHEN EXISTS (SELECT 1 FROM object_bucket_setting WHERE bucket = OLD.bucket AND name =
  'notification' AND value = 'EventBridgeConfiguration') BEGIN
  INSERT INTO object_changes (bucket, key, is_created, size, etag, at_ms)
    VALUES (OLD.bucket, OLD.key, 0, OLD.size, OLD.etag,
            CAST(strftime('%s', 'now') AS INTEGER) * 1000);
END;
)sql";

}  // namespace

void migrate_object_events(Database& database) {
  database.migrate("object events", {{"changes", kTables}});
}

std::vector<ObjectChange> object_changes(const Database& database, std::int64_t after,
                                         std::size_t limit) {
  return database.read([&](Transaction& tx) {
    std::vector<ObjectChange> all;
    for (const Row& row : tx.query("SELECT id, bucket, key, is_created, size, etag, at_ms FROM "
                                   "object_changes WHERE id > $1 ORDER BY id LIMIT $2",
                                   {after, static_cast<std::int64_t>(limit)})) {
      all.push_back({row.integer(0), row.text(1), row.text(2), row.integer(3) != 0, row.integer(4),
                     row.text(5), base::from_epoch_millis(row.integer(6))});
    }
    return all;
  });
}

void forget_object_changes(Database& database, std::int64_t up_to) {
  database.write(
      [&](Transaction& tx) { tx.execute("DELETE FROM object_changes WHERE id <= $1", {up_to}); });
}

}  // namespace andon::store
