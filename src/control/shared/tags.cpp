// SPDX-License-Identifier: Apache-2.0
#include "control/shared/tags.hpp"

#include "base/error/error.hpp"

namespace andon::control {

using base::Error;
using base::ErrorCode;

void store_tags(store::Transaction& tx, const std::string& resource_arn, const TagMap& tags) {
  constexpr std::int64_t kMaxTags = 50;
  for (const auto& [key, value] : tags) {
    if (key.empty() || key.size() > 128 || key.starts_with("aws:")) {
      throw Error(ErrorCode::invalid_argument,
                  "tags: a key must have 1 to 128 characters and not start with aws:");
    }
    if (value.size() > 256) {
      throw Error(ErrorCode::invalid_argument,
                  "tags: the value of \"" + key + "\" is longer than 256 characters");
    }
    tx.execute(
        "INSERT INTO tags (arn, tag_key, tag_value) VALUES ($1, $2, $3) "
        "ON CONFLICT (arn, tag_key) DO UPDATE SET tag_value = excluded.tag_value",
        {resource_arn, key, value});
  }
  if (tags.empty()) return;
  const auto count = tx.query_one("SELECT COUNT(*) FROM tags WHERE arn = $1", {resource_arn});
  if (count->integer(0) > kMaxTags) {
    throw Error(ErrorCode::invalid_argument, "tags: a resource has at most 50 tags");
  }
}

void Tags::set(const std::string& resource_arn, const TagMap& tags) {
  database_.write([&](store::Transaction& tx) { store_tags(tx, resource_arn, tags); });
}

void Tags::remove(const std::string& resource_arn, const std::vector<std::string>& keys) {
  database_.write([&](store::Transaction& tx) {
    for (const std::string& key : keys) {
      tx.execute("DELETE FROM tags WHERE arn = $1 AND tag_key = $2", {resource_arn, key});
    }
  });
}

TagMap Tags::of(const std::string& resource_arn) const {
  TagMap tags;
  database_.read([&](store::Transaction& tx) {
    for (const store::Row& row :
         tx.query("SELECT tag_key, tag_value FROM tags WHERE arn = $1", {resource_arn})) {
      tags.emplace(row.text(0), row.text(1));
    }
  });
  return tags;
}

}  // namespace andon::control
