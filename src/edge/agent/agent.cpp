// SPDX-License-Identifier: Apache-2.0
#include "edge/agent/agent.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"
#include "base/os/blocking.hpp"
#include "base/os/process.hpp"
#include "base/text/number.hpp"
#include "base/time/time.hpp"
#include "edge/agent/device_restart.hpp"
#include "edge/agent/health_reporter.hpp"
#include "edge/agent/idle_memory.hpp"
#include "edge/agent/network_switch.hpp"
#include "edge/agent/nucleus_configurator.hpp"
#include "edge/agent/own_trial.hpp"
#include "edge/agent/returning_clients.hpp"
#include "edge/budget/link_budget.hpp"
#include "edge/builtin/built_in_components.hpp"
#include "edge/builtin/mqtt_settings.hpp"
#include "edge/builtin/network_settings.hpp"
#include "edge/builtin/nucleus_settings.hpp"
#include "edge/builtin/token_settings.hpp"
#include "edge/clients/client_devices.hpp"
#include "edge/clients/ip_detector.hpp"
#include "edge/cloud/certificate_renewal.hpp"
#include "edge/cloud/data_plane.hpp"
#include "edge/cloud/refused_topics.hpp"
#include "edge/cloud/server_time.hpp"
#include "edge/commands/command_runner.hpp"
#include "edge/configuration/configuration_store.hpp"
#include "edge/consent/update_operations.hpp"
#include "edge/control/agent_status.hpp"
#include "edge/control/control_client.hpp"
#include "edge/control/local_deployments.hpp"
#include "edge/control/local_operations.hpp"
#include "edge/credentials/token_exchange.hpp"
#include "edge/deploy/artifact_guard.hpp"
#include "edge/deploy/deployment_engine.hpp"
#include "edge/deploy/progress_reporter.hpp"
#include "edge/ipc/access_policy.hpp"
#include "edge/ipc/configuration_operations.hpp"
#include "edge/ipc/ipc_server.hpp"
#include "edge/ipc/lifecycle_operations.hpp"
#include "edge/ipc/link_operations.hpp"
#include "edge/ipc/metric_operations.hpp"
#include "edge/ipc/mqtt_operations.hpp"
#include "edge/ipc/pubsub_operations.hpp"
#include "edge/jobs/job_client.hpp"
#include "edge/jobs/shadow_deployments.hpp"
#include "edge/logs/log_uploader.hpp"
#include "edge/run/component_host.hpp"
#include "edge/secrets/secret_manager.hpp"
#include "edge/secrets/secret_source.hpp"
#include "edge/shadows/shadow_operations.hpp"
#include "edge/shadows/shadow_sync.hpp"
#include "edge/state/device_config.hpp"
#include "edge/state/state_writer.hpp"
#include "edge/state/unfinished_files.hpp"
#include "edge/streams/server/stream_manager.hpp"
#include "edge/telemetry/telemetry_reporter.hpp"
#include "trust/digests/digest.hpp"

namespace andon::edge {
namespace {

constexpr std::chrono::milliseconds kStatusDelay{20};
// After the start and after each deployment, once what they began has calmed down.
constexpr std::chrono::seconds kCalm{3};
// How often the status file tells anew how late the loop was, if there is anything new.
constexpr std::chrono::minutes kStatusCadence{1};
constexpr std::uint64_t kQuietEvents = 10;

DeviceConfig require_device(const Layout& layout) {
  if (auto device = load_device_config(layout)) return *std::move(device);
  throw base::Error(base::ErrorCode::failed_precondition,
                    "no device is provisioned below " + layout.root().string() +
                        "; run `andon-edge provision --root " + layout.root().string() +
                        " --token TOKEN` first");
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
  remove_unfinished_files(layout.config());
  remove_unfinished_files(layout.status_file().parent_path());
  return lock;
}

// Of the agent before, for the components that it has left. 0: any.
std::uint16_t earlier_token_port(const Layout& layout) {
  const auto text = base::read_file_if_exists(layout.token_port_file(), 16);
  return text ? base::parse_integer<std::uint16_t>(*text).value_or(0) : 0;
}

// Before there are threads, which read the environment.
NetworkSettings begin_network(const Layout& layout, const DeviceConfig& enrolled,
                              ComponentDefaults& components) {
  NetworkSettings settings = load_network(layout);
  const DeviceConfig device = with_network(enrolled, settings);
  put_proxy_into_environment(device);
  if (!device.proxy.empty()) {
    const std::vector<std::string>& names = proxy_variables();
    components.passed_environment.insert(components.passed_environment.end(), names.begin(),
                                         names.end());
  }
  return settings;
}

void note_token_port(const Layout& layout, std::uint16_t port) {
  const fs::path path = layout.token_port_file();
  const base::UniqueFd file = base::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  base::write_all(file.get(), std::to_string(port), path);
}

}  // namespace

// Members stand in the order in which they need each other.
class Agent::Implementation {
 public:
  explicit Implementation(AgentOptions options)
      : options_(std::move(options)),
        layout_(options_.root),
        enrolled_(require_device(layout_)),
        network_settings_(begin_network(layout_, enrolled_, options_.components)),
        device_(with_network(enrolled_, network_settings_)),
        lock_(take_lock(layout_)),
        database_(open_own_state(layout_)),
        journal_(*database_, clock_),
        writer_(loop_, *database_),
        configurations_(*database_, writer_, clock_),
        process_journal_(layout_.processes()),
        host_(device_, layout_, *database_, writer_, configurations_, tokens_, options_.components),
        supervisor_(loop_, process_journal_, host_,
                    [this](const std::string& name) { component_changed(name); }),
        policy_(configurations_, host_),
        link_(make_mqtt_link(loop_, link_options())),
        spool_(loop_, *link_, *database_, writer_, clock_, options_.spool),
        refused_(*link_, device_.thing_name,
                 {[this](const std::string& topic) { spool_.refuse(topic); },
                  [this](const std::string& component) { refusals_changed(component); }}),
        nucleus_(device_.role_alias),
        token_exchange_(
            {loop_, server_time_, authenticator(), [this] { return credentials_of_role(); }},
            earlier_token_port(layout_)),
        streams_({loop_, *link_, budget_, device_, layout_, options_.components.user,
                  [this] { return stream_configuration(); },
                  [this](const std::string& token) { return may_use_streams(token); },
                  [this] { return credentials_of_role(); },
                  [this](const std::string& topic) {
                    mqtt_operations_.require_publish(std::string(kStreamManager), topic);
                  },
                  [this](ComponentNote note) { take_note(kStreamManager, std::move(note)); }}),
        log_uploader_(
            {loop_, *link_, budget_, device_, layout_, options_.components.user,
             [this] { return configuration_of(kLogManager); },
             [this] { return server_time_.own_is_ahead().value_or(std::chrono::milliseconds{0}); },
             [this] { return credentials_of_role(); },
             [this](ComponentNote note) { take_note(kLogManager, std::move(note)); }}),
        configuration_operations_(configurations_),
        pubsub_operations_(policy_),
        mqtt_operations_(policy_, *link_, spool_, refused_),
        lifecycle_operations_(policy_, supervisor_, configurations_),
        update_operations_(loop_),
        shadow_operations_({policy_, writer_, clock_,
                            [this](const std::string& topic, const json::object& message) {
                              pubsub_operations_.publish_json(topic, message);
                            },
                            [this](const std::string& thing, const std::string& name) {
                              shadow_sync_.own_changed(thing, name);
                            }}),
        shadow_sync_({loop_, *link_, writer_, clock_, device_.thing_name,
                      [this](const std::string& topic, const json::object& message) {
                        pubsub_operations_.publish_json(topic, message);
                      }}),
        secret_source_(device_, layout_, std::make_shared<ExportCredentials>([this] {
                         return credentials_of_role();
                       })),
        secrets_({loop_, writer_, *database_, policy_, server_time_,
                  [this] { return configuration_of(kSecretManager); },
                  [this](const std::string& id, const std::string& stage, base::Timestamp now) {
                    return secret_source_.get(id, stage, now);
                  },
                  [this] { return secret_key_of(device_, layout_); },
                  [this](ComponentNote note) { take_note(kSecretManager, std::move(note)); }}),
        ip_detector_({loop_, [this] { return configuration_of(kIpDetector); }, own_addresses,
                      [this](const json::object& connectivity) {
                        DataPlane(device_, layout_).tell_connectivity(connectivity);
                      },
                      [this](ComponentNote note) { take_note(kIpDetector, std::move(note)); }}),
        client_devices_({loop_, device_, layout_, server_time_, options_.components.user, policy_,
                         *link_, spool_, refused_, mqtt_operations_, pubsub_operations_,
                         [this](std::string_view component) { return configuration_of(component); },
                         [this](std::string_view component, ComponentNote note) {
                           take_note(component, std::move(note));
                         },
                         [this](const std::string& component) {
                           if (Component* const waiting = supervisor_.find(component)) {
                             waiting->artifacts_ready();
                           }
                         },
                         [this](const std::string& component) {
                           const Component* const found = supervisor_.find(component);
                           return found != nullptr && found->is_up();
                         },
                         [this](const std::string& component) { supervisor_.restart(component); }}),
        ipc_(loop_, layout_, operations_, authenticator()),
        control_(loop_, layout_, operations_,
                 [](std::string_view) { return std::string(kLocalOperator); }, {},
                 {std::string(kControlSocket), options_.control_group ? 0660U : 0600U,
                  options_.control_group}),
        worker_(make_deployment_worker(device_, layout_, options_.fetch, options_.images, budget_,
                                       options_.components)),
        guard_({loop_, *worker_, host_, supervisor_,
                [this](const std::string& name) { component_changed(name); }}),
        engine_({loop_, journal_, writer_, *worker_, configurations_, host_, supervisor_,
                 update_operations_, clock_},
                engine_handlers()),
        local_deployments_(writer_, engine_, clock_),
        local_operations_(policy_, local_deployments_),
        jobs_(
            loop_, *link_, writer_, device_.thing_name,
            {[this](const fleet::Job& job) { engine_.offer(job); }, [this] { engine_.withdraw(); },
             [this](const std::vector<std::string>& consumers) {
               spool_.set_result_consumers(consumers);
             },
             [this](base::Timestamp time) {
               server_time_.learn(time);
               if (const auto ahead = server_time_.own_is_ahead()) budget_.set_ahead(*ahead);
               write_status_soon();
             },
             [this](const fleet::ServerAddresses& addresses) { network_.take(addresses); },
             [this] { shadow_deployments_.look(); }}),
        shadow_deployments_(
            loop_, *link_, writer_, device_.thing_name,
            {[this](const fleet::Job& job) { engine_.offer(job); },
             [this](const std::string& job_id) { static_cast<void>(engine_.cancel_own(job_id)); }}),
        progress_(
            loop_,
            [this] {
              return ProgressReporter::Now{engine_.job_id(), engine_.progress()};
            },
            [this](const ProgressReporter::Now& now) {
              const bool is_job = !is_local_job(now.job_id) && !is_shadow_job(now.job_id);
              if (is_job) jobs_.tell_progress(now.job_id, now.progress);
              write_status_soon();
            }),
        health_({loop_, *link_, writer_, clock_, host_, supervisor_, refused_, device_.thing_name,
                 architecture_of(own_platform())}),
        telemetry_({loop_,
                    *link_,
                    clock_,
                    {.disk = layout_.root()},
                    device_.thing_name,
                    [this](fleet::Figures& figures) { add_own_figures(figures); }}),
        nucleus_configurator_(
            {*link_, spool_, budget_, telemetry_, options_.spool,
             [this](ComponentNote note) { take_note(kNucleus, std::move(note)); }}),
        renewer_(
            {loop_, server_time_, [this] { return link_->is_connected(); },
             [device = device_, layout = layout_] { return ask_server(device, layout); },
             [this] {
               return trust::describe_certificate(base::read_file(certificate_file(layout_)));
             },
             [device = device_, layout = layout_] { renew_certificate_on_disk(device, layout); },
             [this] { link_->reconnect(); }, [this] { write_status_soon(); }}),
        commands_(loop_, *link_, device_.thing_name,
                  [this, layout = layout_, hands = options_.remote_hands](
                      const fleet::CommandRequest& request, const Cancellation& cancellation,
                      CommandOutput& output) {
                    return carry_out(request, {layout, hands, budget_}, cancellation, output);
                  }) {
    configurations_.set_resolver([this](const std::string& component, const json::object& raw) {
      return host_.resolve(component, raw);
    });
    restore_damaged_configurations();
    budget_.cap(LinkUse::downloads, options_.download_bytes_per_second);
    budget_.on_change([this] { loop_.post([this] { write_status_soon(); }); });
    spool_.keep_until_stored(device_.thing_name, *database_);
    configuration_operations_.add_to(operations_);
    pubsub_operations_.add_to(operations_);
    mqtt_operations_.add_to(operations_);
    lifecycle_operations_.add_to(operations_);
    update_operations_.add_to(operations_);
    metric_operations_.add_to(operations_);
    link_operations_.add_to(operations_);
    shadow_operations_.add_to(operations_);
    secrets_.add_to(operations_);
    client_devices_.add_to(operations_);
    operations_["ValidateAuthorizationToken"] = {
        StreamAfterAnswer::closes, [this](const IpcCall& call) { return validate_token(call); }};
    local_operations_.add_to(operations_);
    host_.set_artifact_gate([this](const std::string& name) {
      return guard_.may_start(name) && client_devices_.may_start(name);
    });
    host_.set_start_check([this](const std::string& name) { client_devices_.check_start(name); });
    host_.set_restarter([this](RestartOf what) { restart(what); });
    host_.set_addresses({ipc_.socket_path(), token_exchange_.port()});
    process_journal_.set_held_fd([this] { return token_exchange_.held_port(); });
    for (const KeptRecord& record : kept_) tokens_.restore(record.component, record.token);
    ipc_.on_client([this](const std::string& component, bool has_client) {
      if (Component* const known = supervisor_.find(component)) known->note_client(has_client);
      if (has_client) returning_.came(component);
    });
    host_.set_stream_port([this] { return streams_.port(); });
    configurations_.on_change(
        [this](const std::string& component, const auto&) { refresh(component); });
    link_->on_connection([this](bool is_connected) {
      renewer_.connection_changed(is_connected);
      secrets_.connection_changed(is_connected);
      ip_detector_.connection_changed(is_connected);
      client_devices_.connection_changed(is_connected);
      if (is_connected) own_trial_.connected();
      write_status_soon();
    });
  }

  End run() {
    watch_signals();
    process_journal_.kill_leftovers();
    process_journal_.set_cgroups(ControlGroups::of_this_process(
        "andon-edge-" + trust::sha256_hex(layout_.root().string()).substr(0, 12)));
    base::log_info("agent started",
                   {{"thing", device_.thing_name}, {"root", layout_.root().string()}});
    const std::uint16_t port_before = earlier_token_port(layout_);
    network_.start();
    own_trial_.start();
    engine_.start();
    returning_.expect(kept_, port_before == token_exchange_.port()
                                 ? ""
                                 : "its address of temporary credentials is taken by another");
    note_token_port(layout_, token_exchange_.port());
    refresh_all();
    if (engine_.busy()) progress_.start();
    local_deployments_.go_on();
    write_status_soon();
    write_status_again();
    give_back_memory_soon();
    options_.service.ready();
    tell_that_it_lives();
    loop_.run();
    loop_.unwatch(signals_.get());
    if (!restart_) return End::stopped;
    own_trial_.note_own_restart();
    if (*restart_ == RestartOf::device) {
      restart_device(options_.reboot_command, options_.service);
    }
    return End::restart;
  }

 private:
  void stop() {
    if (std::exchange(stopping_, true)) return;
    engine_.halt();
    supervisor_.stop_all([this] { loop_.stop(); });
  }

  void restart(RestartOf what) {
    if (stopping_) return;
    base::log_info("restarting, as a bootstrap step or another way to the server wants it",
                   {{"what", what == RestartOf::agent ? "the agent" : "the device"}});
    restart_ = what;
    // What the agent does not need to end goes on: the next one takes it up.
    if (what == RestartOf::agent) return leave();
    stop();
  }

  // To the next agent go the services as they are, and a deployment in hand.
  void leave() {
    if (std::exchange(stopping_, true)) return;
    engine_.halt();
    supervisor_.leave();
    loop_.stop();
  }

  // A component whose saved configuration could not be read runs with its recipe's.
  void restore_damaged_configurations() {
    if (configurations_.damaged().empty()) return;
    const InstalledSet installed = journal_.last_good();
    for (const auto& [component, reason] : configurations_.damaged()) {
      const InstalledComponent* const found = installed.find(component);
      if (found != nullptr) {
        configurations_.restore(component, found->recipe->default_configuration);
      }
    }
  }

  IpcServer::Authenticator authenticator() {
    return [this](std::string_view token) { return tokens_.component_of(token); };
  }

  DeploymentEngine::Handlers engine_handlers() {
    return {[thing = device_.thing_name](store::Transaction& transaction, const std::string& job_id,
                                         const fleet::DeploymentOutcome& outcome) {
              if (is_local_job(job_id)) {
                LocalDeployments::record(transaction, job_id, outcome);
              } else if (is_shadow_job(job_id)) {
                ShadowDeployments::enqueue(transaction, job_id, outcome);
              } else {
                JobClient::enqueue(transaction, thing, job_id, outcome);
              }
            },
            [this] {
              jobs_.flush();
              shadow_deployments_.flush();
            },
            [this](const fleet::DeploymentHealth& outcome) {
              refresh_all();
              secrets_.deployment_ended();
              health_.deployment_ended(outcome);
              write_status_soon();
              give_back_memory_soon();
              local_deployments_.go_on();
              shadow_deployments_.go_on(outcome.configuration_arn);
            },
            [this](std::string_view step) {
              progress_.start();
              if (options_.on_journalled) options_.on_journalled(step);
            },
            [this](const json::object& nucleus) { nucleus_configurator_.take_budget(&nucleus); }};
  }

  // Null where the component is not in the set.
  const json::object* stream_configuration() const { return configuration_of(kStreamManager); }
  // As the configuration had it before, so that a start makes one connection.
  wire::MqttOptions link_options() const {
    wire::MqttOptions options = broker_options(device_, layout_);
    const auto nucleus = configurations_.all().find(std::string(kNucleus));
    const bool is_said = nucleus != configurations_.all().end();
    options.tuning = read_mqtt_settings(is_said ? &nucleus->second : nullptr).tuning;
    return options;
  }

  const json::object* configuration_of(std::string_view component) const {
    const std::string name(component);
    if (host_.active().find(name) == nullptr) return nullptr;
    const json::object* const found = configurations_.resolved(name);
    return found != nullptr ? found : &no_configuration_;
  }

  // Of the role alias that counts now. Blocks; any thread.
  fleet::TemporaryCredentials credentials_of_role() const {
    return DataPlane(device_, layout_).credentials(nucleus_.role_alias());
  }

  // What of the agent does a component's work takes its configuration as it is now.
  void refresh(std::string_view component) {
    if (component == kStreamManager) streams_.refresh();
    if (component == kLogManager) log_uploader_.refresh();
    if (component == kNucleus) refresh_nucleus();
    if (component == kPkcs11Provider) compare_token();
    if (component == kShadowManager) shadow_sync_.configure(configuration_of(kShadowManager));
    if (component == kSecretManager) secrets_.refresh();
    if (component == kIpDetector) ip_detector_.refresh();
    if (ClientDevices::is_about(component)) client_devices_.refresh();
  }

  void refresh_all() {
    for (const std::string_view component :
         {kNucleus, kPkcs11Provider, kShadowManager, kStreamManager, kLogManager, kSecretManager,
          kIpDetector, kClientAuth}) {
      refresh(component);
    }
  }

  void refresh_nucleus() {
    const json::object* const configuration = configuration_of(kNucleus);
    if (nucleus_.take(configuration)) token_exchange_.forget();
    network_.take(configuration);
    nucleus_configurator_.take(configuration);
  }

  // What the kernel does not count.
  void add_own_figures(fleet::Figures& figures) const {
    using fleet::Figure;
    const auto put = [&figures](Figure which, auto value) {
      at(figures, which) = static_cast<double>(value);
    };
    put(Figure::spool_bytes, spool_.bytes());
    put(Figure::spool_dropped, spool_.dropped());
    const wire::MqttCounts counts = link_->counts();
    put(Figure::mqtt_connections, counts.connections);
    put(Figure::mqtt_losses, counts.losses);
    const std::vector<const Component*> components = supervisor_.components();
    for (const auto& [which, state] : {std::pair(Figure::running, ComponentState::running),
                                       std::pair(Figure::finished, ComponentState::finished),
                                       std::pair(Figure::errored, ComponentState::errored),
                                       std::pair(Figure::broken, ComponentState::broken)}) {
      put(which, std::ranges::count(components, state, &Component::state));
    }
  }

  void compare_token() {
    const json::object* const configuration = configuration_of(kPkcs11Provider);
    if (configuration == nullptr) return;
    take_note(
        kPkcs11Provider,
        {NoteCode::other_key, how_token_differs(private_key_of(device_, layout_), *configuration)});
  }

  // A token ends with its component.
  bool may_use_streams(const std::string& token) const {
    const auto name = tokens_.component_of(token);
    const Component* const component = name ? supervisor_.find(*name) : nullptr;
    return component != nullptr &&
           (component->pid() != 0 || component->state() == ComponentState::running);
  }

  // For a stream manager alone, as Greengrass has it: else components could try out tokens.
  json::object validate_token(const IpcCall& call) const {
    if (call.component != kStreamManager && call.component != kLocalOperator) {
      throw IpcError("UnauthorizedError",
                     "only aws.greengrass.StreamManager may ask whether a token is valid");
    }
    const std::string token =
        base::JsonReader(call.request, "ValidateAuthorizationToken request").string("token");
    if (!tokens_.component_of(token)) {
      throw IpcError("InvalidTokenError", "the token is no running component's");
    }
    return {{"isValid", true}};
  }

  void component_changed(const std::string& name) {
    refresh(name);
    // What a deployment changes its end tells; a start without one has no such end.
    health_.component_changed(name, engine_.busy() && supervisor_.changing());
    write_status_soon();
  }

  void refusals_changed(const std::string& component) {
    if (!component.empty()) component_changed(component);
    write_status_soon();
  }

  void take_note(std::string_view component, ComponentNote note) {
    host_.take_note(std::string(component), std::move(note));
    write_status_soon();
  }

  void write_status_soon() {
    if (status_timer_ != 0) return;
    status_timer_ = loop_.after(kStatusDelay, [this] {
      status_timer_ = 0;
      write_status();
    });
  }

  // An agent on which nothing happens writes nothing.
  void write_status_again() {
    loop_.after(kStatusCadence, [this] {
      // This timer and the writer's own turns are events, too.
      if (loop_.lateness().count() > events_written_ + kQuietEvents) write_status();
      write_status_again();
    });
  }

  // To the end: stopping the components has its own deadlines.
  void tell_that_it_lives() {
    const auto interval = options_.service.alive_interval();
    if (!interval) return;
    loop_.after(*interval, [this] {
      options_.service.alive();
      tell_that_it_lives();
    });
  }

  void give_back_memory_soon() {
    loop_.cancel(calm_timer_);
    calm_timer_ = loop_.after(kCalm, [this] {
      calm_timer_ = 0;
      if (engine_.busy()) return;  // its end comes here again
      tidier_.run([] { give_back_idle_memory(); }, [](const std::exception_ptr&) {});
    });
  }

  void write_status() {
    json::array components;
    for (const Component* component : supervisor_.components()) {
      json::object entry{{"name", component->spec().name},
                         {"version", component->spec().version},
                         {"state", to_string(component->state())},
                         {"pid", component->pid()}};
      const bool failed = component->state() == ComponentState::errored ||
                          component->state() == ComponentState::broken;
      if (failed) entry["reason"] = component->reason();
      if (component->paused()) entry["paused"] = true;
      json::object metrics = metric_operations_.of(component->spec().name);
      if (!metrics.empty()) entry["metrics"] = std::move(metrics);
      const ComponentNote note = note_about(component->spec().name, component, host_, refused_);
      if (!failed && !note.text.empty()) {
        entry["note"] = note.text;
        entry["noteCode"] = to_string(note.code);
      }
      components.push_back(std::move(entry));
    }
    json::value consumers;  // null: no server has said so far
    if (spool_.result_consumers()) {
      consumers = json::array(spool_.result_consumers()->begin(), spool_.result_consumers()->end());
    }
    json::array refused;
    for (const RefusedTopics::Refused& one : refused_.all()) {
      refused.push_back(json::object{{"topic", one.topic}, {"component", one.component}});
    }
    json::object clock;
    if (const auto ahead = server_time_.own_is_ahead()) clock["aheadMs"] = ahead->count();
    json::object damaged;
    for (const auto& [component, reason] : configurations_.damaged()) damaged[component] = reason;
    try {
      write_live_status(layout_, {{"pid", getpid()},
                                  {"startTicks", base::process_start_ticks(getpid()).value_or(0)},
                                  {"connected", link_->is_connected()},
                                  {"network", network_.status()},
                                  {"linkBudget", budget_.status()},
                                  {"certificate", renewer_.status()},
                                  {"clock", std::move(clock)},
                                  {"deploymentState", engine_.state_name()},
                                  {"deploymentProgress", fleet::describe(engine_.progress())},
                                  {"components", std::move(components)},
                                  {"damagedConfigurations", std::move(damaged)},
                                  {"spoolBytes", spool_.bytes()},
                                  {"spoolDropped", spool_.dropped()},
                                  {"spoolRefused", spool_.refused()},
                                  {"refusedTopics", std::move(refused)},
                                  {"resultConsumers", std::move(consumers)},
                                  {"loop", loop_status()}});
      events_written_ = loop_.lateness().count();
    } catch (const std::exception& error) {
      base::log_warning("the status file cannot be written", {{"why", error.what()}});
    }
  }

  // How late the loop was since the start, and whether something held it up that must not.
  json::object loop_status() const {
    const base::LatencyHistogram& lateness = loop_.lateness();
    return {{"events", lateness.count()},
            {"latenessP999Us", lateness.percentile(0.999).count()},
            {"latenessMaxUs", lateness.max().count()},
            {"forbiddenBlocks", base::forbidden_blocks()}};
  }

  void watch_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&set, number);
    signals_ = base::UniqueFd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals_) throw base::system_error("cannot watch for signals", errno);
    loop_.watch(signals_.get(), EPOLLIN, [this](std::uint32_t) {
      signalfd_siginfo info{};
      if (read(signals_.get(), &info, sizeof info) != sizeof info) return;
      restart_.reset();
      if (stopping_) return;
      base::log_info("stopping", {{"signal", info.ssi_signo}});
      options_.service.stopping();
      if (info.ssi_signo == static_cast<std::uint32_t>(SIGUSR1)) return leave();
      stop();
    });
  }

  AgentOptions options_;
  Layout layout_;
  const DeviceConfig enrolled_;
  const NetworkSettings network_settings_;
  const DeviceConfig device_;
  base::FileLock lock_;
  base::SystemClock clock_;
  EventLoop loop_;
  ServerTime server_time_{clock_, loop_};
  std::unique_ptr<store::Database> database_;
  DeploymentJournal journal_;  // before the writer, whose work uses it to the end
  StateWriter writer_;
  ConfigurationStore configurations_;
  ComponentTokens tokens_;
  ProcessJournal process_journal_;
  std::vector<KeptRecord> kept_{process_journal_.kept()};  // by the agent before
  AgentHost host_;
  Supervisor supervisor_;
  AccessPolicy policy_;
  std::unique_ptr<MqttLink> link_;
  LinkBudget budget_{LinkBudget::real_world(layout_.config() / "link-volume.json")};
  PublishSpool spool_;
  RefusedTopics refused_;
  NucleusSettings nucleus_;
  TokenExchange token_exchange_;
  StreamManager streams_;
  LogUploader log_uploader_;
  IpcOperations operations_;
  ConfigurationOperations configuration_operations_;
  PubsubOperations pubsub_operations_;
  MqttOperations mqtt_operations_;
  LifecycleOperations lifecycle_operations_;
  UpdateOperations update_operations_;
  MetricOperations metric_operations_;
  LinkOperations link_operations_{budget_};
  ShadowOperations shadow_operations_;
  ShadowSync shadow_sync_;
  SecretSource secret_source_;
  SecretManager secrets_;
  IpDetector ip_detector_;
  ClientDevices client_devices_;
  IpcServer ipc_;
  IpcServer control_;
  std::unique_ptr<DeploymentWorker> worker_;
  ArtifactGuard guard_;
  DeploymentEngine engine_;
  LocalDeployments local_deployments_;
  LocalOperations local_operations_;
  JobClient jobs_;
  ShadowDeployments shadow_deployments_;
  ProgressReporter progress_;
  HealthReporter health_;
  TelemetryReporter telemetry_;
  NucleusConfigurator nucleus_configurator_;
  CertificateRenewer renewer_;
  CommandRunner commands_;
  ReturningClients returning_{loop_, supervisor_};
  NetworkSwitch network_{
      {loop_, *link_, layout_, enrolled_, network_settings_,
       [device = device_, layout = layout_] { static_cast<void>(ask_server(device, layout)); },
       [this] { return engine_.busy(); }, [this] { restart(RestartOf::agent); },
       [this] { write_status_soon(); }}};
  OwnTrial own_trial_{loop_, layout_, [this] { return link_->counts().problem; },
                      [this] { restart(RestartOf::agent); }};
  base::UniqueFd signals_;
  EventLoop::TimerId status_timer_ = 0;
  EventLoop::TimerId calm_timer_ = 0;
  std::uint64_t events_written_ = 0;  // of the loop, when the status was last written
  Worker tidier_{loop_};
  bool stopping_ = false;
  std::optional<RestartOf> restart_;
  const json::object no_configuration_;
};

Agent::Agent(AgentOptions options) {
  // Before the first thread, so that every thread has them blocked and the loop gets them.
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&set, number);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  implementation_ = std::make_unique<Implementation>(std::move(options));
}

Agent::~Agent() = default;

Agent::End Agent::run() {
  return implementation_->run();
}

}  // namespace andon::edge
