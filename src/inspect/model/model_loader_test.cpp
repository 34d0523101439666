// SPDX-License-Identifier: Apache-2.0
#include "inspect/model/model_loader.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <future>

namespace andon::inspect {
namespace {

std::shared_ptr<Model> model(const base::fs::path& path, const std::string& sha256) {
  auto result = std::make_shared<Model>();
  result->path = path;
  result->sha256 = sha256;
  return result;
}

const base::Timestamp kNow = base::from_epoch_millis(4'000'000'000'000);

std::optional<ModelLoader::Outcome> wait_for_outcome(ModelLoader& loader) {
  while (true) {
    std::array<pollfd, 2> polled{{{loader.fd(), POLLIN, 0}, {loader.file_fd(), POLLIN, 0}}};
    if (poll(polled.data(), polled.size(), 10'000) <= 0) return std::nullopt;
    if (auto outcome = loader.step(kNow)) return outcome;
  }
}

class ModelLoaderTest : public testing::Test {
 protected:
  [[nodiscard]] base::fs::path path(const std::string& name) const { return folder_.path() / name; }
  base::TemporaryDirectory folder_;
};

TEST_F(ModelLoaderTest, LoadsBesideTheCurrentModelWhichStaysUntilTheNewOneIsWarm) {
  std::promise<void> may_end;
  ModelLoader loader(model(path("a"), "1"), [&](const base::fs::path& wanted) {
    may_end.get_future().wait();
    return model(wanted, "2");
  });
  loader.want(path("a"));  // it runs already
  loader.want(path("b"));
  EXPECT_FALSE(loader.step(kNow).has_value());
  EXPECT_EQ(loader.current()->sha256, "1");
  may_end.set_value();
  const auto outcome = wait_for_outcome(loader);
  ASSERT_TRUE(outcome && outcome->model);
  EXPECT_EQ(loader.current()->path, path("b"));
}

TEST_F(ModelLoaderTest, SkipsAModelThatIsNoLongerWantedWhenItIsLoaded) {
  std::promise<void> may_end;
  auto wait = may_end.get_future().share();
  ModelLoader loader(model(path("a"), "1"), [&](const base::fs::path& wanted) {
    wait.wait();
    return model(wanted, wanted.filename().string());
  });
  loader.want(path("b"));
  loader.want(path("c"));
  may_end.set_value();
  const auto outcome = wait_for_outcome(loader);
  ASSERT_TRUE(outcome && outcome->model);
  EXPECT_EQ(outcome->model->path, path("c"));
}

TEST_F(ModelLoaderTest, KeepsTheCurrentModelWhereTheNewOneCannotBeUsed) {
  ModelLoader loader(model(path("a"), "1"),
                     [](const base::fs::path&) -> std::shared_ptr<const Model> {
                       throw base::Error(base::ErrorCode::invalid_argument, "no model");
                     });
  loader.want(path("b"));
  const auto outcome = wait_for_outcome(loader);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->problem->message(), "no model");
  EXPECT_EQ(loader.current()->sha256, "1");
}

TEST_F(ModelLoaderTest, NoticesThatTheFileWasReplacedAndIgnoresTheSameBytes) {
  base::write_file_atomically(path("a"), "1");
  ModelLoader loader(model(path("a"), "1"), [](const base::fs::path& wanted) {
    return model(wanted, base::read_file(wanted));
  });
  base::write_file_atomically(path("a"), "1");
  base::write_file_atomically(path("other"), "7");
  base::write_file_atomically(path("a"), "2");
  const auto outcome = wait_for_outcome(loader);
  ASSERT_TRUE(outcome && outcome->model);
  EXPECT_EQ(loader.current()->sha256, "2");
}

}  // namespace
}  // namespace andon::inspect
