// SPDX-License-Identifier: Apache-2.0
#include "api/endpoints/allowed_hosts.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::api {
namespace {

TEST(AllowedHostsTest, OnlyWhatIsListedMayBeCalled) {
  const AllowedHosts hosts({"mes.plant", "API.example.com:8443", "http://10.0.0.5:8080",
                            "*.partner.example", "[fd00::1]"});
  const struct {
    const char* url;
    bool allowed;
  } cases[] = {{"https://mes.plant/x", true},
               {"https://MES.plant:443/x", true},
               {"https://mes.plant:8443/x", false},
               {"http://mes.plant/x", false},
               {"https://mes.plant.evil/x", false},
               {"https://xmes.plant/x", false},
               {"https://api.example.com:8443/", true},
               {"https://api.example.com/", false},
               {"http://10.0.0.5:8080/", true},
               {"https://10.0.0.5:8080/", false},
               {"https://a.partner.example/", true},
               {"https://a.b.partner.example/", true},
               {"https://partner.example/", false},
               {"https://apartner.example/", false},
               {"https://[fd00::1]/", true}};
  for (const auto& one : cases) {
    EXPECT_EQ(hosts.allows(*wire::read_url(one.url)), one.allowed) << one.url;
  }
  EXPECT_TRUE(AllowedHosts().empty());
  EXPECT_FALSE(AllowedHosts().allows(*wire::read_url("https://mes.plant/")));
}

TEST(AllowedHostsTest, AnEntryThatIsNoHostIsRefused) {
  for (const char* bad :
       {"", "*", "*.", "https://h/path", "h?x", "ftp://h", "u@h", "h:port", "a.*.b", "h/"}) {
    EXPECT_THROW(AllowedHosts({bad}), base::Error) << bad;
  }
}

}  // namespace
}  // namespace andon::api
