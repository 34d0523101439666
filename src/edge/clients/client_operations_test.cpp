// SPDX-License-Identifier: Apache-2.0
// The broker's object and the IPC operations of client devices, with the real files, without
// mosquitto.
#include "edge/clients/client_operations.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "base/json/json_reader.hpp"
#include "edge/testing/ipc_fixture.hpp"
#include "edge/testing/mqtt_link_fake.hpp"
#include "trust/digests/digest.hpp"

namespace andon::edge {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kAuthConfiguration = R"({"deviceGroups": {
  "definitions": {"g": {"selectionRule": "thingName: sensor-*", "policyName": "p"}},
  "policies": {"p": {"s": {"operations": ["mqtt:publish", "door:open"],
                           "resources": ["mqtt:topic:t", "door:1"]}}}},
  "performance": {"maxActiveAuthTokens": 2}})";

class ClientOperationsTest : public IpcFixture {
 protected:
  ClientOperationsTest() : IpcFixture(base::SystemClock().now()) {
    layout_.make();
    const base::Timestamp now = clock_.now();
    authority_ = trust::make_certificate_authority("server", now, std::chrono::days(100));
    base::write_file_atomically(ca_file(layout_), authority_.certificate_pem);
    install({{"app",
              {{"accessControl", base::parse_json(R"({"aws.greengrass.clientdevices.Auth": {"p": {
                  "operations": ["*"], "resources": ["*"]}}})",
                                                  "test")}}},
             {"other", {}}});
    operations_object_.add_to(operations_);
    configuration_ = base::parse_json(kAuthConfiguration, "test").as_object();
  }

  std::string certificate(const std::string& name,
                          std::chrono::days lifetime = std::chrono::days(9)) {
    const std::string key = trust::make_private_key();
    return trust::sign_csr(authority_, trust::make_csr(key, name),
                           {.common_name = name, .not_before = clock_.now(), .lifetime = lifetime});
  }
  void set_clients(const std::map<std::string, std::string>& certificates) {
    fleet::ClientDeviceList list;
    for (const auto& [thing, pem] : certificates) {
      list.certificates[thing] = {trust::describe_certificate(pem).fingerprint};
    }
    const std::lock_guard lock(mutex_);
    list_ = base::to_text(to_json(list));
  }
  std::optional<std::string> ask(const std::string& known) {
    const std::lock_guard lock(mutex_);
    if (is_away_) throw base::Error(base::ErrorCode::unavailable, "no route");
    if (known == trust::sha256_hex(list_)) return std::nullopt;
    return list_;
  }
  void start() {
    broker_.refresh();
    ASSERT_TRUE(run_fast_until(loop_, loop_clock_, [&] { return !told_authority().empty(); }));
  }
  std::string told_authority() {
    const std::lock_guard lock(mutex_);
    return told_;
  }

  std::string call(const std::string& operation, const json::object& request,
                   const std::string& component = "app",
                   const std::shared_ptr<RecordingStream>& stream = nullptr) {
    const auto answer = begin(operation, request, component, stream);
    EXPECT_TRUE(run_fast_until(loop_, loop_clock_, [&] { return !answer->empty(); }));
    return *answer;
  }
  std::string verify(const std::string& pem) {
    return call("VerifyClientDeviceIdentity",
                {{"credential", json::object{{"clientDeviceCertificate", pem}}}});
  }
  std::string token_answer(const std::string& pem) {
    return call(
        "GetClientDeviceAuthToken",
        {{"credential", json::object{{"mqttCredential",
                                      json::object{{"clientId", "c"}, {"certificatePem", pem}}}}}});
  }
  std::string token(const std::string& pem) {
    const json::value answer = base::parse_json(token_answer(pem), "answer");
    return base::JsonReader(answer, "").string("clientDeviceAuthToken");
  }
  std::string authorize(const std::string& token, const std::string& operation,
                        const std::string& resource) {
    return call(
        "AuthorizeClientDeviceAction",
        {{"clientDeviceAuthToken", token}, {"operation", operation}, {"resource", resource}});
  }

  trust::CertificateAuthority authority_;
  std::optional<json::object> configuration_;
  std::optional<json::object> moquette_;
  std::map<std::string, std::string, std::less<>> notes_;
  std::vector<std::string> let_start_;
  std::mutex mutex_;
  std::string list_ = R"({"clientDevices": [], "hostAddresses": []})";  // guarded by mutex_
  std::string told_;                                                    // the same
  bool is_away_ = false;                                                // the same
  ClientBroker broker_{{loop_, layout_, clock_, "",
                        [this](std::string_view component) -> const json::object* {
                          if (component == kClientAuth && configuration_) return &*configuration_;
                          if (component == kMoquette && moquette_) return &*moquette_;
                          return nullptr;
                        },
                        [this](const std::string& known) { return ask(known); },
                        [this](const std::vector<std::string>& authorities) {
                          const std::lock_guard lock(mutex_);
                          told_ = authorities.at(0);
                        },
                        [] { return std::vector<std::string>{"10.0.0.7"}; },
                        [](const wire::MqttOptions&) { return std::make_unique<FakeMqttLink>(); },
                        [this](const std::string& component) { let_start_.push_back(component); },
                        [](const std::string&) { return false; }, [](const std::string&) {},
                        [this](std::string_view component, const ComponentNote& note) {
                          notes_[std::string(component)] = note.text;
                        },
                        [](MqttLink*) {}, [this] { operations_object_.certificate_is_due(); }}};
  ClientOperations operations_object_{policy_, broker_, clock_};
};

TEST_F(ClientOperationsTest, AComponentAsksForClientDevicesAndWhatTheyMayDo) {
  const std::string sensor = certificate("sensor-1");
  set_clients({{"sensor-1", sensor}});
  start();
  EXPECT_EQ(verify(sensor), R"({"isValidClientDevice":true})");
  EXPECT_EQ(verify(certificate("sensor-1")), R"({"isValidClientDevice":false})");
  EXPECT_EQ(verify("no certificate"), R"({"isValidClientDevice":false})");
  const std::string known = token(sensor);
  EXPECT_EQ(authorize(known, "mqtt:publish", "mqtt:topic:t"), R"({"isAuthorized":true})");
  EXPECT_EQ(authorize(known, "door:open", "door:1"), R"({"isAuthorized":true})");
  EXPECT_EQ(authorize(known, "mqtt:publish", "mqtt:topic:u"), R"({"isAuthorized":false})");
  EXPECT_THAT(authorize("nonsense", "mqtt:publish", "mqtt:topic:t"),
              StartsWith("InvalidClientDeviceAuthTokenError"));
  EXPECT_THAT(token_answer(certificate("x")), StartsWith("InvalidCredentialError"));
  EXPECT_THAT(
      call("AuthorizeClientDeviceAction",
           {{"clientDeviceAuthToken", known}, {"operation", "a"}, {"resource", "b"}}, "other"),
      StartsWith("UnauthorizedError"));
  // The token that nobody has used for longest goes.
  static_cast<void>(token(sensor));
  static_cast<void>(token(sensor));
  EXPECT_THAT(authorize(known, "door:open", "door:1"),
              StartsWith("InvalidClientDeviceAuthTokenError"));
}

TEST_F(ClientOperationsTest, WhoTheServerNamedLastIsKnownWhileItIsAway) {
  const std::string sensor = certificate("sensor-1");
  set_clients({{"sensor-1", sensor}});
  start();
  ASSERT_EQ(verify(sensor), R"({"isValidClientDevice":true})");
  {
    const std::lock_guard lock(mutex_);
    is_away_ = true;
  }
  ClientRegistry after_a_restart(
      {loop_, BrokerFiles(layout_).list_file(),
       [this](const std::string& known) { return ask(known); }, [] {},
       [this](const ComponentNote& note) { notes_["after"] = note.text; }});
  after_a_restart.start(std::chrono::minutes(1));
  ASSERT_TRUE(run_fast_until(loop_, loop_clock_, [&] { return !notes_["after"].empty(); }));
  EXPECT_THAT(notes_["after"], HasSubstr("no route"));
  EXPECT_EQ(after_a_restart.thing_of(trust::describe_certificate(sensor).fingerprint), "sensor-1");
}

TEST_F(ClientOperationsTest, AServerOfAComponentGetsACertificateOfTheDevicesOwnAuthority) {
  start();
  const auto stream = std::make_shared<RecordingStream>();
  EXPECT_EQ(
      call("SubscribeToCertificateUpdates",
           {{"certificateOptions", json::object{{"certificateType", "SERVER"}}}}, "app", stream),
      "{}");
  ASSERT_TRUE(run_fast_until(loop_, loop_clock_, [&] { return stream->events.size() == 1; }));
  constexpr std::string_view kType = "CertificateUpdateEvent ";
  ASSERT_THAT(stream->events[0], StartsWith(std::string(kType)));
  const json::value event = base::parse_json(stream->events[0].substr(kType.size()), "event");
  const json::object& update = event.at("certificateUpdate").as_object();
  const std::string pem(update.at("certificate").as_string());
  EXPECT_TRUE(trust::is_key_of(std::string(update.at("privateKey").as_string()), pem));
  EXPECT_TRUE(trust::is_signed_by(pem, told_authority(), clock_.now()));
  EXPECT_THAT(trust::describe_certificate(pem).ip_addresses, testing::Contains("10.0.0.7"));
  EXPECT_EQ(std::string(update.at("caCertificates").as_array().at(0).as_string()),
            told_authority());
  operations_object_.certificate_is_due();
  ASSERT_TRUE(run_fast_until(loop_, loop_clock_, [&] { return stream->events.size() == 2; }));
  EXPECT_NE(stream->events[0], stream->events[1]);
  EXPECT_THAT(call("SubscribeToCertificateUpdates",
                   {{"certificateOptions", json::object{{"certificateType", "CLIENT"}}}}),
              StartsWith("InvalidArgumentsError"));
}

TEST_F(ClientOperationsTest, ABrokerStartsOnceItsFilesAreThere) {
  moquette_ = base::parse_json(R"({"moquette": {"ssl_port": 18883}})", "test").as_object();
  const std::string component(kMoquette);
  EXPECT_TRUE(broker_.may_start("app"));
  EXPECT_FALSE(broker_.may_start(component));
  ASSERT_TRUE(run_fast_until(loop_, loop_clock_, [&] { return !let_start_.empty(); }));
  EXPECT_TRUE(broker_.may_start(component));
  broker_.check_start(component);
  const auto text = base::read_file(directory_.path() / "client-devices/mosquitto.conf");
  EXPECT_THAT(text, HasSubstr("listener 18883\n"));
  EXPECT_THROW(broker_.check_start(std::string(kEmqx)), base::Error);  // one is enough

  moquette_ = base::parse_json(R"({"moquette": {"ssl_port": "x"}})", "test").as_object();
  EXPECT_TRUE(broker_.may_start(component));
  try {
    broker_.check_start(component);
    ADD_FAILURE() << "a wrong port was taken";
  } catch (const base::Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("moquette.ssl_port"));
  }
}

}  // namespace
}  // namespace andon::edge
