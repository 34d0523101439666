// SPDX-License-Identifier: Apache-2.0
#include "api/sts/key_sets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "base/testing/fake_clock.hpp"

namespace andon::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kIssuer = "https://login.example";

std::string key_set(const std::string& kid) {
  return R"({"keys":[{"kty":"RSA","kid":")" + kid + R"(","n":"AQAB","e":"AQAB"}]})";
}

class KeySetsTest : public testing::Test {
 protected:
  KeySets made(const std::string& place) {
    std::map<std::string, std::string> places;
    if (!place.empty()) places[kIssuer] = place;
    return {{.places = std::move(places), .ca_file = {}}, clock, [this](const std::string& url) {
              asked.push_back(url);
              if (!answers.contains(url)) {
                throw base::Error(base::ErrorCode::unavailable, "it is away");
              }
              return answers.at(url);
            }};
  }
  // How many keys fit, or why none can be had.
  static std::string had(KeySets& sets, const std::string& kid) {
    try {
      return std::to_string(sets.keys_of(kIssuer, kid).size());
    } catch (const base::Error& error) {
      return error.message();
    }
  }

  base::FakeClock clock{base::from_epoch_millis(1'790'000'000'000)};
  std::vector<std::string> asked;
  std::map<std::string, std::string> answers;
};

TEST_F(KeySetsTest, AKeyThatIsNewIsFoundAfterAMinuteAndOldOnesAreForgottenInTheEnd) {
  answers["https://keys.example/a"] = key_set("one");
  KeySets sets = made("https://keys.example/a");
  EXPECT_EQ(had(sets, "one"), "1");
  EXPECT_EQ(had(sets, ""), "1");
  answers["https://keys.example/a"] = key_set("two");
  EXPECT_EQ(had(sets, "two"), "0");
  EXPECT_EQ(asked.size(), 1U);
  clock.advance(KeySets::kBetween);
  EXPECT_EQ(had(sets, "two"), "1");
  EXPECT_EQ(had(sets, "one"), "0");
  EXPECT_EQ(asked.size(), 2U);
  // The provider is away: its keys are good for a day more.
  answers.clear();
  clock.advance(KeySets::kKept);
  EXPECT_EQ(had(sets, "two"), "1");
  clock.advance(24 * KeySets::kKept);
  EXPECT_THAT(had(sets, "two"), HasSubstr("it is away"));
}

TEST_F(KeySetsTest, DiscoveryMustBeOfTheIssuerAndByHttps) {
  const std::string discovery = std::string(kIssuer) + "/.well-known/openid-configuration";
  answers[discovery] = R"({"issuer":"https://login.example","jwks_uri":"https://keys.example/b"})";
  answers["https://keys.example/b"] = key_set("one");
  KeySets sets = made("");
  EXPECT_EQ(had(sets, "one"), "1");
  EXPECT_THAT(asked, ElementsAre(discovery, "https://keys.example/b"));
  answers[discovery] = R"({"issuer":"https://evil.example","jwks_uri":"https://keys.example/b"})";
  KeySets others = made("");
  EXPECT_THAT(had(others, "one"), HasSubstr("another issuer"));
  answers[discovery] = R"({"issuer":"https://login.example","jwks_uri":"http://keys.example/b"})";
  KeySets plain = made("");
  EXPECT_THAT(had(plain, "one"), HasSubstr("https only"));
}

TEST_F(KeySetsTest, AFileOfThePlantTakesThePlaceOfTheNetwork) {
  const base::TemporaryDirectory directory;
  base::write_file_atomically(directory.path() / "jwks.json", key_set("one"));
  KeySets sets = made((directory.path() / "jwks.json").string());
  EXPECT_EQ(had(sets, "one"), "1");
  base::write_file_atomically(directory.path() / "jwks.json", "no key set");
  clock.advance(25 * KeySets::kKept);
  EXPECT_THAT(had(sets, "one"), HasSubstr("cannot be had"));
  EXPECT_TRUE(asked.empty());
}

}  // namespace
}  // namespace andon::api
