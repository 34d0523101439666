// SPDX-License-Identifier: Apache-2.0
#include "edge/jobs/shadow_deployments.hpp"

#include <gmock/gmock.h>

#include "base/json/json.hpp"
#include "edge/jobs/job_client.hpp"
#include "edge/state/state_database.hpp"
#include "edge/testing/fake_loop_clock.hpp"
#include "edge/testing/mqtt_link_fake.hpp"
#include "edge/testing/settle.hpp"
#include "fleet/messages/shadow_document.hpp"

namespace andon::edge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kShadow = "$aws/things/dev1/shadow/name/AWSManagedGreengrassV2Deployment/";
const std::string kArn = "arn:aws:greengrass:eu-central-1:1:configuration:thing/dev1:";

class ShadowDeploymentsTest : public testing::Test {
 protected:
  void arrive(int revision, std::int64_t version,
              fleet::JobStatus wanted = fleet::JobStatus::succeeded,
              const fleet::json::object& reported = {}) {
    const std::string document =
        R"({"configurationArn":")" + kArn + std::to_string(revision) + R"(","components":{}})";
    link_.arrive(kShadow + "update/accepted",
                 base::to_text(fleet::make_shadow(
                     {{"desired", fleet::make_desired(document, wanted)}, {"reported", reported}},
                     version, base::Timestamp{})));
  }
  void report(int revision, fleet::JobStatus status) {
    database_->write([&](store::Transaction& transaction) {
      ShadowDeployments::enqueue(transaction, job(revision), {.status = status});
    });
    shadows_->flush();
    settle(loop_, writer_);
  }
  void connect(bool up) {
    link_.connect(up);
    settle(loop_, writer_);
  }
  static std::string job(int revision) { return "shadow:" + kArn + std::to_string(revision); }
  // Topics of what is published, the prefix left out; then forgets them.
  std::vector<std::string> sent() {
    settle(loop_, writer_);
    std::vector<std::string> topics;
    for (const auto& one : link_.published) {
      topics.push_back(one.message.topic.substr(kShadow.size()));
      last_ = one.message.payload;
    }
    link_.published.clear();
    return topics;
  }
  void accept_last() {
    const auto token = base::parse_json(last_, "update").at("clientToken");
    link_.arrive(kShadow + "update/accepted",
                 base::to_text(base::json::object{{"clientToken", token}}));
    settle(loop_, writer_);
  }

  base::TemporaryDirectory directory_;
  std::unique_ptr<store::Database> database_ = open_state_database(directory_.path() / "config.db");
  FakeLoopClock clock_;
  EventLoop loop_{clock_};
  StateWriter writer_{loop_, *database_};
  FakeMqttLink link_;
  std::vector<std::string> offered_;
  std::vector<std::string> cancelled_;
  std::string last_;
  std::unique_ptr<ShadowDeployments> shadows_ = std::make_unique<ShadowDeployments>(
      loop_, link_, writer_, "dev1",
      ShadowDeployments::Handlers{[this](const fleet::Job& one) { offered_.push_back(one.job_id); },
                                  [this](const std::string& id) { cancelled_.push_back(id); }});
};

TEST_F(ShadowDeploymentsTest, AnotherServersShadowIsAskedForOnceForEachConnection) {
  connect(true);
  EXPECT_THAT(sent(), IsEmpty()) << "andon's own server gives jobs";
  shadows_->look();
  shadows_->look();
  EXPECT_THAT(sent(), ElementsAre("get"));
  clock_.advance(std::chrono::seconds{11});
  EXPECT_THAT(sent(), ElementsAre("get")) << "nobody has answered";
  link_.arrive(kShadow + "get/rejected", R"({"code":404,"message":"No shadow exists"})");
  clock_.advance(std::chrono::seconds{11});
  EXPECT_THAT(sent(), IsEmpty());
  connect(false);
  connect(true);
  EXPECT_THAT(sent(), ElementsAre("get"));
}

TEST_F(ShadowDeploymentsTest, TheDeploymentOfTheShadowIsOfferedUntilItHasEnded) {
  connect(true);
  shadows_->look();
  arrive(3, 7);
  EXPECT_THAT(offered_, ElementsAre(job(3)));
  shadows_->go_on("another");
  EXPECT_THAT(offered_, ElementsAre(job(3), job(3))) << "the engine was busy with another";
  shadows_->go_on(kArn + "3");
  shadows_->go_on("another");
  EXPECT_EQ(offered_.size(), 2U);
  arrive(2, 6);
  EXPECT_EQ(offered_.size(), 2U) << "it is older than what was seen";
  arrive(4, 8, fleet::JobStatus::succeeded,
         to_json(fleet::ShadowReport{kArn + "4", {fleet::JobStatus::succeeded, {}}}));
  EXPECT_EQ(offered_.size(), 2U) << "it was done";
  arrive(5, 9, fleet::JobStatus::canceled);
  EXPECT_THAT(cancelled_, ElementsAre(job(5)));
  link_.arrive(kShadow + "update/accepted", "damaged");
  EXPECT_EQ(offered_.size(), 2U);
}

TEST_F(ShadowDeploymentsTest, TheNewestReportIsSentUntilTheServerHasIt) {
  connect(true);
  shadows_->look();
  EXPECT_THAT(sent(), ElementsAre("get"));
  report(3, fleet::JobStatus::in_progress);
  EXPECT_THAT(sent(), ElementsAre("update"));
  EXPECT_THAT(last_, HasSubstr("IN_PROGRESS"));
  connect(false);
  report(3, fleet::JobStatus::succeeded);
  connect(true);
  EXPECT_THAT(sent(), ElementsAre("get", "update"));
  EXPECT_THAT(last_, HasSubstr(R"("status":"SUCCEEDED")"));
  EXPECT_THAT(last_, HasSubstr(kArn + "3"));
  accept_last();
  connect(false);
  connect(true);
  EXPECT_THAT(sent(), ElementsAre("get"));
}

TEST_F(ShadowDeploymentsTest, JobsAndShadowsTellTheirServerApart) {
  int others = 0;
  JobClient jobs(
      loop_, link_, writer_, "dev1",
      {.on_job = [](const fleet::Job&) {}, .on_none = [] {}, .on_other_server = [&] { ++others; }});
  connect(true);
  const std::string answer = "$aws/things/dev1/jobs/$next/namespace-aws-gg-deployment/get/accepted";
  link_.arrive(answer, R"({"clientToken":"andon-get-1","resultConsumers":["andon"]})");
  EXPECT_EQ(others, 0);
  connect(false);
  connect(true);
  link_.arrive(answer, R"({"clientToken":"andon-get-2","execution":{}})");
  EXPECT_EQ(others, 1);
}

}  // namespace
}  // namespace andon::edge
