// SPDX-License-Identifier: Apache-2.0
// andon-server: reads its options, builds the server and waits for a signal to end.
#include <signal.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <iostream>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "options/options.hpp"
#include "server/data_directory.hpp"
#include "server/server.hpp"

namespace {

using andon::server::ServerOptions;

constexpr std::chrono::hours kHousekeepingInterval{1};

// Signals are taken by main, in its own time: blocked before any thread is started.
sigset_t block_end_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signals;
}

// Each connection of each device is a descriptor here and in the broker, which inherits the limit.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int run(const ServerOptions& options) {
  const sigset_t signals = block_end_signals();
  raise_descriptor_limit();
  const auto begin = std::chrono::steady_clock::now();
  andon::server::Server server(options);
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begin);
  const auto& urls = server.urls();
  andon::base::log_info("andon-server is ready",
                        {{"api", urls.api},
                         {"devicePlane", urls.device_plane},
                         {"mqtt", urls.mqtt_host + ":" + std::to_string(urls.mqtt_port)},
                         {"operatorKey", server.operator_key_file().string()},
                         {"startMs", milliseconds.count()}});
  const timespec interval{std::chrono::seconds(kHousekeepingInterval).count(), 0};
  for (;;) {
    const int number = sigtimedwait(&signals, nullptr, &interval);
    if (number == SIGINT || number == SIGTERM) break;
    if (number < 0 && errno == EAGAIN) server.do_housekeeping();
  }
  andon::base::log_info("andon-server ends");
  return 0;
}

enum class Output { text, json };

int init(const ServerOptions& options, Output output) {
  check_server_options(options);
  const andon::base::SystemClock clock;
  const andon::server::DataDirectory data(options, clock);
  const auto& authority = data.authority();
  if (output == Output::json) {
    andon::base::json::array written;
    for (const auto& file : data.written()) written.emplace_back(file.string());
    std::cout << andon::base::to_pretty_text(
        {{"data", data.path().string()},
         {"ca", authority.ca_file().string()},
         {"operatorKey", data.operator_key_file().string()},
         {"operatorCertificate", authority.operator_client().certificate.string()},
         {"operatorPrivateKey", authority.operator_client().private_key.string()},
         {"written", written}});
    return 0;
  }
  std::cout << "data directory       " << data.path().string() << '\n'
            << "CA certificate       " << authority.ca_file().string() << '\n'
            << "operator key         " << data.operator_key_file().string() << '\n'
            << "operator certificate " << authority.operator_client().certificate.string() << '\n'
            << (data.written().empty() ? "everything was there already\n" : "made:\n");
  for (const auto& file : data.written()) std::cout << "  " << file.string() << '\n';
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The andon server: registry, deployments, object store, device plane and broker.");
  ServerOptions options;
  andon::server::add_server_options(app, options);
  CLI::App* const run_command = app.add_subcommand("run", "Serve until SIGTERM or SIGINT");
  CLI::App* const init_command =
      app.add_subcommand("init", "Make the data directory, the CA and the operator's key, and end");
  for (CLI::App* const command : {run_command, init_command}) {
    command->footer("The options of andon-server --help may follow.");
  }
  bool as_json = false;
  init_command->add_flag("--json", as_json, "Print as JSON");
  app.require_subcommand(1);
  andon::options::add_standard_options(app, "andon-server");
  return andon::options::run_program(argc, argv, app, [&] {
    if (init_command->parsed()) return init(options, as_json ? Output::json : Output::text);
    return run(options);
  });
}
