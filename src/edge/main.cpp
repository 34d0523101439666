// SPDX-License-Identifier: Apache-2.0
// `andon-edge`, the device agent: reads options and runs the command that was asked for.
#include <fmt/format.h>
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <string>

#include "base/json.hpp"
#include "edge/agent.hpp"
#include "edge/agent_status.hpp"
#include "edge/provision.hpp"
#include "options/options.hpp"

namespace {

using namespace andon;

struct Options {
  edge::fs::path root = "/var/lib/andon";
  std::string token;
  bool as_json = false;
  std::uint64_t spool_mib = 64;
  std::size_t parallel_downloads = 4;
  std::uint64_t download_kib_per_second = 0;
};

int provision(const Options& options) {
  const edge::DeviceConfig device =
      edge::provision(edge::Layout(options.root), edge::parse_enrolment_token(options.token));
  if (options.as_json) {
    fmt::print("{}\n", base::to_text(edge::to_json(device)));
  } else {
    fmt::print("This device is {} of {}.\n", device.thing_name, device.data_plane_url());
  }
  return 0;
}

int run(const Options& options) {
  // An agent that waits most of its life should give memory back, not keep it per thread.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TRIM_THRESHOLD, 64 << 10);
  edge::AgentOptions agent;
  agent.root = options.root;
  agent.spool.max_bytes = options.spool_mib << 20U;
  agent.fetch.parallel = options.parallel_downloads;
  agent.fetch.bytes_per_second = options.download_kib_per_second << 10U;
  edge::Agent(std::move(agent)).run();
  return 0;
}

int status(const Options& options) {
  const base::json::object found = edge::read_status(edge::Layout(options.root));
  fmt::print("{}", options.as_json ? base::to_text(found) + '\n' : edge::to_readable(found));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"andon-edge: runs components on a device and keeps them as its server wants them"};
  app.require_subcommand(1);
  const auto add_root = [&](CLI::App* command) {
    command->add_option("--root", options.root, "Directory of the device")->capture_default_str();
  };
  CLI::App* provisioning = app.add_subcommand("provision", "Enrol this device with a token");
  add_root(provisioning);
  provisioning->add_option("--token", options.token, "One-time token of the operator")->required();
  provisioning->add_flag("--json", options.as_json, "Print JSON");

  CLI::App* running = app.add_subcommand("run", "Run the agent");
  add_root(running);
  running->add_option("--spool-mib", options.spool_mib, "Unsent messages kept on the disk, in MiB")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  running->add_option("--parallel-downloads", options.parallel_downloads, "Artifacts at a time")
      ->check(CLI::Range(1, 16))
      ->capture_default_str();
  running
      ->add_option("--download-kib-per-second", options.download_kib_per_second,
                   "Limit of all downloads together; 0: none")
      ->capture_default_str();

  CLI::App* asking = app.add_subcommand("status", "Show what runs on this device");
  add_root(asking);
  asking->add_flag("--json", options.as_json, "Print JSON");

  options::add_standard_options(app, "andon-edge");
  return options::run_program(argc, argv, app, [&] {
    if (provisioning->parsed()) return provision(options);
    return running->parsed() ? run(options) : status(options);
  });
}
