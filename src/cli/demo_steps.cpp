// SPDX-License-Identifier: Apache-2.0
#include "cli/demo_steps.hpp"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <thread>
#include <utility>

#include "base/encoding.hpp"
#include "base/id.hpp"

namespace andon::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::JsonReader;
namespace json = base::json;

constexpr const char* kModelBucket = "andon-models";
constexpr const char* kComponentBucket = "andon-components";
constexpr const char* kModelGroup = "metal-tags";
constexpr const char* kInspectVersion = "1.0.0";

// A call that may have been carried out before its answer was lost is repeated; the server then
// says that the thing exists, which is what was wanted.
template <typename Call>
void create(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    const bool exists = error.code() == ErrorCode::conflict ||
                        error.code() == ErrorCode::already_exists ||
                        error.message().find("already") != std::string::npos;
    if (!exists) throw;
  }
}

base::fs::path program(const DemoContext& demo, const char* name) {
  return demo.options.programs / name;
}

void upload(DemoContext& demo, const char* bucket, const std::string& key,
            const base::fs::path& file) {
  demo.retry("cannot upload " + file.string(), [&] {
    demo.aws->create_bucket(bucket);
    demo.aws->put_object(bucket, key, file, [&](std::uint64_t sent, std::uint64_t total) {
      demo.terminal.progress("upload " + file.filename().string(), sent, total);
    });
  });
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

void create_component(DemoContext& demo, const std::string& recipe) {
  demo.retry("cannot create the component", [&] {
    create([&] {
      demo.aws->rest("greengrass", "POST", "/greengrass/v2/createComponentVersion",
                     {{"inlineRecipe", base::to_base64(recipe)}});
    });
  });
}

std::string recipe_text(const DemoContext& demo, const char* component) {
  return base::read_file(demo.options.example / "recipes" / (std::string(component) + ".yaml"));
}

// Why the device says that the deployment failed.
std::string failure_reason(DemoContext& demo, const std::string& deployment_id) {
  const json::value answer =
      demo.aws->rest("greengrass", "GET",
                     fmt::format("/greengrass/v2/coreDevices/{}/effectiveDeployments", kDemoThing));
  const auto* deployments = JsonReader(answer, "").optional_array("effectiveDeployments");
  if (deployments == nullptr) return "the device gave no reason";
  for (const json::value& element : *deployments) {
    const JsonReader deployment(element, "effectiveDeployments[]");
    if (deployment.optional_string("deploymentId") == deployment_id) {
      return deployment.optional_string("reason").value_or("the device gave no reason");
    }
  }
  return "the device has not reported it";
}

std::uint64_t bytes_fetched(const DemoContext& demo) {
  const std::string text =
      run_to_end({program(demo, "andon-edge"), "status", "--root", demo.state / "device", "--json"},
                 demo.state / "status.log", std::chrono::seconds{20});
  const json::value status = base::parse_json(text, "andon-edge status");
  const auto deployment = JsonReader(status, "status").child("lastDeployment");
  return static_cast<std::uint64_t>(deployment.optional_integer("bytesFetched").value_or(0));
}

}  // namespace

void start_server(DemoContext& demo) {
  const base::fs::path data = demo.state / "server";
  demo.processes.start(
      {"andon-server",
       {program(demo, "andon-server"), "run", "--data", data, "--device-address", "127.0.0.1",
        "--api-port", std::to_string(demo.ports.api), "--device-port",
        std::to_string(demo.ports.device_plane), "--mqtt-port", std::to_string(demo.ports.mqtt)},
       demo.state / "server.log"});
  demo.wait_until("andon-server coming up", [&] {
    return base::fs::exists(data / "server.json") &&
           base::fs::exists(data / "credentials" / "operator.json");
  });
  const Connection connection = read_connection(data);
  wire::HttpClient http({});
  demo.wait_until("andon-server being ready", [&] {
    try {
      return http.send({.url = connection.api_url + "/readyz"}).status == 200;
    } catch (const Error&) {
      return false;  // not listening yet; wait_until has the deadline
    }
  });
  demo.aws = std::make_unique<AwsClient>(connection, demo.clock);

  const base::fs::path credentials = base::fs::absolute(demo.options.out) / "aws-credentials";
  base::write_file_atomically(
      credentials,
      fmt::format("[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
                  connection.credentials.access_key_id, connection.credentials.secret_access_key),
      0600);
  demo.terminal.detail(fmt::format("API {}   device plane https://localhost:{}   MQTT localhost:{}",
                                   connection.api_url, demo.ports.device_plane, demo.ports.mqtt));
}

void provision_device(DemoContext& demo) {
  const base::fs::path root = demo.state / "device";
  demo.retry("cannot enrol the device", [&] {
    create([&] {
      demo.aws->rest("iot", "POST", std::string("/things/") + kDemoThing, json::object());
    });
    const json::value answer =
        demo.aws->rest("andon", "POST", "/andon/v1/enrolment-tokens", {{"thingName", kDemoThing}});
    const std::string token = JsonReader(answer, "enrolment token").string("token");
    run_to_end({program(demo, "andon-edge"), "provision", "--root", root, "--token", token},
               demo.state / "provision.log", std::chrono::seconds{60});
  });
  demo.processes.start({"andon-edge",
                        {program(demo, "andon-edge"), "run", "--root", root},
                        demo.state / "device.log"});
}

std::string register_model(DemoContext& demo, const base::fs::path& model,
                           const std::string& version) {
  const std::string key = fmt::format("{}/{}/model.onnx", kModelGroup, version);
  upload(demo, kModelBucket, key, model);
  const std::string token = base::random_uuid();
  return demo.retry("cannot register the model", [&] {
    create([&] {
      demo.aws->sagemaker("CreateModelPackageGroup", {{"ModelPackageGroupName", kModelGroup}});
    });
    const json::value created = demo.aws->sagemaker(
        "CreateModelPackage",
        {{"ModelPackageGroupName", kModelGroup},
         {"ClientToken", token},
         {"ModelApprovalStatus", "PendingManualApproval"},
         {"InferenceSpecification",
          {{"Containers",
            json::array{{{"Image", "andon-inspect"},
                         {"ModelDataUrl", fmt::format("s3://{}/{}", kModelBucket, key)}}}},
           {"SupportedContentTypes", json::array{"image/jpeg", "image/png"}},
           {"SupportedResponseMIMETypes", json::array{"application/json"}}}}});
    std::string arn = JsonReader(created, "CreateModelPackage").string("ModelPackageArn");
    demo.aws->sagemaker("UpdateModelPackage",
                        {{"ModelPackageArn", arn}, {"ModelApprovalStatus", "Approved"}});
    return arn;
  });
}

void create_model_component(DemoContext& demo, const std::string& version) {
  // The registered object itself is the artifact: it is not uploaded a second time.
  std::string recipe = recipe_text(demo, kModelComponent);
  recipe = replaced(recipe, fmt::format("s3://{}/{}/1.0.0/", kComponentBucket, kModelComponent),
                    fmt::format("s3://{}/{}/{}/", kModelBucket, kModelGroup, version));
  recipe = replaced(recipe, "ComponentVersion: 1.0.0", "ComponentVersion: " + version);
  create_component(demo, recipe);
}

void create_inspect_component(DemoContext& demo) {
  upload(demo, kComponentBucket,
         fmt::format("{}/{}/andon-inspect", kInspectComponent, kInspectVersion),
         program(demo, "andon-inspect"));
  create_component(demo, recipe_text(demo, kInspectComponent));
}

void subscribe_to_results(DemoContext& demo) {
  const base::fs::path data = demo.state / "server";
  demo.mqtt = std::make_unique<wire::MqttClient>(
      wire::MqttOptions{.host = "localhost",
                        .port = demo.ports.mqtt,
                        .client_id = "andon-demo-" + base::random_uuid(),
                        .ca_file = data / "ca" / "ca.crt",
                        .certificate_file = data / "credentials" / "operator.crt",
                        .private_key_file = data / "credentials" / "operator.key"});
  demo.mqtt->subscribe(
      fmt::format("andon/things/{}/results", kDemoThing), wire::Qos::at_least_once,
      [&](const wire::MqttMessage& message) { demo.results.receive(message.payload); });
  demo.wait_until("the connection to the broker", [&] { return demo.mqtt->is_connected(); });
}

Deployed deploy(DemoContext& demo, const std::string& model_version) {
  const json::object merge{{"imageDirectory", base::fs::absolute(demo.options.images).string()},
                           {"confidence", demo.options.confidence}};
  const json::object components{{kModelComponent, {{"componentVersion", model_version}}},
                                {kInspectComponent,
                                 {{"componentVersion", kInspectVersion},
                                  {"configurationUpdate", {{"merge", base::to_text(merge)}}}}}};
  const json::object request{
      {"targetArn", fmt::format("arn:aws:iot:us-east-1:000000000000:thing/{}", kDemoThing)},
      {"deploymentName", "metal-tags with model " + model_version},
      {"clientToken", base::random_uuid()},
      {"components", components}};

  const auto started = std::chrono::steady_clock::now();
  Deployed deployed;
  deployed.deployment_id = demo.retry("cannot create the deployment", [&] {
    const json::value answer =
        demo.aws->rest("greengrass", "POST", "/greengrass/v2/deployments", request);
    return JsonReader(answer, "CreateDeployment").string("deploymentId");
  });
  demo.wait_until("the deployment's completion", [&] {
    const std::string status = demo.retry("cannot read the deployment", [&] {
      const json::value answer = demo.aws->rest(
          "greengrass", "GET", "/greengrass/v2/deployments/" + deployed.deployment_id);
      return JsonReader(answer, "GetDeployment").string("deploymentStatus");
    });
    if (status == "FAILED" || status == "CANCELED") {
      throw Error(ErrorCode::failed_precondition,
                  fmt::format("the deployment is {}: {}", status,
                              failure_reason(demo, deployed.deployment_id)));
    }
    return status == "COMPLETED";
  });
  deployed.took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - started);
  deployed.bytes_fetched = bytes_fetched(demo);
  return deployed;
}

}  // namespace andon::cli
