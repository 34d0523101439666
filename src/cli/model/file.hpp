// SPDX-License-Identifier: Apache-2.0
// What the `model` commands say of models and of themselves.
#pragma once

#include <optional>
#include <string>

#include "report/page/evaluation_report.hpp"
#include "vision/detect/detector.hpp"
#include "vision/image/picture_files.hpp"

namespace CLI {
class App;
}

namespace andon::cli {

// "andon 0.1.0"
[[nodiscard]] std::string tool_name();

[[nodiscard]] report::ModelFacts facts_of(const vision::ModelFile& file,
                                          const vision::ModelDescription& description);

// What several commands take in the same way: --split of a data.yaml, and --recursive.
void add_split_option(CLI::App& command, std::string& split);
void add_recursive_flag(CLI::App& command, vision::Folders& folders);

// "640" or "640x480" (width x height); nothing for an empty text. Throws UsageError.
[[nodiscard]] std::optional<vision::Size> parse_input_size(const std::string& text);

}  // namespace andon::cli
