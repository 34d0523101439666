// SPDX-License-Identifier: Apache-2.0
// What `-f` leads to: a template, a directory with one, or what `cdk synth` has written (cdk.out),
// with its templates in the order in which they need each other and their assets. Blocking.
#pragma once

#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "base/os/file.hpp"
#include "cli/apply/local_files.hpp"

namespace andon::cli {

struct StackSource {
  std::string name;  // of the stack, unless the command line says another
  base::fs::path file;
  base::json::object document;  // without local paths
  std::vector<Upload> uploads;
};

// `account` and `region` are what assets' destinations are filled with. Throws not_found,
// invalid_argument.
[[nodiscard]] std::vector<StackSource> read_sources(const base::fs::path& path,
                                                    const std::string& account,
                                                    const std::string& region);

}  // namespace andon::cli
