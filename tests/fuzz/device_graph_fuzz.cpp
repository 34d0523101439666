// SPDX-License-Identifier: Apache-2.0
// A device graph in a model's metadata: found with all its weights inside the model, or passed by.
// And hostile graphs through what looks for the first convolution over pixels, and through what
// puts our own convolutions into a device graph.
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "model/graph/model.hpp"
#include "model/graph/onnx.hpp"
#include "model/optimise/embed.hpp"
#include "model/quantise/pixel_squares.hpp"
#include "vision/detect/device_graph.hpp"
#include "vision/detect/own_convolutions.hpp"
#include "vision/runtime/external_weights.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto graph = andon::vision::find_device_graph(bytes)) {
    for (const auto& it : andon::vision::external_weights(*graph)) {
      if (it.location != andon::vision::kDeviceGraphWeights || it.bytes > size) std::abort();
    }
  }
  // What was changed has nothing left to be changed.
  if (const auto own = andon::vision::with_own_convolutions(bytes)) {
    if (andon::vision::with_own_convolutions(*own)) std::abort();
  }
  try {
    using andon::model::Model;
    const Model model = Model::parse(bytes, "fuzz.onnx");
    if (const auto squares = andon::model::find_pixel_squares(model, 255)) {
      Model other = model;
      andon::model::declare_squares(other.graph(), *squares);
      if (!andon::model::takes_squares(other)) std::abort();
    }
    // Whatever model is whatever model's device graph: what went in comes out.
    const std::string whole = andon::model::with_device_graph(model, model);
    if (!andon::vision::find_device_graph(whole)) std::abort();
  } catch (const andon::base::Error&) {
  }
  return 0;
}
