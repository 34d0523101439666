// SPDX-License-Identifier: Apache-2.0
// A line a value, "feature=text", of one record; and the first line as a CSV result.
#include <cstdint>
#include <string_view>

#include "base/error/error.hpp"
#include "base/text/split.hpp"
#include "features/queries/result_csv.hpp"
#include "features/records/values.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon;
  using features::FeatureType;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  features::FeatureGroup group;
  group.request = {.name = "g",
                   .record_identifier = "i",
                   .event_time = "t",
                   .features = {{.name = "i"},
                                {.name = "t", .type = FeatureType::fractional},
                                {.name = "n", .type = FeatureType::integral},
                                {.name = "s"}}};
  features::FeatureValues values;
  for (const std::string_view line : base::split(text, '\n')) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    values.emplace_back(line.substr(0, equals), line.substr(equals + 1));
  }
  try {
    const features::Record record = features::check_record(group, values);
    if (record.identifier.empty() || record.event_us < 0) __builtin_trap();
    for (const auto& [name, value] : record.values) {
      (void)features::column_value(group.find(name)->type, value);
    }
  } catch (const base::Error&) {
  }
  try {
    (void)features::parse_event_time({.name = "t"}, text);
  } catch (const base::Error&) {
  }
  try {
    const auto parsed = features::parse_csv_rows(text, 3, 100, size % 2 == 0);
    std::string again;
    for (const auto& row : parsed.rows) features::append_csv_row(again, row);
    if (again != text.substr(0, parsed.bytes)) __builtin_trap();
  } catch (const base::Error&) {
  }
  return 0;
}
