// SPDX-License-Identifier: Apache-2.0
// Members of a JSON object that is our own, or was checked before: one that is absent or of another
// type is nothing. What comes from outside is read by JsonReader. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/json/json.hpp"

namespace andon::base {

// Null where there is none.
[[nodiscard]] const json::object* object_at(const json::object& object, std::string_view key);
// Empty where there is none.
[[nodiscard]] std::string text_at(const json::object& object, std::string_view key);

}  // namespace andon::base
