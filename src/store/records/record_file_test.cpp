// SPDX-License-Identifier: Apache-2.0
#include "store/records/record_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "base/error/error.hpp"
#include "store/records/frame.hpp"

namespace andon::store {
namespace {

namespace fs = base::fs;
using testing::ElementsAre;
using testing::IsEmpty;

using Records = std::vector<std::string>;

class RecordFileTest : public testing::Test {
 protected:
  [[nodiscard]] fs::path path() const { return folder_.path() / "records"; }
  // Opens it and gives what was in it.
  RecordFile open(Records& found, RecordFile::Limits limits = {}) const {
    found.clear();
    return {path(), limits, [&](std::string_view record) { found.emplace_back(record); }};
  }
  [[nodiscard]] Records content(RecordFile::Limits limits = {}) const {
    Records found;
    open(found, limits);
    return found;
  }
  void append(const Records& records) const {
    Records found;
    RecordFile file = open(found);
    for (const std::string& record : records) file.append_synced(record);
  }
  static Records all_of(const RecordFile& file) {
    Records found;
    file.read([&](std::string_view record) { found.emplace_back(record); });
    return found;
  }
  // Not synced: these tests damage a file hundreds of times.
  void put(std::string_view bytes) const {
    std::ofstream(path(), std::ios::binary | std::ios::trunc) << bytes;
  }

  base::TemporaryDirectory folder_;
};

TEST_F(RecordFileTest, HasEveryRecordInOrderAfterARestart) {
  const std::string large(200'000, 'x');
  const std::string bytes("\0\n\xFF", 3);
  append({"one", "", large, bytes});
  append({"last"});
  EXPECT_THAT(content(), ElementsAre("one", "", large, bytes, "last"));
}

TEST_F(RecordFileTest, HasEachWholeRecordWhereverTheFileIsCut) {
  append({"first", "second", std::string(300, 'z')});
  const std::string whole = base::read_file(path());
  const std::size_t magic = whole.size() - 3 * kFrameHeaderBytes - 5 - 6 - 300;
  const std::size_t one = magic + kFrameHeaderBytes + 5;
  const std::size_t two = one + kFrameHeaderBytes + 6;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    put(whole.substr(0, length));
    Records found;
    RecordFile file = open(found);
    const std::size_t expected = length >= two ? 2 : (length >= one ? 1 : 0);
    ASSERT_EQ(found.size(), expected) << length;
    // What was torn is gone: a record that follows stands alone.
    file.append("after");
    ASSERT_EQ(all_of(file).size(), expected + 1) << length;
    ASSERT_EQ(content().size(), expected + 1) << length;
    ASSERT_EQ(content().back(), "after") << length;
  }
}

TEST_F(RecordFileTest, LosesOnlyTheRecordInWhichAByteIsDamaged) {
  append({"first", "second", "third"});
  const std::string whole = base::read_file(path());
  const std::size_t magic = whole.size() - 3 * kFrameHeaderBytes - 16;
  for (std::size_t at = magic; at < whole.size(); ++at) {
    for (const int flip : {0x01, 0x80, 0xFF}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      put(damaged);
      const std::size_t place = at - magic;
      if (place < kFrameHeaderBytes + 5) {
        ASSERT_THAT(content(), ElementsAre("second", "third")) << at;
      } else if (place < 2 * kFrameHeaderBytes + 11) {
        ASSERT_THAT(content(), ElementsAre("first", "third")) << at;
      } else {
        ASSERT_THAT(content(), ElementsAre("first", "second")) << at;
      }
    }
  }
}

TEST_F(RecordFileTest, ReadsNothingFromZerosThatAPowerLossLeft) {
  append({"first"});
  put(base::read_file(path()) + std::string(5'000, '\0'));
  EXPECT_THAT(content(), ElementsAre("first"));
  append({"second"});
  EXPECT_THAT(content(), ElementsAre("first", "second"));
}

TEST_F(RecordFileTest, FindsTheRecordsBehindHalfARecord) {
  append({"first"});
  std::string bytes = base::read_file(path());
  std::string half;
  append_frame(half, std::string(1'000, 'h'));
  bytes += half.substr(0, 500);
  append_frame(bytes, "second");
  put(bytes);
  EXPECT_THAT(content(), ElementsAre("first", "second"));
}

TEST_F(RecordFileTest, IsReplacedWholeOrNotAtAll) {
  append({"one", "two", "three"});
  Records found;
  RecordFile file = open(found);
  file.rewrite([&](RecordFile::Writer& writer) {
    file.read([&](std::string_view record) {
      if (record != "two") writer.add(record);
    });
  });
  EXPECT_THAT(all_of(file), ElementsAre("one", "three"));
  file.append_synced("four");
  EXPECT_THROW(file.rewrite([](RecordFile::Writer& writer) {
    writer.add("never");
    throw base::Error(base::ErrorCode::internal, "the owner gives up");
  }),
               base::Error);
  EXPECT_THAT(all_of(file), ElementsAre("one", "three", "four"));
  EXPECT_THAT(content(), ElementsAre("one", "three", "four"));
  EXPECT_FALSE(fs::exists(path().string() + ".new"));
}

TEST_F(RecordFileTest, TakesNoNoticeOfARewriteThatACrashInterrupted) {
  append({"one"});
  base::write_file_atomically(path().string() + ".new", "half a fi");
  Records found;
  RecordFile file = open(found);
  EXPECT_THAT(found, ElementsAre("one"));
  file.rewrite([](RecordFile::Writer& writer) { writer.add("two"); });
  EXPECT_THAT(content(), ElementsAre("two"));
}

TEST_F(RecordFileTest, RefusesWhatIsOverItsLimitsAndStaysAsItWas) {
  Records found;
  const RecordFile::Limits limits{.record_bytes = 100, .file_bytes = 300};
  RecordFile file = open(found, limits);
  EXPECT_THROW(file.append(std::string(101, 'a')), base::Error);
  file.append(std::string(100, 'b'));
  file.append(std::string(100, 'c'));
  EXPECT_THROW(file.append(std::string(100, 'd')), base::Error);
  EXPECT_EQ(all_of(file).size(), 2U);
  EXPECT_LE(fs::file_size(path()), 300U);
  file.rewrite([](RecordFile::Writer& writer) { writer.add("less"); });
  file.append("more");
  EXPECT_THAT(content(limits), ElementsAre("less", "more"));
}

TEST_F(RecordFileTest, TellsWhenItHasOutgrownWhatWasKept) {
  Records found;
  RecordFile file = open(found);
  const std::string record(1'000, 'r');
  for (int i = 0; i < 5; ++i) file.append(record);
  EXPECT_FALSE(file.has_outgrown(10'000));
  EXPECT_TRUE(file.has_outgrown(4'000));
  file.rewrite([&](RecordFile::Writer& writer) { writer.add(record); });
  EXPECT_FALSE(file.has_outgrown(0));
}

TEST_F(RecordFileTest, IsNotMadeOfAnotherFile) {
  put("a letter to somebody\n");
  EXPECT_FALSE(RecordFile::is_record_file(path()));
  EXPECT_THROW(content(), base::Error);
  EXPECT_EQ(base::read_file(path()), "a letter to somebody\n");
  RecordFile::write(path(), {}, [](RecordFile::Writer& writer) { writer.add("taken over"); });
  EXPECT_TRUE(RecordFile::is_record_file(path()));
  EXPECT_THAT(content(), ElementsAre("taken over"));
}

TEST_F(RecordFileTest, IsMadeWhereThereIsNone) {
  EXPECT_FALSE(RecordFile::is_record_file(path()));
  EXPECT_THAT(content(), IsEmpty());
  EXPECT_TRUE(RecordFile::is_record_file(path()));
}

}  // namespace
}  // namespace andon::store
