// SPDX-License-Identifier: Apache-2.0
// A function's code that stands in a template (Code.ZipFile), as the ZIP archive that a function is
// made of. The same text gives the same bytes. Pure.
#pragma once

#include <string>
#include <string_view>

namespace andon::api {

// One file, stored as it is.
[[nodiscard]] std::string zip_of(std::string_view name, std::string_view content);

}  // namespace andon::api
