// SPDX-License-Identifier: Apache-2.0
// A model run in ONNX Runtime with any of its tensors visible: how passes prove that they changed
// nothing, and how constants and shapes are found out. Blocks the caller.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/graph/model.hpp"
#include "vision/pixels/image.hpp"
#include "vision/runtime/session.hpp"

namespace andon::model {

// An input as it is fed: dimensions that are not fixed are filled in, the batch with 1, height and
// width by `input_size`, the metadata (imgsz) or 640.
struct ModelInput {
  std::string name;
  int element_type = 0;
  std::vector<std::int64_t> shape;
  bool is_fixed = true;  // nothing had to be filled in
};
[[nodiscard]] std::vector<ModelInput> inputs_of(const Model& model,
                                                std::optional<vision::Size> input_size);

// The bytes of one picture-like input or of any other; always the same for the same seed.
[[nodiscard]] std::vector<std::byte> random_values(const ModelInput& input, unsigned seed);

// A session over a model with more outputs than it has of its own.
class Execution {
 public:
  Execution(const vision::OnnxRuntime& runtime, const Model& model,
            std::vector<std::string> outputs, std::vector<ModelInput> inputs,
            const vision::SessionOptions& options = {});

  [[nodiscard]] const std::vector<ModelInput>& inputs() const { return inputs_; }
  [[nodiscard]] const std::vector<std::string>& outputs() const { return outputs_; }
  // One value list an input, in order. Valid until the next run, and no longer than `values`: an
  // output that is an input of the graph is the caller's own memory.
  const std::vector<vision::TensorView>& run(std::span<const std::span<const std::byte>> values);
  const std::vector<vision::TensorView>& run_random(unsigned seed);
  // For models with one float32 input.
  const std::vector<vision::TensorView>& run(std::span<const float> values);

 private:
  std::vector<ModelInput> inputs_;
  std::vector<std::string> outputs_;
  std::vector<std::vector<std::byte>> random_;
  vision::Session session_;
};

// Names of the graph's own outputs.
[[nodiscard]] std::vector<std::string> output_names(const Model& model);

struct TensorFacts {
  int element_type = 0;
  std::vector<std::int64_t> shape;
};
// Type and shape of every tensor that the graph's nodes make, by running it once. Tensors that
// are not of numbers are left out.
[[nodiscard]] std::map<std::string, TensorFacts> observe(const vision::OnnxRuntime& runtime,
                                                         const Model& model,
                                                         std::optional<vision::Size> input_size);

// The largest difference of any output value, in parts of the largest value of its output, over
// `runs` random inputs. Infinite where shapes differ or a value is not a number in one only.
[[nodiscard]] double largest_difference(const vision::OnnxRuntime& runtime, const Model& left,
                                        const Model& right, std::optional<vision::Size> input_size,
                                        unsigned runs = 2);
[[nodiscard]] double largest_difference(std::span<const vision::TensorView> left,
                                        std::span<const vision::TensorView> right);

}  // namespace andon::model
