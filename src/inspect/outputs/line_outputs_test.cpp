// SPDX-License-Identifier: Apache-2.0
// Outputs over MQTT with a publisher of the test's own: what it is given, the line was told.
#include "inspect/outputs/line_outputs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <condition_variable>
#include <set>

#include "base/error/error.hpp"
#include "inspect/testing/waiting.hpp"

namespace andon::inspect {
namespace {

using namespace std::chrono_literals;

class LineOutputsTest : public testing::Test {
 protected:
  LineOutputsTest()
      : outputs_({.thing = "line-1",
                  .publish = [this](const MqttOutput& to,
                                    const std::string& message) { take(to.topic, message); }},
                 clock_) {}
  ~LineOutputsTest() override { let_go(); }

  static OutputSettings output(const std::string& name, std::chrono::milliseconds deadline) {
    OutputSettings settings;
    settings.name = name;
    settings.verdicts = {Judgement::ok, Judgement::doubt, Judgement::ng};
    settings.deadline = deadline;
    settings.lead = 1ms;
    settings.target = MqttOutput{name, false};
    return settings;
  }

  void take(const std::string& topic, const std::string& message) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return topic != held_; });
    if (topic == broken_) throw base::Error(base::ErrorCode::unavailable, "the cable is out");
    told_.emplace_back(topic, base::parse_json(message, "message"));
  }
  void hold(const std::string& topic) {
    const std::lock_guard lock(mutex_);
    held_ = topic;
  }
  void let_go() {
    const std::lock_guard lock(mutex_);
    held_.clear();
    changed_.notify_all();
  }
  // The parts that a topic was told, in order, with their verdicts: "A:NG".
  std::vector<std::string> told(const std::string& topic) {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> parts;
    for (const auto& [to, message] : told_) {
      if (to != topic) continue;
      parts.push_back(std::string(message.at("part").as_string()) + ":" +
                      std::string(message.at("verdict").as_string()));
    }
    return parts;
  }

  std::shared_ptr<Part> begin(const std::string& id,
                              Instant at = std::chrono::steady_clock::now()) {
    return outputs_.begin(id, Part::Begin::triggered, at);
  }
  static bool is_settled(const Part& part) {
    return wait_until([&] { return part.is_settled(std::chrono::steady_clock::now()); });
  }
  static Outcome outcome(const Part& part, std::size_t index = 0) {
    return part.outcomes(std::chrono::steady_clock::now()).at(index).outcome;
  }

  const base::SystemClock clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string held_;
  std::string broken_;
  std::vector<std::pair<std::string, base::json::value>> told_;
  LineOutputs outputs_;
};

const Verdict kOk{Judgement::ok, ""};
const Verdict kBad{Judgement::ng, "deep scratch"};

TEST_F(LineOutputsTest, TellsAPartOnceAndMeasuresIt) {
  outputs_.configure({output("a", 30s)}, Judgement::ng);
  const auto part = begin("A");
  EXPECT_EQ(outputs_.decide(part, kBad, "a.jpg"), kBad);
  EXPECT_EQ(outputs_.decide(part, kOk, "a.jpg"), kBad);
  ASSERT_TRUE(is_settled(*part));
  EXPECT_EQ(outcome(*part), Outcome::met);
  EXPECT_THAT(told("a"), testing::ElementsAre("A:NG"));
  const base::json::object status = outputs_.status();
  EXPECT_EQ(status.at("parts").to_number<int>(), 1);
  const base::json::value& figures = status.at("outputs").at(0);
  EXPECT_EQ(figures.at("met").to_number<int>(), 1);
  EXPECT_GT(figures.at("max_ms").to_number<double>(), 0);
}

TEST_F(LineOutputsTest, TellsTheFailSafeVerdictOnceWhereTheModelIsSilent) {
  OutputSettings settings = output("a", 25s);
  settings.lead = 24'950ms;
  outputs_.configure({settings, output("b", 30s)}, Judgement::doubt);
  const auto part = begin("A");
  ASSERT_TRUE(wait_until([&] { return !told("a").empty() && !told("b").empty(); }));
  EXPECT_TRUE(part->is_fail_safe());
  // One verdict for all outputs, also for those that could wait longer.
  EXPECT_EQ(outputs_.decide(part, kOk, "a.jpg"),
            (Verdict{Judgement::doubt, std::string(kLateRule)}));
  EXPECT_THAT(told("a"), testing::ElementsAre("A:DOUBT"));
  EXPECT_THAT(told("b"), testing::ElementsAre("A:DOUBT"));
  EXPECT_EQ(outputs_.status().at("fail_safe").to_number<int>(), 1);
}

TEST_F(LineOutputsTest, ASlowOutputHoldsNoOther) {
  outputs_.configure({output("slow", 30s), output("fast", 30s)}, Judgement::ng);
  hold("slow");
  for (const char* id : {"A", "B", "C"}) outputs_.decide(begin(id), kBad, "");
  EXPECT_TRUE(wait_until([&] { return told("fast").size() == 3; }));
  EXPECT_TRUE(told("slow").empty());
}

TEST_F(LineOutputsTest, WhatIsNotToldInTimeIsCountedAndNeverToldAfterwards) {
  outputs_.configure({output("a", 30s)}, Judgement::ng);
  hold("a");
  const auto first = begin("A");
  outputs_.decide(first, kBad, "");
  const auto second = begin("B", std::chrono::steady_clock::now() - 30s + 100ms);
  outputs_.decide(second, kBad, "");
  ASSERT_TRUE(is_settled(*second));  // its deadline has passed
  EXPECT_EQ(outcome(*second), Outcome::late);
  let_go();
  outputs_.stop();
  EXPECT_THAT(told("a"), testing::ElementsAre("A:NG"));
  EXPECT_EQ(outcome(*first), Outcome::met);
  EXPECT_EQ(outcome(*second), Outcome::late);
  EXPECT_EQ(outputs_.status().at("outputs").at(0).at("late").to_number<int>(), 1);
}

TEST_F(LineOutputsTest, TellsTheFailSafeVerdictALittleAfterTheDeadlineTooAndCountsItLate) {
  OutputSettings settings = output("a", 20s);
  settings.lead = 19s;
  outputs_.configure({settings}, Judgement::ng);
  const auto part = begin("A", std::chrono::steady_clock::now() - 21s);
  ASSERT_TRUE(wait_until([&] { return told("a").size() == 1; }));
  ASSERT_TRUE(is_settled(*part));
  EXPECT_EQ(outcome(*part), Outcome::late);
  EXPECT_TRUE(part->outcomes(std::chrono::steady_clock::now()).front().took.has_value());
}

TEST_F(LineOutputsTest, CountsWhatFails) {
  broken_ = "a";
  outputs_.configure({output("a", 30s)}, Judgement::ng);
  const auto part = begin("A");
  outputs_.decide(part, kBad, "");
  ASSERT_TRUE(is_settled(*part));
  EXPECT_EQ(outcome(*part), Outcome::failed);
}

TEST_F(LineOutputsTest, TellsAfterTheDelayFromTheTrigger) {
  OutputSettings settings = output("a", 30s);
  settings.delay = 80ms;
  outputs_.configure({settings}, Judgement::ng);
  const Instant start = std::chrono::steady_clock::now();
  const auto part = begin("A", start);
  outputs_.decide(part, kBad, "");
  ASSERT_TRUE(is_settled(*part));
  EXPECT_GE(std::chrono::steady_clock::now() - start, 80ms);
  EXPECT_EQ(outcome(*part), Outcome::met);
}

TEST_F(LineOutputsTest, PartsAreToldByTheOutputsOfTheirBeginAlsoWhenTheConfigurationChanges) {
  outputs_.configure({output("old", 30s)}, Judgement::ng);
  const auto before = begin("A");
  outputs_.configure({output("new", 30s)}, Judgement::ng);
  const auto after = begin("B");
  outputs_.decide(before, kBad, "");
  outputs_.decide(after, kBad, "");
  ASSERT_TRUE(is_settled(*before) && is_settled(*after));
  EXPECT_THAT(told("old"), testing::ElementsAre("A:NG"));
  EXPECT_THAT(told("new"), testing::ElementsAre("B:NG"));
}

TEST_F(LineOutputsTest, AtTheEndEachPartIsTold) {
  outputs_.configure({output("a", 30s)}, Judgement::ng);
  const auto open = begin("A");
  const auto decided = begin("B");
  outputs_.decide(decided, kOk, "");
  outputs_.stop();
  EXPECT_THAT(told("a"), testing::UnorderedElementsAre("A:NG", "B:OK"));
  EXPECT_EQ(begin("C"), nullptr);
}

TEST_F(LineOutputsTest, RefusesMorePartsThanItCanKeep) {
  outputs_.configure({output("a", 30s)}, Judgement::ng);
  std::vector<std::shared_ptr<Part>> parts;
  std::set<std::string> ids;
  for (std::size_t i = 0; i < LineOutputs::kMostParts; ++i) {
    parts.push_back(begin(""));
    ASSERT_NE(parts.back(), nullptr);
    ids.insert(parts.back()->id());
  }
  EXPECT_EQ(ids.size(), LineOutputs::kMostParts);
  EXPECT_EQ(begin("one more"), nullptr);
  EXPECT_EQ(outputs_.status().at("refused").to_number<int>(), 1);
  for (const auto& part : parts) outputs_.decide(part, kOk, "");
}

TEST_F(LineOutputsTest, EachPartHasOneVerdictWhoeverIsFirst) {
  outputs_.configure({output("a", 20ms)}, Judgement::ng);
  std::vector<std::shared_ptr<Part>> parts;
  constexpr int kParts = 200;
  for (int i = 0; i < kParts; ++i) {
    const auto part = begin(std::to_string(i));
    ASSERT_NE(part, nullptr);
    parts.push_back(part);
    if (i % 3 == 0) continue;  // the model never says
    outputs_.decide(part, kOk, "");
  }
  outputs_.stop();
  std::map<std::string, int> times;
  for (const std::string& entry : told("a")) ++times[entry.substr(0, entry.find(':'))];
  for (const auto& [part, count] : times) EXPECT_EQ(count, 1) << part;
  for (const auto& part : parts) EXPECT_TRUE(part->verdict().has_value());
  const base::json::value figures = outputs_.status().at("outputs").at(0);
  EXPECT_EQ(figures.at("met").to_number<int>() + figures.at("late").to_number<int>() +
                figures.at("failed").to_number<int>(),
            kParts);
}

TEST_F(LineOutputsTest, IsInTheMetrics) {
  outputs_.configure({output("a", 30s)}, Judgement::ng);
  const auto part = begin("A");
  outputs_.decide(part, kBad, "");
  ASSERT_TRUE(is_settled(*part));
  base::MetricsPage page;
  outputs_.add_to(page);
  const std::string text = page.take();
  EXPECT_THAT(
      text, testing::HasSubstr(R"(andon_inspect_output_parts_total{output="a",outcome="met"} 1)"));
  EXPECT_THAT(text, testing::HasSubstr(R"(andon_inspect_output_seconds_count{output="a"} 1)"));
}

}  // namespace
}  // namespace andon::inspect
