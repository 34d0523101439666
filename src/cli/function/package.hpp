// SPDX-License-Identifier: Apache-2.0
// Room: function. A server's functions from the command line.
// A function's code as the ZIP archive that is sent: an archive as it is, a directory with all that
// is in it, or one file. The same files give the same bytes. Blocking.
#pragma once

#include <string>

#include "base/os/file.hpp"

namespace andon::cli {

// Throws not_found, and invalid_argument for what is no plain file or directory, or more than 50
// MB.
[[nodiscard]] std::string read_package(const base::fs::path& path);

}  // namespace andon::cli
