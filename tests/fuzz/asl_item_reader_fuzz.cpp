// SPDX-License-Identifier: Apache-2.0
// The first byte chooses the format, the rest is the object that a distributed Map reads.
#include <array>
#include <cstdint>
#include <string_view>

#include "asl/data/item_reader.hpp"
#include "base/error/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon;
  if (size == 0) return 0;
  static const std::array<base::json::object, 7> configs = {{
      {{"InputType", "JSON"}},
      {{"InputType", "JSON"}, {"ItemsPointer", "/a/0"}},
      {{"InputType", "JSONL"}},
      {{"InputType", "CSV"}},
      {{"InputType", "CSV"},
       {"CSVDelimiter", "PIPE"},
       {"CSVHeaderLocation", "GIVEN"},
       {"CSVHeaders", {"x", "y"}}},
      {{"InputType", "MANIFEST"}},
      {{"InputType", "CSV"}, {"ManifestType", "ATHENA_DATA"}},
  }};
  try {
    const base::json::object& config = configs.at(data[0] % configs.size());
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    if (asl::is_manifest(config)) {
      (void)asl::parse_manifest(config, bytes);
    } else {
      (void)asl::parse_items(config, bytes);
    }
  } catch (const base::Error&) {
  }
  return 0;
}
