// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/exports/exporter.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "base/json/json_reader.hpp"
#include "edge/testing/fake_loop_clock.hpp"

namespace andon::edge {
namespace {

constexpr std::chrono::seconds kLimit{20};

// Answers as it is told, and notes what it was given.
struct World {
  std::mutex mutex;
  std::deque<ExportOutcome> answers;  // when there are none: sent
  std::vector<std::string> sent;      // "identifier:payload,payload"
};

class FakeTarget final : public ExportTarget {
 public:
  FakeTarget(World& world, std::string identifier)
      : world_(world), identifier_(std::move(identifier)) {}

  ExportOutcome send(const ExportBatch& batch, const std::atomic<bool>&) override {
    const std::lock_guard lock(world_.mutex);
    std::string line = identifier_ + ':';
    for (const StreamMessage& message : batch.messages) {
      line += (line.ends_with(':') ? "" : ",") + message.payload;
    }
    world_.sent.push_back(line);
    if (world_.answers.empty()) return {.done = batch.messages.size()};
    ExportOutcome answer = world_.answers.front();
    world_.answers.pop_front();
    return answer;
  }

 private:
  World& world_;
  std::string identifier_;
};

class ExporterTest : public ::testing::Test {
 protected:
  ExporterTest() { restart(); }

  // As after the agent's end, however that came.
  void restart(std::size_t threads = 1) {
    exporter_.reset();
    store_.reset();
    store_ = std::make_unique<StreamStore>(directory_.path(), StreamStore::Limits{});
    exporter_ = std::make_unique<Exporter>(
        Exporter::Parts{loop_,
                        *store_,
                        clock_,
                        export_world_,
                        threads,
                        {},
                        [this](const ExportConfig& config, const fs::path&) {
                          return std::make_unique<FakeTarget>(world_, config.identifier);
                        }});
    std::vector<std::uint64_t> ids;
    for (const auto& [id, stream] : store_->all()) ids.push_back(id);
    for (const std::uint64_t id : ids) {
      exporter_->take(*store_->find(id));
      if (store_->is_retired(id)) exporter_->removed(id, StreamStore::Removed::retired);
    }
  }

  static ExportConfig http(const std::string& identifier,
                           std::optional<std::int64_t> priority = {}) {
    return {.identifier = identifier,
            .settings = HttpExportSettings{"http://x/", false},
            .batch_size = 3,
            .batch_interval_ms = {},
            .priority = priority};
  }
  static ExportConfig tasks(StatusLevel level = StatusLevel::info) {
    return {.identifier = "t",
            .settings = S3ExportSettings{{}, StatusConfig{"status", level}},
            .batch_size = {},
            .batch_interval_ms = {},
            .priority = {}};
  }
  static StreamDefinition definition(const std::string& name, std::vector<ExportConfig> exports) {
    return {.name = name, .exports = std::move(exports)};
  }

  MessageStream& create(const StreamDefinition& wanted) {
    exporter_->check(wanted, nullptr);
    MessageStream& stream = store_->create(wanted);
    exporter_->take(stream);
    return stream;
  }
  void update(const StreamDefinition& wanted) {
    MessageStream& stream = store_->get(wanted.name);
    exporter_->check(wanted, &stream);
    store_->update(wanted);
    exporter_->take(stream);
  }
  void append(const std::string& stream, const std::string& payload) {
    store_->get(stream).append(payload, base::to_epoch_millis(clock_.now()));
    exporter_->appended(store_->get(stream));
  }
  void remove(const std::string& name) {
    MessageStream& stream = store_->get(name);
    const std::uint64_t id = stream.id();
    exporter_->removed(id, store_->remove(name, exporter_->has_tasks(stream)));
  }
  static std::string task(const std::string& key) {
    return R"({"inputUrl":"file:/f","bucket":"bucket","key":")" + key + "\"}";
  }
  std::vector<std::string> sent() {
    const std::lock_guard lock(world_.mutex);
    return world_.sent;
  }
  bool run_until_sent(std::size_t count) {
    return loop_.run_until([&] { return sent().size() >= count; }, kLimit);
  }
  bool run_until_next(const std::string& stream, std::int64_t next) {
    return loop_.run_until(
        [&] { return exporter_->statuses(store_->get(stream).id()).at(0).cursor.next == next; },
        kLimit);
  }
  // Of each entry of the status stream: status and sequence number.
  std::vector<std::pair<std::int64_t, std::int64_t>> told() {
    std::vector<std::pair<std::int64_t, std::int64_t>> told;
    MessageStream& stream = store_->get("status");
    if (stream.is_empty()) return told;
    for (const auto& message : stream.read(0, 1000, 1U << 20U)) {
      const auto value = base::parse_json(message.payload, "status");
      const base::JsonReader reader(value, "status");
      told.emplace_back(reader.integer("status"),
                        reader.child("statusContext").integer("sequenceNumber"));
    }
    return told;
  }

  base::TemporaryDirectory directory_;
  FakeLoopClock loop_clock_;
  EventLoop loop_{loop_clock_};
  base::SystemClock clock_;
  ExportWorld export_world_;
  World world_;
  std::unique_ptr<StreamStore> store_;
  std::unique_ptr<Exporter> exporter_;
};

using Told = std::vector<std::pair<std::int64_t, std::int64_t>>;
constexpr int kSuccess = 0;
constexpr int kFailure = 1;
constexpr int kInProgress = 2;
constexpr int kWarning = 3;
constexpr int kCanceled = 4;

TEST_F(ExporterTest, SendsInOrderInBatchesAndGoesOnAfterARestart) {
  create(definition("s", {http("e")}));
  for (int i = 0; i < 5; ++i) append("s", std::to_string(i));
  ASSERT_TRUE(run_until_next("s", 5));
  EXPECT_EQ(sent(), (std::vector<std::string>{"e:0,1,2", "e:3,4"}));
  restart();
  append("s", "5");
  ASSERT_TRUE(run_until_next("s", 6));
  EXPECT_EQ(sent().back(), "e:5");
  const auto status = exporter_->statuses(store_->get("s").id()).at(0);
  EXPECT_EQ(status.cursor.messages, 6);
  EXPECT_EQ(status.cursor.bytes, 6);
}

TEST_F(ExporterTest, TriesAgainBehindWhatHasArrivedAndSaysWhy) {
  world_.answers = {{ExportOutcome::Kind::retry, 1, "down", 0}};
  create(definition("s", {http("e")}));
  for (const char* const payload : {"0", "1", "2"}) append("s", payload);
  ASSERT_TRUE(run_until_next("s", 1));
  EXPECT_EQ(exporter_->statuses(store_->get("s").id()).at(0).error, "down");
  loop_clock_.advance(std::chrono::milliseconds(1'001));
  ASSERT_TRUE(run_until_next("s", 3));
  EXPECT_EQ(sent(), (std::vector<std::string>{"e:0,1,2", "e:1,2"}));
}

TEST_F(ExporterTest, LeavesOutWhatIsRefused) {
  world_.answers = {{ExportOutcome::Kind::refused, 1, "bad", 1}};
  create(definition("s", {http("e")}));
  for (const char* const payload : {"0", "1", "2"}) append("s", payload);
  ASSERT_TRUE(run_until_next("s", 3));
  EXPECT_EQ(sent().back(), "e:2");
  EXPECT_EQ(exporter_->statuses(store_->get("s").id()).at(0).cursor.messages, 2);
}

TEST_F(ExporterTest, SendsFirstWhatHasPriorityAndLetsNobodyStarve) {
  ExportConfig last = http("last", 10);
  last.batch_size = 1;
  ExportConfig first = http("first", 1);
  first.batch_size = 1;
  StreamDefinition wanted = definition("s", {last, first});
  MessageStream& stream = store_->create(wanted);
  for (int i = 0; i < 60; ++i) stream.append("x", 1);
  exporter_->take(stream);
  ASSERT_TRUE(run_until_sent(120));
  const auto lines = sent();
  const auto done = std::ranges::find_if(
      lines, [n = 0](const std::string& line) mutable { return line == "first:x" && ++n == 60; });
  const auto before = std::count(lines.begin(), done, "last:x");
  EXPECT_GT(before, 0);
  EXPECT_LT(before, 20);
}

TEST_F(ExporterTest, KeepsThePlaceOfAnExportByItsIdentifier) {
  create(definition("s", {http("e")}));
  append("s", "0");
  ASSERT_TRUE(run_until_next("s", 1));
  ExportConfig changed = http("e");
  changed.is_disabled = true;
  update(definition("s", {changed}));
  append("s", "1");
  ASSERT_FALSE(loop_.run_until([&] { return sent().size() > 1; }, std::chrono::milliseconds(50)));
  update(definition("s", {http("e")}));
  ASSERT_TRUE(run_until_next("s", 2));
  EXPECT_EQ(sent(), (std::vector<std::string>{"e:0", "e:1"}));
}

TEST_F(ExporterTest, TellsOfEachTaskOnceHowItEnded) {
  create(definition("status", {}));
  world_.answers = {{ExportOutcome::Kind::sent, 1, "", 0},
                    {ExportOutcome::Kind::refused, 0, "no such bucket", 1},
                    {ExportOutcome::Kind::retry, 0, "down", 0}};
  create(definition("s", {tasks()}));
  for (const char* const key : {"a", "b", "c"}) append("s", task(key));
  // The answer, and not only the question: the next try is set when it has arrived.
  ASSERT_TRUE(loop_.run_until([&] { return told().size() == 6; }, kLimit));
  loop_clock_.advance(std::chrono::milliseconds(1'001));
  ASSERT_TRUE(run_until_next("s", 3));
  EXPECT_EQ(told(), (Told{{kInProgress, 0},
                          {kSuccess, 0},
                          {kInProgress, 1},
                          {kFailure, 1},
                          {kInProgress, 2},
                          {kWarning, 2},
                          {kSuccess, 2}}));
}

TEST_F(ExporterTest, TellsNoMoreThanTheLevelAsksFor) {
  create(definition("status", {}));
  world_.answers = {{ExportOutcome::Kind::sent, 1, "", 0},
                    {ExportOutcome::Kind::refused, 0, "denied", 1}};
  create(definition("s", {tasks(StatusLevel::error)}));
  append("s", task("a"));
  append("s", task("b"));
  ASSERT_TRUE(run_until_next("s", 2));
  EXPECT_EQ(told(), (Told{{kFailure, 1}}));
}

TEST_F(ExporterTest, ATaskIsCarriedOutAfterItsStreamWasDeletedAndMadeAnewAlsoOverARestart) {
  create(definition("status", {}));
  create(definition("s", {tasks()}));
  append("s", task("old"));
  remove("s");
  create(definition("s", {tasks()}));
  append("s", task("new"));
  restart();
  ASSERT_TRUE(
      loop_.run_until([&] { return store_->all().size() == 2 && told().size() >= 4; }, kLimit));
  const auto lines = sent();
  EXPECT_EQ(std::ranges::count(lines, "t:" + task("old")), 1);
  EXPECT_EQ(std::ranges::count(lines, "t:" + task("new")), 1);
}

TEST_F(ExporterTest, TasksWhoseExecutorIsRemovedAreCanceled) {
  create(definition("status", {}));
  world_.answers = {{ExportOutcome::Kind::retry, 0, "down", 0}};
  create(definition("s", {tasks()}));
  append("s", task("a"));
  append("s", task("b"));
  ASSERT_TRUE(loop_.run_until([&] { return told().size() == 2; }, kLimit));
  update(definition("s", {}));
  EXPECT_EQ(told(), (Told{{kInProgress, 0}, {kWarning, 0}, {kCanceled, 0}, {kCanceled, 1}}));
}

TEST_F(ExporterTest, AStatusStreamMustBeAnotherOneThatIsThere) {
  EXPECT_THROW(exporter_->check(definition("s", {tasks()}), nullptr), StreamError);
  create(definition("status", {}));
  EXPECT_NO_THROW(exporter_->check(definition("s", {tasks()}), nullptr));
  EXPECT_THROW(exporter_->check(definition("status", {tasks()}), nullptr), StreamError);
}

TEST_F(ExporterTest, AStartMustBeBelowTheNewestMessage) {
  ExportConfig config = http("e");
  config.start_sequence = 5;
  EXPECT_THROW(exporter_->check(definition("s", {config}), nullptr), StreamError);
  MessageStream& stream = store_->create(definition("s", {}));
  for (int i = 0; i < 7; ++i) stream.append("x", 1);
  EXPECT_NO_THROW(exporter_->check(definition("s", {config}), &stream));
  config.start_sequence = 6;
  EXPECT_THROW(exporter_->check(definition("s", {config}), &stream), StreamError);
}

}  // namespace
}  // namespace andon::edge
