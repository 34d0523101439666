// SPDX-License-Identifier: Apache-2.0
#include "api/console/topic_sight.hpp"

#include <gmock/gmock.h>

#include "base/error/error.hpp"

namespace andon::api {
namespace {

TEST(ConsoleTopicSight, WhatADeviceAndItsServerHaveBetweenThemselvesIsClosed) {
  for (const char* topic :
       {"$aws/things/line-1/jobs/notify", "$aws/things/line-1/jobs/1/get/accepted",
        "$aws/things/line-1/greengrassv2/health/json",
        "$aws/things/line-1/shadow/name/AWSManagedGreengrassV2Deployment/get/accepted",
        "$aws/things/line-1", "$aws/things//shadow/get", "$aws/things/line-1/shadow/name//get",
        "$aws/certificates/create/json/accepted", "$aws/rules/loud/x",
        "$aws/provisioning-templates/hall/provision/json/accepted", "$SYS/broker/clients/total",
        "cmd/andon/line-1/commands/ask", "andon/things/line-1/commands/0-1",
        "andon/broker/counters"}) {
    EXPECT_TRUE(sight_of(topic).is_closed) << topic;
  }
  for (const char* topic : {"hall/1/temperature", "dt/cam/line-1/x", "andon/things/line-1/results",
                            "$aws/events/presence/connected/line-1", "cmd/hall/line-1"}) {
    const TopicSight sight = sight_of(topic);
    EXPECT_FALSE(sight.is_closed) << topic;
    EXPECT_EQ(sight.thing, "") << topic;
  }
}

TEST(ConsoleTopicSight, ResultsAreNamedSoThatTheRightToReadThemIsAskedFor) {
  EXPECT_EQ(sight_of("andon/things/line-1/results").results_of, "line-1");
  EXPECT_EQ(sight_of("hall/line-1/results").results_of, "");
}

TEST(ConsoleTopicSight, AShadowIsNamedSoThatTheRightToReadItIsAskedFor) {
  const TopicSight classic = sight_of("$aws/things/line-1/shadow/update/accepted");
  EXPECT_FALSE(classic.is_closed);
  EXPECT_EQ(classic.thing + "," + classic.shadow, "line-1,");
  const TopicSight named = sight_of("$aws/things/line-1/shadow/name/light/update/documents");
  EXPECT_EQ(named.thing + "," + named.shadow, "line-1,light");
}

TEST(ConsoleTopicSight, FiltersOfTheServersOwnTopicsAreRefusedAsSuch) {
  EXPECT_TRUE(is_open_filter("#"));
  EXPECT_TRUE(is_open_filter("+/things/#"));
  EXPECT_TRUE(is_open_filter("$aws/things/+/shadow/#"));
  EXPECT_TRUE(is_open_filter("$aws/events/#"));
  EXPECT_FALSE(is_open_filter("$SYS/#"));
  EXPECT_FALSE(is_open_filter("$aws/#"));
  EXPECT_FALSE(is_open_filter("$aws/certificates/create/json/accepted"));
}

TEST(ConsoleTopicSight, AWatchNamesAThingAndPerhapsAComponent) {
  const PageAsk ask = read_page_ask(R"({"watch": {"thing": "line-1", "component": "com.ex.A"}})");
  EXPECT_EQ(ask.kind, PageAsk::Kind::watch);
  EXPECT_EQ(ask.thing + "," + ask.component, "line-1,com.ex.A");
  EXPECT_EQ(read_page_ask(R"({"watch": {"thing": "line-1"}})").component, "");
  EXPECT_EQ(read_page_ask(R"({"unwatch": true})").kind, PageAsk::Kind::unwatch);
  const std::string longest =
      R"({"watch": {"thing": "a", "component": ")" + std::string(129, 'a') + R"("}})";
  for (const std::string& text :
       {std::string(R"({"watch": "line-1"})"), std::string(R"({"watch": {}})"),
        std::string(R"({"watch": {"thing": "a/b"}})"), std::string(R"({"watch": {"thing": "#"}})"),
        std::string(R"({"watch": {"thing": "a", "rate": 1}})"), longest}) {
    EXPECT_THROW((void)read_page_ask(text), base::Error) << text;
  }
}

TEST(ConsoleTopicSight, AnAskIsOneFilterAndNothingElse) {
  const PageAsk ask = read_page_ask(R"({"subscribe": "hall/+/#"})");
  EXPECT_EQ(ask.kind, PageAsk::Kind::subscribe);
  EXPECT_EQ(ask.filter, "hall/+/#");
  EXPECT_EQ(read_page_ask(R"({"unsubscribe": "a"})").kind, PageAsk::Kind::unsubscribe);
  const std::string longest = R"({"subscribe": ")" + std::string(257, 'a') + R"("})";
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("{}"), std::string(R"({"subscribe": 1})"),
        std::string(R"({"publish": "a"})"),
        std::string(R"({"subscribe": "a", "unsubscribe": "b"})"),
        std::string(R"({"subscribe": "a/#/b"})"), std::string(R"({"subscribe": "$share/g/a"})"),
        std::string(R"({"subscribe": ""})"), longest}) {
    EXPECT_THROW((void)read_page_ask(text), base::Error) << text;
  }
}

}  // namespace
}  // namespace andon::api
