// SPDX-License-Identifier: Apache-2.0
#include "broker/view/view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "broker/view/view_file.hpp"

namespace andon::broker {
namespace {

const std::string kOne(64, '1');
const std::string kTwo(64, '2');

TEST(View, LinesReadAsTheyWereWritten) {
  Limits limits;
  limits.subscriptions = 7;
  const std::vector<Change> changes{
      AddThing{"line-1"},
      AllowCertificate{kOne, {PrincipalKind::thing, "line-1"}},
      AllowCertificate{kTwo, {PrincipalKind::consumer, "a b c"}},
      AllowCertificate{kTwo,
                       {PrincipalKind::client,
                        "plc",
                        {"P", "Q"},
                        {{"iot:Connection.Thing.IsAttached", "false"}, {"k", "a \"b\" {c}"}}}},
      SetPolicy{"P", R"({"Statement":[{"a":"b c"}]})"},
      RemovePolicy{"P=,.@-"},
      SetRealm{"arn:aws:iot:us-east-1:000000000000:"},
      RefuseCertificate{kOne},
      RemoveThing{"line-1"},
      limits};
  for (const Change& change : changes) {
    const std::string line = to_line(change);
    ASSERT_TRUE(line.ends_with('\n'));
    EXPECT_EQ(to_line(parse_line(std::string_view(line).substr(0, line.size() - 1))), line);
  }
}

TEST(View, RefusesLinesThatSayNothingGood) {
  const std::vector<std::string> lines{"",
                                       "allow",
                                       "allow " + kOne,
                                       "allow " + kOne + " thing",
                                       "allow " + kOne + " thing a/b",
                                       "allow " + kOne + " thing a+",
                                       "allow " + kOne + " king x",
                                       "allow " + std::string(64, 'G') + " thing x",
                                       "allow " + kOne + " client x {",
                                       "allow " + kOne + R"( client x {"policies":["a b"]})",
                                       "allow " + kOne + R"( client x {"policies":7})",
                                       "allow " + kOne + R"( client x {"facts":{"a":7}})",
                                       "allow " + kOne + R"( client x {"other":{}})",
                                       "policy",
                                       "policy P",
                                       "policy P []",
                                       "policy a/b {}",
                                       "no-policy",
                                       "no-policy a b",
                                       "realm",
                                       "realm arn:x",
                                       "realm a b:",
                                       "refuse x",
                                       "thing " + std::string(129, 'x'),
                                       "thing a\x01",
                                       std::string("limits 1 2 3"),
                                       std::string("limits 1 2 3 4 5 6 7 8"),
                                       std::string("limits -1 2 3 4 5 6 7"),
                                       std::string("hello"),
                                       std::string(5000, 'x')};
  for (const std::string& line : lines) {
    EXPECT_THROW((void)parse_line(line), base::Error) << line;
  }
}

class ViewFile : public testing::Test {
 protected:
  base::TemporaryDirectory directory_;
  base::fs::path path_ = directory_.path() / "view";
  ViewFollower follower_{path_};
};

TEST_F(ViewFile, IsFollowedAsItGrowsAndWhenItIsReplaced) {
  EXPECT_THAT(follower_.read().problem, testing::HasSubstr("cannot be read"));
  EXPECT_EQ(follower_.read().problem, "") << "told once";

  ViewWriter writer(path_, std::vector<Change>{AddThing{"a"}});
  auto update = follower_.read();
  EXPECT_TRUE(update.is_new_view);
  EXPECT_EQ(update.changes.size(), 1U);
  EXPECT_TRUE(follower_.read().changes.empty());

  writer.append(std::vector<Change>{AddThing{"b"}, AddThing{"c"}});
  update = follower_.read();
  EXPECT_FALSE(update.is_new_view);
  EXPECT_EQ(update.changes.size(), 2U);

  const ViewWriter other(path_, std::vector<Change>{AddThing{"d"}});
  update = follower_.read();
  EXPECT_TRUE(update.is_new_view);
  EXPECT_EQ(update.changes.size(), 1U);
}

TEST_F(ViewFile, ALineThatIsNotWholeWaitsForItsEnd) {
  const ViewWriter writer(path_, std::vector<Change>{AddThing{"a"}});
  EXPECT_EQ(follower_.read().changes.size(), 1U);
  const std::string line = to_line(AddThing{"bcd"});
  const auto fd = base::open_file(path_, 02001);  // O_WRONLY | O_APPEND
  for (const char c : line) {
    EXPECT_TRUE(follower_.read().changes.empty());
    base::write_all(fd.get(), std::string(1, c), path_);
  }
  EXPECT_EQ(follower_.read().changes.size(), 1U);
}

TEST_F(ViewFile, ADamagedNewViewDoesNotTakeThePlaceOfTheOneThatHolds) {
  const ViewWriter writer(path_, std::vector<Change>{AddThing{"a"}});
  EXPECT_TRUE(follower_.read().is_new_view);
  base::write_file_atomically(path_, "thing b\nnonsense\n");
  const auto update = follower_.read();
  EXPECT_FALSE(update.is_new_view);
  EXPECT_TRUE(update.changes.empty());
  EXPECT_THAT(update.problem, testing::HasSubstr("is not taken"));
}

TEST_F(ViewFile, SaysWhenANewOneWouldBeMuchShorter) {
  ViewWriter writer(path_, std::vector<Change>{AddThing{"a"}});
  const std::vector<Change> many(500, AddThing{"a"});
  writer.append(many);
  EXPECT_FALSE(writer.is_due_for_a_new_one());
  writer.append(many);
  writer.append(many);
  EXPECT_TRUE(writer.is_due_for_a_new_one());
}

}  // namespace
}  // namespace andon::broker
