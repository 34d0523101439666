// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/login_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <memory>
#include <string>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "base/json/json_text.hpp"
#include "cli/terminal/ask.hpp"
#include "cli/terminal/profile.hpp"
#include "cli/terminal/server_choice.hpp"
#include "cli/terminal/table.hpp"
#include "fleet/provisioning/enrolment.hpp"
#include "options/usage_error.hpp"
#include "trust/keys/certificate.hpp"
#include "wire/http/http_client.hpp"

namespace andon::cli {
namespace {

using base::Error;
using base::ErrorCode;
namespace json = base::json;

constexpr std::string_view kHttps = "https://";
constexpr std::size_t kMostPemBytes = 1U << 20U;

struct Options {
  ServerChoice server;
  std::string url;
  std::string name;
  std::string region = "us-east-1";
  std::string key_id;
  std::string fingerprint;
  base::fs::path ca_file;
  base::fs::path key_file;
  bool as_json = false;
};

constexpr std::string_view kHint = "type it, give it on stdin, or name a file with --key-file";

// {"AccessKeyId", "SecretAccessKey"}, as `andon keys add --json` prints it, or {"accessKeyId",
// ...}, as a server writes its operator's.
wire::Credentials read_key(const base::fs::path& file) {
  const json::value key = base::parse_json(base::read_file(file, kMostPemBytes), file.string());
  const base::JsonReader reader(key, file.string(), {.keys = base::JsonReading::Keys::any_case});
  return {reader.required_text("accessKeyId"), reader.required_text("secretAccessKey"),
          reader.optional_string("sessionToken").value_or("")};
}

wire::Credentials credentials_of(const Options& options) {
  if (!options.key_file.empty()) return read_key(options.key_file);
  wire::Credentials credentials;
  credentials.access_key_id = options.key_id.empty() ? ask("access key id", kHint) : options.key_id;
  credentials.secret_access_key = ask_silently("secret access key", kHint);
  return credentials;
}

// Nothing is sent but the question for it: what comes is believed by its digest.
std::string fetch_ca(const Options& options) {
  wire::HttpClient http({.verify_server = false});
  const wire::IncomingResponse answer = http.send(
      {.url = options.url + std::string(fleet::kCaPath), .max_response_bytes = kMostPemBytes});
  if (answer.status != 200) {
    throw Error(
        ErrorCode::unavailable,
        fmt::format("{} did not give its CA certificate (HTTP {}); copy ca/ca.crt of its data "
                    "directory and name it with --ca-file",
                    options.url, answer.status));
  }
  const std::string fingerprint = trust::describe_certificate(answer.body).fingerprint;
  if (fingerprint != options.fingerprint) {
    throw Error(ErrorCode::data_corrupted,
                fmt::format("{} has another CA, {}; nothing was sent to it. Somebody may be in "
                            "between, or the fingerprint is another server's",
                            options.url, fingerprint));
  }
  return answer.body;
}

std::string ca_of(const Options& options) {
  if (!options.url.starts_with(kHttps)) return "";
  if (!options.ca_file.empty()) return base::read_file(options.ca_file, kMostPemBytes);
  return options.fingerprint.empty() ? "" : fetch_ca(options);
}

std::string host_of(const std::string& url) {
  const std::size_t begin = url.find("://") + 3;
  const std::size_t end = url.find_first_of(":/", begin);
  std::string host = url.substr(begin, end == std::string::npos ? end : end - begin);
  return host.empty() || host.front() == '[' ? "server" : host;
}

std::string identity_of(AwsClient& aws) {
  const json::value answer = aws.query("sts", "2011-06-15", "GetCallerIdentity", {});
  return text_of(answer, "Arn");
}

int login(Options options) {
  while (options.url.ends_with('/')) options.url.pop_back();
  if (!options.url.starts_with(kHttps) && !options.url.starts_with("http://")) {
    throw options::UsageError("'" + options.url + "' is no address: https://HOST:8080");
  }
  Profile profile{.name = options.name.empty() ? host_of(options.url) : options.name,
                  .api_url = options.url,
                  .ca_pem = ca_of(options),
                  .region = options.region,
                  .credentials = credentials_of(options)};
  const base::TemporaryDirectory scratch;
  Connection connection{profile.api_url, "", profile.region, profile.credentials};
  if (!profile.ca_pem.empty()) {
    connection.ca_file = (scratch.path() / "ca.crt").string();
    base::write_file_atomically(connection.ca_file, profile.ca_pem, 0600);
  }
  const base::SystemClock clock;
  AwsClient aws(connection, clock);
  const std::string who = identity_of(aws);
  Profiles(Profiles::default_directory()).save(profile);
  if (options.as_json) {
    std::cout << base::json_text(json::object{
                     {"server", profile.name}, {"api", profile.api_url}, {"identity", who}})
              << '\n';
  } else {
    fmt::print("signed in to {} ({}) as {}\n", profile.name, profile.api_url, who);
  }
  return 0;
}

int logout(const Options& options) {
  const Profiles profiles(Profiles::default_directory());
  const std::string name = options.name.empty() ? profiles.chosen().value_or("") : options.name;
  if (name.empty()) throw Error(ErrorCode::not_found, "nobody is signed in to a server here");
  profiles.remove(name);
  fmt::print(stderr, "the key of {} is no longer kept here; it is good until it is deleted there\n",
             name);
  return 0;
}

std::size_t count(ServerClient& server, std::string_view service, const std::string& target,
                  std::string_view member) {
  return server.all(service, target, member).size();
}

int status(const Options& options) {
  ServerClient server(options.server);
  const std::string who = identity_of(*server);
  std::map<std::string, std::size_t> devices;
  for (const json::value& device :
       server.all("greengrass", "/greengrass/v2/coreDevices?maxResults=100", "coreDevices")) {
    ++devices[text_of(device, "status")];
  }
  const std::size_t things = count(server, "iot", "/things?maxResults=250", "things");
  std::size_t active = 0;
  for (const json::value& deployment : server.all(
           "greengrass", "/greengrass/v2/deployments?historyFilter=LATEST_ONLY&maxResults=100",
           "deployments")) {
    if (text_of(deployment, "deploymentStatus") == "ACTIVE") ++active;
  }
  const Connection& connection = server->connection();
  std::string ca;
  if (const auto pem = base::read_file_if_exists(connection.ca_file, kMostPemBytes)) {
    ca = trust::describe_certificate(*pem).fingerprint;
  }
  if (options.as_json) {
    std::cout << base::json_text(json::object{{"api", connection.api_url},
                                              {"caFingerprint", ca},
                                              {"identity", who},
                                              {"things", things},
                                              {"healthy", devices["HEALTHY"]},
                                              {"unhealthy", devices["UNHEALTHY"]},
                                              {"activeDeployments", active}})
              << '\n';
    return 0;
  }
  fmt::print("server       {}\n", connection.api_url);
  if (!ca.empty()) fmt::print("CA           {}\n", ca);
  fmt::print("you          {}\n", who);
  fmt::print("devices      {}: {} healthy, {} unhealthy, {} not heard of yet\n", things,
             devices["HEALTHY"], devices["UNHEALTHY"],
             things - std::min(things, devices["HEALTHY"] + devices["UNHEALTHY"]));
  fmt::print("deployments  {} going on\n", active);
  return 0;
}

}  // namespace

void add_login_commands(CLI::App& app, std::function<int()>& selected) {
  const auto options = std::make_shared<Options>();
  CLI::App* in =
      app.add_subcommand("login", "Sign in to a server, wherever it is, and remember it");
  in->add_option("url", options->url, "Its address: https://HOST:8080")->required();
  in->add_option("--name", options->name, "What it is called here")->default_str("the host's name");
  in->add_option("--region", options->region, "The region that requests name")
      ->capture_default_str();
  in->add_option("--key-id", options->key_id,
                 "Access key; the secret is asked for, or read of stdin")
      ->type_name("AKIA...");
  auto* file = in->add_option("--key-file", options->key_file,
                              "The key as `andon keys add --json` prints it");
  file->type_name("FILE")->excludes("--key-id");
  auto* ca =
      in->add_option("--ca-file", options->ca_file, "The server's CA (ca/ca.crt of its data)");
  ca->type_name("FILE");
  in->add_option("--ca-fingerprint", options->fingerprint,
                 "SHA-256 of the server's CA, as `andon status` on its machine shows it: the CA is "
                 "fetched and believed by it")
      ->type_name("HEX")
      ->check([](const std::string& text) {
        const bool fits =
            text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
        return fits ? std::string() : std::string("64 lower-case hexadecimal digits are expected");
      })
      ->excludes(ca);
  in->add_flag("--json", options->as_json, "Print one JSON object");
  in->callback([options, &selected] { selected = [options] { return login(*options); }; });

  CLI::App* out = app.add_subcommand("logout", "Forget a server and the key for it");
  out->add_option("name", options->name, "Its name here")->default_str("the last");
  out->callback([options, &selected] { selected = [options] { return logout(*options); }; });

  CLI::App* status_command = app.add_subcommand("status", "A server, who you are there, its fleet");
  add_server_options(*status_command, options->server);
  status_command->add_flag("--json", options->as_json, "Print one JSON object");
  status_command->callback(
      [options, &selected] { selected = [options] { return status(*options); }; });
}

}  // namespace andon::cli
