// SPDX-License-Identifier: Apache-2.0
// IPC operations by which a component serves client devices itself, with a broker or server of its
// own: is this certificate a client device's, a token for it, may it do that, and a certificate for
// the server. Owned by the agent; main thread only. Tokens are in memory: a client device is looked
// at again after a restart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/time/time.hpp"
#include "edge/clients/client_broker.hpp"
#include "edge/ipc/access_policy.hpp"
#include "edge/ipc/ipc_call.hpp"

namespace andon::edge {

class ClientOperations {
 public:
  // `policy`, `broker` and `clock` (the server's time) must outlive it.
  ClientOperations(const AccessPolicy& policy, ClientBroker& broker, const base::Clock& clock)
      : policy_(policy), broker_(broker), clock_(clock) {}
  ClientOperations(const ClientOperations&) = delete;
  ClientOperations& operator=(const ClientOperations&) = delete;
  ~ClientOperations() { *alive_ = false; }

  void add_to(IpcOperations& operations);
  // Who has subscribed to certificates gets another one.
  void certificate_is_due();

 private:
  struct Session {
    std::string thing;
    std::string fingerprint;
    std::list<std::string>::iterator age;
  };
  void require(const IpcCall& call) const;
  const ClientAuthSettings& settings() const;
  // The thing whose certificate it is; asks the server where it is not known. Nothing: nobody's.
  using Found = std::function<void(std::optional<std::string> thing)>;
  void look_up(const std::string& certificate_pem, const Found& found);
  [[nodiscard]] std::optional<std::string> fingerprint_of(const std::string& pem) const;
  void verify(const IpcCall& call, const IpcReply& reply);
  void give_token(const IpcCall& call, const IpcReply& reply);
  [[nodiscard]] std::string make_token(const std::string& thing, const std::string& fingerprint);
  [[nodiscard]] json::object authorize(const IpcCall& call);
  [[nodiscard]] json::object subscribe(const IpcCall& call);
  void send_certificate(const std::weak_ptr<IpcStream>& stream);

  const AccessPolicy& policy_;
  ClientBroker& broker_;
  const base::Clock& clock_;
  std::map<std::string, Session> sessions_;  // by token
  std::list<std::string> ages_;              // of tokens; the one used last is last
  using Subscribers = std::map<std::uint64_t, std::weak_ptr<IpcStream>>;
  std::shared_ptr<Subscribers> subscribers_ = std::make_shared<Subscribers>();
  std::uint64_t next_subscriber_ = 1;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace andon::edge
