// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/store/stream_store.hpp"

#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "base/os/file.hpp"

namespace andon::edge {
namespace {

StreamDefinition named(const std::string& name) {
  return {.name = name, .max_size = 10'240, .segment_size = 1'024};
}

StreamStatus status_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const StreamError& error) {
    return error.status();
  }
  return StreamStatus::success;
}

class StreamStoreTest : public ::testing::Test {
 protected:
  base::TemporaryDirectory directory_;
};

TEST_F(StreamStoreTest, KeepsStreamsOverRestartsWhateverTheirNames) {
  const std::vector<std::string> names{"..", std::string(255, 'x'), "a b", "流"};
  {
    StreamStore store(directory_.path(), {});
    for (const std::string& name : names) store.create(named(name)).append(name, 1);
  }
  StreamStore store(directory_.path(), {});
  EXPECT_EQ(store.names().size(), names.size());
  for (const std::string& name : names) {
    EXPECT_EQ(store.get(name).read(0, 1, 1)[0].payload, name);
  }
}

TEST_F(StreamStoreTest, ANameThatWasDeletedBeginsAtZero) {
  StreamStore store(directory_.path(), {});
  store.create(named("s")).append("x", 1);
  EXPECT_EQ(status_of([&] { store.create(named("s")); }), StreamStatus::invalid_request);
  EXPECT_EQ(store.remove("s", false), StreamStore::Removed::gone);
  EXPECT_EQ(status_of([&] { static_cast<void>(store.get("s")); }),
            StreamStatus::resource_not_found);
  EXPECT_TRUE(fs::is_empty(directory_.path()));
  EXPECT_EQ(store.create(named("s")).append("y", 1), 0);
}

TEST_F(StreamStoreTest, AStreamWhoseTasksWaitStaysWithoutItsNameAlsoOverARestart) {
  {
    StreamStore store(directory_.path(), {});
    store.create(named("s")).append("old", 1);
    EXPECT_EQ(store.remove("s", true), StreamStore::Removed::retired);
    store.create(named("s")).append("new", 1);
    EXPECT_EQ(store.get("s").read(0, 1, 1)[0].payload, "new");
  }
  StreamStore store(directory_.path(), {});
  EXPECT_EQ(store.names(), std::vector<std::string>{"s"});
  EXPECT_EQ(store.get("s").read(0, 1, 1)[0].payload, "new");
  ASSERT_EQ(store.all().size(), 2U);
  for (const auto& [id, stream] : store.all()) {
    if (!store.is_retired(id)) continue;
    EXPECT_EQ(stream->read(0, 1, 1)[0].payload, "old");
    store.release(id);
    break;
  }
  EXPECT_EQ(store.all().size(), 1U);
}

// A crash between the removals of its files would leave what is no stream, for ever.
TEST_F(StreamStoreTest, AStreamLosesItsPlaceBeforeItLosesAFile) {
  for (const bool waits : {false, true}) {
    StreamStore store(directory_.path(), {});
    MessageStream& stream = store.create(named("s"));
    stream.append("x", 1);
    stream.flush();
    const std::uint64_t id = stream.id();
    const base::UniqueFd watch(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    ASSERT_TRUE(watch);
    ASSERT_GE(inotify_add_watch(watch.get(), stream.directory().c_str(), IN_MOVE_SELF | IN_DELETE),
              0);
    store.remove("s", waits);
    store.release(id);
    EXPECT_TRUE(fs::is_empty(directory_.path()));
    alignas(inotify_event) std::array<char, 4096> buffer{};
    ASSERT_GT(read(watch.get(), buffer.data(), buffer.size()), 0);
    inotify_event first{};
    std::memcpy(&first, buffer.data(), sizeof first);
    EXPECT_EQ(first.mask, IN_MOVE_SELF) << "waits: " << waits;
  }
}

TEST_F(StreamStoreTest, UpdatesOnlyWhatCanBeUpdated) {
  StreamStore store(directory_.path(), {});
  store.create(named("s")).append(std::string(900, 'x'), 1);
  store.get("s").append(std::string(900, 'x'), 1);
  EXPECT_EQ(status_of([&] { store.update(named("t")); }), StreamStatus::resource_not_found);
  StreamDefinition other = named("s");
  other.is_in_memory = true;
  EXPECT_EQ(status_of([&] { store.update(other); }), StreamStatus::update_not_allowed);
  other = named("s");
  other.max_size = 1'500;
  EXPECT_EQ(status_of([&] { store.update(other); }), StreamStatus::invalid_request);
  other.max_size = 2'000;
  other.segment_size = 3'000;
  EXPECT_EQ(status_of([&] { store.update(other); }), StreamStatus::invalid_request);
  other.segment_size = 2'000;
  store.update(other);
  EXPECT_EQ(StreamStore(directory_.path(), {}).get("s").definition(), other);
}

TEST_F(StreamStoreTest, AStreamThatIsSmallerThanItsSegmentsGrowsAsItWasDescribed) {
  StreamStore store(directory_.path(), {});
  store.create({.name = "small", .max_size = 100'000});
  StreamDefinition described = store.get("small").definition();
  described.max_size = 200'000;
  store.update(described);
  EXPECT_EQ(store.get("small").definition().max_size, 200'000);
}

TEST_F(StreamStoreTest, BoundsWhatStreamsInMemoryMayTake) {
  StreamStore store(directory_.path(), {.memory_bytes = 15'000});
  StreamDefinition in_memory = named("a");
  in_memory.is_in_memory = true;
  store.create(in_memory);
  in_memory.name = "b";
  EXPECT_EQ(status_of([&] { store.create(in_memory); }), StreamStatus::out_of_memory);
}

TEST_F(StreamStoreTest, ADamagedDefinitionCostsItsStreamAndNoOther) {
  {
    StreamStore store(directory_.path(), {});
    store.create(named("a"));
    base::write_file_atomically(store.create(named("b")).directory() / "definition", "garbage");
  }
  EXPECT_EQ(StreamStore(directory_.path(), {}).names(), std::vector<std::string>{"a"});
}

}  // namespace
}  // namespace andon::edge
