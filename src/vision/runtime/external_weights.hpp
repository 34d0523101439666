// SPDX-License-Identifier: Apache-2.0
// Which files beside it an ONNX model keeps weights in, as PyTorch's exporter writes them by
// default. Reads protobuf's wire format just as far as that, so that devices need no more of it.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace andon::vision {

struct ExternalWeights {
  std::string location;   // as the model has it: a path relative to its folder
  std::string tensor;     // the one that needs most of the file, for messages
  std::size_t bytes = 0;  // that the file must have at least
};

// A file once, in the order in which they are named. What is not an ONNX model names none. Throws
// invalid_argument for a place outside the model's folder, offsets that are not numbers and more
// files than anybody writes.
[[nodiscard]] std::vector<ExternalWeights> external_weights(std::string_view model);

}  // namespace andon::vision
