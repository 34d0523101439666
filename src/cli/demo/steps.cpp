// SPDX-License-Identifier: Apache-2.0
#include "cli/demo/steps.hpp"

#include <unistd.h>

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <thread>
#include <utility>

#include "base/json/json_reader.hpp"
#include "base/text/encoding.hpp"
#include "base/text/id.hpp"

namespace andon::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::JsonReader;
namespace json = base::json;

constexpr const char* kModelGroup = "metal-tags";

base::fs::path program(const DemoContext& demo, const char* name) {
  return demo.options.programs / name;
}

void upload(DemoContext& demo, const char* bucket, const std::string& key,
            const base::fs::path& file) {
  demo.retry("cannot upload " + file.string(),
             [&] { cli::upload(*demo.aws, demo.terminal, bucket, key, file); });
}

}  // namespace

void start_server(DemoContext& demo) {
  const base::fs::path data = demo.state / "server";
  std::vector<std::string> command{program(demo, "andon-server"),
                                   "run",
                                   "--data",
                                   data,
                                   "--device-address",
                                   "127.0.0.1",
                                   "--api-port",
                                   std::to_string(demo.ports.api),
                                   "--device-port",
                                   std::to_string(demo.ports.device_plane),
                                   "--mqtt-port",
                                   std::to_string(demo.ports.mqtt)};
  for (const base::fs::path& path : demo.job_paths) {
    command.emplace_back("--job-path");
    command.push_back(path);
  }
  demo.processes.start({"andon-server", std::move(command), demo.state / "server.log"});
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

void provision_device(DemoContext& demo, const std::string& thing, const char* place) {
  const base::fs::path root = demo.state / place;
  // Everything of the demo is its user's, in a directory that may be closed to others.
  const std::string user = std::to_string(geteuid());
  demo.retry("cannot enrol the device", [&] {
    create_if_absent([&] { demo.aws->rest("iot", "POST", "/things/" + thing, json::object()); });
    const json::value answer =
        demo.aws->rest("andon", "POST", "/andon/v1/enrolment-tokens", {{"thingName", thing}});
    const std::string token = JsonReader(answer, "enrolment token").string("token");
    run_to_end({program(demo, "andon-edge"), "provision", "--root", root, "--token", token,
                "--component-user", user},
               demo.state / (std::string(place) + "-provision.log"), std::chrono::seconds{60});
  });
  demo.processes.start({"andon-edge",
                        {program(demo, "andon-edge"), "run", "--root", root, "--component-user",
                         user, "--pass-environment", "ONNXRUNTIME_ROOT"},
                        demo.state / (std::string(place) + ".log")});
}

void join_qa(DemoContext& demo) {
  demo.retry("cannot put the device into its group", [&] {
    demo.aws->rest("iot", "PUT", "/thing-groups/addThingToThingGroup",
                   {{"thingGroupName", kQaGroup}, {"thingName", kQaThing}});
  });
}

std::string model_folder(const std::string& version) {
  return fmt::format("{}/{}/", kModelGroup, version);
}

std::string register_model(DemoContext& demo, const ModelParts& model, const std::string& version,
                           const std::string& report) {
  for (const vision::ModelFile::Part& part : model) {
    upload(demo, kModelBucket, model_folder(version) + part.place, part.path);
  }
  const NewModelPackage package{.name = kModelGroup,
                                .folder = model_folder(version),
                                .token = base::random_uuid(),
                                .description = "",
                                .report = report};
  return demo.retry("cannot register the model",
                    [&] { return create_model_package(*demo.aws, package); });
}

void create_component_of_file(DemoContext& demo, const char* component,
                              const base::fs::path& file) {
  upload(demo, kComponentBucket, fmt::format("{}/1.0.0/{}", component, file.filename().string()),
         file);
  const std::string recipe =
      base::read_file(demo.options.example / "recipes" / (std::string(component) + ".yaml"));
  demo.retry("cannot create the component", [&] {
    create_if_absent([&] {
      demo.aws->rest("greengrass", "POST", "/greengrass/v2/createComponentVersion",
                     {{"inlineRecipe", base::to_base64(recipe)}});
    });
  });
}

void subscribe_to_results(DemoContext& demo) {
  const base::fs::path data = demo.state / "server";
  demo.mqtt = std::make_unique<wire::MqttClient>(
      wire::MqttOptions{.host = "localhost",
                        .port = demo.ports.mqtt,
                        .client_id = "andon-demo-" + base::random_uuid(),
                        .ca_file = data / "ca" / "ca.crt",
                        .certificate_file = data / "credentials" / "operator.crt",
                        .private_key = data / "credentials" / "operator.key"});
  demo.mqtt->subscribe(
      fmt::format("andon/things/{}/results", kDemoThing), wire::Qos::at_least_once,
      [&](const wire::MqttMessage& message) { demo.results.receive(message.payload); });
  demo.wait_until("the connection to the broker", [&] { return demo.mqtt->is_connected(); });
}

void take_missed_results(DemoContext& demo) {
  std::string next;
  do {
    const json::value page = demo.retry("the list of results", [&] {
      return demo.aws->rest(
          "andon", "GET",
          fmt::format("/andon/v1/results?includeMessages=true&maxResults=1000&thing={}{}",
                      kDemoThing, next.empty() ? "" : "&nextToken=" + next));
    });
    const base::JsonReader reader(page, "results");
    for (const base::JsonReader& result : reader.children("results")) {
      const auto* const message = result.optional_object("message");
      if (message != nullptr && !demo.results.has(result.string("image"))) {
        demo.results.receive(base::to_text(*message));
      }
    }
    next = reader.optional_string("nextToken").value_or("");
  } while (!next.empty());
}

std::uint64_t bytes_fetched(const DemoContext& demo) {
  const std::string text =
      run_to_end({program(demo, "andon-edge"), "status", "--root", demo.state / "device", "--json"},
                 demo.state / "status.log", std::chrono::seconds{20});
  const json::value status = base::parse_json(text, "andon-edge status");
  const auto deployment = JsonReader(status, "status").child("lastDeployment");
  return static_cast<std::uint64_t>(deployment.optional_integer("bytesFetched").value_or(0));
}

}  // namespace andon::cli
