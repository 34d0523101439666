// SPDX-License-Identifier: Apache-2.0
#include "store/objects/named_blobs.hpp"

#include <vector>

namespace andon::store {

void for_each_named_blob(const Database& database,
                         const std::function<void(const NamedBlob&)>& look) {
  constexpr std::int64_t kStep = 1'000;
  for (const std::string table : {"object", "object_version", "object_upload_part"}) {
    std::string after;
    while (true) {
      const std::vector<Row> rows = database.read([&](Transaction& tx) {
        return tx.query("SELECT DISTINCT sha256, size FROM " + table +
                            " WHERE sha256 > $1 ORDER BY sha256 LIMIT $2",
                        {after, kStep});
      });
      for (const Row& row : rows) {
        after = row.text(0);
        look({after, static_cast<std::uint64_t>(row.integer(1))});
      }
      if (rows.size() < static_cast<std::size_t>(kStep)) break;
    }
  }
}

std::uint64_t named_bytes(const Database& database) {
  std::uint64_t bytes = 0;
  for (const std::string table : {"object", "object_version", "object_upload_part"}) {
    const auto sum = database.read([&](Transaction& tx) {
      return tx.query("SELECT COALESCE(SUM(size), 0) FROM " + table, {});
    });
    bytes += static_cast<std::uint64_t>(sum.at(0).integer(0));
  }
  return bytes;
}

}  // namespace andon::store
