// SPDX-License-Identifier: Apache-2.0
#include "cli/device/device_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/json/json_text.hpp"
#include "base/text/encoding.hpp"
#include "cli/terminal/server_choice.hpp"
#include "cli/terminal/subcommand.hpp"
#include "fleet/provisioning/enrolment.hpp"

namespace andon::cli {
namespace {

struct AddOptions {
  std::string name;
  ServerChoice server;
  int lifetime_seconds = 3600;
  std::string role_alias;
  std::vector<std::string> policies;
  bool json = false;
  bool only_token = false;
  std::string proxy;  // of the device
};

int add_device(const AddOptions& options) {
  ServerClient server(options.server);
  try {
    server->rest("iot", "POST", "/things/" + base::percent_encode(options.name),
                 base::json::object());
  } catch (const base::Error& error) {
    // One that is there, with attributes, say, of a stack.
    if (error.code() != base::ErrorCode::already_exists) throw;
  }
  base::json::object asked{{"thingName", options.name},
                           {"lifetimeSeconds", options.lifetime_seconds}};
  if (!options.role_alias.empty()) asked["roleAlias"] = options.role_alias;
  if (!options.policies.empty()) {
    asked["policyNames"] = base::json::array(options.policies.begin(), options.policies.end());
  }
  if (!options.proxy.empty()) asked["proxy"] = options.proxy;
  const base::json::value answer =
      server->rest("andon", "POST", "/andon/v1/enrolment-tokens", asked);
  if (options.json) {
    fmt::print("{}\n", base::json_text(answer));
    return 0;
  }
  const base::JsonReader made(answer, "enrolment token");
  const std::string token = made.string("token");
  const auto line = options.only_token ? std::nullopt : made.optional_string("line");
  const int minutes = options.lifetime_seconds / 60;
  if (!line) {
    if (const auto why = made.optional_string("lineRefused")) fmt::print(stderr, "{}\n", *why);
    fmt::print(stderr,
               "On the device, within {} minutes, by its standard input:\n"
               "  andon-edge provision --root DIR {}--token-file -\n",
               minutes, options.proxy.empty() ? "" : "--proxy " + options.proxy + " ");
    fmt::print("{}\n", token);
    return 0;
  }
  if (fleet::parse_enrolment_token(token).url.starts_with("https://localhost")) {
    fmt::print(stderr,
               "This line is good for this machine only: devices elsewhere need andon-server "
               "with --host and the name by which they reach it.\n");
  }
  fmt::print(stderr, "On the device, as root, within {} minutes (or: | ssh root@DEVICE sh):\n\n",
             minutes);
  fmt::print("{}\n", *line);
  return 0;
}

}  // namespace

void add_device_commands(CLI::App& app, std::function<int()>& selected) {
  auto* device = noun(app, "device", "Devices of the fleet");
  auto* add = device->add_subcommand("add", "Make a thing and a one-time token to enrol it with");
  const auto options = std::make_shared<AddOptions>();
  add->add_option("name", options->name, "Thing name")->required();
  add_server_options(*add, options->server);
  add->add_option("--lifetime", options->lifetime_seconds, "Seconds that the token is good for")
      ->check(CLI::Range(60, 7 * 24 * 3600))
      ->capture_default_str();
  add->add_option("--role-alias", options->role_alias,
                  "Role alias of IoT whose role the credentials of the device's components have; "
                  "else they may put objects under its name into andon-uploads")
      ->type_name("ALIAS");
  add->add_option("--policy", options->policies,
                  "IoT policy that its certificate will have; may be given more than once")
      ->type_name("NAME");
  add->add_option(
         "--proxy", options->proxy,
         "By which the device reaches this server, for its package and from then on: http, https "
         "or socks5h")
      ->type_name("URL");
  add->add_flag("--only-token", options->only_token,
                "Print the token alone, also where the server offers packages: else a line that "
                "installs and enrols a fresh device is printed");
  add->add_flag("--json", options->json,
                "Print one JSON object: token, thingName, expiresAt, line");
  add->callback([options, &selected] { selected = [options] { return add_device(*options); }; });
}

}  // namespace andon::cli
