// SPDX-License-Identifier: Apache-2.0
// The one way to open a model: its ONNX file, the weights that it keeps in files beside it, and
// what is said of it in a YAML file of the same name. Every program that runs, measures, changes or
// ships a model opens it here, so that all mean the same by it. Read once: what is hashed is what
// runs. Plain values; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/os/file.hpp"
#include "vision/heads/model_spec.hpp"

namespace andon::vision {

// What protobuf can hold in one message, and so what one ONNX file can be.
inline constexpr std::size_t kMaxModelBytes = (std::size_t{2} << 30U) - 1;

struct WeightsFile {
  std::string location;  // as the model has it, relative to its folder
  base::fs::path path;
  std::string bytes;
};

struct ModelFile {
  base::fs::path path;  // as it was given
  std::string name;     // of the file, for messages
  std::string bytes;    // of the ONNX file
  std::vector<WeightsFile> weights;
  // The graph for andon's own runtime that lies in the ONNX file's metadata, if there is one
  // (device_graph.hpp); its weights are in `bytes`.
  std::string device_graph;
  ModelSpec spec;  // what is said beside it; empty where nothing is
  base::fs::path spec_path;
  std::string spec_text;
  // Hexadecimal SHA-256: of the ONNX file where that is all; else of a list of all files' digests
  // (docs/vision.md), so that other weights or another description make another model.
  std::string sha256;

  [[nodiscard]] std::size_t total_bytes() const;
  // All files that it was read from; `place` is where each belongs beside a model of this name.
  struct Part {
    base::fs::path path;
    std::string place;
  };
  [[nodiscard]] std::vector<Part> parts() const;
};

// Follows links: what is not beside the name that was given is looked for beside the file that it
// leads to. Throws not_found, unsupported (over 2 GB), invalid_argument (weights missing, too short
// or outside the folder; a description that is wrong).
[[nodiscard]] ModelFile open_model(const base::fs::path& path);

// One that was made in memory: a single file with that description.
[[nodiscard]] ModelFile model_in_memory(std::string bytes, std::string name, ModelSpec spec = {});

}  // namespace andon::vision
