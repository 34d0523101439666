// SPDX-License-Identifier: Apache-2.0
// With a real mosquitto, on free ports of 127.0.0.1.
#include "server/broker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/process.hpp"
#include "server/authority.hpp"
#include "server/listening_port.hpp"
#include "wire/mqtt_client.hpp"

namespace andon::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using wire::MqttClient;
using wire::MqttMessage;
using wire::PublishOutcome;
using wire::Qos;

constexpr seconds kPatience{20};

// What arrived, as "topic=payload".
class Inbox {
 public:
  [[nodiscard]] wire::MqttMessageHandler handler() {
    return [this](const MqttMessage& message) {
      const std::lock_guard lock(mutex_);
      messages_.push_back(message.topic + "=" + message.payload);
      changed_.notify_all();
    };
  }
  std::vector<std::string> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return messages_.size() >= count; });
    return messages_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> messages_;
};

class RealBroker : public testing::Test {
 protected:
  RealBroker() : authority_(data_.path(), {}, base::SystemClock().now()) {}

  [[nodiscard]] BrokerOptions options() const {
    return {.directory = data_.path() / "mosquitto",
            .address = "127.0.0.1",
            .ca_file = authority_.ca_file(),
            .certificate_file = authority_.server().certificate,
            .private_key_file = authority_.server().private_key};
  }
  [[nodiscard]] wire::MqttOptions client(const std::string& id, const KeyPairFiles& files) const {
    wire::MqttOptions options;
    options.host = "127.0.0.1";
    options.port = broker_->port();
    options.client_id = id;
    options.ca_file = authority_.ca_file();
    options.certificate_file = files.certificate;
    options.private_key_file = files.private_key;
    options.reconnect_minimum = milliseconds{20};
    options.reconnect_maximum = milliseconds{200};
    return options;
  }
  [[nodiscard]] wire::MqttOptions server() const {
    return client("server", authority_.server_client());
  }
  [[nodiscard]] wire::MqttOptions device(const std::string& thing) const {
    const std::string key = trust::make_private_key();
    const auto certificate = trust::sign_csr(
        authority_.authority(), trust::make_csr(key, thing),
        {.common_name = thing, .not_before = base::SystemClock().now() - seconds{60}});
    const KeyPairFiles files{data_.path() / (thing + ".crt"), data_.path() / (thing + ".key")};
    base::write_file_atomically(files.certificate, certificate);
    base::write_file_atomically(files.private_key, key);
    return client(thing, files);
  }
  static PublishOutcome publish(MqttClient& from, const std::string& topic,
                                const std::string& payload = "x") {
    EXPECT_TRUE(from.wait_connected(kPatience));
    return from.publish({topic, payload}, Qos::at_least_once, kPatience);
  }
  static void subscribe(MqttClient& to, const std::string& filter, Inbox& inbox) {
    const auto id = to.subscribe(filter, Qos::at_least_once, inbox.handler());
    ASSERT_TRUE(to.wait_subscribed(id, kPatience)) << filter;
  }

  base::TemporaryDirectory data_;
  Authority authority_;
  std::optional<Broker> broker_;
};

TEST_F(RealBroker, LetsADeviceWriteOnlyItsOwnTopics) {
  broker_.emplace(options());
  Inbox inbox;  // before the clients, whose threads fill it
  MqttClient everything(server());
  for (const char* filter : {"#", "$aws/#"}) subscribe(everything, filter, inbox);
  MqttClient line(device("line-1"));
  for (const char* own : {"$aws/things/line-1/jobs/x/update", "andon/things/line-1/results",
                          "dt/site/line-1/temperature"}) {
    EXPECT_EQ(publish(line, own), PublishOutcome::delivered) << own;
  }
  for (const char* foreign : {"$aws/things/line-2/jobs/x/update", "andon/things/line-2/results",
                              "dt/site/line-2/x", "$aws/things/line-1x/x", "cmd/site/line-1/stop",
                              "andon/broadcast/x", "anything", "$SYS/x"}) {
    EXPECT_EQ(publish(line, foreign), PublishOutcome::refused) << foreign;
  }
}

TEST_F(RealBroker, LetsADeviceReadOnlyItsOwnTopics) {
  broker_.emplace(options());
  Inbox inbox;  // before the clients, whose threads fill it
  MqttClient boss(client("operator", authority_.operator_client()));
  MqttClient line(device("line-1"));
  for (const char* filter : {"#", "$aws/#", "$SYS/#"}) subscribe(line, filter, inbox);
  const char* const topics[] = {"$aws/things/line-2/jobs/notify", "andon/things/line-2/x",
                                "cmd/site/line-2/stop",           "anything",
                                "$aws/things/line-1/jobs/notify", "andon/things/line-1/x",
                                "cmd/site/line-1/stop",           "andon/broadcast/news"};
  for (const char* topic : topics) publish(boss, topic);
  EXPECT_THAT(inbox.wait_for(4),
              ElementsAre("$aws/things/line-1/jobs/notify=x", "andon/things/line-1/x=x",
                          "cmd/site/line-1/stop=x", "andon/broadcast/news=x"));
}

TEST_F(RealBroker, RefusesClientsOfAnotherAuthority) {
  broker_.emplace(options());
  const base::TemporaryDirectory elsewhere;
  const Authority other(elsewhere.path(), {}, base::SystemClock().now());
  const MqttClient stranger(client("stranger", other.server_client()));
  MqttClient friendly(server());
  EXPECT_TRUE(friendly.wait_connected(kPatience));
  EXPECT_FALSE(stranger.is_connected());
}

TEST_F(RealBroker, IsStartedAgainWhenKilledAndLosesNothingThatItAcknowledged) {
  broker_.emplace(options());
  Inbox inbox;  // before the clients, whose threads fill it
  MqttClient sender(device("line-1"));
  MqttClient receiver(server());
  subscribe(receiver, "andon/things/+/results", inbox);
  const auto receiver_is_back = receiver.subscribe("back", Qos::at_least_once, {});

  std::set<std::string> acknowledged;
  int number = 0;
  for (std::uint64_t round = 1; round <= 3; ++round) {
    const int last = number + 50;
    for (; number < last; ++number) {
      const std::string payload = std::to_string(number);
      if (publish(sender, "andon/things/line-1/results", payload) == PublishOutcome::delivered) {
        acknowledged.insert("andon/things/line-1/results=" + payload);
      }
      if (number == last - 25) {
        // What lies unread in the receiver's socket dies with the connection
        // (docs/architecture.md).
        inbox.wait_for(acknowledged.size());
        kill(broker_->pid(), SIGKILL);
      }
    }
    ASSERT_TRUE(receiver.wait_subscribed(receiver_is_back, kPatience));
    EXPECT_EQ(broker_->restarts(), round);
  }
  const auto arrived = inbox.wait_for(acknowledged.size());
  const std::set<std::string> unique(arrived.begin(), arrived.end());
  EXPECT_TRUE(std::ranges::includes(unique, acknowledged));
  EXPECT_GE(acknowledged.size(), 75U);
}

TEST_F(RealBroker, TakesTheLeftoverOfAKilledServerAway) {
  broker_.emplace(options());
  BrokerOptions same = options();
  same.port = broker_->port();
  broker_.reset();
  base::Process leftover(
      {.arguments = {"/usr/sbin/mosquitto", "-c", (same.directory / "mosquitto.conf").string()}});
  base::write_file_atomically(
      same.directory / "broker.json",
      base::to_text({{"pid", leftover.pid()},
                     {"startTicks", base::process_start_ticks(leftover.pid()).value()}}));
  broker_.emplace(same);
  EXPECT_EQ(leftover.wait(kPatience).value().signal, SIGKILL);
  EXPECT_TRUE(broker_->is_running());
}

TEST_F(RealBroker, SparesAProcessThatHasTheNumberOfAnEarlierBroker) {
  base::make_directories(options().directory);
  base::write_file_atomically(options().directory / "broker.json",
                              base::to_text({{"pid", getpid()}, {"startTicks", 1}}));
  broker_.emplace(options());
  EXPECT_TRUE(broker_->is_running());
}

TEST_F(RealBroker, SaysThatThePortIsTaken) {
  broker_.emplace(options());
  BrokerOptions second = options();
  second.directory = data_.path() / "second";
  second.port = broker_->port();
  try {
    const Broker broker(second);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::unavailable);
    EXPECT_THAT(error.message(), HasSubstr("127.0.0.1:" + std::to_string(second.port)));
    EXPECT_THAT(error.message(), HasSubstr("--mqtt-port"));
  }
}

TEST_F(RealBroker, SaysThatMosquittoIsNotInstalled) {
  BrokerOptions absent = options();
  absent.program = "no-such-mosquitto";
  try {
    const Broker broker(absent);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::failed_precondition);
    EXPECT_THAT(error.message(), HasSubstr("apt-get install mosquitto"));
  }
}

TEST_F(RealBroker, SaysWhatMosquittoSaidWhenItDoesNotStart) {
  BrokerOptions broken = options();
  broken.ca_file = data_.path() / "absent.crt";
  try {
    const Broker broker(broken);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::unavailable);
    EXPECT_THAT(error.message(), HasSubstr("absent.crt"));
  }
}

TEST(ChoosePort, KeepsThePreferredOneWhileItIsFree) {
  const std::uint16_t port = choose_port("127.0.0.1", 0);
  EXPECT_NE(port, 0);
  EXPECT_EQ(choose_port("127.0.0.1", port), port);
  EXPECT_NE(choose_port("::1", 0), 0);
  EXPECT_THROW((void)choose_port("plant.example", 0), base::Error);
}

}  // namespace
}  // namespace andon::server
