// SPDX-License-Identifier: Apache-2.0
// The whole program on a line: parts are triggered, looked at, and told over Modbus TCP to a real
// server and by a command; with cables pulled, models swapped and the program stopped in between.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <map>
#include <optional>
#include <sstream>
#include <thread>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/os/file.hpp"
#include "base/os/process.hpp"
#include "inspect/testing/results.hpp"
#include "inspect/testing/waiting.hpp"
#include "vision/draw/annotate.hpp"
#include "vision/testing/tiny_onnx.hpp"
#include "wire/http/http_client.hpp"

#ifdef ANDON_MODBUS_SERVER

namespace andon::inspect {
namespace {

using namespace std::chrono_literals;
namespace json = base::json;

// The controller beside the line: modbus_test_server on a port that stays the same.
class Controller {
 public:
  explicit Controller(base::fs::path folder) : folder_(std::move(folder)) {
    start();
    EXPECT_TRUE(wait_until([&] { return port() != 0; }));
  }
  void start() {
    std::array<int, 2> pipe{};
    EXPECT_EQ(pipe2(pipe.data(), O_CLOEXEC), 0);
    const base::UniqueFd input(pipe[0]);
    input_ = base::UniqueFd(pipe[1]);
    const base::UniqueFd log = base::open_file(file(), O_WRONLY | O_CREAT | O_APPEND);
    base::ProcessOptions options;
    options.arguments = {ANDON_MODBUS_SERVER, std::to_string(port_)};
    options.stdin_fd = input.get();
    options.stdout_fd = log.get();
    process_.emplace(options);
  }
  void pull_cable() {
    process_->signal_group(SIGKILL);
    EXPECT_TRUE(process_->wait(10s).has_value());
  }
  void say(const std::string& line) const { base::write_all(input_.get(), line + "\n", "server"); }

  [[nodiscard]] int port() {
    std::istringstream words(base::read_file_if_exists(file()).value_or(""));
    std::string listening;
    if (port_ == 0 && words >> listening >> port_ && listening != "listening") port_ = 0;
    return port_;
  }
  // How often the coil was switched on.
  [[nodiscard]] int pulses(int coil) const { return count(fmt::format("coil {} 1 ", coil)); }
  [[nodiscard]] int offs(int coil) const { return count(fmt::format("coil {} 0 ", coil)); }
  [[nodiscard]] int count(const std::string& prefix) const {
    const std::string text = base::read_file_if_exists(file()).value_or("");
    std::istringstream lines(text);
    int found = 0;
    for (std::string line; std::getline(lines, line);) found += line.starts_with(prefix) ? 1 : 0;
    return found;
  }

 private:
  [[nodiscard]] base::fs::path file() const { return folder_ / "controller"; }

  base::fs::path folder_;
  int port_ = 0;
  base::UniqueFd input_;
  std::optional<base::Process> process_;
};

class LineTest : public testing::Test {
 protected:
  void SetUp() override {
    swap_model(0.8F);
    base::make_directories(images());
  }

  [[nodiscard]] base::fs::path images() const { return folder_.path() / "images"; }
  [[nodiscard]] std::string log() const { return base::read_file(folder_.path() / "log"); }

  void swap_model(float score) const {
    base::write_file_atomically(folder_.path() / "model.onnx",
                                vision::tiny_onnx::detector(vision::tiny_onnx::one_box(score)));
  }
  // The next picture of the line.
  void add_picture(int number) const {
    vision::Image image{{64, 48}, {}};
    image.rgb.assign(64 * 48 * 3, 250);
    base::write_file_atomically(images() / fmt::format("{:05}.jpg", number),
                                vision::encode_jpeg(image));
  }

  // Every finding is a fault: each part is NG.
  [[nodiscard]] json::object settings(int deadline_ms) {
    const json::object reject{{"name", "reject"},    {"type", "modbus"},
                              {"host", "127.0.0.1"}, {"port", controller_.port()},
                              {"coil", 7},           {"deadlineMs", deadline_ms},
                              {"pulseMs", 1}};
    return {
        {"verdict", json::object{{"rules", json::array{json::object{{"minScore", 0.1}}}}}},
        {"trigger",
         json::object{{"type", "http"}, {"address", "127.0.0.1:0"}, {"pictureTimeoutMs", 60'000}}},
        {"outputs", json::array{reject}}};
  }

  void launch(const json::object& settings) {
    base::write_file_atomically(folder_.path() / "settings.json", base::to_text(settings));
    base::ProcessOptions options;
    options.arguments = {ANDON_INSPECT,
                         "--model",
                         folder_.path() / "model.onnx",
                         "--source",
                         images(),
                         "--out",
                         folder_.path() / "out",
                         "--thing",
                         "line-1",
                         "--tune",
                         "off",
                         "--settings",
                         folder_.path() / "settings.json"};
    const base::UniqueFd log = base::open_file(folder_.path() / "log", O_WRONLY | O_CREAT);
    options.stdout_fd = log.get();
    options.stderr_fd = log.get();
    program_.emplace(options);
  }
  void start(const json::object& settings) {
    launch(settings);
    ASSERT_TRUE(wait_until([&] { return trigger_port() != 0; })) << this->log();
  }
  // From the log line of the trigger.
  [[nodiscard]] int trigger_port() const {
    const std::string text = log();
    const std::size_t line = text.find("triggers are taken over HTTP");
    if (line == std::string::npos) return 0;
    const std::size_t port = text.find("port", line);
    if (port == std::string::npos || text.find('\n', line) == std::string::npos) return 0;
    return std::atoi(text.c_str() + text.find_first_of("0123456789", port));
  }

  wire::IncomingResponse send(const std::string& method, const std::string& path,
                              const std::string& body = "") {
    wire::OutgoingRequest request;
    request.method = method;
    request.url = fmt::format("http://127.0.0.1:{}{}", trigger_port(), path);
    request.body = body;
    return client_.send(request);
  }
  void trigger(const std::string& part) {
    const auto answer = send("POST", "/trigger", base::to_text(json::object{{"part", part}}));
    ASSERT_EQ(answer.status, 202) << answer.body;
  }
  json::object status() {
    return base::parse_json(send("GET", "/status").body, "status").as_object();
  }

  [[nodiscard]] std::vector<json::value> results() const {
    return read_results(folder_.path() / "out" / "results.jsonl");
  }
  // Each part and how many results it has.
  [[nodiscard]] std::map<std::string, int> parts() const {
    std::map<std::string, int> parts;
    for (const json::value& result : results()) {
      ++parts[std::string(result.at("part").at("id").as_string())];
    }
    return parts;
  }

  base::TemporaryDirectory folder_;
  Controller controller_{folder_.path()};
  wire::HttpClient client_{{}};
  std::optional<base::Process> program_;
};

TEST_F(LineTest, ATriggerTakesTheNextPictureAndTheLineIsToldOverModbus) {
  start(settings(30'000));
  add_picture(1);
  trigger("A-1");
  ASSERT_TRUE(wait_until([&] { return results().size() == 1; })) << log();
  const json::value result = results().front();
  EXPECT_EQ(result.at("part").at("id").as_string(), "A-1");
  EXPECT_EQ(result.at("image").at("name").as_string(), "00001.jpg");
  EXPECT_EQ(result.at("verdict").as_string(), "NG");
  EXPECT_EQ(result.at("outputs").at(0).at("name").as_string(), "reject");
  EXPECT_EQ(result.at("outputs").at(0).at("outcome").as_string(), "met");
  EXPECT_GT(result.at("outputs").at(0).at("ms").to_number<double>(), 0);
  EXPECT_EQ(controller_.pulses(7), 1);
  // Once when it was connected, once after the pulse.
  EXPECT_TRUE(wait_until([&] { return controller_.offs(7) == 2; }));
  // A picture without a trigger is nobody's; a trigger waits for its picture.
  trigger("A-2");
  add_picture(2);
  ASSERT_TRUE(wait_until([&] { return results().size() == 2; }));
  EXPECT_TRUE(program_->stop(20s).ok());
}

TEST_F(LineTest, APartWithoutAPictureIsToldTheFailSafeVerdictInTimeAndHasItsResult) {
  json::object configuration = settings(3'000);
  configuration["outputs"].as_array()[0].as_object()["leadMs"] = 2'500;
  configuration["trigger"].as_object()["pictureTimeoutMs"] = 3'500;
  configuration["verdict"].as_object()["late"] = "DOUBT";
  configuration["outputs"].as_array()[0].as_object()["verdicts"] = json::array{"DOUBT"};
  start(configuration);
  trigger("A-1");
  ASSERT_TRUE(wait_until([&] { return results().size() == 1; })) << log();
  const json::value result = results().front();
  EXPECT_EQ(result.at("verdict").as_string(), "DOUBT");
  EXPECT_EQ(result.at("verdict_rule").as_string(), "late");
  EXPECT_EQ(result.at("error").at("code").as_string(), "deadline_exceeded");
  EXPECT_EQ(controller_.pulses(7), 1);
  // The next picture is the next part's.
  add_picture(1);
  trigger("A-2");
  ASSERT_TRUE(wait_until([&] { return results().size() == 2; }));
  EXPECT_EQ(results().back().at("image").at("name").as_string(), "00001.jpg");
}

// Keeps two cores busy for as long as it lives.
class Load {
 public:
  Load() {
    for (std::thread& thread : threads_) {
      thread = std::thread([this] {
        for (volatile int turns = 0; !is_over_;) turns = turns + 1;
      });
    }
  }
  ~Load() {
    is_over_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

 private:
  std::atomic<bool> is_over_ = false;
  std::array<std::thread, 2> threads_;
};

TEST_F(LineTest, EachPartHasOneVerdictWithBothCoresBusyTheCableOutAndTheModelSwapped) {
  const Load load;
  start(settings(30'000));
  constexpr int kParts = 60;
  for (int i = 0; i < kParts; ++i) {
    add_picture(i);
    trigger(fmt::format("A-{}", i));
    if (i % 4 != 3) continue;
    ASSERT_TRUE(wait_until([&] { return results().size() == static_cast<std::size_t>(i + 1); }))
        << log();
    if (i == 19) swap_model(0.7F);
    if (i == 31) controller_.pull_cable();
    if (i == 47) {
      controller_.start();
      // It is looked for by itself; its coil is set back first.
      const int offs = controller_.offs(7);
      ASSERT_TRUE(wait_until([&] { return controller_.offs(7) > offs; })) << log();
    }
  }
  ASSERT_TRUE(wait_until([&] { return results().size() == kParts; }));
  EXPECT_TRUE(program_->stop(20s).ok());
  const auto counts = parts();
  EXPECT_EQ(counts.size(), std::size_t{kParts});
  int failed = 0;
  int met = 0;
  for (const json::value& result : results()) {
    EXPECT_EQ(result.at("verdict").as_string(), "NG");
    const std::string outcome(result.at("outputs").at(0).at("outcome").as_string());
    met += outcome == "met" ? 1 : 0;
    failed += outcome == "failed" ? 1 : 0;
  }
  EXPECT_EQ(failed, 16);  // of the sixteen without a cable
  EXPECT_EQ(met, kParts - 16);
  // None of those was told later.
  EXPECT_EQ(controller_.pulses(7), kParts - 16);
}

TEST_F(LineTest, WhenItIsStoppedEachPartWasToldAndHasItsResult) {
  start(settings(30'000));
  constexpr int kParts = 12;
  for (int i = 0; i < kParts; ++i) {
    if (i % 3 != 0) add_picture(i);
    trigger(fmt::format("A-{}", i));
  }
  EXPECT_TRUE(program_->stop(30s).ok());
  const auto counts = parts();
  EXPECT_EQ(counts.size(), std::size_t{kParts}) << log();
  for (const auto& [part, count] : counts) EXPECT_EQ(count, 1) << part;
  for (const json::value& result : results()) {
    EXPECT_EQ(result.at("verdict").as_string(), "NG");
    EXPECT_EQ(result.at("outputs").at(0).at("outcome").as_string(), "met");
  }
}

TEST_F(LineTest, AnInputOfTheControllerTriggers) {
  json::object configuration = settings(30'000);
  configuration["trigger"] = json::object{{"type", "modbus"},
                                          {"host", "127.0.0.1"},
                                          {"port", controller_.port()},
                                          {"input", 3},
                                          {"pictureTimeoutMs", 60'000}};
  controller_.say("input 3 1");  // that it is on at the start is no trigger
  launch(configuration);
  ASSERT_TRUE(wait_until([&] { return log().find("triggers are taken") != std::string::npos; }));
  add_picture(1);
  // It may miss what lasts shorter than it looks.
  for (int level = 0; results().empty(); level = 1 - level) {
    controller_.say(fmt::format("input 3 {}", level));
    const auto until = std::chrono::steady_clock::now() + 200ms;
    ASSERT_TRUE(
        wait_until([&] { return !results().empty() || std::chrono::steady_clock::now() > until; }));
  }
  EXPECT_EQ(controller_.pulses(7), 1);
}

TEST_F(LineTest, ACommandIsGivenTheVerdictAndNothingOfTheEnvironment) {
  json::object configuration = settings(30'000);
  const base::fs::path told = folder_.path() / "told";
  const base::fs::path script = folder_.path() / "tell";
  base::write_file_atomically(script,
                              "#!/bin/sh\nenv >" + told.string() + ".new && mv " + told.string() +
                                  ".new " + told.string() + "\n",
                              0755);
  configuration["outputs"].as_array().push_back(
      json::object{{"name", "tell"},
                   {"type", "command"},
                   {"command", json::array{script.string()}},
                   {"deadlineMs", 30'000}});
  setenv("SVCUID", "secret-of-the-component", 1);
  start(configuration);
  unsetenv("SVCUID");
  add_picture(1);
  trigger("A-1");
  ASSERT_TRUE(wait_until([&] { return base::fs::exists(told); })) << log();
  const std::string environment = base::read_file(told);
  EXPECT_THAT(environment, testing::HasSubstr("ANDON_VERDICT=NG"));
  EXPECT_THAT(environment, testing::HasSubstr("ANDON_PART=A-1"));
  EXPECT_THAT(environment, testing::Not(testing::HasSubstr("secret-of-the-component")));
}

TEST_F(LineTest, RefusesWhatIsNoTrigger) {
  start(settings(30'000));
  EXPECT_EQ(send("POST", "/trigger", "{").status, 400);
  EXPECT_EQ(send("POST", "/trigger", R"({"parts": 1})").status, 400);
  EXPECT_EQ(send("GET", "/trigger").status, 405);
  EXPECT_EQ(send("GET", "/else").status, 404);
  EXPECT_EQ(status().at("parts").to_number<int>(), 0);
}

}  // namespace
}  // namespace andon::inspect

#endif
