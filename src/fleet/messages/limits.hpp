// SPDX-License-Identifier: Apache-2.0
// Room: messages. What server and device say to each other, each written and read here, by both
// ends: jobs, health, the deployment shadow, enrolment.
// Limits of these messages and the small things that their readers share. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json_reader.hpp"

namespace andon::fleet {

namespace json = base::json;

// AWS IoT takes 128 KiB of a device.
inline constexpr base::JsonLimits kFromDevice{.max_bytes = 256U << 10U, .max_depth = 16};
inline constexpr base::JsonLimits kFromServer{.max_bytes = 1U << 20U, .max_depth = 32};

// At most `bytes` of it, not in the middle of a UTF-8 character.
[[nodiscard]] std::string cut_text(std::string text, std::size_t bytes);

[[nodiscard]] json::array to_array(const std::vector<std::string>& texts);
// The list `key` of texts, each cut at `bytes`, the first 100 of them; empty where it is absent.
// Throws invalid_argument for a member that is no text.
[[nodiscard]] std::vector<std::string> read_texts(const base::JsonReader& reader,
                                                  std::string_view key, std::size_t bytes);

}  // namespace andon::fleet
