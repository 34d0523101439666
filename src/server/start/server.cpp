// SPDX-License-Identifier: Apache-2.0
#include "server/start/server.hpp"

#include <optional>
#include <utility>

#include "api/audit/internal_audit.hpp"
#include "api/s3/settings/form_data.hpp"
#include "api/signin/operations.hpp"
#include "api/signin/sign_in.hpp"
#include "base/os/sync_name.hpp"
#include "control/shared/background_worker.hpp"
#include "server/broker/listening_port.hpp"
#include "server/services/database_watch.hpp"
#include "server/start/served_addresses.hpp"
#include "server/start/server_parts.hpp"
#include "wire/http/http_server.hpp"
#include "wire/websocket/web_socket.hpp"

namespace andon::server {
namespace {

constexpr unsigned kPrivateDirectory = 0700;
// Whom the command line on this machine believes at an API with a certificate of the plant's.
constexpr const char* kApiTrustFile = "api-ca.pem";
// Nothing is won by looking at who sends so little before it is there.
constexpr std::uint64_t kUnaskedBytes = 16'384;
constexpr std::chrono::seconds kTelemetryWritten{2};
constexpr std::chrono::seconds kAlarmsChecked{10};
constexpr std::chrono::seconds kRefusedPushesKept{10};

}  // namespace

// Starts what runs by itself and opens the ports, and stops both in the reverse order.
class Server::Implementation {
 public:
  explicit Implementation(ServerOptions options) : parts_(std::move(options)) {
    base::make_directories(parts_.spool(), kPrivateDirectory);
    // The names of what this start has made (ca/, credentials/) last before anybody is answered.
    base::sync_name(parts_.data.path());
    base::sync_directory(parts_.data.path());
    parts_.iam.begin_service_roles(parts_.workflow.machines().roles(), parts_.clock.now());
    parts_.sagemaker.join();
    parts_.tasks.set_engine(
        parts_.workflow, parts_.builds.runner(),
        [this](const job::JobOrder& order) { return parts_.sagemaker.standing(order); });
    parts_.function_log.set_bus([this](const std::string& bus, const std::string& record) {
      parts_.event_bus.put_function_record(bus, record);
    });
    parts_.find_operation = [this](std::string_view scope, std::string_view name) {
      return parts_.router.find(scope, name);
    };
    api::record_internal_calls(parts_.internal_calls, parts_.audit.log(), parts_.authorizer,
                               [this](std::string_view service, std::string_view operation) {
                                 parts_.changes.note(api::changed_by(service, operation));
                               });
    parts_.builds.runner().resume();
    parts_.workflow.run();
    parts_.sagemaker.run();
    parts_.event_bus.run();
    parts_.stacks.run();
    parts_.features.features().run();
    device_http_ = listen(
        parts_.options.device_address, parts_.ports.device, device_tls_of(parts_.data.authority()),
        0, [this](const wire::HttpRequest& head) { return parts_.device_plane.admit(head); },
        [this](wire::HttpRequest& request) { return parts_.device_plane.handle(request); });
    api_http_ = listen(
        parts_.options.api_address, parts_.ports.api, api_tls(), kUnaskedBytes,
        [this](const wire::HttpRequest& head) { return parts_.router.admit(head); },
        [this](wire::HttpRequest& request) { return parts_.router.handle(request); },
        [this](const wire::HttpRequest& start) { return parts_.router.look(start); },
        [this](const wire::HttpRequest& request) { return parts_.router.upgrade(request); });
    parts_.audit.say_started();
    parts_.telemetry.start_metrics([this] { return parts_.metrics(); });
    if (const auto given = parts_.api_certificate.identity()) show_api_certificate(*given);
    announce(parts_.data.path(), parts_.urls,
             parts_.api_certificate.identity() ? kApiTrustFile : "");
    watch_.emplace(parts_.data.path());
    telemetry_writer_.emplace(
        "telemetry",
        [this] {
          parts_.control.telemetry.write();
          return false;
        },
        kTelemetryWritten);
    alarm_watch_.emplace(
        "alarms",
        [this] {
          parts_.alarms.check();
          return false;
        },
        kAlarmsChecked);
    push_keeper_.emplace(
        "webhooks",
        [this] {
          parts_.event_bus.keep_push_outcomes();
          return false;
        },
        kRefusedPushesKept);
  }

  ~Implementation() {
    withdraw_announcement(parts_.data.path());
    push_keeper_.reset();
    alarm_watch_.reset();
    telemetry_writer_.reset();
    parts_.telemetry.stop_metrics();
    parts_.changes.stop();
    parts_.page_sockets.stop();
    parts_.live_frames.stop();
    parts_.stacks.stop();
    parts_.features.features().stop();
    parts_.function_log.set_bus({});
    parts_.event_bus.stop();
    parts_.workflow.stop();
    parts_.tasks.jobs().stop();
    parts_.functions.stop();
  }

  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  [[nodiscard]] const ServerUrls& urls() const { return parts_.urls; }
  [[nodiscard]] base::fs::path operator_key_file() const { return parts_.data.operator_key_file(); }
  std::optional<std::string> first_sign_in() {
    const auto token = parts_.sessions.first_link();
    return token ? std::optional(parts_.urls.api + api::console_link_path(*token)) : std::nullopt;
  }
  void check_alive() {
    parts_.data.database().read([](store::Transaction& tx) { return tx.query_one("SELECT 1"); });
  }
  void look_at_certificate() {
    if (const auto changed = parts_.api_certificate.look_again()) show_api_certificate(*changed);
  }
  void leave_jobs_running() { parts_.tasks.jobs().leave_running(); }
  void do_housekeeping() {
    parts_.housekeeping.run();
    parts_.certificate_ends.tell();
    parts_.workflow.sweep();
    parts_.sagemaker.sweep();
    parts_.features.features().sweep();
  }

 private:
  void show_api_certificate(const wire::TlsIdentity& given) {
    api_http_->offer(given);
    base::write_file_atomically(
        parts_.data.path() / kApiTrustFile,
        parts_.data.authority().authority().certificate_pem + given.certificate_chain_pem);
  }

  [[nodiscard]] std::optional<wire::TlsServerOptions> api_tls() const {
    if (is_loopback(parts_.options.api_address)) return std::nullopt;
    return tls_of(parts_.data.authority());
  }

  [[nodiscard]] std::unique_ptr<wire::HttpServer> listen(
      const std::string& address, std::uint16_t port, std::optional<wire::TlsServerOptions> tls,
      std::uint64_t unasked_bytes, wire::HttpAdmit admit, wire::HttpHandler handler,
      wire::HttpLook look = {}, wire::HttpUpgrader upgrade = {}) const {
    wire::HttpServerOptions options;
    options.address = address;
    options.port = port;
    options.tls = std::move(tls);
    options.spool_directory = parts_.spool();
    options.admit = std::move(admit);
    options.unasked_body_bytes = unasked_bytes;
    options.look = std::move(look);
    options.look_after_bytes = api::kFormStart;
    options.upgrade = std::move(upgrade);
    options.web_sockets = &wire::web_socket_carrier();
    return std::make_unique<wire::HttpServer>(std::move(options), std::move(handler));
  }

  ServerParts parts_;
  std::unique_ptr<wire::HttpServer> device_http_;
  std::unique_ptr<wire::HttpServer> api_http_;
  std::optional<DatabaseWatch> watch_;
  // Last: they use what is above.
  std::optional<control::BackgroundWorker> telemetry_writer_;
  std::optional<control::BackgroundWorker> alarm_watch_;
  std::optional<control::BackgroundWorker> push_keeper_;
};

Server::Server(ServerOptions options)
    : implementation_(std::make_unique<Implementation>(std::move(options))) {}

Server::~Server() = default;

const ServerUrls& Server::urls() const {
  return implementation_->urls();
}

base::fs::path Server::operator_key_file() const {
  return implementation_->operator_key_file();
}

std::optional<std::string> Server::first_sign_in() {
  return implementation_->first_sign_in();
}

void Server::check_alive() const {
  implementation_->check_alive();
}

void Server::look_at_certificate() {
  implementation_->look_at_certificate();
}

void Server::leave_jobs_running() {
  implementation_->leave_jobs_running();
}

void Server::do_housekeeping() {
  implementation_->do_housekeeping();
}

}  // namespace andon::server
