// SPDX-License-Identifier: Apache-2.0
// Against a real mosquitto, which each test starts on a free port.
#include "wire/mqtt/mqtt_client.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "base/os/process.hpp"
#include "base/time/time.hpp"
#include "trust/keys/certificate.hpp"

namespace andon::wire {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr seconds kPatience{20};

// A socket that listens on a free port of 127.0.0.1 and never answers.
class SilentListener {
 public:
  SilentListener() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(fd_.get(), generic, size), 0);
    EXPECT_EQ(listen(fd_.get(), 5), 0);
    EXPECT_EQ(getsockname(fd_.get(), generic, &size), 0);
    port_ = ntohs(address.sin_port);
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  base::UniqueFd fd_;
  std::uint16_t port_ = 0;
};

class TestBroker {
 public:
  explicit TestBroker(bool with_tls) : with_tls_(with_tls), port_(SilentListener().port()) {
    if (with_tls) make_certificates();
    std::string config =
        "user root\nlog_dest none\nlistener " + std::to_string(port_) + " 127.0.0.1\n";
    if (with_tls) {
      base::write_file_atomically(directory_.path() / "acl",
                                  "user boss\ntopic readwrite #\n"
                                  "pattern readwrite things/%u/#\n");
      config += "cafile " + file("ca.crt") + "\ncertfile " + file("server.crt") + "\nkeyfile " +
                file("server.key") +
                "\nrequire_certificate true\nuse_identity_as_username true\nacl_file " +
                file("acl") + "\n";
    } else {
      config += "allow_anonymous true\n";
    }
    base::write_file_atomically(directory_.path() / "config", config);
    start();
  }

  void start() { process_.emplace(base::ProcessOptions{{"mosquitto", "-c", file("config")}}); }
  void kill() { process_.reset(); }
  void pause() { process_->signal_group(SIGSTOP); }
  void resume() { process_->signal_group(SIGCONT); }

  [[nodiscard]] std::string file(const std::string& name) const {
    return (directory_.path() / name).string();
  }

  [[nodiscard]] MqttOptions options(const std::string& name) const {
    MqttOptions options;
    options.host = "127.0.0.1";
    options.port = port_;
    options.client_id = name;
    options.reconnect_minimum = milliseconds{20};
    options.reconnect_maximum = milliseconds{200};
    if (with_tls_) {
      options.ca_file = file("ca.crt");
      options.certificate_file = file(name + ".crt");
      options.private_key = file(name + ".key");
    }
    return options;
  }

 private:
  void make_certificates() const {
    const auto now = base::SystemClock().now();
    const auto authority = trust::make_certificate_authority("CA", now, std::chrono::days{2});
    base::write_file_atomically(directory_.path() / "ca.crt", authority.certificate_pem);
    for (const std::string name : {"server", "boss", "line-1", "line-2"}) {
      const std::string key = trust::make_private_key();
      trust::CertificateRequest request{.common_name = name, .not_before = now};
      if (name == "server") {
        request.use = trust::CertificateUse::server;
        request.ip_addresses = {"127.0.0.1"};
      }
      base::write_file_atomically(directory_.path() / (name + ".key"), key);
      base::write_file_atomically(directory_.path() / (name + ".crt"),
                                  trust::sign_csr(authority, trust::make_csr(key, name), request));
    }
  }

  bool with_tls_;
  base::TemporaryDirectory directory_;
  std::uint16_t port_;
  std::optional<base::Process> process_;
};

// Collects what arrives on the network thread for the test's own.
template <typename Item>
class Inbox {
 public:
  void add(Item item) {
    const std::lock_guard lock(mutex_);
    items_.push_back(std::move(item));
    changed_.notify_all();
  }
  bool wait_until(const std::function<bool(const std::vector<Item>&)>& is_enough) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return !items_.empty() && is_enough(items_); });
  }
  std::vector<Item> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return items_.size() >= count; });
    return items_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Item> items_;
};

MqttConnectionHandler reasons_into(Inbox<std::string>& inbox) {
  return [&inbox](bool, std::string_view reason) { inbox.add(std::string(reason)); };
}

MqttMessageHandler into(Inbox<std::string>& inbox) {
  return [&inbox](const MqttMessage& message) { inbox.add(message.topic + "=" + message.payload); };
}

PublishOutcome publish(MqttClient& client, const std::string& topic, const std::string& payload) {
  return client.publish({topic, payload}, Qos::at_least_once, kPatience);
}

TEST(MqttClient, DeliversAndTellsWhetherSomebodyWasThere) {
  const TestBroker broker(false);
  MqttClient sender(broker.options("sender"));
  MqttClient receiver(broker.options("receiver"));
  ASSERT_TRUE(sender.wait_connected(kPatience));
  EXPECT_EQ(publish(sender, "a/b", "1"), PublishOutcome::no_subscribers);

  Inbox<std::string> inbox;
  const auto id = receiver.subscribe("a/+", Qos::at_least_once, into(inbox));
  ASSERT_TRUE(receiver.wait_subscribed(id, kPatience));
  EXPECT_EQ(publish(sender, "a/b", "2"), PublishOutcome::delivered);
  EXPECT_EQ(sender.publish({"a/c", ""}, Qos::at_most_once, kPatience), PublishOutcome::delivered);
  EXPECT_THAT(inbox.wait_for(2), ElementsAre("a/b=2", "a/c="));

  receiver.unsubscribe(id);
  const auto other = receiver.subscribe("other", Qos::at_least_once, into(inbox));
  ASSERT_TRUE(receiver.wait_subscribed(other, kPatience));
  EXPECT_EQ(publish(sender, "a/b", "3"), PublishOutcome::no_subscribers);
}

TEST(MqttClient, TriesItsEndpointsInOrderAndReturnsToTheFirst) {
  TestBroker first(false);
  const TestBroker second(false);
  const MqttEndpoint one{"127.0.0.1", first.options("a").port};
  const MqttEndpoint two{"127.0.0.1", second.options("a").port};
  MqttOptions options = first.options("a");
  options.return_after = milliseconds{300};
  first.kill();
  MqttClient client(options);
  client.take({{one, two}, "", ""});
  ASSERT_TRUE(client.wait_connected(kPatience));
  EXPECT_EQ(client.counts().endpoint, two);
  EXPECT_GE(client.counts().attempts, 2U);
  EXPECT_EQ(client.counts().connections, 1U);
  first.start();
  const auto limit = std::chrono::steady_clock::now() + kPatience;
  while ((client.counts().endpoint != one || !client.is_connected()) &&
         std::chrono::steady_clock::now() < limit) {
    std::this_thread::sleep_for(milliseconds{5});
  }
  EXPECT_EQ(client.counts().endpoint, one);
  EXPECT_TRUE(client.is_connected());
  EXPECT_GE(client.counts().losses, 1U);
}

TEST(MqttClient, SaysWhatKeepsItFromItsProxy) {
  const TestBroker broker(false);
  const MqttOptions options = broker.options("a");
  Inbox<std::string> reasons;
  MqttClient client(options, reasons_into(reasons));
  ASSERT_TRUE(client.wait_connected(kPatience));
  const std::uint16_t nobody = SilentListener().port();
  client.take({{{options.host, options.port}}, "http://127.0.0.1:" + std::to_string(nobody), ""});
  EXPECT_TRUE(reasons.wait_until([](const std::vector<std::string>& all) {
    return std::ranges::any_of(all, [](const std::string& reason) {
      return reason.find("no connection through the proxy") != std::string::npos;
    });
  }));
  EXPECT_FALSE(client.is_connected());
  // An exception from the proxy is reached directly.
  client.take(
      {{{options.host, options.port}}, "http://127.0.0.1:" + std::to_string(nobody), "127.0.0.1"});
  EXPECT_TRUE(client.wait_connected(kPatience));
}

TEST(MqttClient, GivesEachHandlerOneCopyWhereFiltersOverlap) {
  const TestBroker broker(false);
  MqttClient client(broker.options("client"));
  Inbox<std::string> wide;
  Inbox<std::string> narrow;
  Inbox<std::string> twin;
  for (const auto id : {client.subscribe("a/#", Qos::at_least_once, into(wide)),
                        client.subscribe("a/+", Qos::at_least_once, into(narrow)),
                        client.subscribe("a/+", Qos::at_most_once, into(twin))}) {
    ASSERT_TRUE(client.wait_subscribed(id, kPatience));
  }
  for (const std::string payload : {"1", "2", "3"}) {
    ASSERT_EQ(publish(client, "a/b", payload), PublishOutcome::delivered);
  }
  EXPECT_THAT(wide.wait_for(3), ElementsAre("a/b=1", "a/b=2", "a/b=3"));
  EXPECT_THAT(narrow.wait_for(3), ElementsAre("a/b=1", "a/b=2", "a/b=3"));
  EXPECT_THAT(twin.wait_for(3), ElementsAre("a/b=1", "a/b=2", "a/b=3"));
}

TEST(MqttClient, ComesBackAndSubscribesAgainAfterTheBrokerWasKilled) {
  TestBroker broker(false);
  Inbox<std::string> changes;
  bool was_connected = false;
  MqttClient client(broker.options("client"), [&](bool connected, std::string_view) {
    if (connected != was_connected) changes.add(connected ? "up" : "down");
    was_connected = connected;
  });
  Inbox<std::string> inbox;
  const auto id = client.subscribe("a", Qos::at_least_once, into(inbox));
  ASSERT_TRUE(client.wait_subscribed(id, kPatience));
  for (std::size_t round = 1; round <= 3; ++round) {
    broker.kill();
    ASSERT_EQ(changes.wait_for(2 * round).back(), "down");
    EXPECT_EQ(publish(client, "a", "lost"), PublishOutcome::not_connected);
    broker.start();
    ASSERT_TRUE(client.wait_subscribed(id, kPatience));
    EXPECT_EQ(publish(client, "a", std::to_string(round)), PublishOutcome::delivered);
  }
  EXPECT_THAT(inbox.wait_for(3), ElementsAre("a=1", "a=2", "a=3"));
}

// Speaks 3.1.1 as an old broker does: it answers any other version with that it does not know it.
class OldBroker {
 public:
  OldBroker() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener_.get(), generic, size), 0);
    EXPECT_EQ(listen(listener_.get(), 5), 0);
    EXPECT_EQ(getsockname(listener_.get(), generic, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  OldBroker(const OldBroker&) = delete;
  OldBroker& operator=(const OldBroker&) = delete;
  ~OldBroker() {
    shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void serve() {
    std::vector<base::UniqueFd> open;
    for (;;) {
      base::UniqueFd client(accept(listener_.get(), nullptr, nullptr));
      if (!client) return;
      constexpr std::size_t kLevel = 8;  // behind the fixed header and the name of the protocol
      unsigned char packet[256] = {};
      if (recv(client.get(), packet, sizeof packet, 0) <= static_cast<ssize_t>(kLevel)) continue;
      const bool is_known = packet[kLevel] == 4;
      const unsigned char answer[] = {0x20, 2, 0, static_cast<unsigned char>(is_known ? 0 : 1)};
      if (send(client.get(), answer, sizeof answer, MSG_NOSIGNAL) < 0) continue;
      if (is_known) open.push_back(std::move(client));
    }
  }

  base::UniqueFd listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

TEST(MqttClient, GoesOnByAnOlderVersionWhereTheBrokerRefusesTheNewOne) {
  const OldBroker broker;
  MqttOptions options;
  options.host = "127.0.0.1";
  options.port = broker.port();
  options.client_id = "client";
  options.reconnect_minimum = milliseconds{10};
  MqttClient client(options);
  ASSERT_TRUE(client.wait_connected(kPatience));
  EXPECT_EQ(client.counts().version, MqttVersion::v3_1_1);
}

TEST(MqttClient, DeliversByTheOlderVersionWithoutProperties) {
  const TestBroker broker(false);
  MqttOptions options = broker.options("client");
  options.tuning.version = MqttVersion::v3_1_1;
  MqttClient client(options);
  Inbox<std::string> wide;
  Inbox<std::string> narrow;
  Inbox<bool> bare;
  for (const auto id :
       {client.subscribe("a/#", Qos::at_least_once, into(wide)),
        client.subscribe("a/+", Qos::at_least_once, [&](const MqttMessage& message) {
          bare.add(message.properties.content_type.empty());
          narrow.add(message.payload);
        })}) {
    ASSERT_TRUE(client.wait_subscribed(id, kPatience));
  }
  EXPECT_EQ(
      client.publish({"a/b", "1"}, Qos::at_least_once, kPatience, {.content_type = "text/plain"}),
      PublishOutcome::delivered);
  EXPECT_THAT(wide.wait_for(1), ElementsAre("a/b=1"));
  EXPECT_THAT(narrow.wait_for(1), ElementsAre("1"));
  EXPECT_THAT(bare.wait_for(1), ElementsAre(true));
  EXPECT_EQ(client.counts().version, MqttVersion::v3_1_1);
  client.tune({});
  EXPECT_TRUE(client.wait_connected(kPatience));
}

TEST(MqttClient, AMessageComesWithItsProperties) {
  const TestBroker broker(false);
  MqttClient client(broker.options("client"));
  Inbox<MqttPublishProperties> inbox;
  const auto id = client.subscribe(
      "a", Qos::at_least_once, [&](const MqttMessage& message) { inbox.add(message.properties); });
  ASSERT_TRUE(client.wait_subscribed(id, kPatience));
  const MqttPublishProperties sent{.message_expiry_seconds = 60,
                                   .content_type = "text/plain",
                                   .response_topic = "answers",
                                   .correlation_data = std::string("\xff\x00", 2),
                                   .is_utf8_text = true,
                                   .user_properties = {{"line", "3"}, {"line", "4"}}};
  ASSERT_EQ(client.publish({"a", "x"}, Qos::at_least_once, kPatience, sent),
            PublishOutcome::delivered);
  const auto got = inbox.wait_for(1).at(0);
  EXPECT_EQ(got.message_expiry_seconds, 60U);
  EXPECT_EQ(got.content_type, sent.content_type);
  EXPECT_EQ(got.response_topic, sent.response_topic);
  EXPECT_EQ(got.correlation_data, sent.correlation_data);
  EXPECT_EQ(got.is_utf8_text, true);
  EXPECT_EQ(got.user_properties, sent.user_properties);
}

// Where a client is cut off by a way that leads nowhere, and comes back by the one that it had.
class MqttSession : public testing::Test {
 protected:
  void go_away(MqttClient& client) {
    client.take({{{"127.0.0.1", SilentListener().port()}}, "", ""});
    const auto limit = std::chrono::steady_clock::now() + kPatience;
    while (client.is_connected() && std::chrono::steady_clock::now() < limit) {
      std::this_thread::yield();
    }
    ASSERT_FALSE(client.is_connected());
  }
  void come_back(MqttClient& client) {
    client.take({{{"127.0.0.1", options_.port}}, "", ""});
    ASSERT_TRUE(client.wait_connected(kPatience));
  }
  [[nodiscard]] MqttOptions with_session() const {
    MqttOptions options = options_;
    options.tuning.session = std::chrono::hours{1};
    return options;
  }
  // The broker hears of the end of one connection when it comes to it.
  [[nodiscard]] bool wait_for_nobody(const std::string& topic) {
    const auto limit = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < limit) {
      if (publish(sender_, topic, "x") == PublishOutcome::no_subscribers) return true;
    }
    return false;
  }
  void publish_to_all(const std::string& payload) {
    for (const char* topic : {"kept/1", "lost/1", "once/1"}) {
      static_cast<void>(publish(sender_, topic, payload));
    }
  }

  TestBroker broker_{false};
  const MqttOptions options_ = broker_.options("client");
  MqttClient sender_{broker_.options("sender")};
  Inbox<std::string> inbox_;
};

TEST_F(MqttSession, WhatIsSubscribedToBeKeptComesAfterTheConnectionWasAway) {
  MqttClient client(with_session());
  ASSERT_TRUE(sender_.wait_connected(kPatience));
  for (const auto id :
       {client.subscribe("kept/+", Qos::at_least_once, into(inbox_), WhileAway::kept),
        client.subscribe("lost/+", Qos::at_least_once, into(inbox_)),
        client.subscribe("once/+", Qos::at_most_once, into(inbox_), WhileAway::kept)}) {
    ASSERT_TRUE(client.wait_subscribed(id, kPatience));
  }
  for (const std::string round : {"1", "2"}) {
    go_away(client);
    publish_to_all("away" + round);
    come_back(client);
    const auto id = client.subscribe("end/" + round, Qos::at_least_once, into(inbox_));
    ASSERT_TRUE(client.wait_subscribed(id, kPatience));
    ASSERT_EQ(publish(sender_, "end/" + round, ""), PublishOutcome::delivered);
    // Of its own topic nothing is kept while it is away.
    ASSERT_TRUE(inbox_.wait_until([&](const std::vector<std::string>& come) {
      return std::ranges::find(come, "end/" + round + '=') != come.end();
    }));
  }
  publish_to_all("here");
  EXPECT_THAT(inbox_.wait_for(7), ElementsAre("kept/1=away1", "end/1=", "kept/1=away2", "end/2=",
                                              "kept/1=here", "lost/1=here", "once/1=here"));
}

TEST_F(MqttSession, WhatIsNoLongerWantedLeavesTheSession) {
  MqttClient client(with_session());
  ASSERT_TRUE(sender_.wait_connected(kPatience));
  const auto id = client.subscribe("kept/+", Qos::at_least_once, into(inbox_), WhileAway::kept);
  const auto other = client.subscribe("other", Qos::at_least_once, into(inbox_), WhileAway::kept);
  ASSERT_TRUE(client.wait_subscribed(id, kPatience) && client.wait_subscribed(other, kPatience));
  go_away(client);
  client.unsubscribe(id);
  come_back(client);
  ASSERT_TRUE(client.wait_subscribed(other, kPatience));
  EXPECT_TRUE(wait_for_nobody("kept/1"));
}

TEST_F(MqttSession, IsOverWithItsClientAndWhereNothingIsToBeKept) {
  ASSERT_TRUE(sender_.wait_connected(kPatience));
  {
    MqttClient client(with_session());
    const auto id = client.subscribe("kept/+", Qos::at_least_once, into(inbox_), WhileAway::kept);
    ASSERT_TRUE(client.wait_subscribed(id, kPatience));
  }
  EXPECT_TRUE(wait_for_nobody("kept/1"));
  MqttClient client(options_);
  const auto id = client.subscribe("kept/+", Qos::at_least_once, into(inbox_), WhileAway::kept);
  ASSERT_TRUE(client.wait_subscribed(id, kPatience));
  go_away(client);
  EXPECT_TRUE(wait_for_nobody("kept/1"));
}

TEST_F(MqttSession, OneThatAnEarlierProcessHasLeftIsEnded) {
  ASSERT_TRUE(sender_.wait_connected(kPatience));
  MqttClient earlier(with_session());
  const auto id = earlier.subscribe("kept/+", Qos::at_least_once, into(inbox_), WhileAway::kept);
  ASSERT_TRUE(earlier.wait_subscribed(id, kPatience));
  go_away(earlier);
  ASSERT_EQ(publish(sender_, "kept/1", "for the earlier one"), PublishOutcome::delivered);
  MqttClient client(with_session());
  const auto own = client.subscribe("kept/1", Qos::at_least_once, into(inbox_), WhileAway::kept);
  ASSERT_TRUE(client.wait_subscribed(own, kPatience));
  EXPECT_EQ(publish(sender_, "kept/2", "x"), PublishOutcome::no_subscribers);
  EXPECT_EQ(publish(sender_, "kept/1", "here"), PublishOutcome::delivered);
  EXPECT_THAT(inbox_.wait_for(1), ElementsAre("kept/1=here"));
}

TEST_F(MqttSession, OverlappingFiltersGetOneCopyEachOfWhatWasKept) {
  MqttClient client(with_session());
  Inbox<std::string> narrow;
  ASSERT_TRUE(sender_.wait_connected(kPatience));
  for (const auto id :
       {client.subscribe("kept/+", Qos::at_least_once, into(narrow), WhileAway::kept),
        client.subscribe("kept/#", Qos::at_least_once, into(inbox_), WhileAway::kept)}) {
    ASSERT_TRUE(client.wait_subscribed(id, kPatience));
  }
  go_away(client);
  ASSERT_EQ(publish(sender_, "kept/1", "away"), PublishOutcome::delivered);
  come_back(client);
  const auto id = client.subscribe("end", Qos::at_least_once, into(inbox_));
  ASSERT_TRUE(client.wait_subscribed(id, kPatience));
  ASSERT_EQ(publish(sender_, "kept/1", "here"), PublishOutcome::delivered);
  EXPECT_THAT(inbox_.wait_for(2), ElementsAre("kept/1=away", "kept/1=here"));
  EXPECT_THAT(narrow.wait_for(2), ElementsAre("kept/1=away", "kept/1=here"));
}

TEST(MqttClient, ReportsTheDoubtfulMessageOnceAndNeverSendsItAgain) {
  TestBroker broker(false);
  MqttClient client(broker.options("client"));
  ASSERT_TRUE(client.wait_connected(kPatience));
  Inbox<PublishOutcome> outcomes;
  broker.pause();
  client.publish_async({"a", "doubtful"}, Qos::at_least_once,
                       [&](PublishOutcome outcome) { outcomes.add(outcome); });
  EXPECT_EQ(client.publish({"a", "late"}, Qos::at_least_once, milliseconds{50}),
            PublishOutcome::timed_out);
  broker.kill();
  EXPECT_THAT(outcomes.wait_for(1), ElementsAre(PublishOutcome::timed_out));

  broker.start();
  Inbox<std::string> inbox;
  const auto id = client.subscribe("a", Qos::at_least_once, into(inbox));
  ASSERT_TRUE(client.wait_subscribed(id, kPatience));
  EXPECT_EQ(publish(client, "a", "new"), PublishOutcome::delivered);
  EXPECT_THAT(inbox.wait_for(1), ElementsAre("a=new"));
}

TEST(MqttClient, GivesUpOnABrokerThatDoesNotAnswer) {
  const SilentListener listener;
  MqttOptions options;
  options.host = "127.0.0.1";
  options.port = listener.port();
  options.client_id = "client";
  options.connect_timeout = milliseconds{50};
  options.reconnect_minimum = milliseconds{10};
  Inbox<std::string> reasons;
  MqttClient client(options, reasons_into(reasons));
  EXPECT_THAT(reasons.wait_for(1), ElementsAre(HasSubstr("connect timeout")));
  EXPECT_FALSE(client.is_connected());
  EXPECT_EQ(publish(client, "a", "x"), PublishOutcome::not_connected);
  EXPECT_FALSE(client.wait_connected(milliseconds{10}));
}

TEST(MqttClient, SaysThatNobodyListens) {
  MqttOptions options;
  options.host = "127.0.0.1";
  options.port = SilentListener().port();
  options.client_id = "client";
  Inbox<std::string> reasons;
  MqttClient client(options, reasons_into(reasons));
  EXPECT_THAT(reasons.wait_for(1), ElementsAre(HasSubstr("refused")));
}

TEST(MqttClient, IsConfinedToItsOwnTopicsByItsCertificate) {
  const TestBroker broker(true);
  MqttClient boss(broker.options("boss"));
  MqttClient first(broker.options("line-1"));
  MqttClient second(broker.options("line-2"));
  Inbox<std::string> own;
  Inbox<std::string> foreign;
  Inbox<std::string> all;
  const auto all_id = boss.subscribe("things/#", Qos::at_least_once, into(all));
  const auto own_id = first.subscribe("things/line-1/#", Qos::at_least_once, into(own));
  const auto foreign_id = second.subscribe("things/line-1/#", Qos::at_least_once, into(foreign));
  ASSERT_TRUE(boss.wait_subscribed(all_id, kPatience));
  ASSERT_TRUE(first.wait_subscribed(own_id, kPatience));
  ASSERT_TRUE(second.wait_subscribed(foreign_id, kPatience));

  EXPECT_EQ(publish(first, "things/line-1/x", "1"), PublishOutcome::delivered);
  EXPECT_EQ(publish(second, "things/line-1/x", "2"), PublishOutcome::refused);
  EXPECT_EQ(publish(boss, "things/line-1/x", "3"), PublishOutcome::delivered);
  EXPECT_EQ(publish(second, "things/line-2/x", "4"), PublishOutcome::delivered);
  EXPECT_THAT(all.wait_for(3),
              ElementsAre("things/line-1/x=1", "things/line-1/x=3", "things/line-2/x=4"));
  EXPECT_THAT(own.wait_for(2), ElementsAre("things/line-1/x=1", "things/line-1/x=3"));
  EXPECT_THAT(foreign.wait_for(0), ElementsAre());
}

TEST(MqttClient, ConnectsAnewWhenToldWithTheCertificateThatIsThereThen) {
  const TestBroker broker(true);
  Inbox<std::string> changes;
  MqttClient client(broker.options("line-1"), reasons_into(changes));
  Inbox<std::string> inbox;
  const auto id = client.subscribe("things/+/x", Qos::at_least_once, into(inbox));
  ASSERT_TRUE(client.wait_subscribed(id, kPatience));
  for (const std::string kind : {".crt", ".key"}) {
    base::write_file_atomically(broker.file("line-1" + kind),
                                base::read_file(broker.file("line-2" + kind)));
  }
  client.reconnect();
  EXPECT_TRUE(changes.wait_until([](const std::vector<std::string>& told) {
    const auto end = std::ranges::find(told, "a new connection is made");
    return std::find(end, told.end(), "connected") != told.end();
  }));
  ASSERT_TRUE(client.wait_subscribed(id, kPatience));
  EXPECT_EQ(publish(client, "things/line-2/x", "1"), PublishOutcome::delivered);
  EXPECT_THAT(inbox.wait_for(1), ElementsAre("things/line-2/x=1"));
}

TEST(MqttClient, RefusesABrokerWhoseCertificateItDoesNotTrust) {
  const TestBroker broker(true);
  const TestBroker impostor(true);
  MqttOptions options = broker.options("line-1");
  options.port = impostor.options("line-1").port;
  Inbox<std::string> reasons;
  const MqttClient client(options, reasons_into(reasons));
  // The first attempts may come before the broker listens.
  EXPECT_TRUE(reasons.wait_until([](const std::vector<std::string>& seen) {
    return seen.back().find("certificate verify failed") != std::string::npos;
  }));
  EXPECT_FALSE(client.is_connected());
}

TEST(MqttClient, SaysWhichCertificateFileIsWrong) {
  const TestBroker broker(true);
  MqttOptions options = broker.options("line-1");
  options.private_key = broker.file("line-2.key");
  try {
    const MqttClient client(options);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
    EXPECT_THAT(error.message(), HasSubstr("line-2.key"));
  }
  options.private_key = broker.file("absent.key");
  EXPECT_THROW(const MqttClient client(options), base::Error);
}

TEST(MqttClient, RefusesTopicsThatMqttDoesNotKnow) {
  const TestBroker broker(false);
  MqttClient client(broker.options("client"));
  EXPECT_THROW((void)publish(client, "a/+", "x"), base::Error);
  const MqttMessageHandler nothing = [](const MqttMessage&) {};
  EXPECT_THROW(client.subscribe("a#", Qos::at_least_once, nothing), base::Error);
}

TEST(MqttClient, MayBeUsedFromItsHandlersAndByManyThreads) {
  const TestBroker broker(false);
  MqttClient client(broker.options("client"));
  Inbox<std::string> answers;
  const auto questions =
      client.subscribe("question", Qos::at_least_once, [&](const MqttMessage& question) {
        client.publish_async({"answer", question.payload}, Qos::at_least_once, {});
      });
  const auto answers_id = client.subscribe("answer", Qos::at_least_once, into(answers));
  ASSERT_TRUE(client.wait_subscribed(questions, kPatience));
  ASSERT_TRUE(client.wait_subscribed(answers_id, kPatience));
  std::vector<std::thread> threads;
  constexpr int kThreads = 4;
  constexpr int kMessages = 100;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < kMessages; ++i) {
        EXPECT_EQ(publish(client, "question", std::string(2000, 'q')), PublishOutcome::delivered);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answers.wait_for(kThreads * kMessages).size(), kThreads * kMessages);
}

TEST(MqttClient, CarriesAMegabyteOverTls) {
  const TestBroker broker(true);
  MqttClient boss(broker.options("boss"));
  Inbox<std::string> inbox;
  const auto id = boss.subscribe("big", Qos::at_least_once, into(inbox));
  ASSERT_TRUE(boss.wait_subscribed(id, kPatience));
  const std::string payload(1U << 20U, 'x');
  EXPECT_EQ(publish(boss, "big", payload), PublishOutcome::delivered);
  EXPECT_EQ(inbox.wait_for(1).at(0).size(), payload.size() + 4);
}

}  // namespace
}  // namespace andon::wire
