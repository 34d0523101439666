// SPDX-License-Identifier: Apache-2.0
// Which blobs the index of an object store names, for who copies or checks a store as a whole.
// Reads some rows at a time, so it needs little memory and holds nobody up; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "store/sql/database.hpp"

namespace andon::store {

struct NamedBlob {
  std::string sha256;
  std::uint64_t size = 0;
};
// Of objects, of their other versions, then of uploads in hand; the same blob may come twice. What
// `look` throws ends it.
void for_each_named_blob(const Database& database,
                         const std::function<void(const NamedBlob&)>& look);

// The sizes of all of these together; a blob that comes twice counts twice.
[[nodiscard]] std::uint64_t named_bytes(const Database& database);

}  // namespace andon::store
