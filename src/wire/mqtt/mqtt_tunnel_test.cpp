// SPDX-License-Identifier: Apache-2.0
#include "wire/mqtt/mqtt_tunnel.hpp"

#include <gtest/gtest.h>

namespace andon::wire {
namespace {

using namespace std::string_literals;

TEST(MqttTunnel, GoesToItsBrokerAndNowhereElse) {
  const MqttEndpoint named{"plant", 8883};
  const std::string request = "\x05\x01\x00\x03\x05plant\x22\xb3"s;
  EXPECT_TRUE(is_socks_request_for(request, named));
  EXPECT_FALSE(is_socks_request_for(request, {"plant", 8884}));
  EXPECT_FALSE(is_socks_request_for(request, {"other", 8883}));
  EXPECT_TRUE(
      is_socks_request_for("\x05\x01\x00\x01\x7f\x00\x00\x01\x22\xb3"s, {"127.0.0.1", 8883}));
  EXPECT_TRUE(is_socks_request_for(
      "\x05\x01\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x22\xb3"s,
      {"::1", 8883}));
  for (std::size_t size = 0; size < request.size(); ++size) {
    EXPECT_FALSE(is_socks_request_for(request.substr(0, size), named)) << size;
  }
  EXPECT_FALSE(is_socks_request_for("\x05\x02\x00\x03\x05plant\x22\xb3"s, named));
}

}  // namespace
}  // namespace andon::wire
