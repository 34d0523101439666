// SPDX-License-Identifier: Apache-2.0
#include "edge/builtin/network_settings.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error/error.hpp"
#include "base/json/json.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;

DeviceConfig enrolled() {
  DeviceConfig device;
  device.mqtt = {"plant.example", 8883};
  device.data_plane = {"plant.example", 8443};
  return device;
}

NetworkSettings wanted(const char* text) {
  const json::value value = base::parse_json(text, "configuration");
  return wanted_network(&value.get_object(), enrolled());
}

TEST(NetworkSettings, WithoutAWordOfADeploymentAreThoseOfTheEnrolment) {
  EXPECT_FALSE(wanted_network(nullptr, enrolled()).has_endpoints());
  EXPECT_FALSE(wanted(R"({"iotDataEndpoint":"","mqtt":{"port":8883}})").has_endpoints());
  EXPECT_FALSE(wanted(R"({"iotDataEndpoint":"plant.example"})").has_endpoints());
}

TEST(NetworkSettings, NameABrokerAndADataPlaneAsGreengrassDoes) {
  const NetworkSettings aws = wanted(
      R"({"iotDataEndpoint":"a-ats.iot.example","iotCredEndpoint":"c.iot.example","mqtt":{"port":443},
          "greengrassDataPlanePort":"443"})");
  EXPECT_EQ(aws.broker, (fleet::Endpoint{"a-ats.iot.example", 443}));
  EXPECT_EQ(aws.data_plane, (fleet::Endpoint{"c.iot.example", 443}));
  const NetworkSettings other =
      wanted(R"({"iotDataEndpoint":"other:1884","greengrassDataPlaneEndpoint":"iotdata",
                 "andonOtherDataEndpoints":["third","[::1]:7"]})");
  EXPECT_EQ(other.broker, (fleet::Endpoint{"other", 1884}));
  EXPECT_EQ(other.data_plane, (fleet::Endpoint{"other", 8443}));
  ASSERT_EQ(other.other_brokers.size(), 2U);
  EXPECT_EQ(other.other_brokers[1], (fleet::Endpoint{"::1", 7}));
}

TEST(NetworkSettings, NameAProxyWithItsUserAndExceptions) {
  const NetworkSettings settings = wanted(
      R"({"networkProxy":{"noProxyAddresses":"a,b","proxy":{"url":"http://proxy:3128/",
          "username":"u","password":"p@ss"}}})");
  EXPECT_EQ(settings.proxy, "http://u:p%40ss@proxy:3128");
  EXPECT_EQ(settings.no_proxy, "a,b");
  EXPECT_FALSE(settings.has_endpoints());
}

TEST(NetworkSettings, GoByTheProxyOfTheEnrolmentUntilADeploymentNamesAnother) {
  DeviceConfig device = enrolled();
  device.proxy = "http://first:3128";
  EXPECT_EQ(with_network(device, {}).proxy, "http://first:3128");
  const NetworkSettings exceptions = wanted(R"({"networkProxy":{"noProxyAddresses":"a"}})");
  EXPECT_EQ(with_network(device, exceptions).proxy, "http://first:3128");
  EXPECT_EQ(with_network(device, exceptions).no_proxy, "a");
  const NetworkSettings other =
      wanted(R"({"networkProxy":{"proxy":{"url":"socks5h://other:1080"}}})");
  EXPECT_EQ(with_network(device, other).proxy, "socks5h://other:1080");
}

TEST(NetworkSettings, ThatCannotBeUsedAreRefusedByName) {
  for (const auto& [text, key] : {
           std::pair{R"({"iotDataEndpoint":"a b"})", "iotDataEndpoint"},
           std::pair{R"({"iotDataEndpoint":"a:0"})", "iotDataEndpoint"},
           std::pair{R"({"iotDataEndpoint":"a","mqtt":{"port":70000}})", "port"},
           std::pair{R"({"networkProxy":{"proxy":{"url":"ftp://p"}}})", "networkProxy.proxy.url"},
           std::pair{R"({"networkProxy":{"proxy":{"url":"http://"}}})", "networkProxy.proxy.url"},
           std::pair{R"({"andonOtherDataEndpoints":[7]})", "andonOtherDataEndpoints"},
       }) {
    try {
      static_cast<void>(wanted(text));
      ADD_FAILURE() << text;
    } catch (const base::Error& error) {
      EXPECT_NE(error.message().find(key), std::string::npos) << error.message();
    }
  }
}

TEST(NetworkSettings, AreReadAsTheyWereWrittenAndADamagedFileIsNone) {
  const base::TemporaryDirectory directory;
  const Layout layout(directory.path());
  layout.make();
  NetworkSettings settings = wanted(R"({"iotDataEndpoint":"other","andonOtherDataEndpoints":["x"],
                                        "networkProxy":{"proxy":{"url":"socks5h://s:1080"}}})");
  settings.state = NetworkState::failed;
  settings.why = "no answer";
  save_network(layout, settings);
  const NetworkSettings again = load_network(layout);
  EXPECT_TRUE(again.wants_the_same(settings));
  EXPECT_EQ(again.state, NetworkState::failed);
  EXPECT_EQ(again.why, "no answer");
  base::write_file_atomically(directory.path() / "config" / "network.json", "{\"broker\":7");
  EXPECT_FALSE(load_network(layout).has_endpoints());
}

TEST(NetworkSettings, OnTrialStandAloneAndGoodOnesKeepTheEnrolmentBehindThem) {
  NetworkSettings settings = wanted(R"({"iotDataEndpoint":"other"})");
  settings.state = NetworkState::trial;
  EXPECT_EQ(with_network(enrolled(), settings).mqtt.host, "other");
  EXPECT_TRUE(with_network(enrolled(), settings).other_brokers.empty());
  settings.state = NetworkState::good;
  ASSERT_EQ(with_network(enrolled(), settings).other_brokers.size(), 1U);
  EXPECT_EQ(with_network(enrolled(), settings).other_brokers[0].host, "plant.example");
  EXPECT_EQ(with_network(enrolled(), settings).data_plane.host, "other");
  settings.state = NetworkState::failed;
  EXPECT_EQ(with_network(enrolled(), settings).mqtt.host, "plant.example");
}

fleet::ServerAddress at(const char* host) {
  return {{host, 8883}, {host, 8443}};
}

TEST(NetworkSettings, AServerThatMovesIsFollowedFromWhereTheDeviceKnowsItAndTriedOnce) {
  NetworkSettings settings;
  const fleet::ServerAddresses moved{at("new"), {at("plant.example")}};
  EXPECT_EQ(address_to_try(moved, enrolled(), settings), at("new"));
  // The server never was where this device has found it: through a gateway, say.
  EXPECT_FALSE(address_to_try({at("new"), {at("older")}}, enrolled(), settings));
  EXPECT_FALSE(address_to_try({at("plant.example"), {at("older")}}, enrolled(), settings));
  settings.told = at("new");
  EXPECT_FALSE(address_to_try(moved, enrolled(), settings));
  EXPECT_EQ(with_network(enrolled(), settings).mqtt.host, "new");
  EXPECT_TRUE(with_network(enrolled(), settings).other_brokers.empty());
  keep_told_address(settings, enrolled());
  EXPECT_EQ(with_network(enrolled(), settings).data_plane.host, "new");
  ASSERT_EQ(with_network(enrolled(), settings).other_brokers.size(), 1U);
  EXPECT_EQ(with_network(enrolled(), settings).other_brokers[0].host, "plant.example");
}

TEST(NetworkSettings, AnAddressThatWasGivenUpLeavesTheDeviceWhereItFoundItsServerLast) {
  NetworkSettings settings;
  settings.moved_to = at("second");
  const fleet::ServerAddresses moved{at("third"), {at("second"), at("plant.example")}};
  settings.told = address_to_try(moved, enrolled(), settings);
  EXPECT_EQ(with_network(enrolled(), settings).mqtt.host, "third");
  settings.told_state = NetworkState::failed;
  settings.told_why = "no answer";
  EXPECT_EQ(with_network(enrolled(), settings).mqtt.host, "second");
  EXPECT_FALSE(address_to_try(moved, enrolled(), settings));
  const NetworkSettings again = parse_network_settings(to_text(settings));
  EXPECT_EQ(again.moved_to, settings.moved_to);
  EXPECT_EQ(again.told, settings.told);
  EXPECT_EQ(again.told_state, NetworkState::failed);
  EXPECT_EQ(again.told_why, "no answer");
  // Back at the enrolment's: tried as any other, and then nothing is left to remember.
  settings.told = address_to_try({at("plant.example"), {at("second")}}, enrolled(), settings);
  EXPECT_EQ(settings.told, at("plant.example"));
  keep_told_address(settings, enrolled());
  EXPECT_FALSE(settings.moved_to);
}

TEST(NetworkSettings, OfADeploymentComeBeforeWhereTheServerSaysThatItIs) {
  NetworkSettings settings = wanted(R"({"iotDataEndpoint":"other"})");
  settings.moved_to = at("second");
  settings.told = at("third");
  EXPECT_FALSE(settings.tries_move());
  const DeviceConfig device = with_network(enrolled(), settings);
  EXPECT_EQ(device.mqtt.host, "other");
  ASSERT_EQ(device.other_brokers.size(), 2U);
  EXPECT_EQ(device.other_brokers[0].host, "second");
  EXPECT_EQ(device.other_brokers[1].host, "plant.example");
  settings.state = NetworkState::failed;
  EXPECT_TRUE(settings.tries_move());
  EXPECT_EQ(with_network(enrolled(), settings).mqtt.host, "third");
}

TEST(NetworkSettings, AProxyThatIsTakenBackLeavesTheEnvironment) {
  DeviceConfig device = enrolled();
  device.proxy = "http://proxy:3128";
  device.no_proxy = "plant.example";
  put_proxy_into_environment(device);
  EXPECT_STREQ(std::getenv("https_proxy"), "http://proxy:3128");
  EXPECT_STREQ(std::getenv("no_proxy"), "plant.example");
  put_proxy_into_environment({});
  EXPECT_EQ(std::getenv("https_proxy"), nullptr);
}

}  // namespace
}  // namespace andon::edge
