// SPDX-License-Identifier: Apache-2.0
#include "edge/agent.hpp"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/process.hpp"
#include "base/time.hpp"
#include "edge/access_policy.hpp"
#include "edge/agent_status.hpp"
#include "edge/component_host.hpp"
#include "edge/configuration_operations.hpp"
#include "edge/configuration_store.hpp"
#include "edge/data_plane.hpp"
#include "edge/deployment_engine.hpp"
#include "edge/device_config.hpp"
#include "edge/health_reporter.hpp"
#include "edge/ipc_server.hpp"
#include "edge/job_client.hpp"
#include "edge/lifecycle_operations.hpp"
#include "edge/mqtt_operations.hpp"
#include "edge/pubsub_operations.hpp"
#include "edge/state_database.hpp"
#include "edge/token_exchange.hpp"

namespace andon::edge {
namespace {

constexpr std::chrono::milliseconds kStatusDelay{20};

DeviceConfig require_device(const Layout& layout) {
  if (auto device = load_device_config(layout)) return *std::move(device);
  throw base::Error(base::ErrorCode::failed_precondition,
                    "no device is provisioned below " + layout.root().string() +
                        "; run `andon-edge provision --root " + layout.root().string() +
                        " --token TOKEN` first");
}

wire::MqttOptions mqtt_options(const DeviceConfig& device, const Layout& layout) {
  wire::MqttOptions options;
  options.host = device.mqtt.host;
  options.port = device.mqtt.port;
  options.client_id = device.thing_name;
  options.ca_file = ca_file(layout).string();
  options.certificate_file = certificate_file(layout).string();
  options.private_key_file = private_key_file(layout).string();
  return options;
}

std::string architecture_of(const recipe::PlatformAttributes& platform) {
  const auto found = platform.find("architecture");
  return found == platform.end() ? "" : found->second;
}

// Taken before anything else is touched; what an earlier agent said of itself goes.
base::FileLock take_lock(const Layout& layout) {
  layout.make();
  base::FileLock lock(layout.lock());
  fs::remove(layout.status_file());
  return lock;
}

}  // namespace

// Members stand in the order in which they need each other.
class Agent::Implementation {
 public:
  explicit Implementation(AgentOptions options)
      : options_(std::move(options)),
        layout_(options_.root),
        device_(require_device(layout_)),
        lock_(take_lock(layout_)),
        database_(open_state_database(layout_.database())),
        configurations_(*database_, clock_),
        process_journal_(layout_.processes()),
        host_(device_, layout_, *database_, configurations_, tokens_),
        supervisor_(loop_, process_journal_, host_,
                    [this](const std::string& name) { component_changed(name); }),
        policy_(configurations_, host_),
        link_(make_mqtt_link(loop_, mqtt_options(device_, layout_))),
        spool_(loop_, *link_, *database_, clock_, options_.spool),
        token_exchange_({loop_, clock_, authenticator(),
                         [device = device_, layout = layout_] {
                           return DataPlane(device, layout).credentials();
                         }}),
        configuration_operations_(configurations_),
        pubsub_operations_(policy_),
        mqtt_operations_(policy_, *link_, spool_),
        lifecycle_operations_(policy_, supervisor_, configurations_),
        ipc_(loop_, layout_, operations_, authenticator()),
        journal_(*database_, clock_),
        worker_(make_deployment_worker(device_, layout_, options_.fetch)),
        engine_({loop_, journal_, *worker_, configurations_, host_, supervisor_, clock_},
                engine_handlers()),
        jobs_(loop_, *link_, *database_, device_.thing_name,
              {[this](const Job& job) { engine_.offer(job); }, [this] { engine_.withdraw(); }}),
        health_({loop_, *link_, *database_, clock_, host_, supervisor_, device_.thing_name,
                 architecture_of(own_platform())}) {
    configurations_.set_resolver([this](const std::string& component, const json::object& raw) {
      return host_.resolve(component, raw);
    });
    configuration_operations_.add_to(operations_);
    pubsub_operations_.add_to(operations_);
    mqtt_operations_.add_to(operations_);
    lifecycle_operations_.add_to(operations_);
    host_.set_addresses({ipc_.socket_path(), token_exchange_.port()});
    link_->on_connection([this](bool) { write_status_soon(); });
  }

  void run() {
    watch_signals();
    process_journal_.kill_leftovers();
    base::log_info("agent started",
                   {{"thing", device_.thing_name}, {"root", layout_.root().string()}});
    engine_.start();
    write_status_soon();
    loop_.run();
    loop_.unwatch(signals_.get());
  }

 private:
  IpcServer::Authenticator authenticator() {
    return [this](std::string_view token) { return tokens_.component_of(token); };
  }

  DeploymentEngine::Handlers engine_handlers() {
    return {[this](store::Transaction& transaction, const std::string& job_id,
                   const JobStatus& status) { jobs_.enqueue(transaction, job_id, status); },
            [this] { jobs_.flush(); },
            [this](const DeploymentOutcome& outcome) {
              health_.deployment_ended(outcome);
              write_status_soon();
            },
            options_.on_journalled};
  }

  void component_changed(const std::string& name) {
    health_.component_changed(name, supervisor_.changing());
    write_status_soon();
  }

  void write_status_soon() {
    if (status_timer_ != 0) return;
    status_timer_ = loop_.after(kStatusDelay, [this] {
      status_timer_ = 0;
      write_status();
    });
  }

  void write_status() const {
    json::array components;
    for (const Component* component : supervisor_.components()) {
      json::object entry{{"name", component->spec().name},
                         {"version", component->spec().version},
                         {"state", to_string(component->state())},
                         {"pid", component->pid()}};
      const bool failed = component->state() == ComponentState::errored ||
                          component->state() == ComponentState::broken;
      if (failed) entry["reason"] = component->reason();
      components.push_back(std::move(entry));
    }
    try {
      write_live_status(layout_, {{"pid", getpid()},
                                  {"startTicks", base::process_start_ticks(getpid()).value_or(0)},
                                  {"connected", link_->is_connected()},
                                  {"deploymentState", engine_.state_name()},
                                  {"components", std::move(components)},
                                  {"spoolBytes", spool_.bytes()},
                                  {"spoolDropped", spool_.dropped()}});
    } catch (const std::exception& error) {
      base::log_warning("the status file cannot be written", {{"why", error.what()}});
    }
  }

  void watch_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    signals_ = base::UniqueFd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals_) throw base::system_error("cannot watch for signals", errno);
    loop_.watch(signals_.get(), EPOLLIN, [this](std::uint32_t) {
      signalfd_siginfo info{};
      if (read(signals_.get(), &info, sizeof info) != sizeof info) return;
      if (std::exchange(stopping_, true)) return;
      base::log_info("stopping", {{"signal", info.ssi_signo}});
      engine_.halt();
      supervisor_.stop_all([this] { loop_.stop(); });
    });
  }

  AgentOptions options_;
  Layout layout_;
  DeviceConfig device_;
  base::FileLock lock_;
  base::SystemClock clock_;
  EventLoop loop_;
  std::unique_ptr<store::Database> database_;
  ConfigurationStore configurations_;
  ComponentTokens tokens_;
  ProcessJournal process_journal_;
  AgentHost host_;
  Supervisor supervisor_;
  AccessPolicy policy_;
  std::unique_ptr<MqttLink> link_;
  PublishSpool spool_;
  TokenExchange token_exchange_;
  IpcOperations operations_;
  ConfigurationOperations configuration_operations_;
  PubsubOperations pubsub_operations_;
  MqttOperations mqtt_operations_;
  LifecycleOperations lifecycle_operations_;
  IpcServer ipc_;
  DeploymentJournal journal_;
  std::unique_ptr<DeploymentWorker> worker_;
  DeploymentEngine engine_;
  JobClient jobs_;
  HealthReporter health_;
  base::UniqueFd signals_;
  EventLoop::TimerId status_timer_ = 0;
  bool stopping_ = false;
};

Agent::Agent(AgentOptions options) {
  // Before the first thread, so that every thread has them blocked and the loop gets them.
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  implementation_ = std::make_unique<Implementation>(std::move(options));
}

Agent::~Agent() = default;

void Agent::run() {
  implementation_->run();
}

}  // namespace andon::edge
