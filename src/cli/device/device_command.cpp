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
#include "base/os/file.hpp"
#include "base/text/encoding.hpp"
#include "cli/device/enrol_line.hpp"
#include "cli/terminal/server_choice.hpp"
#include "cli/terminal/subcommand.hpp"
#include "fleet/provisioning/enrolment.hpp"
#include "wire/http/http_client.hpp"

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

// The key of the repository that the server offers to devices; nothing where it offers none.
std::optional<std::string> repository_key(const std::string& url, const base::fs::path& ca_file) {
  constexpr std::size_t kMost = 64U << 10U;
  wire::HttpClient client({.ca_file = ca_file.string()});
  try {
    const wire::IncomingResponse answer =
        client.send({.url = url + "/packages/andon.gpg", .max_response_bytes = kMost});
    if (answer.status != 200) return std::nullopt;
    return answer.body;
  } catch (const base::Error& error) {
    // Devices may know a name that this machine does not; the token is good all the same.
    fmt::print(stderr, "Whether the server offers packages is not known: {}\n", error.message());
    return std::nullopt;
  }
}

std::optional<std::string> enrol_line(const base::fs::path& ca_file, const std::string& token,
                                      const std::string& proxy) {
  if (ca_file.empty()) return std::nullopt;  // a server behind a certificate of the system's
  const std::string url = fleet::parse_enrolment_token(token).url;
  const auto key = repository_key(url, ca_file);
  if (!key) return std::nullopt;
  if (url.starts_with("https://localhost")) {
    fmt::print(stderr,
               "This line is good for this machine only: devices elsewhere need andon-server "
               "with --host and the name by which they reach it.\n");
  }
  return to_shell({url, *key, base::read_file(ca_file), token, proxy});
}

int add_device(const AddOptions& options) {
  require_enrol_proxy(options.proxy);
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
  const base::json::value answer =
      server->rest("andon", "POST", "/andon/v1/enrolment-tokens", asked);
  if (options.json) {
    fmt::print("{}\n", base::json_text(answer));
    return 0;
  }
  const std::string token = base::JsonReader(answer, "enrolment token").string("token");
  const auto line = options.only_token
                        ? std::nullopt
                        : enrol_line(server.connection().ca_file, token, options.proxy);
  const int minutes = options.lifetime_seconds / 60;
  if (line) {
    fmt::print(stderr, "On the device, as root, within {} minutes (or: | ssh root@DEVICE sh):\n\n",
               minutes);
    fmt::print("{}\n", *line);
    return 0;
  }
  fmt::print(stderr,
             "On the device, within {} minutes:\n  andon-edge provision --root DIR {}--token \\\n",
             minutes, options.proxy.empty() ? "" : "--proxy " + options.proxy + " ");
  fmt::print("{}\n", token);
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
  auto* const proxy = add->add_option(
      "--proxy", options->proxy,
      "By which the device reaches this server, for its package and from then on: http, https or "
      "socks5h");
  proxy->type_name("URL");
  add->add_flag("--only-token", options->only_token,
                "Print the token alone, also where the server offers packages: else a line that "
                "installs and enrols a fresh device is printed");
  add->add_flag("--json", options->json, "Print one JSON object: token, thingName, expiresAt")
      ->excludes(proxy);
  add->callback([options, &selected] { selected = [options] { return add_device(*options); }; });
}

}  // namespace andon::cli
