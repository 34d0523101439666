// SPDX-License-Identifier: Apache-2.0
// Puts a device graph into the file of the model that it was made of: into the metadata, where
// every other program passes it by, with its weights left where they are in the file
// (vision/detect/device_graph.hpp reads it). Pure.
#pragma once

#include <optional>
#include <string>

#include "model/graph/model.hpp"

namespace andon::model {

// The model's file with it.
[[nodiscard]] std::string with_device_graph(Model plain, Model device_graph);

// Its device graph as a model that runs by itself, where it has one.
[[nodiscard]] std::optional<Model> device_graph_of(const vision::ModelFile& file);

// As it was without one.
void remove_device_graph(Model& model);

}  // namespace andon::model
