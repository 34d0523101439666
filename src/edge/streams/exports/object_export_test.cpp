// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/exports/object_export.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>

#include "wire/http/http_server.hpp"

namespace andon::edge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Key;
using testing::Pair;

TEST(ObjectAddress, IsABucketAndAPrefixOfTheDevicesOwnServer) {
  const ObjectAddress address = read_object_address("s3+https:///plant.data/line/{thing}/");
  EXPECT_EQ(address.bucket, "plant.data");
  EXPECT_EQ(address.prefix, "line/{thing}");
  EXPECT_EQ(read_object_address("s3+https:///bucket").prefix, "");
  for (const char* const bad :
       {"s3+https://host/bucket/p", "s3+https://", "s3+https:///", "s3+https:///B/p",
        "s3+https:///bucket/p?roll=8MiB", "s3+https:///../p"}) {
    EXPECT_THROW(static_cast<void>(read_object_address(bad)), StreamError) << bad;
  }
  EXPECT_THROW(
      static_cast<void>(read_object_address("s3+https:///bucket/" + std::string(600, 'p'))),
      StreamError);
}

class ObjectExportTest : public testing::Test {
 protected:
  ObjectExportTest() {
    world_.thing_name = "line-1";
    world_.s3_endpoint = "http://127.0.0.1:" + std::to_string(server_.port());
    world_.region = "us-east-1";
    world_.credentials = std::make_shared<ExportCredentials>([] {
      return fleet::TemporaryCredentials{"ASIA1", "secret", "session", "2100-01-01T00:00:00Z"};
    });
    world_.await_budget = [this](std::uint64_t bytes, const std::atomic<bool>&) {
      charged_ += bytes;
    };
  }

  ExportOutcome send(bool is_batched) {
    ObjectExport target({"s3+https:///bucket/of/{thing}", is_batched}, world_);
    return target.send({"st 1", {{7, 1000, "first"}, {8, 2000, "second"}}}, cancelled_);
  }

  std::mutex mutex_;
  std::map<std::string, std::string> objects_;
  int status_ = 200;
  std::uint64_t charged_ = 0;
  const std::atomic<bool> cancelled_{false};
  ExportWorld world_;
  wire::HttpServer server_{{}, [this](wire::HttpRequest& request) -> wire::HttpResponse {
                             const std::lock_guard lock(mutex_);
                             if (status_ != 200) {
                               return {status_, {}, "<Error><Code>AccessDenied</Code></Error>"};
                             }
                             objects_[request.path] = request.body.read();
                             return {};
                           }};
};

TEST_F(ObjectExportTest, ABatchIsAnObjectWithALineForEachMessage) {
  EXPECT_EQ(send(true).done, 2U);
  ASSERT_THAT(objects_, ElementsAre(Key("/bucket/of/line-1/st%201/00000000000000000007-"
                                        "00000000000000000008.ndjson")));
  EXPECT_EQ(objects_.begin()->second,
            R"({"streamName":"st 1","sequenceNumber":7,"ingestTime":1000,"payload":"Zmlyc3Q="})"
            "\n"
            R"({"streamName":"st 1","sequenceNumber":8,"ingestTime":2000,"payload":"c2Vjb25k"})"
            "\n");
  EXPECT_EQ(charged_, objects_.begin()->second.size());
}

TEST_F(ObjectExportTest, WithoutBatchesAMessageIsAnObject) {
  EXPECT_EQ(send(false).done, 2U);
  EXPECT_THAT(objects_,
              ElementsAre(Pair("/bucket/of/line-1/st%201/00000000000000000007", "first"),
                          Pair("/bucket/of/line-1/st%201/00000000000000000008", "second")));
}

TEST_F(ObjectExportTest, WhatIsDeniedIsKeptAndSentOnceThatIsMended) {
  status_ = 403;
  const ExportOutcome outcome = send(true);
  EXPECT_EQ(outcome.kind, ExportOutcome::Kind::retry);
  EXPECT_EQ(outcome.done, 0U);
  EXPECT_THAT(outcome.error,
              testing::AllOf(HasSubstr("s3://bucket/of/line-1/st 1/"), HasSubstr("AccessDenied")));
}

}  // namespace
}  // namespace andon::edge
