// SPDX-License-Identifier: Apache-2.0
#include "wire/mqtt/mqtt_outbox.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/error/error.hpp"

namespace andon::wire {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int kGranted = 0;
constexpr int kNoMatchingSubscribers = 0x10;
constexpr int kNotAuthorised = 0x87;

class MqttOutboxTest : public testing::Test {
 protected:
  OutgoingMessage message(const std::string& topic) {
    return {{topic, "payload"},
            Qos::at_least_once,
            false,
            nullptr,
            [this, topic](PublishOutcome outcome) {
              told_.push_back(topic + ": " + std::string(to_string(outcome)));
            }};
  }
  static void tell(const MqttOutbox::Settled& settled) {
    if (settled.on_outcome) settled.on_outcome(settled.outcome);
  }
  static void tell(const std::vector<MqttOutbox::Settled>& all) {
    for (const MqttOutbox::Settled& settled : all) tell(settled);
  }

  MqttOutbox outbox_;
  std::vector<std::string> told_;
};

TEST_F(MqttOutboxTest, GivesItsMessagesInOrderAndOnce) {
  outbox_.connection_is_up();
  for (const char* topic : {"c", "a", "b"}) outbox_.add(message(topic));
  std::vector<std::string> topics;
  for (const OutgoingMessage& it : outbox_.take()) topics.push_back(it.message.topic);
  EXPECT_THAT(topics, ElementsAre("c", "a", "b"));
  EXPECT_THAT(outbox_.take(), IsEmpty());
}

TEST_F(MqttOutboxTest, TellsEachMessageWhatTheBrokerSaidOfIt) {
  outbox_.connection_is_up();
  outbox_.await(1, message("a").on_outcome);
  outbox_.await(2, message("b").on_outcome);
  outbox_.await(3, message("c").on_outcome);
  tell(outbox_.acknowledge(2, kNoMatchingSubscribers));
  tell(outbox_.acknowledge(3, kNotAuthorised));
  tell(outbox_.acknowledge(1, kGranted));
  tell(outbox_.acknowledge(1, kGranted));  // the same again, which a broker must not send
  tell(outbox_.acknowledge(9, kGranted));  // of QoS 0
  EXPECT_THAT(told_, ElementsAre("b: no subscribers", "c: refused", "a: delivered"));
}

TEST_F(MqttOutboxTest, SettlesEverythingWhenTheConnectionBreaksAndForgetsIt) {
  outbox_.connection_is_up();
  outbox_.await(1, message("doubtful").on_outcome);
  outbox_.add(message("unsent"));
  tell(outbox_.connection_is_gone());
  EXPECT_THAT(told_, ElementsAre("doubtful: timed out", "unsent: not connected"));
  EXPECT_FALSE(outbox_.is_connected());
  outbox_.connection_is_up();
  EXPECT_THAT(outbox_.take(), IsEmpty());
  tell(outbox_.acknowledge(1, kGranted));  // a number of the earlier connection
  tell(outbox_.connection_is_gone());
  EXPECT_EQ(told_.size(), 2U);
}

TEST_F(MqttOutboxTest, RefusesWhatMqttCannotCarry) {
  EXPECT_THROW(MqttOutbox::check({"a/+", ""}), base::Error);
  EXPECT_THROW(MqttOutbox::check({"", ""}), base::Error);
  EXPECT_THROW(MqttOutbox::check({"a", std::string(268'435'456U, 'x')}), base::Error);
  MqttOutbox::check({"a", "b"});
}

}  // namespace
}  // namespace andon::wire
