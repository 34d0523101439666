// SPDX-License-Identifier: Apache-2.0
// How long a decision takes with many policies and principals: 1,000 managed policies of three
// statements, 5,000 users with four of them, an inline policy and five groups with four more each.
// Prints the median and 99th percentile in microseconds of CPU time; asserts nothing.
//   cmake --build --preset release --target access_bench
//   build/release/bin/access_bench [POLICIES] [USERS]
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/os/file.hpp"
#include "base/time/time.hpp"
#include "control/iam/iam.hpp"
#include "store/sql/database.hpp"

namespace {

using namespace andon;  // NOLINT(google-build-using-namespace)
using control::EntityKind;

constexpr int kGroups = 50;
constexpr int kDecisions = 200'000;
constexpr double kMicro = 1e6;

std::string number(int i) {
  return std::to_string(i);
}

std::string document(int i) {
  const std::string line = "line-" + number(i);
  return R"({"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":["iot:DescribeThing","iot:UpdateThing","iot:List*"],
     "Resource":"arn:aws:iot:*:*:thing/)" +
         line + R"(-*"},
    {"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],
     "Resource":["arn:aws:s3:::parts/)" +
         line + R"(/*","arn:aws:s3:::parts/${aws:username}/*"],
     "Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"Bool":{"aws:SecureTransport":"true"}}},
    {"Effect":"Deny","Action":"greengrass:Delete*","Resource":"*",
     "Condition":{"StringNotEquals":{"aws:username":"eva"}}}]})";
}

double cpu_now() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

void print(const char* what, std::vector<double> seconds) {
  std::ranges::sort(seconds);
  std::printf("%-44s median %7.2f us   p99 %7.2f us\n", what, seconds[seconds.size() / 2] * kMicro,
              seconds[seconds.size() * 99 / 100] * kMicro);
}

}  // namespace

int main(int argc, char** argv) {
  const int policies = argc > 1 ? std::atoi(argv[1]) : 1'000;
  const int users = argc > 2 ? std::atoi(argv[2]) : 5'000;
  const base::TemporaryDirectory directory;
  const base::SystemClock clock;
  const auto database = store::open_sqlite(directory.path() / "andon.db");
  control::AccessKeys keys(*database, clock);
  control::Iam iam(*database, keys, clock, "000000000000");
  std::vector<std::string> arns;
  std::vector<std::string> principals;
  for (int i = 0; i < policies; ++i) {
    arns.push_back(
        iam.policies.create({.name = "p" + number(i), .description = {}, .document = document(i)})
            .arn);
  }
  const auto attach = [&](EntityKind kind, const std::string& name, int i) {
    for (int k = 0; k < 4; ++k) {
      iam.policies.attach(kind, name, arns[static_cast<std::size_t>((i * 7 + k * 131) % policies)]);
    }
  };
  for (int i = 0; i < kGroups; ++i) {
    iam.entities.create({.kind = EntityKind::group, .name = "g" + number(i)});
    attach(EntityKind::group, "g" + number(i), i);
  }
  for (int i = 0; i < users; ++i) {
    const std::string name = "u" + number(i);
    principals.push_back("user/" + iam.entities.create({.name = name}).id);
    attach(EntityKind::user, name, i);
    iam.policies.put_inline(EntityKind::user, name, "own", document(policies + i));
    for (int k = 0; k < 5; ++k) iam.entities.add_member("g" + number((i + k * 11) % kGroups), name);
  }
  std::printf("%d policies, %d users, %d groups\n", policies, users, kGroups);
  policy::Context context;
  context.set("aws:SourceIp", "10.1.2.3");
  context.set("aws:SecureTransport", "true");
  context.set("aws:CurrentTime", "2026-11-29T12:00:00Z");
  context.set("aws:EpochTime", "1795953600");
  context.set("aws:RequestedRegion", "us-east-1");
  struct Ask {
    const char* what;
    const char* action;
    const char* resource;
  };
  const Ask asks[] = {
      {"first of each user, from the tables", "iot:DescribeThing", "arn:aws:iot:r:a:thing/x"},
      {"iot:DescribeThing, not allowed", "iot:DescribeThing",
       "arn:aws:iot:us-east-1:000000000000:thing/line-none-1"},
      {"s3:GetObject, allowed by a variable", "s3:GetObject", "arn:aws:s3:::parts/u17/a.png"},
      {"greengrass:DeleteDeployment, denied", "greengrass:DeleteDeployment",
       "arn:aws:greengrass:us-east-1:000000000000:deployments:1"},
      {"states:StartExecution, nothing said of it", "states:StartExecution",
       "arn:aws:states:us-east-1:000000000000:stateMachine:m"},
  };
  std::size_t allowed = 0;
  for (const Ask& ask : asks) {
    const bool is_first = &ask == asks;
    std::vector<double> seconds;
    for (int i = 0; i < (is_first ? users : kDecisions); ++i) {
      const std::string& principal =
          principals[static_cast<std::size_t>(i) * 37 % principals.size()];
      const double begin = cpu_now();
      const bool is_allowed =
          iam.principals.decide(principal, {}, ask.action, ask.resource, context).is_allowed();
      seconds.push_back(cpu_now() - begin);
      if (is_allowed) ++allowed;
    }
    print(ask.what, std::move(seconds));
  }
  std::printf("(%zu allowed)\n", allowed);
  return 0;
}
