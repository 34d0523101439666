// SPDX-License-Identifier: Apache-2.0
// Carries out the lifecycle of buckets, some rows a transaction: what is due is looked up while
// others write, and removed after a second look.
#include <fmt/format.h>

#include "store/objects/lifecycle.hpp"
#include "store/objects/object_store.hpp"
#include "store/objects/object_store_implementation.hpp"

namespace andon::store {
namespace {

// The rows of `table` that a rule is about: an SQL condition with its values.
class Due {
 public:
  Due(std::string table, const std::string& bucket) : table_(std::move(table)) {
    add("bucket = {}", bucket);
  }

  // `condition` has one {} for the value.
  Due& add(std::string_view condition, SqlValue value) {
    values_.push_back(std::move(value));
    if (!where_.empty()) where_ += " AND ";
    where_ += fmt::format(fmt::runtime(condition), "$" + std::to_string(values_.size()));
    return *this;
  }
  Due& add(std::string_view condition) {
    where_.append(" AND ").append(condition);
    return *this;
  }
  Due& prefix(const std::string& prefix) {
    if (prefix.empty()) return *this;
    add("key >= {}", prefix);
    if (std::string end = successor(prefix); !end.empty()) add("key < {}", std::move(end));
    return *this;
  }
  Due& filter(const LifecycleRule& rule) {
    prefix(rule.prefix);
    if (rule.size_greater_than) add("size > {}", *rule.size_greater_than);
    if (rule.size_less_than) add("size < {}", *rule.size_less_than);
    for (const auto& [key, value] : rule.tags) {
      // By its key and value in the JSON text, as this store writes it.
      values_.emplace_back(key);
      values_.emplace_back(value);
      where_ += fmt::format(
          " AND EXISTS (SELECT 1 FROM json_each({}.tags) AS tag WHERE tag.key = ${} AND tag.value "
          "= ${})",
          table_, values_.size() - 1, values_.size());
    }
    return *this;
  }
  [[nodiscard]] std::vector<Row> query(Transaction& tx, std::string_view columns,
                                       std::int64_t limit) {
    values_.emplace_back(limit);
    return tx.query(fmt::format("SELECT {} FROM {} WHERE {} LIMIT ${}", columns, table_, where_,
                                values_.size()),
                    values_);
  }

 private:
  std::string table_;
  std::string where_;
  std::vector<SqlValue> values_;
};

// The last moment whose `days` are over by now.
std::int64_t days_before(base::Timestamp now, std::int64_t days) {
  const auto midnight = std::chrono::floor<std::chrono::days>(now);
  return base::to_epoch_millis(base::Timestamp(midnight) - std::chrono::days(days));
}

// Of one rule in one bucket, one step.
class Expiry {
 public:
  Expiry(Database& database, std::string bucket, const LifecycleRule& rule, base::Timestamp now)
      : database_(database), bucket_(std::move(bucket)), rule_(rule), now_(now) {}

  [[nodiscard]] const std::vector<std::string>& released() const { return released_; }

  std::int64_t run(std::int64_t limit) {
    std::int64_t removed = 0;
    const auto last = last_expired();
    if (last) removed += expire(*last, limit - removed);
    if (rule_.noncurrent_days) removed += remove_noncurrent(limit - removed);
    // A marker has neither tags nor a size.
    const bool is_by_content =
        !rule_.tags.empty() || rule_.size_greater_than || rule_.size_less_than;
    if (rule_.removes_lone_markers || (last && !is_by_content)) {
      removed += remove_lone_markers(
          rule_.removes_lone_markers ? base::to_epoch_millis(now_) : *last, limit - removed);
    }
    if (rule_.abort_uploads_days) removed += abort_uploads(limit - removed);
    return removed;
  }

 private:
  // What was last written then or before goes.
  [[nodiscard]] std::optional<std::int64_t> last_expired() const {
    if (rule_.expiration_days) return days_before(now_, *rule_.expiration_days);
    if (rule_.expiration_date && *rule_.expiration_date <= now_) return base::to_epoch_millis(now_);
    return std::nullopt;
  }

  std::int64_t expire(std::int64_t last, std::int64_t limit) {
    const auto due = find([&](Transaction& tx) {
      return Due("object", bucket_)
          .add("modified <= {}", last)
          .filter(rule_)
          .query(tx, "key, version, modified", limit);
    });
    return remove_each(due, [&](Transaction& tx, const Row& row) {
      const auto now_there = find_version(tx, bucket_, row.text(0), row.text(1));
      if (!now_there || !now_there->is_latest || now_there->is_marker ||
          base::to_epoch_millis(now_there->object.last_modified) != row.integer(2)) {
        return false;  // written anew meanwhile
      }
      (void)remove_object(tx, bucket_, row.text(0), now_, released_);
      return true;
    });
  }

  std::int64_t remove_noncurrent(std::int64_t limit) {
    const auto due = find([&](Transaction& tx) {
      Due wanted("object_version", bucket_);
      wanted.add("noncurrent <= {}", days_before(now_, *rule_.noncurrent_days)).filter(rule_);
      if (rule_.newer_noncurrent > 0) {
        wanted.add(
            "(SELECT COUNT(*) FROM object_version AS newer WHERE newer.bucket = "
            "object_version.bucket AND newer.key = object_version.key AND newer.sequence > "
            "object_version.sequence AND newer.noncurrent IS NOT NULL) >= {}",
            rule_.newer_noncurrent);
      }
      return wanted.query(tx, "key, version", limit);
    });
    return remove_each(due, [&](Transaction& tx, const Row& row) {
      const auto version = find_version(tx, bucket_, row.text(0), row.text(1));
      if (!version || version->is_latest) return false;
      remove_version(tx, *version, released_);
      return true;
    });
  }

  std::int64_t remove_lone_markers(std::int64_t last, std::int64_t limit) {
    const auto due = find([&](Transaction& tx) {
      return Due("object_version", bucket_)
          .add("modified <= {}", last)
          .add("noncurrent IS NULL")
          .add(
              "NOT EXISTS (SELECT 1 FROM object_version AS older WHERE older.bucket = "
              "object_version.bucket AND older.key = object_version.key AND older.sequence < "
              "object_version.sequence)")
          .prefix(rule_.prefix)
          .query(tx, "key, version", limit);
    });
    return remove_each(due, [&](Transaction& tx, const Row& row) {
      const auto marker = find_version(tx, bucket_, row.text(0), row.text(1));
      if (!marker || !marker->is_latest || !marker->is_marker) return false;
      remove_version(tx, *marker, released_);
      return true;
    });
  }

  std::int64_t abort_uploads(std::int64_t limit) {
    const auto due = find([&](Transaction& tx) {
      return Due("object_upload", bucket_)
          .add("created <= {}", days_before(now_, *rule_.abort_uploads_days))
          .add("completed_etag IS NULL")
          .prefix(rule_.prefix)
          .query(tx, "id", limit);
    });
    return remove_each(due, [&](Transaction& tx, const Row& row) {
      for (const Row& part :
           tx.query("SELECT sha256 FROM object_upload_part WHERE upload = $1", {row.text(0)})) {
        released_.push_back(part.text(0));
      }
      return tx.execute("DELETE FROM object_upload WHERE id = $1 AND completed_etag IS NULL",
                        {row.text(0)}) > 0;
    });
  }

  template <typename Query>
  [[nodiscard]] std::vector<Row> find(const Query& query) const {
    return database_.read([&](Transaction& tx) { return query(tx); });
  }

  template <typename Remove>
  std::int64_t remove_each(const std::vector<Row>& due, const Remove& remove) {
    if (due.empty()) return 0;
    std::int64_t removed = 0;
    database_.write([&](Transaction& tx) {
      for (const Row& row : due) removed += remove(tx, row) ? 1 : 0;
    });
    return removed;
  }

  Database& database_;
  const std::string bucket_;
  const LifecycleRule& rule_;
  const base::Timestamp now_;
  std::vector<std::string> released_;
};

}  // namespace

std::int64_t ObjectStore::expire(std::int64_t limit) {
  Database& database = implementation_->database;
  const std::vector<Row> buckets = database.read([&](Transaction& tx) {
    return tx.query(
        "SELECT s.bucket, s.value FROM object_bucket AS b JOIN object_bucket_setting AS s ON "
        "s.bucket = b.name AND s.name = 'lifecycle' ORDER BY s.bucket");
  });
  std::int64_t removed = 0;
  for (const Row& row : buckets) {
    for (const LifecycleRule& rule : lifecycle_from_text(row.text(1))) {
      if (!rule.is_enabled) continue;
      if (removed >= limit) return removed;
      Expiry expiry(database, row.text(0), rule, implementation_->clock.now());
      removed += expiry.run(limit - removed);
      implementation_->collect(expiry.released());
    }
  }
  return removed;
}

}  // namespace andon::store
