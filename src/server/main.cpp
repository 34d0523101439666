// SPDX-License-Identifier: Apache-2.0
// andon-server: reads its options, builds the server and waits for a signal to end.
#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <iostream>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/log/log.hpp"
#include "base/os/process.hpp"
#include "base/os/service_manager.hpp"
#include "base/text/escape.hpp"
#include "options/options.hpp"
#include "server/backup/backup.hpp"
#include "server/backup/data_check.hpp"
#include "server/start/audit_trail.hpp"
#include "server/start/data_directory.hpp"
#include "server/start/server.hpp"

namespace {

using andon::server::ServerOptions;

constexpr std::chrono::minutes kFirstHousekeeping{1};  // after the start, which has enough to do
constexpr std::chrono::hours kHousekeepingInterval{1};
constexpr std::chrono::minutes kCertificateInterval{1};

// Signals are taken by main, in its own time: blocked before any thread is started.
sigset_t block_end_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGUSR1, SIGHUP}) sigaddset(&signals, number);
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

// What requests use is kept for the next ones, up to so much; an idle server gives it back.
void keep_memory_between_requests() {
  constexpr int kKept = 4 << 20;
  mallopt(M_TRIM_THRESHOLD, kKept);
}

// The number of the signal that came, or 0 at `until`; what interrupts it otherwise counts as that.
int wait_for_signal(const sigset_t& signals, std::chrono::steady_clock::time_point until) {
  const auto left = std::max(std::chrono::duration_cast<std::chrono::milliseconds>(
                                 until - std::chrono::steady_clock::now()),
                             std::chrono::milliseconds{0});
  const timespec interval{left.count() / 1'000, left.count() % 1'000 * 1'000'000};
  return std::max(sigtimedwait(&signals, nullptr, &interval), 0);
}

// A server whose database does not answer says nothing, and is started anew.
void tell_that_it_lives(const andon::server::Server& server,
                        const andon::base::ServiceManager& manager) {
  try {
    server.check_alive();
    manager.alive();
  } catch (const andon::base::Error& error) {
    andon::base::log_error("the database does not answer", {{"reason", error.message()}});
  }
}

// Until SIGTERM or SIGINT, or SIGUSR1 of a restart, over which workflows' commands go on.
void serve(andon::server::Server& server, const andon::base::ServiceManager& manager,
           const sigset_t& signals) {
  using Clock = std::chrono::steady_clock;
  auto housekeeping = Clock::now() + kFirstHousekeeping;
  auto certificate = Clock::now() + kCertificateInterval;
  for (;;) {
    const auto alive = manager.alive_interval();
    const auto due = std::min(housekeeping, certificate);
    const auto until = alive ? std::min(due, Clock::now() + *alive) : due;
    const int number = wait_for_signal(signals, until);
    if (number == SIGINT || number == SIGTERM) return;
    if (number == SIGUSR1) return server.leave_jobs_running();
    if (number == SIGHUP || Clock::now() >= certificate) {
      server.look_at_certificate();
      certificate = Clock::now() + kCertificateInterval;
    }
    if (number != 0) continue;
    if (Clock::now() >= housekeeping) {
      server.do_housekeeping();
      housekeeping = Clock::now() + kHousekeepingInterval;
    }
    if (alive) tell_that_it_lives(server, manager);
  }
}

int run(const ServerOptions& options) {
  keep_memory_between_requests();
  andon::base::hide_memory();
  const auto manager = andon::base::ServiceManager::from_environment();
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
  if (const auto link = server.first_sign_in()) {
    andon::base::log_info("sign in to the console, once, within a quarter of an hour",
                          {{"link", *link}});
  }
  manager.ready();
  serve(server, manager, signals);
  manager.stopping();
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

int check(const ServerOptions& options, Output output) {
  const andon::server::DataReport report = andon::server::check_data(options.data);
  if (output == Output::json) {
    andon::base::json::array problems;
    for (const std::string& problem : report.problems) problems.emplace_back(problem);
    std::cout << andon::base::to_pretty_text(
        {{"problems", problems}, {"objects", report.blobs}, {"bytes", report.bytes}});
  } else {
    for (const std::string& problem : report.problems) {
      std::cout << andon::base::escape_controls(problem) << '\n';
    }
    std::cout << "checked: the databases, the CA and the content of " << report.blobs
              << " objects (" << report.bytes << " bytes)\n";
  }
  if (report.problems.empty()) return 0;
  throw andon::base::Error(andon::base::ErrorCode::data_corrupted,
                           "'" + options.data.string() + "' is damaged, in " +
                               std::to_string(report.problems.size()) +
                               " places: restore a backup (andon-server restore)");
}

int backup(const ServerOptions& options, const std::string& target) {
  andon::server::record_local_command(options.data, "Backup", target);
  const auto report =
      andon::server::make_backup(options.data, target, andon::base::SystemClock().now());
  std::cout << "backed up into " << target << ": the databases, the CA, the credentials and "
            << report.blobs << " objects (" << report.bytes << " bytes)\n";
  return 0;
}

int restore(const ServerOptions& options, const std::string& source) {
  const auto report = andon::server::restore_backup(source, options.data);
  andon::server::record_local_command(options.data, "Restore", source);
  std::cout << "restored into " << options.data.string() << ", with " << report.blobs
            << " objects (" << report.bytes << " bytes); `andon-server run` goes on from it\n";
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
  CLI::App* const check_command = app.add_subcommand(
      "check", "Look at every page of the databases and every byte of the objects, and end");
  CLI::App* const backup_command = app.add_subcommand(
      "backup", "Copy the data into a new directory, also while the server runs");
  CLI::App* const restore_command =
      app.add_subcommand("restore", "Put a backup into the empty or new data directory");
  for (CLI::App* const command :
       {run_command, init_command, check_command, backup_command, restore_command}) {
    command->footer("The options of andon-server --help may follow.");
  }
  bool as_json = false;
  init_command->add_flag("--json", as_json, "Print as JSON");
  check_command->add_flag("--json", as_json, "Print as JSON");
  std::string backup_path;
  backup_command->add_option("TARGET", backup_path, "The directory to make")->required();
  restore_command->add_option("SOURCE", backup_path, "The directory that `backup` made")
      ->required();
  app.require_subcommand(1);
  andon::options::add_standard_options(app, "andon-server");
  return andon::options::run_program(argc, argv, app, [&] {
    const Output output = as_json ? Output::json : Output::text;
    if (init_command->parsed()) return init(options, output);
    if (check_command->parsed()) return check(options, output);
    if (backup_command->parsed()) return backup(options, backup_path);
    if (restore_command->parsed()) return restore(options, backup_path);
    return run(options);
  });
}
