// SPDX-License-Identifier: Apache-2.0
// In a quantised graph, each byte tensor that is a function of the bytes of one other, element by
// element: x * sigmoid(x) of x, GELU, HardSwish, a change of scale, or any chain of such. Eight
// bits have 256 values, so that the function is a table, which ONNX Runtime itself is asked for:
// what a table gives is what the nodes give, rounding included.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "model/graph/model.hpp"
#include "vision/runtime/onnxruntime.hpp"

namespace andon::model {

// The tensor that QuantizeLinear made and DequantizeLinear reads, with its scale and zero point.
struct StoredBytes {
  std::string bytes;
  std::string scale;  // an initialiser of one element, as the next
  std::string zero;
};

struct ByteFunction {
  std::string of;  // the bytes that it is a function of
  std::array<std::uint8_t, 256> table{};
};

// By the tensor that QuantizeLinear gives. Runs the model's own nodes once, on all 256 values.
[[nodiscard]] std::map<std::string, ByteFunction> find_byte_functions(
    const vision::OnnxRuntime& runtime, const Model& quantised);

}  // namespace andon::model
