// SPDX-License-Identifier: Apache-2.0
#include "cli/access/consumer_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/json/json_text.hpp"
#include "base/os/file.hpp"
#include "base/text/encoding.hpp"
#include "base/text/escape.hpp"
#include "cli/terminal/server_choice.hpp"
#include "cli/terminal/subcommand.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;

constexpr unsigned kOwnerOnly = 0600;

struct Options {
  ServerChoice server;
  std::string name;
  std::vector<std::string> policies;
  base::fs::path out = ".";
  bool is_user = false;
  bool json = false;
};

std::string path_of(const std::string& name) {
  return "/andon/v1/consumers/" + base::percent_encode(name);
}

int add(const Options& options) {
  ServerClient server(options.server);
  // Before anything is made: a key that cannot be written would be lost.
  if (!options.json && !options.is_user) base::make_directories(options.out);
  const json::value answer = server->rest(
      "andon", "POST", path_of(options.name),
      {{"type", options.is_user ? "USER" : "CERTIFICATE"},
       {"policyNames", json::array(options.policies.begin(), options.policies.end())}});
  if (options.json) {
    fmt::print("{}\n", base::json_text(answer));
    return 0;
  }
  const base::JsonReader made(answer, "answer");
  if (options.is_user) {
    fmt::print(stderr, "The password is shown once; it cannot be had again. TLS with {}:\n",
               server.connection().ca_file);
    fmt::print("user {}\npassword {}\nport {}\n", made.string("userName"), made.string("password"),
               made.integer("port"));
    return 0;
  }
  const base::fs::path certificate = options.out / (options.name + ".crt");
  const base::fs::path key = options.out / (options.name + ".key");
  base::write_file_atomically(key, made.string("privateKey"), kOwnerOnly);
  base::write_file_atomically(certificate, made.string("certificatePem"));
  fmt::print("{}\n{}\n", certificate.string(), key.string());
  return 0;
}

int list(const Options& options) {
  ServerClient server(options.server);
  const json::array all = server.all("andon", "/andon/v1/consumers", "consumers");
  if (options.json) {
    fmt::print("{}\n", base::json_text(all));
    return 0;
  }
  for (const json::value& one : all) {
    const base::JsonReader consumer(one, "consumer");
    fmt::print("{:<24} {:<12} {}\n", base::escape_line(consumer.string("consumerName")),
               consumer.string("type"), consumer.string("principal"));
  }
  return 0;
}

int remove(const Options& options) {
  ServerClient(options.server)->rest("andon", "DELETE", path_of(options.name));
  return 0;
}

}  // namespace

void add_consumer_commands(CLI::App& app, std::function<int()>& selected) {
  auto* consumer = noun(app, "consumer", "Line computers and other users of the broker");
  const auto options = std::make_shared<Options>();
  const auto command = [&](const char* name, const char* help, auto act) {
    auto* one = consumer->add_subcommand(name, help);
    add_server_options(*one, options->server);
    one->callback(
        [options, act, &selected] { selected = [options, act] { return act(*options); }; });
    return one;
  };
  auto* made = command("add", "Make one, with a certificate of its own", add);
  made->add_option("name", options->name, "Name")->required();
  made->add_option("--policy", options->policies,
                   "IoT policy that says what it may do; may be given more than once")
      ->type_name("NAME")
      ->required();
  made->add_option("--out", options->out, "Where NAME.crt and NAME.key are written")
      ->type_name("DIR")
      ->capture_default_str();
  made->add_flag("--user", options->is_user,
                 "A name and a password in the place of a certificate, for what can do no better");
  made->add_flag("--json", options->json, "Print one JSON object, and write no files");
  auto* listed = command("list", "All of them", list);
  listed->add_flag("--json", options->json, "Print JSON");
  command("delete", "Take one its access away", remove)
      ->add_option("name", options->name, "Name")
      ->required();
}

}  // namespace andon::cli
