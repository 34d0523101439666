// SPDX-License-Identifier: Apache-2.0
#include "vision/detect/device_graph.hpp"

#include <gtest/gtest.h>

#include "base/text/encoding.hpp"
#include "trust/digests/digest.hpp"
#include "vision/detect/model_file.hpp"
#include "vision/testing/tiny_onnx.hpp"

namespace andon::vision {
namespace {

using tiny_onnx::Message;

std::string model_with(std::string_view device_graph, std::string_view of = "") {
  const std::string graph = "a graph";
  const auto entry = [](std::string_view key, std::string_view value) {
    return Message().bytes(1, key).bytes(2, value);
  };
  return Message()
      .number(1, 8)
      .bytes(7, graph)
      .message(14, entry(kDeviceGraphKey, base::to_base64(device_graph)))
      .message(14, entry(kDeviceGraphOfKey, of.empty() ? trust::sha256_hex(graph) : of))
      .text();
}

TEST(DeviceGraph, IsFoundInTheMetadataOfItsModel) {
  const std::string own = tiny_onnx::detector(tiny_onnx::one_box());
  EXPECT_EQ(find_device_graph(model_with(own)), own);
  EXPECT_EQ(model_in_memory(model_with(own), "m.onnx").device_graph, own);
  EXPECT_EQ(find_device_graph(own), std::nullopt);
}

TEST(DeviceGraph, OfAnotherModelIsPassedBy) {
  const std::string own = tiny_onnx::detector(tiny_onnx::one_box());
  EXPECT_EQ(find_device_graph(model_with(own, trust::sha256_hex("another"))), std::nullopt);
  // Two graphs: it cannot be said which is meant.
  EXPECT_EQ(find_device_graph(model_with(own) + Message().bytes(7, "b").text()), std::nullopt);
}

TEST(DeviceGraph, ReadsNothingButItsModelsBytes) {
  const std::string place(kDeviceGraphWeights);
  EXPECT_TRUE(find_device_graph(model_with(tiny_onnx::with_weights_in(place))));
  EXPECT_FALSE(find_device_graph(model_with(tiny_onnx::with_weights_in("other.data"))));
  EXPECT_FALSE(find_device_graph(model_with(tiny_onnx::with_weights_in("../secret"))));
  EXPECT_FALSE(find_device_graph(model_with(tiny_onnx::with_weights_in(place, "1000000"))));
  EXPECT_FALSE(
      find_device_graph(model_with(tiny_onnx::with_weights_in(place, "18446744073709551615"))));
}

TEST(DeviceGraph, IsNothingInWhatIsDamaged) {
  const std::string whole = model_with(tiny_onnx::detector(tiny_onnx::one_box()));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(find_device_graph(std::string_view(whole).substr(0, size)));
  }
}

}  // namespace
}  // namespace andon::vision
