// SPDX-License-Identifier: Apache-2.0
// What is in a model: what goes in and out, how much there is to compute and to hold, and where
// the time goes on this machine. Blocks the caller.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json/fwd.hpp"
#include "model/graph/model.hpp"
#include "vision/pixels/image.hpp"
#include "vision/runtime/onnxruntime.hpp"

namespace andon::model {

struct OperatorTime {
  std::string operation;  // as the runtime runs it: fused ones have names of their own
  std::size_t nodes = 0;
  double ms = 0;  // in one run, the mean over runs
};

struct Inspection {
  std::string name;
  std::string digest;
  std::size_t bytes = 0;
  std::string producer;
  int ir_version = 0;
  std::map<std::string, std::int64_t> opsets;  // by domain, "ai.onnx" for ONNX's own
  std::map<std::string, std::string> metadata;
  std::vector<std::string> inputs;  // "images float32 [1,3,320,320]"
  std::vector<std::string> outputs;
  std::string head;  // "yolov8_dfl, strides 8 16 32, 1 classes" or why none was recognised
  // The head that andon reads its outputs with and what proves it; or why it is refused.
  std::string read_as;
  std::string why;
  std::size_t nodes = 0;
  std::map<std::string, std::size_t> operators;
  std::size_t parameters = 0;  // values in weights
  std::size_t weight_bytes = 0;
  double gflop = 0;  // convolutions and matrix products; a multiplication with its addition is 2
  std::size_t activation_bytes = 0;  // the most that lives at one time, without the runtime's own
  std::vector<OperatorTime> times;   // slowest first; empty where not measured
  double total_ms = 0;
};

struct InspectionOptions {
  std::optional<vision::Size> input_size;
  std::size_t runs = 10;  // to time, 0: none
  int threads = 1;
};

[[nodiscard]] Inspection inspect(const vision::OnnxRuntime& runtime, const vision::ModelFile& file,
                                 const InspectionOptions& options = {});
[[nodiscard]] base::json::object to_json(const Inspection& inspection);

}  // namespace andon::model
