// SPDX-License-Identifier: Apache-2.0
// An ONNX model in memory, read from a file that nobody vouches for, changed by the passes beside
// this file, and written again. A plain value that can be copied; belongs to one thread at a time.
// Whoever touches its graph includes model/onnx.hpp (heavy) in a .cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "vision/detect/model_file.hpp"

namespace onnx {
class GraphProto;
class ModelProto;
}  // namespace onnx

namespace andon::model {

class Model {
 public:
  // With its external data brought in. Throws invalid_argument (not ONNX, truncated, external data
  // of another size, no graph, a cycle) and unsupported (over 2 GB, opset older than kOldestOpset).
  [[nodiscard]] static Model parse(const vision::ModelFile& file);
  // Of one file: one that has external data is refused.
  [[nodiscard]] static Model parse(std::string_view bytes, std::string_view name);

  Model(const Model& other);
  Model& operator=(const Model& other);
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  [[nodiscard]] const std::string& name() const { return name_; }  // file name, for messages
  // "sha256:<hex>" of the files it was read from (vision::ModelFile::sha256).
  [[nodiscard]] const std::string& digest() const { return digest_; }
  [[nodiscard]] std::size_t file_bytes() const { return file_bytes_; }  // external data included

  [[nodiscard]] const onnx::ModelProto& proto() const { return *proto_; }
  [[nodiscard]] onnx::ModelProto& proto() { return *proto_; }
  [[nodiscard]] const onnx::GraphProto& graph() const;
  [[nodiscard]] onnx::GraphProto& graph();

  [[nodiscard]] int opset() const;  // of ONNX's own operators; 1 where the file does not say
  void set_opset(int version);
  [[nodiscard]] std::map<std::string, std::string> metadata() const;
  void set_metadata(const std::string& key, const std::string& value);

  // The same model gives the same bytes. Throws unsupported over 2 GB.
  [[nodiscard]] std::string serialise() const;

 private:
  Model();

  std::string name_;
  std::string digest_;
  std::size_t file_bytes_ = 0;
  std::unique_ptr<onnx::ModelProto> proto_;
};

inline constexpr int kOldestOpset = 11;

}  // namespace andon::model
