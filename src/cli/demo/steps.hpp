// SPDX-License-Identifier: Apache-2.0
// The steps of the demo, in their order. Each is done through the public interface that a user has.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/demo/context.hpp"
#include "cli/registry/registry.hpp"

namespace andon::cli {

inline constexpr const char* kDemoThing = "line-1-camera-1";
inline constexpr const char* kQaThing = "qa-1";
inline constexpr const char* kQaGroup = "qa";
inline constexpr const char* kModelComponent = "com.example.MetalTags.Model";
inline constexpr const char* kInspectComponent = "com.example.MetalTags.Inspect";

void start_server(DemoContext& demo);
// Registers a device and starts its agent with its root in <state>/`place`.
void provision_device(DemoContext& demo, const std::string& thing, const char* place);
// Puts the QA device into its group.
void join_qa(DemoContext& demo);
// Where a model's files lie in the object store, with its "/".
[[nodiscard]] std::string model_folder(const std::string& version);
// Puts a model's files into the object store and registers them, waiting for approval; `report` is
// where it lies what is promised of it. Gives the model package's ARN.
std::string register_model(DemoContext& demo, const ModelParts& model, const std::string& version,
                           const std::string& report);
// Uploads the one file that the example's recipe of the component names and creates it.
void create_component_of_file(DemoContext& demo, const char* component, const base::fs::path& file);
void subscribe_to_results(DemoContext& demo);
// Out of the server's store: what came while the broker or this connection to it was away, and was
// stored meanwhile, so that the device has forgotten it.
void take_missed_results(DemoContext& demo);
// By the production device, for its last deployment.
std::uint64_t bytes_fetched(const DemoContext& demo);

}  // namespace andon::cli
