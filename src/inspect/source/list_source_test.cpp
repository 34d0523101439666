// SPDX-License-Identifier: Apache-2.0
#include "inspect/source/list_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace andon::inspect {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

class ListSourceTest : public testing::Test {
 protected:
  [[nodiscard]] base::fs::path write(const std::string& name, const std::string& content) const {
    std::ofstream(folder_.path() / name) << content;
    return folder_.path() / name;
  }
  base::TemporaryDirectory folder_;
  base::Timestamp now_ = base::from_epoch_millis(1'795'341'600'000);
};

TEST_F(ListSourceTest, ReadsAListWithPathsRelativeToIt) {
  const auto list = write("list.txt", "# of Monday\r\nb.jpg\r\n\n  sub/a.png \n/absolute/c.jpg");
  EXPECT_THAT(read_list(list), ElementsAre(folder_.path() / "b.jpg", folder_.path() / "sub/a.png",
                                           "/absolute/c.jpg"));
}

TEST_F(ListSourceTest, RefusesAListThatNamesNothingOrIsNotText) {
  EXPECT_THROW((void)read_list(write("empty.txt", "# nothing\n")), base::Error);
  EXPECT_THROW((void)read_list(write("model.txt", std::string("\x08\0onnx", 6))), base::Error);
  EXPECT_THROW((void)read_list(folder_.path() / "absent.txt"), base::Error);
}

TEST_F(ListSourceTest, GivesEachFileInOrderAndSaysWhichAreMissing) {
  ListSource source({write("b.jpg", "b"), folder_.path() / "absent.jpg", write("a.jpg", "a")});
  EXPECT_EQ(source.take(now_, {})->name, "b.jpg");
  const auto missing = source.take(now_, {});
  ASSERT_TRUE(missing && missing->problem);
  EXPECT_EQ(missing->problem->code(), base::ErrorCode::not_found);
  EXPECT_THAT(missing->problem->message(), HasSubstr("absent.jpg"));
  EXPECT_FALSE(source.is_finished());
  const auto last = source.take(now_, {});
  EXPECT_EQ(last->name, "a.jpg");
  EXPECT_TRUE(source.is_finished());
  source.give_again(*last, now_ + 2s);
  EXPECT_FALSE(source.is_finished());
  EXPECT_EQ(source.look_again_at(now_), now_ + 2s);
  EXPECT_FALSE(source.take(now_, {}).has_value());
  EXPECT_EQ(source.take(now_ + 2s, {})->name, "a.jpg");
  EXPECT_TRUE(source.is_finished());
}

}  // namespace
}  // namespace andon::inspect
