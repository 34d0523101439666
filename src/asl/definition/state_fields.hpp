// SPDX-License-Identifier: Apache-2.0
// Which kinds of states ("Task") have which fields, and which of those belong to one query
// language. Pure.
#pragma once

#include <string_view>
#include <vector>

namespace andon::asl {

[[nodiscard]] std::vector<std::string_view> state_fields(std::string_view type);
[[nodiscard]] bool is_json_path_field(std::string_view field, std::string_view type);
[[nodiscard]] bool is_jsonata_field(std::string_view field, std::string_view type);

}  // namespace andon::asl
