// SPDX-License-Identifier: Apache-2.0
#include "server/server.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "api/authenticator.hpp"
#include "api/device_plane.hpp"
#include "api/greengrass.hpp"
#include "api/iot.hpp"
#include "api/router.hpp"
#include "api/s3.hpp"
#include "api/sagemaker.hpp"
#include "base/encoding.hpp"
#include "base/id.hpp"
#include "control/control_plane.hpp"
#include "control/model_registry.hpp"
#include "server/broker.hpp"
#include "server/data_directory.hpp"
#include "server/device_channel.hpp"
#include "server/listening_port.hpp"
#include "wire/http_server.hpp"
#include "wire/mqtt_client.hpp"
#include "wire/sigv4.hpp"

namespace andon::server {
namespace {

constexpr std::chrono::hours kCredentialsLifetime{1};
constexpr std::chrono::hours kPresignedLifetime{1};
constexpr unsigned kPrivateDirectory = 0700;

ServerOptions checked(ServerOptions options) {
  check_server_options(options);
  return options;
}

api::DeviceEndpoints endpoints_of(const ServerOptions& options, const Ports& ports) {
  return {.host = options.hosts.front(), .https_port = ports.device, .mqtt_port = ports.mqtt};
}

std::string host_of(const std::string& url) {
  return url.substr(url.find("://") + 3);
}

wire::TlsServerOptions tls_of(const Authority& authority) {
  return {.certificate_chain_pem = base::read_file(authority.server().certificate),
          .private_key_pem = base::read_file(authority.server().private_key),
          .client_ca_pem = {}};
}

}  // namespace

// Members in the order in which they start; they end in the reverse order.
class Server::Implementation {
 public:
  explicit Implementation(ServerOptions options)
      : options_(checked(std::move(options))),
        data_(options_, clock_),
        ports_(prepare_ports()),
        urls_(server_urls(options_, ports_)),
        control_(data_.database(), data_.objects(), clock_, notifier_,
                 data_.authority().authority(), control::Arns(options_.region)),
        registry_(data_.database(), data_.objects(), clock_),
        authenticator_(data_.access_keys(), clock_),
        operator_s3_(data_.objects(), authenticator_, clock_,
                     {.audience = api::S3Audience::operators_and_devices,
                      .region = options_.region,
                      .host = options_.hosts.front()}),
        device_s3_(data_.objects(), authenticator_, clock_,
                   {.audience = api::S3Audience::devices_only,
                    .region = options_.region,
                    .host = options_.hosts.front()}),
        router_(operations(), operator_s3_, authenticator_,
                {.not_ready_because = [this] { return not_ready_because(); }}),
        device_plane_(control_, data_.objects(), device_plane_options()),
        broker_(broker_options()),
        channel_(mqtt_options(), control_, notifier_, clock_) {
    base::make_directories(spool(), kPrivateDirectory);
    device_http_ =
        listen(options_.device_address, ports_.device, device_tls(),
               [this](wire::HttpRequest& request) { return device_plane_.handle(request); });
    api_http_ = listen(options_.api_address, ports_.api, api_tls(),
                       [this](wire::HttpRequest& request) { return router_.handle(request); });
    announce(data_.path(), urls_);
  }

  ~Implementation() { withdraw_announcement(data_.path()); }

  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  [[nodiscard]] const ServerUrls& urls() const { return urls_; }
  [[nodiscard]] base::fs::path operator_key_file() const { return data_.operator_key_file(); }
  void do_housekeeping() { data_.access_keys().sweep(); }

 private:
  [[nodiscard]] base::fs::path spool() const { return data_.path() / "spool"; }
  [[nodiscard]] base::fs::path broker_directory() const { return data_.path() / "mosquitto"; }

  Ports prepare_ports() {
    withdraw_announcement(data_.path());
    end_leftover_broker(broker_directory());
    return choose_ports(options_);
  }

  std::vector<api::Operation> operations() {
    const api::DeviceEndpoints endpoints = endpoints_of(options_, ports_);
    std::vector<api::Operation> all;
    const auto add = [&all](std::vector<api::Operation> some) {
      std::ranges::move(some, std::back_inserter(all));
    };
    add(api::greengrass_operations(control_,
                                   [this](const std::string& bucket, const std::string& key) {
                                     return presign(bucket, key);
                                   }));
    add(api::iot_operations(control_, endpoints));
    add(api::enrolment_operations(control_, endpoints,
                                  data_.authority().authority().certificate_pem));
    add(api::sagemaker_operations(registry_, control_.arns));
    return all;
  }

  [[nodiscard]] std::string presign(const std::string& bucket, const std::string& key) const {
    const control::AccessKey& signer = data_.operator_key();
    const std::string target = "/" + bucket + "/" + base::percent_encode(key, base::Slash::keep);
    return urls_.api + wire::presign("GET", host_of(urls_.api), target,
                                     {signer.id, signer.secret, {}}, {options_.region, "s3"},
                                     clock_.now(), kPresignedLifetime);
  }

  api::DevicePlaneOptions device_plane_options() {
    return {.endpoints = endpoints_of(options_, ports_),
            .ca_certificate_pem = data_.authority().authority().certificate_pem,
            .issue_credentials =
                [this](const std::string& principal) {
                  const control::AccessKey key =
                      data_.access_keys().create_temporary(principal, kCredentialsLifetime);
                  return api::TemporaryCredentials{key.id, key.secret, key.session_token,
                                                   key.expires.value()};
                },
            .s3 = [this](wire::HttpRequest& request) { return device_s3_.handle(request); }};
  }

  [[nodiscard]] BrokerOptions broker_options() const {
    return {.directory = broker_directory(),
            .address = options_.device_address,
            .port = ports_.mqtt,
            .ca_file = data_.authority().ca_file(),
            .certificate_file = data_.authority().server().certificate,
            .private_key_file = data_.authority().server().private_key,
            .program = options_.mosquitto};
  }

  [[nodiscard]] wire::MqttOptions mqtt_options() const {
    wire::MqttOptions mqtt;
    mqtt.host = options_.device_address == "0.0.0.0" ? "127.0.0.1"
                : options_.device_address == "::"    ? "::1"
                                                     : options_.device_address;
    mqtt.port = ports_.mqtt;
    // Not to be guessed: who connects with the id of another pushes it out.
    mqtt.client_id = "andon-server-" + base::random_uuid();
    mqtt.ca_file = data_.authority().ca_file();
    mqtt.certificate_file = data_.authority().server_client().certificate;
    mqtt.private_key_file = data_.authority().server_client().private_key;
    mqtt.reconnect_minimum = std::chrono::milliseconds{50};
    mqtt.reconnect_maximum = std::chrono::milliseconds{2'000};
    return mqtt;
  }

  [[nodiscard]] wire::TlsServerOptions device_tls() const {
    wire::TlsServerOptions tls = tls_of(data_.authority());
    tls.client_ca_pem = data_.authority().authority().certificate_pem;
    return tls;
  }
  [[nodiscard]] std::optional<wire::TlsServerOptions> api_tls() const {
    if (is_loopback(options_.api_address)) return std::nullopt;
    return tls_of(data_.authority());
  }

  [[nodiscard]] std::unique_ptr<wire::HttpServer> listen(const std::string& address,
                                                         std::uint16_t port,
                                                         std::optional<wire::TlsServerOptions> tls,
                                                         wire::HttpHandler handler) const {
    wire::HttpServerOptions options;
    options.address = address;
    options.port = port;
    options.tls = std::move(tls);
    options.spool_directory = spool();
    return std::make_unique<wire::HttpServer>(std::move(options), std::move(handler));
  }

  [[nodiscard]] std::string not_ready_because() const {
    if (!broker_.is_running()) return "the MQTT broker is being started again";
    if (!channel_.is_connected()) return "the connection to the MQTT broker is being made";
    return {};
  }

  base::SystemClock clock_;
  ServerOptions options_;
  DataDirectory data_;
  Ports ports_;
  ServerUrls urls_;
  api::MqttNotifier notifier_;
  control::ControlPlane control_;
  control::ModelRegistry registry_;
  api::Authenticator authenticator_;
  api::S3Service operator_s3_;
  api::S3Service device_s3_;
  api::Router router_;
  api::DevicePlane device_plane_;
  Broker broker_;
  DeviceChannel channel_;
  std::unique_ptr<wire::HttpServer> device_http_;
  std::unique_ptr<wire::HttpServer> api_http_;
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

void Server::do_housekeeping() {
  implementation_->do_housekeeping();
}

}  // namespace andon::server
