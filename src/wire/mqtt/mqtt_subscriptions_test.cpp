// SPDX-License-Identifier: Apache-2.0
#include "wire/mqtt/mqtt_subscriptions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/error/error.hpp"

namespace andon::wire {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class MqttSubscriptionsTest : public testing::Test {
 protected:
  std::uint64_t add(const std::string& filter, Qos qos = Qos::at_most_once) {
    return subscriptions_.add(filter, qos, [](const MqttMessage&) {});
  }
  // Sends what changed and gives it: "+a" for a subscription, "-a" for its end.
  std::vector<std::string> send_changes() {
    const MqttSubscriptions::Changes changes = subscriptions_.changes();
    std::vector<std::string> sent;
    for (const std::string& filter : changes.unsubscribe) sent.push_back("-" + filter);
    for (const MqttSubscriptions::Change& change : changes.subscribe) {
      sent.push_back("+" + change.filter);
      identifiers_[change.filter] = change.identifier;
      subscriptions_.sent(change, ++packet_id_);
    }
    return sent;
  }
  [[nodiscard]] std::vector<std::uint64_t> receivers(
      const std::string& topic, const std::vector<std::uint32_t>& identifiers) const {
    std::vector<std::uint64_t> ids;
    for (const auto& [id, handler] : subscriptions_.handlers(topic, identifiers)) {
      ids.push_back(id);
    }
    return ids;
  }

  MqttSubscriptions subscriptions_;
  std::map<std::string, std::uint32_t> identifiers_;
  int packet_id_ = 0;
};

TEST_F(MqttSubscriptionsTest, SendsEachFilterOnceAndItsEndWithTheLastThatWantsIt) {
  const std::uint64_t first = add("a/#");
  const std::uint64_t second = add("a/#");
  add("b");
  EXPECT_THAT(send_changes(), ElementsAre("+a/#", "+b"));
  EXPECT_THAT(send_changes(), IsEmpty());
  subscriptions_.remove(first);
  EXPECT_THAT(send_changes(), IsEmpty());
  subscriptions_.remove(second);
  EXPECT_THAT(send_changes(), ElementsAre("-a/#"));
}

TEST_F(MqttSubscriptionsTest, SendsAFilterAnewForAHigherQosAndKeepsItsIdentifier) {
  add("a");
  EXPECT_THAT(send_changes(), ElementsAre("+a"));
  const std::uint32_t identifier = identifiers_["a"];
  const std::uint64_t higher = add("a", Qos::at_least_once);
  EXPECT_THAT(send_changes(), ElementsAre("+a"));
  EXPECT_EQ(identifiers_["a"], identifier);
  subscriptions_.remove(higher);
  EXPECT_THAT(send_changes(), IsEmpty());
}

TEST_F(MqttSubscriptionsTest, IsAcknowledgedByItsOwnPacketAndUntilTheConnectionIsGone) {
  const std::uint64_t a = add("a");
  const std::uint64_t b = add("b");
  send_changes();
  EXPECT_FALSE(subscriptions_.is_acknowledged(a));
  EXPECT_EQ(subscriptions_.acknowledge(1, true), std::nullopt);
  EXPECT_EQ(subscriptions_.acknowledge(2, false), "b");
  EXPECT_TRUE(subscriptions_.is_acknowledged(a));
  EXPECT_FALSE(subscriptions_.is_acknowledged(b));
  subscriptions_.connection_is_gone();
  EXPECT_FALSE(subscriptions_.is_acknowledged(a));
  EXPECT_THAT(send_changes(), ElementsAre("+a", "+b"));
}

TEST_F(MqttSubscriptionsTest, GivesEachCopyToThoseWhoseFilterLetItThrough) {
  const std::uint64_t narrow = add("a/b");
  const std::uint64_t wide = add("a/#");
  const std::uint64_t other = add("c");
  send_changes();
  EXPECT_THAT(receivers("a/b", {identifiers_["a/b"]}), ElementsAre(narrow));
  EXPECT_THAT(receivers("a/b", {identifiers_["a/#"]}), ElementsAre(wide));
  EXPECT_THAT(receivers("a/b", {}), ElementsAre(narrow, wide));  // a broker that says nothing
  EXPECT_THAT(receivers("c", {identifiers_["c"]}), ElementsAre(other));
  subscriptions_.remove(wide);
  EXPECT_THAT(receivers("a/b", {}), ElementsAre(narrow));
}

TEST_F(MqttSubscriptionsTest, RefusesWhatIsNoFilter) {
  EXPECT_THROW(MqttSubscriptions::check("a/#/b"), base::Error);
  EXPECT_THROW(MqttSubscriptions::check("$share/group/a"), base::Error);
  MqttSubscriptions::check("a/+/b");
}

}  // namespace
}  // namespace andon::wire
