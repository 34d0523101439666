// SPDX-License-Identifier: Apache-2.0
#include "api/device/provisioning/provisioning_queue.hpp"

#include <gtest/gtest.h>

#include "fleet/provisioning/provisioning_message.hpp"

namespace andon::api {
namespace {

wire::MqttMessage question(const std::string& claim, const std::string& client,
                           const std::string& payload = "{}") {
  return {fleet::question_topic({client, claim, "$aws/certificates/create/json"}), payload};
}

std::string claim(char digit) {
  return std::string(64, digit);
}

TEST(ProvisioningQueue, OneClaimLeavesAThreadToTheOthers) {
  ProvisioningQueue queue(4);
  for (const auto* client : {"a", "b", "c", "d", "e"}) {
    ASSERT_TRUE(queue.add(question(claim('1'), client)));
  }
  ASSERT_TRUE(queue.add(question(claim('2'), "late")));
  std::vector<ProvisioningQueue::Question> taken;
  while (auto one = queue.take()) taken.push_back(*one);
  ASSERT_EQ(taken.size(), 4U);
  EXPECT_EQ(taken[2].client, "c");
  EXPECT_EQ(taken[3].client, "late");
  queue.done(taken[0]);
  EXPECT_EQ(queue.take()->client, "d");
}

TEST(ProvisioningQueue, OneClientIsAnsweredOneAfterTheOther) {
  ProvisioningQueue queue(4);
  ASSERT_TRUE(queue.add(question(claim('1'), "a", "1")));
  ASSERT_TRUE(queue.add(question(claim('1'), "a", "2")));
  const auto first = queue.take();
  EXPECT_EQ(first->message.payload, "1");
  EXPECT_FALSE(queue.take());
  queue.done(*first);
  EXPECT_EQ(queue.take()->message.payload, "2");
}

TEST(ProvisioningQueue, IsBoundedForAClientAndForAClaim) {
  ProvisioningQueue queue(4);
  std::size_t kept = 0;
  for (int i = 0; i < 20; ++i) kept += queue.add(question(claim('1'), "a")) ? 1U : 0U;
  EXPECT_EQ(kept, ProvisioningQueue::kMostOfClient);
  for (int i = 0; i < 1000; ++i) {
    kept += queue.add(question(claim('1'), "b" + std::to_string(i))) ? 1U : 0U;
  }
  EXPECT_EQ(kept, ProvisioningQueue::kMostOfClaim);
  EXPECT_TRUE(queue.add(question(claim('2'), "a")));
  EXPECT_FALSE(
      queue.add(question(claim('3'), "a", std::string(ProvisioningQueue::kMostWaitingBytes, 'x'))));
  EXPECT_FALSE(queue.add({"plant/x", "{}"}));
}

}  // namespace
}  // namespace andon::api
