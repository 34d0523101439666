// SPDX-License-Identifier: Apache-2.0
#include "cli/component/import_url.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::cli {
namespace {

TEST(ImportUrl, KnowsAddressesThatAreOfANetworkOfItsOwn) {
  for (const auto* host : {"127.0.0.1",
                           "0.0.0.0",
                           "10.1.2.3",
                           "100.64.0.1",
                           "169.254.169.254",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.168.0.1",
                           "224.0.0.1",
                           "255.255.255.255",
                           "2130706433",
                           "0x7f.1",
                           "::1",
                           "::",
                           "[::1]",
                           "fd00::1",
                           "fe80::1",
                           "ff02::1",
                           "::ffff:10.0.0.1",
                           "64:ff9b::10.0.0.1",
                           "2002:a00:1::1",
                           "localhost"}) {
    EXPECT_TRUE(has_private_address(host)) << host;
  }
  for (const auto* host : {"8.8.8.8", "172.32.0.1", "100.128.0.1", "192.0.1.1", "223.255.255.255",
                           "2606:4700::1111", "::ffff:8.8.8.8"}) {
    EXPECT_FALSE(has_private_address(host)) << host;
  }
}

TEST(ImportUrl, OfThesePrivateAddressesOnlyThePlaceThatTheOperatorNamedIsAsked) {
  const auto code = [](const std::string& url, const std::string& named) {
    try {
      require_public(url, named);
    } catch (const base::Error& error) {
      return error.code();
    }
    return base::ErrorCode::internal;  // it may be asked
  };
  using base::ErrorCode;
  EXPECT_EQ(code("http://8.8.8.8/a.zip", ""), ErrorCode::internal);
  EXPECT_EQ(code("http://127.0.0.1:8080/a.zip", ""), ErrorCode::permission_denied);
  EXPECT_EQ(code("http://127.0.0.1:8080/a.zip", "http://127.0.0.1:8080/r.json?x=y"),
            ErrorCode::internal);
  EXPECT_EQ(code("http://127.0.0.1:8081/a.zip", "http://127.0.0.1:8080/r.json"),
            ErrorCode::permission_denied);
  EXPECT_EQ(code("http://user@8.8.8.8/a.zip", ""), ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace andon::cli
