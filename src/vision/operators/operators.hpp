// SPDX-License-Identifier: Apache-2.0
// andon's own operators for ONNX Runtime, in the domain "andon": what the device graph of a
// quantised model needs (docs/optimise.md) and the runtime lacks or does slowly. All work on uint8
// tensors whose last dimension is the channels, ConvF32 gives floats:
//   LutU8     y = table[x]; attribute `table`: 256 bytes
//   CutU8     y = table[x] of some channels: attributes `table`, `first` and `size`
//   ConcatU8  joins its inputs along the last dimension, each through its own table; attribute
//             `tables`: 256 bytes an input
//   ConvU8    what com.microsoft's QLinearConv gives for channels_last; inputs and attributes are
//             its own: constants but for the first, one group, no dilation, weights without a
//             zero point; and behind it LutU8, where it has the attribute `table`
//   ConvF32   a convolution of single pixels with float weights, in one group: [n,h,w,c] of bytes
//             -> [n,outputs,h,w] of floats; inputs: the bytes, their scale and zero point, the
//             weights, and a bias or none; constants but for the bytes
//   RepeatU8  [n,h,w,c] -> [n,h*times,w*times,c], each pixel repeated; attribute `times`
// One for each OnnxRuntime; used by all its sessions on any thread. A graph from outside that uses
// them wrongly is refused by an error. Internal to vision/.
#pragma once

#include <memory>

#include "vision/operators/onnxruntime_abi.hpp"

namespace andon::vision {

class Operators {
 public:
  // `api` must outlive it. Throws internal where ONNX Runtime does not take them.
  explicit Operators(const abi::Api& api);
  Operators(const Operators&) = delete;
  Operators& operator=(const Operators&) = delete;
  ~Operators();

  [[nodiscard]] abi::OperatorDomain* domain() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace andon::vision
