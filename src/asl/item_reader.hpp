// SPDX-License-Identifier: Apache-2.0
// What a host needs to answer ReadItems: an object's bytes turned into the items of a distributed
// Map by ReaderConfig. JSON (with ItemsPointer), JSONL and CSV; MANIFEST and PARQUET are not read
// here. Pure; any thread.
#pragma once

#include <string_view>

#include "asl/data.hpp"

namespace andon::asl {

// `config` is ReadItems::config. Throws base::Error: invalid_argument for bytes that do not fit,
// unsupported for MANIFEST and PARQUET.
[[nodiscard]] Data parse_items(const json::object& config, std::string_view bytes);

}  // namespace andon::asl
