// SPDX-License-Identifier: Apache-2.0
#include "cli/demo/by_hand.hpp"

#include <fmt/format.h>

#include "base/json/json_reader.hpp"
#include "base/text/encoding.hpp"
#include "base/text/id.hpp"
#include "cli/demo/steps.hpp"
#include "recipe/reader/json_or_yaml.hpp"

namespace andon::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::JsonReader;
namespace json = base::json;

constexpr const char* kAnyFunction = "/2015-03-31/functions/edge-deployment-find-model/invocations";

// Why the device says that the deployment failed.
std::string failure_reason(DemoContext& demo, const std::string& deployment_id) {
  const json::value answer =
      demo.aws->rest("greengrass", "GET",
                     fmt::format("/greengrass/v2/coreDevices/{}/effectiveDeployments", kDemoThing));
  for (const JsonReader& one : JsonReader(answer, "devices").children("effectiveDeployments")) {
    if (one.optional_string("deploymentId") == deployment_id) {
      return one.optional_string("reason").value_or("the device gave no reason");
    }
  }
  return "the device has not reported it";
}

void create_model_component(DemoContext& demo, const ModelParts& model,
                            const std::string& version) {
  const base::fs::path file =
      demo.options.example / "recipes" / (std::string(kModelComponent) + ".yaml");
  json::value recipe = recipe::parse_json_or_yaml(base::read_file(file), "recipe");
  recipe.as_object()["ComponentVersion"] = version;
  recipe.at("Manifests").as_array().at(0).as_object()["Artifacts"] =
      model_artifacts(model_folder(version), model);
  demo.retry("cannot create the component", [&] {
    create_if_absent([&] {
      demo.aws->rest("greengrass", "POST", "/greengrass/v2/createComponentVersion",
                     {{"inlineRecipe", base::to_base64(base::to_text(recipe))}});
    });
  });
}

std::string create_deployment(DemoContext& demo, const std::string& model_version) {
  const json::object merge{{"imageDirectory", base::fs::absolute(demo.options.images).string()},
                           {"confidence", demo.options.confidence}};
  const json::object components{{kModelComponent, {{"componentVersion", model_version}}},
                                {kInspectComponent,
                                 {{"componentVersion", "1.0.0"},
                                  {"configurationUpdate", {{"merge", base::to_text(merge)}}}}}};
  const json::object request{
      {"targetArn", fmt::format("arn:aws:iot:us-east-1:000000000000:thing/{}", kDemoThing)},
      {"deploymentName", "metal-tags with model " + model_version},
      {"clientToken", base::random_uuid()},
      {"components", components}};
  return demo.retry("cannot create the deployment", [&] {
    const json::value answer =
        demo.aws->rest("greengrass", "POST", "/greengrass/v2/deployments", request);
    return JsonReader(answer, "CreateDeployment").string("deploymentId");
  });
}

}  // namespace

std::optional<std::string> why_no_functions(DemoContext& demo) {
  try {
    const FunctionAnswer answer = demo.retry(
        "cannot call a function", [&] { return demo.aws->invoke(kAnyFunction, "{}", false); });
    // It has nothing to find here; that it says so is what was asked.
    const json::value told = base::parse_json(answer.payload, "the function's answer");
    const std::string type =
        JsonReader(told, "the function's answer").optional_string("errorType").value_or("");
    if (type.starts_with("Runtime.") || type.starts_with("Sandbox.")) return type;
    return std::nullopt;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::cancelled || error.code() == ErrorCode::deadline_exceeded) throw;
    return error.message();
  }
}

Shipped ship_by_hand(DemoContext& demo, const ModelParts& model, const std::string& version,
                     const std::string& package) {
  demo.retry("cannot approve the model",
             [&] { set_approval(*demo.aws, package, "Approved", "by andon demo"); });
  create_model_component(demo, model, version);
  Shipped shipped{.execution = "",
                  .deployment_id = create_deployment(demo, version),
                  .verdict = "not tried",
                  .took = {}};
  demo.wait_until("the deployment's completion", [&] {
    const std::string status = demo.retry("cannot read the deployment", [&] {
      const json::value answer = demo.aws->rest(
          "greengrass", "GET", "/greengrass/v2/deployments/" + shipped.deployment_id);
      return JsonReader(answer, "GetDeployment").string("deploymentStatus");
    });
    if (status == "FAILED" || status == "CANCELED") {
      throw Error(ErrorCode::failed_precondition,
                  fmt::format("the deployment is {}: {}", status,
                              failure_reason(demo, shipped.deployment_id)));
    }
    return status == "COMPLETED";
  });
  measure(demo, shipped);
  return shipped;
}

}  // namespace andon::cli
