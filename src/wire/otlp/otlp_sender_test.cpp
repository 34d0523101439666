// SPDX-License-Identifier: Apache-2.0
// The sender against a collector that our own HTTP server stands for.
#include "wire/otlp/otlp_sender.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/metrics/metrics_page.hpp"
#include "wire/http/http_server.hpp"

namespace andon::wire {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Collector {
 public:
  struct Request {
    std::string path;
    std::string token;
    std::string body;
  };

  // Answers each request with the next of `statuses`, then with 200.
  explicit Collector(std::vector<int> statuses = {}) : statuses_(std::move(statuses)) {}

  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(server_.port());
  }

  std::vector<Request> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(60),
                                  [&] { return requests_.size() >= count; }));
    return requests_;
  }

 private:
  HttpResponse take(const HttpRequest& request) {
    const std::lock_guard lock(mutex_);
    requests_.push_back({.path = request.path,
                         .token = std::string(request.headers.find("X-Token").value_or("")),
                         .body = request.body.read(16U << 20U)});
    HttpResponse response;
    if (requests_.size() <= statuses_.size()) response.status = statuses_[requests_.size() - 1];
    response.headers.set("Content-Type", "application/json");
    response.body = std::string("{}");
    changed_.notify_all();
    return response;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Request> requests_;
  std::vector<int> statuses_;
  HttpServer server_{{}, [this](HttpRequest& request) { return take(request); }};
};

OtlpLogRecord record(std::string body) {
  return {.time = base::Timestamp(std::chrono::milliseconds(1'790'000'000'123)),
          .scope = "andon.log",
          .body = std::move(body)};
}

OtlpOptions options_for(const std::string& url) {
  return {.url = url,
          .headers = {{"X-Token", "secret"}},
          .ca_file = {},
          .resource = {{"service.name", "test"}}};
}

// Counts as soon as `is_so` says so of them.
template <typename IsSo>
OtlpSender::Counts wait_for_counts(const OtlpSender& sender, IsSo is_so) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!is_so(sender.counts()) && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return sender.counts();
}

TEST(OtlpSender, SendsRecordsTogetherAndWithItsHeaders) {
  Collector collector;
  OtlpSender sender(options_for(collector.url() + "/"));
  sender.send(record("one"));
  sender.send(record("two"));
  const auto requests = collector.wait_for(1);
  EXPECT_EQ(requests.front().path, "/v1/logs");
  EXPECT_EQ(requests.front().token, "secret");
  EXPECT_THAT(requests.front().body, testing::AllOf(HasSubstr("one"), HasSubstr("two")));
  EXPECT_EQ(wait_for_counts(sender, [](const auto& counts) { return counts.sent == 2; }).sent, 2U);
}

TEST(OtlpSender, SendsAgainWhatTheCollectorHadNoTimeFor) {
  Collector collector({503});
  OtlpSender sender(options_for(collector.url()));
  sender.send(record("one"));
  const auto requests = collector.wait_for(2);
  EXPECT_EQ(requests[0].body, requests[1].body);
  const auto counts = wait_for_counts(sender, [](const auto& now) { return now.sent == 1; });
  EXPECT_EQ(counts.sent, 1U);
  EXPECT_EQ(counts.dropped, 0U);
}

TEST(OtlpSender, DropsAndCountsWhatTheCollectorRefuses) {
  Collector collector({400});
  OtlpSender sender(options_for(collector.url()));
  sender.send(record("one"));
  collector.wait_for(1);
  EXPECT_EQ(wait_for_counts(sender, [](const auto& now) { return now.dropped == 1; }).dropped, 1U);
  sender.send(record("two"));
  EXPECT_THAT(collector.wait_for(2).back().body, HasSubstr("two"));
}

TEST(OtlpSender, OneThatIsAwayHoldsNobodyUpAndWhatHasNoRoomIsCounted) {
  OtlpSender sender(options_for("http://127.0.0.1:1"));
  for (std::size_t i = 0; i < OtlpSender::kMostQueued + 10; ++i) sender.send(record("m"));
  EXPECT_EQ(sender.counts().sent, 0U);
  EXPECT_EQ(sender.counts().dropped, 10U);
}

TEST(OtlpSender, WhatIsQueuedGoesOutAtItsEnd) {
  Collector collector;
  {
    OtlpSender sender(options_for(collector.url()));
    sender.send(record("the last words"));
  }
  EXPECT_THAT(collector.wait_for(1).front().body, HasSubstr("the last words"));
}

TEST(OtlpSender, AsksForMetricsAndSendsThem) {
  Collector collector;
  OtlpOptions options = options_for(collector.url());
  options.metrics_every = std::chrono::seconds(1);
  OtlpSender sender(std::move(options));
  int asked = 0;
  sender.start_metrics([&asked] {
    base::MetricsPage page;
    page.single("andon_asked", "gauge", "Times.", ++asked);
    return page.take();
  });
  const auto requests = collector.wait_for(2);
  EXPECT_EQ(requests[0].path, "/v1/metrics");
  EXPECT_THAT(requests[0].body, HasSubstr(R"("asDouble":1.0)"));
  EXPECT_THAT(requests[1].body, HasSubstr(R"("asDouble":2.0)"));
  sender.stop_metrics();
}

TEST(OtlpOptions, ChecksUrlsAndHeaders) {
  EXPECT_NO_THROW(check_otlp_url("https://collector.example:4318/otlp"));
  for (const char* url : {"", "collector:4318", "tcp://host:4318", "http://host:4318/?a=b"}) {
    EXPECT_THROW(check_otlp_url(url), base::Error) << url;
  }
  const Headers headers = read_otlp_headers("# a token\n\nAuthorization: Bearer a:b \r\nX-Org: 7");
  EXPECT_THAT(headers.fields(), ElementsAre(testing::Pair("Authorization", "Bearer a:b"),
                                            testing::Pair("X-Org", "7")));
  for (const char* text : {"no colon", ": empty", "two words: x", "A: b\x01"}) {
    EXPECT_THROW((void)read_otlp_headers(text), base::Error) << text;
  }
}

}  // namespace
}  // namespace andon::wire
