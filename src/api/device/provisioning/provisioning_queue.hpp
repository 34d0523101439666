// SPDX-License-Identifier: Apache-2.0
// Questions of provisioning that wait for a thread, so that one claim, or one client with it, does
// not keep the others waiting: a hook may take seconds for each. Of a client one is in hand at a
// time; of a claim all but one of the threads at most. Bounded; what is beyond is dropped, and
// devices ask again. Not for several threads at once.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "wire/mqtt/mqtt_message.hpp"

namespace andon::api {

class ProvisioningQueue {
 public:
  static constexpr std::size_t kMostWaiting = 500;
  static constexpr std::size_t kMostWaitingBytes = 8U << 20U;
  static constexpr std::size_t kMostOfClaim = 400;
  static constexpr std::size_t kMostOfClient = 8;

  explicit ProvisioningQueue(std::size_t threads) : most_in_hand_(threads > 1 ? threads - 1 : 1) {}

  struct Question {
    std::string claim;   // the certificate's id
    std::string client;  // of that certificate
    wire::MqttMessage message;
  };

  // False where there is no room for it, or it is no question.
  [[nodiscard]] bool add(const wire::MqttMessage& message);
  // The longest waiting whose turn it may be; each that is taken is to be told done().
  [[nodiscard]] std::optional<Question> take();
  void done(const Question& question);

 private:
  struct Share {
    std::size_t waiting = 0;
    std::size_t in_hand = 0;
  };
  using Shares = std::map<std::string, Share>;
  [[nodiscard]] static std::string client_key(const Question& question);
  static void forget_if_empty(Shares& shares, const std::string& key);

  std::size_t most_in_hand_;  // of a claim
  std::deque<Question> waiting_;
  std::size_t waiting_bytes_ = 0;
  Shares claims_;
  Shares clients_;  // by claim and client id
};

}  // namespace andon::api
