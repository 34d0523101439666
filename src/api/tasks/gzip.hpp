// SPDX-License-Identifier: Apache-2.0
// The inventories that a Map reads are compressed with gzip. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace andon::api {

[[nodiscard]] bool is_gzip(std::string_view bytes);
// Throws base::Error: invalid_argument for damaged bytes, resource_exhausted for more than `most`
// bytes of text.
[[nodiscard]] std::string gunzip(std::string_view bytes, std::size_t most);

}  // namespace andon::api
