// SPDX-License-Identifier: Apache-2.0
// A component that publishes results as fast as the agent answers; started by
// bench/edge/publish.py.
//   publish_bench THREADS MESSAGES BYTES TOPIC...   (each thread has one message in hand)
// A topic "local:NAME" is published to components of the device, and listened to here: what is
// counted has arrived.
// Prints one line of JSON: messages a second and how long an answer took.
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/error/error.hpp"
#include "base/time/latency.hpp"
#include "wire/ipc/ipc_client.hpp"

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  using Clock = std::chrono::steady_clock;
  const int threads = std::atoi(argv[1]);
  const int messages = std::atoi(argv[2]);
  const std::size_t bytes = std::strtoull(argv[3], nullptr, 10);
  const std::vector<std::string> topics(argv + 4, argv + argc);
  try {
    andon::wire::IpcClient client(andon::wire::ipc_options_from_environment());
    std::atomic<int> next{0};
    std::atomic<int> failed{0};
    std::mutex mutex;
    std::vector<double> took_ms;
    std::atomic<int> arrived{0};
    constexpr std::string_view kLocal = "local:";
    const auto is_local = [&](const std::string& topic) { return topic.starts_with(kLocal); };
    for (const std::string& topic : topics) {
      if (!is_local(topic)) continue;
      client.subscribe("SubscribeToTopic", {{"topic", topic.substr(kLocal.size())}},
                       [&arrived](const andon::base::json::object&) { ++arrived; });
    }
    const Clock::time_point start = Clock::now();
    std::vector<std::thread> pool;
    for (int t = 0; t < threads; ++t) {
      pool.emplace_back([&] {
        for (int i = next++; i < messages; i = next++) {
          std::string payload = std::to_string(i) + ' ';
          payload.resize(std::max(payload.size(), bytes), 'x');
          const Clock::time_point sent = Clock::now();
          try {
            const std::string& topic = topics[static_cast<std::size_t>(i) % topics.size()];
            if (is_local(topic)) {
              andon::base::json::object message{
                  {"jsonMessage", {{"message", {{"text", payload}}}}}};
              client.call("PublishToTopic", {{"topic", topic.substr(kLocal.size())},
                                             {"publishMessage", std::move(message)}});
            } else {
              client.publish_to_iot_core(topic, payload,
                                         andon::wire::IpcClient::Qos::at_least_once);
            }
          } catch (const andon::base::Error&) {
            ++failed;
          }
          const std::chrono::duration<double, std::milli> took = Clock::now() - sent;
          const std::lock_guard lock(mutex);
          took_ms.push_back(took.count());
        }
      });
    }
    for (std::thread& thread : pool) thread.join();
    const bool waits = is_local(topics.front());
    const auto limit = Clock::now() + std::chrono::seconds(30);
    while (waits && arrived < messages - failed && Clock::now() < limit) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const std::chrono::duration<double> all = Clock::now() - start;
    const andon::base::Latency latency = andon::base::latency_of(took_ms);
    fmt::print(
        "{{\"answered_per_second\": {:.0f}, \"arrived\": {}, \"seconds\": {:.2f}, \"failed\": {}, "
        "\"p50_ms\": "
        "{:.2f}, "
        "\"p99_ms\": {:.2f}, \"max_ms\": {:.2f}}}\n",
        messages / all.count(), arrived.load(), all.count(), failed.load(), latency.p50_ms,
        latency.p99_ms, latency.max_ms);
  } catch (const andon::base::Error& error) {
    fmt::print(stderr, "{}\n", error.message());
    return 1;
  }
  return 0;
}
