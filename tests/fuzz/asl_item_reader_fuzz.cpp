// SPDX-License-Identifier: Apache-2.0
// The first byte chooses the format, the rest is the object that a distributed Map reads.
#include <array>
#include <cstdint>
#include <string_view>

#include "asl/item_reader.hpp"
#include "base/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon;
  if (size == 0) return 0;
  static const std::array<base::json::object, 5> configs = {{
      {{"InputType", "JSON"}},
      {{"InputType", "JSON"}, {"ItemsPointer", "/a/0"}},
      {{"InputType", "JSONL"}},
      {{"InputType", "CSV"}},
      {{"InputType", "CSV"},
       {"CSVDelimiter", "PIPE"},
       {"CSVHeaderLocation", "GIVEN"},
       {"CSVHeaders", {"x", "y"}}},
  }};
  try {
    (void)asl::parse_items(configs.at(data[0] % configs.size()),
                           {reinterpret_cast<const char*>(data) + 1, size - 1});
  } catch (const base::Error&) {
  }
  return 0;
}
