// SPDX-License-Identifier: Apache-2.0
#include "job/order/order.hpp"

#include <gmock/gmock.h>

#include "base/error/error.hpp"
#include "base/json/json.hpp"

namespace andon::job {
namespace {

using testing::HasSubstr;

JobOrder full_order() {
  JobOrder order;
  order.id = "5b0c";
  order.execution = 7;
  order.task = 3;
  order.execution_arn = "arn:aws:states:us-east-1:000000000000:execution:m:e";
  order.state = "Train";
  order.log_group = "/aws/codebuild/p";
  order.log_stream = "1";
  order.command = {.arguments = {"python3", "train.py"}, .environment = {{"A", "1"}}};
  order.rules.read_only = {"/opt/venv"};
  order.rules.placed = {{.source = "/data/packages/1", .place = "/var/task"}};
  order.rules.links = {{.place = "/opt/ml", .target = "/job/ml"}};
  order.grace = std::chrono::seconds(120);
  order.rules.served = {9001, 9002};
  order.relay_address = "10.0.0.5";
  order.relay_port = 8080;
  order.command.directory = "/var/task";
  order.rules.hidden = {"/data"};
  order.rules.user = 60'706;
  order.rules.ports = {443};
  order.rules.cgroup = "/sys/fs/cgroup/jobs";
  order.rules.limits = {.memory_bytes = 1, .disk_bytes = 2, .processes = 3, .cpus = 1.5};
  order.timeout = std::chrono::seconds(60);
  order.heartbeat = std::chrono::seconds(9);
  order.log_bytes = 4096;
  return order;
}

TEST(JobOrder, IsReadAsItWasWritten) {
  const std::string text = to_text(full_order());
  EXPECT_EQ(to_text(parse_order(text)), text);
  const JobOrder read = parse_order(text);
  EXPECT_EQ(read.rules.user, 60'706U);
  EXPECT_EQ(read.rules.limits.cpus, 1.5);
  EXPECT_EQ(read.heartbeat, std::chrono::seconds(9));
}

TEST(JobOrder, WithoutACommandOrWithAWrongPortIsRefusedByName) {
  JobOrder order = full_order();
  order.command.arguments.clear();
  const auto refusal = [](const std::string& text) {
    try {
      (void)parse_order(text);
    } catch (const base::Error& error) {
      return error.message();
    }
    return std::string("it was taken");
  };
  EXPECT_THAT(refusal(to_text(order)), HasSubstr("arguments"));
  order = full_order();
  order.rules.ports = {0};
  EXPECT_THAT(refusal(to_text(order)), HasSubstr("ports"));
}

TEST(JobResult, IsReadAsItWasWritten) {
  const JobResult result{.end = JobEnd::signalled,
                         .code = 9,
                         .message = "signal 9",
                         .started = base::from_epoch_millis(1'790'000'000'000),
                         .stopped = base::from_epoch_millis(1'790'000'000'500)};
  EXPECT_EQ(to_text(parse_result(to_text(result))), to_text(result));
  EXPECT_THROW((void)parse_result("{}"), base::Error);
}

}  // namespace
}  // namespace andon::job
