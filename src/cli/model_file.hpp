// SPDX-License-Identifier: Apache-2.0
// A model file as the `model` commands take it.
#pragma once

#include <optional>
#include <string>

#include "base/file.hpp"
#include "report/evaluation_report.hpp"
#include "vision/detector.hpp"

namespace andon::cli {

// "andon 0.1.0"
[[nodiscard]] std::string tool_name();

struct ModelFile {
  base::fs::path path;
  std::string name;  // of the file
  std::string bytes;
  std::string digest;  // "sha256:<hex>"

  [[nodiscard]] report::ModelFacts facts(const vision::ModelDescription& description) const;
};
// At most 2 GB, as ONNX has it.
[[nodiscard]] ModelFile read_model_file(const base::fs::path& path);

// "640" or "640x480" (width x height); nothing for an empty text. Throws invalid_argument.
[[nodiscard]] std::optional<vision::Size> parse_input_size(const std::string& text);

}  // namespace andon::cli
