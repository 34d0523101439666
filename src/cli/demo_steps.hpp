// SPDX-License-Identifier: Apache-2.0
// The steps of the demo, in their order. Each is done through the public interface that a user has.
#pragma once

#include <cstdint>
#include <string>

#include "cli/demo_context.hpp"

namespace andon::cli {

inline constexpr const char* kDemoThing = "line-1-camera-1";
inline constexpr const char* kModelComponent = "com.example.MetalTags.Model";
inline constexpr const char* kInspectComponent = "com.example.MetalTags.Inspect";

void start_server(DemoContext& demo);
void provision_device(DemoContext& demo);
// Puts `model` into the object store and registers it, approved. Gives its model package ARN.
std::string register_model(DemoContext& demo, const base::fs::path& model,
                           const std::string& version);
// Creates a version of the model component from its recipe.
void create_model_component(DemoContext& demo, const std::string& version);
// Uploads andon-inspect and creates its component from its recipe.
void create_inspect_component(DemoContext& demo);
void subscribe_to_results(DemoContext& demo);

struct Deployed {
  std::string deployment_id;
  std::chrono::milliseconds took;   // from CreateDeployment to COMPLETED
  std::uint64_t bytes_fetched = 0;  // by the device, for this deployment
};
// Deploys both components to the device and waits for COMPLETED; throws failed_precondition with
// the device's own reason where the deployment fails.
Deployed deploy(DemoContext& demo, const std::string& model_version);

}  // namespace andon::cli
