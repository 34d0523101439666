// SPDX-License-Identifier: Apache-2.0
// What a processor with a fast convolution of our own (operators/byte_convolution.hpp) makes of a
// device graph when it is loaded: each of ONNX Runtime's QLinearConv that has such a form becomes
// andon::ConvU8, and a LutU8 that alone reads it goes into it; a Transpose, DequantizeLinear and
// Conv of single pixels become andon::ConvF32. The file stays the same for all processors. Pure;
// any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace andon::vision {

// Nothing where there is nothing to change, or where it is not a model.
[[nodiscard]] std::optional<std::string> with_own_convolutions(std::string_view device_graph);

// The same where this processor gains by it.
[[nodiscard]] std::optional<std::string> as_this_processor_runs(std::string_view device_graph);

}  // namespace andon::vision
