// SPDX-License-Identifier: Apache-2.0
// Documents that people write in either format, as JSON values: no duplicate keys, no anchors,
// aliases, tags of other types or second documents. Pure; any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>

#include "base/json/json.hpp"

namespace andon::recipe {

namespace json = base::json;

struct DocumentLimits {
  std::size_t max_bytes = 64U << 10U;
  std::size_t max_depth = 32;
  std::size_t max_values = 20'000;
};

// JSON where the first character is '{' or '[', else YAML by the core schema of YAML 1.2 (so `no`
// is a text and `0x1f` a number). Throws invalid_argument with line and column; `what` names the
// document.
[[nodiscard]] json::value parse_json_or_yaml(std::string_view text, std::string_view what,
                                             const DocumentLimits& limits = {});

// What a tag of YAML makes of the value behind it ("!Ref" and "Bucket"); nothing for a tag that the
// document may not have.
using TagReader =
    std::function<std::optional<json::value>(std::string_view tag, json::value value)>;
[[nodiscard]] json::value parse_json_or_yaml(std::string_view text, std::string_view what,
                                             const DocumentLimits& limits, const TagReader& tags);

}  // namespace andon::recipe
