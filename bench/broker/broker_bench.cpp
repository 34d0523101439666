// SPDX-License-Identifier: Apache-2.0
// What the broker's module decides costs, without mosquitto: CPU time of a decision on a message
// that is sent, one that is delivered, a subscription and a connection, with 10 and with 10,000
// things connected; and, where each thing has 50 IoT policies with its name as a variable, on
// messages of topics that come again and of topics that come once. Prints one JSON list; medians of
// five rounds.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "broker/access/access.hpp"

namespace {

using namespace andon::broker;

constexpr int kCalls = 200'000;
constexpr std::size_t kRounds = 5;

double cpu_us() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

double median_us(int calls, const std::function<void(std::size_t)>& call) {
  std::vector<double> rounds;
  for (std::size_t round = 0; round < kRounds; ++round) {
    const double begin = cpu_us();
    for (int i = 0; i < calls; ++i) call(static_cast<std::size_t>(i));
    rounds.push_back((cpu_us() - begin) / calls);
  }
  std::ranges::sort(rounds);
  return rounds[kRounds / 2];
}

std::string measure(std::size_t things) {
  Access access;
  std::vector<Change> changes;
  std::vector<std::string> names;
  std::vector<std::string> fingerprints;
  for (std::size_t i = 0; i < things; ++i) {
    names.push_back(fmt::format("line-{}", i));
    fingerprints.push_back(fmt::format("{:064x}", i));
    changes.push_back(AddThing{names[i]});
    changes.push_back(AllowCertificate{fingerprints[i], {PrincipalKind::thing, names[i]}});
  }
  (void)access.replace_view(changes);
  std::vector<std::string> topics;
  std::size_t refused = 0;
  const auto count = [&refused](Decision decision) { refused += decision != Decision::allowed; };
  const auto connect = [&](std::size_t i) {
    count(access
              .connect(&names[i], {.fingerprint = fingerprints[i], .client_id = names[i]},
                       std::chrono::steady_clock::now())
              .decision);
  };
  for (std::size_t i = 0; i < things; ++i) {
    connect(i);
    topics.push_back(fmt::format("andon/things/line-{}/results", i));
  }
  // A device may send 5,000 a second: time goes on as fast as the calls come.
  auto now = std::chrono::steady_clock::now();
  const double publish = median_us(kCalls, [&](std::size_t i) {
    now += std::chrono::milliseconds{1};
    count(access.publish(names[i % things], {.topic = topics[i % things], .payload_bytes = 300},
                         now));
  });
  const double foreign = median_us(kCalls, [&](std::size_t i) {
    (void)access.publish(names[i % things], {.topic = "andon/things/other/results"}, now);
  });
  const double receive = median_us(
      kCalls, [&](std::size_t i) { count(access.receive(names[i % things], topics[i % things])); });
  const double subscribe = median_us(kCalls, [&](std::size_t i) {
    count(access.subscribe(names[i % things], topics[i % things], 3));
  });
  const double reconnect =
      median_us(static_cast<int>(std::min<std::size_t>(things, 10'000)), [&](std::size_t i) {
        access.disconnect(&names[i], names[i], now);
        connect(i);
      });
  return fmt::format(
      R"({{"things":{},"publish_us":{:.2f},"refused_publish_us":{:.2f},"deliver_us":{:.2f},)"
      R"("subscribe_us":{:.2f},"connect_us":{:.2f},"refused":{}}})",
      things, publish, foreign, receive, subscribe, reconnect, refused);
}

constexpr int kSlowCalls = 20'000;

// Each thing has `each` of `all` policies; the last that is looked at allows the topic.
std::string measure_with_policies(std::size_t things, std::size_t all, std::size_t each) {
  Access access;
  std::vector<Change> changes{SetRealm{"arn:aws:iot:us-east-1:000000000000:"}};
  std::vector<std::string> policies;
  for (std::size_t i = 0; i < all; ++i) {
    policies.push_back(fmt::format("policy-{:05}", i));
    changes.push_back(SetPolicy{
        policies[i],
        fmt::format(
            R"({{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":["iot:Publish",)"
            R"("iot:Receive"],"Resource":["arn:aws:iot:us-east-1:000000000000:topic/area-{}/)"
            R"(${{iot:Connection.Thing.ThingName}}/*"]}},{{"Effect":"Deny","Action":"iot:*",)"
            R"("Resource":"arn:aws:iot:us-east-1:000000000000:topic/area-{}/*/secret"}}]}})",
            i, i)});
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < things; ++i) {
    names.push_back(fmt::format("line-{}", i));
    const std::string fingerprint = fmt::format("{:064x}", i);
    changes.push_back(AddThing{names[i]});
    std::vector<std::string> own;
    for (std::size_t p = 0; p < each; ++p) own.push_back(policies[(i * each + p) % all]);
    changes.push_back(AllowCertificate{fingerprint,
                                       {.kind = PrincipalKind::thing,
                                        .name = names[i],
                                        .policies = own,
                                        .facts = {{"iot:Connection.Thing.ThingName", names[i]}}}});
  }
  const double begin = cpu_us();
  (void)access.replace_view(changes);
  const double view = cpu_us() - begin;
  std::size_t refused = 0;
  const auto count = [&refused](Decision decision) { refused += decision != Decision::allowed; };
  auto now = std::chrono::steady_clock::now();
  const double connect = median_us(static_cast<int>(things), [&](std::size_t i) {
    count(access
              .connect(&names[i], {.fingerprint = fmt::format("{:064x}", i), .client_id = names[i]},
                       now)
              .decision);
  });
  const auto area_of = [&](std::size_t thing) { return (thing * each + each - 1) % all; };
  std::vector<std::string> topics;
  for (std::size_t i = 0; i < things; ++i) {
    topics.push_back(fmt::format("area-{}/{}/state", area_of(i), names[i]));
  }
  const auto publish = [&](std::size_t i, const std::string& topic) {
    now += std::chrono::milliseconds{1};
    return access.publish(names[i % things], {.topic = topic, .payload_bytes = 300}, now);
  };
  for (std::size_t i = 0; i < things; ++i) count(publish(i, topics[i]));
  const double again =
      median_us(kCalls, [&](std::size_t i) { count(publish(i, topics[i % things])); });
  std::uint64_t number = 0;
  const double once = median_us(kSlowCalls, [&](std::size_t i) {
    const std::size_t thing = i % things;
    count(publish(i, fmt::format("area-{}/{}/{}", area_of(thing), names[thing], ++number)));
  });
  const double foreign = median_us(
      kSlowCalls, [&](std::size_t i) { (void)publish(i, fmt::format("elsewhere/{}", ++number)); });
  const double deliver = median_us(
      kCalls, [&](std::size_t i) { count(access.receive(names[i % things], topics[i % things])); });
  const double change_begin = cpu_us();
  (void)access.apply(std::vector<Change>{changes[1]});
  const double change = cpu_us() - change_begin;
  return fmt::format(
      R"({{"things":{},"policies":{},"policies_each":{},"publish_us":{:.2f},"publish_new_topic_us":{:.2f},)"
      R"("refused_publish_new_topic_us":{:.2f},"deliver_us":{:.2f},"connect_us":{:.2f},)"
      R"("policy_change_ms":{:.2f},"view_ms":{:.2f},"refused":{}}})",
      things, all, each, again, once, foreign, deliver, connect, change / 1e3, view / 1e3, refused);
}

}  // namespace

int main() {
  fmt::print("[{},\n{},\n", measure(10), measure(10'000));
  fmt::print("{},\n", measure_with_policies(10, 50, 50));
  std::fflush(stdout);
  fmt::print("{}]\n", measure_with_policies(10'000, 50, 50));
  return 0;
}
