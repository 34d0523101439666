// SPDX-License-Identifier: Apache-2.0
// What is said of a command line: --help in words, and of one that cannot be read what was typed
// and what is near. Internal to options.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

namespace andon::options {

// Makes --help of `app` and its commands show what an option takes in words: "1 to 256",
// "latency|throughput", NUMBER; CLI11 would show types of C++.
void describe_in_words(CLI::App& app);

// Why `app` could not be parsed, and where to read on: two lines. Names first what was typed and
// does not exist, which often is the cause of all else.
[[nodiscard]] std::string usage_error(const CLI::App& app, const CLI::ParseError& error);
// The same of a command line that was parsed, with what is wrong with it.
[[nodiscard]] std::string usage_error(const CLI::App& app, std::string_view problem);

}  // namespace andon::options
