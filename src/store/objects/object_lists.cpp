// SPDX-License-Identifier: Apache-2.0
// Lists of objects and of their versions, in pages, with common prefixes.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/error/error.hpp"
#include "base/text/number.hpp"
#include "store/objects/object_store.hpp"
#include "store/objects/object_store_implementation.hpp"

namespace andon::store {
namespace {

constexpr std::size_t kListBatch = 200;

// The part of `key` up to the delimiter behind the prefix, or "".
std::string common_prefix_of(const std::string& key, const std::string& prefix,
                             const std::string& delimiter) {
  if (delimiter.empty()) return {};
  const std::size_t at = key.find(delimiter, prefix.size());
  return at == std::string::npos ? std::string() : key.substr(0, at + delimiter.size());
}

// Walks the keys of one list request in order, skipping over what a common prefix stands for.
class Lister {
 public:
  Lister(Transaction& tx, const ListRequest& request)
      : transaction_(tx), request_(request), end_(successor(request.prefix)) {
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
        const std::string common = common_prefix_of(key, request_.prefix, request_.delimiter);
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
    std::string sql = "SELECT " + std::string(object_columns()) +
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

// The same for versions.
class VersionLister {
 public:
  VersionLister(Transaction& tx, const VersionListRequest& request)
      : transaction_(tx), request_(request), end_(successor(request.prefix)) {
    const std::string common =
        common_prefix_of(request.key_marker, request.prefix, request.delimiter);
    if (!common.empty() && common == request.key_marker) {
      jump_over(common);  // it was listed
    } else if (request.key_marker >= request.prefix && !request.key_marker.empty()) {
      from_ = request.key_marker;
      below_ = request.version_marker.empty() ? 0 : place_of(request.version_marker);
    } else {
      from_ = request.prefix;
    }
  }

  VersionPage run() {
    VersionPage page;
    std::size_t count = 0;
    std::string last_key;
    std::string last_version;
    while (!at_end_) {
      bool jumped = false;
      const std::vector<Row> batch = next_batch();
      for (const Row& row : batch) {
        if (count == request_.max_keys) {
          page.next_key_marker = last_key;
          page.next_version_marker = last_version;
          return page;
        }
        ++count;
        const std::string& key = row.text(1);
        const std::string common = common_prefix_of(key, request_.prefix, request_.delimiter);
        if (!common.empty()) {
          page.common_prefixes.push_back(common);
          last_key = common;
          last_version.clear();
          jump_over(common);
          jumped = true;
          break;
        }
        page.versions.push_back({.object = read_object(row),
                                 .is_marker = row.integer(kMarkerColumn) != 0,
                                 .is_latest = row.is_null(kMarkerColumn + 1)});
        from_ = last_key = key;
        const std::int64_t sequence = row.integer(kSequenceColumn);
        below_ = sequence;
        last_version = marker_of(row.text(kVersionColumn), sequence);
      }
      if (!jumped && batch.size() < limit()) at_end_ = true;
    }
    return page;
  }

 private:
  static constexpr std::size_t kVersionColumn = 10;
  static constexpr std::size_t kSequenceColumn = 11;
  static constexpr std::size_t kMarkerColumn = 12;
  static constexpr std::size_t kPlaceDigits = 12;
  static constexpr std::string_view kNullPlace = "null-";

  // An id says its place itself (see make_version_id); of "null" it is added.
  static std::string marker_of(const std::string& version, std::int64_t sequence) {
    if (version != kNullVersion) return version;
    return fmt::format("{}{:012x}", kNullPlace, sequence);
  }
  [[nodiscard]] std::int64_t place_of(const std::string& marker) const {
    if (marker == kNullVersion) {
      const auto row = transaction_.query_one(
          "SELECT sequence FROM object WHERE bucket = $1 AND key = $2 AND version = $3 UNION ALL "
          "SELECT sequence FROM object_version WHERE bucket = $1 AND key = $2 AND version = $3",
          {request_.bucket, request_.key_marker, marker});
      return row ? row->integer(0) : 0;
    }
    std::string_view digits = marker;
    if (digits.starts_with(kNullPlace)) digits.remove_prefix(kNullPlace.size());
    const auto place = base::parse_uint64(digits.substr(0, kPlaceDigits), 16);
    if (!place) {
      throw base::Error(base::ErrorCode::invalid_argument,
                        "the version-id-marker is not one of this server");
    }
    return static_cast<std::int64_t>(*place);
  }

  [[nodiscard]] std::size_t limit() const {
    return request_.delimiter.empty() ? request_.max_keys + 1 : kListBatch;
  }

  // From the key `from_` on; of that key, where below_ is set, only what is older. 0: nothing.
  std::vector<Row> next_batch() {
    std::vector<SqlValue> values{request_.bucket, from_, static_cast<std::int64_t>(limit()),
                                 below_.value_or(std::numeric_limits<std::int64_t>::max())};
    std::string bounds = "bucket = $1 AND key >= $2 AND (key > $2 OR sequence < $4)";
    if (!end_.empty()) {
      bounds += " AND key < $5";
      values.emplace_back(end_);
    }
    return transaction_.query(
        fmt::format("SELECT * FROM (SELECT {0}, 0, NULL FROM object WHERE {1} ORDER BY key LIMIT "
                    "$3) UNION ALL SELECT * FROM (SELECT {0}, is_marker, noncurrent FROM "
                    "object_version WHERE {1} ORDER BY key, sequence DESC LIMIT $3) "
                    "ORDER BY key, sequence DESC LIMIT $3",
                    object_columns(), bounds),
        values);
  }

  void jump_over(const std::string& common) {
    from_ = successor(common);
    below_.reset();
    if (from_.empty()) at_end_ = true;
  }

  Transaction& transaction_;
  const VersionListRequest& request_;
  const std::string end_;
  std::string from_;
  std::optional<std::int64_t> below_;
  bool at_end_ = false;
};

}  // namespace

ListPage ObjectStore::list(const ListRequest& request) const {
  ListPage page;
  implementation_->database.read([&](Transaction& tx) {
    require_bucket(tx, request.bucket);
    if (request.max_keys > 0) page = Lister(tx, request).run();
  });
  return page;
}

VersionPage ObjectStore::list_versions(const VersionListRequest& request) const {
  VersionPage page;
  implementation_->database.read([&](Transaction& tx) {
    require_bucket(tx, request.bucket);
    if (request.max_keys > 0) page = VersionLister(tx, request).run();
  });
  return page;
}

}  // namespace andon::store
