// SPDX-License-Identifier: Apache-2.0
// The device graph that `andon model optimize` puts into the metadata of a quantised model
// (docs/optimise.md): an ONNX graph of its own, for which the model's file is where its weights
// lie. Other programs see an ordinary model. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace andon::vision {

// Of the metadata: the graph as base64, and the hexadecimal SHA-256 of the `graph` field's bytes of
// the model that it belongs to.
inline constexpr std::string_view kDeviceGraphKey = "andon_device_graph";
inline constexpr std::string_view kDeviceGraphOfKey = "andon_device_graph_of";
// By which name the device graph's external data call the model's file.
inline constexpr std::string_view kDeviceGraphWeights = "andon-model";

// Nothing where there is none, or where it is not of this model: whoever changed a model without
// knowing of it left it behind, and the model itself is what counts.
[[nodiscard]] std::optional<std::string> find_device_graph(std::string_view model);

// The bytes of the `graph` field of an ONNX model; empty where there is not exactly one.
[[nodiscard]] std::string_view graph_field(std::string_view model);

}  // namespace andon::vision
