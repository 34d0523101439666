// SPDX-License-Identifier: Apache-2.0
// The broker of client devices, which is a mosquitto with andon's module: the run step of
// aws.greengrass.clientdevices.mqtt.Moquette or of .mqtt.EMQX, so that it is supervised, logged and
// kept over a restart of the agent as any component. This object prepares what it starts with
// (broker_files.hpp), keeps that true while it runs (who may connect at once, another certificate
// by a restart), and holds the agent's own connection to it. Owned by the agent; main thread only,
// which it never keeps waiting.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error/error.hpp"
#include "base/time/time.hpp"
#include "edge/clients/broker_files.hpp"
#include "edge/clients/client_registry.hpp"
#include "edge/clients/client_settings.hpp"
#include "edge/cloud/mqtt_link.hpp"
#include "edge/loop/event_loop.hpp"
#include "edge/loop/worker.hpp"
#include "edge/run/component_note.hpp"
#include "edge/state/layout.hpp"

namespace andon::edge {

class ClientBroker {
 public:
  struct Parts {
    EventLoop& loop;
    const Layout& layout;
    const base::Clock& clock;    // the server's time
    std::string component_user;  // of components for which nobody names one
    // A component's configuration; null where it is not in the set.
    std::function<const json::object*(std::string_view component)> configuration;
    // ClientRegistry's.
    std::function<std::optional<std::string>(const std::string& known)> ask_for_clients;
    // PEM. Blocks; on another thread.
    std::function<void(const std::vector<std::string>& authorities)> tell_authorities;
    std::function<std::vector<std::string>()> addresses;  // of this machine
    std::function<std::unique_ptr<MqttLink>(const wire::MqttOptions&)> connect;
    // A component that waits for may_start() may start now.
    std::function<void(const std::string& component)> let_start;
    std::function<bool(const std::string& component)> is_up;
    std::function<void(const std::string& component)> restart;
    std::function<void(std::string_view component, ComponentNote note)> note;
    // The agent's connection to the broker; null: there is none any more.
    std::function<void(MqttLink*)> on_link;
    // The broker's certificate is due, or another CA: components with brokers of their own want
    // one.
    std::function<void()> on_certificate_due;
  };
  explicit ClientBroker(Parts parts);
  ClientBroker(const ClientBroker&) = delete;
  ClientBroker& operator=(const ClientBroker&) = delete;
  ~ClientBroker();

  // The set or a configuration may have changed.
  void refresh();
  void connection_changed(bool is_connected);

  // Asked before each start of a component. False: let_start() follows.
  [[nodiscard]] bool may_start(const std::string& component);
  // Before a script of the component is started; throws what keeps the broker from starting.
  void check_start(const std::string& component);

  [[nodiscard]] ClientRegistry& registry() { return registry_; }
  // As it was when it was right last; null where aws.greengrass.clientdevices.Auth is not in the
  // set.
  [[nodiscard]] const ClientAuthSettings* auth() const { return auth_ ? &*auth_ : nullptr; }
  // A certificate for a broker that is a component, from the loop's thread; blocks nowhere.
  struct Issued {
    IssuedCertificate certificate;
    std::vector<std::string> authorities;
  };
  void issue(std::function<void(const Issued&, std::exception_ptr)> done);

 private:
  struct Wanted {
    std::string component;  // that runs the broker; empty: none
    BrokerFiles::Wish wish;
    std::string key;  // equal for equal wishes
  };
  [[nodiscard]] std::optional<Wanted> wanted();
  [[nodiscard]] std::string broker_in_set() const;
  [[nodiscard]] ClientBrokerSettings broker_settings(const std::string& component) const;
  void prepare(Wanted wanted);
  void prepared(const Wanted& wanted, const BrokerFiles::Prepared& files,
                const std::exception_ptr& error);
  void follow(const Wanted& wanted);
  void rotate_later(base::Timestamp when);
  void connect(const Wanted& wanted);
  void disconnect();
  void tell_authority();
  void fail(std::string_view component, const base::Error& error);
  void forget_problem();
  void end();

  Parts parts_;
  BrokerFiles files_;
  ClientRegistry registry_;
  std::optional<ClientAuthSettings> auth_;
  std::string tried_;  // the key of the last wish that was prepared, or could not be
  bool is_preparing_ = false;
  std::optional<BrokerFiles::Prepared> ready_;
  std::string ready_key_;
  std::optional<base::Error> problem_;
  std::string noted_;    // the component that has a note of it
  std::string waiting_;  // a component, for let_start()
  std::string started_;  // the digest that mosquitto was started with
  std::string authority_;
  std::string told_;  // the authority that the server has
  bool is_telling_ = false;
  std::optional<ClientBrokerSettings> linked_;
  std::unique_ptr<MqttLink> link_;
  EventLoop::TimerId rotation_ = 0;
  Worker worker_;  // last: it ends before what its work uses
};

}  // namespace andon::edge
