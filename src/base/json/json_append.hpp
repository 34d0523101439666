// SPDX-License-Identifier: Apache-2.0
// JSON text put together piece by piece, in the form of to_text(), for what is written so often
// that a document of values would cost too much. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json/json.hpp"

namespace andon::base {

// `text` in quotes, escaped. Bytes that are no UTF-8 go out as they are: see to_valid_utf8().
void append_json_string(std::string& out, std::string_view text);
void append_json_number(std::string& out, std::int64_t number);
// As to_text(), but for bytes that are no UTF-8.
void append_json(std::string& out, const json::value& value);

}  // namespace andon::base
