// SPDX-License-Identifier: Apache-2.0
// The store of results, without a broker: RATE results a second of many devices for SECONDS, beside
// ROWS that are there already, then as many as it takes; the processor's time a result, commits,
// what is dropped, and how long questions take. Asserts nothing about time. With preset release:
//   cmake --build --preset release --target results_bench
//   build/release/bin/results_bench [RATE] [SECONDS] [ROWS] [DIRECTORY]
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/os/file.hpp"
#include "base/time/time.hpp"
#include "control/results/result_intake.hpp"
#include "control/results/results.hpp"
#include "store/sql/database.hpp"

namespace {

using namespace andon;  // NOLINT(google-build-using-namespace)
using Clock = std::chrono::steady_clock;

constexpr int kThings = 100;
constexpr std::int64_t kFirst = 1'795'341'600'000;

class CountingNotifier final : public control::Notifier {
 public:
  void publish(const std::string&, const std::string& payload) override {
    ++messages;
    bytes += payload.size();
  }
  std::atomic<std::size_t> messages = 0;
  std::atomic<std::size_t> bytes = 0;
};

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

std::string thing_name(std::int64_t number) {
  return "line-" + std::to_string(number % kThings);
}

// As andon-inspect writes one with two boxes.
std::string message(std::int64_t number) {
  return R"({"timestamp":")" + base::to_iso8601(base::from_epoch_millis(kFirst + number)) +
         R"(","thing":")" + thing_name(number) +
         R"(","component":{"name":"com.example.Inspect","version":"1.0.0"},"model":{"component":"com.example.Model","version":"1.0.0","sha256":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},"image":{"name":"image-)" +
         std::to_string(number) +
         R"(.jpg","width":450,"height":300},"detections":[{"class_id":0,"label":"scratch","confidence":0.8712,"box":[12.5,40.25,80.5,33.75]},{"class_id":1,"label":"dent","confidence":0.4501,"box":[212.5,140.25,20.5,13.75]}],"ms":{"decode":0.612,"preprocess":0.204,"inference":17.125,"postprocess":0.031}})";
}

void fill(control::Results& results, std::int64_t rows) {
  constexpr std::int64_t kStep = 5000;
  for (std::int64_t first = 0; first < rows; first += kStep) {
    std::vector<control::NewResult> some;
    for (std::int64_t i = first; i < std::min(first + kStep, rows); ++i) {
      some.push_back(control::read_result(thing_name(i), message(i), base::from_epoch_millis(0)));
    }
    results.put(some);
  }
}

void ask(const char* what, const std::function<void()>& question) {
  constexpr int kRuns = 50;
  std::vector<double> times;
  for (int i = 0; i < kRuns; ++i) {
    const auto begin = Clock::now();
    question();
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  }
  std::ranges::sort(times);
  std::printf("%-44s median %7.2f ms  p98 %7.2f ms\n", what, times[kRuns / 2], times[kRuns - 1]);
}

}  // namespace

int main(int count, char** arguments) {
  const auto argument = [&](int i, std::int64_t otherwise) {
    return count > i ? std::atoll(arguments[i]) : otherwise;
  };
  const std::int64_t rate = argument(1, 1000);
  const std::int64_t seconds = argument(2, 30);
  const std::int64_t rows = argument(3, 1'000'000);
  const base::TemporaryDirectory temporary;
  const base::fs::path directory = count > 4 ? arguments[4] : temporary.path();
  const base::SystemClock clock;
  const auto database = store::open_sqlite(directory / "results.db", {.cache_kib = 8192});
  control::Results results(*database, clock, {});
  fill(results, rows);
  std::printf(
      "%lld rows, %.0f bytes each of the limit\n", static_cast<long long>(rows),
      rows == 0 ? 0.0 : static_cast<double>(results.totals().bytes) / static_cast<double>(rows));
  CountingNotifier notifier;
  std::int64_t next = rows;
  const auto run = [&](const char* what, std::int64_t wanted, bool paced) {
    const auto before = results.commits();
    const double cpu = cpu_seconds();
    const auto begin = Clock::now();
    control::ResultIntake::Counts counts;
    {
      control::ResultIntake intake(
          results, notifier, clock, [](const std::string&) { return true; },
          {.queued = 1'000'000, .queued_bytes = 1U << 30U, .thing_bytes = 1U << 30U});
      for (std::int64_t i = 0; i < wanted; ++i) {
        intake.take(thing_name(next), message(next));
        ++next;
        if (paced) {
          std::this_thread::sleep_until(begin + std::chrono::microseconds(1'000'000 * i / rate));
        }
      }
      while (intake.counts().stored < static_cast<std::uint64_t>(wanted)) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      counts = intake.counts();
    }
    const double wall = std::chrono::duration<double>(Clock::now() - begin).count();
    const double n = static_cast<double>(wanted);
    std::printf("%-14s %8.0f/s  %6.1f us of CPU a result  %llu commits  %llu dropped\n", what,
                n / wall, (cpu_seconds() - cpu) / n * 1e6,
                static_cast<unsigned long long>(results.commits().commits - before.commits),
                static_cast<unsigned long long>(counts.dropped));
  };
  run("paced", rate * seconds, true);
  run("at once", std::max<std::int64_t>(rate * 10, 1000), false);
  std::printf("told devices: %zu messages, %zu bytes\n", notifier.messages.load(),
              notifier.bytes.load());

  using control::ResultFilter;
  const auto list = [&](const ResultFilter& filter) {
    (void)results.list({.filter = filter, .limit = 100});
  };
  ask("the newest 100", [&] { list({}); });
  ask("the newest 100 of a thing", [&] { list({.thing = "line-7"}); });
  ask("the newest 100 of a class", [&] { list({.label = "scratch"}); });
  ask("a page of a score that nobody has", [&] { list({.least_score = 0.99}); });
  ask("counts of an hour", [&] {
    (void)results.counts({.from_ms = kFirst, .until_ms = kFirst + 3'600'000}, {.limit = 1000});
  });
  return 0;
}
