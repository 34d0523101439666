// SPDX-License-Identifier: Apache-2.0
#include "api/device/provisioning/provisioning_queue.hpp"

#include <algorithm>
#include <utility>

#include "fleet/provisioning/provisioning_message.hpp"

namespace andon::api {

std::string ProvisioningQueue::client_key(const Question& question) {
  return question.claim + "/" + question.client;
}

void ProvisioningQueue::forget_if_empty(Shares& shares, const std::string& key) {
  const auto found = shares.find(key);
  if (found != shares.end() && found->second.waiting == 0 && found->second.in_hand == 0) {
    shares.erase(found);
  }
}

bool ProvisioningQueue::add(const wire::MqttMessage& message) {
  auto read = fleet::parse_question_topic(message.topic);
  if (!read) return false;
  if (waiting_.size() >= kMostWaiting ||
      waiting_bytes_ + message.payload.size() > kMostWaitingBytes) {
    return false;
  }
  Question question{std::move(read->certificate), std::move(read->client_id), message};
  const std::string key = client_key(question);
  const auto waits = [](const Shares& shares, const std::string& name) {
    const auto found = shares.find(name);
    return found == shares.end() ? 0 : found->second.waiting;
  };
  if (waits(claims_, question.claim) >= kMostOfClaim || waits(clients_, key) >= kMostOfClient) {
    return false;
  }
  ++claims_[question.claim].waiting;
  ++clients_[key].waiting;
  waiting_bytes_ += message.payload.size();
  waiting_.push_back(std::move(question));
  return true;
}

std::optional<ProvisioningQueue::Question> ProvisioningQueue::take() {
  const auto next = std::ranges::find_if(waiting_, [this](const Question& one) {
    return claims_[one.claim].in_hand < most_in_hand_ && clients_[client_key(one)].in_hand == 0;
  });
  if (next == waiting_.end()) return std::nullopt;
  Question question = std::move(*next);
  waiting_.erase(next);
  waiting_bytes_ -= question.message.payload.size();
  for (Share* share : {&claims_[question.claim], &clients_[client_key(question)]}) {
    --share->waiting;
    ++share->in_hand;
  }
  return question;
}

void ProvisioningQueue::done(const Question& question) {
  const std::string key = client_key(question);
  --claims_[question.claim].in_hand;
  --clients_[key].in_hand;
  forget_if_empty(claims_, question.claim);
  forget_if_empty(clients_, key);
}

}  // namespace andon::api
