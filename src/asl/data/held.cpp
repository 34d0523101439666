// SPDX-License-Identifier: Apache-2.0
#include "asl/data/held.hpp"

#include <limits>

#include "asl/data/failure.hpp"
#include "base/error/error.hpp"

namespace andon::asl {

json::value read_record(const RecordSource* source, const std::string& key) {
  auto record = source != nullptr ? find_record(*source, key) : std::nullopt;
  if (record) return *std::move(record);
  throw base::Error(base::ErrorCode::data_corrupted,
                    "the stored execution cannot be read: its record '" + key + "' is missing");
}

std::optional<json::value> find_record(const RecordSource& source, const std::string& key) {
  const auto text = source.read(key);
  if (!text) return std::nullopt;
  try {
    return base::parse_json(
        *text, key,
        {.max_bytes = std::numeric_limits<std::size_t>::max(), .max_depth = 2 * kMaxDataDepth});
  } catch (const base::Error& error) {
    throw base::Error(base::ErrorCode::data_corrupted,
                      "the stored execution cannot be read: record " + error.message());
  }
}

}  // namespace andon::asl
