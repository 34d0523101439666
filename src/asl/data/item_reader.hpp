// SPDX-License-Identifier: Apache-2.0
// What a host needs to answer ReadItems: an object's bytes turned into the items of a distributed
// Map by ReaderConfig. JSON (with ItemsPointer), JSONL and CSV; a MANIFEST names objects; PARQUET
// is not read here. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "asl/data/data.hpp"

namespace andon::asl {

// `config` is ReadItems::config. Throws base::Error: invalid_argument for bytes that do not fit,
// unsupported for PARQUET and for a MANIFEST, whose objects hold the items.
[[nodiscard]] Data parse_items(const json::object& config, std::string_view bytes);

// The objects that hold the items where the one that is named is a manifest.
struct ItemManifest {
  struct Object {
    std::string bucket;
    std::string key;
  };
  std::vector<Object> objects;
  json::object config;  // of each object's parse_items
};

// Whether `config` says that the object is a manifest.
[[nodiscard]] bool is_manifest(const json::object& config);
// A manifest.json of S3 Inventory with CSV files, or with ManifestType ATHENA_DATA a list of
// s3://BUCKET/KEY, one a line. Throws base::Error: invalid_argument for bytes that do not fit,
// unsupported for inventories in another format.
[[nodiscard]] ItemManifest parse_manifest(const json::object& config, std::string_view bytes);

}  // namespace andon::asl
