// SPDX-License-Identifier: Apache-2.0
#include "cli/device_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/encoding.hpp"
#include "base/json.hpp"
#include "base/time.hpp"
#include "cli/aws_client.hpp"

namespace andon::cli {
namespace {

struct AddOptions {
  std::string name;
  base::fs::path data = "data";
  int lifetime_seconds = 3600;
  bool json = false;
};

int add_device(const AddOptions& options) {
  const base::SystemClock clock;
  AwsClient aws(read_connection(options.data), clock);
  aws.rest("iot", "POST", "/things/" + base::percent_encode(options.name), base::json::object());
  const base::json::value answer =
      aws.rest("andon", "POST", "/andon/v1/enrolment-tokens",
               {{"thingName", options.name}, {"lifetimeSeconds", options.lifetime_seconds}});
  if (options.json) {
    fmt::print("{}\n", base::to_text(answer));
    return 0;
  }
  fmt::print(stderr,
             "On the device, within {} minutes:\n  andon-edge provision --root DIR --token \\\n",
             options.lifetime_seconds / 60);
  fmt::print("{}\n", base::JsonReader(answer, "enrolment token").string("token"));
  return 0;
}

}  // namespace

void add_device_commands(CLI::App& app, std::function<int()>& selected) {
  auto* device = app.add_subcommand("device", "Devices of the fleet");
  device->require_subcommand(1);
  auto* add = device->add_subcommand("add", "Make a thing and a one-time token to enrol it with");
  const auto options = std::make_shared<AddOptions>();
  add->add_option("name", options->name, "Thing name")->required();
  add->add_option("--data", options->data,
                  "Data directory of andon-server, for its address and key")
      ->capture_default_str();
  add->add_option("--lifetime", options->lifetime_seconds, "Seconds that the token is good for")
      ->check(CLI::Range(60, 7 * 24 * 3600))
      ->capture_default_str();
  add->add_flag("--json", options->json, "Print one JSON object: token, thingName, expiresAt");
  add->callback([options, &selected] { selected = [options] { return add_device(*options); }; });
}

}  // namespace andon::cli
