// SPDX-License-Identifier: Apache-2.0
// The example's pipeline (examples/metal-tags/workflows) in the demo: made once out of its
// template, then an approval alone starts it, and what its state machine does is shown as it goes.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/demo/context.hpp"
#include "cli/registry/registry.hpp"

namespace andon::cli {

inline constexpr const char* kGoldenComponent = "com.example.MetalTags.Golden";

// What is promised of the model on the golden pictures, as `andon model eval` has it: where it lies
// in the object store. Empty where the golden pictures' labels are not the model's.
std::string put_report(DemoContext& demo, const ModelParts& model, const std::string& version);

// Uploads the golden pictures with the truth about them and creates their component.
void create_golden_component(DemoContext& demo);
// `andon apply` of a template of the example as `stack`. Gives its output StateMachineArn.
std::string apply_template(DemoContext& demo, const std::string& stack, const char* file,
                           const std::vector<std::pair<std::string, std::string>>& parameters);
// That of template.yaml: state machine, functions, roles, rule. Gives the machine's ARN.
std::string apply_pipeline(DemoContext& demo);

struct Shipped {
  std::string execution;  // its ARN
  std::string deployment_id;
  std::string verdict;              // of the QA stage, in words
  std::chrono::milliseconds took;   // the deployment to production, until the device had done it
  std::uint64_t bytes_fetched = 0;  // by the production device, for it
};
// Approves the package and shows the execution that follows from that until it is over. Throws
// failed_precondition with the pipeline's own reason where it does not ship.
Shipped approve_and_follow(DemoContext& demo, const std::string& machine,
                           const std::string& package);
// Fills in what the deployment to production took.
void measure(DemoContext& demo, Shipped& shipped);

}  // namespace andon::cli
