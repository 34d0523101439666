// SPDX-License-Identifier: Apache-2.0
// The nouns of the command line: `andon device list`, and the plural where people say it.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace andon::cli {

// The subcommand of that name, which takes one more word; made where it is not there yet, with the
// plural as an alias.
[[nodiscard]] CLI::App* noun(CLI::App& app, const std::string& name, const std::string& help);

}  // namespace andon::cli
