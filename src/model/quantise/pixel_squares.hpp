// SPDX-License-Identifier: Apache-2.0
// Pixels two by two: a first convolution of stride 2 over three channels, written as one of stride
// 1 over squares of four pixels, which are twelve channels. The same products and sums; what the
// kernel gains lies beside its edge and is 0. So the network's input is what a picture is, bytes,
// and the convolution has channels enough for the processor's wide instructions.
#pragma once

#include <optional>
#include <string>

#include "model/graph/model.hpp"

namespace onnx {
class GraphProto;
class NodeProto;
class TensorProto;
}  // namespace onnx

namespace andon::model {

struct PixelSquares {
  std::string input;  // of the graph: float [n,3,h,w]
  std::string bytes;  // what QuantizeLinear makes of it: the pixels' own bytes
};

// Where a byte over `divisor` becomes that byte again, and only convolutions that can be written so
// read it.
[[nodiscard]] std::optional<PixelSquares> find_pixel_squares(const Model& quantised, float divisor);

// The graph's input becomes the bytes, uint8 [n,h/2,w/2,12].
void declare_squares(onnx::GraphProto& graph, const PixelSquares& squares);
[[nodiscard]] bool takes_squares(const Model& model);

// The weights [out,3,k,k] over squares; the node's attributes follow.
[[nodiscard]] onnx::TensorProto convolve_squares(onnx::NodeProto& convolution,
                                                 const onnx::TensorProto& weights);

}  // namespace andon::model
