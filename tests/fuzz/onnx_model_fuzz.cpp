// SPDX-License-Identifier: Apache-2.0
// ONNX files: read, or refused with a base::Error; what was read survives the passes that need no
// runtime, and is read again.
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error/error.hpp"
#include "model/graph/cleanup.hpp"
#include "model/graph/graph.hpp"
#include "model/graph/model.hpp"
#include "model/quantise/head.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using andon::model::Model;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    Model model = Model::parse(bytes, "fuzz.onnx");
    const std::string written = model.serialise();
    if (Model::parse(written, "again").serialise() != written) std::abort();
    static_cast<void>(andon::model::find_tail(model));
    static_cast<void>(andon::model::remove_identities(model));
    static_cast<void>(andon::model::fuse_batch_normalization(model));
    static_cast<void>(andon::model::store_half_weights(model));
    static_cast<void>(andon::model::remove_dead_nodes(model.graph()));
    static_cast<void>(model.serialise());
  } catch (const andon::base::Error&) {
  }
  return 0;
}
