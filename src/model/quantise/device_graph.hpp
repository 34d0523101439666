// SPDX-License-Identifier: Apache-2.0
// The device graph: the same quantised network written for andon's own use of ONNX Runtime, which
// computes the same bytes with less work. Channels last throughout; every function of one value
// (all activations) is a table of 256 bytes; a Concat changes scales by tables too; the first
// convolution reads pixels as the bytes that they are, two by two. It has operators of ONNX Runtime
// (com.microsoft) and of andon (vision/operators/operators.hpp). The ordinary model stays what it
// is.
#pragma once

#include <optional>
#include <string>

#include "model/graph/model.hpp"
#include "vision/pixels/image.hpp"
#include "vision/runtime/onnxruntime.hpp"

namespace andon::model {

struct DeviceGraphOptions {
  std::optional<vision::Size> input_size;
  // Where the network's input is the byte of a pixel over this and nothing else: then pixels may be
  // taken as bytes.
  std::optional<float> divisor;
};

struct DeviceGraph {
  std::optional<Model> model;  // none where it would not pay
  std::string what;            // for the report: what it has, or why there is none
};

// Of a model that quantise() made. What it computes is proved on random input: the same outputs as
// the model's own.
[[nodiscard]] DeviceGraph make_device_graph(const vision::OnnxRuntime& runtime,
                                            const Model& quantised,
                                            const DeviceGraphOptions& options = {});

}  // namespace andon::model
