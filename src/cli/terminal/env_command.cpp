// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/env_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <thread>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_text.hpp"
#include "cli/terminal/server_choice.hpp"
#include "fleet/names/arn.hpp"
#include "wire/http/http_client.hpp"

namespace andon::cli {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::chrono::milliseconds kGlance{100};

struct EnvOptions {
  ServerChoice server;
  int wait_seconds = 0;
  bool as_json = false;
  base::fs::path sagemaker;  // where its configuration goes; empty: not wanted
};

// In single quotes, where a shell reads everything as it stands but the quote itself.
std::string shell_quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

Connection connection_of_ready_server(const ServerChoice& server) {
  Connection connection = connect(server);
  wire::HttpClient http(wire::HttpClientOptions{
      .ca_file = connection.api_url.starts_with("https:") ? connection.ca_file : std::string()});
  const auto answer = http.send({.url = connection.api_url + "/readyz"});
  if (answer.status != 200) {
    throw Error(ErrorCode::unavailable, "andon-server at " + connection.api_url +
                                            " is not ready yet: " + answer.body.substr(0, 200));
  }
  return connection;
}

Connection wait_for_server(const EnvOptions& options) {
  if (options.wait_seconds == 0) return connect(options.server);
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::seconds{options.wait_seconds};
  while (true) {
    try {
      return connection_of_ready_server(options.server);
    } catch (const Error& error) {
      const bool may_pass =
          error.code() == ErrorCode::unavailable || error.code() == ErrorCode::deadline_exceeded;
      if (!may_pass) throw;
      if (std::chrono::steady_clock::now() >= deadline) {
        throw Error(error).with_context(
            fmt::format("no server within {} s (--wait)", options.wait_seconds));
      }
    }
    std::this_thread::sleep_for(kGlance);
  }
}

int print_environment(const EnvOptions& options) {
  const Connection connection = wait_for_server(options);
  Environment environment = environment_of(connection);
  if (!options.sagemaker.empty()) {
    base::write_file_atomically(options.sagemaker, sagemaker_configuration(connection));
    environment.emplace_back("SAGEMAKER_USER_CONFIG_OVERRIDE",
                             base::fs::absolute(options.sagemaker).lexically_normal().string());
  }
  if (options.as_json) {
    base::json::object object;
    for (const auto& [name, value] : environment) object[name] = value;
    fmt::print("{}\n", base::json_text(object));
  } else {
    fmt::print("{}", shell_lines(environment));
  }
  return 0;
}

}  // namespace

Environment environment_of(const Connection& connection) {
  return {{"AWS_ACCESS_KEY_ID", connection.credentials.access_key_id},
          {"AWS_SECRET_ACCESS_KEY", connection.credentials.secret_access_key},
          {"AWS_DEFAULT_REGION", connection.region},
          {"AWS_REGION", connection.region},
          {"AWS_ENDPOINT_URL", connection.api_url},
          {"AWS_CA_BUNDLE", base::fs::absolute(connection.ca_file).lexically_normal().string()}};
}

std::string sagemaker_configuration(const Connection& connection) {
  const std::string bucket =
      "sagemaker-" + connection.region + "-" + fleet::Arns(connection.region).account();
  return "# Written by `andon env --sagemaker`: without it SageMaker's Python SDK asks hosts of "
         "AWS\n"
         "# for the account's number, and tells them what it is used for.\n"
         "SchemaVersion: \"1.0\"\n"
         "SageMaker:\n"
         "  PythonSDK:\n"
         "    Modules:\n"
         "      TelemetryOptOut: true\n"
         "      Session:\n"
         "        DefaultS3Bucket: " +
         bucket + "\n";
}

std::string shell_lines(const Environment& environment) {
  std::string lines = "unset AWS_SESSION_TOKEN AWS_PROFILE AWS_IGNORE_CONFIGURED_ENDPOINT_URLS\n";
  for (const auto& [name, value] : environment) {
    lines += fmt::format("export {}={}\n", name, shell_quoted(value));
  }
  return lines;
}

void add_env_command(CLI::App& app, std::function<int()>& selected) {
  auto* command = app.add_subcommand(
      "env", "Print what AWS's tools need to reach a server: eval \"$(andon env)\"");
  const auto options = std::make_shared<EnvOptions>();
  add_server_options(*command, options->server);
  command->add_option("--wait", options->wait_seconds, "Seconds to wait for the server to be ready")
      ->check(CLI::Range(0, 3600))
      ->capture_default_str();
  command->add_option("--sagemaker", options->sagemaker,
                      "Also write the configuration of SageMaker's Python SDK to this file, and "
                      "name it: the SDK asks no other host then");
  command->add_flag("--json", options->as_json, "Print one JSON object, a member a variable");
  command->callback(
      [options, &selected] { selected = [options] { return print_environment(*options); }; });
}

}  // namespace andon::cli
