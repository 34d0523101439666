// SPDX-License-Identifier: Apache-2.0
#include "store/objects/bucket_settings.hpp"

#include "store/objects/object_store.hpp"
#include "store/objects/object_store_implementation.hpp"

namespace andon::store {

std::string_view name_of(BucketSetting setting) {
  switch (setting) {
    case BucketSetting::notification:
      return "notification";
    case BucketSetting::policy:
      return "policy";
    case BucketSetting::public_access:
      return "public-access";
    case BucketSetting::tags:
      return "tags";
    case BucketSetting::lifecycle:
      return "lifecycle";
    case BucketSetting::cors:
      return "cors";
  }
  return "";
}

std::optional<std::string> ObjectStore::bucket_setting(const std::string& bucket,
                                                       BucketSetting setting) const {
  return implementation_->database.read([&](Transaction& tx) -> std::optional<std::string> {
    const auto row =
        tx.query_one("SELECT value FROM object_bucket_setting WHERE bucket = $1 AND name = $2",
                     {bucket, std::string(name_of(setting))});
    if (row) return row->text(0);
    return std::nullopt;
  });
}

void ObjectStore::set_bucket_setting(const std::string& bucket, BucketSetting setting,
                                     const std::optional<std::string>& value) {
  implementation_->database.write([&](Transaction& tx) {
    require_bucket(tx, bucket);
    const std::string name(name_of(setting));
    if (!value) {
      tx.execute("DELETE FROM object_bucket_setting WHERE bucket = $1 AND name = $2",
                 {bucket, name});
      return;
    }
    tx.execute(
        "INSERT INTO object_bucket_setting (bucket, name, value) VALUES ($1, $2, $3) "
        "ON CONFLICT (bucket, name) DO UPDATE SET value = $3",
        {bucket, name, *value});
  });
}

}  // namespace andon::store
