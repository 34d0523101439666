// SPDX-License-Identifier: Apache-2.0
#include "wire/mqtt/mqtt_topic.hpp"

#include <gtest/gtest.h>

#include <string>

namespace andon::wire {
namespace {

TEST(TopicMatching, FollowsTheTableOfMqtt5) {
  struct Row {
    const char* filter;
    const char* topic;
    bool matches;
  };
  const Row rows[] = {
      {"a/b/c", "a/b/c", true},
      {"a/b/c", "a/b", false},
      {"a/b", "a/b/c", false},
      {"a/b", "a/B", false},
      {"a/+/c", "a/b/c", true},
      {"a/+/c", "a//c", true},
      {"a/+/c", "a/b/d", false},
      {"a/+", "a", false},
      {"a/+", "a/", true},
      {"a/+", "a/b/c", false},
      {"+", "a", true},
      {"+", "/a", false},
      {"+/+", "/a", true},
      {"/+", "/a", true},
      {"a/#", "a", true},
      {"a/#", "a/", true},
      {"a/#", "a/b/c", true},
      {"a/#", "ab", false},
      {"a/b/#", "a", false},
      {"a/+/#", "a/b", true},
      {"a/+/#", "a", false},
      {"#", "a/b", true},
      {"#", "/", true},
      {"#", "$aws/things/x", false},
      {"+/things/x", "$aws/things/x", false},
      {"$aws/#", "$aws/things/x", true},
      {"$aws/things/+/jobs/#", "$aws/things/x/jobs/1/update", true},
      {"$SYS/#", "$aws/things/x", false},
      {"a//b", "a//b", true},
      {"a//b", "a/b", false},
      {"", "a", false},
      {"a", "", false},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(topic_matches(row.filter, row.topic), row.matches) << row.filter << " " << row.topic;
  }
}

TEST(TopicNames, HaveNoWildcardsAndNoControlCharacters) {
  for (const char* good : {"a", "/", "a//b", "$aws/things/x/jobs/$next", "v1.2/ä"}) {
    EXPECT_TRUE(is_valid_topic(good)) << good;
  }
  for (const char* bad : {"", "a/+", "#", "a+b", "a/\x01", "\xff\xfe", "a\n"}) {
    EXPECT_FALSE(is_valid_topic(bad)) << bad;
  }
  EXPECT_FALSE(is_valid_topic(std::string("a\0b", 3)));
  EXPECT_TRUE(is_valid_topic(std::string(65535, 'a')));
  EXPECT_FALSE(is_valid_topic(std::string(65536, 'a')));
}

TEST(TopicFilters, HaveWildcardsOnlyAsWholeLevels) {
  for (const char* good : {"a", "+", "#", "a/+/b", "+/+/#", "/#", "$aws/things/+/jobs/#"}) {
    EXPECT_TRUE(is_valid_filter(good)) << good;
  }
  for (const char* bad : {"", "a#", "a/b#", "#/a", "a/#/b", "a+", "a/+b/c", "##", "\xff"}) {
    EXPECT_FALSE(is_valid_filter(bad)) << bad;
  }
}

}  // namespace
}  // namespace andon::wire
