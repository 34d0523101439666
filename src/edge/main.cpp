// SPDX-License-Identifier: Apache-2.0
// `andon-edge`, the device agent: reads options and runs the command that was asked for.
#include <fmt/format.h>
#include <grp.h>
#include <malloc.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_text.hpp"
#include "base/os/file.hpp"
#include "base/os/process.hpp"
#include "base/os/service_manager.hpp"
#include "base/text/escape.hpp"
#include "base/text/split.hpp"
#include "edge/agent/agent.hpp"
#include "edge/claim/claim.hpp"
#include "edge/claim/files.hpp"
#include "edge/cloud/provision.hpp"
#include "edge/control/adoption.hpp"
#include "edge/control/agent_status.hpp"
#include "edge/control/local_commands.hpp"
#include "edge/fit/fit_command.hpp"
#include "edge/run/component_user.hpp"
#include "launch/launcher/launcher.hpp"
#include "options/options.hpp"
#include "options/usage_error.hpp"
#include "trust/keys/private_key.hpp"

namespace {

using namespace andon;

struct Options {
  edge::fs::path root = "/var/lib/andon/edge";
  std::string token;
  std::string token_file;
  std::string key;
  edge::Claim claim;
  edge::fs::path certificate;  // that is there already
  std::string thing;
  edge::fs::path greengrass_config;
  std::string claim_mqtt;
  std::string claim_data_plane;
  std::vector<std::string> claim_parameters;
  bool as_json = false;
  std::uint64_t spool_mib = 64;
  int spool_hours = 0;
  std::size_t parallel_downloads = 4;
  std::uint64_t download_kib_per_second = 0;
  std::string component_user;
  std::vector<std::string> passed_environment;
  std::string reboot_command = "/sbin/reboot";
  std::string control_group;
  bool remote_shell = false;
  bool remote_copy = false;
  std::string remote_user;
  bool wait = false;
  bool leave = false;
  int trial_seconds = 300;
  char** arguments = nullptr;  // of the program, as it was started
};

std::string read_token(const Options& options) {
  if (options.token_file.empty()) return options.token;
  constexpr std::size_t kMost = 16U << 10U;
  const bool is_stdin = options.token_file == "-";
  const std::string text = base::read_file(is_stdin ? "/dev/stdin" : options.token_file, kMost);
  return std::string(base::trim(text, " \t\r\n"));
}

edge::Claim read_claim(const Options& options) {
  constexpr std::uint16_t kMqttPort = 8883;
  constexpr std::uint16_t kDataPlanePort = 8443;
  edge::Claim claim = options.claim;
  claim.device_key = options.key;
  claim.mqtt = edge::parse_endpoint(options.claim_mqtt, kMqttPort, "--mqtt");
  claim.data_plane = {claim.mqtt.host, kDataPlanePort};
  if (!options.claim_data_plane.empty()) {
    claim.data_plane =
        edge::parse_endpoint(options.claim_data_plane, kDataPlanePort, "--data-plane");
  }
  for (const std::string& parameter : options.claim_parameters) {
    const std::size_t equals = parameter.find('=');
    claim.parameters[parameter.substr(0, equals)] = parameter.substr(equals + 1);
  }
  return claim;
}

edge::DeviceFiles read_files(const Options& options) {
  if (!options.greengrass_config.empty()) {
    constexpr std::size_t kMost = 1U << 20U;
    const std::string file = options.greengrass_config.string();
    edge::DeviceFiles files = edge::parse_greengrass_config(base::read_file(file, kMost), file);
    if (!options.key.empty()) files.private_key = options.key;
    return files;
  }
  if (options.key.empty() || options.thing.empty() || options.claim.ca.empty() ||
      options.claim_mqtt.empty()) {
    throw options::UsageError("--certificate needs --key, --ca, --thing and --mqtt");
  }
  const edge::Claim place = read_claim(options);
  return {.certificate = options.certificate,
          .private_key = options.key,
          .ca = place.ca,
          .thing_name = options.thing,
          .mqtt = place.mqtt,
          .data_plane = place.data_plane,
          .region = place.region,
          .role_alias = {}};
}

edge::DeviceConfig provision_device(const Options& options) {
  const edge::Layout layout(options.root);
  if (!options.claim.certificate.empty()) {
    return edge::provision_by_claim(layout, read_claim(options));
  }
  if (!options.certificate.empty() || !options.greengrass_config.empty()) {
    return edge::provision_by_files(layout, read_files(options));
  }
  return edge::provision(layout, fleet::parse_enrolment_token(read_token(options)), options.key);
}

int provision(const Options& options) {
  // Before the token is used up: what fails here can be tried again with it.
  static_cast<void>(edge::component_user(options.component_user));
  const edge::DeviceConfig device = provision_device(options);
  if (options.as_json) {
    fmt::print("{}\n", base::json_text(edge::to_json(device)));
  } else {
    fmt::print("This device is {} of {}.\n", base::escape_line(device.thing_name),
               base::escape_line(device.data_plane_url()));
  }
  return 0;
}

std::optional<gid_t> group_of(const std::string& name) {
  if (name.empty()) return std::nullopt;
  if (const group* const found = getgrnam(name.c_str())) return found->gr_gid;
  throw base::Error(base::ErrorCode::invalid_argument,
                    "there is no group '" + name + "' on this machine (--control-group)");
}

// Comes back where there is none.
void start_by_launcher(char** arguments) {
  std::vector<std::string> words;
  for (const char* name :
       {launch::kLauncherVariable, launch::kDirectoryVariable, launch::kBaseVariable}) {
    const char* const value = std::getenv(name);
    if (value == nullptr) return;
    words.emplace_back(value);
  }
  std::vector<char*> all;
  for (std::string& word : words) all.push_back(word.data());
  for (char** argument = arguments + 1; *argument != nullptr; ++argument) all.push_back(*argument);
  all.push_back(nullptr);
  execv(all.front(), all.data());
}

int adopt(const Options& options) {
  const edge::Layout layout(options.root);
  if (options.leave) {
    edge::leave_adoption(layout);
    return 0;
  }
  if (!options.wait) return edge::adopt_agent(layout, std::chrono::seconds(options.trial_seconds));
  edge::wait_for_adoption(layout);
  return 0;
}

int run(const Options& options) {
  base::hide_memory();
  const auto service = base::ServiceManager::from_environment();
  // An agent that waits most of its life should give memory back, not keep it per thread.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TRIM_THRESHOLD, 64 << 10);
  edge::AgentOptions agent;
  agent.root = options.root;
  agent.spool.max_bytes = options.spool_mib << 20U;
  agent.spool.max_age = std::chrono::hours(options.spool_hours);
  agent.fetch.parallel = options.parallel_downloads;
  agent.download_bytes_per_second = options.download_kib_per_second << 10U;
  agent.components.user = edge::component_user(options.component_user);
  agent.components.passed_environment = options.passed_environment;
  agent.service = service;
  agent.reboot_command = options.reboot_command;
  agent.control_group = group_of(options.control_group);
  agent.remote_hands = {.shell = options.remote_shell,
                        .copy = options.remote_copy,
                        .user = options.remote_user.empty() && geteuid() == 0
                                    ? agent.components.user
                                    : options.remote_user};
  if (edge::Agent(std::move(agent)).run() == edge::Agent::End::stopped) return 0;
  // The same process, so that who watches over it sees no end: it takes itself up again, as the
  // program that is on the disk by now, or as the one that its launcher chooses.
  service.put_back();
  start_by_launcher(options.arguments);
  execv("/proc/self/exe", options.arguments);
  throw base::system_error("the agent cannot start itself again", errno);
}

int status(const Options& options) {
  const base::json::object found = edge::read_status(edge::Layout(options.root));
  fmt::print("{}", options.as_json ? base::json_text(found) + '\n' : edge::to_readable(found));
  return 0;
}

// Of the command that was given.
std::string root_of(const CLI::App& app) {
  const CLI::App* command = &app;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  return command->get_option("--root")->as<std::string>();
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  options.arguments = argv;
  CLI::App app{"andon-edge: runs components on a device and keeps them as its server wants them"};
  app.require_subcommand(1);
  const auto add_root = [&](CLI::App* command) {
    command->add_option("--root", options.root, "Directory of the device")->capture_default_str();
  };
  const auto add_component_user = [&](CLI::App* command) {
    command
        ->add_option("--component-user", options.component_user,
                     "User or user:group that components run as where their deployment names none; "
                     "default: ggc_user:ggc_group where this device has it, else andon-component, "
                     "which is made. An agent that is not root runs them as itself")
        ->type_name("USER[:GROUP]");
  };
  CLI::App* provisioning = app.add_subcommand(
      "provision", "Enrol this device with a token, by a claim, or by its files");
  add_root(provisioning);
  auto* token = provisioning->add_option_group("token")->require_option(1);
  token->add_option("--token", options.token,
                    "One-time token of the operator; others on this machine can see it in ps");
  token->add_option("--token-file", options.token_file,
                    "File that holds the token; - is standard input");
  auto* claim = token->add_option("--claim", options.claim.certificate,
                                  "Certificate that devices are provisioned with, a file");
  auto* certificate = token->add_option("--certificate", options.certificate,
                                        "This device's own certificate, a file: with --key, --ca, "
                                        "--thing and --mqtt nobody has to be asked");
  token->add_option("--greengrass-config", options.greengrass_config,
                    "config.yaml of a Greengrass nucleus, which names these files and places");
  const auto add_to_claim = [&](const std::string& name, auto& value, const std::string& text) {
    return provisioning->add_option(name, value, text)->needs(claim);
  };
  // Of a claim and of files.
  const auto add_place = [&](const std::string& name, auto& value, const std::string& text) {
    return provisioning->add_option(name, value, text)
        ->check([claim, certificate](const std::string&) {
          return claim->count() + certificate->count() > 0
                     ? std::string()
                     : std::string("goes with --claim or --certificate");
        });
  };
  claim->needs(add_to_claim("--claim-key", options.claim.private_key,
                            "Its private key, a file or a key's URI"));
  claim->needs(add_place("--ca", options.claim.ca, "The server's CA certificate, a file"));
  claim->needs(add_to_claim("--template", options.claim.template_name, "Provisioning template"));
  claim->needs(
      add_place("--mqtt", options.claim_mqtt, "The server's broker")->type_name("HOST[:PORT]"));
  add_place("--data-plane", options.claim_data_plane,
            "The server's device plane; default: the broker's host, port 8443")
      ->type_name("HOST[:PORT]");
  provisioning->add_option("--thing", options.thing, "Name of this device's thing")
      ->needs(certificate);
  add_to_claim("--parameter", options.claim_parameters, "Of the template; may be repeated")
      ->type_name("NAME=VALUE")
      ->check([](const std::string& text) {
        return text.find('=') == std::string::npos || text.front() == '='
                   ? "'" + text + "' must be NAME=VALUE"
                   : std::string();
      });
  options.claim.region = "us-east-1";
  add_place("--region", options.claim.region, "The server's region")->capture_default_str();
  provisioning
      ->add_option("--key", options.key,
                   "Where the device's private key is: pkcs11:object=...?module-path=...&"
                   "pin-source=... on a token, handle:0x... in the TPM, or an absolute path of a "
                   "file, which with --certificate is copied; default: config/device.key, which is "
                   "made")
      ->type_name("URI|FILE")
      ->check([](const std::string& text) {
        return text.starts_with('/') || trust::is_key_uri(text)
                   ? std::string()
                   : "'" + text + "' must be a key's URI (pkcs11:, handle:) or an absolute path";
      });
  add_component_user(provisioning);
  provisioning->add_flag("--json", options.as_json, "Print JSON");

  CLI::App* running = app.add_subcommand("run", "Run the agent");
  add_root(running);
  running->add_option("--spool-mib", options.spool_mib, "Unsent messages kept on the disk, in MiB")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  running
      ->add_option("--spool-hours", options.spool_hours,
                   "Unsent messages that are older are dropped; 0: none is too old")
      ->check(CLI::Range(0, 24 * 3660))
      ->capture_default_str();
  running->add_option("--parallel-downloads", options.parallel_downloads, "Artifacts at a time")
      ->check(CLI::Range(1, 16))
      ->capture_default_str();
  running
      ->add_option("--download-kib-per-second", options.download_kib_per_second,
                   "Limit of all downloads together; 0: none")
      ->capture_default_str();
  add_component_user(running);
  running
      ->add_option("--pass-environment", options.passed_environment,
                   "Variables of the agent's environment that components get, by name; others they "
                   "do not")
      ->type_name("NAME")
      ->delimiter(',')
      ->check([](const std::string& name) {
        const bool is_name = !name.empty() && name.find('=') == std::string::npos;
        return is_name ? std::string() : "'" + name + "' is not the name of a variable";
      });

  running
      ->add_option("--control-group", options.control_group,
                   "Group whose members may deploy, stop and restart at this device, as root may")
      ->type_name("GROUP");
  running->add_flag("--remote-shell", options.remote_shell,
                    "Let those whom the server allows it run command lines on this device");
  running->add_flag("--remote-copy", options.remote_copy,
                    "Let those whom the server allows it copy files from and to this device");
  running
      ->add_option("--remote-user", options.remote_user,
                   "As whom they do; default: as whom components run, where the agent is root. It "
                   "must not be root")
      ->type_name("USER[:GROUP]");
  running
      ->add_option("--reboot-command", options.reboot_command,
                   "How the device is restarted where a component's bootstrap step asks for it")
      ->capture_default_str();

  CLI::App* adopting = app.add_subcommand(
      "adopt", "Have this program run as the device's agent: the steps of component andon.Edge");
  add_root(adopting);
  adopting
      ->add_option("--trial-seconds", options.trial_seconds,
                   "Within which it has to be connected to its server")
      ->check(CLI::Range(5, 600))
      ->capture_default_str();
  auto* const waiting =
      adopting->add_flag("--wait", options.wait, "Wait for the end of that, and say how it ended");
  adopting->add_flag("--leave", options.leave, "Run the package's agent, from the next start on")
      ->excludes(waiting);

  CLI::App* asking = app.add_subcommand("status", "Show what runs on this device");
  add_root(asking);
  asking->add_flag("--json", options.as_json, "Print JSON");

  std::function<int()> local;
  edge::add_local_commands(app, local);
  edge::add_fit_command(app, local);

  options::add_standard_options(app, "andon-edge");
  return options::run_program(argc, argv, app, [&] {
    if (provisioning->parsed()) return provision(options);
    if (adopting->parsed()) return adopt(options);
    if (!running->parsed()) edge::become_adopted(edge::Layout(root_of(app)), argv);
    if (local) return local();
    return running->parsed() ? run(options) : status(options);
  });
}
