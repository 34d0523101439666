// SPDX-License-Identifier: Apache-2.0
// With a real mosquitto, on free ports of 127.0.0.1.
#include "server/broker/broker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/os/process.hpp"
#include "broker/settings/mosquitto.hpp"
#include "broker/view/view.hpp"
#include "server/broker/authority.hpp"
#include "server/broker/listening_port.hpp"
#include "wire/mqtt/mqtt_client.hpp"

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

// A module with AddressSanitizer loads into a mosquitto without only where its runtime is there
// first.
void preload_sanitizer() {
#ifdef __SANITIZE_ADDRESS__
  const std::string maps = base::read_file("/proc/self/maps");
  const std::size_t name = maps.find("libasan.so");
  if (name == std::string::npos) return;
  const std::size_t begin = maps.rfind(' ', name) + 1;
  setenv("LD_PRELOAD", maps.substr(begin, maps.find('\n', begin) - begin).c_str(), 1);
  setenv("ASAN_OPTIONS", "detect_leaks=0", 1);  // of mosquitto; this process has read its own
#endif
}

class RealBroker : public testing::Test {
 protected:
  RealBroker() : authority_(data_.path(), {}, base::SystemClock().now()) { preload_sanitizer(); }

  [[nodiscard]] BrokerOptions options() const {
    return {.directory = data_.path() / "mosquitto",
            .address = "127.0.0.1",
            .ca_file = authority_.ca_file(),
            .certificate_file = authority_.server().certificate,
            .private_key_file = authority_.server().private_key,
            .module = broker::find_broker_module()};
  }
  // The server and the operator; devices are let in as they are made.
  void start() { start(options()); }
  void start(const BrokerOptions& how) { broker_.emplace(how, view()); }
  [[nodiscard]] std::vector<broker::Change> view() const {
    return {broker::AllowCertificate{fingerprint(authority_.server_client()),
                                     {broker::PrincipalKind::server, "andon-server"}},
            broker::AllowCertificate{fingerprint(authority_.operator_client()),
                                     {broker::PrincipalKind::consumer, "andon-operator"}}};
  }
  static std::string fingerprint(const KeyPairFiles& files) {
    return trust::describe_certificate(base::read_file(files.certificate)).fingerprint;
  }
  [[nodiscard]] wire::MqttOptions client(const std::string& id, const KeyPairFiles& files) const {
    wire::MqttOptions options;
    options.host = "127.0.0.1";
    options.port = broker_->port();
    options.client_id = id;
    options.ca_file = authority_.ca_file();
    options.certificate_file = files.certificate;
    options.private_key = files.private_key;
    options.reconnect_minimum = milliseconds{20};
    options.reconnect_maximum = milliseconds{200};
    return options;
  }
  [[nodiscard]] wire::MqttOptions server() const {
    return client("server", authority_.server_client());
  }
  // A certificate that the broker lets in as `thing`.
  [[nodiscard]] wire::MqttOptions device(const std::string& thing) {
    const KeyPairFiles files = certificate_of(thing);
    const std::vector<broker::Change> changes{
        broker::AddThing{thing},
        broker::AllowCertificate{fingerprint(files), {broker::PrincipalKind::thing, thing}}};
    broker_->apply(changes);
    return client(thing, files);
  }
  [[nodiscard]] KeyPairFiles certificate_of(const std::string& thing) const {
    const std::string key = trust::make_private_key();
    const auto certificate = trust::sign_csr(
        authority_.authority(), trust::make_csr(key, thing),
        {.common_name = thing, .not_before = base::SystemClock().now() - seconds{60}});
    const KeyPairFiles files{data_.path() / (thing + ".crt"), data_.path() / (thing + ".key")};
    base::write_file_atomically(files.certificate, certificate);
    base::write_file_atomically(files.private_key, key);
    return files;
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
  start();
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
  start();
  Inbox inbox;  // before the clients, whose threads fill it
  MqttClient boss(client("operator", authority_.operator_client()));
  MqttClient line(device("line-1"));
  for (const char* filter : {"#", "$aws/#", "$SYS/#"}) {
    line.subscribe(filter, Qos::at_least_once, inbox.handler());
  }
  for (const char* filter :
       {"$aws/things/line-1/#", "andon/things/line-1/+", "cmd/+/line-1/#", "andon/broadcast/#"}) {
    subscribe(line, filter, inbox);
  }
  const char* const topics[] = {"$aws/things/line-2/jobs/notify", "andon/things/line-2/x",
                                "cmd/site/line-2/stop",           "anything",
                                "$aws/things/line-1/jobs/notify", "andon/things/line-1/x",
                                "cmd/site/line-1/stop",           "andon/broadcast/news"};
  for (const char* topic : topics) publish(boss, topic);
  EXPECT_THAT(inbox.wait_for(4),
              ElementsAre("$aws/things/line-1/jobs/notify=x", "andon/things/line-1/x=x",
                          "cmd/site/line-1/stop=x", "andon/broadcast/news=x"));
}

// A result leaves a device's spool when a subscriber has it: a subscription without rights to it
// must not look like one.
TEST_F(RealBroker, ASubscriptionWithoutRightsIsNoSubscriber) {
  start();
  Inbox inbox;  // before the clients, whose threads fill it
  MqttClient victim(device("line-1"));
  MqttClient hostile(device("line-2"));
  for (const char* filter : {"#", "+/things/line-1/results", "andon/things/line-1/results"}) {
    hostile.subscribe(filter, Qos::at_least_once, inbox.handler());
  }
  // Answered after those.
  subscribe(hostile, "andon/things/line-2/results", inbox);
  EXPECT_EQ(publish(victim, "andon/things/line-1/results"), PublishOutcome::no_subscribers);

  MqttClient reader(client("reader", authority_.operator_client()));
  subscribe(reader, "andon/things/+/results", inbox);
  constexpr int kMessages = 10;
  for (int i = 0; i < kMessages; ++i) {
    EXPECT_EQ(publish(victim, "andon/things/line-1/results"), PublishOutcome::delivered);
  }
  EXPECT_EQ(inbox.wait_for(kMessages).size(), std::size_t{kMessages});
}

TEST_F(RealBroker, ADeviceCannotTakeTheClientIdOfAnother) {
  start();
  MqttClient victim(device("line-1"));
  ASSERT_TRUE(victim.wait_connected(kPatience));
  wire::MqttOptions thief = device("line-10");
  for (const char* stolen : {"line-1", "line-1#x", "andon-server", ""}) {
    thief.client_id = stolen;
    const MqttClient attacker(thief);
    EXPECT_FALSE(attacker.wait_connected(milliseconds{500})) << stolen;
  }
  wire::MqttOptions consumer = client("line-1", authority_.operator_client());
  EXPECT_FALSE(MqttClient(consumer).wait_connected(milliseconds{500}));
  thief.client_id = "line-10#second";
  EXPECT_TRUE(MqttClient(thief).wait_connected(kPatience));
  EXPECT_TRUE(victim.is_connected());
  EXPECT_EQ(publish(victim, "andon/things/line-1/x"), PublishOutcome::no_subscribers);
}

TEST_F(RealBroker, ACertificateThatMayNotBeUsedAnyMoreIsCutOff) {
  start();
  const KeyPairFiles unregistered = certificate_of("line-9");
  EXPECT_FALSE(MqttClient(client("line-9", unregistered)).wait_connected(milliseconds{500}));

  std::mutex mutex;
  std::condition_variable changed;
  bool is_gone = false;
  const wire::MqttOptions options = device("line-1");
  MqttClient line(options, [&](bool connected, std::string_view) {
    const std::lock_guard lock(mutex);
    if (!connected) is_gone = true;
    changed.notify_all();
  });
  ASSERT_TRUE(line.wait_connected(kPatience));
  const std::string id =
      trust::describe_certificate(base::read_file(options.certificate_file)).fingerprint;
  broker_->apply(std::vector<broker::Change>{broker::RefuseCertificate{id}});
  std::unique_lock lock(mutex);
  ASSERT_TRUE(changed.wait_for(lock, kPatience, [&] { return is_gone; }));
  lock.unlock();
  EXPECT_FALSE(line.wait_connected(milliseconds{500}));
}

TEST_F(RealBroker, WhatOneDeviceMayLeaveInTheBrokerIsLimited) {
  start();
  broker::Limits limits;
  limits.retained_messages = 3;
  limits.message_bytes = 1000;
  broker_->apply(std::vector<broker::Change>{limits});
  MqttClient line(device("line-1"));
  ASSERT_TRUE(line.wait_connected(kPatience));
  const auto retain = [&](int number) {
    return line.publish({"andon/things/line-1/" + std::to_string(number), "x"}, Qos::at_least_once,
                        kPatience, {.retain = true});
  };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(retain(i), PublishOutcome::no_subscribers) << i;
  EXPECT_EQ(retain(3), PublishOutcome::refused);
  EXPECT_EQ(retain(0), PublishOutcome::no_subscribers);
  EXPECT_EQ(publish(line, "andon/things/line-1/x", std::string(1001, 'x')),
            PublishOutcome::refused);
}

TEST_F(RealBroker, TellsTheServerWhoIsThere) {
  start();
  Inbox inbox;  // before the clients, whose threads fill it
  MqttClient watcher(server());
  subscribe(watcher, "$aws/events/presence/+/line-1", inbox);
  {
    const MqttClient line(device("line-1"));
    ASSERT_TRUE(line.wait_connected(kPatience));
    ASSERT_EQ(inbox.wait_for(1).size(), 1U);
  }
  const auto events = inbox.wait_for(2);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_THAT(events[0], HasSubstr("presence/connected/line-1={\"clientId\":\"line-1\""));
  EXPECT_THAT(events[1], HasSubstr("\"eventType\":\"disconnected\""));
}

TEST_F(RealBroker, RefusesClientsOfAnotherAuthority) {
  start();
  const base::TemporaryDirectory elsewhere;
  const Authority other(elsewhere.path(), {}, base::SystemClock().now());
  const MqttClient stranger(client("stranger", other.server_client()));
  MqttClient friendly(server());
  EXPECT_TRUE(friendly.wait_connected(kPatience));
  EXPECT_FALSE(stranger.is_connected());
}

TEST_F(RealBroker, IsStartedAgainWhenKilledAndLosesNothingThatItAcknowledged) {
  start();
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
  start();
  BrokerOptions same = options();
  same.port = broker_->port();
  broker_.reset();
  base::Process leftover(
      {.arguments = {"/usr/sbin/mosquitto", "-c", (same.directory / "mosquitto.conf").string()}});
  base::write_file_atomically(
      same.directory / "broker.json",
      base::to_text({{"pid", leftover.pid()},
                     {"startTicks", base::process_start_ticks(leftover.pid()).value()}}));
  start(same);
  EXPECT_EQ(leftover.wait(kPatience).value().signal, SIGKILL);
  EXPECT_TRUE(broker_->is_running());
}

TEST_F(RealBroker, SparesAProcessThatHasTheNumberOfAnEarlierBroker) {
  base::make_directories(options().directory);
  base::write_file_atomically(options().directory / "broker.json",
                              base::to_text({{"pid", getpid()}, {"startTicks", 1}}));
  start();
  EXPECT_TRUE(broker_->is_running());
}

TEST_F(RealBroker, SaysThatThePortIsTaken) {
  start();
  BrokerOptions second = options();
  second.directory = data_.path() / "second";
  second.port = broker_->port();
  try {
    const Broker broker(second, view());
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
    const Broker broker(absent, view());
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
    const Broker broker(broken, view());
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
