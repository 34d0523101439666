// SPDX-License-Identifier: Apache-2.0
#include "fleet/provisioning/server_addresses.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::fleet {
namespace {

ServerAddress at(const char* host) {
  return {{host, 8883}, {host, 8443}};
}

TEST(ServerAddresses, AreToldToWhoAsksForThem) {
  json::object question;
  EXPECT_FALSE(asks_for_server_addresses(question));
  ask_for_server_addresses(question);
  EXPECT_TRUE(asks_for_server_addresses(question));
  json::object answer;
  EXPECT_FALSE(parse_server_addresses(base::to_text(answer)));
  ServerAddresses addresses{at("new"), {at("old")}};
  put_server_addresses(answer, addresses);
  EXPECT_EQ(parse_server_addresses(base::to_text(answer)), addresses);
  EXPECT_TRUE(addresses.was_at(at("old")));
  EXPECT_FALSE(addresses.was_at(at("older")));
}

TEST(ServerAddresses, OfLongAgoAreLeftOut) {
  json::object answer;
  put_server_addresses(answer, {at("new"), std::vector(kMaxAddressesBefore + 5, at("old"))});
  EXPECT_EQ(parse_server_addresses(base::to_text(answer))->before.size(), kMaxAddressesBefore);
}

TEST(ServerAddresses, ThatAreMalformedAreRefused) {
  const std::string long_host(254, 'a');
  for (const std::string& bad :
       {std::string(R"({"serverAddress":7})"),
        std::string(R"({"serverAddress":{"mqtt":{"host":"a","port":1}}})"),
        std::string(R"({"serverAddress":{"mqtt":{"host":"","port":1},"dataPlane":{}}})"),
        R"({"serverAddress":{"mqtt":{"host":")" + long_host +
            R"(","port":1},"dataPlane":{"host":"a","port":1}}})",
        std::string(R"({"serverAddress":{"mqtt":{"host":"a","port":70000},"dataPlane":{}}})")}) {
    EXPECT_THROW((void)parse_server_addresses(bad), base::Error) << bad;
  }
}

}  // namespace
}  // namespace andon::fleet
